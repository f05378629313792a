"""Set Up Coupling: tying two records that exist, and what is refused."""

import pytest

from crosstie.model.errors import (
    AlreadyCoupled,
    AmbiguousRecord,
    CannotCouple,
    InvalidOption,
    NotCoupled,
    UnknownRecord,
)

from .flow import Flow, told


async def two_customers_and_two_accounts(flow: Flow) -> dict[str, str]:
    """Add customers 10000 and 20000, and accounts One and Two; return the ids of the accounts."""
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation", city="Ely")
    flow.bc.add("customers", number="20000", displayName="Trey Research")
    return {name: flow.dv.add_customer(name, address1_city="Lyon")["accountid"] for name in ("One", "Two")}


@pytest.mark.parametrize(
    ("synchronise", "name", "city", "there"),
    [
        ("to_remote", "Adatum Corporation", "Ely", "Ely"),
        ("from_remote", "One", "Lyon", "Lyon"),
        ("no", "Adatum Corporation", "Ely", "Lyon"),
        (None, "Adatum Corporation", "Ely", "Ely"),
    ],
)
async def test_a_customer_and_an_account_are_coupled_and_the_side_chosen_wins(
    flow: Flow, synchronise: str | None, name: str, city: str, there: str
) -> None:
    """
    behaviour: CRMIntegrationRecordTest/CanCoupleRecordToCRMID
    behaviour: CRMIntegrationRecordTest/CanCoupleCRMIDToRecord
    behaviour: CRMCouplingRecord/GetPerformInitialSynchronization
    behaviour: CRMCouplingRecord/GetInitialSynchronizationDirection
    behaviour: CRMCouplingRecord/GetCRMIDAfterSelectingCRMRecord
    """
    accounts = await two_customers_and_two_accounts(flow)
    made = await flow.couple("CUSTOMER", "10000", "One", synchronise=synchronise)
    assert (made.coupling.local_key, made.coupling.remote_id) == ("10000", accounts["One"])
    assert made.coupling.state == "in_step"
    pair = flow.pair_of("10000")
    assert len(flow.couplings()) == 1
    customer, account = flow.bc.customer("10000"), flow.dv.account(pair.remote_id)
    assert (customer["name"], customer["city"], account["city"]) == (name, city, there)
    if synchronise != "no":
        assert flow.differences(pair, "currency") == {}, (
            "an account without currency is in the local one, as a blank is"
        )


async def test_after_coupling_without_synchronising_only_what_is_edited_moves(flow: Flow) -> None:
    await two_customers_and_two_accounts(flow)
    await flow.couple("CUSTOMER", "10000", "One", synchronise="no")
    pair = flow.pair_of("10000")
    assert await flow.sync_writes() == {}
    assert (await flow.sync("CUSTOMER", full=True)).failed == 0
    assert flow.differences(pair).keys() >= {"name", "city"}
    flow.dv.change("accounts", pair.remote_id, telephone1="+33 1")
    await flow.sync()
    assert flow.bc.customer("10000")["phone"] == "+33 1"
    assert flow.differences(pair).keys() >= {"name", "city"}
    assert flow.problems() == []


async def test_the_local_record_is_found_for_a_remote_one_and_the_other_way_round(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationRecordTest/SimpleCRMToNAVLookup
    behaviour: CRMIntegrationRecordTest/SimpleNAVToCRMLookup
    behaviour: IntegrationRecordMgmtTest/CannotFindRecordIdByIntegrationTableUid
    """
    accounts = await two_customers_and_two_accounts(flow)
    await flow.couple("CUSTOMER", "10000", "One", synchronise="no")
    local_id = flow.pair_of("10000").local_id
    to_remote = await flow.open("local", "customers", local_id)
    assert to_remote.remote_id == accounts["One"]
    to_local = await flow.open("remote", "account", accounts["One"])
    assert to_local.local_id == local_id
    with pytest.raises(NotCoupled):
        await flow.open("remote", "account", accounts["Two"])


async def test_a_remote_record_that_is_coupled_cannot_be_coupled_to_another(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationRecordTest/CannotUpdateCouplingToAlreadyCoupledCRMID
    behaviour: CRMIntegrationRecordTest/CannotUpdateCouplingToAlreadyCoupledRecord
    """
    await two_customers_and_two_accounts(flow)
    await flow.couple("CUSTOMER", "10000", "One", synchronise="no")
    await flow.couple("CUSTOMER", "20000", "Two", synchronise="no")
    with pytest.raises(AlreadyCoupled, match="One is already coupled to 10000 Adatum Corporation") as refused:
        await flow.couple("CUSTOMER", "20000", "One")
    assert refused.value.advice == "Remove its coupling first."
    assert {key: coupling.remote_name for key, coupling in flow.couplings().items()} == {"10000": "One", "20000": "Two"}


async def test_a_local_record_that_is_coupled_is_coupled_to_another_only_on_purpose(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationRecordTest/CannotCreateCouplingToAlreadyCoupledRecord
    behaviour: CRMIntegrationRecordTest/CanCoupleRecordToCRMID
    """
    accounts = await two_customers_and_two_accounts(flow)
    await flow.couple("CUSTOMER", "10000", "One")
    with pytest.raises(AlreadyCoupled, match="10000 Adatum Corporation is already coupled to"):
        await flow.couple("CUSTOMER", "10000", "Two")
    assert flow.couplings()["10000"].remote_id == accounts["One"]
    await flow.couple("CUSTOMER", "10000", "Two", replace=True)
    assert {key: coupling.remote_id for key, coupling in flow.couplings().items()} == {"10000": accounts["Two"]}
    assert flow.dv.row("accounts", accounts["One"])["_bcbi_companyid_value"] is None, "let go"


async def test_a_salesperson_is_given_to_another_user_only_on_purpose(flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/CRMSystemUserPageCoupleSalespersonToOtherCRMUser
    behaviour: CRMCouplingTest/CRMSystemUserClearSalespersonCodeWhenSelectedForOther
    """
    flow.bc.add("salespeoplePurchasers", code="JO", displayName="Jo")
    first, second = (flow.dv.add_user(name, "Doe")["systemuserid"] for name in ("Ann", "Ben"))
    await flow.couple("SALESPEOPLE", "JO", first)
    await flow.couple("SALESPEOPLE", "JO", second, replace=True)
    assert [coupling.remote_id for coupling in flow.couplings("SALESPEOPLE").values()] == [second]
    assert flow.bc.rows("salespeoplePurchasers")[0]["displayName"] == "Ben Doe"


async def test_a_salesperson_takes_the_values_of_the_user_without_being_asked(flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/CoupleSalesperson
    """
    flow.bc.add("salespeoplePurchasers", code="JO", displayName="Jo")
    user = flow.dv.add_user("Ann", "Doe")
    made = await flow.couple("SALESPEOPLE", "JO", "Ann Doe")
    assert made.coupling.remote_id == user["systemuserid"]
    assert flow.bc.rows("salespeoplePurchasers")[0]["displayName"] == "Ann Doe"
    assert flow.dv.row("systemusers", user["systemuserid"])["@odata.etag"] == user["@odata.etag"]


async def test_the_beginning_of_a_name_is_enough_where_only_one_record_has_it(flow: Flow) -> None:
    """
    behaviour: CRMCouplingRecord/TypingIncompleteCRMAccountName
    """
    accounts = await two_customers_and_two_accounts(flow)
    flow.dv.add_customer("Onion")
    made = await flow.couple("CUSTOMER", "10000", "Tw")
    assert made.coupling.remote_id == accounts["Two"]
    with pytest.raises(AmbiguousRecord, match="'On' names 2 records"):
        await flow.couple("CUSTOMER", "20000", "On")


async def test_a_coupling_whose_customer_is_gone_makes_way(flow: Flow) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T175_SetupCouplingConfirmedForDeletedCRMRec
    """
    await two_customers_and_two_accounts(flow)
    await flow.couple("CUSTOMER", "10000", "One")
    flow.bc.remove("customers", flow.pair_of("10000").local_id)
    await flow.couple("CUSTOMER", "20000", flow.couplings()["10000"].remote_id)
    assert list(flow.couplings()) == ["20000"]
    assert flow.differences(flow.pair_of("20000")) == {}


async def test_a_number_means_the_record_that_bears_it_now(flow: Flow) -> None:
    """The one that bore it was deleted, and its coupling is still there."""
    pair = await flow.pair()
    flow.bc.remove("customers", pair.local_id)
    await flow.sync()
    assert flow.state("10000") == "local_deleted"
    said = await flow.crosstie("restore", "CUSTOMER", "10000", "--dry-run")
    assert said.code == 0, "while nobody else bears it, it is the deleted one"
    flow.bc.add("customers", number="10000", displayName="The new one")
    await flow.couple("CUSTOMER", "10000", pair.remote_id)
    assert [(each.local_name, each.state) for each in flow.couplings().values()] == [("The new one", "in_step")]
    assert flow.dv.account(pair.remote_id)["name"] == "The new one"


async def test_coupling_the_same_two_again_changes_nothing(flow: Flow) -> None:
    await two_customers_and_two_accounts(flow)
    await flow.couple("CUSTOMER", "10000", "One")
    before = flow.tags(flow.pair_of("10000"))
    made = await flow.couple("CUSTOMER", "10000", flow.pair_of("10000").remote_id)
    assert made.report is not None
    assert told(made.report) == ({"unchanged": 1}, {})
    assert flow.tags(flow.pair_of("10000")) == before


@pytest.mark.parametrize("synchronise", ["to_remote", "no"])
async def test_an_account_outside_of_the_mappings_filter_is_not_coupled(flow: Flow, synchronise: str) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    flow.dv.add("accounts", name="A Vendor", customertypecode=11)
    with pytest.raises(CannotCouple, match=r"it admits: .*Customer Type Code is Customer") as refused:
        await flow.couple("CUSTOMER", "10000", "A Vendor", synchronise=synchronise)
    assert "Change the record so that the filter admits it" in refused.value.advice
    assert flow.couplings() == {}


async def test_names_that_several_records_bear_are_refused_with_the_candidates(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    ids = [flow.dv.add_customer("Namesake")["accountid"] for _ in range(2)]
    with pytest.raises(AmbiguousRecord, match="'Namesake' names 2 records of account") as refused:
        await flow.couple("CUSTOMER", "10000", "Namesake")
    assert sorted(refused.value.details["candidates"]) == sorted(ids)
    assert all(id in str(refused.value) for id in ids)
    assert flow.couplings() == {}


async def test_a_name_that_nobody_bears_is_refused_with_those_that_are_near(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    account = flow.dv.add_customer("Adatum Corporation", accountnumber="A-7")["accountid"]
    with pytest.raises(UnknownRecord, match=r"Near are: A-7 Adatum Corporation \(") as refused:
        await flow.couple("CUSTOMER", "10000", "The Adatum Company")
    assert refused.value.details["candidates"] == [account]


async def test_an_account_is_named_by_its_number(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    account = flow.dv.add_customer("Adatum", accountnumber="A-7")["accountid"]
    await flow.couple("CUSTOMER", "10000", "A-7")
    assert flow.couplings()["10000"].remote_id == account


@pytest.mark.parametrize(
    ("record", "to", "words"),
    [
        ("99999", "One", "no record '99999' in business-central"),
        ("10000", "Nobody", "no record 'Nobody' in dataverse"),
        ("10000", "11111111-2222-3333-4444-555555555555", "no record '11111111"),
        ("10000", "", "no record ''"),
    ],
)
async def test_records_that_do_not_exist_are_named(flow: Flow, record: str, to: str, words: str) -> None:
    """
    behaviour: CRMCouplingRecord/TypingWrongCRMAccountName
    """
    await two_customers_and_two_accounts(flow)
    with pytest.raises(UnknownRecord, match=words):
        await flow.couple("CUSTOMER", record, to)
    assert flow.couplings() == {}


async def test_a_direction_that_the_mapping_does_not_have_is_refused_before_anything_is_coupled(flow: Flow) -> None:
    flow.bc.add("salespeoplePurchasers", code="JO", displayName="Jo")
    user = flow.dv.add_user("Ann", "Doe")["systemuserid"]
    with pytest.raises(InvalidOption, match="SALESPEOPLE flows from_remote"):
        await flow.couple("SALESPEOPLE", "JO", user, synchronise="to_remote")
    assert flow.couplings("SALESPEOPLE") == {}


async def test_an_account_may_be_a_customer_and_a_vendor_at_once(flow: Flow) -> None:
    await two_customers_and_two_accounts(flow)
    flow.bc.add("vendors", number="V10000", displayName="Adatum Corporation")
    await flow.configure("VENDOR", remote_filter=None)
    await flow.couple("CUSTOMER", "10000", "One")
    await flow.couple("VENDOR", "V10000", flow.pair_of("10000").remote_id)
    assert flow.couplings()["10000"].remote_id == flow.couplings("VENDOR")["V10000"].remote_id
