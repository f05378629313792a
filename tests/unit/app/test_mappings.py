"""Changing mappings: what is checked, what is stored, what becomes due again, and who is noted."""

import itertools
from typing import Any

import msgspec
import pytest

from crosstie.app.filtering import filter_views
from crosstie.app.mapping_cards import field_rows
from crosstie.app.mappings import ChangedMapping, change_mapping
from crosstie.app.people.acting import command_line
from crosstie.model.errors import CrosstieError, Forbidden, InvalidFilter, InvalidMapping, InvalidOption, Unreachable
from crosstie.model.mapping_changes import MappingChanges
from crosstie.model.mappings import Direction
from crosstie.model.people import AuditAction, Principal, PrincipalKind, Role
from crosstie.model.records import Side
from tests.unit.app.desk import Desk

OPERATOR = Principal(kind=PrincipalKind.USER, name="olga", role=Role.OPERATOR)


async def change(desk: Desk, *, dry_run: bool = False, **given: Any) -> ChangedMapping:
    changes = msgspec.convert(given, MappingChanges)
    done = await change_mapping(desk.session, command_line(), "customer", changes, dry_run=dry_run)
    desk.configure()  # a session of its own for the next use case, as each request has after a change
    return done


async def test_a_change_is_stored_told_and_noted(desk: Desk) -> None:
    done = await change(desk, update_conflict="newest", fields={"city": {"enabled": False}})
    assert [(each.field, each.setting, each.after) for each in done.changes] == [
        ("", "update_conflict", "newest"),
        ("City", "enabled", False),
    ]
    stored = desk.session.mapping("CUSTOMER")
    assert stored.update_conflict == "newest"
    with desk.store.begin() as unit:
        [entry] = unit.people.audit(actions=[AuditAction.CHANGE_MAPPING])
    assert (entry.subject, entry.actor, len(entry.details["changes"])) == ("CUSTOMER", command_line().name, 2)


async def test_a_dry_run_and_a_change_of_nothing_store_nothing(desk: Desk) -> None:
    before = desk.session.mapping("CUSTOMER")
    assert (await change(desk, dry_run=True, direction="to_remote")).mapping.direction == "to_remote"
    assert (await change(desk, direction="bidirectional")).changes == []
    assert desk.session.mapping("CUSTOMER") == before
    with desk.store.begin() as unit:
        assert unit.people.audit() == []


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"local_filter": "nonsense eq 1"}, CrosstieError, "names the field 'nonsense'"),
        ({"remote_filter": "statecode eq 7"}, InvalidFilter, "has no option '7'"),
        (
            {"fields": {"customertypecode": {"match_priority": 0}}},
            InvalidOption,
            "'customertypecode' cannot be matched on: one side of it is a constant",
        ),
        ({"local_filter": "blocked eq"}, InvalidFilter, "cannot be read from position 8"),
        ({"fields": {"creditLimit": {"direction": "sideways"}}}, msgspec.ValidationError, "Invalid enum value"),
        (
            {"direction": "to_remote", "fields": {"City": {"direction": "from_remote"}}},
            InvalidMapping,
            "City of the mapping CUSTOMER cannot work",
        ),
        ({"fields": {"Name": {"not_null": True}}}, InvalidMapping, "not_null applies to id fields"),
    ],
)
async def test_what_cannot_work_is_refused_and_not_stored(
    desk: Desk, given: dict[str, Any], kind: type[Exception], words: str
) -> None:
    before = desk.session.mapping("CUSTOMER")
    with pytest.raises(kind, match=words):
        await change(desk, **given)
    assert desk.session.mapping("CUSTOMER") == before


async def test_only_an_administrator_changes_mappings(desk: Desk) -> None:
    with pytest.raises(Forbidden, match="olga is operator and may not change mappings"):
        await change_mapping(desk.session, OPERATOR, "CUSTOMER", MappingChanges(enabled=False))


async def test_a_mapping_can_be_disabled_while_a_system_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(table: str) -> None:
        raise Unreachable("The system does not answer.")

    monkeypatch.setattr(desk.session.systems[Side.REMOTE], "describe", away)
    done = await change(desk, enabled=False, only_coupled=False)
    assert not done.mapping.enabled
    with pytest.raises(Unreachable):
        await change(desk, enabled=True)


async def test_a_changed_filter_makes_the_records_due_that_it_touches(desk: Desk) -> None:
    pair = await desk.pair("10000", city="Leeds")
    await desk.pair("20000", city="York")
    await desk.sync()
    await change(desk, local_filter="city ne 'Leeds'")
    desk.edit(Side.LOCAL, pair.local_id, phoneNumber="1")
    await desk.sync()
    assert (desk.state("10000"), desk.state("20000")) == ("out_of_filter", "in_step")
    await change(desk, local_filter="")
    await desk.sync()
    assert desk.state("10000") == "in_step"
    assert desk.value(Side.REMOTE, pair.remote_id, "telephone1") == "1", "looked at again, though nobody edited it"


async def test_filters_are_shown_in_words_with_what_they_admit(desk: Desk) -> None:
    for number, city in (("1", "Leeds"), ("2", "York"), ("3", "York")):
        desk.world.customer(number, city=city)
    found = await filter_views(desk.session, "CUSTOMER", {Side.LOCAL: "city eq 'York'", Side.REMOTE: "nothing eq 1"})
    town = found[Side.LOCAL].filter
    assert town is not None
    assert (town.words, town.matching, town.total) == ("city is “York”", 2, 3)
    assert found[Side.REMOTE].error is not None
    assert found[Side.REMOTE].error.code == "unknown-field"


async def test_field_mappings_say_what_they_cannot_be(desk: Desk) -> None:
    rows = {each.row.label: each for each in await field_rows(desk.session, "CUSTOMER")}
    assert rows["Name"].refused == {}
    assert "goes to a field that it does not name" in rows["Company"].refused[Direction.FROM_REMOTE.value]
    desk.flow(Direction.TO_REMOTE)
    rows = {each.row.label: each for each in await field_rows(desk.session, "CUSTOMER")}
    assert set(rows["Name"].refused) == {"from_remote", "bidirectional"}
    assert "wider than that of the mapping" in rows["Name"].refused["bidirectional"]


@pytest.mark.parametrize(("direction", "asked"), list(itertools.product(Direction, Direction)))
def test_a_mapping_of_one_direction_is_enabled_for_that_one_only(direction: Direction, asked: Direction) -> None:
    """
    behaviour: CRMIntegrationMapping/IntegrationTableMappingTestIsEnabledForFromIntegrationTableAndField
    """
    sides = [side for side in Side if asked.reaches(side)]
    assert all(direction.reaches(side) for side in sides) == (direction in (asked, Direction.BIDIRECTIONAL))
