"""Matching over two systems and a store: what is read, what is coupled, what is told."""

from collections.abc import Iterator

import msgspec
import pytest

from crosstie.engine.context import Guards
from crosstie.engine.matching import MatchReason, MatchReport, explain, match
from crosstie.model.couplings import CouplingState
from crosstie.model.decisions import Preference
from crosstie.model.errors import InvalidOption, UnknownRecord
from crosstie.model.jobs import DueReason, JobKind, Outcome
from crosstie.model.mappings import LocalReference, Lookup
from crosstie.model.records import Side
from tests.unit.engine.couples import CUSTOMER, SALESPEOPLE, World
from tests.unit.engine.couples import world as new_world

R = MatchReason
PHONE = [["phoneNumber"]]


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as found:
        yield found


def reasons(report: MatchReport, side: Side = Side.LOCAL) -> dict[str, MatchReason]:
    return {row.record.name or "": row.reason for row in report.rows if row.side is side}


async def test_one_pair_is_coupled_and_what_is_coupled_already_stays(world: World) -> None:
    """A coupling is made for the only uncoupled pair with equal phones, whatever the names; the follow-up is due.

    behaviour: CDSMatchBasedCoupling/IntegarionTableMappingListCoupleSingleInBackground
    """
    before = {each.local_id: each.remote_id for each in (world.pair(number) for number in ("10", "20", "30"))}
    local, remote = world.customer("40", phoneNumber="555"), world.account("Other name", telephone1=" 555 ")
    ctx = world.context(job=JobKind.COUPLING)
    report = await match(ctx, PHONE, synchronise=Preference.SEND)
    assert world.couplings() == {**before, local: remote}
    assert report.to_remote == type(report.to_remote)(coupled=1)
    assert report.coupled_ids == [local]
    assert world.due() == [(Side.LOCAL, local, DueReason.COUPLED_SEND)]
    with world.store.begin() as unit:
        (job,) = unit.jobs("CUSTOMER")
    assert (job.kind, job.to_remote.coupled, job.to_remote.failed) == (JobKind.COUPLING, 1, 0)


async def test_all_uncoupled_records_with_one_match_each_are_coupled(world: World) -> None:
    """behaviour: CDSMatchBasedCoupling/IntegarionTableMappingListCoupleMultipleInBackground"""
    pairs = {world.customer(n, phoneNumber=n): world.account(f"A{n}", telephone1=n) for n in "12345"}
    report = await match(world.context(), PHONE)
    assert world.couplings() == pairs
    assert report.coupled == 5


async def test_of_chosen_records_only_those_are_coupled(world: World) -> None:
    """behaviour: CDSMatchBasedCoupling/MasterDataListCoupleSingleInBackground"""
    ids = {n: world.customer(n, phoneNumber=n) for n in "12345"}
    accounts = {n: world.account(f"A{n}", telephone1=n) for n in "12345"}
    report = await match(world.context(), PHONE, local_ids=[ids["2"]], synchronise=Preference.SEND)
    assert world.couplings() == {ids["2"]: accounts["2"]}
    assert reasons(report) == {"Customer 2": R.COUPLED}
    assert reasons(report, Side.REMOTE) == {}


async def test_records_without_match_count_as_failed_and_say_so(world: World) -> None:
    """behaviour: CDSMatchBasedCoupling/MasterDataListCoupleMultipleErrorNoMatch"""
    ids = [world.customer(n, phoneNumber=n) for n in "12345"]
    for number in "12":
        world.account(f"A{number}", telephone1=number)
    ctx = world.context(job=JobKind.COUPLING)
    report = await match(ctx, PHONE, local_ids=ids)
    assert (report.to_remote.coupled, report.to_remote.failed) == (2, 3)
    assert [each.name for each in ctx.report.failures] == ["3 Customer 3", "4 Customer 4", "5 Customer 5"]
    failed = [entry for entry in world.journal() if entry.outcome is Outcome.FAILED]
    assert [(entry.local_id, entry.code) for entry in failed] == [(id, "no_match") for id in ids[2:]]


async def test_ambiguous_records_are_not_coupled_at_random(world: World) -> None:
    """behaviour: CDSMatchBasedCoupling/MasterDataListCoupleMultipleErrorInconclusiveMatch"""
    ids = [world.customer(n, phoneNumber=n) for n in "12345"]
    for number in "12345":
        world.account(f"A{number}", telephone1="1")
    report = await match(world.context(), PHONE, local_ids=ids, synchronise=Preference.SEND)
    assert world.couplings() == {}
    assert (report.to_remote.coupled, report.to_remote.failed) == (0, 5)
    assert list(reasons(report).values()) == [R.SEVERAL_CANDIDATES, *[R.NO_MATCH] * 4]
    assert world.due() == []


async def test_a_dry_run_shows_everything_and_touches_nothing(world: World) -> None:
    world.customer("1", phoneNumber="1")
    world.customer("2", phoneNumber="2")
    world.account("A1", telephone1="1")
    ctx = world.context(job=JobKind.COUPLING)
    report = await match(ctx, PHONE, dry_run=True, synchronise=Preference.SEND)
    assert (report.dry_run, report.to_remote.coupled, report.to_remote.failed) == (True, 1, 1)
    assert report.local == {R.COUPLED: 1, R.NO_MATCH: 1}
    assert report.remote == {R.COUPLED: 1}
    assert (world.couplings(), world.journal(), world.due()) == ({}, [], [])


async def test_every_record_of_the_filter_on_both_sides_gets_a_row(world: World) -> None:
    world.customer("1", phoneNumber="1")
    world.customer("2")
    world.customer("3", phoneNumber="1", blocked="All")
    world.account("A1", telephone1="1")
    world.account("A2", telephone1="2")
    world.account("inactive", telephone1="1", statecode=1)
    world.account("a vendor", telephone1="1", customertypecode=11)
    report = await match(world.context(), PHONE)
    assert reasons(report) == {"Customer 1": R.COUPLED, "Customer 2": R.BLANK_CRITERIA}
    assert reasons(report, Side.REMOTE) == {"A1": R.COUPLED, "A2": R.NO_MATCH}


async def test_an_account_that_is_coupled_as_vendor_can_be_matched_to_a_customer(world: World) -> None:
    """The original took any coupling of the account for one in the way (engine rule M-8, W-14)."""
    local, remote = world.customer("1", phoneNumber="1"), world.account("A1", telephone1="1")
    world.couple("VENDOR", world.local.put("vendors", {"number": "V1"}).id, remote)
    await match(world.context(), PHONE)
    assert world.couplings() == {local: remote}


async def test_without_groups_the_mappings_own_are_used(world: World) -> None:
    local, remote = world.customer("1", city="Graz"), world.account("A1", address1_city="GRAZ")
    fields = tuple(
        msgspec.structs.replace(each, match_priority=0) if each.local_field == "city" else each
        for each in CUSTOMER.fields
    )
    await match(world.context(msgspec.structs.replace(CUSTOMER, fields=fields)))
    assert world.couplings() == {local: remote}


@pytest.mark.parametrize(
    ("by", "name", "euro", "dollar"),
    [(LocalReference.KEY, "currencyCode", "EUR", "USD"), (LocalReference.ID, "currencyId", "e-1", "d-1")],
)
async def test_references_match_through_their_couplings(
    world: World, by: LocalReference, name: str, euro: str, dollar: str
) -> None:
    """A currency equals the remote currency with which it is coupled; one that is not coupled fits nothing."""
    there = "d0000000-0000-0000-0000-000000000001"
    world.couple("CURRENCY", "e-1", there, local_key="EUR")
    local = world.customer("1", **{name: euro}, city="Graz")
    world.customer("2", **{name: dollar}, city="Graz")
    remote = world.account("A1", transactioncurrencyid=there, address1_city="Graz")
    lookup = Lookup(mapping="CURRENCY", local_reference=by)
    fields = tuple(
        msgspec.structs.replace(each, local_field=name, lookup=lookup) if each.lookup else each
        for each in CUSTOMER.fields
    )
    report = await match(world.context(msgspec.structs.replace(CUSTOMER, fields=fields)), [[name, "city"]])
    assert world.couplings() == {local: remote}
    assert reasons(report)["Customer 2"] is R.BLANK_CRITERIA


async def test_without_synchronising_nothing_moves_until_somebody_edits(world: World) -> None:
    local = world.customer("1", phoneNumber="1")
    world.account("Other", telephone1="1")
    await match(world.context(), PHONE, synchronise=None)
    coupling = world.coupling(local)
    assert coupling is not None
    assert (coupling.state, coupling.last_synchronised) == (CouplingState.IN_STEP, None)
    assert coupling.base is not None
    assert world.due() == []


async def test_what_has_no_candidate_is_to_be_created_and_what_is_ambiguous_is_not(world: World) -> None:
    """Engine rule M-12; a record with candidates would be doubled if its partner were created."""
    nobody, blank = world.customer("1", phoneNumber="1"), world.customer("2")
    world.customer("3", phoneNumber="3")
    world.account("A3", telephone1="3")
    world.account("B3", telephone1="3")
    report = await match(world.context(), PHONE, create=True)
    assert report.to_create == [nobody, blank]
    assert report.to_remote.failed == 1
    assert report.unmatched == 3


async def test_no_partners_are_created_where_nothing_flows_to_the_remote_side(world: World) -> None:
    with pytest.raises(InvalidOption, match="flows from the remote side only"):
        await match(world.context(SALESPEOPLE), [["name"]], create=True)


async def test_couplings_of_a_one_way_mapping_count_in_its_direction(world: World) -> None:
    world.local.put("vendors", {"number": "V", "displayName": "Annette"})
    world.account("annette")
    report = await match(world.context(SALESPEOPLE), [["name"]])
    assert (report.from_remote.coupled, report.to_remote.coupled) == (1, 0)


async def test_a_chosen_record_outside_the_filter_says_so(world: World) -> None:
    blocked = world.customer("1", phoneNumber="1", blocked="All")
    world.account("A1", telephone1="1")
    report = await match(world.context(), PHONE, local_ids=[blocked])
    assert reasons(report) == {"Customer 1": R.OUT_OF_FILTER}
    assert report.to_remote.failed == 1


async def test_a_chosen_record_that_does_not_exist_is_an_error(world: World) -> None:
    with pytest.raises(UnknownRecord, match="nosuch"):
        await match(world.context(), PHONE, local_ids=["nosuch"])


async def test_a_chosen_record_that_is_coupled_already_is_no_failure(world: World) -> None:
    coupling = world.pair("1", telephone1="1")
    report = await match(world.context(), PHONE, local_ids=[coupling.local_id])
    assert reasons(report) == {"Customer 1": R.ALREADY_COUPLED}
    assert report.to_remote == type(report.to_remote)()


async def test_a_pair_that_falls_apart_while_it_is_coupled_does_not_stop_the_others(world: World) -> None:
    """Somebody deletes one account between reading and coupling, and couples another one by hand."""
    ids = {n: world.customer(n, phoneNumber=n) for n in "123"}
    accounts = {n: world.account(f"A{n}", telephone1=n) for n in "123"}
    get = world.remote.get

    async def meanwhile(table: str, wanted: list[str], fields: list[str]) -> object:
        world.remote.get = get  # type: ignore[method-assign]
        world.remote.remove("account", accounts["1"])
        world.couple("CUSTOMER", "by-hand", accounts["2"], local_name="Somebody")
        world.local.put("customers", {"number": "BY-HAND"}, "by-hand")
        return await get(table, wanted, fields)

    world.remote.get = meanwhile  # type: ignore[assignment,method-assign]
    ctx = world.context(job=JobKind.COUPLING)
    report = await match(ctx, PHONE)
    assert reasons(report) == {"Customer 1": R.REFUSED, "Customer 2": R.REFUSED, "Customer 3": R.COUPLED}
    assert reasons(report, Side.REMOTE) == {"A1": R.REFUSED, "A2": R.REFUSED, "A3": R.COUPLED}
    assert (report.to_remote.coupled, report.to_remote.failed) == (1, 2)
    assert report.coupled_ids == [ids["3"]]
    words = [each.words for each in ctx.report.failures]
    assert "has no account with the id" in words[0]
    assert "already coupled to Somebody" in words[1]


async def test_matching_again_does_nothing_more(world: World) -> None:
    for number in "12":
        world.customer(number, phoneNumber=number)
        world.account(f"A{number}", telephone1=number)
    await match(world.context(), PHONE)
    report = await match(world.context(), PHONE)
    assert report.to_remote.coupled == 0
    assert report.local == {R.ALREADY_COUPLED: 2}


async def test_both_sides_are_read_once_and_with_few_fields(world: World) -> None:
    for number in range(25):
        world.customer(str(number), phoneNumber=str(number), city="Graz")
        world.account(f"A{number}", telephone1=str(number))
    asked: dict[str, tuple[str, ...]] = {}
    for system in (world.local, world.remote):
        scan = system.scan

        def watched(table, fields, filter=None, *, scan=scan):  # type: ignore[no-untyped-def]
            asked[table] = tuple(fields)
            return scan(table, fields, filter)

        system.scan = watched  # type: ignore[method-assign]
    await match(world.context(), PHONE, dry_run=True)
    assert set(asked["customers"]) == {"phoneNumber", "number", "displayName", "blocked"}
    assert set(asked["account"]) == {"telephone1", "name", "statecode", "customertypecode", "bcbi_companyid"}
    assert (world.local.requests.reads, world.remote.requests.reads) == (1, 1)


async def test_a_forced_guard_changes_nothing_about_matching(world: World) -> None:
    local, remote = world.customer("1", phoneNumber="1"), world.account("A1", telephone1="1")
    await match(world.context(guards=Guards(forced=True)), PHONE)
    assert world.couplings() == {local: remote}


async def test_rows_explain_themselves(world: World) -> None:
    world.customer("1", phoneNumber="1", city="Graz")
    world.customer("2", phoneNumber="2", city="Graz")
    world.customer("3")
    world.customer("4", phoneNumber="4", city="Linz")
    world.customer("5", phoneNumber="5")
    world.customer("6", phoneNumber="5")
    world.account("A1", telephone1="1", address1_city="Linz")
    for name in ("B1", "B2"):
        world.account(name, telephone1="2")
    world.account("C", telephone1="5")
    report = await match(world.context(), [["phoneNumber"], ["city"]])
    told = {row.record.key: explain(row, report.groups) for row in report.rows if row.side is Side.LOCAL}
    assert told == {
        "1": "Coupled with A1 (matched on Phone No.).",
        "2": "2 records match on Phone No.: B1, B2.",
        "3": "The fields to match on are blank.",
        "4": "Its only match on City, A1, is coupled with 1 Customer 1.",
        "5": "Its only match on Phone No., C, matches 6 Customer 6 as well.",
        "6": "Its only match on Phone No., C, matches 5 Customer 5 as well.",
    }
