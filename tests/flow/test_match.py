"""Match-based coupling: what matches uniquely is coupled, and every other record says why not."""

import pytest

from crosstie.engine.candidates import MatchReason
from crosstie.engine.matching import MatchReport
from crosstie.model.errors import InvalidOption, UnknownField
from crosstie.model.mappings import UpdateConflictResolution
from crosstie.model.records import Side

from .flow import Flow, told


def customers(flow: Flow, phones: dict[str, str]) -> None:
    for number, phone in phones.items():
        flow.bc.add("customers", number=number, displayName=f"Customer {number}", phoneNumber=phone)


def accounts(flow: Flow, phones: dict[str, str]) -> dict[str, str]:
    return {name: flow.dv.add_customer(name, telephone1=phone)["accountid"] for name, phone in phones.items()}


def reasons(report: MatchReport, side: Side = Side.LOCAL) -> dict[str, str]:
    """Return why each record of a side is or is not coupled, by number, else by name."""
    return {str(row.record.key or row.record.name): row.reason.value for row in report.rows if row.side is side}


FIVE = {f"{n}0000": f"+44 {n}" for n in range(1, 6)}


async def test_records_that_match_uniquely_are_coupled_and_synchronised(flow: Flow) -> None:
    """
    behaviour: CDSMatchBasedCoupling/IntegarionTableMappingListCoupleMultipleInBackground
    """
    customers(flow, FIVE)
    accounts(flow, {f"Account {n}": f"+44 {n}" for n in range(1, 6)})
    report = await flow.match("CUSTOMER", ["Phone No."], synchronise=True)
    assert (report.coupled, report.unmatched) == (5, 0)
    assert report.to_remote.coupled == 5
    assert report.synchronised is not None
    assert told(report.synchronised) == ({"modified": 5}, {})
    for n in range(1, 6):
        assert flow.differences(flow.pair_of(f"{n}0000")) == {}
    assert {row["name"] for row in flow.dv.rows("accounts")} == {f"Customer {number}" for number in FIVE}
    kinds = [job.kind for job in flow.jobs("CUSTOMER")]
    assert kinds.count("coupling") == 1


async def test_what_is_coupled_already_is_left_alone(flow: Flow) -> None:
    """
    behaviour: CDSMatchBasedCoupling/IntegarionTableMappingListCoupleSingleInBackground
    """
    pairs = await flow.pairs({number: {"displayName": number, "phoneNumber": "+44 9"} for number in ("A1", "A2", "A3")})
    before = [flow.tags(pair) for pair in pairs]
    customers(flow, {"10000": "+44 1"})
    accounts(flow, {"Somebody": "+44 1"})
    await flow.configure("CUSTOMER", update_conflict=UpdateConflictResolution.SEND)
    report = await flow.match("CUSTOMER", ["phoneNumber"], synchronise=True)
    assert report.coupled == 1
    assert [flow.tags(pair) for pair in pairs] == before
    assert flow.dv.account(flow.pair_of("10000").remote_id)["name"] == "Customer 10000"


async def test_only_the_records_chosen_are_matched(flow: Flow) -> None:
    """
    behaviour: CDSMatchBasedCoupling/MasterDataListCoupleSingleInBackground
    """
    customers(flow, FIVE)
    accounts(flow, {f"Account {n}": f"+44 {n}" for n in range(1, 6)})
    chosen = flow.bc.id_of("customers", "20000")
    report = await flow.match("CUSTOMER", ["Phone No."], local_ids=[chosen])
    assert (report.coupled, list(flow.couplings())) == (1, ["20000"])


async def test_records_without_a_match_say_so_one_by_one(flow: Flow) -> None:
    """
    behaviour: CDSMatchBasedCoupling/MasterDataListCoupleMultipleErrorNoMatch
    """
    customers(flow, FIVE)
    accounts(flow, {"One": "+44 1", "Two": "+44 2"})
    report = await flow.match("CUSTOMER", ["Phone No."])
    assert (report.to_remote.coupled, report.to_remote.failed) == (2, 3)
    assert reasons(report) == {
        "10000": "coupled",
        "20000": "coupled",
        "30000": "no_match",
        "40000": "no_match",
        "50000": "no_match",
    }
    assert set(flow.couplings()) == {"10000", "20000"}


async def test_what_matches_several_is_coupled_with_none_of_them(flow: Flow) -> None:
    """
    behaviour: CDSMatchBasedCoupling/MasterDataListCoupleMultipleErrorInconclusiveMatch
    """
    customers(flow, FIVE)
    ids = accounts(flow, {f"Account {n}": "+44 1" for n in range(5)})
    report = await flow.match("CUSTOMER", ["Phone No."], synchronise=True)
    assert (report.to_remote.coupled, report.to_remote.failed) == (0, 5)
    (row,) = [row for row in report.rows if row.reason is MatchReason.SEVERAL_CANDIDATES]
    assert (row.record.key, row.found, len(row.candidates)) == ("10000", 5, 5)
    assert {candidate.id for candidate in row.candidates} == set(ids.values())
    assert flow.couplings() == {}
    assert {row["name"] for row in flow.dv.rows("accounts")} == set(ids)


async def test_two_customers_that_claim_one_account_both_stay_uncoupled(flow: Flow) -> None:
    customers(flow, {"10000": "+44 1", "20000": "+44 1"})
    accounts(flow, {"One": "+44 1"})
    report = await flow.match("CUSTOMER", ["Phone No."])
    assert reasons(report) == {"10000": "claimed_by_several", "20000": "claimed_by_several"}
    assert flow.couplings() == {}


async def test_a_dry_run_couples_nothing(flow: Flow) -> None:
    """
    behaviour: CDSMatchBasedCoupling/MasterDataListNoCouplingRunsIfUserCancels
    """
    customers(flow, FIVE)
    accounts(flow, {f"Account {n}": f"+44 {n}" for n in range(1, 6)})
    async with flow.counting() as counted:
        report = await flow.match("CUSTOMER", ["Phone No."], dry_run=True, synchronise=True, create=True)
    assert report.coupled == 5
    assert (flow.couplings(), flow.jobs(), counted.writes) == ({}, [], {})
    done = await flow.match("CUSTOMER", ["Phone No."])
    assert reasons(done) == reasons(report), "the run does what the dry run said"


async def test_each_group_is_a_true_fallback_for_the_one_before(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum", email="a@x.example", phoneNumber="+44 1")
    flow.bc.add("customers", number="20000", displayName="Trey", email="old@x.example", phoneNumber="+44 2")
    first = flow.dv.add_customer("First", emailaddress1="A@X.EXAMPLE", telephone1="+44 9")["accountid"]
    second = flow.dv.add_customer("Second", emailaddress1="new@x.example", telephone1="+44 2")["accountid"]
    report = await flow.match("CUSTOMER", ["E-Mail"], ["Phone No."])
    assert {key: coupling.remote_id for key, coupling in flow.couplings().items()} == {"10000": first, "20000": second}
    assert {row.record.key: row.group for row in report.rows if row.side is Side.LOCAL} == {"10000": 1, "20000": 2}


async def test_blank_fields_match_nothing_and_wildcards_are_plain_text(flow: Flow) -> None:
    customers(flow, {"10000": "", "20000": "*", "30000": "%"})
    accounts(flow, {"Blank": "", "Number": "+44 1"})
    report = await flow.match("CUSTOMER", ["Phone No."])
    assert reasons(report) == {"10000": "blank_criteria", "20000": "no_match", "30000": "no_match"}


@pytest.mark.parametrize("synchronise", [True, False])
async def test_the_records_without_candidate_are_created_where_that_is_asked_for(flow: Flow, synchronise: bool) -> None:
    customers(flow, {"10000": "+44 1", "20000": "+44 2"})
    accounts(flow, {"One": "+44 1"})
    report = await flow.match("CUSTOMER", ["Phone No."], create=True, synchronise=synchronise)
    assert report.to_remote.failed == 0
    assert set(flow.couplings()) == {"10000", "20000"}
    expected = {"Customer 10000" if synchronise else "One", "Customer 20000"}
    assert {row["name"] for row in flow.dv.rows("accounts")} == expected


async def test_a_match_without_synchronising_moves_nothing_until_somebody_edits(flow: Flow) -> None:
    customers(flow, {"10000": "+44 1"})
    accounts(flow, {"One": "+44 1"})
    await flow.match("CUSTOMER", ["Phone No."])
    pair = flow.pair_of("10000")
    assert await flow.sync_writes() == {}
    flow.bc.change("customers", pair.local_id, city="Ely")
    await flow.sync()
    account = flow.dv.account(pair.remote_id)
    assert (account["name"], account["city"]) == ("One", "Ely")


async def test_records_outside_of_the_filter_are_no_candidates(flow: Flow) -> None:
    customers(flow, {"10000": "+44 1"})
    flow.bc.edit_customer("10000", blocked="All")
    flow.dv.add("accounts", name="A Vendor", customertypecode=11, telephone1="+44 1")
    report = await flow.match("CUSTOMER", ["Phone No."])
    assert (reasons(report), reasons(report, Side.REMOTE)) == ({}, {})


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        ([["Colour"]], UnknownField, "CUSTOMER has no field mapping 'Colour'; comparable are:"),
        ([["Salesperson Code"]], InvalidOption, "'Salesperson Code' cannot be matched on"),
        ([], InvalidOption, "CUSTOMER has no fields to match on"),
    ],
)
async def test_criteria_that_cannot_be_used_are_refused(
    flow: Flow, groups: list[list[str]], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await flow.match("CUSTOMER", *groups)
    assert flow.couplings() == {}


async def test_the_command_line_gives_every_record_its_reason_and_tells_failures_by_its_exit_code(flow: Flow) -> None:
    customers(flow, {"10000": "+44 1", "20000": "+44 2"})
    accounts(flow, {"One": "+44 1", "Other": "+44 9"})
    said = await flow.crosstie("match", "CUSTOMER", "--on", "Phone No.", "--json")
    assert said.code == 1
    told_of = {(row["side"], row["key"] or row["name"]): row["reason"] for row in said.document["records"]}
    assert told_of == {
        ("local", "10000"): "coupled",
        ("local", "20000"): "no_match",
        ("remote", "One"): "coupled",
        ("remote", "Other"): "no_match",
    }
    assert all(row["words"] for row in said.document["records"])
