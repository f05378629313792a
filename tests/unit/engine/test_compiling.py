"""What is wrong with a mapping shows when it is compiled, with its name, the field and the next step."""

from typing import Any

import msgspec
import pytest

from crosstie.engine.compiling import compile_mapping, digest
from crosstie.model.errors import InvalidMapping, UnknownField
from crosstie.model.mappings import (
    DeletionConflictResolution,
    FieldMapping,
    FindingPolicy,
    LocalReference,
    Lookup,
    UpdateConflictResolution,
)
from crosstie.model.places import Place
from crosstie.model.records import Side
from crosstie.model.schema import FieldType
from tests.unit.engine.pairs import BOTH_WAYS, FROM_REMOTE, TO_REMOTE, compiled, field, mapping, row, table

LOCAL = table(
    "things",
    field("name"),
    field("code", FieldType.CODE),
    field("termsId", FieldType.GUID),
    field("count", FieldType.INTEGER),
    field("computed", creatable=False, updatable=False),
    field("kind", FieldType.CHOICE, options={"Company": "Company", "Person": "Person"}),
)
REMOTE = table(
    "thing",
    field("fullname", max_length=10),
    field("ownerid", FieldType.LOOKUP, targets=("systemuser",)),
    field("guid", FieldType.GUID),
    field("size", FieldType.INTEGER, maximum=9.0),
    field("status", FieldType.CHOICE, numeric_options=True, options={"0": "Active"}),
    field("late", creatable=False),
    field("modified", creatable=False, updatable=False),
)
NAME = row("name", "fullname")


def compile_rows(*rows: FieldMapping, **traits: Any) -> Any:
    return compile_mapping(mapping(*rows, **traits), LOCAL, REMOTE, [])


WRONG = {
    "no field at all": (row(None, None, constant="x"), "it names no field"),
    "neither second field nor constant": (row(None, "fullname", TO_REMOTE), "neither a second field nor a constant"),
    "constant beside a field": (row("name", "fullname", constant="x"), "a constant and another source"),
    "constant that goes nowhere": (row("name", None, TO_REMOTE, constant="x"), "goes to a field that it does not name"),
    "constant too long": (
        row(None, "fullname", TO_REMOTE, constant="x" * 11),
        "has 11 characters, and fullname holds 10",
    ),
    "constant out of bounds": (row(None, "size", TO_REMOTE, constant=10), "'10' is more than size takes"),
    "constant of another type": (row(None, "size", TO_REMOTE, constant="many"), "'many' is no value for size"),
    "constant that is no option": (row(None, "status", TO_REMOTE, constant=5), "status has no option '5'"),
    "source of a computed field": (row("computed", "fullname"), "computed of things cannot be written"),
    "destination that is read-only": (row("name", "modified"), "modified of thing cannot be written"),
    "on creation, where it cannot be": (row("name", "late", create_only=True), "written on creation only"),
    "lookup without mapping": (row("code", "ownerid"), "no mapping of that table is named"),
    "lookup by id on a code": (
        row("code", "ownerid", lookup=Lookup(mapping="M", local_reference=LocalReference.ID)),
        "goes by an id, but code is a code field",
    ),
    "lookup by code on an id": (
        row("termsId", "ownerid", lookup=Lookup(mapping="M")),
        "by a code, but termsId is",
    ),
    "lookup without field": (row(None, "ownerid", TO_REMOTE, lookup=Lookup(mapping="M")), "neither a second field nor"),
    "not null on a text": (row("name", "fullname", not_null=True), "not_null applies to id fields"),
    "not null and clear": (
        row("code", "ownerid", lookup=Lookup(mapping="M"), not_null=True, clear_value_on_failed_sync=True),
        "exclude each other",
    ),
    "unknown rule": (row("name", "fullname", rule="magic"), "there is no rule magic"),
}


@pytest.mark.parametrize(("wrong", "why"), WRONG.values(), ids=WRONG.keys())
def test_a_field_mapping_that_cannot_work(wrong: FieldMapping, why: str) -> None:
    """
    behaviour: CRMIntegrationMapping/FieldClearValueOnFailedSyncFailsOnNotNull
    behaviour: CRMIntegrationMapping/FieldNotNullIsNotApplicableForGUIDsOnly
    """
    others = [r for r in (row("name", "fullname"), row("count", "size")) if not _clash(r, wrong)]
    with pytest.raises(InvalidMapping, match="THINGS") as error:
        compile_rows(*others, wrong)
    assert why in error.value.words
    assert error.value.details["mapping"] == "THINGS"
    assert error.value.advice


def _clash(one: FieldMapping, other: FieldMapping) -> bool:
    return bool({one.local_field, one.remote_field} & {other.local_field, other.remote_field})


@pytest.mark.parametrize(
    ("wrong", "name", "near"),
    [
        ({"rows": [row("nmae", "fullname")]}, "nmae", "name"),
        ({"rows": [row("name", "full_name")]}, "full_name", "fullname"),
        ({"rows": [NAME], "local_key_field": "cod"}, "cod", "code"),
        ({"rows": [NAME], "remote_name_field": "fulname"}, "fulname", "fullname"),
    ],
)
def test_a_field_that_the_table_lacks(wrong: dict[str, Any], name: str, near: str) -> None:
    rows = wrong.pop("rows")
    with pytest.raises(UnknownField) as error:
        compile_rows(*rows, **wrong)
    assert repr(name) in error.value.words
    assert f"Did you mean {near}?" in error.value.words
    assert (error.value.advice, error.value.taken_at) == ("Correct the mapping, or restore it.", Place.MAPPING_RESET)


@pytest.mark.parametrize(
    ("rows", "direction", "missing"),
    [
        ([], TO_REMOTE, "to the remote table"),
        ([row("name", "fullname", enabled=False)], BOTH_WAYS, "to the local table"),
        ([row("name", "fullname", TO_REMOTE)], BOTH_WAYS, "to the local table"),
        ([row("name", "fullname", FROM_REMOTE)], BOTH_WAYS, "to the remote table"),
    ],
)
def test_a_direction_without_field_mapping(rows: list[FieldMapping], direction: Any, missing: str) -> None:
    """
    behaviour: IntegrationTableSynchTest/MissingFieldMappingFailsHard
    behaviour: CRMIntegrationMapping/SyncTableWithAllDisabledFields
    behaviour: CRMIntegrationMapping/IntegrationTableMappingTestIsEnabledForToIntegrationTableAndFromField
    """
    with pytest.raises(InvalidMapping, match=f"no enabled field mapping {missing}"):
        compile_rows(*rows, direction=direction)


def test_disabled_field_mappings_are_left_out_even_if_they_are_wrong() -> None:
    """behaviour: CRMIntegrationMapping/SyncTableWithPartiallyDisabledFields"""
    things = compile_rows(NAME, row("nowhere", "fullname", enabled=False))
    assert [f.name for f in things.fields] == ["name"]
    assert [f.position for f in things.fields] == [0]


def test_two_field_mappings_with_one_destination() -> None:
    with pytest.raises(InvalidMapping, match="fullname of thing gets its value from two field mappings"):
        compile_rows(NAME, row("code", "fullname", TO_REMOTE))
    compile_rows(NAME, row("name", "guid", TO_REMOTE))


@pytest.mark.parametrize("direction", [BOTH_WAYS, FROM_REMOTE])
def test_a_field_mapping_that_goes_further_than_its_mapping(direction: Any) -> None:
    with pytest.raises(InvalidMapping, match="wider than that of the mapping"):
        compile_rows(row("count", "size", TO_REMOTE), row("name", "fullname", direction), direction=TO_REMOTE)


def test_options_are_synchronised_in_one_direction_only() -> None:
    options = table("account.paymenttermscode", field("label"))
    rows = (row("name", "label"),)
    with pytest.raises(InvalidMapping, match="one direction"):
        compile_mapping(mapping(*rows), LOCAL, options, [])
    one_way = (row("name", "label", TO_REMOTE),)
    compile_mapping(mapping(*one_way, direction=TO_REMOTE), LOCAL, options, [])


def test_a_table_that_cannot_be_written() -> None:
    users = table("systemuser", field("fullname"), creatable=False, updatable=False)
    with pytest.raises(InvalidMapping, match="systemuser cannot be written"):
        compile_mapping(mapping(NAME), LOCAL, users, [])
    compile_mapping(mapping(row("name", "fullname", FROM_REMOTE), direction=FROM_REMOTE), LOCAL, users, [])


def test_what_is_read_is_mapped_fields_key_and_name_once_each() -> None:
    things = compiled(
        [
            row("a", "x"),
            row("b", "y", TO_REMOTE),
            row(None, "z", TO_REMOTE, constant="1"),
            row("c", "w", enabled=False),
        ],
        local=table("things", *(field(n) for n in ("a", "b", "c", "number"))),
        remote=table("thing", *(field(n) for n in ("x", "y", "z", "w", "title"))),
        local_key_field="number",
        local_name_field="a",
        remote_name_field="title",
    )
    assert things.reads(Side.LOCAL) == ("a", "b", "number")
    assert things.reads(Side.REMOTE) == ("x", "y", "z", "title")
    assert things.mapped == {Side.LOCAL: ("a", "b"), Side.REMOTE: ("x", "y", "z")}


class TestDigest:
    """It changes exactly when records of the mapping must be looked at again."""

    basis = mapping(NAME, row("code", "guid", enabled=False))

    @pytest.mark.parametrize(
        "change",
        [
            {"local_filter": "name ne null"},
            {"remote_filter": "size eq 1"},
            {"local_table": "others"},
            {"direction": TO_REMOTE},
            {"only_coupled": False},
            {"update_conflict": UpdateConflictResolution.SEND},
            {"deletion_conflict": DeletionConflictResolution.DELETE},
            {"on_finding": FindingPolicy.WARN},
            {"fields": (NAME, row("code", "guid"))},
            {"fields": (msgspec.structs.replace(NAME, direction=TO_REMOTE),)},
            {"fields": (msgspec.structs.replace(NAME, rule="x"),)},
        ],
        ids=str,
    )
    def test_other_values_come_out(self, change: dict[str, Any]) -> None:
        assert digest(msgspec.structs.replace(self.basis, **change)) != digest(self.basis)

    @pytest.mark.parametrize(
        "change",
        [
            {"label": "Other"},
            {"order": 7},
            {"enabled": False},
            {"fields": (msgspec.structs.replace(NAME, label="Other"),)},
            {"depends_on": ("X",)},
        ],
        ids=str,
    )
    def test_the_same_values_come_out(self, change: dict[str, Any]) -> None:
        assert digest(msgspec.structs.replace(self.basis, **change)) == digest(self.basis)
