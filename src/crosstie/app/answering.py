"""Requests that are sent twice: carried out once, answered alike."""

from datetime import UTC, datetime, timedelta

import msgspec

from crosstie.app.home import Home
from crosstie.jobs.owners import is_alive, this_owner
from crosstie.model.answers import Answer, Asked
from crosstie.model.errors import KeyReused, RequestRunning

KEPT = timedelta(hours=24)
"""For so long an answer is given again."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request with its sender's `key`; `id` is a digest of sender and key, `digest` one of all that is asked for."""

    key: str
    id: str
    digest: str


def begin(home: Home, request: Request, now: datetime | None = None) -> Answer | None:
    """Return the answer that was given before, None if the request is to be worked on now, by the caller.

    What a process began and did not end before it died is worked on again: no use case does anything twice. Raises
    KeyReused if the key came with another request within `KEPT`, RequestRunning if the same one is being worked on.
    """
    now = now or datetime.now(UTC)
    owner = this_owner()
    with home.store.begin() as unit:
        unit.answers.forget_before(now - KEPT)
        if unit.answers.begin(Asked(id=request.id, request=request.digest, owner=owner, at=now)):
            return None
        found = unit.answers.find(request.id)
        if found is not None and found.request != request.digest:
            raise KeyReused(f"The key {request.key} was used for another request.", key=request.key)
        if found is not None and found.answer is not None:
            return found.answer
        if found is not None and not is_alive(found.owner) and unit.answers.take_over(found, owner, now):
            return None
    raise RequestRunning(f"The request with the key {request.key} is still being worked on.", key=request.key)


def keep(home: Home, request: Request, answer: Answer) -> None:
    """Keep what was answered."""
    with home.store.begin() as unit:
        unit.answers.keep(request.id, this_owner(), answer)


def forget(home: Home, request: Request) -> None:
    """Let the request be made anew with its key: nothing was done."""
    with home.store.begin() as unit:
        unit.answers.forget(request.id, this_owner())
