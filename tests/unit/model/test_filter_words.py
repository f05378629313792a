"""Filters as people would say them."""

import pytest

from crosstie.model.filter_words import in_words
from crosstie.model.schema import TableSchema
from tests.unit.engine.couples import LOCAL_TABLES, REMOTE_TABLES

CUSTOMERS, ACCOUNT = LOCAL_TABLES[0], REMOTE_TABLES[0]


@pytest.mark.parametrize(
    ("text", "table", "words"),
    [
        (None, CUSTOMERS, "all records"),
        (" ", CUSTOMERS, "all records"),
        ("blocked eq null", CUSTOMERS, "blocked is blank"),
        ("statecode eq 0 and customertypecode eq 3", ACCOUNT, "statecode is Active and customertypecode is Customer"),
        ("city in ('Leeds', 'York')", CUSTOMERS, "city is “Leeds” or “York”"),
        (
            "(city eq 'Leeds' or city eq 'York') and creditLimit ge 100.5",
            CUSTOMERS,
            "(city is “Leeds” or city is “York”) and creditLimit is at least 100.5",
        ),
        ("not contains(tolower(email), 'x') or creditLimit lt 3", CUSTOMERS, None),
        ("length(city) gt 3", CUSTOMERS, "the length of city is more than 3"),
        ("startswith(number, 'a')", CUSTOMERS, "number starts with “A”"),
    ],
)
def test_a_filter_in_words(text: str | None, table: TableSchema, words: str | None) -> None:
    words = words or "not (email in small letters contains “x”) or creditLimit is less than 3"
    assert in_words(text, table) == words
