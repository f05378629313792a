"""Cards: one record of either side with all that its page says of it (P09, P10, P13)."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from crosstie.app.differences import side_of_record
from crosstie.app.session import Session
from crosstie.app.views import CouplingView, ProblemView
from crosstie.engine.context import Context, Scope, Task
from crosstie.engine.differing import decide_each, field_differences
from crosstie.engine.pairing import Paired, fetch, pair_named, translate
from crosstie.engine.wording import Wording, worded
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Pair
from crosstie.model.differences import FieldDifference, Shown, SideOfRecord
from crosstie.model.errors import UnknownRecord
from crosstie.model.lists import NOT_COUPLED
from crosstie.model.mappings import Direction
from crosstie.model.records import Record, Side


class CardField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the record, as people read it."""

    field: str
    label: str
    type: str
    shown: Shown


class RecordCard(msgspec.Struct, frozen=True, kw_only=True):
    """A record, its coupling and its partner. Of one that no longer `exists`, only what its coupling knows is there.

    `differing` are the fields in which the two records are not in step. `reasons` say, by action, why it cannot be done
    now: "open" (the partner in its system), "synchronise", "couple", "uncouple" and "create".
    """

    mapping: str
    label: str
    direction: Direction
    table: str
    other_table: str
    side: Side
    id: str
    key: str | None
    name: str | None
    exists: bool
    in_filter: bool
    filter: str
    state: str
    coupling: CouplingView | None
    partner: SideOfRecord | None
    address: str | None
    modified_at: datetime | None
    fields: list[CardField]
    differing: list[FieldDifference]
    problem: ProblemView | None
    reasons: dict[str, str]

    @property
    def title(self) -> str:
        """Key and name, as far as there are any."""
        return " · ".join(part for part in (self.key, self.name) if part) or self.id


async def show_card(session: Session, mapping: str, side: Side, id: str) -> RecordCard:
    """Return the card of a record of `side`, by its id. Reads the record, and its partner where it is coupled.

    Raises UnknownMapping, UnknownRecord if it neither exists nor is coupled, SystemFailure.
    """
    ctx = await session.context(session.mapping(mapping).name, Task(scope=Scope.RECORDS, on_purpose=True))
    id = id.strip("{}").lower()
    with ctx.store.begin() as unit:
        coupling = unit.couplings.by_record(ctx.mapping_name, side, [id]).get(id)
        problems = unit.problems(ctx.mapping_name, records=_names(side, id, coupling), limit=1)
    item = await _read(ctx, side, id, coupling)
    record = item.pair.local if side is Side.LOCAL else item.pair.remote
    if record is None and coupling is None:
        raise UnknownRecord(
            f"{ctx.systems[side].name} has no {ctx.compiled.mapping.table(side)} with the id {id}.", id=id
        )
    wording = await worded(ctx, item.pair.local, item.pair.remote)
    key, name = _called(ctx, side, record, coupling)
    mine = side_of_record(ctx, side, id, record)
    problem = ProblemView.of(problems[0]) if problems else None
    return RecordCard(
        mapping=ctx.mapping_name,
        label=ctx.compiled.mapping.label,
        direction=ctx.compiled.mapping.direction,
        table=ctx.compiled.mapping.table(side),
        other_table=ctx.compiled.mapping.table(side.other),
        side=side,
        id=id,
        key=key,
        name=name,
        exists=record is not None,
        in_filter=mine.in_filter,
        filter=ctx.compiled.mapping.filter(side) or "",
        state=coupling.state.value if coupling else NOT_COUPLED,
        coupling=CouplingView.of(coupling) if coupling else None,
        partner=_partner(ctx, side, item, coupling),
        address=mine.address,
        modified_at=record.modified_at if record else None,
        fields=list(_fields(ctx, side, record, wording)) if record else [],
        differing=_differing(ctx, item, wording),
        problem=problem,
        reasons=_reasons(ctx, side, record, coupling),
    )


def _names(side: Side, id: str, coupling: Coupling | None) -> list[tuple[Side, str]]:
    return [(side, id), *([(side.other, coupling.record_id(side.other))] if coupling else [])]


async def _read(ctx: Context, side: Side, id: str, coupling: Coupling | None) -> Paired:
    """Read the record, and its partner where it has one."""
    if coupling is not None and (found := await pair_named(ctx, Side.LOCAL, [coupling.local_id])):
        await translate(ctx, found)
        return found[0]
    record = (await fetch(ctx, side, [id])).get(id)
    local, remote = (record, None) if side is Side.LOCAL else (None, record)
    return Paired(Pair(coupling=None, local=local, remote=remote), None)


def _called(
    ctx: Context, side: Side, record: Record | None, coupling: Coupling | None
) -> tuple[str | None, str | None]:
    """Return key and name of the record; of one that is gone, as its coupling knows them."""
    mapping = ctx.compiled.mapping
    if record is not None:
        key = mapping.key_field(side)
        return _text(record.values.get(key)) if key else None, _text(record.values.get(mapping.name_field(side)))
    assert coupling is not None, "a record that is neither there nor coupled has no card"
    if side is Side.LOCAL:
        return coupling.local_key, coupling.local_name
    return coupling.remote_key, coupling.remote_name


def _partner(ctx: Context, side: Side, item: Paired, coupling: Coupling | None) -> SideOfRecord | None:
    if coupling is None:
        return None
    other = side.other
    record = item.pair.local if other is Side.LOCAL else item.pair.remote
    found = side_of_record(ctx, other, coupling.record_id(other), record)
    if record is not None:
        return found
    key, name = (
        (coupling.local_key, coupling.local_name)
        if other is Side.LOCAL
        else (coupling.remote_key, coupling.remote_name)
    )
    return msgspec.structs.replace(found, words=" ".join(part for part in (key, name) if part))


def _fields(ctx: Context, side: Side, record: Record, wording: Wording) -> Iterator[CardField]:
    """Yield key and name, then every mapped field, each once."""
    mapping, schema = ctx.compiled.mapping, ctx.compiled.schema(side)
    labels = {name: row.label for row in reversed(ctx.compiled.fields) if (name := row.field_name(side))}
    key = mapping.key_field(side)
    names = (*([key] if key else []), mapping.name_field(side), *reversed(labels))
    for name in dict.fromkeys(names):
        field, value = schema.fields[name], record.values.get(name)
        label = labels.get(name) or field.label or name
        yield CardField(
            field=name, label=label, type=field.type.value, shown=Shown(value, wording.words(field, side, value))
        )


def _differing(ctx: Context, item: Paired, wording: Wording) -> list[FieldDifference]:
    """Return the fields in which both records are not in step."""
    if item.pair.coupling is None or item.pair.local is None or item.pair.remote is None:
        return []
    found = field_differences(ctx.compiled, item, decide_each(ctx.compiled, item), wording)
    return [each for each in found if each.differs]


def _reasons(ctx: Context, side: Side, record: Record | None, coupling: Coupling | None) -> dict[str, str]:
    """Return why actions cannot be used now, by action; one that is not in it can be."""
    mapping = ctx.compiled.mapping
    found: dict[str, str] = {}
    if coupling is None:
        found["uncouple"] = found["open"] = "The record is not coupled."
    if coupling is not None:
        found["create"] = "The record is coupled already."
    elif not mapping.reaches(side.other):
        found["create"] = f"{mapping.name} flows {mapping.direction.value} only."
    elif not ctx.compiled.schema(side.other).creatable:
        found["create"] = f"Records of {mapping.table(side.other)} cannot be created."
    if record is None:
        gone = f"The record no longer exists in {ctx.systems[side].name}."
        return {**found, "couple": gone, "create": gone}
    if not ctx.in_filter(side, record.values):
        outside = f"The filter of {mapping.name} leaves the record out; it admits: {ctx.filter_words(side)}."
        found |= dict.fromkeys(("couple", "create"), outside)
        if coupling is None:
            found["synchronise"] = outside
    return found


def _text(value: object) -> str | None:
    return None if value is None else str(value)
