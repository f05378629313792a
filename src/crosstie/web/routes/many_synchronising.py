"""Synchronise Now for a selection: the plan in groups, then the result of each record (F06)."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import session_of
from crosstie.app.planned import planned
from crosstie.app.planned_words import in_words
from crosstie.app.selecting import Selected, Selection, describe_selection
from crosstie.app.selection_plans import MOST_PLANNED, PlanGroup, PlanRow, apply_plan, plan_selection
from crosstie.app.session import Session
from crosstie.model.couplings import CouplingState
from crosstie.model.decisions import Preference
from crosstie.model.errors import CrosstieError, InvalidOption
from crosstie.model.lists import NOT_COUPLED
from crosstie.model.mappings import Mapping
from crosstie.model.people import Permission
from crosstie.model.planned import PlannedRecord
from crosstie.model.records import Side
from crosstie.web import plan_words
from crosstie.web.forms import several_of
from crosstie.web.many import SELECTS, Asked, entries_of, finished, running, single
from crosstie.web.rendering import page
from crosstie.web.selections import SideInPath, carried, dialog_path, few, read_selection

_MAY: dict[str, Any] = {"permission": Permission.SYNCHRONISE}
_Direction = Annotated[str, QueryParameter(max_length=20)]
_INCLUDED = frozenset({PlanGroup.UPDATE, PlanGroup.CREATE})
"""Groups that are synchronised unless a person leaves them out."""
_CHOICE = frozenset({PlanGroup.CONFLICT, PlanGroup.SKIPPED, PlanGroup.OUT_OF_FILTER, PlanGroup.DELETE})
"""Groups that are synchronised only where a person includes them."""
_STATES_LEFT_OUT = frozenset(
    {
        CouplingState.CONFLICT.value,
        CouplingState.SKIPPED.value,
        CouplingState.OUT_OF_FILTER.value,
        CouplingState.LOCAL_DELETED.value,
        CouplingState.REMOTE_DELETED.value,
    }
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a plan as the dialog shows it."""

    id: str
    name: str
    seen: str
    shown: PlannedRecord | None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Records of which the same would become. `choosable` where a person may take them in or leave them out."""

    group: PlanGroup
    included: bool
    choosable: bool
    rows: list[Row]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Selected records that are in the same state, where there are too many to be planned one by one."""

    state: str
    count: int | None
    included: bool
    choosable: bool


@get("/lists/{mapping:str}/{side:str}/synchronise", opt=_MAY, dependencies=SELECTS)
async def show(
    request: StrictRequest,
    mapping: InPath,
    side: SideInPath,
    selection: Asked,
    direction: _Direction = "",
) -> Response[str]:
    """What synchronising the selection would do; nothing is written."""
    alone = single(request, mapping, selection, "differences")
    return alone or await _plan(request, mapping, selection, direction)


@post("/lists/{mapping:str}/{side:str}/synchronise", status_code=200, opt=_MAY)
async def show_large(request: StrictRequest, mapping: InPath, side: SideInPath) -> Response[str]:
    """The same for a selection that no address can carry, and for another direction."""
    selection, fields = await read_selection(request, side, direction=20, row=0, group=0, state=0)
    return await _plan(request, mapping, selection, fields["direction"])


@post("/lists/{mapping:str}/{side:str}/synchronise/apply", status_code=200, opt=_MAY)
async def apply(request: StrictRequest, mapping: InPath, side: SideInPath) -> Response[str]:
    """Synchronise the groups that are included, as they were shown; many records by a worker."""
    selection, fields = await read_selection(request, side, direction=20, row=0, group=0, state=0)
    try:
        preference = _preference(fields["direction"])
        if await several_of(request, "row"):
            return await _apply_few(request, mapping, selection, preference)
        return await _apply_many(request, mapping, selection, preference)
    except CrosstieError as error:
        return await _plan(request, mapping, selection, fields["direction"], error=error)


async def _plan(
    request: StrictRequest,
    mapping: str,
    selection: Selection,
    direction: str,
    *,
    error: CrosstieError | None = None,
    moved: tuple[str, ...] = (),
) -> Response[str]:
    async with session_of(request) as session:
        found = session.mapping(mapping)
        preference = _preference(direction) if direction else _directions(found)[0]
        selected = await describe_selection(session, mapping, selection)
        groups: list[Group] = []
        if selected.total is not None and selected.total <= MOST_PLANNED:
            rows = await plan_selection(session, mapping, selection, preference)
            selection = Selection(side=selection.side, ids=tuple(row.id for row in rows) or selection.ids)
            shown = await _shown(session, found, rows)
            groups = _groups(rows, shown)
    return await page(
        request,
        "synchronise_many.html",
        200 if error is None else status_of(error),
        mapping=found,
        plans=plan_words,
        side=selection.side,
        here=dialog_path(found.name, selection.side, "synchronise"),
        carried=carried(selection),
        selected=selected,
        groups=groups,
        states=[] if groups else _states(found, selected),
        directions=_directions(found),
        direction=preference,
        writes=sum(len(each.rows) for each in groups if each.choosable),
        error=error,
        moved=moved,
    )


async def _apply_few(
    request: StrictRequest, mapping: str, selection: Selection, preference: Preference
) -> Response[str]:
    included = set(await several_of(request, "group"))
    rows = [each.split("|", 2) for each in await several_of(request, "row", most=MOST_PLANNED)]
    if any(len(each) != 3 for each in rows):
        raise InvalidOption("A row of the plan cannot be read.", next_step="Open the dialog again.")
    seen = {id: seen for group, id, seen in rows if group in included}
    few(list(seen), selection.side)
    async with session_of(request) as session:
        done = await apply_plan(session, mapping, selection.side, seen, preference)
        if done.report is None:
            return await _plan(request, mapping, selection, preference.value, moved=tuple(done.moved))
        told = await entries_of(request, session, done.report.job_id)
        found, left = session.mapping(mapping), len(done.moved)
        return await finished(request, "Synchronised", found, selection.side, told, jobs=[told.job.id], left=left)


async def _apply_many(
    request: StrictRequest, mapping: str, selection: Selection, preference: Preference
) -> Response[str]:
    wanted = await several_of(request, "state")
    if not wanted:
        raise InvalidOption("No group is included.", next_step="Include at least one of the groups.")
    only = msgspec.structs.replace(selection, only=tuple(wanted))
    only.check()
    arguments = {"mapping": mapping, "selection": msgspec.to_builtins(only), "direction": preference.value}
    return await running(request, "synchronise", arguments, "Synchronise now")


def _groups(rows: list[PlanRow], shown: dict[str, PlannedRecord]) -> list[Group]:
    found: dict[PlanGroup, list[PlanRow]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return [
        Group(
            group=group,
            included=group in _INCLUDED,
            choosable=group in _INCLUDED | _CHOICE,
            rows=[
                Row(id=row.id, name=row.name, seen=row.seen, shown=shown.get(row.id)) for row in found.get(group, ())
            ],
        )
        for group in PlanGroup
        if group in found
    ]


async def _shown(session: Session, mapping: Mapping, rows: list[PlanRow]) -> dict[str, PlannedRecord]:
    """Return what is to become of each record in words, by its id."""
    found = {row.id: planned(mapping, row.decision) for row in rows if row.decision is not None}
    return dict(zip(found, await in_words(session, mapping.name, list(found.values())), strict=True))


def _states(mapping: Mapping, selected: Selected) -> list[State]:
    found = [
        State(state=state, count=count, included=state not in _STATES_LEFT_OUT, choosable=True)
        for state, count in selected.by_state.items()
    ]
    if selected.not_coupled != 0:
        makes = not mapping.only_coupled
        found.append(State(state=NOT_COUPLED, count=selected.not_coupled, included=makes, choosable=makes))
    return found


def _directions(mapping: Mapping) -> list[Preference]:
    both = mapping.reaches(Side.LOCAL) and mapping.reaches(Side.REMOTE)
    if both:
        return [Preference.MERGE, Preference.SEND, Preference.GET]
    return [Preference.SEND if mapping.reaches(Side.REMOTE) else Preference.GET]


def _preference(direction: str) -> Preference:
    try:
        return Preference(direction)
    except ValueError:
        ways = ", ".join(each.value for each in Preference)
        raise InvalidOption(f"{direction!r} is no direction; there are {ways}.") from None


HANDLERS = (show, show_large, apply)
