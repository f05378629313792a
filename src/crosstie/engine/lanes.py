"""Lanes: lets pages of a feed overlap, so that the next is decided while the one before is being written.

Nothing of a record is ever under way twice.
"""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any


class Lanes:
    """Carries pages side by side, at most `most` once the first has shown that pages can be carried at all.

    Leaving the block waits for what is under way. An error of a page lets the others come to their end and is raised
    then; being cancelled cancels them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = 1
        self._under_way: dict[asyncio.Task[None], frozenset[str]] = {}

    async def __aenter__(self) -> "Lanes":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            for task in self._under_way:
                task.cancel()
        ended = await asyncio.gather(*self._under_way, return_exceptions=True)
        self._under_way.clear()
        failed = next((each for each in ended if isinstance(each, BaseException)), None)
        if error is None and failed is not None:
            raise failed

    async def carry(self, ids: frozenset[str], page: Coroutine[Any, Any, None]) -> None:
        """Start a page of these records as soon as there is a lane, and none of them is under way."""
        try:
            while len(self._under_way) >= self._allowed or any(ids & busy for busy in self._under_way.values()):
                await self._one()
        except BaseException:
            page.close()
            raise
        self._under_way[asyncio.create_task(page)] = ids

    async def _one(self) -> None:
        """Wait until a page has come to its end. Raises what it raised."""
        done, _ = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        self._allowed = self._most
        for task in done:
            del self._under_way[task]
        for task in done:
            task.result()
