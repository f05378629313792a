"""Outcomes: a decision together with what became of its writes, and the problem that follows from it."""

from dataclasses import dataclass, field

import msgspec

from crosstie.engine.applying import UNANSWERED
from crosstie.engine.context import Context
from crosstie.model.base import Base
from crosstie.model.causes import CAUSES
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Decision, FieldAction, Preference, RecordAction
from crosstie.model.jobs import FieldChange
from crosstie.model.mappings import Direction
from crosstie.model.problems import NewProblem
from crosstie.model.records import Record, Side, WriteResult, WriteStatus

_CREATES = (RecordAction.CREATE_LOCAL, RecordAction.CREATE_REMOTE)
_DELETES = (RecordAction.DELETE_LOCAL, RecordAction.DELETE_REMOTE)
_WANTED = {Preference.SEND: Side.REMOTE, Preference.GET: Side.LOCAL}
_UNKNOWN_CODE = {"Internal_InvalidTableRelation"}


@dataclass(slots=True)
class Carried:
    """A decision that was carried out: the results of its writes by side (none where nothing was to be written).

    `changes` are what an update or a deletion does, by side, as its intent says it.
    """

    decision: Decision
    base: Base | None
    results: dict[Side, WriteResult] = field(default_factory=dict)
    intents: list[str] = field(default_factory=list)
    changes: dict[Side, tuple[FieldChange, ...]] = field(default_factory=dict)

    @property
    def local(self) -> Record | None:
        """The local record as it is now."""
        return self._now(Side.LOCAL, self.decision.pair.local)

    @property
    def remote(self) -> Record | None:
        return self._now(Side.REMOTE, self.decision.pair.remote)

    def _now(self, side: Side, before: Record | None) -> Record | None:
        result = self.results.get(side)
        if result is None or result.status is not WriteStatus.WRITTEN:
            return before
        return result.record if result.record is not None else (None if self.decision.action in _DELETES else before)

    @property
    def created(self) -> bool:
        """Whether a partner was created, so that there is a pair to couple."""
        return self.decision.action in _CREATES and self._all_written()

    @property
    def uncoupled(self) -> bool:
        """Whether the coupling has to go: by policy, or because its last record was deleted."""
        if self.decision.action is RecordAction.UNCOUPLE:
            return True
        return self.decision.action in _DELETES and self._all_written()

    def _all_written(self) -> bool:
        return bool(self.results) and all(r.status is WriteStatus.WRITTEN for r in self.results.values())

    @property
    def failed_side(self) -> Side | None:
        """The side whose write failed."""
        return next((side for side, r in self.results.items() if r.status is not WriteStatus.WRITTEN), None)

    @property
    def open_ended(self) -> bool:
        """Whether a write may still turn out to have happened; its intent stays open for the next job's recovery."""
        return any(result.status is WriteStatus.UNKNOWN for result in self.results.values())

    def needs_another_look(self) -> bool:
        """Whether the world has moved since the decision, so that the record must be read and decided again."""
        return any(result.status in (WriteStatus.STALE, WriteStatus.MISSING) for result in self.results.values())

    def record_id(self, side: Side) -> str | None:
        """Return the id of the record on a side, also that of a coupled record that is gone."""
        now = self.local if side is Side.LOCAL else self.remote
        if now is not None:
            return now.id
        coupling = self.decision.pair.coupling
        return coupling.record_id(side) if coupling else None

    @property
    def waits_quietly(self) -> bool:
        """Whether all but a lookup was dealt with, which is blank until the record that it refers to is coupled."""
        return self.decision.problem_code is None and bool(self.decision.waits_for) and self.failed_side is None

    def applied(self) -> Decision:
        """Return the decision as far as it was carried out: fields of a failed write are held, their base stays."""
        failed = {side for side, result in self.results.items() if result.status is not WriteStatus.WRITTEN}
        if not failed:
            return self.decision
        held = {FieldAction.TO_LOCAL if side is Side.LOCAL else FieldAction.TO_REMOTE for side in failed}
        fields = tuple(
            msgspec.structs.replace(f, action=FieldAction.HOLD) if f.action in held else f for f in self.decision.fields
        )
        return msgspec.structs.replace(self.decision, fields=fields)


def target_of(ctx: Context, source: Side) -> Side:
    """Return the side to which values of a record of `source` flow: as asked for, where the mapping goes there."""
    wanted = _WANTED.get(ctx.task.preference, source.other)
    return wanted if ctx.compiled.mapping.reaches(wanted) else wanted.other


def new_problem(ctx: Context, item: Carried, source: Side, coupling: Coupling | None) -> NewProblem | None:
    """Return the problem that keeps the record from being in step, None if nothing does."""
    decision = item.decision
    code, words = _from_results(ctx, item)
    if code is None:
        code, words = decision.problem_code, decision.problem_words
    if code is None and item.waits_quietly:
        code, words = "waiting-for-partner", _waiting_words(decision)
    if code is None or item.uncoupled:
        return None
    cause = CAUSES[code]
    pair = decision.pair
    target = item.failed_side or _held_from(ctx, decision) or target_of(ctx, source)
    return NewProblem(
        mapping=ctx.mapping_name,
        local_id=item.record_id(Side.LOCAL),
        remote_id=item.record_id(Side.REMOTE),
        coupling_id=coupling.id if coupling else None,
        name=called(ctx, pair.local, pair.remote, coupling),
        problem_class=cause.problem_class,
        code=code,
        words=words or cause.title,
        next_step=cause.next_step,
        direction=Direction.TO_REMOTE if target is Side.REMOTE else Direction.FROM_REMOTE,
        fields=decision.problem_fields,
        waits_for=decision.waits_for,
        local_version=pair.local.version if pair.local else None,
        remote_version=pair.remote.version if pair.remote else None,
        job_id=ctx.job_id or None,
    )


def _waiting_words(decision: Decision) -> str:
    words = [f.hold.words for f in decision.fields if f.hold is not None and f.hold.waits_for is not None]
    return " ".join([*words, "It is left blank until then."]) if words else ""


def _held_from(ctx: Context, decision: Decision) -> Side | None:
    """Return the side to which the first held value was on its way, None if none is held."""
    for found in decision.fields:
        if found.action is not FieldAction.HOLD:
            continue
        field = ctx.compiled.fields[found.position]
        if not field.both_ways:
            return Side.REMOTE if field.to_remote else Side.LOCAL
        if decision.pair.local is None:
            return Side.LOCAL
        sent = decision.pair.remote is None or found.local != found.base_local
        return Side.REMOTE if sent else Side.LOCAL
    return None


def called(ctx: Context, local: Record | None, remote: Record | None, coupling: Coupling | None) -> str:
    """Return how people call a record: a coupled one by its local side, also where that is gone or was not read."""
    mapping = ctx.compiled.mapping
    if coupling is None or not coupling.local_key or (local is not None and mapping.local_key_field in local.values):
        return name_of(ctx, local, remote, coupling)
    name = coupling.local_name if local is None else local.values.get(mapping.local_name_field)
    return " ".join(str(part) for part in (coupling.local_key, name) if part is not None)


def name_of(ctx: Context, local: Record | None, remote: Record | None, coupling: Coupling | None) -> str:
    """Return how people call the record: number and name of the local side where it is known."""
    mapping = ctx.compiled.mapping
    for side, record in ((Side.LOCAL, local), (Side.REMOTE, remote)):
        if record is None:
            continue
        key = mapping.key_field(side)
        parts = (record.values.get(key) if key else None, record.values.get(mapping.name_field(side)))
        if words := " ".join(str(part) for part in parts if part is not None):
            return words
    if coupling is not None:
        return coupling.name()
    known = local or remote
    return known.id if known else ""


def _from_results(ctx: Context, item: Carried) -> tuple[str | None, str]:
    side = item.failed_side
    if side is None:
        return None, ""
    result = item.results[side]
    system = ctx.systems[side].name
    said = f"{system} says: {result.message}" if result.message else ""
    match result.status:
        case WriteStatus.STALE | WriteStatus.MISSING if result.code != UNANSWERED:
            return "keeps-changing", said
        case WriteStatus.STALE | WriteStatus.MISSING | WriteStatus.THROTTLED | WriteStatus.UNKNOWN:
            return "busy", said
        case WriteStatus.DENIED:
            return "write-denied", said
        case WriteStatus.EXISTS:
            return "not-unique", said
        case _ if result.code in _UNKNOWN_CODE:
            return "unknown-code", said
        case _:
            return "refused", said
