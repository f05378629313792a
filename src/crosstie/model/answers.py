"""Answers that are kept, so that a request sent twice is carried out once."""

from datetime import datetime

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered. `body` is text, as all that the API says."""

    status: int
    headers: dict[str, str] = {}
    body: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that carries a key of its sender's."""

    id: str
    """Digest of sender and key."""
    request: str
    """Digest of all that was asked for."""
    owner: str
    """The process that works on it, or has."""
    at: datetime
    answer: Answer | None = None
    """None while it is worked on."""
