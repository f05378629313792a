"""Filling tables with many records at once: no HTTP, no triggers, the same types, lengths and codes.

Rows name properties in wire form. A row may use the properties of every page over the same table (a contact's
``jobTitle`` of ``contacts`` beside its ``firstName`` of ``syncContacts``), ``id`` and ``lastModifiedDateTime`` too. The
one record of a setup table is changed. Customers and vendors get no company contact here: rows of ``contacts`` and
``contactBusinessRelations`` say what there is.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from uuid import uuid4

from crosstie.sandbox.business_central.contacts import NAME_PARTS, RELATION, split_name
from crosstie.sandbox.business_central.pages import Api, Page, Property
from crosstie.sandbox.business_central.records import Records
from crosstie.sandbox.business_central.schema import Row
from crosstie.sandbox.business_central.values import NO_ID, Stored, encode_name, reader, stored
from crosstie.sandbox.http import HttpError

Read = Callable[[object], Stored]


def page_named(apis: Mapping[str, Api], name: str) -> Page:
    """The page of the entity set *name*, with the properties of every other page over its table.

    Raises ``ValueError`` where no API has it.
    """
    pages = [page for api in apis.values() for page in api.pages.values()]
    found = next((page for page in pages if page.name == name), None)
    if found is None:
        raise ValueError(f"there is no entity set {name!r}; known: {', '.join(sorted(p.name for p in pages))}")
    properties: dict[str, Property] = {}
    for page in (*(p for p in pages if p.table is found.table and p is not found), found):
        properties.update({key: prop for key, prop in page.properties.items() if not (prop.show or prop.setup)})
    return Page(found.name, found.entity, found.table, properties)


def load(records: Records, page: Page, rows: Iterable[Mapping[str, object]]) -> None:
    """Store *rows*. Callers hold a transaction. Raises ``ValueError`` with the row's key and what is wrong."""
    if page.table.singleton:
        _change_single(records, page, rows)
        return
    try:
        records.insert_rows(page.table.name, _complete(records, page, rows))
    except sqlite3.IntegrityError as error:
        raise ValueError(f"{page.name}: a key or an id comes twice: {error}") from error
    if page.table.name in ("Contact", RELATION) and records.count(RELATION):
        _show_relations(records)


def _change_single(records: Records, page: Page, rows: Iterable[Mapping[str, object]]) -> None:
    old = records.find_all(page.table.name)[0]
    new = dict(old)
    readers = _Readers(records, page)
    for row in rows:
        readers.fill(new, row)
    records.change(page.table.name, old, new)


def _complete(records: Records, page: Page, rows: Iterable[Mapping[str, object]]) -> Iterator[Row]:
    """The records to be stored, one by one."""
    table, readers = page.table, _Readers(records, page)
    finish = _FINISH.get(table.name)
    now, next_version = records.now(), records.database.next_version
    for given in rows:
        row = table.blank()
        row["system_modified_at"] = now
        readers.fill(row, given)
        row["system_created_at"] = row["system_modified_at"]
        row["version"] = next_version()
        if row["system_id"] == NO_ID:
            row["system_id"] = str(uuid4())
        if not row[table.key[0]] and table.series is not None:
            row[table.key[0]] = records.next_number(table.name)
        if finish is not None:
            finish(row)
        yield row


class _Readers:
    """Reads values into columns, with what repeats looked up once."""

    def __init__(self, records: Records, page: Page) -> None:
        self._records = records
        self._page = page
        self._readers = {name: self._reader(prop) for name, prop in page.properties.items()}
        self._codes: dict[tuple[str, object], Stored] = {}

    def fill(self, row: Row, given: Mapping[str, object]) -> None:
        """Set the columns that *given* names; raises ``ValueError``."""
        for name, value in given.items():
            found = self._readers.get(name)
            if found is None:
                raise ValueError(f"{self._page.name}: there is no property {name!r}; row {given!r}")
            try:
                row[found[0]] = found[1](value)
            except HttpError as error:
                text = error.response.body.decode()
                raise ValueError(f"{self._page.name}: property {name!r} of row {given!r}: {text}") from error
            if found[2]:
                row[found[2]] = found[3]

    def _reader(self, prop: Property) -> tuple[str, Read, str, str]:
        """Column, reader, and the column that says which table the first one names, with its value."""
        relation_by = prop.field.relation_by if prop.id_of else ""
        kind = encode_name(prop.id_of) if relation_by else ""
        return prop.field.name, self._read_with(prop), relation_by, kind

    def _read_with(self, prop: Property) -> Read:
        if prop.id_of:
            return lambda value: self._code(prop, value)
        if prop.lcy:
            lcy = self._records.setup("lcy_code")
            return lambda value: "" if value == lcy else stored(prop.name, value, prop.type)
        return reader(prop.name, prop.type)

    def _code(self, prop: Property, system_id: object) -> Stored:
        key = (prop.id_of, system_id)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = self._find_code(prop, stored(prop.name, system_id, prop.type))
        return code

    def _find_code(self, prop: Property, system_id: Stored) -> Stored:
        if system_id == NO_ID:
            return ""
        related = self._records.get(prop.id_of, str(system_id))
        if related is None:
            raise ValueError(f"{self._page.name}: {prop.name} names no {prop.id_of}: {system_id}")
        code: Stored = related[prop.related_key]
        return code


def _finish_contact(row: Row) -> None:
    if row["type"] == "Company":
        row["company_no"], row["company_name"] = row["number"], row["name"]
    elif not any(row[part] for part in NAME_PARTS):
        row.update(zip(NAME_PARTS, split_name(row["name"]), strict=True))
    row["search_name"] = row["search_name"] or row["name"].upper()
    row["contact_business_relation"] = "None"


def _finish_order(row: Row) -> None:
    row["bill_to_customer_no"] = row["bill_to_customer_no"] or row["sell_to_customer_no"]


_FINISH: Final[Mapping[str, Callable[[Row], None]]] = {
    "Contact": _finish_contact,
    "Sales Header": _finish_order,
}


def _show_relations(records: Records) -> None:
    """Show on every contact of a company what business relations the company has."""
    contact, relation = records.named("Contact"), records.named(RELATION)
    linked = f"FROM {relation} r WHERE r.contact_no IN ({contact}.company_no, {contact}.number)"
    records.database.execute(
        f"UPDATE {contact} SET"
        " contact_business_relation = (SELECT CASE count(*) WHEN 0 THEN 'None' WHEN 1 THEN max(r.link_to_table)"
        f" ELSE 'Multiple' END {linked}),"
        f" business_relation_type = ifnull((SELECT min(r.link_to_table) {linked}), '_x0020_'),"
        f" business_relation_no = ifnull((SELECT r.number {linked} ORDER BY r.link_to_table LIMIT 1), '')"
    )
