"""Couplings: listing them, setting them up, creating partners, and uncoupling."""

import asyncio
from typing import Annotated

from litestar import Response, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import CoupleBody, PartnersBody, UncoupleBody
from crosstie.api.paging import MOST_ID, After, Limit, cursor_of, number_of
from crosstie.api.plans import Planner
from crosstie.api.queueing import ACCEPTED, MOST_AT_ONCE, chosen, is_long, queued
from crosstie.api.rooms import rooms_of, session_of
from crosstie.api.shapes import ReportShape, Synchronised
from crosstie.app.coupling import create_partners, list_couplings, set_up_coupling, uncouple
from crosstie.app.home import Home
from crosstie.app.views import CouplingView
from crosstie.model.couplings import CouplingState
from crosstie.model.errors import NotCoupled
from crosstie.model.people import Permission

_ALL = "/api/v1/mappings/{mapping:str}/couplings"
_COUPLES = {"permission": Permission.COUPLE}
_UNCOUPLES = {"permission": Permission.UNCOUPLE}


class CouplingsPage(Struct, frozen=True, kw_only=True):
    """A page of couplings; `total` and `by_state` count all of the mapping."""

    items: list[CouplingView]
    next: str | None
    total: int
    by_state: dict[str, int]


class Coupled(Struct, frozen=True, kw_only=True):
    """A coupling that was set up, and what synchronising came to; null where it was not asked for."""

    coupling: CouplingView
    report: ReportShape | None


@get(_ALL, operation_id="listCouplings", tags=["couplings"])
async def list_(
    request: StrictRequest,
    mapping: InPath,
    limit: Limit = 100,
    after: After = None,
    search: Annotated[str, QueryParameter(max_length=250, description="Part of a number, code or name.")] = "",
    states: Annotated[
        list[CouplingState] | None, QueryParameter(name="state", description="Only of these states; may be repeated.")
    ] = None,
) -> CouplingsPage:
    """The couplings of a mapping, in the order in which they were made."""
    found = await asyncio.to_thread(
        list_couplings,
        rooms_of(request).home,
        mapping,
        states=states or (),
        search=search,
        limit=limit + 1,
        after_id=number_of("couplings", after) or 0,
    )
    shown = found.couplings[:limit]
    more = len(found.couplings) > limit
    return CouplingsPage(
        items=shown,
        next=cursor_of("couplings", shown[-1].id) if more else None,
        total=found.total,
        by_state=found.by_state,
    )


@get(f"{_ALL}/{{coupling_id:int}}", operation_id="showCoupling", tags=["couplings"])
async def show(
    request: StrictRequest, mapping: InPath, coupling_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)]
) -> CouplingView:
    """One coupling."""
    return await asyncio.to_thread(_find, rooms_of(request).home, mapping, coupling_id)


@post(_ALL, operation_id="setUpCoupling", tags=["couplings"], opt=_COUPLES)
async def set_up(request: StrictRequest, mapping: InPath, data: JSONBody[CoupleBody]) -> Coupled:
    """Couple a local record with a remote one, and synchronise them in the direction chosen."""
    async with session_of(request) as session:
        made = await set_up_coupling(
            session,
            mapping,
            data.record,
            data.to,
            synchronise=data.synchronise,
            replace=data.replace,
            winners=data.winners,
        )
    return Coupled(coupling=made.coupling, report=ReportShape.of(made.report) if made.report else None)


@delete(f"{_ALL}/{{coupling_id:int}}", operation_id="uncoupleOne", tags=["couplings"], status_code=200, opt=_UNCOUPLES)
async def remove(
    request: StrictRequest, mapping: InPath, coupling_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)]
) -> ReportShape:
    """Remove one coupling; neither record is deleted."""
    found = await asyncio.to_thread(_find, rooms_of(request).home, mapping, coupling_id)
    async with session_of(request) as session:
        return ReportShape.of(await uncouple(session, mapping, [found.local_id]))


@post(
    f"{_ALL}/uncouple", operation_id="uncouple", tags=["couplings"], status_code=200, opt=_UNCOUPLES, responses=ACCEPTED
)
async def remove_many(request: StrictRequest, mapping: InPath, data: JSONBody[UncoupleBody]) -> Response[ReportShape]:
    """Remove the couplings of the records named, or of the whole mapping; no record is deleted.

    The whole mapping, a selection, or more than 50 records, is work for a worker: 202 with the job's address.
    """
    selection = await chosen(request, data.records, data.selection)
    if data.all or (selection is not None and selection.is_whole()):
        request.demand(Permission.UNCOUPLE_MAPPING)
    if data.all or selection is not None or len(data.records) > MOST_AT_ONCE:
        given = {"records": data.records, "selection": selection, "all": data.all, "force": data.forced}
        return await queued(request, "uncouple", mapping=mapping, **given)
    async with session_of(request) as session:
        return Response(ReportShape.of(await uncouple(session, mapping, data.records, forced=data.forced)))


@post(
    "/api/v1/mappings/{mapping:str}/partners",
    operation_id="createPartners",
    tags=["couplings"],
    status_code=200,
    opt=_COUPLES,
    responses=ACCEPTED,
)
async def create(request: StrictRequest, mapping: InPath, data: JSONBody[PartnersBody]) -> Response[Synchronised]:
    """Create partners of the records named on the other side, and couple them; a dry run shows them.

    A selection, or more than 50 records, is work for a worker: 202 with the job's address.
    """
    selection = await chosen(request, data.records, data.selection, needed=True)
    if is_long(data.records) and not data.dry_run:
        return await queued(
            request, "create", mapping=mapping, records=data.records, selection=selection, side=data.side
        )
    async with session_of(request) as session:
        planner = Planner(session.mapping(mapping))
        report = await create_partners(
            session,
            mapping,
            data.records,
            selection=selection,
            side=data.side,
            dry_run=data.dry_run,
            observer=planner if data.dry_run else None,
        )
    return Response(
        Synchronised(reports=[ReportShape.of(report)], plan=planner.records, plan_left_out=planner.left_out)
    )


def _find(home: Home, mapping: str, coupling_id: int) -> CouplingView:
    page = list_couplings(home, mapping, after_id=coupling_id - 1, limit=1)
    if not page.couplings or page.couplings[0].id != coupling_id:
        raise NotCoupled(
            f"There is no coupling {coupling_id} under {page.mapping}.",
            next_step="It may have been removed meanwhile; list the couplings again.",
            mapping=page.mapping,
            coupling=coupling_id,
        )
    return page.couplings[0]


HANDLERS = (list_, show, set_up, remove, remove_many, create)
