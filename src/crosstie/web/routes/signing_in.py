"""Coming in and going out: sign-in, one-time links, sign-out, and the visitor of a demo."""

import asyncio
from http.cookies import SimpleCookie
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from litestar import Response, get, post
from litestar.params import PathParameter, QueryParameter

from crosstie.api.asgi import principal_in
from crosstie.api.asking import StrictRequest
from crosstie.api.door import SESSION_COOKIE, session_in
from crosstie.api.refusing import status_of
from crosstie.api.rooms import rooms_of
from crosstie.app.people.joining import awaits_first, join, open_link
from crosstie.app.people.sessions import LONGEST, sign_out
from crosstie.app.people.signing_in import sign_in
from crosstie.app.people.welcoming import welcome_visitor
from crosstie.model.errors import CrosstieError, InvalidLink
from crosstie.model.people import Issued, Permission, SignIn
from crosstie.web.forms import fields_of
from crosstie.web.rendering import page

_Next = Annotated[str, QueryParameter(name="next", max_length=2000)]
_Secret = Annotated[str, PathParameter(min_length=1, max_length=200)]


@get("/sign-in", include_in_schema=False)
async def form(request: StrictRequest, next_: _Next = "/") -> Response[str]:
    """The sign-in. The visitor of a demo is let in at once, on the machine where it runs."""
    onward = inside(next_)
    if principal_in(request.scope) is not None:
        return _onward(onward)
    if getattr(request.app.state, "welcomes_visitors", False) and _is_here(request):
        issued = await asyncio.to_thread(welcome_visitor, rooms_of(request).people, address=request.place)
        return _signed_in(request, issued, onward)
    return await _form(request, onward)


@post("/sign-in", include_in_schema=False, status_code=200)
async def come_in(request: StrictRequest) -> Response[str]:
    """Start a session with name and password."""
    given = await fields_of(request, {"name": 200, "password": 2000, "next": 2000})
    people, onward = rooms_of(request).people, inside(given.get("next", "/"))
    try:
        issued = await asyncio.to_thread(sign_in, people, given["name"], given["password"], address=request.place)
    except CrosstieError as error:
        return await _form(request, onward, given["name"], error)
    return _signed_in(request, issued, onward)


@get("/join/{secret:str}", include_in_schema=False)
async def invitation(request: StrictRequest, secret: _Secret) -> Response[str]:
    """A one-time link: who follows it chooses a password, the first administrator a name too."""
    return await _join_form(request, secret)


@post("/join/{secret:str}", include_in_schema=False, status_code=200)
async def accept(request: StrictRequest, secret: _Secret) -> Response[str]:
    """Use a one-time link, and be signed in."""
    given = await fields_of(request, {"name": 200, "password": 2000})
    name = given.get("name") or None
    try:
        issued = await asyncio.to_thread(
            join, rooms_of(request).people, secret, given["password"], name=name, address=request.place
        )
    except CrosstieError as error:
        return await _join_form(request, secret, name or "", error)
    return _signed_in(request, issued, "/")


@post("/sign-out", include_in_schema=False, status_code=200, opt={"permission": Permission.LOOK})
async def go_out(request: StrictRequest) -> Response[str]:
    """End the session of this browser."""
    secret = session_in(request.scope)  # type: ignore[arg-type]
    if secret is not None:
        await asyncio.to_thread(sign_out, rooms_of(request).people, secret, address=request.place)
    response = _onward("/sign-in")
    response.headers["Set-Cookie"] = _cookie(request, "", 0)
    return response


def inside(address: str) -> str:
    """Return an address of this server, the home page for any other."""
    parts = urlsplit(address)
    unsafe = parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\"))
    return "/" if unsafe or any(ord(each) < 32 for each in address) else address


async def _form(
    request: StrictRequest, onward: str, name: str = "", error: CrosstieError | None = None
) -> Response[str]:
    first = await asyncio.to_thread(awaits_first, rooms_of(request).people)
    status = 200 if error is None else status_of(error)
    return await page(request, "sign_in.html", status, next=onward, name=name, error=error, first=first)


async def _join_form(
    request: StrictRequest, secret: str, name: str = "", error: CrosstieError | None = None
) -> Response[str]:
    try:
        link = await asyncio.to_thread(open_link, rooms_of(request).people, secret)
    except InvalidLink as invalid:
        return await page(request, "join.html", 404, invitation=None, name="", error=invalid)
    status = 200 if error is None else status_of(error)
    return await page(request, "join.html", status, invitation=link, name=name, error=error)


def _is_here(request: StrictRequest) -> bool:
    """Whether the browser runs on this machine and knows it by a name that no other server can take."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    try:
        return ip_address(request.place).is_loopback and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False


def _signed_in(request: StrictRequest, issued: Issued[SignIn], onward: str) -> Response[str]:
    response = _onward(onward)
    response.headers["Set-Cookie"] = _cookie(request, issued.secret or "", int(LONGEST.total_seconds()))
    return response


def _onward(address: str) -> Response[str]:
    return Response("", status_code=303, media_type="text/html", headers={"Location": address})


def _cookie(request: StrictRequest, secret: str, seconds: int) -> str:
    """Return the header that keeps the session: for this server alone, and out of reach of scripts."""
    jar: SimpleCookie = SimpleCookie()
    jar[SESSION_COOKIE] = secret
    jar[SESSION_COOKIE].update({"path": "/", "max-age": str(seconds), "samesite": "Lax"})
    jar[SESSION_COOKIE]["httponly"] = True
    if request.url.scheme == "https":
        jar[SESSION_COOKIE]["secure"] = True
    return jar[SESSION_COOKIE].OutputString()


HANDLERS = (form, come_in, invitation, accept, go_out)
