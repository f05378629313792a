"""The tables of a company, read from ``schema/tables.yaml``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from crosstie.sandbox.business_central.values import SQL, Enumeration, FieldType, Kind, Stored, encode_name

Row = dict[str, Any]
"""A record: stored values by column, the system columns included."""

_KINDS: Final[dict[str, Kind]] = {
    "Code": "code",
    "Text": "text",
    "Decimal": "decimal",
    "Integer": "int",
    "Boolean": "bool",
    "Date": "date",
    "Guid": "guid",
    "Enum": "enum",
}
_TYPE = re.compile(r"(?P<kind>\w+?)(?:\[(?P<length>\d+)\])?")


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its name here, its caption in the application, what fits in, and what it points at."""

    name: str
    caption: str
    type: FieldType
    relation: str = ""
    relation_by: str = ""
    flow: bool = False


SYSTEM_FIELDS: Final = (
    Field("system_id", "SystemId", FieldType("guid")),
    Field("system_created_at", "SystemCreatedAt", FieldType("datetime")),
    Field("system_modified_at", "SystemModifiedAt", FieldType("datetime")),
)
SYSTEM_COLUMNS: Final = (*(item.name for item in SYSTEM_FIELDS), "version")


@dataclass(frozen=True, eq=False)
class Table:
    """One table. *key* are the columns of its primary key; relations point at the first of them."""

    name: str
    fields: Mapping[str, Field]
    key: tuple[str, ...]
    series: "Series | None" = None
    singleton: bool = False
    shared: bool = False
    indexes: tuple[tuple[str, ...], ...] = ()

    @cached_property
    def sql_name(self) -> str:
        """The table's name in the database, without the company."""
        return re.sub(r"\W+", "_", self.name.lower()).strip("_")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """All columns in the order in which they are stored."""
        return (*SYSTEM_COLUMNS, *(name for name in self.fields if name not in SYSTEM_COLUMNS))

    @cached_property
    def _blank(self) -> Row:
        return {name: item.type.blank for name, item in self.fields.items()} | {"version": 0}

    def blank(self) -> Row:
        """A new record with every field blank."""
        return dict(self._blank)

    def key_text(self, row: Row) -> str:
        """The primary key of *row* as refusals show it: ``No.='C00010'``."""
        return ",".join(f"{self.fields[name].caption}='{row[name]}'" for name in self.key)

    def ddl(self, name: str) -> list[str]:
        """The statements that make the table under *name*."""
        columns = ["version INTEGER NOT NULL" if c == "version" else self._column(c) for c in self.columns]
        indexes = [("system_id",), self.key]
        others = [("system_modified_at",), ("version",), *map(self._with_key, self.indexes)]
        return [
            f"CREATE TABLE {name} ({', '.join(columns)})",
            *(f"CREATE UNIQUE INDEX {name}_u{i} ON {name} ({', '.join(c)})" for i, c in enumerate(indexes)),
            *(f"CREATE INDEX {name}_i{i} ON {name} ({', '.join(c)})" for i, c in enumerate(others)),
        ]

    def _with_key(self, index: tuple[str, ...]) -> tuple[str, ...]:
        """An index with the primary key behind it, which breaks ties in lists."""
        return (*index, *(name for name in self.key if name not in index))

    def _column(self, name: str) -> str:
        return f"{name} {SQL.get(self.fields[name].type.kind, 'TEXT')} NOT NULL"


class Series(msgspec.Struct, frozen=True):
    """A number series: the first number it gives, and the step to the next."""

    first: str
    step: int = 1

    def after(self, last: str | None) -> str:
        """The number after *last*; the first one where none was given yet."""
        if last is None:
            return self.first
        match = re.fullmatch(r"(.*?)(\d+)", last)
        if match is None:
            raise ValueError(f"the number {last!r} does not end in digits")
        return f"{match[1]}{int(match[2]) + self.step:0{len(match[2])}d}"


class _FieldEntry(msgspec.Struct, forbid_unknown_fields=True):
    al: str
    type: str
    enum: str = ""
    relation: str = ""
    relation_by: str = ""
    flow: bool = False


class _TableEntry(msgspec.Struct, forbid_unknown_fields=True):
    key: list[str]
    fields: dict[str, _FieldEntry]
    series: Series | None = None
    singleton: bool = False
    shared: bool = False
    indexes: list[list[str]] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    enums: dict[str, list[str]]
    tables: dict[str, _TableEntry]


@dataclass(frozen=True, eq=False)
class Schema:
    """All tables by name."""

    tables: Mapping[str, Table]
    enums: Mapping[str, Enumeration] = field(default_factory=dict)

    @property
    def of_company(self) -> list[Table]:
        """The tables that each company has for itself."""
        return [table for table in self.tables.values() if not table.shared]

    def referring(self, related: str) -> list[tuple[Table, Field]]:
        """The fields that name records of the table *related*."""
        return [
            (table, item)
            for table in self.tables.values()
            for item in table.fields.values()
            if item.relation == related or item.relation_by
        ]


def read_file(name: str) -> bytes:
    """A file of the folder ``schema``."""
    return files(__package__).joinpath("schema", name).read_bytes()


@lru_cache(maxsize=1)
def load_schema() -> Schema:
    """The tables of ``tables.yaml``; raises ``msgspec.ValidationError`` where the file is wrong."""
    entries = msgspec.yaml.decode(read_file("tables.yaml"), type=_File)
    enums = {
        name: Enumeration(name, tuple(captions), tuple(encode_name(caption) for caption in captions))
        for name, captions in entries.enums.items()
    }
    tables = {name: _table(name, entry, enums) for name, entry in entries.tables.items()}
    return Schema(tables, enums)


def _table(name: str, entry: _TableEntry, enums: Mapping[str, Enumeration]) -> Table:
    own = {key: _field(key, item, enums) for key, item in entry.fields.items()}
    return Table(
        name=name,
        fields={item.name: item for item in SYSTEM_FIELDS} | own,
        key=tuple(entry.key),
        series=entry.series,
        singleton=entry.singleton,
        shared=entry.shared,
        indexes=tuple(tuple(columns) for columns in entry.indexes),
    )


def _field(name: str, entry: _FieldEntry, enums: Mapping[str, Enumeration]) -> Field:
    match = _TYPE.fullmatch(entry.type)
    if match is None:
        raise ValueError(f"field {name!r} has the unknown type {entry.type!r}")
    of = FieldType(_KINDS[match["kind"]], int(match["length"] or 0), enums[entry.enum] if entry.enum else None)
    return Field(name, entry.al, of, entry.relation, entry.relation_by, entry.flow)


def changed(old: Row, new: Row) -> dict[str, Stored]:
    """The columns in which *new* differs from *old*, with their new values."""
    return {name: value for name, value in new.items() if old[name] != value}
