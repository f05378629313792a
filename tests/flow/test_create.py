"""Create New, from either side: what is created, what is skipped, what is refused."""

import pytest

from crosstie.model.errors import AlreadyCoupled, InvalidOption, UnknownRecord

from .flow import Flow, figures, told


async def test_a_customer_gets_an_account_with_every_mapped_field(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMgtTest/CreateNewRecordInCRM
    behaviour: IntegrationTableSynchTest/SynchNewRecord
    behaviour: CRMCouplingRecord/CRMCouplingRecordCreateNewEnabledForNotCoupledRecord
    """
    await flow.match("PAYMENT TERMS")
    await flow.match("SHIPMENT METHOD")
    user = flow.dv.add_user("Jo", "Doe")["systemuserid"]
    await flow.create("SALESPEOPLE", user, remote=True)
    pair = await flow.pair(
        addressLine1="5 The Ring",
        addressLine2="Westminster",
        city="London",
        postalCode="W2 8HG",
        country="GB",
        state="Greater London",
        phoneNumber="+44 20 7946 0666",
        email="office@adatum.example",
        website="https://www.adatum.example",
        creditLimit=2500.5,
        salespersonCode="SP NO. 00001",
        paymentTermsId=flow.bc.id_of("paymentTerms", "NET 30"),
        shipmentMethodId=flow.bc.id_of("shipmentMethods", "FOB"),
    )
    assert flow.differences(pair) == {}
    row = flow.dv.row("accounts", pair.remote_id)
    assert row["customertypecode"] == 3
    assert row["_ownerid_value"] == user
    assert row["_bcbi_companyid_value"] == flow.dv.rows("bcbi_companies")[0]["bcbi_companyid"]
    assert flow.state("10000") == "in_step"


async def test_an_account_gets_a_customer_with_the_next_number(flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/CreateCustomerFromCRM
    behaviour: IntegrationTableSynchTest/SynchNewIntegrationTableRecord
    """
    user = flow.dv.add_user("Jo", "Doe")["systemuserid"]
    await flow.create("SALESPEOPLE", user, remote=True)
    account = flow.dv.add_customer("Fabrikam", address1_city="Lyon", **{"ownerid@odata.bind": f"/systemusers({user})"})
    report = await flow.create("CUSTOMER", "Fabrikam", remote=True)
    assert told(report) == ({}, {"inserted": 1})
    number = next(iter(flow.couplings()))
    pair = flow.pair_of(number)
    assert pair.remote_id == account["accountid"]
    assert flow.bc.customer(number)["city"] == "Lyon"
    assert flow.differences(pair, "currency") == {}, "an account without currency is in the local one, as a blank is"


async def test_what_is_coupled_already_is_left_alone(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMgtTest/CreateNewRecordInCRM
    behaviour: CRMCouplingRecord/CRMCouplingRecordCreateNewDisabledForCoupledRecord
    """
    pair = await flow.pair()
    before, jobs = flow.tags(pair), len(flow.jobs())
    with pytest.raises(AlreadyCoupled, match="10000: already coupled; there is nothing to create"):
        await flow.create("CUSTOMER", "10000")
    assert flow.tags(pair) == before
    assert len(flow.dv.rows("accounts")) == 1
    assert len(flow.jobs()) == jobs, "nothing was started"


async def test_of_many_only_the_uncoupled_ones_are_created(flow: Flow) -> None:
    await flow.pair()
    flow.bc.add("customers", number="20000", displayName="Trey Research")
    report = await flow.create("CUSTOMER", "10000", "20000")
    assert told(report) == ({"inserted": 1, "skipped": 1}, {})
    assert sorted(row["name"] for row in flow.dv.rows("accounts")) == ["Adatum Corporation", "Trey Research"]


async def test_an_unknown_record_among_many_is_named_and_nothing_is_created(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMgtTest/CreateNewRecordsInCRMMixedForMany
    """
    flow.bc.add("customers", number="20000", displayName="Trey Research")
    unknown = "11111111-2222-3333-4444-555555555555"
    with pytest.raises(UnknownRecord, match=f"no record '{unknown}' in business-central"):
        await flow.create("CUSTOMER", "20000", unknown)
    assert flow.dv.rows("accounts") == []
    assert flow.couplings() == {}


async def test_five_accounts_are_created_in_one_request(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMgtTest/CreateNewRecordsFromCRMForMany
    """
    ids = [flow.dv.add_customer(f"Company {n}")["accountid"] for n in range(5)]
    async with flow.counting() as counted:
        report = await flow.create("CUSTOMER", *ids, remote=True)
    assert told(report) == ({}, {"inserted": 5})
    assert (counted.bc.batches, counted.writes) == (1, {"POST customers": 5})
    assert {row["displayName"] for row in flow.bc.rows("customers")} == {f"Company {n}" for n in range(5)}
    assert {coupling.remote_id for coupling in flow.couplings().values()} == set(ids)


async def test_a_record_older_than_the_last_look_is_created_all_the_same(flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/CoupleToNewUoMAfterMapIsSynched
    """
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    await flow.sync("CUSTOMER")
    assert flow.couplings() == {}
    assert told(await flow.create("CUSTOMER", "10000")) == ({"inserted": 1}, {})


async def test_a_currency_without_an_exchange_rate_is_not_created(flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/CoupleCurrencyFailsIfNoExchangeRate
    """
    flow.bc.add("currencies", code="EUR", displayName="Euro")
    report = await flow.create("CURRENCY", "EUR")
    assert told(report) == ({"failed": 1}, {})
    problem = flow.only_problem("CURRENCY")
    assert problem.code == "no-exchange-rate"
    assert "the currency EUR cannot be written, it has no exchange rate in Business Central" in problem.words
    assert problem.next_step == "Enter an exchange rate for the currency in Business Central."
    assert [row["isocurrencycode"] for row in flow.dv.rows("transactioncurrencies")] == ["GBP"]
    assert flow.couplings("CURRENCY") == {}
    assert flow.jobs("CURRENCY")[0].state == "finished"


async def test_a_currency_is_created_with_its_rate_and_the_precision_of_dataverse(flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/CoupleCurrency
    """
    flow.load("demo")
    assert flow.dv.rows("transactioncurrencies", "isocurrencycode eq 'NOK'") == []
    assert told(await flow.create("CURRENCY", "NOK")) == ({"inserted": 1}, {})
    assert flow.state("NOK", "CURRENCY") == "in_step"
    created = flow.dv.only("transactioncurrencies", "isocurrencycode eq 'NOK'")
    rates = flow.bc.rows("currencyExchangeRates", "currencyCode eq 'NOK'")
    newest = max(rates, key=lambda row: row["startingDate"])
    expected = newest["exchangeRateAmount"] / newest["relationalExchangeRateAmount"]
    assert created["exchangerate"] == pytest.approx(expected, abs=1e-9)
    assert created["currencyprecision"] == flow.dv.rows("organizations")[0]["currencydecimalprecision"]


async def test_a_coupling_whose_account_is_gone_makes_way_for_a_new_one(flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/SyncCustomerWithCorruptCouplingToNewCRMAccount
    """
    pair = await flow.pair()
    flow.dv.remove("accounts", pair.remote_id)
    report = await flow.create("CUSTOMER", "10000")
    assert told(report) == ({"inserted": 1}, {})
    again = flow.pair_of("10000")
    assert again.remote_id != pair.remote_id
    assert flow.differences(again) == {}


async def test_new_salespeople_get_codes_of_their_own(flow: Flow) -> None:
    """
    behaviour: CRMIntTblMapHelperTests/UpdateSalespersonOnBeforeInsertRecord
    """
    flow.bc.add("salespeoplePurchasers", code="SP NO. 00041", displayName="Somebody")
    users = [flow.dv.add_user(first, "Doe")["systemuserid"] for first in ("Ann", "Ben")]
    await flow.create("SALESPEOPLE", *users, remote=True)
    codes = {row["code"] for row in flow.bc.rows("salespeoplePurchasers")}
    assert codes == {"SP NO. 00041", "SP NO. 00042", "SP NO. 00043"}


@pytest.mark.parametrize(("mapping", "remote"), [("SALESPEOPLE", False), ("CURRENCY", True)])
async def test_nothing_is_created_against_the_direction_of_the_mapping(flow: Flow, mapping: str, remote: bool) -> None:
    """
    behaviour: CRMCouplingRecord/CRMCouplingRecordCreateNewDisabledForFromIntegrationTableDirection
    """
    with pytest.raises(InvalidOption, match=f"The mapping {mapping} flows"):
        await flow.create(mapping, "X", remote=remote)


async def test_a_blocked_customer_is_none_that_the_mapping_creates(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation", blocked="All")
    report = await flow.create("CUSTOMER", "10000")
    assert told(report) == ({"failed": 1}, {})
    assert flow.only_problem().code == "not-eligible"
    assert flow.dv.rows("accounts") == []


async def test_a_dry_run_creates_nothing(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    async with flow.counting() as counted:
        report = await flow.create("CUSTOMER", "10000", dry_run=True)
    assert figures(report.to_remote) == {"inserted": 1}
    assert counted.writes == {}
    assert (flow.couplings(), flow.jobs(), flow.dv.rows("accounts")) == ({}, [], [])
