"""The queries on the queue of background jobs, which are rows of the log of jobs from the moment they are wanted."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, insert, literal, literal_column, or_, select, update
from sqlalchemy.exc import IntegrityError

from crosstie.model.errors import JobRunning
from crosstie.model.jobs import Counters, Job, JobState, NewJob
from crosstie.store.base_background import Standing
from crosstie.store.codec import encode
from crosstie.store.jobs import SELECT_JOBS, SELECT_WHOLE_JOBS, job_of
from crosstie.store.queries import Queries
from crosstie.store.schema import jobs, tallies

_QUEUED: ColumnElement[str] = literal_column(f"'{JobState.QUEUED.value}'")
"""Spelt out, because an index on queued jobs only is of no use to a query that leaves the state open."""
_GOING_ON = or_(
    jobs.c.state.in_([JobState.QUEUED.value, JobState.RUNNING.value]),
    and_(jobs.c.state == JobState.INTERRUPTED.value, jobs.c.use_case != ""),
)
_SUPERSEDED = "Another job of the mapping was waiting already and goes on in its place."


class QueueQueries(Queries):
    """The queue's part of `Background`."""

    def add_job(self, new: NewJob, now: datetime) -> Job:
        if new.exclusive and (going := self._going_on(new.mapping)):
            raise _refusal(going)
        row = {
            "kind": new.kind.value,
            "mapping": new.mapping,
            "direction": new.direction.value,
            "exclusive": new.exclusive,
            "state": JobState.QUEUED.value,
            "owner": "",
            "started_at": now,
            "to_remote": encode(Counters()),
            "from_remote": encode(Counters()),
            "message": "",
            "details": encode({}),
            "use_case": new.use_case,
            "arguments": encode(new.arguments),
            "asked_by": new.asked_by,
            "scheduled": new.scheduled,
        }
        try:
            with self._work.savepoint():
                [(job_id,)] = self._work.write_returning(insert(jobs).values(row).returning(jobs.c.id))
        except IntegrityError as error:
            raise _refusal(self._going_on(new.mapping)) from error
        stored = self.job(job_id)
        assert stored is not None, "it was stored just now"
        return stored

    def job(self, job_id: int) -> Job | None:
        rows = self._work.read(SELECT_WHOLE_JOBS.where(jobs.c.id == job_id))
        return job_of(rows[0]) if rows else None

    def parts(self, job_id: int) -> list[Job]:
        query = SELECT_JOBS.where(jobs.c.parent_id == job_id).order_by(jobs.c.id)
        return [job_of(row) for row in self._work.read(query)]

    def going_on(self) -> list[Job]:
        return [job_of(row) for row in self._work.read(SELECT_JOBS.where(_GOING_ON).order_by(jobs.c.id))]

    def ready(self, now: datetime, longest_pause: timedelta, *, limit: int = 100) -> list[Job]:
        query = SELECT_JOBS.where(
            jobs.c.state == _QUEUED,
            or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now, jobs.c.not_before > now + longest_pause),
        ).order_by(jobs.c.id)
        return [job_of(row) for row in self._work.read(query.limit(limit))]

    def claim(self, job: Job, owner: str, now: datetime) -> Job | None:
        recovered = job.state is not JobState.QUEUED
        changed = {
            "state": JobState.RUNNING.value,
            "owner": owner,
            "started_at": job.started_at if recovered or job.attempt else now,
            "finished_at": None,
            "message": "",
            "recoveries": job.recoveries + recovered,
        }
        try:
            with self._work.savepoint():
                hit = self._work.write(update(jobs).where(*_as(job)).values(changed))
        except IntegrityError as error:
            raise _refusal([each for each in self._going_on(job.mapping) if each.id != job.id]) from error
        return self.job(job.id) if hit else None

    def give_back(
        self, job: Job, now: datetime, *, message: str, not_before: datetime | None = None, failed: bool = False
    ) -> bool:
        changed = {
            "state": JobState.QUEUED.value,
            "owner": "",
            "message": message,
            "not_before": not_before,
            "attempt": job.attempt + 1,
            "failures": job.failures + 1 if failed else job.failures,
            "finished_at": None,
        }
        try:
            with self._work.savepoint():
                return bool(self._work.write(update(jobs).where(*_as(job)).values(changed)))
        except IntegrityError:
            ended = {
                "state": JobState.INTERRUPTED.value,
                "use_case": "",
                "message": _SUPERSEDED,
                "finished_at": now,
                "phase": "",
            }
            return bool(self._work.write(update(jobs).where(*_as(job)).values(ended)))

    def close_job(
        self, job: Job, state: JobState, *, message: str, now: datetime, details: dict[str, Any] | None = None
    ) -> bool:
        changed: dict[str, Any] = {"state": state.value, "message": message, "finished_at": now, "phase": ""}
        if details is not None:
            changed["details"] = encode(details)
        closed = bool(self._work.write(update(jobs).where(*_as(job)).values(changed)))
        if closed:
            whole = select(jobs.c.id).where(or_(jobs.c.id == job.id, jobs.c.parent_id == job.id))
            self._work.write(delete(tallies).where(tallies.c.job_id.in_(whole)))
        return closed

    def request_cancel(self, job_id: int, now: datetime) -> Job | None:
        waits = or_(
            jobs.c.state == JobState.QUEUED.value,
            and_(jobs.c.state == JobState.INTERRUPTED.value, jobs.c.use_case != ""),
        )
        runs = jobs.c.state == JobState.RUNNING.value
        changed = {
            "cancel_requested": True,
            "state": case((waits, JobState.CANCELLED.value), else_=jobs.c.state),
            "finished_at": case((waits, literal(now, jobs.c.finished_at.type)), else_=jobs.c.finished_at),
            "message": case((waits, "Cancelled before it began, or while it waited to go on."), else_=jobs.c.message),
        }
        self._work.write(update(jobs).where(jobs.c.id == job_id, or_(waits, runs)).values(changed))
        return self.job(job_id)

    def standing(self, job_id: int) -> Standing | None:
        query = select(jobs.c.state, jobs.c.owner, jobs.c.cancel_requested).where(jobs.c.id == job_id)
        for state, owner, cancel_requested in self._work.read(query):
            return Standing(state=JobState(state), owner=owner, cancel_requested=cancel_requested)
        return None

    def note_progress(self, job_id: int, done: int, phase: str) -> None:
        # A figure that has turned out too small is none.
        expected = case((jobs.c.expected >= done, jobs.c.expected))
        self._work.write(update(jobs).where(jobs.c.id == job_id).values(done=done, phase=phase, expected=expected))

    def note_expected(self, job_id: int, expected: int) -> None:
        self._work.write(update(jobs).where(jobs.c.id == job_id).values(expected=expected))

    def _going_on(self, mapping: str) -> list[Job]:
        """Return the exclusive jobs of a mapping that wait or run, oldest first."""
        alive = jobs.c.state.in_([JobState.QUEUED.value, JobState.RUNNING.value])
        query = SELECT_JOBS.where(jobs.c.mapping == mapping, jobs.c.exclusive, alive).order_by(jobs.c.id)
        return [job_of(row) for row in self._work.read(query)]


def _as(job: Job) -> tuple[ColumnElement[bool], ...]:
    """Conditions that a row is still as a job was read."""
    return (
        jobs.c.id == job.id,
        jobs.c.state == job.state.value,
        jobs.c.owner == job.owner,
        jobs.c.attempt == job.attempt,
    )


def _refusal(going: list[Job]) -> JobRunning:
    """Return the error that names the job which is in the way."""
    if not going:
        return JobRunning("A job of the same mapping has just been running.")
    first = next((job for job in going if job.state is JobState.RUNNING), going[0])
    what = f"of mapping {first.mapping}" if first.mapping else "of all mappings"
    does = "is running since" if first.state is JobState.RUNNING else "has been waiting to run since"
    by = f" ({first.owner})" if first.owner else ""
    return JobRunning(
        f"Job {first.id} {what} {does} {first.started_at:%Y-%m-%d %H:%M:%S} UTC{by}.",
        mapping=first.mapping,
        job=first.id,
        owner=first.owner,
    )
