"""Related rows inside rows: ``$expand`` with its options and limits (wire-dataverse section 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from crosstie.sandbox.dataverse.environment import MAX_PAGE, Call
from crosstie.sandbox.dataverse.errors import unknown_property, unsupported
from crosstie.sandbox.dataverse.filtering import condition, joined, order_terms
from crosstie.sandbox.dataverse.paging import Cookie, last_values, order_by
from crosstie.sandbox.dataverse.projection import Projection, RawRow, WireRow
from crosstie.sandbox.dataverse.schema import OWNER, ManyToMany, Relation, Table
from crosstie.sandbox.dataverse.storage import select_in
from crosstie.sandbox.filters import Expand

MAX_EXPANDS: Final = 15

_ONLY_SELECT_AND_FILTER: Final = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "
    "one-to-many relationship."
)


@dataclass(frozen=True, slots=True)
class _Item:
    """One expanded navigation; *columns* are what it needs of the near row (id or lookup, and the lookup's type)."""

    options: Expand
    relation: Relation | ManyToMany
    single: bool
    columns: tuple[str, ...]


class Expander:
    """The expanded navigations of one table.

    The near rows must select :meth:`hidden` behind their own columns; :meth:`fill` gets those values with the rows.
    """

    def __init__(self, call: Call, table: Table, expands: Sequence[Expand], nested: bool = False) -> None:
        self._call = call
        self._table = table
        self._nested = nested
        if not nested and _count(expands) > MAX_EXPANDS:
            raise unsupported(f"The number of $expand options exceeds the limit of {MAX_EXPANDS}.")
        self._items = [self._item(options) for options in expands]
        if len(self._items) > 1 and any(isinstance(item.relation, ManyToMany) for item in self._items):
            raise unsupported("Expanding a many-to-many relationship cannot be combined with other $expand options.")

    def hidden(self, alias: str) -> list[str]:
        """The expressions that :meth:`fill` needs of each near row."""
        return [f"{alias}.{name}" for item in self._items for name in item.columns]

    def fill(self, wires: Sequence[WireRow], needed: Sequence[RawRow]) -> None:
        """Put the related rows into *wires*; *needed* holds the hidden values of each."""
        position = 0
        for item in self._items:
            values = [row[position : position + len(item.columns)] for row in needed]
            position += len(item.columns)
            if item.single:
                self._fill_single(item, wires, values)
            else:
                self._fill_collection(item, wires, [str(value[0]) for value in values])

    def context(self) -> list[str]:
        """How the navigations stand in ``@odata.context``."""
        return [f"{item.options.name}({','.join(item.options.select or ())})" for item in self._items]

    def _item(self, options: Expand) -> _Item:
        name, table = options.name, self._table
        if options.other:
            raise unsupported(f"The query option {next(iter(options.other))} is not supported inside $expand.")
        single = table.navigations.get(name)
        if single is not None:
            if options.orderby or options.top is not None:
                raise unsupported(_ONLY_SELECT_AND_FILTER)
            column = table.columns[single.column]
            columns = (column.name, f"{column.name}type") if column.polymorphic else (column.name,)
            return _Item(options, single, True, columns)
        relation = table.collections.get(name) or table.many.get(name)
        if relation is None:
            raise unknown_property(name, table.type_name)
        if options.ref:
            raise unsupported("Expanding references ($ref) is supported for single-valued navigation properties only.")
        if self._nested and (options.orderby or options.top is not None):
            raise unsupported(_ONLY_SELECT_AND_FILTER)
        if isinstance(relation, ManyToMany) and (self._nested or options.expand):
            raise unsupported("Nested $expand is not supported on many-to-many relationships.")
        return _Item(options, relation, False, (table.id,))

    # Lookups

    def _fill_single(self, item: _Item, wires: Sequence[WireRow], values: Sequence[RawRow]) -> None:
        relation = item.relation
        if not isinstance(relation, Relation):
            return
        found: dict[tuple[str, str], WireRow] = {}
        for target in self._call.env.schema.targets(relation):
            typed = len(item.columns) > 1
            ids = sorted({str(value[0]) for value in values if value[0] and (not typed or value[1] == target.name)})
            for row_id, wire in self._targets(item.options, target, ids, relation).items():
                found[target.name, row_id] = wire
        only = relation.target
        for wire, value in zip(wires, values, strict=True):
            name = str(value[1]) if len(value) > 1 else only
            wire[item.options.name] = found.get((name, str(value[0])))

    def _targets(self, options: Expand, target: Table, ids: list[str], relation: Relation) -> dict[str, WireRow]:
        call = self._call
        if options.ref:
            return {row_id: {"@odata.id": f"{call.root}/{target.set}({row_id})"} for row_id in ids}
        inner = Expander(call, target, options.expand, nested=True)
        hidden = [f"t.{target.id}", *inner.hidden("t")]
        projection = Projection(call.env, target, _known(options, target, relation), call.prefer.annotations, hidden)
        sql = f"SELECT {projection.sql('t')} FROM {target.name} t WHERE t.{target.id} IN ({{ids}})"
        params: list[object] = []
        if options.filter:
            extra, params = condition(call, target, "t", options.filter)
            sql += f" AND ({extra})"
        raw = select_in(call.env.db, sql, ids, params)
        wires = projection.build(raw)
        start = projection.hidden_from
        inner.fill(wires, [row[start + 1 :] for row in raw])
        for wire in wires:
            del wire["@odata.etag"]
            if relation.target == OWNER:
                wire["@odata.type"] = f"#{target.type_name}"
        return {str(row[start]): wire for row, wire in zip(raw, wires, strict=True)}

    # Collections

    def _fill_collection(self, item: _Item, wires: Sequence[WireRow], ids: list[str]) -> None:
        call, options = self._call, item.options
        far, source, on = joined(call, self._table, "near", item.relation, "t")
        key = on.partition(" = ")[0]
        inner = Expander(call, far, options.expand, nested=True)
        terms = order_terms(call, far, "t", options.orderby)
        hidden = [key, *(term.sql for term in terms), *inner.hidden("t")]
        projection = Projection(call.env, far, options.select, call.prefer.annotations, hidden)
        sql = f"SELECT {projection.sql('t')} FROM {source} WHERE {key} IN ({{ids}})"
        params: list[object] = []
        if options.filter:
            extra, params = condition(call, far, "t", options.filter)
            sql += f" AND ({extra})"
        raw = select_in(call.env.db, f"{sql} ORDER BY {order_by(terms)}", list(dict.fromkeys(ids)), params)
        start = projection.hidden_from
        built = projection.build(raw)
        inner.fill(built, [row[start + 1 + len(terms) :] for row in raw])
        groups: dict[str, list[tuple[RawRow, WireRow]]] = {}
        for row, wire in zip(raw, built, strict=True):
            groups.setdefault(str(row[start]), []).append((row, wire))
        size = min(call.prefer.page_size or MAX_PAGE, MAX_PAGE)
        for wire, row_id in zip(wires, ids, strict=True):
            group = groups.get(row_id, [])[: options.top]
            wire[options.name] = [member for _, member in group[:size]]
            if len(group) > size:
                last = group[size - 1][0][start + 1 : start + 1 + len(terms)]
                cookie = Cookie(2, last_values(terms, last))
                wire[f"{options.name}@odata.nextLink"] = self._next(options, row_id, cookie)

    def _next(self, options: Expand, row_id: str, cookie: Cookie) -> str:
        parts = []
        if options.select:
            parts.append(f"$select={','.join(options.select)}")
        if options.filter:
            parts.append(f"$filter={quote(options.filter)}")
        if options.orderby:
            terms = (f"{'/'.join(term.path)}{' desc' if term.descending else ''}" for term in options.orderby)
            parts.append(f"$orderby={quote(','.join(terms))}")
        parts.append(f"$skiptoken={quote(cookie.token())}")
        return f"{self._call.root}/{self._table.set}({row_id})/{options.name}?{'&'.join(parts)}"


def _known(options: Expand, target: Table, relation: Relation) -> tuple[str, ...] | None:
    """The selected columns; of an owner only those that users and teams both may lack are passed over."""
    if relation.target != OWNER or options.select is None:
        return options.select
    return tuple(name for name in options.select if name in target.wire or name == "ownerid")


def _count(expands: Sequence[Expand]) -> int:
    return sum(1 + _count(item.expand) for item in expands)
