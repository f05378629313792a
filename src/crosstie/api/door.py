"""The door: who asks. Without sign-in nothing passes but what is listed here."""

import asyncio
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from crosstie.api.asgi import PRINCIPAL, ASGIApp, Receive, Scope, Send, answer, header, refuse
from crosstie.app.asking import asked_by
from crosstie.app.people.acting import People
from crosstie.app.people.sessions import principal_of_session
from crosstie.app.people.tokens import PREFIX, principal_of_token
from crosstie.model.errors import SignInNeeded
from crosstie.model.people import NOBODY, Principal

OPEN = frozenset({"/health/live", "/health/ready", "/api/v1/sign-in", "/api/v1/join", "/sign-in"})
"""What answers everybody."""
OPEN_BELOW = ("/open/", "/join/", "/static/")
"""The landing page, which couples only what the schedule would couple by itself and shows strangers no record;
one-time links; style sheets and scripts."""
_PROGRAMS = ("/api/", "/health/", "/metrics")
"""What programs use: a token in the header lets them in, and nothing that a browser sends along by itself."""
SESSION_COOKIE = "crosstie_session"


def is_open(path: str) -> bool:
    """Whether an address answers everybody."""
    return path in OPEN or path.startswith(OPEN_BELOW)


def is_page(path: str) -> bool:
    """Whether an address is one of the pages, for people with a browser."""
    return not path.startswith(_PROGRAMS)


def session_in(scope: Scope) -> str | None:
    """Return the secret of the session that a browser sent along."""
    found: SimpleCookie = SimpleCookie()
    with suppress(CookieError):
        found.load(header(scope, b"cookie") or "")
    return found[SESSION_COOKIE].value or None if SESSION_COOKIE in found else None


class Door:
    """Lets requests with a token of a program, or of a session, in; others only where everybody may come in.

    Where the server `has_pages`, browsers bring their session along, and are led to the sign-in without one.
    """

    def __init__(self, app: ASGIApp, people: People, *, has_pages: bool = False) -> None:
        self._app = app
        self._people = people
        self._has_pages = has_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            principal = await self._principal(scope)
            if principal is not None:
                scope[PRINCIPAL] = principal
            elif not is_open(scope["path"]):
                if self._has_pages and is_page(scope["path"]):
                    await _to_sign_in(scope, send)
                    return
                raise SignInNeeded(
                    "The request names nobody.",
                    next_step="Send `Authorization: Bearer TOKEN`, with an API token or that of a session.",
                )
        except Exception as error:
            await refuse(scope, send, error)
            return
        with asked_by(principal or NOBODY):
            await self._app(scope, receive, send)

    async def _principal(self, scope: Scope) -> Principal | None:
        given = header(scope, b"authorization")
        client = scope.get("client")
        address = client[0] if client else ""
        if given is None:
            secret = session_in(scope) if self._has_pages and is_page(scope["path"]) else None
            if secret is None:
                return None
            try:
                return await asyncio.to_thread(principal_of_session, self._people, secret, address=address)
            except SignInNeeded:
                return None
        scheme, _, secret = given.partition(" ")
        secret = secret.strip()
        if scheme.casefold() != "bearer" or not secret:
            raise SignInNeeded("The header Authorization is not `Bearer TOKEN`.")
        find = principal_of_token if secret.startswith(PREFIX) else principal_of_session
        return await asyncio.to_thread(find, self._people, secret, address=address)


async def _to_sign_in(scope: Scope, send: Send) -> None:
    """Lead a browser to the sign-in, and from there back to where it wanted to go."""
    wanted = scope["path"]
    if query := scope.get("query_string", b"").decode("latin-1"):
        wanted += f"?{query}"
    reads = scope["method"] in ("GET", "HEAD")
    address = f"/sign-in?next={quote(wanted)}" if reads and wanted != "/" else "/sign-in"
    if header(scope, b"hx-request") is not None:
        await answer(send, 401, b"", {"HX-Redirect": "/sign-in"})
        return
    await answer(send, 303, b"", {"Location": address})
