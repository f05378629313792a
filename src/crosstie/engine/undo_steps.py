"""The steps of an undo: each a decision that takes back what was done to a record, with what it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from crosstie.engine.compiling import CompiledMapping
from crosstie.engine.context import Context
from crosstie.engine.merging import WRITES
from crosstie.engine.outcomes import Carried
from crosstie.engine.undo import Done
from crosstie.model.base import Base
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Decision, FieldDecision, Pair, RecordAction
from crosstie.model.leaving import Left
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar

CREATES = {Side.LOCAL: RecordAction.CREATE_LOCAL, Side.REMOTE: RecordAction.CREATE_REMOTE}
DELETES = {Side.LOCAL: RecordAction.DELETE_LOCAL, Side.REMOTE: RecordAction.DELETE_REMOTE}


@dataclass(slots=True)
class Step:
    """What takes back one or, of a coupled pair, two things done. `create_id` is the id that a record had before."""

    done: list[Done]
    decision: Decision
    base: Base | None = None
    create_id: str | None = None
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


def left(ctx: Context, done: Done, code: str, words: str, next_step: str = "") -> Left:
    """Return that what was done to a record stays, and why."""
    return Left(
        mapping=ctx.mapping_name,
        local_id=done.local_id,
        remote_id=done.remote_id,
        name=done.name,
        code=code,
        words=words,
        next_step=next_step or ("Look at the record, and change it by hand if it is meant." if code else ""),
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
