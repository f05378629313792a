"""The worker beside a server: started with it, replaced when it dies, told to end by the end of its input."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crosstie.api import working
from crosstie.api.working import OwnWorker
from crosstie.app.home import Home, open_home
from crosstie.cli.root import cli

_STAND_IN = """
import os, sys
with open(sys.argv[1], "a") as said:
    said.write(os.environ["CROSSTIE_HOME"] + "|" + os.environ["CROSSTIE_STORE"] + "|begun\\n")
if sys.argv[2] == "dies":
    sys.exit(3)
while os.read(0, 100):
    pass
with open(sys.argv[1], "a") as said:
    said.write("ended\\n")
"""
"""What is started in place of a worker: it says that it begins, and, once its input has ended, that it ends."""


def lines(said: Path) -> list[str]:
    return said.read_text().splitlines() if said.exists() else []


def until(what: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "said"


def stand_in(monkeypatch: pytest.MonkeyPatch, said: Path, behaviour: str) -> None:
    monkeypatch.setattr(working, "_COMMAND", ("-c", _STAND_IN, str(said), behaviour))


def test_it_is_told_where_the_home_is_and_ends_in_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: Path
) -> None:
    stand_in(monkeypatch, said, "lives")
    address = str(tmp_path / "elsewhere.db")
    with open_home(tmp_path / "home", address) as home, OwnWorker(home):
        until(lambda: lines(said))
    assert lines(said) == [f"{tmp_path / 'home'}|{address}|begun", "ended"]


def test_one_that_dies_is_replaced_after_a_pause(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: Path) -> None:
    stand_in(monkeypatch, said, "dies")
    with open_home(tmp_path / "home") as home, OwnWorker(home, first_pause=0.01):
        until(lambda: len(lines(said)) >= 3)
    before = len(lines(said))
    time.sleep(0.3)
    assert len(lines(said)) == before, "none is started any more"


def test_the_password_of_a_store_is_in_no_command_line(tmp_path: Path) -> None:
    with open_home(tmp_path / "home") as home:
        secret = Home(home.folder, home.store, "postgresql://anna:secret@db/crosstie")
        worker = OwnWorker(secret)
    assert not [part for part in worker._command if "secret" in part]
    assert worker._command[0] == sys.executable


@pytest.mark.parametrize(("options", "expected"), [((), True), (("--no-worker",), False)])
def test_a_server_can_leave_jobs_to_other_workers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: tuple[str, ...], expected: bool
) -> None:
    asked: list[bool] = []

    def serve(home: Home, *, worker: bool, **more: object) -> None:
        asked.append(worker)

    monkeypatch.setattr("crosstie.api.serving.serve", serve)
    done = CliRunner().invoke(cli, ["serve", "--home", str(tmp_path), "--log-level", "error", *options])
    assert (done.exit_code, asked) == (0, [expected]), done.output
