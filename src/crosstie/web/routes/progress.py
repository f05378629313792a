"""How far a job is: a part of a page that reads itself anew until the job has ended, for dialogs and job pages.

Put it where it is wanted with `{% include "_progress.html" %}` and `progress` (of `progress_of`) in the context.
"""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.paging import MOST_ID
from crosstie.api.rooms import rooms_of
from crosstie.app.home import Home
from crosstie.app.jobs import JobStatus, cancel_job, job_status
from crosstie.model.jobs import Counters, Job
from crosstie.model.people import Permission
from crosstie.web.rendering import changed, page

_JobId = Annotated[int, PathParameter(ge=1, le=MOST_ID)]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A job as its progress is shown."""

    job: Job
    status: JobStatus
    ended: bool
    per_second: float | None
    """Records dealt with each second so far; None before the first."""
    percent: int | None
    """None where nobody knows how many there are."""

    @property
    def counters(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """The figures of each direction in which anything happened, by the side that was written."""
        return [
            (side, found)
            for side, counters in (("remote", self._counted("to_remote")), ("local", self._counted("from_remote")))
            if (found := _figures(counters))
        ]

    def _counted(self, direction: str) -> Counters:
        """Return the figures of a direction; a job over several mappings leaves them to its parts."""
        own: Counters = getattr(self.job, direction)
        if _figures(own):
            return own
        total = Counters()
        for part in self.status.parts:
            total.add(getattr(part, direction))
        return total


def _figures(counters: Counters) -> list[tuple[str, int]]:
    return [(name, figure) for name in counters.__struct_fields__ if (figure := getattr(counters, name))]


def progress_of(home: Home, job_id: int, now: datetime | None = None) -> Progress:
    """Return how far a job is. Raises UnknownJob."""
    status = job_status(home, job_id)
    job = status.job
    until = job.finished_at or now or datetime.now(UTC)
    seconds = (until - job.started_at).total_seconds()
    known = job.expected is not None and job.expected > 0
    return Progress(
        job=job,
        status=status,
        ended=not job.goes_on,
        per_second=job.done / seconds if job.done and seconds >= 1 else None,
        percent=min(100, job.done * 100 // (job.expected or 1)) if known else None,
    )


@get("/jobs/{job_id:int}/progress")
async def show(request: StrictRequest, job_id: _JobId) -> Response[str]:
    """How far a job is; once it has ended, the rest of the page is told that things have changed."""
    return await _shown(request, job_id)


@post("/jobs/{job_id:int}/cancel", status_code=200, opt={"permission": Permission.STEER_JOBS})
async def cancel(request: StrictRequest, job_id: _JobId) -> Response[str]:
    """Stop a job at the end of its page; the answer is how far it has come."""
    await asyncio.to_thread(cancel_job, rooms_of(request).home, job_id)
    return await _shown(request, job_id)


async def _shown(request: StrictRequest, job_id: int) -> Response[str]:
    progress = await asyncio.to_thread(progress_of, rooms_of(request).home, job_id)
    answer = await page(request, "progress.html", progress=progress)
    return changed(answer) if progress.ended else answer


HANDLERS = (show, cancel)
