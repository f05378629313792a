"""Coming in by one-time links, on both databases and with the clock moved."""

from datetime import timedelta

import pytest

from crosstie.app.people.joining import (
    WEB_ADDRESS,
    first_administrator_link,
    invite,
    join,
    link_address,
    list_invitations,
    open_link,
    password_link,
    withdraw_invitation,
)
from crosstie.app.people.sessions import principal_of_session
from crosstie.app.people.signing_in import sign_in
from crosstie.app.people.users import change_role, disable_user, enable_user, list_users
from crosstie.model.errors import (
    CrosstieError,
    Forbidden,
    InvalidLink,
    InvalidName,
    NameTaken,
    SignInNeeded,
    SignInRefused,
    UnknownUser,
    UsageError,
    WeakPassword,
)
from crosstie.model.people import SYSTEM, Issued, LinkPurpose, Role, SignIn
from tests.unit.people.conftest import PASSWORD, START, Office
from tests.unit.store.test_races import THREADS, at_once

OTHER = "another long password"


# --- the first administrator ------------------------------------------------------------------------------


def test_the_first_start_gives_a_link_that_makes_an_administrator_who_is_signed_in(office: Office) -> None:
    link = first_administrator_link(office.people)
    assert link is not None
    assert (link.item.purpose, link.item.name) == (LinkPurpose.FIRST_ADMINISTRATOR, None)
    issued = join(office.people, link.secret, PASSWORD, name=" Root ", address="192.0.2.9")
    root = principal_of_session(office.people, issued.secret, address="192.0.2.9")
    assert (root.name, root.role) == ("Root", Role.ADMINISTRATOR)
    assert issued.item.user == list_users(office.people, root)[0]
    assert issued.item.user.last_sign_in == START
    assert sign_in(office.people, "root", PASSWORD).item.user.name == "Root"


def test_there_is_no_such_link_once_there_is_an_administrator(office: Office) -> None:
    office.first()
    assert first_administrator_link(office.people) is None


def test_people_who_were_invited_before_do_not_lock_out_the_first_administrator(office: Office) -> None:
    office.add("anna", Role.OPERATOR)
    assert first_administrator_link(office.people) is not None


@pytest.mark.parametrize(("hours", "works"), [(0, True), (23.99, True), (24, False), (48, False)])
def test_the_first_link_works_for_a_day(office: Office, hours: float, works: bool) -> None:
    link = first_administrator_link(office.people)
    assert link is not None
    office.clock.go(hours=hours)
    if works:
        assert open_link(office.people, link.secret) == link.item
        join(office.people, link.secret, PASSWORD, name="root")
        return
    for use in (lambda: open_link(office.people, link.secret), lambda: join(office.people, link.secret, PASSWORD)):
        with pytest.raises(InvalidLink, match="ran out at 2026-11-22 09:30 UTC"):
            use()


def test_each_start_ends_the_link_of_the_one_before(office: Office) -> None:
    old, new = first_administrator_link(office.people), first_administrator_link(office.people)
    assert old is not None
    assert new is not None
    with pytest.raises(InvalidLink, match="not known"):
        join(office.people, old.secret, PASSWORD, name="root")
    join(office.people, new.secret, PASSWORD, name="root")


def joined(results: list[Issued[SignIn] | Exception]) -> list[str]:
    """The names of those who joined; all others got the error of a used link or a taken name."""
    refused = [each for each in results if isinstance(each, Exception)]
    assert all(isinstance(each, InvalidLink | NameTaken) for each in refused), refused
    return [each.item.user.name for each in results if isinstance(each, Issued)]


def test_of_many_who_use_the_first_link_at_once_one_becomes_administrator(office: Office) -> None:
    link = first_administrator_link(office.people)
    assert link is not None
    results = at_once(lambda number: join(office.people, link.secret, PASSWORD, name=f"root {number}"))
    [winner] = joined(results)
    assert [user.name for user in list_users(office.people, SYSTEM)] == [winner]
    with pytest.raises(InvalidLink, match="was used already"):
        join(office.people, link.secret, PASSWORD, name="late")


def test_of_two_first_links_of_two_servers_that_start_at_once_one_counts(office: Office) -> None:
    links = [link for link in at_once(lambda _: first_administrator_link(office.people)) if isinstance(link, Issued)]
    assert len(links) == THREADS
    results = at_once(lambda number: join(office.people, links[number].secret, PASSWORD, name=f"root {number}"))
    assert len(joined(results)) == 1
    assert len(list_users(office.people, SYSTEM)) == 1


# --- invitations ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_who_is_invited_joins_with_the_name_and_the_role_of_the_invitation(office: Office, role: Role) -> None:
    root = office.first()
    invited = invite(office.people, root, " Anna ", role)
    assert (invited.item.name, invited.item.role, invited.item.created_by) == ("Anna", role, "root")
    assert list_invitations(office.people, root) == [invited.item]
    user = join(office.people, invited.secret, PASSWORD).item.user
    assert (user.name, user.role) == ("Anna", role)
    assert list_invitations(office.people, root) == []


def test_an_invitation_is_for_one_name(office: Office) -> None:
    secret = invite(office.people, SYSTEM, "Anna", Role.VIEWER).secret
    with pytest.raises(InvalidName, match="link is for Anna, not for 'ben'"):
        join(office.people, secret, PASSWORD, name="ben")
    assert join(office.people, secret, PASSWORD, name="anna").item.user.name == "Anna"


@pytest.mark.parametrize(("days", "works"), [(6.99, True), (7, False)])
def test_an_invitation_works_for_a_week(office: Office, days: float, works: bool) -> None:
    invited = invite(office.people, SYSTEM, "anna", Role.VIEWER)
    office.clock.go(days=days)
    assert bool(list_invitations(office.people, SYSTEM)) is works
    if works:
        join(office.people, invited.secret, PASSWORD)
    else:
        with pytest.raises(InvalidLink, match="ran out"):
            join(office.people, invited.secret, PASSWORD)


def test_who_is_invited_again_comes_in_by_the_new_link_only(office: Office) -> None:
    old = invite(office.people, SYSTEM, "Anna", Role.ADMINISTRATOR)
    new = invite(office.people, SYSTEM, "ANNA", Role.VIEWER)
    other = invite(office.people, SYSTEM, "ben", Role.VIEWER)
    with pytest.raises(InvalidLink, match="not known"):
        join(office.people, old.secret, PASSWORD)
    assert join(office.people, new.secret, PASSWORD).item.user.role is Role.VIEWER
    join(office.people, other.secret, PASSWORD)


def test_of_many_who_follow_one_invitation_at_once_one_joins(office: Office) -> None:
    secret = invite(office.people, SYSTEM, "anna", Role.VIEWER).secret
    passwords = [f"password number {number}" for number in range(THREADS)]
    results = at_once(lambda number: join(office.people, secret, passwords[number]))
    assert joined(results) == ["anna"]
    winner = next(number for number, each in enumerate(results) if isinstance(each, Issued))
    sign_in(office.people, "anna", passwords[winner])


def test_a_withdrawn_invitation_opens_nothing(office: Office) -> None:
    secret = invite(office.people, SYSTEM, "anna", Role.VIEWER).secret
    withdraw_invitation(office.people, SYSTEM, "Anna")
    with pytest.raises(InvalidLink):
        join(office.people, secret, PASSWORD)
    with pytest.raises(UnknownUser, match="Nobody is invited as 'anna'"):
        withdraw_invitation(office.people, SYSTEM, "anna")


@pytest.mark.parametrize(
    ("name", "error"), [("Anna", NameTaken), ("ANNA ", NameTaken), ("", InvalidName), ("a\nb", InvalidName)]
)
def test_nobody_is_invited_under_a_name_that_cannot_be(office: Office, name: str, error: type[CrosstieError]) -> None:
    office.add("anna")
    with pytest.raises(error):
        invite(office.people, SYSTEM, name, Role.VIEWER)
    assert list_invitations(office.people, SYSTEM) == []


@pytest.mark.parametrize(
    ("password", "name", "error"),
    [("short", "root", WeakPassword), ("administrator", "Administrator", WeakPassword), (PASSWORD, "", InvalidName)],
)
def test_a_mistake_while_joining_leaves_the_link_for_another_try(
    office: Office, password: str, name: str, error: type[CrosstieError]
) -> None:
    link = first_administrator_link(office.people)
    assert link is not None
    with pytest.raises(error):
        join(office.people, link.secret, password, name=name)
    join(office.people, link.secret, PASSWORD, name="root")


def test_a_name_that_was_taken_meanwhile_leaves_the_link_of_the_first_administrator(office: Office) -> None:
    link = first_administrator_link(office.people)
    assert link is not None
    office.add("root", Role.VIEWER)
    with pytest.raises(NameTaken):
        join(office.people, link.secret, PASSWORD, name="Root")
    join(office.people, link.secret, PASSWORD, name="root 2")


@pytest.mark.parametrize("secret", ["", "x", "x" * 100_000, "\0", "\ud800", "'; DROP TABLE users; --"])
def test_what_is_no_link_is_refused_before_anything_costly_is_done(office: Office, secret: str) -> None:
    office.people.passwords._made = None
    with pytest.raises(InvalidLink, match="not known"):
        join(office.people, secret, PASSWORD, name="root")
    assert office.people.passwords._made is None


@pytest.mark.parametrize("how", ["disabled", "demoted"])
def test_the_invitations_of_an_administrator_who_is_one_no_more_end(office: Office, how: str) -> None:
    root, rogue = office.first(), office.add("rogue", Role.ADMINISTRATOR)
    own = invite(office.people, rogue, "back door", Role.ADMINISTRATOR)
    kept = invite(office.people, root, "anna", Role.VIEWER)
    if how == "disabled":
        disable_user(office.people, root, "rogue")
    else:
        change_role(office.people, root, "rogue", Role.OPERATOR)
    with pytest.raises(InvalidLink):
        join(office.people, own.secret, PASSWORD)
    join(office.people, kept.secret, PASSWORD)


# --- a new password ---------------------------------------------------------------------------------------


def test_a_new_password_by_link_ends_the_old_one_and_all_its_sessions(office: Office) -> None:
    root = office.first()
    office.add("anna", Role.OPERATOR)
    old = sign_in(office.people, "anna", PASSWORD)
    link = password_link(office.people, root, "ANNA")
    assert (link.item.purpose, link.item.name) == (LinkPurpose.NEW_PASSWORD, "anna")
    sign_in(office.people, "anna", PASSWORD)  # works until the link is used
    new = join(office.people, link.secret, OTHER)
    assert principal_of_session(office.people, new.secret).role is Role.OPERATOR
    with pytest.raises(SignInNeeded):
        principal_of_session(office.people, old.secret)
    with pytest.raises(SignInRefused):
        sign_in(office.people, "anna", PASSWORD)
    sign_in(office.people, "anna", OTHER)
    with pytest.raises(InvalidLink, match="was used already"):
        join(office.people, link.secret, PASSWORD)


def test_of_many_who_use_one_link_for_a_password_at_once_one_sets_it(office: Office) -> None:
    office.add("anna")
    secret = password_link(office.people, SYSTEM, "anna").secret
    passwords = [f"password number {number}" for number in range(THREADS)]
    results = at_once(lambda number: join(office.people, secret, passwords[number]))
    assert joined(results) == ["anna"]
    for number, result in enumerate(results):
        if isinstance(result, Issued):
            sign_in(office.people, "anna", passwords[number], address=str(number))
        else:
            with pytest.raises(SignInRefused):
                sign_in(office.people, "anna", passwords[number], address=str(number))


def test_a_new_password_lets_in_at_once_who_had_failed_too_often(office: Office) -> None:
    office.add("anna")
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in(office.people, "anna", "wrong", address="192.0.2.7")
    link = password_link(office.people, SYSTEM, "anna")
    join(office.people, link.secret, OTHER, address="192.0.2.7")
    sign_in(office.people, "anna", OTHER, address="192.0.2.7")


def test_a_link_for_a_password_ends_with_the_next_one_after_a_day_and_with_the_user(office: Office) -> None:
    root = office.first()
    office.add("anna")
    first, second = (password_link(office.people, root, "anna") for _ in range(2))
    with pytest.raises(InvalidLink):
        join(office.people, first.secret, OTHER)
    disable_user(office.people, root, "anna")
    with pytest.raises(UsageError, match=r"anna is disabled\. Enable the user first"):
        password_link(office.people, root, "anna")
    for _ in ("disabled", "enabled again"):
        with pytest.raises(InvalidLink):
            join(office.people, second.secret, OTHER)
        enable_user(office.people, root, "anna")
    late = password_link(office.people, root, "root")
    office.clock.go(days=1)
    with pytest.raises(InvalidLink, match="ran out"):
        join(office.people, late.secret, OTHER)


def test_there_is_no_link_for_a_user_who_is_not_there(office: Office) -> None:
    office.add("ben")
    with pytest.raises(UnknownUser, match=r"There is no user 'anna'; there are: ben\."):
        password_link(office.people, SYSTEM, "anna")


def test_only_administrators_make_links(office: Office) -> None:
    anna = office.add("anna", Role.OPERATOR)
    for call in (
        lambda: invite(office.people, anna, "ben", Role.VIEWER),
        lambda: withdraw_invitation(office.people, anna, "ben"),
        lambda: password_link(office.people, anna, "anna"),
        lambda: list_invitations(office.people, anna),
    ):
        with pytest.raises(Forbidden, match="anna is operator and may not invite people"):
            call()


@pytest.mark.parametrize(
    ("setting", "given", "link"),
    [
        (None, "", "/join/s3cret"),
        ("https://crosstie.example", "", "https://crosstie.example/join/s3cret"),
        ("https://crosstie.example", "http://other:8/x/", "http://other:8/x/join/s3cret"),
    ],
)
def test_a_link_is_written_with_the_address_of_the_server(
    office: Office, setting: str | None, given: str, link: str
) -> None:
    if setting is not None:
        with office.people.store.begin() as unit:
            unit.put_setting(WEB_ADDRESS, setting)
    assert link_address(office.people, "s3cret", address=given) == link


def test_links_are_long_random_and_different(office: Office) -> None:
    secrets = {invite(office.people, SYSTEM, f"user {number}", Role.VIEWER).secret for number in range(20)}
    assert len(secrets) == 20
    assert {len(secret) for secret in secrets} == {43}
    assert START + timedelta(days=7) == list_invitations(office.people, SYSTEM)[0].expires_at
