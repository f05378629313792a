"""`couple`, `create`, `uncouple`: setting up and removing couplings of records that a person names."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from crosstie.cli.asking import confirm
from crosstie.cli.commands.previewing import show_preview
from crosstie.cli.commands.synchronising import print_as_document, print_in_words, watching
from crosstie.cli.invocation import Command, answered_in_json, current, in_session, leave
from crosstie.cli.leaving import print_left
from crosstie.cli.results import exit_code, print_reports, report_document
from crosstie.cli.terminal import safe, say
from crosstie.model.errors import InvalidOption

if TYPE_CHECKING:
    from crosstie.app.missing import Provided
    from crosstie.app.session import Session
    from crosstie.app.views import CouplingView
    from crosstie.engine.context import Report


def _with_missing(command: Callable[..., None]) -> Callable[..., None]:
    words = "Before that, couple what the records refer to and what is not coupled yet, or create it where it is new."
    return click.option("--with-missing", is_flag=True, help=words)(command)


@click.command("couple", cls=Command)
@click.argument("mapping")
@click.argument("record")
@click.option("--to", required=True, metavar="RECORD", help="The remote record: its key, name or id.")
@click.option(
    "--synchronize",
    "--synchronise",
    "synchronise",
    type=click.Choice(["no", "to_remote", "from_remote"]),
    help="Bring the two in step at once, in this direction; else as the mapping flows, to the remote side first.",
)
@click.option(
    "--choose",
    "choices",
    multiple=True,
    metavar="FIELD=SIDE",
    help="This field takes the value of the local or remote side, or with `leave` differs on. May be repeated; the "
    "others go as --synchronise says.",
)
@click.option("--replace", is_flag=True, help="Let go of the partner that the record has now.")
@_with_missing
@click.option("--dry-run", is_flag=True, help="Show both records side by side, and what would change; couple nothing.")
def couple_(
    mapping: str,
    record: str,
    to: str,
    synchronise: str | None,
    choices: tuple[str, ...],
    replace: bool,
    with_missing: bool,
    dry_run: bool,
) -> None:
    """Couple a local RECORD of MAPPING with a remote one.

    Without synchronising nothing moves until somebody edits one of the two, and then only what was edited.

    \b
    crosstie couple CUSTOMER 10000 --to "Adatum Corporation" --synchronize no
    crosstie couple CUSTOMER 10000 --to "Adatum Corporation" --choose City=remote --choose E-Mail=leave
    """
    from crosstie.app.winners import read_winners

    winners = read_winners(_split(text) for text in choices)
    if dry_run:
        show_preview(mapping, record, to, synchronise, winners)
        return
    from crosstie.app.coupling import SetUp, set_up_coupling

    first: list[Provided] = []

    async def work(session: "Session") -> SetUp:
        if with_missing:
            from crosstie.app.missing import provide_first

            first.extend(await provide_first(session, mapping, [record], to=to, synchronise=synchronise))
        return await set_up_coupling(
            session, mapping, record, to, synchronise=synchronise, replace=replace, winners=winners
        )

    made = in_session(work)
    reports = [made.report] if made.report is not None else []
    done = report_document(made.report) if made.report is not None else None
    if not answered_in_json({"coupling": made.coupling, "synchronisation": done, "first": first}):
        _print_first(first, dry_run=False)
        say(f"Coupled: {_local(made.coupling)} with {_remote(made.coupling)}.")
        print_reports(reports)
    leave(exit_code(reports))


def _split(text: str) -> tuple[str, str]:
    name, _, side = text.rpartition("=")
    return name, side


@click.command("create", cls=Command)
@click.argument("mapping")
@click.argument("records", nargs=-1, required=True)
@click.option("--remote", is_flag=True, help="The records are remote ones; their local partners are created.")
@_with_missing
@click.option("--dry-run", is_flag=True, help="Print the plan field by field and write nothing.")
def create_(mapping: str, records: tuple[str, ...], remote: bool, with_missing: bool, dry_run: bool) -> None:
    """Create the partners of RECORDS on the other side and couple them.

    Records that are coupled already are skipped.

    \b
    crosstie create CUSTOMER 10000 20000
    crosstie create CUSTOMER --remote "Trey Research"
    crosstie create CONTACT CT000012 --with-missing
    """
    from crosstie.app.coupling import create_partners
    from crosstie.model.records import Side

    first: list[Provided] = []
    with watching(dry_run=dry_run) as watcher:

        async def work(session: "Session") -> "Report":
            side = Side.REMOTE if remote else Side.LOCAL
            if with_missing:
                from crosstie.app.missing import provide_first

                first.extend(await provide_first(session, mapping, records, side=side, dry_run=dry_run))
                if not current().json:
                    _print_first(first, dry_run=dry_run)
            watcher.begin(session.mapping(mapping))
            return await create_partners(session, mapping, records, side=side, dry_run=dry_run, observer=watcher)

        report = in_session(work)
    _show(report, dry_run=dry_run, first=first if with_missing else None)


@click.command("uncouple", cls=Command)
@click.argument("mapping")
@click.argument("records", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All couplings of the mapping.")
@click.option("--yes", is_flag=True, help="Do not ask. Without a terminal nobody is asked.")
def uncouple_(mapping: str, records: tuple[str, ...], every: bool, yes: bool) -> None:
    """Remove the couplings of RECORDS, or --all of MAPPING. Both records of a pair stay as they are."""
    if every == bool(records):
        raise InvalidOption("Name the records to uncouple, or give --all.", next_step="Give one of the two.")
    if every and not yes:
        confirm(f"Remove all couplings of {safe(mapping)}? The records stay, and are synchronised no longer.")
    from crosstie.app.coupling import uncouple

    async def work(session: "Session") -> "Report":
        return await uncouple(session, mapping, records, all=every)

    _show(in_session(work), dry_run=False)


def _print_first(first: "Sequence[Provided]", *, dry_run: bool) -> None:
    for each in first:
        if each.left is None:
            what = "created" if each.created else f"coupled with {safe(each.partner)}"
            say(f"First: {each.wait.mapping} {safe(each.name)} {'would be ' if dry_run else ''}{what}.")
    print_left([each.left for each in first if each.left is not None])


def _show(report: "Report", *, dry_run: bool, first: "Sequence[Provided] | None" = None) -> None:
    if current().json:
        more = {} if first is None else {"first": first}
        print_as_document(dry_run, mappings=[report_document(report)], **more)
    else:
        print_in_words([report], dry_run=dry_run)
    leave(exit_code([report]))


def _local(coupling: "CouplingView") -> str:
    return safe(" ".join(part for part in (coupling.local_key, coupling.local_name) if part) or coupling.local_id)


def _remote(coupling: "CouplingView") -> str:
    return safe(" ".join(part for part in (coupling.remote_key, coupling.remote_name) if part) or coupling.remote_id)
