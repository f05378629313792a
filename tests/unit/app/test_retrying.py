"""Retry: one, many, all problems of a mapping or of a cause, paused ones above all."""

import pytest

from crosstie.app.retrying import retry
from crosstie.jobs.owners import this_owner
from crosstie.model.couplings import CouplingState
from crosstie.model.decisions import RecordAction
from crosstie.model.errors import InvalidOption, NothingToDo, UnknownMapping, UnknownRecord
from crosstie.model.jobs import JobKind
from crosstie.model.mappings import DeletionConflictResolution
from crosstie.model.records import Side
from tests.unit.app.desk import Desk, Plan


async def test_a_paused_record_whose_cause_is_gone_is_in_step_again(desk: Desk) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T115_RestoredRecIsNotSkippedIfSynchSuccessful
    behaviour: CRMSynchSkippedRecords/T190_UpdateSourceTableRemovesNotSkippedRecords
    """
    coupling = await desk.skipped("10000")
    desk.relent()
    done = await retry(desk.session, "CUSTOMER", ["10000"])
    assert done.due == 1
    assert done.reports[0].to_remote.modified == 1
    assert desk.state("10000") is CouplingState.IN_STEP
    assert desk.value(Side.REMOTE, coupling.remote_id, "telephone1") == "bad 10000"
    assert desk.problems() == {}


async def test_one_that_fails_the_same_way_again_is_paused_again_at_once(desk: Desk) -> None:
    await desk.skipped("10000")
    done = await retry(desk.session, "CUSTOMER", ["10000"])
    assert [failure.code for failure in done.reports[0].failures] == ["refused"]
    assert done.reports[0].to_remote.skipped == 1
    assert desk.state("10000") is CouplingState.SKIPPED


@pytest.mark.parametrize("named", ["number", "name", "local_id", "remote_id"])
async def test_of_three_paused_records_the_two_that_are_named_are_tried(desk: Desk, named: str) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T111_RestoreOfTwoSelectedLinesRestoresTwoRecs
    """
    couplings = {number: await desk.skipped(number) for number in ("1", "2", "3")}
    desk.relent()
    texts = {
        "number": ("1", "3"),
        "name": ("Customer 1", "Customer 3"),
        "local_id": tuple(couplings[number].local_id for number in "13"),
        "remote_id": tuple(couplings[number].remote_id for number in "13"),
    }
    done = await retry(desk.session, "customer", texts[named])
    assert done.due == 2
    states = [desk.state(number) for number in "123"]
    assert states == [CouplingState.IN_STEP, CouplingState.SKIPPED, CouplingState.IN_STEP]


@pytest.mark.parametrize("mapping", ["CUSTOMER", None])
async def test_all_are_tried(desk: Desk, mapping: str | None) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T116_RestoreAllRestoresAllRecs
    """
    for number in "123":
        await desk.skipped(number)
    desk.relent()
    done = await retry(desk.session, mapping, all=True)
    assert (done.due, len(done.reports)) == (3, 1)
    assert done.reports[0].to_remote.modified == 3
    assert desk.problems() == {}


async def test_a_cause_is_tried_alone(desk: Desk) -> None:
    await desk.skipped("1")
    conflict = await desk.pair("2")
    desk.edit(Side.LOCAL, conflict.local_id, city="Ely")
    desk.edit(Side.REMOTE, conflict.remote_id, address1_city="Bath")
    await desk.sync("2")
    desk.relent()
    done = await retry(desk.session, code="refused")
    assert done.due == 1
    assert desk.problems() == {"2 Customer 2": "conflict"}


async def test_later_leaves_it_to_the_next_job(desk: Desk) -> None:
    await desk.skipped("10000")
    desk.relent()
    jobs = len(desk.jobs())
    done = await retry(desk.session, "CUSTOMER", all=True, run=False)
    assert (done.due, done.reports, len(desk.jobs())) == (1, [], jobs)
    assert desk.state("10000") is CouplingState.FAILED
    await desk.sync(patient=True)
    assert desk.state("10000") is CouplingState.IN_STEP


async def test_a_failed_creation_is_tried_again_as_one(desk: Desk) -> None:
    desk.refuse(Side.REMOTE, name="Customer 10000")
    desk.world.customer("10000")
    await desk.sync(create=True)
    assert desk.problems() == {"10000 Customer 10000": "refused"}
    desk.relent()
    done = await retry(desk.session, "CUSTOMER", ["10000"])
    assert done.reports[0].to_remote.inserted == 1
    assert desk.state("10000") is CouplingState.IN_STEP


async def test_a_dry_run_shows_what_would_be_written_and_clears_nothing(desk: Desk) -> None:
    await desk.skipped("10000")
    desk.relent()
    plan, jobs = Plan(), len(desk.jobs())
    done = await retry(desk.session, all=True, dry_run=True, observer=plan)
    assert [(each.action, each.to_remote) for each in plan.decisions] == [
        (RecordAction.UPDATE, {"telephone1": "bad 10000"})
    ]
    assert done.reports[0].to_remote.modified == 1
    assert desk.state("10000") is CouplingState.SKIPPED
    assert len(desk.jobs()) == jobs


async def test_a_deleted_partner_is_not_tried_where_a_person_is_asked(desk: Desk) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T170_RestoreSyncLogActionsDisabledIfNAVRecordDeleted
    """
    coupling = await desk.pair("1")
    desk.remove(Side.LOCAL, coupling.local_id)
    await desk.sync()
    with pytest.raises(NothingToDo, match="was deleted") as refused:
        await retry(desk.session, "CUSTOMER", ["1"])
    assert refused.value.advice.startswith("Restore the deleted record")
    await desk.skipped("2")
    desk.relent()
    done = await retry(desk.session, "CUSTOMER", all=True)
    assert (done.due, done.left_total) == (1, 1)
    assert [(left.name, left.code) for left in done.left] == [("1 Customer 1", "partner-deleted")]


async def test_it_is_tried_where_the_policy_decides_by_now(desk: Desk) -> None:
    coupling = await desk.pair("1")
    desk.remove(Side.LOCAL, coupling.local_id)
    await desk.sync()
    desk.configure(deletion_conflict=DeletionConflictResolution.RESTORE)
    done = await retry(desk.session, "CUSTOMER", all=True)
    assert done.reports[0].from_remote.inserted == 1
    assert desk.problems() == {}


async def test_while_another_job_runs_the_records_are_left_to_it(desk: Desk) -> None:
    await desk.skipped("10000")
    with desk.store.begin() as unit:
        unit.start_job(
            JobKind.SYNCHRONISATION,
            "CUSTOMER",
            desk.session.mapping("CUSTOMER").direction,
            exclusive=True,
            owner=this_owner(),
            now=desk.world.clock(),
        )
    done = await retry(desk.session, "CUSTOMER", all=True)
    assert (done.due, done.reports, done.deferred) == (1, [], ["CUSTOMER"])
    assert [reason for *_, reason in desk.world.due()] == ["retry"]


async def test_records_without_problem_are_named(desk: Desk) -> None:
    await desk.pair("1")
    await desk.skipped("2")
    done = await retry(desk.session, "CUSTOMER", ["1", "2"])
    assert [(left.name, left.code) for left in done.left] == [("1 Customer 1", "nothing-to-do")]
    with pytest.raises(NothingToDo, match="1 Customer 1: It has no open problem under CUSTOMER"):
        await retry(desk.session, "CUSTOMER", ["1"])
    with pytest.raises(UnknownRecord):
        await retry(desk.session, "CUSTOMER", ["nobody"])


@pytest.mark.parametrize(
    ("mapping", "records", "options", "words"),
    [
        (None, (), {}, "nothing is named"),
        ("CUSTOMER", (), {}, "nothing is named"),
        ("CUSTOMER", ("1",), {"all": True}, "records and all do not go together"),
        ("CUSTOMER", (), {"all": True, "code": "refused"}, "a code and all do not go together"),
        (None, ("1",), {}, "named under a mapping"),
    ],
)
async def test_it_is_said_what_to_retry(
    desk: Desk, mapping: str | None, records: tuple[str, ...], options: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidOption, match=words):
        await retry(desk.session, mapping, records, **options)  # type: ignore[arg-type]


async def test_where_nothing_is_open_nothing_is_done(desk: Desk) -> None:
    for options in ({"all": True}, {"code": "refused"}):
        with pytest.raises(NothingToDo, match="There is no open problem"):
            await retry(desk.session, **options)  # type: ignore[arg-type]
    with pytest.raises(UnknownMapping):
        await retry(desk.session, "NOBODY", all=True)
