"""People and tokens: who may do what, how somebody comes in, and the audit log of what was done."""

import re
import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from crosstie.model.errors import InvalidName

MOST_NAME = 100
"""Characters of the name of a user or token."""


class Role(StrEnum):
    """What somebody is here for. Each role may also do what those before it may."""

    VIEWER = "viewer"
    """Looks: support, and who only follows links from one system into the other."""
    OPERATOR = "operator"
    """Keeps records in step: salespeople, order processors and the owner of the integration."""
    ADMINISTRATOR = "administrator"
    """Sets up connections, mappings, schedules and people."""


class Permission(StrEnum):
    """What there is to do. Use cases ask for one of these, never for a role."""

    LOOK = "look"
    COUPLE = "couple"
    UNCOUPLE = "uncouple"
    SYNCHRONISE = "synchronise"
    SOLVE_PROBLEMS = "solve_problems"
    UNDO = "undo"
    STEER_JOBS = "steer_jobs"
    SYNCHRONISE_FULLY = "synchronise_fully"
    UNCOUPLE_MAPPING = "uncouple_mapping"
    MANAGE_SCHEDULES = "manage_schedules"
    MANAGE_MAPPINGS = "manage_mappings"
    MANAGE_CONNECTIONS = "manage_connections"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_TOKENS = "manage_tokens"
    READ_AUDIT_LOG = "read_audit_log"


class Grant(msgspec.Struct, frozen=True):
    """The lowest role that has a permission, and the permission in words that follow "may not"."""

    role: Role
    words: str


GRANTS: dict[Permission, Grant] = {
    Permission.LOOK: Grant(Role.VIEWER, "look at records, couplings, jobs and problems"),
    Permission.COUPLE: Grant(Role.OPERATOR, "couple, create and match records"),
    Permission.UNCOUPLE: Grant(Role.OPERATOR, "remove couplings of records"),
    Permission.SYNCHRONISE: Grant(Role.OPERATOR, "synchronise records"),
    Permission.SOLVE_PROBLEMS: Grant(Role.OPERATOR, "solve problems: retry, restore and delete records"),
    Permission.UNDO: Grant(Role.OPERATOR, "undo what was done"),
    Permission.STEER_JOBS: Grant(Role.OPERATOR, "cancel jobs"),
    Permission.SYNCHRONISE_FULLY: Grant(Role.ADMINISTRATOR, "run a full synchronisation"),
    Permission.UNCOUPLE_MAPPING: Grant(Role.ADMINISTRATOR, "remove all couplings of a mapping"),
    Permission.MANAGE_SCHEDULES: Grant(Role.ADMINISTRATOR, "change, pause and resume schedules"),
    Permission.MANAGE_MAPPINGS: Grant(Role.ADMINISTRATOR, "change mappings and field mappings"),
    Permission.MANAGE_CONNECTIONS: Grant(Role.ADMINISTRATOR, "set up connections"),
    Permission.MANAGE_PEOPLE: Grant(Role.ADMINISTRATOR, "invite people, change roles and disable users"),
    Permission.MANAGE_TOKENS: Grant(Role.ADMINISTRATOR, "create, list and revoke API tokens"),
    Permission.READ_AUDIT_LOG: Grant(Role.ADMINISTRATOR, "read the audit log"),
}
"""Who may do what: the people of UI section 0.3 by the screens in which they work."""

_RANK = {role: rank for rank, role in enumerate(Role)}


def allows(role: Role, permission: Permission) -> bool:
    """Whether a role has a permission."""
    return _RANK[role] >= _RANK[GRANTS[permission].role]


def lower_role(one: Role, other: Role) -> Role:
    """Return that of two roles which may less."""
    return min(one, other, key=_RANK.__getitem__)


def name_key(name: str) -> str:
    """Return that by which names are the same: no capitals, no forms of one letter, no space around.

    Whatever was typed: what no database takes becomes a character that no name has.
    """
    typed = _UNKEEPABLE.sub("\ufffd", name)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold()).strip()


def checked_name(name: str) -> str:
    """Return the name of a user or token as it is kept. Raises InvalidName if it cannot be one."""
    kept = unicodedata.normalize("NFC", name.strip())
    if not name_key(kept):
        raise InvalidName("The name is blank.", field="name")
    if len(kept) > MOST_NAME:
        raise InvalidName(f"The name has {len(kept):,} characters.", field="name")
    if any(unicodedata.category(each) in _UNSEEN or each == "\ufffd" for each in kept):
        raise InvalidName(f"The name {kept!r} has characters that cannot be seen.", field="name")
    return kept


_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class PrincipalKind(StrEnum):
    """How who asks is known."""

    USER = "user"
    TOKEN = "token"
    COMMAND_LINE = "command_line"
    """Whoever can open the store on its own machine; no role stands above that."""
    LINK = "link"
    """The holder of a one-time link."""
    NOBODY = "nobody"
    SYSTEM = "system"
    """Crosstie itself: what happens by the clock."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `role` is None where nothing but signing in is open; `address` is where the request came from."""

    kind: PrincipalKind
    name: str
    role: Role | None = None
    id: int | None = None
    """Of the user or the token."""
    address: str = ""


NOBODY = Principal(kind=PrincipalKind.NOBODY, name="nobody")
"""Whoever comes in where everybody may."""
SYSTEM = Principal(kind=PrincipalKind.SYSTEM, name="Crosstie", role=Role.ADMINISTRATOR)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can sign in. The password's hash is never part of this value."""

    id: int
    name: str
    role: Role
    disabled: bool = False
    created_at: datetime
    last_sign_in: datetime | None = None


class LinkPurpose(StrEnum):
    """What a one-time link is for."""

    FIRST_ADMINISTRATOR = "first_administrator"
    INVITATION = "invitation"
    NEW_PASSWORD = "new_password"


class NewInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link that is to be stored."""

    purpose: LinkPurpose
    name: str | None
    """None where who follows the link chooses it: the first administrator."""
    role: Role
    user_id: int | None = None
    """Whose password it is for."""
    created_by: str
    created_by_id: int | None = None
    """The user who made it; None for the command line and for Crosstie itself."""
    created_at: datetime
    expires_at: datetime


class Invitation(NewInvitation, frozen=True, kw_only=True):
    """A stored one-time link, without what opens it."""

    id: int
    used_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether the link can be used."""
        return self.used_at is None and now < self.expires_at


class TokenState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class NewApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """An API token that is to be stored."""

    name: str
    role: Role
    created_by: str
    created_by_id: int | None = None
    """The user who made it, more than whom it never may; None for the command line."""
    created_at: datetime
    expires_at: datetime


class ApiToken(NewApiToken, frozen=True, kw_only=True):
    """A stored API token, without what is sent."""

    id: int
    last_used: datetime | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> TokenState:
        """Return whether it still opens anything, apart from what became of its maker."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        return TokenState.ACTIVE if now < self.expires_at else TokenState.EXPIRED


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session of a user, without what the browser sends. `user` is as it is now, not as it was when signing in."""

    user: User
    created_at: datetime
    last_seen: datetime
    expires_at: datetime
    """The latest end, however busy it is."""
    address: str = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that has not succeeded. `name_digest` stands for the name typed, which may be a password by mistake."""

    name_digest: str
    place: str
    at: datetime


T = TypeVar("T")


class Issued(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Something new with the `secret` that opens it: shown this once, never stored."""

    secret: str
    item: T

    def __repr__(self) -> str:
        """Leaves the secret out, so that it gets into no log and no traceback."""
        return f"Issued(item={self.item!r})"


class AuditAction(StrEnum):
    """What was done, or was to be done, about people and tokens, and to mappings and schedules."""

    MAKE_FIRST_LINK = "make_first_link"
    INVITE = "invite"
    WITHDRAW_INVITATION = "withdraw_invitation"
    MAKE_PASSWORD_LINK = "make_password_link"
    JOIN = "join"
    SET_PASSWORD = "set_password"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    CHANGE_ROLE = "change_role"
    DISABLE_USER = "disable_user"
    ENABLE_USER = "enable_user"
    CREATE_TOKEN = "create_token"
    REVOKE_TOKEN = "revoke_token"
    CHANGE_MAPPING = "change_mapping"
    RESET_MAPPING = "reset_mapping"
    CHANGE_SCHEDULE = "change_schedule"


class AuditOutcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to what, when, from where, and what became of it. Never holds a secret."""

    at: datetime
    actor_kind: PrincipalKind
    actor: str
    actor_id: int | None = None
    address: str = ""
    action: AuditAction
    subject: str
    outcome: AuditOutcome
    code: str = ""
    """The code of the error that refused it."""
    details: dict[str, Any] = {}
    id: int = 0
