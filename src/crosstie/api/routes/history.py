"""Jobs and history: what was done, when, and to which values."""

import asyncio
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.paging import MOST_ID, After, Limit, number_of, page_of
from crosstie.api.rooms import rooms_of, session_of
from crosstie.api.shapes import CountersShape, EntryShape, Page
from crosstie.app.history import list_history, list_jobs
from crosstie.model.errors import UnknownJob
from crosstie.model.jobs import Job


class JobShape(Struct, frozen=True, kw_only=True):
    """A run of one task, with counters of both directions."""

    id: int
    kind: str
    mapping: str
    direction: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    to_remote: CountersShape
    from_remote: CountersShape
    message: str

    @classmethod
    def of(cls, job: Job) -> "JobShape":
        """Return a job as the API shows it."""
        return msgspec.convert(job, cls, from_attributes=True)


@get("/api/v1/jobs", operation_id="listJobs", tags=["jobs"])
async def jobs(
    request: StrictRequest,
    limit: Limit = 100,
    after: After = None,
    mapping: Annotated[str | None, QueryParameter(max_length=200)] = None,
) -> Page[JobShape]:
    """Jobs, newest first."""
    before = number_of("jobs", after)
    found = await asyncio.to_thread(list_jobs, rooms_of(request).home, mapping, limit=limit + 1, before_id=before)
    return page_of("jobs", found, limit, lambda job: job.id, JobShape.of)


@get("/api/v1/jobs/{job_id:int}", operation_id="showJob", tags=["jobs"])
async def job(request: StrictRequest, job_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)]) -> JobShape:
    """One job."""
    found = await asyncio.to_thread(list_jobs, rooms_of(request).home, limit=1, before_id=job_id + 1)
    if not found or found[0].id != job_id:
        raise UnknownJob(f"There is no job {job_id}.", job=job_id)
    return JobShape.of(found[0])


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


HANDLERS = (jobs, job, history)
