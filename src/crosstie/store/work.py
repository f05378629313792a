"""The connection of one unit of work, and all that differs between SQLite and PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Insert,
    NestedTransaction,
    Row,
    Select,
    Table,
    Text,
    Update,
    any_,
    bindparam,
    func,
    literal,
    text,
)
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

MOST_IN = 5000
"""Values in one IN: longer lists gain nothing."""

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

    def read(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[AnyRow]:
        """Run a query and return all of its rows."""
        return self.connection.execute(statement, parameters).all()

    def read_plain(self, statement: Executable) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query whose columns the driver gives as they are (text and whole numbers).

        Costs half of `read`, and holds a thousand rows at a time.
        """
        result = self.connection.execute(statement)
        try:
            while rows := result.cursor.fetchmany(1000):
                yield from rows
        finally:
            result.close()

    def write(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None) -> int:
        """Run a statement that changes something, once for each of `rows`; return how many rows it hit."""
        if rows is not None and not rows:
            return 0
        self.start_writing()
        return self.connection.execute(statement, rows).rowcount

    def write_many(self, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement that lives as long as the program once for each of `rows`, which all have the same names.

        Prepared once and given straight to the driver: half the cost of `write`.
        """
        if rows:
            self.start_writing()
            prepared = _prepared(statement, tuple(rows[0]), self.connection.dialect)
            self.connection.exec_driver_sql(prepared.sql, prepared.parameters(rows))

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
            # One parameter, however many values: the statement is the same each time, and quicker than with a list.
            yield column.in_(_UNPACKED.bindparams(packed=msgspec.json.encode(chunk).decode()))

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
        if self.is_sqlite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql  # slow to load

        return postgresql.insert(table)

    def least(self, one: ColumnElement[T], other: ColumnElement[T]) -> ColumnElement[T]:
        """The smaller of two values of a row."""
        return func.min(one, other) if self.is_sqlite else func.least(one, other)


class _Prepared(msgspec.Struct, frozen=True):
    """A statement as the driver takes it. `names` are its parameters, each with what makes of a value the driver's."""

    sql: str
    names: tuple[str, ...]
    converters: tuple[tuple[str, Callable[[Any], Any]], ...]
    positional: bool

    def parameters(self, rows: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Return what the driver gets for each row."""
        names, converters, positional, found = self.names, self.converters, self.positional, []
        for row in rows:
            values = dict(row)
            for name, convert in converters:
                values[name] = convert(values[name])
            found.append(tuple([values[name] for name in names]) if positional else values)
        return found


@lru_cache(maxsize=64)
def _prepared(statement: Insert | Update, names: tuple[str, ...], dialect: Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    types = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items()}
    converters = {name: type_.bind_processor(dialect) for name, type_ in types.items()}
    return _Prepared(
        str(compiled),
        tuple(compiled.positiontup or names),
        tuple((name, convert) for name, convert in converters.items() if convert is not None),
        compiled.positional,
    )


_UNPACKED = text("SELECT value FROM json_each(:packed)").bindparams(bindparam("packed", type_=Text, unique=True))
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_NEXT_IDS = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
