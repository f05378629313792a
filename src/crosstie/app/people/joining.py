"""Coming in for the first time: one-time links for the first administrator, for who is invited, for a new password."""

from datetime import datetime, timedelta

from crosstie.app.people.acting import Deed, People, act, existing_user, require
from crosstie.app.people.passwords import checked_password
from crosstie.app.people.secrecy import digest, new_secret
from crosstie.app.people.sessions import start_session
from crosstie.app.people.signing_in import attempt_of
from crosstie.model.errors import InvalidLink, InvalidName, NameTaken, UnknownUser, UsageError
from crosstie.model.people import (
    SYSTEM,
    AuditAction,
    Invitation,
    Issued,
    LinkPurpose,
    NewInvitation,
    Permission,
    Principal,
    PrincipalKind,
    Role,
    SignIn,
    User,
    checked_name,
    name_key,
)
from crosstie.model.places import Place
from crosstie.store.base import Unit

KEPT = {
    LinkPurpose.FIRST_ADMINISTRATOR: timedelta(days=1),
    LinkPurpose.INVITATION: timedelta(days=7),
    LinkPurpose.NEW_PASSWORD: timedelta(days=1),
}
"""For how long a link can be used."""
WEB_ADDRESS = "web_address"
"""The setting with the address under which browsers reach the server; it is put before the path of a link."""


def first_administrator_link(people: People) -> Issued[Invitation] | None:
    """Return a new link by which somebody becomes the first administrator; None if there is an administrator.

    Those made before end, so that the one that was printed last is the only one.
    """
    with act(people, SYSTEM, AuditAction.MAKE_FIRST_LINK, "") as deed:
        deed.unit.people.hold()
        deed.unit.people.withdraw_invitations(purpose=LinkPurpose.FIRST_ADMINISTRATOR)
        if has_administrator(deed.unit):
            deed.changed = False
            return None
        return _issue(deed, SYSTEM, LinkPurpose.FIRST_ADMINISTRATOR, None, Role.ADMINISTRATOR)


def invite(people: People, by: Principal, name: str, role: Role) -> Issued[Invitation]:
    """Return a link by which somebody joins as user `name` with `role`. An earlier invitation of that name ends.

    Raises InvalidName, NameTaken if there is such a user, Forbidden.
    """
    with act(people, by, AuditAction.INVITE, name.strip(), needs=Permission.MANAGE_PEOPLE) as deed:
        kept = checked_name(name)
        deed.unit.people.hold()
        if deed.unit.people.find_user(kept) is not None:
            raise NameTaken(f"There is a user {kept!r} already.", name=kept)
        deed.unit.people.withdraw_invitations(purpose=LinkPurpose.INVITATION, name=kept)
        deed.details["role"] = role.value
        return _issue(deed, by, LinkPurpose.INVITATION, kept, role)


def withdraw_invitation(people: People, by: Principal, name: str) -> None:
    """End the invitation of `name`. Raises UnknownUser if there is none, Forbidden."""
    with act(people, by, AuditAction.WITHDRAW_INVITATION, name.strip(), needs=Permission.MANAGE_PEOPLE) as deed:
        if not deed.unit.people.withdraw_invitations(purpose=LinkPurpose.INVITATION, name=name):
            raise UnknownUser(f"Nobody is invited as {name!r}.", name=name)


def list_invitations(people: People, by: Principal) -> list[Invitation]:
    """Return the invitations that can still be followed, oldest first. Raises Forbidden."""
    require(by, Permission.MANAGE_PEOPLE)
    with people.store.begin() as unit:
        found = unit.people.open_invitations(people.now())
    return [each for each in found if each.purpose is LinkPurpose.INVITATION]


def password_link(people: People, by: Principal, name: str) -> Issued[Invitation]:
    """Return a link by which the user `name` chooses a new password; the old one works until then.

    An earlier such link ends. Raises UnknownUser, UsageError if the user is disabled, Forbidden.
    """
    with act(people, by, AuditAction.MAKE_PASSWORD_LINK, name.strip(), needs=Permission.MANAGE_PEOPLE) as deed:
        deed.unit.people.hold()
        user = existing_user(deed.unit, name)
        if user.disabled:
            raise UsageError(
                f"{user.name} is disabled.",
                next_step="Enable the user first.",
                place=Place.USER_ENABLE,
                name=user.name,
            )
        deed.unit.people.withdraw_invitations(purpose=LinkPurpose.NEW_PASSWORD, user_id=user.id)
        return _issue(deed, by, LinkPurpose.NEW_PASSWORD, user.name, user.role, user.id)


def open_link(people: People, secret: str) -> Invitation:
    """Return what a link is for, without using it. Raises InvalidLink, saying whether it was used or has run out."""
    with people.store.begin() as unit:
        found = unit.people.invitation(digest(secret))
    if found is None or not found.is_open(people.now()):
        raise _invalid(found)
    return found


def join(people: People, secret: str, password: str, *, name: str | None = None, address: str = "") -> Issued[SignIn]:
    """Use a link: become a user with this password, or give one's user a new one; and sign in.

    `name` is chosen by the first administrator and given by all other links. Raises InvalidLink, also for all but one
    of those who use a link at once; InvalidName, NameTaken, WeakPassword: then the link can be used again.
    """
    link = open_link(people, secret)
    chosen = checked_name(name or "") if link.name is None else link.name
    if name and name_key(name) != name_key(chosen):
        raise InvalidName(f"The link is for {chosen}, not for {name!r}.", next_step=f"Leave the name {chosen}.")
    hashed = people.passwords.hash(checked_password(password, chosen))
    by = Principal(kind=PrincipalKind.LINK, name=chosen, address=address)
    renews = link.purpose is LinkPurpose.NEW_PASSWORD
    with act(people, by, AuditAction.SET_PASSWORD if renews else AuditAction.JOIN, chosen) as deed:
        stored = deed.unit.people
        stored.hold()
        used = stored.use_invitation(digest(secret), deed.now)
        if used is None or (used.purpose is LinkPurpose.FIRST_ADMINISTRATOR and has_administrator(deed.unit)):
            raise _invalid(used or stored.invitation(digest(secret)))
        user = _renewed(deed, used, hashed) if renews else stored.add_user(chosen, used.role, hashed, deed.now)
        deed.details |= {"role": user.role.value, "purpose": used.purpose.value, "invited_by": used.created_by}
        attempt = attempt_of(people, chosen, address)
        stored.forget_attempts(attempt.name_digest, attempt.place)
        return start_session(deed.unit, user, deed.now, address)


def link_address(people: People, secret: str, *, address: str = "") -> str:
    """Return a link as it is sent to a person: under `address`, else where the server said that it can be reached.

    Where that is not known, the path alone.
    """
    if not address:
        with people.store.begin() as unit:
            address = unit.settings().get(WEB_ADDRESS, "")
    return f"{address.rstrip('/')}/join/{secret}"


def awaits_first(people: People) -> bool:
    """Whether nobody can administer yet, so that the first administrator's link waits to be followed."""
    with people.store.begin() as unit:
        return not has_administrator(unit)


def has_administrator(unit: Unit) -> bool:
    """Whether anybody can administer. It stays so once it is so: the last one cannot be disabled or demoted."""
    return any(user.role is Role.ADMINISTRATOR and not user.disabled for user in unit.people.users())


def _issue(
    deed: Deed, by: Principal, purpose: LinkPurpose, name: str | None, role: Role, user_id: int | None = None
) -> Issued[Invitation]:
    secret = new_secret()
    new = NewInvitation(
        purpose=purpose,
        name=name,
        role=role,
        user_id=user_id,
        created_by=by.name,
        created_by_id=by.id if by.kind is PrincipalKind.USER else None,
        created_at=deed.now,
        expires_at=deed.now + KEPT[purpose],
    )
    deed.details["expires_at"] = new.expires_at.isoformat()
    return Issued(secret=secret, item=deed.unit.people.add_invitation(new, digest(secret)))


def _renewed(deed: Deed, used: Invitation, hashed: str) -> User:
    """Give the user of a link its new password and end what the old one had opened."""
    user = None if used.user_id is None else deed.unit.people.user(used.user_id)
    if user is None or user.disabled:
        raise _invalid(None)
    deed.unit.people.set_password_hash(user.id, hashed)
    deed.details["sessions_ended"] = deed.unit.people.end_sessions(user.id)
    return user


def _invalid(found: Invitation | None) -> InvalidLink:
    if found is None:
        return InvalidLink("This link is not known.")
    if found.used_at is not None:
        return InvalidLink("This link was used already.")
    return InvalidLink(f"This link ran out at {_moment(found.expires_at)}.")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
