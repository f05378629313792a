"""Undo: takes back what a job, or single entries of the history, have done, as far as nobody has touched it since."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from crosstie.app.running import goes_on, run_job
from crosstie.app.session import Session
from crosstie.app.undo_source import UndoSource
from crosstie.engine.context import Context, Guards, Observer, Report, Scope, Task
from crosstie.engine.planning import guard_losses, order_mappings
from crosstie.engine.recovery import settle_open_intents
from crosstie.engine.undo import names_of
from crosstie.engine.undoing import Earlier, earlier_of, undo_page
from crosstie.model.decisions import Decision
from crosstie.model.jobs import JobKind, JournalEntry, Outcome
from crosstie.model.leaving import Left
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.undoing import UndoneRow, UndoOutcome

MOST_ROWS = 1000
"""Records of an undo that are named."""


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What undoing came to, or would come to; `report.job_id` is the undo's own job.

    `rows` names at most `MOST_ROWS` of the `rows_total` records, `left` as many of the `left_total` that stay as they
    are.
    """

    job: int | None
    """The job that was undone."""
    entries: list[int]
    report: Report
    left: list[Left]
    left_total: int
    rows: list[UndoneRow] = []
    rows_total: int = 0


class UndoSize(msgspec.Struct, frozen=True, kw_only=True):
    """How much undoing a job is; `mapping` is the job's own, None for one that went through several."""

    mapping: str | None
    entries: int


def undo_size(session: Session, job_id: int) -> UndoSize:
    """Return how much undoing a job is. Raises UnknownJob, CannotUndo."""
    source = UndoSource(session, job_id, ())
    return UndoSize(mapping=source.mapping, entries=source.total)


async def undo_job(
    session: Session, job_id: int, *, dry_run: bool = False, forced: bool = False, observer: Observer | None = None
) -> Undone:
    """Take back what a job did, with the jobs that are parts of it; as `undo`."""
    return await undo(session, job_id, dry_run=dry_run, forced=forced, observer=observer)


async def undo_entries(
    session: Session,
    entries: Sequence[int],
    *,
    dry_run: bool = False,
    forced: bool = False,
    observer: Observer | None = None,
) -> Undone:
    """Take back what single entries of the history tell; as `undo`."""
    return await undo(session, entries=entries, dry_run=dry_run, forced=forced, observer=observer)


async def undo(
    session: Session,
    job: int | None = None,
    *,
    entries: Sequence[int] = (),
    dry_run: bool = False,
    forced: bool = False,
    observer: Observer | None = None,
    begin: Callable[[TableMapping], object] | None = None,
) -> Undone:
    """Take back what a job did, with its parts, or what single entries of the history tell.

    Values are put back where all that was written to the record is still there; what was created is deleted if nobody
    has touched it, what was deleted is created again, what was coupled is uncoupled, and what was uncoupled is coupled
    again on its old base. All else is left, each record with its reason. What is put back is not synchronised again
    until somebody edits it. A dry run shows all of it to the observer and writes nothing. `begin` is told under which
    mapping the decisions that follow are made.

    It is a job of its own, of the kind undo, and can be undone as well; asked for twice, it finds everything as it was
    before already. Raises UnknownJob, UnknownEntry, CannotUndo if the job goes on or there is nothing to take back,
    InvalidOption, JobRunning, GuardStopped (unless `forced`) before anything is written if many records would be
    deleted or uncoupled, SystemFailure.
    """
    source = UndoSource(session, job, entries)
    run = await _Run.open(session, source, dry_run=dry_run, forced=forced, observer=observer)
    if dry_run:
        await run.work(run.main, begin)
    else:
        await run_job(
            run.main,
            JobKind.UNDO,
            run.main.compiled.mapping.direction,
            lambda ctx: run.work(ctx, begin),
            exclusive=job is not None,
            expected=source.total,
        )
    return Undone(
        job=job,
        entries=list(entries),
        report=run.main.report,
        left=run.left,
        left_total=run.left_total,
        rows=run.rows,
        rows_total=run.rows_total,
    )


class _Run:
    """An undo on its way: one job, under which the mappings concerned are gone through page by page."""

    def __init__(
        self, session: Session, source: UndoSource, contexts: Mapping[str, Context], dependants: Sequence[Context]
    ) -> None:
        self._session = session
        self._source = source
        self._contexts = contexts
        self._dependants = dependants
        self.main = contexts[source.mappings[0]]
        self.rows: list[UndoneRow] = []
        self.rows_total = 0
        self.left: list[Left] = []
        self.left_total = 0

    @classmethod
    async def open(
        cls, session: Session, source: UndoSource, *, dry_run: bool, forced: bool, observer: Observer | None
    ) -> "_Run":
        """Return a run with what each mapping's part needs."""
        task = Task(scope=Scope.RECORDS, on_purpose=True, dry_run=dry_run)
        guards = Guards(forced=forced)
        contexts = {
            name: await session.context(name, task, guards=guards, observer=observer) for name in source.mappings
        }
        first = source.mappings[0]
        dependants = [await session.context(each.name, task) for each in session.dependants(first)]
        return cls(session, source, contexts, dependants)

    async def work(self, ctx: Context, begin: Callable[[TableMapping], object] | None) -> None:
        """Do all of it, as the job of `ctx`."""
        if not ctx.task.dry_run:
            self._guard(ctx)
            self._note(ctx)
        watched = ctx.observer
        again = goes_on(ctx) and not ctx.task.dry_run
        if again:
            _count_anew(ctx.report)
        for part in self._contexts.values():
            part.observer = _Decisions(watched)
            part.job_id = ctx.job_id
            part.report = ctx.report  # so that whoever stores the job's figures stores all of them
            if not ctx.task.dry_run:
                await settle_open_intents(part)
        earlier = self._done_before(ctx) if again else frozenset()
        done = 0
        for page in self._source.pages():
            for name in self._in_order(page):
                part = self._contexts[name]
                if begin is not None:
                    begin(part.compiled.mapping)
                mine = [entry for entry in page if entry.mapping == name]
                dependants = self._dependants if part is self.main else ()
                self._keep(await undo_page(part, mine, self._source.why(), dependants=dependants, earlier=earlier))
            done += len(page)
            watched.progress(done)

    def _in_order(self, page: Sequence[JournalEntry]) -> list[str]:
        """Return the mappings after those that they depend on: a contact is coupled again after its customer."""
        names = names_of(page)
        return [mapping.name for mapping in order_mappings(m for m in self._session.mappings() if m.name in names)]

    def _keep(self, rows: Sequence[UndoneRow]) -> None:
        self.rows += rows[: MOST_ROWS - len(self.rows)]
        self.rows_total += len(rows)
        left = [each.as_left() for each in rows if each.outcome is UndoOutcome.LEFT]
        self.left += left[: MOST_ROWS - len(self.left)]
        self.left_total += len(left)

    def _done_before(self, ctx: Context) -> frozenset[Earlier]:
        """Return what an earlier process of the same job has taken back already."""
        found: set[Earlier] = set()
        before: int | None = None
        while True:
            with ctx.store.begin() as unit:
                page = unit.journal(job_id=ctx.job_id, limit=MOST_ROWS, before_id=before)
            found.update(earlier_of(entry) for entry in page if entry.outcome is not Outcome.FAILED)
            if len(page) < MOST_ROWS:
                return frozenset(found)
            before = page[-1].id

    def _guard(self, ctx: Context) -> None:
        """Stop if more records would be deleted or uncoupled than the guards allow."""
        with ctx.store.begin() as unit:
            coupled = sum(sum(unit.couplings.count(name).values()) for name in self._contexts)
        guard_losses(ctx, self._source.losses, coupled)

    def _note(self, ctx: Context) -> None:
        """Write into the log what the job undoes."""
        report, message = ctx.report, f"{self._source.why().capitalize()}."
        with ctx.store.begin() as unit:
            unit.update_job(ctx.job_id, to_remote=report.to_remote, from_remote=report.from_remote, message=message)


class _Decisions:
    """Passes decisions on; how far the whole is, its parts do not know."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def decided(self, decision: Decision) -> None:
        """Pass a decision on."""
        self._observer.decided(decision)

    def progress(self, done: int) -> None:
        """Take no notice."""


def _count_anew(report: Report) -> None:
    """Forget the figures of what an earlier process of the job only looked at: all of it is looked at again."""
    for each in (report.to_remote, report.from_remote):
        each.unchanged = each.skipped = each.failed = 0
