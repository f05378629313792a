"""What one call of the command line was told: the options that every command takes."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from crosstie.cli import logs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from crosstie.app.home import Home
    from crosstie.app.session import Session
    from crosstie.cli.documents import StreamedDocument

T = TypeVar("T")


@dataclass(slots=True)
class Invocation:
    """The common options of this call, and the JSON document that it has begun to write, if any."""

    home: Path | None = None
    store: str | None = None
    json: bool = False
    log_level: str = "warning"
    document: "StreamedDocument | None" = None


def current() -> Invocation:
    """Return the common options of the command that runs."""
    return click.get_current_context().ensure_object(Invocation)


def opened_home() -> "AbstractContextManager[Home]":
    """Open the home that the options name."""
    from crosstie.app.home import open_home

    logs.tie()
    invocation = current()
    return open_home(invocation.home, invocation.store)


def in_session(work: "Callable[[Session], Awaitable[T]]") -> T:
    """Open home and systems, run `work`, and close them again. Ctrl-C cancels the work at its next await."""
    import asyncio

    from crosstie.app.session import open_session

    with opened_home() as home:

        async def within() -> T:
            async with open_session(home) as session:
                return await work(session)

        return asyncio.run(within())


def answered_in_json(document: object) -> bool:
    """Print `document` and return True if JSON was asked for."""
    if not current().json:
        return False
    from crosstie.cli.documents import print_document

    print_document(document)
    return True


def leave(code: int) -> NoReturn:
    """End the command with this exit code."""
    click.get_current_context().exit(code)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Note a common option where it was given; one that was not never hides an earlier one."""
    if value not in (None, False) and param.name is not None:
        setattr(ctx.ensure_object(Invocation), param.name, value)


_JSON_HELP = "One JSON document on standard output instead of words."
_LEVELS = ("debug", "info", "warning", "error")


def _common(*, shown: bool) -> list[click.Parameter]:
    kept: Mapping[str, Any] = {"expose_value": False, "callback": _keep}
    hidden: Mapping[str, Any] = {**kept, "hidden": not shown}
    return [
        click.Option(
            ["--home"],
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Folder of store and key. Else CROSSTIE_HOME, else one in your data folder.",
            **hidden,
        ),
        click.Option(
            ["--store"],
            metavar="ADDRESS",
            help="Store: a file, or postgresql://... Else CROSSTIE_STORE, else a file in the home.",
            **hidden,
        ),
        click.Option(
            ["--log-level"],
            type=click.Choice(_LEVELS),
            help="What is logged on standard error, in JSON; warnings unless said otherwise.",
            **hidden,
        ),
        click.Option(["--json"], is_flag=True, help=_JSON_HELP, **kept),
    ]


class Command(click.Command):
    """A command that takes the common options, too, wherever they are written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _common(shown=False)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, with logs as asked for."""
        logs.configure(ctx.ensure_object(Invocation).log_level)
        return super().invoke(ctx)


class Group(click.Group):
    """A group of commands that takes the common options."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _common(shown=False)


class Door(click.Group):
    """The outermost group: shows the common options in its help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _common(shown=True)
