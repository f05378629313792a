"""What the routes work with: one of each for the life of a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from crosstie.api.asking import StrictRequest
from crosstie.api.figures import Figures
from crosstie.app.home import Home
from crosstie.app.people.acting import People
from crosstie.app.session import Session
from crosstie.app.sharing import SharedSession


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


@asynccontextmanager
async def session_of(request: StrictRequest) -> AsyncIterator[Session]:
    """Hold the session to both systems. Raises what opening it raises."""
    async with rooms_of(request).sessions.use() as session:
        yield session
