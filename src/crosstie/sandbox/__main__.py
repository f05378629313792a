"""``python -m crosstie.sandbox``: both systems until interrupted."""

import json
import sys
from pathlib import Path

import click

from crosstie.sandbox.data import DataError
from crosstie.sandbox.launch import LaunchError, Sandbox, run


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", help="demo, empty, or generate:N[:local|:remote]; a used folder keeps what it has without it")
@click.option("--seed", type=int, help="another set of generated records")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="keep databases and certificates here")
@click.option("--port-business-central", type=click.IntRange(0, 65535), default=0, help="0 takes a free one")
@click.option("--port-dataverse", type=click.IntRange(0, 65535), default=0, help="0 takes a free one")
@click.option("--json", "quiet", is_flag=True, help="print the ready line and nothing else")
def main(
    data: str | None,
    seed: int | None,
    folder: Path | None,
    port_business_central: int,
    port_dataverse: int,
    quiet: bool,
) -> None:
    """Business Central and Dataverse on this machine, until interrupted.

    When ready, one line of JSON on standard output holds the addresses and the credentials.
    """
    ports = {"business_central": port_business_central, "dataverse": port_dataverse}
    try:
        sandbox = Sandbox(data, folder, ports, seed)
        run(sandbox, lambda: _announce(sandbox, quiet))
    except (DataError, LaunchError) as error:
        raise click.UsageError(str(error)) from error


def _announce(sandbox: Sandbox, quiet: bool) -> None:
    print(json.dumps(sandbox.info()), flush=True)
    if not quiet:
        print(f"Business Central  {sandbox.business_central.api}", file=sys.stderr)
        print(f"Dataverse         {sandbox.dataverse.api}", file=sys.stderr)
        print("Ctrl-C ends it.", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
