"""The landing redirect: what the *Business Central* button of a Dataverse form calls."""

import html
from string import Template

from litestar import Response, get
from litestar.response import Redirect

from crosstie.api.asgi import principal_in
from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.refusing import as_ours, status_of
from crosstie.api.rooms import session_of
from crosstie.app.opening import open_record
from crosstie.model.errors import CrosstieError, InvalidConnection, NotCoupled, UnknownConnection

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color:#1b1b1b;"
    "background:#fff}h1{font-size:1.5rem;font-weight:600}small{color:#595959}"
    "@media(prefers-color-scheme:dark){body{color:#f0f0f0;background:#1c1c1c}small{color:#b5b5b5}}"
)
_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PAGE = Template(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>$title</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><style>$style</style></head>'
    "<body><main><h1>$title</h1><p>$words</p><p>$next_step</p><p><small>$record<br>$code</small></p></main></body></html>"
)
_SET_UP = "Crosstie is not connected to both systems now. Ask an administrator."


@get(
    "/open/dataverse/{table:str}/{record_id:str}",
    operation_id="openFromDataverse",
    tags=["landing"],
    status_code=303,
    include_in_schema=False,
)
async def open_from_dataverse(request: StrictRequest, table: InPath, record_id: InPath) -> Response[str]:
    """Lead to the record in Business Central. One that is not coupled is coupled by itself where the mapping allows.

    Everybody may follow the link, as everybody may who sees the button: nothing is created that the schedule would not
    create, and whoever is not signed in is told why it did not work, but no record's data.
    """
    try:
        async with session_of(request) as session:
            opened = await open_record(session, "dataverse", table, record_id)
    except Exception as error:
        return _explained(as_ours(error), f"{table} {record_id}", known=principal_in(request.scope) is not None)
    return Redirect(opened.address, status_code=303)


def _explained(error: CrosstieError, record: str, *, known: bool) -> Response[str]:
    title, words, next_step = "This record cannot be opened in Business Central", error.words, error.advice
    if isinstance(error, NotCoupled):
        title = "This record is not in Business Central yet"
        if "attempted" in error.details and not known:
            # What kept it from being created may quote the record.
            words = "It is not coupled, and creating it did not succeed."
            next_step = "Somebody who works with Crosstie finds the reason among the problems."
    elif isinstance(error, InvalidConnection | UnknownConnection) and not known:
        words, next_step = _SET_UP, ""
    status = 409 if isinstance(error, NotCoupled) else status_of(error)
    page = _PAGE.substitute(
        title=html.escape(title),
        words=html.escape(words),
        next_step=html.escape(next_step),
        record=html.escape(record),
        code=html.escape(error.code),
        style=_STYLE,
    )
    return Response(page, status_code=status, media_type="text/html", headers={"Content-Security-Policy": _CSP})


HANDLERS = (open_from_dataverse,)
