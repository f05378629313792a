"""Options, errors and exit codes, the same for every command."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crosstie.cli.failing import describe
from crosstie.cli.places import commands_of, with_commands
from crosstie.model.errors import (
    AmbiguousRecord,
    CrosstieError,
    GuardStopped,
    StoreBusy,
    UnknownMapping,
    Unreachable,
)
from tests.unit.cli.conftest import Crosstie

COMMANDS = [
    *("demo", "serve", "sandbox", "connection", "mapping", "candidates", "couple", "create", "sync", "differences"),
    *("match", "uncouple", "records", "couplings", "problems", "retry", "restore", "delete", "jobs", "worker"),
    *("schedule", "history", "undo", "open", "user", "token"),
]


def test_help_names_every_command(crosstie: Crosstie) -> None:
    result = crosstie.run("--help")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.partition("Commands:\n")[2].splitlines()] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_takes_json(crosstie: Crosstie, command: str) -> None:
    result = crosstie.run(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout or "Commands:" in result.stdout


def test_version(crosstie: Crosstie) -> None:
    assert crosstie.run("--version").stdout.startswith("crosstie ")


def test_called_without_a_command_it_shows_the_help_and_counts_as_wrong_use(crosstie: Crosstie) -> None:
    result = crosstie.run()
    assert result.exit_code == 2
    assert "Usage:" in result.output


@pytest.mark.parametrize(
    "args",
    [
        ("--home", "somewhere", "--store", "postgresql://db/x", "mapping", "list"),
        ("mapping", "--home", "somewhere", "--store", "postgresql://db/x", "list"),
        ("mapping", "list", "--home", "somewhere", "--store", "postgresql://db/x"),
        ("--home", "elsewhere", "mapping", "list", "--home", "somewhere", "--store", "postgresql://db/x"),
    ],
)
def test_home_and_store_may_stand_before_and_behind_the_command(crosstie: Crosstie, args: tuple[str, ...]) -> None:
    crosstie.answer("mappings.list_mappings", [])
    assert crosstie.run(*args).exit_code == 0
    assert crosstie.homes == [(Path("somewhere"), "postgresql://db/x")]


@pytest.mark.parametrize("args", [("--json", "jobs"), ("jobs", "--json")])
def test_json_may_stand_before_and_behind_the_command(crosstie: Crosstie, args: tuple[str, ...]) -> None:
    crosstie.answer("history.list_jobs", [])
    assert json.loads(crosstie.run(*args).stdout) == {"jobs": []}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownMapping("There is no mapping 'X'."), 2),
        (Unreachable("Nobody answers at http://127.0.0.1:1."), 3),
        (StoreBusy("The store is busy."), 3),
        (GuardStopped("60 of 80 records would be deleted."), 4),
    ],
)
def test_an_error_tells_what_is_wrong_and_what_to_do(crosstie: Crosstie, error: CrosstieError, code: int) -> None:
    commands = commands_of(error.taken_at, {})
    crosstie.answer("mappings.list_mappings", error)
    result = crosstie.run("mapping", "list")
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr == f"Error: {error.words}\nNext step: {with_commands(error.advice, commands)}\n"
    assert crosstie.json("mapping", "list", code=code) == {
        "error": {
            "code": error.code,
            "words": error.words,
            "next_step": error.advice,
            "commands": list(commands),
            "details": {},
        }
    }


def test_an_error_carries_its_facts(crosstie: Crosstie) -> None:
    error = AmbiguousRecord("'Adatum' names 2 records.", text="Adatum", candidates=["1", "2"], at=Path("x"))
    crosstie.answer("mappings.list_mappings", error)
    details = crosstie.json("mapping", "list", code=2)["error"]["details"]
    assert details == {"text": "Adatum", "candidates": ["1", "2"], "at": "x"}


@pytest.mark.parametrize(
    "args",
    [
        ("no-such-command",),
        ("sync", "CUSTOMER", "--direction", "sideways"),
        ("couple", "CUSTOMER"),
        ("jobs", "--limit", "many"),
        ("--no-such-option",),
    ],
)
def test_wrong_use_is_told_in_the_form_asked_for(crosstie: Crosstie, args: tuple[str, ...]) -> None:
    result = crosstie.run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    error = crosstie.json(*args, code=2)["error"]
    assert error["code"] == "usage"
    assert "--help" in error["next_step"]


def test_what_stands_behind_two_dashes_is_no_option(crosstie: Crosstie) -> None:
    result = crosstie.run("couple", "CUSTOMER", "--", "--json")
    assert result.exit_code == 2
    assert result.stdout == ""


def test_an_unexpected_error_is_short_and_its_place_is_shown_on_demand(crosstie: Crosstie) -> None:
    crosstie.answer("mappings.list_mappings", KeyError("x"))
    result = crosstie.run("mapping", "list")
    assert result.exit_code == 70
    assert "Traceback" not in result.output
    assert "KeyError" in result.stderr
    assert "--log-level debug" in result.stderr
    assert "Traceback" in crosstie.run("--log-level", "debug", "mapping", "list").stderr


def test_an_interruption_ends_with_130_and_a_clean_message(crosstie: Crosstie) -> None:
    crosstie.answer("mappings.list_mappings", KeyboardInterrupt())
    result = crosstie.run("mapping", "list")
    assert result.exit_code == 130
    assert "Interrupted." in result.stderr
    assert "Traceback" not in result.output


def test_the_error_inside_a_group_of_errors_is_the_one_that_is_told() -> None:
    inner = Unreachable("Nobody answers.")
    group = BaseExceptionGroup("tasks", [asyncio.CancelledError(), BaseExceptionGroup("more", [inner])])
    assert describe(BaseExceptionGroup("one", [inner])).code == "unreachable"
    assert describe(ExceptionGroup("two", [ValueError("a"), inner])).code == "unreachable"
    assert describe(group).code == "unexpected"


def test_an_error_cannot_command_the_terminal(crosstie: Crosstie) -> None:
    crosstie.answer("mappings.list_mappings", UnknownMapping("no \x1b[31mred\x1b[0m \u202emapping"))
    result = crosstie.run("mapping", "list")
    assert result.stderr.splitlines()[0] == r"Error: no \x1b[31mred\x1b[0m \u202emapping"


def test_a_reader_that_leaves_early_ends_the_command_quietly(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    script = "from crosstie.cli import main; main()"
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-c", script, "mapping", "--help"], stdout=pipe, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 141
    assert done.stderr == ""
