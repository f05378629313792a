"""Remembering: writes the history of what a job did that was killed before it could."""

from collections.abc import Mapping, Sequence

from crosstie.engine.context import Context
from crosstie.engine.journalling import entry_of
from crosstie.engine.pairing import fetch
from crosstie.model.couplings import Coupling
from crosstie.model.jobs import FieldChange, Intent, JournalEntry, Outcome
from crosstie.model.records import Record, Side, WriteKind
from crosstie.model.values import normalise

_WORDS = "by a job that was interrupted before it could record it"


async def remember(ctx: Context, intents: Sequence[Intent]) -> list[JournalEntry]:
    """Return the entries of the history for those open intents that were carried out, as far as can be told.

    An update counts as carried out if the record has moved on and no longer holds all that it would have replaced:
    rather an entry too many than an edit that disappears without one.
    """
    entries: list[JournalEntry] = []
    for side in Side:
        mine = [i for i in intents if i.side is side and i.changes and i.record_id and i.kind is not WriteKind.CREATE]
        ids = [intent.record_id for intent in mine if intent.record_id]
        there = await fetch(ctx, side, ids)
        with ctx.store.begin() as unit:
            coupled = unit.couplings.by_record(ctx.mapping_name, side, ids) if ids else {}
        done = [intent for intent in mine if _happened(ctx, intent, there.get(intent.record_id or ""))]
        entries += [_entry(ctx, intent, coupled) for intent in done]
    return entries


def made(ctx: Context, intent: Intent, coupling: Coupling) -> JournalEntry:
    """Return the entry of the history for a create whose record was found, and coupled."""
    changes = tuple(FieldChange(field=name, after=value) for name, value in intent.values.items())
    words = f"created {_WORDS}"
    return entry_of(ctx, coupling, Outcome.INSERTED, words, side=intent.side, changes=changes, job_id=intent.job_id)


def _happened(ctx: Context, intent: Intent, record: Record | None) -> bool:
    if intent.kind is WriteKind.DELETE:
        return record is None
    if record is None or (record.version is not None and record.version == intent.expected_version):
        return False
    known = ctx.compiled.schema(intent.side).fields
    return any(
        change.field not in known or record.values.get(change.field) != normalise(change.before, known[change.field])
        for change in intent.changes
    )


def _entry(ctx: Context, intent: Intent, coupled: Mapping[str, Coupling]) -> JournalEntry:
    coupling = coupled.get(intent.record_id or "")
    own = {Side.LOCAL: intent.side is Side.LOCAL, Side.REMOTE: intent.side is Side.REMOTE}
    return JournalEntry(
        job_id=intent.job_id,
        mapping=ctx.mapping_name,
        coupling_id=intent.coupling_id,
        local_id=coupling.local_id if coupling else intent.record_id if own[Side.LOCAL] else None,
        remote_id=coupling.remote_id if coupling else intent.record_id if own[Side.REMOTE] else None,
        name=coupling.name() if coupling else intent.record_id or "",
        side=intent.side,
        outcome=Outcome.DELETED if intent.kind is WriteKind.DELETE else Outcome.MODIFIED,
        words=f"{'deleted' if intent.kind is WriteKind.DELETE else 'changed'} {_WORDS}",
        changes=intent.changes,
        at=ctx.now(),
    )
