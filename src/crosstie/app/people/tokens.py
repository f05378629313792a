"""API tokens: for programs, with a role and an end."""

from contextlib import suppress
from datetime import timedelta

import msgspec

from crosstie.app.people.acting import People, act, require
from crosstie.app.people.secrecy import digest, new_secret
from crosstie.model.errors import InvalidOption, StoreBusy, TokenRefused, UnknownToken
from crosstie.model.people import (
    ApiToken,
    AuditAction,
    Issued,
    NewApiToken,
    Permission,
    Principal,
    PrincipalKind,
    Role,
    TokenState,
    checked_name,
    lower_role,
)

PREFIX = "crosstie_"
"""Before every token, so that scanners for leaked secrets know one when they see it."""
DAYS = 90
MOST_DAYS = 366
USED_EVERY = timedelta(minutes=5)
"""How exactly it is known when a token was used: not every request writes."""


def create_token(people: People, by: Principal, name: str, role: Role, *, days: int = DAYS) -> Issued[ApiToken]:
    """Return a new token that may what `role` may, for so many days; its secret is shown this once.

    It never may more than the user who made it, and nothing while that user is disabled. Raises InvalidName,
    InvalidOption if `days` is not 1 to 366, Forbidden.
    """
    with act(people, by, AuditAction.CREATE_TOKEN, name.strip(), needs=Permission.MANAGE_TOKENS) as deed:
        if not 1 <= days <= MOST_DAYS:
            raise InvalidOption(
                f"A token cannot last {days:,} days.", next_step=f"Give 1 to {MOST_DAYS} days.", field="days"
            )
        new = NewApiToken(
            name=checked_name(name),
            role=role,
            created_by=by.name,
            created_by_id=by.id if by.kind is PrincipalKind.USER else None,
            created_at=deed.now,
            expires_at=deed.now + timedelta(days=days),
        )
        secret = new_secret(PREFIX)
        token = deed.unit.people.add_token(new, digest(secret))
        deed.details |= {"token": token.id, "role": role.value, "expires_at": token.expires_at.isoformat()}
        return Issued(secret=secret, item=token)


def list_tokens(people: People, by: Principal) -> list[ApiToken]:
    """Return all tokens, oldest first, also those that have ended lately. Raises Forbidden."""
    require(by, Permission.MANAGE_TOKENS)
    with people.store.begin() as unit:
        return unit.people.tokens()


def revoke_token(people: People, by: Principal, token_id: int) -> ApiToken:
    """End a token at once and return it. One that was revoked stays so. Raises UnknownToken, Forbidden."""
    with people.store.begin() as unit:
        found = next((each for each in unit.people.tokens() if each.id == token_id), None)
    subject = str(token_id) if found is None else found.name
    with act(people, by, AuditAction.REVOKE_TOKEN, subject, needs=Permission.MANAGE_TOKENS) as deed:
        if found is None:
            raise UnknownToken(f"There is no token {token_id}.", token=token_id)
        deed.details["token"] = token_id
        deed.changed = deed.unit.people.revoke_token(token_id, deed.now)
        return msgspec.structs.replace(found, revoked_at=deed.now) if deed.changed else found


def principal_of_token(people: People, secret: str, *, address: str = "") -> Principal:
    """Return who sent the request with this token, with the lower of its role and that of who made it.

    Raises TokenRefused if it is not known, has ended, or its maker is disabled.
    """
    now = people.now()
    with people.store.begin() as unit:
        token = unit.people.find_token(digest(secret))
        if token is None:
            raise TokenRefused("The API token is not known.")
        maker = None if token.created_by_id is None else unit.people.user(token.created_by_id)
    match token.state(now):
        case TokenState.REVOKED:
            raise TokenRefused(f"The API token {token.name!r} was revoked.", token=token.id)
        case TokenState.EXPIRED:
            raise TokenRefused(f"The API token {token.name!r} ran out on {token.expires_at:%Y-%m-%d}.", token=token.id)
    if maker is not None and maker.disabled:
        raise TokenRefused(f"The API token {token.name!r} was made by {maker.name}, who is disabled.", token=token.id)
    if token.last_used is None or now - token.last_used >= USED_EVERY:
        # A job that holds the store is no reason to refuse a request; the next one notes it.
        with suppress(StoreBusy), people.store.begin() as unit:
            unit.people.token_used(token.id, now)
    role = token.role if maker is None else lower_role(token.role, maker.role)
    return Principal(kind=PrincipalKind.TOKEN, name=token.name, role=role, id=token.id, address=address)
