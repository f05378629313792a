"""Signing in and out, what is refused and when, and how sessions end, with the clock moved."""

from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from crosstie.app.people.acting import People
from crosstie.app.people.limiting import Limits
from crosstie.app.people.passwords import Passwords
from crosstie.app.people.sessions import principal_of_session, sign_out
from crosstie.app.people.signing_in import set_password, sign_in
from crosstie.app.people.users import change_role, disable_user, enable_user, list_users
from crosstie.model.errors import (
    Forbidden,
    SignInNeeded,
    SignInRefused,
    StoreBusy,
    TooManyAttempts,
    WeakPassword,
)
from crosstie.model.people import SYSTEM, AuditAction, Principal, PrincipalKind, Role
from crosstie.store import Store
from tests.unit.people.conftest import HERE, PASSWORD, START, Office
from tests.unit.store.conftest import Opener
from tests.unit.store.test_races import at_once

THERE = "198.51.100.7"
OTHER = "another long password"


def fail(office: Office, name: str = "anna", address: str = HERE, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused):
            sign_in(office.people, name, "wrong password", address=address)


# --- in and out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["anna", " Anna ", "ANNA"])
def test_who_signs_in_is_known_until_signing_out(office: Office, name: str) -> None:
    office.add("anna", Role.OPERATOR)
    issued = sign_in(office.people, name, PASSWORD, address=HERE)
    found = principal_of_session(office.people, issued.secret, address=THERE)
    assert found == Principal(kind=PrincipalKind.USER, name="anna", role=Role.OPERATOR, id=1, address=THERE)
    assert (issued.item.user.name, issued.item.address, issued.item.created_at) == ("anna", HERE, START)
    sign_out(office.people, issued.secret)
    sign_out(office.people, issued.secret)
    with pytest.raises(SignInNeeded):
        principal_of_session(office.people, issued.secret)


def test_every_sign_in_is_a_session_of_its_own(office: Office) -> None:
    office.add("anna")
    one, two = sign_in(office.people, "anna", PASSWORD), sign_in(office.people, "anna", PASSWORD)
    assert one.secret != two.secret
    sign_out(office.people, one.secret)
    assert principal_of_session(office.people, two.secret).name == "anna"


def test_the_last_sign_in_is_kept(office: Office) -> None:
    office.add("anna")
    office.clock.go(hours=3)
    issued = sign_in(office.people, "anna", PASSWORD)
    assert list_users(office.people, SYSTEM)[0].last_sign_in == START + timedelta(hours=3)
    assert issued.item.user.last_sign_in == START + timedelta(hours=3)


@pytest.mark.parametrize("secret", ["", "x", "\0", "\ud800", "x" * 100_000])
def test_what_is_no_session_is_nobody(office: Office, secret: str) -> None:
    with pytest.raises(SignInNeeded, match="Nobody is signed in"):
        principal_of_session(office.people, secret)


# --- one answer -------------------------------------------------------------------------------------------


def test_wrong_name_wrong_password_and_disabled_user_get_one_answer_after_one_hash(office: Office) -> None:
    office.add("anna")
    office.add("ben")
    disable_user(office.people, SYSTEM, "ben")
    verified: list[str | None] = []

    class Watched(Passwords):
        def verify(self, stored: str | None, password: str) -> bool:
            verified.append(stored)
            return office.people.passwords.verify(stored, password)

    people = People(office.people.store, now=office.clock, passwords=Watched())
    answers = []
    odd = [(each, each) for each in ("", "\0", "\ud800")]
    for name, password in (("nobody", PASSWORD), ("anna", "wrong"), ("ben", PASSWORD), *odd):
        with pytest.raises(SignInRefused) as caught:
            sign_in(people, name, password, address=HERE)
        answers.append((str(caught.value), caught.value.code, caught.value.details))
    assert len(set(map(repr, answers))) == 1
    assert [stored is None for stored in verified] == [True, False, False, True, True, True]


def test_the_audit_log_has_the_true_reason_and_no_name_that_may_be_a_password(office: Office) -> None:
    office.add("anna")
    for name, password in (("my secret password", ""), ("Anna", "wrong"), ("anna", PASSWORD)):
        if password == PASSWORD:
            disable_user(office.people, SYSTEM, "anna")
        with pytest.raises(SignInRefused):
            sign_in(office.people, name, password, address=HERE)
    entries = office.audit(actions=[AuditAction.SIGN_IN])[::-1]
    assert [(each.subject, each.details["reason"], each.address) for each in entries] == [
        ("", "unknown name", HERE),
        ("anna", "wrong password", HERE),
        ("anna", "disabled, or changed meanwhile", HERE),
    ]
    assert {(each.actor, each.actor_kind, each.code) for each in entries} == {
        ("", PrincipalKind.NOBODY, "sign-in-refused")
    }


# --- too many ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["anna", "nobody at all"])
def test_after_five_failures_the_sixth_try_waits_whether_the_name_exists_or_not(office: Office, name: str) -> None:
    office.add("anna")
    for _ in range(5):
        fail(office, name)
        office.clock.go(minutes=1)
    with pytest.raises(TooManyAttempts, match="next is possible at 09:45:00 UTC") as caught:
        sign_in(office.people, name, PASSWORD, address=HERE)
    assert caught.value.details == {"retry_at": "2026-11-21T09:45:00+00:00", "retry_after": 600}


def test_who_waits_gets_in_and_has_five_tries_again(office: Office) -> None:
    office.add("anna")
    fail(office, times=5)
    office.clock.go(minutes=14, seconds=59)
    with pytest.raises(TooManyAttempts):
        sign_in(office.people, "anna", PASSWORD, address=HERE)
    office.clock.go(seconds=1)
    sign_in(office.people, "anna", PASSWORD, address=HERE)
    fail(office, times=5)
    with pytest.raises(TooManyAttempts):
        sign_in(office.people, "anna", PASSWORD, address=HERE)


def test_a_try_while_waiting_does_not_lengthen_the_wait(office: Office) -> None:
    office.add("anna")
    fail(office, times=5)
    for _ in range(14):
        office.clock.go(minutes=1)
        with pytest.raises(TooManyAttempts):
            sign_in(office.people, "anna", PASSWORD, address=HERE)
    office.clock.go(minutes=1)
    sign_in(office.people, "anna", PASSWORD, address=HERE)


def test_success_forgets_the_failures_before_it(office: Office) -> None:
    office.add("anna")
    for _ in range(3):
        fail(office, times=4)
        sign_in(office.people, "anna", PASSWORD, address=HERE)


def test_nobody_locks_out_somebody_else(office: Office) -> None:
    office.add("anna")
    office.add("ben")
    fail(office, "anna", THERE, times=5)
    with pytest.raises(TooManyAttempts):
        sign_in(office.people, "ANNA", PASSWORD, address=THERE)
    sign_in(office.people, "anna", PASSWORD, address=HERE)
    sign_in(office.people, "ben", PASSWORD, address=THERE)


def test_the_failures_are_those_of_all_processes_and_outlive_them(office: Office, address: str, opener: Opener) -> None:
    office.add("anna")
    fail(office, times=3)
    elsewhere = Office(elsewhere_of(office.people, opener(address)), office.clock)
    fail(elsewhere, times=2)
    for each in (office, elsewhere):
        with pytest.raises(TooManyAttempts):
            sign_in(each.people, "anna", PASSWORD, address=HERE)


def elsewhere_of(people: People, store: Store) -> People:
    """The same rules on another connection to the store, as another process has one."""
    return People(store, now=people.now, passwords=people.passwords, limits=people.limits)


@pytest.mark.parametrize(
    ("limits", "tries"),
    [
        (Limits(name_and_place=100, place=6, name=100), [("anna", HERE), ("ben", HERE), ("nobody", HERE)]),
        (Limits(name_and_place=100, place=100, name=6), [("anna", HERE), ("anna", THERE), ("anna", "2001:db8::1")]),
        (Limits(name_and_place=6), [("anna", "2001:db8::1"), ("anna", "2001:db8::2"), ("anna", "2001:db8::3")]),
    ],
    ids=["many names from one place", "one name from many places", "many addresses of one network"],
)
def test_wider_limits_stop_who_spreads_the_tries(office: Office, limits: Limits, tries: list[tuple[str, str]]) -> None:
    office.add("anna")
    wide = Office(People(office.people.store, office.clock, office.people.passwords, limits), office.clock)
    for name, address in tries * 2:
        fail(wide, name, address)
    with pytest.raises(TooManyAttempts):
        sign_in(wide.people, tries[0][0], PASSWORD, address=tries[0][1])


def test_many_tries_at_once_do_not_slip_through(office: Office) -> None:
    office.add("anna")
    limited = People(office.people.store, office.clock, office.people.passwords, Limits(name_and_place=2))
    results = at_once(lambda number: sign_in(limited, "anna", f"guess number {number}", address=HERE))
    assert Counter(type(each) for each in results) == {SignInRefused: 2, TooManyAttempts: len(results) - 2}


def test_the_last_failure_before_the_wait_says_so_in_the_audit_log(office: Office) -> None:
    office.add("anna")
    fail(office, times=5)
    notes = [each.details.get("next_try") for each in office.audit(actions=[AuditAction.SIGN_IN])]
    assert notes == ["2026-11-21T09:45:00+00:00", None, None, None, None]


# --- sessions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "known"),
    [([7.99], True), ([8], False), ([7] * 23, True), ([7] * 24, False), ([4, 4, 7.99], True), ([4, 8], False)],
    ids=["in use", "idle for eight hours", "in use for six days", "seven days", "used in between", "used, then idle"],
)
def test_a_session_ends_when_it_is_idle_and_after_seven_days(office: Office, hours: list[float], known: bool) -> None:
    office.add("anna")
    secret = sign_in(office.people, "anna", PASSWORD).secret
    for pause in hours[:-1]:
        office.clock.go(hours=pause)
        principal_of_session(office.people, secret)
    office.clock.go(hours=hours[-1])
    if known:
        assert principal_of_session(office.people, secret).name == "anna"
    else:
        with pytest.raises(SignInNeeded, match="has ended"):
            principal_of_session(office.people, secret)


def test_a_session_follows_role_and_state_of_its_user_at_once(office: Office) -> None:
    root = office.first()
    office.add("anna", Role.OPERATOR)
    secret = sign_in(office.people, "anna", PASSWORD).secret
    change_role(office.people, root, "anna", Role.VIEWER)
    assert principal_of_session(office.people, secret).role is Role.VIEWER
    disable_user(office.people, root, "anna")
    with pytest.raises(SignInNeeded):
        principal_of_session(office.people, secret)
    enable_user(office.people, root, "anna")
    with pytest.raises(SignInNeeded):
        principal_of_session(office.people, secret)
    sign_in(office.people, "anna", PASSWORD)


def test_a_session_that_outlived_the_disabling_of_its_user_opens_nothing(office: Office) -> None:
    office.add("anna")
    issued = sign_in(office.people, "anna", PASSWORD)
    with office.people.store.begin() as unit:
        unit.people.put_user(msgspec.structs.replace(issued.item.user, disabled=True))
    with pytest.raises(SignInNeeded, match="has ended"):
        principal_of_session(office.people, issued.secret)


def test_a_page_is_shown_although_a_job_holds_the_store(office: Office, address: str, opener: Opener) -> None:
    office.add("anna")
    secret = sign_in(office.people, "anna", PASSWORD).secret
    office.clock.go(hours=1)
    impatient = elsewhere_of(office.people, opener(address, lock_timeout=0.1))
    with office.people.store.begin() as unit:
        unit.people.session_seen("another", START)  # takes the lock of a SQLite file
        unit.people.set_password_hash(1, "x" * 10)
        unit.people.hold()
        assert principal_of_session(impatient, secret).name == "anna"
        with pytest.raises(StoreBusy):
            sign_in(impatient, "anna", PASSWORD)


def test_not_every_request_writes(office: Office) -> None:
    office.add("anna")
    secret = sign_in(office.people, "anna", PASSWORD).secret

    def seen() -> float:
        from crosstie.app.people.secrecy import digest

        principal_of_session(office.people, secret)
        with office.people.store.begin() as unit:
            found = unit.people.session(digest(secret))
        assert found is not None
        return (found.last_seen - START).total_seconds() / 60

    minutes = []
    for _ in range(7):
        minutes.append(seen())
        office.clock.go(minutes=2)
    assert minutes == [0, 0, 0, 6, 6, 6, 12]


# --- a new password of one's own --------------------------------------------------------------------------


def test_a_new_password_ends_all_sessions_but_the_one_that_set_it(office: Office) -> None:
    office.add("anna")
    here, there = sign_in(office.people, "anna", PASSWORD), sign_in(office.people, "anna", PASSWORD)
    anna = principal_of_session(office.people, here.secret)
    set_password(office.people, anna, PASSWORD, OTHER, session=here.secret)
    assert principal_of_session(office.people, here.secret).name == "anna"
    with pytest.raises(SignInNeeded):
        principal_of_session(office.people, there.secret)
    fail(office)
    with pytest.raises(SignInRefused):
        sign_in(office.people, "anna", PASSWORD)
    sign_in(office.people, "anna", OTHER)
    assert office.audit(actions=[AuditAction.SET_PASSWORD])[0].details == {"sessions_ended": 1}


def test_a_new_password_needs_the_old_one_and_five_failures_are_enough(office: Office) -> None:
    anna = office.add("anna")
    for _ in range(5):
        with pytest.raises(SignInRefused):
            set_password(office.people, anna, "wrong", OTHER)
    with pytest.raises(TooManyAttempts):
        set_password(office.people, anna, PASSWORD, OTHER)
    with pytest.raises(TooManyAttempts):
        sign_in(office.people, "anna", PASSWORD, address=anna.address)


@pytest.mark.parametrize("new", ["short", "", "x" * 2000])
def test_a_weak_new_password_is_refused_and_costs_no_try(office: Office, new: str) -> None:
    anna = office.add("anna")
    for _ in range(6):
        with pytest.raises(WeakPassword):
            set_password(office.people, anna, PASSWORD, new)
    sign_in(office.people, "anna", PASSWORD)


def test_a_user_who_was_disabled_meanwhile_sets_no_password(office: Office) -> None:
    anna = office.add("anna")
    disable_user(office.people, SYSTEM, "anna")
    with pytest.raises(SignInNeeded):
        set_password(office.people, anna, PASSWORD, OTHER)
    enable_user(office.people, SYSTEM, "anna")
    sign_in(office.people, "anna", PASSWORD)


@pytest.mark.parametrize("kind", [kind for kind in PrincipalKind if kind is not PrincipalKind.USER])
def test_only_users_have_a_password(office: Office, kind: PrincipalKind) -> None:
    with pytest.raises(Forbidden, match="Only a user has a password"):
        set_password(office.people, Principal(kind=kind, name="anna", id=1, role=Role.ADMINISTRATOR), PASSWORD, OTHER)


def test_a_password_that_changes_while_another_sign_in_is_under_way_lets_nobody_in_by_the_old_one(
    office: Office,
) -> None:
    anna = office.add("anna")

    class Slow(Passwords):
        def verify(self, stored: str | None, password: str) -> bool:
            right = office.people.passwords.verify(stored, password)
            set_password(office.people, anna, PASSWORD, OTHER)
            return right

    with pytest.raises(SignInRefused):
        sign_in(People(office.people.store, office.clock, Slow()), "anna", PASSWORD, address=THERE)


def test_a_hash_of_other_days_is_renewed_by_the_next_sign_in(office: Office) -> None:
    anna = office.add("anna")
    assert anna.id is not None
    dearer = People(office.people.store, office.clock, Passwords(time_cost=2, memory_kib=16, parallelism=1))
    sign_in(dearer, "anna", PASSWORD)
    with office.people.store.begin() as unit:
        renewed = unit.people.password_hash(anna.id) or ""
    assert "$m=16,t=2,p=1$" in renewed
    sign_in(dearer, "anna", PASSWORD)
    with office.people.store.begin() as unit:
        assert unit.people.password_hash(anna.id) == renewed
