"""The few things of ASGI that the layers around the routes share."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from crosstie.api.refusing import MEDIA_TYPE, as_ours, encoded, headers_of, problem_of
from crosstie.model.people import Principal

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID = "crosstie.request_id"
PRINCIPAL = "crosstie.principal"
SECRET = "crosstie.secret"
"""Set in the scope when the answer shows something that is shown only once."""


def header(scope: Scope, name: bytes) -> str | None:
    """Return a header of the request, None if it is not there. `name` in small letters."""
    found = next((value for key, value in scope["headers"] if key == name), None)
    return None if found is None else found.decode("latin-1")


def request_id_in(scope: Mapping[str, Any]) -> str:
    """Return the number of the request."""
    return str(scope.get(REQUEST_ID, ""))


def principal_in(scope: Mapping[str, Any]) -> Principal | None:
    """Return who asks, None where nobody signed in."""
    found = scope.get(PRINCIPAL)
    return found if isinstance(found, Principal) else None


async def refuse(scope: Scope, send: Send, error: Exception, more: Mapping[str, str] | None = None) -> None:
    """Answer with an error's problem details."""
    ours = as_ours(error)
    problem = problem_of(ours, request_id_in(scope))
    await answer(send, problem.status, encoded(problem), {"Content-Type": MEDIA_TYPE, **headers_of(ours, more)})


async def answer(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    """Send a whole answer."""
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})
