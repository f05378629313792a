"""When mappings are synchronised by themselves: whose turn it is, and when it comes again. Pure but for `tick`."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from crosstie.engine.planning import order_mappings
from crosstie.model.errors import JobRunning
from crosstie.model.jobs import Job, JobKind, NewJob
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.schedules import Schedule
from crosstie.store.base import Store, Unit

_FIRST_PAUSE = timedelta(minutes=1)
USE_CASE = "synchronise"
ALL = ""
"""Stands for the mapping of a job that goes through several."""


def due_now(
    mappings: Iterable[TableMapping], schedules: Mapping[str, Schedule], busy: Collection[str], now: datetime
) -> list[str]:
    """Return the mappings that are to be synchronised now, in dependency order (engine W-18).

    One waits while another on which it depends is due itself or is `busy`: so that what is referred to comes first.
    In a circle of dependencies the mappings' own order decides. While a job goes through all of them, none is due.
    """
    if ALL in busy:
        return []
    waiting: set[str] = set(busy)
    turn: list[str] = []
    seen: set[str] = set()
    for mapping in order_mappings(each for each in mappings if each.enabled):
        name = mapping.name
        depends_on = [other for other in mapping.depends_on if other in seen]
        seen.add(name)
        schedule = schedules.get(name)
        if schedule is None or name in busy or not has_come(schedule, now):
            continue
        if not waiting.intersection(depends_on):
            turn.append(name)
        waiting.add(name)
    return turn


def has_come(schedule: Schedule, now: datetime) -> bool:
    """Whether the time of a schedule has come.

    One further away than twice its pace was set by a clock that ran ahead and has been put right: it has come, too.
    """
    return not schedule.paused and not now < schedule.next_at <= now + 2 * _pace(schedule)


def _pace(schedule: Schedule) -> timedelta:
    return timedelta(minutes=max(schedule.every_minutes, 1))


def following(schedule: Schedule, now: datetime) -> datetime:
    """Return the time after the one that has come: at the schedule's pace, but never in the past."""
    pace = _pace(schedule)
    return min(max(schedule.next_at + pace, now + pace / 2), now + pace)


def after_run(schedule: Schedule, job_id: int, unreachable: bool, now: datetime) -> Schedule:
    """Return a schedule after a run of its own: while a system is out of reach it tries sooner, at growing pauses."""
    if not unreachable:
        return msgspec.structs.replace(schedule, last_job_id=job_id, failures=0)
    pause = min(_FIRST_PAUSE * 2 ** min(schedule.failures, 20), _pace(schedule))
    return msgspec.structs.replace(schedule, last_job_id=job_id, failures=schedule.failures + 1, next_at=now + pause)


def missing(mappings: Sequence[TableMapping], schedules: Mapping[str, Schedule], now: datetime) -> list[Schedule]:
    """Return schedules for the enabled mappings that have none yet; they run at once."""
    return [
        Schedule(mapping=each.name, next_at=now) for each in mappings if each.enabled and each.name not in schedules
    ]


def run_of(mapping: TableMapping, *, scheduled: bool, asked_by: str = "") -> NewJob:
    """Return the job that synchronises what changed in a mapping, leaving alone what is to be retried later."""
    return NewJob(
        kind=JobKind.SYNCHRONISATION,
        mapping=mapping.name,
        direction=mapping.direction,
        exclusive=True,
        use_case=USE_CASE,
        arguments={"mapping": mapping.name, "patient": True},
        asked_by=asked_by,
        scheduled=scheduled,
    )


def tick(store: Store, now: Callable[[], datetime], hindrance: Callable[[Unit], str]) -> list[Job]:
    """Queue a job for every mapping whose turn it is and return those jobs.

    Of several workers that do this at once, one gets each mapping. `hindrance` says why nothing can run at all.
    """
    at = now()
    with store.begin() as unit:
        schedules = unit.background.schedules()
        mappings = unit.mappings()
        new = missing(mappings, schedules, at)
        if not new and not any(has_come(each, at) for each in schedules.values()):
            return []
        if hindrance(unit):
            return []
        unit.background.add_schedules(new)
        schedules |= {schedule.mapping: schedule for schedule in new}
        busy = {job.mapping for job in unit.background.going_on() if job.exclusive}
        by_name = {mapping.name: mapping for mapping in mappings}
        queued = []
        for name in due_now(mappings, schedules, busy, at):
            schedule = schedules[name]
            if not unit.background.claim_schedule(schedule, following(schedule, at)):
                continue
            try:
                queued.append(unit.background.add_job(run_of(by_name[name], scheduled=True), at))
            except JobRunning:
                continue  # it is being synchronised already
        return queued
