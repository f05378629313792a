"""Schedules: when the synchronisation of a mapping runs by itself."""

from datetime import datetime

import msgspec

EVERY_MINUTES = 30
"""How often a mapping is synchronised unless its schedule says otherwise (engine rule J-1)."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """The recurring synchronisation of one mapping."""

    mapping: str
    every_minutes: int = EVERY_MINUTES
    paused_reason: str = ""
    """Why it does not run; empty for one that does."""
    next_at: datetime
    failures: int = 0
    """How often in a row a system was out of reach; each makes the pause before the next attempt longer."""
    last_job_id: int | None = None

    @property
    def paused(self) -> bool:
        return bool(self.paused_reason)
