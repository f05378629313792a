"""Addresses of resources: the path under the API root, keys in parentheses, and references to rows in bodies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from crosstie.sandbox.dataverse.environment import Call, Environment
from crosstie.sandbox.dataverse.errors import (
    UNSUPPORTED,
    Refusal,
    bad_payload,
    invalid_key,
    missing_key,
    missing_row,
    unknown_segment,
)
from crosstie.sandbox.dataverse.schema import TEXT_TYPES, Column, Key, Table
from crosstie.sandbox.dataverse.storage import key_expression
from crosstie.sandbox.dataverse.types import GUID

NAMESPACE: Final = "Microsoft.Dynamics.CRM."
ROOT: Final = re.compile(r"/api/data/(v\d+\.\d+)(?:/|$)")

_SEGMENT = re.compile(r"([^()]+)(?:\((.*)\))?", re.DOTALL)
_PAIR = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*('(?:[^']|'')*'|[^,']+)\s*(?:,|$)")
_DANGEROUS = re.compile(r"[/<>*%&:\\?+]")
_REFERENCE = re.compile(r"\$([\w.\-]+)")


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a path: a name, and what stands in parentheses behind it."""

    name: str
    key: str | None = None

    @property
    def text(self) -> str:
        """As it was written."""
        return self.name if self.key is None else f"{self.name}({self.key})"


@dataclass(frozen=True, slots=True)
class RowKey:
    """How a row is addressed: by id, or by an alternate key with its stored values."""

    text: str
    """As it was written between the parentheses."""
    id: str | None = None
    key: Key | None = None
    values: Mapping[str, object] | None = None


def split(path: str) -> list[Segment]:
    """The segments of a path below the API root; raises :class:`Refusal` on one that cannot be read."""
    segments = []
    for part in path.strip("/").split("/"):
        match = _SEGMENT.fullmatch(part)
        if match is None:
            raise unknown_segment(part)
        segments.append(Segment(match[1], match[2]))
    return segments


def pairs(text: str) -> dict[str, str] | None:
    """``a='x',b=1`` as names and raw values; None where the text is not of that form."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None or match[1] in found:
            return None
        found[match[1]] = match[2].strip()
        position = match.end()
    return found or None


def unquoted(text: str) -> str:
    """A literal without its quotes, doubled ones made single."""
    return text[1:-1].replace("''", "'") if len(text) > 1 and text[0] == text[-1] == "'" else text


def parse_key(env: Environment, table: Table, text: str) -> RowKey:
    """The key in parentheses: an id, the id by name, or an alternate key; raises :class:`Refusal`."""
    if GUID.fullmatch(text):
        return RowKey(text, id=text.lower())
    named = pairs(text)
    if named is None:
        raise invalid_key(table.type_name)
    if set(named) == {"ownerid" if table.principal else table.id}:
        value = next(iter(named.values()))
        if not GUID.fullmatch(value):
            raise invalid_key(table.type_name)
        return RowKey(text, id=value.lower())
    for key in table.keys.values():
        columns = [table.columns[name] for name in key.columns]
        if set(named) == {column.wire for column in columns}:
            values = {column.name: _key_value(env, table, column, named[column.wire]) for column in columns}
            return RowKey(text, key=key, values=values)
    raise invalid_key(table.type_name)


def check_path_key(text: str) -> None:
    """Refuse (400) a key in a path that holds a character which the service takes for an attack, even if encoded."""
    match = _DANGEROUS.search(text) if "'" in text else None
    if match is not None:
        raise Refusal(
            400,
            UNSUPPORTED,
            f"A potentially dangerous Request.Path value was detected from the client ({match[0]}). Values of "
            "alternate keys that hold one of / < > * % & : \\ ? + cannot stand in an address.",
        )


def _key_value(env: Environment, table: Table, column: Column, text: str) -> object:
    """The stored form of a value in a key."""
    quoted = text.startswith("'")
    if column.type in TEXT_TYPES:
        if not quoted:
            raise invalid_key(table.type_name)
        return env.encoders(table)[column.name](unquoted(text))
    value: object = unquoted(text)
    if column.type in ("Integer", "BigInt", "Picklist", "State", "Status"):
        if not text.lstrip("-").isdigit():
            raise invalid_key(table.type_name)
        value = int(text)
    return env.encoders(table)[column.name](value)


def find(env: Environment, table: Table, key: RowKey) -> str | None:
    """The id of the addressed row, or None where there is none."""
    if key.id is not None:
        sql = f"SELECT 1 FROM {table.name} WHERE {table.id} = ?"
        return key.id if env.db.execute(sql, (key.id,)).fetchone() else None
    return find_by_values(env, table, key.values or {})


def find_by_values(env: Environment, table: Table, values: Mapping[str, object]) -> str | None:
    """The id of the row with these values in the columns of an alternate key."""
    conditions = []
    for name in values:
        column = table.columns[name]
        mark = "fold(?)" if column.type == "String" else "?"
        conditions.append(f"{key_expression(column)} = {mark}")
    sql = f"SELECT {table.id} FROM {table.name} WHERE {' AND '.join(conditions)}"
    found = env.db.execute(sql, tuple(values.values())).fetchone()
    return None if found is None else str(found[0])


def require(env: Environment, table: Table, key: RowKey) -> str:
    """The id of the addressed row; raises :class:`Refusal` 404 with the code that fits the form of the key."""
    found = find(env, table, key)
    if found is None:
        raise missing_row(table.name, key.id) if key.id is not None else missing_key(table.name)
    return found


def row_address(call: Call, table: Table, row_id: str) -> str:
    """The absolute address of a row."""
    return f"{call.root}/{table.set}({row_id})"


def reference(call: Call, text: object, allowed: tuple[Table, ...], entity_set: str) -> tuple[Table, str]:
    """The row that a body names (``@odata.bind``, ``@odata.id``), as its table and id.

    Takes absolute, host-relative and relative addresses, with or without a leading slash, alternate keys, and ``$1``.
    Raises :class:`Refusal`: 400 where it cannot be read or names a table that is not *allowed*, 404 where there is no
    such row.
    """
    if not isinstance(text, str) or not text.strip():
        raise bad_payload(entity_set, f"The URI '{text}' is not a valid reference to a record.")
    address = resolve_reference(call, text.strip())
    path = unquote(address.partition("?")[0]) if "%" in address else address.partition("?")[0]
    match = ROOT.search(path)
    segments = split(path[match.end() :] if match else path)
    table = call.env.schema.by_set(segments[0].name)
    key = segments[0].key
    if table is None or len(segments) != 1 or key is None:
        raise bad_payload(entity_set, f"The URI '{text}' is not a valid reference to a record.")
    if table not in allowed:
        expected = ", ".join(other.type_name for other in allowed)
        raise bad_payload(entity_set, f"The URI '{text}' leads to '{table.type_name}' where '{expected}' is expected.")
    return table, require(call.env, table, parse_key(call.env, table, key))


def resolve_reference(call: Call, text: str) -> str:
    """*text* with a leading ``$1`` replaced by the address behind that Content-ID; raises :class:`Refusal` 400."""
    match = _REFERENCE.match(text.lstrip("/"))
    if match is None:
        return text
    address = call.references.get(match[1])
    if address is None:
        raise Refusal(400, UNSUPPORTED, f"Content-ID Reference: '${match[1]}' does not exist in the batch context.")
    return address + text.lstrip("/")[match.end() :]
