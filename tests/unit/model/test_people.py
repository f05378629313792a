"""Roles and what they may, names, and values that never show what opens them."""

from datetime import UTC, datetime, timedelta

import pytest

from crosstie.model.errors import InvalidName
from crosstie.model.people import (
    GRANTS,
    ApiToken,
    Invitation,
    Issued,
    LinkPurpose,
    Permission,
    Role,
    TokenState,
    allows,
    checked_name,
    lower_role,
    name_key,
)

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
VIEWER, OPERATOR, ADMINISTRATOR = Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR

MAY = {
    VIEWER: {"look"},
    OPERATOR: {"look", "couple", "uncouple", "synchronise", "solve_problems", "undo", "steer_jobs"},
    ADMINISTRATOR: {permission.value for permission in Permission},
}


@pytest.mark.parametrize("role", Role)
def test_a_role_may_exactly_this(role: Role) -> None:
    assert {permission.value for permission in Permission if allows(role, permission)} == MAY[role]


def test_every_permission_is_granted_to_some_role_and_has_words() -> None:
    assert list(GRANTS) == list(Permission)
    assert all(grant.words[0].islower() for grant in GRANTS.values())
    assert not any(grant.words.endswith(".") for grant in GRANTS.values())


@pytest.mark.parametrize(
    ("one", "other", "lower"),
    [(VIEWER, ADMINISTRATOR, VIEWER), (ADMINISTRATOR, OPERATOR, OPERATOR), (OPERATOR, OPERATOR, OPERATOR)],
)
def test_of_two_roles_the_one_that_may_less(one: Role, other: Role, lower: Role) -> None:
    assert lower_role(one, other) is lower


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("anna", "anna"),
        ("  anna@example.com ", "anna@example.com"),
        ("Anna van der Berg", "Anna van der Berg"),
        ("A\N{COMBINING DIAERESIS}nne", "Änne"),
        ("أمل", "أمل"),
        ("小林", "小林"),
        ("x" * 100, "x" * 100),
        ("<b>anna</b>", "<b>anna</b>"),
    ],
)
def test_a_name_is_kept_as_it_was_typed(name: str, kept: str) -> None:
    assert checked_name(name) == kept


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is blank"),
        (" \t", "is blank"),
        ("x" * 101, "has 101 characters"),
        ("an\nna", r"'an\\nna' has characters that cannot be seen"),
        ("an\0na", "cannot be seen"),
        ("an\u202ena", "cannot be seen"),
        ("an\u200bna", "cannot be seen"),
        ("an\ud800na", "cannot be seen"),
        ("anna\ufffd", "cannot be seen"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(name: str, words: str) -> None:
    with pytest.raises(InvalidName, match=words):
        checked_name(name)


@pytest.mark.parametrize("other", ["Anna", " anna", "ANNA ", "\N{FULLWIDTH LATIN SMALL LETTER A}nna"])
def test_names_are_the_same_whatever_their_capitals_and_forms(other: str) -> None:
    assert name_key(other) == name_key("anna")


@pytest.mark.parametrize("name", ["an\0na", "\0", "an\ud800na", "\udfff"])
def test_what_no_database_takes_is_looked_up_as_a_name_that_nobody_has(name: str) -> None:
    key = name_key(name)
    assert "\0" not in key
    assert key.encode() != b"anna"
    with pytest.raises(InvalidName):
        checked_name(key)


def test_names_that_differ_in_more_than_capitals_are_others() -> None:
    assert len({name_key(name) for name in ("anna", "änna", "anna b", "annab", "straße", "strase")}) == 6


@pytest.mark.parametrize(
    ("after", "used", "is_open"),
    [
        (timedelta(0), None, True),
        (timedelta(hours=1) - SECOND, None, True),
        (timedelta(hours=1), None, False),
        (timedelta(0), NOW, False),
    ],
)
def test_a_link_is_open_until_it_is_used_or_runs_out(after: timedelta, used: datetime | None, is_open: bool) -> None:
    link = Invitation(
        id=1,
        purpose=LinkPurpose.INVITATION,
        name="anna",
        role=VIEWER,
        created_by="root",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        used_at=used,
    )
    assert link.is_open(NOW + after) is is_open


@pytest.mark.parametrize(
    ("after", "revoked", "state"),
    [
        (timedelta(days=1) - SECOND, None, TokenState.ACTIVE),
        (timedelta(days=1), None, TokenState.EXPIRED),
        (timedelta(0), NOW, TokenState.REVOKED),
        (timedelta(days=2), NOW, TokenState.REVOKED),
    ],
)
def test_a_token_is_active_until_it_is_revoked_or_runs_out(
    after: timedelta, revoked: datetime | None, state: TokenState
) -> None:
    token = ApiToken(
        id=1,
        name="export",
        role=VIEWER,
        created_by="anna",
        created_at=NOW,
        expires_at=NOW + timedelta(days=1),
        revoked_at=revoked,
    )
    assert token.state(NOW + after) is state


def test_what_is_shown_once_shows_in_no_representation() -> None:
    issued = Issued(secret="s3cret", item="something")
    assert "s3cret" not in f"{issued!r} {issued} {[issued]}"
