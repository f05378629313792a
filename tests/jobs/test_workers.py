"""A worker over the durable engine: carries out what waits and what is due, and goes on with what others left."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crosstie.app.background import HomeDuties
from crosstie.app.home import Home, open_home
from crosstie.app.jobs import cancel_job, enqueue, job_status, list_schedules, run_now
from crosstie.app.session import utc_now
from crosstie.jobs.carrying import Carrier
from crosstie.jobs.processes import living
from crosstie.jobs.worker import Pace, Worker
from crosstie.model.errors import StoreError
from crosstie.model.jobs import Job, JobState
from crosstie.sandbox.launch import Sandbox
from tests.flow.desks import BusinessCentralDesk, DataverseDesk
from tests.jobs.conftest import connect
from tests.jobs.doubles import MadeUp, stock
from tests.jobs.processes import finished, until

QUICK = Pace(turn=0.05, schedule=0.05, reap=0.1, beat=0.2, grace=5, stale=1)
DEAD = "elsewhere/12/345"


@pytest.fixture
def stocked(home: Home) -> Home:
    stock(home.store)
    return home


@contextmanager
def working(home: Home, use_cases: MadeUp, *, schedules: bool = False) -> Iterator[Worker]:
    """Have a worker of this process at work."""
    worker = Worker(home.store, home.store_address, use_cases, utc_now, QUICK)
    worker.start(schedules=schedules)
    try:
        yield worker
    finally:
        worker.stop()


def test_a_worker_carries_out_what_waits_says_that_it_lives_and_leaves_in_order(stocked: Home) -> None:
    before = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    assert job_status(stocked, before.id).workers == 0
    use_cases = MadeUp(stocked.store)
    with working(stocked, use_cases):
        assert job_status(stocked, before.id).workers == 1
        done = finished(stocked, before.id)
        assert (done.job.state, done.job.done, done.job.recoveries) == (JobState.FINISHED, 3000, 0)
        others = [enqueue(stocked, "synchronise", {"mapping": name}) for name in ("CURRENCY", "VENDOR")]
        assert {finished(stocked, job.id).job.state for job in others} == {JobState.FINISHED}
        with pytest.raises(StoreError, match="runs a worker already"):
            Worker(stocked.store, stocked.store_address, use_cases, utc_now).start()
    assert job_status(stocked, before.id).workers == 0
    assert len(use_cases.done) == len(set(use_cases.done)) == 9


def test_a_worker_that_is_stopped_puts_its_job_back_and_the_next_one_ends_it(stocked: Home) -> None:
    begun = threading.Event()
    go_on = threading.Event()

    def hold(job: Job, page: int) -> None:
        begun.set()
        go_on.wait(10)

    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    held = MadeUp(stocked.store, at_page=hold)
    with working(stocked, held):
        assert begun.wait(20)
        threading.Timer(0.2, go_on.set).start()
    waiting = job_status(stocked, job.id).job
    assert (waiting.state, waiting.attempt, len(held.done)) == (JobState.QUEUED, 1, 1)
    with working(stocked, MadeUp(stocked.store)):
        assert finished(stocked, job.id).job.state is JobState.FINISHED


def test_a_job_that_runs_in_the_worker_is_cancelled_between_two_pages(stocked: Home) -> None:
    def cancel(job: Job, page: int) -> None:
        if page == 1:
            cancel_job(stocked, job.id)

    use_cases = MadeUp(stocked.store, pages=100, at_page=cancel)
    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    with working(stocked, use_cases):
        assert finished(stocked, job.id).job.state is JobState.CANCELLED
    assert len(use_cases.done) == 2


def test_the_jobs_of_workers_of_other_hosts_that_have_died_are_taken_over(stocked: Home) -> None:
    """One was at work and beats no more; of another not even its workflow is known."""
    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    with stocked.store.begin() as unit:
        unit.background.beat(f"{DEAD}/1", DEAD, utc_now(), worker=True)
        unit.background.beat(DEAD, DEAD, utc_now())
        assert unit.background.claim(job, DEAD, utc_now()) is not None
    use_cases = MadeUp(stocked.store)
    with working(stocked, use_cases):
        assert use_cases.done == [], "it has been heard of just now"
        done = finished(stocked, job.id)
    assert done.job.state is JobState.FINISHED
    assert len(use_cases.done) == 3
    with stocked.store.begin() as unit:
        assert [each.id for each in unit.background.processes() if each.worker] == [], "they are forgotten"


def test_schedules_run_by_themselves_in_their_order_and_none_twice(stocked: Home) -> None:
    use_cases = MadeUp(stocked.store, pages=1)
    names = [view.mapping for view in list_schedules(stocked).schedules]
    with stocked.store.begin() as unit:
        depends_on = {mapping.name: mapping.depends_on for mapping in unit.mappings()}
    with working(stocked, use_cases, schedules=True):
        until(lambda: len(use_cases.done) >= len(names), why="not all mappings had their turn")
        until(lambda: not _going_on(stocked))
    with stocked.store.begin() as unit:
        jobs = sorted(unit.jobs(), key=lambda job: job.id)
    assert sorted(job.mapping for job in jobs) == sorted(names)
    assert all(job.scheduled for job in jobs)
    ended = {job.mapping: job.finished_at for job in jobs}
    for job in jobs:
        assert all((ended[name] or utc_now()) <= job.started_at for name in depends_on[job.mapping]), job.mapping


def _going_on(home: Home) -> list[Job]:
    with home.store.begin() as unit:
        return unit.background.going_on()


def test_old_jobs_are_forgotten_by_the_worker_once_a_day(stocked: Home) -> None:
    job = cancel_job(stocked, enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"}).id)
    young = cancel_job(stocked, enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"}).id)
    with stocked.store.begin() as unit:
        long_ago = utc_now() - timedelta(days=40)
        again = unit.background.job(job.id)
        assert again is not None
        unit.background.close_job(again, JobState.CANCELLED, message="", now=long_ago)
    with working(stocked, MadeUp(stocked.store)):
        until(lambda: [each.id for each in _all(stocked)] == [young.id], why="the old job stayed")
    with stocked.store.begin() as unit:
        assert datetime.fromisoformat(unit.settings()["retention_done_at"]).tzinfo is UTC


def _all(home: Home) -> list[Job]:
    with home.store.begin() as unit:
        return unit.jobs()


def test_a_store_in_memory_has_no_worker(tmp_path: Path) -> None:
    with open_home(tmp_path / "home", ":memory:") as home, pytest.raises(StoreError, match="in memory"):
        Worker(home.store, home.store_address, MadeUp(home.store), utc_now).start()


def test_a_connection_that_refuses_the_sign_in_rests_until_its_test_passes(
    home: Home, jobs_sandbox: Sandbox, desks: tuple[BusinessCentralDesk, DataverseDesk]
) -> None:
    """Nobody is locked out by what runs by itself, and nothing is counted against records."""
    connect(home, jobs_sandbox)
    duties = HomeDuties(home)
    for desk in desks:
        desk.fault("refuse", path="/oauth2/", times=None)
    job = run_now(home, "CURRENCY")
    carry(home, job)
    done = job_status(home, job.id).job
    assert (done.state, done.details["code"]) == (JobState.FAILED, "credentials-refused")
    hindrance = list_schedules(home).hindrance
    assert "paused" in hindrance
    duties.test_paused()
    assert list_schedules(home).hindrance == hindrance, "it refuses still"
    for desk in desks:
        desk.heal()
    duties.test_paused()
    assert list_schedules(home).hindrance == ""
    with home.store.begin() as unit:
        assert unit.problems() == []


def test_a_cancelled_synchronisation_leaves_whole_pages_and_the_next_one_does_the_rest(
    home: Home, jobs_sandbox: Sandbox, desks: tuple[BusinessCentralDesk, DataverseDesk]
) -> None:
    connect(home, jobs_sandbox)
    bc, dv = desks
    rows = [{"number": f"C{number:05}", "displayName": f"Company {number:05}"} for number in range(1010)]
    bc.add_many("customers", rows)
    dv.forget_requests()
    dv.fault("slow", seconds=0.2, times=None, path=r"\$batch")
    job = enqueue(home, "synchronise", {"mapping": "CUSTOMER", "create": True})
    worker = threading.Thread(target=carry, args=(home, job))
    worker.start()
    until(lambda: dv.requests().batches)
    assert cancel_job(home, job.id).cancel_requested
    worker.join(30)
    stopped = job_status(home, job.id).job
    assert (stopped.state, stopped.done, stopped.expected) == (JobState.CANCELLED, 1000, 1010)
    assert (len(dv.rows("accounts")), coupled(home)) == (1000, 1000)
    dv.heal()
    again = enqueue(home, "synchronise", {"mapping": "CUSTOMER", "create": True})
    carry(home, again)
    assert job_status(home, again.id).job.state is JobState.FINISHED
    assert (len({row["name"] for row in dv.rows("accounts")}), len(dv.rows("accounts")), coupled(home)) == (1010,) * 3


def carry(home: Home, job: Job) -> None:
    """Carry a job out as a worker does."""
    carrier = Carrier(home.store, HomeDuties(home), utc_now, living(home.store, utc_now), lambda: False)
    ending = carrier.carry(job.id, job.attempt, None)
    assert ending is not None
    carrier.end(job.id, job.attempt, [ending])


def coupled(home: Home) -> int:
    with home.store.begin() as unit:
        return sum(unit.couplings.count("CUSTOMER").values())
