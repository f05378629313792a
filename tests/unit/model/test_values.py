"""Canonical values: one spelling for each value, whichever system it came from."""

import string
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import ZERO_GUID, Scalar, normalise

GUID = "8f2c0a51-3b6d-4c55-9a52-9a4d8ff1a001"


def field(type_: FieldType, **more: object) -> FieldSchema:
    return FieldSchema(name="x", type=type_, **more)  # type: ignore[arg-type]


TEXT, CODE, GUIDS, LOOKUP = (field(each) for each in (FieldType.TEXT, FieldType.CODE, FieldType.GUID, FieldType.LOOKUP))
INTEGER, DECIMAL, BOOLEAN = (field(each) for each in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.BOOLEAN))
DATE, TIME, CHOICE = (field(each) for each in (FieldType.DATE, FieldType.DATETIME, FieldType.CHOICE))
MONEY = field(FieldType.DECIMAL, scale=2)
SECONDS = field(FieldType.DATETIME, scale=0)
MICROSECONDS = field(FieldType.DATETIME, scale=6)
NUMERIC_CHOICE = field(FieldType.CHOICE, numeric_options=True)


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("schema", "value", "canonical"),
    [
        (TEXT, "Adatum", "Adatum"),
        (TEXT, " Adatum ", " Adatum "),
        (TEXT, "one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        (TEXT, 7, "7"),
        (TEXT, Decimal("1.50"), "1.50"),
        (CODE, " eur ", "EUR"),
        (CODE, "   ", None),
        (GUIDS, GUID, GUID),
        (GUIDS, f"{{{GUID.upper()}}}", GUID),
        (GUIDS, ZERO_GUID, None),
        (LOOKUP, GUID.upper(), GUID),
        (LOOKUP, ZERO_GUID, None),
        (INTEGER, 7, 7),
        (INTEGER, "7", 7),
        (INTEGER, "-7.0", -7),
        (INTEGER, 7.0, 7),
        (INTEGER, Decimal("7"), 7),
        (INTEGER, "12345678901234567890", 12345678901234567890),
        (DECIMAL, "1.50", Decimal("1.5")),
        (DECIMAL, 0.1, Decimal("0.1")),
        (DECIMAL, 3, Decimal(3)),
        (DECIMAL, "1E+3", Decimal(1000)),
        (MONEY, "1.005", Decimal("1.01")),
        (MONEY, "-1.005", Decimal("-1.01")),
        (MONEY, 5, Decimal("5.00")),
        (BOOLEAN, True, True),
        (BOOLEAN, "Yes", True),
        (BOOLEAN, "false", False),
        (BOOLEAN, 1, True),
        (BOOLEAN, 0, False),
        (BOOLEAN, "0", False),
        (DATE, "2026-02-28", date(2026, 2, 28)),
        (DATE, "2026-02-28T23:59:59Z", date(2026, 2, 28)),
        (DATE, moment(2026, 2, 28, 23), date(2026, 2, 28)),
        (DATE, date(2026, 2, 28), date(2026, 2, 28)),
        (DATE, "0001-01-01", None),
        (TIME, "2026-02-28T23:59:59.9999999Z", moment(2026, 2, 28, 23, 59, 59, 999000)),
        (TIME, "2026-02-28T23:59:59.999Z", moment(2026, 2, 28, 23, 59, 59, 999000)),
        (TIME, "2026-02-28T23:59:59+02:00", moment(2026, 2, 28, 21, 59, 59)),
        (TIME, "2026-02-28T23:59:59", moment(2026, 2, 28, 23, 59, 59)),
        (TIME, date(2026, 2, 28), moment(2026, 2, 28)),
        (TIME, datetime(2026, 2, 28, 1, tzinfo=timezone(timedelta(hours=2))), moment(2026, 2, 27, 23)),
        (TIME, "0001-01-01T00:00:00Z", None),
        (SECONDS, "2026-02-28T23:59:59.999Z", moment(2026, 2, 28, 23, 59, 59)),
        (MICROSECONDS, "2026-02-28T23:59:59.123456Z", moment(2026, 2, 28, 23, 59, 59, 123456)),
        (CHOICE, "Ship Via", "Ship Via"),
        (CHOICE, " Open ", "Open"),
        (CHOICE, " ", None),
        (CHOICE, 3, 3),
        (CHOICE, True, 1),
        (NUMERIC_CHOICE, "3", 3),
        (NUMERIC_CHOICE, 3, 3),
    ],
)
def test_each_spelling_has_one_canonical_form(schema: FieldSchema, value: object, canonical: Scalar) -> None:
    found = normalise(value, schema)
    assert found == canonical
    assert type(found) is type(canonical)


@pytest.mark.parametrize("blank", [None, ""])
@pytest.mark.parametrize("type_", list(FieldType))
def test_a_blank_is_nothing_where_the_field_can_be_empty(type_: FieldType, blank: object) -> None:
    assert normalise(blank, field(type_)) is None


@pytest.mark.parametrize("blank", [None, ""])
@pytest.mark.parametrize(
    ("type_", "kept"),
    [
        (FieldType.INTEGER, 0),
        (FieldType.DECIMAL, Decimal(0)),
        (FieldType.BOOLEAN, False),
        (FieldType.TEXT, None),
        (FieldType.CODE, None),
        (FieldType.DATE, None),
        (FieldType.CHOICE, None),
    ],
)
def test_a_blank_is_zero_or_false_where_the_system_keeps_those(type_: FieldType, kept: Scalar, blank: object) -> None:
    found = normalise(blank, field(type_, nullable=False))
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (INTEGER, "about 50"),
        (INTEGER, "1.5"),
        (INTEGER, [1]),
        (DECIMAL, "1,5"),
        (DECIMAL, "NaN"),
        (DECIMAL, "Infinity"),
        (INTEGER, "Infinity"),
        (MONEY, "1E+40"),
        (BOOLEAN, "perhaps"),
        (BOOLEAN, 2),
        (DATE, "28.02.2026"),
        (DATE, "2026-02-30"),
        (TIME, "yesterday"),
        (TIME, 7),
        (NUMERIC_CHOICE, "Open"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused_by_name(schema: FieldSchema, value: object) -> None:
    with pytest.raises(ValueError, match=f"is not a {schema.type.value} value") as caught:
        normalise(value, schema)
    assert repr(value) in str(caught.value)


fields = st.builds(
    FieldSchema,
    name=st.just("x"),
    type=st.sampled_from(FieldType),
    nullable=st.booleans(),
    scale=st.sampled_from([None, 0, 2, 5]),
    numeric_options=st.booleans(),
)
raw = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=12),
    st.text(alphabet=string.digits + ".-:TZ+E ", max_size=24),
    st.dates().map(str),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat().replace("+00:00", "Z")),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.dates(),
    st.uuids().map(str),
)


@given(schema=fields, value=raw)
def test_a_canonical_value_is_its_own_canonical_form(schema: FieldSchema, value: object) -> None:
    try:
        once = normalise(value, schema)
    except ValueError:
        return
    twice = normalise(once, schema)
    assert twice == once
    assert type(twice) is type(once)
