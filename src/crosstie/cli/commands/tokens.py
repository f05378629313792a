"""`token`: API tokens for programs."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from crosstie.cli.commands.people import ROLES
from crosstie.cli.invocation import Group, answered_in_json, opened_home
from crosstie.cli.terminal import Column, moment, print_table, safe, say

if TYPE_CHECKING:
    from crosstie.model.people import ApiToken

_COLUMNS = (
    Column("No.", right=True),
    "Name",
    Column("Role", short=True),
    "State",
    Column("Until", short=True),
    Column("Last used", short=True),
    "Made by",
)


@click.group("token", cls=Group)
def token_() -> None:
    """API tokens: for programs that call the REST API."""


@token_.command("list")
def list_() -> None:
    """List the tokens, also those that have ended lately. A token itself is never shown again."""
    from crosstie.app.people.acting import People, command_line
    from crosstie.app.people.tokens import list_tokens

    with opened_home() as home:
        found = list_tokens(People(home.store), command_line())
    if answered_in_json({"tokens": [_document(token) for token in found]}):
        return
    if found:
        print_table(_COLUMNS, [_row(token) for token in found])
    else:
        say("No tokens yet. `crosstie token create NAME --role viewer` makes one.")


@token_.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What the token may do.")
@click.option("--days", type=int, default=90, show_default=True, metavar="N", help="It ends after so many: 1 to 366.")
def create(name: str, role: str, days: int) -> None:
    """Make a token, NAME being what it is for, and show it this once.

    A program sends it with each request as `Authorization: Bearer TOKEN`.
    """
    from crosstie.app.people.acting import People, command_line
    from crosstie.app.people.tokens import create_token
    from crosstie.model.people import Role

    with opened_home() as home:
        issued = create_token(People(home.store), command_line(), name, Role(role), days=days)
    if answered_in_json({"secret": issued.secret, "token": _document(issued.item)}):
        return
    say(issued.secret)
    token = issued.item
    words = f"Token {token.id}, {safe(token.name)} ({token.role}), until {moment(token.expires_at)}."
    click.echo(f"{words} It is shown this once: keep it where secrets are kept.", err=True)


@token_.command()
@click.argument("number", type=int)
def revoke(number: int) -> None:
    """End the token of that NUMBER at once."""
    from crosstie.app.people.acting import People, command_line
    from crosstie.app.people.tokens import revoke_token

    with opened_home() as home:
        token = revoke_token(People(home.store), command_line(), number)
    if not answered_in_json(_document(token)):
        say(f"Token {token.id}, {safe(token.name)}: revoked.")


def _document(token: "ApiToken") -> dict[str, object]:
    names = ("id", "name", "role", "created_by", "created_at", "expires_at", "last_used", "revoked_at")
    return {"state": _state(token), **{name: getattr(token, name) for name in names}}


def _state(token: "ApiToken") -> str:
    return token.state(datetime.now(UTC)).value


def _row(token: "ApiToken") -> tuple[object, ...]:
    until, used = moment(token.expires_at), moment(token.last_used)
    return f"{token.id}", token.name, token.role, _state(token), until, used, token.created_by
