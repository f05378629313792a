"""Halves: which couplings have lost a record, asked of both systems and not of what an earlier job has noted."""

import asyncio
from collections.abc import Sequence

import msgspec

from crosstie.engine.context import Context
from crosstie.model.couplings import Coupling
from crosstie.model.records import Side


class Halves(msgspec.Struct, frozen=True, kw_only=True):
    """Couplings by what is left of them. `survivors` are by the side whose record still exists, alone."""

    whole: tuple[Coupling, ...]
    survivors: dict[Side, tuple[Coupling, ...]]
    gone: tuple[Coupling, ...]
    """Those of which neither record exists."""


async def find_halves(ctx: Context, couplings: Sequence[Coupling]) -> Halves:
    """Ask both systems, in few requests, which records of these couplings exist."""
    local, remote = await asyncio.gather(_there(ctx, Side.LOCAL, couplings), _there(ctx, Side.REMOTE, couplings))
    found: dict[tuple[bool, bool], list[Coupling]] = {}
    for coupling in couplings:
        found.setdefault((coupling.local_id in local, coupling.remote_id in remote), []).append(coupling)
    return Halves(
        whole=tuple(found.get((True, True), ())),
        survivors={Side.LOCAL: tuple(found.get((True, False), ())), Side.REMOTE: tuple(found.get((False, True), ()))},
        gone=tuple(found.get((False, False), ())),
    )


async def _there(ctx: Context, side: Side, couplings: Sequence[Coupling]) -> set[str]:
    schema = ctx.compiled.schema(side)
    ids = [coupling.record_id(side) for coupling in couplings]
    return set(await ctx.systems[side].get(schema.name, ids, (schema.key,)))
