"""Plans of many records: asked for in a dialog, looked through group by group, carried out as they were shown (F06)."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter, QueryParameter

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.paging import MOST_ID
from crosstie.api.refusing import status_of
from crosstie.api.rooms import rooms_of, session_of
from crosstie.app.home import Home
from crosstie.app.jobs import enqueue
from crosstie.app.kept_plans import plan_rows, show_plan, start_plan
from crosstie.app.mappings import show_mapping
from crosstie.app.planned_words import in_words
from crosstie.app.plans import INCLUDED, KeptPlan
from crosstie.app.selection_plans import PlanGroup
from crosstie.app.views import MappingView
from crosstie.model.errors import CrosstieError
from crosstie.model.people import Permission
from crosstie.model.planned import PlannedRecord, PlannedRow
from crosstie.web import plan_words
from crosstie.web.forms import fields_of, several_of
from crosstie.web.many import running
from crosstie.web.rendering import goto, page
from crosstie.web.routes.progress import Progress, progress_of
from crosstie.web.selections import SideInPath, read_selection

ROWS = 50
_MAY: dict[str, Any] = {"permission": Permission.SYNCHRONISE}
_PlanId = Annotated[int, PathParameter(ge=1, le=MOST_ID)]
_TITLE = "Plan"


@post("/lists/{mapping:str}/{side:str}/synchronise/plan", status_code=200, opt=_MAY)
async def of_selection(request: StrictRequest, mapping: InPath, side: SideInPath) -> Response[str]:
    """Have a worker plan the selected records that are in the states chosen."""
    selection, fields = await read_selection(request, side, direction=20, row=0, group=0, state=0)
    only = msgspec.structs.replace(selection, only=tuple(await several_of(request, "state")))
    only.check()
    arguments = {"mapping": mapping, "selection": msgspec.to_builtins(only), "direction": fields["direction"] or None}
    return await running(request, "plan", arguments, _TITLE)


@post("/mappings/{mapping:str}/plan", status_code=200, opt=_MAY)
async def of_mapping(request: StrictRequest, mapping: InPath) -> Response[str]:
    """Have a worker plan what changed in a mapping, or all of it."""
    given = await fields_of(request, {"full": 1, "create": 5})
    if given["full"]:
        request.demand(Permission.SYNCHRONISE_FULLY)
    arguments = {"mapping": mapping, "full": bool(given["full"]), "create": bool(given["create"])}
    return await running(request, "plan", arguments, _TITLE)


@get("/jobs/{plan_id:int}/plan")
async def show(
    request: StrictRequest,
    plan_id: _PlanId,
    group: Annotated[PlanGroup | None, QueryParameter()] = None,
    after: Annotated[int, QueryParameter(ge=0, le=MOST_ID)] = 0,
) -> Response[str]:
    """What would become of each record, group by group."""
    return await _shown(request, plan_id, group, after)


@post("/jobs/{plan_id:int}/plan", status_code=200, opt=_MAY)
async def start(request: StrictRequest, plan_id: _PlanId) -> Response[str]:
    """Have a worker carry out the groups that are included, as they were shown."""
    await fields_of(request, {}, several=("group",))
    groups = await several_of(request, "group")
    home, asker = rooms_of(request).home, request.asker.name
    try:
        request.demand((await asyncio.to_thread(show_plan, home, plan_id)).permission)
        job = await asyncio.to_thread(lambda: start_plan(home, plan_id, groups, asked_by=asker))
    except CrosstieError as error:
        return await _shown(request, plan_id, error=error)
    return goto(request, f"/jobs/{job.id}")


@post("/jobs/{plan_id:int}/plan/again", status_code=200, opt=_MAY)
async def again(request: StrictRequest, plan_id: _PlanId) -> Response[str]:
    """Plan the same anew, as it is now."""
    await fields_of(request, {}, several=("group",))
    home, asker = rooms_of(request).home, request.asker.name
    plan = await asyncio.to_thread(show_plan, home, plan_id)
    request.demand(plan.permission)
    job = await asyncio.to_thread(lambda: enqueue(home, "plan", plan.job.arguments, asked_by=asker))
    return goto(request, f"/jobs/{job.id}/plan")


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group of a plan as its page shows it."""

    group: PlanGroup
    count: int
    choosable: bool
    included: bool
    kept: bool
    """Whether its records can be looked through."""


async def _shown(
    request: StrictRequest,
    plan_id: int,
    group: PlanGroup | None = None,
    after: int = 0,
    error: CrosstieError | None = None,
) -> Response[str]:
    plan, mapping, progress, rows = await asyncio.to_thread(_read, rooms_of(request).home, plan_id, group, after)
    told: list[PlannedRecord] = []
    if rows:
        async with session_of(request) as session:
            told = await in_words(session, mapping.name, [each.planned for each in rows[:ROWS]])
    groups = [
        _Group(
            group=each,
            count=number,
            choosable=plan.may_choose(each),
            included=each in INCLUDED,
            kept=each not in (PlanGroup.UNCHANGED, PlanGroup.NOT_COUPLED),
        )
        for each, number in plan.groups.items()
    ]
    return await page(
        request,
        "plan.html",
        200 if error is None else status_of(error),
        plan=plan,
        mapping=mapping,
        progress=progress,
        groups=groups,
        group=group,
        rows=[msgspec.structs.replace(row, planned=each) for row, each in zip(rows, told, strict=False)],
        following=rows[ROWS - 1].id if len(rows) > ROWS else None,
        after=after,
        plans=plan_words,
        error=error,
    )


def _read(
    home: Home, plan_id: int, group: PlanGroup | None, after: int
) -> tuple[KeptPlan, MappingView, Progress, Sequence[PlannedRow]]:
    plan = show_plan(home, plan_id)
    wanted = list(plan.groups) if group is None else [group]
    rows = plan_rows(home, plan_id, wanted, after_id=after, limit=ROWS + 1)
    return plan, show_mapping(home, plan.job.mapping), progress_of(home, plan_id), rows


HANDLERS = (of_selection, of_mapping, show, start, again)
