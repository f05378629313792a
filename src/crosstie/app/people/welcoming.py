"""Visitors of a demo: signed in without a question, on this machine only."""

from crosstie.app.people.acting import People, act
from crosstie.app.people.secrecy import new_secret
from crosstie.app.people.sessions import start_session
from crosstie.model.people import SYSTEM, AuditAction, Issued, Role, SignIn

VISITOR = "demo"


def welcome_visitor(people: People, *, address: str = "") -> Issued[SignIn]:
    """Start a session of the demo's visitor, an administrator whose password nobody knows."""
    with act(people, SYSTEM, AuditAction.SIGN_IN, VISITOR) as deed:
        stored = deed.unit.people
        stored.hold()
        user = stored.find_user(VISITOR)
        if user is None:
            user = stored.add_user(VISITOR, Role.ADMINISTRATOR, people.passwords.hash(new_secret()), deed.now)
        return start_session(deed.unit, user, deed.now, address)
