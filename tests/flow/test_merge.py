"""The three-way merge: what merges, what agrees, what is a conflict, and what becomes of what was written."""

from collections.abc import Callable
from typing import Any

import pytest

from crosstie.model.decisions import Decision
from crosstie.model.mappings import Direction, UpdateConflictResolution

from .flow import Flow, Pair, Watcher, figures, told


async def edited_on_both_sides(flow: Flow, local: dict[str, Any], remote: dict[str, Any]) -> Pair:
    """Return a pair in step that somebody then edited on both sides."""
    pair = await flow.pair(phoneNumber="+44 0", city="Ely")
    flow.bc.change("customers", pair.local_id, **local)
    flow.dv.change("accounts", pair.remote_id, **remote)
    return pair


async def test_edits_of_different_fields_merge(flow: Flow) -> None:
    pair = await edited_on_both_sides(flow, {"addressLine1": "1 High Street"}, {"websiteurl": "https://adatum.example"})
    report = await flow.sync()
    assert told(report) == ({"modified": 1}, {"modified": 1})
    assert flow.differences(pair) == {}
    now = flow.bc.customer("10000")
    assert (now["address"], now["home page"]) == ("1 High Street", "https://adatum.example")
    assert flow.problems() == []


async def test_the_same_edit_on_both_sides_is_agreement(flow: Flow) -> None:
    pair = await edited_on_both_sides(flow, {"city": "Cambridge"}, {"address1_city": "Cambridge"})
    before = flow.tags(pair)
    async with flow.counting() as counted:
        report = await flow.sync()
    assert told(report) == ({"unchanged": 1}, {})
    assert (counted.writes, flow.tags(pair)) == ({}, before)
    flow.bc.change("customers", pair.local_id, city="Ely")
    await flow.sync()
    assert flow.dv.account(pair.remote_id)["city"] == "Ely", "the agreed value became the base"


async def test_edits_of_fields_that_are_not_mapped_are_no_conflict(flow: Flow) -> None:
    """
    behaviour: CRMEntitySynchTest/IgnoreUnchangedWhenNoFieldsWereModifiedButSourceAndDestinationInConflict
    """
    pair = await edited_on_both_sides(flow, {"taxRegistrationNumber": "GB 1"}, {"description": "A good customer"})
    before = flow.tags(pair)
    report = await flow.sync()
    assert (report.failed, figures(report.to_remote)) == (0, {"unchanged": 1})
    assert flow.tags(pair) == before


@pytest.mark.parametrize("create", [False, True], ids=["coupled-only", "creating"])
async def test_the_same_field_edited_on_both_sides_shows_base_local_and_remote(flow: Flow, create: bool) -> None:
    """
    behaviour: IntegrationTableSynchTest/TruePositiveConflictWhenToIntegrationTableSyncAfterBidirectionalFieldChange
    behaviour: CRMSynchNotifications/LastSyncFailedBothRecsChangedMarkedCRMIntegrationRec
    """
    pair = await edited_on_both_sides(flow, {"phoneNumber": "+44 1"}, {"telephone1": "+44 2"})
    before = flow.tags(pair)
    report = await flow.sync(create=create)
    assert report.failed == 1
    assert flow.tags(pair) == before, "nothing is written"
    problem = flow.only_problem()
    assert (problem.code, problem.problem_class, problem.record.name) == (
        "conflict",
        "conflict",
        "10000 Adatum Corporation",
    )
    (field,) = problem.fields
    assert (field.label, field.base, field.local, field.remote) == (
        "Phone No.",
        {"local": "+44 0", "remote": "+44 0"},
        "+44 1",
        "+44 2",
    )
    assert flow.state("10000") == "conflict"


async def test_a_conflict_in_one_field_does_not_keep_the_others_from_merging(flow: Flow) -> None:
    pair = await edited_on_both_sides(
        flow, {"phoneNumber": "+44 1", "addressLine1": "1 High Street"}, {"telephone1": "+44 2", "fax": "+44 9"}
    )
    flow.dv.change("accounts", pair.remote_id, emailaddress1="office@adatum.example")
    await flow.sync()
    assert flow.differences(pair) == {"phone": ("+44 1", "+44 2")}
    assert flow.bc.customer("10000")["e-mail"] == "office@adatum.example"
    assert flow.dv.account(pair.remote_id)["address"] == "1 High Street"


@pytest.mark.parametrize(
    ("direction", "kept", "lost", "side"),
    [("to_remote", "+44 1", "+44 2", "remote"), ("from_remote", "+44 2", "+44 1", "local")],
)
async def test_a_person_settles_a_conflict_and_the_history_keeps_what_was_lost(
    flow: Flow, direction: str, kept: str, lost: str, side: str
) -> None:
    pair = await edited_on_both_sides(flow, {"phoneNumber": "+44 1"}, {"telephone1": "+44 2"})
    await flow.sync()
    await flow.sync("CUSTOMER", "10000", direction=direction)
    assert flow.bc.customer("10000")["phone"] == flow.dv.account(pair.remote_id)["phone"] == kept
    assert (flow.problems(), flow.state("10000")) == ([], "in_step")
    entry = (await flow.history("CUSTOMER", "10000"))[0]
    (change,) = entry.changes
    assert (entry.side, change.before, change.after, change.lost) == (side, lost, kept, lost)


async def test_a_conflict_ends_by_itself_when_somebody_makes_both_sides_equal(flow: Flow) -> None:
    pair = await edited_on_both_sides(flow, {"phoneNumber": "+44 1"}, {"telephone1": "+44 2"})
    await flow.sync()
    flow.dv.change("accounts", pair.remote_id, telephone1="+44 1")
    report = await flow.sync()
    assert report.failed == 0
    assert (flow.problems(), flow.state("10000")) == ([], "in_step")


async def test_a_conflict_ends_by_itself_when_one_side_takes_its_edit_back(flow: Flow) -> None:
    pair = await edited_on_both_sides(flow, {"phoneNumber": "+44 1"}, {"telephone1": "+44 2"})
    await flow.sync()
    flow.bc.change("customers", pair.local_id, phoneNumber="+44 0")
    await flow.sync()
    assert flow.bc.customer("10000")["phone"] == "+44 2"
    assert flow.problems() == []


async def test_an_open_conflict_is_neither_decided_again_nor_written_while_nobody_touches_the_record(
    flow: Flow,
) -> None:
    pair = await edited_on_both_sides(flow, {"phoneNumber": "+44 1"}, {"telephone1": "+44 2"})
    await flow.sync()
    before = flow.tags(pair)
    for _ in range(3):
        assert told(await flow.sync()) == ({}, {})
    assert flow.tags(pair) == before
    assert flow.only_problem().attempts == 1


@pytest.mark.parametrize(
    ("resolution", "winner", "counted"),
    [
        (UpdateConflictResolution.SEND, "local", ({"modified": 1}, {})),
        (UpdateConflictResolution.GET, "remote", ({}, {"modified": 1})),
    ],
)
async def test_the_mappings_policy_settles_conflicts_field_by_field(
    flow: Flow,
    resolution: UpdateConflictResolution,
    winner: str,
    counted: tuple[dict[str, int], dict[str, int]],
) -> None:
    """
    behaviour: IntegrationTableSynchTest/AutomaticConflictResolutionToIntegrationTableAfterBidirectionalFieldChange
    behaviour: IntegrationTableSynchTest/AutomaticConflictResolutionFromIntegrationTableAfterBidirectionalFieldChange
    """
    await flow.configure("CUSTOMER", update_conflict=resolution)
    pair = await edited_on_both_sides(flow, {"phoneNumber": "+44 1"}, {"telephone1": "+44 2"})
    report = await flow.sync()
    assert told(report) == counted
    kept, lost = ("+44 1", "+44 2") if winner == "local" else ("+44 2", "+44 1")
    assert flow.bc.customer("10000")["phone"] == flow.dv.account(pair.remote_id)["phone"] == kept
    assert flow.problems() == []
    (change,) = (await flow.history("CUSTOMER", "10000"))[0].changes
    assert (change.after, change.lost) == (kept, lost)


async def test_a_policy_loses_no_edit_of_another_field(flow: Flow) -> None:
    await flow.configure("CUSTOMER", update_conflict=UpdateConflictResolution.SEND)
    pair = await edited_on_both_sides(
        flow, {"phoneNumber": "+44 1"}, {"telephone1": "+44 2", "address1_city": "Huntingdon"}
    )
    await flow.sync()
    assert flow.bc.customer("10000")["city"] == "Huntingdon"
    assert flow.differences(pair) == {}


@pytest.mark.parametrize("newest", ["local", "remote"])
async def test_the_newest_edit_wins_where_the_mapping_says_so(flow: Flow, newest: str) -> None:
    await flow.configure("CUSTOMER", update_conflict=UpdateConflictResolution.NEWEST)
    pair = await flow.pair(phoneNumber="+44 0")
    edits = [
        lambda: flow.bc.change("customers", pair.local_id, phoneNumber="local"),
        lambda: flow.dv.change("accounts", pair.remote_id, telephone1="remote"),
    ]
    for edit in edits if newest == "remote" else reversed(edits):
        flow.bc.order("POST", "clock", {"advance_seconds": 60})
        edit()
    await flow.sync()
    assert flow.bc.customer("10000")["phone"] == flow.dv.account(pair.remote_id)["phone"] == newest


async def test_a_field_may_have_a_policy_of_its_own(flow: Flow) -> None:
    await flow.configure_field("CUSTOMER", "Phone No.", conflict_resolution=UpdateConflictResolution.GET)
    await edited_on_both_sides(
        flow,
        {"phoneNumber": "+44 1", "city": "Cambridge"},
        {"telephone1": "+44 2", "address1_city": "Huntingdon"},
    )
    await flow.sync()
    assert flow.bc.customer("10000")["phone"] == "+44 2"
    assert [field.label for field in flow.only_problem().fields] == ["City"]


@pytest.mark.parametrize("direction", [Direction.TO_REMOTE, Direction.FROM_REMOTE])
async def test_a_mapping_that_flows_one_way_knows_no_conflicts(flow: Flow, direction: Direction) -> None:
    """
    behaviour: IntegrationTableSynchTest/OneWaySynchIgnoresDestinationChanges
    """
    pair = await flow.pair(phoneNumber="+44 0")
    await flow.make_one_way("CUSTOMER", direction)
    await flow.sync()
    flow.bc.change("customers", pair.local_id, phoneNumber="+44 1")
    flow.dv.change("accounts", pair.remote_id, telephone1="+44 2")
    report = await flow.sync()
    kept = "+44 1" if direction is Direction.TO_REMOTE else "+44 2"
    assert report.failed == 0
    assert (report.to_remote.modified, report.from_remote.modified) == (
        (1, 0) if direction is Direction.TO_REMOTE else (0, 1)
    )
    assert flow.bc.customer("10000")["phone"] == flow.dv.account(pair.remote_id)["phone"] == kept


@pytest.mark.parametrize("seconds", [0, -300, 300], ids=["in-time", "behind", "ahead"])
async def test_clocks_that_differ_neither_hide_nor_invent_a_conflict(flow: Flow, seconds: int) -> None:
    """
    behaviour: CRMEntitySynchTest/LastSyncTimeUpdatedCorrectlyWhenSyncFailedCRMClockSynced
    """
    flow.bc.order("POST", "clock", {"advance_seconds": seconds})
    pair = await edited_on_both_sides(flow, {"phoneNumber": "+44 1"}, {"telephone1": "+44 2"})
    other = (await flow.pairs({"20000": {"displayName": "Trey Research"}}))[0]
    flow.bc.change("customers", other.local_id, city="Leeds")
    report = await flow.sync()
    assert (report.failed, report.to_remote.modified) == (1, 1)
    assert flow.differences(pair) == {"phone": ("+44 1", "+44 2")}
    assert flow.differences(other) == {}
    assert told(await flow.sync()) == ({}, {})


# --- our own writes ----------------------------------------------------------------------------------------------


async def test_our_own_writes_coming_back_cause_no_write(flow: Flow) -> None:
    pair = await edited_on_both_sides(flow, {"addressLine1": "1 High Street"}, {"websiteurl": "https://adatum.example"})
    await flow.sync()
    after = flow.tags(pair)
    async with flow.counting() as counted:
        assert told(await flow.sync()) == ({}, {})
        assert told(await flow.sync("CUSTOMER", full=True))[0].get("modified") is None
    assert counted.writes == {}
    assert flow.tags(pair) == after


async def test_a_repeated_job_writes_nothing_even_from_a_home_that_forgot_how_far_it_was(flow: Flow) -> None:
    pair = await edited_on_both_sides(flow, {"addressLine1": "1 High Street"}, {"websiteurl": "https://adatum.example"})
    await flow.sync()
    after = flow.tags(pair)
    with flow.home.store.begin() as unit:
        unit.forget_cursors("CUSTOMER")
    async with flow.counting() as counted:
        report = await flow.sync()
    assert (counted.writes, flow.tags(pair)) == ({}, after)
    assert report.failed == 0


async def test_what_a_system_makes_of_a_value_does_not_start_a_ping_pong(flow: Flow) -> None:
    pair = await flow.pair(creditLimit=100)
    flow.bc.change("customers", pair.local_id, creditLimit=123.45678, website="HTTPS://Adatum.Example")
    await flow.sync()
    first = flow.tags(pair)
    for _ in range(2):
        await flow.sync()
    assert flow.tags(pair) == first


class Interfering(Watcher):
    """Does something once, between the decision on a record and its being written."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def decided(self, decision: Decision) -> None:
        if not self.decisions:
            self._act()
        super().decided(decision)


async def test_an_edit_made_between_reading_and_writing_is_merged_too(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber="+44 0", city="Ely")
    flow.bc.change("customers", pair.local_id, phoneNumber="+44 1")
    watcher = Interfering(lambda: flow.dv.change("accounts", pair.remote_id, address1_city="Huntingdon"))
    report = await flow.sync(observer=watcher)
    assert [decision.action for decision in watcher.decisions] == ["update", "update"], "decided again"
    assert told(report) == ({"modified": 1}, {"modified": 1})
    assert flow.differences(pair) == {}
    assert flow.bc.customer("10000")["city"] == "Huntingdon"


async def test_the_same_field_edited_between_reading_and_writing_is_not_overwritten(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber="+44 0")
    flow.bc.change("customers", pair.local_id, phoneNumber="+44 1")
    watcher = Interfering(lambda: flow.dv.change("accounts", pair.remote_id, telephone1="+44 2"))
    report = await flow.sync(observer=watcher)
    assert report.failed == 1
    assert flow.differences(pair) == {"phone": ("+44 1", "+44 2")}
    assert flow.only_problem().code == "conflict"


async def test_an_edit_that_loses_to_a_chosen_direction_at_the_last_moment_is_on_record(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber="+44 0")
    flow.bc.change("customers", pair.local_id, phoneNumber="+44 1")
    watcher = Interfering(lambda: flow.dv.change("accounts", pair.remote_id, telephone1="+44 2"))
    await flow.sync("CUSTOMER", "10000", direction="to_remote", observer=watcher)
    assert flow.dv.account(pair.remote_id)["phone"] == "+44 1"
    (change,) = (await flow.history("CUSTOMER", "10000"))[0].changes
    assert (change.before, change.after, change.lost) == ("+44 2", "+44 1", "+44 2")


async def test_a_record_that_is_edited_at_every_attempt_is_left_for_the_next_job(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber="+44 0")
    flow.bc.change("customers", pair.local_id, phoneNumber="+44 1")

    class Restless(Watcher):
        def decided(self, decision: Decision) -> None:
            super().decided(decision)
            flow.dv.change("accounts", pair.remote_id, description=str(len(self.decisions)))

    report = await flow.sync(observer=Restless())
    assert [failure.code for failure in report.failures] == ["keeps-changing"]
    assert told(await flow.sync()) == ({"modified": 1}, {})
    assert flow.differences(pair) == {}
    assert flow.problems() == []
