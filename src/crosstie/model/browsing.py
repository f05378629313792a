"""Browsing: a table looked at page by page, in an order of one's choice."""

import msgspec

from crosstie.model.records import Record


class Sort(msgspec.Struct, frozen=True):
    """One term of an order."""

    field: str
    descending: bool = False


class Browsed(msgspec.Struct, frozen=True):
    """A page of records. `following` is where the next one begins, None if this is the last."""

    records: tuple[Record, ...]
    following: str | None = None
