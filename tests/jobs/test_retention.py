"""Forgetting: what ended a month ago goes, with its history; what is open, goes on, or explains a problem stays."""

from datetime import datetime, timedelta

import pytest

from crosstie.app.home import Home
from crosstie.jobs.retention import KEPT_DAYS, SETTING, check_days, forget_finished, kept_days
from crosstie.model.errors import InvalidOption
from crosstie.model.jobs import Counters, JobKind, JobState
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from crosstie.store.base import Unit
from tests.jobs.clock import Clock
from tests.unit.store.values import entry, new_problem

OVER = [JobState.FINISHED, JobState.FAILED, JobState.STOPPED, JobState.CANCELLED, JobState.INTERRUPTED]


def ran(unit: Unit, at: datetime, state: JobState = JobState.FINISHED) -> int:
    """Have a job, with an entry in its history, run and end like this; return its number."""
    kind, direction = JobKind.SYNCHRONISATION, Direction.BIDIRECTIONAL
    job = unit.start_job(kind, "CUSTOMER", direction, exclusive=False, owner="host/1/1", now=at)
    ended = None if state is JobState.RUNNING else at
    unit.update_job(job.id, to_remote=Counters(), from_remote=Counters(), state=state, finished_at=ended)
    unit.add_journal([entry(job.id, job_id=job.id, at=at)])
    return job.id


def kept(home: Home) -> tuple[set[int], set[int]]:
    """Return the numbers of the jobs that are left, and of those whose history is."""
    with home.store.begin() as unit:
        return {job.id for job in unit.jobs()}, {found.job_id for found in unit.journal()}


@pytest.mark.parametrize("state", OVER)
def test_a_job_goes_with_its_history_a_month_after_its_end(home: Home, clock: Clock, state: JobState) -> None:
    with home.store.begin() as unit:
        old = ran(unit, clock() - timedelta(days=KEPT_DAYS, minutes=1), state)
        young = ran(unit, clock() - timedelta(days=KEPT_DAYS, minutes=-1), state)
    assert kept(home) == ({old, young}, {old, young})
    forgotten = forget_finished(home.store, clock())
    assert forgotten["jobs"] == 2, "the job and its entry"
    assert kept(home) == ({young}, {young})
    assert set(forget_finished(home.store, clock()).values()) == {0}


def test_a_job_that_goes_on_stays_however_old(home: Home, clock: Clock) -> None:
    with home.store.begin() as unit:
        running = ran(unit, clock() - timedelta(days=400), JobState.RUNNING)
    forget_finished(home.store, clock())
    assert kept(home) == ({running}, {running})


def test_what_explains_an_open_problem_stays_until_the_problem_is_closed(home: Home, clock: Clock) -> None:
    """engine rule D-25: the reason why a record is skipped can be read for as long as it is skipped."""
    long_ago = clock() - timedelta(days=100)
    with home.store.begin() as unit:
        job = ran(unit, long_ago)
        unit.put_problems([new_problem(1, job_id=job)], long_ago)
    forget_finished(home.store, clock())
    assert kept(home) == ({job}, {job})
    with home.store.begin() as unit:
        unit.close_problems("CUSTOMER", Side.LOCAL, ["local-1"], clock())
    forget_finished(home.store, clock())
    assert kept(home) == (set(), set())
    assert forget_finished(home.store, clock() + timedelta(days=KEPT_DAYS + 1))["problems"] == 1


def test_how_long_is_a_setting(home: Home, clock: Clock) -> None:
    with home.store.begin() as unit:
        assert kept_days(unit) == 30
        unit.put_setting(SETTING, "2")
        old = ran(unit, clock() - timedelta(days=3))
        young = ran(unit, clock() - timedelta(days=1))
    assert old != young
    forget_finished(home.store, clock())
    assert kept(home) == ({young}, {young})
    with pytest.raises(InvalidOption, match="at least 1 day"):
        check_days(0)


def test_more_than_one_transaction_holds_is_forgotten_a_little_at_a_time(home: Home, clock: Clock) -> None:
    long_ago = clock() - timedelta(days=100)
    with home.store.begin() as unit:
        for _ in range(150):
            ran(unit, long_ago)
    assert forget_finished(home.store, clock(), halted=lambda: True)["jobs"] == 0
    assert forget_finished(home.store, clock())["jobs"] == 300
    assert kept(home) == (set(), set())
