"""Uncoupling: removes couplings, and what marks their remote records as ours.

Neither record is deleted, and no other field is touched (engine rule U-15). Remote records are released first, then
the couplings of those who depend on them are removed, then their own: a process that dies in between leaves couplings
that can be removed again, never marks that nobody knows of.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from crosstie.engine.context import MOST_FAILURES, PAGE, Context, Failure
from crosstie.engine.journalling import entry_of
from crosstie.engine.outcomes import name_of
from crosstie.engine.planning import guard_losses
from crosstie.engine.releasing import Release, Released, marks, release, release_reads, releasing_fields
from crosstie.model.causes import CAUSES
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Decision, Pair, RecordAction
from crosstie.model.jobs import Counters, JournalEntry, Outcome
from crosstie.model.mappings import Direction
from crosstie.model.problems import NewProblem
from crosstie.model.records import Side
from crosstie.rules.base import Belonging
from crosstie.store.base import Unit

_BY_HAND = "uncoupled by hand"
_STRAY = "carried our mark without being coupled"


async def uncouple(
    ctx: Context, couplings: Iterable[Coupling], *, dependants: Sequence[Context] = (), words: str = _BY_HAND
) -> Counters:
    """Remove couplings of the context's mapping and return what was done (engine rules U-11 to U-16).

    Missing records are tolerated. A coupling whose remote record cannot be released is kept and becomes a problem.
    `dependants` are contexts of mappings whose records may belong to those uncoupled, as contacts belong to an
    account; their couplings go too, and do not count. Works in pages of 1,000; what is done stays done.
    """
    done = Counters()
    for page in _pages(couplings):
        done.add(await _uncouple_page(ctx, page, dependants, words))
        ctx.observer.progress(_done(ctx))
    return done


async def uncouple_all(ctx: Context, *, dependants: Sequence[Context] = (), guarded: bool = False) -> Counters:
    """Remove every coupling of the mapping, then release stray remote records of its filter that carry our mark.

    Whether the other halves exist does not matter (engine rules U-13, U-14). Raises GuardStopped before anything is
    done, if `guarded` and more couplings would go than the guards allow.
    """
    with ctx.store.begin() as unit:
        coupled = sum(unit.couplings.count(ctx.mapping_name).values())
    if guarded:
        guard_losses(ctx, coupled, coupled)
    done, after_id = Counters(), 0
    while True:
        with ctx.store.begin() as unit:
            page = unit.couplings.page(ctx.mapping_name, after_id=after_id, limit=PAGE)
        if not page:
            break
        after_id = page[-1].id
        done.add(await _uncouple_page(ctx, page, dependants, "all couplings of the mapping removed"))
        ctx.observer.progress(_done(ctx))
    ctx.observer.progress(_done(ctx))
    if releasing_fields(ctx):
        done.add(await _release_strays(ctx))
    return done


def _done(ctx: Context) -> int:
    """Return how many couplings the job has dealt with, those of an earlier process of it too."""
    both = (ctx.report.to_remote, ctx.report.from_remote)
    return sum(each.uncoupled + each.failed for each in both)


def forget(ctx: Context, unit: Unit, couplings: Sequence[Coupling]) -> None:
    """Close the problems of coupled records and strike them out where they are due: what was open is void."""
    for side in Side:
        ids = [coupling.record_id(side) for coupling in couplings]
        unit.close_problems(ctx.mapping_name, side, ids, ctx.now())
        unit.remove_due(ctx.mapping_name, side, ids)


def _pages(couplings: Iterable[Coupling]) -> Iterator[list[Coupling]]:
    source = iter(couplings)
    while page := list(islice(source, PAGE)):
        yield page


async def _uncouple_page(
    ctx: Context, couplings: Sequence[Coupling], dependants: Sequence[Context], words: str
) -> Counters:
    released = await release(ctx, {coupling.remote_id: coupling.id for coupling in couplings}, words)
    kept = {id for id, each in released.of.items() if each.code is not None}
    free = [coupling for coupling in couplings if coupling.remote_id not in kept]
    failed = await _uncouple_dependants(ctx, free, dependants)
    for coupling in free:
        _show(ctx, coupling, released.of.get(coupling.remote_id), words)
    done = _count_plan(ctx, free, released) if ctx.task.dry_run else _store(ctx, couplings, free, released, words)
    done.failed += failed
    ctx.counters(Side.REMOTE).failed += failed
    return done


async def _uncouple_dependants(ctx: Context, parents: Sequence[Coupling], dependants: Sequence[Context]) -> int:
    """Uncouple what belongs to these records on both sides; return how many of them failed."""
    failed = 0
    for child in dependants:
        child.job_id = ctx.job_id
        for row in child.compiled.fields:
            if isinstance(row.rule, Belonging) and parents:
                found = await row.rule.belonging(
                    row.mapping, child.mapping_name, ctx.mapping_name, parents, child.access
                )
                named = f"uncoupled together with its record of {ctx.mapping_name}"
                for page in _pages(found):
                    failed += (await _uncouple_page(child, page, (), named)).failed
                ctx.report.failures.extend(child.report.failures[: MOST_FAILURES - len(ctx.report.failures)])
                child.report.failures.clear()
    return failed


async def _release_strays(ctx: Context) -> Counters:
    """Release remote records of the filter that carry our mark and are coupled with nothing (engine W-23)."""
    mapping, done = ctx.compiled.mapping, Counters()
    fields = tuple(dict.fromkeys((*release_reads(ctx), *ctx.filter_fields.get(Side.REMOTE, ()))))
    async for page in ctx.systems[Side.REMOTE].scan(mapping.remote_table, fields, mapping.remote_filter):
        marked = await marks(ctx, [record for record in page.records if ctx.in_filter(Side.REMOTE, record.values)])
        with ctx.store.begin() as unit:
            coupled = unit.couplings.by_record(ctx.mapping_name, Side.REMOTE, marked)
        released = await release(ctx, dict.fromkeys(id for id in marked if id not in coupled), _STRAY)
        if ctx.task.dry_run:
            done.add(_count_plan(ctx, [], released))
        elif released.intents:
            done.add(_store(ctx, [], [], released, _STRAY))
    return done


# --- recording ------------------------------------------------------------------------------------------------


def _store(
    ctx: Context,
    couplings: Sequence[Coupling],
    free: Sequence[Coupling],
    released: Released,
    words: str,
) -> Counters:
    """Store in one transaction what became of a page: couplings, problems, due records, history, counters."""
    by_remote = {coupling.remote_id: coupling for coupling in couplings}
    failures = {id: each for id, each in released.of.items() if each.code is not None}
    with ctx.store.begin() as unit:
        forget(ctx, unit, free)
        removed = _delete(ctx, unit, free)
        unit.couplings.keep_removed(removed, ctx.now())
        problems = [_problem(ctx, id, each, by_remote.get(id)) for id, each in failures.items()]
        unit.put_problems(problems, ctx.now())
        changed = [(id, each) for id, each in released.of.items() if each.changed]
        entries = [_modified(ctx, id, each, by_remote.get(id), words) for id, each in changed]
        entries += [entry_of(ctx, coupling, Outcome.UNCOUPLED, words) for coupling in removed]
        entries += [_failed(ctx, problem) for problem in problems]
        unit.add_journal(entries)
        unit.close_intents(released.intents)
        done = Counters(modified=len(changed), uncoupled=len(removed), failed=len(failures))
        _count(ctx, done)
        # Dependants run under the job of another mapping, whose counters are not theirs.
        if ctx.report.job_id:
            unit.update_job(ctx.job_id, to_remote=ctx.report.to_remote, from_remote=ctx.report.from_remote)
    for problem in problems[: MOST_FAILURES - len(ctx.report.failures)]:
        ctx.report.failures.append(
            Failure(
                local_id=problem.local_id,
                remote_id=problem.remote_id,
                name=problem.name,
                code=problem.code,
                words=problem.words,
                next_step=problem.next_step,
            )
        )
    return done


def _delete(ctx: Context, unit: Unit, couplings: Sequence[Coupling]) -> list[Coupling]:
    """Delete couplings, also those that a job has brought up to date meanwhile; return which were still there."""
    lost = unit.couplings.delete(couplings)
    removed = [coupling for coupling in couplings if coupling.id not in lost]
    if lost:
        ids = [coupling.local_id for coupling in couplings if coupling.id in lost]
        now = unit.couplings.by_record(ctx.mapping_name, Side.LOCAL, ids)
        changed = [coupling for coupling in now.values() if coupling.id in lost]
        gone = unit.couplings.delete(changed)
        removed += [coupling for coupling in changed if coupling.id not in gone]
    return removed


def _count_plan(ctx: Context, free: Sequence[Coupling], released: Released) -> Counters:
    done = Counters(modified=len(released.of), uncoupled=len(free))
    _count(ctx, done)
    return done


def _count(ctx: Context, done: Counters) -> None:
    """Count writes under the side written, removed couplings under the first one that the mapping writes to."""
    ctx.counters(Side.REMOTE).add(Counters(modified=done.modified, failed=done.failed))
    side = Side.REMOTE if ctx.compiled.mapping.reaches(Side.REMOTE) else Side.LOCAL
    ctx.counters(side).uncoupled += done.uncoupled


def _show(ctx: Context, coupling: Coupling, released: Release | None, words: str) -> None:
    ctx.observer.decided(
        Decision(
            pair=Pair(coupling=coupling, local=None, remote=released.before if released else None),
            action=RecordAction.UNCOUPLE,
            reason=words,
            to_remote=dict(released.cleared) if released else {},
        )
    )


def _problem(ctx: Context, remote_id: str, released: Release, coupling: Coupling | None) -> NewProblem:
    cause = CAUSES[released.code or "refused"]
    name = name_of(ctx, None, released.before, None) if coupling is None else coupling.name()
    return NewProblem(
        mapping=ctx.mapping_name,
        local_id=coupling.local_id if coupling else None,
        remote_id=remote_id,
        coupling_id=coupling.id if coupling else None,
        name=name,
        problem_class=cause.problem_class,
        code=cause.code,
        words=f"Uncoupling {name} failed because the remote record could not be written. {released.words}".rstrip(),
        next_step="See what the other system says, then uncouple it again.",
        direction=Direction.TO_REMOTE,
        remote_version=released.before.version,
        job_id=ctx.job_id or None,
    )


def _modified(ctx: Context, remote_id: str, released: Release, coupling: Coupling | None, words: str) -> JournalEntry:
    changes = released.changes(words)
    if coupling is not None:
        return entry_of(ctx, coupling, Outcome.MODIFIED, words, side=Side.REMOTE, changes=changes)
    return JournalEntry(
        job_id=ctx.job_id,
        mapping=ctx.mapping_name,
        coupling_id=None,
        local_id=None,
        remote_id=remote_id,
        name=name_of(ctx, None, released.before, None),
        side=Side.REMOTE,
        outcome=Outcome.MODIFIED,
        words=words,
        changes=changes,
        at=ctx.now(),
    )


def _failed(ctx: Context, problem: NewProblem) -> JournalEntry:
    return JournalEntry(
        job_id=ctx.job_id,
        mapping=ctx.mapping_name,
        coupling_id=problem.coupling_id,
        local_id=problem.local_id,
        remote_id=problem.remote_id,
        name=problem.name,
        side=Side.REMOTE,
        outcome=Outcome.FAILED,
        code=problem.code,
        words=problem.words,
        at=ctx.now(),
    )
