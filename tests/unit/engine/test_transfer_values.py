"""Plain values from one field to another.

How to read a case: a value of the field on the left is brought to the field on the right, where it is what the last
column says: a value, or the code of what does not fit and the nearest value that does (NONE if there is none).
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crosstie.engine.transfer import transfer
from crosstie.model.decisions import Finding, Hold
from crosstie.model.mappings import FindingPolicy
from crosstie.model.records import Side
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import normalise
from tests.unit.engine.pairs import NOTHING, TO_REMOTE, compiled, field, record, row, table

T = FieldType
NONE = "no value"
NOON = datetime(2024, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)
STATES = {"0": "Active", "1": "Inactive"}
KINDS = {"Company": "Company", "Person": "Person"}
GUID = "0d6b0d8e-0f65-4d9c-9a7c-8f8e4e5f1d11"


def of(type: FieldType, **traits: Any) -> FieldSchema:
    return field("x", type, **traits)


FITS = [
    # ---- text
    (of(T.TEXT), "Straße", of(T.TEXT), "Straße"),
    (of(T.TEXT), "abc", of(T.TEXT, max_length=3), "abc"),
    (of(T.TEXT), " de ", of(T.CODE), "DE"),
    (of(T.TEXT), "   ", of(T.CODE), None),
    (of(T.CODE), "DE", of(T.TEXT, max_length=80), "DE"),
    (of(T.INTEGER), 7, of(T.TEXT), "7"),
    (of(T.DECIMAL), Decimal("1.50"), of(T.TEXT), "1.5"),
    (of(T.DECIMAL), Decimal("1E+3"), of(T.TEXT), "1000"),
    (of(T.BOOLEAN), True, of(T.TEXT), "true"),
    (of(T.DATE), date(2024, 5, 1), of(T.TEXT), "2024-05-01"),
    (of(T.DATETIME), NOON, of(T.TEXT), "2024-05-01T12:00:00.250000Z"),
    (of(T.CHOICE, options=STATES, numeric_options=True), 1, of(T.TEXT), "Inactive"),
    (of(T.GUID), GUID, of(T.TEXT), GUID),
    # ---- blanks
    (of(T.TEXT), None, of(T.TEXT), None),
    (of(T.DECIMAL), None, of(T.DECIMAL, nullable=False), Decimal(0)),
    (of(T.BOOLEAN), None, of(T.BOOLEAN, nullable=False), False),
    (of(T.INTEGER), None, of(T.INTEGER, nullable=False), 0),
    # ---- numbers
    (of(T.DECIMAL), Decimal("1.25"), of(T.DECIMAL, scale=2), Decimal("1.25")),
    (of(T.DECIMAL, scale=2), Decimal("1.25"), of(T.DECIMAL, scale=4), Decimal("1.25")),
    (of(T.INTEGER), 3, of(T.DECIMAL), Decimal(3)),
    (of(T.DECIMAL), Decimal("3.00"), of(T.INTEGER), 3),
    (of(T.TEXT), " 12.5 ", of(T.DECIMAL), Decimal("12.5")),
    (of(T.BOOLEAN), True, of(T.INTEGER), 1),
    (of(T.CHOICE, options=STATES, numeric_options=True), 1, of(T.INTEGER), 1),
    (of(T.DECIMAL), Decimal(99), of(T.DECIMAL, maximum=99.0), Decimal(99)),
    # ---- yes and no
    (of(T.TEXT), "Yes", of(T.BOOLEAN), True),
    (of(T.BOOLEAN), False, of(T.BOOLEAN, nullable=False), False),
    # ---- times
    (of(T.DATE), date(2024, 5, 1), of(T.DATE), date(2024, 5, 1)),
    (of(T.DATE), date(2024, 5, 1), of(T.DATETIME), datetime(2024, 5, 1, tzinfo=UTC)),
    (of(T.DATETIME), datetime(2024, 5, 1, tzinfo=UTC), of(T.DATE), date(2024, 5, 1)),
    (of(T.DATETIME, scale=0), NOON.replace(microsecond=0), of(T.DATETIME), NOON.replace(microsecond=0)),
    (of(T.TEXT), "2024-05-01", of(T.DATE), date(2024, 5, 1)),
    # ---- options
    (of(T.CHOICE, options=KINDS), "Person", of(T.CHOICE, options=KINDS), "Person"),
    (of(T.CHOICE, options={"A": "Active"}), "A", of(T.CHOICE, options=STATES, numeric_options=True), 0),
    (of(T.TEXT), "inactive", of(T.CHOICE, options=STATES, numeric_options=True), 1),
    (of(T.INTEGER), 1, of(T.CHOICE, options=STATES, numeric_options=True), 1),
    (of(T.TEXT), "Person", of(T.CHOICE, options=KINDS), "Person"),
    # ---- ids
    (of(T.TEXT), GUID.upper(), of(T.GUID), GUID),
]

UNFIT = [
    (of(T.TEXT), "Adatum Ltd", of(T.TEXT, max_length=6), "too-long", "Adatum"),
    (of(T.TEXT), "Adatum Ltd", of(T.TEXT, max_length=7), "too-long", "Adatum"),
    (of(T.TEXT), "abcdef", of(T.CODE, max_length=3), "too-long", "ABC"),
    (of(T.CODE), "CURRENCY", of(T.TEXT, max_length=5), "too-long", "CURRE"),
    (of(T.DECIMAL), Decimal("1.255"), of(T.DECIMAL, scale=2), "not-exact", Decimal("1.26")),
    (of(T.DECIMAL), Decimal("2.5"), of(T.INTEGER), "not-exact", 3),
    (of(T.DATETIME), NOON, of(T.DATETIME, scale=0), "not-exact", NOON.replace(microsecond=0)),
    (of(T.DATETIME), NOON, of(T.DATE), "not-exact", date(2024, 5, 1)),
    (of(T.TEXT), "many", of(T.DECIMAL), "unreadable-value", NONE),
    (of(T.TEXT), "NaN", of(T.DECIMAL), "unreadable-value", NONE),
    (of(T.DECIMAL), Decimal("1E+40"), of(T.DECIMAL, scale=2), "unreadable-value", NONE),
    (of(T.TEXT), "perhaps", of(T.BOOLEAN), "unreadable-value", NONE),
    (of(T.TEXT), "yesterday", of(T.DATE), "unreadable-value", NONE),
    (of(T.INTEGER), 20240501, of(T.DATE), "unreadable-value", NONE),
    (of(T.DATE), date(2024, 5, 1), of(T.INTEGER), "unreadable-value", NONE),
    (of(T.TEXT), "no id", of(T.GUID), "unreadable-value", NONE),
    (of(T.DECIMAL), Decimal(100), of(T.DECIMAL, maximum=99.0), "unreadable-value", NONE),
    (of(T.INTEGER), -1, of(T.INTEGER, minimum=0.0), "unreadable-value", NONE),
    (of(T.TEXT), "Dormant", of(T.CHOICE, options=STATES, numeric_options=True), "unknown-option", NONE),
    (of(T.CHOICE, options=KINDS), "Person", of(T.CHOICE, options={"F": "Firm"}), "unknown-option", NONE),
    (of(T.INTEGER), 9, of(T.CHOICE, options=STATES, numeric_options=True), "unknown-option", NONE),
]


def brought(source: FieldSchema, value: Any, destination: FieldSchema, policy: FindingPolicy) -> Any:
    things = compiled(
        [row("x", "x", TO_REMOTE, label="The Field")],
        direction=TO_REMOTE,
        local=table("things", source),
        remote=table("thing", destination),
        on_finding=policy,
    )
    return transfer(things, record("L", {"x": value}), Side.LOCAL, NOTHING, creating=False)


@pytest.mark.parametrize(("source", "value", "destination", "expected"), FITS)
def test_a_value_that_fits(source: FieldSchema, value: Any, destination: FieldSchema, expected: Any) -> None:
    result = brought(source, value, destination, FindingPolicy.FAIL)
    assert result.holds == {}
    assert result.values == {0: expected}
    assert type(result.values[0]) is type(expected)
    assert normalise(expected, destination) == expected, "canonical on the other side"


@pytest.mark.parametrize(("source", "value", "destination", "code", "nearest"), UNFIT)
def test_a_value_that_does_not_fit_holds_the_field(
    source: FieldSchema, value: Any, destination: FieldSchema, code: str, nearest: Any
) -> None:
    result = brought(source, value, destination, FindingPolicy.FAIL)
    assert result.values == {}
    hold = result.holds[0]
    assert isinstance(hold, Hold)
    assert hold.code == code
    assert hold.words.startswith("The Field: ")


@pytest.mark.parametrize(("source", "value", "destination", "code", "nearest"), UNFIT)
def test_or_is_written_as_near_as_it_can_be_and_told(
    source: FieldSchema, value: Any, destination: FieldSchema, code: str, nearest: Any
) -> None:
    result = brought(source, value, destination, FindingPolicy.WARN)
    assert result.holds == {}
    assert result.values == ({} if nearest == NONE else {0: nearest})
    (finding,) = result.findings
    assert isinstance(finding, Finding)
    assert (finding.field, finding.code) == ("x", code)


def test_words_name_field_value_and_limit() -> None:
    source, short = of(T.TEXT), field("x", max_length=5, label="City")
    result = brought(source, "Huntingdon", short, FindingPolicy.FAIL)
    assert result.holds[0].words == "The Field: 'Huntingdon' has 10 characters, and City holds 5."


def test_words_shorten_long_values() -> None:
    result = brought(of(T.TEXT), "x" * 500, of(T.TEXT, max_length=5), FindingPolicy.FAIL)
    assert len(result.holds[0].words) < 140


def test_the_policy_of_the_field_goes_before_that_of_the_mapping() -> None:
    things = compiled(
        [row("x", "x", on_finding=FindingPolicy.WARN), row("y", "y")],
        remote=table("thing", field("x", max_length=1), field("y", max_length=1)),
    )
    result = transfer(things, record("L", {"x": "ab", "y": "ab"}), Side.LOCAL, NOTHING, creating=False)
    assert result.values == {0: "a"}
    assert list(result.holds) == [1]
