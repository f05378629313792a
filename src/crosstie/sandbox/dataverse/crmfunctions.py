"""The query functions of the namespace ``Microsoft.Dynamics.CRM`` (wire-dataverse section 4).

They take named parameters: ``In(PropertyName='x',PropertyValues=['1','2'])``. Times are those of the sandbox's clock;
users live in UTC and weeks begin on Sunday.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final

from odata_query import ast

from crosstie.sandbox.columns import Column, to_datetime
from crosstie.sandbox.database import fold
from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.filters import FilterError, Fragment, SqlFilter

Function = Callable[[SqlFilter, Any], Fragment]
Range = tuple[datetime | None, datetime | None]
"""From (inclusive) and to (exclusive)."""

_NAMESPACE = "Microsoft.Dynamics.CRM."
_ENDLESS: Range = (None, None)


def functions(call: Call) -> Mapping[str, Function]:
    """The functions by full name, for one request."""
    return {f"{_NAMESPACE}{name}": partial(_evaluate, call, name) for name in _NAMES}


def _evaluate(call: Call, name: str, visitor: SqlFilter, node: Any) -> Fragment:
    given = {arg.name.name: arg.param for arg in node.args if isinstance(arg, ast.NamedParam)}
    path = given.get("PropertyName")
    if not isinstance(path, ast.String):
        raise FilterError(f"{_NAMESPACE}{name} needs a PropertyName")
    column = visitor.column(tuple(path.val.split("/")))
    values = _values(given)
    if name in _SETS:
        return _SETS[name](visitor, column, values)
    if name in _USERS:
        return _user(call, name, column)
    if name in _HIERARCHY:
        return _hierarchy(name, column, path.val, values)
    return _within(visitor, column, time_range(name, call.env.clock.now(), values[0] if values else None) or _ENDLESS)


def _values(given: Mapping[str, Any]) -> list[str]:
    node = given.get("PropertyValues", given.get("PropertyValue"))
    items: list[Any] = node.val if isinstance(node, ast.List) else [] if node is None else [node]
    return [str(item.val) for item in items]


def as_literal(column: Column, text: str) -> Fragment:
    """A value that came as text, as a literal that fits *column*; raises :class:`FilterError`."""
    value: object = text
    try:
        match column.kind:
            case "int":
                value = int(text)
            case "decimal" | "double":
                value = Decimal(text)
            case "bool":
                value = {"1": True, "true": True, "0": False, "false": False}[text.lower()]
            case "datetime":
                value = to_datetime(text)
            case "date":
                value = date.fromisoformat(text[:10])
    except (ValueError, KeyError, InvalidOperation) as error:
        raise FilterError(f"the value '{text}' does not fit a field of type {column.kind}") from error
    return Fragment("?", (value,), literal=True, value=value)


def _any_of(visitor: SqlFilter, column: Column, values: list[str]) -> Fragment:
    if not values:
        raise FilterError("PropertyValues needs at least one value")
    text = column.kind == "text"
    bound = [visitor.bound(as_literal(column, value), column).value for value in values]
    params = tuple(fold(str(value)) if text else value for value in bound)
    left = f"fold({column.sql})" if text else column.sql
    return Fragment(f"{left} IN ({', '.join('?' * len(params))})", params)


def _none_of(visitor: SqlFilter, column: Column, values: list[str]) -> Fragment:
    inner = _any_of(visitor, column, values)
    return Fragment(f"NOT ({inner.sql})", inner.params)


def _between(visitor: SqlFilter, column: Column, values: list[str]) -> Fragment:
    if len(values) != 2:
        raise FilterError("Between takes two PropertyValues")
    left = Fragment(column.sql, column=column)
    low = visitor.compare(left, ">=", as_literal(column, values[0]))
    high = visitor.compare(left, "<=", as_literal(column, values[1]))
    return Fragment(f"({low.sql} AND {high.sql})", low.params + high.params)


def _outside(visitor: SqlFilter, column: Column, values: list[str]) -> Fragment:
    inner = _between(visitor, column, values)
    return Fragment(f"NOT {inner.sql}", inner.params)


_SETS: Final[Mapping[str, Callable[[SqlFilter, Column, list[str]], Fragment]]] = {
    "In": _any_of,
    "NotIn": _none_of,
    "Between": _between,
    "NotBetween": _outside,
}

_USERS: Final = {
    "EqualUserId": "{column} = ?",
    "NotEqualUserId": "{column} <> ?",
    "EqualBusinessId": "{column} = (SELECT businessunitid FROM systemuser WHERE systemuserid = ?)",
    "NotEqualBusinessId": "{column} <> (SELECT businessunitid FROM systemuser WHERE systemuserid = ?)",
    "EqualUserTeams": "{column} IN (SELECT teamid FROM teammembership WHERE systemuserid = ?)",
    "EqualUserOrUserTeams": "{column} IN (SELECT ? UNION SELECT teamid FROM teammembership WHERE systemuserid = ?)",
}


def _user(call: Call, name: str, column: Column) -> Fragment:
    template = _USERS[name]
    return Fragment(template.replace("{column}", column.sql), (call.caller,) * template.count("?"))


_HIERARCHY: Final = frozenset({"Under", "UnderOrEqual", "NotUnder", "Above", "AboveOrEqual"})
_PARENTS: Final = {
    "accountid": ("account", "parentaccountid"),
    "productid": ("product", "parentproductid"),
    "businessunitid": ("businessunit", "parentbusinessunitid"),
    "systemuserid": ("systemuser", "parentsystemuserid"),
}


def _hierarchy(name: str, column: Column, path: str, values: list[str]) -> Fragment:
    if path not in _PARENTS or len(values) != 1:
        raise FilterError(f"{_NAMESPACE}{name} takes the id of a table with a hierarchy and one PropertyValue")
    table, parent = _PARENTS[path]
    step = (
        f"SELECT p.{parent} FROM {table} p JOIN line ON p.{path} = line.id"
        if name.startswith("Above")
        else f"SELECT p.{path} FROM {table} p JOIN line ON p.{parent} = line.id"
    )
    start = values[0].lower()
    line = f"WITH RECURSIVE line (id) AS (SELECT ? UNION {step}) SELECT id FROM line WHERE id IS NOT NULL"
    if not name.endswith("OrEqual"):
        line += " AND id <> ?"
    negated = "NOT " if name.startswith("Not") else ""
    return Fragment(f"{column.sql} {negated}IN ({line})", (start,) * line.count("?"))


def _within(visitor: SqlFilter, column: Column, wanted: Range) -> Fragment:
    left = Fragment(column.sql, column=column)
    parts = [
        visitor.compare(left, op, Fragment("?", (moment,), literal=True, value=moment))
        for op, moment in zip((">=", "<"), wanted, strict=True)
        if moment is not None
    ]
    params = tuple(value for part in parts for value in part.params)
    return Fragment(f"({' AND '.join(part.sql for part in parts)})", params)


def time_range(name: str, now: datetime, value: str | None) -> Range | None:
    """The time that a function such as ``LastXDays`` or ``ThisMonth`` means; None where *name* is no such function."""
    if name in ("On", "OnOrAfter", "OnOrBefore"):
        start = to_datetime(f"{(value or '')[:10]}T00:00:00Z")
        after = start + timedelta(days=1)
        return {"On": (start, after), "OnOrAfter": (start, None), "OnOrBefore": (None, after)}[name]
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    fixed = _fixed_range(name, now, day)
    if fixed is not _ENDLESS:
        return fixed
    for prefix in ("LastX", "NextX", "OlderThanX"):
        unit = name.removeprefix(prefix)
        if name.startswith(prefix) and unit in _UNITS:
            if value is None or not value.isdigit():
                raise FilterError(f"{_NAMESPACE}{name} takes a whole number as PropertyValue")
            return _counted_range(prefix, unit, int(value), now, day)
    return None


def _fixed_range(name: str, now: datetime, day: datetime) -> Range:
    one = timedelta(days=1)
    week = day - timedelta(days=(day.weekday() + 1) % 7)
    month, year = day.replace(day=1), day.replace(month=1, day=1)
    ranges: dict[str, Range] = {
        "Today": (day, day + one),
        "Yesterday": (day - one, day),
        "Tomorrow": (day + one, day + 2 * one),
        "Last7Days": (day - 7 * one, now),
        "Next7Days": (now, day + 8 * one),
        "LastWeek": (week - 7 * one, week),
        "ThisWeek": (week, week + 7 * one),
        "NextWeek": (week + 7 * one, week + 14 * one),
        "LastMonth": (_shift(month, -1), month),
        "ThisMonth": (month, _shift(month, 1)),
        "NextMonth": (_shift(month, 1), _shift(month, 2)),
        "LastYear": (_shift(year, -12), year),
        "ThisYear": (year, _shift(year, 12)),
        "NextYear": (_shift(year, 12), _shift(year, 24)),
    }
    return ranges.get(name, _ENDLESS)


_UNITS: Final = frozenset({"Minutes", "Hours", "Days", "Weeks", "Months", "Years"})


_FIXED: Final = (
    *("Today", "Yesterday", "Tomorrow", "Last7Days", "Next7Days", "LastWeek", "ThisWeek", "NextWeek"),
    *("LastMonth", "ThisMonth", "NextMonth", "LastYear", "ThisYear", "NextYear", "On", "OnOrAfter", "OnOrBefore"),
)
_NAMES: Final = (
    *_SETS,
    *_USERS,
    *sorted(_HIERARCHY),
    *_FIXED,
    *(f"{prefix}{unit}" for prefix in ("LastX", "NextX", "OlderThanX") for unit in sorted(_UNITS)),
)


def _counted_range(prefix: str, unit: str, number: int, now: datetime, day: datetime) -> Range:
    sign = 1 if prefix == "NextX" else -1
    base = now if unit in ("Minutes", "Hours") or prefix == "OlderThanX" else day
    if unit in ("Months", "Years"):
        edge = _shift(base, sign * number * (12 if unit == "Years" else 1))
    else:
        length = {"Minutes": 60, "Hours": 3600, "Days": 86400, "Weeks": 604800}[unit]
        edge = base + sign * timedelta(seconds=number * length)
    if prefix == "OlderThanX":
        return None, edge
    if prefix == "NextX":
        return now, edge + (timedelta(days=1) if base is day else timedelta(0))
    return edge, now


def _shift(moment: datetime, months: int) -> datetime:
    """*moment* some months on, on the last day of the month where the day does not exist there."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    following = datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC)
    last = (following - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
