"""Plans of many records: made by a worker, looked through by group, and carried out as they were shown."""

import asyncio
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import PlanBody, StartPlanBody
from crosstie.api.paging import MOST_ID, After, Limit, number_of, page_of
from crosstie.api.queueing import JobShape, accepted, chosen, queued
from crosstie.api.rooms import rooms_of
from crosstie.api.shapes import Page
from crosstie.app.kept_plans import plan_rows, show_plan, start_plan
from crosstie.app.selection_plans import PlanGroup
from crosstie.model.people import Permission
from crosstie.model.planned import PlannedRecord

_SYNCHRONISES = {"permission": Permission.SYNCHRONISE}
_PlanId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The number of the job that made the plan.")]


class PlanShape(Struct, frozen=True, kw_only=True):
    """A plan: the job that made it, and how many records each group has."""

    job: JobShape
    groups: dict[PlanGroup, int]
    choosable: list[PlanGroup]
    """Groups that can be carried out."""
    kept: bool
    """Whether its records are still known."""


class PlannedRow(Struct, frozen=True, kw_only=True):
    """A record of a plan."""

    id: int
    group: PlanGroup
    record: PlannedRecord


@post(
    "/api/v1/mappings/{mapping:str}/plans",
    operation_id="makePlan",
    tags=["synchronising"],
    status_code=202,
    opt=_SYNCHRONISES,
)
async def make(request: StrictRequest, mapping: InPath, data: JSONBody[PlanBody]) -> Response[JobShape]:
    """Have a worker look at what a synchronisation would do, and write nothing; Location is the job's address.

    Once the job has finished, its number is that of the plan.
    """
    selection = await chosen(request, (), data.selection)
    if data.full:
        request.demand(Permission.SYNCHRONISE_FULLY)
    given: dict[str, Any] = {"direction": data.direction, "full": data.full, "create": data.create}
    return await queued(request, "plan", mapping=mapping, selection=selection, **given)


@get("/api/v1/plans/{plan_id:int}", operation_id="showPlan", tags=["synchronising"])
async def show(request: StrictRequest, plan_id: _PlanId) -> PlanShape:
    """A plan: its groups and how many records each has."""
    found = await asyncio.to_thread(show_plan, rooms_of(request).home, plan_id)
    return PlanShape(
        job=JobShape.of(found.job),
        groups=found.groups,
        choosable=[group for group in found.groups if found.may_choose(group)],
        kept=found.kept,
    )


@get("/api/v1/plans/{plan_id:int}/records", operation_id="listPlannedRecords", tags=["synchronising"])
async def records(
    request: StrictRequest,
    plan_id: _PlanId,
    limit: Limit = 100,
    after: After = None,
    group: Annotated[PlanGroup | None, QueryParameter(description="Only records of this group.")] = None,
) -> Page[PlannedRow]:
    """The records of a plan, of one group or all, with what would be written; unchanged ones are only counted."""
    home, place = rooms_of(request).home, number_of("plan", after) or 0
    await asyncio.to_thread(show_plan, home, plan_id)
    groups = list(PlanGroup) if group is None else [group]
    found = await asyncio.to_thread(plan_rows, home, plan_id, groups, after_id=place, limit=limit + 1)
    return page_of(
        "plan",
        found,
        limit,
        lambda row: row.id,
        lambda row: PlannedRow(id=row.id, group=PlanGroup(row.group), record=row.planned),
    )


@post(
    "/api/v1/plans/{plan_id:int}/start",
    operation_id="startPlan",
    tags=["synchronising"],
    status_code=202,
    opt=_SYNCHRONISES,
)
async def start(request: StrictRequest, plan_id: _PlanId, data: JSONBody[StartPlanBody]) -> Response[JobShape]:
    """Have a worker carry out groups of a plan as they were shown; what has moved since is left alone and counted.

    Location is the job's address.
    """
    plan = await asyncio.to_thread(show_plan, rooms_of(request).home, plan_id)
    request.demand(plan.permission)
    return await accepted(request, lambda home: start_plan(home, plan_id, data.groups))


HANDLERS = (make, show, records, start)
