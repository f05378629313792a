"""The base comes back as it was encoded, as far as the tables still have its fields."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosstie.model.base import Base, decode_base, encode_base, encode_side, holds_side
from crosstie.model.records import Side
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar, normalise


def table(*fields: FieldSchema) -> TableSchema:
    return TableSchema(
        name="customers",
        key="id",
        fields={each.name: each for each in fields},
        feed=ChangeFeed.MODIFIED,
        client_ids=True,
        conditional_writes=True,
    )


FIELDS = [FieldSchema(name=each.value, type=each) for each in FieldType]
ALL = table(*FIELDS, FieldSchema(name="money", type=FieldType.DECIMAL, scale=2))
EMPTY = table()

VALUES: dict[str, Scalar] = {
    "text": 'Größe "\N{SNOWMAN}"\n',
    "code": "EUR",
    "guid": "8f2c0a51-3b6d-4c55-9a52-9a4d8ff1a001",
    "lookup": None,
    "integer": 12345678901234567,
    "decimal": Decimal("1234567890123456789.12345"),
    "money": Decimal("5.00"),
    "boolean": False,
    "date": date(2026, 2, 28),
    "datetime": datetime(2026, 2, 28, 23, 59, 59, 999000, tzinfo=UTC),
    "choice": "Open",
}


def test_a_base_of_every_type_comes_back() -> None:
    base = Base(VALUES, dict(reversed(VALUES.items())))
    decoded = decode_base(encode_base(base), ALL, ALL)
    assert decoded == base
    assert {name: type(value) for name, value in decoded.local.items()} == {
        name: type(value) for name, value in VALUES.items()
    }


def test_no_base_stays_none() -> None:
    assert decode_base(None, ALL, ALL) is None


def test_an_empty_base_is_not_none() -> None:
    assert decode_base(encode_base(Base({}, {})), ALL, ALL) == Base({}, {})


def test_fields_that_a_table_lost_are_left_out_on_its_side() -> None:
    stored = encode_base(Base({"code": "EUR", "gone": "x"}, {"code": "USD"}))
    assert decode_base(stored, table(FIELDS[1]), EMPTY) == Base({"code": "EUR"}, {})


def test_the_stored_form_is_json_with_the_two_sides() -> None:
    stored = json.loads(encode_base(Base({"code": "EUR"}, {"money": Decimal("5.00")})))
    assert stored == {"l": {"code": "EUR"}, "r": {"money": "5.00"}}


@pytest.mark.parametrize("damaged", [b"", b"{}", b'{"l":{}}', b'{"l":[],"r":{}}', b"\xff"])
def test_a_damaged_base_is_refused(damaged: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_base(damaged, ALL, ALL)


@given(
    st.dictionaries(
        st.sampled_from(list(ALL.fields)),
        st.none() | st.integers(-(10**15), 10**15) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    )
)
def test_whatever_is_canonical_comes_back(raw: dict[str, object]) -> None:
    values: dict[str, Scalar] = {}
    for name, value in raw.items():
        try:
            values[name] = normalise(value, ALL.fields[name])
        except ValueError:
            continue
    assert decode_base(encode_base(Base(values, values)), ALL, ALL) == Base(values, values)


@pytest.mark.parametrize(
    ("side", "values", "held"),
    [
        (Side.LOCAL, {"displayName": "Ada", "creditLimit": Decimal("10.50")}, True),
        (Side.LOCAL, {"displayName": "Ada", "creditLimit": Decimal("10.51")}, False),
        (Side.LOCAL, {"displayName": "Ada"}, False),
        (Side.LOCAL, {"creditLimit": Decimal("10.50"), "displayName": "Ada"}, False),
        (Side.REMOTE, {"name": '","r":{"name":"x"}}'}, True),
        (Side.REMOTE, {"name": "x"}, False),
        (Side.REMOTE, {}, False),
    ],
)
def test_a_stored_base_is_recognised_by_its_bytes(side: Side, values: dict[str, Scalar], held: bool) -> None:
    stored = encode_base(Base({"displayName": "Ada", "creditLimit": Decimal("10.50")}, {"name": '","r":{"name":"x"}}'}))
    assert holds_side(stored, side, encode_side(list(values), values)) is held
