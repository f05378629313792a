"""Foreseeing: what a job will write back to the source of a record that it creates, for a plan to show.

A new partner brings values of its own, and fields that flow only from it, as the company's stamp. The job carries
them over as soon as the record is there, unless its filter does not admit it; a dry run has no record, and takes one
with what would be written into it.
"""

from collections.abc import Sequence

from crosstie.engine.basing import next_base
from crosstie.engine.context import Context
from crosstie.engine.converting import blank
from crosstie.engine.counting import count_plan
from crosstie.engine.decision import decide
from crosstie.engine.outcomes import Carried
from crosstie.engine.pairing import Paired, translate
from crosstie.model.decisions import Decision, Pair, RecordAction, Request
from crosstie.model.records import Record, Side
from crosstie.model.values import Values

_CREATED = {RecordAction.CREATE_LOCAL: Side.LOCAL, RecordAction.CREATE_REMOTE: Side.REMOTE}


async def foresee(ctx: Context, carried: Sequence[Carried], source: Side) -> None:
    """Tell the observer, and count, what follows by itself from the creations of a page. Writes nothing."""
    created = (_pair(ctx, item.decision) for item in carried if item.decision.action in _CREATED)
    coming = [item for item in created if item.pair.local_in_filter and item.pair.remote_in_filter]
    await translate(ctx, coming)
    for item in coming:
        decision = decide(ctx.compiled, item.pair, item.base, item.sent, item.fetched, Request())
        if decision.action is RecordAction.UPDATE and decision.problem_code is None:
            ctx.observer.decided(decision)
            count_plan(ctx, [Carried(decision, item.base)], source)


def _pair(ctx: Context, creation: Decision) -> Paired:
    """Return the pair that a creation will make. What the system fills in by itself, as a number, is not known."""
    side = _CREATED[creation.action]
    schema, written = ctx.compiled.schema(side), creation.to_local if side is Side.LOCAL else creation.to_remote
    values = {name: written.get(name, blank(schema.fields[name])) for name in ctx.compiled.mapped[side]}
    made = Record("", None, values)
    local, remote = (made, creation.pair.remote) if side is Side.LOCAL else (creation.pair.local, made)
    assert local is not None, "a creation copies a record"
    assert remote is not None, "a creation copies a record"
    pair = Pair(
        coupling=None,
        local=local,
        remote=remote,
        local_in_filter=side is Side.REMOTE or _stays(ctx, side, values),
        remote_in_filter=side is Side.LOCAL or _stays(ctx, side, values),
    )
    return Paired(pair, next_base(ctx.compiled, None, creation, local, remote))


def _stays(ctx: Context, side: Side, values: Values) -> bool:
    """Whether the filter will admit the new record; where it asks for what only the system knows, it is thought to."""
    fields = ctx.compiled.schema(side).fields
    asked = {name: values[name] if name in values else blank(fields[name]) for name in ctx.filter_fields.get(side, ())}
    unknown = any(value is None and name not in values for name, value in asked.items())
    return unknown or ctx.in_filter(side, asked)
