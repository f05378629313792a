"""Filters of mappings: read, checked against the table, evaluated as the table's system would."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from crosstie.model.errors import InvalidFilter, UnknownField
from crosstie.model.filters import compile_filter
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema

GUID = "8f6f2a1e-0c5b-4a77-9d0e-2f1c3b4a5d6e"
FIELDS = [
    FieldSchema(name="name", type=FieldType.TEXT),
    FieldSchema(name="alias", type=FieldType.TEXT),
    FieldSchema(name="code", type=FieldType.CODE),
    FieldSchema(name="allowed", type=FieldType.DECIMAL, scale=2),
    FieldSchema(name="anyNumber", type=FieldType.INTEGER),
    FieldSchema(name="nullable", type=FieldType.BOOLEAN, nullable=False),
    FieldSchema(name="parent", type=FieldType.LOOKUP),
    FieldSchema(name="kind", type=FieldType.CHOICE, options={"Person": "Person", "Non-Inventory": "Non-Inventory"}),
    FieldSchema(
        name="statecode", type=FieldType.CHOICE, numeric_options=True, options={"0": "Active", "1": "Inactive"}
    ),
    FieldSchema(name="day", type=FieldType.DATE),
    FieldSchema(name="moment", type=FieldType.DATETIME, scale=0),
]
PLAIN = TableSchema(
    name="account",
    key="id",
    fields={field.name: field for field in FIELDS},
    feed=ChangeFeed.DELTA,
    client_ids=True,
    conditional_writes=True,
)
FOLDING = msgspec.structs.replace(PLAIN, case_sensitive=False)
BLANKS = msgspec.structs.replace(PLAIN, blanks_compare=True)
ROW: dict[str, Any] = {
    "name": "Adatum",
    "alias": None,
    "code": "ABC",
    "allowed": Decimal("12.50"),
    "anyNumber": 7,
    "nullable": True,
    "parent": GUID,
    "kind": "Person",
    "statecode": 0,
    "day": date(2026, 2, 3),
    "moment": datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name eq 'Adatum'", True),
        ("  name eq 'Adatum'  ", True),
        ("'Adatum' eq name", True),
        ("name eq 'adatum'", False),
        ("name ne 'Other'", True),
        ("code eq 'abc'", True),
        ("contains(code, 'b')", True),
        ("allowed gt 12.499 and allowed lt 12.501", True),
        ("12 le allowed", True),
        ("13 le allowed", False),
        ("allowed gt -1", True),
        ("anyNumber in (1, 7)", True),
        ("anyNumber in (1)", False),
        ("name in ('Adatum')", True),
        ("name in ('in (x', 'Adatum')", True),
        ("nullable", True),
        ("not nullable", False),
        ("not(nullable)", False),
        ("nullable eq false", False),
        (f"parent eq {GUID}", True),
        (f"parent eq '{GUID.upper()}'", True),
        ("parent ne null", True),
        ("null ne parent", True),
        ("alias eq null", True),
        ("alias eq ''", True),
        ("kind eq 'Person'", True),
        ("kind ne null and statecode eq 0", True),
        ("statecode eq 1 or name eq 'Adatum' and kind eq 'Person'", True),
        ("(statecode eq 1 or name eq 'Adatum') and kind eq 'Non-Inventory'", False),
        ("day ge 2026-02-03", True),
        ("day eq 0001-01-01", False),
        ("moment gt 2026-02-03T04:05:05Z", True),
        ("moment eq 2026-02-03T06:05:06+02:00", True),
        ("startswith(name, 'Ad') and endswith(name, 'um')", True),
        ("contains(name, name)", True),
        ("tolower(name) eq 'adatum'", True),
        ("toupper(name) eq 'ADATUM' and length(name) eq 6 and trim(name) eq 'Adatum'", True),
        ("name gt code", True),
        ("name eq 'O''Brien'", False),
    ],
)
def test_what_a_filter_admits(text: str, expected: bool) -> None:
    assert compile_filter(text, PLAIN).admits(ROW) is expected


@pytest.mark.parametrize(
    ("text", "admitted"),
    [
        ("alias ne 'x'", False),
        ("not (alias eq 'x')", False),
        ("alias lt 'x'", False),
        ("not contains(alias, 'x')", False),
        ("alias ne 'x' or name eq 'Adatum'", True),
        ("alias in ('x', 'y')", False),
        ("not (alias in ('x', 'y'))", False),
        ("alias in (null, 'y')", True),
    ],
)
def test_nothing_compares_with_nothing(text: str, admitted: bool) -> None:
    assert compile_filter(text, PLAIN).admits(ROW) is admitted


@pytest.mark.parametrize(
    ("text", "admitted"),
    [
        ("alias ne 'x'", True),
        ("not (alias eq 'x')", True),
        ("alias lt 'x'", True),
        ("alias ge ''", True),
        ("not contains(alias, 'x')", True),
        ("parent ne null", False),
        (f"parent ne {GUID}", True),
        ("day lt 2000-01-01", True),
        ("moment lt 2000-01-01T00:00:00Z", True),
        ("kind ne 'Person'", True),
        ("length(alias) eq 0", True),
    ],
)
def test_a_blank_is_the_smallest_value_where_the_system_says_so(text: str, admitted: bool) -> None:
    assert compile_filter(text, BLANKS).admits({}) is admitted


@pytest.mark.parametrize(
    "text", ["name eq 'ÄDATUM'", "contains(name, 'DAT')", "toupper(name) eq 'adatum '", "name in ('x', 'adatum')"]
)
def test_case_and_accents_are_ignored_where_the_system_does(text: str) -> None:
    assert compile_filter(text, FOLDING).admits({**ROW, "name": "adätuM"})


def test_the_fields_that_a_filter_reads_are_known() -> None:
    found = compile_filter("statecode eq 0 and (tolower(name) eq 'x' or not contains(code, 'y'))", PLAIN)
    assert found.fields == {"statecode", "name", "code"}
    assert found.text.startswith("statecode")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("name eq", "position 5"),
        ("name eq 'x' and", "position 12"),
        ("  name ~ 'x'", "position 7"),
        ("name in ('x') and name ~ 1", "position 23"),
        ("name eq 'unterminated", "position 9"),
        ("name", "condition is expected"),
        ("name and code eq 'x'", "condition is expected"),
        ("not name eq 'x'", "expected"),
        ("name eq 5", "5 for the text field name must stand in quotes"),
        ("anyNumber eq 'seven'", "'seven' is not a integer value, as the field anyNumber"),
        ("day eq 'soon'", "field day"),
        ("kind eq 'Persn'", "no option 'Persn'; it has Person, Non-Inventory"),
        ("statecode eq 5", r"no option '5'; it has 0 \(Active\), 1 \(Inactive\)"),
        ("kind gt 'Person'", "has no order"),
        (f"parent gt {GUID}", "has no order"),
        ("primarycontactid/fullname eq 'x'", "paths are not known"),
        ("name eq anyNumber", "different types"),
        ("indexof(name, 'x') eq 1", "indexof is not known; known are contains"),
        ("foo(name) eq 1", "foo"),
        ("contains(anyNumber, 'x')", "anyNumber is none"),
        ("contains(name)", "2 arguments"),
        ("tolower('X') eq 'x'", "takes a field"),
        ("items/any(i: i/x eq 1)", "condition is expected"),
        ("name in code", "list|position"),
        ("anyNumber add 1 eq 8", "field or a value is expected"),
    ],
)
def test_a_filter_that_cannot_be_used_says_where_and_why(text: str, words: str) -> None:
    with pytest.raises(InvalidFilter, match=words):
        compile_filter(text, PLAIN)


def test_an_unknown_field_is_named_with_what_comes_near() -> None:
    with pytest.raises(UnknownField, match=r"'nam', which account does not have. Did you mean name"):
        compile_filter("nam eq 'x'", PLAIN)
