"""The API pages: what of a table is shown under which name, read from ``schema/*.yaml``.

A page is data. The service's standard pages are in ``api_v2.yaml``, the custom ones in ``sync_v1.yaml``; the legacy
web services are made from the tables.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

import msgspec

from crosstie.sandbox.business_central.schema import Field, Schema, Table, load_schema, read_file
from crosstie.sandbox.business_central.values import NO_ID, FieldType

ALL: Final = frozenset({"insert", "modify", "delete"})

Named = Callable[[str], str]
"""The name in the database of a company's table."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a page, over the column *field*.

    The value shown is the column, or what the column leads to: the system id of the related record (*id_of*), one of
    its columns (*show*), the local currency code in place of a blank (*lcy*), or a column of the setup (*setup*).
    """

    name: str
    field: Field
    type: FieldType
    readonly: bool = False
    required: bool = False
    max_length: int = 0
    """The length in the metadata where it is not that of the type."""
    lcy: bool = False
    id_of: str = ""
    show: str = ""
    setup: str = ""
    related_key: str = ""

    def sql(self, named: Named) -> str:
        """The expression of the value over the page's table as ``t``."""
        column = f"t.{self.field.name}"
        if self.lcy:
            return f"CASE {column} WHEN '' THEN {_setup(named, 'lcy_code')} ELSE {column} END"
        if self.setup:
            return _setup(named, self.setup)
        if not self.id_of:
            return column
        shown, blank = (self.show, "''") if self.show else ("system_id", f"'{NO_ID}'")
        where = f"r.{self.related_key} = {column}"
        if self.field.relation_by:
            where += f" AND t.{self.field.relation_by} = '{self.id_of}'"
        return f"ifnull((SELECT r.{shown} FROM {named(self.id_of)} r WHERE {where}), {blank})"


def _setup(named: Named, column: str) -> str:
    return f"(SELECT {column} FROM {named('General Ledger Setup')})"


@dataclass(frozen=True, slots=True)
class Navigation:
    """The way from a record to others: by the column here (*via*), by the same id, or by the column there (*child*)."""

    name: str
    to: str
    via: str = ""
    child: str = ""
    alias: str = ""

    @property
    def many(self) -> bool:
        """Whether it leads to a collection."""
        return bool(self.child)


@dataclass(frozen=True, eq=False)
class Page:
    """One entity set."""

    name: str
    entity: str
    table: Table
    properties: Mapping[str, Property]
    navigation: Mapping[str, Navigation] = field(default_factory=dict)
    allow: frozenset[str] = ALL
    key: str = "id"

    def follow(self, name: str) -> Navigation | None:
        """The navigation of that name or alias."""
        found = self.navigation.get(name)
        return found or next((item for item in self.navigation.values() if item.alias == name), None)

    @cached_property
    def caption(self) -> str:
        """The entity's name in words."""
        return in_words(self.entity)

    @cached_property
    def set_caption(self) -> str:
        """The entity set's name in words."""
        return in_words(self.name)


@dataclass(frozen=True, eq=False)
class Api:
    """The pages under one route."""

    route: str
    pages: dict[str, Page]

    def page(self, name: str) -> Page | None:
        """The page of an entity set."""
        return self.pages.get(name)


def in_words(name: str) -> str:
    """``paymentTermsId`` as ``Payment Terms Id``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return words[:1].upper() + words[1:]


class _PropertyEntry(msgspec.Struct, forbid_unknown_fields=True):
    field: str = ""
    id_of: str = ""
    lookup: str = ""
    show: str = ""
    table: str = ""
    setup: str = ""
    lcy: bool = False
    readonly: bool = False
    required: bool = False
    max: int = 0


class _NavigationEntry(msgspec.Struct, forbid_unknown_fields=True):
    to: str
    via: str = ""
    same: bool = False
    child: str = ""
    alias: str = ""


class _PageEntry(msgspec.Struct, forbid_unknown_fields=True):
    entity: str
    table: str
    properties: dict[str, str | _PropertyEntry]
    navigation: dict[str, _NavigationEntry] = {}
    allow: list[str] | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: str
    pages: dict[str, _PageEntry]
    publisher: str = ""
    group: str = ""


@lru_cache(maxsize=1)
def load_apis() -> Mapping[str, Api]:
    """The routes with their pages: ``v2.0``, ``crosstie/sync/v1.0``; every one of them lists the companies."""
    standard, *custom = (_api(read_file(name), load_schema()) for name in ("api_v2.yaml", "sync_v1.yaml"))
    companies = {"companies": standard.pages["companies"]}
    return {api.route: api for api in (standard, *(Api(api.route, companies | api.pages) for api in custom))}


def _api(text: bytes, schema: Schema) -> Api:
    entries = msgspec.yaml.decode(text, type=_File)
    route = "/".join(filter(None, (entries.publisher, entries.group, entries.version)))
    pages = {name: _page(name, entry, schema) for name, entry in entries.pages.items()}
    for page in pages.values():
        for way in page.navigation.values():
            if way.to not in pages:
                raise ValueError(f"navigation {way.name!r} of {page.name!r} leads to the unknown page {way.to!r}")
    return Api(route, pages)


def _page(name: str, entry: _PageEntry, schema: Schema) -> Page:
    table = schema.tables[entry.table]
    return Page(
        name=name,
        entity=entry.entity,
        table=table,
        properties={key: _property(key, item, table, schema) for key, item in entry.properties.items()},
        navigation={
            key: Navigation(key, way.to, "system_id" if way.same else way.via, way.child, way.alias)
            for key, way in entry.navigation.items()
        },
        allow=ALL if entry.allow is None else frozenset(entry.allow),
    )


def _property(name: str, entry: str | _PropertyEntry, table: Table, schema: Schema) -> Property:
    if isinstance(entry, str):
        entry = _PropertyEntry(field=entry)
    if entry.setup:
        setup = schema.tables["General Ledger Setup"].fields[entry.setup]
        return Property(name, setup, FieldType("code", entry.max), readonly=True, setup=entry.setup)
    column = table.fields[entry.field or entry.id_of or entry.lookup]
    if entry.id_of or entry.lookup:
        related = schema.tables[entry.table or column.relation]
        of = related.fields[entry.show].type if entry.show else FieldType("guid")
        readonly = bool(entry.lookup) or entry.readonly
        return Property(
            name,
            column,
            of,
            readonly,
            entry.required,
            id_of=related.name,
            show=entry.show,
            related_key=related.key[0],
        )
    readonly = entry.readonly or _kept_by_system(column)
    return Property(name, column, column.type, readonly, entry.required, entry.max, entry.lcy)


def _kept_by_system(column: Field) -> bool:
    return column.name.startswith("system_")


@lru_cache(maxsize=1)
def load_web_services() -> Api:
    """The legacy page web services: one for each table, named and keyed as in the application, for reading only."""
    pages = {}
    for table in load_schema().tables.values():
        name = _service_name(table.name)
        own = [item for item in table.fields.values() if not _kept_by_system(item)]
        properties = {
            _service_name(item.caption): Property(_service_name(item.caption), item, item.type, readonly=True)
            for item in own
        }
        key = _service_name(table.fields[table.key[0]].caption)
        pages[name] = Page(name, name, table, properties, allow=frozenset(), key=key)
    return Api("ODataV4", pages)


def _service_name(caption: str) -> str:
    return re.sub(r"\W+", "_", caption.replace("%", "Percent").replace(".", "")).strip("_")
