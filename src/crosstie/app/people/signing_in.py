"""Signing in by name and password, and changing one's own password."""

from datetime import datetime
from math import ceil
from typing import NamedTuple

from crosstie.app.people.acting import People, act, note
from crosstie.app.people.limiting import next_try, place_of
from crosstie.app.people.passwords import checked_password
from crosstie.app.people.secrecy import digest
from crosstie.app.people.sessions import start_session
from crosstie.model.errors import Forbidden, SignInNeeded, SignInRefused, TooManyAttempts
from crosstie.model.people import (
    Attempt,
    AuditAction,
    Issued,
    Principal,
    PrincipalKind,
    SignIn,
    User,
    name_key,
)
from crosstie.store.base import Unit


class _Tried(NamedTuple):
    """A sign-in that is under way, counted as failed until it has succeeded."""

    attempt: Attempt
    user: User | None
    stored: str | None
    waits_until: datetime | None
    """When the next try is possible if this one fails; None for at once."""


def sign_in(people: People, name: str, password: str, *, address: str = "") -> Issued[SignIn]:
    """Start a session of the user `name`.

    Raises SignInRefused, the same after the same time whether the name, the password or the user's state is wrong;
    TooManyAttempts, with when to try again, after too many of these.
    """
    tried = _begin(people, name, address)
    right = people.passwords.verify(tried.stored, password)
    if tried.user is None or not right:
        raise _refuse(people, tried, "unknown name" if tried.user is None else "wrong password", address)
    renewed = people.passwords.hash(password) if people.passwords.is_outdated(tried.stored or "") else None
    with people.store.begin() as unit:
        unit.people.hold()
        user = _still_the_same(unit, tried)
        if user is not None:
            unit.people.forget_attempts(tried.attempt.name_digest, tried.attempt.place)
            if renewed is not None:
                unit.people.set_password_hash(user.id, renewed)
            now = people.now()
            by = Principal(kind=PrincipalKind.USER, name=user.name, role=user.role, id=user.id, address=address)
            note(unit, by, AuditAction.SIGN_IN, user.name, now)
            return start_session(unit, user, now, address)
    raise _refuse(people, tried, "disabled, or changed meanwhile", address)


def set_password(people: People, by: Principal, current: str, new: str, *, session: str | None = None) -> None:
    """Give the user who asks a new password. All other sessions of the user end; the one of the secret `session` stays.

    Raises WeakPassword; SignInRefused if `current` is not the password, TooManyAttempts after too many of these;
    Forbidden if no user asks.
    """
    if by.kind is not PrincipalKind.USER or by.id is None:
        raise Forbidden("Only a user has a password.", next_step="Sign in as the user.")
    checked_password(new, by.name)
    tried = _begin(people, by.name, by.address)
    if tried.user is None or not people.passwords.verify(tried.stored, current):
        raise _refuse(people, tried, "wrong password", by.address, AuditAction.SET_PASSWORD)
    hashed = people.passwords.hash(new)
    with act(people, by, AuditAction.SET_PASSWORD, by.name) as deed:
        deed.unit.people.hold()
        user = _still_the_same(deed.unit, tried)
        if user is None:
            raise SignInNeeded("The session has ended.")
        deed.unit.people.forget_attempts(tried.attempt.name_digest, tried.attempt.place)
        deed.unit.people.set_password_hash(user.id, hashed)
        kept = None if session is None else digest(session)
        deed.details["sessions_ended"] = deed.unit.people.end_sessions(user.id, but=kept)


def attempt_of(people: People, name: str, address: str) -> Attempt:
    """Return a try to sign in now, as it is counted."""
    return Attempt(name_digest=digest(name_key(name)), place=place_of(address), at=people.now())


def _begin(people: People, name: str, address: str) -> _Tried:
    """Count the try before the password is looked at, so that many at once do not slip through."""
    attempt = attempt_of(people, name, address)
    with people.store.begin() as unit:
        unit.people.hold()
        before = unit.people.attempts(attempt.name_digest, attempt.place, attempt.at - people.limits.window)
        until = next_try(before, attempt.name_digest, attempt.place, people.limits, attempt.at)
        if until is not None:
            raise TooManyAttempts(
                f"There were too many failed sign-ins; the next is possible at {until:%H:%M:%S} UTC.",
                retry_at=until.isoformat(),
                retry_after=ceil((until - attempt.at).total_seconds()),
            )
        unit.people.add_attempt(attempt)
        user = unit.people.find_user(name)
        stored = None if user is None else unit.people.password_hash(user.id)
    after = next_try([*before, attempt], attempt.name_digest, attempt.place, people.limits, attempt.at)
    return _Tried(attempt, user, stored, after)


def _still_the_same(unit: Unit, tried: _Tried) -> User | None:
    """Return the user if nobody disabled it or changed its password while the hash was computed."""
    if tried.user is None:
        return None
    user = unit.people.user(tried.user.id)
    if user is None or user.disabled or unit.people.password_hash(user.id) != tried.stored:
        return None
    return user


def _refuse(
    people: People, tried: _Tried, reason: str, address: str, action: AuditAction = AuditAction.SIGN_IN
) -> SignInRefused:
    """Note the true reason and return the one answer. An unknown name is not noted: it may be a password."""
    details = {"reason": reason}
    if tried.waits_until is not None:
        details["next_try"] = tried.waits_until.isoformat()
    by = Principal(kind=PrincipalKind.NOBODY, name="", address=address)
    with people.store.begin() as unit:
        subject = "" if tried.user is None else tried.user.name
        note(unit, by, action, subject, people.now(), refused_by=SignInRefused.code, details=details)
    return SignInRefused("The name or the password is wrong.")
