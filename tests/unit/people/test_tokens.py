"""API tokens: shown once, limited by their role, their end and by who made them."""

from datetime import timedelta

import pytest

from crosstie.app.people.tokens import PREFIX, create_token, list_tokens, principal_of_token, revoke_token
from crosstie.app.people.users import change_role, disable_user, enable_user
from crosstie.model.errors import CrosstieError, InvalidName, InvalidOption, TokenRefused, UnknownToken
from crosstie.model.people import SYSTEM, Principal, PrincipalKind, Role, TokenState
from tests.unit.people.conftest import HERE, START, Office

VIEWER, OPERATOR, ADMINISTRATOR = Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR


@pytest.mark.parametrize("role", Role)
def test_a_token_lets_in_with_its_role(office: Office, role: Role) -> None:
    root = office.first()
    issued = create_token(office.people, root, " nightly export ", role)
    assert issued.secret.startswith(PREFIX)
    assert issued.item.expires_at == START + timedelta(days=90)
    found = principal_of_token(office.people, issued.secret, address=HERE)
    assert found == Principal(kind=PrincipalKind.TOKEN, name="nightly export", role=role, id=1, address=HERE)
    assert list_tokens(office.people, root)[0].created_by == "root"


@pytest.mark.parametrize(
    ("days", "after", "works"), [(1, 0.99, True), (1, 1, False), (30, 29.9, True), (30, 31, False), (366, 365, True)]
)
def test_a_token_works_until_its_end(office: Office, days: int, after: float, works: bool) -> None:
    issued = create_token(office.people, SYSTEM, "export", VIEWER, days=days)
    office.clock.go(days=after)
    if works:
        principal_of_token(office.people, issued.secret)
        return
    with pytest.raises(TokenRefused, match=f"'export' ran out on {START + timedelta(days=days):%Y-%m-%d}"):
        principal_of_token(office.people, issued.secret)


def test_a_revoked_token_lets_nobody_in_and_stays_revoked(office: Office) -> None:
    one, two = (create_token(office.people, SYSTEM, "export", VIEWER) for _ in range(2))
    revoked = revoke_token(office.people, SYSTEM, one.item.id)
    assert revoked.state(office.clock()) is TokenState.REVOKED
    with pytest.raises(TokenRefused, match="'export' was revoked"):
        principal_of_token(office.people, one.secret)
    principal_of_token(office.people, two.secret)
    office.clock.go(hours=1)
    assert revoke_token(office.people, SYSTEM, one.item.id).revoked_at == START
    assert list_tokens(office.people, SYSTEM)[0].revoked_at == START


def test_a_token_that_is_not_there_cannot_be_revoked(office: Office) -> None:
    with pytest.raises(UnknownToken, match=r"There is no token 7\. See"):
        revoke_token(office.people, SYSTEM, 7)


@pytest.mark.parametrize("secret", ["", PREFIX, f"{PREFIX}x", "\0", "\ud800", "x" * 100_000])
def test_what_is_no_token_is_refused(office: Office, secret: str) -> None:
    create_token(office.people, SYSTEM, "export", VIEWER)
    with pytest.raises(TokenRefused, match="not known"):
        principal_of_token(office.people, secret)


@pytest.mark.parametrize(
    ("maker", "token", "later", "role"),
    [
        (ADMINISTRATOR, OPERATOR, ADMINISTRATOR, OPERATOR),
        (ADMINISTRATOR, ADMINISTRATOR, OPERATOR, OPERATOR),
        (ADMINISTRATOR, OPERATOR, VIEWER, VIEWER),
        (ADMINISTRATOR, VIEWER, OPERATOR, VIEWER),
    ],
)
def test_a_token_never_may_more_than_who_made_it(
    office: Office, maker: Role, token: Role, later: Role, role: Role
) -> None:
    root, anna = office.first(), office.add("anna", maker)
    secret = create_token(office.people, anna, "export", token).secret
    change_role(office.people, root, "anna", later)
    assert principal_of_token(office.people, secret).role is role


def test_a_token_rests_while_who_made_it_is_disabled(office: Office) -> None:
    root, anna = office.first(), office.add("anna", ADMINISTRATOR)
    secret = create_token(office.people, anna, "export", VIEWER).secret
    disable_user(office.people, root, "anna")
    with pytest.raises(TokenRefused, match="'export' was made by anna, who is disabled"):
        principal_of_token(office.people, secret)
    enable_user(office.people, root, "anna")
    principal_of_token(office.people, secret)


@pytest.mark.parametrize(
    ("name", "days", "error"),
    [
        ("", 90, InvalidName),
        ("a\nb", 90, InvalidName),
        ("export", 0, InvalidOption),
        ("export", -1, InvalidOption),
        ("export", 367, InvalidOption),
        ("export", 10**12, InvalidOption),
    ],
)
def test_a_token_needs_a_name_and_an_end(office: Office, name: str, days: int, error: type[CrosstieError]) -> None:
    with pytest.raises(error):
        create_token(office.people, SYSTEM, name, VIEWER, days=days)
    assert list_tokens(office.people, SYSTEM) == []


def test_it_is_known_to_five_minutes_when_a_token_was_used(office: Office) -> None:
    secret = create_token(office.people, SYSTEM, "export", VIEWER).secret
    minutes: list[float | None] = []
    for _ in range(7):
        used = list_tokens(office.people, SYSTEM)[0].last_used
        minutes.append(None if used is None else (used - START).total_seconds() / 60)
        principal_of_token(office.people, secret)
        office.clock.go(minutes=2)
    assert minutes == [None, 0, 0, 0, 6, 6, 6]
