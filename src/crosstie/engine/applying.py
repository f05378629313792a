"""Applying: commits an intent for every write, sends them in large requests, and asks where no answer came."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from crosstie.engine.context import Context
from crosstie.engine.planning import Action
from crosstie.model.jobs import Intent
from crosstie.model.records import Record, Side, WriteKind, WriteResult, WriteStatus
from crosstie.model.schema import ChangeFeed

UNANSWERED = "unanswered"
"""The code of a write that got no answer and, as the system says, did not happen."""


async def apply(ctx: Context, actions: Sequence[Action]) -> dict[str, WriteResult]:
    """Carry out the actions and return what became of each, by its intent's id.

    What got no answer is asked for: WRITTEN if it happened, STALE or MISSING if not, so that it is decided again.
    Only a create without an id that is known to be kept stays UNKNOWN; recovery looks for it. Creates whose source
    was coupled meanwhile, or is being created by another job, are not sent (STALE).
    """
    if not actions:
        return {}
    results = await _there_already(ctx, actions)
    outrun = _commit_intents(ctx, [action for action in actions if action.intent_id not in results])
    results |= {id: WriteResult(status=WriteStatus.STALE) for id in outrun}
    sides = [
        [action for action in actions if action.side is side and action.intent_id not in results]
        for side in (Side.REMOTE, Side.LOCAL)
    ]
    for answered in await asyncio.gather(*(_send(ctx, part) for part in sides if part)):
        results.update(answered)
    return results


async def _there_already(ctx: Context, actions: Sequence[Action]) -> dict[str, WriteResult]:
    """Return EXISTS for creates that equal what is there, in a table that knows neither ids of ours nor times.

    Such are the options of a choice. The system would refuse them too, but recovery must be able to take an equal
    record for the one that a dead process has made.
    """
    found: dict[str, WriteResult] = {}
    for side in Side:
        schema = ctx.compiled.schema(side)
        creates = [a for a in actions if a.side is side and a.write.kind is WriteKind.CREATE and a.write.id is None]
        if not creates or schema.feed is not ChangeFeed.FULL or not schema.alternate_keys:
            continue
        async for page in ctx.systems[side].scan(schema.name, ctx.reads(side)):
            for action in creates:
                values = action.write.values.items()
                for record in page.records:
                    if all(record.values.get(name) == value for name, value in values):
                        name = record.values.get(schema.name_field or schema.key)
                        words = f"{name!r} exists already, as number {record.id}."
                        found[action.intent_id] = WriteResult(status=WriteStatus.EXISTS, record=record, message=words)
    return found


def _commit_intents(ctx: Context, actions: Sequence[Action]) -> set[str]:
    """Store the intents in one transaction; return those of creates that another job has got ahead of."""
    now = ctx.now()
    creates = [action for action in actions if action.write.kind is WriteKind.CREATE and action.source_id]
    with ctx.store.begin() as unit:
        outrun: set[str] = set()
        if creates:
            busy = {
                (intent.side, intent.source_id)
                for intent in unit.intents(ctx.mapping_name)
                if intent.kind is WriteKind.CREATE and intent.job_id != ctx.job_id
            }
            for side in (Side.LOCAL, Side.REMOTE):
                sources = {a.source_id: a.intent_id for a in creates if a.side is side.other and a.source_id}
                coupled = unit.couplings.by_record(ctx.mapping_name, side, sources) if sources else {}
                alive = {
                    action.decision.pair.coupling.id for action in creates if action.decision.pair.coupling is not None
                }
                outrun |= {
                    intent_id
                    for source, intent_id in sources.items()
                    if (source in coupled and coupled[source].id not in alive) or (side.other, source) in busy
                }
        unit.open_intents([_intent(ctx, action, now) for action in actions if action.intent_id not in outrun])
    return outrun


def _intent(ctx: Context, action: Action, now: datetime) -> Intent:
    write = action.write
    return Intent(
        id=action.intent_id,
        job_id=ctx.job_id,
        mapping=ctx.mapping_name,
        side=action.side,
        table=ctx.compiled.mapping.table(action.side),
        kind=write.kind,
        record_id=write.id,
        coupling_id=action.decision.pair.coupling.id if action.decision.pair.coupling else None,
        source_id=action.source_id,
        values=write.values,
        expected_version=write.expected_version,
        created_at=now,
        changes=action.changes,
    )


async def _send(ctx: Context, actions: Sequence[Action]) -> dict[str, WriteResult]:
    side = actions[0].side
    table = ctx.compiled.mapping.table(side)
    answers = await ctx.systems[side].write(table, [action.write for action in actions], ctx.reads(side))
    results = {action.intent_id: answer for action, answer in zip(actions, answers, strict=True)}
    for action in actions:
        _note_ids(ctx, action, results[action.intent_id])
    doubtful = [action for action in actions if _doubtful(action, results[action.intent_id])]
    if doubtful:
        results.update(await _settle(ctx, side, doubtful, results))
    for action in doubtful:
        _note_ids(ctx, action, results[action.intent_id])
    return results


def _doubtful(action: Action, result: WriteResult) -> bool:
    """Whether the answer leaves open what happened; an id of ours that exists is an earlier attempt that arrived."""
    if result.status is WriteStatus.EXISTS:
        return action.write.kind is WriteKind.CREATE and action.write.id is not None
    return result.status is WriteStatus.UNKNOWN


async def _settle(
    ctx: Context, side: Side, actions: Sequence[Action], results: dict[str, WriteResult]
) -> dict[str, WriteResult]:
    """Ask the system what became of writes that got no answer."""
    ids = [action.write.id for action in actions if action.write.id]
    found = await ctx.systems[side].get(ctx.compiled.mapping.table(side), ids, ctx.reads(side))
    settled = {}
    for action in actions:
        record = found.get(action.write.id or "")
        if _happened(action, record):
            settled[action.intent_id] = WriteResult(status=WriteStatus.WRITTEN, record=record)
        elif action.write.kind is WriteKind.CREATE and (
            results[action.intent_id].status is WriteStatus.EXISTS or not (action.write.id and ctx.keeps_ids(side))
        ):
            # Without an id that the table is known to keep only recovery can find out, by looking for an equal
            # record; and what exists under another id has the same key and is not ours.
            settled[action.intent_id] = results[action.intent_id]
        else:
            if action.write.kind is WriteKind.CREATE and action.source_id and action.write.id:
                ctx.chosen_ids[(side, action.source_id)] = action.write.id
            again = record is not None or action.write.kind is WriteKind.CREATE
            status = WriteStatus.STALE if again else WriteStatus.MISSING
            said = results[action.intent_id].message
            settled[action.intent_id] = WriteResult(status=status, code=UNANSWERED, message=said)
    return settled


def _happened(action: Action, record: Record | None) -> bool:
    match action.write.kind:
        case WriteKind.CREATE:
            return record is not None
        case WriteKind.DELETE:
            return record is None
        case WriteKind.UPDATE:
            return (
                record is not None
                and record.version != action.write.expected_version
                and all(record.values.get(name) == value for name, value in action.write.values.items())
            )


def _note_ids(ctx: Context, action: Action, result: WriteResult) -> None:
    """Learn whether the table keeps the ids that we choose (DESIGN section 5, point 2)."""
    if action.write.kind is not WriteKind.CREATE or action.write.id is None or result.record is None:
        return
    ctx.learn_ids(action.side, kept=result.record.id == action.write.id)
