"""Carrying out: a page of decisions planned, applied and recorded, or, in a dry run, shown and counted."""

from collections.abc import Sequence

from crosstie.engine.applying import apply
from crosstie.engine.context import Context
from crosstie.engine.counting import count_plan
from crosstie.engine.outcomes import Carried
from crosstie.engine.planning import guard_overwrites, plan
from crosstie.engine.recording import record
from crosstie.model.records import Side


async def carry_out(ctx: Context, carried: Sequence[Carried], source: Side, *, final: bool) -> list[Carried]:
    """Carry out the decisions of a page of records of `source`, and return those whose records have moved meanwhile.

    Those are to be read and decided again; of them only what was written is recorded. With `final` none is returned:
    what has moved becomes a problem. A dry run tells the observer, counts, and writes nothing. Raises GuardStopped
    before anything of the page is written.
    """
    decisions = [item.decision for item in carried]
    for decision in decisions:
        ctx.observer.decided(decision)
    if ctx.task.dry_run:
        count_plan(ctx, carried, source)
        return []
    guard_overwrites(ctx, decisions)
    by_decision = {id(item.decision): item for item in carried}
    actions = plan(ctx, decisions)
    results = await apply(ctx, actions)
    for action in actions:
        item = by_decision[id(action.decision)]
        item.results[action.side] = results[action.intent_id]
        item.changes[action.side] = action.changes
        item.intents.append(action.intent_id)
    again = [] if final else [item for item in carried if item.needs_another_look()]
    record(ctx, carried, again, source)
    return again
