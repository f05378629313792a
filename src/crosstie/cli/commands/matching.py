"""`match`: match-based coupling, with the reason of every record."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from crosstie.cli.failing import FAILED_RECORDS
from crosstie.cli.invocation import Command, current, in_session, leave
from crosstie.cli.progress import Progress
from crosstie.cli.results import exit_code, print_reports, report_document
from crosstie.cli.terminal import Column, is_terminal, print_table, safe, say, words_of
from crosstie.model.errors import InvalidOption

if TYPE_CHECKING:
    from crosstie.app.session import Session
    from crosstie.engine.matching import MatchReport, MatchRow

_SCREEN = 200
_COLUMNS = (Column("Side", short=True), "Record", "Result")


@click.command("match", cls=Command)
@click.argument("mapping")
@click.option(
    "--on",
    "criteria",
    multiple=True,
    metavar="FIELD,...",
    help="Fields that must all be equal. Repeated: another group, tried for what the groups before left over. "
    "Without it the mapping's own groups.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be coupled and couple nothing.")
@click.option("--create/--no-create", default=None, help="Create the partner of what has no candidate at all.")
@click.option(
    "--synchronise/--no-synchronise",
    "--synchronize/--no-synchronize",
    "synchronise",
    default=None,
    help="Bring what was coupled in step at once.",
)
@click.option(
    "--case-sensitive",
    "case",
    multiple=True,
    metavar="FIELD,...",
    help="Fields whose capitals count; without it those of the mapping.",
)
@click.option("--ignore-case", is_flag=True, help="Capitals count in no field.")
@click.option(
    "--winner",
    type=click.Choice(["to_remote", "from_remote"]),
    help="Whose data wins right after coupling: the local side's is sent, or the remote side's fetched.",
)
def match_(
    mapping: str,
    criteria: tuple[str, ...],
    dry_run: bool,
    create: bool | None,
    synchronise: bool | None,
    case: tuple[str, ...],
    ignore_case: bool,
    winner: str | None,
) -> None:
    """Couple the uncoupled records of MAPPING that match uniquely on both sides.

    Creating, synchronising, capitals and whose data wins are the mapping's own settings unless said here. Local
    records that stay without a partner count as failed; each is shown with the reason.

    \b
    crosstie match CUSTOMER --on E-Mail --on Name,City --dry-run
    crosstie match CUSTOMER --on Name --case-sensitive Name --synchronise --winner from_remote
    """
    if case and ignore_case:
        raise InvalidOption("--case-sensitive and --ignore-case contradict each other.", next_step="Give one of them.")
    if winner and synchronise is False:
        raise InvalidOption("--winner says how to synchronise, --no-synchronise not to.", next_step="Give one of them.")
    groups = [_fields("--on", text) for text in criteria]
    capitals = [name for text in case for name in _fields("--case-sensitive", text)]
    from crosstie.app.matching import match
    from crosstie.model.decisions import Preference

    async def work(session: "Session") -> "MatchReport":
        return await match(
            session,
            mapping,
            groups=groups,
            dry_run=dry_run,
            create=create,
            synchronise=synchronise,
            case_sensitive=capitals if case or ignore_case else None,
            winner=Preference(winner) if winner else None,
        )

    with Progress() as progress:
        progress.step(f"Matching {safe(mapping)}")
        report = in_session(work)
    if current().json:
        _print_as_document(report)
    else:
        _print_in_words(report)
    failed = report.to_remote.failed + report.from_remote.failed
    leave(FAILED_RECORDS if failed else exit_code([report.synchronised] if report.synchronised else []))


def _fields(option: str, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise InvalidOption(
            f"{option} {text!r} names an empty field.", next_step="Separate the fields by single commas.", given=text
        )
    return names


def _print_as_document(report: "MatchReport") -> None:
    from crosstie.cli.documents import StreamedDocument
    from crosstie.engine.matching import explain

    current().document = document = StreamedDocument("records")
    for row in report.rows:
        document.add(_item(row, explain(row, report.groups), report.groups))
    document.close(
        mapping=report.mapping,
        dry_run=report.dry_run,
        job_id=report.job_id,
        groups=report.groups,
        coupled=report.coupled,
        unmatched=report.unmatched,
        local=report.local,
        remote=report.remote,
        to_create=report.to_create,
        to_remote=report.to_remote,
        from_remote=report.from_remote,
        synchronisation=report_document(report.synchronised) if report.synchronised else None,
    )


def _item(row: "MatchRow", words: str, groups: list[list[str]]) -> dict[str, Any]:
    return {
        "side": row.side,
        "id": row.record.id,
        "key": row.record.key,
        "name": row.record.name,
        "reason": row.reason,
        "words": words,
        "matched_on": groups[row.group - 1] if row.group else [],
        "candidates": row.candidates,
        "rivals": row.rivals,
        "found": row.found,
    }


def _print_in_words(report: "MatchReport") -> None:
    rows = list(_told(report))
    shown = rows[:_SCREEN] if is_terminal() else rows
    if shown:
        print_table(_COLUMNS, shown)
    if len(shown) < len(rows):
        say(f"and {len(rows) - len(shown):,} more: all with --json, or in a pipe.")
    for side, counts in (("local", report.local), ("remote", report.remote)):
        told = ", ".join(f"{number:,} {words_of(reason)}" for reason, number in counts.items())
        say(f"{report.mapping}, {side} records: {told or 'none'}.")
    would = "would be " if report.dry_run else ""
    say(f"{report.coupled:,} {would}coupled; {report.unmatched:,} without a unique partner{_created(report)}.")
    if report.synchronised is not None:
        print_reports([report.synchronised])


def _created(report: "MatchReport") -> str:
    """Return how many of those without a partner got a new one; some may have failed."""
    if not report.to_create:
        return ""
    if report.synchronised is None:
        return f", of which {len(report.to_create):,} would be given a new one"
    return f", of which {report.synchronised.to_remote.inserted:,} were given a new one"


def _told(report: "MatchReport") -> Iterator[tuple[str, str, str]]:
    """Yield the rows that say something new: not what was coupled before, and each new pair once."""
    from crosstie.engine.matching import MatchReason, explain
    from crosstie.model.records import Side

    for row in report.rows:
        known = row.reason is MatchReason.ALREADY_COUPLED
        if not known and not (row.side is Side.REMOTE and row.reason is MatchReason.COUPLED):
            yield row.side.value, row.record.words(), explain(row, report.groups)
