"""API tokens. Only people make and end them: a token that got into wrong hands makes itself no successors."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from litestar import delete, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct

from crosstie.api.asgi import SECRET
from crosstie.api.asking import StrictRequest
from crosstie.api.bodies import Body, FieldName
from crosstie.api.paging import MOST_ID
from crosstie.api.rooms import rooms_of
from crosstie.api.shapes import Page
from crosstie.app.people.tokens import DAYS, MOST_DAYS, create_token, list_tokens, revoke_token
from crosstie.model.people import ApiToken, Permission, Role


class TokenBody(Body, frozen=True, kw_only=True):
    """What the token is called, what it may, and for how many days."""

    name: FieldName
    role: Role
    days: Annotated[int, Meta(ge=1, le=MOST_DAYS)] = DAYS


class TokenShape(Struct, frozen=True, kw_only=True):
    """An API token without what is sent."""

    id: int
    name: str
    role: str
    state: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> "TokenShape":
        """Return a token as the API shows it."""
        return cls(
            id=token.id,
            name=token.name,
            role=token.role.value,
            state=token.state(datetime.now(UTC)).value,
            created_by=token.created_by,
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used=token.last_used,
        )


class NewToken(Struct, frozen=True, kw_only=True):
    """A token that was made. `secret` is what is sent; it is shown this once, and null where the answer is repeated."""

    secret: str | None
    token: TokenShape


@get("/api/v1/tokens", operation_id="listTokens", tags=["people"], opt={"permission": Permission.MANAGE_TOKENS})
async def list_(request: StrictRequest) -> Page[TokenShape]:
    """All tokens, oldest first, also those that have ended lately."""
    found = await asyncio.to_thread(list_tokens, rooms_of(request).people, request.asker)
    return Page(items=[TokenShape.of(token) for token in found])


@post("/api/v1/tokens", operation_id="createToken", tags=["people"], opt={"permission": Permission.MANAGE_TOKENS})
async def create(request: StrictRequest, data: JSONBody[TokenBody]) -> NewToken:
    """Make a token."""
    people = rooms_of(request).people
    made = await asyncio.to_thread(create_token, people, request.asker, data.name, data.role, days=data.days)
    request.scope[SECRET] = True  # type: ignore[literal-required]
    return NewToken(secret=made.secret, token=TokenShape.of(made.item))


@delete(
    "/api/v1/tokens/{token_id:int}",
    operation_id="revokeToken",
    tags=["people"],
    status_code=200,
    opt={"permission": Permission.MANAGE_TOKENS},
)
async def revoke(request: StrictRequest, token_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)]) -> TokenShape:
    """End a token at once. One that was ended stays so."""
    return TokenShape.of(await asyncio.to_thread(revoke_token, rooms_of(request).people, request.asker, token_id))


HANDLERS = (list_, create, revoke)
