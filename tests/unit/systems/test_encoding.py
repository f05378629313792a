"""Spellings of the wire."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis.strategies import text

from crosstie.systems.encoding import (
    date_literal,
    datetime_literal,
    decode_name,
    number_literal,
    query,
    quote,
    text_literal,
)


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("_x0020_", " "),
        ("Non_x002D_Inventory", "Non-Inventory"),
        ("Bank_x0020_Account", "Bank Account"),
        ("Positive_x0020_Adjmt_x002E_", "Positive Adjmt."),
        ("Company", "Company"),
        ("a_xb", "a_xb"),
    ],
)
def test_xml_encoded_names_are_captions(name: str, caption: str) -> None:
    assert decode_name(name) == caption


@given(text())
def test_nothing_in_a_value_ends_or_changes_the_query(value: str) -> None:
    quoted = quote(value)
    assert unquote(quoted) == value
    assert not set(quoted) & set('&#+ "<>?')


def test_options_that_are_not_given_are_left_out() -> None:
    assert query(select="a,b", filter="a eq 'x & y'", orderby="") == "?$select=a,b&$filter=a%20eq%20'x%20%26%20y'"
    assert query(filter=None) == ""


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        (text_literal("O'Brien"), "'O''Brien'"),
        (number_literal(5), "5"),
        (number_literal(Decimal("1E+3")), "1000"),
        (number_literal(Decimal("0.10")), "0.10"),
        (date_literal(date(2026, 2, 3)), "2026-02-03"),
        (datetime_literal(datetime(2026, 2, 3, 4, 5, 6, 789_000, UTC), 0), "2026-02-03T04:05:06Z"),
        (datetime_literal(datetime(2026, 2, 3, 4, 5, 6, 789_999, UTC), 3), "2026-02-03T04:05:06.789Z"),
        (
            datetime_literal(datetime(2026, 2, 3, 4, tzinfo=timezone(timedelta(hours=2))), 0),
            "2026-02-03T02:00:00Z",
        ),
    ],
)
def test_literals(spelled: str, expected: str) -> None:
    assert spelled == expected
