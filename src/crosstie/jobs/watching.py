"""Watching a job while it runs: its progress is stored for others to see, and their wish to stop it is heeded.

A job stops between two pages only: what it has begun is written and recorded, and nothing of it is half done.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from crosstie.engine.context import Observer
from crosstie.jobs.owners import this_owner
from crosstie.jobs.processes import BEAT
from crosstie.model.decisions import Decision
from crosstie.model.errors import JobCancelled, StoreError
from crosstie.model.jobs import Job, JobState
from crosstie.store.base import Store

_NOTE_SECONDS = 1.0
"""So often at least others can see how far a job is."""
_SHORT_PAGE = 0.25
"""Seconds. The end of a page that comes so soon after the last note is left to the next one."""


class GivenBack(Exception):
    """The worker ends, or has lost the job to another: this process is to leave the job alone."""


class Watch:
    """The observer of a job that runs: passes on to the one who asked, stores progress, and stops the job when told."""

    def __init__(
        self,
        inner: Observer,
        store: Store,
        job: Job,
        phase: Callable[[], str],
        *,
        head: Job | None = None,
        halted: Callable[[], bool] = lambda: False,
        anew: bool = False,
    ) -> None:
        """Watch `job`; `head` is the job of which it is a part, if any, and shares progress and wishes with it.

        `halted` tells whether the worker is to end. A job that goes on comes to all of its records `anew`, or only to
        those that are left.
        """
        self._inner = inner
        self._store = store
        self._job = job
        self._head = head
        self._phase = phase
        self._halted = halted
        self._before = job.done
        self._anew = anew
        self._done = job.done
        self._others = head.done - job.done if head is not None else 0
        """What other parts of the head have dealt with."""
        self._noted: tuple[int, str] = (job.done, "")
        self._noted_at = time.monotonic()

    def decided(self, decision: Decision) -> None:
        self._inner.decided(decision)

    def progress(self, done: int) -> None:
        """Take note of the end of a page.

        Raises JobCancelled if a person wants the job to stop, GivenBack if it is this process that has to let it go.
        """
        self._inner.progress(done)
        self._done = max(self._before, done) if self._anew else self._after(done)
        if time.monotonic() - self._noted_at >= _SHORT_PAGE:
            self.note()
        self.look()

    def _after(self, done: int) -> int:
        """Return how far the job is, `done` records after where it went on: what it was at then comes twice."""
        expected = self._job.expected
        if self._before and expected is not None:
            return max(self._before, min(self._before + done, expected))
        return self._before + done

    def look(self) -> None:
        """Raise JobCancelled or GivenBack if the job is to stop here."""
        for job in filter(None, (self._job, self._head)):
            with self._store.begin() as unit:
                standing = unit.background.standing(job.id)
            if standing is None or standing.state is not JobState.RUNNING or standing.owner != this_owner():
                raise GivenBack
            if standing.cancel_requested:
                self.note()
                of = f" of mapping {job.mapping}" if job.mapping else ""
                raise JobCancelled(f"Job {job.id}{of} was cancelled after {self._done:,} records.", job=job.id)
        if self._halted():
            raise GivenBack

    def note(self) -> None:
        """Store how far the job is, if that has changed."""
        now = (self._done, self._phase())
        self._noted_at = time.monotonic()
        if now == self._noted:
            return
        with self._store.begin() as unit:
            unit.background.note_progress(self._job.id, *now)
            if self._head is not None:
                words = f"{self._job.mapping}: {now[1]}".rstrip(": ")
                unit.background.note_progress(self._head.id, self._others + self._done, words)
        self._noted = now


@asynccontextmanager
async def kept_alive(store: Store, watch: Watch, now: Callable[[], datetime]) -> AsyncIterator[None]:
    """Say now and then, while the context lasts, that this process lives and how far its job is."""

    async def beat() -> None:
        beaten = time.monotonic()
        while True:
            await asyncio.sleep(_NOTE_SECONDS)
            with suppress(StoreError):  # the next turn will say it; the job itself finds out soon enough
                if time.monotonic() - beaten >= BEAT.total_seconds():
                    with store.begin() as unit:
                        unit.background.beat(this_owner(), this_owner(), now())
                    beaten = time.monotonic()
                watch.note()

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
