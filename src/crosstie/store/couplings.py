"""The queries on couplings."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Update, bindparam, delete, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from crosstie.model.couplings import Coupling, CouplingState, Mark, NewCoupling, RemovedCoupling
from crosstie.model.errors import AlreadyCoupled
from crosstie.model.records import Side
from crosstie.store.schema import couplings as table
from crosstie.store.schema import removed_couplings
from crosstie.store.work import AnyRow, Work

_COLUMNS = ("id", "revision", *NewCoupling.__struct_fields__, "created_at")
_STATES = {state.value: state for state in CouplingState}
_STATE_AT = _COLUMNS.index("state")
_CHANGEABLE = tuple(name for name in NewCoupling.__struct_fields__ if name != "mapping")

SELECT = select(*(table.c[name] for name in _COLUMNS))
_MARKS = {
    side: select(
        table.c[f"{side}_id"],
        table.c.id,
        table.c[f"{side}_version"],
        table.c.state == CouplingState.IN_STEP.value,
        table.c.base.is_not(None),
    )
    for side in Side
}
_IDS = 10_000
"""So many ids are held at once while couplings are compared with those seen."""
_INDEXED = ("local_id", "remote_id", "local_key", "remote_key", "local_name", "remote_name", "state")
_NOT_INDEXED = tuple(name for name in _CHANGEABLE if name not in _INDEXED)
_LOCKED = select(table.c.id, table.c.revision, *(table.c[name] for name in _INDEXED)).order_by(table.c.id)
_INSERT = insert(table)
_DELETE = delete(table).where(table.c.id == bindparam("which"))
_REMOVED_COLUMNS = RemovedCoupling.__struct_fields__
_SELECT_REMOVED = select(*(removed_couplings.c[name] for name in _REMOVED_COLUMNS))


class SqlCouplings:
    """`store.base.Couplings` by SQL."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def by_record(self, mapping: str, side: Side, ids: Iterable[str]) -> dict[str, Coupling]:
        query = SELECT.where(table.c.mapping == mapping)
        rows = self._work.read_among(query, _id_column(side), ids)
        return {coupling.record_id(side): coupling for coupling in map(coupling_of, rows)}

    def marks(
        self, mapping: str, side: Side, ids: Iterable[str] | None = None, since: datetime | None = None
    ) -> dict[str, Mark]:
        new = literal(True) if since is None else table.c.created_at > since
        query = _MARKS[side].add_columns(new).where(table.c.mapping == mapping)
        # Of all couplings in the order of their ids, in which they lie in the file.
        queries = (
            [query.order_by(table.c.id)]
            if ids is None
            else [query.where(condition) for condition in self._work.among(_id_column(side), ids)]
        )
        return {row[0]: Mark(*row[1:]) for each in queries for row in self._work.read_plain(each)}

    def bases(self, mapping: str, side: Side, ids: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        # Whether they are in step is asked of the rows: as a condition it leads SQLite to the index of all that are.
        in_step = table.c.state == CouplingState.IN_STEP.value
        query = select(_id_column(side), _id_column(side.other), table.c.base, in_step)
        rows = self._work.read_among(query.where(table.c.mapping == mapping), _id_column(side), ids)
        return {id_: (partner, base) for id_, partner, base, is_in_step in rows if is_in_step and base is not None}

    def coupled(self, mapping: str, side: Side, ids: Iterable[str]) -> list[int]:
        query = select(table.c.id).where(table.c.mapping == mapping)
        conditions = self._work.among(_id_column(side), ids)
        return [row[0] for each in conditions for row in self._work.read_plain(query.where(each))]

    def by_key(self, mapping: str, side: Side, keys: Iterable[str]) -> dict[str, Coupling]:
        column = table.c.local_key if side is Side.LOCAL else table.c.remote_key
        rows = self._work.read_among(SELECT.where(table.c.mapping == mapping), column, keys)
        found = sorted(map(coupling_of, rows), key=lambda coupling: coupling.id, reverse=True)
        return {_key(coupling, side): coupling for coupling in found}

    def elsewhere(self, tables: Iterable[str], side: Side, ids: Iterable[str]) -> dict[str, list[Coupling]]:
        query = SELECT.where(table.c.mapping.in_(sorted(set(tables))))
        found: dict[str, list[Coupling]] = {}
        for row in self._work.read_among(query, _id_column(side), ids):
            coupling = coupling_of(row)
            found.setdefault(coupling.record_id(side), []).append(coupling)
        return found

    def page(
        self,
        mapping: str,
        *,
        after_id: int = 0,
        limit: int = 1000,
        states: Sequence[CouplingState] = (),
        search: str = "",
    ) -> list[Coupling]:
        query = SELECT.where(table.c.mapping == mapping, table.c.id > after_id).order_by(table.c.id).limit(limit)
        if states:
            query = query.where(table.c.state.in_([state.value for state in states]))
        if search:
            query = query.where(mentioning(search, self._work))
        return [coupling_of(row) for row in self._work.read(query)]

    def count(self, mapping: str) -> dict[CouplingState, int]:
        query = select(table.c.state, func.count()).where(table.c.mapping == mapping).group_by(table.c.state)
        return {_STATES[state]: number for state, number in self._work.read(query)}

    def insert(self, couplings: Sequence[NewCoupling], now: datetime) -> list[Coupling]:
        ids = self._work.new_ids(table, len(couplings))
        rows = [
            _values(new) | {"id": id_, "revision": 1, "created_at": now}
            for id_, new in zip(ids, couplings, strict=True)
        ]
        self._unless_coupled(couplings, lambda: self._work.write_many(_INSERT, rows))
        return [
            Coupling(**msgspec.structs.asdict(new) | {"id": id_, "revision": 1, "created_at": now})
            for id_, new in zip(ids, couplings, strict=True)
        ]

    def update(self, couplings: Sequence[Coupling]) -> set[int]:
        kept, lost = self._unchanged(couplings)
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for coupling, row in kept:
            values = _values(coupling)
            # Naming a column makes the database write its index anew, and a synchronisation changes hardly any of them.
            names = tuple(name for name in _INDEXED if values[name] != getattr(row, name))
            changed = {f"new_{name}": values[name] for name in (*_NOT_INDEXED, *names)}
            groups.setdefault(names, []).append(changed | {"which": coupling.id, "next": coupling.revision + 1})

        def write() -> None:
            for names, rows in groups.items():
                self._work.write_many(_update(names), rows)

        self._unless_coupled([coupling for coupling, _ in kept], write)
        return lost

    def delete(self, couplings: Sequence[Coupling]) -> set[int]:
        kept, lost = self._unchanged(couplings)
        self._work.write(_DELETE, [{"which": coupling.id} for coupling, _ in kept])
        return lost

    def keep_removed(self, couplings: Sequence[Coupling], now: datetime) -> None:
        rows = [
            {name: getattr(coupling, name) for name in _REMOVED_COLUMNS} | {"removed_at": now}
            for coupling in couplings
            if coupling.base is not None
        ]
        self._work.write(self._work.upsert(removed_couplings).on_conflict_do_nothing(), rows)

    def removed(self, ids: Iterable[int]) -> dict[int, RemovedCoupling]:
        rows = self._work.read_among(_SELECT_REMOVED, removed_couplings.c.id, ids)
        return {row.id: RemovedCoupling(**dict(zip(_REMOVED_COLUMNS, row, strict=True))) for row in rows}

    def unseen(
        self, mapping: str, without_seen: Callable[[Sequence[int]], Sequence[int]], before: datetime
    ) -> Iterator[list[Coupling]]:
        query = (
            select(table.c.id)
            .where(table.c.mapping == mapping, table.c.id > bindparam("after_id"))
            .order_by(table.c.id)
            .limit(_IDS)
        )
        after_id = 0
        while ids := [found for (found,) in self._work.read(query, {"after_id": after_id})]:
            after_id = ids[-1]
            if absent := without_seen(ids):
                rows = self._work.read_among(SELECT.where(table.c.created_at < before), table.c.id, absent)
                yield [coupling_of(row) for row in rows]

    def _unchanged(self, couplings: Sequence[Coupling]) -> tuple[list[tuple[Coupling, AnyRow]], set[int]]:
        """Lock the rows and part those that still have the revision given from those lost to somebody else."""
        rows = self._work.read_among(_LOCKED, table.c.id, sorted(each.id for each in couplings), lock=True)
        present: dict[int, AnyRow] = {row.id: row for row in rows}
        kept, lost = [], set()
        for coupling in couplings:
            # Taken out, so that a coupling given twice is lost the second time.
            row = present.pop(coupling.id, None)
            if row is not None and row.revision == coupling.revision:
                kept.append((coupling, row))
            else:
                lost.add(coupling.id)
        return kept, lost

    def _unless_coupled(self, couplings: Sequence[NewCoupling], write: Callable[[], object]) -> None:
        try:
            with self._work.savepoint():
                write()
        except IntegrityError as error:
            raise self._already_coupled(couplings) from error

    def _already_coupled(self, couplings: Sequence[NewCoupling]) -> AlreadyCoupled:
        own = {each.id for each in couplings if isinstance(each, Coupling)}
        names: list[str] = []
        records: list[dict[str, str]] = []
        for mapping in dict.fromkeys(each.mapping for each in couplings):
            group = [each for each in couplings if each.mapping == mapping]
            for side in Side:
                ids = Counter(_record_id(each, side) for each in group)
                taken = {id_ for id_, held in self.by_record(mapping, side, ids).items() if held.id not in own}
                taken |= {id_ for id_, times in ids.items() if times > 1}
                for each in group:
                    if _record_id(each, side) in taken:
                        names.append(_called(each, side))
                        records.append({"mapping": mapping, "side": side.value, "id": _record_id(each, side)})
        if not names:  # they are in each other's way
            names = [_called(each, side) for each in couplings for side in Side]
        shown = ", ".join(dict.fromkeys(names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        return AlreadyCoupled(f"Coupled already: {shown}.", records=records)


@cache
def _update(indexed: tuple[str, ...]) -> Update:
    names = (*_NOT_INDEXED, *indexed)
    return (
        update(table)
        .where(table.c.id == bindparam("which"))
        .values(revision=bindparam("next"), **{name: bindparam(f"new_{name}") for name in names})
    )


def coupling_of(row: AnyRow) -> Coupling:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["state"] = _STATES[row[_STATE_AT]]
    return Coupling(**values)


def _values(coupling: NewCoupling) -> dict[str, Any]:
    values = msgspec.structs.asdict(coupling)
    values["state"] = coupling.state.value
    return values


def _id_column(side: Side) -> Column[Any]:
    return table.c.local_id if side is Side.LOCAL else table.c.remote_id


def _record_id(coupling: NewCoupling, side: Side) -> str:
    return coupling.local_id if side is Side.LOCAL else coupling.remote_id


def _key(coupling: Coupling, side: Side) -> str:
    return (coupling.local_key if side is Side.LOCAL else coupling.remote_key) or ""


def _called(coupling: NewCoupling, side: Side) -> str:
    key, name = (
        (coupling.local_key, coupling.local_name) if side is Side.LOCAL else (coupling.remote_key, coupling.remote_name)
    )
    words = " ".join(part for part in (key, name) if part) or _record_id(coupling, side)
    return f"{coupling.mapping} {side.value} {words}"


def mentioning(search: str, work: Work) -> ColumnElement[bool]:
    """Return the condition that a key or name has `search` in it, whatever the case."""
    columns = (table.c.local_key, table.c.local_name, table.c.remote_key, table.c.remote_name)
    if work.is_sqlite and search.isascii():
        # SQLite's own LIKE takes no notice of the case of ASCII letters, and is much quicker than our `lower`.
        return or_(*(column.contains(search, autoescape=True) for column in columns))
    return or_(*(func.lower(column).contains(search.lower(), autoescape=True) for column in columns))
