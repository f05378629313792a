"""The interface of the store for background jobs: queue, progress, processes, schedules, and what is forgotten.

Part of a unit of work (`store.base.Unit.background`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from crosstie.model.jobs import Job, JobState, NewJob
from crosstie.model.records import Side
from crosstie.model.schedules import Schedule


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process that runs jobs, as its last beat left it."""

    id: str
    """The owner of its jobs; of a worker followed by the worker's number in the process."""
    owner: str
    worker: bool
    """Whether it takes jobs from the queue."""
    started_at: datetime
    beat_at: datetime
    """By the clock of the database's server where it has one, so that clocks of hosts need not agree."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a job that runs has to know of its row: whether it is still its own, and whether it is to stop."""

    state: JobState
    owner: str
    cancel_requested: bool


class Background(Protocol):
    """The queue of jobs for workers, and all that goes with it."""

    # --- the queue ----------------------------------------------------------------------------------------

    def add_job(self, new: NewJob, now: datetime) -> Job:
        """Store a job for the next worker.

        Raises JobRunning if it is exclusive and another exclusive one of its mapping waits or runs.
        """
        ...

    def job(self, job_id: int) -> Job | None:
        """Return a job with its arguments, which lists of jobs leave away."""
        ...

    def parts(self, job_id: int) -> list[Job]:
        """Return the jobs that are parts of this one, in the order in which they began."""
        ...

    def going_on(self) -> list[Job]:
        """Return the jobs that wait, run, or go on with the next worker, oldest first."""
        ...

    def ready(self, now: datetime, longest_pause: timedelta, *, limit: int = 100) -> list[Job]:
        """Return the jobs that a worker may take, oldest first.

        One that is to wait for longer than the longest pause was put off by a clock that has been put right since.
        """
        ...

    def claim(self, job: Job, owner: str, now: datetime) -> Job | None:
        """Make the job run under `owner`, if its row is still as `job` says; return it, None if it is not.

        A job that ran under another owner counts as recovered. Raises JobRunning if it is exclusive and another
        exclusive one of its mapping runs.
        """
        ...

    def give_back(
        self, job: Job, now: datetime, *, message: str, not_before: datetime | None = None, failed: bool = False
    ) -> bool:
        """Put a job back into the queue, if its row is still as `job` says; `failed` counts a failure.

        Returns whether that was so. If another job of its mapping has been queued meanwhile, which will do the same,
        the job is interrupted for good.
        """
        ...

    def close_job(
        self, job: Job, state: JobState, *, message: str, now: datetime, details: dict[str, Any] | None = None
    ) -> bool:
        """End a job, if its row is still as `job` says; return whether that was so. What was tallied goes."""
        ...

    def request_cancel(self, job_id: int, now: datetime) -> Job | None:
        """Cancel a job that waits, tell one that runs to stop, and leave one that is over as it is.

        Returns the job as it is then, None if there is none of that number.
        """
        ...

    # --- progress -----------------------------------------------------------------------------------------

    def standing(self, job_id: int) -> Standing | None: ...

    def note_progress(self, job_id: int, done: int, phase: str) -> None:
        """Say how far a job is. If that is further than was expected, nobody knows any more what is to be expected."""
        ...

    def note_expected(self, job_id: int, expected: int) -> None: ...

    # --- what records came to -----------------------------------------------------------------------------

    def tallied(self, job_id: int, names: Iterable[str]) -> dict[tuple[str, Side], str]:
        """Return what these records have come to under a job, by name and direction (`engine.tallying`)."""
        ...

    def put_tallied(self, job_id: int, outcomes: Mapping[tuple[str, Side], str]) -> None:
        """Keep what records came to; one that came to something else before comes to this now."""
        ...

    def tally(self, job_id: int) -> dict[tuple[Side, str], int]:
        """Return how many records of a job came to what, by direction."""
        ...

    # --- processes ----------------------------------------------------------------------------------------

    def beat(self, id: str, owner: str, now: datetime, *, worker: bool = False) -> None:
        """Say that a process lives."""
        ...

    def leave(self, id: str) -> None:
        """Say that a process has ended its work in order."""
        ...

    def processes(self, owners: Sequence[str] | None = None) -> list[Process]: ...

    def clock(self, now: datetime) -> datetime:
        """Return the time of the database's server; `now` where there is no server."""
        ...

    # --- schedules ----------------------------------------------------------------------------------------

    def schedules(self) -> dict[str, Schedule]:
        """Return all schedules by mapping."""
        ...

    def schedule(self, mapping: str) -> Schedule | None:
        """Return a schedule that nobody else changes before the unit ends."""
        ...

    def add_schedules(self, schedules: Sequence[Schedule]) -> None:
        """Store the schedules of mappings that have none."""
        ...

    def put_schedule(self, schedule: Schedule) -> None: ...

    def remove_schedule(self, mapping: str) -> None: ...

    def claim_schedule(self, schedule: Schedule, next_at: datetime) -> bool:
        """Move a schedule to its next time, if it is still as given; of several who try at once, one gets True."""
        ...

    # --- what is forgotten --------------------------------------------------------------------------------

    def forget_jobs(self, before: datetime, *, limit: int = 1000) -> int:
        """Remove jobs that ended before that time, but those that an open problem refers to; return how many.

        Their journal goes with them. At most `limit` a call, so that others do not wait for long.
        """
        ...

    def forget_journal(self, before: datetime, *, limit: int = 5000) -> int:
        """Remove journal entries from before that time whose job is no longer known; return how many."""
        ...

    def forget_removed(self, before: datetime, *, limit: int = 1000) -> int:
        """Remove what is kept of couplings that were removed before that time; return how many."""
        ...

    def forget_problems(self, before: datetime, *, limit: int = 1000) -> int:
        """Remove problems that were closed before that time; return how many."""
        ...

    def forget_processes(self, before: datetime) -> int: ...
