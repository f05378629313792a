"""Schedules: who is synchronised when by itself, in which order, once, and not while something is in the way."""

import threading
from datetime import timedelta

import msgspec
import pytest

from crosstie.app.asking import asked_by
from crosstie.app.home import Home
from crosstie.app.jobs import (
    cancel_job,
    list_schedules,
    pause_schedule,
    resume_schedule,
    run_all_now,
    run_now,
    set_pace,
)
from crosstie.app.people.acting import command_line
from crosstie.jobs.carrying import LONGEST_PAUSE, Carrier, Ending
from crosstie.jobs.processes import living
from crosstie.jobs.scheduling import ALL, due_now, following, tick
from crosstie.model.errors import InvalidOption, JobRunning, UnknownMapping, Unreachable
from crosstie.model.jobs import Job, JobState
from crosstie.model.mappings import Mapping
from crosstie.model.people import AuditAction, Principal, PrincipalKind, Role
from crosstie.model.schedules import EVERY_MINUTES, Schedule
from crosstie.standard import load_standard
from crosstie.store.base import Unit
from tests.jobs.clock import Clock
from tests.jobs.doubles import MadeUp, stock

STANDARD = load_standard()
DEPENDS_ON = {mapping.name: set(mapping.depends_on) for mapping in STANDARD}


@pytest.fixture
def stocked(home: Home) -> Home:
    stock(home.store)
    return home


def nothing(unit: Unit) -> str:
    return ""


def ticked(home: Home, clock: Clock) -> list[str]:
    """Look at the schedules, as a worker does every other second; return the mappings whose jobs were queued."""
    return [job.mapping for job in tick(home.store, clock, nothing)]


def finish(home: Home, clock: Clock, mapping: str | None = None, *, failing: bool = False) -> None:
    """Bring the jobs that wait, those of one mapping or all, to their end."""
    with home.store.begin() as unit:
        waiting = [job for job in unit.background.ready(clock(), LONGEST_PAUSE) if mapping in (None, job.mapping)]
    for job in waiting:
        carrier = Carrier(home.store, MadeUp(home.store, 1), clock, living(home.store, clock), lambda: False)
        ending = carrier.carry(job.id, job.attempt, None)
        assert ending is not None
        if failing:
            ending = Ending(state=JobState.FAILED, message="It does not answer.", code=Unreachable.code, transient=True)
        carrier.end(job.id, job.attempt, [ending])


def schedule(home: Home, mapping: str) -> Schedule:
    with home.store.begin() as unit:
        return unit.background.schedules()[mapping]


def round_trip(home: Home, clock: Clock) -> list[str]:
    """Let every mapping that is due have its turn; return them in the order in which they had it."""
    order: list[str] = []
    while turn := ticked(home, clock):
        order += turn
        finish(home, clock)
        clock.pass_by(seconds=2)
    return order


# --- when -----------------------------------------------------------------------------------------------------


def test_every_enabled_mapping_is_synchronised_at_once_and_then_every_30_minutes(stocked: Home, clock: Clock) -> None:
    began = clock()
    assert sorted(round_trip(stocked, clock)) == sorted(DEPENDS_ON)
    assert round_trip(stocked, clock) == []
    assert EVERY_MINUTES == 30
    for name in DEPENDS_ON:
        assert timedelta(minutes=29) < schedule(stocked, name).next_at - began < timedelta(minutes=31)
    clock.at = began + timedelta(minutes=29)
    assert round_trip(stocked, clock) == []
    clock.at = began + timedelta(minutes=31)
    assert sorted(round_trip(stocked, clock)) == sorted(DEPENDS_ON)


def test_what_is_referred_to_comes_first(stocked: Home, clock: Clock) -> None:
    """engine rule J-13: a mapping comes after those on which it depends, also while these only run."""
    order = round_trip(stocked, clock)
    for position, name in enumerate(order):
        assert DEPENDS_ON[name] <= set(order[:position]), name
    clock.pass_by(minutes=31)
    assert "CUSTOMER" not in ticked(stocked, clock)
    finish(stocked, clock, "SALESPEOPLE")
    assert "CUSTOMER" not in ticked(stocked, clock), "currencies are still being synchronised"


def test_a_mapping_is_never_synchronised_twice_at_once(stocked: Home, clock: Clock) -> None:
    first = ticked(stocked, clock)
    clock.pass_by(hours=5)
    assert not set(first) & set(ticked(stocked, clock))
    with pytest.raises(JobRunning):
        run_now(stocked, first[0])


def test_what_was_missed_while_nothing_ran_is_made_up_for_once(stocked: Home, clock: Clock) -> None:
    round_trip(stocked, clock)
    began = clock.pass_by(hours=10)
    assert sorted(round_trip(stocked, clock)) == sorted(DEPENDS_ON)
    assert round_trip(stocked, clock) == []
    assert all(schedule(stocked, name).next_at > began for name in DEPENDS_ON)


def test_a_clock_that_ran_ahead_and_was_put_right_keeps_no_mapping_waiting(stocked: Home, clock: Clock) -> None:
    round_trip(stocked, clock)
    right = clock()
    clock.pass_by(days=400)
    assert "CUSTOMER" in round_trip(stocked, clock), "as if it had been off for long"
    clock.at = right
    assert "CUSTOMER" in round_trip(stocked, clock)
    assert schedule(stocked, "CUSTOMER").next_at <= clock() + timedelta(minutes=30)
    assert round_trip(stocked, clock) == [], "and once only"


def test_a_clock_that_is_put_back_a_little_delays_nothing_and_repeats_nothing(stocked: Home, clock: Clock) -> None:
    round_trip(stocked, clock)
    planned = schedule(stocked, "CUSTOMER").next_at
    clock.pass_by(minutes=-5)
    assert round_trip(stocked, clock) == [], "what has just run is not due again before its time"
    clock.at = planned
    assert "CUSTOMER" in round_trip(stocked, clock)


def test_of_several_workers_that_look_at_the_same_moment_one_gets_each_mapping(stocked: Home, clock: Clock) -> None:
    queued: list[str] = []
    together = threading.Barrier(3)

    def look() -> None:
        together.wait()
        queued.extend(ticked(stocked, clock))

    workers = [threading.Thread(target=look) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(queued) == len(set(queued)) > 0


def test_while_all_mappings_are_synchronised_as_one_job_none_is_due(stocked: Home, clock: Clock) -> None:
    job = run_all_now(stocked)
    assert ticked(stocked, clock) == []
    cancel_job(stocked, job.id)
    assert ticked(stocked, clock) != []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(0, 30, id="in time"),
        pytest.param(5, 30, id="a little late, and the pace is kept"),
        pytest.param(20, 35, id="late, but never two in short order"),
        pytest.param(600, 615, id="after a long time"),
    ],
)
def test_the_next_time_keeps_the_pace_and_is_never_in_the_past(clock: Clock, after: int, expected: int) -> None:
    planned = Schedule(mapping="CUSTOMER", next_at=clock())
    assert following(planned, clock() + timedelta(minutes=after)) == clock() + timedelta(minutes=expected)


def test_in_a_circle_of_dependencies_the_order_decides(clock: Clock) -> None:
    one, other = (
        msgspec.structs.replace(STANDARD[0], name=name, depends_on=(on,), order=order)
        for name, on, order in (("A", "B", 1), ("B", "A", 2))
    )
    schedules = {name: Schedule(mapping=name, next_at=clock()) for name in "AB"}
    assert _turn([other, one], schedules, set(), clock) == ["A"]
    assert _turn([other, one], schedules, {"A"}, clock) == []
    assert _turn([other, one], schedules, {ALL}, clock) == []


def _turn(mappings: list[Mapping], schedules: dict[str, Schedule], busy: set[str], clock: Clock) -> list[str]:
    return due_now(mappings, schedules, busy, clock())


# --- pausing --------------------------------------------------------------------------------------------------


def test_a_paused_schedule_rests_until_it_is_resumed_and_can_be_run_all_the_same(stocked: Home, clock: Clock) -> None:
    round_trip(stocked, clock)
    assert pause_schedule(stocked, "customer") == ["CUSTOMER"]
    clock.pass_by(hours=2)
    assert "CUSTOMER" not in round_trip(stocked, clock)
    shown = {view.mapping: view for view in list_schedules(stocked).schedules}
    assert shown["CUSTOMER"].next_at is None
    assert "person" in shown["CUSTOMER"].paused_reason
    job = run_now(stocked, "CUSTOMER", asked_by="Anna")
    assert (job.asked_by, job.scheduled) == ("Anna", False)
    finish(stocked, clock)
    resume_schedule(stocked, "CUSTOMER")
    assert schedule(stocked, "CUSTOMER").paused is False


def test_all_schedules_can_be_paused_and_paced_together(stocked: Home, clock: Clock) -> None:
    round_trip(stocked, clock)
    assert sorted(pause_schedule(stocked)) == sorted(DEPENDS_ON)
    clock.pass_by(days=1)
    assert ticked(stocked, clock) == []
    assert sorted(set_pace(stocked, None, 5)) == sorted(DEPENDS_ON)
    assert {view.every_minutes for view in list_schedules(stocked).schedules} == {5}
    for minutes in (0, -1, 60 * 24 * 7 + 1):
        with pytest.raises(InvalidOption):
            set_pace(stocked, None, minutes)
    with pytest.raises(UnknownMapping):
        pause_schedule(stocked, "NOBODY")


def test_who_changed_a_schedule_is_in_the_audit_log(stocked: Home) -> None:
    """What changes nothing leaves no line."""
    anna = Principal(kind=PrincipalKind.USER, name="anna", role=Role.ADMINISTRATOR)
    with asked_by(anna):
        set_pace(stocked, "CUSTOMER", 5)
        set_pace(stocked, "customer", 5)
        pause_schedule(stocked, "CUSTOMER")
    resume_schedule(stocked, "CUSTOMER")
    resume_schedule(stocked, "CUSTOMER")
    with stocked.store.begin() as unit:
        lines = sorted(unit.people.audit(actions=[AuditAction.CHANGE_SCHEDULE]), key=lambda each: each.id)
    assert [(each.actor, each.subject) for each in lines] == [
        ("anna", "CUSTOMER"),
        ("anna", "CUSTOMER"),
        (command_line().name, "CUSTOMER"),
    ]
    assert [each.details["changes"][0] for each in lines] == [
        {"setting": "every_minutes", "before": 30, "after": 5},
        {"setting": "paused_reason", "before": "", "after": "paused by a person"},
        {"setting": "paused_reason", "before": "paused by a person", "after": ""},
    ]


def test_a_disabled_mapping_is_left_alone(stocked: Home, clock: Clock) -> None:
    with stocked.store.begin() as unit:
        for mapping in unit.mappings():
            unit.put_mapping(msgspec.structs.replace(mapping, enabled=mapping.name == "CUSTOMER"))
    assert ticked(stocked, clock) == ["CUSTOMER"], "and nobody waits for it"
    assert [view.mapping for view in list_schedules(stocked).schedules] == ["CUSTOMER"]
    with pytest.raises(InvalidOption):
        run_now(stocked, "VENDOR")


# --- failing --------------------------------------------------------------------------------------------------


def test_nothing_runs_by_itself_while_something_is_in_the_way(stocked: Home, clock: Clock) -> None:
    assert tick(stocked.store, clock, lambda unit: "The connection crm is paused.") == []
    assert "connection" in list_schedules(stocked).hindrance, "this home has none"
    assert ticked(stocked, clock) != []


def test_while_a_system_is_out_of_reach_a_schedule_tries_sooner_at_growing_pauses(stocked: Home, clock: Clock) -> None:
    ticked(stocked, clock)
    pauses = []
    for _ in range(7):
        finish(stocked, clock, "CURRENCY", failing=True)
        found = schedule(stocked, "CURRENCY")
        pauses.append((found.next_at - clock()) / timedelta(minutes=1))
        clock.at = found.next_at
        assert "CURRENCY" in ticked(stocked, clock)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    finish(stocked, clock, "CURRENCY")
    found = schedule(stocked, "CURRENCY")
    assert (found.failures, found.next_at > clock()) == (0, True)


def last_of(home: Home, mapping: str) -> Job | None:
    return next(view.last for view in list_schedules(home).schedules if view.mapping == mapping)


def test_the_list_shows_what_goes_on_and_what_came_of_the_last_run(stocked: Home, clock: Clock) -> None:
    ticked(stocked, clock)
    views = {view.mapping: view for view in list_schedules(stocked).schedules}
    going = views["CURRENCY"].going_on
    assert going is not None
    assert (going.state, views["CURRENCY"].last) == (JobState.QUEUED, None)
    finish(stocked, clock)
    last = last_of(stocked, "CURRENCY")
    assert last is not None
    assert (last.id, last.state) == (going.id, JobState.FINISHED)
