"""``?sql=``: one SELECT over tables by their logical names (as the service's own Python client sends it).

The statement is read word by word: only known tables and columns, a few functions and operators pass, so that what
reaches the database can do nothing but read them.
"""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from crosstie.sandbox.dataverse.environment import MAX_PAGE, Call
from crosstie.sandbox.dataverse.errors import unsupported
from crosstie.sandbox.dataverse.query import Source
from crosstie.sandbox.dataverse.schema import Column, Table
from crosstie.sandbox.http import Response, json_response

_TOKEN = re.compile(
    r"\s*(?:(?P<text>N?'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w]*|\[[^\]]+\])"
    r"|(?P<sign><>|!=|<=|>=|[=<>(),.*+\-/]))"
)
_WORDS: Final = frozenset(
    {"select", "distinct", "top", "from", "where", "and", "or", "not", "in", "like", "between", "is", "null", "order"}
    | {"by", "asc", "desc", "group", "inner", "left", "outer", "join", "on", "as", "count", "sum", "avg", "min", "max"}
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        """A keyword in lower case; empty for anything else."""
        lower = self.text.lower()
        return lower if self.kind == "name" and lower in _WORDS else ""


def read_sql(call: Call, source: Source) -> Response:
    """The rows of a SELECT; raises :class:`Refusal` 400 on anything that is not plain reading."""
    tokens = list(_tokens(call.query["sql"]))
    if not tokens or tokens[0].word != "select":
        raise unsupported("The sql option takes one SELECT statement.")
    statement, params, limit = _translate(call, tokens)
    sql = f"{statement} LIMIT {min(limit, MAX_PAGE)}"
    try:
        cursor = call.env.db.execute(sql, tuple(params))
    except sqlite3.Error as error:
        raise unsupported(f"Incorrect syntax in the sql option: {error}.") from error
    names = [item[0] for item in cursor.description]
    value = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return json_response({"@odata.context": f"{call.root}/$metadata#{source.table.set}", "value": value})


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise unsupported(f"Incorrect syntax near '{text[position : position + 20]}'.")
        kind = match.lastgroup or ""
        yield _Token(kind, match[kind].strip("[]") if kind == "name" else match[kind])
        position = match.end()


def _translate(call: Call, tokens: list[_Token]) -> tuple[str, list[object], int]:
    """The statement for SQLite, its parameters, and how many rows it may give."""
    tables = _tables(call, tokens)
    outputs = _outputs(tokens)
    out: list[str] = []
    params: list[object] = []
    limit, position, section = MAX_PAGE, 0, "select"
    while position < len(tokens):
        token = tokens[position]
        if token.word == "top":
            number = tokens[position + 1] if position + 1 < len(tokens) else token
            if number.kind != "number" or not number.text.isdigit():
                raise unsupported("TOP takes a whole number.")
            limit, position = int(number.text), position + 2
            continue
        if token.word in ("from", "join", "where", "on", "group", "order", "select"):
            section = token.word
        if token.kind == "name" and not token.word:
            sql, used = _name(tables, outputs, tokens, position, section)
            out.append(sql)
            position += used
            continue
        if token.text == "*" and tokens[position - 1].text != "(":
            raise unsupported("SELECT * is not supported: name the columns.")
        if token.kind == "text":
            out.append("?")
            params.append(token.text.lstrip("N")[1:-1].replace("''", "'"))
        else:
            out.append("<>" if token.text == "!=" else token.text)
        position += 1
    return " ".join(out), params, limit


def _tables(call: Call, tokens: list[_Token]) -> dict[str, Table]:
    """Tables by the name or alias under which columns may name them."""
    found: dict[str, Table] = {}
    for position, token in enumerate(tokens[:-1]):
        if token.word in ("from", "join"):
            name = tokens[position + 1].text.lower()
            table = call.env.schema.tables.get(name)
            if table is None:
                raise unsupported(f"Invalid object name '{tokens[position + 1].text}'.")
            after = tokens[position + 2 : position + 4]
            if after and after[0].word == "as":
                after = after[1:]
            alias = after[0].text.lower() if after and after[0].kind == "name" and not after[0].word else name
            found[alias] = table
    if not found:
        raise unsupported("The SELECT names no table.")
    return found


def _outputs(tokens: list[_Token]) -> frozenset[str]:
    """The names that the statement gives to its own columns."""
    pairs = pairwise(tokens)
    return frozenset(second.text.lower() for first, second in pairs if first.word == "as")


def _name(
    tables: dict[str, Table], outputs: frozenset[str], tokens: list[_Token], position: int, section: str
) -> tuple[str, int]:
    """A name as SQL, and how many tokens it takes."""
    name = tokens[position].text.lower()
    follows = tokens[position + 1].text if position + 1 < len(tokens) else ""
    before = tokens[position - 1]
    if follows == "." and position + 2 < len(tokens):
        table = tables.get(name)
        column = table.columns.get(tokens[position + 2].text.lower()) if table else None
        if column is None:
            raise unsupported(f"The multi-part identifier '{name}.{tokens[position + 2].text}' could not be bound.")
        return _column(name, column, section, tokens[position + 3 : position + 4], before), 3
    if before.word in ("from", "join", "as") or (section in ("from", "join") and name in tables):
        return f'"{name}"', 1
    owners = [(alias, table) for alias, table in tables.items() if name in table.columns]
    if len(owners) == 1:
        alias, table = owners[0]
        return _column(alias, table.columns[name], section, tokens[position + 1 : position + 2], before), 1
    if name in outputs:
        return f'"{name}"', 1
    raise unsupported(f"{'Ambiguous' if owners else 'Invalid'} column name '{name}'.")


def _column(alias: str, column: Column, section: str, following: list[_Token], before: _Token) -> str:
    """A column as SQL: texts compare without case, money is in units."""
    sql = f'"{alias}".{column.name}'
    if column.type == "Money":
        sql = f"({sql} / 10000.0)"
    listed = section == "select" and before.text != "("
    if listed and not (following and following[0].word == "as"):
        return f'{sql} AS "{column.wire}"'
    return f"{sql} COLLATE NOCASE" if section in ("where", "order", "on") and column.type == "String" else sql
