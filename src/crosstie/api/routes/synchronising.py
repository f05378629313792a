"""Synchronise: a plan first where it is wanted, then named records at once."""

from litestar import post
from litestar.params import JSONBody

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import SynchroniseAllBody, SynchroniseBody
from crosstie.api.plans import MOST_PLANNED, Planner
from crosstie.api.rooms import session_of
from crosstie.api.shapes import ReportShape, Synchronised
from crosstie.app.session import Session
from crosstie.app.synchronising import synchronise
from crosstie.model.errors import RequestRefused
from crosstie.model.mappings import Mapping
from crosstie.model.people import Permission

_SYNCHRONISES = {"permission": Permission.SYNCHRONISE}


@post(
    "/api/v1/mappings/{mapping:str}/synchronise",
    operation_id="synchronise",
    tags=["synchronising"],
    status_code=200,
    opt=_SYNCHRONISES,
)
async def one(request: StrictRequest, mapping: InPath, data: JSONBody[SynchroniseBody]) -> Synchronised:
    """Synchronise the records named; or, as a dry run, show what synchronising them or the whole mapping would do."""
    if data.full and not data.records:
        request.demand(Permission.SYNCHRONISE_FULLY)
    async with session_of(request) as session:
        found = session.mapping(mapping)
        if not data.records and not data.dry_run:
            raise _too_long(found.name)
        return await _plan(session, found, data)


@post(
    "/api/v1/synchronise",
    operation_id="synchroniseAll",
    tags=["synchronising"],
    status_code=200,
    opt=_SYNCHRONISES,
)
async def all_(request: StrictRequest, data: JSONBody[SynchroniseAllBody]) -> Synchronised:
    """Show, as a dry run, what synchronising all enabled mappings would do, in the order of their dependencies."""
    if data.full:
        request.demand(Permission.SYNCHRONISE_FULLY)
    if not data.dry_run:
        raise _too_long("--all")
    async with session_of(request) as session:
        return await _plan_all(session, data)


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


def _too_long(mapping: str) -> RequestRefused:
    return RequestRefused(
        "Synchronising a whole mapping takes longer than a request may.",
        next_step=f"Name up to 1,000 records, ask for a dry run, or run `crosstie sync {mapping}`.",
    )


HANDLERS = (one, all_)
