"""``?fetchXml=``: the XML query language (wire-dataverse section 4): columns, filters, orders, links, paging.

Not here: aggregates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree

from crosstie.sandbox.columns import Column as SqlColumn
from crosstie.sandbox.database import fold
from crosstie.sandbox.dataverse.crmfunctions import as_literal, time_range
from crosstie.sandbox.dataverse.environment import MAX_PAGE, Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, BAD_FETCH, Refusal, unsupported
from crosstie.sandbox.dataverse.filtering import sql_column, stored_datetime
from crosstie.sandbox.dataverse.projection import Projection, RawRow, WireRow, wanted
from crosstie.sandbox.dataverse.query import Source, page_size
from crosstie.sandbox.dataverse.schema import Column, Table
from crosstie.sandbox.filters import FilterError
from crosstie.sandbox.http import Response, json_response

COOKIE: Final = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE: Final = "Microsoft.Dynamics.CRM.morerecords"
TOTAL: Final = "Microsoft.Dynamics.CRM.totalrecordcount"
TOTAL_EXCEEDED: Final = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"

_COMPARISONS: Final = {"eq": "=", "ne": "<>", "neq": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_LISTS: Final = {"in": "IN", "not-in": "NOT IN"}
_PATTERNS: Final = {
    "like": ("LIKE", "{}"),
    "not-like": ("NOT LIKE", "{}"),
    "begins-with": ("LIKE", "{}%"),
    "not-begin-with": ("NOT LIKE", "{}%"),
    "ends-with": ("LIKE", "%{}"),
    "not-end-with": ("NOT LIKE", "%{}"),
}
_USERS: Final = {"eq-userid": "=", "ne-userid": "<>"}


@dataclass(frozen=True, slots=True)
class _Linked:
    """A column that a link-entity adds to the rows."""

    name: str
    sql: str
    column: Column
    table: Table


class _Query:
    """A fetch being read into SQL."""

    def __init__(self, call: Call, table: Table) -> None:
        self.call = call
        self.aliases: dict[str, Table] = {"t": table}
        self.joins: list[str] = []
        self.conditions: list[str] = []
        self.params: list[object] = []
        self.join_params: list[object] = []
        self.linked: list[_Linked] = []
        self.orders: list[str] = []


def read_fetch(call: Call, source: Source) -> Response:
    """The rows of a fetch whose entity is the one of the address."""
    text = call.query["fetchXml"]
    if "<!" in text:
        raise Refusal(400, BAD_FETCH, "fetchXml cannot contain declarations.")
    try:
        fetch = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise Refusal(400, BAD_FETCH, f"Invalid XML in fetchXml: {error}") from error
    table = source.table
    entity = fetch.find("entity")
    if fetch.tag != "fetch" or entity is None:
        raise Refusal(400, BAD_FETCH, "fetchXml must be a fetch element with an entity element.")
    if entity.get("name") != table.name:
        named = entity.get("name")
        message = f"The entity '{named}' of fetchXml is not that of the address: '{table.name}'."
        raise Refusal(400, BAD_ARGUMENT, message)
    if fetch.get("aggregate", "false").lower() in ("true", "1"):
        raise unsupported("Aggregates in fetchXml are not supported here: use $apply.")
    query = _Query(call, table)
    select = _read_entity(query, entity, "t", table)
    return _answer(query, fetch, table, select)


def _answer(query: _Query, fetch: ElementTree.Element, table: Table, select: list[str] | None) -> Response:
    call = query.call
    projection = Projection(
        call.env, table, select, call.prefer.annotations, tuple(linked.sql for linked in query.linked)
    )
    page = max(int(fetch.get("page") or 1), 1)
    size, limited = _size(call, fetch)
    body = f"FROM {table.name} t {' '.join(query.joins)}"
    if query.conditions:
        body += f" WHERE {' AND '.join(query.conditions)}"
    params = (*query.join_params, *query.params)
    order = ", ".join([*query.orders, f"t.{table.id}"])
    distinct = "DISTINCT " if fetch.get("distinct", "false").lower() in ("true", "1") else ""
    sql = f"SELECT {distinct}{projection.sql('t')} {body} ORDER BY {order} LIMIT ? OFFSET ?"
    raw = call.env.db.execute(sql, (*params, size + 1, (page - 1) * size)).fetchall()
    more = len(raw) > size and not limited
    del raw[size:]
    wires = projection.build(raw)
    _add_linked(query, wires, raw, projection.hidden_from)
    answer: dict[str, object] = {"@odata.context": f"{call.root}/$metadata#{table.set}"}
    if fetch.get("returntotalrecordcount", "false").lower() in ("true", "1"):
        counted = f"SELECT COUNT(*) FROM (SELECT 1 {body} LIMIT {MAX_PAGE + 1})"
        total = int(call.env.db.execute(counted, params).fetchone()[0])
        answer[f"@{TOTAL}"] = min(total, MAX_PAGE)
        answer[f"@{TOTAL_EXCEEDED}"] = total > MAX_PAGE
    if more and wanted(call.prefer.annotations, COOKIE):
        answer[f"@{COOKIE}"] = _cookie(table, page, wires)
    if wanted(call.prefer.annotations, MORE):
        answer[f"@{MORE}"] = more
    return json_response({**answer, "value": wires})


def _size(call: Call, fetch: ElementTree.Element) -> tuple[int, bool]:
    """Rows of a page, and whether ``top`` set the number."""
    top, count = fetch.get("top"), fetch.get("count")
    if top and count:
        raise Refusal(400, BAD_FETCH, "The top attribute cannot be combined with count and page in fetchXml.")
    if top:
        return min(int(top), MAX_PAGE), True
    if count:
        return min(int(count), MAX_PAGE), False
    return page_size(call)


def _cookie(table: Table, page: int, wires: list[WireRow]) -> str:
    first, last = (f"{{{str(wires[i][table.id]).upper()}}}" for i in (0, -1))
    inner = f'<cookie page="{page}"><{table.id} last="{last}" first="{first}" /></cookie>'
    encoded = quote(quote(inner, safe=""), safe="")
    return f'<cookie pagenumber="{page + 1}" pagingcookie="{encoded}" istracking="False" />'


def _add_linked(query: _Query, wires: list[WireRow], raw: list[RawRow], start: int) -> None:
    for position, linked in enumerate(query.linked, start):
        decode = query.call.env.decoders(linked.table).get(linked.column.name)
        for wire, row in zip(wires, raw, strict=True):
            value = row[position]
            if value is not None:
                wire[linked.name] = decode(value) if decode else value


def _read_entity(query: _Query, entity: ElementTree.Element, alias: str, table: Table) -> list[str] | None:
    """Read what stands inside ``entity`` or ``link-entity``; returns the selected columns (None: all)."""
    select: list[str] | None = []
    for child in entity:
        match child.tag:
            case "all-attributes":
                select = None
            case "attribute" if select is not None:
                select.append(_column(table, child.get("name")).wire)
            case "order":
                query.orders.append(_order(query, child, alias, table))
            case "filter":
                sql, params = _filter(query, child, alias, table)
                query.conditions.append(sql)
                query.params += params
            case "link-entity":
                _link(query, child, alias, table)
    return select


def _column(table: Table, name: str | None) -> Column:
    column = table.columns.get(name or "")
    if column is None:
        raise Refusal(400, BAD_FETCH, f"'{table.name}' entity doesn't contain attribute with Name = '{name}'.")
    return column


def _order(query: _Query, element: ElementTree.Element, alias: str, table: Table) -> str:
    named = element.get("entityname")
    if named:
        alias, table = named, _aliased(query, named)
    filtered = sql_column(_column(table, element.get("attribute")), alias)
    descending = element.get("descending", "false").lower() in ("true", "1")
    expression = f"fold({filtered.sql})" if filtered.kind == "text" else filtered.sql
    return f"{expression}{' DESC' if descending else ''}"


def _aliased(query: _Query, name: str) -> Table:
    table = query.aliases.get(name)
    if table is None:
        raise Refusal(400, BAD_FETCH, f"Link entity with name or alias '{name}' is not found.")
    return table


def _link(query: _Query, element: ElementTree.Element, near_alias: str, near: Table) -> None:
    name = element.get("name") or ""
    far = query.call.env.schema.tables.get(name)
    if far is None:
        raise Refusal(400, BAD_FETCH, f"The entity '{name}' of a link-entity does not exist.")
    kind = element.get("link-type", "inner")
    if kind not in ("inner", "outer"):
        raise unsupported(f"The link-type '{kind}' of fetchXml is not supported here.")
    alias = element.get("alias") or f"{name}{len(query.aliases)}"
    if not alias.isidentifier() or alias in query.aliases:
        raise Refusal(400, BAD_FETCH, f"The alias '{alias}' of a link-entity is not usable.")
    query.aliases[alias] = far
    here = _column(far, element.get("from")).name
    there = _column(near, element.get("to")).name
    on = [f"{alias}.{here} = {near_alias}.{there}"]
    if kind == "outer":
        for child in [item for item in element if item.tag == "filter"]:
            sql, params = _filter(query, child, alias, far)
            on.append(sql)
            query.join_params += params
            element.remove(child)
    query.joins.append(f"{'LEFT ' if kind == 'outer' else ''}JOIN {far.name} {alias} ON {' AND '.join(on)}")
    for child in element:
        if child.tag == "attribute":
            column = _column(far, child.get("name"))
            shown = child.get("alias") or f"{alias}.{column.name}"
            query.linked.append(_Linked(shown, f"{alias}.{column.name}", column, far))
    rest = [child for child in element if child.tag in ("filter", "order", "link-entity")]
    for child in rest:
        holder = ElementTree.Element("entity")
        holder.append(child)
        _read_entity(query, holder, alias, far)


# Conditions


def _filter(query: _Query, element: ElementTree.Element, alias: str, table: Table) -> tuple[str, list[object]]:
    word = " OR " if element.get("type", "and").lower() == "or" else " AND "
    parts, params = [], list[object]()
    for sql, values in _conditions(query, element, alias, table):
        parts.append(sql)
        params += values
    return f"({word.join(parts) or '1 = 1'})", params


def _conditions(
    query: _Query, element: ElementTree.Element, alias: str, table: Table
) -> Iterator[tuple[str, list[object]]]:
    for child in element:
        if child.tag == "filter":
            yield _filter(query, child, alias, table)
        elif child.tag == "condition":
            named = child.get("entityname")
            where = (named, _aliased(query, named)) if named else (alias, table)
            column = _column(where[1], child.get("attribute"))
            try:
                yield _condition(query.call, child, sql_column(column, where[0]))
            except FilterError as error:
                raise Refusal(400, BAD_FETCH, str(error)) from error


def _condition(call: Call, element: ElementTree.Element, column: SqlColumn) -> tuple[str, list[object]]:
    operator, value = element.get("operator", ""), element.get("value", "")
    values = [item.text or "" for item in element.findall("value")] or [value]
    text = column.kind == "text"
    sql = f"fold({column.sql})" if text else column.sql
    if operator in ("null", "not-null"):
        return f"{column.sql} IS {'NOT ' if operator == 'not-null' else ''}NULL", []
    if operator in _COMPARISONS:
        return f"{sql} {_COMPARISONS[operator]} ?", [_stored(column, value)]
    if operator in _LISTS:
        return f"{sql} {_LISTS[operator]} ({', '.join('?' * len(values))})", [_stored(column, item) for item in values]
    if operator in ("between", "not-between"):
        if len(values) != 2:
            raise FilterError("between takes two values")
        negated = "NOT " if operator == "not-between" else ""
        return f"{sql} {negated}BETWEEN ? AND ?", [_stored(column, item) for item in values]
    if operator in _PATTERNS:
        word, pattern = _PATTERNS[operator]
        return f"fold({column.sql}) {word} ?", [fold(pattern.format(value))]
    if operator in _USERS:
        return f"{column.sql} {_USERS[operator]} ?", [call.caller]
    return _in_time(call, column, operator, value)


def _stored(column: SqlColumn, text: str) -> object:
    value: Any = as_literal(column, text).value
    if column.kind == "text":
        return fold(str(value))
    if column.kind == "guid":
        return str(value).strip("{}").lower()
    if column.kind == "datetime":
        return stored_datetime(value)
    if column.kind in ("decimal", "double"):
        return float(value)
    return int(value) if column.kind == "bool" else value.isoformat() if column.kind == "date" else value


_SPECIAL: Final[Mapping[str, str]] = {"last-seven-days": "Last7Days", "next-seven-days": "Next7Days"}


def _in_time(call: Call, column: SqlColumn, operator: str, value: str) -> tuple[str, list[object]]:
    name = _SPECIAL.get(operator) or "".join(part.capitalize() for part in operator.split("-"))
    found = time_range(name.replace("Olderthan", "OlderThan"), call.env.clock.now(), value or None)
    if found is None or column.kind not in ("datetime", "date"):
        raise FilterError(f"the operator '{operator}' of fetchXml is not supported here")
    parts, params = [], list[object]()
    for op, moment in zip((">=", "<"), found, strict=True):
        if moment is not None:
            parts.append(f"{column.sql} {op} ?")
            params.append(stored_datetime(moment) if column.kind == "datetime" else moment.date().isoformat())
    return f"({' AND '.join(parts)})", params
