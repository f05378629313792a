"""Undo: takes back what a job, or single entries of the history, have done, as far as nobody has touched it since."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from crosstie.app.running import run_job
from crosstie.app.session import Session
from crosstie.engine.context import MOST_FAILURES, Context, Guards, Observer, Report, Scope, Task
from crosstie.engine.planning import guard_losses, order_mappings
from crosstie.engine.recovery import settle_open_intents
from crosstie.engine.undo import can_be_undone, names_of
from crosstie.engine.undoing import undo_page
from crosstie.model.errors import CannotUndo, InvalidOption, UnknownEntry, UnknownJob
from crosstie.model.jobs import Job, JobKind, JobState, JournalEntry, Outcome
from crosstie.model.leaving import Left
from crosstie.model.mappings import Mapping

_PAGE = 2000
_UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What undoing came to. `left` names at most `MOST_FAILURES` of the `left_total` records that stay as they are."""

    job: int | None
    """The job that was undone."""
    entries: list[int]
    report: Report
    left: list[Left]
    left_total: int


async def undo(
    session: Session,
    job: int | None = None,
    *,
    entries: Sequence[int] = (),
    dry_run: bool = False,
    forced: bool = False,
    observer: Observer | None = None,
    begin: Callable[[Mapping], object] | None = None,
) -> Undone:
    """Take back what a job did, or what single entries of the history tell.

    Values are put back where all that the job wrote to the record is still there; what it created is deleted if
    nobody has touched it, what it deleted is created again, what it coupled is uncoupled and the other way round. All
    else is left, each record with its reason. Both sides then agree as they are: nothing of it is synchronised until
    somebody edits. A dry run shows all of it to the observer and writes nothing. `begin` is told under which mapping
    the decisions that follow are made.

    It is a job of its own, of the kind undo, and can be undone as well. Raises UnknownJob, UnknownEntry, CannotUndo if
    the job runs or there is nothing to take back, InvalidOption, JobRunning, GuardStopped (unless `forced`) before
    anything is written if many records would be deleted or uncoupled, SystemFailure.
    """
    found = _Source(session, job, entries)
    names = found.mappings()
    task = Task(scope=Scope.RECORDS, on_purpose=True, dry_run=dry_run)
    guards = Guards(forced=forced)
    contexts = {name: await session.context(name, task, guards=guards, observer=observer) for name in names}
    main = contexts[names[0]]
    dependants = [await session.context(m.name, task) for m in session.mappings() if names[0] in m.depends_on]
    left: list[Left] = []
    total = 0

    async def work(ctx: Context) -> None:
        nonlocal total
        found.guard(ctx)
        if not dry_run:
            found.note(ctx)
        for each in contexts.values():
            each.job_id, each.observer = ctx.job_id, ctx.observer
            if not dry_run:
                await settle_open_intents(each)
        done = 0
        for page in found.pages():
            for name in _in_order(session, names_of(page)):
                mine = [entry for entry in page if entry.mapping == name]
                parts = dependants if name == names[0] else []
                if begin is not None:
                    begin(contexts[name].compiled.mapping)
                kept = await undo_page(contexts[name], mine, found.why(), dependants=parts)
                total += len(kept)
                left.extend(kept[: MOST_FAILURES - len(left)])
                _gather(ctx, contexts[name])
            done += len(page)
            ctx.observer.progress(done)

    if dry_run:
        await work(main)
    else:
        await run_job(main, JobKind.UNDO, main.compiled.mapping.direction, work, exclusive=job is not None)
    return Undone(job=job, entries=list(entries), report=main.report, left=left, left_total=total)


def _in_order(session: Session, names: Sequence[str]) -> list[str]:
    """Return the mappings after those that they depend on: a contact is coupled again after its customer."""
    return [mapping.name for mapping in order_mappings(m for m in session.mappings() if m.name in names)]


def _gather(ctx: Context, part: Context) -> None:
    """Add what was done under another mapping to the report of the job."""
    if part is ctx:
        return
    for mine, theirs in (
        (ctx.report.to_remote, part.report.to_remote),
        (ctx.report.from_remote, part.report.from_remote),
    ):
        mine.add(theirs)
        for name in theirs.__struct_fields__:
            setattr(theirs, name, 0)
    ctx.report.failures.extend(part.report.failures[: MOST_FAILURES - len(ctx.report.failures)])
    part.report.failures.clear()


class _Source:
    """The entries to undo: those of a job, or single ones."""

    def __init__(self, session: Session, job: int | None, entries: Sequence[int]) -> None:
        if (job is None) == (not entries):
            raise InvalidOption("Say what to undo: a job, or entries of the history.", next_step="Give one of the two.")
        self._session = session
        self._job = _job(session, job) if job is not None else None
        self._entries = [_entry(session, id) for id in dict.fromkeys(entries)]

    def why(self) -> str:
        """Return what the history says of it."""
        if self._job is not None:
            return f"undo of job {self._job.id}"
        ids = ", ".join(str(entry.id) for entry in self._entries[:5])
        return f"undo of entr{'y' if len(self._entries) == 1 else 'ies'} {ids}"

    def note(self, ctx: Context) -> None:
        """Write into the log what the job undoes."""
        with ctx.store.begin() as unit:
            report = ctx.report
            message = f"{self.why().capitalize()}."
            unit.update_job(ctx.job_id, to_remote=report.to_remote, from_remote=report.from_remote, message=message)

    def mappings(self) -> list[str]:
        """Return the mappings whose records are concerned, the job's own first. Raises CannotUndo if there are none."""
        names: dict[str, None] = {self._job.mapping: None} if self._job is not None else {}
        any_found = False
        for page in self.pages():
            any_found = True
            names |= dict.fromkeys(names_of(page))
        if not any_found:
            what = f"Job {self._job.id} has" if self._job is not None else "These entries have"
            raise CannotUndo(f"{what} written, coupled and uncoupled nothing.", next_step="There is nothing to undo.")
        known = {mapping.name for mapping in self._session.mappings()}
        if lost := [name for name in names if name not in known]:
            step = "Restore it first: `crosstie mapping reset`."
            raise CannotUndo(f"The mapping {lost[0]} is gone.", next_step=step, mapping=lost[0])
        return list(names)

    def pages(self) -> Iterator[list[JournalEntry]]:
        """Yield what can be undone, newest first, in pages."""
        if self._job is None:
            found = sorted((each for each in self._entries if can_be_undone(each)), key=lambda each: -each.id)
            if found:
                yield found
            return
        before: int | None = None
        while True:
            with self._session.store.begin() as unit:
                page = unit.journal(job_id=self._job.id, limit=_PAGE, before_id=before)
            if found := [entry for entry in page if can_be_undone(entry)]:
                yield found
            if len(page) < _PAGE:
                return
            before = page[-1].id

    def guard(self, ctx: Context) -> None:
        """Stop if more records would be deleted or uncoupled than the guards allow."""
        if ctx.task.dry_run:
            return
        if self._job is not None:
            both = (self._job.to_remote, self._job.from_remote)
            losses = sum(counters.inserted + counters.coupled for counters in both)
        else:
            losses = sum(entry.outcome in (Outcome.INSERTED, Outcome.COUPLED) for entry in self._entries)
        with ctx.store.begin() as unit:
            coupled = sum(unit.couplings.count(ctx.mapping_name).values())
        guard_losses(ctx, losses, coupled)


def _job(session: Session, id: int) -> Job:
    with session.store.begin() as unit:
        jobs = unit.jobs(limit=1, before_id=id + 1)
    if not jobs or jobs[0].id != id:
        raise UnknownJob(f"There is no job {id}.", job=id)
    if jobs[0].state in _UNDER_WAY:
        raise CannotUndo(
            f"Job {id} is still {jobs[0].state.value}.", next_step="Wait until it has ended, or cancel it.", job=id
        )
    return jobs[0]


def _entry(session: Session, id: int) -> JournalEntry:
    with session.store.begin() as unit:
        found = unit.journal(limit=1, before_id=id + 1)
    if not found or found[0].id != id:
        raise UnknownEntry(f"There is no entry {id} in the history.", entry=id)
    if not can_be_undone(found[0]):
        told = f"{found[0].name} {found[0].outcome.value}"
        raise CannotUndo(f"Entry {id} says {told}: nothing was changed that could be put back.", entry=id)
    return found[0]
