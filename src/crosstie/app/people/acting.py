"""What the use cases share: store, clock and hashes; who may do what; units of work with a line in the audit log."""

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crosstie.app.people.limiting import Limits
from crosstie.app.people.passwords import Passwords
from crosstie.model.errors import Forbidden, SignInNeeded, UnknownUser, UsageError
from crosstie.model.people import (
    GRANTS,
    AuditAction,
    AuditEntry,
    AuditOutcome,
    Permission,
    Principal,
    PrincipalKind,
    Role,
    User,
    allows,
)
from crosstie.store.base import Store, Unit

_FOR_PEOPLE_ONLY = frozenset({Permission.MANAGE_PEOPLE, Permission.MANAGE_TOKENS})
"""A token that got into wrong hands must not be able to make itself successors."""
_MOST_SUBJECT = 200
_MOST_NAMED = 20


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class People:
    """What the use cases work with. One for the whole life of a server, because it counts the hashes under way."""

    store: Store
    now: Callable[[], datetime] = _utc_now
    passwords: Passwords = field(default_factory=Passwords)
    limits: Limits = field(default_factory=Limits)


def may(by: Principal, permission: Permission) -> bool:
    """Whether `by` may do that: what pages ask to leave away what somebody may not."""
    if by.role is None or (by.kind is PrincipalKind.TOKEN and permission in _FOR_PEOPLE_ONLY):
        return False
    return allows(by.role, permission)


def require(by: Principal, permission: Permission) -> None:
    """Raise SignInNeeded if nobody is signed in, Forbidden, naming the role that may, if `by` may not."""
    if by.role is None:
        raise SignInNeeded("Nobody is signed in.")
    if may(by, permission):
        return
    grant = GRANTS[permission]
    facts: dict[str, Any] = {"permission": permission.value, "role": grant.role.value}
    if by.kind is PrincipalKind.TOKEN and permission in _FOR_PEOPLE_ONLY:
        step = "Do it signed in as an administrator, or on the command line of the server."
        raise Forbidden(f"No API token may {grant.words}.", next_step=step, **facts)
    if by.kind is PrincipalKind.TOKEN:
        step = f"Use a token with the role {grant.role}, made by somebody who has that role."
        raise Forbidden(f"The API token {by.name!r} is {by.role} and may not {grant.words}.", next_step=step, **facts)
    step = f"Ask an administrator for the role {grant.role}."
    raise Forbidden(f"{by.name} is {by.role} and may not {grant.words}.", next_step=step, **facts)


def command_line() -> Principal:
    """Return who calls the command line: the user of this machine, who can open the store anyway."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Principal(kind=PrincipalKind.COMMAND_LINE, name=name, role=Role.ADMINISTRATOR)


@dataclass(slots=True)
class Deed:
    """An act under way. `details` go into the audit log; what `changed` nothing does not get there."""

    unit: Unit
    now: datetime
    details: dict[str, Any]
    changed: bool = True


@contextmanager
def act(
    people: People, by: Principal, action: AuditAction, subject: str, *, needs: Permission | None = None
) -> Iterator[Deed]:
    """A unit in which something is done and noted in the audit log, both or neither.

    What refuses it is noted as well, and goes on. Raises SignInNeeded or Forbidden if `by` lacks what it `needs`.
    """
    now = people.now()
    details: dict[str, Any] = {}
    try:
        if needs is not None:
            require(by, needs)
        with people.store.begin() as unit:
            deed = Deed(unit, now, details)
            yield deed
            if deed.changed:
                note(unit, by, action, subject, now, details=details)
    except UsageError as error:
        with people.store.begin() as unit:
            note(unit, by, action, subject, now, refused_by=error.code, details=details)
        raise


def note(
    unit: Unit,
    by: Principal,
    action: AuditAction,
    subject: str,
    now: datetime,
    *,
    refused_by: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """Add a line to the audit log."""
    unit.people.add_audit(
        AuditEntry(
            at=now,
            actor_kind=by.kind,
            actor=by.name,
            actor_id=by.id,
            address=by.address,
            action=action,
            subject=subject[:_MOST_SUBJECT].encode("utf-8", "replace").decode(),
            outcome=AuditOutcome.REFUSED if refused_by else AuditOutcome.DONE,
            code=refused_by,
            details=details or {},
        )
    )


def existing_user(unit: Unit, name: str) -> User:
    """Return the user of that name, whatever its capitals. Raises UnknownUser with the names there are."""
    user = unit.people.find_user(name)
    if user is None:
        names = [each.name for each in unit.people.users()]
        known = ", ".join(names[:_MOST_NAMED]) or "none yet"
        known += f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        raise UnknownUser(f"There is no user {name!r}; there are: {known}.", name=name)
    return user
