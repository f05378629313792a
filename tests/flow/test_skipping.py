"""Failing and pausing: what fails is tried again, rests after the second equal failure, and comes back by itself."""

from collections.abc import Callable

import pytest

from crosstie.model.mappings import FindingPolicy

from .flow import Flow, Pair, figures, told

LONG = "purchasing.department.of.the.whole.group.and.all.its.subsidiaries.in.europe.and.asia@adatum.example"


async def too_long(flow: Flow) -> Pair:
    """Return a pair whose account has an e-mail address that Business Central cannot hold; nothing is tried yet."""
    pair = await flow.pair(email="office@adatum.example")
    flow.dv.change("accounts", pair.remote_id, emailaddress1=LONG)
    return pair


async def paused(flow: Flow) -> Pair:
    """Return such a pair after the second equal failure."""
    pair = await too_long(flow)
    await flow.sync()
    await flow.sync()
    assert flow.state("10000") == "skipped"
    return pair


async def test_the_second_equal_failure_in_a_row_pauses_a_record(flow: Flow) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T105_SynchFailedTwiceMakesSkippedRec
    behaviour: CRMCouplingRecord/SetSkippedForLastSynchResultFailedToCRM
    """
    await too_long(flow)
    assert figures((await flow.sync()).from_remote) == {"failed": 1}
    assert (flow.state("10000"), flow.only_problem().attempts) == ("failed", 1)
    assert figures((await flow.sync()).from_remote) == {"skipped": 1}, "the failure that pauses counts as skipped"
    assert (flow.state("10000"), flow.only_problem().attempts) == ("skipped", 2)
    problem = flow.only_problem()
    assert (problem.code, problem.problem_class) == ("too-long", "data")
    assert "94" in problem.words or str(len(LONG)) in problem.words
    assert "80" in problem.words, "how much the field holds"


async def test_a_paused_record_rests(flow: Flow) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T106_SkippedRecIsSkippedByNormaljob
    """
    pair = await paused(flow)
    before = flow.tags(pair)
    for _ in range(3):
        report = await flow.sync()
        assert (report.failed, report.to_remote.modified, report.from_remote.modified) == (0, 0, 0)
    assert (flow.state("10000"), flow.only_problem().attempts, flow.tags(pair)) == ("skipped", 2, before)


async def test_another_failure_is_a_new_one_and_does_not_pause(flow: Flow) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T108_SkippedRecDoesNotGetRestoredByNewFailure
    """
    pair = await paused(flow)
    flow.dv.change("accounts", pair.remote_id, emailaddress1="x" + LONG)
    await flow.sync()
    assert (flow.state("10000"), flow.only_problem().attempts) == ("failed", 1)


def correct_there(flow: Flow, pair: Pair) -> None:
    flow.dv.change("accounts", pair.remote_id, emailaddress1="new@adatum.example")


def agree_here(flow: Flow, pair: Pair) -> None:
    flow.bc.change("customers", pair.local_id, email="new@adatum.example")
    flow.dv.change("accounts", pair.remote_id, emailaddress1="new@adatum.example")


@pytest.mark.parametrize("heal", [correct_there, agree_here])
async def test_a_paused_record_comes_back_by_itself_when_somebody_corrects_it(
    flow: Flow, heal: Callable[[Flow, Pair], None]
) -> None:
    pair = await paused(flow)
    heal(flow, pair)
    report = await flow.sync()
    assert report.failed == 0
    assert (flow.state("10000"), flow.problems(), flow.differences(pair)) == ("in_step", [], {})
    assert flow.bc.customer("10000")["e-mail"] == "new@adatum.example"


async def test_a_paused_record_comes_back_when_its_partner_changes(flow: Flow) -> None:
    pair = await flow.pair()
    flow.dv.switch(refuse_write_ids=[pair.remote_id])
    flow.bc.change("customers", pair.local_id, city="Ely")
    for _ in range(2):
        await flow.sync()
    assert (flow.state("10000"), flow.only_problem().code) == ("skipped", "write-denied")
    flow.dv.switch(refuse_write_ids=[])
    assert told(await flow.sync()) == ({}, {}), "nobody told us that it would go now"
    flow.dv.change("accounts", pair.remote_id, telephone1="+44 1")
    assert told(await flow.sync()) == ({"modified": 1}, {"modified": 1})
    assert (flow.state("10000"), flow.problems(), flow.differences(pair)) == ("in_step", [], {})


async def test_a_paused_record_comes_back_when_the_mapping_changes(flow: Flow) -> None:
    pair = await paused(flow)
    await flow.configure_field("CUSTOMER", "E-Mail", on_finding=FindingPolicy.WARN)
    report = await flow.sync()
    assert report.failed == 0
    assert (flow.state("10000"), flow.problems()) == ("in_step", [])
    assert flow.bc.customer("10000")["e-mail"] == LONG[:80]
    assert flow.dv.account(pair.remote_id)["e-mail"] == LONG, "cut here only"
    assert await flow.sync_writes() == {}


async def test_a_person_can_have_a_paused_record_tried_at_any_time(flow: Flow) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T115_RestoredRecIsNotSkippedIfSynchSuccessful
    behaviour: CRMSynchSkippedRecords/T120_SynchronizeForcesSyncOfSelectedSkippedRecord
    behaviour: CRMSynchSkippedRecords/T121_SynchronizeOfBidirectionalTableRequestsDirection
    """
    pair = await flow.pair()
    other = (await flow.pairs({"20000": {"displayName": "Trey Research"}}))[0]
    flow.dv.switch(refuse_write_ids=[pair.remote_id, other.remote_id])
    for each in (pair, other):
        flow.bc.change("customers", each.local_id, city="Ely")
    for _ in range(2):
        await flow.sync()
    flow.dv.switch(refuse_write_ids=[])
    assert told(await flow.sync("CUSTOMER", "10000", direction="to_remote")) == ({"modified": 1}, {})
    assert (flow.state("10000"), flow.state("20000")) == ("in_step", "skipped")
    assert flow.differences(pair) == {}
    assert [problem.record.name for problem in flow.problems()] == ["20000 Trey Research"]


async def test_of_paused_records_of_two_mappings_only_those_named_are_tried(flow: Flow) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T122_SynchronizeMultipleBidirectionalRecords
    """
    users = [flow.dv.add_user(first, "Doe")["systemuserid"] for first in ("Ann", "Ben")]
    await flow.create("SALESPEOPLE", *users, remote=True)
    customers = await flow.pairs({"10000": {"displayName": "Ten"}, "20000": {"displayName": "Twenty"}})
    for user in users:
        flow.dv.change("systemusers", user, mobilephone="+44 1223 496 000 and then some more")
    for pair in customers:
        flow.dv.change("accounts", pair.remote_id, emailaddress1=LONG)
    for _ in range(2):
        await flow.sync("SALESPEOPLE")
        await flow.sync("CUSTOMER")
    assert {c.state for m in ("SALESPEOPLE", "CUSTOMER") for c in flow.couplings(m).values()} == {"skipped"}
    flow.dv.change("systemusers", users[1], mobilephone="+44 1")
    await flow.sync("CUSTOMER", "10000", "20000", direction="to_remote")
    await flow.sync("SALESPEOPLE", users[1])
    assert {c.state for c in flow.couplings("CUSTOMER").values()} == {"in_step"}
    assert {c.remote_id: c.state for c in flow.couplings("SALESPEOPLE").values()} == {
        users[0]: "skipped",
        users[1]: "in_step",
    }


async def test_one_paused_record_stops_no_other(flow: Flow) -> None:
    await paused(flow)
    (other,) = await flow.pairs({"20000": {"displayName": "Trey Research"}})
    flow.bc.change("customers", other.local_id, city="Leeds")
    report = await flow.sync()
    assert report.to_remote.modified == 1
    assert flow.differences(other) == {}


async def test_the_other_fields_of_a_failing_record_still_merge(flow: Flow) -> None:
    pair = await paused(flow)
    flow.bc.change("customers", pair.local_id, city="Ely")
    flow.dv.change("accounts", pair.remote_id, telephone1="+44 1")
    await flow.sync()
    assert flow.differences(pair) == {"e-mail": ("office@adatum.example", LONG)}


async def test_a_creation_that_failed_is_remembered_and_not_tried_over_and_over(flow: Flow) -> None:
    account = flow.dv.add_customer("Fabrikam", emailaddress1=LONG)["accountid"]
    for _ in range(4):
        await flow.sync("CUSTOMER", create=True)
    problem = flow.only_problem()
    assert (problem.code, problem.attempts, problem.record.remote_id) == ("too-long", 2, account)
    assert flow.bc.rows("customers") == []
    flow.dv.change("accounts", account, emailaddress1="office@fabrikam.example")
    report = await flow.sync("CUSTOMER", create=True)
    assert report.from_remote.inserted == 1
    assert flow.problems() == []


async def test_what_is_no_fault_of_the_record_never_pauses_it(flow: Flow) -> None:
    pair = await flow.pair()
    flow.bc.change("customers", pair.local_id, city="Ely")
    for _ in range(3):
        flow.dv.fault("status", status=504, times=None, method="PATCH|POST", path=r"accounts|\$batch")
        await flow.sync_failing()
        flow.dv.heal()
    assert flow.state("10000") != "skipped"
    assert (await flow.sync()).failed == 0
    assert (flow.differences(pair), flow.problems()) == ({}, [])
