"""The queue: one job a mapping, stopping what waits or runs, trying again, and taking over from the dead."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crosstie.app.home import Home
from crosstie.app.jobs import cancel_job, enqueue, job_status, run_now
from crosstie.jobs.carrying import LONGEST_PAUSE, MOST_FAILURES, MOST_RECOVERIES, Carrier
from crosstie.jobs.owners import this_owner
from crosstie.jobs.processes import STALE, living
from crosstie.model.errors import CredentialsRefused, InvalidOption, JobRunning, UnknownJob, UnknownMapping, Unreachable
from crosstie.model.jobs import Job, JobState
from tests.jobs.clock import Clock
from tests.jobs.doubles import PAGE, MadeUp, stock
from tests.jobs.processes import until

DEAD = "elsewhere/12/345"
OTHER = "elsewhere/67/890"


@pytest.fixture
def stocked(home: Home) -> Home:
    """A home with the standard mappings."""
    stock(home.store)
    return home


def carrier(home: Home, clock: Clock, use_cases: MadeUp, halted: Callable[[], bool] = lambda: False) -> Carrier:
    return Carrier(home.store, use_cases, clock, living(home.store, clock), halted)


def carried(home: Home, clock: Clock, job: Job, use_cases: MadeUp, halted: Callable[[], bool] = lambda: False) -> Job:
    """Carry out an attempt at a job as a worker does, and return the job as it is then."""
    found = carrier(home, clock, use_cases, halted)
    parts = found.begin(job.id, job.attempt)
    if parts is not None:
        endings = [found.carry(job.id, job.attempt, part) for part in parts or [None]]
        if all(ending is not None for ending in endings):
            found.end(job.id, job.attempt, [ending for ending in endings if ending is not None])
    return stored(home, job.id)


def stored(home: Home, job_id: int) -> Job:
    return job_status(home, job_id).job


def under(home: Home, job: Job, owner: str, clock: Clock) -> Job:
    """Have a process of another host, which has been heard of just now, run a job."""
    with home.store.begin() as unit:
        unit.background.beat(owner, owner, clock())
        claimed = unit.background.claim(job, owner, clock())
    assert claimed is not None
    return claimed


# --- one at a time ------------------------------------------------------------------------------------------------


def test_of_two_requests_for_a_mapping_the_second_is_told_the_number_of_the_first(stocked: Home) -> None:
    first = enqueue(stocked, "synchronise", {"mapping": "customer"})
    assert (first.mapping, first.state, first.exclusive) == ("CUSTOMER", JobState.QUEUED, True)
    for again in (
        lambda: enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"}),
        lambda: enqueue(stocked, "match", {"mapping": "CUSTOMER"}),
        lambda: enqueue(stocked, "uncouple", {"mapping": "CUSTOMER", "all": True}),
        lambda: run_now(stocked, "CUSTOMER"),
    ):
        with pytest.raises(JobRunning) as refused:
            again()
        assert refused.value.details["job"] == first.id
    with stocked.store.begin() as unit:
        assert unit.background.claim(first, this_owner(), first.started_at) is not None
    with pytest.raises(JobRunning, match="is running since"):
        enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})


def test_named_records_other_mappings_and_all_of_them_are_queued_beside_it(stocked: Home) -> None:
    enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    enqueue(stocked, "synchronise", {"mapping": "CUSTOMER", "records": ["10000"]})
    enqueue(stocked, "synchronise", {"mapping": "VENDOR"})
    enqueue(stocked, "synchronise", {})
    with pytest.raises(JobRunning, match="of all mappings"):
        enqueue(stocked, "synchronise", {})


def test_of_many_who_ask_at_the_same_moment_one_gets_the_mapping(stocked: Home) -> None:
    """The store's constraint decides, whatever each of them has seen before."""
    queued: list[Job] = []
    refused: list[JobRunning] = []
    together = threading.Barrier(6)

    def ask() -> None:
        together.wait()
        try:
            queued.append(enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"}))
        except JobRunning as error:
            refused.append(error)

    askers = [threading.Thread(target=ask) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert (len(queued), len(refused)) == (1, 5)
    assert {error.details["job"] for error in refused} == {queued[0].id}


@pytest.mark.parametrize(
    ("use_case", "arguments", "error"),
    [
        ("demolish", {}, InvalidOption),
        ("synchronise", {"mapping": "CUSTOMER", "direktion": "send"}, InvalidOption),
        ("synchronise", {"mapping": "NOBODY"}, UnknownMapping),
        ("synchronise", {"records": ["10000"]}, InvalidOption),
        ("synchronise", {"mapping": "CURRENCY", "direction": "get"}, InvalidOption),
        ("match", {}, InvalidOption),
        ("uncouple", {"mapping": "CUSTOMER"}, InvalidOption),
        ("uncouple", {"mapping": "CUSTOMER", "records": ["1"], "all": True}, InvalidOption),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_queued(
    stocked: Home, use_case: str, arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        enqueue(stocked, use_case, arguments)
    with stocked.store.begin() as unit:
        assert unit.jobs() == []


# --- carrying out -------------------------------------------------------------------------------------------------


def test_progress_can_be_seen_while_the_job_runs_and_its_result_afterwards(stocked: Home, clock: Clock) -> None:
    seen: list[tuple[JobState, int, str]] = []

    def look(job: Job, page: int) -> None:
        found = stored(stocked, job.id)
        seen.append((found.state, found.done, found.phase))

    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"}, asked_by="Anna")
    done = carried(stocked, clock, job, MadeUp(stocked.store, at_page=look))
    assert seen == [
        (JobState.RUNNING, 0, ""),
        (JobState.RUNNING, PAGE, "changes"),
        (JobState.RUNNING, 2 * PAGE, "changes"),
    ]
    assert (done.state, done.done, done.phase, done.asked_by) == (JobState.FINISHED, 3 * PAGE, "", "Anna")
    assert done.details["result"] == {"pages": 3}
    assert done.finished_at == clock()


def test_more_than_was_expected_makes_the_figure_unknown(stocked: Home, clock: Clock) -> None:
    expected: list[int | None] = []
    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    with stocked.store.begin() as unit:
        unit.background.note_expected(job.id, PAGE)
    use_cases = MadeUp(stocked.store, at_page=lambda job, page: expected.append(stored(stocked, job.id).expected))
    assert carried(stocked, clock, job, use_cases).expected is None
    assert expected == [PAGE, PAGE, None]


def test_a_job_that_waits_is_cancelled_at_once_and_makes_room(stocked: Home, clock: Clock) -> None:
    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    gone = cancel_job(stocked, job.id)
    assert (gone.state, gone.goes_on) == (JobState.CANCELLED, False)
    assert gone.finished_at is not None
    assert gone.finished_at.utcoffset() == timedelta(0)
    use_cases = MadeUp(stocked.store)
    assert carried(stocked, clock, job, use_cases) == gone
    assert use_cases.done == []
    enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})


def test_a_job_that_runs_is_cancelled_between_two_pages(stocked: Home, clock: Clock) -> None:
    def cancel(job: Job, page: int) -> None:
        if page == 1:
            asked = cancel_job(stocked, job.id)
            assert (asked.state, asked.cancel_requested) == (JobState.RUNNING, True)

    use_cases = MadeUp(stocked.store, pages=5, at_page=cancel)
    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    done = carried(stocked, clock, job, use_cases)
    assert [page for _, _, page in use_cases.done] == [0, 1]
    assert (done.state, done.done) == (JobState.CANCELLED, 2 * PAGE)
    assert "2,000 records" in done.message
    assert cancel_job(stocked, job.id) == done, "what is over stays as it is"
    with pytest.raises(UnknownJob):
        cancel_job(stocked, 999)


def test_a_worker_that_ends_puts_its_job_back_and_the_next_one_goes_on(stocked: Home, clock: Clock) -> None:
    ending = threading.Event()
    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    first = MadeUp(stocked.store, at_page=lambda job, page: ending.set())
    waiting = carried(stocked, clock, job, first, ending.is_set)
    assert (waiting.state, waiting.owner, waiting.attempt) == (JobState.QUEUED, "", 1)
    assert len(first.done) == 1
    with pytest.raises(JobRunning):
        enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    assert carried(stocked, clock, job, MadeUp(stocked.store)) == waiting, "the earlier attempt is over"
    assert carried(stocked, clock, waiting, MadeUp(stocked.store)).state is JobState.FINISHED


def test_the_parts_of_a_job_come_one_after_the_other_and_wait_for_a_busy_mapping(stocked: Home, clock: Clock) -> None:
    busy = enqueue(stocked, "synchronise", {"mapping": "VENDOR"})
    with stocked.store.begin() as unit:
        running = unit.background.claim(busy, this_owner(), clock())
    assert running is not None

    def free() -> None:
        until(lambda: stored(stocked, job.id).phase == "waiting", why="it did not wait")
        with stocked.store.begin() as unit:
            unit.background.close_job(running, JobState.FINISHED, message="", now=clock())

    job = enqueue(stocked, "synchronise", {})
    other = threading.Thread(target=free)
    other.start()
    use_cases = MadeUp(stocked.store, pages=1, parts=["CUSTOMER", "VENDOR"])
    done = carried(stocked, clock, job, use_cases)
    other.join()
    assert [mapping for _, mapping, _ in use_cases.done] == ["CUSTOMER", "VENDOR"]
    assert done.state is JobState.FINISHED


# --- failing ------------------------------------------------------------------------------------------------------


def test_a_job_that_was_asked_for_tries_again_at_growing_pauses_while_a_system_is_down(
    stocked: Home, clock: Clock
) -> None:
    def fail(job: Job, page: int) -> None:
        raise Unreachable("Business Central does not answer.")

    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    pauses = []
    for _ in range(MOST_FAILURES):
        job = carried(stocked, clock, job, MadeUp(stocked.store, at_page=fail))
        assert (job.state, job.finished_at) == (JobState.QUEUED, None)
        assert "tries again by itself" in job.message
        assert job.not_before is not None
        pauses.append((job.not_before - clock()).total_seconds())
        with stocked.store.begin() as unit:
            ready = unit.background.ready
            assert ready(clock(), LONGEST_PAUSE) == []
            assert [each.id for each in ready(job.not_before, LONGEST_PAUSE)] == [job.id]
            assert [each.id for each in ready(clock() - timedelta(days=1), LONGEST_PAUSE)] == [job.id], (
                "clock put right"
            )
        clock.at = job.not_before
    assert pauses == sorted(set(pauses)), "each pause is longer than the one before"
    job = carried(stocked, clock, job, MadeUp(stocked.store, at_page=fail))
    assert (job.state, job.details["code"], job.details["exit_code"]) == (JobState.FAILED, "unreachable", 3)


def test_refused_credentials_end_the_job_and_pause_the_connection(stocked: Home, clock: Clock) -> None:
    def fail(job: Job, page: int) -> None:
        raise CredentialsRefused("Dataverse refuses the sign-in.")

    use_cases = MadeUp(stocked.store, at_page=fail)
    job = carried(stocked, clock, enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"}), use_cases)
    assert (job.state, job.details["code"], use_cases.refusals) == (JobState.FAILED, "credentials-refused", 1)


def test_a_fault_of_ours_ends_the_job_with_words(stocked: Home, clock: Clock) -> None:
    def fail(job: Job, page: int) -> None:
        raise ZeroDivisionError("division by zero")

    job = carried(
        stocked,
        clock,
        enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"}),
        MadeUp(stocked.store, at_page=fail),
    )
    assert (job.state, job.details["code"]) == (JobState.FAILED, "unexpected")
    assert "division by zero" in job.message
    enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})


# --- dying --------------------------------------------------------------------------------------------------------


def test_the_job_of_a_process_that_beats_is_left_alone_and_that_of_a_silent_one_taken(
    stocked: Home, clock: Clock
) -> None:
    job = under(stocked, enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"}), DEAD, clock)
    use_cases = MadeUp(stocked.store)
    assert carried(stocked, clock, job, use_cases) == job
    assert use_cases.done == []
    silence(stocked, clock)
    done = carried(stocked, clock, job, use_cases)
    assert (done.state, done.owner, done.recoveries) == (JobState.FINISHED, this_owner(), 1)


def silence(home: Home, clock: Clock) -> None:
    """Let the process be silent for as long as only a dead one is."""
    with home.store.begin() as unit:
        unit.background.leave(DEAD)
    clock.pass_by(seconds=STALE.total_seconds() + 1)


def test_a_job_that_ends_every_process_ends_itself(stocked: Home, clock: Clock) -> None:
    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    with stocked.store.begin() as unit:
        claimed = unit.background.claim(job, DEAD, clock())
        for number in range(MOST_RECOVERIES):
            assert claimed is not None
            claimed = unit.background.claim(claimed, f"{DEAD}{number}", clock())
    use_cases = MadeUp(stocked.store)
    done = carried(stocked, clock, stored(stocked, job.id), use_cases)
    assert (done.state, done.details["code"], use_cases.done) == (JobState.FAILED, "unexpected", [])
    assert "ended before it was done" in done.message


def test_a_job_whose_process_is_dead_is_cancelled_at_once(stocked: Home, clock: Clock) -> None:
    job = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    with stocked.store.begin() as unit:
        unit.background.claim(job, DEAD, clock())
    gone = cancel_job(stocked, job.id)
    assert gone.state is JobState.CANCELLED
    assert "had ended before" in gone.message


def test_a_process_that_was_taken_for_dead_stops_at_the_end_of_its_page(stocked: Home, clock: Clock) -> None:
    """Another one goes on in its place: two at one job would both count, and write, what is done."""

    def lose(job: Job, page: int) -> None:
        if page == 1:
            under(stocked, stored(stocked, job.id), OTHER, clock)

    use_cases = MadeUp(stocked.store, pages=5, at_page=lose)
    job = carried(stocked, clock, enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"}), use_cases)
    assert [page for _, _, page in use_cases.done] == [0, 1]
    assert (job.state, job.owner) == (JobState.RUNNING, OTHER)


def test_a_mapping_that_was_queued_again_while_its_job_was_lost_runs_once(stocked: Home, clock: Clock) -> None:
    lost = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    with stocked.store.begin() as unit:
        claimed = unit.background.claim(lost, DEAD, clock())
        assert claimed is not None
        unit.update_job(lost.id, to_remote=lost.to_remote, from_remote=lost.from_remote, state=JobState.INTERRUPTED)
    again = enqueue(stocked, "synchronise", {"mapping": "CUSTOMER"})
    with stocked.store.begin() as unit:
        unit.background.give_back(stored_in(unit, lost.id), clock(), message="It was lost.")
        assert [job.id for job in unit.background.going_on()] == [again.id]
        gone = stored_in(unit, lost.id)
    assert (gone.goes_on, gone.finished_at) == (False, clock())
    assert "goes on in its place" in gone.message


def stored_in(unit: Any, job_id: int) -> Job:
    found: Job = unit.background.job(job_id)
    return found
