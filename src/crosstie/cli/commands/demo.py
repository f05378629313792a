"""`demo`: the main job from end to end, on this machine, in half a minute."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crosstie.cli import logs
from crosstie.cli.commands.sandbox import started, until_stopped
from crosstie.cli.failing import FAILED_RECORDS
from crosstie.cli.invocation import Command, answered_in_json, current, leave
from crosstie.cli.terminal import Column, print_table, safe, say

if TYPE_CHECKING:
    from crosstie.app.demo import DemoReport

_COUNTERS = ("coupled", "inserted", "modified", "unchanged", "failed", "skipped")


@click.command("demo", cls=Command)
@click.option(
    "--once/--stay",
    default=None,
    help="End when the comparison is done (so with --json), or serve the pages to look around (so without it).",
)
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="Of the pages; 8765 if it is free.")
def demo_(once: bool | None, port: int | None) -> None:
    """Couple two systems on this machine, change records on both sides, bring them in step, and serve the pages.

    Starts Business Central and Dataverse with sample data in a folder of its own, which is gone afterwards; homes
    and stores of yours are not touched. Whoever opens the pages on this machine is signed in as administrator.
    """
    from tempfile import TemporaryDirectory

    if once is None:
        once = current().json
    with TemporaryDirectory(prefix="crosstie-demo-") as made:
        folder = Path(made)
        with started("demo", folder / "sandbox") as sandbox:
            report = _run(folder / "home", sandbox.info())
            _show(report)
            if not once:
                with until_stopped():
                    _serve(folder / "home", port)
    leave(0 if report.in_step else FAILED_RECORDS)


def _serve(home_folder: Path, port: int | None) -> None:
    """Serve the pages over the demo's home until somebody ends it."""
    from crosstie.api.serving import Serving, free_port, serve
    from crosstie.app.home import open_home
    from crosstie.web.routing import site

    logs.tie()

    def ready(serving: Serving) -> None:
        address = safe(serving.address)
        click.echo(f"\nLook around: {address}/", err=True)
        click.echo(f"The problems that are left wait for you at {address}/problems", err=True)
        click.echo(f"On the command line: crosstie --home {home_folder} problems", err=True)
        click.echo("Ctrl-C ends it.", err=True)

    with open_home(home_folder, str(home_folder / "crosstie.db")) as home:
        serve(
            home,
            port=free_port() if port is None else port,
            ready=ready,
            log_level="error",
            site=site(welcomes_visitors=True),
        )


def _run(home_folder: Path, sandbox: dict[str, object]) -> "DemoReport":
    import asyncio

    from crosstie.app.demo import run_demo
    from crosstie.app.home import open_home

    def tell(words: str) -> None:
        if not current().json:
            say(safe(words))

    with open_home(home_folder, str(home_folder / "crosstie.db")) as home:
        return asyncio.run(run_demo(home, sandbox, tell))


def _show(report: "DemoReport") -> None:
    if answered_in_json(report):
        return
    columns = (Column("Mapping", short=True), *(Column(name.title(), right=True) for name in _COUNTERS))
    say()
    print_table(columns, [(row.name, *(getattr(row, name) for name in _COUNTERS)) for row in report.mappings])
    requests = ", ".join(f"{number:,} to {name}" for name, number in report.requests.items())
    say(f"Requests: {requests}. {report.seconds:.1f} seconds.")
