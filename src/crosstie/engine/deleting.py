"""Deleting: the record that is left of a coupling whose other one is gone, together with the coupling (rule E-15)."""

from collections.abc import Sequence

from crosstie.engine.carrying import carry_out
from crosstie.engine.context import PAGE, Context
from crosstie.engine.outcomes import Carried
from crosstie.engine.pairing import Paired, pair_named
from crosstie.engine.partnerless import both_gone, delete_survivor
from crosstie.engine.planning import guard_losses
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Decision
from crosstie.model.records import Side

LOOKS = 4
"""So often a record that keeps changing while it is deleted is read again."""


async def delete_survivors(ctx: Context, couplings: Sequence[Coupling], survivor: Side) -> None:
    """Delete the records of the side `survivor` and their couplings, if their partners are still gone then.

    A record is deleted only in the version that was read; one whose partner is back stays, and so does its coupling.
    Its mapped values go into the history. Raises GuardStopped before anything is deleted if the guards hold.
    """
    with ctx.store.begin() as unit:
        coupled = sum(unit.couplings.count(ctx.mapping_name).values())
    if not ctx.task.dry_run:
        guard_losses(ctx, len(couplings), coupled)
    for start in range(0, len(couplings), PAGE):
        ids = [coupling.record_id(survivor) for coupling in couplings[start : start + PAGE]]
        for look in range(1, LOOKS + 1):
            paired = await pair_named(ctx, survivor, ids)
            carried = [Carried(found, item.base) for item in paired if (found := _decide(ctx, item, survivor))]
            again = await carry_out(ctx, carried, survivor, final=look == LOOKS)
            ids = [id for item in again if (id := item.record_id(survivor))]
            if not ids:
                break
        ctx.observer.progress(min(start + PAGE, len(couplings)))


def _decide(ctx: Context, item: Paired, survivor: Side) -> Decision | None:
    """Return the decision on one record, None if it is no longer coupled or has its partner back."""
    pair = item.pair
    here, there = (pair.local, pair.remote) if survivor is Side.LOCAL else (pair.remote, pair.local)
    if pair.coupling is None or there is not None:
        return None
    if here is None:
        return both_gone(pair)
    reason = f"the {survivor.other} record was deleted: deleted by hand"
    return delete_survivor(ctx.compiled, pair, survivor, item.base, reason)
