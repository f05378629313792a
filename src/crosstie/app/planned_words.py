"""Plans as pages show them: options by their labels, references by the names of what they point at."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec

from crosstie.app.session import Session
from crosstie.engine.compiling import CompiledMapping
from crosstie.engine.context import Task
from crosstie.engine.wording import REFERENCES, Wording
from crosstie.model.errors import SystemFailure
from crosstie.model.planned import FieldValue, PlannedField, PlannedRecord
from crosstie.model.records import Side
from crosstie.model.schema import FieldSchema, FieldType

_WORDED = (FieldType.CHOICE, *REFERENCES)


async def in_words(session: Session, mapping: str, plan: Sequence[PlannedRecord]) -> list[PlannedRecord]:
    """Return the records of a plan with options and references in words, and fields by their labels.

    Reads the names that no coupling knows; what a system that is away would have to tell stays an id.
    Raises UnknownMapping.
    """
    try:
        ctx = await session.context(session.mapping(mapping).name, Task())
    except SystemFailure:
        return list(plan)
    compiled = ctx.compiled
    values = [each for record in plan for field in record.fields for each in _values(compiled, field)]
    wording = Wording(ctx, (), [value for _, _, value in values])
    with suppress(SystemFailure):  # the couplings know most of them
        await wording.ask((schema.name, value) for side, schema, value in values if side is Side.REMOTE)
    return [
        msgspec.structs.replace(record, fields=[_worded(compiled, field, wording) for field in record.fields])
        for record in plan
    ]


def _sides(field: PlannedField) -> Iterator[tuple[str, Side]]:
    """Yield the parts of a field that hold values, with the side whose value each is."""
    if field.side is not None:
        yield from ((part, Side(field.side)) for part in ("before", "after", "lost"))
    yield from (
        ("base_local", Side.LOCAL),
        ("local", Side.LOCAL),
        ("base_remote", Side.REMOTE),
        ("remote", Side.REMOTE),
    )


def _schema(compiled: CompiledMapping, field: PlannedField, side: Side) -> FieldSchema | None:
    """Return the field on a side: it is named by its field mapping, or where a record is made anew by itself."""
    row = next((row for row in compiled.fields if row.name == field.field), None)
    return row.schema(side) if row is not None else compiled.schema(side).fields.get(field.field)


def _values(compiled: CompiledMapping, field: PlannedField) -> Iterator[tuple[Side, FieldSchema, FieldValue]]:
    for part, side in _sides(field):
        schema = _schema(compiled, field, side)
        if schema is not None and schema.type in _WORDED and (value := getattr(field, part)) is not None:
            yield side, schema, value


def _worded(compiled: CompiledMapping, field: PlannedField, wording: Wording) -> PlannedField:
    told = {
        part: wording.words(schema, side, value)
        for part, side in _sides(field)
        if (value := getattr(field, part)) is not None
        and (schema := _schema(compiled, field, side)) is not None
        and schema.type in _WORDED
    }
    return msgspec.structs.replace(field, label=_label(compiled, field), **told)


def _label(compiled: CompiledMapping, field: PlannedField) -> str:
    """Return what people call the field; of one that its row does not name, as the row or the system calls it."""
    if field.label != field.field or field.side is None:
        return field.label
    side = Side(field.side)
    row = next((row for row in compiled.fields if row.field_name(side) == field.field), None)
    schema = compiled.schema(side).fields.get(field.field)
    return row.label if row is not None else (schema.label if schema else "") or field.label
