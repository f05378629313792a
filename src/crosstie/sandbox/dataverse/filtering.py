"""Names, paths and functions of ``$filter`` and ``$orderby`` for one table (wire-dataverse section 4)."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, Final, TypeVar

from odata_query import ast

from crosstie.sandbox.columns import Column as SqlColumn
from crosstie.sandbox.columns import Kind
from crosstie.sandbox.dataverse.crmfunctions import functions
from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import TOO_MANY_CONDITIONS, Refusal, unknown_property, unsupported
from crosstie.sandbox.dataverse.schema import OWNER, Column, ManyToMany, Relation, Table
from crosstie.sandbox.dataverse.storage import is_ordered_by
from crosstie.sandbox.filters import Collection, FilterError, Fragment, OrderBy, SqlFilter, parse_filter, walk
from crosstie.sandbox.sqlfilter import chained

Condition = tuple[str, list[object]]

MAX_CONDITIONS: Final = 500

_ALLOWED: Final = frozenset({"contains", "startswith", "endswith"})
_KINDS: Final[Mapping[str, Kind]] = {
    "Uniqueidentifier": "guid",
    "Lookup": "guid",
    "Customer": "guid",
    "Owner": "guid",
    "Integer": "int",
    "BigInt": "int",
    "Picklist": "int",
    "State": "int",
    "Status": "int",
    "Boolean": "bool",
    "Money": "decimal",
    "Decimal": "decimal",
    "Double": "double",
    "DateTime": "datetime",
    "DateOnly": "date",
}


def sql_column(column: Column, alias: str, *, indexed: bool = False) -> SqlColumn:
    """A column as filters compare it. *indexed*: as :func:`_has_index` says."""
    kind = _KINDS.get(column.type, "text")
    name = f"{alias}.{column.name}"
    if column.type == "Money":
        return SqlColumn(f"({name} / 10000.0)", kind)
    if kind == "datetime":
        return SqlColumn(name, kind, stored_datetime)
    return SqlColumn(name, kind, indexed=indexed)


def _has_index(table: Table, column: Column) -> bool:
    """Whether an index begins with the folded text of a column: by which lists are sorted, or that of a key."""
    if column.type != "String":
        return False
    return is_ordered_by(table, column.name) or any(key.columns[0] == column.name for key in table.keys.values())


def stored_datetime(value: Any) -> str:
    """A moment as text that compares rightly with stored ones, which have whole seconds."""
    if isinstance(value, datetime):
        text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{text}~" if value.microsecond else text
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00Z"
    raise ValueError("a date with time is needed")


class Names:
    """Resolves the names of one table (known as *alias* in the SQL) for filters and orders."""

    def __init__(self, call: Call, table: Table, alias: str, numbers: "count[int] | None" = None) -> None:
        self._call = call
        self._table = table
        self._alias = alias
        self._numbers = numbers or count(1)

    def resolve(self, path: tuple[str, ...]) -> SqlColumn:
        """The column of a path; raises :class:`Refusal` 400 on an unknown name."""
        name, table = path[0], self._table
        if len(path) == 1:
            column = table.wire.get(name)
            if column is None and name == "ownerid" and table.principal:
                column = table.columns[table.id]
            if column is None and name in table.navigations:
                column = table.columns[table.navigations[name].column]
            if column is None:
                raise unknown_property(name, table.type_name)
            return sql_column(column, self._alias, indexed=_has_index(table, column))
        relation = table.navigations.get(name)
        if relation is None:
            raise unknown_property(name, table.type_name)
        target = self._call.env.schema.table("systemuser" if relation.target == OWNER else relation.target)
        alias = f"x{next(self._numbers)}"
        inner = Names(self._call, target, alias, self._numbers).resolve(path[1:])
        link = f"{alias}.{target.id} = {self._alias}.{relation.column}"
        return SqlColumn(f"(SELECT {inner.sql} FROM {target.name} {alias} WHERE {link})", inner.kind, inner.convert)

    def collection(self, path: tuple[str, ...]) -> Collection:
        """The rows behind a collection for ``any`` and ``all``."""
        table, name = self._table, path[0]
        backwards = table.collections.get(name) or table.many.get(name)
        if len(path) > 1:
            raise unsupported("any and all are not supported behind a lookup.")
        if backwards is None:
            raise unknown_property(name, table.type_name)
        alias = f"x{next(self._numbers)}"
        far, source, on = joined(self._call, table, self._alias, backwards, alias)
        return Collection(source, on, Names(self._call, far, alias, self._numbers).resolve)


def joined(
    call: Call, table: Table, alias: str, backwards: Relation | ManyToMany, far_alias: str
) -> tuple[Table, str, str]:
    """The far table of a collection, the FROM that holds it, and the condition that ties it to the near row."""
    schema = call.env.schema
    if isinstance(backwards, Relation):
        far = schema.table(backwards.source)
        return far, f"{far.name} {far_alias}", f"{far_alias}.{backwards.column} = {alias}.{table.id}"
    far = schema.table(backwards.other(table.name))
    between = f"{far_alias}m"
    source = f"{far.name} {far_alias} JOIN {backwards.intersect} {between} ON {between}.{far.id} = {far_alias}.{far.id}"
    return far, source, f"{between}.{table.id} = {alias}.{table.id}"


class _Filter(SqlFilter):
    """Writes ``a or b or c`` without parentheses inside each other, of which SQLite reads no more than a hundred."""

    def condition(self, node: Any) -> Fragment:
        """A node that must be true or false."""
        if not isinstance(node, ast.BoolOp):
            return super().condition(node)
        kind, chain = type(node.op), [node.right]
        left = node.left
        while isinstance(left, ast.BoolOp) and isinstance(left.op, kind):
            chain.append(left.right)
            left = left.left
        return chained([self.condition(item) for item in (left, *reversed(chain))], kind is ast.And)


def condition(call: Call, table: Table, alias: str, text: str) -> Condition:
    """A ``$filter`` as SQL; raises :class:`Refusal` 400 on what cannot be read or is not supported."""
    names = Names(call, table, alias)
    try:
        tree = parse_filter(text, _aliases(call))
        comparisons = [node for node in walk(tree) if isinstance(node, ast.Compare)]
        if any(isinstance(node.comparator, ast.In) for node in comparisons):
            raise unsupported("The operator 'in' is not supported: use Microsoft.Dynamics.CRM.In.")
        if len(comparisons) > MAX_CONDITIONS:
            raise _too_many_conditions()
        visitor = _Filter(
            names.resolve,
            case_sensitive=False,
            wildcards=True,
            null_semantics="odata" if call.env.settings.flag("ne_includes_null") else "sql",
            allowed=_ALLOWED,
            functions=functions(call),
            collection=names.collection,
        )
        return visitor.translate(tree)
    except FilterError as error:
        raise unsupported(str(error)) from error
    except RecursionError as error:
        raise _too_many_conditions() from error


def _too_many_conditions() -> Refusal:
    return Refusal(400, TOO_MANY_CONDITIONS, "Number of conditions in query exceeded maximum limit.")


def _aliases(call: Call) -> dict[str, str]:
    return {name: value for name, value in call.query.items() if name.startswith("@")}


class Term:
    """One term of an order: what to sort by and what a page cookie keeps of it."""

    __slots__ = ("column", "descending", "name", "sql")

    def __init__(self, name: str, column: SqlColumn, descending: bool) -> None:
        self.name = name
        self.column = column
        self.sql = f"fold({column.sql})" if column.kind == "text" else column.sql
        self.descending = descending

    @property
    def number(self) -> bool:
        """Whether its values are numbers."""
        return self.column.kind in ("int", "decimal", "double", "bool")


def order_terms(call: Call, table: Table, alias: str, orderby: tuple[OrderBy, ...]) -> list[Term]:
    """The terms of an ``$orderby`` with the primary id behind them, so that the order is total."""
    names = Names(call, table, alias)
    terms = [Term("/".join(term.path), names.resolve(term.path), term.descending) for term in orderby]
    if not any(term.name == table.id for term in terms):
        terms.append(Term(table.id, sql_column(table.columns[table.id], alias), descending=False))
    return terms


T = TypeVar("T")


def guarded(parse: Callable[[str], T], text: str) -> T:
    """What *parse* makes of an option; its complaint becomes a refusal."""
    try:
        return parse(text)
    except FilterError as error:
        raise unsupported(str(error)) from error
