"""The worker: carries out queued and scheduled jobs, alone or beside others on one store, until it is stopped.

Beside the threads that carry jobs out, one thread keeps the worker going: it says that the process lives, hands
queued jobs over, queues those whose time has come, takes up what dead workers left, and forgets what is old.
"""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from crosstie.jobs import scheduling
from crosstie.jobs.carrying import LONGEST_PAUSE, Carrier, UseCases
from crosstie.jobs.owners import this_owner
from crosstie.jobs.processes import BEAT, STALE, living, process_lives
from crosstie.jobs.retention import forget_finished
from crosstie.model.errors import StoreError
from crosstie.model.jobs import Job, JobState
from crosstie.store.base import Store, Unit

if TYPE_CHECKING:
    from crosstie.jobs.durable import Workflows

_LOST = "The worker that ran this ended before it was done; it goes on."
_LAST_FORGOTTEN = "retention_done_at"
_FORGET_EVERY = timedelta(days=1)
_WORKFLOWS_KEPT = timedelta(days=1)
_HANDED_OVER_FOR = timedelta(seconds=10)
"""After so long a job that was handed over and still waits is looked for."""
_log = structlog.get_logger("crosstie.jobs")
_numbers = itertools.count(1)


class Duties(UseCases, Protocol):
    """What a worker can be asked to do, and what it does of its own accord."""

    def hindrance(self, unit: Unit) -> str:
        """Return why nothing is to be synchronised by itself, nothing if nothing is in the way."""
        ...

    def test_paused(self) -> None:
        """Test the connections that have paused themselves, and use those again that pass."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker looks after what, in seconds."""

    turn: float = 0.5
    """Between two looks at the queue."""
    schedule: float = 2.0
    reap: float = 2.0
    beat: float = BEAT.total_seconds()
    upkeep: float = 600.0
    grace: float = 10.0
    """So long a worker that is to end waits for its jobs to come to the end of their pages."""
    stale: float = STALE.total_seconds()


@dataclass(slots=True)
class _Chore:
    """What the keeper does again and again; the first time at once."""

    every: float
    do: Callable[[], object]
    due: float = 0.0


class Worker:
    """A worker of this process. `start` returns once it is ready; `stop` once its jobs are back in the queue.

    Jobs run on threads of the worker's own, each with an event loop of its own, so that it can live in a process that
    serves other things. There is one worker a process at most, and one `start` a worker.
    """

    def __init__(
        self, store: Store, store_address: str, duties: Duties, now: Callable[[], datetime], pace: Pace | None = None
    ) -> None:
        self.id = f"{this_owner()}/{next(_numbers)}"
        self._store = store
        self._address = store_address
        self._duties = duties
        self._now = now
        self._pace = pace or Pace()
        self._stale = timedelta(seconds=self._pace.stale)
        self._lives = living(store, now, self._stale)
        self._ending = threading.Event()
        self._wake = threading.Event()
        self._carrier = Carrier(store, duties, now, self._lives, self._ending.is_set)
        self._workflows: Workflows
        self._handed_over: dict[tuple[int, int], datetime] = {}
        self._hand_over_chore = _Chore(self._pace.turn, self._hand_over)
        self._chores = [
            _Chore(self._pace.beat, self._beat),
            self._hand_over_chore,
            _Chore(self._pace.reap, self._reap),
            _Chore(self._pace.upkeep, self._upkeep),
        ]
        self._keeper = threading.Thread(target=self._keep, name="crosstie-worker", daemon=True)
        self._tester: threading.Thread | None = None

    def start(self, *, schedules: bool = True) -> None:
        """Begin to take jobs; with `schedules` also queue those whose time has come.

        Not to be called from within an event loop. Raises StoreError if the store cannot have background jobs, or the
        process runs a worker already.
        """
        from crosstie.jobs.durable import Workflows  # takes long to import

        if schedules:
            self._chores.insert(1, _Chore(self._pace.schedule, self._look_at_schedules))
            self._chores.append(_Chore(self._pace.upkeep, self._test_paused))
        # Whoever sees a workflow under this worker is to see as well that the worker lives.
        self._beat()
        try:
            self._workflows = Workflows(self._address, self.id, self._carrier)
        except BaseException:
            self._leave()
            raise
        self._keeper.start()

    def stop(self) -> None:
        """Let the jobs come to the end of their pages, put them back into the queue, and end.

        Jobs that take longer than the grace are broken off at their next wait for a system.
        """
        self._ending.set()
        self._wake.set()
        self._keeper.join()
        if not self._wait_for_jobs():
            self._carrier.break_off()
            self._wait_for_jobs()
        self._workflows.close()
        self._leave()

    def nudge(self) -> None:
        """Look at the queue now: something has been put into it."""
        self._wake.set()

    def _wait_for_jobs(self) -> bool:
        until = time.monotonic() + self._pace.grace
        while self._carrier.taken and time.monotonic() < until:
            time.sleep(0.02)
        return not self._carrier.taken

    # --- the keeper -------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        while not self._ending.is_set():
            for chore in self._chores:
                if time.monotonic() >= chore.due and not self._ending.is_set():
                    chore.due = time.monotonic() + chore.every
                    self._do(chore.do)
            if self._wake.wait(min(self._pace.turn, self._pace.schedule)):
                self._wake.clear()
                self._hand_over_chore.due = 0.0

    def _do(self, task: Callable[[], object]) -> None:
        """Do something that is done again soon, so that a failure of it ends nothing."""
        try:
            task()
        except StoreError as error:
            _log.warning("store failed", task=task.__name__, words=str(error))
        except Exception:
            _log.exception("worker failed", task=task.__name__)

    def _beat(self) -> None:
        with self._store.begin() as unit:
            unit.background.beat(self.id, this_owner(), self._now(), worker=True)

    def _leave(self) -> None:
        with self._store.begin() as unit:
            unit.background.leave(self.id)

    def _look_at_schedules(self) -> None:
        if scheduling.tick(self._store, self._now, self._duties.hindrance):
            self._hand_over_chore.due = 0.0

    def _hand_over(self) -> None:
        """Hand queued jobs to the workflow engine, where the worker that is free takes them."""
        with self._store.begin() as unit:
            ready = unit.background.ready(self._now(), LONGEST_PAUSE)
        before, self._handed_over = self._handed_over, {}
        for job in ready:
            key = (job.id, job.attempt)
            if key not in before:
                self._workflows.enqueue(*key)
            self._handed_over[key] = before.get(key, self._now())

    def _reap(self) -> None:
        """Take up what workers left that have died, and what the workflow engine has lost."""
        executors = self._workflows.executors()
        with self._store.begin() as unit:
            at = unit.background.clock(self._now())
            workers = [each for each in unit.background.processes() if each.worker]
        live = {each.id for each in workers if process_lives(each, at, self._stale)} | {self.id}
        if dead := sorted(executors - live):
            recovered = self._workflows.recover(dead)
            _log.warning("took up the jobs of dead workers", workers=dead, jobs=recovered)
        if gone := [each.id for each in workers if each.id not in live]:
            with self._store.begin() as unit:
                for id in gone:
                    unit.background.leave(id)
        self._find_lost()

    def _find_lost(self) -> None:
        with self._store.begin() as unit:
            suspects = [job for job in unit.background.going_on() if job.use_case and self._may_be_lost(job)]
        if not suspects:
            return
        there = self._workflows.going_on([(job.id, job.attempt) for job in suspects])
        for job in suspects:
            if (job.id, job.attempt) not in there:
                with self._store.begin() as unit:
                    unit.background.give_back(job, self._now(), message=_LOST)
                _log.warning("job was lost and goes on", job=job.id)

    def _may_be_lost(self, job: Job) -> bool:
        """Whether nobody may be at a job that is to go on."""
        if job.state is JobState.QUEUED:
            handed_over = self._handed_over.get((job.id, job.attempt))
            return handed_over is not None and self._now() - handed_over > _HANDED_OVER_FOR
        if job.state is JobState.RUNNING and job.owner == this_owner():
            return job.id not in self._carrier.taken
        return job.state is JobState.INTERRUPTED or not self._lives(job.owner)

    def _upkeep(self) -> None:
        """Forget what is old: once a day, whichever worker comes first."""
        self._workflows.forget(self._now() - _WORKFLOWS_KEPT)
        with self._store.begin() as unit:
            last = unit.settings().get(_LAST_FORGOTTEN)
            if last is not None and self._now() - datetime.fromisoformat(last) < _FORGET_EVERY:
                return
            unit.put_setting(_LAST_FORGOTTEN, self._now().isoformat())
        forget_finished(self._store, self._now(), self._ending.is_set)

    def _test_paused(self) -> None:
        """Test paused connections beside the keeper: a system that is down may keep it waiting."""
        if self._tester is None or not self._tester.is_alive():
            work = self._duties.test_paused
            self._tester = threading.Thread(target=self._do, args=(work,), name="crosstie-tests", daemon=True)
            self._tester.start()
