"""Writes docs/reference/cli.md: what `--help` says of every command.

Run `python scripts/cli_reference.py` to write the page, with `--check` to see whether it is up to date.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from crosstie.cli.root import cli

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "cli.md"
_WIDTH = 100
_HEAD = """# The command line

Written by `scripts/cli_reference.py` from `crosstie --help` and the help of every command.

Every command takes `--json`: then standard output holds exactly one JSON document, also where something goes wrong
(`{"error": {"code", "words", "next_step", "details"}}`). `--home`, `--store` and `--log-level` may stand before and
behind a command. Errors for people go to standard error; each code has a page under [errors](../errors/).

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | finished, with failed records |
| 2 | wrong use: nothing was done |
| 3 | cannot reach a system, or the store cannot be worked with |
| 4 | stopped by a guard |
| 70 | a fault of Crosstie itself |
| 130 | interrupted |
| 141 | whoever read the output has left |
"""


def render() -> str:
    """Return the page."""
    parts = [_HEAD]
    settings = {**cli.context_settings, "terminal_width": _WIDTH}
    for command, context in commands(cli, click.Context(cli, info_name="crosstie", **settings)):
        parts.append(f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield a command and all below it, each with its context, in the order of the help."""
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from commands(below, click.Context(below, context, info_name=name, terminal_width=_WIDTH))


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` compare it; return the exit code."""
    page = render()
    if "--check" in arguments:
        return 0 if PAGE.exists() and PAGE.read_text() == page else 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
