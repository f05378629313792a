"""Text, values and tables on the terminal and in a pipe."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crosstie.cli import terminal
from crosstie.cli.terminal import Column, print_table, safe, value_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Adatum Corporation", "Adatum Corporation"),
        ("[bold]Markup[/bold]", "[bold]Markup[/bold]"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("two\nlines\tand\r", r"two\nlines\tand\r"),
        ("abc\u202edcba", r"abc\u202edcba"),
        ("\u2066isolated\u2069", r"\u2066isolated\u2069"),
        ("\x9b31m", r"\x9b31m"),
        ("\udc80", r"\udc80"),
        ("שלום מרחבה", "שלום מרחבה"),
        ("مرحبا", "مرحبا"),
        ("Café – 東京", "Café – 東京"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("", ""),
    ],
)
def test_text_is_shown_and_never_obeyed(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "(blank)"),
        ("", '""'),
        ("a\x1bb", r'"a\x1bb"'),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), "2026-01-02 03:04:05Z"),
    ],
)
def test_values(value: object, shown: str) -> None:
    assert value_text(value) == shown


ROWS = [("10000", "Adatum [b]", 7), ("20000", "東京\x1b[1m", 1200)]


def test_in_a_pipe_columns_are_aligned_whatever_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("No.", "Name", Column("Count", right=True)), ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "No.    Name         Count",
        "10000  Adatum [b]       7",
        r"20000  東京\x1b[1m   1200",
    ]


def test_later_parts_of_a_table_have_no_heading(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Number", "Name"), [("1", "x")], headed=False)
    assert capsys.readouterr().out.splitlines() == ["1       x"]


def test_on_a_terminal_the_table_holds_the_same_text_and_obeys_no_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    print_table(("No.", "Name", Column("Count", right=True), "Notes"), [(*row, None) for row in ROWS])
    shown = capsys.readouterr().out
    assert "Notes" not in shown
    assert "Adatum [b]" in shown
    assert r"東京\x1b[1m" in shown
    assert "\x1b" not in shown
