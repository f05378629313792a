"""The two businesses: customers and accounts with every kind of field mapping, and the currencies they refer to."""

from dataclasses import dataclass
from typing import Any

from crosstie.model.mappings import Direction, FieldMapping, Lookup, Mapping
from crosstie.model.records import Side
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema

CUSTOMER, CURRENCY = "CUSTOMER", "CURRENCY"
BOTH_WAYS, TO_REMOTE, FROM_REMOTE = Direction.BIDIRECTIONAL, Direction.TO_REMOTE, Direction.FROM_REMOTE
PHONE = {Side.LOCAL: 30, Side.REMOTE: 12}
"""How many characters a phone number may have."""


@dataclass(frozen=True)
class Tied:
    """A field as people speak of it: its names on both sides and the way in which its values flow."""

    name: str
    local: str | None
    remote: str | None
    direction: Direction
    constant: str | int | None = None
    lookup: str | None = None

    def on(self, side: Side) -> str | None:
        return self.local if side is Side.LOCAL else self.remote

    def row(self) -> FieldMapping:
        return FieldMapping(
            local_field=self.local,
            remote_field=self.remote,
            direction=self.direction,
            label=self.name,
            constant=self.constant,
            lookup=Lookup(mapping=self.lookup) if self.lookup else None,
        )


TIED = {
    CUSTOMER: (
        Tied("number", "number", "accountnumber", BOTH_WAYS),
        Tied("name", "displayName", "name", BOTH_WAYS),
        Tied("phone", "phoneNumber", "telephone", BOTH_WAYS),
        Tied("city", "city", "address_city", BOTH_WAYS),
        Tied("currency", "currencyCode", "currencyid", BOTH_WAYS, lookup=CURRENCY),
        Tied("credit", "creditLimit", "creditlimit", TO_REMOTE),
        Tied("rating", "rating", "ratingcode", FROM_REMOTE),
        Tied("kind", None, "customertypecode", TO_REMOTE, constant=3),
        Tied("origin", "origin", None, FROM_REMOTE, constant="CRM"),
    ),
    CURRENCY: (
        Tied("code", "code", "isocode", BOTH_WAYS),
        Tied("name", "displayName", "currencyname", BOTH_WAYS),
    ),
}
TABLES = {
    (CUSTOMER, Side.LOCAL): "customers",
    (CUSTOMER, Side.REMOTE): "account",
    (CURRENCY, Side.LOCAL): "currencies",
    (CURRENCY, Side.REMOTE): "currency",
}
GATES = {Side.LOCAL: ("blocked", True, False), Side.REMOTE: ("statecode", 1, 0)}
"""The field that takes a record out of the filter of its side, its value outside and inside."""
FILTERS = {
    Side.LOCAL: ("blocked eq false", "blocked eq false and creditLimit lt 40", "origin ne 'CRM'", None),
    Side.REMOTE: ("statecode eq 0", "statecode eq 0 and customertypecode ne 9", "customertypecode ne 3", None),
}
"""Filters of each side; the third ones do not admit what we create there."""


def tied(mapping: str, name: str) -> Tied:
    """Return a field by the name that people have for it."""
    return next(each for each in TIED[mapping] if each.name == name)


def customer_mapping(**traits: Any) -> Mapping:
    """The mapping under test."""
    given = {"local_filter": FILTERS[Side.LOCAL][0], "remote_filter": FILTERS[Side.REMOTE][0], **traits}
    return Mapping(
        name=CUSTOMER,
        label="Customer",
        local_table=TABLES[CUSTOMER, Side.LOCAL],
        remote_table=TABLES[CUSTOMER, Side.REMOTE],
        direction=BOTH_WAYS,
        fields=tuple(each.row() for each in TIED[CUSTOMER]),
        local_key_field="number",
        local_name_field="displayName",
        remote_key_field="accountnumber",
        remote_name_field="name",
        depends_on=(CURRENCY,),
        order=20,
        **given,
    )


def currency_mapping(**traits: Any) -> Mapping:
    """The mapping that customers refer to."""
    return Mapping(
        name=CURRENCY,
        label="Currency",
        local_table=TABLES[CURRENCY, Side.LOCAL],
        remote_table=TABLES[CURRENCY, Side.REMOTE],
        direction=BOTH_WAYS,
        fields=tuple(each.row() for each in TIED[CURRENCY]),
        local_key_field="code",
        local_name_field="displayName",
        remote_key_field="isocode",
        remote_name_field="currencyname",
        order=10,
        **traits,
    )


def _field(name: str, type: FieldType = FieldType.TEXT, **traits: Any) -> FieldSchema:
    return FieldSchema(name=name, type=type, **traits)


_FIELDS = {
    "customers": (
        _field("number", FieldType.CODE, max_length=20),
        _field("displayName", max_length=100),
        _field("phoneNumber", max_length=PHONE[Side.LOCAL]),
        _field("city", max_length=30),
        _field("currencyCode", FieldType.CODE, max_length=10),
        _field("creditLimit", FieldType.DECIMAL, scale=2, nullable=False),
        _field("rating", FieldType.INTEGER),
        _field("origin", max_length=10),
        _field("blocked", FieldType.BOOLEAN, nullable=False),
    ),
    "account": (
        _field("accountnumber", max_length=20),
        _field("name", max_length=100),
        _field("telephone", max_length=PHONE[Side.REMOTE]),
        _field("address_city", max_length=30),
        _field("currencyid", FieldType.LOOKUP, targets=("currency",)),
        _field("creditlimit", FieldType.DECIMAL, scale=2),
        _field("ratingcode", FieldType.INTEGER),
        _field("customertypecode", FieldType.INTEGER),
        _field("statecode", FieldType.INTEGER, nullable=False),
    ),
    "currencies": (_field("code", FieldType.CODE, max_length=10), _field("displayName", max_length=30)),
    "currency": (_field("isocode", max_length=10), _field("currencyname", max_length=30)),
}


def schemas(side: Side, feed: ChangeFeed, *, client_ids: bool) -> list[TableSchema]:
    """The tables of one side."""
    found = []
    for (_, at), name in TABLES.items():
        if at is side:
            fields = (_field("id", FieldType.GUID), *_FIELDS[name])
            found.append(
                TableSchema(
                    name=name,
                    key="id",
                    fields={each.name: each for each in fields},
                    feed=feed,
                    client_ids=client_ids,
                    conditional_writes=True,
                )
            )
    return found
