"""Which criteria a run has, and when two values count as equal."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from crosstie.engine.criteria import Criteria, choose_criteria
from crosstie.model.errors import InvalidOption, UnknownField
from crosstie.model.mappings import Lookup
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.rules import all_rules
from tests.unit.engine.pairs import TO_REMOTE, compiled, field, row, table

ROWS = (
    row("displayName", "name", label="Name", match_priority=2),
    row("phone", "telephone1", label="Phone No.", match_priority=0),
    row("email", "emailaddress1", label="E-Mail", match_priority=2),
    row("number", "accountnumber", label="No.", enabled=False, direction=TO_REMOTE, match_priority=1),
    row(None, "stamp", rule="company_id", label="Company", direction=TO_REMOTE),
    row(None, "type", constant="3", label="Type", direction=TO_REMOTE),
)


def chosen(rows: Any = ROWS, groups: Any = (), **tables: Any) -> Criteria:
    return choose_criteria(compiled(rows, rules=all_rules(), **tables), groups)


def pairs(criteria: Criteria) -> list[list[tuple[str, str]]]:
    return [
        [(criteria.criteria[at].local_field, criteria.criteria[at].remote_field) for at in group]
        for group in criteria.groups
    ]


def test_the_mappings_own_groups_follow_its_priorities_and_leave_out_what_is_disabled() -> None:
    assert pairs(chosen()) == [[("phone", "telephone1")], [("displayName", "name"), ("email", "emailaddress1")]]


@pytest.mark.parametrize("name", ["phone", "telephone1", "Phone No.", " PHONE ", "phone no."])
def test_a_field_is_named_by_either_field_or_its_label(name: str) -> None:
    assert pairs(chosen(groups=[[name]])) == [[("phone", "telephone1")]]


def test_a_disabled_field_mapping_can_be_named() -> None:
    assert pairs(chosen(groups=[["number"], ["name", "phone"]])) == [
        [("number", "accountnumber")],
        [("displayName", "name"), ("phone", "telephone1")],
    ]


def test_a_field_or_group_that_is_named_twice_counts_once() -> None:
    assert pairs(chosen(groups=[["phone", "telephone1"], ["phone"]])) == [[("phone", "telephone1")]]


def test_an_unknown_field_is_refused_with_the_fields_there_are() -> None:
    with pytest.raises(UnknownField, match="nosuch") as told:
        chosen(groups=[["nosuch"]])
    assert told.value.details["candidates"] == ["displayName", "phone", "email", "number"]


@pytest.mark.parametrize(("name", "why"), [("stamp", "rule company_id"), ("Type", "constant")])
def test_rules_and_constants_cannot_be_matched_on(name: str, why: str) -> None:
    with pytest.raises(InvalidOption, match=why):
        chosen(groups=[[name]])


def test_without_any_criterion_it_asks_for_some() -> None:
    plain = [msgspec.structs.replace(each, match_priority=None) for each in ROWS]
    with pytest.raises(InvalidOption, match="no fields to match on") as told:
        chosen(plain)
    assert "displayName" in told.value.advice


def test_an_empty_group_is_refused() -> None:
    with pytest.raises(InvalidOption, match="names no field"):
        chosen(groups=[["phone"], [" "]])


def test_a_name_of_two_field_mappings_is_refused() -> None:
    rows = (row("one", "x"), row("two", "y", label="One more"), row("three", "z", label="One more"))
    with pytest.raises(InvalidOption, match="two with y, three with z"):
        chosen(rows, [["one more"]])


# --- when values are equal ------------------------------------------------------------------------------------


def options(numeric: bool, **known: str) -> FieldSchema:
    labels = {"1": "Net 30", "2": "Cash"} if numeric else known
    return field("f", FieldType.CHOICE, numeric_options=numeric, options=labels)


T = FieldType
EQUAL = {
    "blanks around and case": (T.TEXT, " Contoso Ltd ", T.TEXT, "CONTOSO LTD", True),
    "sharp s and accents keep their letters": (T.TEXT, "STRASSE", T.TEXT, "straße", True),
    "composed and decomposed letters": (T.TEXT, "Café", T.TEXT, "CAFE\u0301", True),
    "another accent is another letter": (T.TEXT, "Cafe", T.TEXT, "Café", False),
    "wildcards are letters like others": (T.TEXT, "A*", T.TEXT, "ABC", False),
    "blanks inside count": (T.TEXT, "Contoso Ltd", T.TEXT, "ContosoLtd", False),
    "a code and a text": (T.CODE, "USD", T.TEXT, "usd ", True),
    "two codes": (T.CODE, "USD", T.CODE, "USD", True),
    "whole and other numbers": (T.INTEGER, 5, T.DECIMAL, Decimal("5.00"), True),
    "other numbers": (T.DECIMAL, Decimal("5.01"), T.DECIMAL, Decimal("5.00"), False),
    "a text that is a number": (T.TEXT, " 5.0 ", T.DECIMAL, Decimal(5), True),
    "a text that is none": (T.TEXT, "five", T.DECIMAL, Decimal(5), False),
    "a text on the other side": (T.DATE, date(2026, 1, 2), T.TEXT, "2026-01-02", True),
    "a day and a moment of it": (T.DATE, date(2026, 1, 2), T.DATETIME, datetime(2026, 1, 2, 9, tzinfo=UTC), True),
    "ids": (T.GUID, "a-b", T.LOOKUP, "a-b", True),
    "truth": (T.BOOLEAN, False, T.BOOLEAN, False, True),
    "an option by its label": (T.CODE, "NET 30", options(numeric=True), 1, True),
    "an option by another label": (T.CODE, "CASH", options(numeric=True), 1, False),
    "options of two systems by label": (options(False, n30="net 30"), "n30", options(numeric=True), 1, True),
    "options without labels": (options(False), "Person", T.TEXT, "person", True),
}


def schema(kind: FieldType | FieldSchema) -> FieldSchema:
    return kind if isinstance(kind, FieldSchema) else field("f", kind)


@pytest.mark.parametrize(("here", "one", "there", "other", "equal"), EQUAL.values(), ids=EQUAL)
def test_values_are_compared_by_what_they_mean(here: Any, one: Any, there: Any, other: Any, equal: bool) -> None:
    (criterion,) = chosen(
        [row("name", "name"), row("f", "f", enabled=False)],
        [["f"]],
        local=table("things", field("name"), schema(here)),
        remote=table("thing", field("name"), schema(there)),
    ).criteria
    (mine,), (theirs,) = criterion.local([one]), criterion.remote([other])
    assert (mine == theirs and mine is not None) is equal


def test_case_counts_where_the_field_mapping_says_so() -> None:
    (criterion,) = chosen([row("f", "f", case_sensitive_match=True)], [["f"]]).criteria
    assert criterion.local(["Contoso ", "contoso"]) == ["Contoso", "contoso"]


@pytest.mark.parametrize("kind", [T.TEXT, T.CODE, T.INTEGER, T.DATE, T.GUID, T.CHOICE])
def test_blanks_have_nothing_to_compare(kind: FieldType) -> None:
    tables = {"local": table("things", field("f", kind)), "remote": table("thing", field("f", kind))}
    (criterion,) = chosen([row("f", "f")], [["f"]], **tables).criteria
    assert criterion.local([None]) == criterion.remote([None]) == [None]


def test_a_text_of_blanks_is_a_blank() -> None:
    (criterion,) = chosen([row("f", "f")], [["f"]]).criteria
    assert criterion.local(["  "]) == [None]


def test_types_that_have_nothing_in_common_are_refused() -> None:
    tables = {"local": table("things", field("f", T.DATE)), "remote": table("thing", field("f", T.INTEGER))}
    with pytest.raises(InvalidOption, match=r"f \(date\) and f \(integer\)"):
        chosen([row("f", "f", direction=TO_REMOTE)], [["f"]], direction=TO_REMOTE, **tables)


def test_a_reference_is_left_to_be_translated() -> None:
    tables = {"local": table("things", field("f", T.CODE)), "remote": table("thing", field("f", T.LOOKUP))}
    (criterion,) = chosen([row("f", "f", lookup=Lookup(mapping="CURRENCY"))], [["f"]], **tables).criteria
    assert criterion.lookup == Lookup(mapping="CURRENCY")
