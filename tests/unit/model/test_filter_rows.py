"""Filters as rows: what can be shown as rows, what rows become, and what is wrong with them in words."""

import pytest

from crosstie.model.errors import CrosstieError
from crosstie.model.filter_rows import FilterRow, RowOperator, operators_of, rows_of, text_of
from crosstie.model.filters import compile_filter
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema

NOT_THERE = "00000000-0000-0000-0000-00000000000a"


def field(name: str, type: FieldType, label: str, **more: object) -> FieldSchema:
    return FieldSchema(name=name, type=type, label=label, **more)  # type: ignore[arg-type]


FIELDS = (
    field("id", FieldType.GUID, "Id"),
    field("name", FieldType.TEXT, "Name", max_length=100),
    field("code", FieldType.CODE, "Code", max_length=10),
    field("blocked", FieldType.CHOICE, "Blocked", options={"": " ", "All": "All", "Ship": "Ship only"}),
    field("state", FieldType.CHOICE, "Status", options={"0": "Active", "1": "Inactive"}, numeric_options=True),
    field("hidden", FieldType.BOOLEAN, "Hidden"),
    field("credit", FieldType.DECIMAL, "Credit Limit", scale=2),
    field("visits", FieldType.INTEGER, "Visits"),
    field("since", FieldType.DATE, "Customer Since"),
    field("seen", FieldType.DATETIME, "Last Seen"),
    field("parent", FieldType.LOOKUP, "Parent", targets=("account",)),
    field("phone1", FieldType.TEXT, "Phone"),
    field("phone2", FieldType.TEXT, "Phone"),
)
TABLE = TableSchema(
    name="customers",
    key="id",
    fields={each.name: each for each in FIELDS},
    feed=ChangeFeed.MODIFIED,
    client_ids=True,
    conditional_writes=True,
)

BOTH_WAYS = [
    ("", []),
    ("blocked eq null", [("blocked", "blank")]),
    ("name ne null", [("name", "not_blank")]),
    ("state eq 0 and blocked ne 'All'", [("state", "is", "0"), ("blocked", "is_not", "All")]),
    ("(state eq 0 or state eq 1)", [("state", "one_of", "0", "1")]),
    (f"(parent eq '{NOT_THERE}' or parent eq null)", [("parent", "one_of", NOT_THERE, "")]),
    ("hidden eq false and credit ge 12.5", [("hidden", "is", "no"), ("credit", "at_least", "12.5")]),
    ("visits gt 3 and visits le 10", [("visits", "more", "3"), ("visits", "at_most", "10")]),
    ("since lt 2026-12-31", [("since", "less", "2026-12-31")]),
    ("seen ge 2026-12-31T14:00:00Z", [("seen", "at_least", "2026-12-31T14:00:00Z")]),
    (
        "contains(name,'O''Neill') and startswith(code,'AB')",
        [("name", "contains", "O'Neill"), ("code", "starts_with", "AB")],
    ),
    ("endswith(name,'GmbH')", [("name", "ends_with", "GmbH")]),
]


def rows(*given: tuple[str, ...]) -> list[FilterRow]:
    return [FilterRow(name, RowOperator(operator), tuple(values)) for name, operator, *values in given]


@pytest.mark.parametrize(("text", "given"), BOTH_WAYS)
def test_a_text_and_its_rows_mean_the_same(text: str, given: list[tuple[str, ...]]) -> None:
    assert text_of(rows(*given), TABLE) == text
    assert rows_of(text, TABLE) == rows(*given)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("state in (0,1)", "(state eq 0 or state eq 1)"),
        ("hidden", "hidden eq true"),
        ("hidden ne true", "hidden eq false"),
        ("(name eq 'A' and (state eq 0)) and visits eq 1", "name eq 'A' and state eq 0 and visits eq 1"),
    ],
)
def test_other_spellings_are_shown_as_rows_too(text: str, shown: str) -> None:
    found = rows_of(text, TABLE)
    assert found is not None
    assert text_of(found, TABLE) == shown
    assert repr(compile_filter(shown, TABLE).fields) == repr(compile_filter(text, TABLE).fields)


@pytest.mark.parametrize(
    "text",
    [
        "name eq 'A' or state eq 0",
        "not contains(name,'A')",
        "name eq phone1",
        "length(name) gt 3",
        "name gt 'M'",
        "state eq 0 and (name eq 'A' or name eq 'B' and visits eq 1)",
    ],
)
def test_what_rows_cannot_say_stays_text(text: str) -> None:
    assert rows_of(text, TABLE) is None


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (("Status", "is", "inactive"), "state eq 1"),
        (("status", "one_of", "Active", "1"), "(state eq 0 or state eq 1)"),
        (("Credit Limit", "less", "12.505"), "credit lt 12.505"),
        (("Blocked", "is", "ship only"), "blocked eq 'Ship'"),
        (("hidden", "is", "TRUE"), "hidden eq true"),
        (("code", "one_of", "A", "A"), "code eq 'A'"),
    ],
)
def test_fields_and_options_go_by_their_captions_too(row: tuple[str, ...], text: str) -> None:
    assert text_of(rows(row), TABLE) == text


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("nme", "is", "A"), "customers has no field 'nme'. Did you mean Name?"),
        (("Phone", "is", "1"), "'Phone' means several fields of customers: phone1, phone2."),
        (("name", "more", "A"), "Name cannot be asked for 'more'; it takes: is, is_not, one_of"),
        (("hidden", "blank"), "Hidden cannot be asked for 'blank'; it takes: is."),
        (("state", "is", "Dormant"), "Status has no option 'Dormant'; it has: Active, Inactive."),
        (("visits", "is", "3.5"), "'3.5' is no value for Visits, which needs a whole number."),
        (("credit", "less", "much"), "'much' is no value for Credit Limit, which needs a number"),
        (("credit", "less", "NaN"), "'NaN' is no value for Credit Limit"),
        (("since", "is", "31.12.2026"), "'31.12.2026' is no value for Customer Since, which needs a date such as"),
        (("since", "is", "2026-12-31T10:00"), "is no value for Customer Since"),
        (("seen", "is", "yesterday"), "'yesterday' is no value for Last Seen, which needs a time such as"),
        (("hidden", "is", "perhaps"), "'perhaps' is no value for Hidden, which needs yes or no."),
        (("name", "is", "  "), "Name has no value; to ask for a blank, take the operator for it."),
        (("name", "is"), "Name: is takes one value, and there are 0."),
        (("name", "is", "A", "B"), "Name: is takes one value, and there are 2."),
        (("name", "blank", "A"), "Name: blank takes no value."),
        (("name", "one_of"), "Name: no value was chosen."),
    ],
)
def test_what_is_wrong_is_said_with_field_and_value(row: tuple[str, ...], words: str) -> None:
    with pytest.raises(CrosstieError) as refused:
        text_of(rows(row), TABLE)
    assert words in refused.value.words


def test_a_field_offers_what_its_type_can_be_asked_for() -> None:
    assert operators_of(TABLE.fields["hidden"]) == ("is",)
    assert "contains" in operators_of(TABLE.fields["code"])
    assert "more" in operators_of(TABLE.fields["since"])
    assert "more" not in operators_of(TABLE.fields["state"])
