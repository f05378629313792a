"""Places in lists that are all in hand: a page of them, and where the next one begins."""

from crosstie.model.browsing import Browsed
from crosstie.model.errors import InvalidOption
from crosstie.model.records import Record


def slice_of(records: list[Record], size: int, after: str | None) -> Browsed:
    """Return a page of records that are all in hand. Raises InvalidOption if the cursor is none of ours."""
    start = 0 if after is None else _offset(after)
    following = str(start + size) if start + size < len(records) else None
    return Browsed(tuple(records[start : start + size]), following)


def bad_cursor(after: str) -> InvalidOption:
    """Return the error for a cursor that cannot be read."""
    return InvalidOption(
        f"The list cannot go on from {after[:80]!r}: that is no place in it.", next_step="Begin with the first page."
    )


def _offset(after: str) -> int:
    if not after.isascii() or not after.isdecimal():
        raise bad_cursor(after)
    return int(after)
