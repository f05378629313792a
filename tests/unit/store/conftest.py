"""Every test that asks for `store` runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from crosstie.store import Store, open_store
from crosstie.store.schema import metadata
from tests.postgres import fresh_postgres, postgres_dsn
from tests.unit.store.values import KEY

__all__ = ["fresh_postgres", "postgres_dsn"]

DATABASES = ["sqlite", "postgresql"]

Opener = Callable[..., Store]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new store on SQLite, closed, to be copied."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    open_store(path).close()
    return path


@pytest.fixture(scope="session")
def postgres_tables(postgres_dsn: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """The address of a store on PostgreSQL, and what empties it."""
    open_store(postgres_dsn).close()
    names = ", ".join(name for name in metadata.tables if name != "crosstie_version")
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        yield postgres_dsn, lambda: connection.execute(f"TRUNCATE {names} RESTART IDENTITY")


@pytest.fixture(params=DATABASES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store with tables and nothing in them."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "store.db")
        return str(tmp_path / "store.db")
    dsn, empty = request.getfixturevalue("postgres_tables")
    empty()
    return str(dsn)


@pytest.fixture(params=DATABASES)
def empty_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a place where no store is yet."""
    return str(tmp_path / "store.db") if request.param == "sqlite" else str(request.getfixturevalue("fresh_postgres"))


@pytest.fixture
def opener() -> Iterator[Opener]:
    """Opens stores that are closed at the end of the test."""
    with ExitStack() as stack:

        def open_one(address: str | Path, key: bytes | None = KEY, **options: float) -> Store:
            store = open_store(address, key=key, **options)
            stack.callback(store.close)
            return store

        yield open_one


@pytest.fixture
def store(address: str, opener: Opener) -> Store:
    """A store with nothing in it."""
    return opener(address)


@pytest.fixture
def emptied(store: Store) -> Callable[[], None]:
    """Removes all couplings of `store`, for tests that fill it again and again."""

    def empty() -> None:
        with store.begin() as unit:
            for mapping in ("CUSTOMER", "CONTACT"):
                unit.couplings.delete(unit.couplings.page(mapping))

    return empty
