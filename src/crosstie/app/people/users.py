"""Users: listing them, changing their role, disabling and enabling them."""

import msgspec

from crosstie.app.people.acting import Deed, People, act, existing_user, require
from crosstie.model.errors import LastAdministrator
from crosstie.model.people import AuditAction, Permission, Principal, Role, User


def list_users(people: People, by: Principal) -> list[User]:
    """Return all users by name. Raises Forbidden."""
    require(by, Permission.MANAGE_PEOPLE)
    with people.store.begin() as unit:
        return unit.people.users()


def change_role(people: People, by: Principal, name: str, role: Role) -> User:
    """Give a user another role, which holds from the next request on, and return the user.

    Raises UnknownUser, LastAdministrator, Forbidden.
    """
    with act(people, by, AuditAction.CHANGE_ROLE, name.strip(), needs=Permission.MANAGE_PEOPLE) as deed:
        deed.unit.people.hold()
        user = existing_user(deed.unit, name)
        deed.details |= {"from": user.role.value, "to": role.value}
        return _store(deed, user, msgspec.structs.replace(user, role=role))


def disable_user(people: People, by: Principal, name: str) -> User:
    """Let a user in no more, and return the user: sessions and links end, tokens that the user made are refused.

    Raises UnknownUser, LastAdministrator, Forbidden.
    """
    with act(people, by, AuditAction.DISABLE_USER, name.strip(), needs=Permission.MANAGE_PEOPLE) as deed:
        deed.unit.people.hold()
        user = existing_user(deed.unit, name)
        disabled = _store(deed, user, msgspec.structs.replace(user, disabled=True))
        deed.details["sessions_ended"] = deed.unit.people.end_sessions(user.id)
        deed.unit.people.withdraw_invitations(user_id=user.id)
        return disabled


def enable_user(people: People, by: Principal, name: str) -> User:
    """Let a user in again, with the password and the tokens of before, and return the user.

    Raises UnknownUser, Forbidden.
    """
    with act(people, by, AuditAction.ENABLE_USER, name.strip(), needs=Permission.MANAGE_PEOPLE) as deed:
        deed.unit.people.hold()
        user = existing_user(deed.unit, name)
        return _store(deed, user, msgspec.structs.replace(user, disabled=False))


def _store(deed: Deed, before: User, after: User) -> User:
    """Store a changed user, unless nobody could administer afterwards.

    Invitations by somebody who is no longer administrator end: nobody leaves a door open for later.
    """
    deed.changed = before != after
    if _administers(before) and not _administers(after):
        if sum(_administers(each) for each in deed.unit.people.users()) == 1:
            raise LastAdministrator(f"{before.name} is the last administrator.", name=before.name)
        deed.details["links_ended"] = deed.unit.people.withdraw_invitations(created_by_id=before.id)
    if deed.changed:
        deed.unit.people.put_user(after)
    return after


def _administers(user: User) -> bool:
    return user.role is Role.ADMINISTRATOR and not user.disabled
