"""Rows as records: quick readers say what `normalise` says."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from crosstie.model import readers
from crosstie.model.errors import GarbledAnswer
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import normalise
from crosstie.systems.rows import Column, RowReader

GUID = "8F6F2A1E-0C5B-4A77-9D0E-2F1C3B4A5D6E"
CASES: list[tuple[FieldType, dict[str, Any], list[Any]]] = [
    (FieldType.TEXT, {}, ["a", "", None, "a\r\nb\rc", " x ", 5]),
    (FieldType.CODE, {}, ["abc ", "", None, "  ", "Ä1", 7]),
    (FieldType.GUID, {}, [GUID, GUID.lower(), None, "00000000-0000-0000-0000-000000000000", "{" + GUID + "}", 5]),
    (FieldType.LOOKUP, {}, [GUID, None]),
    (FieldType.INTEGER, {}, [5, -1, None, Decimal("7"), "8"]),
    (FieldType.INTEGER, {"nullable": False}, [None, 0]),
    (FieldType.DECIMAL, {}, [5, Decimal("1.25"), None, "", "2.5", 1.5]),
    (FieldType.DECIMAL, {"scale": 2}, [Decimal("1.005"), Decimal("1.0000"), 3, "1.005", "1e2", None]),
    (FieldType.DECIMAL, {"nullable": False}, [None, 0]),
    (FieldType.BOOLEAN, {}, [True, False, None, "true"]),
    (FieldType.BOOLEAN, {"nullable": False}, [None]),
    (FieldType.DATE, {}, ["2026-02-03", "0001-01-01", None, "", "2026-02-03T00:00:00Z"]),
    (
        FieldType.DATETIME,
        {"scale": 0},
        ["2026-02-03T04:05:06Z", "2026-02-03T04:05:06.999Z", "2026-02-03T04:05:06+02:00", None, "0001-01-01T00:00:00Z"],
    ),
    (FieldType.DATETIME, {"scale": 3}, ["2026-02-03T04:05:06.1234567Z", "2026-02-03T04:05:06.12Z", "", None]),
    (FieldType.CHOICE, {"numeric_options": True}, [3, None, "4"]),
    (FieldType.CHOICE, {}, ["Person", "", None]),
]


@pytest.mark.parametrize(("kind", "facets", "values"), CASES, ids=lambda value: str(value)[:30])
def test_a_quick_reader_agrees_with_normalise(kind: FieldType, facets: dict[str, Any], values: list[Any]) -> None:
    field = FieldSchema(name="x", type=kind, **facets)
    convert = readers.reader(field)
    for value in values:
        found, expected = convert(value), normalise(value, field)
        assert (found, type(found)) == (expected, type(expected)), value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldType.DECIMAL, "much"),
        (FieldType.DECIMAL, "NaN"),
        (FieldType.DECIMAL, Decimal("Infinity")),
        (FieldType.DATE, 5),
        (FieldType.DATE, "2026-13-01"),
        (FieldType.DATETIME, 5),
        (FieldType.DATETIME, "soon"),
        (FieldType.INTEGER, "x"),
        (FieldType.BOOLEAN, "perhaps"),
    ],
)
def test_a_quick_reader_refuses_what_normalise_refuses(kind: FieldType, value: Any) -> None:
    field = FieldSchema(name="x", type=kind)
    for read in (readers.reader(field), lambda value: normalise(value, field)):
        with pytest.raises(ValueError):
            read(value)


def reader() -> RowReader:
    columns = [
        Column("name", "name", readers.reader(FieldSchema(name="name", type=FieldType.TEXT))),
        Column("amount", "amount", readers.reader(FieldSchema(name="amount", type=FieldType.DECIMAL))),
        Column("parent", "_parent_value", readers.reader(FieldSchema(name="parent", type=FieldType.LOOKUP))),
    ]
    return RowReader("account", "accountid", columns, "modifiedon")


def test_a_row_becomes_a_record() -> None:
    row = {
        "@odata.etag": 'W/"7"',
        "accountid": GUID,
        "name": "Adatum",
        "amount": Decimal("1.5"),
        "_parent_value": GUID,
        "modifiedon": "2026-02-03T04:05:06Z",
        "more": 1,
    }
    record = reader().record(row)
    assert (record.id, record.version) == (GUID.lower(), 'W/"7"')
    assert record.values == {"name": "Adatum", "amount": Decimal("1.5"), "parent": GUID.lower()}
    assert record.modified_at == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"name": "x"}, "without its key accountid"),
        ({"accountid": 5}, "without its key accountid"),
        ({"accountid": "a1", "amount": "much"}, "a1 of account holds 'much' in the field amount"),
        ({"accountid": "a1", "amount": {}}, "in the field amount"),
        ({"accountid": "a1", "modifiedon": "yesterday"}, "a1 of account cannot be read"),
    ],
)
def test_a_row_that_does_not_fit_is_named(row: dict[str, Any], words: str) -> None:
    with pytest.raises(GarbledAnswer, match=words):
        reader().record(row)
