"""Compiling: turns a mapping, checked against both tables, into what transfer and decision work with.

Done once a job. What is wrong with a mapping shows here, before a record is read (engine rules D-18 to D-22).
"""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from crosstie.engine.checking import check_mapping
from crosstie.engine.converting import Convert, as_text, blank, converter, fitted
from crosstie.engine.transforming import transforming
from crosstie.model.base import BaseReader
from crosstie.model.mappings import FieldMapping, FindingPolicy, LocalReference, Mapping, UpdateConflictResolution
from crosstie.model.records import Record, Side
from crosstie.model.references import Reference
from crosstie.model.schema import FieldSchema, TableSchema
from crosstie.model.values import Scalar
from crosstie.rules.base import FieldRule, RuleAccess

_SIDES: Final = (Side.LOCAL, Side.REMOTE)


@dataclass(frozen=True, slots=True)
class CompiledField:
    """A field mapping with the fields that it ties together. `position` is its place in the compiled mapping."""

    position: int
    mapping: FieldMapping
    local: FieldSchema | None
    remote: FieldSchema | None
    rule: FieldRule | None
    policy: FindingPolicy
    resolution: UpdateConflictResolution
    name: str = dataclasses.field(init=False)
    label: str = dataclasses.field(init=False)
    local_name: str | None = dataclasses.field(init=False)
    remote_name: str | None = dataclasses.field(init=False)
    to_local: bool = dataclasses.field(init=False)
    to_remote: bool = dataclasses.field(init=False)
    both_ways: bool = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        row = self.mapping
        to_local = self.local is not None and row.direction.reaches(Side.LOCAL)
        to_remote = self.remote is not None and row.direction.reaches(Side.REMOTE)
        for name, value in (
            ("name", row.name),
            ("label", row.label or row.name),
            ("local_name", row.local_field),
            ("remote_name", row.remote_field),
            ("to_local", to_local),
            ("to_remote", to_remote),
            ("both_ways", to_local and to_remote),
        ):
            object.__setattr__(self, name, value)

    @property
    def local_field(self) -> str | None:
        return self.mapping.local_field

    @property
    def remote_field(self) -> str | None:
        return self.mapping.remote_field

    def schema(self, side: Side) -> FieldSchema | None:
        return self.local if side is Side.LOCAL else self.remote

    def field_name(self, side: Side) -> str | None:
        return self.local_name if side is Side.LOCAL else self.remote_name

    def reaches(self, side: Side) -> bool:
        """Whether values flow to `side`."""
        return self.to_local if side is Side.LOCAL else self.to_remote


class Conversion(NamedTuple):
    """A plain field that has to be converted, or blanked in another way than by None."""

    field: CompiledField
    position: int
    source: str
    convert: Convert | None
    blank: Scalar
    keep_if_blank: bool


class LookUp(NamedTuple):
    """A field that refers to a record and is translated through its coupling."""

    field: CompiledField
    source: str
    mapping: str
    by_key: bool
    destination: FieldSchema


class Ruled(NamedTuple):
    """A field whose value a rule supplies."""

    field: CompiledField
    rule: FieldRule
    destination: FieldSchema


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the transfer of a record of one side does.

    Fields whose values pass unchanged are copied: `copied` are their positions, `copied_from` their names.
    """

    constants: dict[int, Scalar]
    copied: tuple[int, ...]
    copied_from: tuple[str, ...]
    conversions: tuple[Conversion, ...]
    lookups: tuple[LookUp, ...]
    ruled: tuple[Ruled, ...]


class CompiledMapping:
    """A mapping that is known to fit its tables. `fields` are the enabled field mappings in their order."""

    __slots__ = (
        "_plans",
        "_reads",
        "bases",
        "digest",
        "fields",
        "local_schema",
        "mapped",
        "mapping",
        "remote_schema",
        "shared",
        "volatile",
    )

    def __init__(
        self, mapping: Mapping, local: TableSchema, remote: TableSchema, fields: tuple[CompiledField, ...]
    ) -> None:
        self.mapping = mapping
        self.local_schema = local
        self.remote_schema = remote
        self.fields = fields
        self.digest = digest(mapping)
        self.bases = BaseReader(local, remote)
        self.mapped = {
            side: tuple(dict.fromkeys(name for field in fields if (name := field.field_name(side)))) for side in _SIDES
        }
        """The fields of each side that enabled field mappings name."""
        self.shared = {side: _shared(fields, side) for side in _SIDES}
        """Field names of each side that several field mappings name, with those."""
        self.volatile = any(field.rule is not None and field.rule.volatile for field in fields)
        """Whether a value may change although neither record does."""
        self._plans = {(side, new): _plan(fields, side, new) for side in _SIDES for new in (False, True)}
        self._reads = {side: self._read_fields(side) for side in _SIDES}

    def schema(self, side: Side) -> TableSchema:
        """Return the table of a side."""
        return self.local_schema if side is Side.LOCAL else self.remote_schema

    def reads(self, side: Side) -> tuple[str, ...]:
        """Return the fields to read on a side: mapped ones, key and name, and what rules look at."""
        return self._reads[side]

    def plan(self, source: Side, *, creating: bool) -> Plan:
        """Return what a transfer of records of `source` does."""
        return self._plans[source, creating]

    def references(self, record: Record, source: Side) -> Iterator[Reference]:
        """Yield whose couplings the transfer of this record needs (engine rules F-10, F-11)."""
        for look_up in self._plans[source, True].lookups:
            value = record.values.get(look_up.source)
            if value is not None:
                yield Reference(look_up.mapping, source, look_up.by_key, as_text(value))

    async def prepare(
        self, records: Sequence[Record], source: Side, access: RuleAccess, new: Collection[str] | None = None
    ) -> dict[int, Any]:
        """Gather the facts of the rules for a page of records, by the position of the field.

        Fields that are written on creation only are prepared for the records in `new` (ids), else for those that are
        not coupled.
        """
        steps = self._plans[source, True].ruled
        if not steps or not records:
            return {}
        created = self._created(records, source, access, new) if any(s.field.mapping.create_only for s in steps) else []
        facts = {}
        # One after the other: what one rule has read, the next one finds in the cache.
        for field, rule, _ in steps:
            concerned = created if field.mapping.create_only else records
            facts[field.position] = await rule.prepare(field.mapping, concerned, source, access)
        return facts

    def _created(
        self, records: Sequence[Record], source: Side, access: RuleAccess, new: Collection[str] | None
    ) -> list[Record]:
        if new is not None:
            return [record for record in records if record.id in new]
        coupled = access.coupled(self.mapping.name, source, [record.id for record in records], False)
        return [record for record in records if record.id not in coupled]

    def _read_fields(self, side: Side) -> tuple[str, ...]:
        ruled = [name for f in self.fields if f.rule for name in f.rule.reads(f.mapping, side)]
        key = self.mapping.key_field(side)
        names = (*self.mapped[side], *((key,) if key else ()), self.mapping.name_field(side), *ruled)
        return tuple(dict.fromkeys(names))


def compile_mapping(
    mapping: Mapping, local: TableSchema, remote: TableSchema, rules: Collection[FieldRule]
) -> CompiledMapping:
    """Return the mapping ready for work.

    Raises UnknownField or InvalidMapping, naming mapping and field, if it does not fit its tables or itself.
    """
    known = {rule.name: rule for rule in rules}
    check_mapping(mapping, local, remote, known)
    enabled = [row for row in mapping.fields if row.enabled]
    fields = tuple(
        CompiledField(
            position,
            row,
            local.fields[row.local_field] if row.local_field else None,
            remote.fields[row.remote_field] if row.remote_field else None,
            known[row.rule] if row.rule else None,
            row.on_finding or mapping.on_finding,
            row.conflict_resolution or mapping.update_conflict,
        )
        for position, row in enumerate(enabled)
    )
    return CompiledMapping(mapping, local, remote, fields)


def digest(mapping: Mapping) -> str:
    """Return a text that changes when records of the mapping must be looked at again: filters, fields, policies."""
    relevant = (
        mapping.local_table,
        mapping.remote_table,
        mapping.direction,
        mapping.local_filter,
        mapping.remote_filter,
        mapping.only_coupled,
        mapping.update_conflict,
        mapping.deletion_conflict,
        mapping.on_finding,
        [msgspec.structs.replace(row, label="") for row in mapping.fields if row.enabled],
    )
    return sha256(msgspec.json.encode(relevant)).hexdigest()[:16]


def _plan(fields: Sequence[CompiledField], source: Side, creating: bool) -> Plan:
    constants: dict[int, Scalar] = {}
    direct: list[tuple[int, str]] = []
    conversions: list[Conversion] = []
    lookups: list[LookUp] = []
    ruled: list[Ruled] = []
    for row in fields:
        destination = row.schema(source.other)
        if destination is None or not row.reaches(source.other) or not _may_write(row, destination, creating):
            continue
        if source is Side.REMOTE:  # what is wrong with a value is told with the caption that people see
            destination = msgspec.structs.replace(destination, label=row.label)
        name, seen = row.field_name(source), row.schema(source)
        if row.rule is not None:
            ruled.append(Ruled(row, row.rule, destination))
        elif name is None or seen is None:
            constants[row.position] = fitted(row.mapping.constant, destination)
        elif row.mapping.lookup is not None:
            by_key = source is Side.LOCAL and row.mapping.lookup.local_reference is LocalReference.KEY
            lookups.append(LookUp(row, name, row.mapping.lookup.mapping, by_key, destination))
        else:
            rules, empty = row.mapping.transforms(source.other), blank(destination)
            convert = transforming(rules, seen, destination) if rules else converter(seen, destination)
            if convert is None and empty is None and not row.mapping.not_null:
                direct.append((row.position, name))
            else:
                conversions.append(Conversion(row, row.position, name, convert, empty, row.mapping.not_null))
    return Plan(
        constants=constants,
        copied=tuple(position for position, _ in direct),
        copied_from=tuple(name for _, name in direct),
        conversions=tuple(conversions),
        lookups=tuple(lookups),
        ruled=tuple(ruled),
    )


def _shared(fields: Sequence[CompiledField], side: Side) -> dict[str, tuple[CompiledField, ...]]:
    by_name: dict[str, list[CompiledField]] = {}
    for row in fields:
        if name := row.field_name(side):
            by_name.setdefault(name, []).append(row)
    return {name: tuple(rows) for name, rows in by_name.items() if len(rows) > 1}


def _may_write(row: CompiledField, destination: FieldSchema, creating: bool) -> bool:
    if creating:
        return destination.creatable
    return destination.updatable and not row.mapping.create_only
