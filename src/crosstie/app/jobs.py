"""Background jobs and schedules: asking for a job, looking at it, stopping it, and when what runs by itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from crosstie.app.asking import asker, asker_words
from crosstie.app.background import HomeDuties, read_arguments
from crosstie.app.home import Home
from crosstie.app.people.acting import note
from crosstie.app.session import find_mapping, utc_now
from crosstie.engine.planning import order_mappings
from crosstie.jobs.processes import living, process_lives
from crosstie.jobs.scheduling import ALL, following, run_of
from crosstie.jobs.worker import Pace, Worker
from crosstie.model.errors import InvalidOption, UnknownJob, UnknownMapping
from crosstie.model.jobs import Job, JobState, NewJob
from crosstie.model.mappings import Direction
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.people import AuditAction
from crosstie.model.places import Place
from crosstie.model.schedules import Schedule
from crosstie.store.base import Unit

BY_A_PERSON = "paused by a person"


class JobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it is now, and the jobs that are parts of it. `workers` counts the workers that could carry it out."""

    job: Job
    parts: list[Job]
    workers: int


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """The schedule of an enabled mapping, with the job that goes on and the last one that the schedule wanted."""

    mapping: str
    every_minutes: int
    paused_reason: str
    next_at: datetime | None
    """None for one that does not run by itself at present."""
    failures: int
    going_on: Job | None
    last: Job | None


class Schedules(msgspec.Struct, frozen=True, kw_only=True):
    """All schedules in dependency order. `hindrance` is why none of them runs now, if anything is in the way."""

    schedules: list[ScheduleView]
    hindrance: str
    workers: int


# --- jobs -----------------------------------------------------------------------------------------------------


def enqueue(home: Home, use_case: str, arguments: Mapping[str, Any], *, asked_by: str = "") -> Job:
    """Have a worker carry out a use case (`app.background.USE_CASES`) and return the job, which has its number now.

    Unless `asked_by` says who wants it, it is whoever asks (`app.asking`).

    Raises InvalidOption if use case or arguments cannot be, UnknownMapping, and JobRunning if the job works through a
    mapping as a whole and another such job of it waits or runs.
    """
    given = read_arguments(use_case, arguments)
    with home.store.begin() as unit:
        mapping = find_mapping(unit.mappings(), given.mapping) if given.mapping is not None else None
        given.check(mapping)
        if mapping is not None:
            given = msgspec.structs.replace(given, mapping=mapping.name)
        elif not any(each.enabled for each in unit.mappings()):
            raise UnknownMapping(
                "There is no enabled mapping.",
                next_step="Enable a mapping, or load the standard ones.",
                place=Place.MAPPING_RESET,
            )
        new = NewJob(
            kind=given.kind(),
            mapping=mapping.name if mapping is not None else ALL,
            direction=mapping.direction if mapping is not None else Direction.BIDIRECTIONAL,
            exclusive=given.exclusive(),
            use_case=use_case,
            arguments=msgspec.to_builtins(given),
            asked_by=asked_by or asker_words(),
        )
        return unit.background.add_job(new, utc_now())


def job_status(home: Home, job_id: int) -> JobStatus:
    """Return a job as it is now. Raises UnknownJob."""
    with home.store.begin() as unit:
        job = unit.background.job(job_id)
        if job is None:
            raise UnknownJob(f"There is no job {job_id}.", job=job_id)
        return JobStatus(job=job, parts=unit.background.parts(job_id), workers=_workers(unit))


def cancel_job(home: Home, job_id: int) -> Job:
    """Stop a job: one that waits at once, one that runs at the end of its page. Returns it; raises UnknownJob.

    What was done stays. A job that is over stays as it is.
    """
    lives = living(home.store, utc_now)
    with home.store.begin() as unit:
        job = unit.background.request_cancel(job_id, utc_now())
    if job is None:
        raise UnknownJob(f"There is no job {job_id}.", job=job_id)
    if job.state is JobState.RUNNING and not lives(job.owner):
        words = f"Cancelled after {job.done:,} records; the process that ran it had ended before."
        with home.store.begin() as unit:
            unit.background.close_job(job, JobState.CANCELLED, message=words, now=utc_now())
            job = unit.background.job(job_id) or job
    return job


def job_worker(home: Home, pace: Pace | None = None) -> Worker:
    """Return a worker of the home for this process; its `start` and `stop` are not to be called in an event loop.

    The home has to stay open until the worker has been stopped.
    """
    return Worker(home.store, home.store_address, HomeDuties(home), utc_now, pace)


# --- schedules ------------------------------------------------------------------------------------------------


def list_schedules(home: Home) -> Schedules:
    """Return the schedules of all enabled mappings."""
    with home.store.begin() as unit:
        known = unit.background.schedules()
        going = {job.mapping: job for job in unit.background.going_on() if job.exclusive}
        views = []
        for mapping in order_mappings(each for each in unit.mappings() if each.enabled):
            schedule = known.get(mapping.name) or Schedule(mapping=mapping.name, next_at=utc_now())
            last = unit.background.job(schedule.last_job_id) if schedule.last_job_id is not None else None
            views.append(
                ScheduleView(
                    mapping=mapping.name,
                    every_minutes=schedule.every_minutes,
                    paused_reason=schedule.paused_reason,
                    next_at=None if schedule.paused else schedule.next_at,
                    failures=schedule.failures,
                    going_on=going.get(mapping.name) or going.get(ALL),
                    last=last,
                )
            )
        return Schedules(schedules=views, hindrance=HomeDuties(home).hindrance(unit), workers=_workers(unit))


def pause_schedule(home: Home, mapping: str | None = None, *, reason: str = BY_A_PERSON) -> list[str]:
    """Keep a mapping, or every enabled one, from being synchronised by itself; return their names.

    A job that runs already goes on. Whoever asks (`app.asking`) is noted in the audit log, as with every change of a
    schedule. Raises UnknownMapping.
    """
    return _change(home, mapping, lambda schedule: msgspec.structs.replace(schedule, paused_reason=reason))


def resume_schedule(home: Home, mapping: str | None = None) -> list[str]:
    """Synchronise a mapping, or every enabled one, by itself again, beginning now. Raises UnknownMapping."""
    now = utc_now()
    return _change(
        home,
        mapping,
        lambda schedule: (
            msgspec.structs.replace(schedule, paused_reason="", failures=0, next_at=now)
            if schedule.paused
            else schedule
        ),
    )


def set_pace(home: Home, mapping: str | None, every_minutes: int) -> list[str]:
    """Synchronise a mapping, or every enabled one, every so many minutes. Raises UnknownMapping, InvalidOption."""
    if not 1 <= every_minutes <= 60 * 24 * 7:
        raise InvalidOption(
            f"A mapping can be synchronised every minute at most and every week at least, not every {every_minutes} "
            "minutes.",
            every_minutes=every_minutes,
        )
    now = utc_now()

    def change(schedule: Schedule) -> Schedule:
        changed = msgspec.structs.replace(schedule, every_minutes=every_minutes)
        return msgspec.structs.replace(changed, next_at=min(schedule.next_at, following(changed, now)))

    return _change(home, mapping, change)


def run_now(home: Home, mapping: str, *, asked_by: str = "") -> Job:
    """Do now what the schedule of a mapping would do later, paused or not. Raises UnknownMapping, JobRunning."""
    now = utc_now()
    with home.store.begin() as unit:
        found = find_mapping(unit.mappings(), mapping)
        if not found.enabled:
            raise InvalidOption(f"The mapping {found.name} is disabled.", next_step="Enable it first.")
        schedule = unit.background.schedule(found.name) or Schedule(mapping=found.name, next_at=now)
        job = unit.background.add_job(run_of(found, scheduled=False, asked_by=asked_by or asker_words()), now)
        following_at = max(schedule.next_at, following(msgspec.structs.replace(schedule, next_at=now), now))
        unit.background.put_schedule(msgspec.structs.replace(schedule, next_at=following_at, last_job_id=job.id))
    return job


def run_all_now(home: Home, *, asked_by: str = "") -> Job:
    """Synchronise what changed in every enabled mapping, one after the other, as one job. Raises JobRunning."""
    return enqueue(home, "synchronise", {"patient": True}, asked_by=asked_by)


def _change(home: Home, mapping: str | None, change: Callable[[Schedule], Schedule]) -> list[str]:
    with home.store.begin() as unit:
        names = _names(unit.mappings(), mapping)
        for name in names:
            before = unit.background.schedule(name) or Schedule(mapping=name, next_at=utc_now())
            after = change(before)
            unit.background.put_schedule(after)
            if changes := _differences(before, after):
                note(unit, asker(), AuditAction.CHANGE_SCHEDULE, name, utc_now(), details={"changes": changes})
    return names


def _differences(before: Schedule, after: Schedule) -> list[dict[str, Any]]:
    """Return what a person decides about a schedule and what has become otherwise."""
    return [
        {"setting": name, "before": old, "after": new}
        for name in ("every_minutes", "paused_reason")
        if (old := getattr(before, name)) != (new := getattr(after, name))
    ]


def _names(mappings: Sequence[TableMapping], mapping: str | None) -> list[str]:
    if mapping is not None:
        return [find_mapping(mappings, mapping).name]
    return [each.name for each in mappings if each.enabled]


def _workers(unit: Unit) -> int:
    at = unit.background.clock(utc_now())
    return sum(1 for each in unit.background.processes() if each.worker and process_lives(each, at))
