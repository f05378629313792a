"""How things look on a terminal and in a pipe: text that cannot do harm, values, tables."""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

import click

BLANK = "(blank)"
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters, among them the one that begins terminal commands
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of what follows
    "\u2028\u2029\u2060-\u2064\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Column(NamedTuple):
    """A column of a table. Figures stand on the `right`; what is `short` keeps its line on a narrow terminal."""

    title: str
    right: bool = False
    short: bool = False


def safe(text: object) -> str:
    """Return `text` in one line that shows what a terminal would obey: control characters, changes of direction."""
    return _HARMFUL.sub(lambda found: _SHORT.get(found[0]) or found[0].encode("unicode_escape").decode(), str(text))


def value_text(value: object) -> str:
    """Return a field's value as plans and problems show it: texts in quotes, exact numbers, (blank) for nothing."""
    match value:
        case None:
            return BLANK
        case str():
            return f'"{safe(value)}"'
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return format(value, "f")
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case _:
            return safe(value)


def moment(at: datetime | None) -> str:
    """Return a time to the second in UTC, nothing for None."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at is not None else ""


def words_of(name: str) -> str:
    """Return a name of the model in words: never_synchronised is never synchronised."""
    return name.replace("_", " ")


def say(text: str = "") -> None:
    """Print a line."""
    click.echo(text)


def is_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def can_ask() -> bool:
    """Whether a person can be asked: both ways are open."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def print_table(columns: Sequence[Column | str], rows: Iterable[Sequence[object]], *, headed: bool = True) -> None:
    """Print a table: for people fitted to the terminal and without empty columns, for all others in aligned columns.

    A long table comes in parts, of which only the first is `headed`.
    """
    heads = [column if isinstance(column, Column) else Column(column) for column in columns]
    cells = [[safe("" if cell is None else cell) for cell in row] for row in rows]
    if is_terminal():
        _print_fitted(heads, cells, headed)
    else:
        _print_aligned(heads, cells, headed)


def _print_fitted(heads: Sequence[Column], cells: Sequence[Sequence[str]], headed: bool) -> None:
    from rich.console import Console, JustifyMethod
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=headed)
    filled = [at for at in range(len(heads)) if any(row[at] for row in cells)]
    for head in (heads[at] for at in filled):
        justify: JustifyMethod = "right" if head.right else "left"
        table.add_column(Text(head.title), justify=justify, overflow="fold", no_wrap=head.short or head.right)
    for row in cells:
        table.add_row(*(Text(row[at]) for at in filled))
    Console(markup=False, highlight=False, emoji=False).print(table)


def _print_aligned(heads: Sequence[Column], cells: Sequence[Sequence[str]], headed: bool) -> None:
    lines = [[head.title for head in heads], *cells]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(heads))]
    for line in lines if headed else cells:
        padded = [_padded(cell, width, head.right) for cell, width, head in zip(line, widths, heads, strict=True)]
        say("  ".join(padded).rstrip())


def _padded(cell: str, width: int, right: bool) -> str:
    gap = " " * (width - _width(cell))
    return gap + cell if right else cell + gap


def _width(text: str) -> int:
    """Return how many columns a terminal needs for the text: two for each wide character."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
