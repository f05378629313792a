"""Differing: a coupled record shown side by side, and brought in step as a person has chosen (rules Y-3, Y-4, W-5).

The proposals are the decisions that synchronising would make; nothing here decides anew, and nothing is written.
"""

from collections.abc import Mapping, Sequence

from crosstie.engine.compiling import CompiledField, CompiledMapping
from crosstie.engine.converting import as_text
from crosstie.engine.decision import compose, decide
from crosstie.engine.merging import WRITES
from crosstie.engine.pairing import Paired
from crosstie.engine.wording import REFERENCES, Wording
from crosstie.model.base import Base
from crosstie.model.decisions import Decision, FieldAction, FieldDecision, Preference, Request, Transferred
from crosstie.model.differences import FieldDifference, Preset, Proposal, Shown
from crosstie.model.errors import InvalidOption, UnknownField
from crosstie.model.mappings import Direction
from crosstie.model.records import Record, Side

_NOTHING = Transferred(values={})
_OF_SIDE = {Side.LOCAL: Preference.SEND, Side.REMOTE: Preference.GET}
"""The preference under which a side's values win."""
_TELLING = (FieldAction.TO_LOCAL, FieldAction.TO_REMOTE, FieldAction.CONFLICT, FieldAction.HOLD)


def preferences_of(compiled: CompiledMapping) -> list[Preference]:
    """Return the ways in which a record of the mapping can be brought in step."""
    found = [_OF_SIDE[side] for side in Side if compiled.mapping.reaches(side.other)]
    return [*found, Preference.MERGE] if len(found) > 1 else found


def decide_each(compiled: CompiledMapping, item: Paired) -> dict[Preference, Decision]:
    """Return what each preference comes to for a pair of which both records exist."""
    return {
        preference: decide(
            compiled, item.pair, item.base, item.sent, item.fetched, Request(preference=preference, on_purpose=True)
        )
        for preference in preferences_of(compiled)
    }


def preselected(compiled: CompiledMapping, item: Paired, differences: Sequence[FieldDifference]) -> Preference:
    """Return the preference that a dialog proposes (engine rules U-2, Y-3, Y-4).

    Where only one side was changed, that one is sent or fetched; else values merge, also where a field clashes, since
    its side can be chosen. Records that never agreed take the side that a new coupling would.
    """
    possible = preferences_of(compiled)
    if len(possible) == 1:
        return possible[0]
    if item.base is None:
        return Preference.SEND
    changed = {side for found in differences for side in found.changed if found.differs}
    return _OF_SIDE[changed.pop()] if len(changed) == 1 else Preference.MERGE


def preset(preference: Preference, decision: Decision) -> Preset:
    """Return what a preference comes to for the whole record."""
    actions = [found.action for found in decision.fields]
    return Preset(
        preference=preference,
        writes_local=actions.count(FieldAction.TO_LOCAL),
        writes_remote=actions.count(FieldAction.TO_REMOTE),
        loses=sum(found.lost is not None for found in decision.fields),
        conflicts=actions.count(FieldAction.CONFLICT),
        held=actions.count(FieldAction.HOLD),
        problem=decision.problem_code,
        problem_words=decision.problem_words,
    )


def field_differences(
    compiled: CompiledMapping, item: Paired, decisions: Mapping[Preference, Decision], wording: Wording
) -> list[FieldDifference]:
    """Return every field of the mapping side by side, in its order, with what each preference makes of it."""
    by_position = {
        preference: {found.position: found for found in decision.fields} for preference, decision in decisions.items()
    }
    return [
        _field(
            field,
            item,
            {name: rows[field.position] for name, rows in by_position.items() if field.position in rows},
            wording,
        )
        for field in compiled.fields
    ]


def _field(
    field: CompiledField, item: Paired, found: Mapping[Preference, FieldDecision], wording: Wording
) -> FieldDifference:
    local, remote = item.pair.local, item.pair.remote
    changed = tuple(side for side in Side if _changed(field, item, side))
    proposals = {preference: _proposal(field, decision, wording) for preference, decision in found.items()}
    differs = any(proposal.action in _TELLING for proposal in proposals.values())
    here, there = _shown(field, Side.LOCAL, local, wording), _shown(field, Side.REMOTE, remote, wording)
    if not differs:
        here, there = _spoken(field, Side.LOCAL, here, there), _spoken(field, Side.REMOTE, there, here)
    return FieldDifference(
        name=field.name,
        label=field.label,
        local_field=field.local_field,
        remote_field=field.remote_field,
        direction=Direction.BIDIRECTIONAL if field.both_ways else _direction(field),
        local=here,
        remote=there,
        base_local=_base(field, Side.LOCAL, item.base, wording),
        base_remote=_base(field, Side.REMOTE, item.base, wording),
        changed=changed,
        differs=differs,
        choices=tuple(side for side in Side if field.reaches(side.other)),
        newer=_newer(local, remote) if len(changed) > 1 else None,
        proposals=proposals,
    )


def _spoken(field: CompiledField, side: Side, shown: Shown, other: Shown) -> Shown:
    """Return an id that nobody has coupled, as the base currency's, in the words of the value that means the same."""
    schema = field.schema(side)
    unnamed = schema is not None and schema.type in REFERENCES and shown.words == as_text(shown.value)
    return Shown(shown.value, other.words) if unnamed and other.words else shown


def _direction(field: CompiledField) -> Direction:
    return Direction.TO_REMOTE if field.to_remote else Direction.FROM_REMOTE


def _changed(field: CompiledField, item: Paired, side: Side) -> bool:
    name, record = field.field_name(side), item.pair.local if side is Side.LOCAL else item.pair.remote
    if name is None or record is None or item.base is None:
        return False
    kept = item.base.local if side is Side.LOCAL else item.base.remote
    return name not in kept or kept[name] != record.values.get(name)


def _shown(field: CompiledField, side: Side, record: Record | None, wording: Wording) -> Shown:
    name = field.field_name(side)
    return wording.shown(field, side, record.values.get(name) if record is not None and name is not None else None)


def _base(field: CompiledField, side: Side, base: Base | None, wording: Wording) -> Shown | None:
    name = field.field_name(side)
    kept = {} if base is None else base.local if side is Side.LOCAL else base.remote
    return wording.shown(field, side, kept[name]) if name is not None and name in kept else None


def _proposal(field: CompiledField, found: FieldDecision, wording: Wording) -> Proposal:
    target = next((side for side, action in WRITES.items() if action is found.action), None)
    return Proposal(
        action=found.action,
        reason=found.hold.words if found.hold is not None and found.action is FieldAction.HOLD else found.reason,
        value=wording.shown(field, target, found.value) if target is not None else None,
        lost=wording.shown(field, target, found.lost) if target is not None and found.lost is not None else None,
    )


def _newer(local: Record | None, remote: Record | None) -> Side | None:
    if local is None or remote is None or local.modified_at is None or remote.modified_at is None:
        return None
    if local.modified_at == remote.modified_at:
        return None
    return Side.LOCAL if local.modified_at > remote.modified_at else Side.REMOTE


# --- choosing -------------------------------------------------------------------------------------------------


def choose(
    compiled: CompiledMapping,
    item: Paired,
    decisions: Mapping[Preference, Decision],
    preference: Preference,
    choices: Mapping[str, Side],
) -> Decision:
    """Return the decision that a preference amounts to where single fields take the value of the side chosen for them.

    Raises InvalidOption for a preference or a side that the mapping or field does not have, UnknownField.
    """
    if preference not in decisions:
        raise InvalidOption(
            f"{compiled.mapping.name} flows {compiled.mapping.direction.value}; {preference.value} is not one of its "
            "directions.",
            mapping=compiled.mapping.name,
        )
    chosen = decisions[preference]
    sides = _by_position(compiled, choices)
    if not sides or chosen.problem_code == "not-eligible":
        return chosen
    kept = {found.position: found for found in chosen.fields if found.position not in sides}
    for position, side in sides.items():
        other = {found.position: found for found in decisions[_OF_SIDE[side]].fields}
        if position in other:
            kept[position] = other[position]
    fields = tuple(kept[position] for position in sorted(kept))
    moved = {Side.LOCAL: item.sent or _NOTHING, Side.REMOTE: item.fetched or _NOTHING}
    return compose(compiled, item.pair, item.base, fields, moved)


def _by_position(compiled: CompiledMapping, choices: Mapping[str, Side]) -> dict[int, Side]:
    found: dict[int, Side] = {}
    for name, side in choices.items():
        fields = [field for field in compiled.fields if name in (field.name, field.label)]
        if not fields:
            known = ", ".join(field.label for field in compiled.fields)
            raise UnknownField(f"{compiled.mapping.name} has no field {name!r}; there are {known}.", field=name)
        for field in fields:
            if not field.reaches(side.other):
                raise InvalidOption(
                    f"The field {field.label} flows {_direction(field).value} only: the {side} value cannot be chosen.",
                    field=field.name,
                )
            found[field.position] = side
    return found
