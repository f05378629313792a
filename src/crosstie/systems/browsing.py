"""Pages that can be gone on from later: what of a following link is kept, and how it is used again.

A cursor travels through people's browsers. So it holds no address and none of our options, only what the system says
of the place; everything else is written anew.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec

from crosstie.model.browsing import Browsed
from crosstie.model.errors import GarbledAnswer
from crosstie.model.records import Record
from crosstie.systems.encoding import quote
from crosstie.systems.odata import ODataClient, Page
from crosstie.systems.places import bad_cursor
from crosstie.systems.querying import Restriction

_PLACES = ("$skiptoken", "$skip", "aid")
"""Query options with which the systems say where the next page begins."""
SIFTED = 1000
"""So many rows are read at once of which only some are wanted."""
MOST_PAGES = 2
"""So many pages are read for one at most, where part of the filter is evaluated on our side."""


class _Cursor(msgspec.Struct, frozen=True):
    place: dict[str, str]


class Reader(Protocol):
    """Turns the rows of a page into records."""

    def records(self, rows: Iterable[dict[str, object]]) -> list[Record]: ...


def page_size(size: int, bound: Restriction, client: ODataClient) -> int:
    """Return how many rows to ask for at once: many where part of the filter is evaluated on our side."""
    return min(size if bound.rest is None else max(size, SIFTED), client.limits.page_size)


async def browse_pages(
    client: ODataClient,
    url: str,
    prefer: str,
    reader: Reader,
    bound: Restriction,
    names: tuple[str, ...],
    size: int,
    after: str | None,
) -> Browsed:
    """Read on from `after` until there are `size` records, or so many pages that it is better to answer.

    `url` has our own options. Raises InvalidOption if the cursor is none of ours, and what reading raises.
    """
    found: list[Record] = []
    place = "" if after is None else _place(after)
    for _ in range(MOST_PAGES):
        page = await _first(client.pages(f"{url}{place}", prefer=prefer))
        found += bound.admitted(reader.records(page.value), names)
        if page.next_link is None:
            return Browsed(tuple(found))
        following = _cursor(client, page.next_link)
        if len(found) >= size:
            break
        place = _place(following)
    return Browsed(tuple(found), following)


async def _first(pages: AsyncIterator[Page]) -> Page:
    async with aclosing(pages) as opened:  # type: ignore[type-var]
        async for page in opened:
            return page
    raise AssertionError("a collection has a first page")


def _cursor(client: ODataClient, link: str) -> str:
    query = urlsplit(client.own(link)).query.replace("+", "%2B")
    place = {name: value for name, value in parse_qsl(query) if name in _PLACES}
    if not place:
        raise GarbledAnswer(f"A following link does not say where the next page begins: {link[:200]}")
    return msgspec.json.encode(_Cursor(place)).decode()


def _place(after: str) -> str:
    try:
        place = msgspec.json.decode(after, type=_Cursor).place
    except msgspec.DecodeError as error:
        raise bad_cursor(after) from error
    if not place or any(name not in _PLACES for name in place):
        raise bad_cursor(after)
    return "".join(f"&{name}={quote(value)}" for name, value in place.items())
