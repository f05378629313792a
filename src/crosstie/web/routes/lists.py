"""Lists: the records of both sides of a mapping with their coupling state, to look through and to select (P08, P12)."""

import asyncio
from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import rooms_of, session_of
from crosstie.app.home import Home
from crosstie.app.list_heads import ListHead, head_of, known_head, partner_addresses
from crosstie.app.lists import count_known, count_records, list_known, list_records
from crosstie.model.errors import CrosstieError, SystemFailure, UnknownTable, Unreachable
from crosstie.model.lists import NOT_COUPLED, RecordCounts, RecordList
from crosstie.model.records import Side
from crosstie.web import wording
from crosstie.web.rendering import page
from crosstie.web.selections import SideInPath

ROWS = 50
PATIENCE = 8.0
"""After so many seconds without an answer, a list shows what the store knows of it."""
LOOKS = 0.05
"""For so many seconds at most a page looks for its rows before it shows those it has; then it asks to be filled."""
_SHORT = (8, 12, 18, 26)
"""So long are the texts of a column of a width of its own; longer ones share what is left."""
_KNOWN = "known-"
"""What the places of a list begin with that comes from the store alone."""

_Search = Annotated[str, QueryParameter(max_length=250)]
_States = Annotated[list[str] | None, QueryParameter(name="state")]
_Sort = Annotated[str, QueryParameter(max_length=100)]
_After = Annotated[str, QueryParameter(max_length=4000)]


class ListAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is shown, and how other parts are reached."""

    mapping: str
    side: Side
    search: str = ""
    states: tuple[str, ...] = ()
    sort: str = ""
    after: str = ""

    def to(self, **changes: object) -> str:
        """Return the address of the list with changes; from its beginning, unless these say otherwise."""
        other = msgspec.structs.replace(self, **{"after": "", **changes})
        given = [("search", other.search), *(("state", each) for each in other.states)]
        given += [("sort", other.sort), ("after", other.after)]
        query = urlencode([(name, value) for name, value in given if value])
        return f"{list_path(other.mapping, other.side)}{'?' + query if query else ''}"

    def sorted_by(self, field: str) -> str:
        """Return the address of the list sorted by a field: upwards, downwards if it is so already."""
        return self.to(sort=f"-{field}" if self.sort == field else field)

    def direction_of(self, field: str, first: str) -> str:
        """Return how the list is sorted by a field; `first` is the one that it is sorted by by itself."""
        if self.sort == f"-{field}":
            return "descending"
        return "ascending" if self.sort == field or (not self.sort and field == first) else ""


class Chip(msgspec.Struct, frozen=True, kw_only=True):
    """A state by which the list can be narrowed down."""

    state: str
    badge: wording.Badge
    count: int | None
    current: bool
    address: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A list as its page shows it. `error` is why its system could not be asked."""

    head: ListHead
    rows: RecordList
    counts: RecordCounts
    partners: dict[str, str] = {}
    """Addresses of partners in the other system, by the row's id."""
    error: CrosstieError | None = None

    @property
    def looking(self) -> bool:
        """Whether more rows of this page may be found yet."""
        return self.error is None and self.rows.following is not None and len(self.rows.rows) < ROWS

    @property
    def lacks(self) -> bool:
        """Whether a system has no such table, as a Business Central without the custom page of contacts."""
        return isinstance(self.error, UnknownTable)

    @property
    def matching(self) -> int | None:
        """How many records match, as far as that is known without counting."""
        return self.counts.total if self.error is None else None


def list_path(mapping: str, side: Side | str) -> str:
    """Return the path of a list."""
    return f"/lists/{quote(mapping)}" + ("/remote" if side == Side.REMOTE else "")


def card_path(mapping: str, side: str, id: str) -> str:
    """Return the path of a record's card."""
    return f"/records/{quote(mapping)}/{side}/{quote(id, safe='')}"


@get("/lists/{mapping:str}")
async def local(
    request: StrictRequest,
    mapping: InPath,
    search: _Search = "",
    states: _States = None,
    sort: _Sort = "",
    after: _After = "",
) -> Response[str]:
    """The records of Business Central under a mapping."""
    return await _list(request, _address(mapping, Side.LOCAL, search, states, sort, after))


@get("/lists/{mapping:str}/{side:str}")
async def of_side(
    request: StrictRequest,
    mapping: InPath,
    side: SideInPath,
    search: _Search = "",
    states: _States = None,
    sort: _Sort = "",
    after: _After = "",
) -> Response[str]:
    """The same for either side; those of Dataverse as far as the mapping's filter admits them."""
    return await _list(request, _address(mapping, side, search, states, sort, after))


def _address(mapping: str, side: Side, search: str, states: list[str] | None, sort: str, after: str) -> ListAddress:
    wanted = tuple(dict.fromkeys(each for each in states or () if each))
    return ListAddress(mapping=mapping, side=side, search=search.strip(), states=wanted, sort=sort, after=after)


async def _list(request: StrictRequest, asked: ListAddress) -> Response[str]:
    home = rooms_of(request).home
    error: CrosstieError
    try:
        async with asyncio.timeout(PATIENCE):
            shown = await _read(request, asked)
    except (SystemFailure, UnknownTable) as failure:
        shown = await asyncio.to_thread(_known, home, asked, failure)
    except TimeoutError:
        error = Unreachable(f"{wording.system(asked.side)} has not answered within {PATIENCE:g} seconds.")
        shown = await asyncio.to_thread(_known, home, asked, error)
    asked = msgspec.structs.replace(asked, mapping=shown.head.mapping)
    return await page(
        request,
        "list.html",
        200 if shown.error is None or shown.lacks else status_of(shown.error),
        asked=asked,
        shown=shown,
        head=shown.head,
        chips=_chips(asked, shown.counts),
        sortable=_sortable(asked, shown),
        widths=_widths(shown),
        total=_total(asked, shown),
        list_path=list_path,
        card_path=card_path,
    )


async def _read(request: StrictRequest, asked: ListAddress) -> Shown:
    async with session_of(request) as session:
        head = await head_of(session, asked.mapping, asked.side)
        rows, counts = await asyncio.gather(
            list_records(
                session,
                asked.mapping,
                asked.side,
                search=asked.search,
                states=asked.states,
                sort=asked.sort,
                fields=head.columns,
                size=ROWS,
                after=None if asked.after.startswith(_KNOWN) else asked.after or None,
                patience=LOOKS,
            ),
            count_records(session, asked.mapping, asked.side),
        )
        return Shown(head=head, rows=rows, counts=counts, partners=partner_addresses(session, head, rows.rows))


def _known(home: Home, asked: ListAddress, error: CrosstieError) -> Shown:
    """Return what the store knows of a list whose system does not answer."""
    place = asked.after.removeprefix(_KNOWN) if asked.after.startswith(_KNOWN) else ""
    rows = list_known(
        home,
        asked.mapping,
        asked.side,
        search=asked.search,
        states=asked.states,
        size=ROWS,
        after_id=int(place) if place.isdecimal() and len(place) < 18 else 0,
    )
    following = f"{_KNOWN}{rows.following}" if rows.following else None
    return Shown(
        head=known_head(home, asked.mapping, asked.side),
        rows=msgspec.structs.replace(rows, following=following),
        counts=count_known(home, asked.mapping, asked.side),
        error=error,
    )


def _chips(asked: ListAddress, counts: RecordCounts) -> list[Chip]:
    """Return the states there are records of, and those asked for; each leads to the list of its records alone."""
    found = {NOT_COUPLED: counts.not_coupled, **counts.by_state}
    return [
        Chip(
            state=state,
            badge=wording.state(state),
            count=found.get(state, 0),
            current=state in asked.states,
            address=asked.to(states=() if asked.states == (state,) else (state,)),
        )
        for state in wording.STATES
        if state == NOT_COUPLED or found.get(state) or state in asked.states
    ]


def _sortable(asked: ListAddress, shown: Shown) -> frozenset[str]:
    """Return the columns by which the list can be sorted: of couplings only key and name are in the store."""
    head = shown.head
    if shown.error is not None:
        return frozenset()
    if any(state != NOT_COUPLED for state in asked.states):
        return frozenset(each for each in (head.key, head.name) if each)
    return frozenset(head.columns)


def _widths(shown: Shown) -> dict[str, str]:
    """Return the classes of columns whose texts are short enough to leave their width to others."""
    rows = shown.rows.rows
    texts = {name: [wording.value(row.values.get(name)) for row in rows] for name in shown.head.fields}
    texts["key"] = [row.key or "" for row in rows]
    texts["state"] = [f"    {wording.state(row.state).word}" for row in rows]  # and its icon
    longest = {name: max(map(len, found), default=0) for name, found in texts.items()}
    return {
        name: next((f"w-{at}" for at, most in enumerate(_SHORT, 1) if length <= most), "")
        for name, length in longest.items()
    }


def _total(asked: ListAddress, shown: Shown) -> int | None:
    """Return how many records match, None where only looking through all of them would tell."""
    counts = shown.counts
    if shown.rows.following is None and not asked.after:
        return len(shown.rows.rows)
    if asked.search or shown.error is not None:
        return None
    if not asked.states:
        return counts.total
    found = [counts.not_coupled if each == NOT_COUPLED else counts.by_state.get(each, 0) for each in asked.states]
    known = [each for each in found if each is not None]
    return sum(known) if len(known) == len(found) else None


HANDLERS = (local, of_side)
