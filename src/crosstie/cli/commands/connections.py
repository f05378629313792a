"""`connection`: how the systems are reached."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crosstie.cli.asking import confirm
from crosstie.cli.invocation import Group, answered_in_json, leave, opened_home
from crosstie.cli.progress import Progress
from crosstie.cli.terminal import Column, can_ask, print_table, safe, say
from crosstie.model.errors import InvalidConnection, InvalidOption

if TYPE_CHECKING:
    from crosstie.app.views import ConnectionTest, ConnectionView

_CANNOT_REACH = 3
_COLUMNS = (Column("Name", short=True), "Kind", "Address", "Company", "Client id", "State")


@click.group("connection", cls=Group)
def connection_() -> None:
    """Connections: kind, address and credentials of each system."""


@connection_.command("list")
def list_() -> None:
    """List the connections. Secrets are never shown."""
    from crosstie.app.connections import list_connections

    with opened_home() as home:
        found = list_connections(home)
    if answered_in_json({"connections": found}):
        return
    if found:
        print_table(_COLUMNS, [_row(view) for view in found])
    else:
        say("No connections yet. Add two with `crosstie connection add`, or try `crosstie sandbox --connect`.")


@connection_.command()
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(["business_central", "dataverse"]), help="Which system it is.")
@click.option("--address", required=True, metavar="URL", help="Root of the API, as in https://.../api/v2.0.")
@click.option("--tenant-id", default="", metavar="ID", help="Tenant of the application.")
@click.option("--client-id", default="", metavar="ID", help="The application's id.")
@click.option(
    "--secret-stdin", is_flag=True, help="Read the secret from standard input; else from CROSSTIE_SECRET, else asked."
)
@click.option("--token-url", default="", metavar="URL", help="Where tokens are issued. Else the tenant's own place.")
@click.option("--company", metavar="NAME", help="Company by name or id (Business Central).")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Trust this authority's file.")
@click.option("--setting", "settings", multiple=True, metavar="NAME=VALUE", help="Any other setting; may be repeated.")
@click.option("--no-check", is_flag=True, help="Store it untested.")
def add(
    name: str,
    kind: str,
    address: str,
    tenant_id: str,
    client_id: str,
    secret_stdin: bool,
    token_url: str,
    company: str | None,
    ca: Path | None,
    settings: tuple[str, ...],
    no_check: bool,
) -> None:
    """Test a connection and store it as NAME; one of that name is replaced.

    The secret is taken from standard input, the environment or a question, never from an argument, where every
    user of the machine could read it.
    """
    given = _settings(settings) | {
        key: value for key, value in (("company", company), ("ca", str(ca.resolve()) if ca else None)) if value
    }
    secret = _secret(name, secret_stdin)
    from crosstie.app.connections import add_connection
    from crosstie.model.connections import Connection, SystemKind

    connection = Connection(
        name=name,
        kind=SystemKind(kind),
        address=address,
        tenant_id=tenant_id,
        client_id=client_id,
        secret=secret,
        token_url=token_url,
        settings=given,
    )
    import asyncio

    with opened_home() as home, Progress() as progress:
        progress.step(f"Testing {safe(name)}")
        test = asyncio.run(add_connection(home, connection, check=not no_check))
    _show_test(test, "Stored." if test.passed else "Not stored.", stored=test.passed)


@connection_.command("test")
@click.argument("name")
def test_(name: str) -> None:
    """Test address, sign-in, rights, company and clock of a connection."""
    import asyncio

    from crosstie.app.connections import test_connection

    with opened_home() as home, Progress() as progress:
        progress.step(f"Testing {safe(name)}")
        test = asyncio.run(test_connection(home, name))
    _show_test(test, "")


@connection_.command()
def check() -> None:
    """Check both enabled connections with all that the mappings need: rights, currencies, clocks, tables.

    Nothing is written in either system.
    """
    import asyncio

    from crosstie.app.connecting import check_connections

    with opened_home() as home, Progress() as progress:
        progress.step("Checking both systems")
        found = asyncio.run(check_connections(home))
    passed = all(each.passed for each in found)
    if not answered_in_json({"passed": passed, "findings": found}):
        for each in found:
            result = "FAILED" if not each.passed else "WARN  " if each.warning else "ok    "
            say(f"{result}  {safe(each.connection)}  {safe(each.code)}  {safe(each.words)}".rstrip())
            if each.fix:
                say(f"        Next step: {safe(each.fix)}")
        failed = sum(not each.passed for each in found)
        say(f"{failed} of {len(found)} checks failed." if failed else f"All {len(found)} checks passed.")
    leave(0 if passed else _CANNOT_REACH)


@connection_.command()
@click.argument("name")
def enable(name: str) -> None:
    """Use a connection again, once its test has passed."""
    import asyncio

    from crosstie.app.connections import enable_connection

    with opened_home() as home, Progress() as progress:
        progress.step(f"Testing {safe(name)}")
        asyncio.run(enable_connection(home, name))
    _show_done(name, "enabled")


@connection_.command()
@click.argument("name")
def disable(name: str) -> None:
    """Stop using a connection. Couplings stay."""
    from crosstie.app.connections import disable_connection

    with opened_home() as home:
        disable_connection(home, name)
    _show_done(name, "disabled")


@connection_.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody can be asked.")
@click.option("--force", is_flag=True, help="Remove it although records are coupled through it.")
def remove(name: str, yes: bool, force: bool) -> None:
    """Forget a connection and its secret."""
    if not yes:
        confirm(f"Remove the connection {safe(name)} and its secret?", needs_yes=True)
    from crosstie.app.connections import remove_connection

    with opened_home() as home:
        remove_connection(home, name, forced=force)
    _show_done(name, "removed")


def _settings(given: tuple[str, ...]) -> dict[str, Any]:
    """Return settings by name; values are JSON where they read as JSON, else text."""
    import json

    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InvalidOption(f"{text!r} is no setting.", next_step="Write --setting NAME=VALUE.", setting=text)
        try:
            found[name.strip()] = json.loads(value)
        except ValueError:
            found[name.strip()] = value
    return found


def _secret(name: str, from_stdin: bool) -> str:
    """Return the secret from standard input, the environment or a question that does not show the answer."""
    if from_stdin:
        secret = sys.stdin.readline().strip()
    elif from_environment := os.environ.get("CROSSTIE_SECRET"):
        secret = from_environment
    elif can_ask():
        secret = click.prompt(f"Secret of {safe(name)}", hide_input=True, err=True)
    else:
        secret = ""
    if not secret:
        raise InvalidConnection(
            f"The connection {name} has no secret.",
            next_step="Give it on standard input with --secret-stdin, or in CROSSTIE_SECRET.",
            field="secret",
        )
    return secret


def _show_test(test: "ConnectionTest", outcome: str, **facts: object) -> None:
    if not answered_in_json({"name": test.name, "passed": test.passed, "findings": test.findings, **facts}):
        for finding in test.findings:
            say(f"{'ok    ' if finding.passed else 'FAILED'}  {safe(finding.name)}  {safe(finding.detail)}".rstrip())
            if not finding.passed and finding.next_step:
                say(f"        Next step: {safe(finding.next_step)}")
        say(f"{safe(test.name)}: {'passed' if test.passed else 'failed'}. {outcome}".rstrip())
    leave(0 if test.passed else _CANNOT_REACH)


def _show_done(name: str, done: str) -> None:
    if not answered_in_json({"connection": name, "done": done}):
        say(f"{safe(name)}: {done}.")


def _row(view: "ConnectionView") -> tuple[object, ...]:
    return (
        view.name,
        view.kind,
        view.address,
        view.settings.get("company"),
        view.client_id,
        _state(view),
    )


def _state(view: "ConnectionView") -> str:
    if not view.enabled:
        return f"disabled: {view.paused_reason}".rstrip(": ")
    return f"paused: {view.paused_reason}" if view.paused_reason else "enabled"
