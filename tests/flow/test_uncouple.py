"""Delete Coupling: for one, many and all, with what marks the remote records as ours."""

import pytest

from crosstie.model.errors import InvalidOption, NotCoupled, UnknownRecord

from .flow import Flow, Pair, told

THREE = {number: {"displayName": f"Customer {number}"} for number in ("10000", "20000", "30000")}


def stamped(flow: Flow, *pairs: Pair) -> list[bool]:
    """Return whether each account carries the company id."""
    return [flow.dv.row("accounts", pair.remote_id)["_bcbi_companyid_value"] is not None for pair in pairs]


async def test_one_coupling_is_removed_and_its_account_loses_the_company_id(flow: Flow) -> None:
    """
    behaviour: CDSUncoupling/CustomerListUncoupleSingle
    behaviour: CDSUncoupling/IntegrationSynchJobErrorsUncoupleSingleInBackground
    """
    pairs = await flow.pairs(THREE)
    before = flow.dv.account(pairs[1].remote_id)
    report = await flow.uncouple("CUSTOMER", "20000")
    assert told(report) == ({"uncoupled": 1, "modified": 1}, {})
    assert set(flow.couplings()) == {"10000", "30000"}
    assert stamped(flow, *pairs) == [True, False, True]
    assert flow.dv.account(pairs[1].remote_id) == before, "nothing else is touched"
    assert flow.bc.exists("customers", pairs[1].local_id)
    assert flow.jobs("CUSTOMER")[0].kind == "uncoupling"


async def test_of_many_the_uncoupled_ones_are_skipped(flow: Flow) -> None:
    """
    behaviour: CDSUncoupling/CustomerListUncoupleMultiple
    """
    pairs = await flow.pairs(THREE)
    flow.bc.add("customers", number="40000", displayName="Nobody's")
    report = await flow.uncouple("CUSTOMER", "10000", "30000", "40000")
    assert told(report) == ({"uncoupled": 2, "modified": 2, "skipped": 1}, {})
    assert set(flow.couplings()) == {"20000"}
    assert stamped(flow, *pairs) == [False, True, False]


async def test_a_pair_that_is_named_from_both_sides_is_uncoupled_once(flow: Flow) -> None:
    pairs = await flow.pairs(THREE)
    flow.bc.add("customers", number="40000", displayName="Nobody's")
    report = await flow.uncouple("CUSTOMER", "10000", pairs[0].remote_id, "10000", "40000")
    assert told(report) == ({"uncoupled": 1, "modified": 1, "skipped": 1}, {})
    assert set(flow.couplings()) == {"20000", "30000"}


async def test_all_couplings_of_a_mapping_go_and_strays_lose_the_company_id(flow: Flow) -> None:
    """
    behaviour: CDSUncoupling/IntegarionTableMappingListUncoupleSingleInBackground
    """
    pairs = await flow.pairs(THREE)
    company = flow.dv.rows("bcbi_companies")[0]["bcbi_companyid"]
    stray = flow.dv.add_customer("Stray", **{"bcbi_CompanyId@odata.bind": f"/bcbi_companies({company})"})
    flow.bc.add("customers", number="40000", displayName="Nobody's")
    report = await flow.uncouple("CUSTOMER", all=True)
    assert told(report) == ({"uncoupled": 3, "modified": 4}, {})
    assert flow.couplings() == {}
    assert stamped(flow, *pairs, Pair("", "", stray["accountid"])) == [False] * 4
    assert len(flow.bc.rows("customers")) == len(flow.dv.rows("accounts")) == 4


async def test_other_mappings_keep_their_couplings(flow: Flow) -> None:
    """
    behaviour: CDSUncoupling/IntegarionTableMappingListUncoupleMultiple
    """
    await flow.pairs(THREE)
    flow.bc.add("currencies", code="EURO", displayName="Euro")
    flow.dv.add_currency("EUR", "Euro")
    await flow.couple("CURRENCY", "EURO", "EUR", synchronise="no")
    await flow.uncouple("CUSTOMER", all=True)
    assert list(flow.couplings("CURRENCY")) == ["EURO"]


@pytest.mark.parametrize("named", [("TWO",), ("ONE", "THREE")])
async def test_records_without_a_company_id_are_only_uncoupled(flow: Flow, named: tuple[str, ...]) -> None:
    """
    behaviour: CDSUncoupling/SalespersonsPurchasersUncoupleSingle
    behaviour: CDSUncoupling/SalespersonsPurchasersUncoupleMultiple
    behaviour: CDSUncoupling/SalespersonsPurchaserCardUncouple
    behaviour: CRMCouplingTest/CRMSystemUserPageRemoveCoupling
    """
    codes = ("ONE", "TWO", "THREE")
    for code in codes:
        flow.bc.add("salespeoplePurchasers", code=code, displayName=code)
        await flow.couple("SALESPEOPLE", code, flow.dv.add_user(code, "Doe")["systemuserid"])
    async with flow.counting() as counted:
        await flow.uncouple("SALESPEOPLE", *named)
    assert counted.writes == {}
    assert set(flow.couplings("SALESPEOPLE")) == set(codes) - set(named)


async def test_contacts_go_with_their_customer_where_they_belong_to_it_on_both_sides(flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/RemoveCouplingForCustomerWithContacts
    """
    mine, other = await flow.pairs({number: THREE[number] for number in ("10000", "20000")})
    people = {}
    for first, company, account in (
        ("Ann", mine, mine),
        ("Ben", mine, mine),
        ("Cy", mine, other),
        ("Dee", other, mine),
    ):
        person = flow.bc.person(company.number, first, "Doe")
        contact = flow.dv.add(
            "contacts",
            firstname=first,
            lastname="Doe",
            **{"parentcustomerid_account@odata.bind": f"/accounts({account.remote_id})"},
        )
        await flow.couple("CONTACT", str(person["number"]), contact["contactid"], synchronise="no")
        people[first] = str(person["number"])
    await flow.uncouple("CUSTOMER", "10000")
    assert set(flow.couplings("CONTACT")) == {people["Cy"], people["Dee"]}
    assert set(flow.couplings()) == {"20000"}


@pytest.mark.parametrize("side", ["local", "remote"])
async def test_a_coupling_whose_other_half_is_gone_can_be_removed(flow: Flow, side: str) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T127_DeleteCouplingActionDeletesCouplingForRemovedNAVRecord
    behaviour: CDSUncoupling/CRMSkippedRecordsUncoupleMultiple
    """
    pairs = await flow.pairs(THREE)
    if side == "local":
        flow.bc.remove("customers", pairs[0].local_id)
    else:
        flow.dv.remove("accounts", pairs[0].remote_id)
    await flow.sync()
    assert len(flow.problems()) == 1
    report = await flow.uncouple("CUSTOMER", "10000")
    assert report.to_remote.uncoupled == 1
    assert report.to_remote.modified == (1 if side == "local" else 0)
    assert set(flow.couplings()) == {"20000", "30000"}
    assert flow.problems() == []


async def test_a_paused_record_can_be_uncoupled_and_leaves_no_problem_behind(flow: Flow) -> None:
    """
    behaviour: CDSUncoupling/CRMSkippedRecordsUncoupleSingleInBackground
    behaviour: CRMSynchSkippedRecords/T191_UpdateSourceTableRemovesNotExistingCouplings
    behaviour: CDSUncoupling/CRMSkippedRecordsUncoupleSingleInForeground
    behaviour: CDSUncoupling/IntegrationSynchJobErrorsUncoupleSingleInForeground
    """
    pairs = await flow.pairs(THREE)
    for pair in pairs:
        flow.dv.change("accounts", pair.remote_id, emailaddress1=f"{'x' * 80}@{pair.number}.example")
    for _ in range(2):
        await flow.sync()
    assert {coupling.state for coupling in flow.couplings().values()} == {"skipped"}
    report = await flow.uncouple("CUSTOMER", "20000")
    assert told(report) == ({"uncoupled": 1, "modified": 1}, {})
    assert {problem.record.name for problem in flow.problems()} == {"10000 Customer 10000", "30000 Customer 30000"}
    assert stamped(flow, *pairs) == [True, False, True]


async def test_a_record_whose_company_id_cannot_be_cleared_stays_coupled_and_says_why(flow: Flow) -> None:
    pairs = await flow.pairs(THREE)
    flow.dv.switch(refuse_write_ids=[pairs[0].remote_id])
    report = await flow.uncouple("CUSTOMER", "10000", "20000")
    assert told(report) == ({"uncoupled": 1, "modified": 1, "failed": 1}, {})
    assert set(flow.couplings()) == {"10000", "30000"}
    problem = flow.only_problem()
    assert problem.code == "write-denied"
    assert problem.words.startswith("Uncoupling 10000 Customer 10000 failed")
    flow.dv.switch(refuse_write_ids=[])
    await flow.uncouple("CUSTOMER", "10000")
    assert flow.problems() == []


async def test_an_uncoupled_record_is_no_longer_synchronised_and_can_be_coupled_again(flow: Flow) -> None:
    pair = (await flow.pairs(THREE))[0]
    await flow.uncouple("CUSTOMER", "10000")
    flow.bc.change("customers", pair.local_id, city="Ely")
    assert await flow.sync_writes() == {}
    await flow.couple("CUSTOMER", "10000", pair.remote_id)
    assert flow.differences(pair) == {}


async def test_uncoupling_is_refused_with_words_where_there_is_nothing_to_do(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    with pytest.raises(NotCoupled, match="10000: not coupled under CUSTOMER"):
        await flow.uncouple("CUSTOMER", "10000")
    with pytest.raises(UnknownRecord, match="no record '99999'"):
        await flow.uncouple("CUSTOMER", "99999")
    with pytest.raises(InvalidOption, match="Name the records to uncouple"):
        await flow.uncouple("CUSTOMER")
    with pytest.raises(InvalidOption, match="Name the records to uncouple"):
        await flow.uncouple("CUSTOMER", "10000", all=True)


async def test_removed_couplings_are_listed_and_come_back_on_the_command_line(flow: Flow) -> None:
    await flow.pairs(THREE)
    assert "No coupling was removed" in (await flow.crosstie("couplings", "--removed")).out
    await flow.uncouple("CUSTOMER", "20000")
    await flow.start_afresh()
    said = await flow.crosstie("couplings", "customer", "--removed")
    assert (said.code, "20000 Customer 20000" in said.out, "apart" in said.out) == (0, True, True)
    (row,) = (await flow.crosstie("couplings", "--removed", "--json")).document["removed"]
    assert (row["since"], row["entry"]["mapping"]) == ("apart", "CUSTOMER")
    assert (await flow.crosstie("undo", "--entry", str(row["entry"]["id"]))).code == 0
    assert set(flow.couplings()) == {"10000", "20000", "30000"}
    assert "coupled again" in (await flow.crosstie("couplings", "--removed")).out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "Say of which mapping"),
        (("--removed", "--state", "conflict"), "have no state"),
        (("ITEM", "--removed"), "There is no mapping"),
    ],
)
def test_couplings_are_asked_for_in_full(flow: Flow, args: tuple[str, ...], words: str) -> None:
    said = flow.run("couplings", *args)
    assert said.code == 2
    assert words in said.err
