"""The steps of an undo: each a decision that takes back what was done to a record, with what it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from crosstie.engine.compiling import CompiledMapping
from crosstie.engine.context import Context
from crosstie.engine.merging import WRITES
from crosstie.engine.outcomes import Carried
from crosstie.engine.undo import Done, Tied
from crosstie.engine.undo_looking import labels_of
from crosstie.model.base import Base
from crosstie.model.couplings import Coupling, RemovedCoupling
from crosstie.model.decisions import Decision, FieldDecision, Pair, RecordAction
from crosstie.model.problems import NewProblem
from crosstie.model.records import Record, Side
from crosstie.model.undoing import UndoneField, UndoneRow, UndoOutcome
from crosstie.model.values import Scalar

CREATES = {Side.LOCAL: RecordAction.CREATE_LOCAL, Side.REMOTE: RecordAction.CREATE_REMOTE}
DELETES = {Side.LOCAL: RecordAction.DELETE_LOCAL, Side.REMOTE: RecordAction.DELETE_REMOTE}
_OUTCOMES = {
    RecordAction.UPDATE: UndoOutcome.PUT_BACK,
    **dict.fromkeys(CREATES.values(), UndoOutcome.CREATED),
    **dict.fromkeys(DELETES.values(), UndoOutcome.DELETED),
}


@dataclass(slots=True)
class Step:
    """What takes back one or, of a coupled pair, two things done.

    `create_id` is the id that a record had before, `before` what its coupling rested on.
    """

    done: list[Done]
    decision: Decision
    base: Base | None = None
    create_id: str | None = None
    before: RemovedCoupling | None = None
    carried: Carried = field(init=False)

    def __post_init__(self) -> None:
        self.carried = Carried(self.decision, self.base)

    @property
    def coupling(self) -> Coupling | None:
        return self.decision.pair.coupling

    def repaired(self, coupling: Coupling) -> None:
        """Go on with the coupling as it is stored now."""
        pair = msgspec.structs.replace(self.decision.pair, coupling=coupling)
        self.decision = msgspec.structs.replace(self.decision, pair=pair)
        self.carried = Carried(self.decision, self.base)

    def writes(self, side: Side) -> Mapping[str, Scalar]:
        """Return the values that the step writes to a record of `side`."""
        return self.decision.to_local if side is Side.LOCAL else self.decision.to_remote


def row(ctx: Context, of: Done | Tied, outcome: UndoOutcome, why: tuple[str, str, str] = ("", "", "")) -> UndoneRow:
    """Return what became of something done; `why` it stays is a code, words and the next step."""
    code, words, next_step = why
    return UndoneRow(
        mapping=ctx.mapping_name,
        local_id=of.local_id,
        remote_id=of.remote_id,
        name=of.name,
        outcome=outcome,
        code=code,
        words=words,
        next_step=next_step,
    )


def left(ctx: Context, done: Done, code: str, words: str) -> UndoneRow:
    """Return that what was done to a record stays, and why."""
    next_step = "Look at the record, and change it by hand if it is meant."
    return row(ctx, done, UndoOutcome.LEFT, (code, words, next_step))


def left_tied(ctx: Context, tie: Tied, code: str, words: str, next_step: str = "") -> UndoneRow:
    """Return that a pair stays coupled, or uncoupled, and why."""
    next_step = next_step or "Look at both records, and couple or uncouple them by hand."
    return row(ctx, tie, UndoOutcome.LEFT, (code, words, next_step))


def row_of(ctx: Context, step: Step, failure: NewProblem | None = None) -> UndoneRow:
    """Return what a step came to, or, before it was carried out, comes to."""
    why = (failure.code, failure.words, failure.next_step) if failure is not None else ("", "", "")
    outcome = UndoOutcome.FAILED if failure is not None else _OUTCOMES[step.decision.action]
    found = row(ctx, step.done[0], outcome, why)
    written = [side for side in Side if side is not step.carried.failed_side]
    return msgspec.structs.replace(found, fields=tuple(f for side in written for f in _put_back(ctx, step, side)))


def _put_back(ctx: Context, step: Step, side: Side) -> Iterable[UndoneField]:
    pair = step.decision.pair
    record = pair.local if side is Side.LOCAL else pair.remote
    labels, schema = labels_of(ctx, side), ctx.compiled.schema(side)
    for name, value in step.writes(side).items():
        yield UndoneField(
            side=side,
            field=name,
            label=labels.get(name) or schema.fields[name].label or name,
            before=_value(record, name),
            after=value,
        )


def putting_back(
    compiled: CompiledMapping, pair: Pair, writes: Mapping[Side, Mapping[str, Scalar]], why: str
) -> Decision:
    """Return the decision to write these values to the records of a pair."""
    fields = [found for side, values in writes.items() for found in _fields(compiled, pair, side, values, why)]
    return Decision(
        pair=pair,
        action=RecordAction.UPDATE,
        reason=why,
        fields=tuple(fields),
        to_local=dict(writes.get(Side.LOCAL, {})),
        to_remote=dict(writes.get(Side.REMOTE, {})),
    )


def making_anew(compiled: CompiledMapping, pair: Pair, side: Side, values: Mapping[str, Scalar], why: str) -> Decision:
    """Return the decision to create a record again that was deleted."""
    return Decision(
        pair=pair,
        action=CREATES[side],
        reason=why,
        fields=tuple(_fields(compiled, pair, side, values, why)),
        to_local=dict(values) if side is Side.LOCAL else {},
        to_remote=dict(values) if side is Side.REMOTE else {},
    )


def _fields(
    compiled: CompiledMapping, pair: Pair, side: Side, values: Mapping[str, Scalar], why: str
) -> Iterable[FieldDecision]:
    """Yield the decisions by field, of those that the mapping still knows."""
    told: set[str] = set()
    for row in compiled.fields:
        name = row.field_name(side)
        if name is None or name not in values or name in told:
            continue
        told.add(name)
        yield FieldDecision(
            position=row.position,
            name=row.name,
            label=row.label,
            action=WRITES[side],
            reason=why,
            local=_value(pair.local, row.local_field),
            remote=_value(pair.remote, row.remote_field),
            value=values[name],
        )


def _value(record: Record | None, name: str | None) -> Scalar:
    return record.values.get(name) if record is not None and name is not None else None
