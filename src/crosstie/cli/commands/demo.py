"""`demo`: the main job from end to end, on this machine, in half a minute."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
    default=True,
    help="End when the comparison is done (as without it), or keep the systems running to look around.",
)
def demo_(once: bool) -> None:
    """Couple two systems on this machine, change records on both sides, and bring them in step.

    Starts Business Central and Dataverse with sample data in a folder of its own, which is gone afterwards; homes
    and stores of yours are not touched.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="crosstie-demo-") as made:
        folder = Path(made)
        with started("demo", folder / "sandbox") as sandbox:
            report = _run(folder / "home", sandbox.info())
            _show(report)
            if not once:
                click.echo(f"Look around with `crosstie --home {folder / 'home'} couplings CUSTOMER`.", err=True)
                click.echo("Ctrl-C ends it.", err=True)
                with until_stopped():
                    threading.Event().wait()
    leave(0 if report.in_step else FAILED_RECORDS)


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
