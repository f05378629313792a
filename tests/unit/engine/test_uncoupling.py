"""Removing couplings: what is written, what goes along, what stays, and what survives a failure."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from crosstie.engine.context import Context, Guards
from crosstie.engine.uncoupling import uncouple, uncouple_all
from crosstie.model.couplings import Coupling, NewCoupling
from crosstie.model.decisions import Decision, RecordAction
from crosstie.model.errors import GuardStopped, Unreachable
from crosstie.model.jobs import Counters, Due, DueReason, JobKind, Outcome
from crosstie.model.records import Side, Write
from crosstie.systems.memory import FaultKind
from tests.unit.engine.couples import CONTACTS, OURS, SALESPEOPLE, THEIRS, World, problem
from tests.unit.engine.couples import world as new_world


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as found:
        yield found


def pairs(world: World, *numbers: str, **remote: Any) -> list[Coupling]:
    return [world.pair(number, **remote) for number in numbers]


def ids(couplings: list[Coupling]) -> dict[str, str]:
    return {each.local_id: each.remote_id for each in couplings}


async def test_selected_couplings_go_and_with_them_our_company_id(world: World) -> None:
    """
    behaviour: CDSUncoupling/CustomerListUncoupleMultiple
    behaviour: CDSUncoupling/CustomerListUncoupleSingle
    """
    one, two, three = pairs(world, "1", "2", "3")
    ctx = world.context(job=JobKind.UNCOUPLING)
    assert await uncouple(ctx, [one, three]) == Counters(uncoupled=2, modified=2)
    assert world.couplings() == ids([two])
    assert [world.company_id(each.remote_id) for each in (one, two, three)] == [None, OURS, None]
    with world.store.begin() as unit:
        (job,) = unit.jobs("CUSTOMER")
    assert (job.kind, job.to_remote) == (JobKind.UNCOUPLING, Counters(uncoupled=2, modified=2))


async def test_all_of_a_mapping_go_and_a_stray_company_id_too(world: World) -> None:
    """
    behaviour: CDSUncoupling/IntegarionTableMappingListUncoupleSingleInBackground
    """
    made = pairs(world, "1", "2", "3")
    world.customer("4")
    stray, clean = world.account("stray", bcbi_companyid=OURS), world.account("clean")
    assert await uncouple_all(world.context(job=JobKind.UNCOUPLING)) == Counters(uncoupled=3, modified=4)
    assert world.couplings() == {}
    assert {world.company_id(id) for id in (stray, clean, *ids(made).values())} == {None}
    changed = [entry for entry in world.journal() if entry.outcome is Outcome.MODIFIED]
    assert {entry.remote_id for entry in changed} == {stray, *ids(made).values()}
    assert changed[-1].name == "stray"


async def test_uncoupling_one_mapping_leaves_the_others_and_their_company_ids(world: World) -> None:
    """
    behaviour: CDSUncoupling/IntegarionTableMappingListUncoupleMultiple
    """
    (made,) = pairs(world, "1")
    contact = world.remote.put("contact", {"fullname": "Ann", "bcbi_companyid": OURS}).id
    world.couple("CONTACT", world.local.put(CONTACTS, {"number": "C"}).id, contact)
    assert await uncouple_all(world.context()) == Counters(uncoupled=1, modified=1)
    assert list(world.couplings("CONTACT").values()) == [contact]
    assert world.company_id(contact, "contact") == OURS
    assert world.company_id(made.remote_id) is None


async def test_a_mapping_without_company_id_is_uncoupled_without_a_request(world: World) -> None:
    """
    behaviour: CDSUncoupling/SalespersonsPurchasersUncoupleMultiple
    behaviour: CDSUncoupling/SalespersonsPurchasersUncoupleSingle
    behaviour: CDSUncoupling/SalespersonsPurchaserCardUncouple
    behaviour: CDSUncoupling/CRMSkippedRecordsUncoupleSingleInForeground
    behaviour: CDSUncoupling/IntegrationSynchJobErrorsUncoupleSingleInForeground
    """
    made = [world.couple("SALESPEOPLE", world.local.put("vendors", {"number": n}).id, world.account(n)) for n in "123"]
    ctx = world.context(SALESPEOPLE)
    assert await uncouple(ctx, [made[0], made[2]]) == Counters(uncoupled=2)
    assert world.couplings("SALESPEOPLE") == ids([made[1]])
    assert (ctx.report.from_remote.uncoupled, ctx.report.to_remote.uncoupled) == (2, 0)
    assert world.local.requests.total == world.remote.requests.total == 0


async def test_half_deleted_pairs_are_uncoupled_too(world: World) -> None:
    """The remote record that is gone cannot be modified, and does not count as modified.

    behaviour: CDSUncoupling/CRMSkippedRecordsUncoupleMultiple
    behaviour: CRMSynchSkippedRecords/T127_DeleteCouplingActionDeletesCouplingForRemovedNAVRecord
    """
    whole, without_local, without_remote, kept = pairs(world, "1", "2", "3", "4")
    world.local.remove("customers", without_local.local_id)
    world.remote.remove("account", without_remote.remote_id)
    done = await uncouple(world.context(), [whole, without_local, without_remote])
    assert done == Counters(uncoupled=3, modified=2)
    assert world.couplings() == ids([kept])
    assert world.company_id(without_local.remote_id) is None


async def test_problems_and_due_records_go_with_the_coupling(world: World) -> None:
    """
    behaviour: CDSUncoupling/CRMSkippedRecordsUncoupleSingleInBackground
    behaviour: CDSUncoupling/IntegrationSynchJobErrorsUncoupleSingleInBackground
    """
    made = pairs(world, "1", "2", "3")
    with world.store.begin() as unit:
        open_ones = [problem(local_id=each.local_id, remote_id=each.remote_id, coupling_id=each.id) for each in made]
        unit.put_problems(open_ones, world.clock())
        for side in Side:
            now = world.clock()
            unit.add_due(
                [
                    Due(
                        mapping="CUSTOMER",
                        side=side,
                        record_id=each.record_id(side),
                        reason=DueReason.RETRY,
                        not_before=now,
                    )
                    for each in made
                ]
            )
    assert await uncouple(world.context(), [made[1]]) == Counters(uncoupled=1, modified=1)
    assert {each.local_id for each in world.problems()} == {made[0].local_id, made[2].local_id}
    assert {id for _, id, _ in world.due()} == {
        each.record_id(side) for each in (made[0], made[2]) for side in (Side.LOCAL, Side.REMOTE)
    }


async def test_only_our_own_company_id_is_cleared_and_nothing_else(world: World) -> None:
    """Engine rules U-12, U-15."""
    ours, theirs = world.pair("1", telephone1="1"), world.pair("2", bcbi_companyid=THEIRS)
    version = world.remote.record("account", theirs.remote_id).version  # type: ignore[union-attr]
    assert await uncouple(world.context(), [ours, theirs]) == Counters(uncoupled=2, modified=1)
    untouched, cleared = (world.remote.record("account", each.remote_id) for each in (theirs, ours))
    assert untouched is not None
    assert cleared is not None
    assert (untouched.version, untouched.values["bcbi_companyid"]) == (version, THEIRS)
    assert (cleared.values["telephone1"], cleared.values["name"]) == ("1", "Customer 1")
    assert world.local.requests.batches == 0


async def test_an_account_that_is_also_a_vendor_keeps_its_company_id(world: World) -> None:
    """Engine rule U-16: another mapping still holds the record."""
    made, stray = world.pair("1"), world.account("vendor too", bcbi_companyid=OURS)
    for id in (made.remote_id, stray):
        world.couple("VENDOR", world.local.put("vendors", {"number": id[-4:]}).id, id)
    assert await uncouple_all(world.context()) == Counters(uncoupled=1)
    assert (world.company_id(made.remote_id), world.company_id(stray)) == (OURS, OURS)


async def test_the_history_says_what_was_cleared_and_uncoupled(world: World) -> None:
    (made,) = pairs(world, "1")
    ctx = world.context(job=JobKind.UNCOUPLING)
    await uncouple(ctx, [made])
    cleared, uncoupled = world.journal()
    (change,) = cleared.changes
    assert (cleared.outcome, cleared.side, cleared.job_id) == (Outcome.MODIFIED, Side.REMOTE, ctx.job_id)
    assert (change.field, change.before, change.after) == ("bcbi_companyid", OURS, None)
    assert (uncoupled.outcome, uncoupled.local_id, uncoupled.coupling_id) == (
        Outcome.UNCOUPLED,
        made.local_id,
        made.id,
    )


async def test_a_thousand_go_in_few_requests(world: World) -> None:
    here = [world.customer(str(n)) for n in range(1100)]
    there = [world.account(str(n), bcbi_companyid=OURS) for n in range(1100)]
    new = [
        NewCoupling(mapping="CUSTOMER", local_id=one, remote_id=other) for one, other in zip(here, there, strict=True)
    ]
    with world.store.begin() as unit:
        unit.couplings.insert(new, world.clock())
    assert await uncouple_all(world.context()) == Counters(uncoupled=1100, modified=1100)
    assert world.remote.requests.batches == 11, "a hundred writes in one request"
    assert world.remote.requests.reads <= 10
    assert world.couplings() == {}
    assert {world.company_id(id) for id in there} == {None}


# --- contacts of a customer -----------------------------------------------------------------------------------


def contact(world: World, name: str, customer: str | None, account: str | None) -> Coupling:
    """A coupled contact: here of the company of a customer, there of an account."""
    relation = {"businessRelationType": "Customer", "businessRelationNumber": customer} if customer else {}
    local = world.local.put(CONTACTS, {"number": name, "displayName": name, **relation}).id
    remote = world.remote.put("contact", {"fullname": name, "parentcustomerid": account, "bcbi_companyid": OURS}).id
    return world.couple("CONTACT", local, remote, local_key=name)


async def test_contacts_of_a_customer_go_with_it_if_they_belong_to_it_on_both_sides(world: World) -> None:
    """
    behaviour: CRMCouplingTest/RemoveCouplingForCustomerWithContacts
    """
    customer, other = pairs(world, "10", "20")
    a, b = (contact(world, name, "10", customer.remote_id) for name in "AB")
    c = contact(world, "C", "10", other.remote_id)
    d = contact(world, "D", None, customer.remote_id)
    e = contact(world, "E", "20", other.remote_id)
    ctx = world.context(job=JobKind.UNCOUPLING)
    assert await uncouple(ctx, [customer], dependants=[world.context("CONTACT")]) == Counters(uncoupled=1, modified=1)
    assert world.couplings() == ids([other])
    assert world.couplings("CONTACT") == ids([c, d, e])
    assert [world.company_id(each.remote_id, "contact") for each in (a, b, c, d)] == [None, None, OURS, OURS]
    entries = [entry for entry in world.journal("CONTACT") if entry.outcome is Outcome.UNCOUPLED]
    assert {entry.name for entry in entries} == {"A", "B"}
    assert {entry.job_id for entry in entries} == {ctx.job_id}
    with world.store.begin() as unit:
        (job,) = unit.jobs()
    assert job.to_remote == Counters(uncoupled=1, modified=1)


async def test_contacts_of_a_customer_stay_where_the_customer_stays(world: World) -> None:
    (customer,) = pairs(world, "10")
    kept = contact(world, "A", "10", customer.remote_id)
    world.remote.faults.add(FaultKind.DENIED, table="account")
    done = await uncouple(world.context(), [customer], dependants=[world.context("CONTACT")])
    assert done == Counters(failed=1)
    assert world.couplings("CONTACT") == ids([kept])


async def test_a_contact_that_cannot_be_written_counts_as_failed_and_keeps_its_coupling(world: World) -> None:
    (customer,) = pairs(world, "10")
    kept = contact(world, "A", "10", customer.remote_id)
    world.remote.faults.add(FaultKind.REFUSED, table="contact", message="it is locked")
    ctx = world.context()
    done = await uncouple(ctx, [customer], dependants=[world.context("CONTACT")])
    assert done == Counters(uncoupled=1, modified=1, failed=1)
    assert world.couplings("CONTACT") == ids([kept])
    assert [(each.name, each.code) for each in ctx.report.failures] == [("A", "refused")]
    assert [each.coupling_id for each in world.problems("CONTACT")] == [kept.id]


# --- what goes wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "code"), [(FaultKind.REFUSED, "refused"), (FaultKind.DENIED, "write-denied")])
async def test_a_refused_write_keeps_the_coupling_and_stops_no_other(world: World, kind: FaultKind, code: str) -> None:
    """Engine rule U-12."""
    refused, good = pairs(world, "1", "2")
    world.remote.faults.add(kind, fits=lambda write: write.id == refused.remote_id, message="it is locked")
    ctx = world.context(job=JobKind.UNCOUPLING)
    assert await uncouple(ctx, [refused, good]) == Counters(uncoupled=1, modified=1, failed=1)
    assert world.couplings() == ids([refused])
    assert world.company_id(refused.remote_id) == OURS
    (found,) = world.problems()
    assert (found.code, found.coupling_id) == (code, refused.id)
    assert found.words.startswith("Uncoupling 1 Customer 1 failed because")
    assert "DV says: it is locked" in found.words
    (failure,) = ctx.report.failures
    assert (failure.local_id, failure.code) == (refused.local_id, code)
    assert world.journal()[-1].outcome is Outcome.FAILED
    assert await uncouple(world.context(), [refused]) == Counters(uncoupled=1, modified=1)
    assert world.problems() == []


async def test_a_refused_stray_is_told_of_as_well(world: World) -> None:
    stray = world.account("stray", bcbi_companyid=OURS)
    world.remote.faults.add(FaultKind.REFUSED)
    assert await uncouple_all(world.context()) == Counters(failed=1)
    (found,) = world.problems()
    assert (found.remote_id, found.local_id, found.name) == (stray, None, "stray")


@pytest.mark.parametrize("kind", [FaultKind.STALE, FaultKind.THROTTLED, FaultKind.UNKNOWN_BEFORE])
async def test_what_passes_by_itself_is_tried_again_at_once(world: World, kind: FaultKind) -> None:
    (made,) = pairs(world, "1")
    world.remote.faults.add(kind, times=2)
    assert await uncouple(world.context(), [made]) == Counters(uncoupled=1, modified=1)
    assert (world.couplings(), world.company_id(made.remote_id)) == ({}, None)


async def test_a_write_without_answer_that_was_carried_out_counts_as_done(world: World) -> None:
    (made,) = pairs(world, "1")
    world.remote.faults.add(FaultKind.UNKNOWN_AFTER)
    assert await uncouple(world.context(), [made]) == Counters(uncoupled=1, modified=1)
    assert world.remote.requests.batch_parts == 1, "it is asked for, not written again"
    assert [entry.outcome for entry in world.journal()] == [Outcome.MODIFIED, Outcome.UNCOUPLED]


async def test_what_never_passes_ends_as_a_problem(world: World) -> None:
    (made,) = pairs(world, "1")
    world.remote.faults.add(FaultKind.THROTTLED, times=None)
    assert await uncouple(world.context(), [made]) == Counters(failed=1)
    assert [each.code for each in world.problems()] == ["busy"]
    assert world.couplings() == ids([made])


async def test_an_edit_of_the_account_at_that_very_moment_is_not_overwritten(world: World) -> None:
    (made,) = pairs(world, "1")

    def edit(table: str, write: Write) -> None:
        world.remote.before_write = None
        world.remote.change("account", made.remote_id, telephone1="new")

    world.remote.before_write = edit
    assert await uncouple(world.context(), [made]) == Counters(uncoupled=1, modified=1)
    account = world.remote.record("account", made.remote_id)
    assert account is not None
    assert (account.values["telephone1"], account.values["bcbi_companyid"]) == ("new", None)


@pytest.mark.parametrize("then", ["deletes it", "gives it to another company"])
async def test_a_record_that_somebody_takes_away_meanwhile_is_not_ours_to_clear(world: World, then: str) -> None:
    (made,) = pairs(world, "1")

    def somebody(table: str, write: Write) -> None:
        world.remote.before_write = None
        if then == "deletes it":
            world.remote.remove("account", made.remote_id)
        else:
            world.remote.change("account", made.remote_id, bcbi_companyid=THEIRS)

    world.remote.before_write = somebody
    assert await uncouple(world.context(), [made]) == Counters(uncoupled=1)
    assert world.couplings() == {}
    if then != "deletes it":
        assert world.company_id(made.remote_id) == THEIRS


async def test_a_coupling_that_a_job_has_just_brought_up_to_date_goes_all_the_same(world: World) -> None:
    (made,) = pairs(world, "1")
    with world.store.begin() as unit:
        unit.couplings.update([msgspec.structs.replace(made, local_version="v9")])
    assert await uncouple(world.context(), [made]) == Counters(uncoupled=1, modified=1)
    assert world.couplings() == {}


async def test_a_coupling_that_somebody_else_has_removed_does_not_count(world: World) -> None:
    gone, made = pairs(world, "1", "2")
    with world.store.begin() as unit:
        unit.couplings.delete([gone])
    assert (await uncouple(world.context(), [gone, made])).uncoupled == 1


async def test_an_outage_keeps_what_is_done_and_the_rest_for_the_next_time(world: World) -> None:
    """Killed or cut off between release and removal, uncoupling again ends as if nothing had happened."""
    made = pairs(world, "1", "2")
    world.remote.faults.add(FaultKind.RAISE_AFTER, error=Unreachable("DV cannot be reached."))
    with pytest.raises(Unreachable):
        await uncouple_all(world.context())
    assert world.couplings() == ids(made), "no coupling is lost whose mark may be left"
    assert await uncouple_all(world.context()) == Counters(uncoupled=2, modified=1)
    assert {world.company_id(each.remote_id) for each in made} == {None}


async def test_a_guard_stops_the_whole_mapping_only_where_it_is_asked_to(world: World) -> None:
    made = pairs(world, "1", "2", "3")
    guards = Guards(delete_records=1, delete_percent=10)
    with pytest.raises(GuardStopped, match="3 of 3"):
        await uncouple_all(world.context(guards=guards), guarded=True)
    assert world.couplings() == ids(made)
    assert {world.company_id(each.remote_id) for each in made} == {OURS}
    await uncouple_all(world.context(guards=guards))
    assert world.couplings() == {}


async def test_a_dry_run_shows_what_would_go_and_removes_nothing(world: World) -> None:
    made = pairs(world, "1", "2")
    world.account("stray", bcbi_companyid=OURS)
    seen: list[Decision] = []

    class Watching:
        def decided(self, decision: Decision) -> None:
            seen.append(decision)

        def progress(self, done: int) -> None:
            pass

    ctx: Context = world.context(dry_run=True, observer=Watching())
    assert await uncouple_all(ctx) == Counters(uncoupled=2, modified=3)
    assert world.couplings() == ids(made)
    assert world.remote.requests.batches == 0
    assert world.journal() == []
    assert [(each.action, each.to_remote) for each in seen] == [(RecordAction.UNCOUPLE, {"bcbi_companyid": None})] * 2
