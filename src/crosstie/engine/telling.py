"""Telling: what a write does to a record, field by field, as the history will say it. Pure."""

from crosstie.engine.context import Context
from crosstie.model.decisions import Decision, FieldAction, FieldDecision, RecordAction
from crosstie.model.jobs import FieldChange
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar


def changes_of(ctx: Context, decision: Decision, side: Side) -> tuple[FieldChange, ...]:
    """Return what carrying out a decision changes on one side; of a record that is deleted, all that is known of it."""
    before: Record | None = decision.pair.local if side is Side.LOCAL else decision.pair.remote
    if decision.action in (RecordAction.DELETE_LOCAL, RecordAction.DELETE_REMOTE):
        values = before.values if before else {}
        return tuple(FieldChange(field=name, before=value) for name, value in values.items() if value is not None)
    written = decision.to_local if side is Side.LOCAL else decision.to_remote
    reasons = _by_field(ctx, decision.fields, side)
    return tuple(_change(name, value, before, reasons.get(name)) for name, value in written.items())


def _change(name: str, value: Scalar, before: Record | None, field: FieldDecision | None) -> FieldChange:
    return FieldChange(
        field=name,
        before=before.values.get(name) if before else None,
        after=value,
        lost=field.lost if field else None,
        reason=field.reason if field else "",
    )


def _by_field(ctx: Context, fields: tuple[FieldDecision, ...], side: Side) -> dict[str, FieldDecision]:
    """Return the decisions that write to a side, by the field of that side."""
    wanted = FieldAction.TO_LOCAL if side is Side.LOCAL else FieldAction.TO_REMOTE
    found = {}
    for field in fields:
        if field.action is wanted and (name := ctx.compiled.fields[field.position].field_name(side)) is not None:
            found[name] = field
    return found
