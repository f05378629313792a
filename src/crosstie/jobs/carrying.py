"""Carrying a job out: taking it, calling its use case, and saying how it ended, whatever happens in between.

A job is taken again by whoever comes after a process that died. The use case is then called again as a whole: the
engine's intents and cursors see to it that what was done is not done twice.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from crosstie.engine.context import Assignment
from crosstie.jobs.owners import this_owner
from crosstie.jobs.scheduling import ALL, after_run
from crosstie.jobs.watching import GivenBack
from crosstie.model.errors import (
    AlreadyCoupled,
    CredentialsRefused,
    CrosstieError,
    GarbledAnswer,
    GuardStopped,
    JobCancelled,
    JobRunning,
    MissingPrivilege,
    NotCoupled,
    NothingToDo,
    StoreBusy,
    StoreError,
    SystemFailure,
    SystemRefused,
    Throttled,
    Unreachable,
)
from crosstie.model.jobs import Job, JobState
from crosstie.store.base import Store

T = TypeVar("T")

MOST_FAILURES = 5
"""So often in a row a job that somebody asked for tries again while a system is out of reach."""
MOST_RECOVERIES = 10
"""So often a job goes on after its process has died; one that kills every process ends."""
TRANSIENT = (Unreachable, Throttled, GarbledAnswer, StoreBusy)
_DONE_BEFORE = (AlreadyCoupled, NotCoupled, NothingToDo)
"""What a use case that is called again says of work that an earlier process finished."""
_OF_ONE_TABLE = (MissingPrivilege, SystemRefused)
"""Failures of a system that concern a mapping's table; with any other one, no mapping can go on."""
_FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=10)
_TURN_SECONDS = 0.5
_UNEXPECTED = 70
_STOPPED = "The worker ended before the job was done; it goes on with the next one."
_log = structlog.get_logger("crosstie.jobs")


class UseCases(Protocol):
    """What a worker can be asked to do; the composition root knows it."""

    def parts(self, job: Job) -> list[str]:
        """Return the mappings that a job goes through one after the other; none where it is one call."""
        ...

    async def call(self, assignment: Assignment, mapping: str | None) -> dict[str, Any]:
        """Carry out a job, or its part on one mapping, and return what is worth keeping of the result."""
        ...

    async def refused(self, job: Job) -> None:
        """Pause the connection that has refused the credentials."""
        ...


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a job, or its part on one mapping, ended. QUEUED: it goes back to the queue."""

    state: JobState
    mapping: str = ""
    message: str = ""
    code: str = ""
    """That of the error that ended it, and its exit code."""
    exit_code: int = 0
    transient: bool = False
    """A system was out of reach; later it may not be."""
    stops: bool = False
    """No other mapping can go on either."""
    result: dict[str, Any] = {}


class Carrier:
    """Carries out jobs in the threads in which it is called, one job a thread."""

    def __init__(
        self,
        store: Store,
        use_cases: UseCases,
        now: Callable[[], datetime],
        lives: Callable[[str], bool],
        halted: Callable[[], bool],
    ) -> None:
        self._store = store
        self._use_cases = use_cases
        self._now = now
        self._lives = lives
        self._halted = halted
        self._lock = Lock()
        self._tasks: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = {}
        self._taken: set[int] = set()

    @property
    def taken(self) -> set[int]:
        """The jobs that threads of this process are at."""
        with self._lock:
            return set(self._taken)

    def break_off(self) -> None:
        """Cancel what runs at its next wait for a system; the jobs go back to the queue."""
        with self._lock:
            tasks = list(self._tasks.values())
        for loop, task in tasks:
            loop.call_soon_threadsafe(task.cancel)

    # --- the steps of a job -----------------------------------------------------------------------------------

    def begin(self, job_id: int, attempt: int) -> list[str] | None:
        """Return the mappings that the job goes through, none where it is one call; None if it needs nobody."""
        with self._store.begin() as unit:
            job = unit.background.job(job_id)
        if job is None or job.attempt != attempt or not job.goes_on:
            return None
        return self._use_cases.parts(job)

    def carry(self, job_id: int, attempt: int, mapping: str | None) -> Ending | None:
        """Carry out a job, or its part on one mapping; None if another process has it."""
        with self._lock:
            self._taken.add(job_id)
        try:
            while True:
                job = self._take(job_id, attempt)
                if not isinstance(job, Job):
                    return job
                if mapping is not None and self._is_done(job, mapping):
                    return Ending(state=JobState.FINISHED, mapping=mapping)
                if mapping is None or not self._busy(mapping):
                    try:
                        return self._call(job, mapping)
                    except JobRunning:
                        _log.info("mapping became busy", job=job.id, mapping=mapping)
                self._wait(job)
        finally:
            with self._lock:
                self._taken.discard(job_id)

    def end(self, job_id: int, attempt: int, endings: Sequence[Ending]) -> None:
        """Store how a job ended, and when its mapping's schedule is to run next."""
        whole = combined(endings)
        with self._store.begin() as unit:
            job = unit.background.job(job_id)
        if job is None or job.attempt != attempt or not self._may_end(job):
            return
        if whole.state is JobState.QUEUED:
            self._give_back(job, whole)
            return
        details = dict(job.details)
        if whole.result:
            details["result"] = whole.result
        if whole.code:
            details |= {"code": whole.code, "exit_code": whole.exit_code}
        with self._store.begin() as unit:
            if not unit.background.close_job(job, whole.state, message=whole.message, now=self._now(), details=details):
                return
            schedule = unit.background.schedule(job.mapping) if job.scheduled else None
            if schedule is not None:
                unreachable = whole.transient and whole.state is JobState.FAILED
                unit.background.put_schedule(after_run(schedule, job.id, unreachable, self._now()))

    # --- taking -----------------------------------------------------------------------------------------------

    def _take(self, job_id: int, attempt: int) -> Job | Ending | None:
        """Make the job this process's own, waiting for its turn.

        Returns None if it needs nobody or has another process, and an ending if it is not to be carried out now.
        """
        while True:
            with self._store.begin() as unit:
                job = unit.background.job(job_id)
            if job is None or job.attempt != attempt or not job.goes_on:
                return None
            ours = job.state is JobState.RUNNING and job.owner == this_owner()
            if job.state is JobState.RUNNING and not ours and self._lives(job.owner):
                return None
            if job.cancel_requested:
                return _failed(job, None, JobCancelled(f"Cancelled after {job.done:,} records."))
            if self._halted():
                return Ending(state=JobState.QUEUED, message=_STOPPED, stops=True)
            if ours:
                return job
            if job.recoveries >= MOST_RECOVERIES:
                words = f"Each of the last {MOST_RECOVERIES} processes that ran this job ended before it was done."
                return _unexpected(words, None)
            try:
                with self._store.begin() as unit:
                    unit.background.beat(this_owner(), this_owner(), self._now())
                    claimed = unit.background.claim(job, this_owner(), self._now())
            except JobRunning:
                self._wait(job)
            else:
                if claimed is not None:
                    return claimed

    def _is_done(self, job: Job, mapping: str) -> bool:
        """Whether an earlier process, or attempt, has come to the end of a part."""
        with self._store.begin() as unit:
            parts = unit.background.parts(job.id)
        return any(part.mapping == mapping and part.state is JobState.FINISHED for part in parts)

    def _busy(self, mapping: str) -> bool:
        """Whether another job works through a mapping, so that a part of this one has to wait."""
        with self._store.begin() as unit:
            running = [job for job in unit.running_jobs(mapping) if job.exclusive]
        return any(self._lives(job.owner) for job in running)

    def _wait(self, job: Job) -> None:
        if job.phase != "waiting":
            with self._store.begin() as unit:
                unit.background.note_progress(job.id, job.done, "waiting")
        time.sleep(_TURN_SECONDS)

    def _may_end(self, job: Job) -> bool:
        """Whether the end of a job is this process's to store: it is its own, or that of a process which died."""
        return job.goes_on and (
            job.state is not JobState.RUNNING or job.owner == this_owner() or not self._lives(job.owner)
        )

    def _give_back(self, job: Job, ending: Ending) -> None:
        pause = min(_FIRST_PAUSE * 3**job.failures, LONGEST_PAUSE) if ending.transient else None
        with self._store.begin() as unit:
            unit.background.give_back(
                job,
                self._now(),
                message=ending.message,
                not_before=self._now() + pause if pause is not None else None,
                failed=ending.transient,
            )

    # --- calling ----------------------------------------------------------------------------------------------

    def _call(self, job: Job, mapping: str | None) -> Ending:
        """Call the use case and return how it ended. Raises JobRunning if it could not begin yet."""
        assignment = Assignment(job, begun=job.mapping == ALL, halted=self._halted)
        try:
            result = self._run(job.id, self._use_cases.call(assignment, mapping))
        except JobRunning:
            raise
        except (GivenBack, asyncio.CancelledError):
            return Ending(state=JobState.QUEUED, message=_STOPPED, stops=True)
        except CredentialsRefused as error:
            self._run(job.id, self._use_cases.refused(job))
            return _failed(job, mapping, error)
        except CrosstieError as error:
            return _failed(job, mapping, error)
        except Exception as error:
            _log.exception("job failed unexpectedly", job=job.id, mapping=job.mapping or mapping)
            words = f"Something went wrong inside Crosstie: {type(error).__name__}: {error}".rstrip(": ")
            return _unexpected(words, mapping)
        return Ending(state=JobState.FINISHED, mapping=mapping or "", result=result)

    def _run(self, job_id: int, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in an event loop of its own, where it can be broken off."""

        async def main() -> T:
            task = asyncio.current_task()
            assert task is not None, "it runs in a task"
            with self._lock:
                self._tasks[job_id] = asyncio.get_running_loop(), task
            try:
                return await work
            finally:
                with self._lock:
                    del self._tasks[job_id]

        return asyncio.run(main())


def _failed(job: Job, mapping: str | None, error: CrosstieError) -> Ending:
    """Return how a job ended that raised an error of ours."""
    transient = isinstance(error, TRANSIENT)
    if isinstance(error, JobCancelled):
        state, words = JobState.CANCELLED, error.words
    elif isinstance(error, GuardStopped):
        state, words = JobState.STOPPED, str(error)
    elif isinstance(error, _DONE_BEFORE) and (job.recoveries or job.attempt):
        state, words = JobState.FINISHED, ""
    elif transient and not job.scheduled and job.failures < MOST_FAILURES:
        state, words = JobState.QUEUED, f"{error.words} The job tries again by itself."
    else:
        state, words = JobState.FAILED, str(error)
    everywhere = isinstance(error, SystemFailure | StoreError) and not isinstance(error, _OF_ONE_TABLE)
    return Ending(
        state=state,
        mapping=mapping or "",
        message=words,
        code="" if state is JobState.FINISHED else error.code,
        exit_code=0 if state is JobState.FINISHED else error.exit_code,
        transient=transient,
        stops=everywhere or state is JobState.CANCELLED,
    )


def _unexpected(words: str, mapping: str | None) -> Ending:
    return Ending(state=JobState.FAILED, mapping=mapping or "", message=words, code="unexpected", exit_code=_UNEXPECTED)


def combined(endings: Sequence[Ending]) -> Ending:
    """Return how a job ended whose parts ended like this: it goes on, was stopped, failed if any has, or finished."""
    if len(endings) == 1 and not endings[0].mapping:
        return endings[0]
    for state in (JobState.QUEUED, JobState.CANCELLED, JobState.FAILED, JobState.STOPPED):
        found = [ending for ending in endings if ending.state is state]
        if found:
            words = "; ".join(f"{each.mapping}: {each.message}" if each.mapping else each.message for each in found)
            return msgspec.structs.replace(found[-1], message=words, mapping="")
    return Ending(state=JobState.FINISHED)
