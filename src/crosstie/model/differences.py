"""Differences: two records side by side, field by field, with what each way to bring them in step would write."""

from datetime import datetime

import msgspec

from crosstie.model.decisions import FieldAction, Preference
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from crosstie.model.values import Scalar


class Shown(msgspec.Struct, frozen=True):
    """A value, and how people read it: an option's label, the name of the record that it refers to."""

    value: Scalar
    words: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one field under a preference. `value` is written, `lost` is an unsynchronised edit that goes."""

    action: FieldAction
    reason: str = ""
    value: Shown | None = None
    lost: Shown | None = None


class FieldDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One field mapping. `changed` are the sides that no longer hold the base; `base` is None where there is none."""

    name: str
    label: str
    local_field: str | None
    remote_field: str | None
    direction: Direction
    local: Shown
    remote: Shown
    base_local: Shown | None
    base_remote: Shown | None
    changed: tuple[Side, ...]
    differs: bool
    """Whether the two sides mean different things, as far as values flow between them."""
    choices: tuple[Side, ...]
    """The sides whose value can be chosen for both."""
    newer: Side | None
    """The side whose record was modified last, where both were."""
    proposals: dict[Preference, Proposal]
    """By preference; one that leaves the field alone is not in it."""


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """What a preference comes to for the whole record: how many fields it writes, and how many edits are lost by it."""

    preference: Preference
    writes_local: int
    writes_remote: int
    loses: int
    conflicts: int
    held: int
    problem: str | None = None
    """Code of what keeps the record from being brought in step that way."""
    problem_words: str = ""


class SideOfRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two records, None for all but its id where it is gone."""

    side: Side
    id: str
    exists: bool
    words: str
    in_filter: bool = True
    modified_at: datetime | None = None
    version: str | None = None
    address: str | None = None
    """Where it is in the pages of its system."""


class FieldPreview(msgspec.Struct, frozen=True, kw_only=True):
    """A field of two records that may be coupled: as it is, and as it would be afterwards on both sides."""

    difference: FieldDifference
    after_local: Shown
    after_remote: Shown
    writes: Side | None
    """The side that is written."""
    reason: str = ""
    winner: Side | None = None
    """The side whose value both are to get; None where both keep theirs."""
    chosen: bool = False
    """Whether a person chose that for this field alone."""
