"""Delete Coupling for a selection, and undo of what was done to many (F09 b)."""

from typing import Any

import msgspec
from litestar import Response, get, post

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.queueing import MOST_AT_ONCE
from crosstie.api.refusing import invalid, status_of
from crosstie.api.rooms import session_of
from crosstie.app.coupling import uncouple
from crosstie.app.selecting import Selection, describe_selection
from crosstie.app.undoing import undo_job, undo_size
from crosstie.model.couplings import CouplingState
from crosstie.model.errors import CrosstieError
from crosstie.model.people import Permission
from crosstie.web.forms import fields_of
from crosstie.web.many import SELECTS, Asked, entries_of, finished, running, single
from crosstie.web.rendering import page
from crosstie.web.selections import SideInPath, carried, dialog_path, read_selection

_MAY: dict[str, Any] = {"permission": Permission.UNCOUPLE}


@get("/lists/{mapping:str}/{side:str}/uncouple", opt=_MAY, dependencies=SELECTS)
async def show(
    request: StrictRequest,
    mapping: InPath,
    side: SideInPath,
    selection: Asked,
) -> Response[str]:
    """How many couplings go, and whose."""
    return single(request, mapping, selection, "uncouple") or await _ask(request, mapping, selection)


@post("/lists/{mapping:str}/{side:str}/uncouple", status_code=200, opt=_MAY)
async def show_large(request: StrictRequest, mapping: InPath, side: SideInPath) -> Response[str]:
    """The same for a selection that no address can carry."""
    selection, _ = await read_selection(request, side)
    return await _ask(request, mapping, selection)


@post("/lists/{mapping:str}/{side:str}/uncouple/apply", status_code=200, opt=_MAY)
async def apply(request: StrictRequest, mapping: InPath, side: SideInPath) -> Response[str]:
    """Delete the couplings of the selection; many by a worker. What can be undone is offered for it."""
    selection, _ = await read_selection(request, side)
    if selection.is_whole():
        request.demand(Permission.UNCOUPLE_MAPPING)
    # Uncoupled ones are no business of the job; which they are may have changed since the dialog was shown.
    coupled = msgspec.structs.replace(selection, only=tuple(state.value for state in CouplingState))
    try:
        async with session_of(request) as session:
            selected = await describe_selection(session, mapping, coupled)
            if not selected.more and selected.coupled <= MOST_AT_ONCE:
                report = await uncouple(session, mapping, selection=coupled, forced=True)
                done = await entries_of(request, session, report.job_id)
                return await finished(
                    request,
                    "Couplings deleted",
                    session.mapping(mapping),
                    side,
                    done,
                    jobs=[done.job.id],
                    notes=["No record was deleted. Undo couples them as before."],
                )
        arguments = {"mapping": mapping, "selection": msgspec.to_builtins(coupled), "force": True}
        return await running(request, "uncouple", arguments, "Delete couplings")
    except CrosstieError as error:
        return await _ask(request, mapping, selection, error)


async def _ask(
    request: StrictRequest, mapping: str, selection: Selection, error: CrosstieError | None = None
) -> Response[str]:
    async with session_of(request) as session:
        found = session.mapping(mapping)
        selected = await describe_selection(session, mapping, selection)
    return await page(
        request,
        "uncouple_many.html",
        200 if error is None else status_of(error),
        mapping=found,
        side=selection.side,
        here=dialog_path(found.name, selection.side, "uncouple"),
        carried=carried(selection),
        selected=selected,
        whole=selection.is_whole(),
        error=error,
    )


@post("/lists/{mapping:str}/{side:str}/undo", status_code=200, opt={"permission": Permission.UNDO})
async def undo(request: StrictRequest, mapping: InPath, side: SideInPath) -> Response[str]:
    """Take back what a job did to a selection, as far as nobody has touched it since."""
    job = (await fields_of(request, {"job": 18}))["job"]
    if not job.isdecimal():
        raise invalid("The job is no number.", "job")
    async with session_of(request) as session:
        size = undo_size(session, int(job))
        if size.entries <= MOST_AT_ONCE:
            done = await undo_job(session, int(job), forced=True)
            told = await entries_of(request, session, done.report.job_id)
            notes = [f"{left.name}: {left.words}" for left in done.left]
            return await finished(request, "Undone", session.mapping(mapping), side, told, notes=notes)
    return await running(request, "undo", {"mapping": size.mapping, "job": int(job), "force": True}, "Undo")


HANDLERS = (show, show_large, apply, undo)
