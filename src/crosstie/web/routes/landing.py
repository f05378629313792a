"""The landing page: where the *Business Central* button of a Dataverse form leads (P28, F07)."""

from litestar import Response, get, post

from crosstie.api.asgi import principal_in
from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.refusing import as_ours, invalid, status_of
from crosstie.api.rooms import session_of
from crosstie.app.coupling import create_partners, set_up_coupling
from crosstie.app.landing import Uncoupled, explain_uncoupled
from crosstie.app.opening import open_record
from crosstie.app.previewing import NO
from crosstie.app.session import Session
from crosstie.model.errors import CrosstieError, InvalidConnection, NotCoupled, UnknownConnection
from crosstie.model.people import Permission
from crosstie.model.records import Side
from crosstie.web.forms import fields_of
from crosstie.web.records import MappingInPath, RecordInPath, SideInPath, address_of
from crosstie.web.rendering import goto, page

_RECORD = "/records/{mapping:str}/{side:str}/{record_id:str}"


@get("/open/dataverse/{table:str}/{record_id:str}")
async def open_from_dataverse(request: StrictRequest, table: InPath, record_id: InPath) -> Response[str]:
    """Lead to the record in Business Central. One that is not coupled is coupled by itself where the mapping allows.

    Everybody may follow the link, as everybody may who sees the button: nothing is created that the schedule would not
    create. Whoever is not signed in is told why it did not work, but no record's data.
    """
    try:
        async with session_of(request) as session:
            opened = await open_record(session, "dataverse", table, record_id)
    except Exception as error:
        return await _explained(request, as_ours(error), table, record_id)
    return goto(request, opened.address)


async def _explained(
    request: StrictRequest, error: CrosstieError, table: str, id: str, *, failed: bool = False
) -> Response[str]:
    """Return why the record could not be opened, and to who is signed in what can be done about it."""
    found: Uncoupled | None = None
    known = principal_in(request.scope) is not None
    if known and (failed or isinstance(error, NotCoupled)):
        try:
            async with session_of(request) as session:
                found = await explain_uncoupled(session, table, id)
        except CrosstieError as other:
            error = other
    return await page(
        request,
        "landing.html",
        409 if isinstance(error, NotCoupled) else status_of(error),
        error=error,
        known=known,
        told=known or not (isinstance(error, InvalidConnection | UnknownConnection) or _quotes(error)),
        found=found,
        table=table,
        record_id=id,
        show_error=found is None or failed or _quotes(error),
    )


def _quotes(error: CrosstieError) -> bool:
    """Whether the words may quote the record: what kept its partner from being created does."""
    return isinstance(error, NotCoupled) and "attempted" in error.details


@post(f"{_RECORD}/link", status_code=200, opt={"permission": Permission.COUPLE})
async def link(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """Couple the record with the one chosen and open that. No value moves until somebody edits, or synchronises."""
    _check(side)
    given = await fields_of(request, {"local": 200})
    async with session_of(request) as session:
        try:
            await set_up_coupling(session, mapping, given["local"], record_id, synchronise=NO)
            return await _opened(request, session, mapping, record_id)
        except CrosstieError as error:
            return await _explained(request, error, _table(session, mapping), record_id, failed=True)


@post(f"{_RECORD}/create", status_code=200, opt={"permission": Permission.COUPLE})
async def create(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """Create the record in Business Central, couple it and open it."""
    _check(side)
    await fields_of(request, {})
    async with session_of(request) as session:
        try:
            report = await create_partners(session, mapping, [record_id], side=Side.REMOTE)
            if report.failures:
                failure = report.failures[0]
                raise NotCoupled(failure.words, next_step=failure.next_step, mapping=mapping, attempted=True)
            return await _opened(request, session, mapping, record_id)
        except CrosstieError as error:
            return await _explained(request, error, _table(session, mapping), record_id, failed=True)


def _check(side: Side) -> None:
    if side is not Side.REMOTE:
        raise invalid("Only records of Dataverse are opened in Business Central.", "side")


async def _opened(request: StrictRequest, session: Session, mapping: str, id: str) -> Response[str]:
    """Lead on to the record in Business Central.

    A plain form may not lead to another server: then the card, with the link, is where it ends.
    """
    opened = await open_record(session, "dataverse", _table(session, mapping), id)
    inside = "hx-request" not in request.headers
    return goto(request, address_of(opened.mapping, Side.REMOTE, opened.remote_id) if inside else opened.address)


def _table(session: Session, mapping: str) -> str:
    return session.mapping(mapping).remote_table


HANDLERS = (open_from_dataverse, link, create)
