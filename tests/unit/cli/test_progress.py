"""Progress: for a person who waits, and for nobody else."""

import sys

import pytest

from crosstie.cli.progress import Progress
from tests.unit.cli.conftest import make_mapping
from tests.unit.cli.values import decision


def watch() -> None:
    with Progress() as progress:
        progress.begin(make_mapping("[bold]CUSTOMER"))
        progress.decided(decision())
        progress.progress(12_000)


def test_nobody_is_told_anything_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    watch()
    assert capsys.readouterr() == ("", "")


def test_a_person_sees_how_far_it_is_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    watch()
    out, err = capsys.readouterr()
    assert out == ""
    assert "[bold]CUSTOMER: 12,000 records" in err
