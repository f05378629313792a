"""Inserting, modifying and deleting through a page: from a JSON body to a stored record.

Properties are taken in the order of the body, and each runs the rules of its field, as the service does. Callers hold
a transaction; any refusal leaves it to be rolled back. Facts: wire-businesscentral sections 3 and 5.
"""

from collections.abc import Callable, Mapping
from typing import Final, cast

from crosstie.sandbox.business_central import errors, triggers
from crosstie.sandbox.business_central.pages import Page, Property
from crosstie.sandbox.business_central.records import Records
from crosstie.sandbox.business_central.schema import Row, changed
from crosstie.sandbox.business_central.values import NO_ID, Stored, encode_name, stored

_NULL_TAKEN: Final = frozenset({"text", "code"})

Body = Mapping[str, object]
PageOf = Callable[[str], Page]


def insert(
    records: Records, page: Page, body: Body, page_of: PageOf, linked: Mapping[str, Stored] | None = None
) -> Row:
    """Store a new record and what nests in it; *linked* are columns that the address gives, such as the order's number.

    *page_of* gives the page of an entity set by its name.
    """
    table = page.table
    row = table.blank()
    row.update(linked or {})
    nested = _Body(records, page, None, row).apply(body)
    row["system_id"] = _client_id(records, page, body)
    _number(records, page, row)
    _check_required(page, row)
    triggers.complete(records, table.name, None, row)
    records.insert(table.name, row)
    triggers.after_insert(records, table.name, row)
    for name, bodies in nested.items():
        _insert_nested(records, page, name, bodies, row, page_of)
    return records.get(table.name, row["system_id"]) or row


def modify(records: Records, page: Page, old: Row, body: Body) -> Row:
    """Store what *body* changes of a record; without a real change nothing moves, not even the stamps."""
    table = page.table
    row = dict(old)
    if _Body(records, page, old, row).apply(body):
        raise errors.bad_request("Nested records cannot be changed together with the record that holds them.")
    if not changed(old, row):
        return old
    _check_required(page, row)
    if old[table.key[0]] != row[table.key[0]]:
        _rename(records, page, old, row)
    triggers.complete(records, table.name, old, row)
    new = records.change(table.name, old, row)
    if new["version"] != old["version"]:
        triggers.after_modify(records, table.name, old, new)
    return records.get(table.name, old["system_id"]) or new


def delete(records: Records, page: Page, row: Row) -> None:
    """Delete a record; nothing of it stays."""
    table = page.table.name
    triggers.before_delete(records, table, row)
    records.remove(table, row)
    triggers.after_delete(records, table, row)


class _Body:
    """Applies the properties of one body to one record."""

    def __init__(self, records: Records, page: Page, old: Row | None, row: Row) -> None:
        self._records = records
        self._page = page
        self._old = old
        self._row = row
        self._given: dict[str, tuple[str, Stored]] = {}

    def apply(self, body: Body) -> dict[str, list[Body]]:
        """Set every property in turn; returns what nests in the body by the name of its navigation."""
        nested: dict[str, list[Body]] = {}
        for name, value in body.items():
            prop = self._page.properties.get(name)
            if prop is not None:
                self._set(prop, value)
            elif "@" not in name:
                nested[name] = self._nested(name, value)
        return nested

    def _nested(self, name: str, value: object) -> list[Body]:
        way = self._page.follow(name)
        if way is None:
            raise errors.bad_request(
                f"The property '{name}' does not exist on type 'Microsoft.NAV.{self._page.entity}'. Make sure to only"
                " use property names that are defined by the type."
            )
        if not way.many or not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise errors.bad_request(f"The value of '{name}' must be a list of objects.")
        return cast("list[Body]", value)

    def _set(self, prop: Property, value: object) -> None:
        if value is None:
            value = self._null(prop)
        else:
            value = stored(prop.name, value, prop.type)
        if prop.readonly:
            self._check_untouched(prop, value)
            return
        column, code = prop.field.name, self._to_column(prop, value)
        self._check_agreement(prop, column, code)
        if prop.id_of and prop.field.relation_by and code:
            self._row[prop.field.relation_by] = encode_name(prop.id_of)
        if self._old is not None and self._row[column] == code and self._old[column] == code:
            return
        self._row[column] = code
        triggers.validate(self._records, self._page.table.name, column, self._row)

    def _null(self, prop: Property) -> Stored:
        if prop.required or (prop.type.kind in _NULL_TAKEN and self._records.settings.flag("refuse_null")):
            raise errors.required(prop.name)
        return prop.type.blank

    def _check_untouched(self, prop: Property, value: Stored) -> None:
        """A read-only property may come back as it is."""
        if prop.name == "id" and self._old is None:
            return
        if value != self._present(prop):
            raise errors.read_only(prop.name)

    def _present(self, prop: Property) -> Stored:
        """What a read-only property shows now."""
        present: Stored = self._row[prop.field.name] if not prop.setup else self._records.setup(prop.setup)
        if not prop.id_of:
            return present
        related = self._records.find(prop.id_of, **{prop.related_key: present}) if present else None
        shown: Stored = related[prop.show or "system_id"] if related else prop.type.blank
        return shown

    def _to_column(self, prop: Property, value: Stored) -> Stored:
        """What goes into the column: the code behind an id, blank for the local currency, else the value."""
        if prop.id_of:
            return self._code_of(prop, value)
        if prop.lcy and value == self._records.setup("lcy_code"):
            return ""
        self._check_relation(prop, value)
        return value

    def _code_of(self, prop: Property, system_id: Stored) -> Stored:
        if system_id == NO_ID:
            return ""
        related = self._records.get(prop.id_of, str(system_id))
        if related is None:
            raise errors.no_such_id(prop.name, prop.id_of)
        return cast(Stored, related[prop.related_key])

    def _check_relation(self, prop: Property, value: Stored) -> None:
        table, field = self._page.table.name, prop.field
        if not field.relation or not value or (table, field.name) in triggers.CHECKED_ELSEWHERE:
            return
        if self._old is not None and self._old[field.name] == value:
            return
        key = self._records.schema.tables[field.relation].key[0]
        if not self._records.exists(field.relation, key, value):
            raise errors.no_relation(field.caption, table, str(value), field.relation)

    def _check_agreement(self, prop: Property, column: str, code: Stored) -> None:
        """An id and a code for the same field must name the same record."""
        other = self._given.setdefault(column, (prop.name, code))
        if other[1] != code:
            raise errors.values_differ(prop.field.relation or prop.field.caption)


def _client_id(records: Records, page: Page, body: Body) -> str:
    """The id that the client chose, unless the page takes none."""
    value = body.get("id")
    if value is None or page.name.lower() in records.settings.names("ignore_client_ids"):
        return NO_ID
    return str(stored("id", value, page.properties["id"].type))


def _number(records: Records, page: Page, row: Row) -> None:
    """Number a new record from its series; refuse a number that came along where manual numbers are off."""
    table, key = page.table, page.table.key[0]
    if table.series is None:
        return
    if not row[key]:
        row[key] = records.next_number(table.name)
    elif not _manual_numbers(records, table.name):
        raise errors.dialog(
            "You may not enter numbers manually. If you want to enter numbers manually, please activate Manual Nos. in"
            f" the number series of {table.name}."
        )


def _manual_numbers(records: Records, table: str) -> bool:
    return bool(records.settings.get(f"manual_numbers_{table.lower()}s", True))


def _check_required(page: Page, row: Row) -> None:
    for prop in page.properties.values():
        if prop.required and not row[prop.field.name]:
            raise errors.dialog(f'A "{prop.name}" must be provided.')


def _rename(records: Records, page: Page, old: Row, row: Row) -> None:
    table, key = page.table, page.table.key[0]
    if not row[key]:
        raise errors.dialog(f"{table.fields[key].caption} must be filled in. Enter a value.")
    if table.series is not None and not _manual_numbers(records, table.name):
        raise errors.dialog(f"You may not enter numbers manually for {table.name}.")
    records.carry_over(table.name, old[key], row[key])


def _insert_nested(records: Records, page: Page, name: str, bodies: list[Body], row: Row, page_of: PageOf) -> None:
    way = page.follow(name)
    assert way is not None
    child = page_of(way.to)
    for body in bodies:
        insert(records, child, body, page_of, {way.child: row[page.table.key[0]]})
