"""People over a real store, with a clock that tests move and with hashes that cost little."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crosstie.app.people.acting import People
from crosstie.app.people.joining import first_administrator_link, invite, join
from crosstie.app.people.passwords import Passwords
from crosstie.app.people.sessions import principal_of_session
from crosstie.model.people import SYSTEM, AuditEntry, Principal, PrincipalKind, Role
from crosstie.store import Store
from tests.unit.store.conftest import address, opener, postgres_dsn, postgres_tables, sqlite_template, store

__all__ = ["address", "opener", "postgres_dsn", "postgres_tables", "sqlite_template", "store"]

START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PASSWORD = "correct horse battery"
HERE = "192.0.2.1"
CHEAP = {"time_cost": 1, "memory_kib": 8, "parallelism": 1}


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def go(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Office:
    """People, their clock, and short ways to fill the house."""

    people: People
    clock: Clock

    def add(self, name: str, role: Role = Role.VIEWER, password: str = PASSWORD) -> Principal:
        """Let somebody join, without leaving a session, and return who that is."""
        secret = invite(self.people, SYSTEM, name, role).secret
        user = join(self.people, secret, password).item.user
        with self.people.store.begin() as unit:
            unit.people.end_sessions(user.id)
        return Principal(kind=PrincipalKind.USER, name=user.name, role=user.role, id=user.id, address=HERE)

    def first(self, name: str = "root") -> Principal:
        """Let the first administrator join, signed in, and return who that is."""
        link = first_administrator_link(self.people)
        assert link is not None
        return principal_of_session(self.people, join(self.people, link.secret, PASSWORD, name=name).secret)

    def audit(self, **which: Any) -> list[AuditEntry]:
        with self.people.store.begin() as unit:
            return unit.people.audit(**which)

    def last(self) -> AuditEntry:
        return self.audit(limit=1)[0]


@pytest.fixture
def office(store: Store) -> Office:
    """A house with nobody in it."""
    clock = Clock()
    return Office(People(store, now=clock, passwords=Passwords(**CHEAP)), clock)
