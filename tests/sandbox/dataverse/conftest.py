"""A Dataverse in memory. Its tables are made once; each test begins with a copy of the empty environment."""

import sqlite3
from collections.abc import Iterator

import pytest

from .service import Service


@pytest.fixture(scope="session")
def shared() -> Iterator[tuple[Service, sqlite3.Connection]]:
    service = Service()
    service.system.reset()
    empty = sqlite3.connect(":memory:")
    service.database.connection.backup(empty)
    yield service, empty
    empty.close()
    service.database.close()


@pytest.fixture
def service(shared: tuple[Service, sqlite3.Connection]) -> Service:
    """An empty environment, for tests that do not change the schema."""
    service, empty = shared
    empty.backup(service.database.connection)
    service.clock.real()
    service.settings.reset()
    service.tokens.settings.reset()
    return service


@pytest.fixture
def own_service() -> Iterator[Service]:
    """An empty environment of its own, for tests that change options, keys or the whole of it."""
    service = Service()
    service.system.reset()
    yield service
    service.database.close()
