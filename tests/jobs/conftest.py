"""Stores on both databases, a sandbox, homes that are connected to it, and workers as processes of their own."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crosstie.app.connections import connect_pair, pair_from_sandbox
from crosstie.app.home import Home, open_home
from crosstie.sandbox.launch import Sandbox, running_sandbox
from crosstie.store import open_store
from crosstie.store.schema import metadata
from tests.flow.conftest import patient_no_longer
from tests.flow.desks import BusinessCentralDesk, DataverseDesk
from tests.jobs.clock import Clock
from tests.postgres import fresh_postgres, postgres_dsn

__all__ = ["fresh_postgres", "postgres_dsn"]

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(autouse=True)
def every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let others see the end of every page, however short the pages of a test are."""
    monkeypatch.setattr("crosstie.jobs.watching._SHORT_PAGE", 0.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def emptied_dsn(postgres_dsn: str) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    """The address of a store on PostgreSQL, and a connection with which it is emptied before each test."""
    open_store(postgres_dsn).close()
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        yield postgres_dsn, connection


@pytest.fixture(params=DATABASES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store on either database, with nothing in it."""
    if request.param == "sqlite":
        return str(tmp_path / "home" / "crosstie.db")
    dsn, connection = request.getfixturevalue("emptied_dsn")
    schema = connection.execute("SELECT current_schema()").fetchone()[0]
    connection.execute(f'DROP SCHEMA IF EXISTS "{schema}_jobs" CASCADE')
    tables = ", ".join(name for name in metadata.tables if name != "crosstie_version")
    connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")
    return str(dsn)


@pytest.fixture
def home(address: str, tmp_path: Path) -> Iterator[Home]:
    """A home with nothing in it, on either database."""
    with open_home(tmp_path / "home", address) as opened:
        yield opened


@pytest.fixture(scope="session")
def jobs_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="empty") as running:
        yield running


@pytest.fixture(scope="session")
def jobs_desks(jobs_sandbox: Sandbox) -> Iterator[tuple[BusinessCentralDesk, DataverseDesk]]:
    bc, dv = BusinessCentralDesk(jobs_sandbox), DataverseDesk(jobs_sandbox)
    yield bc, dv
    bc.close()
    dv.close()


@pytest.fixture
def desks(
    jobs_desks: tuple[BusinessCentralDesk, DataverseDesk],
) -> Iterator[tuple[BusinessCentralDesk, DataverseDesk]]:
    """Both systems, empty."""
    for desk in jobs_desks:
        desk.start_over()
    yield jobs_desks
    for desk in jobs_desks:
        desk.heal()


@pytest.fixture(scope="session")
def template(jobs_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home on SQLite that is connected to the sandbox, to be copied."""
    folder = tmp_path_factory.mktemp("template") / "home"
    with open_home(folder, str(folder / "crosstie.db")) as opened:
        connect(opened, jobs_sandbox)
    return folder


def connect(home: Home, sandbox: Sandbox) -> None:
    """Store both connections and the standard mappings in a home."""
    info: Any = sandbox.info()
    asyncio.run(connect_pair(home, *(patient_no_longer(found) for found in pair_from_sandbox(info))))


@contextmanager
def copied(template: Path, folder: Path) -> Iterator[Home]:
    """Open a copy of a home."""
    shutil.copytree(template, folder)
    with open_home(folder, str(folder / "crosstie.db")) as opened:
        yield opened
