"""The queries on what each record came to under a job that goes on after its process has died."""

from collections.abc import Iterable, Mapping

from sqlalchemy import func, select

from crosstie.model.records import Side
from crosstie.store.queries import Queries
from crosstie.store.schema import tallies


class TallyQueries(Queries):
    """The tallies' part of `Background`."""

    def tallied(self, job_id: int, names: Iterable[str]) -> dict[tuple[str, Side], str]:
        query = select(tallies.c.name, tallies.c.target, tallies.c.outcome).where(tallies.c.job_id == job_id)
        rows = self._work.read_among(query, tallies.c.name, names)
        return {(name, Side(target)): outcome for name, target, outcome in rows}

    def put_tallied(self, job_id: int, outcomes: Mapping[tuple[str, Side], str]) -> None:
        insert = self._work.upsert(tallies)
        statement = insert.on_conflict_do_update(
            index_elements=list(tallies.primary_key), set_={"outcome": insert.excluded.outcome}
        )
        rows = [
            {"job_id": job_id, "name": name, "target": target.value, "outcome": outcome}
            for (name, target), outcome in outcomes.items()
        ]
        self._work.write(statement, rows)

    def tally(self, job_id: int) -> dict[tuple[Side, str], int]:
        query = (
            select(tallies.c.target, tallies.c.outcome, func.count())
            .where(tallies.c.job_id == job_id)
            .group_by(tallies.c.target, tallies.c.outcome)
        )
        return {(Side(target), outcome): number for target, outcome, number in self._work.read(query)}
