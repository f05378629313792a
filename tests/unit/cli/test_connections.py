"""`connection`: adding, testing, switching and removing; and that secrets stay where they are."""

from pathlib import Path
from typing import Any

import pytest

from crosstie.app.connecting import PreflightFinding
from crosstie.app.views import ConnectionTest, ConnectionView
from crosstie.model.connections import Connection, SystemKind
from crosstie.model.errors import UnknownConnection
from crosstie.model.records import CheckFinding, Side
from tests.unit.cli.conftest import Crosstie

PASSED = ConnectionTest(name="bc", passed=True, findings=[CheckFinding("Address", True, "answers")])
FAILED = ConnectionTest(
    name="bc", passed=False, findings=[CheckFinding("Sign-in", False, "refused", "Check the secret.")]
)
ADD = ("connection", "add", "bc", "--kind", "business_central", "--address", "https://host/v2.0/prod/api/v2.0/")


def added(crosstie: Crosstie) -> Connection:
    found: Connection = crosstie.calls[0][1][1]
    return found


def test_a_connection_is_put_together_from_the_options(crosstie: Crosstie, tmp_path: Path) -> None:
    crosstie.answer("connections.add_connection", PASSED)
    ca = tmp_path / "ca.pem"
    ca.write_text("x")
    more = ("--tenant-id", "t", "--client-id", "c", "--company", "CRONUS", "--ca", str(ca), "--secret-stdin")
    settings = ("--setting", 'limits={"concurrency": 2}', "--setting", "scope=https://x/.default")
    assert crosstie.run(*ADD, *more, *settings, input="s3cret\n").exit_code == 0
    assert added(crosstie) == Connection(
        name="bc",
        kind=SystemKind.BUSINESS_CENTRAL,
        address="https://host/v2.0/prod/api/v2.0/",
        tenant_id="t",
        client_id="c",
        secret="s3cret",
        settings={
            "limits": {"concurrency": 2},
            "scope": "https://x/.default",
            "company": "CRONUS",
            "ca": str(ca.resolve()),
        },
    )
    assert crosstie.calls[0][2] == {"check": True}


def test_the_secret_may_come_from_the_environment(crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSTIE_SECRET", "from outside")
    crosstie.answer("connections.add_connection", PASSED)
    assert crosstie.run(*ADD, "--token-url", "http://t", "--no-check").exit_code == 0
    assert added(crosstie).secret == "from outside"
    assert added(crosstie).token_url == "http://t"
    assert crosstie.calls[0][2] == {"check": False}


def test_a_person_is_asked_for_the_secret_without_showing_it(
    crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosstie.cli.commands.connections.can_ask", lambda: True)
    crosstie.answer("connections.add_connection", PASSED)
    result = crosstie.run(*ADD, input="typed\n")
    assert added(crosstie).secret == "typed"
    assert "typed" not in result.output


@pytest.mark.parametrize("more", [(), ("--secret-stdin",)])
def test_without_a_secret_nothing_is_stored(crosstie: Crosstie, more: tuple[str, ...]) -> None:
    crosstie.answer("connections.add_connection", PASSED)
    error = crosstie.json(*ADD, *more, code=2)["error"]
    assert error["code"] == "invalid-connection"
    assert "--secret-stdin" in error["next_step"]
    assert crosstie.calls == []


def test_there_is_no_option_that_would_show_a_secret_to_everybody(crosstie: Crosstie) -> None:
    assert crosstie.json(*ADD, "--secret", "x", code=2)["error"]["code"] == "usage"


@pytest.mark.parametrize("setting", ["limits", "=5", ""])
def test_a_setting_has_name_and_value(crosstie: Crosstie, setting: str) -> None:
    assert crosstie.json(*ADD, "--setting", setting, code=2)["error"]["code"] == "invalid-option"


def test_a_failed_test_names_what_failed_and_ends_with_3(crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSTIE_SECRET", "s")
    for use_case, args, outcome in (
        ("connections.add_connection", ADD, "bc: failed. Not stored."),
        ("connections.test_connection", ("connection", "test", "bc"), "bc: failed."),
    ):
        crosstie.answer(use_case, FAILED)
        result = crosstie.run(*args)
        assert result.exit_code == 3
        assert result.stdout.splitlines() == [
            "FAILED  Sign-in  refused",
            "        Next step: Check the secret.",
            outcome,
        ]


def test_the_document_of_a_test(crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSTIE_SECRET", "s")
    findings = [{"name": "Address", "passed": True, "detail": "answers", "next_step": "", "code": ""}]
    crosstie.answer("connections.test_connection", PASSED)
    assert crosstie.json("connection", "test", "bc") == {"name": "bc", "passed": True, "findings": findings}
    crosstie.answer("connections.add_connection", PASSED)
    assert crosstie.json(*ADD) == {"name": "bc", "passed": True, "findings": findings, "stored": True}


def test_everything_that_two_systems_need_is_checked_at_once(crosstie: Crosstie) -> None:
    good = PreflightFinding(code="clock", side=Side.LOCAL, connection="bc", passed=True, words="1 s behind")
    bad = PreflightFinding(
        code="base-currency", side=Side.REMOTE, connection="dv", passed=False, words="No EUR.", fix="Create EUR."
    )
    crosstie.answer("connecting.check_connections", [good, bad])
    result = crosstie.run("connection", "check")
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "ok      bc  clock  1 s behind",
        "FAILED  dv  base-currency  No EUR.",
        "        Next step: Create EUR.",
        "1 of 2 checks failed.",
    ]
    assert crosstie.json("connection", "check", code=3)["passed"] is False
    crosstie.answer("connecting.check_connections", [good])
    assert crosstie.run("connection", "check").stdout.splitlines()[-1] == "All 1 checks passed."


VIEW = ConnectionView(
    name="bc",
    kind="business_central",
    address="https://host",
    tenant_id="t",
    client_id="c",
    settings={"company": "CRONUS"},
    environment="e",
    enabled=False,
    paused_reason="copied",
)


def test_the_list_of_connections(crosstie: Crosstie) -> None:
    crosstie.answer("connections.list_connections", [VIEW])
    assert crosstie.run("connection", "list").stdout.splitlines()[1].split() == [
        "bc",
        "business_central",
        "https://host",
        "CRONUS",
        "c",
        "disabled:",
        "copied",
    ]
    (row,) = crosstie.json("connection", "list")["connections"]
    assert row["enabled"] is False
    assert "secret" not in row


def test_an_empty_list_says_how_to_begin(crosstie: Crosstie) -> None:
    crosstie.answer("connections.list_connections", [])
    assert "connection add" in crosstie.run("connection", "list").stdout


@pytest.mark.parametrize(("command", "done"), [("enable", "enabled"), ("disable", "disabled")])
def test_a_connection_is_switched(crosstie: Crosstie, command: str, done: str) -> None:
    crosstie.answer(f"connections.{command}_connection", None)
    assert crosstie.run("connection", command, "bc").stdout == f"bc: {done}.\n"
    assert crosstie.json("connection", command, "bc") == {"connection": "bc", "done": done}
    assert crosstie.calls[0][1][1] == "bc"


# --- remove -----------------------------------------------------------------------------------------------


def test_removing_needs_a_yes_where_nobody_can_be_asked(crosstie: Crosstie) -> None:
    crosstie.answer("connections.remove_connection", None)
    error = crosstie.json("connection", "remove", "bc", code=2)["error"]
    assert "--yes" in error["next_step"]
    assert crosstie.calls == []
    assert crosstie.run("connection", "remove", "bc", "--yes", "--force").exit_code == 0
    assert crosstie.calls[0][2] == {"forced": True}


@pytest.mark.parametrize(("answer", "called"), [("y\n", 1), ("n\n", 0)])
def test_a_person_is_asked_before_removing(
    crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch, answer: str, called: int
) -> None:
    monkeypatch.setattr("crosstie.cli.asking.can_ask", lambda: True)
    crosstie.answer("connections.remove_connection", None)
    assert crosstie.run("connection", "remove", "bc", input=answer).exit_code == 0
    assert len(crosstie.calls) == called


def test_a_name_that_is_none_is_refused(crosstie: Crosstie) -> None:
    error: Any = UnknownConnection("There is no connection 'x'; there are: bc.")
    crosstie.answer("connections.test_connection", error)
    assert crosstie.json("connection", "test", "x", code=2)["error"]["code"] == "unknown-connection"
