"""Releasing: takes from remote records what marks them as ours, before or after their coupling goes (engine rule U-12).

Which fields those are is known to rules (`rules.base.Releasing`). Writes are conditional, and a record that another
mapping still holds is left as it is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from crosstie.engine.compiling import CompiledField
from crosstie.engine.context import Context
from crosstie.model.jobs import FieldChange, Intent
from crosstie.model.records import Record, Side, Write, WriteKind, WriteResult, WriteStatus
from crosstie.model.values import Scalar
from crosstie.rules.base import Releasing

LOOKS = 4
"""So often a record that keeps changing, or whose write got no answer, is read and written again."""
_CODES = {
    WriteStatus.DENIED: "write-denied",
    WriteStatus.STALE: "keeps-changing",
    WriteStatus.THROTTLED: "busy",
    WriteStatus.UNKNOWN: "busy",
}


@dataclass(slots=True)
class Release:
    """What became of a remote record: what was cleared, or the cause for which it could not be."""

    before: Record
    cleared: dict[str, Scalar] = field(default_factory=dict)
    code: str | None = None
    words: str = ""

    @property
    def changed(self) -> bool:
        return self.code is None and bool(self.cleared)

    def changes(self, words: str) -> tuple[FieldChange, ...]:
        """Return what clearing the record changes, for its history."""
        before = self.before.values
        return tuple(
            FieldChange(field=name, before=before.get(name), after=value, reason=words)
            for name, value in self.cleared.items()
        )


@dataclass(slots=True)
class Released:
    """What became of a page of remote records, by id. `intents` are still open, to be closed with its history."""

    of: dict[str, Release] = field(default_factory=dict)
    intents: list[str] = field(default_factory=list)


def releasing_fields(ctx: Context) -> list[CompiledField]:
    """Return the field mappings whose rules clean up when a record is uncoupled."""
    return [row for row in ctx.compiled.fields if isinstance(row.rule, Releasing)]


def release_reads(ctx: Context) -> tuple[str, ...]:
    """Return the remote fields that releasing looks at, and those that people know the records by."""
    mapping, names = ctx.compiled.mapping, []
    for row in releasing_fields(ctx):
        assert row.rule is not None, "a releasing field has a rule"
        names += [*([row.remote_field] if row.remote_field else []), *row.rule.reads(row.mapping, Side.REMOTE)]
    known_by = (mapping.remote_key_field, mapping.remote_name_field)
    return tuple(dict.fromkeys([*names, *(name for name in known_by if name)]))


async def release(ctx: Context, ids: Mapping[str, int | None], words: str) -> Released:
    """Clear what marks these remote records, each with its coupling if any, as ours; return what became of them.

    Records that are gone, carry nothing of ours, or are coupled under another mapping of the same table are not in
    the answer. `words` are for the history, also where the process does not live to write it. A dry run writes nothing.
    """
    done = Released()
    if not ids or not releasing_fields(ctx):
        return done
    held = _held_elsewhere(ctx, ids)
    left = [id for id in ids if id not in held]
    for _ in range(LOOKS):
        records = await ctx.systems[Side.REMOTE].get(ctx.compiled.mapping.remote_table, left, release_reads(ctx))
        wanted = await marks(ctx, list(records.values()))
        for id in left:
            _note_again(done.of, id, id in records, wanted.get(id))
        todo = {id: Release(records[id], values) for id, values in wanted.items()}
        if ctx.task.dry_run:
            done.of |= todo
            return done
        if not todo:
            break
        done.intents += _open_intents(ctx, todo, ids, words)
        answers = await _write(ctx, todo)
        done.of.update(todo)
        left = [id for id, answer in answers.items() if _settle(ctx, done.of, id, answer)]
        if not left:
            break
    return done


def _open_intents(
    ctx: Context, todo: Mapping[str, Release], couplings: Mapping[str, int | None], words: str
) -> list[str]:
    """Commit what is about to be written; return the ids of the intents."""
    now = ctx.now()
    intents = [
        Intent(
            id=uuid4().hex,
            job_id=ctx.job_id,
            mapping=ctx.mapping_name,
            side=Side.REMOTE,
            table=ctx.compiled.mapping.remote_table,
            kind=WriteKind.UPDATE,
            record_id=id,
            coupling_id=couplings[id],
            source_id=None,
            values=each.cleared,
            expected_version=each.before.version,
            created_at=now,
            changes=each.changes(words),
        )
        for id, each in todo.items()
    ]
    with ctx.store.begin() as unit:
        unit.open_intents(intents)
    return [intent.id for intent in intents]


async def marks(ctx: Context, records: Sequence[Record]) -> dict[str, dict[str, Scalar]]:
    """Return what clears the remote records that carry something of ours, by id."""
    found: dict[str, dict[str, Scalar]] = {}
    for row in releasing_fields(ctx):
        rule = row.rule
        assert isinstance(rule, Releasing), "chosen for that"
        facts = await rule.prepare(row.mapping, records, Side.REMOTE, ctx.access)
        for record in records:
            if values := rule.release(row.mapping, record, facts):
                found.setdefault(record.id, {}).update(values)
    return found


def _held_elsewhere(ctx: Context, ids: Collection[str]) -> set[str]:
    """Return the records that another mapping of the same remote table has coupled: an account can be a vendor too."""
    table = ctx.compiled.mapping.remote_table
    with ctx.store.begin() as unit:
        others = [m.name for m in unit.mappings() if m.remote_table == table and m.name != ctx.mapping_name]
        return set(unit.couplings.elsewhere(others, Side.REMOTE, ids)) if others else set()


def _note_again(found: dict[str, Release], id: str, there: bool, wanted: Mapping[str, Scalar] | None) -> None:
    """See what became of a write that got no clear answer: without our mark it was carried out after all."""
    earlier = found.get(id)
    if earlier is None or wanted is not None:
        return
    if there and earlier.code == "busy":
        earlier.code, earlier.words = None, ""
    else:
        # Gone, or cleared by somebody else.
        del found[id]


async def _write(ctx: Context, todo: Mapping[str, Release]) -> dict[str, WriteResult]:
    writes = [
        Write(kind=WriteKind.UPDATE, id=id, values=each.cleared, expected_version=each.before.version)
        for id, each in todo.items()
    ]
    table = ctx.compiled.mapping.remote_table
    answers = await ctx.systems[Side.REMOTE].write(table, writes, release_reads(ctx))
    return dict(zip(todo, answers, strict=True))


def _settle(ctx: Context, found: dict[str, Release], id: str, answer: WriteResult) -> bool:
    """Note the answer; whether the record is to be looked at again."""
    match answer.status:
        case WriteStatus.WRITTEN:
            return False
        case WriteStatus.MISSING:
            del found[id]
            return False
    found[id].code = _CODES.get(answer.status, "refused")
    said = f"{ctx.systems[Side.REMOTE].name} says: {answer.message}" if answer.message else ""
    found[id].words = said
    return answer.status in (WriteStatus.STALE, WriteStatus.THROTTLED, WriteStatus.UNKNOWN)
