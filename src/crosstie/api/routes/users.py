"""Users: who can sign in, invitations, roles, and the audit log of all that."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from litestar import delete, get, patch, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from crosstie.api.asgi import SECRET
from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import Body, FieldName
from crosstie.api.paging import After, Limit, number_of, page_of
from crosstie.api.refusing import invalid
from crosstie.api.rooms import rooms_of
from crosstie.api.shapes import Page
from crosstie.app.people.auditing import list_audit
from crosstie.app.people.joining import (
    invite,
    link_address,
    list_invitations,
    password_link,
    withdraw_invitation,
)
from crosstie.app.people.users import change_role, disable_user, enable_user, list_users
from crosstie.model.people import AuditEntry, Invitation, Issued, Permission, Role, User

_MANAGES = {"permission": Permission.MANAGE_PEOPLE}


class UserShape(Struct, frozen=True, kw_only=True):
    """Somebody who can sign in."""

    name: str
    role: Role
    disabled: bool
    created_at: datetime
    last_sign_in: datetime | None

    @classmethod
    def of(cls, user: User) -> "UserShape":
        """Return a user as the API shows it."""
        return cls(**{name: getattr(user, name) for name in cls.__struct_fields__})


class InvitationShape(Struct, frozen=True, kw_only=True):
    """A one-time link that can still be followed, without what opens it."""

    name: str | None
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationShape":
        """Return an invitation as the API shows it."""
        return cls(**{name: getattr(invitation, name) for name in cls.__struct_fields__})


class NewLink(Struct, frozen=True, kw_only=True):
    """A one-time link. `secret` is the address to send: shown this once, null where the answer is repeated."""

    secret: str | None
    invitation: InvitationShape


class InviteBody(Body, frozen=True, kw_only=True):
    """Who is invited, and as what."""

    name: FieldName
    role: Role


class UserBody(Body, frozen=True, kw_only=True):
    """What is to change of a user; what is left away stays."""

    role: Role | None = None
    disabled: bool | None = None


class AuditShape(Struct, frozen=True, kw_only=True):
    """Who did what to whom."""

    id: int
    at: datetime
    actor_kind: str
    actor: str
    address: str
    action: str
    subject: str
    outcome: str
    code: str
    details: dict[str, Any]

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditShape":
        """Return an entry of the audit log as the API shows it."""
        return cls(**{name: getattr(entry, name) for name in cls.__struct_fields__})


@get("/api/v1/users", operation_id="listUsers", tags=["people"], opt=_MANAGES)
async def list_(request: StrictRequest) -> Page[UserShape]:
    """All users by name."""
    found = await asyncio.to_thread(list_users, rooms_of(request).people, request.asker)
    return Page(items=[UserShape.of(user) for user in found])


@patch("/api/v1/users/{name:str}", operation_id="changeUser", tags=["people"], opt=_MANAGES)
async def change(request: StrictRequest, name: InPath, data: JSONBody[UserBody]) -> UserShape:
    """Give a user another role, disable or enable it."""
    return UserShape.of(await asyncio.to_thread(_change, request, name, data))


def _change(request: StrictRequest, name: str, data: UserBody) -> User:
    people, by = rooms_of(request).people, request.asker
    if data.role is None and data.disabled is None:
        raise invalid("Nothing is to change: give role, disabled, or both.", "$")
    found: User | None = None
    if data.role is not None:
        found = change_role(people, by, name, data.role)
    if data.disabled is not None:
        found = (disable_user if data.disabled else enable_user)(people, by, name)
    assert found is not None, "one of both was given"
    return found


@get("/api/v1/invitations", operation_id="listInvitations", tags=["people"], opt=_MANAGES)
async def list_open(request: StrictRequest) -> Page[InvitationShape]:
    """The invitations that can still be followed, oldest first."""
    found = await asyncio.to_thread(list_invitations, rooms_of(request).people, request.asker)
    return Page(items=[InvitationShape.of(each) for each in found])


@post("/api/v1/invitations", operation_id="invite", tags=["people"], opt=_MANAGES)
async def invite_(request: StrictRequest, data: JSONBody[InviteBody]) -> NewLink:
    """Invite somebody. An earlier invitation of that name ends."""
    return await asyncio.to_thread(_invite, request, data)


def _invite(request: StrictRequest, data: InviteBody) -> NewLink:
    return _link(request, invite(rooms_of(request).people, request.asker, data.name, data.role))


@delete("/api/v1/invitations/{name:str}", operation_id="withdrawInvitation", tags=["people"], opt=_MANAGES)
async def withdraw(request: StrictRequest, name: InPath) -> None:
    """End an invitation."""
    await asyncio.to_thread(withdraw_invitation, rooms_of(request).people, request.asker, name)


@post("/api/v1/users/{name:str}/password-link", operation_id="makePasswordLink", tags=["people"], opt=_MANAGES)
async def make_password_link(request: StrictRequest, name: InPath) -> NewLink:
    """Make a link by which a user chooses a new password; the old one works until then."""
    return await asyncio.to_thread(lambda: _link(request, password_link(rooms_of(request).people, request.asker, name)))


def _link(request: StrictRequest, issued: Issued[Invitation]) -> NewLink:
    request.scope[SECRET] = True  # type: ignore[literal-required]
    address = link_address(rooms_of(request).people, issued.secret)
    return NewLink(secret=address, invitation=InvitationShape.of(issued.item))


@get("/api/v1/audit", operation_id="listAudit", tags=["people"], opt={"permission": Permission.READ_AUDIT_LOG})
async def audit(
    request: StrictRequest,
    limit: Limit = 100,
    after: After = None,
    actor: Annotated[str | None, QueryParameter(max_length=200, description="Only what this one did.")] = None,
    subject: Annotated[
        str | None,
        QueryParameter(max_length=200, description="Only what was done to what is called so."),
    ] = None,
) -> Page[AuditShape]:
    """Who did what to people and tokens, newest first."""
    before = number_of("audit", after)
    found = await asyncio.to_thread(
        list_audit,
        rooms_of(request).people,
        request.asker,
        actor=actor,
        subject=subject,
        limit=limit + 1,
        before_id=before,
    )
    return page_of("audit", found, limit, lambda entry: entry.id, AuditShape.of)


HANDLERS = (list_, change, list_open, invite_, withdraw, make_password_link, audit)
