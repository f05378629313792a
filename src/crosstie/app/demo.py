"""The demo: two systems coupled, synchronised, changed by somebody else on both sides, and brought in step again."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from crosstie.app.comparing import Comparison, Difference, compare
from crosstie.app.connections import connect_pair, pair_from_sandbox
from crosstie.app.demo_changes import NEW_ACCOUNT, NEW_CUSTOMER, Somebody
from crosstie.app.home import Home
from crosstie.app.matching import match
from crosstie.app.problems import list_problems
from crosstie.app.session import Session, open_session
from crosstie.app.synchronising import synchronise
from crosstie.app.views import ProblemView
from crosstie.engine.candidates import MatchReason
from crosstie.engine.context import Report
from crosstie.model.records import Side

Tell = Callable[[str], None]
_CRITERIA: Mapping[str, Sequence[Sequence[str]]] = {
    "SALESPEOPLE": (("E-Mail",),),
    "CUSTOMER": (("No.",), ("E-Mail", "Name"), ("Name", "Post Code")),
    "VENDOR": (("No.",), ("E-Mail", "Name"), ("Name", "Post Code")),
    "CONTACT": (("E-Mail",), ("First Name", "Surname", "Phone No.")),
}
"""What is matched on; the other mappings bring criteria of their own."""


class MappingFigures(msgspec.Struct, kw_only=True):
    """What all runs of the demo together did to the records of one mapping."""

    name: str
    coupled: int = 0
    inserted: int = 0
    modified: int = 0
    unchanged: int = 0
    failed: int = 0
    skipped: int = 0


class DemoReport(msgspec.Struct, kw_only=True):
    """The outcome of the demo. `differences` holds what the systems, read back, do not agree on."""

    mappings: list[MappingFigures]
    checked_records: int
    checked_fields: int
    differences: list[Difference]
    problems: list[ProblemView]
    in_step: bool
    requests: dict[str, int]
    seconds: float


async def run_demo(home: Home, sandbox: Mapping[str, Any], tell: Tell) -> DemoReport:
    """Run the demo against a running sandbox (its ready line as `sandbox`), telling each step in words.

    `in_step` is true if every coupled record agrees in every mapped field, except where an open problem says why.
    """
    began = time.monotonic()
    figures: dict[str, MappingFigures] = {}
    tell("Connecting Business Central and Dataverse, and loading the standard mappings.")
    names = await connect_pair(home, *pair_from_sandbox(sandbox))
    figures.update((name, MappingFigures(name=name)) for name in names)
    async with open_session(home) as session:
        tell("Matching what both sides have already:")
        await _match(session, figures, tell)
        tell("First synchronisation; what has no partner gets one:")
        await _synchronise(session, figures, tell)
        tell("Now somebody works in both systems:")
        async with Somebody(sandbox) as somebody:
            for words in await somebody.work():
                tell(f"  {words}")
        tell("Synchronising again:")
        await _synchronise(session, figures, tell)
        await _tell_merges(session, tell)
        tell("Synchronising once more, with nothing changed:")
        before, wrote = _requests(session), _writes(session)
        await _synchronise(session, figures, lambda _: None)
        after = _requests(session)
        told = ", ".join(f"{after[name] - before[name]} requests to {name}" for name in after)
        tell(f"  {told}; {_writes(session) - wrote or 'no'} writes.")
        tell("Reading both systems back and comparing every mapped field of every coupled record:")
        comparison = await compare(session, names)
        requests = _requests(session)
    problems = list_problems(home)
    report = DemoReport(
        mappings=list(figures.values()),
        checked_records=comparison.records,
        checked_fields=comparison.fields,
        differences=comparison.differences,
        problems=problems,
        in_step=all(difference.problem is not None for difference in comparison.differences),
        requests=requests,
        seconds=round(time.monotonic() - began, 2),
    )
    _tell_outcome(report, comparison, tell)
    return report


async def _match(session: Session, figures: dict[str, MappingFigures], tell: Tell) -> None:
    for name in figures:
        report = await match(session, name, groups=_CRITERIA.get(name, ()), synchronise=True)
        coupled = report.local.get(MatchReason.COUPLED, 0)
        figures[name].coupled += coupled
        tell(f"  {name}: {coupled} coupled, {sum(report.local.values()) - coupled} without a unique partner.")
        if report.synchronised is not None:
            _add(figures[name], report.synchronised)


async def _synchronise(session: Session, figures: dict[str, MappingFigures], tell: Tell) -> None:
    for report in await synchronise(session, None, create=True):
        _add(figures[report.mapping], report)
        parts = []
        for words, counters in (("to Dataverse", report.to_remote), ("to Business Central", report.from_remote)):
            told = ", ".join(
                f"{number} {counter}"
                for counter in ("inserted", "modified", "deleted", "skipped", "failed")
                if (number := getattr(counters, counter))
            )
            if told:
                parts.append(f"{told} {words}")
        tell(f"  {report.mapping}: {'; '.join(parts) or 'nothing to do'}.")


def _add(figures: MappingFigures, report: Report) -> None:
    for counters in (report.to_remote, report.from_remote):
        for name in ("inserted", "modified", "unchanged", "failed", "skipped"):
            setattr(figures, name, getattr(figures, name) + getattr(counters, name))


async def _tell_merges(session: Session, tell: Tell) -> None:
    """Say what became of the edits of the same record on both sides, and of the new records."""
    with session.store.begin() as unit:
        found = {
            text: unit.couplings.page("CUSTOMER", search=text, limit=1)
            for text in ("Trey Research", NEW_CUSTOMER, NEW_ACCOUNT)
        }
        entries = unit.journal(mapping="CUSTOMER", limit=500)
    for coupling in found["Trey Research"]:
        latest = [entry for entry in entries if entry.coupling_id == coupling.id and entry.changes]
        for entry in latest[:2]:
            side = "Dataverse" if entry.side is Side.REMOTE else "Business Central"
            for change in entry.changes:
                tell(f"  Trey Research: {change.field} {change.before!r} became {change.after!r} in {side}.")
    for text in (NEW_CUSTOMER, NEW_ACCOUNT):
        for coupling in found[text]:
            tell(f"  {text}: created on the other side and coupled ({coupling.local_key}).")


def _requests(session: Session) -> dict[str, int]:
    return {session.systems[side].name: session.systems[side].requests.total for side in (Side.LOCAL, Side.REMOTE)}


def _writes(session: Session) -> int:
    """Return how many records were written, or tried to be, in both systems."""
    counts = [session.systems[side].requests for side in (Side.LOCAL, Side.REMOTE)]
    return sum(count.writes + count.batch_parts for count in counts)


def _tell_outcome(report: DemoReport, comparison: Comparison, tell: Tell) -> None:
    unexplained = [difference for difference in comparison.differences if difference.problem is None]
    tell(f"  {comparison.fields} fields of {comparison.records} coupled records compared.")
    for code, number in sorted(_count(problem.code for problem in report.problems).items()):
        first = next(problem for problem in report.problems if problem.code == code)
        tell(f"  {number} open: {first.words} {first.next_step}")
    for difference in unexplained[:20]:
        tell(f"  DIFFERENT: {difference.record}: {difference.label}: {difference.local!r} / {difference.remote!r}")
    if report.in_step:
        explained = len(comparison.differences)
        tell(
            f"In step. {explained} fields differ, each with an open problem that says why." if explained else "In step."
        )
    else:
        tell(f"NOT in step: {len(unexplained)} fields differ without a problem that says why.")


def _count(codes: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for code in codes:
        counts[code] = counts.get(code, 0) + 1
    return counts
