"""The interface of the store for people: users, links, sign-ins, tokens, sessions and the audit log.

Part of a unit of work (`store.base.Unit.people`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from crosstie.model.people import (
    ApiToken,
    Attempt,
    AuditAction,
    AuditEntry,
    Invitation,
    LinkPurpose,
    NewApiToken,
    NewInvitation,
    Role,
    SignIn,
    User,
)


class Expired(msgspec.Struct, frozen=True, kw_only=True):
    """Until when what has ended is kept: a row that ended before its time here is removed."""

    invitations: datetime
    attempts: datetime
    tokens: datetime
    sessions: datetime
    sessions_unseen: datetime
    """Sessions that nobody has used since have ended as well."""
    audit: datetime


class People(Protocol):
    """Users and what lets somebody in. What opens a link, token or session is given and kept as its hash only."""

    def hold(self) -> None:
        """Make others who hold people wait until the unit ends. First of all in a unit that decides on what it reads.

        So of two who want one name, or two administrators who demote each other, the second sees what the first did.
        """
        ...

    # --- users --------------------------------------------------------------------------------------------

    def users(self) -> list[User]:
        """Return all users by name."""
        ...

    def user(self, user_id: int) -> User | None: ...

    def find_user(self, name: str) -> User | None:
        """Return the user of that name, whatever its capitals."""
        ...

    def password_hash(self, user_id: int) -> str | None: ...

    def add_user(self, name: str, role: Role, password_hash: str, now: datetime) -> User:
        """Store a user. Raises NameTaken if there is one of that name."""
        ...

    def put_user(self, user: User) -> None:
        """Store role and whether disabled of a user; everything else about one stays as it is."""
        ...

    def signed_in(self, user_id: int, now: datetime) -> None: ...

    def set_password_hash(self, user_id: int, password_hash: str) -> None: ...

    # --- one-time links -----------------------------------------------------------------------------------

    def add_invitation(self, invitation: NewInvitation, link_hash: str) -> Invitation: ...

    def invitation(self, link_hash: str) -> Invitation | None: ...

    def open_invitations(self, now: datetime) -> list[Invitation]:
        """Return the links that can still be used, oldest first."""
        ...

    def use_invitation(self, link_hash: str, now: datetime) -> Invitation | None:
        """Mark a link as used and return it; None if it was not open. Of several at once, one gets it."""
        ...

    def withdraw_invitations(
        self,
        *,
        purpose: LinkPurpose | None = None,
        name: str | None = None,
        user_id: int | None = None,
        created_by_id: int | None = None,
    ) -> int:
        """Remove the unused links to which all that is given applies; return how many."""
        ...

    # --- failed sign-ins ----------------------------------------------------------------------------------

    def attempts(self, name_digest: str, place: str, since: datetime) -> list[Attempt]:
        """Return the attempts with this name or from this place after `since`, oldest first."""
        ...

    def add_attempt(self, attempt: Attempt) -> None: ...

    def forget_attempts(self, name_digest: str, place: str) -> None:
        """Remove the attempts with this name from this place."""
        ...

    # --- API tokens ---------------------------------------------------------------------------------------

    def add_token(self, token: NewApiToken, token_hash: str) -> ApiToken: ...

    def tokens(self) -> list[ApiToken]:
        """Return all tokens, oldest first."""
        ...

    def find_token(self, token_hash: str) -> ApiToken | None: ...

    def token_used(self, token_id: int, now: datetime) -> None: ...

    def revoke_token(self, token_id: int, now: datetime) -> bool:
        """Revoke a token; return whether there was one that was not revoked."""
        ...

    # --- sessions -----------------------------------------------------------------------------------------

    def add_session(self, session: SignIn, id_hash: str) -> None: ...

    def session(self, id_hash: str) -> SignIn | None:
        """Return a session with its user as it is now."""
        ...

    def session_seen(self, id_hash: str, now: datetime) -> None: ...

    def end_session(self, id_hash: str) -> None: ...

    def end_sessions(self, user_id: int, *, but: str | None = None) -> int:
        """End the sessions of a user, except that of the hash `but`; return how many."""
        ...

    # --- audit log ----------------------------------------------------------------------------------------

    def add_audit(self, entry: AuditEntry) -> None: ...

    def audit(
        self,
        *,
        actor: str | None = None,
        subject: str | None = None,
        actions: Sequence[AuditAction] = (),
        limit: int = 100,
        before_id: int | None = None,
    ) -> list[AuditEntry]:
        """Return entries, newest first."""
        ...

    def purge(self, ended: Expired) -> dict[str, int]:
        """Remove what ended before the times given; return how many rows of each table."""
        ...
