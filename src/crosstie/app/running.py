"""Running a job: its row in the log from the first to the last line, whatever happens in between."""

import asyncio
from collections.abc import Awaitable, Callable

from crosstie.app.asking import asker_words
from crosstie.engine.context import Context, Report, Scope
from crosstie.engine.tallying import resume
from crosstie.jobs.owners import this_owner
from crosstie.jobs.watching import GivenBack, Watch, kept_alive
from crosstie.model.errors import CrosstieError, GuardStopped, JobCancelled
from crosstie.model.jobs import Job, JobKind, JobState
from crosstie.model.mappings import Direction
from crosstie.store.base import Unit

_UNFINISHED = (JobState.INTERRUPTED, JobState.FAILED)
_LEFT = "The worker that ran this ended; the job of which it is a part goes on with the next one."


async def run_job(
    ctx: Context,
    kind: JobKind,
    direction: Direction,
    work: Callable[[Context], Awaitable[object]],
    *,
    exclusive: bool,
    expected: int | None = None,
    anew: bool | None = None,
) -> Report:
    """Run `work` as a job and return its report; the row of the log says how it ended, also where it raises.

    `expected` is how many records it will deal with at most, where that is known. A job that goes on after its process
    has died comes to all of its records `anew`, or only to those that are left; unless that is said, to all that are
    named.

    Where a worker was given the job, the first run is that job, whose end the worker records; later ones are parts.
    Raises JobRunning if it is exclusive and another exclusive job of the mapping runs, JobCancelled if a person stops
    it between two pages, and what `work` raises.
    """
    release_dead(ctx)
    job, head = _begin(ctx, kind, direction, exclusive)
    ctx.job_id = ctx.report.job_id = job.id
    if expected and job.expected is None:  # one that goes on has had its figure from the beginning
        with ctx.store.begin() as unit:
            unit.background.note_expected(job.id, expected)
    halted = ctx.assignment.halted if ctx.assignment is not None else lambda: False
    whole = ctx.task.scope is Scope.RECORDS if anew is None else anew
    watch = Watch(ctx.observer, ctx.store, job, lambda: ctx.phase, head=head, halted=halted, anew=whole)
    ctx.observer = watch
    try:
        async with kept_alive(ctx.store, watch, ctx.now):
            await work(ctx)
        watch.note()
    except GuardStopped as error:
        _finish(ctx, job, JobState.STOPPED, str(error))
        raise
    except JobCancelled as error:
        _finish(ctx, job, JobState.CANCELLED, error.words)
        raise
    except CrosstieError as error:
        _finish(ctx, job, JobState.FAILED, str(error))
        raise
    except GivenBack as error:
        raise _let_go(ctx, job) from error
    except BaseException as error:
        if ctx.assignment is not None and isinstance(error, asyncio.CancelledError):
            _finish(ctx, job, JobState.INTERRUPTED, _LEFT)
        else:
            _finish(ctx, job, JobState.FAILED, f"{type(error).__name__}: {error}".rstrip(": "))
        raise
    _finish(ctx, job, JobState.FINISHED, "")
    return ctx.report


def goes_on(ctx: Context) -> bool:
    """Whether a worker took the job up again, so that an earlier process may have done a part of it."""
    assignment = ctx.assignment
    return assignment is not None and bool(assignment.job.recoveries or assignment.job.attempt)


def _begin(ctx: Context, kind: JobKind, direction: Direction, exclusive: bool) -> tuple[Job, Job | None]:
    """Return the job as which the context runs, and the one of which it is a part, if it is one."""
    assignment = ctx.assignment
    if assignment is not None and not assignment.begun:
        assignment.begun = True
        with ctx.store.begin() as unit:
            _count_done(ctx, unit, assignment.job)
        return assignment.job, None
    head = assignment.job if assignment is not None else None
    with ctx.store.begin() as unit:
        unit.background.beat(this_owner(), this_owner(), ctx.now())
        if head is not None and (part := _part(ctx, unit, kind, head)) is not None:
            _count_done(ctx, unit, part)
            return part, unit.background.job(head.id)
        job = unit.start_job(
            kind,
            ctx.mapping_name,
            direction,
            # A part of an exclusive job has the mapping already.
            exclusive=exclusive and not (head is not None and head.exclusive and head.mapping == ctx.mapping_name),
            owner=this_owner(),
            now=ctx.now(),
            parent_id=head.id if head is not None else ctx.part_of,
            asked_by=head.asked_by if head is not None else asker_words(),
            scheduled=head is not None and head.scheduled,
        )
        return job, unit.background.job(head.id) if head is not None else None


def _part(ctx: Context, unit: Unit, kind: JobKind, head: Job) -> Job | None:
    """Take up the part of a job on the context's mapping that an earlier process began and did not finish."""
    left = [
        each
        for each in unit.background.parts(head.id)
        if each.state in _UNFINISHED and (each.mapping, each.kind) == (ctx.mapping_name, kind)
    ]
    return unit.background.claim(left[-1], this_owner(), ctx.now()) if left else None


def _count_done(ctx: Context, unit: Unit, job: Job) -> None:
    """Count what an earlier process has done of the same job."""
    if ctx.tallied:
        ctx.job_id = job.id
        resume(ctx, unit)
    else:
        ctx.report.to_remote.add(job.to_remote)
        ctx.report.from_remote.add(job.from_remote)


def release_dead(ctx: Context) -> None:
    """Close the rows of exclusive jobs whose process is gone, so that they do not keep the mapping busy."""
    with ctx.store.begin() as unit:
        for job in unit.running_jobs(ctx.mapping_name):
            if not ctx.alive(job.owner):
                unit.update_job(
                    job.id,
                    to_remote=job.to_remote,
                    from_remote=job.from_remote,
                    state=JobState.INTERRUPTED,
                    message="The process that ran this job ended before it was done; the next job goes on from there.",
                    finished_at=ctx.now(),
                )


def _let_go(ctx: Context, job: Job) -> BaseException:
    """Return what to raise where this process is to leave its job alone."""
    if ctx.assignment is None:
        return JobCancelled(
            f"Another process took job {job.id} of mapping {job.mapping} for dead and goes on in its place.", job=job.id
        )
    if job.id != ctx.assignment.job.id:
        _finish(ctx, job, JobState.INTERRUPTED, _LEFT)
    return GivenBack()


def _finish(ctx: Context, job: Job, state: JobState, message: str) -> None:
    """Store how a job ended; of one that a worker was given only what it has counted."""
    ctx.report.message = message
    given = ctx.assignment is not None and job.id == ctx.assignment.job.id
    with ctx.store.begin() as unit:
        if given:
            unit.update_job(job.id, to_remote=ctx.report.to_remote, from_remote=ctx.report.from_remote)
            return
        unit.update_job(
            job.id,
            to_remote=ctx.report.to_remote,
            from_remote=ctx.report.from_remote,
            state=state,
            message=message,
            finished_at=ctx.now(),
        )
