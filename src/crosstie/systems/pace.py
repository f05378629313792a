"""Pace: how many requests of a connection are under way, and the pauses that its system asks for.

Additive increase, multiplicative decrease: each throttling halves the width, a full round of successes
widens it by one. A pause stops the whole connection, because going on lengthens it (wire-dataverse section 14).
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from crosstie.model.errors import Throttled
from crosstie.systems.limits import Limits


class Pace:
    """Admits requests of one connection. To be used within one event loop."""

    def __init__(
        self,
        limits: Limits,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limits = limits
        self._now = now
        self.sleep = sleep
        self._jitter = jitter
        self._width = limits.concurrency
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._opens_at = 0.0
        self._in_a_row = 0
        self._successes = 0

    @property
    def width(self) -> int:
        """How many requests may be under way now."""
        return self._width

    @asynccontextmanager
    async def turn(self, patience: float) -> AsyncIterator[None]:
        """Hold a place among the requests under way. Raises Throttled if the pause is longer than `patience`."""
        while True:
            await self._pause(patience)
            if self._running < self._width:
                break
            await self._queue()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._wake()

    def throttled(self, retry_after: float | None) -> float:
        """Stop the connection for `retry_after` seconds (None: back off by itself); return the length of the pause."""
        now = self._now()
        first = self._opens_at <= now
        if first:
            self._in_a_row += 1
            self._width = max(1, self._width // 2)
            self._successes = 0
        pause = self.back_off(self._in_a_row) if retry_after is None else max(0.0, retry_after)
        self._opens_at = max(self._opens_at, now + pause)
        return pause

    def succeeded(self) -> None:
        """Note an answer that was no throttling; a full round of them widens the pace by one."""
        self._in_a_row = 0
        if self._width >= self._limits.concurrency:
            return
        self._successes += 1
        if self._successes >= self._width:
            self._successes = 0
            self._width += 1
            self._wake()

    def back_off(self, attempt: int) -> float:
        """Return the seconds to wait after the `attempt`-th failure in a row, spread so that clients do not march."""
        pause = min(self._limits.longest_pause, self._limits.first_pause * 2.0 ** min(attempt - 1, 30))
        return pause * (0.5 + self._jitter() / 2)

    async def _pause(self, patience: float) -> None:
        while (rest := self._opens_at - self._now()) > 0:
            if rest > patience:
                raise Throttled(
                    f"The system asks for a pause of {rest:.0f} more seconds, which is longer than this job may wait.",
                    retry_after=rest,
                )
            await self.sleep(rest)

    async def _queue(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            else:
                self._wake()
            raise

    def _wake(self) -> None:
        for _ in range(self._width - self._running):
            while self._waiting:
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    break
