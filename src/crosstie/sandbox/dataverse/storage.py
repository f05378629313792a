"""The SQLite tables behind the schema, and the few statements that everything else is made of.

Values are stored so that reading them needs as little work as possible: ids, texts and times as on the wire, two-option
columns as 0 and 1, money as whole ten-thousandths (exact), decimals as REAL (exact up to 15 digits). Row versions of
all tables come from one counter; deleted rows leave a tombstone.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from crosstie.sandbox.database import Database
from crosstie.sandbox.dataverse.schema import Column, Key, Option, Schema, Table

_SQL_TYPES: Final = {
    "Integer": "INTEGER",
    "BigInt": "INTEGER",
    "Boolean": "INTEGER",
    "Picklist": "INTEGER",
    "State": "INTEGER",
    "Status": "INTEGER",
    "Money": "INTEGER",
    "Decimal": "REAL",
    "Double": "REAL",
}

_UNINDEXED: Final = frozenset(
    {"createdby", "createdonbehalfby", "modifiedby", "modifiedonbehalfby", "owningbusinessunit", "organizationid"}
    | {"ownerid", "owninguser", "owningteam", "transactioncurrencyid", "bcbi_companyid"}
)
"""Lookups that almost every row fills and that tell few rows apart: an index would cost more than it gives."""


def create_tables(db: Database, schema: Schema) -> None:
    """Make whatever tables and indexes are missing."""
    with db.transaction():
        for table in schema.tables.values():
            _create_table(db, table)
        db.execute(
            "CREATE TABLE IF NOT EXISTS tombstone (name TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,"
            " deletedon TEXT NOT NULL)"
        )
        db.execute("CREATE INDEX IF NOT EXISTS tombstone_version ON tombstone (name, version)")
        db.execute("CREATE INDEX IF NOT EXISTS tombstone_id ON tombstone (name, id)")
        db.execute(
            "CREATE TABLE IF NOT EXISTS choice (name TEXT NOT NULL, column_name TEXT NOT NULL, value INTEGER NOT NULL,"
            " label TEXT, state INTEGER, PRIMARY KEY (name, column_name, value))"
        )
        db.execute("CREATE TABLE IF NOT EXISTS job (id TEXT PRIMARY KEY, due REAL NOT NULL, targets BLOB NOT NULL)")
        db.execute(
            "CREATE TABLE IF NOT EXISTS alternate_key (name TEXT NOT NULL, key_name TEXT NOT NULL, display TEXT,"
            " columns TEXT, PRIMARY KEY (name, key_name))"
        )


def _create_table(db: Database, table: Table) -> None:
    columns = []
    for column in table.columns.values():
        suffix = " PRIMARY KEY NOT NULL" if column.name == table.id else ""
        columns.append(f"{column.name} {_SQL_TYPES.get(column.type, 'TEXT')}{suffix}")
        if column.polymorphic:
            columns.append(f"{column.name}type TEXT")
    db.execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({', '.join(columns)})")
    name = table.name
    for column in table.columns.values():
        if column.name in ("versionnumber", "modifiedon"):
            db.execute(f"CREATE INDEX IF NOT EXISTS {name}_{column.name} ON {name} ({column.name})")
        elif (column.lookup and column.name not in _UNINDEXED) or (table.intersect and column.name != table.id):
            db.execute(
                f"CREATE INDEX IF NOT EXISTS {name}_{column.name} ON {name} ({column.name})"
                f" WHERE {column.name} IS NOT NULL"
            )
    for column in table.columns.values():
        if is_ordered_by(table, column.name):
            _create_order(db, table, column)
    for key in table.keys.values():
        create_key_index(db, table, key)


def _create_order(db: Database, table: Table, column: Column) -> None:
    """The index along which a list is read that is sorted by a column; the id breaks ties, as in the list."""
    parts = f"{key_expression(column)}, {table.id}"
    db.execute(f"CREATE INDEX IF NOT EXISTS {order_index(table, column.name)} ON {table.name} ({parts})")


def is_ordered_by(table: Table, column: str) -> bool:
    """Whether an index keeps the rows in the order of a column: the primary name, and those of the quick find."""
    return not table.intersect and ((column == table.primary and table.named) or column in table.find)


def order_index(table: Table, column: str) -> str:
    """The name of that index."""
    return f"{table.name}_by_{column}"


def key_expression(column: Column) -> str:
    """How a column takes part in a unique index: texts compare without case."""
    return f"fold({column.name})" if column.type == "String" else column.name


def create_key_index(db: Database, table: Table, key: Key) -> None:
    """The unique index of an alternate key; raises sqlite3.IntegrityError where rows break it."""
    parts = ", ".join(key_expression(table.columns[name]) for name in key.columns)
    db.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS key_{table.name}_{key.name} ON {table.name} ({parts})")


def load_customizing(db: Database, schema: Schema) -> None:
    """Lay choices and keys that were changed at run time over the delivered ones."""
    for name, column_name, value, label, state in db.execute(
        "SELECT name, column_name, value, label, state FROM choice ORDER BY rowid"
    ):
        options = schema.tables[name].columns[column_name].options
        if label is None:
            options.pop(value, None)
        else:
            options[value] = Option(value, label, state)
    for name, key_name, display, columns in db.execute("SELECT name, key_name, display, columns FROM alternate_key"):
        keys = schema.tables[name].keys
        if columns is None:
            keys.pop(key_name, None)
        else:
            keys[key_name] = Key(key_name, display, tuple(columns.split(",")))


def save_option(db: Database, table: Table, column: Column, value: int) -> None:
    """Remember the present state of one option (gone, or with its label)."""
    option = column.options.get(value)
    db.execute(
        "INSERT OR REPLACE INTO choice VALUES (?, ?, ?, ?, ?)",
        (table.name, column.name, value, option.label if option else None, option.state if option else None),
    )


def save_key(db: Database, table: Table, name: str) -> None:
    """Remember the present state of one alternate key (gone, or with its columns)."""
    key = table.keys.get(name)
    db.execute(
        "INSERT OR REPLACE INTO alternate_key VALUES (?, ?, ?, ?)",
        (table.name, name, key.display if key else None, ",".join(key.columns) if key else None),
    )


def insert_sql(table: str, names: Sequence[str]) -> str:
    """An INSERT of these columns."""
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def upsert_sql(table: str, key: str, names: Sequence[str]) -> str:
    """An INSERT that overwrites the row with the same id."""
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name != key)
    return f"{insert_sql(table, names)} ON CONFLICT ({key}) DO UPDATE SET {sets}"


def update_sql(table: str, key: str, names: Iterable[str]) -> str:
    """An UPDATE of these columns in the row of one id (the last parameter)."""
    return f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in names)} WHERE {key} = ?"


def select_in(db: Database, sql: str, ids: Sequence[object], extra: Sequence[object] = ()) -> list[tuple[object, ...]]:
    """The rows of *sql*, in which ``{ids}`` stands for the list of *ids*, asked for in portions."""
    rows: list[tuple[object, ...]] = []
    for start in range(0, len(ids), 1000):
        part = ids[start : start + 1000]
        rows.extend(db.execute(sql.replace("{ids}", ", ".join("?" * len(part))), (*part, *extra)).fetchall())
    return rows
