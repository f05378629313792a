"""Transactions that nest, and the row version that never goes back."""

from pathlib import Path

import pytest

from crosstie.sandbox.database import Database


@pytest.fixture
def database() -> Database:
    db = Database()
    db.execute("CREATE TABLE t (n INT)")
    return db


def spoil(db: Database, number: int) -> None:
    """Insert a row inside a transaction and give up."""
    with db.transaction():
        db.execute("INSERT INTO t VALUES (?)", (number,))
        db.next_version()
        raise ZeroDivisionError


def numbers(db: Database) -> list[int]:
    return [row[0] for row in db.execute("SELECT n FROM t ORDER BY n")]


def test_an_exception_undoes_the_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        spoil(database, 1)
    assert numbers(database) == []


def test_an_inner_transaction_is_undone_alone(database: Database) -> None:
    with database.transaction():
        database.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(ZeroDivisionError):
            spoil(database, 2)
        with database.transaction():
            database.execute("INSERT INTO t VALUES (3)")
    assert numbers(database) == [1, 3]


def test_the_outer_transaction_takes_the_inner_one_along(database: Database) -> None:
    def outer() -> None:
        with database.transaction():
            with database.transaction():
                database.execute("INSERT INTO t VALUES (1)")
            spoil(database, 2)

    with pytest.raises(ZeroDivisionError):
        outer()
    assert numbers(database) == []


def test_versions_grow_over_rollbacks_resets_and_restarts(tmp_path: Path) -> None:
    db = Database(tmp_path / "x.sqlite")
    with db.transaction():
        first = db.next_version()
    db.execute("CREATE TABLE t (n INT)")
    with pytest.raises(ZeroDivisionError):
        spoil(db, 1)
    db.reset()
    with db.transaction():
        third = db.next_version()
        many = db.reserve_versions(10)
    db.close()
    again = Database(tmp_path / "x.sqlite")
    assert first < third < many[0]
    assert (len(many), again.version) == (10, many[-1])
    again.close()


def test_a_reset_leaves_no_table(database: Database) -> None:
    database.execute("CREATE INDEX i ON t (fold(n))")
    database.reset()
    assert database.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sandbox%'").fetchall() == []
