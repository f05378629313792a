"""`retry`: records with problems are looked at again."""

from typing import TYPE_CHECKING

import click

from crosstie.cli.commands.synchronising import print_as_document, watching
from crosstie.cli.failing import FAILED_RECORDS
from crosstie.cli.invocation import Command, current, in_session, leave
from crosstie.cli.leaving import print_left
from crosstie.cli.results import exit_code, print_reports, report_document
from crosstie.cli.terminal import say

if TYPE_CHECKING:
    from crosstie.app.retrying import Retried
    from crosstie.app.session import Session


@click.command("retry", cls=Command)
@click.argument("mapping", required=False)
@click.argument("records", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All records with problems, of MAPPING or of every mapping.")
@click.option("--code", metavar="CODE", help="Those whose problem is of this cause, such as refused or too-long.")
@click.option("--later", is_flag=True, help="Only make them due: the next job takes them along.")
@click.option("--dry-run", is_flag=True, help="Print the plan field by field, write nothing and end no pause.")
def retry_(
    mapping: str | None, records: tuple[str, ...], every: bool, code: str | None, later: bool, dry_run: bool
) -> None:
    """Look again at RECORDS with problems, those of a --code, or --all. Paused ones are no longer paused.

    What fails the same way again is paused again. A record whose partner is deleted waits for a decision: see
    `crosstie restore`, `crosstie delete` and `crosstie uncouple`.

    \b
    crosstie retry CUSTOMER 10000
    crosstie retry --code refused
    crosstie retry --all
    """
    from crosstie.app.retrying import retry

    with watching(dry_run=dry_run) as watcher:

        async def work(session: "Session") -> "Retried":
            if mapping is not None:
                watcher.begin(session.mapping(mapping))
            return await retry(
                session, mapping, records, code=code, all=every, run=not later, dry_run=dry_run, observer=watcher
            )

        done = in_session(work)
    if current().json:
        print_as_document(
            dry_run,
            due=done.due,
            mappings=[report_document(report) for report in done.reports],
            left=done.left,
            left_total=done.left_total,
            deferred=done.deferred,
        )
    else:
        _print_in_words(done, later=later, dry_run=dry_run)
    leave(FAILED_RECORDS if done.left_total else exit_code(done.reports))


def _print_in_words(done: "Retried", *, later: bool, dry_run: bool) -> None:
    records = f"{done.due:,} record{'' if done.due == 1 else 's'}"
    if later:
        say(f"{records} due: the next job looks at {'it' if done.due == 1 else 'them'}.")
    elif dry_run:
        say(f"{records} would be looked at again (nothing was written):")
    else:
        say(f"{records} looked at again.")
    print_reports(done.reports)
    for name in done.deferred:
        say(f"{name}: another job is running; that one, or the next, takes them along.")
    print_left(done.left, done.left_total)
