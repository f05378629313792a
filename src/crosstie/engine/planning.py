"""Planning: turns decisions into writes in the order in which they can be carried out, and stops at guards."""

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from uuid import uuid4

import msgspec

from crosstie.engine.context import Context
from crosstie.engine.telling import changes_of
from crosstie.model.decisions import Decision, RecordAction
from crosstie.model.errors import GuardStopped
from crosstie.model.jobs import FieldChange
from crosstie.model.mappings import Mapping
from crosstie.model.places import Place
from crosstie.model.records import Side, Write, WriteKind
from crosstie.model.values import Scalar


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One write of a plan. `source_id` is the record on the other side that a create copies.

    `changes` are what an update or a deletion does to the record.
    """

    intent_id: str
    decision: Decision
    side: Side
    write: Write
    source_id: str | None
    changes: tuple[FieldChange, ...] = ()


def order_mappings(mappings: Iterable[Mapping]) -> list[Mapping]:
    """Return mappings so that each comes after those it depends on (engine rule J-13), else by their order.

    A circle of dependencies is cut where the order says; what then waits becomes due when its partner is coupled.
    """
    by_name = {mapping.name: mapping for mapping in mappings}
    ranked = sorted(by_name.values(), key=lambda mapping: (mapping.order, mapping.name))
    sorter = TopologicalSorter({m.name: [name for name in m.depends_on if name in by_name] for m in ranked})
    try:
        sorter.prepare()
    except CycleError:
        return ranked
    ordered: list[Mapping] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda name: (by_name[name].order, name))
        ordered.extend(by_name[name] for name in ready)
        sorter.done(*ready)
    return ordered


def plan(ctx: Context, decisions: Sequence[Decision]) -> list[Action]:
    """Return the writes that the decisions need: creates before updates before deletes."""
    actions = [action for decision in decisions for action in _actions(ctx, decision)]
    rank = {WriteKind.CREATE: 0, WriteKind.UPDATE: 1, WriteKind.DELETE: 2}
    return sorted(actions, key=lambda action: rank[action.write.kind])


def _actions(ctx: Context, decision: Decision) -> list[Action]:
    match decision.action:
        case RecordAction.CREATE_REMOTE:
            return [_create(ctx, decision, Side.REMOTE)]
        case RecordAction.CREATE_LOCAL:
            return [_create(ctx, decision, Side.LOCAL)]
        case RecordAction.UPDATE:
            return [
                _action(ctx, decision, side, WriteKind.UPDATE, values)
                for side, values in ((Side.REMOTE, decision.to_remote), (Side.LOCAL, decision.to_local))
                if values
            ]
        case RecordAction.DELETE_REMOTE:
            return [_action(ctx, decision, Side.REMOTE, WriteKind.DELETE, {})]
        case RecordAction.DELETE_LOCAL:
            return [_action(ctx, decision, Side.LOCAL, WriteKind.DELETE, {})]
        case _:
            return []


def _create(ctx: Context, decision: Decision, side: Side) -> Action:
    source = decision.pair.local if side is Side.REMOTE else decision.pair.remote
    values = decision.to_remote if side is Side.REMOTE else decision.to_local
    assert source is not None, "a create copies a record"
    id = (ctx.chosen_ids.get((side, source.id)) or str(uuid4())) if ctx.takes_ids(side) else None
    return Action(
        intent_id=uuid4().hex,
        decision=decision,
        side=side,
        write=Write(kind=WriteKind.CREATE, id=id, values=values),
        source_id=source.id,
    )


def _action(ctx: Context, decision: Decision, side: Side, kind: WriteKind, values: dict[str, Scalar]) -> Action:
    record = decision.pair.remote if side is Side.REMOTE else decision.pair.local
    assert record is not None, "an update or delete has a record"
    write = Write(kind=kind, id=record.id, values=values, expected_version=record.version)
    return Action(
        intent_id=uuid4().hex,
        decision=decision,
        side=side,
        write=write,
        source_id=None,
        changes=changes_of(ctx, decision, side),
    )


def guard_losses(ctx: Context, losses: int, coupled: int) -> None:
    """Stop a job that is about to delete or uncouple more records than the guards allow.

    Raises GuardStopped naming the figures, if both the number and the percentage are exceeded.
    """
    guards = ctx.guards
    if guards.forced or losses <= guards.delete_records or losses * 100 <= guards.delete_percent * coupled:
        return
    raise GuardStopped(
        f"{ctx.mapping_name}: {losses} of {coupled} coupled records would be deleted or uncoupled; "
        f"the guard allows {guards.delete_records} or {guards.delete_percent} %.",
        losses=losses,
        coupled=coupled,
    )


def guard_emptied(ctx: Context, side: Side, gone: int, coupled: int) -> None:
    """Stop a job that finds every coupled record of a side gone: rather a wrong address or lost rights than the truth.

    Raises GuardStopped if at least five records are coupled and none of them is there any more.
    """
    if ctx.guards.forced or coupled < 5 or gone < coupled:
        return
    raise GuardStopped(
        f"{ctx.mapping_name}: all {coupled} coupled records are gone from {ctx.systems[side].name} "
        f"({ctx.compiled.mapping.table(side)}).",
        next_step="Check the connection's company and rights; allow it if they were deleted on purpose.",
        place=Place.FORCE,
        gone=gone,
    )


def guard_overwrites(ctx: Context, decisions: Sequence[Decision]) -> None:
    """Stop a job that is about to modify more records than `overwrite_records`, before the page that exceeds it."""
    limit = ctx.guards.overwrite_records
    if limit is None or ctx.guards.forced:
        return
    ctx.overwrites += sum(decision.action is RecordAction.UPDATE for decision in decisions)
    if ctx.overwrites > limit:
        raise GuardStopped(
            f"{ctx.mapping_name}: more than {limit} records would be modified by one job.",
            modified=ctx.overwrites,
        )
