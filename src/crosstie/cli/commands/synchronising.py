"""`sync`: what changed, named records, or everything; or the plan of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import click

from crosstie.cli.failing import Failing, describe, in_words
from crosstie.cli.failing import document as error_document
from crosstie.cli.invocation import Command, current, in_session, leave, opened_home
from crosstie.cli.progress import Progress
from crosstie.cli.results import exit_code, print_reports, report_document
from crosstie.cli.terminal import say
from crosstie.model.errors import (
    CrosstieError,
    InvalidOption,
    MissingPrivilege,
    StoreError,
    SystemFailure,
    SystemRefused,
    UnknownMapping,
)
from crosstie.model.places import Place

if TYPE_CHECKING:
    from crosstie.app.session import Session
    from crosstie.engine.context import Report
    from crosstie.model.decisions import Decision
    from crosstie.model.mappings import Mapping

NO_PLAN_THERE = "A plan is not made in the background."
_OF_ONE_TABLE = (MissingPrivilege, SystemRefused)
"""Failures of a system that concern a mapping's table; with any other one, no mapping can go on."""


class Wish(NamedTuple):
    """What the command was asked for."""

    mapping: str | None
    records: tuple[str, ...]
    direction: str | None
    full: bool
    create: bool
    dry_run: bool
    force: bool


class Outcome(NamedTuple):
    """The reports of the mappings that were gone through, and the errors of those that could not be."""

    reports: "list[Report]"
    errors: list[tuple[str, Failing]]


class Watcher(Protocol):
    """Is told whose records follow, and then what is decided."""

    def begin(self, mapping: "Mapping") -> None: ...

    def decided(self, decision: "Decision") -> None: ...

    def progress(self, done: int) -> None: ...


@click.command("sync", cls=Command)
@click.argument("mapping", required=False)
@click.argument("records", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All enabled mappings, each after those it depends on.")
@click.option(
    "--direction",
    type=click.Choice(["to_remote", "from_remote", "merge"]),
    help="Whose values win where the sides differ: send, get, or (as without it) merge field by field.",
)
@click.option("--full", is_flag=True, help="Look at every record of the mapping, not only at what changed.")
@click.option("--create", is_flag=True, help="Also create and couple the partner of what has none.")
@click.option("--dry-run", is_flag=True, help="Print the plan field by field and write nothing.")
@click.option("--force", is_flag=True, help="Go on where a guard would stop the job; look at the plan first.")
@click.option("--background", is_flag=True, help="Leave it to a worker, and say which job it is.")
def sync_(
    mapping: str | None,
    records: tuple[str, ...],
    every: bool,
    direction: str | None,
    full: bool,
    create: bool,
    dry_run: bool,
    force: bool,
    background: bool,
) -> None:
    """Bring coupled records in step: what changed in MAPPING, the RECORDS named, or --all.

    Edits of different fields on the two sides merge; the same field edited on both sides is a conflict. Named
    records are found on either side by number, code, name or id.

    \b
    crosstie sync CUSTOMER                          what changed
    crosstie sync CUSTOMER 10000 30000 --dry-run    the plan for two records
    crosstie sync CUSTOMER 10000 --direction to_remote
    crosstie sync --all --create                    every mapping; what has no partner gets one
    """
    if every and (mapping or records):
        raise InvalidOption("Give a mapping or --all, not both.", next_step="Leave one of them away.")
    if not every and not mapping:
        raise InvalidOption("Say what to synchronise.", next_step="Name a mapping, or give --all.")
    wish = Wish(mapping, records, direction, full, create, dry_run, force)
    if background:
        _leave_to_worker(wish)
        return
    with watching(dry_run=dry_run) as watcher:
        outcome = in_session(lambda session: _go_through(session, wish, watcher))
    if current().json:
        _print_as_document(outcome, dry_run)
    else:
        _print_in_words(outcome, dry_run)
    leave(outcome.errors[0][1].exit_code if outcome.errors else exit_code(outcome.reports))


def _leave_to_worker(wish: Wish) -> None:
    if wish.dry_run:
        raise InvalidOption(NO_PLAN_THERE, next_step="Leave --dry-run or --background away.")
    from crosstie.app.jobs import enqueue
    from crosstie.cli.commands.jobs import show_queued

    arguments = {name: value for name, value in wish._asdict().items() if name != "dry_run"}
    with opened_home() as home:
        show_queued(home, enqueue(home, "synchronise", arguments))


@contextmanager
def watching(*, dry_run: bool) -> Iterator[Watcher]:
    """Give the observer of a job: it shows the plan of a dry run, else how far the job is."""
    if not dry_run:
        with Progress() as progress:
            yield progress
        return
    from crosstie.cli.plan import PlanAsDocument, PlanInWords

    if current().json:
        from crosstie.cli.documents import StreamedDocument

        current().document = document = StreamedDocument("plan")
        yield PlanAsDocument(document)
    else:
        yield PlanInWords()


def print_as_document(dry_run: bool, **rest: Any) -> None:
    """Print a job's document, or end the one that the plan has begun."""
    document = current().document
    if document is not None:
        document.close(dry_run=dry_run, **rest)
    else:
        from crosstie.cli.documents import print_document

        print_document({"dry_run": dry_run, **rest})


async def _go_through(session: "Session", wish: Wish, watcher: Watcher) -> Outcome:
    """Synchronise the mappings one after the other; one that cannot be worked with does not stop the others."""
    from crosstie.app.synchronising import synchronise
    from crosstie.model.decisions import Preference

    outcome = Outcome([], [])
    for mapping in _wanted(session, wish.mapping):
        watcher.begin(mapping)
        try:
            outcome.reports.extend(
                await synchronise(
                    session,
                    mapping.name,
                    wish.records,
                    direction=Preference(wish.direction) if wish.direction else None,
                    full=wish.full,
                    create=wish.create,
                    dry_run=wish.dry_run,
                    forced=wish.force,
                    observer=watcher,
                )
            )
        except CrosstieError as error:
            if wish.mapping is not None:
                raise
            outcome.errors.append((mapping.name, describe(error)))
            if isinstance(error, SystemFailure | StoreError) and not isinstance(error, _OF_ONE_TABLE):
                break
    return outcome


def _wanted(session: "Session", name: str | None) -> "Sequence[Mapping]":
    """Return the mapping named, or all enabled ones in the order in which they depend on each other."""
    if name is not None:
        return [session.mapping(name)]
    from crosstie.engine.planning import order_mappings

    enabled = order_mappings(mapping for mapping in session.mappings() if mapping.enabled)
    if not enabled:
        raise UnknownMapping(
            "There is no enabled mapping.",
            next_step="Enable a mapping, or load the standard ones.",
            place=Place.MAPPING_RESET,
        )
    return enabled


def _print_as_document(outcome: Outcome, dry_run: bool) -> None:
    mappings: list[dict[str, Any]] = [report_document(report) for report in outcome.reports]
    mappings += [{"mapping": name, "error": error_document(error)} for name, error in outcome.errors]
    first = {"error": error_document(outcome.errors[0][1])} if outcome.errors else {}
    print_as_document(dry_run, mappings=mappings, **first)


def print_in_words(reports: "Sequence[Report]", *, dry_run: bool) -> None:
    """Print what jobs did, or what the plans above come to."""
    if dry_run:
        say("What the plan comes to (nothing was written):")
    print_reports(reports)


def _print_in_words(outcome: Outcome, dry_run: bool) -> None:
    print_in_words(outcome.reports, dry_run=dry_run)
    for name, error in outcome.errors:
        click.echo(f"{name}: {in_words(error)}", err=True)
