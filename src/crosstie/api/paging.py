"""Paging by cursor: `next` of one page goes into `after` of the next; what it means is nobody's business but ours."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeAlias, TypeVar

from litestar.params import QueryParameter

from crosstie.api.refusing import invalid
from crosstie.api.shapes import Page

T = TypeVar("T")
S = TypeVar("S")
MOST_ID = 2**53 - 1
"""The largest number that identifies anything; JSON readers keep those below exactly."""

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=1000, description="Most items of the page.")]
After: TypeAlias = Annotated[
    str | None, QueryParameter(max_length=100, description="`next` of the page before; without it, the first page.")
]


def cursor_of(kind: str, number: int) -> str:
    """Return the cursor behind the item with this number."""
    return base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode().rstrip("=")


def number_of(kind: str, cursor: str | None) -> int | None:
    """Return the number behind a cursor of this kind, None for none. Raises InvalidRequest for one that is not ours."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    found, _, number = text.partition(":")
    if found != kind or not number.isascii() or not number.isdigit() or int(number) > MOST_ID:
        raise invalid(f"{cursor!r} is no cursor of this list; take it from `next`.", "after")
    return int(number)


def page_of(kind: str, found: Sequence[S], limit: int, number: Callable[[S], int], shape: Callable[[S], T]) -> Page[T]:
    """Return a page of at most `limit` of what was found; there is a next one if more was found."""
    shown = found[:limit]
    more = len(found) > limit
    return Page(
        items=[shape(each) for each in shown],
        next=cursor_of(kind, number(shown[-1])) if more else None,
    )
