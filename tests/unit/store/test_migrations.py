"""The migrations make the tables that the queries see, and keep what is in a store."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from crosstie.model.errors import StoreTooNew
from crosstie.store import open_store, schema
from crosstie.store.addresses import parse_address
from crosstie.store.migrating import FOLDER, migrate, scripts
from tests.unit.store.conftest import Opener
from tests.unit.store.values import CUSTOMER, NOW, due, entry, intent, new_coupling, new_problem, start

FIRST_ROWS: dict[str, dict[str, Any]] = {
    "couplings": {
        "revision": 3,
        "mapping": "CUSTOMER",
        "local_id": "local-1",
        "remote_id": "remote-1",
        "local_key": "10000",
        "state": "in_step",
        "created_at": "2026-11-21 09:30:15.123456+00:00",
        "base": '{"l":{},"r":{}}',
    },
    "settings": {"name": "guard", "value": "5"},
    "cursors": {"mapping": "CUSTOMER", "side": "local", "cursor": "token", "mapping_digest": "abc"},
}
"""Rows as revision 0001 kept them, written by SQL so that they stay what they were."""

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"


def upgrade():
    op.add_column("couplings", sa.Column("note", sa.Text, nullable=False, server_default="none"))
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))
"""


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """A connection in a transaction, for SQL from outside."""
    parsed = parse_address(address)
    url = parsed.server or f"sqlite:///{parsed.file}"
    engine = create_engine(url, connect_args={} if parsed.server else {"isolation_level": "IMMEDIATE"})
    try:
        with engine.begin() as connection:
            if not parsed.server:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
    finally:
        engine.dispose()


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A folder with a revision after the last one that is shipped."""
    folder = tmp_path / "newer"
    folder.mkdir()
    (folder / "rev_next.py").write_text(NEXT.format(head=schema.HEAD))
    return folder


def test_the_revision_that_the_package_works_with_is_the_last_one() -> None:
    assert scripts()[1].get_current_head() == schema.HEAD


def test_every_revision_stands_alone() -> None:
    for path in (FOLDER / "versions").glob("rev_*.py"):
        assert "crosstie" not in path.read_text()


def test_migrated_tables_are_those_that_the_queries_see(empty_address: str, opener: Opener) -> None:
    opener(empty_address)
    with connected(empty_address) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []


def test_on_sqlite_migrated_tables_are_to_the_letter_those_made_at_once(tmp_path: Path, opener: Opener) -> None:
    opener(tmp_path / "migrated.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'at-once.db'}")
    schema.metadata.create_all(engine)
    engine.dispose()
    described = []
    for name in ("migrated.db", "at-once.db"):
        with connected(str(tmp_path / name)) as connection:
            rows = connection.execute(text("SELECT name, sql FROM sqlite_master")).all()
        words = {(name, " ".join((sql or "").split()).replace(" ,", ",").replace(" )", ")")) for name, sql in rows}
        described.append({each for each in words if each[0] != schema.version.name and "autoindex" not in each[0]})
    assert described[0] == described[1]


def test_a_store_of_the_first_revision_comes_up_with_all_that_it_holds(empty_address: str, opener: Opener) -> None:
    with connected(empty_address) as connection:
        migrate(connection, None, empty_address, to="0001")
        for table, row in FIRST_ROWS.items():
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
    with opener(empty_address).begin() as unit:
        [coupling] = unit.couplings.page(CUSTOMER)
        assert (coupling.revision, coupling.local_key, coupling.base) == (3, "10000", b'{"l":{},"r":{}}')
        assert coupling.created_at == NOW
        assert unit.settings() == {"guard": "5"}
        assert unit.couplings.update([coupling]) == set()


def test_a_later_revision_keeps_every_row_and_is_too_new_for_this_version(
    address: str, newer: Path, opener: Opener
) -> None:
    store = opener(address)
    with store.begin() as unit:
        unit.couplings.insert([new_coupling(number) for number in range(20)], NOW)
        unit.put_problems([new_problem(1)], NOW)
        unit.open_intents([intent(1)])
        unit.add_journal([entry(1)])
        unit.add_due([due(1)])
        start(unit)
    store.close()
    before = rows(address)
    try:
        with connected(address) as connection:
            migrate(connection, schema.HEAD, address, more=[newer])
            assert "notes" in inspect(connection).get_table_names()
        after = rows(address)
        assert {row["note"] for row in after["couplings"]} == {"none"}
        for row in after["couplings"]:
            del row["note"]
        assert {name: after[name] for name in before if name != "crosstie_version"} == {
            name: before[name] for name in before if name != "crosstie_version"
        }
        with pytest.raises(StoreTooNew, match="revision next"):
            open_store(address)
    finally:
        with connected(address) as connection:
            connection.execute(text("DROP TABLE notes"))
            connection.execute(text("ALTER TABLE couplings DROP COLUMN note"))
            connection.execute(text("UPDATE crosstie_version SET version_num = :head"), {"head": schema.HEAD})


def rows(address: str) -> dict[str, list[dict[str, Any]]]:
    """Return all that a store holds."""
    with connected(address) as connection:
        return {
            name: [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()]
            for name in inspect(connection).get_table_names()
        }


def test_a_migration_that_fails_leaves_the_store_as_it_was(empty_address: str, tmp_path: Path, opener: Opener) -> None:
    opener(empty_address).close()
    folder = tmp_path / "broken"
    folder.mkdir()
    broken = NEXT.format(head=schema.HEAD) + "    op.add_column('nowhere', sa.Column('x', sa.Text))\n"
    (folder / "rev_next.py").write_text(broken)
    with pytest.raises(Exception, match="nowhere"), connected(empty_address) as connection:
        migrate(connection, schema.HEAD, empty_address, more=[folder])
    with connected(empty_address) as connection:
        assert "notes" not in inspect(connection).get_table_names()
    opener(empty_address).close()


MODULES = """
import sys
from crosstie.store import open_store
assert "sqlalchemy" not in sys.modules
open_store(sys.argv[1]).close()
print([name for name in ("alembic", "cryptography.fernet") if name in sys.modules])
"""


def test_a_store_that_is_up_to_date_is_opened_without_the_migrations(address: str) -> None:
    done = subprocess.run([sys.executable, "-c", MODULES, address], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_two_who_open_a_new_place_at_once_both_get_the_store(empty_address: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def open_and_read(_: int) -> int:
        with closing(open_store(empty_address)) as store, store.begin() as unit:
            return len(unit.settings())

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_and_read, range(4))) == [0] * 4
