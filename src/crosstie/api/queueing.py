"""Long work: handed to a worker as a job; the answer is 202 with the job's address."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response
from litestar.openapi import ResponseSpec
from msgspec import Struct

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import invalid
from crosstie.api.rooms import rooms_of
from crosstie.api.shapes import CountersShape
from crosstie.app.home import Home
from crosstie.app.jobs import JobStatus, enqueue
from crosstie.app.selecting import Selection, keep_selection
from crosstie.model.jobs import Job

MOST_AT_ONCE = 50
"""With more records than these, a request is handed to a worker."""


class JobShape(Struct, frozen=True, kw_only=True):
    """A run of one task, with counters of both directions."""

    id: int
    kind: str
    mapping: str
    """Empty for one that goes through all enabled mappings, each as a part."""
    direction: str
    state: str
    goes_on: bool
    """Whether it waits or runs."""
    started_at: datetime
    finished_at: datetime | None
    done: int
    """Records dealt with so far."""
    expected: int | None
    """So many records it may come to; null where nobody knows."""
    phase: str
    to_remote: CountersShape
    from_remote: CountersShape
    message: str
    details: dict[str, Any]
    parent_id: int | None
    cancel_requested: bool
    asked_by: str
    scheduled: bool

    @classmethod
    def of(cls, job: Job) -> "JobShape":
        """Return a job as the API shows it."""
        return msgspec.convert(job, cls, from_attributes=True)


class JobNow(Struct, frozen=True, kw_only=True):
    """A job as it is now, and its parts. Without `workers`, one that waits goes on waiting."""

    job: JobShape
    parts: list[JobShape]
    workers: int

    @classmethod
    def of(cls, status: JobStatus) -> "JobNow":
        """Return a job and its parts as the API shows them."""
        return cls(
            job=JobShape.of(status.job), parts=[JobShape.of(each) for each in status.parts], workers=status.workers
        )


ACCEPTED = {
    202: ResponseSpec(
        JobShape, generate_examples=False, description="A worker carries it out; Location is the job's address."
    )
}


def is_long(records: Sequence[str]) -> bool:
    """Whether work on these records is left to a worker; without any, it is that on a whole mapping."""
    return not records or len(records) > MOST_AT_ONCE


async def chosen(
    request: StrictRequest, records: Sequence[str], selection: Selection | None, *, needed: bool = False
) -> Selection | None:
    """Return the selection that a request names in place of records, its ids kept in the store where they are many.

    Raises InvalidRequest if it names both, or nothing where something is `needed`; InvalidOption.
    """
    if bool(records) and selection is not None:
        raise invalid("Records are named one by one, or as a selection, not both.", "selection")
    if needed and not records and selection is None:
        raise invalid("No records are named.", "records")
    return selection and await asyncio.to_thread(keep_selection, rooms_of(request).home, selection)


async def queued(request: StrictRequest, use_case: str, **arguments: Any) -> Response[Any]:
    """Hand a use case to a worker. Raises InvalidOption, UnknownMapping, JobRunning."""
    return await accepted(request, lambda home: enqueue(home, use_case, arguments))


async def accepted(request: StrictRequest, ask: Callable[[Home], Job]) -> Response[Any]:
    """Have `ask` queue a job, and return the answer that tells where it is."""
    job = await asyncio.to_thread(ask, rooms_of(request).home)
    return Response(JobShape.of(job), status_code=202, headers={"Location": f"/api/v1/jobs/{job.id}"})
