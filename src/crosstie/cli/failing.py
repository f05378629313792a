"""How a call that did not work out ends: words and next step for people, a document for programs, an exit code."""

import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

from crosstie.cli.invocation import Invocation
from crosstie.cli.places import commands_of, with_commands
from crosstie.cli.terminal import safe
from crosstie.model.errors import CrosstieError, Unexpected

FAILED_RECORDS = 1
WRONG_USE = 2
INTERRUPTED = 130
PIPE_CLOSED = 141


class Failing(NamedTuple):
    """An error as it is shown."""

    code: str
    words: str
    next_step: str
    details: Mapping[str, Any]
    exit_code: int
    commands: tuple[str, ...] = ()
    """By which the next step is taken."""


def report(error: BaseException, invocation: Invocation) -> int:
    """Show what ended the call and return the exit code: on standard output with `--json`, else on standard error."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return WRONG_USE
    found = describe(error)
    if found.code == "unexpected" and invocation.log_level == "debug":
        traceback.print_exception(error, file=sys.stderr)
    if invocation.json:
        _print_document(found, invocation)
    else:
        click.echo(in_words(found), err=True)
    return found.exit_code


def describe(error: BaseException) -> Failing:
    """Return an error as it is shown, whatever it is."""
    error = _cause(error)
    match error:
        case CrosstieError():
            commands = commands_of(error.taken_at, error.details)
            return Failing(error.code, error.words, error.advice, error.details, error.exit_code, commands)
        case click.Abort() | KeyboardInterrupt():
            words = "Interrupted. What was written until now is recorded."
            return Failing("interrupted", words, "Run the command again; it goes on from there.", {}, INTERRUPTED)
        case click.UsageError():
            return Failing("usage", _sentence(error.format_message()), _help_of(error), {}, WRONG_USE)
        case click.ClickException():
            return Failing("usage", _sentence(error.format_message()), "", {}, WRONG_USE)
        case _:
            words = f"Something went wrong inside Crosstie: {type(error).__name__}: {error}".rstrip(": ")
            return describe(Unexpected(_sentence(words)))


def document(found: Failing) -> dict[str, Any]:
    """Return an error as documents carry it."""
    return {
        "code": found.code,
        "words": found.words,
        "next_step": found.next_step,
        "commands": list(found.commands),
        "details": dict(found.details),
    }


def in_words(found: Failing) -> str:
    """Return an error in two lines: what is wrong, and what to do."""
    lines = [f"Error: {safe(found.words)}"]
    if found.next_step:
        lines.append(f"Next step: {safe(with_commands(found.next_step, found.commands))}")
    return "\n".join(lines)


def asks_for_json(args: Sequence[str]) -> bool:
    """Whether a command line that could not be read asks for JSON all the same."""
    options = args[: args.index("--")] if "--" in args else args
    return "--json" in options


def _cause(error: BaseException) -> BaseException:
    """Return what a group of errors is about: an error of ours before any other, else its first."""
    while isinstance(error, BaseExceptionGroup):
        inner = error.exceptions
        error = next((each for each in inner if isinstance(each, CrosstieError | KeyboardInterrupt)), inner[0])
    return error


def _help_of(error: click.UsageError) -> str:
    return f"See `{error.ctx.command_path} --help`." if error.ctx is not None else "See `crosstie --help`."


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _print_document(found: Failing, invocation: Invocation) -> None:
    from crosstie.cli.documents import print_document

    if invocation.document is not None and invocation.document.begun:
        invocation.document.close(error=document(found))
    else:
        print_document({"error": document(found)})
