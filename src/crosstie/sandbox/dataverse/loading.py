"""The schema as delivered, from the data files in ``tables/``."""

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Final

import msgspec

from crosstie.sandbox.dataverse.schema import Column, Key, ManyToMany, Option, Relation, Schema, Table

TABLES: Final = (
    "account",
    "contact",
    "systemuser",
    "team",
    "businessunit",
    "organization",
    "transactioncurrency",
    "bcbi_company",
    "product",
    "uom",
    "uomschedule",
    "pricelevel",
    "productpricelevel",
    "salesorder",
    "salesorderdetail",
    "opportunity",
    "quote",
    "incident",
    "asyncoperation",
    "sdkmessage",
    "sdkmessagefilter",
)


class _RelationData(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    delete: str


class _KeyData(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    display: str
    columns: tuple[str, ...]


class _ManyData(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    intersect: str
    first: str
    second: str


class _ColumnData(msgspec.Struct, forbid_unknown_fields=True):
    schema: str
    type: str
    max: int | None = None
    min: Decimal | None = None
    most: Decimal | None = None
    precision: int | None = None
    access: str = "write"
    required: str = "None"
    options: dict[int, str | tuple[str, int]] = {}
    """Value to label, for status reasons to label and state."""
    global_name: str | None = msgspec.field(default=None, name="global")
    targets: tuple[str, ...] = ()
    relations: dict[str, _RelationData] = {}
    default: int | None = None


class _TableData(msgspec.Struct, forbid_unknown_fields=True):
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
    standard: tuple[str, ...]
    columns: dict[str, _ColumnData]
    keys: tuple[_KeyData, ...] = ()
    find: tuple[str, ...] = ()
    """The columns of its quick find, beside the primary name."""
    many_to_many: tuple[_ManyData, ...] = ()
    default_state: int = 0


_Groups = dict[str, dict[str, _ColumnData]]


def load_schema() -> Schema:
    """The schema as delivered. Each call gives a copy of its own, whose options and keys may be changed."""
    folder = files(__package__) / "tables"
    groups = msgspec.json.decode((folder / "standard.json").read_bytes(), type=_Groups)
    tables: dict[str, Table] = {}
    many: list[ManyToMany] = []
    for name in TABLES:
        data = msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=_TableData)
        tables[name] = _table(data, groups)
        many.extend(ManyToMany(item.name, item.intersect, item.first, item.second) for item in data.many_to_many)
    for relation in many:
        tables[relation.intersect] = _intersect(relation, tables)
    return Schema(tables, tuple(many))


def _table(data: _TableData, groups: _Groups) -> Table:
    described = dict(data.columns)
    for group in data.standard:
        described.update(groups[group])
    return Table(
        name=data.name,
        set=data.set,
        schema=data.schema,
        display=data.display,
        displays=data.displays,
        code=data.code,
        id=data.id,
        primary=data.primary,
        ownership=data.ownership,
        tracking=data.tracking,
        columns={name: _column(data.name, name, column) for name, column in described.items()},
        keys={key.name: Key(key.name, key.display, key.columns) for key in data.keys},
        default_state=data.default_state,
        find=data.find,
    )


def _column(table: str, name: str, data: _ColumnData) -> Column:
    column = Column(
        name=name,
        schema=data.schema,
        type=data.type,
        max=data.max,
        min=data.min,
        most=data.most,
        precision=data.precision,
        access=data.access,
        required=data.required,
        options={value: _option(value, text) for value, text in data.options.items()},
        global_name=data.global_name,
        targets=data.targets,
        default=_default(data),
    )
    for target, relation in data.relations.items():
        column.relations[target] = Relation(
            relation.name, table, name, target, column.navigation(target), relation.name, relation.delete
        )
    return column


def _default(data: _ColumnData) -> int | None:
    """What a new row gets where nothing is given; two-option columns begin with no."""
    return 0 if data.type == "Boolean" else data.default


def _option(value: int, text: str | tuple[str, int]) -> Option:
    return Option(value, text) if isinstance(text, str) else Option(value, *text)


def _intersect(relation: ManyToMany, tables: Mapping[str, Table]) -> Table:
    """The table behind a many-to-many relation."""
    name = relation.intersect
    ids = [tables[side].id for side in (relation.first, relation.second)]
    columns = {
        key: Column(key, key.capitalize(), "BigInt" if key == "versionnumber" else "Uniqueidentifier", access="read")
        for key in (f"{name}id", *ids, "versionnumber")
    }
    return Table(
        name=name,
        set=f"{name}collection",
        schema=name.capitalize(),
        display=name,
        displays=name,
        code=0,
        id=f"{name}id",
        primary=f"{name}id",
        ownership="None",
        tracking=False,
        columns=columns,
        keys={},
        default_state=0,
        intersect=True,
    )
