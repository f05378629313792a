"""What the routes work with: one of each for the life of a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from crosstie.api.asking import StrictRequest
from crosstie.api.figures import Figures
from crosstie.app.history import JobEntries, list_job_entries
from crosstie.app.home import Home
from crosstie.app.people.acting import People
from crosstie.app.session import Session
from crosstie.app.sharing import SharedSession
from crosstie.model.errors import InvalidConnection, SystemFailure, UnknownConnection
from crosstie.model.jobs import Outcome


@dataclass(frozen=True, slots=True)
class Rooms:
    """The opened home and what is opened with it."""

    home: Home
    people: People
    sessions: SharedSession
    figures: Figures
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server is about to end, so that answers without an end come to one."""


def rooms_of(request: StrictRequest) -> Rooms:
    """Return what a request works with."""
    found: Rooms = request.app.state.rooms
    return found


async def job_entries_of(
    request: StrictRequest, job_id: int, *, outcome: Outcome | None, limit: int, before_id: int | None
) -> JobEntries:
    """Return what became of a job's records, told in words where the systems can be worked with. Raises UnknownJob."""
    home = rooms_of(request).home
    try:
        async with session_of(request) as session:
            return await list_job_entries(home, session, job_id, outcome=outcome, limit=limit, before_id=before_id)
    except (SystemFailure, InvalidConnection, UnknownConnection):
        return await list_job_entries(home, None, job_id, outcome=outcome, limit=limit, before_id=before_id)


@asynccontextmanager
async def session_of(request: StrictRequest) -> AsyncIterator[Session]:
    """Hold the session to both systems. Raises what opening it raises."""
    async with rooms_of(request).sessions.use() as session:
        yield session
