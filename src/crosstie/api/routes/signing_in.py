"""Coming in: by name and password, or by a one-time link. What comes back is sent as a bearer token."""

import asyncio
from typing import Annotated

from litestar import get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from crosstie.api.asgi import SECRET
from crosstie.api.asking import StrictRequest
from crosstie.api.bodies import Body
from crosstie.api.rooms import rooms_of
from crosstie.app.people.joining import join
from crosstie.app.people.sessions import sign_out
from crosstie.app.people.signing_in import sign_in
from crosstie.model.people import Issued, Permission, Principal, SignIn

_Text = Annotated[str, Meta(max_length=2000)]


class SignInBody(Body, frozen=True, kw_only=True):
    """Name and password of a user."""

    name: _Text
    password: _Text


class JoinBody(Body, frozen=True, kw_only=True):
    """The secret of a one-time link (what stands behind `/join/`), and the password to have from now on.

    Only the first administrator also chooses a name.
    """

    link: _Text
    password: _Text
    name: _Text | None = None


class SignedIn(Struct, frozen=True, kw_only=True):
    """A session. `secret` is sent as `Authorization: Bearer SECRET`; it is shown this once."""

    secret: str | None
    name: str
    role: str
    expires_at: str


class Me(Struct, frozen=True, kw_only=True):
    """Who asks."""

    kind: str
    name: str
    role: str | None


@post("/api/v1/sign-in", operation_id="signIn", tags=["people"], security=[{}], status_code=200)
async def sign_in_(request: StrictRequest, data: JSONBody[SignInBody]) -> SignedIn:
    """Start a session of a user."""
    people = rooms_of(request).people
    return _signed_in(
        request, await asyncio.to_thread(sign_in, people, data.name, data.password, address=request.place)
    )


@post("/api/v1/join", operation_id="join", tags=["people"], security=[{}], status_code=200)
async def join_(request: StrictRequest, data: JSONBody[JoinBody]) -> SignedIn:
    """Use a one-time link: become a user, or choose a new password; and start a session."""
    people = rooms_of(request).people
    return _signed_in(
        request,
        await asyncio.to_thread(join, people, data.link, data.password, name=data.name, address=request.place),
    )


@post(
    "/api/v1/sign-out",
    operation_id="signOut",
    tags=["people"],
    status_code=204,
    opt={"permission": Permission.LOOK},
)
async def sign_out_(request: StrictRequest) -> None:
    """End the session with whose token the request was made. An API token stays as it is."""
    secret = request.headers.get("authorization", "").partition(" ")[2].strip()
    await asyncio.to_thread(sign_out, rooms_of(request).people, secret, address=request.place)


@get("/api/v1/me", operation_id="me", tags=["people"])
async def me(request: StrictRequest) -> Me:
    """Who asks, and with which role."""
    asker: Principal = request.asker
    return Me(kind=asker.kind.value, name=asker.name, role=asker.role.value if asker.role else None)


def _signed_in(request: StrictRequest, issued: Issued[SignIn]) -> SignedIn:
    request.scope[SECRET] = True  # type: ignore[literal-required]
    session = issued.item
    return SignedIn(
        secret=issued.secret,
        name=session.user.name,
        role=session.user.role.value,
        expires_at=session.expires_at.isoformat(),
    )


HANDLERS = (sign_in_, join_, sign_out_, me)
