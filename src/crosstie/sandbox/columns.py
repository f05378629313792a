"""Columns as a filter sees them, pieces of SQL, and literals as columns store them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from odata_query import ast

from crosstie.sandbox.options import FilterError

Node = ast._Node

Kind = Literal["text", "code", "guid", "int", "decimal", "double", "bool", "datetime", "date", "enum"]


@dataclass(frozen=True, slots=True)
class Column:
    """The SQL of a field and how a literal becomes what the column stores.

    *convert* takes the literal (text, int, Decimal, bool, ``date``, aware ``datetime``; a guid is a text) and raises
    ValueError where it does not fit. Without it: datetimes are stored as ``YYYY-MM-DDThh:mm:ss.mmmZ``, dates as
    ``YYYY-MM-DD``, guids lower-case, codes upper-case, decimals as REAL, booleans as 0 and 1.
    """

    sql: str
    kind: Kind = "text"
    convert: Callable[[Any], object] | None = None
    indexed: bool = False
    """Whether an index holds ``fold(sql)``, so that it need not be worked out for each row."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL with its parameters. *literal* is set (with *value*) where it is a constant."""

    sql: str
    params: tuple[object, ...] = ()
    column: Column | None = None
    literal: bool = False
    value: Any = None
    folded: bool = False
    """Compares without case, whatever the setting (``tolower``, ``toupper``)."""
    indexed: bool = False
    """An index alone tells whether it holds: of conditions that all have to hold, such a one is asked first."""

    @property
    def textual(self) -> bool:
        """Whether it is text in which case can matter."""
        if self.column is not None:
            return self.column.kind == "text"
        return isinstance(self.value, str) if self.literal else self.folded


def to_datetime(text: str) -> datetime:
    """An OData datetime literal in UTC; digits of a second beyond the sixth are cut."""
    head, dot, rest = text.upper().partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        text = f"{head}.{rest[:digits][:6].ljust(6, '0')}{rest[digits:]}"
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def literal_of(node: Any) -> Fragment:
    """The fragment of a literal node; raises :class:`FilterError` on kinds that no field has."""
    match node:
        case ast.Null():
            return Fragment("NULL", literal=True)
        case ast.Float():
            value: object = Decimal(node.val)
        case ast.Integer() | ast.Boolean() | ast.Date():
            value = node.py_val
        case ast.DateTime():
            value = to_datetime(node.val)
        case ast.GUID():
            value = node.val.lower()
        case ast.String() | ast.Time() | ast.Duration():
            value = node.val
        case _:
            raise FilterError(f"a literal of type {type(node).__name__} is not supported here")
    return Fragment("?", (value,), literal=True, value=value)


def stored(value: Any, column: Column | None) -> object:
    """A literal as *column* stores it."""
    if column is not None and column.convert is not None:
        return column.convert(value)
    kind = column.kind if column is not None else None
    if kind == "bool" and not isinstance(value, bool):
        raise ValueError("true or false is needed")
    if kind in ("int", "decimal", "double") and (isinstance(value, bool) or not isinstance(value, int | Decimal)):
        raise ValueError("a number is needed")
    if kind in ("text", "code", "enum", "guid"):
        if not isinstance(value, str):
            raise ValueError("a text in single quotes is needed")
        return value.upper().strip() if kind == "code" else value.lower() if kind == "guid" else value
    if kind in ("date", "datetime") and not isinstance(value, date):
        raise ValueError("a date is needed")
    return _plain(value, kind)


def _plain(value: Any, kind: Kind | None) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        if kind == "date":
            return value.date().isoformat()
        return value.isoformat(timespec="milliseconds")[:23] + "Z"
    if isinstance(value, date):
        return value.isoformat() + ("T00:00:00.000Z" if kind == "datetime" else "")
    return value
