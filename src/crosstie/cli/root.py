"""The outermost command: which commands there are, and how a call ends."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from crosstie.cli import failing
from crosstie.cli.invocation import Door, Invocation

_COMMANDS: Mapping[str, str] = {
    "demo": "demo",
    "serve": "serving",
    "sandbox": "sandbox",
    "connection": "connections",
    "mapping": "mappings",
    "candidates": "candidates",
    "couple": "coupling",
    "create": "coupling",
    "sync": "synchronising",
    "differences": "comparing",
    "match": "matching",
    "uncouple": "coupling",
    "records": "records",
    "couplings": "couplings",
    "problems": "looking",
    "retry": "retrying",
    "restore": "restoring",
    "delete": "restoring",
    "jobs": "jobs",
    "worker": "jobs",
    "schedule": "schedules",
    "history": "looking",
    "undo": "undoing",
    "open": "looking",
    "user": "people",
    "token": "tokens",
}
"""Commands in the order of the help, and the module of `crosstie.cli.commands` that each is in."""


class Root(Door):
    """Finds commands when they are called, and turns whatever ends a call into words and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"crosstie.cli.commands.{_COMMANDS[cmd_name]}"), f"{cmd_name}_")
        return found

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run a command line and leave the process with its exit code (DESIGN section 8)."""
        given = list(sys.argv[1:] if args is None else args)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show ends no command
        invocation = Invocation()
        extra |= {"standalone_mode": False, "obj": invocation}
        try:
            code = super().main(given, *rest, **extra)
            sys.stdout.flush()
        except BrokenPipeError:
            code = _pipe_closed()
        except BaseException as error:
            if isinstance(error, SystemExit):
                raise
            invocation.json = invocation.json or failing.asks_for_json(given)
            code = failing.report(error, invocation)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            ctx.exit(_pipe_closed())


def _pipe_closed() -> int:
    """The reader of our output has left, as `head` does: end quietly, as a process does that the signal kills."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return failing.PIPE_CLOSED


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crosstie", prog_name="crosstie", message="%(prog)s %(version)s")
def cli() -> None:
    """Couple records in Business Central and Dataverse, and keep them in step.

    A first look without systems of your own: `crosstie demo`. Or `crosstie sandbox --connect`, and then in another
    terminal `crosstie match CUSTOMER --on E-Mail --dry-run` and `crosstie sync --all --create`.

    Records are named by number, code, name or id. The options below may also stand behind the command.

    \b
    Exit codes: 0 done · 1 finished, with failed records · 2 wrong use
                3 cannot reach a system · 4 stopped by a guard · 130 interrupted
    """
