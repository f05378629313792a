"""Undo: what a job has done to a record, folded into one step, and what takes it back. Pure.

Only what is still as the job left it is taken back: a field that holds another value by now belongs to who wrote it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from crosstie.engine.converting import same, shown
from crosstie.model.jobs import JournalEntry, Outcome
from crosstie.model.records import Side
from crosstie.model.schema import TableSchema
from crosstie.model.values import Scalar, Values, normalise

_WRITTEN = (Outcome.INSERTED, Outcome.MODIFIED, Outcome.DELETED)
_TIED = (Outcome.COUPLED, Outcome.UNCOUPLED)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to one record, from first to last: `changes` have the values before all of it and after."""

    side: Side
    id: str
    outcome: Outcome
    coupling_id: int | None
    local_id: str | None
    remote_id: str | None
    name: str
    at: datetime
    changes: dict[str, tuple[Scalar, Scalar]]

    def partner_id(self) -> str | None:
        """Return the record on the other side with which it was coupled then."""
        return self.remote_id if self.side is Side.LOCAL else self.local_id


class Tied(msgspec.Struct, frozen=True, kw_only=True):
    """A pair that was coupled, or uncoupled, in the end. `coupling_id` is that of the last coupling."""

    coupling_id: int | None
    local_id: str
    remote_id: str
    name: str
    outcome: Outcome


class PutBack(msgspec.Struct, frozen=True, kw_only=True):
    """What putting the values of a record back comes to: nothing to write and no words if they are back already."""

    values: dict[str, Scalar]
    code: str = ""
    words: str = ""
    """Why it must be left."""


def can_be_undone(entry: JournalEntry) -> bool:
    """Whether an entry tells of something that can be taken back at all."""
    return entry.outcome in _WRITTEN or entry.outcome in _TIED


def fold(entries: Iterable[JournalEntry]) -> tuple[list[Done], list[Tied]]:
    """Return what the entries of one mapping, newest first, come to for each record and each pair.

    What was done and taken back among them is left out. A pair whose record was created or deleted is not told apart:
    its coupling came or went with the record.
    """
    done: dict[tuple[Side, str], Done | None] = {}
    tied: dict[tuple[str, str], list[JournalEntry]] = {}
    for entry in reversed(list(entries)):
        if entry.outcome in _WRITTEN and entry.side is not None:
            id = entry.local_id if entry.side is Side.LOCAL else entry.remote_id
            if id is not None:
                done[entry.side, id] = _folded(done.get((entry.side, id)), entry, entry.side, id)
        elif entry.outcome in _TIED and entry.local_id is not None and entry.remote_id is not None:
            tied.setdefault((entry.local_id, entry.remote_id), []).append(entry)
    ties = [
        Tied(
            coupling_id=steps[-1].coupling_id,
            local_id=local_id,
            remote_id=remote_id,
            name=steps[-1].name,
            outcome=steps[-1].outcome,
        )
        for (local_id, remote_id), steps in tied.items()
        if len(steps) % 2
    ]
    return [each for each in done.values() if each is not None], ties


def _folded(before: Done | None, entry: JournalEntry, side: Side, id: str) -> Done | None:
    changes = {change.field: (change.before, change.after) for change in entry.changes}
    outcome = entry.outcome
    if before is not None:
        if (before.outcome, outcome) == (Outcome.INSERTED, Outcome.DELETED):
            return None
        changes = _joined(before.changes, changes, gone=outcome is Outcome.DELETED)
        outcome = _joined_outcome(before.outcome, outcome)
    return Done(
        side=side,
        id=id,
        outcome=outcome,
        coupling_id=entry.coupling_id,
        local_id=entry.local_id,
        remote_id=entry.remote_id,
        name=entry.name,
        at=entry.at,
        changes=changes,
    )


def _joined_outcome(first: Outcome, then: Outcome) -> Outcome:
    if first is Outcome.INSERTED:
        return Outcome.INSERTED
    return Outcome.MODIFIED if first is Outcome.DELETED and then is not Outcome.DELETED else then


def _joined(
    first: Mapping[str, tuple[Scalar, Scalar]], then: Mapping[str, tuple[Scalar, Scalar]], *, gone: bool
) -> dict[str, tuple[Scalar, Scalar]]:
    """Return the changes of two steps as one; of a record that is `gone` in the end, what it held before both."""
    joined = dict(first)
    for name, (before, after) in then.items():
        joined[name] = first[name][0] if name in first else before, after
    return {name: (before, None) for name, (before, _) in joined.items()} if gone else joined


def put_back(schema: TableSchema, done: Done, now: Values, labels: Mapping[str, str]) -> PutBack:
    """Return what puts the fields of a record back, if all of them still hold what the job left or what was before it.

    A record of which a single field was touched is left whole, so that none gets half of its values back. `labels` are
    what people call fields, by name, where that is known.
    """
    values: dict[str, Scalar] = {}
    touched: list[str] = []
    for name, (before, after) in done.changes.items():
        field = schema.fields.get(name)
        if field is None:
            return PutBack(values={}, code="cannot-undo", words=f"{schema.name} no longer has the field {name}.")
        was, became = normalise(before, field), normalise(after, field)
        if same(now.get(name), was, field):
            continue
        if not same(now.get(name), became, field):
            touched.append(f"{labels.get(name) or field.label or name} is {shown(now.get(name))} by now")
        elif not field.updatable:
            label = labels.get(name) or field.label or name
            return PutBack(values={}, code="cannot-undo", words=f"{label} cannot be written any more.")
        else:
            values[name] = was
    if touched:
        return PutBack(values={}, code="changed-since", words=f"It was changed since: {', '.join(touched)}.")
    return PutBack(values=values)


def untouched(schema: TableSchema, done: Done, now: Values, labels: Mapping[str, str]) -> str:
    """Return what was changed since of a record that the job created; empty if all that it wrote is still there."""
    touched = []
    for name, (_, after) in done.changes.items():
        field = schema.fields.get(name)
        if field is not None and not same(now.get(name), normalise(after, field), field):
            touched.append(f"{labels.get(name) or field.label or name} is {shown(now.get(name))} by now")
    return f"It was changed since it was created: {', '.join(touched)}." if touched else ""


def made_anew(schema: TableSchema, done: Done) -> dict[str, Scalar]:
    """Return the values with which a record that the job deleted is created again, as far as they can be written."""
    values = {}
    for name, (before, _) in done.changes.items():
        field = schema.fields.get(name)
        if field is not None and field.creatable and name != schema.key and before is not None:
            values[name] = normalise(before, field)
    return values


def names_of(entries: Sequence[JournalEntry]) -> list[str]:
    """Return the mappings of entries, each once, in the order in which they come."""
    return list(dict.fromkeys(entry.mapping for entry in entries))
