"""Making and dropping alternate keys while the system runs (wire-dataverse section 8)."""

import sqlite3
from typing import Any, Final

from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, DUPLICATE_KEY, Refusal, row_exists
from crosstie.sandbox.dataverse.records import json_body
from crosstie.sandbox.dataverse.schema import Key, Table, identity
from crosstie.sandbox.dataverse.storage import create_key_index, save_key
from crosstie.sandbox.http import Response

MAX_KEYS: Final = 10
MAX_COLUMNS: Final = 16

_TYPES: Final = frozenset({"Decimal", "Integer", "String", "DateTime", "DateOnly", "Lookup", "Picklist"})


def create_key(call: Call, table: Table) -> Response:
    """``POST EntityDefinitions(...)/Keys``: the index is built at once; rows that break it refuse the key."""
    body = json_body(call)
    given: dict[str, Any] = body if isinstance(body, dict) else {}
    name, columns = str(given.get("SchemaName") or ""), tuple(given.get("KeyAttributes") or ())
    if not name.isidentifier():
        raise Refusal(400, BAD_ARGUMENT, f"SchemaName '{name}' of the key is no valid name.")
    if name in table.keys:
        raise row_exists()
    if len(table.keys) >= MAX_KEYS or not 0 < len(columns) <= MAX_COLUMNS:
        limits = f"a table has {MAX_KEYS} keys at most and a key 1 to {MAX_COLUMNS} attributes"
        raise Refusal(400, BAD_ARGUMENT, f"The key '{name}' cannot be made: {limits}.")
    for column in columns:
        if column not in table.columns or table.columns[column].type not in _TYPES:
            raise Refusal(400, BAD_ARGUMENT, f"The attribute '{column}' of '{table.name}' cannot be part of a key.")
    key = Key(name, _display(given, name), columns)
    with call.env.db.transaction():
        try:
            create_key_index(call.env.db, table, key)
        except sqlite3.IntegrityError as error:
            raise Refusal(
                412, DUPLICATE_KEY, f"The key '{name}' cannot be made: records of '{table.name}' have the same values."
            ) from error
        table.keys[name] = key
        save_key(call.env.db, table, name)
    call.env.schema_changed()
    key_id = identity("key", table.name, name)
    address = f"{call.root}/EntityDefinitions({table.metadata_id})/Keys({key_id})"
    return Response(204, [("OData-EntityId", address)])


def _display(given: dict[str, Any], name: str) -> str:
    labels = (given.get("DisplayName") or {}).get("LocalizedLabels") or [{}]
    return str(labels[0].get("Label") or name)


def drop_key(call: Call, table: Table, name: str) -> Response:
    """``DELETE EntityDefinitions(...)/Keys(...)``."""
    with call.env.db.transaction():
        call.env.db.execute(f"DROP INDEX IF EXISTS key_{table.name}_{name}")
        table.keys.pop(name)
        save_key(call.env.db, table, name)
    call.env.schema_changed()
    return Response(204)
