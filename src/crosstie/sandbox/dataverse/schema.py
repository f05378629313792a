"""Tables, columns, relations and alternate keys of the sandbox's environment (``loading`` reads them from ``tables/``).

Names on the wire differ from names in the database only for lookups: ``primarycontactid`` is stored under its
logical name, read as ``_primarycontactid_value`` and written through its navigation property.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

LOOKUP_TYPES: Final = frozenset({"Lookup", "Customer", "Owner"})
TEXT_TYPES: Final = frozenset({"String", "Memo", "EntityName"})
CHOICE_TYPES: Final = frozenset({"Picklist", "State", "Status"})
NUMBER_TYPES: Final = frozenset({"Integer", "BigInt", "Decimal", "Double", "Money"})

_IDENTITY = uuid.UUID("5f0c2f6e-54f3-4d5c-8a35-1d6f5b2a9e77")
_CUSTOM_PREFIXES = ("bcbi_", "nav_")


def identity(*parts: str) -> str:
    """The id of a fixed thing (a table, a column, a seeded row): the same in every sandbox."""
    return str(uuid.uuid5(_IDENTITY, "/".join(parts)))


@dataclass(slots=True)
class Option:
    """One member of a choice; *state* is the statecode that a status reason belongs to."""

    value: int
    label: str
    state: int | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A many-to-one relation: *column* of *source* points at *target*.

    *navigation* leads from source to target, *collection* back; *delete* says what deleting the target does to the
    sources: Cascade, RemoveLink, Restrict or NoCascade.
    """

    name: str
    source: str
    column: str
    target: str
    navigation: str
    collection: str
    delete: str


@dataclass(frozen=True, slots=True)
class ManyToMany:
    """A many-to-many relation kept in the table *intersect*, which has one id column of each side."""

    name: str
    intersect: str
    first: str
    second: str

    def other(self, table: str) -> str:
        """The table on the far side."""
        return self.second if table == self.first else self.first


@dataclass(frozen=True, slots=True)
class Key:
    """An alternate key: unique over *columns* among the rows in which none of them is null."""

    name: str
    display: str
    columns: tuple[str, ...]


@dataclass(slots=True)
class Column:
    """One attribute of a table."""

    name: str
    schema: str
    type: str
    max: int | None = None
    min: Decimal | None = None
    most: Decimal | None = None
    precision: int | None = None
    access: str = "write"
    required: str = "None"
    options: dict[int, Option] = field(default_factory=dict)
    global_name: str | None = None
    targets: tuple[str, ...] = ()
    relations: dict[str, Relation] = field(default_factory=dict)
    default: int | None = None

    @property
    def lookup(self) -> bool:
        """Whether it points at rows of other tables."""
        return self.type in LOOKUP_TYPES

    @property
    def polymorphic(self) -> bool:
        """Whether the table it points at differs from row to row (kept in a column ``<name>type``)."""
        return self.lookup and len(self.targets) > 1

    @property
    def wire(self) -> str:
        """Its name in JSON and in query options."""
        return f"_{self.name}_value" if self.lookup else self.name

    @property
    def custom(self) -> bool:
        """Whether a solution brought it."""
        return self.name.startswith(_CUSTOM_PREFIXES)

    @property
    def label(self) -> str:
        """Its display name in English."""
        return display_name(self.schema)

    def navigation(self, target: str) -> str:
        """The navigation property that leads to rows of *target*; custom lookups keep their schema name's case."""
        name = self.schema if self.custom else self.name
        return f"{name}_{target}" if self.type == "Customer" else name


@dataclass(slots=True)
class Table:
    """One entity type with its entity set."""

    name: str
    set: str
    schema: str
    display: str
    displays: str
    code: int
    id: str
    primary: str
    ownership: str
    tracking: bool
    columns: dict[str, Column]
    keys: dict[str, Key]
    default_state: int
    find: tuple[str, ...] = ()
    """The columns by which people look for rows: lists are sorted by them, and an index keeps that quick."""
    intersect: bool = False
    wire: dict[str, Column] = field(default_factory=dict)
    """Columns by their name on the wire."""
    navigations: dict[str, Relation] = field(default_factory=dict)
    """Single-valued navigation properties (an owner's leads to systemuser or team: see :attr:`Relation.target`)."""
    collections: dict[str, Relation] = field(default_factory=dict)
    """Collection-valued navigation properties, as the relations that point here."""
    many: dict[str, ManyToMany] = field(default_factory=dict)

    @property
    def type_name(self) -> str:
        """The qualified entity type."""
        return f"Microsoft.Dynamics.CRM.{self.name}"

    @property
    def named(self) -> bool:
        """Whether its primary name is a column of its own (some tables show the name of another row instead)."""
        return self.primary in self.columns

    @property
    def principal(self) -> bool:
        """Whether it inherits the key ``ownerid`` (users and teams)."""
        return self.name in ("systemuser", "team")

    @property
    def custom(self) -> bool:
        """Whether a solution brought it."""
        return self.name.startswith(_CUSTOM_PREFIXES)

    @property
    def metadata_id(self) -> str:
        """The id of its definition."""
        return identity("table", self.name)

    def states(self) -> dict[int, Option]:
        """The statecodes; empty for a table without states."""
        column = self.columns.get("statecode")
        return column.options if column else {}

    def default_status(self, state: int) -> int | None:
        """The status reason that a state brings when none is given."""
        column = self.columns.get("statuscode")
        options = column.options.values() if column else ()
        return next((option.value for option in options if option.state == state), None)


OWNER: Final = "owner"
"""The target of an owner's navigation property, which is either of two tables."""


class Schema:
    """All tables; :meth:`table` and :meth:`by_set` find one."""

    def __init__(self, tables: Mapping[str, Table], many: tuple[ManyToMany, ...]) -> None:
        self.tables = dict(tables)
        self.sets = {table.set: table for table in tables.values() if not table.intersect}
        self.many = many
        self.relations: list[Relation] = []
        for table in self.tables.values():
            self._relate(table)
        for relation in many:
            for name in (relation.first, relation.second):
                self.tables[name].many[relation.name] = relation

    def table(self, name: str) -> Table:
        """The table of a logical name; raises KeyError."""
        return self.tables[name]

    def by_set(self, name: str) -> Table | None:
        """The table of an entity set name (case matters)."""
        return self.sets.get(name)

    def targets(self, relation: Relation) -> tuple[Table, ...]:
        """The tables that a relation may lead to."""
        names = ("systemuser", "team") if relation.target == OWNER else (relation.target,)
        return tuple(self.tables[name] for name in names)

    def pointing_at(self, table: str) -> Iterator[Relation]:
        """The relations through which rows of other tables point at rows of *table*."""
        return (relation for relation in self.relations if relation.target == table)

    def _relate(self, table: Table) -> None:
        for column in table.columns.values():
            table.wire[column.wire] = column
            if not column.lookup:
                continue
            for target in (OWNER,) if column.type == "Owner" else column.targets:
                known = self.tables.get(target)
                if known is None and target != OWNER:
                    continue
                relation = column.relations.get(target) or _default_relation(table, column, target)
                column.relations[target] = relation
                table.navigations[relation.navigation] = relation
                self.relations.append(relation)
                for referenced in self.targets(relation):
                    referenced.collections[relation.collection] = relation


def _default_relation(table: Table, column: Column, target: str) -> Relation:
    """The relation of a lookup for which the data names none: after Microsoft's habits of naming."""
    names = {
        "createdby": f"lk_{table.name}base_createdby",
        "modifiedby": f"lk_{table.name}base_modifiedby",
        "createdonbehalfby": f"lk_{table.name}base_createdonbehalfby",
        "modifiedonbehalfby": f"lk_{table.name}base_modifiedonbehalfby",
        "owninguser": f"user_{table.set}",
        "owningteam": f"team_{table.set}",
        "owningbusinessunit": f"business_unit_{table.set}",
        "ownerid": f"owner_{table.set}",
        "organizationid": f"organization_{table.set}",
    }
    name = names.get(column.name, f"{target}_{table.name}_{column.name}")
    return Relation(name, table.name, column.name, target, column.navigation(target), name, "NoCascade")


def display_name(schema_name: str) -> str:
    """English words from a schema name: ``Address1_PostalCode`` becomes ``Address1: Postal Code``."""
    if schema_name.startswith(_CUSTOM_PREFIXES):
        schema_name = schema_name.partition("_")[2]
    out: list[str] = []
    for i, char in enumerate(schema_name):
        previous = schema_name[i - 1] if i else ""
        follows = schema_name[i + 1] if i + 1 < len(schema_name) else ""
        if char == "_":
            out.append(": ")
            continue
        starts = char.isupper() and (previous.islower() or previous.isdigit() or (previous and follows.islower()))
        out.append(f" {char}" if starts and previous != "_" else char)
    words = "".join(out).replace("Uo M", "Unit")
    return words.removesuffix(" Id") if len(words) > 3 else words
