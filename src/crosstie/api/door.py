"""The door: who asks. Without sign-in nothing passes but what is listed here."""

import asyncio

from crosstie.api.asgi import PRINCIPAL, ASGIApp, Receive, Scope, Send, header, refuse
from crosstie.app.people.acting import People
from crosstie.app.people.sessions import principal_of_session
from crosstie.app.people.tokens import PREFIX, principal_of_token
from crosstie.model.errors import SignInNeeded
from crosstie.model.people import Principal

OPEN = frozenset({"/health/live", "/health/ready", "/api/v1/sign-in", "/api/v1/join"})
"""What answers everybody."""
OPEN_BELOW = ("/open/",)
"""The landing redirect. It couples only what the schedule would couple by itself, and shows no record."""


def is_open(path: str) -> bool:
    """Whether an address answers everybody."""
    return path in OPEN or path.startswith(OPEN_BELOW)


class Door:
    """Lets requests with a token of a program, or of a session, in; others only where everybody may come in."""

    def __init__(self, app: ASGIApp, people: People) -> None:
        self._app = app
        self._people = people

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
                raise SignInNeeded(
                    "The request names nobody.",
                    next_step="Send `Authorization: Bearer TOKEN`, with an API token or that of a session.",
                )
        except Exception as error:
            await refuse(scope, send, error)
            return
        await self._app(scope, receive, send)

    async def _principal(self, scope: Scope) -> Principal | None:
        given = header(scope, b"authorization")
        if given is None:
            return None
        scheme, _, secret = given.partition(" ")
        secret = secret.strip()
        if scheme.casefold() != "bearer" or not secret:
            raise SignInNeeded("The header Authorization is not `Bearer TOKEN`.")
        client = scope.get("client")
        address = client[0] if client else ""
        find = principal_of_token if secret.startswith(PREFIX) else principal_of_session
        return await asyncio.to_thread(find, self._people, secret, address=address)
