"""Restore and Delete: couplings of which one record is gone."""

from typing import Any

import pytest

from crosstie.app.restoring import delete, restore
from crosstie.engine.context import PAGE
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.decisions import RecordAction
from crosstie.model.errors import GuardStopped, InvalidOption, NothingToDo, UnknownRecord
from crosstie.model.jobs import JobKind, Outcome
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from tests.unit.app.desk import Desk, Plan


async def a_half(desk: Desk, number: str, lost: Side, **values: Any) -> Coupling:
    """A pair of which one record was deleted, and a job has found that out."""
    coupling = await desk.pair(number, **values)
    desk.remove(lost, coupling.record_id(lost))
    return coupling


LOST = pytest.mark.parametrize("lost", list(Side))


# --- restore ----------------------------------------------------------------------------------------------------


@LOST
async def test_the_missing_record_is_made_anew_from_the_other_and_coupled(desk: Desk, lost: Side) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T165_RestoreDeletedRecordInNAV
    """
    coupling = await a_half(desk, "10000", lost, phoneNumber="123")
    await desk.sync()
    assert desk.problems() == {"10000 Customer 10000": "partner-deleted"}
    done = await restore(desk.session, "CUSTOMER", ["10000"])
    (now,) = desk.world.couplings().items()
    assert now[lost is Side.REMOTE] != coupling.record_id(lost)
    assert now[lost is Side.LOCAL] == coupling.record_id(lost.other)
    name = "phoneNumber" if lost is Side.LOCAL else "telephone1"
    assert desk.value(lost, now[lost is Side.REMOTE], name) == "123"
    counters = done.report.from_remote if lost is Side.LOCAL else done.report.to_remote
    assert (counters.inserted, done.report.failed, done.left) == (1, 0, [])
    assert desk.problems() == {}


async def test_of_a_selection_each_gets_what_it_lacks_and_whole_ones_stay(desk: Desk) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T167_RestoreDeletedRecords
    """
    await a_half(desk, "1", Side.REMOTE)
    whole = await desk.skipped("2")
    there = await a_half(desk, "3", Side.LOCAL)
    done = await restore(desk.session, "CUSTOMER", ["1", whole.remote_id, "3"])
    assert (done.report.to_remote.inserted, done.report.from_remote.inserted) == (1, 1)
    assert [(each.name, each.code) for each in done.left] == [("2 Customer 2", "nothing-to-do")]
    assert desk.state("2") is CouplingState.SKIPPED
    assert len(desk.world.couplings()) == 3
    assert there.remote_id in desk.world.couplings().values()


async def test_a_coupling_without_any_record_is_removed(desk: Desk) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T180_CouplingDeletedOnOpenIfBothRecsDeleted
    """
    coupling = await a_half(desk, "10000", Side.REMOTE)
    desk.remove(Side.LOCAL, coupling.local_id)
    done = await restore(desk.session, "CUSTOMER", ["10000"])
    assert desk.world.couplings() == {}
    assert done.report.to_remote.uncoupled + done.report.from_remote.uncoupled == 1


async def test_a_record_is_not_made_where_the_mapping_does_not_flow(desk: Desk) -> None:
    await a_half(desk, "10000", Side.LOCAL)
    desk.flow(Direction.TO_REMOTE)
    with pytest.raises(NothingToDo, match="flows to_remote only") as refused:
        await restore(desk.session, "CUSTOMER", ["10000"])
    assert refused.value.advice == "Delete the record that is left, or remove the coupling."


async def test_a_dry_run_shows_the_record_and_writes_nothing(desk: Desk) -> None:
    coupling = await a_half(desk, "10000", Side.REMOTE)
    plan, jobs = Plan(), len(desk.jobs())
    done = await restore(desk.session, "CUSTOMER", ["10000"], dry_run=True, observer=plan)
    assert [decision.action for decision in plan.decisions] == [RecordAction.CREATE_REMOTE]
    assert plan.decisions[0].to_remote["name"] == "Customer 10000"
    assert done.report.to_remote.inserted == 1
    assert desk.world.couplings() == {coupling.local_id: coupling.remote_id}
    assert len(desk.jobs()) == jobs
    assert len(desk.world.remote.records("account")) == 0


async def test_records_that_exist_or_are_not_coupled_need_no_restoring(desk: Desk) -> None:
    await desk.pair("1")
    desk.world.customer("2")
    with pytest.raises(NothingToDo, match="Both of its records exist") as refused:
        await restore(desk.session, "CUSTOMER", ["1", "2"])
    assert [left.code for left in refused.value.details["left"]] == ["not-coupled", "nothing-to-do"]
    with pytest.raises(UnknownRecord):
        await restore(desk.session, "CUSTOMER", ["nobody"])
    with pytest.raises(InvalidOption, match="Name the records"):
        await restore(desk.session, "CUSTOMER", [])


# --- delete -----------------------------------------------------------------------------------------------------


@LOST
async def test_what_is_left_is_deleted_and_so_is_the_coupling(desk: Desk, lost: Side) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T160_RemoveDeletedCoupledRecordInNAV
    behaviour: CRMSynchSkippedRecords/T161_RemoveDeletedCoupledRecordInCRM
    """
    coupling = await a_half(desk, "10000", lost, phoneNumber="123")
    await desk.sync()
    done = await delete(desk.session, "CUSTOMER", ["10000"])
    assert desk.record(lost.other, coupling.record_id(lost.other)) is None
    assert desk.world.couplings() == {}
    assert desk.problems() == {}
    counters = done.report.to_remote if lost is Side.LOCAL else done.report.from_remote
    assert (counters.deleted, done.report.failed) == (1, 0)
    entry = desk.world.journal()[-1]
    assert (entry.outcome, entry.side) == (Outcome.DELETED, lost.other)
    assert "123" in [change.before for change in entry.changes], "the history keeps what it held"
    assert desk.jobs()[0].kind is JobKind.UNCOUPLING


async def test_of_a_selection_only_halves_are_deleted(desk: Desk) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T162_RemoveDeletedCoupledRecords
    """
    one = await a_half(desk, "1", Side.REMOTE)
    whole = await desk.skipped("2")
    three = await a_half(desk, "3", Side.LOCAL)
    done = await delete(desk.session, "CUSTOMER", ["1", "2", "3"])
    assert desk.record(Side.LOCAL, one.local_id) is None
    assert desk.record(Side.REMOTE, three.remote_id) is None
    assert [(each.name, each.code) for each in done.left] == [("2 Customer 2", "nothing-to-do")]
    assert desk.world.couplings() == {whole.local_id: whole.remote_id}
    assert desk.state("2") is CouplingState.SKIPPED


async def test_a_system_that_refuses_keeps_its_record_and_the_coupling(desk: Desk) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T163_RemoveDeletedCoupledCRMRecordWithNoDeletePermission
    """
    coupling = await a_half(desk, "10000", Side.LOCAL)
    desk.world.remote.faults.add("denied", message="prvDeleteAccount is missing")
    done = await delete(desk.session, "CUSTOMER", ["10000"])
    assert [failure.code for failure in done.report.failures] == ["write-denied"]
    assert "prvDeleteAccount is missing" in done.report.failures[0].words
    assert desk.record(Side.REMOTE, coupling.remote_id) is not None
    assert desk.is_coupled("10000")


async def test_a_record_whose_partner_is_back_stays(desk: Desk) -> None:
    coupling = await a_half(desk, "10000", Side.LOCAL)

    def back(table: str, write: object) -> None:
        desk.world.remote.before_write = None
        desk.edit(Side.REMOTE, coupling.remote_id, name="touched")
        desk.world.local.put("customers", {"number": "10000", "displayName": "back"}, coupling.local_id)

    desk.world.remote.before_write = back
    await delete(desk.session, "CUSTOMER", ["10000"])
    assert desk.value(Side.REMOTE, coupling.remote_id, "name") == "touched"
    assert desk.is_coupled("10000")


async def test_a_record_that_another_mapping_holds_is_not_deleted(desk: Desk) -> None:
    coupling = await a_half(desk, "10000", Side.LOCAL)
    vendor = desk.world.local.put("vendors", {"number": "V1", "displayName": "Also a vendor"}).id
    desk.world.couple("VENDOR", vendor, coupling.remote_id, local_key="V1", local_name="Also a vendor")
    with pytest.raises(NothingToDo, match="coupled as V1 Also a vendor under VENDOR as well"):
        await delete(desk.session, "CUSTOMER", ["10000"])
    assert desk.record(Side.REMOTE, coupling.remote_id) is not None


async def test_many_are_deleted_only_if_it_is_meant(desk: Desk) -> None:
    numbers = [str(number) for number in range(60)]
    for number in numbers:
        desk.world.pair(number)
    for coupling in list(desk.world.couplings()):
        desk.remove(Side.LOCAL, coupling)
    with pytest.raises(GuardStopped, match="60 of 60 coupled records would be deleted"):
        await delete(desk.session, "CUSTOMER", numbers)
    assert len(desk.world.remote.records("account")) == 60
    seen = await delete(desk.session, "CUSTOMER", numbers, dry_run=True)
    assert seen.report.to_remote.deleted == 60, "a plan can be looked at without being stopped"
    done = await delete(desk.session, "CUSTOMER", numbers, forced=True)
    assert done.report.to_remote.deleted == 60 < PAGE
    assert desk.world.remote.records("account") == []
