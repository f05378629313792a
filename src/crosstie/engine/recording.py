"""Recording: stores what a page of records came to, in one transaction.

Couplings with their new base and versions, journal, problems opened and closed, due records, counters, and the
intents that are now settled: all of it or nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from crosstie.engine.basing import holds_base, next_base
from crosstie.engine.context import Context
from crosstie.engine.counting import SKIP_AFTER, came_to
from crosstie.engine.journalling import journal_entries
from crosstie.engine.merging import HELD_BACK
from crosstie.engine.outcomes import Carried, new_problem
from crosstie.engine.tallying import Tallied, failed_before, tally
from crosstie.model.base import Base, encode_base
from crosstie.model.couplings import Coupling, CouplingState, NewCoupling
from crosstie.model.decisions import RecordAction
from crosstie.model.jobs import Due, DueReason
from crosstie.model.problems import NewProblem, Problem, ProblemClass
from crosstie.model.records import Record, Side, WriteStatus
from crosstie.store.base import Unit

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)


def record(ctx: Context, carried: Sequence[Carried], again: Sequence[Carried], source: Side) -> None:
    """Store the outcome of a page that came from the feed of `source`.

    Of those that are looked at `again`, only what was written is journalled; their intents are settled all the same.
    """
    moved = {id(item) for item in again}
    done = [item for item in carried if id(item) not in moved]
    with ctx.store.begin() as unit:
        coupled = _insert_couplings(ctx, unit, done)
        found = {id(item): problem for item in done if (problem := _problem(ctx, item, source, coupled))}
        stored = unit.put_problems(list(found.values()), ctx.now()) if found else []
        problems = dict(zip(found, stored, strict=True))
        _strike_due(ctx, unit, done)
        _update_couplings(ctx, unit, done, problems, coupled)
        _close_problems(ctx, unit, done, problems)
        _note_retries(ctx, unit, done, problems)
        wake_waiters(ctx, unit, coupled.values())
        _wake_outrun(ctx, unit, stored)
        came_to_be = {id(item): _came_to(ctx, item, source, problems, coupled) for item in carried}
        told = failed_before(ctx, unit, [each for item in carried for each in came_to_be[id(item)]])
        unit.add_journal(
            [
                entry
                for item in carried
                for entry in journal_entries(
                    ctx, item, None if told.intersection(came_to_be[id(item)]) else problems.get(id(item))
                )
            ]
        )
        unit.close_intents([intent for item in carried if not item.open_ended for intent in item.intents])
        tally(ctx, unit, [each for item in carried for each in came_to_be[id(item)]])
        if ctx.job_id:
            unit.update_job(ctx.job_id, to_remote=ctx.report.to_remote, from_remote=ctx.report.from_remote)


def _came_to(
    ctx: Context, item: Carried, source: Side, problems: Mapping[int, Problem], coupled: Mapping[int, Coupling]
) -> list[Tallied]:
    coupling = coupled.get(id(item)) or item.decision.pair.coupling
    return came_to(ctx, item, source, problems.get(id(item)), coupling)


def _insert_couplings(ctx: Context, unit: Unit, carried: Sequence[Carried]) -> dict[int, Coupling]:
    """Couple what was created; a restored record's coupling, whose partner was gone, makes way for the new one."""
    items = [item for item in carried if item.created]
    old = [coupling for item in items if (coupling := item.decision.pair.coupling) is not None]
    if old:
        unit.couplings.delete(old)
    new = [_new_coupling(ctx, item) for item in items]
    return {id(item): coupling for item, coupling in zip(items, unit.couplings.insert(new, ctx.now()), strict=True)}


def _new_coupling(ctx: Context, item: Carried) -> NewCoupling:
    local, remote = item.local, item.remote
    assert local is not None, "a created pair has both records"
    assert remote is not None, "a created pair has both records"
    base = next_base(ctx.compiled, None, item.applied(), local, remote)
    held = item.decision.problem_code is not None
    return NewCoupling(
        mapping=ctx.mapping_name,
        local_id=local.id,
        remote_id=remote.id,
        local_version=_vouched(ctx, Side.LOCAL, local, base, held=held),
        remote_version=_vouched(ctx, Side.REMOTE, remote, base, held=held),
        base=encode_base(base),
        state=CouplingState.WAITING if held else _rests_as(ctx, item),
        last_synchronised=ctx.now(),
        **names(ctx, local, remote),
    )


def _vouched(ctx: Context, side: Side, record: Record, base: Base, *, held: bool) -> str | None:
    """Return the version for which the base vouches; None if the system changed mapped fields by itself meanwhile."""
    return record.version if held or holds_base(ctx.compiled, side, record.values, base) else None


def names(ctx: Context, local: Record | None, remote: Record | None) -> dict[str, Any]:
    """Return keys and names of the records that are known, as arguments for a coupling."""
    mapping = ctx.compiled.mapping
    named: dict[str, Any] = {}
    for side, found in ((Side.LOCAL, local), (Side.REMOTE, remote)):
        if found is None:
            continue
        key, name = mapping.key_field(side), mapping.name_field(side)
        if key is not None and key in found.values:
            named[f"{side}_key"] = _text(found.values[key])
        if name in found.values:
            named[f"{side}_name"] = _text(found.values[name])
    return named


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _problem(ctx: Context, item: Carried, source: Side, coupled: Mapping[int, Coupling]) -> NewProblem | None:
    coupling = coupled.get(id(item)) or item.decision.pair.coupling
    return new_problem(ctx, item, source, coupling)


def _update_couplings(
    ctx: Context,
    unit: Unit,
    carried: Sequence[Carried],
    problems: Mapping[int, Problem],
    coupled: Mapping[int, Coupling],
) -> None:
    gone = [c for item in carried if item.uncoupled and (c := item.decision.pair.coupling)]
    if gone:
        unit.couplings.delete(gone)
    changed: dict[int, Coupling] = {}
    follow: list[Coupling] = []
    held_back: list[Coupling] = []
    for item in carried:
        coupling = item.decision.pair.coupling
        if coupling is None or item.created or item.uncoupled or id(item) in coupled:
            continue
        if item.decision.action is RecordAction.IGNORE:
            if item.decision.reason == HELD_BACK:
                held_back.append(coupling)
            continue
        after = _after(ctx, item, coupling, problems.get(id(item)))
        if after != coupling:
            changed[coupling.id] = after
        if HELD_BACK in (item.decision.reason, *(found.reason for found in item.decision.fields)):
            # What this job is not to carry over is not for what follows in it either.
            held_back.append(after)
        elif _unvouched(ctx, after) and item.results:
            follow.append(after)
    lost = unit.couplings.update(list(changed.values()))
    _note_due(ctx, unit, held_back, DueReason.HELD_BACK)
    _note_due(ctx, unit, [changed[id] for id in lost], DueReason.INTERRUPTED)
    _note_due(ctx, unit, [*follow, *(c for c in coupled.values() if _unvouched(ctx, c))], DueReason.FOLLOW_UP)


def _unvouched(ctx: Context, coupling: Coupling) -> bool:
    """Whether a side has moved on from the base although nobody but its system touched it."""
    return any(
        coupling.version(side) is None and ctx.compiled.schema(side).conditional_writes
        for side in (Side.LOCAL, Side.REMOTE)
    )


def _note_due(ctx: Context, unit: Unit, couplings: Sequence[Coupling], reason: DueReason) -> None:
    _note(ctx, unit, [(Side.LOCAL, coupling.local_id) for coupling in couplings], reason)


def _note(
    ctx: Context, unit: Unit, records: Sequence[tuple[Side, str]], reason: DueReason, *, create: bool = False
) -> None:
    if records:
        unit.add_due(
            [
                Due(
                    mapping=ctx.mapping_name,
                    side=side,
                    record_id=record_id,
                    reason=reason,
                    not_before=ctx.now(),
                    create=create,
                )
                for side, record_id in records
            ]
        )


def _after(ctx: Context, item: Carried, coupling: Coupling, problem: Problem | None) -> Coupling:
    """Return the coupling as it is to be stored after the record was dealt with."""
    decision, local, remote = item.decision, item.local, item.remote
    base, versions = coupling.base, {Side.LOCAL: coupling.local_version, Side.REMOTE: coupling.remote_version}
    # A record that is not eligible was not compared: what was edited meanwhile is still to be carried over.
    passed = decision.action is RecordAction.SKIP or (decision.action is RecordAction.FAIL and not decision.fields)
    if local is not None and remote is not None and not passed:
        found = next_base(ctx.compiled, item.base, item.applied(), local, remote)
        base = encode_base(found)
        for side, record in ((Side.LOCAL, local), (Side.REMOTE, remote)):
            versions[side] = _vouched(ctx, side, record, found, held=problem is not None)
    wrote = any(result.status is WriteStatus.WRITTEN for result in item.results.values())
    settled = problem is None and decision.action in (RecordAction.UPDATE, RecordAction.AGREE)
    return msgspec.structs.replace(
        coupling,
        base=base,
        state=_state(ctx, item, problem),
        local_version=versions[Side.LOCAL],
        remote_version=versions[Side.REMOTE],
        last_synchronised=ctx.now() if wrote or settled else coupling.last_synchronised,
        **names(ctx, _read(item, Side.LOCAL), _read(item, Side.REMOTE)),
    )


def _read(item: Carried, side: Side) -> Record | None:
    """Return the record of a side if it was really read or written; an assumed one knows no names."""
    pair = item.decision.pair
    assumed = pair.local_assumed if side is Side.LOCAL else pair.remote_assumed
    if assumed and side not in item.results:
        return None
    return item.local if side is Side.LOCAL else item.remote


def _rests_as(ctx: Context, item: Carried) -> CouplingState:
    """Return the state of a pair that nothing keeps from being in step: a write can take it out of the filter."""
    for side, record in ((Side.LOCAL, item.local), (Side.REMOTE, item.remote)):
        known = record is not None and all(name in record.values for name in ctx.filter_fields.get(side, ()))
        if record is not None and known and not ctx.in_filter(side, record.values):
            return CouplingState.OUT_OF_FILTER
    return CouplingState.IN_STEP


def _state(ctx: Context, item: Carried, problem: Problem | None) -> CouplingState:
    pair = item.decision.pair
    if item.decision.action is RecordAction.SKIP:
        return CouplingState.OUT_OF_FILTER
    if problem is None:
        return _rests_as(ctx, item)
    if item.decision.action is RecordAction.DELETION_CONFLICT:
        return CouplingState.LOCAL_DELETED if pair.local is None else CouplingState.REMOTE_DELETED
    match problem.problem_class:
        case ProblemClass.CONFLICT:
            return CouplingState.CONFLICT
        case ProblemClass.WAITING:
            return CouplingState.WAITING
        case ProblemClass.DATA if problem.attempts >= SKIP_AFTER:
            return CouplingState.SKIPPED
        case _:
            return CouplingState.FAILED


def _close_problems(ctx: Context, unit: Unit, carried: Sequence[Carried], problems: Mapping[int, Problem]) -> None:
    for side in (Side.LOCAL, Side.REMOTE):
        ids = [
            found
            for item in carried
            if id(item) not in problems and not _is_passed_over(item) and (found := item.record_id(side))
        ]
        if ids:
            unit.close_problems(ctx.mapping_name, side, ids, ctx.now())


def _is_passed_over(item: Carried) -> bool:
    """Whether a record was left as it is, problem and all; none is left to one that the filter does not admit."""
    pair = item.decision.pair
    return item.decision.action is RecordAction.IGNORE and pair.local_in_filter and pair.remote_in_filter


def _strike_due(ctx: Context, unit: Unit, carried: Sequence[Carried]) -> None:
    """Strike out what has been looked at."""
    for side in (Side.LOCAL, Side.REMOTE):
        unit.remove_due(ctx.mapping_name, side, [found for item in carried if (found := item.record_id(side))])


def _note_retries(ctx: Context, unit: Unit, carried: Sequence[Carried], problems: Mapping[int, Problem]) -> None:
    """Note what is tried again by itself, with a growing pause."""
    again = []
    for item in carried:
        problem = problems.get(id(item))
        if problem is None or not _tries_again(problem):
            continue
        side, record_id = problem.record
        pause = min(_FIRST_PAUSE * 2 ** min(problem.attempts - 1, 10), _LONGEST_PAUSE)
        again.append(
            Due(
                mapping=ctx.mapping_name,
                side=side,
                record_id=record_id,
                reason=DueReason.RETRY,
                not_before=ctx.now() + pause,
                create=item.decision.pair.coupling is None,
            )
        )
    if again:
        unit.add_due(again)


def _tries_again(problem: Problem) -> bool:
    if problem.problem_class is ProblemClass.TRANSIENT:
        return True
    return problem.problem_class is ProblemClass.DATA and problem.attempts < SKIP_AFTER


def _wake_outrun(ctx: Context, unit: Unit, problems: Sequence[Problem]) -> None:
    """Make due what was noted as waiting just after the record it waits for had been coupled by another job."""
    for problem in problems:
        for wait in problem.waits_for:
            queries = (unit.couplings.by_key, unit.couplings.by_record)
            if any(look_up(wait.mapping, wait.side, [wait.key]) for look_up in queries):
                side, record_id = problem.record
                _note(ctx, unit, [(side, record_id)], DueReason.PARTNER_COUPLED, create=problem.coupling_id is None)


def wake_waiters(ctx: Context, unit: Unit, couplings: Iterable[Coupling]) -> None:
    """Make due what waited for these records to be coupled."""
    by_side: dict[Side, set[str]] = {Side.LOCAL: set(), Side.REMOTE: set()}
    for coupling in couplings:
        by_side[Side.LOCAL] |= {coupling.local_id, coupling.local_key or coupling.local_id}
        by_side[Side.REMOTE] |= {coupling.remote_id, coupling.remote_key or coupling.remote_id}
    due = [
        Due(
            mapping=problem.mapping,
            side=problem.record[0],
            record_id=problem.record[1],
            reason=DueReason.PARTNER_COUPLED,
            not_before=ctx.now(),
            create=problem.coupling_id is None,
        )
        for side, keys in by_side.items()
        if keys
        for problem in unit.waiting_for(ctx.mapping_name, side, keys)
    ]
    if due:
        unit.add_due(due)
