"""`user`: who can sign in, and the one-time links by which people come in."""

from typing import TYPE_CHECKING

import click

from crosstie.cli.invocation import Group, answered_in_json, opened_home
from crosstie.cli.terminal import Column, moment, print_table, safe, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from crosstie.app.people.acting import People
    from crosstie.model.people import Invitation, Issued, Principal, User

ROLES = ("viewer", "operator", "administrator")
_COLUMNS = (
    Column("Name", short=True),
    Column("Role", short=True),
    "State",
    Column("Last sign-in", short=True),
    Column("Since", short=True),
)
_ADDRESS = click.option(
    "--address", default="", metavar="URL", help="Where browsers reach the server. Else where it was served last."
)


@click.group("user", cls=Group)
def user_() -> None:
    """Users: who can sign in, and with which role.

    Viewers look, operators couple and synchronise, administrators set up.
    """


@user_.command("list")
def list_() -> None:
    """List users and open invitations."""
    from crosstie.app.people.acting import People, command_line
    from crosstie.app.people.joining import list_invitations
    from crosstie.app.people.users import list_users

    with opened_home() as home:
        people, by = People(home.store), command_line()
        users, invitations = list_users(people, by), list_invitations(people, by)
    if answered_in_json({"users": users, "invitations": invitations}):
        return
    if users or invitations:
        print_table(_COLUMNS, [*map(_user_row, users), *map(_invitation_row, invitations)])
    else:
        say("No users yet. `crosstie user invite NAME --role administrator` makes a link for the first one.")


@user_.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What NAME may do.")
@_ADDRESS
def invite(name: str, role: str, address: str) -> None:
    """Make a one-time link by which somebody joins as NAME, good for seven days.

    An earlier invitation of that name ends.
    """
    from crosstie.app.people import joining
    from crosstie.model.people import Role

    _show_link(lambda people, by: joining.invite(people, by, name, Role(role)), address)


@user_.command()
@click.argument("name")
def withdraw(name: str) -> None:
    """End the invitation of NAME."""
    from crosstie.app.people.acting import People, command_line
    from crosstie.app.people.joining import withdraw_invitation

    with opened_home() as home:
        withdraw_invitation(People(home.store), command_line(), name)
    if not answered_in_json({"name": name, "done": "withdrawn"}):
        say(f"{safe(name)}: invitation withdrawn.")


@user_.command("reset-password")
@click.argument("name")
@_ADDRESS
def reset_password(name: str, address: str) -> None:
    """Make a one-time link by which NAME chooses a new password, good for a day.

    The old password works until the link is used; then all sessions of NAME end.
    """
    from crosstie.app.people import joining

    _show_link(lambda people, by: joining.password_link(people, by, name), address)


@user_.command()
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
def role(name: str, role: str) -> None:
    """Give NAME another ROLE, from the next request on."""
    from crosstie.app.people.users import change_role
    from crosstie.model.people import Role

    _show_user(lambda people, by: change_role(people, by, name, Role(role)))


@user_.command()
@click.argument("name")
def disable(name: str) -> None:
    """Let NAME in no more: sessions and links end, tokens that NAME made are refused."""
    from crosstie.app.people.users import disable_user

    _show_user(lambda people, by: disable_user(people, by, name))


@user_.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let NAME in again, with the password and the tokens of before."""
    from crosstie.app.people.users import enable_user

    _show_user(lambda people, by: enable_user(people, by, name))


def _show_link(make: "Callable[[People, Principal], Issued[Invitation]]", address: str) -> None:
    from crosstie.app.people.acting import People, command_line
    from crosstie.app.people.joining import link_address

    with opened_home() as home:
        people = People(home.store)
        issued = make(people, command_line())
        link = link_address(people, issued.secret, address=address)
    if answered_in_json({"link": link, "invitation": issued.item}):
        return
    say(link)
    until = moment(issued.item.expires_at)
    click.echo(f"For {safe(issued.item.name)} ({issued.item.role}), to be used once until {until}.", err=True)
    if link.startswith("/"):
        click.echo("Put the address of the server before it, or give it with --address.", err=True)


def _show_user(change: "Callable[[People, Principal], User]") -> None:
    from crosstie.app.people.acting import People, command_line

    with opened_home() as home:
        user = change(People(home.store), command_line())
    if not answered_in_json(user):
        say(f"{safe(user.name)}: {user.role}, {_state(user)}.")


def _state(user: "User") -> str:
    return "disabled" if user.disabled else "enabled"


def _user_row(user: "User") -> tuple[object, ...]:
    return user.name, user.role, _state(user), moment(user.last_sign_in), moment(user.created_at)


def _invitation_row(invitation: "Invitation") -> tuple[object, ...]:
    state = f"invited until {moment(invitation.expires_at)}"
    return invitation.name, invitation.role, state, "", moment(invitation.created_at)
