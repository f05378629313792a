"""Counting: each record once a direction (engine section 7.6, with the differences on record)."""

from collections.abc import Sequence

from crosstie.engine.context import MOST_FAILURES, Context, Failure
from crosstie.engine.outcomes import Carried, new_problem, target_of
from crosstie.model.decisions import RecordAction
from crosstie.model.jobs import Counters
from crosstie.model.mappings import Direction
from crosstie.model.problems import NewProblem, Problem, ProblemClass
from crosstie.model.records import Side, WriteStatus

SKIP_AFTER = 2
"""So many equal failures in a row pause a record (engine rule E-1)."""
_CREATES = (RecordAction.CREATE_LOCAL, RecordAction.CREATE_REMOTE)
_DELETES = (RecordAction.DELETE_LOCAL, RecordAction.DELETE_REMOTE)


def count(ctx: Context, item: Carried, source: Side, problem: Problem | None) -> None:
    """Count one record: what was written under the side written, all else under the one to which its values flow."""
    counted = None if item.waits_quietly else problem
    for side, result in item.results.items():
        if result.status is WriteStatus.WRITTEN and (counted is None or item.failed_side is not None):
            _count_written(ctx.counters(side), item.decision.action)
    counters = ctx.counters(target_of(ctx, source))
    if counted is not None:
        _count_failed(ctx.counters(_target(counted)), item, counted)
        _name_failure(ctx, counted)
    elif item.decision.action in (RecordAction.UNCHANGED, RecordAction.AGREE):
        counters.unchanged += 1
    elif item.decision.action is RecordAction.SKIP:
        counters.skipped += 1
    elif item.decision.action is RecordAction.UNCOUPLE:
        counters.uncoupled += 1


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


def _count_written(counters: Counters, action: RecordAction) -> None:
    if action in _CREATES:
        counters.inserted += 1
    elif action in _DELETES:
        counters.deleted += 1
    else:
        counters.modified += 1


def _count_failed(counters: Counters, item: Carried, problem: Problem) -> None:
    """The failure that pauses a coupled record counts as skipped (engine rule E-2)."""
    repeated = problem.problem_class is ProblemClass.DATA and problem.attempts >= SKIP_AFTER
    if repeated and item.decision.pair.coupling is not None:
        counters.skipped += 1
    else:
        counters.failed += 1


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
