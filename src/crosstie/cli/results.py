"""Results of jobs: counters by mapping and direction, and each record that failed, in words and as documents."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crosstie.cli.failing import FAILED_RECORDS
from crosstie.cli.terminal import Column, is_terminal, print_table, safe, say

if TYPE_CHECKING:
    from crosstie.engine.context import Failure, Report
    from crosstie.model.jobs import Counters

_SCREEN = 20
"""So many records of one cause are named to a person; a pipe gets all of them."""
_COUNTERS = ("inserted", "modified", "deleted", "unchanged", "skipped", "failed", "coupled", "uncoupled")
_ALWAYS = frozenset({"inserted", "modified", "unchanged", "failed"})
"""Counters that are shown also where they are nought everywhere."""
_NAMES = (Column("Mapping", short=True), Column("Direction", short=True))


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
        names = [name for name in _COUNTERS if name in _ALWAYS or any(getattr(row[2], name) for row in rows)]
        columns = (*_NAMES, *(Column(name.title(), right=True) for name in names))
        print_table(columns, [(*row[:2], *(f"{getattr(row[2], name):,}" for name in names)) for row in rows])
    for report in reports:
        if report.message:
            say(f"{report.mapping}: {safe(report.message)}")
    for report in reports:
        _print_failures(report)


def _rows(report: "Report") -> "Iterator[tuple[str, str, Counters]]":
    """Yield the directions in which anything was counted, or one row that says that nothing was."""
    directions = (("to remote", report.to_remote), ("from remote", report.from_remote))
    moved = [(words, counters) for words, counters in directions if any(getattr(counters, name) for name in _COUNTERS)]
    if not moved:
        yield report.mapping, "nothing to do", report.to_remote
    for words, counters in moved:
        yield report.mapping, words, counters


def _print_failures(report: "Report") -> None:
    """Print the failed records by cause, so that what is true of many is said once."""
    if not report.failures and not report.failed:
        return
    say()
    say(f"{'Would fail' if report.dry_run else 'Failed'} in {report.mapping}:")
    causes: dict[tuple[str, str], list[Failure]] = {}
    for failure in report.failures:
        causes.setdefault((failure.code, failure.next_step), []).append(failure)
    for (code, next_step), failures in causes.items():
        say(f"  {code} ({len(failures):,})" + (f"  Next step: {safe(next_step)}" if next_step else ""))
        shown = failures[:_SCREEN] if is_terminal() else failures
        for failure in shown:
            say(f"    {safe(failure.name)}: {safe(failure.words)}")
        if len(shown) < len(failures):
            say(f"    and {len(failures) - len(shown):,} more: see `crosstie problems {report.mapping}`.")
    unnamed = report.failed - len(report.failures)
    if unnamed > 0:
        say(f"  and {unnamed:,} more: see `crosstie problems {report.mapping}`.")
