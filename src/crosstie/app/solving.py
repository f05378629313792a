"""Solving problems that a person has chosen, of one mapping or of many, with what became of each record."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from crosstie.app.coupling import uncouple
from crosstie.app.home import Home
from crosstie.app.jobs import enqueue
from crosstie.app.restoring import delete, restore
from crosstie.app.retrying import retry
from crosstie.app.session import Session
from crosstie.app.synchronising import synchronise
from crosstie.engine.context import Observer, Report
from crosstie.engine.planning import order_mappings
from crosstie.model.decisions import Preference
from crosstie.model.errors import CrosstieError
from crosstie.model.jobs import Job, JournalEntry, Outcome
from crosstie.model.leaving import Left
from crosstie.model.mappings import Mapping
from crosstie.model.problems import Problem, ProblemFilter

_ENTRIES = 1000


class Solution(StrEnum):
    """What a person can do about problems."""

    RETRY = "retry"
    SEND = "send"
    """Synchronise, the local record wins."""
    GET = "get"
    RESTORE = "restore"
    DELETE = "delete"
    UNCOUPLE = "uncouple"


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to a record: on a side, so many fields of it."""

    outcome: Outcome
    side: str | None
    fields: int


class SolvedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one problem. If it is still open, `code`, `words` and `next_step` say what is in the way."""

    mapping: str
    name: str
    local_id: str | None
    remote_id: str | None
    solved: bool
    done: list[Done]
    code: str
    words: str
    next_step: str


class Solved(msgspec.Struct, frozen=True, kw_only=True):
    """What came of problems; `jobs` can be undone."""

    solution: Solution
    jobs: list[int]
    rows: list[SolvedRow]

    @property
    def solved(self) -> int:
        return sum(row.solved for row in self.rows)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What was done under one mapping: reports of jobs, records left as they are, and what kept it from being done."""

    reports: list[Report]
    left: list[Left] = []
    error: CrosstieError | None = None


async def solve(
    session: Session,
    solution: Solution,
    problems: Sequence[Problem],
    *,
    forced: bool = False,
    dry_run: bool = False,
    watch: Callable[[Mapping], Observer] | None = None,
) -> Solved:
    """Do the same about each of the problems, mapping after mapping in dependency order.

    `watch` gives the observer that sees what is decided under a mapping; a dry run writes nothing. What keeps one
    mapping from being done is told with its records. Raises it if there is only one mapping: GuardStopped,
    NothingToDo, InvalidOption, SystemFailure and what else the use case of the solution raises.
    """
    names = {each.mapping for each in problems}
    parts: dict[str, Part] = {}
    for mapping in order_mappings(each for each in session.mappings() if each.name in names):
        ids = records_of(each for each in problems if each.mapping == mapping.name)
        observer = watch(mapping) if watch is not None else None
        try:
            parts[mapping.name] = await _do(session, solution, mapping.name, ids, forced, dry_run, observer)
        except CrosstieError as error:
            if len(names) == 1:
                raise
            parts[mapping.name] = Part(reports=[], error=error)
    jobs = [report.job_id for part in parts.values() for report in part.reports if report.job_id is not None]
    return Solved(solution=solution, jobs=jobs, rows=_rows(session, problems, parts, jobs))


def records_of(problems: Iterable[Problem]) -> list[str]:
    """Return the ids under which problems are kept."""
    return list(dict.fromkeys(each.record[1] for each in problems))


async def _do(
    session: Session,
    solution: Solution,
    mapping: str,
    ids: Sequence[str],
    forced: bool,
    dry_run: bool,
    observer: Observer | None,
) -> Part:
    match solution:
        case Solution.RETRY:
            tried = await retry(session, mapping, ids, dry_run=dry_run, observer=observer)
            return Part(reports=tried.reports, left=tried.left)
        case Solution.SEND | Solution.GET:
            way = Preference.SEND if solution is Solution.SEND else Preference.GET
            found = await synchronise(
                session, mapping, ids, direction=way, dry_run=dry_run, forced=forced, observer=observer
            )
            return Part(reports=found)
        case Solution.RESTORE:
            restored = await restore(session, mapping, ids, dry_run=dry_run, observer=observer)
            return Part(reports=[restored.report], left=restored.left)
        case Solution.DELETE:
            deleted = await delete(session, mapping, ids, dry_run=dry_run, forced=forced, observer=observer)
            return Part(reports=[deleted.report], left=deleted.left)
        case Solution.UNCOUPLE:
            return Part(reports=[] if dry_run else [await uncouple(session, mapping, ids, forced=forced)])


def _rows(
    session: Session, problems: Sequence[Problem], parts: dict[str, Part], jobs: Sequence[int]
) -> list[SolvedRow]:
    with session.store.begin() as unit:
        still = {
            (each.mapping, *each.record): each
            for name in parts
            for each in unit.problems(
                name, records=[p.record for p in problems if p.mapping == name], limit=len(problems)
            )
        }
        entries = [entry for job in jobs for entry in unit.journal(job_id=job, limit=_ENTRIES)]
    told = _by_record(entries)
    return [_row(each, parts, still.get((each.mapping, *each.record)), told) for each in problems]


def _row(
    problem: Problem, parts: dict[str, Part], still: Problem | None, told: dict[tuple[str, str], list[Done]]
) -> SolvedRow:
    part = parts.get(problem.mapping, Part(reports=[]))
    ids = {problem.local_id, problem.remote_id} - {None}
    left = next((each for each in part.left if ids & {each.local_id, each.remote_id}), None)
    why: Any = part.error or left or still
    done = [each for id in sorted(map(str, ids)) for each in told.get((problem.mapping, id), [])]
    return SolvedRow(
        mapping=problem.mapping,
        name=problem.name,
        local_id=problem.local_id,
        remote_id=problem.remote_id,
        solved=still is None,
        done=list(dict.fromkeys(done)),
        code=why.code if why is not None and still is not None else "",
        words=why.words if why is not None and still is not None else "",
        next_step=(part.error.advice if part.error else why.next_step) if why is not None and still is not None else "",
    )


def _by_record(entries: Sequence[JournalEntry]) -> dict[tuple[str, str], list[Done]]:
    """Return what was done by mapping and id of either record; failures are told by the problems."""
    found: dict[tuple[str, str], list[Done]] = {}
    for entry in reversed(entries):
        if entry.outcome in (Outcome.FAILED, Outcome.SKIPPED):
            continue
        done = Done(outcome=entry.outcome, side=entry.side, fields=len(entry.changes))
        for id in {entry.local_id, entry.remote_id} - {None}:
            found.setdefault((entry.mapping, str(id)), []).append(done)
    return found


def solve_later(
    home: Home,
    solution: Solution,
    problems: Sequence[Problem],
    *,
    filter: ProblemFilter | None = None,
    forced: bool = False,
) -> list[Job]:
    """Have a worker do it, a job a mapping; a retry of a whole cause, or of everything, is one job.

    Raises what `enqueue` raises.
    """
    if solution is Solution.RETRY and filter in (ProblemFilter(), ProblemFilter(code=filter.code if filter else None)):
        given: dict[str, Any] = {"code": filter.code} if filter is not None and filter.code else {"all": True}
        return [enqueue(home, "retry", given)]
    jobs = []
    for name in dict.fromkeys(each.mapping for each in problems):
        given = {"mapping": name, "records": records_of(each for each in problems if each.mapping == name)}
        match solution:
            case Solution.SEND | Solution.GET:
                way = Preference.SEND if solution is Solution.SEND else Preference.GET
                given |= {"direction": way.value, "force": forced}
                jobs.append(enqueue(home, "synchronise", given))
            case Solution.DELETE | Solution.UNCOUPLE:
                jobs.append(enqueue(home, solution.value, given | {"force": forced}))
            case _:
                jobs.append(enqueue(home, solution.value, given))
    return jobs
