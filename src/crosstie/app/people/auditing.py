"""The audit log, and the end of what has ended."""

from collections.abc import Sequence
from datetime import timedelta

from crosstie.app.people.acting import People, require
from crosstie.app.people.sessions import IDLE
from crosstie.model.people import AuditAction, AuditEntry, Permission, Principal
from crosstie.store.base_people import Expired

LINKS_KEPT = timedelta(days=30)
"""For so long after its end a link still says why it is no good."""
TOKENS_KEPT = timedelta(days=90)
"""For so long after its end a token stays in the list."""
AUDIT_KEPT = timedelta(days=730)


def list_audit(
    people: People,
    by: Principal,
    *,
    actor: str | None = None,
    subject: str | None = None,
    actions: Sequence[AuditAction] = (),
    limit: int = 100,
    before_id: int | None = None,
) -> list[AuditEntry]:
    """Return who did what to people and tokens, newest first. Raises Forbidden."""
    require(by, Permission.READ_AUDIT_LOG)
    with people.store.begin() as unit:
        return unit.people.audit(actor=actor, subject=subject, actions=actions, limit=limit, before_id=before_id)


def purge(people: People) -> dict[str, int]:
    """Remove sessions, links, tokens and failed sign-ins that have ended, and audit entries of more than two years ago.

    Returns how many rows of each table. To be called by the clock, once a day or more often.
    """
    now = people.now()
    ended = Expired(
        invitations=now - LINKS_KEPT,
        attempts=now - people.limits.window,
        tokens=now - TOKENS_KEPT,
        sessions=now,
        sessions_unseen=now - IDLE,
        audit=now - AUDIT_KEPT,
    )
    with people.store.begin() as unit:
        return unit.people.purge(ended)
