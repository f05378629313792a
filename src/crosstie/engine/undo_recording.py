"""Recording an undo: bases before the writes, then, in one transaction, what became of them.

The base moves before a value is put back. So a process that dies in between leaves either a record that holds its base,
where nothing is to be done, or one that differs from it on one side only and is found equal to the other: neither
carries what was undone over to the other side. Where neither happens, the base is put back.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from crosstie.engine.basing import holds_base, in_agreement
from crosstie.engine.context import MOST_FAILURES, Context, Failure
from crosstie.engine.coupling import Ids, make_due, new_coupling
from crosstie.engine.journalling import journal_entries
from crosstie.engine.outcomes import new_problem
from crosstie.engine.pairing import Paired, pair_named
from crosstie.engine.recording import wake_waiters
from crosstie.engine.uncoupling import forget
from crosstie.engine.undo_notes import not_again, renew
from crosstie.engine.undo_steps import CREATES, DELETES, Step, row_of
from crosstie.model.base import Base, encode_base
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.decisions import RecordAction
from crosstie.model.jobs import DueReason, JournalEntry, Outcome
from crosstie.model.problems import NewProblem
from crosstie.model.records import Record, Side, WriteStatus
from crosstie.model.undoing import UndoneRow
from crosstie.model.values import Scalar
from crosstie.store.base import Unit


def move_bases(ctx: Context, steps: Sequence[Step]) -> list[Step]:
    """Store the bases that will hold once the values are back; return the steps whose coupling nobody else changed."""
    moved = [step for step in steps if step.coupling is not None and step.base is not None and _updates(step)]
    if not moved:
        return list(steps)
    planned: dict[int, Coupling] = {}
    for step in moved:
        assert step.coupling is not None, "chosen for that"
        assert step.base is not None, "chosen for that"
        after = _with(step.base, {side: step.writes(side) for side in Side})
        planned[step.coupling.id] = _unvouched(step, encode_base(after))
    with ctx.store.begin() as unit:
        lost = unit.couplings.update(list(planned.values()))
    for step in moved:
        assert step.coupling is not None, "chosen for that"
        if step.coupling.id not in lost:
            stored = planned[step.coupling.id]
            step.repaired(msgspec.structs.replace(stored, revision=stored.revision + 1))
    return [step for step in steps if step.coupling is None or step.coupling.id not in lost]


def record_undone(ctx: Context, steps: Sequence[Step], why: str, *, final: bool) -> tuple[list[Step], list[UndoneRow]]:
    """Store what became of the steps; return those whose records have moved meanwhile, and what the others came to.

    With `final` none is looked at again: what has moved has failed.
    """
    again = [] if final else [step for step in steps if step.carried.needs_another_look()]
    moved = {id(step) for step in again}
    with ctx.store.begin() as unit:
        for step in steps:
            _couplings(ctx, unit, step, why)
        done = [(step, _failure(ctx, step)) for step in steps if id(step) not in moved]
        entries = [entry for step in steps for entry in journal_entries(ctx, step.carried, None)]
        unit.add_journal(entries + [_failed(ctx, step, found) for step, found in done if found])
        unit.close_intents([id for step in steps if not step.carried.open_ended for id in step.carried.intents])
        _count(ctx, steps, [found for _, found in done if found])
        if ctx.job_id:
            unit.update_job(ctx.job_id, to_remote=ctx.report.to_remote, from_remote=ctx.report.from_remote)
    return again, [row_of(ctx, step, found) for step, found in done]


def _updates(step: Step) -> bool:
    return step.decision.action is RecordAction.UPDATE


def _written(step: Step) -> list[Side]:
    return [side for side, result in step.carried.results.items() if result.status is WriteStatus.WRITTEN]


# --- couplings ------------------------------------------------------------------------------------------------


def _couplings(ctx: Context, unit: Unit, step: Step, why: str) -> None:
    written = _written(step)
    if _updates(step):
        _rebase(ctx, unit, step, written)
        for side in written:
            record = step.carried.local if side is Side.LOCAL else step.carried.remote
            if record is not None:
                renew(ctx, unit, side, record)
    elif written and step.decision.action in DELETES.values():
        _forget_pair(ctx, unit, step, written[0], why)
    elif written and step.decision.action in CREATES.values():
        _couple(ctx, unit, step)


def _rebase(ctx: Context, unit: Unit, step: Step, written: Sequence[Side]) -> None:
    """Let the base hold what is stored where it was written, and what it held before where it was not."""
    coupling, base = step.coupling, step.base
    if coupling is None or base is None:
        return
    stored: dict[Side, Mapping[str, Scalar]] = {}
    for side in written:
        now = step.carried.local if side is Side.LOCAL else step.carried.remote
        values = now.values if now is not None else {}
        stored[side] = {name: values.get(name, value) for name, value in step.writes(side).items()}
    after = _with(base, stored)
    versions = {side: _version(ctx, step, side, after, side in written) for side in Side}
    # One that somebody else has changed since was looked at by them, under the base that was stored before.
    unit.couplings.update(
        [
            msgspec.structs.replace(
                coupling,
                base=encode_base(after),
                local_version=versions[Side.LOCAL],
                remote_version=versions[Side.REMOTE],
            )
        ]
    )


def _version(ctx: Context, step: Step, side: Side, base: Base, written: bool) -> str | None:
    """Return the version that the base vouches for: of a record written now if it holds the base in every field."""
    record: Record | None = step.carried.local if side is Side.LOCAL else step.carried.remote
    if not written or record is None:
        return step.coupling.version(side) if step.coupling is not None else None
    return record.version if holds_base(ctx.compiled, side, record.values, base) else None


def _unvouched(step: Step, base: bytes) -> Coupling:
    """Return the coupling with another base, which vouches for no record that is about to be written."""
    assert step.coupling is not None, "only coupled records have a base"
    local = None if step.writes(Side.LOCAL) else step.coupling.local_version
    remote = None if step.writes(Side.REMOTE) else step.coupling.remote_version
    return msgspec.structs.replace(step.coupling, base=base, local_version=local, remote_version=remote)


def _with(base: Base, values: Mapping[Side, Mapping[str, Scalar]]) -> Base:
    """Return a base in which the fields that it has hold these values."""
    here, there = ({n: v for n, v in values.get(side, {}).items() if n in _of(base, side)} for side in Side)
    return Base({**base.local, **here}, {**base.remote, **there}, base.chosen)


def _of(base: Base, side: Side) -> Mapping[str, Scalar]:
    return base.local if side is Side.LOCAL else base.remote


def _forget_pair(ctx: Context, unit: Unit, step: Step, side: Side, why: str) -> None:
    """Uncouple a record that was deleted again, and see to it that its partner does not get another one by itself."""
    pair = step.decision.pair
    if pair.coupling is not None:
        held = list(unit.couplings.by_record(ctx.mapping_name, side, [pair.coupling.record_id(side)]).values())
        unit.couplings.delete(held)
        unit.couplings.keep_removed(held, ctx.now())
        forget(ctx, unit, [pair.coupling])
    partner = pair.remote if side is Side.LOCAL else pair.local
    if partner is not None:
        not_again(ctx, unit, side.other, partner, why)


def _couple(ctx: Context, unit: Unit, step: Step) -> None:
    """Couple a record that was created again with the partner that it had."""
    local, remote = step.carried.local, step.carried.remote
    if local is None or remote is None or _is_taken(ctx, unit, local, remote):
        return
    made = unit.couplings.insert([new_coupling(ctx, local, remote, None, step.before)], ctx.now())
    forget(ctx, unit, made)
    if step.before is not None:
        make_due(ctx, unit, made, DueReason.COUPLED_MERGE)
    wake_waiters(ctx, unit, made)


def _is_taken(ctx: Context, unit: Unit, local: Record, remote: Record) -> bool:
    """Whether somebody has coupled one of the two meanwhile."""
    look_up = unit.couplings.by_record
    return bool(
        look_up(ctx.mapping_name, Side.LOCAL, [local.id]) or look_up(ctx.mapping_name, Side.REMOTE, [remote.id])
    )


async def settle_coupled(ctx: Context, pairs: Sequence[Ids]) -> None:
    """Say of pairs that were coupled again on their old base whether they agree with it; only others stay due.

    To be called once everything else of them is put back: until then what marks them as ours is missing.
    """
    if ctx.task.dry_run or not pairs:
        return
    with_values = await pair_named(ctx, Side.LOCAL, [local_id for local_id, _ in pairs])
    agreed = [item for item in with_values if _agrees(ctx, item)]
    with ctx.store.begin() as unit:
        lost = unit.couplings.update([_in_step(item) for item in agreed])
        kept = [item.pair.coupling for item in agreed if item.pair.coupling and item.pair.coupling.id not in lost]
        unit.remove_due(ctx.mapping_name, Side.LOCAL, [coupling.local_id for coupling in kept])


def _agrees(ctx: Context, item: Paired) -> bool:
    local, remote, base = item.pair.local, item.pair.remote, item.base
    if local is None or remote is None or base is None or item.pair.coupling is None:
        return False
    return in_agreement(ctx.compiled, base, local, remote)


def _in_step(item: Paired) -> Coupling:
    assert item.pair.coupling is not None, "only coupled records agree"
    return msgspec.structs.replace(
        item.pair.coupling,
        local_version=item.version(Side.LOCAL),
        remote_version=item.version(Side.REMOTE),
        state=CouplingState.IN_STEP,
    )


# --- history and figures --------------------------------------------------------------------------------------


def _failure(ctx: Context, step: Step) -> NewProblem | None:
    return new_problem(ctx, step.carried, step.done[0].side.other, step.coupling) if step.carried.failed_side else None


def _failed(ctx: Context, step: Step, found: NewProblem) -> JournalEntry:
    return JournalEntry(
        job_id=ctx.job_id,
        mapping=ctx.mapping_name,
        coupling_id=found.coupling_id,
        local_id=found.local_id,
        remote_id=found.remote_id,
        name=found.name,
        side=step.carried.failed_side,
        outcome=Outcome.FAILED,
        code=found.code,
        words=found.words,
        at=ctx.now(),
    )


def _count(ctx: Context, steps: Sequence[Step], failures: Iterable[NewProblem]) -> None:
    for step in steps:
        for side in _written(step):
            counters = ctx.counters(side)
            if _updates(step):
                counters.modified += 1
            elif step.decision.action in DELETES.values():
                counters.deleted += 1
            else:
                counters.inserted += 1
    for found in failures:
        side = Side.LOCAL if found.direction == "from_remote" else Side.REMOTE
        ctx.counters(side).failed += 1
        if len(ctx.report.failures) < MOST_FAILURES:
            ctx.report.failures.append(
                Failure(
                    local_id=found.local_id,
                    remote_id=found.remote_id,
                    name=found.name,
                    code=found.code,
                    words=found.words,
                    next_step=found.next_step,
                )
            )


def count_planned(ctx: Context, steps: Iterable[Step]) -> None:
    """Count what a dry run would do, as if every write were accepted."""
    for step in steps:
        if _updates(step):
            for side in Side:
                ctx.counters(side).modified += bool(step.writes(side))
        elif step.decision.action in DELETES.values():
            ctx.counters(step.done[0].side).deleted += 1
        else:
            ctx.counters(step.done[0].side).inserted += 1
