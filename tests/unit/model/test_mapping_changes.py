"""What becomes of a mapping when settings of it change."""

from typing import Any

import msgspec
import pytest

from crosstie.model.errors import InvalidOption, UnknownField
from crosstie.model.mapping_changes import MappingChanges, differences_of, field_named, pair_of, with_changes
from crosstie.model.mappings import Direction, Mapping, UpdateConflictResolution
from tests.unit.engine.couples import CUSTOMER

TO, FROM, BOTH = Direction.TO_REMOTE, Direction.FROM_REMOTE, Direction.BIDIRECTIONAL


def changes(**given: Any) -> MappingChanges:
    return msgspec.convert(given, MappingChanges)


def directions(mapping: Mapping) -> dict[str, str]:
    """How field mappings go, by their label; those that are disabled with a dash."""
    return {row.label or row.name: row.direction if row.enabled else "-" for row in mapping.fields}


def test_only_what_is_named_changes() -> None:
    after = with_changes(CUSTOMER, changes(only_coupled=False, update_conflict="send", remote_filter="  "))
    assert after == msgspec.structs.replace(
        CUSTOMER, only_coupled=False, update_conflict=UpdateConflictResolution.SEND, remote_filter=None
    )
    assert [(each.setting, each.before, each.after) for each in differences_of(CUSTOMER, after)] == [
        ("remote_filter", CUSTOMER.remote_filter, None),
        ("only_coupled", True, False),
        ("update_conflict", "ask", "send"),
    ]
    assert differences_of(CUSTOMER, with_changes(CUSTOMER, changes(direction="bidirectional"))) == []


def test_field_mappings_go_along_with_a_direction_and_come_back() -> None:
    sent = with_changes(CUSTOMER, changes(direction="to_remote"), standard=CUSTOMER)
    assert set(directions(sent).values()) == {TO, "-"}
    got = with_changes(CUSTOMER, changes(direction="from_remote"), standard=CUSTOMER)
    assert directions(got)["Name"] == FROM
    assert directions(got)["Credit Limit"] == "-", "it goes to the remote side only"
    back = with_changes(got, changes(direction="bidirectional"), standard=CUSTOMER)
    assert directions(back)["Credit Limit"] == TO
    assert directions(back)["Name"] == BOTH
    assert directions(back)["No."] == "-", "it is disabled as shipped"


def test_without_a_standard_what_can_be_written_on_both_sides_goes_both_ways() -> None:
    sent = with_changes(CUSTOMER, changes(direction="to_remote"))
    back = with_changes(sent, changes(direction="bidirectional"), free={"displayName/name"})
    assert [name for name, way in directions(back).items() if way is BOTH] == ["Name"]


def test_what_goes_one_way_as_shipped_can_go_the_other_way_where_both_fields_can_be_written() -> None:
    shipped = with_changes(CUSTOMER, changes(direction="to_remote"), standard=CUSTOMER)
    free = {"displayName/name"}
    got = with_changes(shipped, changes(direction="from_remote"), standard=shipped, free=free)
    assert {name for name, way in directions(got).items() if way is FROM} == {"Name"}
    assert directions(got)["City"] == "-"
    assert directions(with_changes(got, changes(direction="to_remote"), standard=shipped, free=free)) == directions(
        shipped
    )


def test_what_is_said_of_a_field_mapping_itself_comes_last() -> None:
    after = with_changes(
        CUSTOMER, changes(direction="to_remote", fields={"city": {"enabled": False}, "E-Mail": {"match_priority": 1}})
    )
    assert directions(after)["City"] == "-"
    assert next(row for row in after.fields if row.label == "E-Mail").match_priority == 1
    found = {(each.field, each.setting) for each in differences_of(CUSTOMER, after)}
    assert {("City", "enabled"), ("E-Mail", "match_priority"), ("", "direction")} <= found


@pytest.mark.parametrize("name", ["phoneNumber", "TELEPHONE1", "phone no.", "phoneNumber/telephone1"])
def test_a_field_mapping_has_many_names(name: str) -> None:
    assert pair_of(CUSTOMER.fields[field_named(CUSTOMER, name)]) == "phoneNumber/telephone1"


def test_a_name_that_is_none_or_means_several_is_refused() -> None:
    with pytest.raises(UnknownField, match="has no field mapping 'fax'; there are: displayName"):
        field_named(CUSTOMER, "fax")
    twice = msgspec.structs.replace(
        CUSTOMER, fields=(*CUSTOMER.fields, msgspec.structs.replace(CUSTOMER.fields[0], remote_field="fullname"))
    )
    with pytest.raises(InvalidOption, match="displayName/name, displayName/fullname"):
        field_named(twice, "displayname")
    with pytest.raises(InvalidOption, match="a number from 0"):
        with_changes(CUSTOMER, changes(fields={"city": {"match_priority": -1}}))
