"""`user` and `token` over a real store: what they show, and that what they make lets somebody in."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crosstie.app.people.acting import People
from crosstie.app.people.joining import WEB_ADDRESS, join
from crosstie.app.people.passwords import Passwords
from crosstie.app.people.signing_in import sign_in
from crosstie.app.people.tokens import principal_of_token
from crosstie.cli.root import cli
from crosstie.model.errors import SignInRefused, TokenRefused
from crosstie.model.people import Role
from crosstie.store import Store, open_store

PASSWORD = "correct horse battery"


@dataclass
class House:
    """A home of its own, the command line over it, and the use cases as the server has them."""

    folder: Path
    store: Store

    @property
    def people(self) -> People:
        return People(self.store, passwords=Passwords(time_cost=1, memory_kib=8, parallelism=1))

    def run(self, *args: str) -> Result:
        return CliRunner().invoke(cli, [*args, "--home", str(self.folder)])

    def json(self, *args: str, code: int = 0) -> Any:
        result = self.run(*args, "--json")
        assert result.exit_code == code, result.output
        assert result.stderr == ""
        return json.loads(result.stdout)

    def add(self, name: str, role: str = "viewer") -> None:
        link = self.json("user", "invite", name, "--role", role)["link"]
        join(self.people, link.rpartition("/")[2], PASSWORD)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new home, to be copied."""
    folder = tmp_path_factory.mktemp("home")
    CliRunner().invoke(cli, ["user", "list", "--home", str(folder)])
    return folder


@pytest.fixture
def house(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.delenv("CROSSTIE_STORE", raising=False)
    monkeypatch.setenv("LOGNAME", "carla")
    shutil.copytree(made, tmp_path / "home")
    store = open_store(tmp_path / "home" / "crosstie.db")
    yield House(tmp_path / "home", store)
    store.close()


# --- user -------------------------------------------------------------------------------------------------


def test_without_users_the_list_says_how_to_begin(house: House) -> None:
    assert "user invite NAME --role administrator" in house.run("user", "list").stdout
    assert house.json("user", "list") == {"users": [], "invitations": []}


def test_an_invitation_is_a_link_that_lets_somebody_in(house: House) -> None:
    result = house.run("user", "invite", "Anna", "--role", "operator", "--address", "https://crosstie.example/")
    link = result.stdout.strip()
    assert link.startswith("https://crosstie.example/join/")
    assert result.stderr.startswith("For Anna (operator), to be used once until 20")
    user = join(house.people, link.rpartition("/")[2], PASSWORD).item.user
    assert (user.name, user.role) == ("Anna", Role.OPERATOR)


def test_an_invitation_is_for_a_viewer_unless_said_otherwise(house: House) -> None:
    made = house.json("user", "invite", "anna")
    assert (made["invitation"]["role"], made["invitation"]["created_by"]) == ("viewer", "carla")


def test_a_link_has_the_address_of_the_server_or_asks_for_it(house: House) -> None:
    result = house.run("user", "invite", "anna")
    assert result.stdout.startswith("/join/")
    assert "--address" in result.stderr
    with house.store.begin() as unit:
        unit.put_setting(WEB_ADDRESS, "http://127.0.0.1:8765")
    result = house.run("user", "invite", "anna")
    assert result.stdout.startswith("http://127.0.0.1:8765/join/")
    assert "--address" not in result.stderr


def test_the_list_shows_users_and_who_is_invited(house: House) -> None:
    house.add("Anna", "administrator")
    house.add("ben")
    house.run("user", "disable", "ben")
    house.run("user", "invite", "dora", "--role", "operator")
    lines = [line.split() for line in house.run("user", "list").stdout.splitlines()]
    assert [line[:3] for line in lines] == [
        ["Name", "Role", "State"],
        ["Anna", "administrator", "enabled"],
        ["ben", "viewer", "disabled"],
        ["dora", "operator", "invited"],
    ]
    document = house.json("user", "list")
    assert [user["name"] for user in document["users"]] == ["Anna", "ben"]
    assert [each["name"] for each in document["invitations"]] == ["dora"]
    assert not {"password", "hash", "secret", "link"} & set("".join(json.dumps(document)).replace('"', " ").split())


def test_a_role_is_changed(house: House) -> None:
    house.add("anna")
    assert house.run("user", "role", "ANNA", "operator").stdout == "anna: operator, enabled.\n"
    assert house.json("user", "role", "anna", "viewer")["role"] == "viewer"


def test_a_user_is_disabled_and_enabled(house: House) -> None:
    house.add("anna")
    assert house.run("user", "disable", "anna").stdout == "anna: viewer, disabled.\n"
    with pytest.raises(SignInRefused):
        sign_in(house.people, "anna", PASSWORD)
    assert house.json("user", "enable", "anna")["disabled"] is False
    sign_in(house.people, "anna", PASSWORD)


def test_an_invitation_is_withdrawn(house: House) -> None:
    house.run("user", "invite", "anna")
    assert house.run("user", "withdraw", "anna").stdout == "anna: invitation withdrawn.\n"
    assert house.json("user", "withdraw", "anna", code=2)["error"]["code"] == "unknown-user"


def test_a_lost_password_is_replaced_by_link(house: House) -> None:
    house.add("anna", "administrator")
    made = house.json("user", "reset-password", "anna", "--address", "https://x")
    assert made["invitation"]["purpose"] == "new_password"
    join(house.people, made["link"].rpartition("/")[2], "another long password")
    sign_in(house.people, "anna", "another long password")


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("user", "role", "anna", "viewer"), "last-administrator"),
        (("user", "disable", "anna"), "last-administrator"),
        (("user", "role", "ben", "viewer"), "unknown-user"),
        (("user", "role", "anna", "king"), "usage"),
        (("user", "invite", "ANNA"), "name-taken"),
        (("user", "invite", ""), "invalid-name"),
        (("user", "reset-password", "ben"), "unknown-user"),
        (("token", "create", "x", "--role", "viewer", "--days", "0"), "invalid-option"),
        (("token", "create", "x"), "usage"),
        (("token", "revoke", "7"), "unknown-token"),
        (("token", "revoke", "seven"), "usage"),
    ],
)
def test_what_cannot_be_done_is_told_by_its_code(house: House, args: tuple[str, ...], code: str) -> None:
    house.add("anna", "administrator")
    assert house.json(*args, code=2)["error"]["code"] == code


def test_what_the_command_line_did_is_in_the_audit_log_under_the_user_of_the_machine(house: House) -> None:
    house.add("anna")
    house.run("user", "role", "anna", "operator")
    with house.store.begin() as unit:
        entry = unit.people.audit(limit=1)[0]
    assert (entry.actor_kind.value, entry.actor, entry.action.value) == ("command_line", "carla", "change_role")


# --- token ------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_lets_a_program_in(house: House) -> None:
    result = house.run("token", "create", "nightly export", "--role", "operator")
    secret = result.stdout.strip()
    assert "Token 1, nightly export (operator), until 20" in result.stderr
    assert principal_of_token(house.people, secret).role is Role.OPERATOR
    made = house.json("token", "create", "load", "--role", "viewer", "--days", "1")
    assert principal_of_token(house.people, made["secret"]).name == "load"
    for listed in (house.run("token", "list").output, json.dumps(house.json("token", "list"))):
        assert secret not in listed
        assert made["secret"] not in listed


def test_the_list_of_tokens_shows_what_each_may_and_until_when(house: House) -> None:
    assert "token create NAME" in house.run("token", "list").stdout
    for name in ("export", "load"):
        house.run("token", "create", name, "--role", "viewer")
    house.run("token", "revoke", "1")
    lines = [line.split() for line in house.run("token", "list").stdout.splitlines()[1:]]
    assert [line[:4] for line in lines] == [["1", "export", "viewer", "revoked"], ["2", "load", "viewer", "active"]]
    assert [line[-1] for line in lines] == ["carla", "carla"]
    assert [each["state"] for each in house.json("token", "list")["tokens"]] == ["revoked", "active"]


def test_a_revoked_token_lets_nobody_in(house: House) -> None:
    secret = house.json("token", "create", "export", "--role", "viewer")["secret"]
    assert house.run("token", "revoke", "1").stdout == "Token 1, export: revoked.\n"
    assert house.json("token", "revoke", "1")["state"] == "revoked"
    with pytest.raises(TokenRefused):
        principal_of_token(house.people, secret)
