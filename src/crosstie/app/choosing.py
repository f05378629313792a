"""Choosing: what a preset and the sides chosen for single fields come to, for a record as shown (rule Y-8). Pure."""

from collections.abc import Mapping

import msgspec

from crosstie.app.differences import RecordDifferences
from crosstie.model.decisions import FieldAction, Preference
from crosstie.model.differences import FieldDifference, Proposal
from crosstie.model.errors import InvalidOption
from crosstie.model.records import Side

_OF_SIDE = {Side.LOCAL: Preference.SEND, Side.REMOTE: Preference.GET}
_SOURCE = {FieldAction.TO_REMOTE: Side.LOCAL, FieldAction.TO_LOCAL: Side.REMOTE}


class ChosenField(msgspec.Struct, frozen=True, kw_only=True):
    """A field as it comes out. `source` is the side whose value both get, None where nothing is written."""

    difference: FieldDifference
    proposal: Proposal | None
    source: Side | None
    clash: bool
    """Both sides were changed, and no side is chosen yet."""
    result: str
    """What both hold afterwards, in words."""


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The whole record as it comes out."""

    preference: Preference
    fields: list[ChosenField]
    writes: int
    """Fields that are written."""
    clashes: int
    loses: int
    """Unsynchronised edits that are overwritten."""
    held: int


def choose_fields(found: RecordDifferences, preference: Preference, choices: Mapping[str, Side]) -> Chosen:
    """Return what applying `preference`, with the sides chosen for single fields, would do; nothing is decided anew.

    Raises InvalidOption for a preference that the mapping does not have.
    """
    if preference not in {preset.preference for preset in found.presets}:
        raise InvalidOption(f"{preference.value} is not one of the directions of {found.mapping}.")
    rows = [_field(each, preference, choices.get(each.name)) for each in found.fields]
    return Chosen(
        preference=preference,
        fields=rows,
        writes=sum(row.source is not None for row in rows),
        clashes=sum(row.clash for row in rows),
        loses=sum(row.proposal is not None and row.proposal.lost is not None for row in rows),
        held=sum(row.proposal is not None and row.proposal.action is FieldAction.HOLD for row in rows),
    )


def _field(difference: FieldDifference, preference: Preference, side: Side | None) -> ChosenField:
    proposal = difference.proposals.get(preference)
    if side is not None and side in difference.choices:
        proposal = difference.proposals.get(_OF_SIDE[side], proposal)
    source = _SOURCE.get(proposal.action) if proposal is not None else None
    clash = proposal is not None and proposal.action is FieldAction.CONFLICT
    return ChosenField(
        difference=difference,
        proposal=proposal,
        source=source,
        clash=clash,
        result="" if clash else _result(difference, proposal, source),
    )


def _result(difference: FieldDifference, proposal: Proposal | None, source: Side | None) -> str:
    if source is not None and proposal is not None and proposal.value is not None:
        return proposal.value.words
    if difference.differs:
        return ""
    return difference.local.words or difference.remote.words
