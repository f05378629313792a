"""The queries on lists that people look at: couplings by state, in the order of a key or a name, and selections."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select

from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.records import Side
from crosstie.store.base_lists import Column, Place
from crosstie.store.couplings import SELECT, coupling_of, mentioning
from crosstie.store.problem_lists import ProblemLists
from crosstie.store.schema import couplings as table
from crosstie.store.schema_lists import selections

_MANY = 2000
"""From so many couplings of the states wanted on, they are found sooner in the order of the column than by state."""
_BLANK = ""
_STATES = {state.value: state for state in CouplingState}


class SqlLists(ProblemLists):
    """`store.base_lists.Lists` by SQL."""

    def couplings(
        self,
        mapping: str,
        *,
        states: Sequence[CouplingState] = (),
        search: str = "",
        side: Side = Side.LOCAL,
        column: Column | None = None,
        descending: bool = False,
        limit: int = 50,
        after: Place | None = None,
    ) -> list[Coupling]:
        query = SELECT.where(table.c.mapping == mapping)
        if search:
            query = query.where(mentioning(search, self._work))
        if column is None:
            return self._by_id(self._of_states(query, states, by_order=False), descending, limit, after)
        by_order = not search and (not states or self._are_many(mapping, states))
        query = self._of_states(query, states, by_order=by_order)
        sorted_by = table.c[f"{side.value}_{column.value}"]
        # An expression is what keeps a database from walking along the index of the column in search of a few.
        key: ColumnElement[Any] = sorted_by if by_order else func.coalesce(sorted_by, _BLANK)
        filled, blank = (sorted_by.is_not(None), sorted_by.is_(None)) if by_order else (key != _BLANK, key == _BLANK)
        found: list[Coupling] = []
        if after is None or after.value is not None:
            found = self._filled(query.where(filled), key, descending, limit, after)
            after = None
        if len(found) < limit:
            found += self._by_id(query.where(blank), descending, limit - len(found), after)
        return found

    def states(self, mapping: str, side: Side, ids: Iterable[str]) -> dict[str, CouplingState]:
        id_ = table.c[f"{side.value}_id"]
        rows = self._work.read_among(select(id_, table.c.state).where(table.c.mapping == mapping), id_, ids)
        return {id: _STATES[state] for id, state in rows}

    def keep_selection(self, id: str, record_ids: Sequence[str], now: datetime) -> None:
        row = {"id": id, "record_ids": " ".join(record_ids), "at": now}
        again = self._work.upsert(selections).on_conflict_do_update(index_elements=["id"], set_={"at": now})
        self._work.write(again, [row])

    def selection(self, id: str) -> list[str] | None:
        rows = self._work.read(select(selections.c.record_ids).where(selections.c.id == id))
        return str(rows[0].record_ids).split() if rows else None

    def forget_selections(self, before: datetime) -> int:
        return self._work.write(delete(selections).where(selections.c.at < before))

    def count_couplings(self, mapping: str, up_to: int | None = None) -> tuple[int, int]:
        query = select(func.count(), func.max(table.c.id)).where(table.c.mapping == mapping)
        if up_to is not None:
            query = query.where(table.c.id <= up_to)
        ((count, last),) = self._work.read(query)
        return count, last or 0

    def _by_id(self, query: Select[Any], descending: bool, limit: int, after: Place | None) -> list[Coupling]:
        if after is not None:
            query = query.where(table.c.id < after.id if descending else table.c.id > after.id)
        ordered = query.order_by(table.c.id.desc() if descending else table.c.id).limit(limit)
        return [coupling_of(row) for row in self._work.read(ordered)]

    def _filled(
        self, query: Select[Any], column: ColumnElement[Any], descending: bool, limit: int, after: Place | None
    ) -> list[Coupling]:
        """Read those that have a value in the column."""
        if after is not None:
            beyond = column < after.value if descending else column > after.value
            behind = table.c.id < after.id if descending else table.c.id > after.id
            # The first condition lets the index begin where the page does; the second one tells equals apart.
            at_least = column <= after.value if descending else column >= after.value
            query = query.where(at_least, or_(beyond, and_(column == after.value, behind)))
        order = (column.desc(), table.c.id.desc()) if descending else (column, table.c.id)
        return [coupling_of(row) for row in self._work.read(query.order_by(*order).limit(limit))]

    def _of_states(self, query: Select[Any], states: Sequence[CouplingState], *, by_order: bool) -> Select[Any]:
        """Restrict to states; `by_order` keeps the index on states out of it, so that the one that sorts is used."""
        if not states:
            return query
        state: ColumnElement[Any] = func.coalesce(table.c.state, "") if by_order else table.c.state
        return query.where(state.in_([each.value for each in states]))

    def _are_many(self, mapping: str, states: Sequence[CouplingState]) -> bool:
        of_states = table.c.state.in_([each.value for each in states])
        query = select(table.c.id).where(table.c.mapping == mapping, of_states)
        return bool(self._work.read(query.limit(1).offset(_MANY - 1)))
