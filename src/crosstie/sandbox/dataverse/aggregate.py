"""``$apply``: ``filter``, ``groupby`` and ``aggregate``, which is all that Dataverse takes (section 4)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from crosstie.sandbox.dataverse.environment import MAX_PAGE, Call
from crosstie.sandbox.dataverse.errors import AGGREGATE_LIMIT, Refusal, unknown_property, unsupported
from crosstie.sandbox.dataverse.filtering import condition
from crosstie.sandbox.dataverse.query import Source, where_of, where_sql
from crosstie.sandbox.dataverse.schema import Column, Table
from crosstie.sandbox.dataverse.types import money
from crosstie.sandbox.http import Response, json_response

_AGGREGATE = re.compile(r"aggregate\((.*)\)", re.DOTALL)
_GROUP = re.compile(r"groupby\(\s*\(([^()]*)\)\s*(?:,\s*(aggregate\(.*\))\s*)?\)", re.DOTALL)
_FILTER = re.compile(r"filter\((.*)\)", re.DOTALL)
_TERM = re.compile(r"(\$count|[A-Za-z_]\w*\s+with\s+([a-z]+))\s+as\s+([A-Za-z_]\w*)")
_METHODS: Final = {
    "sum": "SUM({})",
    "average": "AVG({})",
    "min": "MIN({})",
    "max": "MAX({})",
    "countdistinct": "COUNT(DISTINCT {})",
}

Decode = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class _Output:
    """One column of the answer."""

    name: str
    sql: str
    decode: Decode | None = None


def read_aggregate(call: Call, source: Source) -> Response:
    """The answer to a ``$apply``; raises :class:`Refusal` 400 on other transformations and over too many rows."""
    steps = _steps(call.query["$apply"].strip())
    conditions, params = where_of(call, source)
    while steps and (match := _FILTER.fullmatch(steps[0])):
        sql, more = condition(call, source.table, "t", match[1])
        conditions.append(sql)
        params += more
        steps.pop(0)
    if len(steps) != 1:
        raise unsupported("$apply takes filter(...), then one of groupby(...) and aggregate(...).")
    groups, outputs = _transformation(source.table, steps[0])
    _check_limit(call, source, conditions, params)
    columns = ", ".join(output.sql for output in outputs)
    sql = f"SELECT {columns} FROM {source.from_sql}{where_sql(conditions)}"
    if groups:
        names = ", ".join(f"t.{column.name}" for column in groups)
        sql += f" GROUP BY {names} ORDER BY {names}"
    rows = call.env.db.execute(f"{sql} LIMIT {MAX_PAGE}", tuple(params)).fetchall()
    value = [
        {
            output.name: output.decode(item) if output.decode and item is not None else item
            for output, item in zip(outputs, row, strict=True)
        }
        for row in rows
    ]
    names = ",".join(output.name for output in outputs)
    return json_response({"@odata.context": f"{call.root}/$metadata#{source.table.set}({names})", "value": value})


def _steps(text: str) -> list[str]:
    """The transformations between slashes that stand outside parentheses."""
    steps, depth, start, quoted = [], 0, 0, False
    for position, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif not quoted and char in "()":
            depth += 1 if char == "(" else -1
        elif not quoted and char == "/" and depth == 0:
            steps.append(text[start:position].strip())
            start = position + 1
    return [*steps, text[start:].strip()]


def _transformation(table: Table, step: str) -> tuple[list[Column], list[_Output]]:
    grouped = _GROUP.fullmatch(step)
    if grouped is not None:
        columns = [_column(table, name.strip()) for name in grouped[1].split(",")]
        outputs = [_Output(column.wire, f"t.{column.name}", _decode(column)) for column in columns]
        return columns, outputs + (_aggregates(table, grouped[2]) if grouped[2] else [])
    return [], _aggregates(table, step)


def _aggregates(table: Table, step: str) -> list[_Output]:
    match = _AGGREGATE.fullmatch(step.strip())
    if match is None:
        raise unsupported(f"The transformation '{step}' of $apply is not supported.")
    outputs = []
    for text in match[1].split(","):
        term = _TERM.fullmatch(text.strip())
        if term is None:
            raise unsupported(f"'{text.strip()}' is no aggregation: write 'column with method as alias'.")
        outputs.append(_output(table, term))
    return outputs


def _output(table: Table, term: re.Match[str]) -> _Output:
    if term[1] == "$count":
        return _Output(term[3], "COUNT(*)")
    template = _METHODS.get(term[2])
    if template is None:
        raise unsupported(f"The aggregation method '{term[2]}' is not supported.")
    column = _column(table, term[1].split()[0])
    decode = _decode(column) if term[2] in ("sum", "average", "min", "max") else None
    return _Output(term[3], template.format(f"t.{column.name}"), decode)


def _decode(column: Column) -> Decode | None:
    if column.type == "Money":
        return lambda value: money(round(float(str(value))))
    return bool if column.type == "Boolean" else None


def _column(table: Table, name: str) -> Column:
    column = table.wire.get(name)
    if column is None:
        raise unknown_property(name, table.type_name)
    return column


def _check_limit(call: Call, source: Source, conditions: list[str], params: list[object]) -> None:
    limit = call.env.settings.number("aggregate_limit")
    sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {source.from_sql}{where_sql(conditions)} LIMIT {limit + 1})"
    if call.env.db.execute(sql, tuple(params)).fetchone()[0] > limit:
        raise Refusal(400, AGGREGATE_LIMIT, "AggregateQueryRecordLimit exceeded. Cannot perform this operation.")
