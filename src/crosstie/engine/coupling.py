"""Coupling: ties a local and a remote record together, so that synchronising keeps them in step.

The coupling and what is to follow from it are stored in one transaction: a record that is to be synchronised is due
from that moment on, whatever happens to the process.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from crosstie.engine.basing import as_it_is, holds_base
from crosstie.engine.context import PAGE, Context
from crosstie.engine.journalling import entry_of
from crosstie.engine.outcomes import name_of
from crosstie.engine.pairing import Paired, fetch, translate
from crosstie.engine.recording import names, wake_waiters
from crosstie.engine.uncoupling import forget, uncouple
from crosstie.model.base import encode_base
from crosstie.model.couplings import Coupling, CouplingState, NewCoupling, RemovedCoupling
from crosstie.model.decisions import Pair, Preference
from crosstie.model.errors import AlreadyCoupled, CannotCouple, UnknownRecord, UsageError
from crosstie.model.jobs import Due, DueReason, Outcome
from crosstie.model.places import Place
from crosstie.model.records import Record, Side
from crosstie.store.base import Unit

Ids: TypeAlias = tuple[str, str]
"""The local and the remote record of a pair."""
_NONE: Final[Mapping[Ids, RemovedCoupling]] = {}
Chosen: TypeAlias = Mapping[str, Side]
"""The sides whose values both records are to get, by field mapping."""
_NO_CHOICE: Final[Chosen] = {}
_LOOKS = 3
"""So often a page is looked at again if somebody else couples one of its records meanwhile."""
_DUE = {
    Preference.SEND: DueReason.COUPLED_SEND,
    Preference.GET: DueReason.COUPLED_GET,
    Preference.MERGE: DueReason.COUPLED_MERGE,
}


@dataclass(slots=True)
class CoupledPage:
    """What a page of pairs came to: each has either its coupling or the reason why it was refused."""

    couplings: dict[Ids, Coupling] = field(default_factory=dict)
    refused: dict[Ids, UsageError] = field(default_factory=dict)


@dataclass(slots=True)
class _Look:
    """A page of pairs as it was found. `dead` couplings have lost the other half, `replaced` ones make way."""

    new: dict[Ids, tuple[Record, Record]] = field(default_factory=dict)
    existing: dict[Ids, Coupling] = field(default_factory=dict)
    dead: dict[int, Coupling] = field(default_factory=dict)
    replaced: dict[int, Coupling] = field(default_factory=dict)
    refused: dict[Ids, UsageError] = field(default_factory=dict)


async def couple(
    ctx: Context,
    pairs: Sequence[Ids],
    *,
    synchronise: Preference | None,
    repoint: bool = False,
    words: str = "coupled by hand",
    chosen: Chosen = _NO_CHOICE,
) -> list[Coupling]:
    """Couple pairs of local and remote ids and return their couplings in that order (engine rules C-2 to C-4).

    With `synchronise` None, both records as they are become the base, so that only later edits move (W-26); else the
    records are due, with that side preferred. A coupling that exists already is returned as it is, one whose other
    half is gone makes way, and with `repoint` so does one of the local record with another partner. Fields of which a
    side is `chosen` are due for that, whatever `synchronise` says of the others.

    Works in pages of 1,000. Raises UnknownRecord, AlreadyCoupled or CannotCouple for the first pair of a page that
    cannot be coupled; then nothing of that page is.
    """
    for side in Side:
        ids = [_id(pair, side) for pair in pairs]
        if len(set(ids)) < len(ids):
            twice = next(id for id in ids if ids.count(id) > 1)
            raise CannotCouple(f"The {side} record {twice} is named in two pairs.", next_step="Name it once.", id=twice)
    coupled: list[Coupling] = []
    for start in range(0, len(pairs), PAGE):
        page = dict.fromkeys(pairs[start : start + PAGE], words)
        done = await couple_page(ctx, page, synchronise=synchronise, repoint=repoint, strict=True, chosen=chosen)
        coupled.extend(done.couplings[pair] for pair in page)
    return coupled


async def couple_page(
    ctx: Context,
    pairs: Mapping[Ids, str],
    *,
    synchronise: Preference | None,
    repoint: bool = False,
    strict: bool = False,
    as_before: Mapping[Ids, RemovedCoupling] = _NONE,
    chosen: Chosen = _NO_CHOICE,
) -> CoupledPage:
    """Couple a page of pairs, each with the words that its history gets; what cannot be coupled is refused.

    `strict` raises the first refusal instead and couples nothing. No record may be in two of the pairs. Pairs of
    `as_before` go on from the base that they had, and are due: what was edited meanwhile is synchronised.
    """
    for look in range(1, _LOOKS + 1):
        found = await _look(ctx, list(pairs), synchronise, repoint)
        if strict and found.refused:
            raise next(iter(found.refused.values()))
        if found.replaced:
            await _let_go(ctx, list(found.replaced.values()))
        try:
            return _store(ctx, found, pairs, synchronise, as_before, chosen)
        except AlreadyCoupled:
            if look == _LOOKS:
                raise
    raise AssertionError("the last look returns or raises")


async def foresee(
    ctx: Context, pairs: Sequence[Ids], *, synchronise: Preference | None, repoint: bool = False
) -> tuple[dict[Ids, UsageError], list[Coupling]]:
    """Return which of these pairs would be refused and why, and which couplings would make way. Writes nothing."""
    found = await _look(ctx, pairs, synchronise, repoint)
    return found.refused, [*found.dead.values(), *found.replaced.values()]


# --- looking --------------------------------------------------------------------------------------------------


async def _look(ctx: Context, pairs: Sequence[Ids], synchronise: Preference | None, repoint: bool) -> _Look:
    locals, remotes = await asyncio.gather(
        fetch(ctx, Side.LOCAL, [local for local, _ in pairs]), fetch(ctx, Side.REMOTE, [remote for _, remote in pairs])
    )
    with ctx.store.begin() as unit:
        held = {
            side: unit.couplings.by_record(ctx.mapping_name, side, [_id(pair, side) for pair in pairs]) for side in Side
        }
    dead = await _dead(ctx, pairs, held)
    found = _Look()
    for pair in pairs:
        local, remote = locals.get(pair[0]), remotes.get(pair[1])
        if local is None or remote is None:
            found.refused[pair] = _unknown(ctx, pair, Side.LOCAL if local is None else Side.REMOTE)
        elif (same := held[Side.LOCAL].get(pair[0])) and same.remote_id == pair[1]:
            found.existing[pair] = same
        elif error := _taken(ctx, pair, local, remote, held, dead, repoint) or _outside(ctx, local, remote):
            found.refused[pair] = error
        else:
            found.new[pair] = local, remote
    await _refuse_ineligible(ctx, found, synchronise)
    for pair in found.new:
        for side in Side:
            if coupling := held[side].get(_id(pair, side)):
                (found.dead if coupling.id in dead else found.replaced)[coupling.id] = coupling
    return found


def _id(pair: Ids, side: Side) -> str:
    return pair[0] if side is Side.LOCAL else pair[1]


async def _dead(ctx: Context, pairs: Sequence[Ids], held: Mapping[Side, Mapping[str, Coupling]]) -> dict[int, Coupling]:
    """Return the couplings in the way whose other half no longer exists (engine rule C-3)."""
    dead: dict[int, Coupling] = {}
    for side in Side:
        other = side.other
        doubtful = [
            coupling
            for pair in pairs
            if (coupling := held[side].get(_id(pair, side))) and coupling.record_id(other) != _id(pair, other)
        ]
        if not doubtful:
            continue
        schema = ctx.compiled.schema(other)
        ids = [coupling.record_id(other) for coupling in doubtful]
        there = await ctx.systems[other].get(schema.name, ids, (schema.key,))
        dead |= {coupling.id: coupling for coupling in doubtful if coupling.record_id(other) not in there}
    return dead


def _unknown(ctx: Context, pair: Ids, side: Side) -> UnknownRecord:
    table = ctx.compiled.mapping.table(side)
    return UnknownRecord(
        f"{ctx.systems[side].name} has no {table} with the id {_id(pair, side)}.", table=table, id=_id(pair, side)
    )


def _taken(
    ctx: Context,
    pair: Ids,
    local: Record,
    remote: Record,
    held: Mapping[Side, Mapping[str, Coupling]],
    dead: Collection[int],
    repoint: bool,
) -> AlreadyCoupled | None:
    theirs, mine = held[Side.REMOTE].get(pair[1]), held[Side.LOCAL].get(pair[0])
    if theirs is not None and theirs.id not in dead:
        return _already(ctx, name_of(ctx, None, remote, theirs), theirs.name(), theirs)
    if mine is not None and mine.id not in dead and not repoint:
        partner = " ".join(part for part in (mine.remote_key, mine.remote_name) if part) or mine.remote_id
        step = "Remove its coupling first, or let go of its partner."
        return _already(ctx, name_of(ctx, local, None, mine), partner, mine, step, Place.REPLACE)
    return None


def _already(
    ctx: Context, record: str, partner: str, coupling: Coupling, next_step: str = "", place: Place | None = None
) -> AlreadyCoupled:
    return AlreadyCoupled(
        f"{record} is already coupled to {partner} (mapping {ctx.mapping_name}).",
        next_step=next_step,
        place=place,
        mapping=ctx.mapping_name,
        local_id=coupling.local_id,
        remote_id=coupling.remote_id,
    )


def _outside(ctx: Context, local: Record, remote: Record) -> CannotCouple | None:
    """Refuse what the mapping's filter leaves out: it would be coupled and never synchronised (engine rule U-4)."""
    for side, record in ((Side.LOCAL, local), (Side.REMOTE, remote)):
        if not ctx.in_filter(side, record.values):
            name = name_of(ctx, record, None, None) if side is Side.LOCAL else name_of(ctx, None, record, None)
            return CannotCouple(
                f"The {side} filter of the mapping {ctx.mapping_name} leaves {name} out; "
                f"it admits: {ctx.filter_words(side)}.",
                next_step="Change the record so that the filter admits it, or change the mapping's filter.",
                record=record.id,
            )
    return None


async def _refuse_ineligible(ctx: Context, found: _Look, synchronise: Preference | None) -> None:
    """Refuse pairs that a rule keeps from being synchronised in the direction asked for (engine rule F-15)."""
    paired = {
        pair: Paired(Pair(coupling=None, local=local, remote=remote), None)
        for pair, (local, remote) in found.new.items()
    }
    if not paired:
        return
    await translate(ctx, list(paired.values()))
    for pair, item in paired.items():
        sent = None if synchronise is Preference.GET else item.sent
        fetched = None if synchronise is Preference.SEND else item.fetched
        if why := next((moved.ineligible for moved in (sent, fetched) if moved and moved.ineligible), None):
            name = name_of(ctx, item.pair.local, item.pair.remote, None)
            found.refused[pair] = CannotCouple(
                f"{name} is none that {ctx.mapping_name} synchronises: {why}",
                next_step="Change the record, or leave it uncoupled.",
                local_id=pair[0],
                remote_id=pair[1],
            )
            del found.new[pair]


async def _let_go(ctx: Context, replaced: Sequence[Coupling]) -> None:
    """Uncouple partners that others take the place of, as a person would before coupling anew (engine W-27)."""
    done = await uncouple(ctx, replaced, words="coupled with another record")
    if done.failed:
        said = ctx.report.failures[-1].words if ctx.report.failures else ""
        raise CannotCouple(f"The coupling with the partner until now cannot be removed. {said}".rstrip())


# --- storing --------------------------------------------------------------------------------------------------


def _store(
    ctx: Context,
    found: _Look,
    words: Mapping[Ids, str],
    synchronise: Preference | None,
    as_before: Mapping[Ids, RemovedCoupling],
    chosen: Chosen,
) -> CoupledPage:
    with ctx.store.begin() as unit:
        if found.dead:
            dead = list(found.dead.values())
            if unit.couplings.delete(dead):
                raise AlreadyCoupled("A coupling in the way has just been changed.")
            forget(ctx, unit, dead)
        made = unit.couplings.insert(
            [
                new_coupling(ctx, local, remote, synchronise, as_before.get(pair), chosen)
                for pair, (local, remote) in found.new.items()
            ],
            ctx.now(),
        )
        forget(ctx, unit, made)
        page = CoupledPage({**found.existing, **dict(zip(found.new, made, strict=True))}, found.refused)
        if synchronise is not None or chosen:
            make_due(ctx, unit, list(page.couplings.values()), _DUE[synchronise or Preference.MERGE])
        make_due(ctx, unit, [page.couplings[pair] for pair in found.new if pair in as_before], DueReason.COUPLED_MERGE)
        wake_waiters(ctx, unit, made)
        gone = "uncoupled: the record that it was coupled to no longer exists"
        unit.add_journal([entry_of(ctx, coupling, Outcome.UNCOUPLED, gone) for coupling in found.dead.values()])
        unit.add_journal([entry_of(ctx, page.couplings[pair], Outcome.COUPLED, words[pair]) for pair in found.new])
        ctx.counters(coupling_side(ctx)).coupled += len(made)
        if ctx.job_id:
            unit.update_job(ctx.job_id, to_remote=ctx.report.to_remote, from_remote=ctx.report.from_remote)
    return page


def coupling_side(ctx: Context) -> Side:
    """Return the side under whose counters couplings are counted: the first one that the mapping writes to."""
    return Side.REMOTE if ctx.compiled.mapping.reaches(Side.REMOTE) else Side.LOCAL


def new_coupling(
    ctx: Context,
    local: Record,
    remote: Record,
    synchronise: Preference | None,
    before: RemovedCoupling | None = None,
    chosen: Chosen = _NO_CHOICE,
) -> NewCoupling:
    """Return the coupling of two records; without synchronising, both as they are become its base (W-26).

    One that was coupled `before` has the base of then, and one with fields `chosen` keeps these in it.
    """
    named = names(ctx, local, remote)
    if before is not None and (base := ctx.compiled.bases.read(before.base)) is not None:
        return NewCoupling(
            mapping=ctx.mapping_name,
            local_id=local.id,
            remote_id=remote.id,
            local_version=local.version if holds_base(ctx.compiled, Side.LOCAL, local.values, base) else None,
            remote_version=remote.version if holds_base(ctx.compiled, Side.REMOTE, remote.values, base) else None,
            base=before.base,
            last_synchronised=before.last_synchronised,
            **named,
        )
    if synchronise is not None:
        return NewCoupling(mapping=ctx.mapping_name, local_id=local.id, remote_id=remote.id, **named)
    return NewCoupling(
        mapping=ctx.mapping_name,
        local_id=local.id,
        remote_id=remote.id,
        local_version=None if chosen else local.version,
        remote_version=None if chosen else remote.version,
        base=encode_base(as_it_is(ctx.compiled, local, remote, chosen)),
        state=CouplingState.NEVER_SYNCHRONISED if chosen else CouplingState.IN_STEP,
        **named,
    )


def make_due(ctx: Context, unit: Unit, couplings: Sequence[Coupling], reason: DueReason) -> None:
    """Have the next job look at coupled records, for this reason and no earlier one."""
    ids = [coupling.local_id for coupling in couplings]
    unit.remove_due(ctx.mapping_name, Side.LOCAL, ids)
    unit.add_due(
        [
            Due(
                mapping=ctx.mapping_name,
                side=Side.LOCAL,
                record_id=id,
                reason=reason,
                not_before=ctx.now(),
            )
            for id in ids
        ]
    )
