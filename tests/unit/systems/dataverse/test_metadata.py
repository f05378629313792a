"""Tables from metadata: types, lengths, lookups, capabilities."""

from typing import Any

import pytest

from crosstie.model.schema import ChangeFeed, FieldType
from crosstie.systems.dataverse.metadata import NAMES_TARGETS

from .tables import GUID, contact


def test_the_table_says_what_can_be_done_with_it() -> None:
    schema = contact().schema
    assert (schema.name, schema.label, schema.key, schema.name_field) == ("contact", "Contact", "contactid", "fullname")
    assert (schema.feed, schema.client_ids, schema.conditional_writes) == (ChangeFeed.DELTA, True, True)
    assert (schema.filters_in_feed, schema.case_sensitive, schema.blanks_compare) == (False, False, False)
    assert schema.alternate_keys == (("emailaddress1", "lastname"),)


@pytest.mark.parametrize(
    ("changes", "feed", "filters"),
    [
        ({"ChangeTrackingEnabled": False}, ChangeFeed.MODIFIED, True),
        ({"ChangeTrackingEnabled": False, "Attributes": []}, ChangeFeed.FULL, False),
    ],
)
def test_without_change_tracking_the_feed_goes_by_time_or_reads_all(
    changes: dict[str, Any], feed: ChangeFeed, filters: bool
) -> None:
    schema = contact(**changes).schema
    assert (schema.feed, schema.filters_in_feed) == (feed, filters)


@pytest.mark.parametrize(
    ("name", "facets"),
    [
        ("contactid", {"type": FieldType.GUID, "required": False, "creatable": True, "updatable": False}),
        ("fullname", {"type": FieldType.TEXT, "max_length": 160, "creatable": False, "updatable": False}),
        ("lastname", {"type": FieldType.TEXT, "required": False, "label": "Lastname"}),
        ("parentcustomerid", {"type": FieldType.LOOKUP, "targets": ("account", "contact")}),
        ("parentcustomeridtype", {"type": FieldType.CHOICE, "options": {"account": "account", "contact": "contact"}}),
        ("ownerid", {"type": FieldType.LOOKUP, "required": False}),
        ("currencyid", {"required": True}),
        ("statecode", {"type": FieldType.CHOICE, "options": {"0": "Active", "1": "Inactive"}, "numeric_options": True}),
        ("creditonhold", {"type": FieldType.BOOLEAN}),
        ("creditlimit", {"type": FieldType.DECIMAL, "scale": 4, "minimum": 0, "maximum": 1_000_000}),
        ("annualincome", {"type": FieldType.DECIMAL, "scale": 2}),
        ("exchangerate", {"scale": 10}),
        ("address1_latitude", {"type": FieldType.DECIMAL, "scale": 5}),
        ("numberofchildren", {"type": FieldType.INTEGER, "maximum": 100}),
        ("birthdate", {"type": FieldType.DATE, "scale": None}),
        ("anniversary", {"type": FieldType.DATETIME, "scale": 0}),
        ("colours", {"type": FieldType.TEXT}),
    ],
)
def test_a_field_is_what_its_attribute_says(name: str, facets: dict[str, Any]) -> None:
    field = contact().schema.fields[name]
    assert {facet: getattr(field, facet) for facet in facets} == facets


def test_shadows_images_and_unreadable_columns_are_left_out() -> None:
    assert not {"parentcustomeridname", "entityimage", "secret"} & set(contact().schema.fields)


def test_lookups_are_read_and_written_under_other_names() -> None:
    table = contact()
    assert table.column("parentcustomerid").wire == "_parentcustomerid_value"
    assert table.column("parentcustomeridtype").wire.startswith("_parentcustomerid_value@")
    assert table.column("lastname").wire == "lastname"
    assert table.selected(["lastname", "parentcustomeridtype", "parentcustomerid"]) == [
        "contactid",
        "modifiedon",
        "lastname",
        "_parentcustomerid_value",
    ]
    assert table.preference(["parentcustomerid"]) == ""
    assert table.preference(["parentcustomeridtype"]) == NAMES_TARGETS
    assert table.lookups["bcbi_companyid"].navigation == {"bcbi_company": "bcbi_CompanyId"}
    assert table.lookups["ownerid"].navigation == {"systemuser": "ownerid", "team": "ownerid"}
    assert table.column("parentcustomerid").convert(GUID.upper()) == GUID
