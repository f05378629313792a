"""The interface of the store for plans that are kept: part of a unit of work (`store.base.Unit.planned`)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from crosstie.model.planned import PlannedRow


class Planned(Protocol):
    """What the jobs that plan have found, a row a record."""

    def add(self, rows: Sequence[PlannedRow]) -> None: ...

    def page(self, job_id: int, groups: Collection[str], *, after_id: int = 0, limit: int = 1000) -> list[PlannedRow]:
        """Return rows of some groups of a plan in the order in which they were planned."""
        ...

    def count(self, job_id: int) -> dict[str, int]:
        """Return how many rows of a plan each group has."""
        ...

    def forget(self, job_id: int) -> None:
        """Remove the rows of a plan."""
        ...

    def forget_before(self, before: datetime, *, limit: int = 5000) -> int:
        """Remove rows of plans whose job began before that time, or is no longer known; return how many."""
        ...
