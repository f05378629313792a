"""Wording: values as people read them. Options by their labels, references by the names that couplings know."""

from collections.abc import Iterable

from crosstie.engine.compiling import CompiledField
from crosstie.engine.context import Context
from crosstie.engine.converting import as_text
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Decision
from crosstie.model.differences import Shown
from crosstie.model.records import Record, Side
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import Scalar

REFERENCES = (FieldType.LOOKUP, FieldType.GUID)
"""Types of fields that hold the id of another record."""


class Wording:
    """How the values of some records of a mapping read. Looked up once for all of them, in few queries."""

    def __init__(self, ctx: Context, records: Iterable[Record | None], more: Iterable[Scalar] = ()) -> None:
        self._ctx = ctx
        values = [value for record in records if record is not None for value in record.values.values()]
        self._names = self._look_up({_id(value) for value in (*values, *more) if isinstance(value, str)})
        self._asked: dict[str, str] = {}

    async def ask(self, values: Iterable[tuple[str, Scalar]]) -> None:
        """Read the names of records that remote lookups point at, where no coupling knows them: owners above all.

        `values` are remote fields with what they hold. A value may name its table, else it is looked for in each table
        at which the field may point. Raises SystemFailure.
        """
        wanted: dict[str, set[str]] = {}
        for name, value in values:
            schema = self._ctx.compiled.remote_schema.fields.get(name)
            if schema is None or schema.type is not FieldType.LOOKUP or not isinstance(value, str):
                continue
            table, _, id = value.rpartition(":")
            if (Side.REMOTE, id) not in self._names:
                for each in [table] if table else schema.targets:
                    wanted.setdefault(each, set()).add(id)
        system = self._ctx.systems[Side.REMOTE]
        for table, ids in wanted.items():
            if (field := (await system.describe(table)).name_field) is not None:
                for id, record in (await system.get(table, sorted(ids), (field,))).items():
                    self._asked[id] = as_text(record.values.get(field)) or id

    def shown(self, field: CompiledField, side: Side, value: Scalar) -> Shown:
        """Return a value of one side of a field with its words."""
        schema = field.schema(side)
        return Shown(value, self.words(schema, side, value) if schema is not None else as_text(value))

    def words(self, schema: FieldSchema, side: Side, value: Scalar) -> str:
        """Return how a value of a field reads; a blank is the empty text."""
        if value is None:
            return ""
        if schema.type is FieldType.CHOICE:
            return schema.options.get(as_text(value), as_text(value))
        if schema.type in REFERENCES and isinstance(value, str):
            found = self._names.get((side, _id(value)))
            return _called(found, side) if found is not None else self._asked.get(_id(value), value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return as_text(value)

    def _look_up(self, values: set[str]) -> dict[tuple[Side, str], Coupling]:
        """Return the couplings, under any mapping, of records that these values may be the ids of."""
        found: dict[tuple[Side, str], Coupling] = {}
        wanted = self._referring(values)
        if not any(wanted.values()):
            return found
        with self._ctx.store.begin() as unit:
            names = [mapping.name for mapping in unit.mappings()]
            for side, ids in wanted.items():
                for id, couplings in (unit.couplings.elsewhere(names, side, ids) if ids else {}).items():
                    found[side, id] = couplings[0]
        return found

    def _referring(self, values: set[str]) -> dict[Side, set[str]]:
        """Return which values may be ids, by the side of the fields that hold ids."""
        return {
            side: values
            if any(
                (schema := field.schema(side)) is not None and schema.type in REFERENCES
                for field in self._ctx.compiled.fields
            )
            else set()
            for side in Side
        }


async def worded(
    ctx: Context,
    local: Record | None,
    remote: Record | None,
    decisions: Iterable[Decision] = (),
    more: Iterable[Scalar] = (),
) -> Wording:
    """Return how the values of a pair read, those that decisions are about, and `more`.

    What they refer to in the remote system is asked for where it must. Raises SystemFailure.
    """
    remote_names = {row.name: row.remote_name or "" for row in ctx.compiled.fields}
    decided = [
        (remote_names.get(field.name, ""), value)
        for each in decisions
        for field in each.fields
        for value in (field.value, field.lost)
    ]
    found = Wording(ctx, (local, remote), (*more, *(value for _, value in decided)))
    await found.ask([*(remote.values.items() if remote is not None else ()), *decided])
    return found


def _id(value: str) -> str:
    """Return the plain id of a lookup that may name the table at which it points."""
    return value.rpartition(":")[2]


def _called(coupling: Coupling, side: Side) -> str:
    """Return what people call a coupled record on its own side."""
    if side is Side.LOCAL:
        return coupling.local_key or coupling.local_name or coupling.local_id
    return coupling.remote_name or coupling.remote_key or coupling.local_key or coupling.remote_id
