"""`sandbox`: Business Central and Dataverse on this machine."""

import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from crosstie.cli.invocation import Command, current, opened_home
from crosstie.model.errors import InvalidOption

if TYPE_CHECKING:
    from crosstie.sandbox.launch import Sandbox

_PORT = click.IntRange(0, 65535)


class _Stopped(BaseException):
    """Somebody wants the sandbox to end."""


@click.command("sandbox", cls=Command)
@click.option("--data", metavar="SET", help="demo (as without it), empty, or generate:N.")
@click.option("--connect", is_flag=True, help="Also store both connections and the standard mappings in the home.")
@click.option("--seed", type=int, metavar="N", help="Another set of generated records.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the databases here. Without --data, a used folder goes on with what it has.",
)
@click.option("--port-business-central", type=_PORT, default=0, metavar="PORT", help="A free one unless given.")
@click.option("--port-dataverse", type=_PORT, default=0, metavar="PORT", help="A free one unless given.")
def sandbox_(
    data: str | None,
    connect: bool,
    seed: int | None,
    folder: Path | None,
    port_business_central: int,
    port_dataverse: int,
) -> None:
    """Run Business Central and Dataverse on this machine until interrupted.

    When both are ready, one line of JSON holds their addresses and credentials.
    """
    ports = {"business_central": port_business_central, "dataverse": port_dataverse}
    with until_stopped(), started(data, folder, ports, seed) as sandbox:
        mappings = _connect(sandbox) if connect else None
        _announce(sandbox, mappings)
        threading.Event().wait()


@contextmanager
def until_stopped() -> Iterator[None]:
    """Run the block until it ends or somebody interrupts or terminates the process; both are an orderly end."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise _Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Stopped:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def started(
    data: str | None, folder: Path | None, ports: dict[str, int] | None = None, seed: int | None = None
) -> "Iterator[Sandbox]":
    """Serve both systems beside this thread. Raises InvalidOption for data sets, folders and ports that cannot be."""
    from crosstie.sandbox.launch import DataError, LaunchError, running_sandbox

    try:
        with running_sandbox(data, folder, ports, seed) as sandbox:
            yield sandbox
    except (DataError, LaunchError) as error:
        raise InvalidOption(f"The sandbox cannot start: {error}.") from error


def _connect(sandbox: "Sandbox") -> list[str]:
    """Store both connections and the standard mappings in the home; return the mappings' names."""
    import asyncio

    from crosstie.app.connections import connect_pair, pair_from_sandbox

    with opened_home() as home:
        # The sandbox takes its certificates with it when it ends; the connections outlive it.
        ca = shutil.copy(str(sandbox.info()["ca"]), home.folder / "sandbox-ca.pem")
        return asyncio.run(connect_pair(home, *pair_from_sandbox({**sandbox.info(), "ca": str(ca)})))


def _announce(sandbox: "Sandbox", mappings: list[str] | None) -> None:
    from crosstie.cli.documents import print_document

    print_document(sandbox.info())
    sys.stdout.flush()
    if current().json:
        return
    click.echo(f"Business Central  {sandbox.business_central.api}", err=True)
    click.echo(f"Dataverse         {sandbox.dataverse.api}", err=True)
    if mappings is not None:
        click.echo(f"Connected. Mappings: {', '.join(mappings)}.", err=True)
    click.echo("Ctrl-C ends it.", err=True)
