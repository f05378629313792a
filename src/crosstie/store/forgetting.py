"""The queries that forget: finished jobs, their journal, and closed problems, a little at a time."""

from datetime import datetime

from sqlalchemy import delete, exists, select

from crosstie.model.jobs import JobState
from crosstie.store.queries import Queries
from crosstie.store.schema import jobs, journal, problems, removed_couplings

_OVER = [
    state.value
    for state in (
        JobState.FINISHED,
        JobState.FAILED,
        JobState.STOPPED,
        JobState.CANCELLED,
        JobState.INTERRUPTED,
    )
]
_JOBS_AT_ONCE = 100
_EXPLAIN_PROBLEMS = select(problems.c.job_id).where(problems.c.closed_at.is_(None), problems.c.job_id.is_not(None))
"""What a skipped record's problem refers to stays, so that its reason can be read (engine rule D-25)."""


class ForgettingQueries(Queries):
    """What `Background` forgets."""

    def forget_jobs(self, before: datetime, *, limit: int = 1000) -> int:
        ended = select(jobs.c.id).where(jobs.c.finished_at < before, jobs.c.state.in_(_OVER))
        ended = ended.where(jobs.c.id.not_in(_EXPLAIN_PROBLEMS))
        ids = [row.id for row in self._work.read(ended.order_by(jobs.c.id).limit(_JOBS_AT_ONCE))]
        if not ids:
            return 0
        entries = select(journal.c.id).where(journal.c.job_id.in_(ids)).limit(limit)
        removed = self._work.write(delete(journal).where(journal.c.id.in_(entries)))
        if removed < limit:
            removed += self._work.write(delete(jobs).where(jobs.c.id.in_(ids)))
        return removed

    def forget_journal(self, before: datetime, *, limit: int = 5000) -> int:
        # Ids grow with time: what is older than the first entry to be kept is found without looking at the rest.
        kept = self._work.read(select(journal.c.id).where(journal.c.at >= before).order_by(journal.c.id).limit(1))
        orphans = select(journal.c.id).where(
            journal.c.at < before, ~exists().where(jobs.c.id == journal.c.job_id).correlate(journal)
        )
        if kept:
            orphans = orphans.where(journal.c.id < kept[0].id)
        return self._work.write(delete(journal).where(journal.c.id.in_(orphans.order_by(journal.c.id).limit(limit))))

    def forget_removed(self, before: datetime, *, limit: int = 1000) -> int:
        known = removed_couplings.c
        old = select(known.id).where(known.removed_at < before).order_by(known.removed_at).limit(limit)
        return self._work.write(delete(removed_couplings).where(known.id.in_(old)))

    def forget_problems(self, before: datetime, *, limit: int = 1000) -> int:
        closed = select(problems.c.id).where(problems.c.closed_at < before).order_by(problems.c.closed_at).limit(limit)
        return self._work.write(delete(problems).where(problems.c.id.in_(closed)))
