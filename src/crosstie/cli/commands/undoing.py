"""`undo`: takes back what a job, or single entries of the history, have done."""

from typing import TYPE_CHECKING

import click

from crosstie.cli.commands.synchronising import NO_PLAN_THERE, print_as_document, print_in_words, watching
from crosstie.cli.failing import FAILED_RECORDS
from crosstie.cli.invocation import Command, current, in_session, leave, opened_home
from crosstie.cli.leaving import print_left
from crosstie.cli.results import exit_code, report_document
from crosstie.cli.terminal import safe, say
from crosstie.model.errors import InvalidOption

if TYPE_CHECKING:
    from crosstie.app.session import Session
    from crosstie.app.undoing import Undone


@click.command("undo", cls=Command)
@click.argument("job", type=click.IntRange(min=1), required=False)
@click.option("--entry", "entries", type=click.IntRange(min=1), multiple=True, metavar="ID", help="May be repeated.")
@click.option("--force", is_flag=True, help="Go on where a guard would stop; look at the plan first.")
@click.option("--dry-run", is_flag=True, help="Print what would be put back, field by field, and write nothing.")
@click.option("--background", is_flag=True, help="Leave it to a worker, and say which job it is.")
def undo_(job: int | None, entries: tuple[int, ...], force: bool, dry_run: bool, background: bool) -> None:
    """Take back what JOB did, or what single entries of the history tell, where nobody has touched it since.

    Values are put back, what was created is deleted, what was deleted comes back, couplings that were set up go and the
    other way round. What was touched since stays, each record with the reason. The undo is a job itself, and can be
    undone.

    \b
    crosstie jobs CUSTOMER
    crosstie undo 41 --dry-run
    crosstie undo 41
    crosstie undo --entry 1207
    """
    from crosstie.app.undoing import undo

    if background:
        if dry_run:
            raise InvalidOption(NO_PLAN_THERE, next_step="Leave --dry-run or --background away.")
        if job is None or entries:
            raise InvalidOption(
                "Only a whole job is undone in the background.", next_step="Name the job, and no entry."
            )
        _leave_to_worker(job, force=force)
        return
    with watching(dry_run=dry_run) as watcher:

        async def work(session: "Session") -> "Undone":
            return await undo(
                session, job, entries=entries, dry_run=dry_run, forced=force, observer=watcher, begin=watcher.begin
            )

        done = in_session(work)
    if current().json:
        print_as_document(
            dry_run,
            undone={"job": done.job, "entries": done.entries},
            mappings=[report_document(done.report)],
            rows=done.rows,
            rows_total=done.rows_total,
            left=done.left,
            left_total=done.left_total,
        )
    else:
        if dry_run:
            _print_couplings(done)
        print_in_words([done.report], dry_run=dry_run)
        print_left(done.left, done.left_total)
    leave(FAILED_RECORDS if done.left_total else exit_code([done.report]))


def _leave_to_worker(job: int, *, force: bool) -> None:
    from crosstie.app.jobs import enqueue
    from crosstie.app.undoing import undo_size
    from crosstie.cli.commands.jobs import show_queued

    async def mapping_of(session: "Session") -> str | None:
        return undo_size(session, job).mapping

    mapping = in_session(mapping_of)
    with opened_home() as home:
        show_queued(home, enqueue(home, "undo", {"mapping": mapping, "job": job, "force": force}))


def _print_couplings(done: "Undone") -> None:
    """Print which pairs would be coupled again: what is to be written to records, the plan has shown already."""
    for row in done.rows:
        if row.outcome.value == "coupled":
            say(f"{safe(row.mapping)}: {safe(row.name)} would be coupled again as before")
