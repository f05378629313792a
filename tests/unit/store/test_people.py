"""Users, one-time links, attempts, tokens, sessions and the audit log, on both databases."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from crosstie.model.errors import NameTaken, StoreError
from crosstie.model.people import (
    ApiToken,
    Attempt,
    AuditAction,
    AuditEntry,
    AuditOutcome,
    Invitation,
    LinkPurpose,
    NewApiToken,
    NewInvitation,
    PrincipalKind,
    Role,
    SignIn,
    User,
)
from crosstie.store import Store
from crosstie.store.base import Unit
from crosstie.store.base_people import Expired
from tests.unit.store.test_races import THREADS, at_once
from tests.unit.store.values import LATER, NOW

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def add_user(unit: Unit, name: str = "Anna", role: Role = Role.OPERATOR) -> User:
    return unit.people.add_user(name, role, "$argon2id$hash", NOW)


def invitation(name: str | None = "Anna", **more: Any) -> NewInvitation:
    values: dict[str, Any] = {
        "purpose": LinkPurpose.INVITATION,
        "name": name,
        "role": Role.VIEWER,
        "created_by": "root",
        "created_at": NOW,
        "expires_at": NOW + HOUR,
    }
    return NewInvitation(**values | more)


def new_token(name: str = "export", **more: Any) -> NewApiToken:
    values: dict[str, Any] = {
        "name": name,
        "role": Role.VIEWER,
        "created_by": "root",
        "created_at": NOW,
        "expires_at": NOW + HOUR,
    }
    return NewApiToken(**values | more)


def session_of(user: User, **more: Any) -> SignIn:
    values: dict[str, Any] = {"user": user, "created_at": NOW, "last_seen": NOW, "expires_at": NOW + HOUR}
    return SignIn(**values | more)


def audit_entry(subject: str = "anna", **more: Any) -> AuditEntry:
    values: dict[str, Any] = {
        "at": NOW,
        "actor_kind": PrincipalKind.USER,
        "actor": "root",
        "action": AuditAction.INVITE,
        "subject": subject,
        "outcome": AuditOutcome.DONE,
    }
    return AuditEntry(**values | more)


# --- users ------------------------------------------------------------------------------------------------


def test_a_user_comes_back_as_it_was_stored_and_is_found_whatever_the_capitals(store: Store) -> None:
    with store.begin() as unit:
        anna = add_user(unit)
        ben = add_user(unit, "ben", Role.ADMINISTRATOR)
    assert anna == User(id=1, name="Anna", role=Role.OPERATOR, created_at=NOW)
    with store.begin() as unit:
        assert unit.people.users() == [anna, ben]
        assert unit.people.user(ben.id) == ben
        assert unit.people.user(99) is None
        assert unit.people.find_user(" aNNA ") == anna
        assert unit.people.find_user("carla") is None
        assert unit.people.password_hash(anna.id) == "$argon2id$hash"
        assert unit.people.password_hash(99) is None


def test_of_two_users_of_one_name_the_second_is_refused_and_the_unit_goes_on(store: Store) -> None:
    with store.begin() as unit:
        anna = add_user(unit)
        with pytest.raises(NameTaken, match="There is a user 'ANNA' already"):
            add_user(unit, "ANNA")
        ben = add_user(unit, "ben")
    with store.begin() as unit:
        assert unit.people.users() == [anna, ben]


def test_what_changes_of_a_user_is_stored_and_nothing_else(store: Store) -> None:
    with store.begin() as unit:
        anna, ben = add_user(unit), add_user(unit, "ben")
        unit.people.put_user(msgspec.structs.replace(anna, role=Role.VIEWER, disabled=True, name="Other"))
        unit.people.signed_in(anna.id, LATER)
        unit.people.set_password_hash(anna.id, "new")
    with store.begin() as unit:
        changed = msgspec.structs.replace(anna, role=Role.VIEWER, disabled=True, last_sign_in=LATER)
        assert unit.people.users() == [changed, ben]
        assert unit.people.password_hash(anna.id) == "new"
        assert unit.people.password_hash(ben.id) == "$argon2id$hash"


# --- one-time links ---------------------------------------------------------------------------------------


def test_a_link_is_found_by_its_hash_and_used_once(store: Store) -> None:
    with store.begin() as unit:
        made = unit.people.add_invitation(invitation(), "hash")
    assert made == Invitation(**msgspec.structs.asdict(invitation()), id=1)
    with store.begin() as unit:
        assert unit.people.invitation("hash") == made
        assert unit.people.invitation("other") is None
        assert unit.people.open_invitations(LATER) == [made]
        used = msgspec.structs.replace(made, used_at=LATER)
        assert unit.people.use_invitation("hash", LATER) == used
    with store.begin() as unit:
        assert unit.people.use_invitation("hash", LATER) is None
        assert unit.people.invitation("hash") == used
        assert unit.people.open_invitations(LATER) == []


@pytest.mark.parametrize(("at", "opens"), [(NOW + HOUR - SECOND, True), (NOW + HOUR, False), (NOW + 2 * HOUR, False)])
def test_a_link_that_has_run_out_opens_nothing(store: Store, at: datetime, opens: bool) -> None:
    with store.begin() as unit:
        unit.people.add_invitation(invitation(), "hash")
        assert bool(unit.people.open_invitations(at)) is opens
        assert bool(unit.people.use_invitation("hash", at)) is opens


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ({}, ["used"]),
        ({"name": "ANNA"}, ["ben", "first", "password", "used"]),
        ({"purpose": LinkPurpose.FIRST_ADMINISTRATOR}, ["anna", "ben", "password", "used"]),
        ({"created_by_id": 1}, ["anna", "first", "password", "used"]),
        ({"user_id": 1}, ["anna", "ben", "first", "used"]),
        ({"purpose": LinkPurpose.INVITATION, "name": "ben"}, ["anna", "first", "password", "used"]),
        ({"name": "nobody"}, ["anna", "ben", "first", "password", "used"]),
    ],
)
def test_links_are_withdrawn_unless_they_are_used(store: Store, condition: dict[str, Any], left: list[str]) -> None:
    links = {
        "anna": invitation("Anna"),
        "ben": invitation("Ben", created_by_id=1),
        "first": invitation(None, purpose=LinkPurpose.FIRST_ADMINISTRATOR),
        "password": invitation("Carla", purpose=LinkPurpose.NEW_PASSWORD, user_id=1),
        "used": invitation("Anna", created_by_id=1, user_id=1),
    }
    with store.begin() as unit:
        add_user(unit, "Carla")
        for hash_, link in links.items():
            unit.people.add_invitation(link, hash_)
        unit.people.use_invitation("used", NOW)
        assert unit.people.withdraw_invitations(**condition) == len(links) - len(left)
        assert [hash_ for hash_ in links if unit.people.invitation(hash_)] == left


def test_of_many_who_use_one_link_at_once_one_gets_it(store: Store) -> None:
    with store.begin() as unit:
        unit.people.add_invitation(invitation(), "hash")

    def use(number: int) -> bool:
        with store.begin() as unit:
            return unit.people.use_invitation("hash", LATER) is not None

    assert sorted(map(bool, at_once(use))) == [False] * (THREADS - 1) + [True]


def test_those_who_hold_people_come_one_after_the_other_and_see_what_the_one_before_did(store: Store) -> None:
    def add(number: int) -> int:
        with store.begin() as unit:
            unit.people.hold()
            before = len(unit.people.users())
            add_user(unit, f"user {number}")
            return before

    assert sorted(at_once(add), key=str) == list(range(THREADS))


# --- attempts ---------------------------------------------------------------------------------------------


def test_attempts_are_found_by_name_or_place_since_a_time(store: Store) -> None:
    given = [("anna", "here", 0), ("anna", "there", 1), ("ben", "here", 2), ("ben", "there", 3)]
    made = [Attempt(name_digest=name, place=place, at=NOW + SECOND * at) for name, place, at in given]
    with store.begin() as unit:
        for attempt in reversed(made):
            unit.people.add_attempt(attempt)
    with store.begin() as unit:
        assert unit.people.attempts("anna", "here", NOW - SECOND) == made[:3]
        assert unit.people.attempts("anna", "here", NOW) == made[1:3]
        assert unit.people.attempts("carla", "elsewhere", NOW - SECOND) == []
        unit.people.forget_attempts("anna", "here")
        assert unit.people.attempts("anna", "here", NOW - SECOND) == made[1:3]


# --- tokens -----------------------------------------------------------------------------------------------


def test_a_token_comes_back_as_it_was_stored_and_keeps_its_use_and_its_end(store: Store) -> None:
    with store.begin() as unit:
        anna = add_user(unit)
        one = unit.people.add_token(new_token(), "hash-1")
        two = unit.people.add_token(new_token("load", role=Role.OPERATOR, created_by_id=anna.id), "hash-2")
    assert one == ApiToken(**msgspec.structs.asdict(new_token()), id=1)
    with store.begin() as unit:
        assert unit.people.tokens() == [one, two]
        assert unit.people.find_token("hash-2") == two
        assert unit.people.find_token("hash-3") is None
        unit.people.token_used(two.id, LATER)
        assert unit.people.revoke_token(two.id, LATER)
        unit.people.token_used(two.id, LATER + SECOND)
        assert not unit.people.revoke_token(two.id, LATER + HOUR)
        assert not unit.people.revoke_token(99, LATER)
    with store.begin() as unit:
        ended = msgspec.structs.replace(two, last_used=LATER + SECOND, revoked_at=LATER)
        assert unit.people.tokens() == [one, ended]


# --- sessions ---------------------------------------------------------------------------------------------


def test_a_session_comes_with_its_user_as_it_is_now(store: Store) -> None:
    with store.begin() as unit:
        anna = add_user(unit)
        made = session_of(anna, address="192.0.2.1")
        unit.people.add_session(made, "hash")
    with store.begin() as unit:
        assert unit.people.session("hash") == made
        assert unit.people.session("other") is None
        unit.people.session_seen("hash", LATER)
        demoted = msgspec.structs.replace(anna, role=Role.VIEWER)
        unit.people.put_user(demoted)
        assert unit.people.session("hash") == msgspec.structs.replace(made, user=demoted, last_seen=LATER)
        unit.people.end_session("hash")
        assert unit.people.session("hash") is None


def test_the_sessions_of_a_user_end_all_but_one(store: Store) -> None:
    with store.begin() as unit:
        anna, ben = add_user(unit), add_user(unit, "ben")
        for user, hash_ in ((anna, "1"), (anna, "2"), (anna, "3"), (ben, "4")):
            unit.people.add_session(session_of(user), hash_)
    with store.begin() as unit:
        assert unit.people.end_sessions(anna.id, but="2") == 2
        assert [hash_ for hash_ in "1234" if unit.people.session(hash_)] == ["2", "4"]
        assert unit.people.end_sessions(anna.id) == 1
        assert unit.people.end_sessions(anna.id) == 0


def test_nobody_has_a_session_without_being_a_user(store: Store) -> None:
    nobody = User(id=99, name="nobody", role=Role.VIEWER, created_at=NOW)
    with pytest.raises(StoreError), store.begin() as unit:
        unit.people.add_session(session_of(nobody), "hash")


# --- audit log --------------------------------------------------------------------------------------------


def test_audit_entries_come_back_newest_first_and_are_found_by_what_they_are_about(store: Store) -> None:
    entries = [
        audit_entry("anna", actor_id=7, address="192.0.2.1", details={"role": "viewer", "days": 7}),
        audit_entry("ben", actor="anna", outcome=AuditOutcome.REFUSED, code="forbidden"),
        audit_entry("anna", action=AuditAction.JOIN, actor_kind=PrincipalKind.LINK, actor="anna\0"),
    ]
    with store.begin() as unit:
        for entry in entries:
            unit.people.add_audit(entry)
    stored = [msgspec.structs.replace(entry, id=number) for number, entry in enumerate(entries, 1)]
    stored[2] = msgspec.structs.replace(stored[2], actor="anna")
    with store.begin() as unit:
        assert unit.people.audit() == stored[::-1]
        assert unit.people.audit(actor="anna") == [stored[2], stored[1]]
        assert unit.people.audit(subject="anna") == [stored[2], stored[0]]
        assert unit.people.audit(actions=[AuditAction.JOIN, AuditAction.SIGN_IN]) == [stored[2]]
        assert unit.people.audit(limit=1, before_id=3) == [stored[1]]


# --- purge ------------------------------------------------------------------------------------------------


def test_what_ended_long_enough_ago_is_removed_and_nothing_else(store: Store) -> None:
    old, new = NOW - 2 * HOUR, NOW
    with store.begin() as unit:
        anna = add_user(unit)
        for hash_, link in (("run out", invitation(expires_at=old)), ("used", invitation()), ("open", invitation())):
            unit.people.add_invitation(link, hash_)
        unit.people.use_invitation("used", old)
        for at in (old, new):
            unit.people.add_attempt(Attempt(name_digest="a", place="b", at=at))
            unit.people.add_audit(audit_entry(at=at))
        for hash_, expires in (("run out", old), ("revoked", new + HOUR), ("active", new + HOUR)):
            unit.people.add_token(new_token(hash_, expires_at=expires), hash_)
        unit.people.revoke_token(2, old)
        for hash_, more in (("over", {"expires_at": old}), ("idle", {"last_seen": old}), ("live", {})):
            unit.people.add_session(session_of(anna, **more), hash_)
    bound = NOW - HOUR
    ended = Expired(invitations=bound, attempts=bound, tokens=bound, sessions=bound, sessions_unseen=bound, audit=bound)
    with store.begin() as unit:
        removed = unit.people.purge(ended)
    assert removed == {"invitations": 2, "sign_in_attempts": 1, "api_tokens": 2, "sessions": 2, "audit_log": 1}
    with store.begin() as unit:
        assert [hash_ for hash_ in ("run out", "used", "open") if unit.people.invitation(hash_)] == ["open"]
        assert [each.at for each in unit.people.attempts("a", "b", old - HOUR)] == [new]
        assert [each.name for each in unit.people.tokens()] == ["active"]
        assert [hash_ for hash_ in ("over", "idle", "live") if unit.people.session(hash_)] == ["live"]
        assert [each.at for each in unit.people.audit()] == [new]
        assert unit.people.purge(ended) == dict.fromkeys(removed, 0)
