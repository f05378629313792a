"""Use cases that a test makes up, for a worker that knows no system."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from crosstie.engine.context import Assignment, Silent
from crosstie.jobs.watching import Watch
from crosstie.model.jobs import Job
from crosstie.standard import load_standard
from crosstie.store.base import Store, Unit

PAGE = 1000


class MadeUp:
    """Carries out a job as so many pages; `at_page` is called before each and may do, or raise, anything."""

    def __init__(
        self,
        store: Store,
        pages: int = 3,
        at_page: Callable[[Job, int], None] = lambda job, page: None,
        parts: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._pages = pages
        self._at_page = at_page
        self._parts = list(parts)
        self.done: list[tuple[int, str | None, int]] = []
        """Job, mapping and number of each page that was dealt with."""
        self.refusals = 0

    def parts(self, job: Job) -> list[str]:
        return self._parts

    async def call(self, assignment: Assignment, mapping: str | None) -> dict[str, Any]:
        job = assignment.job
        watch = Watch(Silent(), self._store, job, lambda: "changes", halted=assignment.halted)
        for page in range(self._pages):
            await asyncio.to_thread(self._at_page, job, page)
            self.done.append((job.id, mapping, page))
            watch.progress((page + 1) * PAGE)
        return {"pages": self._pages}

    async def refused(self, job: Job) -> None:
        self.refusals += 1

    def hindrance(self, unit: Unit) -> str:
        return ""

    def test_paused(self) -> None:
        """There is no connection to test."""


def stock(store: Store) -> None:
    """Put the standard mappings into a store."""
    with store.begin() as unit:
        for mapping in load_standard():
            unit.put_mapping(mapping)
