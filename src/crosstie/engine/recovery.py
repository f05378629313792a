"""Recovery: settles the intents that a job left open when its process died, before anything else of the mapping.

A create is looked for by the id that it carried, or, where the table chooses ids itself, as a record that was
created since, equals the payload in every field, and is not coupled. Updates and deletes need no search: the
record becomes due, and the three-way decision finds what was done already in agreement.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from crosstie.engine.context import Context
from crosstie.engine.converting import blank
from crosstie.engine.journalling import entry_of
from crosstie.engine.pairing import fetch, translate_one
from crosstie.engine.recording import names, wake_waiters
from crosstie.engine.remembering import made, remember
from crosstie.engine.tallying import Tallied, names_of, tally
from crosstie.engine.uncoupling import forget
from crosstie.engine.undo_notes import not_again, renew
from crosstie.model.base import Base, encode_base
from crosstie.model.couplings import Coupling, CouplingState, NewCoupling
from crosstie.model.jobs import Due, DueReason, Intent, Job, JobKind, JobState, JournalEntry, Outcome, Phase
from crosstie.model.records import Record, Side, WriteKind
from crosstie.model.schema import TableSchema
from crosstie.model.values import Scalar, normalise
from crosstie.store.base import Unit


async def settle_open_intents(ctx: Context) -> int:
    """Settle what dead jobs of the mapping left open and return how many intents that were.

    Jobs whose process lives keep theirs. Those of the context's own job are of an earlier process that ran it.
    """
    ctx.phase = Phase.SETTLING
    with ctx.store.begin() as unit:
        # A job of another mapping may write here, too: an undo, or the uncoupling of what records belong to.
        running = [job for job in unit.running_jobs() if job.id != ctx.job_id]
        alive = {job.id for job in running if ctx.alive(job.owner)}
        dead = [job for job in running if job.mapping == ctx.mapping_name and job.id not in alive]
        intents = [i for i in unit.intents(ctx.mapping_name) if i.job_id not in alive]
    # A record without source, as an undo brings it back, is coupled with nothing.
    creates = [
        canonical(ctx.compiled.schema(intent.side), intent)
        for intent in intents
        if intent.kind is WriteKind.CREATE and intent.source_id is not None
    ]
    uncoupled = await _uncoupled(ctx, intents)
    deleted = await _find_deleted(ctx, [intent for intent in intents if intent.kind is WriteKind.DELETE])
    found = await _find_created(ctx, creates)
    sources = await _sources(ctx, creates)
    adopted = [
        (intent, record, await _adopted(ctx, intent, record, sources))
        for intent in creates
        if (record := found.get(intent.id))
    ]
    interrupted = await remember(ctx, intents)
    with ctx.store.begin() as unit:
        _make_way(ctx, unit, [intent for intent, _, _ in adopted])
        coupled = _couple(ctx, unit, [new for _, _, new in adopted])
        created = [(i, pair) for i, _, new in adopted if (pair := coupled.get((new.local_id, new.remote_id)))]
        interrupted += [made(ctx, intent, pair) for intent, pair in created]
        unit.add_journal(interrupted)
        _tally(ctx, unit, interrupted)
        if interrupted and ctx.report.job_id:
            unit.update_job(ctx.job_id, to_remote=ctx.report.to_remote, from_remote=ctx.report.from_remote)
        _uncouple(ctx, unit, deleted)
        for side, record in uncoupled:
            renew(ctx, unit, side, record)
        unit.add_due([due for intent in intents for due in _due(ctx, intent)])
        ctx.reopened |= {i.coupling_id for i in intents if i.coupling_id is not None and i.job_id == ctx.job_id}
        unit.close_intents([intent.id for intent in intents])
        for job in dead:
            _interrupt(ctx, unit, job)
    return len(intents)


class _Deleted(NamedTuple):
    """A delete of a coupled record that was carried out, and the record that is left."""

    intent: Intent
    coupling: Coupling
    survivor: Record | None


async def _find_deleted(ctx: Context, deletes: Sequence[Intent]) -> list[_Deleted]:
    """Return the deletes of coupled records that were carried out."""
    found: list[_Deleted] = []
    for side in Side:
        mine = {i.record_id: i for i in deletes if i.side is side and i.record_id and i.coupling_id}
        there = await fetch(ctx, side, list(mine))
        with ctx.store.begin() as unit:
            held = unit.couplings.by_record(ctx.mapping_name, side, [id for id in mine if id not in there])
        alone = {id: coupling for id, coupling in held.items() if coupling.id == mine[id].coupling_id}
        left = await fetch(ctx, side.other, [coupling.record_id(side.other) for coupling in alone.values()])
        found += [_Deleted(mine[id], each, left.get(each.record_id(side.other))) for id, each in alone.items()]
    return found


def _uncouple(ctx: Context, unit: Unit, deleted: Sequence[_Deleted]) -> None:
    """Remove the couplings of records that the dead job deleted, as it would have done: a delete takes them along."""
    lost = unit.couplings.delete([each.coupling for each in deleted])
    for intent, coupling, survivor in deleted:
        if coupling.id in lost:
            continue
        unit.couplings.keep_removed([coupling], ctx.now())
        forget(ctx, unit, [coupling])
        words = f"the {intent.side} record was deleted by a job that was interrupted"
        unit.add_journal([entry_of(ctx, coupling, Outcome.UNCOUPLED, words, job_id=intent.job_id)])
        job = unit.background.job(intent.job_id)
        if survivor is not None and job is not None and job.kind is JobKind.UNDO:
            not_again(ctx, unit, intent.side.other, survivor, f"undo by job {job.id}")


async def _uncoupled(ctx: Context, intents: Sequence[Intent]) -> list[tuple[Side, Record]]:
    """Return the uncoupled records to which an undo may have put values back."""
    found: list[tuple[Side, Record]] = []
    for side in Side:
        ids = [i.record_id for i in intents if i.side is side and _is_of_uncoupled(i) and i.record_id]
        found += [(side, record) for record in (await fetch(ctx, side, ids)).values()]
    return found


def _is_of_uncoupled(intent: Intent) -> bool:
    return intent.kind is WriteKind.UPDATE and intent.coupling_id is None


async def _find_created(ctx: Context, creates: Sequence[Intent]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for side in (Side.LOCAL, Side.REMOTE):
        mine = [intent for intent in creates if intent.side is side]
        there = await fetch(ctx, side, [intent.record_id for intent in mine if intent.record_id])
        found.update({i.id: there[i.record_id] for i in mine if i.record_id and i.record_id in there})
        lost = [intent for intent in mine if intent.id not in found]
        if lost and not ctx.keeps_ids(side):
            found.update(await _search(ctx, side, lost))
    return found


async def _search(ctx: Context, side: Side, intents: Sequence[Intent]) -> dict[str, Record]:
    """Look for uncoupled records that equal the payloads, newest tables' pages first; each is taken once."""
    table, found, since = ctx.compiled.mapping.table(side), dict[str, Record](), min(i.created_at for i in intents)
    async for page in ctx.systems[side].scan(table, ctx.reads(side)):
        recent = [r for r in page.records if r.modified_at is None or r.modified_at >= since]
        with ctx.store.begin() as unit:
            coupled = unit.couplings.by_record(ctx.mapping_name, side, [record.id for record in recent])
        free = [record for record in recent if record.id not in coupled]
        for intent in intents:
            if intent.id not in found and (equal := next((r for r in free if _equals(r, intent)), None)):
                found[intent.id] = equal
                free.remove(equal)
    return found


def _equals(record: Record, intent: Intent) -> bool:
    return all(record.values.get(name) == value for name, value in intent.values.items() if name in record.values)


def canonical(schema: TableSchema, intent: Intent) -> Intent:
    """Return an intent with its values as records hold them: stored, a date or an amount is a text."""
    fields = schema.fields
    values = {
        name: normalise(value, fields[name]) if name in fields else value for name, value in intent.values.items()
    }
    return msgspec.structs.replace(intent, values=values)


async def _sources(ctx: Context, creates: Sequence[Intent]) -> dict[tuple[Side, str], Record]:
    sources: dict[tuple[Side, str], Record] = {}
    for side in (Side.LOCAL, Side.REMOTE):
        ids = [intent.source_id for intent in creates if intent.side is side.other and intent.source_id]
        sources.update({(side, id): record for id, record in (await fetch(ctx, side, ids)).items()})
    return sources


async def _adopted(
    ctx: Context, intent: Intent, record: Record, sources: Mapping[tuple[Side, str], Record]
) -> NewCoupling:
    """Return the coupling that the dead job would have stored; what was edited since shows as a change."""
    source = sources.get((intent.side.other, intent.source_id or ""))
    local, remote = (source, record) if intent.side is Side.REMOTE else (record, source)
    return NewCoupling(
        mapping=ctx.mapping_name,
        local_id=local.id if local else intent.source_id or "",
        remote_id=remote.id if remote else intent.source_id or "",
        base=encode_base(await _base(ctx, intent, record, source)),
        state=CouplingState.NEVER_SYNCHRONISED,
        **names(ctx, local, remote),
    )


async def _base(ctx: Context, intent: Intent, record: Record, source: Record | None) -> Base:
    """Return the base as of the create: the payload on the side written, and on the other what it was made from."""
    written = Record(record.id, None, {**record.values, **_unsent(ctx, intent), **intent.values})
    back = await translate_one(ctx, written, intent.side, creating=False)
    forth = await translate_one(ctx, source, intent.side.other, creating=True) if source else None
    here: dict[str, Scalar] = {}
    there: dict[str, Scalar] = {}
    for position, field in enumerate(ctx.compiled.fields):
        near, far = field.local_field, field.remote_field
        if intent.side is Side.LOCAL:
            near, far = far, near
        if far is not None and far in written.values:
            there[far] = written.values[far]
        if near is None or (far is None and not field.mapping.create_only):
            # What does not come from the record that was made has still to be written here.
            continue
        unchanged = forth is not None and far is not None and forth.values.get(position) == written.values.get(far)
        if source is not None and (unchanged or back is None or position not in back.values):
            here[near] = source.values.get(near)
        elif back is not None and position in back.values:
            here[near] = back.values[position]
    local, remote = (here, there) if intent.side is Side.REMOTE else (there, here)
    return Base(local, remote)


def _unsent(ctx: Context, intent: Intent) -> dict[str, Scalar]:
    """Return the blanks that a create left out: what its system filled in there is a change that is still to flow."""
    left_out = {}
    for field in ctx.compiled.fields:
        name, schema = field.field_name(intent.side), field.schema(intent.side)
        if name is not None and schema is not None and field.both_ways and schema.creatable:
            left_out[name] = blank(schema)
    return left_out


def _make_way(ctx: Context, unit: Unit, creates: Sequence[Intent]) -> None:
    """Remove the couplings whose deleted half was created anew, as the dead job would have done."""
    for side in Side:
        wanted = {i.source_id: i.coupling_id for i in creates if i.side is side.other and i.source_id and i.coupling_id}
        held = unit.couplings.by_record(ctx.mapping_name, side, wanted)
        old = [coupling for id, coupling in held.items() if coupling.id == wanted[id]]
        unit.couplings.delete(old)
        forget(ctx, unit, old)


def _couple(ctx: Context, unit: Unit, new: Sequence[NewCoupling]) -> dict[tuple[str, str], Coupling]:
    """Store the couplings of adopted records, unless somebody coupled one of them meanwhile; return those stored."""
    taken: set[tuple[Side, str]] = set()
    for side in (Side.LOCAL, Side.REMOTE):
        ids = [c.local_id if side is Side.LOCAL else c.remote_id for c in new]
        taken |= {(side, id) for id in unit.couplings.by_record(ctx.mapping_name, side, ids)}
    free = [c for c in new if (Side.LOCAL, c.local_id) not in taken and (Side.REMOTE, c.remote_id) not in taken]
    stored = unit.couplings.insert(free, ctx.now())
    wake_waiters(ctx, unit, stored)
    return {(coupling.local_id, coupling.remote_id): coupling for coupling in stored}


def _tally(ctx: Context, unit: Unit, entries: Sequence[JournalEntry]) -> None:
    """Count what dead processes did, and could not count, under the jobs that go on."""
    for job_id in {entry.job_id for entry in entries}:
        done = [
            Tallied(names_of(each.coupling_id, each.local_id, each.remote_id), each.side, each.outcome.value)
            for each in entries
            if each.job_id == job_id and each.side is not None
        ]
        job = unit.background.job(job_id)
        if job_id == ctx.job_id:
            tally(ctx, unit, done)
        elif job is not None and (job.goes_on or job.parent_id is not None):
            unit.background.put_tallied(job_id, {(each.names[0], each.target): each.outcome for each in done})


def _due(ctx: Context, intent: Intent) -> list[Due]:
    create = intent.kind is WriteKind.CREATE
    side = intent.side.other if create else intent.side
    record_id = intent.source_id if create else intent.record_id
    if record_id is None or _is_of_uncoupled(intent):
        return []
    return [
        Due(
            mapping=ctx.mapping_name,
            side=side,
            record_id=record_id,
            reason=DueReason.INTERRUPTED,
            not_before=ctx.now(),
            create=create,
        )
    ]


def _interrupt(ctx: Context, unit: Unit, job: Job) -> None:
    unit.update_job(
        job.id,
        to_remote=job.to_remote,
        from_remote=job.from_remote,
        state=JobState.INTERRUPTED,
        message="The process that ran this job ended before it was done; the next job went on from there.",
        finished_at=ctx.now(),
    )
