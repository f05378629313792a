"""A session that many requests share: opening one asks both systems for sign-in and tables, which takes seconds."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import msgspec

from crosstie.app.home import Home
from crosstie.app.session import Session, open_session

LONGEST_SECONDS = 600.0
"""After so long the systems are asked anew what their tables look like."""


@dataclass(slots=True)
class _Room:
    """An open session and how many use it."""

    session: Session
    door: AbstractAsyncContextManager[Session]
    made_from: str
    opened_at: float
    users: int = 0
    retired: bool = False

    async def leave(self) -> None:
        """Close the session of a retired room when the last one leaves."""
        if self.retired and not self.users:
            await self.door.__aexit__(None, None, None)


class SharedSession:
    """Gives out one session of a home, and another as soon as connections or mappings have changed, or it is old."""

    def __init__(self, home: Home, clock: Callable[[], float] = time.monotonic) -> None:
        self._home = home
        self._clock = clock
        self._room: _Room | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Session]:
        """Hold the session for one use case. Raises what opening a session raises."""
        made_from = await asyncio.to_thread(self._made_from)
        async with self._turn:
            room = self._room
            if room is None or room.made_from != made_from or self._clock() - room.opened_at > LONGEST_SECONDS:
                await self._retire()
                door = open_session(self._home)
                room = self._room = _Room(await door.__aenter__(), door, made_from, self._clock())
            room.users += 1
        try:
            yield room.session
        finally:
            room.users -= 1
            await room.leave()

    async def close(self) -> None:
        """Close the session once nobody uses it any more."""
        async with self._turn:
            await self._retire()

    async def _retire(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.retired = True
            await room.leave()

    def _made_from(self) -> str:
        """Return a digest of everything that a session is made from; another process may have changed it."""
        with self._home.store.begin() as unit:
            parts = (unit.connections(), unit.mappings())
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
