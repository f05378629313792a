"""The records of one company: rows in, rows out, stamps, number series, renames.

No rule of the application lives here; those are in ``triggers`` and what it calls.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from uuid import uuid4

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.business_central.schema import Field, Row, Schema, Table, changed
from crosstie.sandbox.business_central.values import NO_ID, Stored, encode_name
from crosstie.sandbox.clock import Clock
from crosstie.sandbox.database import Database
from crosstie.sandbox.http import HttpError
from crosstie.sandbox.settings import Settings


class Records:
    """The tables of one company. Methods take a table by its name in the application."""

    def __init__(self, database: Database, clock: Clock, settings: Settings, schema: Schema, prefix: str) -> None:
        self.database = database
        self.settings = settings
        self.schema = schema
        self._clock = clock
        self._prefix = prefix
        self._names = {
            name: table.sql_name if table.shared else prefix + table.sql_name for name, table in schema.tables.items()
        }
        self._selects = {
            name: f"SELECT {', '.join(table.columns)} FROM {self._names[name]}" for name, table in schema.tables.items()
        }
        self._inserts = {name: _insert(self._names[name], table.columns) for name, table in schema.tables.items()}

    def named(self, table: str) -> str:
        """The name of *table* in the database."""
        return self._names[table]

    def now(self) -> str:
        """The present moment as it is stored."""
        return self._clock.milliseconds()[:23]

    def make_tables(self) -> None:
        """Create the company's tables, its number series and the records that each company has one of."""
        for table in self.schema.of_company:
            for statement in table.ddl(self.named(table.name)):
                self.database.execute(statement)
        self.database.execute(f"CREATE TABLE {self._prefix}number_series (name TEXT PRIMARY KEY, last TEXT NOT NULL)")
        for table in self.schema.of_company:
            if table.singleton:
                self.insert(table.name, table.blank())

    # Reading

    def get(self, table: str, system_id: str) -> Row | None:
        """The record with that id."""
        return self.find(table, system_id=system_id)

    def find(self, table: str, **columns: Stored) -> Row | None:
        """The first record with these values."""
        where = " AND ".join(f"{name} = ?" for name in columns)
        row = self.database.execute(f"{self._selects[table]} WHERE {where} LIMIT 1", (*columns.values(),)).fetchone()
        return None if row is None else self._row(table, row)

    def find_all(self, table: str, **columns: Stored) -> list[Row]:
        """Every record with these values."""
        where = " AND ".join(f"{name} = ?" for name in columns) or "1"
        found = self.database.execute(f"{self._selects[table]} WHERE {where}", (*columns.values(),))
        return [self._row(table, row) for row in found.fetchall()]

    def exists(self, table: str, column: str, value: Stored) -> bool:
        """Whether a record has *value* in *column*."""
        sql = f"SELECT 1 FROM {self._names[table]} WHERE {column} = ? LIMIT 1"
        return self.database.execute(sql, (value,)).fetchone() is not None

    def count(self, table: str) -> int:
        """How many records there are."""
        return int(self.database.execute(f"SELECT count(*) FROM {self._names[table]}").fetchone()[0])

    def setup(self, column: str) -> str:
        """A column of the general ledger setup, such as ``lcy_code``."""
        row = self.database.execute(f"SELECT {column} FROM {self._names['General Ledger Setup']}").fetchone()
        return str(row[0])

    def _row(self, table: str, values: Sequence[object]) -> Row:
        return dict(zip(self.schema.tables[table].columns, values, strict=True))

    # Writing

    def insert(self, table: str, row: Row) -> Row:
        """Store a new record and stamp it; it gets an id where it has none.

        Raises the refusal for a primary key or an id that is taken.
        """
        if row["system_id"] == NO_ID:
            row["system_id"] = str(uuid4())
        row["system_created_at"] = row["system_modified_at"] = self.now()
        row["version"] = self.database.next_version()
        try:
            self.database.execute(self._inserts[table], self._values(table, row))
        except sqlite3.IntegrityError:
            raise self._same_key(table, row) from None
        return row

    def insert_rows(self, table: str, rows: Iterable[Row]) -> None:
        """Store many new records that have their keys, ids and stamps."""
        values = (self._values(table, row) for row in rows)
        self.database.executemany(self._inserts[table], values)

    def change(self, table: str, old: Row, new: Row) -> Row:
        """Store what differs between *old* and *new*; stamps move only if a field that is no flow field differs."""
        differing = changed(old, new)
        if not differing:
            return old
        fields = self.schema.tables[table].fields
        if not all(fields[name].flow for name in differing):
            new = {**new, "system_modified_at": self.now(), "version": self.database.next_version()}
            differing = changed(old, new)
        sets = ", ".join(f"{name} = ?" for name in differing)
        sql = f"UPDATE {self._names[table]} SET {sets} WHERE system_id = ?"
        try:
            self.database.execute(sql, (*differing.values(), old["system_id"]))
        except sqlite3.IntegrityError:
            raise self._same_key(table, new) from None
        return new

    def remove(self, table: str, row: Row) -> None:
        """Delete a record; no trace of it stays."""
        self.database.execute(f"DELETE FROM {self._names[table]} WHERE system_id = ?", (row["system_id"],))

    def carry_over(self, table: str, old_key: str, new_key: str) -> None:
        """Make every record that names *old_key* of *table* name *new_key*."""
        for other, field in self.schema.referring(table):
            self._carry(other, field, table, old_key, new_key)

    def _carry(self, other: Table, field: Field, table: str, old_key: str, new_key: str) -> None:
        name = self._names[other.name]
        where, params = f"{field.name} = ?", [old_key]
        if field.relation_by:
            where += f" AND {field.relation_by} = ?"
            params.append(encode_name(table))
        if self.database.execute(f"SELECT 1 FROM {name} WHERE {where} LIMIT 1", params).fetchone() is None:
            return
        self.database.execute(
            f"UPDATE {name} SET {field.name} = ?, version = ?, system_modified_at = ? WHERE {where}",
            (new_key, self.database.next_version(), self.now(), *params),
        )

    def next_number(self, table: str) -> str:
        """The next number of the table's series that no record has."""
        series, key = self.schema.tables[table].series, self.schema.tables[table].key[0]
        if series is None:
            raise errors.dialog(f"{table} has no number series. Enter a value in {key}.")
        number = self.last_number(table)
        while True:
            number = series.after(number)
            if not self.exists(table, key, number):
                break
        self.set_last_number(table, number)
        return number

    def last_number(self, table: str) -> str | None:
        """The number that the series gave out last."""
        sql = f"SELECT last FROM {self._prefix}number_series WHERE name = ?"
        row = self.database.execute(sql, (table,)).fetchone()
        return None if row is None else str(row[0])

    def set_last_number(self, table: str, number: str) -> None:
        """Go on behind *number* from now on."""
        self.database.execute(f"REPLACE INTO {self._prefix}number_series VALUES (?, ?)", (table, number))

    def _values(self, table: str, row: Row) -> list[Stored]:
        return [row[name] for name in self.schema.tables[table].columns]

    def _same_key(self, table: str, row: Row) -> HttpError:
        keys = {name: row[name] for name in self.schema.tables[table].key}
        known = self.find(table, **keys)
        if known is None or known["system_id"] == row["system_id"]:
            return errors.same_key(table, f"SystemId='{row['system_id']}'")
        return errors.same_key(table, self.schema.tables[table].key_text(row))


def _insert(name: str, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"
