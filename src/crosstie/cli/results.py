"""Results of jobs: counters by mapping and direction, and each record that failed, in words and as documents."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crosstie.cli.failing import FAILED_RECORDS
from crosstie.cli.terminal import Column, print_table, safe, say

if TYPE_CHECKING:
    from crosstie.engine.context import Failure, Report
    from crosstie.model.jobs import Counters

_COUNTERS = ("inserted", "modified", "deleted", "unchanged", "skipped", "failed", "coupled", "uncoupled")
_COLUMNS: tuple[Column | str, ...] = ("Mapping", "Direction", *(Column(name.title(), right=True) for name in _COUNTERS))


def exit_code(reports: "Sequence[Report]") -> int:
    """Return the exit code that the reports amount to: whether every record came through."""
    return FAILED_RECORDS if any(report.failed or report.failures for report in reports) else 0


def report_document(report: "Report") -> dict[str, Any]:
    """Return a report as documents carry it."""
    return {
        "mapping": report.mapping,
        "job_id": report.job_id,
        "to_remote": report.to_remote,
        "from_remote": report.from_remote,
        "failed_records": report.failures,
        "message": report.message,
    }


def print_reports(reports: "Sequence[Report]") -> None:
    """Print the counters of all reports in one table, and below it the records that failed."""
    rows = [row for report in reports for row in _rows(report)]
    if rows:
        print_table(_COLUMNS, rows)
    for report in reports:
        if report.message:
            say(f"{report.mapping}: {safe(report.message)}")
    for report in reports:
        _print_failures(report)


def _rows(report: "Report") -> Iterator[tuple[object, ...]]:
    directions = (("to remote", report.to_remote), ("from remote", report.from_remote))
    moved = [(words, counters) for words, counters in directions if any(_figures(counters))]
    if not moved:
        yield (report.mapping, "nothing to do", *[0] * len(_COUNTERS))
    for words, counters in moved:
        yield (report.mapping, words, *_figures(counters))


def _figures(counters: "Counters") -> list[int]:
    return [getattr(counters, name) for name in _COUNTERS]


def _print_failures(report: "Report") -> None:
    if not report.failures and not report.failed:
        return
    say()
    say(f"Failed in {report.mapping}:" if not report.dry_run else f"Would fail in {report.mapping}:")
    for failure in report.failures:
        _print_failure(failure)
    unnamed = report.failed - len(report.failures)
    if unnamed > 0:
        say(f"  and {unnamed:,} more: see `crosstie problems {report.mapping}`.")


def _print_failure(failure: "Failure") -> None:
    say(f"  {safe(failure.name)}  {failure.code}: {safe(failure.words)}")
    if failure.next_step:
        say(f"    Next step: {safe(failure.next_step)}")
