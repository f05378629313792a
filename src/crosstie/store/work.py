"""The connection of one unit of work, and all that differs between SQLite and PostgreSQL."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Executable,
    MetaData,
    NestedTransaction,
    Row,
    Select,
    Table,
    Text,
    any_,
    func,
    literal,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

MOST_IN = 900
"""Values in one IN. SQLite before 3.32 takes 999 in all, and longer lists gain nothing."""

T = TypeVar("T")
AnyRow: TypeAlias = Row[*tuple[Any, ...]]


def chunked(values: Iterable[T], size: int = MOST_IN) -> Iterator[list[T]]:
    """Yield `values` in lists of at most `size`."""
    source = iter(values)
    while chunk := list(islice(source, size)):
        yield chunk


class Work:
    """Runs the statements of one unit.

    On SQLite, reading takes no lock that outlives the statement, and the first write begins the transaction with the
    write lock in hand (BEGIN IMMEDIATE): so a unit never has to trade a read lock for a write lock, which SQLite may
    refuse. Both databases thus give a unit what PostgreSQL calls READ COMMITTED.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.is_sqlite = connection.dialect.name == "sqlite"
        self._writing = not self.is_sqlite
        self._scratch: list[Table] = []

    def read(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[AnyRow]:
        """Run a query and return all of its rows."""
        return self.connection.execute(statement, parameters).all()

    def write(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None) -> int:
        """Run a statement that changes something, once for each of `rows`; return how many rows it hit."""
        if rows is not None and not rows:
            return 0
        self.start_writing()
        return self.connection.execute(statement, rows).rowcount

    def write_returning(self, statement: Executable) -> Sequence[AnyRow]:
        """Run one statement that changes something and return what it returns."""
        self.start_writing()
        return self.connection.execute(statement).all()

    def start_writing(self) -> None:
        """Take the write lock of a SQLite file. To be called before reading what a decision to write rests on."""
        if not self._writing:
            self.connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._writing = True

    def hold(self, name: str) -> None:
        """Make others who hold `name` wait until this unit has ended. To be called before anything else of a unit.

        A SQLite file has one lock for everything; PostgreSQL has locks by number, given back at the end of the unit.
        """
        self.start_writing()
        if not self.is_sqlite:
            self.connection.execute(_HOLD, {"name": f"crosstie {name}"})

    def savepoint(self) -> AbstractContextManager[NestedTransaction]:
        """A block that can fail alone: an error that leaves it undoes the block and leaves the unit usable."""
        self.start_writing()
        return self.connection.begin_nested()

    def new_ids(self, table: Table, count: int) -> list[int]:
        """Return `count` ids of `table` that nobody else gets, so that rows can be inserted without asking back."""
        self.start_writing()
        if self.is_sqlite:
            # The write lock makes the last id safe to count on; inserting the ids moves it.
            last = self.connection.execute(_LAST_ID, {"name": table.name}).scalar() or 0
            return list(range(last + 1, last + 1 + count))
        return list(self.connection.execute(_NEXT_IDS, {"name": table.name, "count": count}).scalars())

    def among(self, column: ColumnElement[Any], values: Iterable[Any]) -> Iterator[ColumnElement[bool]]:
        """Yield conditions that together say "`column` is one of `values`", each fit for one statement."""
        distinct = list(dict.fromkeys(values))
        if not self.is_sqlite:
            if distinct:
                yield column == any_(literal(distinct, ARRAY(column.type)))
            return
        for chunk in chunked(distinct):
            yield column.in_(chunk)

    def read_among(
        self, query: Select[*tuple[Any, ...]], column: ColumnElement[Any], values: Iterable[Any], *, lock: bool = False
    ) -> list[AnyRow]:
        """Run `query` for the rows whose `column` is one of `values`; `lock` keeps others from changing them."""
        if lock:
            self.start_writing()
            query = query.with_for_update()
        return [row for condition in self.among(column, values) for row in self.read(query.where(condition))]

    def upsert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """Return an insert that knows ON CONFLICT."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def least(self, one: ColumnElement[T], other: ColumnElement[T]) -> ColumnElement[T]:
        """The smaller of two values of a row."""
        return func.min(one, other) if self.is_sqlite else func.least(one, other)

    def scratch(self) -> Table:
        """Make a table of ids that lives as long as the unit, on disk if it grows."""
        table = Table(
            f"scratch_{len(self._scratch)}",
            MetaData(),
            Column("id", Text, primary_key=True),
            prefixes=["TEMPORARY"],
            sqlite_with_rowid=False,
            postgresql_on_commit="DROP",
        )
        table.create(self.connection)
        self._scratch.append(table)
        return table

    def fill_scratch(self, table: Table, ids: Iterable[str]) -> None:
        """Add `ids` to a scratch table. It takes no lock of the store's own tables."""
        rows = [{"id": each} for each in ids]
        if rows:
            with self.connection.begin_nested():
                self.connection.execute(self.upsert(table).on_conflict_do_nothing(), rows)

    def clear(self) -> None:
        """Remove what must not stay with a pooled connection. Called after commit or rollback."""
        if self.is_sqlite:
            for table in self._scratch:
                self.connection.exec_driver_sql(f"DROP TABLE IF EXISTS temp.{table.name}")
        self._scratch.clear()


_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_NEXT_IDS = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
