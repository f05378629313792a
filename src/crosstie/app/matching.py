"""Match-Based Coupling: find partners by criteria, couple them, and bring them in step (engine section 5)."""

from collections.abc import Collection, Iterator, Sequence

import msgspec

from crosstie.app.running import run_job
from crosstie.app.selecting import Selection, ids_of
from crosstie.app.session import Session
from crosstie.app.synchronising import check_direction, run_synchronise
from crosstie.engine.compiling import CompiledMapping, compile_mapping
from crosstie.engine.context import Context, Scope, Task
from crosstie.engine.criteria import choose_criteria
from crosstie.engine.matching import MatchReason, MatchReport, MatchRow, explain
from crosstie.engine.matching import match as run_matching
from crosstie.model.decisions import Preference
from crosstie.model.errors import InvalidOption
from crosstie.model.jobs import JobKind, JobState
from crosstie.model.mapping_changes import field_named
from crosstie.model.mappings import Mapping, UpdateConflictResolution
from crosstie.model.records import Side
from crosstie.rules import all_rules

__all__ = ["MatchReason", "MatchReport", "explained", "match", "preference_of"]


async def match(
    session: Session,
    mapping: str,
    *,
    groups: Sequence[Sequence[str]] = (),
    local_ids: Collection[str] | None = None,
    selection: Selection | None = None,
    dry_run: bool = False,
    create: bool | None = None,
    synchronise: bool | None = None,
    case_sensitive: Collection[str] | None = None,
    winner: Preference | None = None,
) -> MatchReport:
    """Couple what matches uniquely on both sides; then synchronise it, and create partners of what has no candidate.

    `groups` name the fields of each group of criteria, tried in that order; without any, the mapping's own are used.
    Partners are looked for of the records of `local_ids`, or of a `selection` of a list; of all where neither is given.
    `create`, `synchronise`, `case_sensitive` (the fields whose capitals count) and `winner` (whose data is sent right
    after coupling) are the mapping's settings where they are left away. A dry run couples nothing.
    Raises UnknownMapping, UnknownField, InvalidOption for criteria that cannot be used, SystemFailure.
    """
    found = session.mapping(mapping)
    creates = found.create_if_no_match if create is None else create
    synchronises = found.synchronise_after_match if synchronise is None else synchronise
    check_direction(found, winner)
    preference = (winner or preference_of(found)) if synchronises else None
    ctx = await session.context(found.name, Task(scope=Scope.RECORDS, on_purpose=True, dry_run=dry_run))
    if case_sensitive is not None:
        ctx.compiled = _with_case(ctx.compiled, case_sensitive)
    if selection is not None:
        check_selection(selection)
        local_ids = await ids_of(ctx, selection)
    reports: list[MatchReport] = []

    async def work(job: Context) -> None:
        reports.append(
            await run_matching(
                job, groups, local_ids=local_ids, dry_run=dry_run, create=creates, synchronise=preference
            )
        )

    if dry_run:
        await work(ctx)
        return reports[0]
    choose_criteria(ctx.compiled, groups)
    job = await run_job(ctx, JobKind.COUPLING, found.direction, work, exclusive=True)
    report = reports[0]
    report.job_id = job.job_id
    await _follow_up(session, found, report, synchronises=synchronises)
    return report


def check_selection(selection: Selection) -> None:
    """Refuse a selection that matching cannot begin with. Raises InvalidOption."""
    if selection.side is not Side.LOCAL:
        raise InvalidOption(
            "Matching begins with local records; what was selected are remote ones.",
            next_step="Select the records in the list of the other side.",
        )


def _with_case(compiled: CompiledMapping, names: Collection[str]) -> CompiledMapping:
    """Return a mapping of which only the fields named are compared with their capitals."""
    mapping = compiled.mapping
    wanted = {field_named(mapping, name) for name in names}
    rows = tuple(
        msgspec.structs.replace(row, case_sensitive_match=at in wanted) for at, row in enumerate(mapping.fields)
    )
    changed = msgspec.structs.replace(mapping, fields=rows)
    return compile_mapping(changed, compiled.local_schema, compiled.remote_schema, all_rules())


def preference_of(mapping: Mapping) -> Preference:
    """Return whose data wins right after matching: by the mapping's policy, else the local side's (rule M-13)."""
    if not mapping.reaches(Side.REMOTE) or (
        mapping.reaches(Side.LOCAL) and mapping.update_conflict is UpdateConflictResolution.GET
    ):
        return Preference.GET
    return Preference.SEND


async def _follow_up(session: Session, mapping: Mapping, report: MatchReport, *, synchronises: bool) -> None:
    """Synchronise what is due, as everything just coupled is, and create partners of what had no candidate.

    What an earlier matching coupled, and was not given the time to synchronise, is due as well.
    """
    tasks = [Task(scope=Scope.DUE)] if synchronises else []
    if report.to_create:
        named = tuple((Side.LOCAL, id) for id in report.to_create)
        tasks.append(Task(scope=Scope.RECORDS, records=named, create=True, on_purpose=True))
    for task in tasks[_finished_parts(session) :]:
        ctx = await session.context(mapping.name, task)
        ctx.part_of = report.job_id
        done = await run_synchronise(ctx)
        if report.synchronised is None:
            report.synchronised = done
        else:
            report.synchronised.to_remote.add(done.to_remote)
            report.synchronised.from_remote.add(done.from_remote)
            report.synchronised.failures.extend(done.failures)


def _finished_parts(session: Session) -> int:
    """Return how many of the follow-ups an earlier process of the job has finished."""
    if session.assignment is None:
        return 0
    with session.store.begin() as unit:
        parts = unit.background.parts(session.assignment.job.id)
    return sum(part.state is JobState.FINISHED for part in parts)


def explained(report: MatchReport) -> Iterator[tuple[MatchRow, str]]:
    """Yield each row of a report with its reason in words."""
    for row in report.rows:
        yield row, explain(row, report.groups)
