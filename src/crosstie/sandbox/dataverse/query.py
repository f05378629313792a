"""Reading collections and single rows (wire-dataverse section 4)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crosstie.sandbox.dataverse.environment import MAX_PAGE, Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, Refusal, missing_row, unsupported
from crosstie.sandbox.dataverse.expand import Expander
from crosstie.sandbox.dataverse.filtering import condition, guarded, order_terms
from crosstie.sandbox.dataverse.paging import Cookie, after, last_values, link, order_by, read_cookie
from crosstie.sandbox.dataverse.projection import TOTAL, TOTAL_EXCEEDED, Projection, WireRow, wanted
from crosstie.sandbox.dataverse.schema import Table
from crosstie.sandbox.dataverse.storage import is_ordered_by, order_index
from crosstie.sandbox.filters import parse_expand, parse_orderby, parse_select
from crosstie.sandbox.http import Response, json_response

_COLLECTION_OPTIONS: Final = frozenset(
    {"$select", "$filter", "$expand", "$orderby", "$apply", "$top", "$count", "$skiptoken", "$deltatoken"}
)
_ROW_OPTIONS: Final = frozenset({"$select", "$expand"})
_WITHIN: Final = re.compile(r"\b(?:contains|endswith)\(\s*(\w+)\s*,")
_FEW: Final = 500
_CLAUSES: Final = {"$skip": "Skip Clause is not supported in CRM", "$search": "Search Clause is not supported in CRM"}


@dataclass(frozen=True, slots=True)
class Source:
    """A collection: an entity set, or the rows behind a navigation property."""

    table: Table
    path: str
    """Its absolute address."""
    source: str = ""
    """The FROM that gives its rows as ``t``."""
    where: str = ""
    params: tuple[object, ...] = ()

    @property
    def from_sql(self) -> str:
        """The FROM clause."""
        return self.source or f"{self.table.name} t"


def check_options(call: Call, allowed: frozenset[str]) -> None:
    """Refuse query options that Dataverse does not support (their names are case-sensitive)."""
    for name in call.query:
        if name.startswith("$") and name not in allowed:
            if name in _CLAUSES:
                raise unsupported(_CLAUSES[name])
            raise unsupported(f"The query parameter {name} is not supported")


def select_of(call: Call) -> tuple[str, ...] | None:
    """The names of ``$select``, or None where there is none."""
    text = call.query.get("$select", "").strip()
    return guarded(parse_select, text) if text else None


def expander_of(call: Call, table: Table) -> Expander:
    """The navigations of ``$expand``."""
    text = call.query.get("$expand", "").strip()
    return Expander(call, table, guarded(parse_expand, text) if text else ())


def context_of(call: Call, name: str, select: Sequence[str] | None, expander: Expander | None = None) -> str:
    """``@odata.context`` of rows."""
    parts = [*(select or ()), *(expander.context() if expander else ())]
    shown = f"({','.join(parts)})" if parts else ""
    return f"{call.root}/$metadata#{name}{shown}"


def where_of(call: Call, source: Source) -> tuple[list[str], list[object]]:
    """The conditions of the collection itself and of ``$filter``."""
    conditions, params = ([source.where] if source.where else []), list(source.params)
    text = call.query.get("$filter", "").strip()
    if text:
        sql, more = condition(call, source.table, "t", text)
        conditions.append(sql)
        params += more
    return conditions, params


def read_page(call: Call, source: Source) -> Response:
    """One page of a collection."""
    check_options(call, _COLLECTION_OPTIONS)
    call.prefer.apply_annotations()
    table = source.table
    select, expander = select_of(call), expander_of(call, table)
    orderby = call.query.get("$orderby", "").strip()
    terms = order_terms(call, table, "t", guarded(parse_orderby, orderby) if orderby else ())
    hidden = [*(term.sql for term in terms), *expander.hidden("t")]
    projection = Projection(call.env, table, select, call.prefer.annotations, hidden)
    conditions, params = where_of(call, source)
    body: dict[str, object] = {"@odata.context": context_of(call, table.set, select, expander)}
    add_count(call, body, source, conditions, params)
    token = call.query.get("$skiptoken")
    cookie = read_cookie(token) if token else Cookie(1)
    if cookie.last:
        behind, values = after(terms, cookie.last)
        conditions, params = [*conditions, behind], [*params, *values]
    size, limited = page_size(call)
    conditions, params = _found_first(call, source, conditions, params, size) or (conditions, params)
    sql = (
        f"SELECT {projection.sql('t')} FROM {source.from_sql}{where_sql(conditions)} ORDER BY {order_by(terms)} LIMIT ?"
    )
    raw = call.env.db.execute(sql, (*params, size + 1)).fetchall()
    more = len(raw) > size and not limited
    del raw[size:]
    wires = projection.build(raw)
    start = projection.hidden_from
    expander.fill(wires, [row[start + len(terms) :] for row in raw])
    body["value"] = wires
    if more:
        following = Cookie(cookie.page + 1, last_values(terms, raw[-1][start : start + len(terms)]))
        body["@odata.nextLink"] = link(call.request, source.path, "", "$skiptoken", following.token())
    return json_response(body)


def _found_first(
    call: Call, source: Source, conditions: Sequence[str], params: Sequence[object], size: int
) -> tuple[list[str], list[object]] | None:
    """The same conditions as the rows that meet them, where these are few; None where they are many, or not sought.

    Few rows are found first and sorted then; of many, the first ones are met soon on the way along the order. Which it
    is, a database of the service knows from its statistics.
    """
    rows_of = _filtered(call, source)
    if (
        source.source
        or not call.query.get("$filter")
        or (rows_of == source.from_sql and not call.query.get("$orderby"))
    ):
        return None
    most = max(size, _FEW if call.query.get("$orderby") else MAX_PAGE)
    sql = f"SELECT t.rowid FROM {rows_of}{where_sql(conditions)} LIMIT {most + 1}"
    rows = call.env.db.execute(sql, tuple(params)).fetchall()
    return None if len(rows) > most else ([f"t.rowid IN ({', '.join(str(row[0]) for row in rows)})"], [])


def _filtered(call: Call, source: Source) -> str:
    """The FROM clause for finding what ``$filter`` admits: texts are searched in their index, which is much smaller."""
    within = _WITHIN.search(call.query.get("$filter", ""))
    if source.source or within is None or not is_ordered_by(source.table, within[1]):
        return source.from_sql
    return f"{source.from_sql} INDEXED BY {order_index(source.table, within[1])}"


def where_sql(conditions: Sequence[str]) -> str:
    """A WHERE of all conditions."""
    return f" WHERE {' AND '.join(f'({part})' for part in conditions)}" if conditions else ""


def page_size(call: Call) -> tuple[int, bool]:
    """How many rows an answer holds at most, and whether ``$top`` set that (``maxpagesize`` goes before it)."""
    if call.prefer.page_size is not None:
        size = min(call.prefer.page_size, MAX_PAGE)
        call.prefer.applied.append(f"odata.maxpagesize={call.prefer.page_size}")
        return size, False
    top = call.query.get("$top")
    if top is None:
        return MAX_PAGE, False
    if not top.isdigit():
        raise Refusal(400, BAD_ARGUMENT, f"Invalid value '{top}' for $top query option found.")
    return min(int(top), MAX_PAGE), int(top) <= MAX_PAGE


def add_count(
    call: Call, body: dict[str, object], source: Source, conditions: Sequence[str], params: Sequence[object]
) -> None:
    """``@odata.count`` and the annotations that reveal its cap."""
    counted = call.query.get("$count", "false").lower()
    if counted not in ("true", "false"):
        raise unsupported(f"Invalid value '{counted}' for $count query option found.")
    total = count_rows(call, source, conditions, params) if counted == "true" else -1
    if total >= 0:
        body["@odata.count"] = min(total, MAX_PAGE)
    if wanted(call.prefer.annotations, TOTAL):
        body[f"@{TOTAL}"] = min(total, MAX_PAGE)
        body[f"@{TOTAL_EXCEEDED}"] = total > MAX_PAGE


def count_rows(call: Call, source: Source, conditions: Sequence[str], params: Sequence[object]) -> int:
    """How many rows there are; one more than the cap stands for all beyond it."""
    rows_of = _filtered(call, source)
    sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {rows_of}{where_sql(conditions)} LIMIT {MAX_PAGE + 1})"
    return int(call.env.db.execute(sql, tuple(params)).fetchone()[0])


def read_count(call: Call, source: Source) -> Response:
    """``/$count``: the number as plain text, capped like ``@odata.count``."""
    check_options(call, frozenset({"$filter"}))
    conditions, params = where_of(call, source)
    total = min(count_rows(call, source, conditions, params), MAX_PAGE)
    return Response(200, [("Content-Type", "text/plain")], str(total).encode())


def read_row(call: Call, table: Table, row_id: str) -> Response:
    """One row; 304 where the client has this version already and asks for nothing that can change without it."""
    check_options(call, _ROW_OPTIONS)
    call.prefer.apply_annotations()
    known = call.condition("if-none-match")
    wire = row_body(call, table, row_id, expand=True)
    etag = str(wire["@odata.etag"])
    if known is not None and known == etag and "$expand" not in call.query and not call.prefer.annotations:
        return Response(304, [("ETag", etag)])
    return json_response(wire, 200, [("ETag", etag)])


def row_body(call: Call, table: Table, row_id: str, expand: bool) -> WireRow:
    """A row with its context, as a GET and ``return=representation`` show it; raises :class:`Refusal` 404."""
    select = select_of(call)
    expander = expander_of(call, table) if expand else Expander(call, table, ())
    projection = Projection(call.env, table, select, call.prefer.annotations, expander.hidden("t"))
    sql = f"SELECT {projection.sql('t')} FROM {table.name} t WHERE t.{table.id} = ?"
    raw = call.env.db.execute(sql, (row_id,)).fetchall()
    if not raw:
        raise missing_row(table.name, row_id)
    wires = projection.build(raw)
    expander.fill(wires, [raw[0][projection.hidden_from :]])
    return {"@odata.context": f"{context_of(call, table.set, select, expander)}/$entity", **wires[0]}
