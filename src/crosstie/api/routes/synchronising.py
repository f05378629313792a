"""Synchronise: a plan first where it is wanted, a few records at once, everything else by a worker."""

from litestar import Response, post
from litestar.params import JSONBody

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import SynchroniseAllBody, SynchroniseBody
from crosstie.api.plans import MOST_PLANNED, Planner
from crosstie.api.queueing import ACCEPTED, chosen, is_long, queued
from crosstie.api.rooms import session_of
from crosstie.api.shapes import ReportShape, Synchronised
from crosstie.app.session import Session
from crosstie.app.synchronising import synchronise
from crosstie.model.mappings import Mapping
from crosstie.model.people import Permission

_SYNCHRONISES = {"permission": Permission.SYNCHRONISE}


@post(
    "/api/v1/mappings/{mapping:str}/synchronise",
    operation_id="synchronise",
    tags=["synchronising"],
    status_code=200,
    opt=_SYNCHRONISES,
    responses=ACCEPTED,
)
async def one(request: StrictRequest, mapping: InPath, data: JSONBody[SynchroniseBody]) -> Response[Synchronised]:
    """Synchronise the records named, or what changed in the mapping; a dry run shows what that would do.

    A whole mapping, a selection, or more than 50 records, is work for a worker: 202 with the job's address.
    """
    selection = await chosen(request, data.records, data.selection)
    if data.full and not data.records and selection is None:
        request.demand(Permission.SYNCHRONISE_FULLY)
    if is_long(data.records) and not data.dry_run:
        return await queued(
            request,
            "synchronise",
            mapping=mapping,
            records=data.records,
            selection=selection,
            direction=data.direction,
            full=data.full,
            create=data.create,
            force=data.forced,
        )
    async with session_of(request) as session:
        found = session.mapping(mapping)
        return Response(await _plan(session, found, data))


@post(
    "/api/v1/synchronise",
    operation_id="synchroniseAll",
    tags=["synchronising"],
    status_code=200,
    opt=_SYNCHRONISES,
    responses=ACCEPTED,
)
async def all_(request: StrictRequest, data: JSONBody[SynchroniseAllBody]) -> Response[Synchronised]:
    """Have a worker synchronise all enabled mappings in the order of their dependencies; a dry run shows the plan."""
    if data.full:
        request.demand(Permission.SYNCHRONISE_FULLY)
    if not data.dry_run:
        return await queued(request, "synchronise", full=data.full, create=data.create)
    async with session_of(request) as session:
        return Response(await _plan_all(session, data))


async def _plan_all(session: Session, data: SynchroniseAllBody) -> Synchronised:
    """Plan one mapping after the other: nothing is written, so that no plan depends on another."""
    parts = [
        await _plan(session, found, SynchroniseBody(full=data.full, create=data.create, dry_run=True))
        for found in session.mappings()
        if found.enabled
    ]
    plan = [record for part in parts for record in part.plan]
    return Synchronised(
        reports=[report for part in parts for report in part.reports],
        plan=plan[:MOST_PLANNED],
        plan_left_out=sum(part.plan_left_out for part in parts) + len(plan[MOST_PLANNED:]),
    )


async def _plan(session: Session, mapping: Mapping, data: SynchroniseBody) -> Synchronised:
    planner = Planner(mapping)
    reports = await synchronise(
        session,
        mapping.name,
        data.records,
        selection=data.selection,
        direction=data.direction,
        full=data.full,
        create=data.create,
        dry_run=data.dry_run,
        forced=data.forced,
        observer=planner if data.dry_run else None,
    )
    return Synchronised(
        reports=[ReportShape.of(report) for report in reports], plan=planner.records, plan_left_out=planner.left_out
    )


HANDLERS = (one, all_)
