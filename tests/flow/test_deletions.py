"""Deletions on either side, under every policy, and the guards that stop what looks like an accident."""

import pytest

from crosstie.model.errors import GuardStopped
from crosstie.model.mappings import DeletionConflictResolution, Direction

from .flow import Flow, Pair, figures, told

SIDES = pytest.mark.parametrize("side", ["local", "remote"])


def delete(flow: Flow, pair: Pair, side: str) -> None:
    if side == "local":
        flow.bc.remove("customers", pair.local_id)
    else:
        flow.dv.remove("accounts", pair.remote_id)


def is_there(flow: Flow, pair: Pair) -> tuple[bool, bool]:
    return flow.bc.exists("customers", pair.local_id), flow.dv.exists("accounts", pair.remote_id)


@SIDES
async def test_a_deletion_is_asked_about_and_nothing_follows_until_somebody_answers(flow: Flow, side: str) -> None:
    """
    behaviour: IntegrationTableSynchTest/FailedRecordedOnDeletedRecord
    behaviour: IntegrationTableSynchTest/AutoResolveDeletedRecordNoStrategyBidirectionalOnlyCoupled
    behaviour: CRMCouplingRecord/TestDeletedCustomerCouplingKeptUndeleted
    behaviour: CRMIntegrationRecordTest/RemovalOfCoupledRecordDoesNotMarkCouplingAsSkipped
    """
    pair = await flow.pair()
    await flow.sync()
    delete(flow, pair, side)
    report = await flow.sync()
    assert report.failed == 1
    assert is_there(flow, pair) == (side == "remote", side == "local")
    assert flow.state("10000") == f"{side}_deleted"
    problem = flow.only_problem()
    assert (problem.code, problem.problem_class) == ("partner-deleted", "conflict")
    assert problem.words == f"The {side} record that it is coupled to was deleted."
    assert problem.record.name == "10000 Adatum Corporation"
    assert told(await flow.sync()) == ({}, {}), "asked once"
    assert flow.state("10000") == f"{side}_deleted"


@SIDES
async def test_the_other_side_is_deleted_too_where_the_mapping_says_so(flow: Flow, side: str) -> None:
    await flow.configure("CUSTOMER", deletion_conflict=DeletionConflictResolution.DELETE)
    pair = await flow.pair(city="Ely")
    await flow.sync()
    delete(flow, pair, side)
    report = await flow.sync()
    moved = report.to_remote if side == "local" else report.from_remote
    assert figures(moved)["deleted"] == 1
    assert is_there(flow, pair) == (False, False)
    assert (flow.couplings(), flow.problems()) == ({}, [])
    entry = (await flow.history("CUSTOMER"))[0]
    assert entry.outcome == "deleted"
    assert "Ely" in [change.before for change in entry.changes], "what was deleted is on record"


@SIDES
@pytest.mark.parametrize("only_coupled", [True, False])
async def test_the_coupling_goes_where_the_mapping_says_so(flow: Flow, side: str, only_coupled: bool) -> None:
    """
    behaviour: IntegrationTableSynchTest/AutoResolveDeletedRecordRemoveCouplingBidirectionalOnlyCoupled
    """
    await flow.configure("CUSTOMER", deletion_conflict=DeletionConflictResolution.UNCOUPLE, only_coupled=only_coupled)
    pair = await flow.pair()
    await flow.sync()
    delete(flow, pair, side)
    report = await flow.sync()
    counted = report.to_remote.uncoupled + report.from_remote.uncoupled
    assert (counted, report.failed, report.to_remote.skipped + report.from_remote.skipped) == (1, 0, 0)
    assert "10000" not in flow.couplings()
    assert is_there(flow, pair) == (side == "remote", side == "local")


@SIDES
async def test_the_record_is_made_again_where_the_mapping_says_so(flow: Flow, side: str) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T165_RestoreDeletedRecordInNAV
    """
    await flow.configure("CUSTOMER", deletion_conflict=DeletionConflictResolution.RESTORE)
    pair = await flow.pair(city="Ely", phoneNumber="+44 1")
    await flow.sync()
    delete(flow, pair, side)
    report = await flow.sync()
    moved = report.from_remote if side == "local" else report.to_remote
    assert figures(moved) == {"inserted": 1}
    (coupling,) = flow.couplings().values()
    again = Pair(str(coupling.local_key), coupling.local_id, coupling.remote_id)
    assert flow.differences(again) == {}
    assert flow.bc.customer(again.number)["city"] == "Ely"
    assert len(flow.bc.rows("customers")) == len(flow.dv.rows("accounts")) == 1


@pytest.mark.parametrize("by_hand", [True, False], ids=["created by hand", "created by the job"])
async def test_a_deletion_is_found_although_a_new_record_makes_up_for_it(
    flow: Flow, by_hand: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large table the ids are compared only where the number of records betrays a deletion, or may hide one."""
    monkeypatch.setattr("crosstie.engine.changes.SWEEP_ALWAYS", 0)
    pair = await flow.pair()
    await flow.sync()
    await flow.sync()
    account = flow.dv.add_customer("Fabrikam")["accountid"]
    delete(flow, pair, "local")
    if by_hand:
        await flow.create("CUSTOMER", account, remote=True)
    await flow.sync(create=True)
    assert len(flow.bc.rows("customers")) == 1
    assert flow.only_problem().code == "partner-deleted"


@pytest.mark.parametrize("policy", list(DeletionConflictResolution))
async def test_a_coupling_both_of_whose_records_are_gone_goes_too(
    flow: Flow, policy: DeletionConflictResolution
) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T180_CouplingDeletedOnOpenIfBothRecsDeleted
    """
    await flow.configure("CUSTOMER", deletion_conflict=policy)
    pair = await flow.pair()
    await flow.sync()
    for side in ("local", "remote"):
        delete(flow, pair, side)
    report = await flow.sync()
    assert report.failed == 0
    assert (flow.couplings(), flow.problems()) == ({}, [])
    assert (flow.bc.rows("customers"), flow.dv.rows("accounts")) == ([], [])


@pytest.mark.parametrize("policy", [DeletionConflictResolution.ASK, DeletionConflictResolution.DELETE])
async def test_a_deletion_here_of_what_was_edited_there_is_told_with_the_edit(
    flow: Flow, policy: DeletionConflictResolution
) -> None:
    await flow.configure("CUSTOMER", deletion_conflict=policy)
    pair = await flow.pair(city="Ely")
    await flow.sync()
    flow.dv.change("accounts", pair.remote_id, address1_city="Huntingdon")
    delete(flow, pair, "local")
    await flow.sync()
    if policy is DeletionConflictResolution.ASK:
        assert flow.only_problem().code == "partner-deleted"
        assert flow.dv.account(pair.remote_id)["city"] == "Huntingdon"
    else:
        assert not flow.dv.exists("accounts", pair.remote_id)
        changes = {change.field: change.before for change in (await flow.history("CUSTOMER"))[0].changes}
        assert changes["address1_city"] == "Huntingdon"


async def test_a_record_that_reappears_is_in_step_again(flow: Flow) -> None:
    pair = await flow.pair()
    await flow.sync()
    delete(flow, pair, "remote")
    await flow.sync()
    assert flow.state("10000") == "remote_deleted"
    flow.dv.add("accounts", accountid=pair.remote_id, name="Adatum Corporation", customertypecode=3)
    await flow.sync()
    assert (flow.state("10000"), flow.problems()) == ("in_step", [])
    assert flow.pair_of("10000").remote_id == pair.remote_id


async def test_a_deletion_is_found_however_long_ago_it_was(flow: Flow) -> None:
    pair = await flow.pair()
    await flow.sync()
    delete(flow, pair, "remote")
    flow.dv.order("POST", "clock", {"advance_seconds": 8 * 86_400})
    await flow.sync()
    assert flow.state("10000") == "remote_deleted", "the change tracking of Dataverse has forgotten; all is read then"
    flow.dv.add_customer("Fabrikam")
    assert (await flow.sync("CUSTOMER", create=True)).from_remote.inserted == 1, "and from there on it goes as ever"


@pytest.mark.parametrize("direction", [Direction.TO_REMOTE])
async def test_a_source_deleted_in_a_one_way_mapping_is_noticed_too(flow: Flow, direction: Direction) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T200_FindMoreMarksBrokenCouplingsAsSkipped
    """
    flow.bc.add("currencies", code="EURO", displayName="Euro")
    flow.dv.add_currency("EUR", "Euro")
    await flow.couple("CURRENCY", "EURO", "EUR", synchronise="no")
    await flow.sync("CURRENCY")
    flow.bc.remove("currencies", flow.bc.id_of("currencies", "EURO"))
    await flow.sync("CURRENCY")
    assert flow.state("EURO", "CURRENCY") == "local_deleted"
    assert len(flow.dv.rows("transactioncurrencies")) == 2


async def test_a_person_restores_a_deleted_record_by_creating_it_anew(flow: Flow) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T167_RestoreDeletedRecords
    """
    pairs = await flow.pairs({number: {"displayName": number} for number in ("10000", "20000", "30000")})
    await flow.sync()
    delete(flow, pairs[0], "remote")
    delete(flow, pairs[2], "local")
    await flow.sync()
    assert {number: flow.state(number) for number in ("10000", "20000", "30000")} == {
        "10000": "remote_deleted",
        "20000": "in_step",
        "30000": "local_deleted",
    }
    await flow.create("CUSTOMER", "10000")
    await flow.create("CUSTOMER", pairs[2].remote_id, remote=True)
    assert (len(flow.bc.rows("customers")), len(flow.dv.rows("accounts"))) == (3, 3)
    assert flow.problems() == []
    assert set(flow.couplings()) > {"10000", "20000"}


async def test_a_delete_that_dataverse_refuses_leaves_coupling_and_record_and_says_so(flow: Flow) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T163_RemoveDeletedCoupledCRMRecordWithNoDeletePermission
    """
    await flow.configure("CUSTOMER", deletion_conflict=DeletionConflictResolution.DELETE)
    pair = await flow.pair()
    await flow.sync()
    flow.dv.switch(refuse_write_ids=[pair.remote_id])
    delete(flow, pair, "local")
    report = await flow.sync()
    assert report.failed == 1
    assert flow.only_problem().code == "write-denied"
    assert "privilege" in flow.only_problem().words
    assert is_there(flow, pair) == (False, True)
    assert list(flow.couplings()) == ["10000"]


# --- guards ------------------------------------------------------------------------------------------------------


async def many(flow: Flow, number: int) -> list[Pair]:
    pairs = await flow.pairs({f"C{n:04}": {"displayName": f"Company {n}"} for n in range(number)})
    await flow.sync()
    return pairs


@pytest.mark.parametrize("policy", list(DeletionConflictResolution))
async def test_a_side_that_is_suddenly_empty_stops_the_job(flow: Flow, policy: DeletionConflictResolution) -> None:
    await flow.configure("CUSTOMER", deletion_conflict=policy)
    pairs = await many(flow, 5)
    for pair in pairs:
        delete(flow, pair, "local")
    with pytest.raises(GuardStopped, match="all 5 coupled records are gone from business-central"):
        await flow.sync()
    assert len(flow.dv.rows("accounts")) == 5
    assert len(flow.couplings()) == 5
    assert flow.jobs("CUSTOMER")[0].state == "stopped"
    with pytest.raises(GuardStopped):
        await flow.sync()


async def test_a_mass_deletion_stops_before_anything_is_deleted_and_passes_when_forced(flow: Flow) -> None:
    await flow.configure("CUSTOMER", deletion_conflict=DeletionConflictResolution.DELETE)
    pairs = await many(flow, 60)
    flow.dv.change("accounts", pairs[59].remote_id, address1_city="Ely")
    for pair in pairs[:52]:
        delete(flow, pair, "remote")
    with pytest.raises(GuardStopped, match="52 of 60 coupled records would be deleted or uncoupled"):
        await flow.sync()
    assert len(flow.bc.rows("customers")) == 60
    report = await flow.sync("CUSTOMER", forced=True)
    assert report.from_remote.deleted == 52
    assert len(flow.bc.rows("customers")) == len(flow.dv.rows("accounts")) == len(flow.couplings()) == 8
    assert flow.bc.customer("C0059")["city"] == "Ely"


async def test_the_command_line_tells_a_guard_by_its_exit_code_and_passes_it_with_force(flow: Flow) -> None:
    await flow.configure("CUSTOMER", deletion_conflict=DeletionConflictResolution.UNCOUPLE)
    for pair in await many(flow, 5):
        delete(flow, pair, "remote")
    stopped = await flow.crosstie("sync", "CUSTOMER", "--json")
    assert stopped.code == 4
    assert (stopped.error["code"], stopped.error["details"]["gone"]) == ("guard-stopped", 5)
    assert "--force" in stopped.error["commands"]
    assert len(flow.couplings()) == 5
    in_words = await flow.crosstie("sync", "CUSTOMER")
    assert (in_words.code, in_words.out) == (4, "")
    assert "all 5 coupled records are gone from dataverse (account)" in in_words.err
    forced = await flow.crosstie("sync", "CUSTOMER", "--force", "--json")
    assert forced.code == 0
    assert flow.couplings() == {}
    assert len(flow.bc.rows("customers")) == 5
