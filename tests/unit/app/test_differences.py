"""Synchronise Now for one record: what is shown, what is proposed, and that only what was shown is written."""

from typing import Any

import pytest

from crosstie.app.differences import RecordDifferences, apply_differences, differences
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.decisions import Preference
from crosstie.model.differences import FieldDifference
from crosstie.model.errors import InvalidOption, NotCoupled, NothingToDo, UnknownField, UnknownRecord
from crosstie.model.mappings import Direction, UpdateConflictResolution
from crosstie.model.records import Side
from tests.unit.app.desk import Desk

SEND, GET, MERGE = Preference.SEND, Preference.GET, Preference.MERGE
LOCAL, REMOTE = Side.LOCAL, Side.REMOTE


async def changed_pair(desk: Desk, local: dict[str, Any], remote: dict[str, Any]) -> Coupling:
    """A pair that agreed, with edits on both sides since."""
    coupling = await desk.pair("10000", phoneNumber="1", city="Ely", email="a@adatum.example")
    if local:
        desk.edit(LOCAL, coupling.local_id, **local)
    if remote:
        desk.edit(REMOTE, coupling.remote_id, **remote)
    return coupling


def field(found: RecordDifferences, label: str) -> FieldDifference:
    return next(each for each in found.fields if each.label == label)


def proposed(found: RecordDifferences, label: str) -> dict[Preference, tuple[str, Any]]:
    """What each preference makes of a field: the action, and the value that is written."""
    return {
        preference: (proposal.action.value, proposal.value.value if proposal.value else None)
        for preference, proposal in field(found, label).proposals.items()
    }


# --- what is shown ----------------------------------------------------------------------------------------------


async def test_every_field_shows_base_both_values_and_what_each_preset_writes(desk: Desk) -> None:
    coupling = await changed_pair(
        desk,
        {"phoneNumber": "2", "city": "Bath"},
        {"emailaddress1": "b@adatum.example", "address1_city": "York"},
    )
    found = await differences(desk.session, "customer", "10000")
    assert found.name == "10000 Customer 10000"
    assert proposed(found, "Phone No.") == {
        SEND: ("to_remote", "2"),
        GET: ("to_local", "1"),
        MERGE: ("to_remote", "2"),
    }
    assert proposed(found, "E-Mail") == {
        SEND: ("to_remote", "a@adatum.example"),
        GET: ("to_local", "b@adatum.example"),
        MERGE: ("to_local", "b@adatum.example"),
    }
    assert proposed(found, "City") == {
        SEND: ("to_remote", "Bath"),
        GET: ("to_local", "York"),
        MERGE: ("conflict", None),
    }
    city = field(found, "City")
    assert (city.local.value, city.remote.value, city.changed) == ("Bath", "York", (LOCAL, REMOTE))
    assert city.base_local is not None
    assert city.base_local.value == "Ely"
    assert city.newer is REMOTE
    assert city.proposals[SEND].lost is not None
    assert city.proposals[SEND].lost.value == "York"
    assert [each.label for each in found.fields if each.differs] == ["Phone No.", "E-Mail", "City"]
    assert {each.preference: (each.writes_local, each.writes_remote, each.loses) for each in found.presets} == {
        SEND: (0, 3, 2),
        GET: (3, 0, 2),
        MERGE: (1, 1, 0),
    }
    assert (found.conflicts, found.missing, found.problem) == (1, (), None)
    assert found.sides[REMOTE].address == f"memory://DV/account/{coupling.remote_id}"


@pytest.mark.parametrize(
    ("local", "remote", "selected"),
    [
        ({}, {}, None),
        ({"city": "Bath"}, {}, SEND),
        ({}, {"address1_city": "Bath"}, GET),
        ({"city": "Bath"}, {"telephone1": "2"}, MERGE),
        ({"city": "Bath"}, {"address1_city": "York"}, MERGE),
        ({"city": "Bath"}, {"address1_city": "Bath"}, None),
    ],
    ids=["nothing", "local", "remote", "both", "clash", "same edit"],
)
async def test_the_preset_follows_from_who_changed_what(
    desk: Desk, local: dict[str, Any], remote: dict[str, Any], selected: Preference | None
) -> None:
    await changed_pair(desk, local, remote)
    found = await differences(desk.session, "CUSTOMER", "10000")
    assert found.preselected == selected
    assert [each.preference for each in found.presets] == [SEND, GET, MERGE]


@pytest.mark.parametrize(
    ("direction", "preference"), [(Direction.TO_REMOTE, SEND), (Direction.FROM_REMOTE, GET)], ids=["to", "from"]
)
async def test_a_mapping_that_flows_one_way_offers_that_way_and_tells_what_it_overwrites(
    desk: Desk, direction: Direction, preference: Preference
) -> None:
    await changed_pair(desk, {"city": "Bath"}, {"address1_city": "York"})
    desk.flow(direction)
    found = await differences(desk.session, "CUSTOMER", "10000")
    assert [(each.preference, each.loses) for each in found.presets] == [(preference, 1)]
    assert found.preselected is preference
    assert field(found, "City").choices == ((LOCAL,) if preference is SEND else (REMOTE,))


async def test_a_pair_that_never_agreed_proposes_to_send(desk: Desk) -> None:
    local, remote = desk.world.customer("10000", city="Ely"), desk.world.account("Adatum", address1_city="Bath")
    desk.world.couple("CUSTOMER", local, remote, local_key="10000")
    found = await differences(desk.session, "CUSTOMER", remote)
    assert found.preselected is SEND
    assert (field(found, "City").changed, field(found, "City").base_local) == ((), None)
    assert found.conflicts == 2


async def test_a_paused_record_shows_why(desk: Desk) -> None:
    await desk.skipped("10000", "The phone is wrong.")
    found = await differences(desk.session, "CUSTOMER", "10000")
    assert found.problem is not None
    assert "The phone is wrong." in found.problem.words
    assert found.coupling.state == "skipped"


async def test_a_deleted_record_shows_as_missing_and_offers_nothing(desk: Desk) -> None:
    coupling = await desk.pair("10000")
    desk.remove(REMOTE, coupling.remote_id)
    found = await differences(desk.session, "CUSTOMER", "10000")
    assert (found.missing, found.fields, found.presets, found.preselected) == ((REMOTE,), [], [], None)
    assert found.sides[LOCAL].exists
    assert not found.sides[REMOTE].exists


async def test_what_only_differs_by_policy_is_shown_as_the_policy_settles_it(desk: Desk) -> None:
    await changed_pair(desk, {"city": "Bath"}, {"address1_city": "York"})
    desk.configure(update_conflict=UpdateConflictResolution.GET)
    found = await differences(desk.session, "CUSTOMER", "10000")
    assert proposed(found, "City")[MERGE] == ("to_local", "York")
    assert found.conflicts == 0


async def test_an_uncoupled_record_is_to_be_coupled_first(desk: Desk) -> None:
    desk.world.customer("10000")
    with pytest.raises(NotCoupled, match="10000 is not coupled under CUSTOMER"):
        await differences(desk.session, "CUSTOMER", "10000")
    with pytest.raises(UnknownRecord):
        await differences(desk.session, "CUSTOMER", "nobody")


async def test_looking_writes_nothing(desk: Desk) -> None:
    await changed_pair(desk, {"city": "Bath"}, {"address1_city": "York"})
    before = (desk.world.local.requests.batch_parts, desk.world.remote.requests.batch_parts, desk.jobs())
    await differences(desk.session, "CUSTOMER", "10000")
    assert (desk.world.local.requests.batch_parts, desk.world.remote.requests.batch_parts, desk.jobs()) == before


# --- what is applied --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preference", "choices", "phone", "city"),
    [
        (SEND, {}, ("2", "2"), ("Bath", "Bath")),
        (GET, {}, ("1", "1"), ("York", "York")),
        (MERGE, {"City": LOCAL}, ("2", "2"), ("Bath", "Bath")),
        (MERGE, {"city": REMOTE}, ("2", "2"), ("York", "York")),
        (SEND, {"City": REMOTE}, ("2", "2"), ("York", "York")),
        (MERGE, {"City": REMOTE, "Phone No.": REMOTE}, ("1", "1"), ("York", "York")),
    ],
)
async def test_what_was_chosen_is_written_and_nothing_else(
    desk: Desk, preference: Preference, choices: dict[str, Side], phone: tuple[str, str], city: tuple[str, str]
) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T121_SynchronizeOfBidirectionalTableRequestsDirection
    """
    coupling = await changed_pair(desk, {"phoneNumber": "2", "city": "Bath"}, {"address1_city": "York"})
    shown = await differences(desk.session, "CUSTOMER", "10000")
    done = await apply_differences(desk.session, "CUSTOMER", "10000", preference, seen=shown.seen, choices=choices)
    assert done.again is None
    assert done.report is not None
    assert done.report.failed == 0
    here, there = desk.record(LOCAL, coupling.local_id), desk.record(REMOTE, coupling.remote_id)
    assert here is not None
    assert there is not None
    assert (here.values["phoneNumber"], there.values["telephone1"]) == phone
    assert (here.values["city"], there.values["address1_city"]) == city
    assert desk.state("10000") is CouplingState.IN_STEP
    after = await differences(desk.session, "CUSTOMER", "10000")
    assert [each.label for each in after.fields if each.differs or each.changed] == []
    (*_, entry) = desk.world.journal()
    assert entry.job_id == done.report.job_id


async def test_a_clash_without_a_choice_stays_and_the_rest_merges(desk: Desk) -> None:
    coupling = await changed_pair(desk, {"phoneNumber": "2", "city": "Bath"}, {"address1_city": "York"})
    shown = await differences(desk.session, "CUSTOMER", "10000")
    done = await apply_differences(desk.session, "CUSTOMER", "10000", MERGE, seen=shown.seen)
    assert done.report is not None
    assert [failure.code for failure in done.report.failures] == ["conflict"]
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "2"
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "York"
    again = await differences(desk.session, "CUSTOMER", "10000")
    assert again.problem is not None
    assert [each.label for each in again.fields if each.differs] == ["City"]


async def test_an_explicit_choice_ends_the_pause(desk: Desk) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T120_SynchronizeForcesSyncOfSelectedSkippedRecord
    """
    await desk.skipped("10000")
    desk.relent()
    shown = await differences(desk.session, "CUSTOMER", "10000")
    done = await apply_differences(desk.session, "CUSTOMER", "10000", SEND, seen=shown.seen)
    assert done.report is not None
    assert done.report.to_remote.modified == 1
    assert desk.state("10000") is CouplingState.IN_STEP
    assert desk.problems() == {}


@pytest.mark.parametrize("side", list(Side))
async def test_a_record_that_has_moved_since_is_shown_again_and_not_written(desk: Desk, side: Side) -> None:
    coupling = await changed_pair(desk, {"city": "Bath"}, {})
    shown = await differences(desk.session, "CUSTOMER", "10000")
    desk.edit(side, coupling.record_id(side), **{"phoneNumber" if side is LOCAL else "telephone1": "3"})
    jobs = len(desk.jobs())
    done = await apply_differences(desk.session, "CUSTOMER", "10000", SEND, seen=shown.seen)
    assert done.report is None
    assert done.again is not None
    assert field(done.again, "Phone No.").differs
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "Ely"
    assert len(desk.jobs()) == jobs
    second = await apply_differences(desk.session, "CUSTOMER", "10000", MERGE, seen=done.again.seen)
    assert second.again is None
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "Bath"


async def test_a_record_that_moves_while_it_is_written_is_shown_again_and_due(desk: Desk) -> None:
    coupling = await changed_pair(desk, {"city": "Bath"}, {})
    shown = await differences(desk.session, "CUSTOMER", "10000")

    def meddle(table: str, write: object) -> None:
        desk.world.remote.before_write = None
        desk.edit(REMOTE, coupling.remote_id, address1_city="York")

    desk.world.remote.before_write = meddle
    done = await apply_differences(desk.session, "CUSTOMER", "10000", SEND, seen=shown.seen)
    assert done.report is None
    assert done.again is not None
    assert field(done.again, "City").remote.value == "York"
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "York"
    assert [reason for *_, reason in desk.world.due()] == ["interrupted"]
    await desk.sync()
    assert desk.problems() == {"10000 Customer 10000": "conflict"}


async def test_a_record_deleted_since_is_shown_as_missing(desk: Desk) -> None:
    coupling = await changed_pair(desk, {"city": "Bath"}, {})
    shown = await differences(desk.session, "CUSTOMER", "10000")
    desk.remove(REMOTE, coupling.remote_id)
    done = await apply_differences(desk.session, "CUSTOMER", "10000", SEND, seen=shown.seen)
    assert done.again is not None
    assert done.again.missing == (REMOTE,)


async def test_a_second_press_does_nothing_twice(desk: Desk) -> None:
    await changed_pair(desk, {"city": "Bath"}, {})
    shown = await differences(desk.session, "CUSTOMER", "10000")
    await apply_differences(desk.session, "CUSTOMER", "10000", SEND, seen=shown.seen)
    again = await apply_differences(desk.session, "CUSTOMER", "10000", SEND, seen=shown.seen)
    assert again.again is not None
    with pytest.raises(NothingToDo, match="both records agree"):
        await apply_differences(desk.session, "CUSTOMER", "10000", SEND, seen=again.again.seen)


@pytest.mark.parametrize(
    ("preference", "choices", "error", "words"),
    [
        (MERGE, {"Shoe size": LOCAL}, UnknownField, "has no field 'Shoe size'; there are Name, Phone No."),
        (MERGE, {"Credit Limit": REMOTE}, InvalidOption, "The field Credit Limit flows to_remote only"),
    ],
)
async def test_a_choice_that_there_is_not_is_refused(
    desk: Desk, preference: Preference, choices: dict[str, Side], error: type[Exception], words: str
) -> None:
    await changed_pair(desk, {"city": "Bath"}, {})
    shown = await differences(desk.session, "CUSTOMER", "10000")
    with pytest.raises(error, match=words):
        await apply_differences(desk.session, "CUSTOMER", "10000", preference, seen=shown.seen, choices=choices)


async def test_a_direction_that_the_mapping_does_not_have_is_refused(desk: Desk) -> None:
    await changed_pair(desk, {"city": "Bath"}, {})
    desk.flow(Direction.TO_REMOTE)
    shown = await differences(desk.session, "CUSTOMER", "10000")
    with pytest.raises(InvalidOption, match="CUSTOMER flows to_remote"):
        await apply_differences(desk.session, "CUSTOMER", "10000", GET, seen=shown.seen)
