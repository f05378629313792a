"""Every act leaves its line, done or refused; nothing that opens anything is kept in clear; what has ended goes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crosstie.app.people.auditing import list_audit, purge
from crosstie.app.people.joining import (
    first_administrator_link,
    invite,
    join,
    password_link,
    withdraw_invitation,
)
from crosstie.app.people.sessions import principal_of_session, sign_out
from crosstie.app.people.signing_in import set_password, sign_in
from crosstie.app.people.tokens import create_token, list_tokens, principal_of_token, revoke_token
from crosstie.app.people.users import change_role, disable_user, enable_user, list_users
from crosstie.model.errors import CrosstieError, InvalidLink, SignInNeeded, SignInRefused
from crosstie.model.people import SYSTEM, AuditAction, AuditEntry, AuditOutcome, Principal, PrincipalKind, Role
from tests.unit.people.conftest import HERE, PASSWORD, START, Office

OTHER = "another long password"
Call = Callable[[Office, Principal], object]

DONE: dict[str, tuple[Call, AuditAction, str, dict[str, Any]]] = {
    "invite": (
        lambda office, by: invite(office.people, by, " carla ", Role.OPERATOR),
        AuditAction.INVITE,
        "carla",
        {"role": "operator", "expires_at": "2026-11-28T09:30:00+00:00"},
    ),
    "withdraw": (
        lambda office, by: withdraw_invitation(office.people, by, "dora"),
        AuditAction.WITHDRAW_INVITATION,
        "dora",
        {},
    ),
    "password link": (
        lambda office, by: password_link(office.people, by, "ben"),
        AuditAction.MAKE_PASSWORD_LINK,
        "ben",
        {"expires_at": "2026-11-22T09:30:00+00:00"},
    ),
    "change role": (
        lambda office, by: change_role(office.people, by, "ben", Role.OPERATOR),
        AuditAction.CHANGE_ROLE,
        "ben",
        {"from": "viewer", "to": "operator"},
    ),
    "demote": (
        lambda office, by: change_role(office.people, by, "emil", Role.VIEWER),
        AuditAction.CHANGE_ROLE,
        "emil",
        {"from": "administrator", "to": "viewer", "links_ended": 1},
    ),
    "disable": (
        lambda office, by: disable_user(office.people, by, "ben"),
        AuditAction.DISABLE_USER,
        "ben",
        {"sessions_ended": 1},
    ),
    "enable": (lambda office, by: enable_user(office.people, by, "fritz"), AuditAction.ENABLE_USER, "fritz", {}),
    "set password": (
        lambda office, by: set_password(office.people, by, PASSWORD, OTHER),
        AuditAction.SET_PASSWORD,
        "root",
        {"sessions_ended": 1},
    ),
    "create token": (
        lambda office, by: create_token(office.people, by, "load", Role.OPERATOR, days=1),
        AuditAction.CREATE_TOKEN,
        "load",
        {"token": 2, "role": "operator", "expires_at": "2026-11-22T09:30:00+00:00"},
    ),
    "revoke token": (
        lambda office, by: revoke_token(office.people, by, 1),
        AuditAction.REVOKE_TOKEN,
        "export",
        {"token": 1},
    ),
}


def furnish(office: Office) -> Principal:
    """Fill the house with one of everything that `DONE` touches; return its first administrator."""
    root = office.first()
    office.add("ben")
    sign_in(office.people, "ben", PASSWORD)
    emil = office.add("emil", Role.ADMINISTRATOR)
    invite(office.people, emil, "gustav", Role.VIEWER)
    office.add("fritz")
    disable_user(office.people, root, "fritz")
    invite(office.people, root, "dora", Role.VIEWER)
    create_token(office.people, root, "export", Role.VIEWER)
    return root


@pytest.mark.parametrize("deed", DONE)
def test_what_was_done_is_in_the_audit_log_with_who_when_and_on_what(office: Office, deed: str) -> None:
    root = furnish(office)
    call, action, subject, details = DONE[deed]
    before = len(office.audit(limit=1000))
    call(office, Principal(kind=root.kind, name=root.name, role=root.role, id=root.id, address=HERE))
    entries = office.audit(limit=1000)
    assert len(entries) == before + 1
    assert entries[0] == AuditEntry(
        id=entries[0].id,
        at=START,
        actor_kind=PrincipalKind.USER,
        actor="root",
        actor_id=root.id,
        address=HERE,
        action=action,
        subject=subject,
        outcome=AuditOutcome.DONE,
        details=details,
    )


def test_coming_in_is_in_the_audit_log(office: Office) -> None:
    link = first_administrator_link(office.people)
    assert link is not None
    first_administrator_link(office.people)
    with pytest.raises(InvalidLink):
        join(office.people, link.secret, PASSWORD, name="late")
    office.clock.go(minutes=1)
    root = office.first()
    assert first_administrator_link(office.people) is None
    invite(office.people, root, "anna", Role.VIEWER)
    issued = sign_in(office.people, "ROOT", PASSWORD, address=HERE)
    sign_out(office.people, issued.secret, address=HERE)
    told = [(each.actor, each.actor_kind.value, each.action.value, each.subject) for each in office.audit()[::-1]]
    assert told == [
        ("Crosstie", "system", "make_first_link", ""),
        ("Crosstie", "system", "make_first_link", ""),
        ("Crosstie", "system", "make_first_link", ""),
        ("root", "link", "join", "root"),
        ("root", "user", "invite", "anna"),
        ("root", "user", "sign_in", "root"),
        ("root", "user", "sign_out", "root"),
    ]
    details = office.audit(actions=[AuditAction.JOIN])[0].details
    assert details == {"role": "administrator", "purpose": "first_administrator", "invited_by": "Crosstie"}


@pytest.mark.parametrize("deed", [deed for deed in DONE if deed != "set password"])
def test_what_was_refused_is_in_the_audit_log_with_the_code(office: Office, deed: str) -> None:
    furnish(office)
    call, action, subject, _ = DONE[deed]
    ben = Principal(kind=PrincipalKind.USER, name="ben", role=Role.VIEWER, id=2, address=HERE)
    with pytest.raises(CrosstieError):
        call(office, ben)
    last = office.last()
    assert (last.actor, last.action, last.subject) == ("ben", action, subject)
    assert (last.outcome, last.code) == (AuditOutcome.REFUSED, "forbidden")


def test_a_refusal_by_the_rules_says_what_was_wanted(office: Office) -> None:
    root = office.first()
    with pytest.raises(CrosstieError):
        change_role(office.people, root, "root", Role.VIEWER)
    last = office.last()
    assert (last.code, last.details) == ("last-administrator", {"from": "administrator", "to": "viewer"})


@pytest.mark.parametrize(
    "call",
    [
        lambda office, by: change_role(office.people, by, "ben", Role.VIEWER),
        lambda office, by: disable_user(office.people, by, "fritz"),
        lambda office, by: enable_user(office.people, by, "ben"),
    ],
    ids=["same role", "disabled already", "enabled already"],
)
def test_what_changes_nothing_leaves_no_line(office: Office, call: Call) -> None:
    root = furnish(office)
    before = office.audit(limit=1000)
    call(office, root)
    assert office.audit(limit=1000) == before


def test_what_cannot_be_noted_is_not_done(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    root = furnish(office)
    users, tokens = list_users(office.people, root), list_tokens(office.people, root)

    def broken(self: object, entry: AuditEntry) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("crosstie.store.auditing.AuditQueries.add_audit", broken)
    for call, *_ in DONE.values():
        with pytest.raises(OSError, match="disk full"):
            call(office, root)
    assert list_users(office.people, root) == users
    assert list_tokens(office.people, root) == tokens


def test_a_subject_that_cannot_be_kept_whole_is_noted_as_far_as_it_can(office: Office) -> None:
    root = office.first()
    for name in ("x" * 10_000, "a\0b", "a\ud800b"):
        with pytest.raises(CrosstieError):
            change_role(office.people, root, name, Role.VIEWER)
    assert [each.subject for each in office.audit(limit=3)] == ["a?b", "ab", "x" * 200]


def test_the_audit_log_is_read_in_pages_by_who_and_what(office: Office) -> None:
    root = furnish(office)
    everything = list_audit(office.people, root, limit=1000)
    assert [each.id for each in everything] == sorted((each.id for each in everything), reverse=True)
    page = list_audit(office.people, root, limit=2, before_id=everything[1].id)
    assert page == everything[2:4]
    assert {each.subject for each in list_audit(office.people, root, subject="ben")} == {"ben"}
    assert {each.actor for each in list_audit(office.people, root, actor="emil")} == {"emil"}
    assert {each.action for each in list_audit(office.people, root, actions=[AuditAction.JOIN])} == {AuditAction.JOIN}


# --- nothing in clear -------------------------------------------------------------------------------------


def content(address: str) -> bytes:
    """All that the store has on disk."""
    if "://" not in address:
        return b"".join(path.read_bytes() for path in Path(address).parent.iterdir())
    with psycopg.connect(address) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        return str([connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names]).encode()


def test_passwords_links_tokens_and_sessions_are_nowhere_in_clear(
    office: Office, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    link = first_administrator_link(office.people)
    assert link is not None
    joined = join(office.people, link.secret, PASSWORD, name="root")
    root = principal_of_session(office.people, joined.secret)
    invited = invite(office.people, root, "anna", Role.VIEWER)
    renewal = password_link(office.people, root, "root")
    token = create_token(office.people, root, "export", Role.VIEWER)
    set_password(office.people, root, PASSWORD, OTHER)
    signed_in = sign_in(office.people, "root", OTHER)
    for name, password in (("root", "a wrong password"), ("typed into the wrong box", "")):
        with pytest.raises(SignInRefused):
            sign_in(office.people, name, password)
    principal_of_token(office.people, token.secret)
    issued = (link, joined, invited, renewal, token, signed_in)
    secrets = [PASSWORD, OTHER, "a wrong password", "typed into the wrong box", *(each.secret for each in issued)]
    kept = content(address)
    assert b"export" in kept
    shown = caplog.text + repr(issued)
    for secret in secrets:
        for part in (secret, secret.removeprefix("crosstie_")[:12]):
            assert part.encode() not in kept
            assert part not in shown


def test_two_users_with_one_password_have_different_hashes(office: Office) -> None:
    for name in ("anna", "ben"):
        office.add(name)
    with office.people.store.begin() as unit:
        hashes = {unit.people.password_hash(user.id) for user in unit.people.users()}
    assert len(hashes) == 2


# --- what has ended ---------------------------------------------------------------------------------------


ROWS = ("invitations", "sign_in_attempts", "api_tokens", "sessions", "audit_log")


@pytest.mark.parametrize(
    ("after", "removed"),
    [
        pytest.param({"minutes": 14}, (0, 0, 0, 0, 0), id="nothing has ended"),
        pytest.param({"minutes": 16}, (0, 1, 0, 0, 0), id="a failed sign-in counts no longer"),
        pytest.param({"hours": 9}, (0, 1, 0, 2, 0), id="idle sessions have ended"),
        pytest.param({"days": 29}, (0, 1, 0, 2, 0), id="links that have ended still say why"),
        pytest.param({"days": 31}, (1, 1, 0, 2, 0), id="the used link is forgotten"),
        pytest.param({"days": 36}, (1, 1, 0, 2, 0), id="the one that ran out later is not"),
        pytest.param({"days": 38}, (2, 1, 0, 2, 0), id="both links are forgotten"),
        pytest.param({"days": 92}, (2, 1, 1, 2, 0), id="one token ended long ago"),
        pytest.param({"days": 729}, (2, 1, 2, 2, 0), id="the audit log stays for two years"),
        pytest.param({"days": 731}, (2, 1, 2, 2, 7), id="and not longer"),
    ],
)
def test_what_has_ended_is_purged_when_its_time_has_come(
    office: Office, after: dict[str, float], removed: tuple[int, ...]
) -> None:
    root = office.first()
    invite(office.people, root, "anna", Role.VIEWER)
    for days in (1, 30):
        create_token(office.people, root, "export", Role.VIEWER, days=days)
    with pytest.raises(SignInRefused):
        sign_in(office.people, "nobody", "wrong")
    sign_in(office.people, "root", PASSWORD)
    assert purge(office.people) == dict.fromkeys(ROWS, 0)
    office.clock.go(**after)
    assert purge(office.people) == dict(zip(ROWS, removed, strict=True))
    assert purge(office.people) == dict.fromkeys(ROWS, 0)
    assert [user.name for user in list_users(office.people, SYSTEM)] == ["root"]


def test_what_is_in_use_is_not_purged(office: Office) -> None:
    root = office.first()
    session = sign_in(office.people, "root", PASSWORD)
    token = create_token(office.people, root, "export", Role.VIEWER)
    for _ in range(10):
        office.clock.go(hours=7)
        principal_of_session(office.people, session.secret)
        purge(office.people)
    principal_of_token(office.people, token.secret)
    office.clock.go(days=5)
    with pytest.raises(SignInNeeded, match="has ended"):
        principal_of_session(office.people, session.secret)
