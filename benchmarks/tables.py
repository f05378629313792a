"""Tables of figures, for a terminal and for a page."""

from collections.abc import Sequence

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A figure to reach, and what was measured."""

    name: str
    wanted: str
    measured: str
    met: bool

    @property
    def verdict(self) -> str:
        return "met" if self.met else "not met"


class Table(msgspec.Struct, kw_only=True):
    """One table. The first column is text, the others are figures."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    words: str = ""
    """What was measured, and how."""
    targets: list[Target] = []


def at_most(name: str, measured: float, limit: float, unit: str = "", digits: int = 2) -> Target:
    """Return the target that a figure is at most `limit`, and by how much it is missed."""
    met = measured <= limit
    missed = "" if met else f" ({measured / limit:.1f} times the limit)"
    return Target(
        name=name,
        wanted=f"at most {limit:g}{unit}",
        measured=f"{measured:.{digits}f}{unit}{missed}",
        met=met,
    )


def number(value: float | None, digits: int = 2) -> str:
    """Return a figure with its thousands set apart; a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def as_text(table: Table) -> str:
    """Return a table as it stands on a terminal."""
    widths = [max(len(row[at]) for row in (table.columns, *table.rows)) for at in range(len(table.columns))]
    lines = [table.title, "=" * len(table.title)]
    lines += [_line(row, widths) for row in (table.columns, ["-" * width for width in widths], *table.rows)]
    lines += [f"  {t.name}: {t.measured}, wanted {t.wanted}: {t.verdict}" for t in table.targets]
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = [
        text.ljust(width) if at == 0 else text.rjust(width)
        for at, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join((first, *rest)).rstrip()


def as_markdown(table: Table) -> str:
    """Return a table as a section of a page."""
    lines = [f"## {table.title}", ""]
    if table.words:
        lines += [table.words, ""]
    lines += ["| " + " | ".join(table.columns) + " |", "|---" + "|--:" * (len(table.columns) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in table.rows]
    if table.targets:
        lines += ["", "| to reach | wanted | measured | |", "|---|---|---|---|"]
        lines += [f"| {t.name} | {t.wanted} | {t.measured} | {t.verdict} |" for t in table.targets]
    return "\n".join((*lines, ""))
