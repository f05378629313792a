"""Who may do what, and changing roles, disabling and enabling users."""

from collections.abc import Callable

import pytest

from crosstie.app.people.acting import command_line, may, require
from crosstie.app.people.auditing import list_audit
from crosstie.app.people.joining import invite, list_invitations, password_link, withdraw_invitation
from crosstie.app.people.tokens import create_token, list_tokens, revoke_token
from crosstie.app.people.users import change_role, disable_user, enable_user, list_users
from crosstie.model.errors import Forbidden, LastAdministrator, SignInNeeded, UnknownUser
from crosstie.model.people import SYSTEM, Permission, Principal, PrincipalKind, Role, User
from tests.unit.people.conftest import Office
from tests.unit.store.test_races import at_once

VIEWER, OPERATOR, ADMINISTRATOR = Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR
NOBODY = Principal(kind=PrincipalKind.NOBODY, name="")


def who(role: Role, kind: PrincipalKind = PrincipalKind.USER) -> Principal:
    return Principal(kind=kind, name="anna", role=role, id=1)


# --- who may ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("permission", Permission)
def test_nobody_may_nothing_and_is_asked_to_sign_in(permission: Permission) -> None:
    assert not may(NOBODY, permission)
    with pytest.raises(SignInNeeded, match="Nobody is signed in"):
        require(NOBODY, permission)


@pytest.mark.parametrize(
    ("by", "permission", "words"),
    [
        (
            who(VIEWER),
            Permission.SYNCHRONISE,
            "anna is viewer and may not synchronise records. Ask an administrator for the role operator.",
        ),
        (
            who(OPERATOR),
            Permission.MANAGE_CONNECTIONS,
            "anna is operator and may not set up connections. Ask an administrator for the role administrator.",
        ),
        (
            who(VIEWER, PrincipalKind.TOKEN),
            Permission.COUPLE,
            "The API token 'anna' is viewer and may not couple, create and match records. "
            "Use a token with the role operator, made by somebody who has that role.",
        ),
        (
            who(ADMINISTRATOR, PrincipalKind.TOKEN),
            Permission.MANAGE_TOKENS,
            "No API token may create, list and revoke API tokens. "
            "Do it signed in as an administrator, or on the command line of the server.",
        ),
    ],
)
def test_who_may_not_is_told_which_role_may(by: Principal, permission: Permission, words: str) -> None:
    with pytest.raises(Forbidden) as caught:
        require(by, permission)
    assert str(caught.value) == words
    assert caught.value.details["permission"] == permission.value
    assert not may(by, permission)


@pytest.mark.parametrize("kind", [PrincipalKind.USER, PrincipalKind.COMMAND_LINE, PrincipalKind.SYSTEM])
@pytest.mark.parametrize("permission", Permission)
def test_an_administrator_may_everything(kind: PrincipalKind, permission: Permission) -> None:
    require(who(ADMINISTRATOR, kind), permission)


def test_a_token_of_an_administrator_may_all_but_make_itself_successors() -> None:
    token = who(ADMINISTRATOR, PrincipalKind.TOKEN)
    refused = {permission for permission in Permission if not may(token, permission)}
    assert refused == {Permission.MANAGE_PEOPLE, Permission.MANAGE_TOKENS}


def test_the_command_line_is_the_user_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "carla")
    assert command_line() == Principal(kind=PrincipalKind.COMMAND_LINE, name="carla", role=ADMINISTRATOR)

    def no_such_user() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", no_such_user)
    assert command_line().name.isdigit()


CALLS: dict[str, Callable[[Office, Principal], object]] = {
    "list users": lambda office, by: list_users(office.people, by),
    "change role": lambda office, by: change_role(office.people, by, "ben", OPERATOR),
    "disable": lambda office, by: disable_user(office.people, by, "ben"),
    "enable": lambda office, by: enable_user(office.people, by, "ben"),
    "invite": lambda office, by: invite(office.people, by, "carla", VIEWER),
    "list invitations": lambda office, by: list_invitations(office.people, by),
    "withdraw": lambda office, by: withdraw_invitation(office.people, by, "dora"),
    "password link": lambda office, by: password_link(office.people, by, "ben"),
    "create token": lambda office, by: create_token(office.people, by, "export", VIEWER),
    "list tokens": lambda office, by: list_tokens(office.people, by),
    "revoke token": lambda office, by: revoke_token(office.people, by, 1),
    "audit log": lambda office, by: list_audit(office.people, by),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_for_administrators_is_refused_to_everybody_else_and_changes_nothing(office: Office, call: str) -> None:
    office.add("ben")
    invite(office.people, SYSTEM, "dora", VIEWER)
    create_token(office.people, SYSTEM, "first", VIEWER)

    def state() -> object:
        return (
            list_users(office.people, SYSTEM),
            list_invitations(office.people, SYSTEM),
            list_tokens(office.people, SYSTEM),
        )

    before = state()
    for by in (who(VIEWER), who(OPERATOR)):
        with pytest.raises(Forbidden):
            CALLS[call](office, by)
    with pytest.raises(SignInNeeded):
        CALLS[call](office, NOBODY)
    assert state() == before
    CALLS[call](office, who(ADMINISTRATOR, PrincipalKind.COMMAND_LINE))


# --- changing users ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("former", Role)
def test_a_role_is_changed_into_every_other(office: Office, former: Role, role: Role) -> None:
    root = office.first()
    office.add("Anna", former)
    assert change_role(office.people, root, "anna", role).role is role
    assert {user.name: user.role for user in list_users(office.people, root)} == {"Anna": role, "root": ADMINISTRATOR}


def test_a_disabled_user_is_enabled_again_as_it_was(office: Office) -> None:
    root = office.first()
    anna = office.add("anna", OPERATOR)
    before = list_users(office.people, root)
    assert disable_user(office.people, root, "ANNA").disabled
    assert disable_user(office.people, root, "anna").disabled
    assert enable_user(office.people, root, "anna") == next(user for user in before if user.id == anna.id)
    assert list_users(office.people, root) == before


LEAVE: dict[str, Callable[[Office, Principal, str], User]] = {
    "disabled": lambda office, by, name: disable_user(office.people, by, name),
    "operator": lambda office, by, name: change_role(office.people, by, name, OPERATOR),
    "viewer": lambda office, by, name: change_role(office.people, by, name, VIEWER),
}


@pytest.mark.parametrize("how", LEAVE)
@pytest.mark.parametrize(
    ("others", "refused"),
    [
        ([], True),
        ([("anna", OPERATOR, False)], True),
        ([("anna", ADMINISTRATOR, True)], True),
        ([("anna", ADMINISTRATOR, False)], False),
        ([("anna", ADMINISTRATOR, True), ("ben", ADMINISTRATOR, False)], False),
    ],
    ids=["alone", "with an operator", "with a disabled one", "with another", "with one enabled and one disabled"],
)
def test_the_last_administrator_stays(
    office: Office, how: str, others: list[tuple[str, Role, bool]], refused: bool
) -> None:
    root = office.first()
    for name, role, disabled in others:
        office.add(name, role)
        if disabled:
            disable_user(office.people, root, name)
    if refused:
        with pytest.raises(LastAdministrator, match="root is the last administrator"):
            LEAVE[how](office, root, "Root")
        assert require(root, Permission.MANAGE_PEOPLE) is None
        assert not list_users(office.people, SYSTEM)[-1].disabled
    else:
        LEAVE[how](office, root, "root")


def test_the_last_administrator_may_become_administrator_and_stay_enabled(office: Office) -> None:
    root = office.first()
    change_role(office.people, root, "root", ADMINISTRATOR)
    enable_user(office.people, root, "root")


@pytest.mark.parametrize("how", LEAVE)
def test_of_administrators_who_all_leave_at_once_one_stays(office: Office, how: str) -> None:
    names = [office.first("user 0").name, *(office.add(f"user {number}", ADMINISTRATOR).name for number in range(1, 6))]
    results = at_once(lambda number: LEAVE[how](office, SYSTEM, names[number]))
    refused = [each for each in results if isinstance(each, Exception)]
    assert [type(each) for each in refused] == [LastAdministrator]
    left = [u for u in list_users(office.people, SYSTEM) if u.role is ADMINISTRATOR and not u.disabled]
    assert [user.name for user in left] == [names[results.index(refused[0])]]


@pytest.mark.parametrize("call", ["change role", "disable", "enable", "password link"])
def test_an_unknown_name_is_told_with_the_names_there_are(office: Office, call: str) -> None:
    for number in range(22):
        office.add(f"user {number:02}")
    with pytest.raises(UnknownUser, match=r"no user 'ben'; there are: user 00, .*, user 19 and 2 more\."):
        CALLS[call](office, SYSTEM)
