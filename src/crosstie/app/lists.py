"""Lists of records with their coupling state: customers and accounts as the list pages show them (P08, P10, P12)."""

import time
from collections.abc import Sequence

from crosstie.app.browsing import Browse
from crosstie.app.home import Home
from crosstie.app.rows import row_of_coupling
from crosstie.app.searching import search_filters
from crosstie.app.session import Session, find_mapping
from crosstie.app.stages import Coupled, Stage, read_stages
from crosstie.engine.context import Context, Task
from crosstie.model.browsing import Sort
from crosstie.model.couplings import CouplingState
from crosstie.model.errors import InvalidOption, UnknownField
from crosstie.model.lists import NOT_COUPLED, ListColumn, RecordCounts, RecordList
from crosstie.model.records import Side

MOST_ROWS = 1000
_STATES = {state.value: state for state in CouplingState}
_GONE = {Side.LOCAL: CouplingState.LOCAL_DELETED, Side.REMOTE: CouplingState.REMOTE_DELETED}


async def list_records(
    session: Session,
    mapping: str,
    side: Side = Side.LOCAL,
    *,
    search: str = "",
    states: Sequence[str] = (),
    sort: str = "",
    within_filter: bool | None = None,
    fields: Sequence[str] = (),
    size: int = 50,
    after: str | None = None,
    patience: float | None = None,
) -> RecordList:
    """Return a page of the records of one side, each with state, partner and problem.

    `states` are those of `CouplingState` and "not_coupled"; none means every record. `sort` names a field, with a `-`
    before it downwards; else local records come by key and remote ones by name. `within_filter` leaves out what the
    mapping's filter excludes: by itself it does so on the remote side only, as a person looks for a partner there.
    `fields` are the columns; else those that are mapped. `after` is the `following` of the page before.

    A page costs a request or two, whatever the size of the table, where the system can tell which records are wanted.
    Elsewhere, as for those that are not coupled, it looks at up to 30,000 records, and after `patience` seconds at no
    more; asked for again within a minute, the same page goes on from where it was.
    Raises UnknownMapping, UnknownField, InvalidOption, SystemFailure.
    """
    check_states(states)
    _check_size(size)
    ctx = await session.context(session.mapping(mapping).name, Task())
    order = _order(ctx, side, sort)
    columns = _columns(ctx, side, fields)
    within = side is Side.REMOTE if within_filter is None else within_filter
    filter = (ctx.compiled.mapping.filter(side) or "") if within else ""
    deadline = None if patience is None else time.monotonic() + patience
    stages = _stages(ctx, side, columns, search, states, order, filter, deadline)
    rows, following = await read_stages(stages, after, size)
    schema = ctx.compiled.schema(side)
    return RecordList(
        mapping=ctx.mapping_name,
        side=side,
        columns=[
            ListColumn(name=name, label=schema.fields[name].label or name, type=schema.fields[name].type.value)
            for name in columns
        ],
        rows=rows,
        following=following,
    )


async def count_records(
    session: Session, mapping: str, side: Side = Side.LOCAL, *, within_filter: bool | None = None
) -> RecordCounts:
    """Return how many records a list has by state. Costs one small request.

    `total` is None where the system does not count so far (Dataverse: from 5,000 on), and with it `not_coupled`, which
    takes the couplings' word for what exists. Raises UnknownMapping, SystemFailure.
    """
    ctx = await session.context(session.mapping(mapping).name, Task())
    within = side is Side.REMOTE if within_filter is None else within_filter
    filter = ctx.compiled.mapping.filter(side) if within else None
    total = await ctx.systems[side].count(ctx.compiled.mapping.table(side), filter)
    with ctx.store.begin() as unit:
        by_state = unit.couplings.count(ctx.mapping_name)
        problems = unit.count_problems().get(ctx.mapping_name, {})
    coupled = sum(by_state.values())
    there = coupled - by_state.get(_GONE[side], 0)
    return RecordCounts(
        mapping=ctx.mapping_name,
        side=side,
        total=total,
        coupled=coupled,
        not_coupled=None if total is None else max(0, total - there),
        by_state={state.value: number for state, number in by_state.items()},
        problems=problems,
    )


def list_known(
    home: Home,
    mapping: str,
    side: Side = Side.LOCAL,
    *,
    search: str = "",
    states: Sequence[str] = (),
    size: int = 50,
    after_id: int = 0,
) -> RecordList:
    """Return a page of what the store alone knows of a list: the coupled records, in the order of their couplings.

    For times in which a system cannot be reached. `following` is the next `after_id`. Raises UnknownMapping,
    InvalidOption.
    """
    check_states(states)
    _check_size(size)
    coupled = [_STATES[state] for state in states if state != NOT_COUPLED]
    with home.store.begin() as unit:
        name = find_mapping(unit.mappings(), mapping).name
        wanted = not states or bool(coupled)
        found = (
            unit.couplings.page(name, states=coupled, search=search.strip(), after_id=after_id, limit=size + 1)
            if wanted
            else []
        )
    return RecordList(
        mapping=name,
        side=side,
        columns=[],
        rows=[row_of_coupling(side, coupling) for coupling in found[:size]],
        following=str(found[size - 1].id) if len(found) > size else None,
    )


def count_known(home: Home, mapping: str, side: Side = Side.LOCAL) -> RecordCounts:
    """Return how many coupled records the store knows by state, without asking a system. Raises UnknownMapping."""
    with home.store.begin() as unit:
        name = find_mapping(unit.mappings(), mapping).name
        by_state = {state.value: number for state, number in unit.couplings.count(name).items()}
    return RecordCounts(
        mapping=name,
        side=side,
        total=None,
        coupled=sum(by_state.values()),
        not_coupled=None,
        by_state=by_state,
        problems={},
    )


def check_states(states: Sequence[str]) -> None:
    """Refuse what is no state of a record. Raises InvalidOption with those there are."""
    for state in states:
        if state != NOT_COUPLED and state not in _STATES:
            known = ", ".join((NOT_COUPLED, *_STATES))
            raise InvalidOption(f"{state!r} is no state of a record; there are {known}.", state=state)


def _check_size(size: int) -> None:
    if not 1 <= size <= MOST_ROWS:
        raise InvalidOption(f"A page has between 1 and {MOST_ROWS} rows, not {size}.")


def _order(ctx: Context, side: Side, sort: str) -> tuple[Sort, ...]:
    mapping, schema = ctx.compiled.mapping, ctx.compiled.schema(side)
    field = sort.removeprefix("-")
    if not field:
        key = mapping.key_field(side) if side is Side.LOCAL else None
        return (Sort(key or mapping.name_field(side), sort == "-"),)
    if field not in schema.fields:
        raise UnknownField(
            f"{schema.name} has no field {field!r} to sort by.", table=schema.name, field=field, mapping=mapping.name
        )
    return (Sort(field, sort.startswith("-")),)


def _columns(ctx: Context, side: Side, fields: Sequence[str]) -> tuple[str, ...]:
    mapping, schema = ctx.compiled.mapping, ctx.compiled.schema(side)
    for name in fields:
        if name not in schema.fields:
            raise UnknownField(f"{schema.name} has no field {name!r}.", table=schema.name, field=name)
    if fields:
        return tuple(dict.fromkeys(fields))
    key = mapping.key_field(side)
    names = (*([key] if key else []), mapping.name_field(side), *ctx.compiled.mapped[side])
    return tuple(dict.fromkeys(names))


def _stages(
    ctx: Context,
    side: Side,
    columns: Sequence[str],
    search: str,
    states: Sequence[str],
    order: Sequence[Sort],
    filter: str,
    deadline: float | None,
) -> list[Stage]:
    coupled = [_STATES[state] for state in states if state != NOT_COUPLED]
    stages: list[Stage] = [Coupled(ctx, side, columns, coupled, search.strip(), order)] if coupled else []
    if states and NOT_COUPLED not in states:
        return stages
    earlier: list[str] = []
    for each in search_filters(ctx, side, search) or [""]:
        both = " and ".join(f"({part})" for part in (filter, each) if part)
        free = NOT_COUPLED in states
        stages.append(Browse(ctx, side, columns, both, order, tuple(earlier), uncoupled_only=free, deadline=deadline))
        if each:
            earlier.append(each)
    return stages
