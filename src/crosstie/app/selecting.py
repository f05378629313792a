"""Selections: records of a list that are dealt with together, by their ids or as all that the list shows."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import timedelta
from hashlib import sha256
from itertools import islice

import msgspec

from crosstie.app.home import Home
from crosstie.app.lists import check_states, count_records
from crosstie.app.searching import search_filters
from crosstie.app.session import Session, utc_now
from crosstie.engine.context import PAGE, Context, Task
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.errors import InvalidOption
from crosstie.model.lists import NOT_COUPLED
from crosstie.model.records import Side
from crosstie.systems.base import System

MOST_IDS = 50_000
"""So many records may be named one by one; more are chosen as all that a list shows."""
MOST_CARRIED = 500
"""Ids that a selection carries from a dialog to what is done with it; more are kept in the store."""
KEPT = timedelta(days=30)
"""For so long the ids of a selection are kept."""
MOST_COUNTED = 2000
"""So many records that match a search are looked at to describe it; a dialog does not wait for more."""
FIRST_NAMES = 5


class Selection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Records of one side of a mapping: those of `ids`, or all that a list shows with this search and these states.

    `kept` names ids that are in the store (`keep_selection`). `only` keeps, of what that comes to, the records in some
    states; `excluded` are taken out again.
    """

    side: Side = Side.LOCAL
    ids: tuple[str, ...] = ()
    kept: str = ""
    all: bool = False
    search: str = ""
    states: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def is_whole(self) -> bool:
        """Whether it is all of a mapping, which an administrator alone may uncouple."""
        return self.all and not (self.search or self.states or self.excluded)

    def check(self) -> None:
        """Refuse what selects nothing, or too much one by one. Raises InvalidOption."""
        check_states((*self.states, *self.only))
        if bool(self.ids) + bool(self.kept) + self.all != 1:
            raise InvalidOption("Nothing is selected.", next_step="Select records, or all that match.")
        if max(len(self.ids), len(self.excluded)) > MOST_IDS:
            raise InvalidOption(
                f"At most {MOST_IDS:,} records are selected one by one.", next_step="Select all that match instead."
            )


class Selected(msgspec.Struct, frozen=True, kw_only=True):
    """What a selection comes to. `total` and the number of those not coupled are None where a system does not count.

    `names` are those of the first few that are coupled. Where there are `more` than are counted, nobody knows how many
    there are in each state, nor how many are coupled but those found so far.
    """

    total: int | None
    coupled: int
    by_state: dict[str, int | None]
    names: list[str]
    more: bool = False

    @property
    def not_coupled(self) -> int | None:
        """How many have no partner."""
        return None if self.total is None else max(0, self.total - self.coupled)


def keep_selection(home: Home, selection: Selection) -> Selection:
    """Return the same selection, its ids kept in the store where they are too many to be carried. Raises InvalidOption.

    The same ids are kept once, so that it may be called again.
    """
    selection.check()
    if len(selection.ids) <= MOST_CARRIED:
        return selection
    name = sha256(" ".join(selection.ids).encode()).hexdigest()
    now = utc_now()
    with home.store.begin() as unit:
        unit.lists.forget_selections(now - KEPT)
        unit.lists.keep_selection(name, selection.ids, now)
    return msgspec.structs.replace(selection, ids=(), kept=name)


async def ids_of(ctx: Context, selection: Selection) -> list[str]:
    """Return the ids of a selection, each once. Raises InvalidOption, SystemFailure.

    All that match a search cost one reading of ids for each field that is searched, in the system's largest pages.
    """
    selection.check()
    return (await _ids(ctx, selection))[0]


async def _ids(ctx: Context, selection: Selection, most: int | None = None) -> tuple[list[str], bool]:
    """Return the ids of a selection, each once, and whether there may be more: it looks at `most` records or so."""
    left_out = set(selection.excluded)
    found: dict[str, None] = {}
    looked = 0
    async with aclosing(_pages(ctx, selection, most)) as pages:
        async for page in pages:
            looked += len(page)
            if selection.only:
                page = _in_states(ctx, selection.side, page, selection.only)
            found.update(dict.fromkeys(id for id in page if id not in left_out))
            if most is not None and looked > most:
                return list(found), True
    return list(found), False


async def describe_selection(session: Session, mapping: str, selection: Selection) -> Selected:
    """Return how many records are selected, in which states. Raises UnknownMapping, InvalidOption, SystemFailure.

    It costs a request or two, whatever the size of the table: what matches a search is counted up to `MOST_COUNTED`.
    """
    selection.check()
    ctx = await session.context(session.mapping(mapping).name, Task())
    if selection.all and not selection.search.strip():
        return await _described_by_counts(session, ctx, selection)
    ids, more = await _ids(ctx, selection, MOST_COUNTED if selection.all else None)
    states = _states(ctx, selection.side, ids)
    by_state: dict[str, int | None] = {state.value: number for state, number in Counter(states.values()).items()}
    if more:
        with ctx.store.begin() as unit:
            there = {state.value for state in unit.couplings.count(ctx.mapping_name)}
        by_state = {state: None for state in _wanted_states(selection) if state in there}
    first = couplings_of(ctx, selection.side, list(islice((id for id in ids if id in states), FIRST_NAMES)))
    names = [each.name() for each in first]
    return Selected(total=None if more else len(ids), coupled=len(states), by_state=by_state, names=names, more=more)


def couplings_of(ctx: Context, side: Side, ids: Sequence[str]) -> list[Coupling]:
    """Return the couplings of records of a side, in the order of these."""
    with ctx.store.begin() as unit:
        found = unit.couplings.by_record(ctx.mapping_name, side, ids) if ids else {}
    return [found[id] for id in ids if id in found]


async def _described_by_counts(session: Session, ctx: Context, selection: Selection) -> Selected:
    counts = await count_records(session, ctx.mapping_name, selection.side)
    states = _wanted_states(selection)
    excluded = _states(ctx, selection.side, selection.excluded)
    left_out = Counter(excluded[id].value if id in excluded else NOT_COUPLED for id in set(selection.excluded))
    by_state: dict[str, int | None] = {}
    for each in states:
        if number := max(0, counts.by_state.get(each, 0) - left_out[each]):
            by_state[each] = number
    coupled = sum(number or 0 for number in by_state.values())
    total: int | None = coupled
    if NOT_COUPLED in states:
        free = counts.not_coupled
        total = None if free is None else coupled + max(0, free - left_out[NOT_COUPLED])
    wanted = [CouplingState(each) for each in states if each != NOT_COUPLED]
    limit = FIRST_NAMES + min(len(excluded), PAGE)
    with ctx.store.begin() as unit:
        page = unit.couplings.page(ctx.mapping_name, states=wanted, limit=limit) if wanted else []
    names = [each.name() for each in page if each.record_id(selection.side) not in excluded]
    return Selected(total=total, coupled=coupled, by_state=by_state, names=names[:FIRST_NAMES])


def _wanted_states(selection: Selection) -> list[str]:
    """Return the states that records of a selection may be in."""
    states = selection.states or (NOT_COUPLED, *(each.value for each in CouplingState))
    return [each for each in states if not selection.only or each in selection.only]


async def _pages(ctx: Context, selection: Selection, size: int | None = None) -> AsyncGenerator[list[str]]:
    """Yield the ids of a selection, with a `size` in pages of about so many."""
    states, side = selection.states, selection.side
    if not selection.all:
        ids = list(dict.fromkeys(selection.ids or _kept(ctx, selection.kept)))
        for start in range(0, len(ids), PAGE):
            yield ids[start : start + PAGE]
        return
    for page in _coupled(ctx, side, [CouplingState(each) for each in states if each != NOT_COUPLED], selection.search):
        yield page
    if states and NOT_COUPLED not in states:
        return
    table, key = ctx.compiled.mapping.table(side), ctx.compiled.schema(side).key
    within = (ctx.compiled.mapping.filter(side) or "") if side is Side.REMOTE else ""
    for each in search_filters(ctx, side, selection.search) or [""]:
        both = " and ".join(f"({part})" for part in (within, each) if part)
        async for ids in _read(ctx.systems[side], table, key, both or None, size):
            yield _in_states(ctx, side, ids, (NOT_COUPLED,)) if states else ids


async def _read(system: System, table: str, key: str, filter: str | None, size: int | None) -> AsyncIterator[list[str]]:
    if size is None:
        async for page in system.scan(table, (key,), filter):
            yield [record.id for record in page.records]
        return
    place: str | None = None
    while True:
        found = await system.browse(table, (key,), filter=filter, size=size + 1, after=place)
        yield [record.id for record in found.records]
        place = found.following
        if place is None:
            return


def _in_states(ctx: Context, side: Side, ids: Sequence[str], states: Sequence[str]) -> list[str]:
    found = _states(ctx, side, ids)
    return [id for id in ids if (found[id].value if id in found else NOT_COUPLED) in states]


def _states(ctx: Context, side: Side, ids: Sequence[str]) -> dict[str, CouplingState]:
    with ctx.store.begin() as unit:
        return unit.lists.states(ctx.mapping_name, side, ids) if ids else {}


def _kept(ctx: Context, name: str) -> list[str]:
    with ctx.store.begin() as unit:
        found = unit.lists.selection(name)
    if found is None:
        raise InvalidOption("The selection is no longer kept.", next_step="Select the records again.")
    return found


def _coupled(ctx: Context, side: Side, states: Sequence[CouplingState], search: str) -> list[list[str]]:
    """Return the ids of couplings of these states, in pages; none where none is asked for."""
    pages: list[list[str]] = []
    after_id = 0
    while states:
        with ctx.store.begin() as unit:
            found = unit.couplings.page(
                ctx.mapping_name, after_id=after_id, limit=PAGE * 5, states=states, search=search.strip()
            )
        if not found:
            break
        after_id = found[-1].id
        pages.append([coupling.record_id(side) for coupling in found])
    return pages
