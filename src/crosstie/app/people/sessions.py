"""Sessions: what a browser that has signed in sends with every request, and when that ends."""

from contextlib import suppress
from datetime import datetime, timedelta

from crosstie.app.people.acting import People, act
from crosstie.app.people.secrecy import digest, new_secret
from crosstie.model.errors import SignInNeeded, StoreBusy
from crosstie.model.people import AuditAction, Issued, Principal, PrincipalKind, SignIn, User
from crosstie.store.base import Unit

LONGEST = timedelta(days=7)
"""A session ends then, however busy it is."""
IDLE = timedelta(hours=8)
"""A session that nobody used for so long has ended."""
SEEN_EVERY = timedelta(minutes=5)
"""How exactly it is known when a session was used: not every request writes."""


def start_session(unit: Unit, user: User, now: datetime, address: str) -> Issued[SignIn]:
    """Store a new session of `user`; its secret goes into the cookie."""
    secret = new_secret()
    unit.people.signed_in(user.id, now)
    found = unit.people.user(user.id) or user
    session = SignIn(user=found, created_at=now, last_seen=now, expires_at=now + LONGEST, address=address)
    unit.people.add_session(session, digest(secret))
    return Issued(secret=secret, item=session)


def principal_of_session(people: People, secret: str, *, address: str = "") -> Principal:
    """Return who sent the request with this session, with the role that the user has now.

    Raises SignInNeeded if there is no such session, it has ended, or the user is disabled.
    """
    now, id_hash = people.now(), digest(secret)
    with people.store.begin() as unit:
        session = unit.people.session(id_hash)
    if session is None:
        raise SignInNeeded("Nobody is signed in.")
    if now >= session.expires_at or now - session.last_seen >= IDLE or session.user.disabled:
        raise SignInNeeded("The session has ended.")
    if now - session.last_seen >= SEEN_EVERY:
        # A job that holds the store is no reason to refuse a page; the next request notes it.
        with suppress(StoreBusy), people.store.begin() as unit:
            unit.people.session_seen(id_hash, now)
    return user_principal(session.user, address)


def user_principal(user: User, address: str = "") -> Principal:
    """Return a signed-in user as who asks."""
    return Principal(kind=PrincipalKind.USER, name=user.name, role=user.role, id=user.id, address=address)


def sign_out(people: People, secret: str, *, address: str = "") -> None:
    """End a session. One that has ended already stays so."""
    with people.store.begin() as unit:
        session = unit.people.session(digest(secret))
    if session is None:
        return
    by = user_principal(session.user, address)
    with act(people, by, AuditAction.SIGN_OUT, by.name) as deed:
        deed.unit.people.end_session(digest(secret))
