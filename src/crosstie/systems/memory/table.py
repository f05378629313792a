"""One table in memory: its rows, the rules that writes must keep, and the log of what changed."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from uuid import UUID, uuid5

import msgspec

from crosstie.model.conditions import fold
from crosstie.model.records import Record, WriteStatus
from crosstie.model.schema import FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar, Values, normalise

_NAMESPACE = UUID("9d3f6b1e-7a54-4c0e-8f0a-2b6f7f1d5c11")
Exists = Callable[[str, str], bool]
"""Whether a record of a table exists; true for tables that are not there."""


class Refusal(Exception):
    """A write that a rule forbids."""

    def __init__(self, code: str, words: str, field: str | None = None, status: WriteStatus = WriteStatus.REFUSED):
        super().__init__(words)
        self.code = code
        self.field = field
        self.status = status


class Row(msgspec.Struct):
    """A stored row. `version` comes from one counter of the whole system."""

    values: dict[str, Scalar]
    version: int
    modified_at: datetime


class MemoryTable:
    """Rows by id. All writing goes through `put` and `remove`."""

    def __init__(self, schema: TableSchema, exists: Exists) -> None:
        self.schema = schema
        self.rows: dict[str, Row] = {}
        self.gone: dict[str, int] = {}
        """Versions of deletions by id."""
        self._exists = exists
        self._made = 0
        self._taken: list[dict[tuple[Scalar, ...], str]] = [{} for _ in schema.alternate_keys]

    def new_id(self) -> str:
        """Return an id that no row has; the same ones in every run."""
        self._made += 1
        return str(uuid5(_NAMESPACE, f"{self.schema.name}/{self._made}"))

    def checked(self, values: Values, *, creating: bool, id: str | None) -> dict[str, Scalar]:
        """Return what `values` would store. Raises Refusal."""
        stored: dict[str, Scalar] = {}
        for name, value in values.items():
            field = self.schema.fields.get(name)
            if field is None:
                raise Refusal("unknown-field", f"{self.schema.name} has no field '{name}'.", name)
            if name == self.schema.key:
                continue
            stored[name] = self._value(field, value, creating)
        for field in self.schema.fields.values():
            missing = field.name not in stored if creating else False
            if field.required and (missing or (field.name in stored and stored[field.name] is None)):
                raise Refusal("value-missing", f"The field '{field.name}' must have a value.", field.name)
        self._check_unique({**(self.rows[id].values if id in self.rows else {}), **stored}, id)
        return stored

    def put(self, id: str, values: Mapping[str, Scalar], version: int, now: datetime) -> Record:
        """Store values over those that are there; return the row."""
        row = self.rows.get(id)
        if row is None:
            blank = {name: normalise(None, field) for name, field in self.schema.fields.items()}
            row = self.rows[id] = Row({**blank, self.schema.key: _key(id, self.schema)}, version, now)
            self.gone.pop(id, None)
        self._index(id, row.values, forget=True)
        row.values.update(values)
        self._index(id, row.values, forget=False)
        row.version, row.modified_at = version, now
        return self.record(id, tuple(self.schema.fields))

    def remove(self, id: str, version: int) -> None:
        """Delete a row and remember that it was there."""
        self._index(id, self.rows.pop(id).values, forget=True)
        self.gone[id] = version

    def record(self, id: str, fields: tuple[str, ...]) -> Record:
        """Return a row with the values of `fields`."""
        row = self.rows[id]
        return Record(id, self.version(id), {name: row.values[name] for name in fields}, row.modified_at)

    def version(self, id: str) -> str | None:
        """Return the version of a row as others see it; None where the table has none."""
        return f"v{self.rows[id].version}" if self.schema.conditional_writes else None

    def since(self, version: int) -> tuple[list[str], list[str]]:
        """Return the ids changed and those deleted after a version, each in order."""
        changed = sorted((row.version, id) for id, row in self.rows.items() if row.version > version)
        deleted = sorted((at, id) for id, at in self.gone.items() if at > version)
        return [id for _, id in changed], [id for _, id in deleted]

    def modified_since(self, moment: datetime) -> Iterator[str]:
        """Yield the ids of rows modified at `moment` or later."""
        return (id for id, row in self.rows.items() if row.modified_at >= moment)

    def _value(self, field: FieldSchema, value: Scalar, creating: bool) -> Scalar:
        name = field.name
        if not (field.creatable if creating else field.updatable):
            raise Refusal("read-only", f"The field '{name}' cannot be written.", name)
        if field.type is FieldType.LOOKUP and isinstance(value, str) and ":" in value:
            value = value.rpartition(":")[2]
        try:
            stored = normalise(value, field)
        except ValueError as error:
            raise Refusal("unreadable-value", f"The field '{name}': {error}.", name) from error
        if isinstance(stored, str) and field.max_length is not None and len(stored) > field.max_length:
            words = f"The length of the field '{name}' is {len(stored)}; the maximum is {field.max_length}."
            raise Refusal("too-long", words, name)
        if field.type is FieldType.CHOICE and stored is not None and field.options and str(stored) not in field.options:
            raise Refusal("unknown-option", f"'{stored}' is not an option of the field '{name}'.", name)
        if isinstance(stored, int | float) and not isinstance(stored, bool) and not _in_range(stored, field):
            raise Refusal("out-of-range", f"The value {stored} of the field '{name}' is out of range.", name)
        if field.type is FieldType.LOOKUP and stored is not None and not self._leads_somewhere(field, str(stored)):
            raise Refusal("unknown-reference", f"The field '{name}' refers to {stored}, which is not there.", name)
        return stored

    def _leads_somewhere(self, field: FieldSchema, id: str) -> bool:
        return not field.targets or any(self._exists(target, id) for target in field.targets)

    def _check_unique(self, values: Mapping[str, Scalar], id: str | None) -> None:
        for key, taken in zip(self.schema.alternate_keys, self._taken, strict=True):
            wanted = _key_values(key, values)
            if wanted is not None and taken.get(wanted, id) != id:
                words = f"A record with the same {' and '.join(key)} exists already."
                raise Refusal("exists", words, key[0], WriteStatus.EXISTS)

    def _index(self, id: str, values: Mapping[str, Scalar], *, forget: bool) -> None:
        for key, taken in zip(self.schema.alternate_keys, self._taken, strict=True):
            found = _key_values(key, values)
            if found is not None and forget:
                taken.pop(found, None)
            elif found is not None:
                taken[found] = id


def _key_values(key: tuple[str, ...], values: Mapping[str, Scalar]) -> tuple[Scalar, ...] | None:
    """Return what must be unique, None where a part of it is blank."""
    found = tuple(_comparable(values.get(name)) for name in key)
    return None if None in found else found


def _in_range(value: int | float, field: FieldSchema) -> bool:
    low = field.minimum is None or value >= field.minimum
    return low and (field.maximum is None or value <= field.maximum)


def _comparable(value: Scalar) -> Scalar:
    return fold(value) if isinstance(value, str) else value


def _key(id: str, schema: TableSchema) -> Scalar:
    return normalise(id, schema.fields[schema.key]) if schema.key in schema.fields else id
