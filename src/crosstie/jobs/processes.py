"""Which processes live: by their number on this host, by their last beat in the store on any other."""

from collections.abc import Callable
from datetime import datetime, timedelta

from crosstie.jobs.owners import is_alive, is_here
from crosstie.store.base import Store
from crosstie.store.base_background import Process

BEAT = timedelta(seconds=5)
"""So often a process that runs jobs says that it lives."""
STALE = timedelta(seconds=60)
"""A process of another host that has said nothing for so long counts as dead."""


def living(store: Store, now: Callable[[], datetime], stale: timedelta = STALE) -> Callable[[str], bool]:
    """Return what tells whether the process of an owner lives.

    One of this host is known as dead the moment it is. One of another host lives as long as it beats: whoever runs a
    job has said so in the same transaction that began the job.
    """

    def lives(owner: str) -> bool:
        if is_here(owner):
            return is_alive(owner)
        with store.begin() as unit:
            return any(
                beats(found, unit.background.clock(now()), stale) for found in unit.background.processes([owner])
            )

    return lives


def beats(process: Process, now: datetime, stale: timedelta = STALE) -> bool:
    """Whether a process has been heard of lately; `now` by the clock of the store."""
    return now - process.beat_at < stale


def process_lives(process: Process, now: datetime, stale: timedelta = STALE) -> bool:
    """Whether a process of any host lives; `now` by the clock of the store."""
    return is_alive(process.owner) if is_here(process.owner) else beats(process, now, stale)
