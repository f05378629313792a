"""Plans in words of people: what a dry run decides for each record, as pages, API and a plan that is kept show it."""

from collections.abc import Iterator

import msgspec

from crosstie.model.decisions import Decision, FieldAction, FieldDecision
from crosstie.model.mappings import Mapping
from crosstie.model.planned import FieldValue, PlannedField, PlannedRecord
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar

_WRITES = {FieldAction.TO_REMOTE: Side.REMOTE, FieldAction.TO_LOCAL: Side.LOCAL}


def planned(mapping: Mapping, decision: Decision) -> PlannedRecord:
    """Return a decision as people are shown it."""
    pair, coupling = decision.pair, decision.pair.coupling
    return PlannedRecord(
        mapping=mapping.name,
        name=record_name(mapping, decision),
        local_id=pair.local.id if pair.local else coupling.local_id if coupling else None,
        remote_id=pair.remote.id if pair.remote else coupling.remote_id if coupling else None,
        action=decision.action.value,
        reason=decision.reason,
        fields=[*_fields(decision), *_bare_writes(decision)],
        problem_code=decision.problem_code,
        problem_words=decision.problem_words,
    )


def shown(value: Scalar) -> FieldValue:
    """Return a value as JSON carries it without loss."""
    if value is None or isinstance(value, str | bool | int):
        return value
    return str(msgspec.to_builtins(value))


def record_name(mapping: Mapping, decision: Decision) -> str:
    """Return how people call the record: number and name of the local side where there is one."""
    pair = decision.pair
    if pair.local is not None and (words := _called(mapping, Side.LOCAL, pair.local)):
        return words
    if pair.coupling is not None:
        return pair.coupling.name()
    if pair.remote is not None:
        return _called(mapping, Side.REMOTE, pair.remote) or pair.remote.id
    return pair.local.id if pair.local is not None else ""


def _called(mapping: Mapping, side: Side, record: Record) -> str:
    key = mapping.key_field(side)
    parts = (record.values.get(key) if key else None, record.values.get(mapping.name_field(side)))
    return " ".join(str(part) for part in parts if part is not None)


def _fields(decision: Decision) -> Iterator[PlannedField]:
    for field in decision.fields:
        label = field.label or field.name
        if (side := _WRITES.get(field.action)) is not None:
            before = field.remote if side is Side.REMOTE else field.local
            yield _write(side, field.name, label, before, field.value, field.reason, field.lost)
        elif field.action is FieldAction.CONFLICT:
            yield _conflict(field, label)
        elif field.action is FieldAction.HOLD:
            yield PlannedField(
                field=field.name,
                label=label,
                action="hold",
                local=shown(field.local),
                remote=shown(field.remote),
                reason=field.hold.words if field.hold else field.reason,
            )


def _conflict(field: FieldDecision, label: str) -> PlannedField:
    return PlannedField(
        field=field.name,
        label=label,
        action="conflict",
        base_local=shown(field.base_local),
        base_remote=shown(field.base_remote),
        local=shown(field.local),
        remote=shown(field.remote),
        reason=field.reason,
    )


def _write(
    side: Side, name: str, label: str, before: Scalar, after: Scalar, reason: str = "", lost: Scalar = None
) -> PlannedField:
    return PlannedField(
        field=name,
        label=label,
        action="write",
        side=side.value,
        before=shown(before),
        after=shown(after),
        lost=shown(lost),
        reason=reason,
    )


def _bare_writes(decision: Decision) -> Iterator[PlannedField]:
    """Yield the writes to a side that no field's decision speaks of: those of a record that is made anew."""
    decided = {_WRITES.get(field.action) for field in decision.fields}
    pair = decision.pair
    for side, record, values in (
        (Side.REMOTE, pair.remote, decision.to_remote),
        (Side.LOCAL, pair.local, decision.to_local),
    ):
        if side not in decided:
            for name, after in values.items():
                yield _write(side, name, name, record.values.get(name) if record is not None else None, after)
