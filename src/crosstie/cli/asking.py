"""Asking: a question before something is removed, where there is a person to ask."""

import click

from crosstie.cli.invocation import current, leave
from crosstie.cli.terminal import can_ask
from crosstie.model.errors import InvalidOption


def confirm(question: str, *, needs_yes: bool = False) -> None:
    """Ask before going on; a no ends the command.

    With `--json`, or without a terminal, nobody can be asked. The command then counts as meant, or, if it
    `needs_yes`, as wrong use: raises InvalidOption.
    """
    if can_ask() and not current().json:
        if not click.confirm(question, err=True):
            click.echo("Nothing was removed.", err=True)
            leave(0)
    elif needs_yes:
        raise InvalidOption(f"{question} There is nobody to ask.", next_step="Give --yes if it is meant.")
