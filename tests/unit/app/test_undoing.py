"""Undo: what a job did is taken back where nobody has touched it, and everything else is explained."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crosstie.app.coupling import set_up_coupling, uncouple
from crosstie.app.matching import match
from crosstie.app.restoring import delete
from crosstie.app.synchronising import run_synchronise
from crosstie.app.undoing import Undone, undo, undo_entries, undo_job
from crosstie.engine import undo_looking
from crosstie.engine.context import Scope, Task
from crosstie.jobs.owners import this_owner
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.decisions import RecordAction
from crosstie.model.errors import (
    CannotUndo,
    GuardStopped,
    InvalidOption,
    JobRunning,
    UnknownEntry,
    UnknownJob,
)
from crosstie.model.jobs import Job, JobKind, JobState, JournalEntry, Outcome
from crosstie.model.mappings import DeletionConflictResolution
from crosstie.model.records import Side, WriteKind
from crosstie.model.undoing import UndoneField, UndoneRow, UndoOutcome
from tests.unit.app.desk import Desk, Plan
from tests.unit.engine.couples import OURS

LOCAL, REMOTE = Side.LOCAL, Side.REMOTE


def last_job(desk: Desk) -> int:
    return desk.jobs()[0].id


async def undo_last(desk: Desk, **options: Any) -> Undone:
    return await undo(desk.session, last_job(desk), **options)


def told(done: Undone) -> dict[str, int]:
    """The counters of both directions that are not zero."""
    both = (done.report.to_remote, done.report.from_remote)
    sums = {name: sum(getattr(each, name) for each in both) for name in both[0].__struct_fields__}
    return {name: number for name, number in sums.items() if number}


def entries(desk: Desk, job: int) -> list[JournalEntry]:
    return [entry for entry in desk.world.journal() if entry.job_id == job]


async def quiet(desk: Desk) -> bool:
    """Whether synchronising everything would write nothing."""
    before = (desk.world.local.requests.batch_parts, desk.world.remote.requests.batch_parts)
    await desk.sync()
    return before == (desk.world.local.requests.batch_parts, desk.world.remote.requests.batch_parts)


async def synced(desk: Desk, **local: Any) -> Coupling:
    """A pair whose local edit a job has just sent."""
    coupling = await desk.pair("10000", phoneNumber="1", city="Ely")
    desk.edit(LOCAL, coupling.local_id, **local)
    await desk.sync()
    assert last_job(desk)
    return coupling


# --- values -----------------------------------------------------------------------------------------------------


async def test_values_that_a_job_wrote_are_put_back_and_stay_put(desk: Desk) -> None:
    coupling = await synced(desk, phoneNumber="2", city="Bath")
    done = await undo_last(desk)
    assert told(done) == {"modified": 1}
    assert (done.left, done.left_total) == ([], 0)
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "1"
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "Ely"
    assert desk.value(LOCAL, coupling.local_id, "phoneNumber") == "2", "what the person typed stays"
    assert desk.state("10000") is CouplingState.IN_STEP
    assert await quiet(desk), "what was undone is not synchronised again"
    desk.edit(LOCAL, coupling.local_id, phoneNumber="3")
    await desk.sync()
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "3", "a later edit is"
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "Ely"


async def test_both_sides_of_a_merge_are_put_back(desk: Desk) -> None:
    coupling = await desk.pair("10000", phoneNumber="1", city="Ely")
    desk.edit(LOCAL, coupling.local_id, phoneNumber="2")
    desk.edit(REMOTE, coupling.remote_id, address1_city="Bath")
    await desk.sync()
    done = await undo_last(desk)
    assert told(done) == {"modified": 2}
    here, there = desk.record(LOCAL, coupling.local_id), desk.record(REMOTE, coupling.remote_id)
    assert here is not None
    assert there is not None
    assert (here.values["phoneNumber"], there.values["telephone1"]) == ("2", "1")
    assert (here.values["city"], there.values["address1_city"]) == ("Ely", "Bath")
    assert await quiet(desk)


async def test_a_conflict_that_was_settled_gets_the_loser_back(desk: Desk) -> None:
    coupling = await desk.pair("10000", city="Ely")
    desk.edit(LOCAL, coupling.local_id, city="Bath")
    desk.edit(REMOTE, coupling.remote_id, address1_city="York")
    await desk.sync("10000", direction="to_remote")
    await undo_last(desk)
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "York"
    assert desk.value(LOCAL, coupling.local_id, "city") == "Bath"


@pytest.mark.parametrize(
    ("side", "values", "words"),
    [
        (REMOTE, {"telephone1": "9"}, "It was changed since: Phone No. is '9' by now."),
        (LOCAL, {"phoneNumber": "9"}, "Phone No.: changed on the local side since."),
    ],
)
async def test_a_record_that_was_touched_since_stays_whole(
    desk: Desk, side: Side, values: dict[str, Any], words: str
) -> None:
    coupling = await synced(desk, phoneNumber="2", city="Bath")
    desk.edit(side, coupling.record_id(side), **values)
    done = await undo_last(desk)
    assert [(each.name, each.code, each.words) for each in done.left] == [
        ("10000 Customer 10000", "changed-since", words)
    ]
    assert told(done) == {"skipped": 1}
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "Bath"


async def test_an_edit_of_another_field_meanwhile_is_no_hindrance_and_is_not_swallowed(desk: Desk) -> None:
    coupling = await synced(desk, phoneNumber="2")
    desk.edit(LOCAL, coupling.local_id, city="Bath")
    desk.edit(REMOTE, coupling.remote_id, emailaddress1="a@adatum.example")
    done = await undo_last(desk)
    assert told(done) == {"modified": 1}
    await desk.sync()
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "1"
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "Bath"
    assert desk.value(LOCAL, coupling.local_id, "email") == "a@adatum.example"


async def test_an_open_problem_stays_open(desk: Desk) -> None:
    coupling = await desk.pair("10000", phoneNumber="1", city="Ely")
    desk.edit(LOCAL, coupling.local_id, phoneNumber="2", city="Bath")
    desk.edit(REMOTE, coupling.remote_id, address1_city="York")
    await desk.sync()
    assert desk.problems() == {"10000 Customer 10000": "conflict"}
    await undo_last(desk)
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "1"
    assert desk.problems() == {"10000 Customer 10000": "conflict"}
    assert desk.state("10000") is CouplingState.CONFLICT
    await desk.sync()
    assert desk.problems() == {"10000 Customer 10000": "conflict"}
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "1"


async def test_a_record_that_is_gone_is_named(desk: Desk) -> None:
    coupling = await synced(desk, phoneNumber="2")
    desk.remove(REMOTE, coupling.remote_id)
    done = await undo_last(desk)
    assert [(each.code, each.words) for each in done.left] == [("changed-since", "It was deleted since.")]


async def test_what_the_system_refuses_is_a_failure_and_changes_nothing(desk: Desk) -> None:
    coupling = await synced(desk, phoneNumber="2")
    before = desk.coupling("10000").base
    desk.refuse(REMOTE, "That number is banned.", telephone1="1")
    done = await undo_last(desk)
    assert [failure.code for failure in done.report.failures] == ["refused"]
    assert "That number is banned." in done.report.failures[0].words
    assert told(done) == {"failed": 1}
    assert desk.coupling("10000").base == before
    assert desk.problems() == {}
    desk.relent()
    assert await quiet(desk)
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "2"


async def test_one_that_moves_while_it_is_put_back_is_looked_at_again(desk: Desk) -> None:
    coupling = await synced(desk, phoneNumber="2")

    def meddle(table: str, write: object) -> None:
        desk.world.remote.before_write = None
        desk.edit(REMOTE, coupling.remote_id, telephone1="9")

    desk.world.remote.before_write = meddle
    done = await undo_last(desk)
    assert [each.words for each in done.left] == ["It was changed since: Phone No. is '9' by now."]
    await desk.sync()
    assert desk.value(LOCAL, coupling.local_id, "phoneNumber") == "9", "the edit is synchronised as any other"


# --- records that were created ----------------------------------------------------------------------------------


async def test_what_a_job_created_is_deleted_and_uncoupled(desk: Desk) -> None:
    for number in "123":
        desk.world.customer(number)
    await desk.sync(create=True)
    assert len(desk.world.remote.records("account")) == 3
    done = await undo_last(desk)
    assert told(done) == {"deleted": 3}
    assert desk.world.remote.records("account") == []
    assert desk.world.couplings() == {}
    assert len(desk.world.local.records("customers")) == 3


@pytest.mark.parametrize("only_coupled", [True, False])
async def test_what_was_undone_is_not_created_again_by_itself(desk: Desk, only_coupled: bool) -> None:
    desk.configure(only_coupled=only_coupled)
    customer = desk.world.customer("1")
    await desk.sync("1", create=True)
    await undo_last(desk)
    assert await quiet(desk)
    assert desk.problems() == ({} if only_coupled else {"1 Customer 1": "creation-undone"})
    desk.edit(LOCAL, customer, city="Ely")
    await desk.sync()
    assert desk.is_coupled("1") is not only_coupled, "a record that somebody edits is looked at again"
    assert desk.problems() == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "Renamed"}, "It was changed since it was created: Name is 'Renamed' by now."),
        ({"accountnumber": "A1"}, "It was changed since it was created."),
    ],
    ids=["a mapped field", "another field"],
)
async def test_what_somebody_has_touched_since_is_not_deleted(desk: Desk, values: dict[str, Any], words: str) -> None:
    coupling = await desk.pair("1")
    desk.edit(REMOTE, coupling.remote_id, **values)
    done = await undo_last(desk)
    assert [(each.code, each.words) for each in done.left] == [("changed-since", words)]
    assert desk.is_coupled("1")
    assert desk.record(REMOTE, coupling.remote_id) is not None


async def test_nor_what_was_touched_and_synchronised(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    coupling = await desk.pair("1")
    created = last_job(desk)
    desk.world.clock.moment += 2 * undo_looking._TOLERANCE
    desk.edit(REMOTE, coupling.remote_id, accountnumber="A1")
    await desk.sync()
    done = await undo(desk.session, created)
    assert [each.words[:44] for each in done.left] == ["It was changed since it was created, at 2026"]


async def test_nor_what_another_mapping_has_coupled(desk: Desk) -> None:
    coupling = await desk.pair("1")
    vendor = desk.world.local.put("vendors", {"number": "V1", "displayName": "Also a vendor"}).id
    desk.world.couple("VENDOR", vendor, coupling.remote_id, local_key="V1", local_name="Also a vendor")
    done = await undo_last(desk)
    assert [each.words for each in done.left] == ["It is coupled as V1 Also a vendor under VENDOR as well."]


async def test_a_system_that_refuses_to_delete_keeps_record_and_coupling(desk: Desk) -> None:
    coupling = await desk.pair("1")
    desk.world.remote.faults.add("refused", write=WriteKind.DELETE, message="It has invoices.")
    done = await undo_last(desk)
    assert [failure.code for failure in done.report.failures] == ["refused"]
    assert desk.coupling("1").remote_id == coupling.remote_id
    assert desk.problems() == {}
    again = await undo(desk.session, last_job(desk) - 1)
    assert told(again) == {"deleted": 1}


async def test_many_creations_are_undone_only_if_it_is_meant(desk: Desk) -> None:
    for number in range(60):
        desk.world.customer(str(number))
    await desk.sync(create=True)
    job = last_job(desk)
    with pytest.raises(GuardStopped, match="60 of 60 coupled records would be deleted or uncoupled"):
        await undo(desk.session, job)
    assert len(desk.world.couplings()) == 60
    assert desk.jobs()[0].state is JobState.STOPPED
    plan = Plan()
    seen = await undo(desk.session, job, dry_run=True, observer=plan)
    assert (told(seen), len(plan.decisions)) == ({"deleted": 60}, 60)
    assert told(await undo(desk.session, job, forced=True)) == {"deleted": 60}
    assert desk.world.remote.records("account") == []


# --- records that were deleted ----------------------------------------------------------------------------------


async def test_what_a_job_deleted_comes_back_under_its_id(desk: Desk) -> None:
    coupling = await desk.pair("1", phoneNumber="123", city="Ely")
    desk.remove(LOCAL, coupling.local_id)
    await delete(desk.session, "CUSTOMER", ["1"])
    assert desk.record(REMOTE, coupling.remote_id) is None
    done = await undo_last(desk)
    assert told(done) == {"inserted": 1}
    back = desk.record(REMOTE, coupling.remote_id)
    assert back is not None
    assert (back.values["name"], back.values["telephone1"]) == ("Customer 1", "123")
    assert back.values["bcbi_companyid"] == OURS
    assert desk.world.couplings() == {}, "its partner is gone"


async def test_a_policy_that_deleted_is_undone_as_well(desk: Desk) -> None:
    desk.configure(deletion_conflict=DeletionConflictResolution.DELETE)
    coupling = await desk.pair("1", phoneNumber="123")
    desk.remove(REMOTE, coupling.remote_id)
    await desk.sync()
    assert desk.record(LOCAL, coupling.local_id) is None
    done = await undo_last(desk)
    assert told(done) == {"inserted": 1}
    assert desk.value(LOCAL, coupling.local_id, "phoneNumber") == "123"


async def test_an_undo_can_be_undone(desk: Desk) -> None:
    coupling = await desk.pair("1", phoneNumber="123")
    created = last_job(desk)
    await undo(desk.session, created)
    assert desk.jobs()[0].kind is JobKind.UNDO
    assert desk.jobs()[0].message == f"Undo of job {created}."
    done = await undo_last(desk)
    assert told(done) == {"inserted": 1}
    assert desk.coupling("1").remote_id == coupling.remote_id, "it has its id, and its partner, again"
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "123"
    assert await quiet(desk)
    assert told(await undo(desk.session, done.report.job_id)) == {"deleted": 1}
    assert desk.world.couplings() == {}


async def test_what_was_edited_while_the_partner_was_gone_is_synchronised_once_it_is_back(desk: Desk) -> None:
    coupling = await desk.pair("1", phoneNumber="1")
    await undo_last(desk)
    job = last_job(desk)
    desk.edit(LOCAL, coupling.local_id, phoneNumber="2")
    await undo(desk.session, job)
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "1", "it comes back as it was"
    await desk.sync()
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "2"


async def test_what_was_deleted_stays_away_while_its_partner_has_another_one(desk: Desk) -> None:
    coupling = await desk.pair("1")
    await undo_last(desk)
    job = last_job(desk)
    await desk.couple("1", desk.world.account("Another"), synchronise="no")
    done = await undo(desk.session, job)
    assert [each.words for each in done.left] == ["Its partner is coupled as 1 Customer 1 by now."]
    assert desk.record(REMOTE, coupling.remote_id) is None


async def test_nothing_is_created_again_where_the_table_chooses_the_ids(desk: Desk) -> None:
    await desk.pair("1")
    await undo_last(desk)
    desk.session.access().remember(f"client_ids:{desk.world.remote.name}:account", "refused")
    done = await undo_last(desk)
    assert [each.code for each in done.left] == ["cannot-undo"]
    assert desk.world.remote.records("account") == []


async def test_values_go_back_and_forth(desk: Desk) -> None:
    coupling = await synced(desk, phoneNumber="2")
    for expected in ("1", "2", "1"):
        await undo_last(desk)
        assert desk.value(REMOTE, coupling.remote_id, "telephone1") == expected
    assert await quiet(desk)


# --- couplings --------------------------------------------------------------------------------------------------


async def test_couplings_of_a_match_are_removed(desk: Desk) -> None:
    for number in "12":
        desk.world.customer(number, email=f"{number}@adatum.example")
        desk.world.account(f"Account {number}", emailaddress1=f"{number}@adatum.example")
    report = await match(desk.session, "CUSTOMER", groups=[["email"]], synchronise=False, create=False)
    assert report.job_id is not None
    done = await undo(desk.session, report.job_id)
    assert told(done)["uncoupled"] == 2
    assert desk.world.couplings() == {}
    again = await undo(desk.session, report.job_id)
    assert told(again) == {"unchanged": 2}, "what is undone is undone"


async def test_what_was_uncoupled_is_coupled_again_with_its_mark(desk: Desk) -> None:
    pairs = [await desk.pair(number) for number in "12"]
    await uncouple(desk.session, "CUSTOMER", all=True)
    assert desk.value(REMOTE, pairs[0].remote_id, "bcbi_companyid") is None
    done = await undo_last(desk)
    assert told(done) == {"coupled": 2, "modified": 2}
    assert desk.world.couplings() == {each.local_id: each.remote_id for each in pairs}
    assert desk.value(REMOTE, pairs[0].remote_id, "bcbi_companyid") == OURS
    assert desk.state("1") is CouplingState.IN_STEP
    assert desk.coupling("1").base == pairs[0].base
    assert await quiet(desk)
    assert told(await undo(desk.session, done.job)) == {"unchanged": 4}, "what is undone is undone"


async def test_what_was_edited_while_uncoupled_is_synchronised_once_coupled_again(desk: Desk) -> None:
    coupling = await desk.pair("1", phoneNumber="1", city="Ely")
    await uncouple(desk.session, "CUSTOMER", ["1"])
    job = last_job(desk)
    desk.edit(LOCAL, coupling.local_id, city="Bath")
    desk.edit(REMOTE, coupling.remote_id, telephone1="2")
    await desk.sync()
    await undo(desk.session, job)
    await desk.sync()
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "Bath"
    assert desk.value(LOCAL, coupling.local_id, "phoneNumber") == "2"
    assert desk.state("1") is CouplingState.IN_STEP


async def test_where_the_old_base_is_forgotten_both_records_as_they_are_become_it(desk: Desk) -> None:
    coupling = await desk.pair("1", city="Ely")
    await uncouple(desk.session, "CUSTOMER", ["1"])
    desk.edit(LOCAL, coupling.local_id, city="Bath")
    with desk.store.begin() as unit:
        assert unit.background.forget_removed(datetime.max.replace(tzinfo=UTC)) == 1
    await undo_last(desk)
    assert desk.is_coupled("1")
    assert await quiet(desk)
    assert desk.value(REMOTE, coupling.remote_id, "address1_city") == "Ely"


async def test_what_is_coupled_otherwise_by_now_is_left_with_all_its_values(desk: Desk) -> None:
    coupling = await desk.pair("1")
    await uncouple(desk.session, "CUSTOMER", ["1"])
    job = last_job(desk)
    other = desk.world.account("Another")
    await desk.couple("1", other, synchronise="no")
    done = await undo(desk.session, job)
    assert [each.code for each in done.left] == ["already-coupled", "changed-since"]
    assert "1 Customer 1 is already coupled to Another" in done.left[0].words
    assert desk.value(REMOTE, coupling.remote_id, "bcbi_companyid") is None


async def test_a_coupling_that_was_replaced_comes_back(desk: Desk) -> None:
    coupling = await desk.pair("1")
    other = desk.world.account("Another")
    await set_up_coupling(desk.session, "CUSTOMER", "1", other, synchronise="no", replace=True)
    assert desk.coupling("1").remote_id == other
    done = await undo_last(desk)
    assert told(done)["coupled"] == told(done)["uncoupled"] == 1
    assert desk.coupling("1").remote_id == coupling.remote_id
    assert desk.value(REMOTE, coupling.remote_id, "bcbi_companyid") == OURS


async def test_what_was_synchronised_right_after_matching_is_undone_with_it(desk: Desk) -> None:
    desk.world.customer("1", email="1@adatum.example", phoneNumber="1")
    account = desk.world.account("Account 1", emailaddress1="1@adatum.example", telephone1="2")
    report = await match(desk.session, "CUSTOMER", groups=[["email"]], synchronise=True, create=False)
    assert report.job_id is not None
    assert desk.value(REMOTE, account, "telephone1") == "1"
    done = await undo(desk.session, report.job_id)
    assert desk.world.couplings() == {}
    assert desk.value(REMOTE, account, "telephone1") == "2"
    assert desk.value(REMOTE, account, "name") == "Account 1"
    assert desk.value(REMOTE, account, "bcbi_companyid") is None
    assert [each.outcome for each in done.rows] == [UndoOutcome.PUT_BACK, UndoOutcome.UNCOUPLED]


async def test_what_was_synchronised_right_after_coupling_is_undone_with_it(desk: Desk) -> None:
    desk.world.customer("1", phoneNumber="1")
    account = desk.world.account("Account 1", telephone1="2")
    await desk.couple("1", account, synchronise="to_remote")
    job = min(each.id for each in desk.jobs())
    await undo(desk.session, job)
    assert desk.world.couplings() == {}
    assert desk.value(REMOTE, account, "telephone1") == "2"


async def test_a_pair_that_is_coupled_differently_since_is_left(desk: Desk) -> None:
    desk.world.customer("1")
    first, second = desk.world.account("First"), desk.world.account("Second")
    await set_up_coupling(desk.session, "CUSTOMER", "1", first, synchronise="no")
    job = last_job(desk)
    await set_up_coupling(desk.session, "CUSTOMER", "1", second, synchronise="no", replace=True)
    done = await undo(desk.session, job)
    assert [each.words for each in done.left] == ["It is coupled with Second by now."]
    assert desk.coupling("1").remote_id == second


# --- single entries, plans, refusals ----------------------------------------------------------------------------


async def test_one_entry_is_undone_alone(desk: Desk) -> None:
    pairs = {number: await desk.pair(number, phoneNumber="1") for number in "12"}
    for coupling in pairs.values():
        desk.edit(LOCAL, coupling.local_id, phoneNumber="2")
    await desk.sync()
    one = next(entry for entry in entries(desk, last_job(desk)) if entry.remote_id == pairs["1"].remote_id)
    done = await undo(desk.session, entries=[one.id])
    assert told(done) == {"modified": 1}
    assert desk.value(REMOTE, pairs["1"].remote_id, "telephone1") == "1"
    assert desk.value(REMOTE, pairs["2"].remote_id, "telephone1") == "2"
    assert desk.jobs()[0].message == f"Undo of entry {one.id}."
    assert [entry.words for entry in entries(desk, last_job(desk))] == [f"undo of entry {one.id}"]


async def test_a_dry_run_shows_every_step_and_writes_nothing(desk: Desk) -> None:
    coupling = await synced(desk, phoneNumber="2")
    plan, jobs, base = Plan(), len(desk.jobs()), desk.coupling("10000").base
    done = await undo_last(desk, dry_run=True, observer=plan)
    assert [(each.action, each.to_remote, each.to_local) for each in plan.decisions] == [
        (RecordAction.UPDATE, {"telephone1": "1"}, {})
    ]
    (field,) = plan.decisions[0].fields
    assert (field.label, field.remote, field.value) == ("Phone No.", "2", "1")
    assert (told(done), done.report.job_id) == ({"modified": 1}, None)
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "2"
    assert (len(desk.jobs()), desk.coupling("10000").base) == (jobs, base)


async def test_the_rows_say_what_became_of_each_record(desk: Desk) -> None:
    coupling = await synced(desk, phoneNumber="2")
    desk.edit(LOCAL, coupling.local_id, city="Bath")
    await desk.sync()
    newest, older = (each.id for each in desk.jobs()[:2])
    desk.edit(REMOTE, coupling.remote_id, address1_city="York")
    for dry_run in (True, False):
        put_back = await undo_job(desk.session, older, dry_run=dry_run)
        assert put_back.rows == [
            UndoneRow(
                mapping="CUSTOMER",
                local_id=coupling.local_id,
                remote_id=coupling.remote_id,
                name="10000 Customer 10000",
                outcome=UndoOutcome.PUT_BACK,
                fields=(UndoneField(side=REMOTE, field="telephone1", label="Phone No.", before="2", after="1"),),
            )
        ]
        left = await undo_job(desk.session, newest, dry_run=dry_run)
        assert [(each.outcome, each.code, each.fields) for each in left.rows] == [
            (UndoOutcome.LEFT, "changed-since", ())
        ]
        assert (left.rows_total, left.left_total, left.left) == (1, 1, [left.rows[0].as_left()])
    again = await undo_job(desk.session, older)
    assert [each.outcome for each in again.rows] == [UndoOutcome.UNCHANGED]


async def test_the_rows_say_what_the_system_refused(desk: Desk) -> None:
    coupling = await synced(desk, phoneNumber="2")
    desk.refuse(REMOTE, "That number is banned.", telephone1="1")
    (entry,) = (each for each in entries(desk, last_job(desk)) if each.remote_id == coupling.remote_id)
    (row,) = (await undo_entries(desk.session, [entry.id])).rows
    assert (row.outcome, row.code, row.fields) == (UndoOutcome.FAILED, "refused", ())
    assert "That number is banned." in row.words


async def test_the_history_tells_of_the_undo(desk: Desk) -> None:
    await synced(desk, phoneNumber="2")
    job = last_job(desk)
    await undo_last(desk)
    (entry,) = entries(desk, last_job(desk))
    assert (entry.outcome, entry.side, entry.words) == (Outcome.MODIFIED, REMOTE, f"undo of job {job}")
    assert [(change.field, change.before, change.after) for change in entry.changes] == [("telephone1", "2", "1")]


async def test_what_cannot_be_undone_is_said(desk: Desk) -> None:
    await desk.pair("1")
    with pytest.raises(UnknownJob, match="There is no job 4711"):
        await undo(desk.session, 4711)
    with pytest.raises(UnknownEntry, match="There is no entry 4711"):
        await undo(desk.session, entries=[4711])
    for given in ({"job": None, "entries": []}, {"job": 1, "entries": [1]}):
        with pytest.raises(InvalidOption, match="Say what to undo"):
            await undo(desk.session, **given)  # type: ignore[arg-type]
    await desk.sync()
    with pytest.raises(CannotUndo, match="nothing"):
        await undo_last(desk)
    await desk.skipped("2")
    failed = next(entry for entry in desk.world.journal() if entry.outcome is Outcome.FAILED)
    with pytest.raises(CannotUndo, match="nothing was changed that could be put back"):
        await undo(desk.session, entries=[failed.id])


async def test_a_job_that_went_through_several_mappings_is_undone_with_all_its_parts(desk: Desk) -> None:
    coupling = await desk.pair("1", phoneNumber="1")
    vendor = desk.world.local.put("vendors", {"number": "V1", "displayName": "A vendor", "phoneNumber": "1"}).id
    head = begun(desk, "")
    desk.edit(LOCAL, coupling.local_id, phoneNumber="2")
    for task, mapping in (
        (Task(scope=Scope.CHANGES), "CUSTOMER"),
        (Task(scope=Scope.RECORDS, records=((LOCAL, vendor),), create=True, on_purpose=True), "VENDOR"),
    ):
        ctx = await desk.session.context(mapping, task)
        ctx.part_of = head.id
        await run_synchronise(ctx)
    with pytest.raises(CannotUndo, match=f"Job {head.id} is still running"):
        await undo(desk.session, head.id)
    ended(desk, head)
    assert {each.kind for each in desk.jobs()} == {JobKind.SYNCHRONISATION}
    done = await undo(desk.session, head.id)
    assert [(each.mapping, each.outcome) for each in done.rows] == [
        ("VENDOR", UndoOutcome.DELETED),
        ("CUSTOMER", UndoOutcome.PUT_BACK),
    ]
    assert told(done) == {"deleted": 1, "modified": 1}
    assert desk.value(REMOTE, coupling.remote_id, "telephone1") == "1"


def begun(desk: Desk, mapping: str) -> Job:
    with desk.store.begin() as unit:
        return unit.start_job(
            JobKind.SYNCHRONISATION,
            mapping,
            desk.session.mapping("CUSTOMER").direction,
            exclusive=bool(mapping),
            owner=this_owner(),
            now=desk.world.clock(),
        )


def ended(desk: Desk, job: Job) -> None:
    with desk.store.begin() as unit:
        unit.update_job(
            job.id,
            to_remote=job.to_remote,
            from_remote=job.from_remote,
            state=JobState.FINISHED,
            finished_at=desk.world.clock(),
        )


async def test_a_job_that_runs_is_not_undone_nor_while_another_one_does(desk: Desk) -> None:
    await synced(desk, phoneNumber="2")
    job = last_job(desk)
    running = begun(desk, "CUSTOMER")
    with pytest.raises(CannotUndo, match=f"Job {running.id} is still running"):
        await undo(desk.session, running.id)
    with pytest.raises(JobRunning):
        await undo(desk.session, job)
