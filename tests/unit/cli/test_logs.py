"""Logs: JSON lines on standard error, quiet, without secrets."""

import json
import logging

import pytest
import structlog

from crosstie.cli import logs
from tests.unit.cli.conftest import Crosstie


@pytest.mark.parametrize(
    ("level", "lines"),
    [("debug", ["a", "b", "c", "d"]), ("info", ["b", "c", "d"]), ("warning", ["c", "d"]), ("error", ["d"])],
)
def test_the_level_decides_what_is_logged(capsys: pytest.CaptureFixture[str], level: str, lines: list[str]) -> None:
    logs.configure(level)
    log = logging.getLogger("crosstie.engine")
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    out, err = capsys.readouterr()
    assert out == ""
    assert [json.loads(line)["event"] for line in err.splitlines()] == lines


def test_others_are_heard_only_when_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug")
    logging.getLogger("sqlalchemy.engine").info("SELECT secret")
    logging.getLogger("aiohttp").warning("odd")
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert (found["event"], found["level"], found["logger"]) == ("odd", "warning", "aiohttp")
    assert found["timestamp"].endswith("Z")


def test_structlog_speaks_through_the_same_lines_and_keeps_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    structlog.get_logger("crosstie.jobs").info("connected", client_secret="s3cret", name="bc")
    out, err = capsys.readouterr()
    assert out == ""
    found = json.loads(err)
    assert (found["event"], found["name"], found["client_secret"]) == ("connected", "bc", "(not logged)")
    assert "s3cret" not in err


def test_an_error_is_logged_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("crosstie").exception("failed")
    assert "ValueError: odd" in json.loads(capsys.readouterr().err)["exception"]


def test_configuring_again_doubles_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logs.configure("info")
    logging.getLogger("crosstie").info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_option_sets_the_level(crosstie: Crosstie) -> None:
    def noisy(home: object) -> list[object]:
        logging.getLogger("crosstie.app").info("looking")
        return []

    crosstie.answer("mappings.list_mappings", noisy)
    assert crosstie.run("mapping", "list").stderr == ""
    assert json.loads(crosstie.run("mapping", "list", "--log-level", "info").stderr)["event"] == "looking"
