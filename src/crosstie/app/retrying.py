"""Retry: records with problems are looked at again at once, paused ones too (engine rules E-11, E-12)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from crosstie.app.coupled import find_named
from crosstie.app.leaving import left_found, nothing_left
from crosstie.app.session import Session
from crosstie.app.synchronising import run_synchronise
from crosstie.engine.context import MOST_FAILURES, Context, Observer, Report, Scope, Task
from crosstie.model.couplings import CouplingState
from crosstie.model.errors import InvalidOption, JobRunning, NothingToDo
from crosstie.model.jobs import Due, DueReason
from crosstie.model.leaving import Left
from crosstie.model.mappings import DeletionConflictResolution, Mapping
from crosstie.model.problems import Problem
from crosstie.model.records import Side
from crosstie.store.base import Unit

_PAGE = 1000
_DELETED = "Restore the deleted record, delete this one too, or remove the coupling."


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What retrying came to.

    `due` counts the problems whose records are due now; `reports` say what running them came to. Of `left_total`
    records that were left, `left` names at most `MOST_FAILURES`. `deferred` are mappings in which another job runs:
    that one, or the next, takes them along.
    """

    due: int
    reports: list[Report]
    left: list[Left]
    left_total: int
    deferred: list[str]


class _Sorted:
    """Problems parted into those to retry and those that only a decision of a person resolves."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.due = 0
        self.named: list[tuple[Side, str]] = []
        self.new: list[tuple[Side, str]] = []
        """Those of records that have no partner yet."""
        self.left: list[Left] = []
        self.left_total = 0

    def take(self, problems: Sequence[Problem]) -> list[Problem]:
        """Sort a page and return those that are to be retried."""
        taken = [problem for problem in problems if not self._waits_for_a_person(problem)]
        for problem in problems:
            if self._waits_for_a_person(problem):
                self.leave(_left(problem))
        self.due += len(taken)
        return taken

    def leave(self, left: Left) -> None:
        self.left_total += 1
        if len(self.left) < MOST_FAILURES:
            self.left.append(left)

    def note(self, problems: Sequence[Problem]) -> None:
        """Keep which records are to be looked at by name."""
        for problem in problems:
            (self.new if problem.coupling_id is None else self.named).append(problem.record)

    def _waits_for_a_person(self, problem: Problem) -> bool:
        """Whether a record is gone and the mapping says to ask: looking again would find the same (rule E-18)."""
        return problem.code == "partner-deleted" and self.mapping.deletion_conflict is DeletionConflictResolution.ASK


async def retry(
    session: Session,
    mapping: str | None = None,
    records: Sequence[str] = (),
    *,
    code: str | None = None,
    all: bool = False,
    run: bool = True,
    dry_run: bool = False,
    observer: Observer | None = None,
) -> Retried:
    """Look again at records with open problems, of one mapping or of every one: those named, of a `code`, or `all`.

    Paused records are no longer paused, and all are due at once; with `run` they are synchronised now, in the
    directions and under the policies of their mapping, else by the next job. What fails the same way again is paused
    again. A record whose partner is deleted is left where the mapping asks a person. Raises NothingToDo if no problem
    is open, InvalidOption, UnknownMapping, UnknownRecord, AmbiguousRecord.
    """
    _check(mapping, records, code, all)
    mappings = [session.mapping(mapping)] if mapping is not None else session.mappings()
    task = Task(scope=Scope.RECORDS, dry_run=dry_run)
    sorted_out: list[_Sorted] = []
    for found in mappings:
        if records:
            part = await _named(await session.context(found.name, task), found, records, write=not dry_run)
        else:
            part = _every(session, found, code, write=not dry_run, keep=dry_run)
        if part.due or part.left_total:
            sorted_out.append(part)
    if not any(part.due for part in sorted_out):
        raise _nothing(sorted_out, mapping, code)
    reports: list[Report] = []
    deferred: list[str] = []
    for part in sorted_out if run or dry_run else ():
        try:
            reports += await _run(session, part, by_name=bool(records) or dry_run, dry_run=dry_run, observer=observer)
        except JobRunning:
            deferred.append(part.mapping.name)
    return Retried(
        due=sum(part.due for part in sorted_out),
        reports=reports,
        left=[left for part in sorted_out for left in part.left][:MOST_FAILURES],
        left_total=sum(part.left_total for part in sorted_out),
        deferred=deferred,
    )


def _check(mapping: str | None, records: Sequence[str], code: str | None, every: bool) -> None:
    given = [name for name, found in (("records", records), ("a code", code), ("all", every)) if found]
    if len(given) != 1:
        words = f"{' and '.join(given)} do not go together" if given else "nothing is named"
        raise InvalidOption(f"Say what to retry: {words}.", next_step="Name records, give a code, or say all.")
    if records and mapping is None:
        raise InvalidOption("Records are named under a mapping.", next_step="Name the mapping before them.")


# --- making due -----------------------------------------------------------------------------------------------


async def _named(ctx: Context, mapping: Mapping, texts: Sequence[str], *, write: bool) -> _Sorted:
    part = _Sorted(mapping)
    texts, problems = _by_name(ctx, texts)
    found = await find_named(ctx, texts) if texts else []
    with ctx.store.begin() as unit:
        for each in found:
            known = unit.problems(ctx.mapping_name, records=[(each.side, each.id)], limit=1)
            problems += known
            if not known:
                part.leave(left_found(ctx, each, "nothing-to-do", f"It has no open problem under {mapping.name}."))
        taken = part.take(list({problem.id: problem for problem in problems}.values()))
        if write:
            _make_due(unit, taken, ctx.now())
    part.note(taken)
    return part


def _by_name(ctx: Context, texts: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """Return the texts that are not an id under which a problem is kept, and the problems of those that are."""
    ids = {text.strip("{} ").lower(): text for text in texts}
    with ctx.store.begin() as unit:
        records = [(side, id) for side in Side for id in ids]
        problems = unit.problems(ctx.mapping_name, records=records, limit=len(records))
    known = {id for problem in problems for id in (problem.local_id, problem.remote_id)}
    return [text for id, text in ids.items() if id not in known], problems


def _every(session: Session, mapping: Mapping, code: str | None, *, write: bool, keep: bool) -> _Sorted:
    part = _Sorted(mapping)
    for problems in _pages(session, mapping, code):
        taken = part.take(problems)
        if keep:
            part.note(taken)
        if write:
            with session.store.begin() as unit:
                _make_due(unit, taken, session.now())
    return part


def _pages(session: Session, mapping: Mapping, code: str | None) -> Iterator[list[Problem]]:
    after = 0
    while True:
        with session.store.begin() as unit:
            page = unit.problems(mapping.name, code=code, limit=_PAGE, after_id=after)
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = page[-1].id


def _make_due(unit: Unit, problems: Sequence[Problem], now: datetime) -> None:
    """End the pause of coupled records and make all due; both or neither."""
    if not problems:
        return
    mapping = problems[0].mapping
    ids = [problem.local_id for problem in problems if problem.local_id is not None]
    paused = [
        each
        for each in unit.couplings.by_record(mapping, Side.LOCAL, ids).values()
        if each.state is CouplingState.SKIPPED
    ]
    # One that somebody changes at this moment is looked at just now, and loses its pause by that.
    unit.couplings.update([msgspec.structs.replace(each, state=CouplingState.FAILED) for each in paused])
    unit.add_due(
        [
            Due(
                mapping=mapping,
                side=problem.record[0],
                record_id=problem.record[1],
                reason=DueReason.RETRY,
                not_before=now,
                create=problem.coupling_id is None,
            )
            for problem in problems
        ]
    )


# --- running --------------------------------------------------------------------------------------------------


async def _run(
    session: Session, part: _Sorted, *, by_name: bool, dry_run: bool, observer: Observer | None
) -> list[Report]:
    """Run what is due: those named alone, or all whose time has come."""
    if not part.due:
        return []
    if by_name:
        tasks = [
            Task(scope=Scope.RECORDS, records=tuple(records), create=create, dry_run=dry_run)
            for records, create in ((part.named, False), (part.new, True))
            if records
        ]
    else:
        tasks = [Task(scope=Scope.DUE, patient=True)]
    return [await run_synchronise(await session.context(part.mapping.name, task, observer=observer)) for task in tasks]


def _left(problem: Problem) -> Left:
    return Left(
        mapping=problem.mapping,
        local_id=problem.local_id,
        remote_id=problem.remote_id,
        name=problem.name,
        code=problem.code,
        words=problem.words,
        next_step=_DELETED,
    )


def _nothing(parts: Sequence[_Sorted], mapping: str | None, code: str | None) -> Exception:
    if left := [each for part in parts for each in part.left]:
        return nothing_left(left)
    of = f" of the cause {code}" if code else ""
    under = f" under {mapping}" if mapping else ""
    return NothingToDo(f"There is no open problem{of}{under}.", next_step="Nothing needs to be done.")
