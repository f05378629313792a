"""Tables from the metadata document, and what is spelled in their terms."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crosstie.model.errors import GarbledAnswer, InvalidConnection, UnknownTable
from crosstie.model.schema import ChangeFeed, FieldType
from crosstie.systems.business_central.csdl import parse
from crosstie.systems.business_central.facts import Facts, PageFacts, facts_of, standard_facts
from crosstie.systems.business_central.filter_text import wire_text
from crosstie.systems.business_central.routes import Route, environment_of, route
from crosstie.systems.business_central.tables import Table, table_of
from crosstie.systems.querying import restriction

GUID = "8f6f2a1e-0c5b-4a77-9d0e-2f1c3b4a5d6e"
DOCUMENT = b"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.NAV" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="item"><Key><PropertyRef Name="id"/></Key>
<Property Name="id" Type="Edm.Guid" Nullable="false"/>
<Property Name="number" Type="Edm.String" MaxLength="20"/>
<Property Name="displayName" Type="Edm.String" MaxLength="100"/>
<Property Name="type" Type="Microsoft.NAV.itemType"/>
<Property Name="blocked" Type="Microsoft.NAV.customerBlocked"/>
<Property Name="city" Type="Edm.String" MaxLength="30"/>
<Property Name="postalCode" Type="Edm.String" MaxLength="20"/>
<Property Name="unitPrice" Type="Edm.Decimal" Scale="Variable"/>
<Property Name="sequence" Type="Edm.Int32"/>
<Property Name="taxable" Type="Edm.Boolean"/>
<Property Name="groupId" Type="Edm.Guid"/>
<Property Name="currencyId" Type="Edm.Guid"/>
<Property Name="day" Type="Edm.Date"/>
<Property Name="picture" Type="Edm.Stream"/>
<Property Name="lastModifiedDateTime" Type="Edm.DateTimeOffset"/>
<NavigationProperty Name="group" Type="Microsoft.NAV.group">
<ReferentialConstraint Property="groupId" ReferencedProperty="id"/></NavigationProperty>
</EntityType>
<EntityType Name="group"><Key><PropertyRef Name="id"/></Key><Property Name="id" Type="Edm.Guid"/></EntityType>
<EnumType Name="itemType"><Member Name="Inventory" Value="0"/><Member Name="Non_x002D_Inventory" Value="1"/></EnumType>
<EnumType Name="customerBlocked"><Member Name="_x0020_" Value="0"/><Member Name="Ship" Value="1"/>
<Member Name="All" Value="3"/></EnumType>
<EntityContainer Name="NAV"><EntitySet Name="items" EntityType="Microsoft.NAV.item"/>
<EntitySet Name="groups" EntityType="Microsoft.NAV.group"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""
ITEM_TYPES = ("Inventory", "Non-Inventory")
NO_ID = "00000000-0000-0000-0000-000000000000"
FACTS = Facts(
    {"currencyId": "currencies"},
    ("id", "number", "type", "postalCode", "city"),
    {"items": PageFacts(codes=("number", "postalCode"), read_only=("lastModifiedDateTime",), not_allowed=("delete",))},
)


def items() -> Table:
    return table_of("items", parse(DOCUMENT)["items"], "https://x/api/v2.0", "companies(c)/items", FACTS)


def test_the_table_says_what_can_be_done_with_it() -> None:
    schema = items().schema
    assert (schema.name, schema.label, schema.key, schema.name_field) == ("items", "Items", "id", "displayName")
    assert (schema.feed, schema.filters_in_feed) == (ChangeFeed.MODIFIED, True)
    assert (schema.creatable, schema.updatable, schema.deletable) == (True, True, False)
    assert (schema.case_sensitive, schema.blanks_compare) == (True, True)
    assert schema.alternate_keys == (("number",),)
    assert not schema.deletions_in_feed


@pytest.mark.parametrize(
    ("name", "facets"),
    [
        ("id", {"type": FieldType.GUID, "creatable": True, "updatable": False}),
        ("number", {"type": FieldType.CODE, "max_length": 20}),
        ("displayName", {"type": FieldType.TEXT, "max_length": 100, "nullable": True, "label": "Display Name"}),
        ("type", {"type": FieldType.CHOICE, "nullable": False, "options": {name: name for name in ITEM_TYPES}}),
        ("blocked", {"type": FieldType.CHOICE, "nullable": True, "options": {"Ship": "Ship", "All": "All"}}),
        ("unitPrice", {"type": FieldType.DECIMAL, "nullable": False, "scale": None}),
        ("sequence", {"type": FieldType.INTEGER, "nullable": False}),
        ("taxable", {"type": FieldType.BOOLEAN, "nullable": False}),
        ("groupId", {"type": FieldType.LOOKUP, "targets": ("groups",)}),
        ("currencyId", {"type": FieldType.LOOKUP, "targets": ("currencies",)}),
        ("day", {"type": FieldType.DATE}),
        ("lastModifiedDateTime", {"type": FieldType.DATETIME, "scale": 3, "creatable": False, "updatable": False}),
    ],
)  # fmt: skip
def test_a_field_is_what_its_property_says(name: str, facets: dict[str, Any]) -> None:
    field = items().schema.fields[name]
    assert {facet: getattr(field, facet) for facet in facets} == facets


def test_streams_are_left_out() -> None:
    assert "picture" not in items().schema.fields


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("_x0020_", None), (" ", None), ("", None), (None, None),
        ("Ship", "Ship"), ("New_x0020_Option", "New Option"),
    ],
)  # fmt: skip
def test_options_are_read_as_captions(wire: str | None, value: str | None) -> None:
    assert items().column("blocked").convert(wire) == value


def test_an_option_in_words_is_read_too() -> None:
    assert items().column("type").convert("Non-Inventory") == "Non-Inventory"
    assert items().column("type").convert("Non_x002D_Inventory") == "Non-Inventory"


def test_bodies_begin_with_what_drives_the_rest() -> None:
    values: dict[str, Any] = {
        "displayName": "Desk", "city": "Bern", "postalCode": "3000", "unitPrice": Decimal("9.50"),
        "type": "Non-Inventory", "blocked": None, "number": "D1",
        "day": date(2026, 2, 3), "groupId": None, "taxable": None, "sequence": None,
        "lastModifiedDateTime": datetime(2026, 2, 3, 4, 5, 6, 7000, UTC),
    }  # fmt: skip
    body = items().body(values)
    assert list(body)[:4] == ["number", "type", "postalCode", "city"]
    assert body == {
        "number": "D1", "type": "Non_x002D_Inventory", "postalCode": "3000", "city": "Bern", "displayName": "Desk",
        "blocked": "_x0020_", "unitPrice": Decimal("9.50"), "sequence": 0, "taxable": False, "day": "2026-02-03",
        "groupId": NO_ID, "lastModifiedDateTime": "2026-02-03T04:05:06.007Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "blank"),
    [("displayName", ""), ("number", ""), ("day", "0001-01-01"), ("lastModifiedDateTime", "0001-01-01T00:00:00Z")],
)
def test_blanks_are_values(name: str, blank: str) -> None:
    assert items().spelled(name, None) == blank


def test_an_unknown_option_goes_as_it_is() -> None:
    assert items().spelled("type", "Alien Thing") == "Alien Thing"


@pytest.mark.parametrize(
    ("filter", "text", "rest"),
    [
        ("displayName eq 'O''Brien'", "displayName eq 'O''Brien'", None),
        ("displayName ne ''", "displayName ne ''", None),
        ("number eq 'd1'", "number eq 'D1'", None),
        ("blocked eq null", "blocked eq '_x0020_'", None),
        ("blocked eq '' and type ne 'Non-Inventory'", "blocked eq '_x0020_' and type ne 'Non_x002D_Inventory'", None),
        ("blocked in ('Ship', 'All')", "(blocked eq 'Ship' or blocked eq 'All')", None),
        ("not (blocked in ('Ship', 'All'))", "(blocked ne 'Ship' and blocked ne 'All')", None),
        ("not (number eq 'A' or blocked eq 'All')", "(number ne 'A' and blocked ne 'All')", None),
        ("not (not (number eq 'A'))", "number eq 'A'", None),
        ("unitPrice gt 5 and taxable", "unitPrice gt 5 and taxable eq true", None),
        (f"groupId eq {GUID} or groupId eq null", f"(groupId eq {GUID} or groupId eq {NO_ID})", None),
        (f"not (groupId ne {GUID} and groupId ne null)", f"(groupId eq {GUID} or groupId eq {NO_ID})", None),
        ("day ne null", "day ne 0001-01-01", None),
        ("lastModifiedDateTime gt 2026-02-03T04:05:06.007Z", "lastModifiedDateTime gt 2026-02-03T04:05:06.007Z", None),
        ("contains(displayName, 'De')", "contains(displayName,'De')", None),
        ("contains(displayName, '*')", "", {"displayName"}),
        ("not contains(displayName, 'x')", "", {"displayName"}),
        ("number eq 'A' or displayName eq 'B'", "", {"number", "displayName"}),
        ("tolower(displayName) eq 'x' and blocked eq null", "blocked eq '_x0020_'", {"displayName"}),
        ("displayName eq city", "", {"displayName", "city"}),
    ],
)  # fmt: skip
def test_a_filter_is_split_between_the_service_and_us(filter: str, text: str, rest: set[str] | None) -> None:
    table = items()
    found = restriction(filter, table.schema, lambda condition: wire_text(condition, table))
    assert found.text == text
    assert (None if found.rest is None else set(found.rest.fields)) == rest


@pytest.mark.parametrize("document", [b"<html>", b"", b"<a/>", DOCUMENT[:500]])
def test_a_document_that_is_none_is_garbled(document: bytes) -> None:
    with pytest.raises(GarbledAnswer):
        parse(document)


@pytest.mark.parametrize(
    ("table", "address", "expected"),
    [
        ("customers", "https://x/v2.0/p/api/v2.0", Route("https://x/v2.0/p/api/v2.0", "customers")),
        ("a/b/v1.0/syncThings", "https://x/v2.0/p/api/v2.0", Route("https://x/v2.0/p/api/a/b/v1.0", "syncThings")),
        ("a/b/v1.0/syncThings", "https://x:7048/BC/api/beta", Route("https://x:7048/BC/api/a/b/v1.0", "syncThings")),
    ],
)
def test_tables_live_on_the_standard_api_or_on_a_custom_one(table: str, address: str, expected: Route) -> None:
    assert route(table, address) == expected


def test_a_table_or_an_address_of_another_form_is_named() -> None:
    with pytest.raises(UnknownTable, match="'b/customers'"):
        route("b/customers", "https://x/api/v2.0")
    with pytest.raises(InvalidConnection, match="/api/"):
        route("a/b/v1/c", "https://x/odata")


@pytest.mark.parametrize(
    ("address", "environment"),
    [
        ("https://x/v2.0/production/api/v2.0", "production"),
        ("https://x/v2.0/tenant/sandbox/api/v2.0", "sandbox"),
        ("https://x:7048/BC/api/v2.0", "BC"),
        ("https://x/api/v2.0", ""),
        ("https://x/odata", ""),
    ],
)
def test_the_environment_is_part_of_the_address(address: str, environment: str) -> None:
    assert environment_of(address) == environment


def test_facts_can_be_added_for_custom_pages() -> None:
    added = facts_of({"fields": {"me/sales/v1.0/things": {"codes": ["code"], "page": 50_100}}})
    assert added.of("me/sales/v1.0/things") == PageFacts(codes=("code",), page=50_100)
    assert added.of("customers") == standard_facts().of("customers")
    assert standard_facts().of("customers").page == 21
    with pytest.raises(InvalidConnection, match="fields"):
        facts_of({"fields": {"x": {"kodes": []}}})
