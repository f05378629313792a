"""Jobs and history: what was done, when, and to which values."""

import asyncio
from typing import Annotated

from litestar import get, post
from litestar.params import PathParameter, QueryParameter
from litestar.response import ServerSentEvent

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.events import job_events
from crosstie.api.paging import MOST_ID, After, Limit, number_of, page_of
from crosstie.api.queueing import JobNow, JobShape
from crosstie.api.rooms import job_entries_of, rooms_of, session_of
from crosstie.api.shapes import EntryShape, Page
from crosstie.app.history import list_history, list_jobs
from crosstie.app.jobs import cancel_job, job_status
from crosstie.model.jobs import JobState, Outcome
from crosstie.model.people import Permission


@get("/api/v1/jobs", operation_id="listJobs", tags=["jobs"])
async def jobs(
    request: StrictRequest,
    limit: Limit = 100,
    after: After = None,
    mapping: Annotated[str | None, QueryParameter(max_length=200, description="Only of this mapping.")] = None,
    job_state: Annotated[JobState | None, QueryParameter(name="state", description="Only of this state.")] = None,
) -> Page[JobShape]:
    """Jobs, newest first, those of a mapping or in a state."""
    before, states = number_of("jobs", after), [job_state] if job_state else []
    found = await asyncio.to_thread(
        list_jobs, rooms_of(request).home, mapping, states=states, limit=limit + 1, before_id=before
    )
    return page_of("jobs", found, limit, lambda job: job.id, JobShape.of)


@get("/api/v1/jobs/{job_id:int}", operation_id="showJob", tags=["jobs"])
async def job(request: StrictRequest, job_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)]) -> JobNow:
    """One job as it is now, with the jobs that are parts of it."""
    found = await asyncio.to_thread(job_status, rooms_of(request).home, job_id)
    return JobNow.of(found)


@get("/api/v1/jobs/{job_id:int}/history", operation_id="listJobHistory", tags=["jobs"])
async def job_history(
    request: StrictRequest,
    job_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)],
    limit: Limit = 100,
    after: After = None,
    outcome: Annotated[Outcome | None, QueryParameter(description="Only records with this outcome.")] = None,
) -> Page[EntryShape]:
    """What a job, and the jobs that are parts of it, did to each record, newest first; of one outcome, or all."""
    before = number_of("history", after)
    found = await job_entries_of(request, job_id, outcome=outcome, limit=limit + 1, before_id=before)
    entries = [entry for _, entry in found.entries]
    return page_of("history", entries, limit, lambda entry: entry.id, EntryShape.of)


@get(
    "/api/v1/jobs/{job_id:int}/events",
    operation_id="watchJob",
    tags=["jobs"],
    media_type="text/event-stream",
)
async def events(request: StrictRequest, job_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)]) -> ServerSentEvent:
    """A job as server-sent events, until it is over.

    `job` comes at once and whenever something has changed, with what showing the job answers as its data; `end` comes
    last, when the job is over. A stream that breaks off without `end` can be asked for again.
    """
    rooms = rooms_of(request)
    await asyncio.to_thread(job_status, rooms.home, job_id)
    return ServerSentEvent(job_events(rooms, job_id), headers={"Cache-Control": "no-store"})


@post(
    "/api/v1/jobs/{job_id:int}/cancel",
    operation_id="cancelJob",
    tags=["jobs"],
    status_code=200,
    opt={"permission": Permission.STEER_JOBS},
)
async def cancel(request: StrictRequest, job_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)]) -> JobShape:
    """Stop a job: one that waits at once, one that runs at the end of its page. What was done stays."""
    return JobShape.of(await asyncio.to_thread(cancel_job, rooms_of(request).home, job_id))


@get("/api/v1/mappings/{mapping:str}/history", operation_id="listHistory", tags=["jobs"])
async def history(
    request: StrictRequest,
    mapping: InPath,
    limit: Limit = 100,
    after: After = None,
    record: Annotated[
        str | None, QueryParameter(min_length=1, max_length=500, description="Number, code, name or id.")
    ] = None,
) -> Page[EntryShape]:
    """What was done to the records of a mapping, or to one of them, newest first."""
    before = number_of("history", after)
    async with session_of(request) as session:
        found = await list_history(session, mapping, record, limit=limit + 1, before_id=before)
    return page_of("history", found, limit, lambda entry: entry.id, EntryShape.of)


HANDLERS = (jobs, job, job_history, events, cancel, history)
