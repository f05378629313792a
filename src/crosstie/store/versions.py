"""Which revision the tables of a store have, and whether that is the one of this version."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, insert, select, text

from crosstie.model.errors import StoreError
from crosstie.store import schema

_LOCK = 0x43_52_4F_53  # any number that is ours; it keeps two processes from migrating one database at once


def bring_up(connection: Connection, shown: str) -> None:
    """Make the tables, or migrate them, unless they are as this version wants them.

    Raises StoreTooNew if a newer version made them, StoreError if the database belongs to another program.
    """
    if read_revision(connection) == schema.HEAD:
        return
    with _alone(connection):
        found = read_revision(connection)  # another process may have been at it
        if found == schema.HEAD:
            return
        if found is None:
            _refuse_other_tables(connection, shown)
        from crosstie.store.migrating import migrate  # Alembic takes long to import and is seldom needed

        migrate(connection, found, shown)
        connection.commit()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """A block that one process at a time enters."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        return
    # A lock of the session and a transaction after it, because PostgreSQL learns of the tables of others only when a
    # transaction begins: one that began before the wait would still not see them.
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
    connection.commit()
    try:
        yield
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        connection.commit()
    except BaseException:
        connection.invalidate()  # closes it, which gives the lock back
        raise


def make_at_once(connection: Connection, shown: str) -> None:
    """Make the tables of this version in an empty database, without the steps that lead to them."""
    connection.exec_driver_sql("BEGIN")
    schema.metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(schema.version), {"version_num": schema.HEAD})
    connection.commit()


def read_revision(connection: Connection) -> str | None:
    """Return the revision of the tables, None if there are none of ours."""
    if schema.version.name not in _present(connection, [schema.version.name]):
        return None
    return connection.execute(select(schema.version.c.version_num)).scalar()


def _refuse_other_tables(connection: Connection, shown: str) -> None:
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        others = list(connection.exec_driver_sql(query).scalars())
    else:
        others = _present(connection, list(schema.metadata.tables))
    if others:
        raise StoreError(
            f"The database {shown} holds tables of another program: {', '.join(sorted(others)[:5])}.",
            next_step="Name another file, database or schema.",
        )


def _present(connection: Connection, names: list[str]) -> list[str]:
    if connection.dialect.name == "sqlite":
        query = text("SELECT name FROM sqlite_master WHERE type = 'table'")
        return [name for name in connection.execute(query).scalars() if name in names]
    query = text(
        "SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE to_regclass(quote_ident(name)) IS NOT NULL"
    )
    return list(connection.execute(query, {"names": names}).scalars())
