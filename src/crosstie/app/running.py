"""Running a job: its row in the log from the first to the last line, whatever happens in between."""

from collections.abc import Awaitable, Callable

from crosstie.engine.context import Context, Report
from crosstie.jobs.owners import this_owner
from crosstie.model.errors import CrosstieError, GuardStopped
from crosstie.model.jobs import JobKind, JobState
from crosstie.model.mappings import Direction


async def run_job(
    ctx: Context,
    kind: JobKind,
    direction: Direction,
    work: Callable[[Context], Awaitable[object]],
    *,
    exclusive: bool,
) -> Report:
    """Run `work` as a job and return its report; the row of the log says how it ended, also where it raises.

    Raises JobRunning if it is exclusive and another exclusive job of the mapping runs, and what `work` raises.
    """
    release_dead(ctx)
    with ctx.store.begin() as unit:
        job = unit.start_job(kind, ctx.mapping_name, direction, exclusive=exclusive, owner=this_owner(), now=ctx.now())
    ctx.job_id = job.id
    ctx.report.job_id = job.id
    try:
        await work(ctx)
    except GuardStopped as error:
        _finish(ctx, JobState.STOPPED, str(error))
        raise
    except CrosstieError as error:
        _finish(ctx, JobState.FAILED, str(error))
        raise
    except BaseException as error:
        _finish(ctx, JobState.FAILED, f"{type(error).__name__}: {error}".rstrip(": "))
        raise
    _finish(ctx, JobState.FINISHED, "")
    return ctx.report


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


def _finish(ctx: Context, state: JobState, message: str) -> None:
    ctx.report.message = message
    with ctx.store.begin() as unit:
        unit.update_job(
            ctx.job_id,
            to_remote=ctx.report.to_remote,
            from_remote=ctx.report.from_remote,
            state=state,
            message=message,
            finished_at=ctx.now(),
        )
