"""Counting: each record once a direction (engine section 7.6, with the differences on record)."""

from collections.abc import Sequence

from crosstie.engine.context import MOST_FAILURES, Context, Failure
from crosstie.engine.outcomes import Carried, new_problem, target_of
from crosstie.engine.tallying import SEEN, TAKEN_BACK, UNCHANGED, Tallied, names_of
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import RecordAction
from crosstie.model.jobs import Phase
from crosstie.model.mappings import Direction
from crosstie.model.problems import NewProblem, Problem, ProblemClass
from crosstie.model.records import Side, WriteStatus

SKIP_AFTER = 2
"""So many equal failures in a row pause a record (engine rule E-1)."""
_CREATES = (RecordAction.CREATE_LOCAL, RecordAction.CREATE_REMOTE)
_DELETES = (RecordAction.DELETE_LOCAL, RecordAction.DELETE_REMOTE)
_OTHERWISE = {
    RecordAction.UNCHANGED: UNCHANGED,
    RecordAction.AGREE: UNCHANGED,
    RecordAction.SKIP: "skipped",
    RecordAction.UNCOUPLE: "uncoupled",
}


def came_to(
    ctx: Context, item: Carried, source: Side, problem: Problem | None, coupling: Coupling | None
) -> list[Tallied]:
    """Return what one record came to: what was written under the side written, all else where its values flow.

    `coupling` is the one that the record has now, if any.
    """
    names = names_of(coupling.id if coupling else None, item.record_id(Side.LOCAL), item.record_id(Side.REMOTE))
    action, counted = item.decision.action, None if item.waits_quietly else problem
    # What an earlier process was about to write is found done, and counted, or it is written now.
    reopened = coupling is not None and coupling.id in ctx.reopened
    found = [
        Tallied(names, side, _written(action))
        for side, result in item.results.items()
        if result.status is WriteStatus.WRITTEN and (counted is None or item.failed_side is not None)
    ]
    if counted is not None:
        target = _target(counted)
        found.append(Tallied(names, target, _failed(item, counted)))
        if reopened and item.failed_side is None:  # as what is written beside a conflict does not count
            found.append(Tallied(names, target.other, TAKEN_BACK))
        _name_failure(ctx, counted)
    elif action in _OTHERWISE and not reopened:
        found.append(Tallied(names, target_of(ctx, source), _OTHERWISE[action]))
    # The local feed comes first: what the remote one leads to was unchanged there before.
    passed = [Side.LOCAL] if reopened or (source is Side.REMOTE and ctx.phase is Phase.CHANGES) else list(Side)
    idle = action is RecordAction.UNCHANGED and ctx.phase is Phase.CHANGES
    found += [Tallied(names, side, SEEN) for side in passed if not idle and names]
    return found


def count_plan(ctx: Context, carried: Sequence[Carried], source: Side) -> None:
    """Count what a dry run would do, as if everything were accepted."""
    for item in carried:
        decision, counters = item.decision, ctx.counters(target_of(ctx, source))
        problem = new_problem(ctx, item, source, decision.pair.coupling)
        if problem is not None and not item.waits_quietly:
            ctx.counters(_target(problem)).failed += 1
            _name_failure(ctx, problem)
            continue
        match decision.action:
            case RecordAction.CREATE_REMOTE:
                ctx.counters(Side.REMOTE).inserted += 1
            case RecordAction.CREATE_LOCAL:
                ctx.counters(Side.LOCAL).inserted += 1
            case RecordAction.DELETE_REMOTE:
                ctx.counters(Side.REMOTE).deleted += 1
            case RecordAction.DELETE_LOCAL:
                ctx.counters(Side.LOCAL).deleted += 1
            case RecordAction.UPDATE:
                ctx.counters(Side.REMOTE).modified += bool(decision.to_remote)
                ctx.counters(Side.LOCAL).modified += bool(decision.to_local)
            case RecordAction.UNCHANGED | RecordAction.AGREE:
                counters.unchanged += 1
            case RecordAction.SKIP:
                counters.skipped += 1
            case RecordAction.UNCOUPLE:
                counters.uncoupled += 1


def _target(problem: NewProblem) -> Side:
    return Side.LOCAL if problem.direction is Direction.FROM_REMOTE else Side.REMOTE


def _written(action: RecordAction) -> str:
    if action in _CREATES:
        return "inserted"
    return "deleted" if action in _DELETES else "modified"


def _failed(item: Carried, problem: Problem) -> str:
    """The failure that pauses a coupled record counts as skipped (engine rule E-2)."""
    repeated = problem.problem_class is ProblemClass.DATA and problem.attempts >= SKIP_AFTER
    return "skipped" if repeated and item.decision.pair.coupling is not None else "failed"


def _name_failure(ctx: Context, problem: NewProblem) -> None:
    if len(ctx.report.failures) < MOST_FAILURES:
        ctx.report.failures.append(
            Failure(
                local_id=problem.local_id,
                remote_id=problem.remote_id,
                name=problem.name,
                code=problem.code,
                words=problem.words,
                next_step=problem.next_step,
            )
        )
