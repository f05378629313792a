"""The queries on problems that people look at: by cause, by what they wait for, and page by page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from crosstie.model.problems import Problem, ProblemClass, ProblemFilter, ProblemGroup, WaitsFor
from crosstie.model.records import Side
from crosstie.store.problems import SELECT, loaded
from crosstie.store.queries import Queries
from crosstie.store.schema import problems as table
from crosstie.store.schema import waits


class ProblemLists(Queries):
    """The problems' part of `store.base_lists.Lists` by SQL."""

    def problems(
        self, filter: ProblemFilter, *, ids: Sequence[int] | None = None, limit: int = 100, after_id: int = 0
    ) -> list[Problem]:
        query = SELECT.where(table.c.id > after_id, *_admitted(filter)).order_by(table.c.id)
        if ids is None:
            return loaded(self._work, self._work.read(query.limit(limit)))
        return loaded(self._work, self._work.read_among(query, table.c.id, sorted(ids))[:limit])

    def problem_groups(self, filter: ProblemFilter, since: datetime) -> list[ProblemGroup]:
        query = _counted(since, table.c.code, table.c.problem_class).where(*_admitted(filter))
        found: dict[tuple[str, str], list[Any]] = {}
        for row in self._work.read(query):
            found.setdefault((row.code, row.problem_class), []).append(row)
        groups = [_group(rows, None) for rows in found.values()]
        return sorted(groups, key=lambda group: (-group.count, group.code))

    def waiting_groups(self, filter: ProblemFilter, since: datetime, *, limit: int = 20) -> list[ProblemGroup]:
        of = (waits.c.mapping, waits.c.side, waits.c.key)
        joined = waits.c.problem_id == table.c.id
        largest = (
            select(*of).where(joined, *_admitted(filter)).group_by(*of).order_by(func.count().desc(), *of).limit(limit)
        )
        groups = []
        for mapping, side, key in self._work.read(largest):
            awaited = (waits.c.mapping == mapping, waits.c.side == side, waits.c.key == key)
            query = _counted(since, table.c.code, table.c.problem_class).where(joined, *awaited, *_admitted(filter))
            groups.append(_group(self._work.read(query), WaitsFor(mapping, Side(side), key)))
        return groups


def _admitted(filter: ProblemFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter on open problems."""
    found: list[ColumnElement[bool]] = [table.c.closed_at.is_(None)]
    if filter.mapping is not None:
        found.append(table.c.mapping == filter.mapping)
    if filter.problem_class is not None:
        found.append(table.c.problem_class == filter.problem_class.value)
    if filter.code is not None:
        found.append(table.c.code == filter.code)
    if search := filter.search.strip():
        columns = (table.c.name, table.c.words)
        found.append(or_(*(func.lower(each).contains(search.lower(), autoescape=True) for each in columns)))
    if filter.waits_for is not None:
        awaited = filter.waits_for
        found.append(
            table.c.id.in_(
                select(waits.c.problem_id).where(
                    waits.c.mapping == awaited.mapping,
                    waits.c.side == awaited.side.value,
                    waits.c.key == awaited.key,
                )
            )
        )
    return found


def _counted(since: datetime, *by: ColumnElement[Any]) -> Select[Any]:
    """Return the query for figures by some columns and the mapping."""
    return select(
        *by,
        table.c.mapping,
        func.count().label("number"),
        func.sum(case((table.c.first_seen >= since, 1), else_=0)).label("new"),
        func.min(table.c.first_seen).label("oldest"),
    ).group_by(*by, table.c.mapping)


def _group(rows: Sequence[Any], awaited: WaitsFor | None) -> ProblemGroup:
    return ProblemGroup(
        code=rows[0].code,
        problem_class=ProblemClass(rows[0].problem_class),
        waits_for=awaited,
        mappings={row.mapping: row.number for row in sorted(rows, key=lambda row: row.mapping)},
        new=sum(int(row.new) for row in rows),
        oldest=min(row.oldest for row in rows),
    )
