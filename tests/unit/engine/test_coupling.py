"""Coupling pairs of records: what is stored, what is refused, what makes way."""

from collections.abc import Iterator
from typing import Any

import pytest

from crosstie.engine.context import Context, Scope, Task
from crosstie.engine.coupling import couple, couple_page
from crosstie.engine.pairing import base_of
from crosstie.engine.synchronise import synchronise
from crosstie.model.couplings import CouplingState
from crosstie.model.decisions import Preference
from crosstie.model.errors import AlreadyCoupled, CannotCouple, UnknownRecord, UsageError
from crosstie.model.jobs import Due, DueReason, JobKind, Outcome
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Side
from crosstie.systems.memory import FaultKind
from tests.unit.engine.couples import CONTACT, CONTACTS, OURS, SALESPEOPLE, VENDOR, World, problem
from tests.unit.engine.couples import world as new_world

SEND, GET, MERGE = Preference.SEND, Preference.GET, Preference.MERGE


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as found:
        yield found


async def test_two_records_are_coupled_and_found_from_either_side(world: World) -> None:
    """
    behaviour: CRMIntegrationRecordTest/CanCoupleCRMIDToRecord
    behaviour: CRMIntegrationRecordTest/SimpleCRMToNAVLookup
    behaviour: CRMIntegrationRecordTest/SimpleNAVToCRMLookup
    behaviour: IntegrationRecordMgmtTest/CannotFindRecordIdByIntegrationTableUid
    """
    local, remote, lone = world.customer("10"), world.account("A"), world.account("B")
    (made,) = await couple(world.context(), [(local, remote)], synchronise=None)
    with world.store.begin() as unit:
        assert unit.couplings.by_record("CUSTOMER", Side.REMOTE, [remote, lone]) == {remote: made}
        assert unit.couplings.by_record("CUSTOMER", Side.LOCAL, [local, "nobody"]) == {local: made}
    assert (made.local_key, made.local_name, made.remote_name) == ("10", "Customer 10", "A")


async def test_without_synchronising_both_records_become_the_base_as_they_are(world: World) -> None:
    """Engine W-26: no spurious conflict later, and nothing moves until somebody edits."""
    local, remote = world.customer("10", phoneNumber="1"), world.account("A", telephone1="2")
    ctx = world.context()
    (made,) = await couple(ctx, [(local, remote)], synchronise=None)
    assert (made.state, made.last_synchronised) == (CouplingState.IN_STEP, None)
    assert made.local_version == world.local.records("customers")[0].version
    assert made.remote_version == world.remote.records("account")[0].version
    base = base_of(ctx.compiled, made)
    assert base is not None
    assert (base.local["phoneNumber"], base.remote["telephone1"]) == ("1", "2")
    assert set(base.local) == set(ctx.compiled.mapped[Side.LOCAL])
    assert set(base.remote) == set(ctx.compiled.mapped[Side.REMOTE])
    assert world.due() == []
    assert world.local.requests.batches == world.remote.requests.batches == 0


@pytest.mark.parametrize(
    ("preference", "reason"),
    [(SEND, DueReason.COUPLED_SEND), (GET, DueReason.COUPLED_GET), (MERGE, DueReason.COUPLED_MERGE)],
)
async def test_what_is_to_be_synchronised_is_due_from_the_moment_it_is_coupled(
    world: World, preference: Preference, reason: DueReason
) -> None:
    local, remote = world.customer("10"), world.account("A")
    with world.store.begin() as unit:
        row = Due(
            mapping="CUSTOMER",
            side=Side.LOCAL,
            record_id=local,
            reason=DueReason.RETRY,
            not_before=world.clock(),
            create=True,
        )
        unit.add_due([row])
    (made,) = await couple(world.context(), [(local, remote)], synchronise=preference)
    assert (made.state, made.base) == (CouplingState.NEVER_SYNCHRONISED, None)
    assert world.due() == [(Side.LOCAL, local, reason)]


async def test_the_history_and_the_counters_say_what_was_coupled(world: World) -> None:
    local, remote = world.customer("10"), world.account("A")
    ctx = world.context(job=JobKind.COUPLING)
    await couple(ctx, [(local, remote)], synchronise=None, words="coupled by the test")
    (entry,) = world.journal()
    assert (entry.outcome, entry.local_id, entry.remote_id) == (Outcome.COUPLED, local, remote)
    assert (entry.name, entry.words, entry.job_id) == ("10 Customer 10", "coupled by the test", ctx.job_id)
    assert ctx.report.to_remote.coupled == 1


async def test_a_mapping_that_only_reads_counts_in_its_own_direction(world: World) -> None:
    local = world.local.put("vendors", {"number": "V"}).id
    ctx = world.context(SALESPEOPLE)
    await couple(ctx, [(local, world.account("A"))], synchronise=None)
    assert (ctx.report.from_remote.coupled, ctx.report.to_remote.coupled) == (1, 0)


# --- what is refused ------------------------------------------------------------------------------------------


async def test_a_record_that_does_not_exist_is_named(world: World) -> None:
    local, remote = world.customer("10"), world.account("A")
    with pytest.raises(UnknownRecord, match="DV has no account with the id nosuch"):
        await couple(world.context(), [(local, "nosuch")], synchronise=None)
    with pytest.raises(UnknownRecord, match="BC has no customers with the id nosuch"):
        await couple(world.context(), [("nosuch", remote)], synchronise=None)


async def test_a_remote_record_of_another_local_one_is_refused_and_the_other_one_named(world: World) -> None:
    """
    behaviour: CRMIntegrationRecordTest/CannotUpdateCouplingToAlreadyCoupledRecord
    behaviour: CRMIntegrationRecordTest/CannotUpdateCouplingToAlreadyCoupledCRMID
    """
    taken, other = world.pair("10"), world.pair("20")
    for repoint in (False, True):
        with pytest.raises(AlreadyCoupled, match=r"Customer 10 is already coupled to 10 Customer 10 \(mapping CUST"):
            await couple(world.context(), [(other.local_id, taken.remote_id)], synchronise=None, repoint=repoint)
    assert world.couplings() == {each.local_id: each.remote_id for each in (taken, other)}


async def test_a_local_record_with_another_partner_is_refused(world: World) -> None:
    """behaviour: CRMIntegrationRecordTest/CannotCreateCouplingToAlreadyCoupledRecord"""
    taken = world.pair("10")
    with pytest.raises(AlreadyCoupled, match="10 Customer 10 is already coupled to") as told:
        await couple(world.context(), [(taken.local_id, world.account("B"))], synchronise=None)
    assert told.value.details["remote_id"] == taken.remote_id
    assert world.couplings() == {taken.local_id: taken.remote_id}


@pytest.mark.parametrize(
    ("here", "there", "words"),
    [
        ({"blocked": "All"}, {}, "The local filter of the mapping CUSTOMER leaves 10 Customer 10 out"),
        ({}, {"statecode": 1}, "The remote filter of the mapping CUSTOMER leaves A out"),
    ],
)
async def test_what_the_filter_leaves_out_is_refused(world: World, here: Any, there: Any, words: str) -> None:
    pair = (world.customer("10", **here), world.account("A", **there))
    with pytest.raises(CannotCouple, match=words):
        await couple(world.context(), [pair], synchronise=None)


async def test_what_a_rule_keeps_from_being_synchronised_is_refused(world: World) -> None:
    """Engine rule F-15: a contact whose company is neither customer nor vendor."""
    account = world.account("A")
    lonely = world.local.put(CONTACTS, {"number": "C1", "displayName": "Lone"}).id
    contact = world.remote.put("contact", {"fullname": "Lone", "parentcustomerid": account}).id
    with pytest.raises(CannotCouple, match=r"C1 Lone is none that CONTACT synchronises: .*neither a customer"):
        await couple(world.context(CONTACT), [(lonely, contact)], synchronise=SEND)
    await couple(world.context(CONTACT), [(lonely, contact)], synchronise=GET)
    assert world.couplings("CONTACT") == {lonely: contact}


@pytest.mark.parametrize("twice", [[("l", "r1"), ("l", "r2")], [("l1", "r"), ("l2", "r")]])
async def test_a_record_named_in_two_pairs_is_refused(world: World, twice: Any) -> None:
    with pytest.raises(CannotCouple, match="is named in two pairs"):
        await couple(world.context(), twice, synchronise=None)


async def test_one_bad_pair_keeps_its_whole_page_from_being_coupled(world: World) -> None:
    good = (world.customer("10"), world.account("A"))
    with pytest.raises(UnknownRecord):
        await couple(world.context(), [good, (world.customer("20"), "nosuch")], synchronise=None)
    assert (world.couplings(), world.journal()) == ({}, [])


async def test_a_page_that_need_not_be_whole_couples_all_others(world: World) -> None:
    good, bad = (world.customer("10"), world.account("A")), (world.customer("20"), "nosuch")
    done = await couple_page(world.context(), {good: "", bad: ""}, synchronise=None)
    assert world.couplings() == {good[0]: good[1]}
    assert set(done.couplings) == {good}
    assert isinstance(done.refused[bad], UnknownRecord)


# --- what makes way -------------------------------------------------------------------------------------------


async def test_coupling_the_same_pair_again_changes_nothing_but_may_synchronise(world: World) -> None:
    """behaviour: CRMIntegrationRecordTest/CanCoupleRecordToCRMID"""
    before = world.pair("10")
    pair = [(before.local_id, before.remote_id)]
    ctx = world.context()
    assert await couple(ctx, pair, synchronise=None) == [before]
    assert (world.journal(), world.due(), ctx.report.to_remote.coupled) == ([], [], 0)
    assert await couple(ctx, pair, synchronise=SEND) == [before]
    assert world.due() == [(Side.LOCAL, before.local_id, DueReason.COUPLED_SEND)]


async def test_a_coupling_whose_local_record_is_gone_makes_way_silently(world: World) -> None:
    """Engine rule C-3, test vector 23."""
    dead = world.pair("10")
    world.local.remove("customers", dead.local_id)
    with world.store.begin() as unit:
        unit.put_problems([problem(local_id=dead.local_id, remote_id=dead.remote_id)], world.clock())
    local = world.customer("20")
    await couple(world.context(), [(local, dead.remote_id)], synchronise=None)
    assert world.couplings() == {local: dead.remote_id}
    assert world.problems() == []
    assert [entry.outcome for entry in world.journal()] == [Outcome.UNCOUPLED, Outcome.COUPLED]


async def test_a_coupling_whose_remote_record_is_gone_makes_way_silently(world: World) -> None:
    dead = world.pair("10")
    world.remote.remove("account", dead.remote_id)
    remote = world.account("B")
    await couple(world.context(), [(dead.local_id, remote)], synchronise=None)
    assert world.couplings() == {dead.local_id: remote}


async def test_both_halves_may_come_from_dead_couplings(world: World) -> None:
    one, two = world.pair("10"), world.pair("20")
    world.remote.remove("account", one.remote_id)
    world.local.remove("customers", two.local_id)
    await couple(world.context(), [(one.local_id, two.remote_id)], synchronise=None)
    assert world.couplings() == {one.local_id: two.remote_id}


async def test_a_dead_coupling_stays_if_the_pair_is_refused_for_another_reason(world: World) -> None:
    dead = world.pair("10")
    world.remote.remove("account", dead.remote_id)
    pair = (dead.local_id, world.account("B", statecode=1))
    done = await couple_page(world.context(), {pair: ""}, synchronise=None)
    assert isinstance(done.refused[pair], CannotCouple)
    assert world.couplings() == {dead.local_id: dead.remote_id}


async def test_another_partner_takes_the_place_where_that_is_asked_for(world: World) -> None:
    """The old one is set free as if it had been uncoupled: it does not keep our company id.

    behaviour: CRMCouplingTest/CoupleUnitOfMeasure
    behaviour: CRMIntegrationRecordTest/CanCoupleRecordToCRMID
    """
    before, remote = world.pair("10"), world.account("B")
    await couple(world.context(), [(before.local_id, remote)], synchronise=SEND, repoint=True)
    assert world.couplings() == {before.local_id: remote}
    assert world.company_id(before.remote_id) is None
    assert world.due() == [(Side.LOCAL, before.local_id, DueReason.COUPLED_SEND)]


async def test_the_partner_stays_where_it_cannot_be_set_free(world: World) -> None:
    before, remote = world.pair("10"), world.account("B")
    world.remote.faults.add(FaultKind.REFUSED, message="locked by somebody")
    with pytest.raises(CannotCouple, match="locked by somebody"):
        await couple(world.context(), [(before.local_id, remote)], synchronise=None, repoint=True)
    assert world.couplings() == {before.local_id: before.remote_id}


async def test_the_partner_stays_where_the_new_one_is_refused(world: World) -> None:
    before = world.pair("10")
    pair = (before.local_id, world.account("B", statecode=1))
    with pytest.raises(CannotCouple):
        await couple(world.context(), [pair], synchronise=None, repoint=True)
    assert world.company_id(before.remote_id) == OURS
    assert world.couplings() == {before.local_id: before.remote_id}


# --- what else happens ----------------------------------------------------------------------------------------


async def test_problems_that_the_records_had_while_uncoupled_are_closed(world: World) -> None:
    local, remote = world.customer("10"), world.account("A")
    with world.store.begin() as unit:
        unit.put_problems([problem(local_id=local), problem(remote_id=remote)], world.clock())
    await couple(world.context(), [(local, remote)], synchronise=None)
    assert world.problems() == []


async def test_records_that_waited_for_this_coupling_become_due(world: World) -> None:
    local, remote = world.customer("10"), world.account("A")
    waits = (WaitsFor("CUSTOMER", Side.LOCAL, "10"),)
    with world.store.begin() as unit:
        waiting = problem(mapping="CONTACT", local_id="contact", waits_for=waits, code="waiting-for-partner")
        unit.put_problems([waiting], world.clock())
    await couple(world.context(), [(local, remote)], synchronise=None)
    assert world.due("CONTACT") == [(Side.LOCAL, "contact", DueReason.PARTNER_COUPLED)]


async def test_an_account_may_be_customer_and_vendor(world: World) -> None:
    """Engine W-14: a coupling belongs to its mapping."""
    taken = world.pair("10")
    vendor = world.local.put("vendors", {"number": "V"}).id
    await couple(world.context(VENDOR), [(vendor, taken.remote_id)], synchronise=None)
    assert world.couplings("VENDOR") == {vendor: taken.remote_id}
    assert world.couplings() == {taken.local_id: taken.remote_id}


async def test_pairs_go_through_in_large_pages(world: World) -> None:
    pairs = [(world.customer(str(n)), world.account(f"A{n}")) for n in range(1200)]
    made = await couple(world.context(), pairs, synchronise=None)
    assert [(each.local_id, each.remote_id) for each in made] == pairs
    assert world.local.requests.reads == 3, "500 ids in one request"
    assert world.remote.requests.reads == 3 + 1, "and the company's row once"


async def test_somebody_else_who_couples_a_record_at_the_same_moment_is_noticed(world: World) -> None:
    """The page is looked at again: what is still free is coupled, the other one refused with its reason."""
    good, raced = (world.customer("10"), world.account("A")), (world.customer("20"), world.account("B"))
    rival, scan = world.customer("30"), world.remote.scan

    def meanwhile(*asked: Any) -> Any:
        """The company's row is read between looking for couplings and storing them."""
        world.remote.scan = scan  # type: ignore[method-assign]
        world.couple("CUSTOMER", rival, raced[1], local_key="30")
        return scan(*asked)

    world.remote.scan = meanwhile  # type: ignore[method-assign,assignment]
    done = await couple_page(world.context(), {good: "", raced: ""}, synchronise=None)
    assert world.couplings() == {good[0]: good[1], rival: raced[1]}
    assert set(done.couplings) == {good}
    assert isinstance(done.refused[raced], AlreadyCoupled)


def test_every_refusal_is_a_wrong_use() -> None:
    assert {error.exit_code for error in (UnknownRecord, AlreadyCoupled, CannotCouple)} == {UsageError.exit_code} == {2}


# --- and then synchronised ------------------------------------------------------------------------------------


async def run(world: World, scope: Scope = Scope.CHANGES) -> Context:
    """Synchronise the customers as a scheduled job does."""
    ctx = world.context(job=JobKind.SYNCHRONISATION)
    ctx.task = Task(scope=scope)
    await synchronise(ctx)
    return ctx


async def test_what_was_coupled_to_be_sent_is_sent_by_the_next_job(world: World) -> None:
    """
    behaviour: CRMCouplingTest/CoupleCustomer
    """
    local, remote = world.customer("10", phoneNumber="1"), world.account("A", telephone1="2")
    await couple(world.context(), [(local, remote)], synchronise=SEND)
    await run(world)
    account, customer = world.remote.record("account", remote), world.local.record("customers", local)
    assert account is not None
    assert customer is not None
    assert (account.values["name"], account.values["telephone1"]) == ("Customer 10", "1")
    assert (customer.values["displayName"], customer.values["phoneNumber"]) == ("Customer 10", "1")
    assert world.due() == []
    assert (await run(world)).report.to_remote.modified == 0


@pytest.mark.parametrize("scope", [Scope.CHANGES, Scope.FULL])
async def test_what_was_coupled_as_it_is_stays_so_until_one_field_is_edited(world: World, scope: Scope) -> None:
    """Engine W-26: then only what was edited moves."""
    local, remote = world.customer("10", phoneNumber="1", city="Graz"), world.account("A", telephone1="2")
    await couple(world.context(), [(local, remote)], synchronise=None)
    ctx = await run(world, scope)
    assert (ctx.report.to_remote.modified, ctx.report.from_remote.modified, ctx.report.failed) == (0, 0, 0)
    world.remote.change("account", remote, telephone1="3")
    await run(world, scope)
    customer, account = world.local.record("customers", local), world.remote.record("account", remote)
    assert customer is not None
    assert account is not None
    assert (customer.values["phoneNumber"], customer.values["displayName"]) == ("3", "Customer 10")
    assert (account.values["name"], account.values["address1_city"]) == ("A", None)
