"""Events: a job as it is, sent whenever that changes, until it is over (`text/event-stream`)."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
from litestar.response.sse import ServerSentEventMessage

from crosstie.api.queueing import JobNow
from crosstie.api.rooms import Rooms
from crosstie.app.jobs import job_status
from crosstie.model.errors import StoreBusy, UnknownJob

LOOK_SECONDS = 0.5
"""Between two looks at a job."""
QUIET_SECONDS = 15.0
"""After so long without an event a comment is sent, so that nobody in between takes the line for dead."""
_RETRY_MILLISECONDS = 2000


async def job_events(
    rooms: Rooms, job_id: int, *, look: float = LOOK_SECONDS, quiet: float = QUIET_SECONDS
) -> AsyncIterator[ServerSentEventMessage]:
    """Yield `job` with the job as it is now, at once and whenever that changes, and `end` with the job when it is over.

    The data are a `JobNow` in JSON. Ends without `end` when the server ends, and when the job has been forgotten; who
    asks again is told how it is then.
    """
    shown, at = b"", time.monotonic()
    while not rooms.closing.is_set():
        text, over = shown, False
        with suppress(StoreBusy):
            try:
                found = await asyncio.to_thread(job_status, rooms.home, job_id)
            except UnknownJob:
                return
            text, over = msgspec.json.encode(JobNow.of(found)), not found.job.goes_on
        if over or text != shown:
            yield ServerSentEventMessage(text, event="end" if over else "job", retry=_RETRY_MILLISECONDS)
            shown, at = text, time.monotonic()
        elif time.monotonic() - at >= quiet:
            yield ServerSentEventMessage(None, comment="still there")
            at = time.monotonic()
        if over:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(rooms.closing.wait(), look)
