"""The queries on problems and on what they wait for.

A problem is kept under the ids that were known when it was opened, and found under either of them, and under the id
of the partner if the record has been coupled since. The indexes allow one open problem a record of a mapping.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from crosstie.model.mappings import Direction
from crosstie.model.problems import NewProblem, Problem, ProblemClass, WaitsFor
from crosstie.model.records import Side
from crosstie.store.codec import decode_problem_fields, encode
from crosstie.store.queries import Queries
from crosstie.store.renewal import renew
from crosstie.store.schema import couplings, problems, waits
from crosstie.store.work import AnyRow, Work

_NEW = tuple(name for name in NewProblem.__struct_fields__ if name != "waits_for")
_STORED = ("id", "attempts", "first_seen", "last_seen", "closed_at")
_COLUMNS = (*_NEW, *_STORED)
SELECT = select(*(problems.c[name] for name in _COLUMNS)).where(problems.c.closed_at.is_(None))
_SELECT_WAITS = select(waits.c.problem_id, waits.c.mapping, waits.c.side, waits.c.key).order_by(
    waits.c.problem_id, waits.c.mapping, waits.c.side, waits.c.key
)
_INSERT = insert(problems)
_UPDATE = (
    update(problems)
    .where(problems.c.id == bindparam("which"))
    .values({name: bindparam(f"new_{name}") for name in _COLUMNS if name != "id"})
)
_TRIES = 5
"""How often a problem that another unit opened at the same instant is looked for again."""


class ProblemQueries(Queries):
    """The problems' part of a unit."""

    def put_problems(self, new: Sequence[NewProblem], now: datetime) -> list[Problem]:
        for attempt in range(_TRIES):
            try:
                with self._work.savepoint():
                    return self._renew(new, now)
            except IntegrityError:
                # Another unit has just opened a problem of the same record: now it can be found, and renewed.
                if attempt == _TRIES - 1:
                    raise
        return []

    def close_problems(self, mapping: str, side: Side, record_ids: Iterable[str], now: datetime) -> int:
        ids = sorted(self._of_records(mapping, side, record_ids))
        self._close(ids, now)
        return len(ids)

    def problems(
        self,
        mapping: str | None = None,
        *,
        records: Iterable[tuple[Side, str]] | None = None,
        code: str | None = None,
        limit: int = 1000,
        after_id: int = 0,
    ) -> list[Problem]:
        query = SELECT.where(problems.c.id > after_id).order_by(problems.c.id)
        if mapping is not None:
            query = query.where(problems.c.mapping == mapping)
        if code is not None:
            query = query.where(problems.c.code == code)
        if records is None:
            return loaded(self._work, self._work.read(query.limit(limit)))
        ids: set[int] = set()
        named = list(records)
        for side in Side:
            ids |= self._of_records(mapping, side, [id_ for at, id_ in named if at is side])
        rows = self._work.read_among(query, problems.c.id, sorted(ids))
        return loaded(self._work, rows[:limit])

    def count_problems(self) -> dict[str, dict[str, int]]:
        query = (
            select(problems.c.mapping, problems.c.code, func.count())
            .where(problems.c.closed_at.is_(None))
            .group_by(problems.c.mapping, problems.c.code)
        )
        counted: dict[str, dict[str, int]] = {}
        for mapping, code, number in self._work.read(query):
            counted.setdefault(mapping, {})[code] = number
        return counted

    def waiting_for(self, mapping: str, side: Side, keys: Iterable[str]) -> list[Problem]:
        query = select(waits.c.problem_id).where(waits.c.mapping == mapping, waits.c.side == side.value)
        ids = {row.problem_id for row in self._work.read_among(query, waits.c.key, keys)}
        return loaded(self._work, self._work.read_among(SELECT.order_by(problems.c.id), problems.c.id, sorted(ids)))

    def _of_records(self, mapping: str | None, side: Side, record_ids: Iterable[str]) -> set[int]:
        """Return the ids of the open problems of these records, directly or through their couplings."""
        ids = list(record_ids)
        own, other = (problems.c[f"{each.value}_id"] for each in (side, side.other))
        still_open = select(problems.c.id).where(problems.c.closed_at.is_(None))
        if mapping is not None:
            still_open = still_open.where(problems.c.mapping == mapping)
        if not ids or not self._work.read(
            still_open.order_by(problems.c.id).limit(1)
        ):  # most pages are of mappings without any problem
            return set()
        found = {row.id for row in self._work.read_among(still_open, own, ids)}
        # Kept under the other id alone are those that were opened before the record was coupled.
        halves = select(problems.c.mapping).where(problems.c.closed_at.is_(None), own.is_(None)).distinct()
        for (name,) in self._work.read(halves if mapping is None else halves.where(problems.c.mapping == mapping)):
            partners = self._partners(name, side, ids)
            query = still_open.where(problems.c.mapping == name, own.is_(None))
            found.update(row.id for row in self._work.read_among(query, other, partners))
        return found

    def _partners(self, mapping: str, side: Side, ids: Sequence[str]) -> list[str]:
        """Return the ids on the other side to which these records are coupled."""
        own, other = (couplings.c[f"{each.value}_id"] for each in (side, side.other))
        query = select(other).where(couplings.c.mapping == mapping)
        return [partner for (partner,) in self._work.read_among(query, own, ids)]

    def _renew(self, new: Sequence[NewProblem], now: datetime) -> list[Problem]:
        ids = iter(self._work.new_ids(problems, len(new)))
        renewal = renew(new, self._open(new), now, ids)
        self._close(renewal.superseded, now)
        self._forget_waits([problem.id for problem in renewal.renewed])
        self._work.write(
            _UPDATE,
            [
                {"which": each.id} | {f"new_{name}": value for name, value in _row(each).items() if name != "id"}
                for each in renewal.renewed
            ],
        )
        self._work.write(_INSERT, [_row(each) for each in renewal.opened])
        self._work.write(
            insert(waits),
            [
                {"problem_id": each.id, "mapping": wait.mapping, "side": wait.side.value, "key": wait.key}
                for each in (*renewal.renewed, *renewal.opened)
                for wait in dict.fromkeys(each.waits_for)
            ],
        )
        return list(renewal.results)

    def _open(self, new: Sequence[NewProblem]) -> list[Problem]:
        """Return the open problems of the records of `new`, locked."""
        rows: dict[int, AnyRow] = {}
        for mapping in dict.fromkeys(each.mapping for each in new):
            query = SELECT.where(problems.c.mapping == mapping).order_by(problems.c.id)
            group = [each for each in new if each.mapping == mapping]
            local_ids = [each.local_id for each in group if each.local_id is not None]
            remote_ids = [each.remote_id for each in group if each.remote_id is not None]
            for row in self._work.read_among(query, problems.c.local_id, local_ids, lock=True):
                rows[row.id] = row
            for row in self._work.read_among(query, problems.c.remote_id, remote_ids, lock=True):
                rows[row.id] = row
        return loaded(self._work, list(rows.values()))

    def _close(self, ids: Sequence[int], now: datetime) -> None:
        for condition in self._work.among(problems.c.id, ids):
            self._work.write(update(problems).where(condition).values(closed_at=now))
        self._forget_waits(ids)

    def _forget_waits(self, ids: Sequence[int]) -> None:
        for condition in self._work.among(waits.c.problem_id, ids):
            self._work.write(delete(waits).where(condition))


def loaded(work: Work, rows: Sequence[AnyRow]) -> list[Problem]:
    """Return the problems of rows of `SELECT`, with what they wait for."""
    awaited: dict[int, list[WaitsFor]] = {}
    for problem_id, mapping, side, key in work.read_among(_SELECT_WAITS, waits.c.problem_id, [row.id for row in rows]):
        awaited.setdefault(problem_id, []).append(WaitsFor(mapping, Side(side), key))
    return [_problem(row, tuple(awaited.get(row.id, ()))) for row in rows]


def _row(problem: Problem) -> dict[str, Any]:
    row = {name: getattr(problem, name) for name in _COLUMNS}
    row["problem_class"] = problem.problem_class.value
    row["direction"] = None if problem.direction is None else problem.direction.value
    row["fields"] = encode(problem.fields)
    return row


def _problem(row: AnyRow, waits_for: tuple[WaitsFor, ...]) -> Problem:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["problem_class"] = ProblemClass(values["problem_class"])
    values["direction"] = None if values["direction"] is None else Direction(values["direction"])
    values["fields"] = decode_problem_fields(values["fields"])
    return Problem(**values, waits_for=waits_for)
