"""`restore` and `delete`: what becomes of a coupling of which one record is gone."""

from typing import TYPE_CHECKING

import click

from crosstie.cli.asking import confirm
from crosstie.cli.commands.synchronising import print_as_document, print_in_words, watching
from crosstie.cli.failing import FAILED_RECORDS
from crosstie.cli.invocation import Command, current, in_session, leave
from crosstie.cli.leaving import print_left
from crosstie.cli.results import exit_code, report_document
from crosstie.cli.terminal import safe

if TYPE_CHECKING:
    from crosstie.app.restoring import Settled
    from crosstie.app.session import Session


@click.command("restore", cls=Command)
@click.argument("mapping")
@click.argument("records", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Print the plan field by field and write nothing.")
def restore_(mapping: str, records: tuple[str, ...], dry_run: bool) -> None:
    """Create the deleted records of couplings anew from the ones that are left, and couple them again.

    \b
    crosstie problems --code partner-deleted
    crosstie restore CUSTOMER 10000 20000
    """
    from crosstie.app.restoring import restore

    with watching(dry_run=dry_run) as watcher:

        async def work(session: "Session") -> "Settled":
            watcher.begin(session.mapping(mapping))
            return await restore(session, mapping, records, dry_run=dry_run, observer=watcher)

        done = in_session(work)
    _show(done, dry_run=dry_run)


@click.command("delete", cls=Command)
@click.argument("mapping")
@click.argument("records", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody can be asked.")
@click.option("--force", is_flag=True, help="Go on where a guard would stop; look at the plan first.")
@click.option("--dry-run", is_flag=True, help="Print which records would be deleted, and delete none.")
def delete_(mapping: str, records: tuple[str, ...], yes: bool, force: bool, dry_run: bool) -> None:
    """Delete the records that are left of couplings whose other one is gone, and the couplings.

    Records whose partner exists are never deleted. What is deleted stays in the history with its values, and comes back
    with `crosstie undo`.
    """
    if not yes and not dry_run:
        number = f"{len(records)} record{'' if len(records) == 1 else 's'}"
        confirm(f"Delete what is left of {number} of {safe(mapping)}, and the couplings?", needs_yes=True)
    from crosstie.app.restoring import delete

    with watching(dry_run=dry_run) as watcher:

        async def work(session: "Session") -> "Settled":
            watcher.begin(session.mapping(mapping))
            return await delete(session, mapping, records, dry_run=dry_run, forced=force, observer=watcher)

        done = in_session(work)
    _show(done, dry_run=dry_run)


def _show(done: "Settled", *, dry_run: bool) -> None:
    if current().json:
        print_as_document(dry_run, mappings=[report_document(done.report)], left=done.left)
    else:
        print_in_words([done.report], dry_run=dry_run)
        print_left(done.left)
    leave(FAILED_RECORDS if done.left else exit_code([done.report]))
