"""Cards: a record with its fields, its partner and what was done to it (P09, P10, P13, F10)."""

from typing import Annotated

from litestar import Response, get, post
from litestar.params import QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.paging import MOST_ID
from crosstie.api.refusing import invalid, status_of
from crosstie.api.rooms import session_of
from crosstie.app.cards import show_card
from crosstie.app.record_history import record_history
from crosstie.app.undoing import undo_entries, undo_job
from crosstie.model.errors import CrosstieError, UnknownRecord
from crosstie.model.people import Permission
from crosstie.model.records import Side
from crosstie.web.forms import fields_of
from crosstie.web.records import MappingInPath, RecordInPath, SideInPath, address_of, fast_tabs
from crosstie.web.rendering import changed, page

_CARD = "/records/{mapping:str}/{side:str}/{record_id:str}"
_RECENT = 5


@get(_CARD)
async def card(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """The card of a record."""
    try:
        async with session_of(request) as session:
            found = await show_card(session, mapping, side, record_id)
            history = await record_history(session, mapping, side, found.id, limit=_RECENT)
    except UnknownRecord as error:
        return await _gone(request, "card", mapping, side, record_id, error)
    return await page(
        request,
        "card.html",
        card=found,
        tabs=fast_tabs(found.fields),
        history=history,
        here=address_of(found.mapping, side, found.id),
        partner_here=_partner_address(found.mapping, side, found.partner.id) if found.partner else "",
    )


async def _gone(
    request: StrictRequest, part: str, mapping: str, side: Side, id: str, error: UnknownRecord
) -> Response[str]:
    """Return what takes the place of a record that is neither there nor coupled, with what was done to it."""
    async with session_of(request) as session:
        told = await record_history(session, mapping, side, id)
    if not told.entries:
        raise error
    here = address_of(mapping, side, id)
    # A page that reads itself anew takes the answer for what it is; whoever comes by the address is told.
    status = 200 if "hx-request" in request.headers else status_of(error)
    return await page(
        request, "record_gone.html", status, part=part, error=error, history=told, here=here, mapping=mapping, side=side
    )


def _partner_address(mapping: str, side: Side, id: str) -> str:
    return address_of(mapping, side.other, id)


@get(f"{_CARD}/history")
async def history(
    request: StrictRequest,
    mapping: MappingInPath,
    side: SideInPath,
    record_id: RecordInPath,
    before: Annotated[int | None, QueryParameter(ge=1, le=MOST_ID)] = None,
) -> Response[str]:
    """All that was done to a record, newest first."""
    try:
        async with session_of(request) as session:
            found = await show_card(session, mapping, side, record_id)
            told = await record_history(session, mapping, side, found.id, before_id=before)
    except UnknownRecord as error:
        return await _gone(request, "history", mapping, side, record_id, error)
    here = address_of(found.mapping, side, found.id)
    return await page(request, "record_history.html", card=found, history=told, here=here, before=before)


@post(f"{_CARD}/undo", status_code=200, opt={"permission": Permission.UNDO})
async def undo(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """Take back what a job did to the record, or what one entry of its history tells; the answer says what became."""
    given = await fields_of(request, {"job": 20, "entry": 20})
    number = given["job"] or given["entry"]
    if not number.isdecimal() or not 1 <= int(number) <= MOST_ID:
        raise invalid(f"{number!r} is no number of a job or an entry.", "job")
    here = address_of(mapping, side, record_id)
    try:
        async with session_of(request) as session:
            work = undo_job(session, int(number)) if given["job"] else undo_entries(session, [int(number)])
            undone = await work
    except CrosstieError as error:
        return await page(request, "undone.html", status_of(error), undone=None, error=error, here=here)
    return changed(await page(request, "undone.html", undone=undone, error=None, here=here))


HANDLERS = (card, history, undo)
