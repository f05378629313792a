"""Reading through a page: records as JSON objects, pages of them, and what they expand to.

Pages are cut by key, never by position: the token of the next page holds where this one ended, so that records which
come or go meanwhile shift nothing. Facts: wire-businesscentral sections 3 and 4.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from crosstie.sandbox.business_central import errors, filtering
from crosstie.sandbox.business_central.options import Options, of_expand
from crosstie.sandbox.business_central.pages import Api, Navigation, Page, Property
from crosstie.sandbox.business_central.records import Records
from crosstie.sandbox.business_central.values import OUT, Stored, etag
from crosstie.sandbox.filters import Column, Expand

Entity = dict[str, Any]
Parameters = Sequence[object]

_KEYS_AT_ONCE: Final = 500
_SINCE: Final = "lastModifiedDateTime"


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of entities; *token* leads to the next one, *count* is the number of all where it was asked for."""

    entities: list[Entity]
    token: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class _Shape:
    """A list of properties ready to be selected, and how their values go out."""

    names: tuple[str, ...]
    sql: str
    out: tuple[tuple[str, Callable[..., object]], ...]


@dataclass(frozen=True, slots=True)
class _Term:
    """A term of the order. *sorted_last*: let the database find the records by something else, and sort them then."""

    sql: str
    descending: bool = False
    sorted_last: bool = False

    @property
    def order(self) -> str:
        """The term within ORDER BY."""
        return f"{'+' if self.sorted_last else ''}{self.sql}{' DESC' if self.descending else ''}"


class Reader:
    """Reads one page of one company."""

    def __init__(self, records: Records, api: Api, page: Page) -> None:
        self._records = records
        self._api = api
        self.page = page
        self._table = records.named(page.table.name)
        self._expressions = {name: prop.sql(records.named) for name, prop in page.properties.items()}
        self._columns = {
            name: filtering.column_of(prop, self._expressions[name]) for name, prop in page.properties.items()
        }
        self._shapes: dict[tuple[str, ...] | None, _Shape] = {}

    def one(self, system_id: str, options: Options) -> Entity | None:
        """The entity with that id, or None."""
        found = self._entities("t.system_id = ?", [system_id], options, [], 1)
        return found[0][0] if found else None

    def by_key(self, value: str, options: Options) -> Entity | None:
        """The entity whose primary key is *value*, or None (legacy web services)."""
        found = self._entities(f"t.{self.page.table.key[0]} = ?", [value], options, [], 1)
        return found[0][0] if found else None

    def count(self, options: Options, where: str = "1", params: Parameters = ()) -> int:
        """How many records there are under the filter."""
        return self._count(*self._filtered(options, where, params))

    def slice(self, options: Options, size: int, where: str = "1", params: Parameters = ()) -> Slice:
        """The page of at most *size* entities that the options ask for, within what *where* allows."""
        terms = self._order(options)
        where, values = self._filtered(options, where, params)
        count = self._count(where, values) if options.count else None
        left, offset = options.top, options.skip
        if options.skiptoken is not None:
            after, left = _read_token(options.skiptoken, len(terms), options.top)
            offset = 0
            where, values = _beyond(terms, after, where, values)
        limit = size if left is None else min(size, left)
        found = self._entities(where, values, options, terms, limit + 1, offset)
        token = None
        if len(found) > limit and (left is None or left > limit):
            rest = None if left is None else left - limit
            token = _token(found[limit - 1][1][-len(terms) :], rest)
        return Slice([entity for entity, _ in found[:limit]], token, count)

    def column(self, name: str) -> tuple[Property, Column]:
        """Property and column of a name; raises 400 for an unknown one."""
        prop = self.page.properties.get(name)
        if prop is None:
            raise errors.bad_request(
                f"Could not find a property named '{name}' on type 'Microsoft.NAV.{self.page.entity}'."
            )
        return prop, self._columns[name]

    def selected(self, select: tuple[str, ...] | None) -> tuple[str, ...]:
        """The properties that a ``$select`` leaves; navigation that it names is passed over."""
        if select is None:
            return tuple(self.page.properties)
        for name in select:
            if self.page.follow(name) is None:
                self.column(name)
        return tuple(name for name in self.page.properties if name in select)

    # From here on: the work

    def _count(self, where: str, params: Parameters) -> int:
        row = self._records.database.execute(f"SELECT count(*) FROM {self._table} t WHERE {where}", params)
        return int(row.fetchone()[0])

    def _filtered(self, options: Options, where: str, params: Parameters) -> tuple[str, list[object]]:
        values = list(params)
        if options.filter is None:
            return where, values
        sql, more = filtering.condition(options.filter, self.column, self._records.settings, options.newer_schema)
        return (sql if where == "1" else f"({where}) AND {sql}"), values + more

    def _order(self, options: Options) -> list[_Term]:
        terms = []
        for item in options.orderby:
            if len(item.path) > 1:
                raise errors.not_implemented("Sorting by fields of related records is not supported.")
            terms.append(_Term(self.column(item.path[0])[1].sql, item.descending))
        known = {term.sql for term in terms}
        since = not terms and _SINCE in (options.filter or "")
        keys = [f"t.{name}" for name in self.page.table.key]
        # Keys go the way of what they follow, so that one walk along an index gives the order.
        downwards = bool(terms) and terms[-1].descending
        return terms + [_Term(key, downwards, since) for key in keys if key not in known]

    def _shape(self, select: tuple[str, ...] | None) -> _Shape:
        shape = self._shapes.get(select)
        if shape is None:
            names = self.selected(select)
            out = tuple(
                (name, OUT[self.page.properties[name].type.kind])
                for name in names
                if self.page.properties[name].type.kind in OUT
            )
            sql = "".join(f", {self._expressions[name]}" for name in names)
            shape = self._shapes[select] = _Shape(names, sql, out)
        return shape

    def _entities(
        self,
        where: str,
        params: Parameters,
        options: Options,
        terms: Sequence[_Term],
        limit: int,
        offset: int = 0,
    ) -> list[tuple[Entity, tuple[Any, ...]]]:
        """Entities with the values that were read beside them: the columns that expansions need, then the order's."""
        shape = self._shape(options.select)
        ways = [(item, self._way(item)) for item in options.expand]
        beside = [self._start_column(way) for _, way in ways] + [term.sql for term in terms]
        sql = f"SELECT t.version{shape.sql}{''.join(f', {extra}' for extra in beside)} FROM {self._table} t"
        sql += f" WHERE {where}"
        if terms:
            sql += " ORDER BY " + ", ".join(term.order for term in terms)
        rows = self._records.database.execute(f"{sql} LIMIT {limit} OFFSET {offset}", params).fetchall()
        width = 1 + len(shape.names)
        found = [(_entity(shape, row), row[width:]) for row in rows]
        for position, (item, way) in enumerate(ways):
            self._expand(found, position, item, way, options.newer_schema)
        return found

    def _way(self, item: Expand) -> Navigation:
        way = self.page.follow(item.path[0]) if len(item.path) == 1 else None
        if way is None:
            raise errors.bad_request(
                f"Could not find a property named '{item.name}' on type 'Microsoft.NAV.{self.page.entity}'."
            )
        return way

    def _start_column(self, way: Navigation) -> str:
        return f"t.{way.via or self.page.table.key[0]}"

    def _expand(
        self,
        found: list[tuple[Entity, tuple[Any, ...]]],
        position: int,
        item: Expand,
        way: Navigation,
        newer: bool,
    ) -> None:
        """Put what *way* leads to into every entity."""
        target = Reader(self._records, self._api, self._api.pages[way.to])
        starts = list({beside[position] for _, beside in found})
        reached = target.reached(way, starts, of_expand(item, newer))
        for entity, beside in found:
            entities = reached.get(beside[position], [])
            if way.many:
                entity[item.name] = entities
            else:
                entity[item.name] = dict(entities[0]) if entities else None

    def reached(self, way: Navigation, starts: list[Any], options: Options) -> Mapping[Any, list[Entity]]:
        """What *way* leads to from each of *starts*, by start."""
        column = end_column(way, self.page)
        terms = [_Term(column), *self._order(options)]
        groups: dict[Any, list[Entity]] = {}
        for i in range(0, len(starts), _KEYS_AT_ONCE):
            some = starts[i : i + _KEYS_AT_ONCE]
            among = f"{column} IN ({', '.join('?' * len(some))})"
            where, params = self._filtered(options, among, some)
            for entity, beside in self._entities(where, params, options, terms, -1):
                groups.setdefault(beside[len(options.expand)], []).append(entity)
        if options.skip or options.top is not None:
            end = None if options.top is None else options.skip + options.top
            groups = {start: entities[options.skip : end] for start, entities in groups.items()}
        return groups


def end_column(way: Navigation, target: Page) -> str:
    """The column over there that a navigation compares with where it starts."""
    if way.child:
        return f"t.{way.child}"
    return "t.system_id" if way.via == "system_id" else f"t.{target.table.key[0]}"


def _entity(shape: _Shape, row: Sequence[Any]) -> Entity:
    entity: Entity = {"@odata.etag": etag(row[0])}
    entity.update(zip(shape.names, row[1:], strict=False))
    for name, out in shape.out:
        entity[name] = out(entity[name])
    return entity


def _token(values: Sequence[Stored], left: int | None) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([list(values), left])).decode().rstrip("=")


def _read_token(token: str, width: int, top: int | None) -> tuple[list[Stored], int | None]:
    """Where the page before ended, and how many entities are still wanted; raises 400 on a token not of our making."""
    try:
        padded = token + "=" * (-len(token) % 4)
        values, left = msgspec.json.decode(
            base64.urlsafe_b64decode(padded), type=tuple[list[str | int | float], int | None]
        )
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise errors.bad_request("Skip token is not valid.") from error
    if len(values) != width:
        raise errors.bad_request("Skip token is not valid.")
    return list(values), left if left is not None else top


def _beyond(
    terms: Sequence[_Term], after: Sequence[Stored], where: str, params: list[object]
) -> tuple[str, list[object]]:
    """The condition narrowed to what comes behind *after* in the order of *terms*."""
    if len({term.descending for term in terms}) == 1:
        columns, marks = ", ".join(term.sql for term in terms), ", ".join("?" * len(terms))
        beyond = "<" if terms[0].descending else ">"
        return f"({where}) AND ({columns}) {beyond} ({marks})", params + list(after)
    steps, values = [], list(params)
    for i, term in enumerate(terms):
        equal = [f"{before.sql} = ?" for before in terms[:i]]
        steps.append(" AND ".join([*equal, f"{term.sql} {'<' if term.descending else '>'} ?"]))
        values += after[: i + 1]
    return f"({where}) AND ({' OR '.join(f'({step})' for step in steps)})", values
