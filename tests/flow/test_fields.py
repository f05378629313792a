"""What the fields become on the other side: plain values, currencies, owners, options, primary contacts."""

from typing import Any

import msgspec
import pytest

from crosstie.model.errors import InvalidMapping
from crosstie.model.mappings import Direction

from .flow import Flow, Pair, told

# --- plain fields ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["to_remote", "from_remote"])
async def test_the_county_of_a_customer_goes_both_ways(flow: Flow, direction: str) -> None:
    """
    behaviour: CRMIntegrationMapping/SyncCustomerCountyFromCRM
    behaviour: CRMIntegrationMapping/SyncCustomerCountyFromNAV
    """
    pair = await flow.pair()
    if direction == "to_remote":
        flow.bc.change("customers", pair.local_id, state="Texas")
    else:
        flow.dv.change("accounts", pair.remote_id, address1_stateorprovince="Texas")
    await flow.sync("CUSTOMER", "10000", direction=direction)
    assert flow.bc.customer("10000")["county"] == flow.dv.account(pair.remote_id)["county"] == "Texas"


async def test_only_differing_mapped_fields_count_as_a_change(flow: Flow) -> None:
    """
    behaviour: IntegrationRecordSynchTest/VerifyTransferFieldsExistingRecord
    behaviour: IntegrationRecordSynchTest/VerifyModifiedFlagsAfterFieldsTransferWithUnchangedUnmappedField
    """
    pair = await flow.pair()
    flow.dv.change("accounts", pair.remote_id, description="Nothing of ours", telephone3="+44 3")
    flow.bc.change("customers", pair.local_id, taxRegistrationNumber="GB 1")
    async with flow.counting() as counted:
        assert told(await flow.sync("CUSTOMER", "10000", direction="to_remote")) == ({"unchanged": 1}, {})
        await flow.sync("CUSTOMER")
    assert counted.writes == {}
    flow.bc.change("customers", pair.local_id, city="Ely")
    assert told(await flow.sync("CUSTOMER", "10000", direction="to_remote")) == ({"modified": 1}, {})
    assert flow.dv.row("accounts", pair.remote_id)["description"] == "Nothing of ours"


async def test_a_one_way_field_is_decided_by_its_source_and_is_no_conflict(flow: Flow) -> None:
    """
    behaviour: IntegrationRecordSynchTest/VerifyModifiedFlagsAfterFieldsTransferWithChangedUnidirectionalField
    behaviour: IntegrationRecordSynchTest/VerifyModifiedFlagsAfterFieldsTransferWithUnchangedUnidirectionalField
    """
    pair = await flow.pair(creditLimit=100)
    await flow.sync()
    flow.dv.change("accounts", pair.remote_id, creditlimit=999)
    assert told(await flow.sync()) == ({}, {"unchanged": 1})
    assert flow.dv.account(pair.remote_id)["credit limit"] == 999, "nothing moved at the source"
    flow.bc.change("customers", pair.local_id, city="Ely")
    assert told(await flow.sync()) == ({"modified": 1}, {})
    assert flow.dv.account(pair.remote_id)["credit limit"] == 100
    assert flow.bc.customer("10000")["credit limit"] == 100
    changes = {change.field: change for change in (await flow.history("CUSTOMER", "10000"))[0].changes}
    assert (changes["creditlimit"].before, changes["creditlimit"].after) == (999, 100)


async def test_a_mapping_without_field_mappings_is_refused_before_any_record_is_read(flow: Flow) -> None:
    """
    behaviour: IntegrationTableSynchTest/MissingFieldMappingFailsHard
    """
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    await flow.configure("CUSTOMER", fields=())
    async with flow.counting() as counted:
        with pytest.raises(InvalidMapping, match="CUSTOMER"):
            await flow.sync("CUSTOMER", create=True)
    assert "GET customers" not in counted.bc.by
    assert "GET accounts" not in counted.dv.by
    assert counted.writes == {}


async def test_a_mapping_whose_field_mappings_are_all_disabled_is_refused(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMapping/SyncTableWithAllDisabledFields
    """
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    fields = tuple(msgspec.structs.replace(field, enabled=False) for field in flow.mapping().fields)
    await flow.configure("CUSTOMER", fields=fields)
    with pytest.raises(InvalidMapping, match="CUSTOMER"):
        await flow.create("CUSTOMER", "10000")
    assert flow.dv.rows("accounts") == []


async def test_the_field_mappings_of_a_mapping_are_listed_in_their_order_with_both_fields(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMapping/FieldMappingListPageShownFromTableMapping
    """
    said = await flow.crosstie("mapping", "fields", "PAYMENT TERMS", "--json")
    (only,) = said.document["fields"]
    assert (only["label"], only["local_field"], only["direction"], only["remote_field"]) == (
        "Code",
        "code",
        "to_remote",
        "label",
    )
    customer = (await flow.crosstie("mapping", "fields", "CUSTOMER", "--json")).document["fields"]
    assert [field["label"] for field in customer] == [field.label for field in flow.mapping().fields]


async def test_disabled_field_mappings_are_left_out(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMapping/SyncTableWithPartiallyDisabledFields
    """
    fields = tuple(
        msgspec.structs.replace(field, enabled=field.local_field == "displayName") for field in flow.mapping().fields
    )
    await flow.configure("CUSTOMER", fields=fields)
    pair = await flow.pair(city="Ely", phoneNumber="+44 1")
    account = flow.dv.account(pair.remote_id)
    assert (account["name"], account["city"], account["phone"]) == ("Adatum Corporation", "", "")


async def test_a_constant_is_written_on_creation_and_left_to_people_afterwards(flow: Flow) -> None:
    pair = await flow.pair()
    assert flow.dv.row("accounts", pair.remote_id)["customertypecode"] == 3
    flow.bc.change("customers", pair.local_id, city="Ely")
    flow.dv.change("accounts", pair.remote_id, customertypecode=8)
    await flow.sync("CUSTOMER", "10000", direction="to_remote")
    assert flow.dv.row("accounts", pair.remote_id)["customertypecode"] == 8


# --- currencies --------------------------------------------------------------------------------------------------


async def currencies(flow: Flow) -> dict[str, str]:
    """Set up EURO, coupled with EUR; USD on both sides, uncoupled; ISK here only and XTS there only. Ids there."""
    for code in ("EURO", "USD", "ISK"):
        flow.bc.add("currencies", code=code, displayName=code)
    ids = {code: str(flow.dv.add_currency(code, code)["transactioncurrencyid"]) for code in ("EUR", "USD", "XTS")}
    await flow.couple("CURRENCY", "EURO", "EUR", synchronise="no")
    ids["GBP"] = flow.dv.only("transactioncurrencies", "isocurrencycode eq 'GBP'")["transactioncurrencyid"]
    return ids


@pytest.mark.parametrize(
    ("code", "there"), [("", "GBP"), ("EURO", "EUR"), ("USD", "USD")], ids=["blank", "coupled", "same-code"]
)
async def test_a_currency_code_becomes_the_currency_there(flow: Flow, code: str, there: str) -> None:
    """
    behaviour: CRMIntegrationMapping/CRMContactCurrencyTransfer
    """
    await currencies(flow)
    pair = await flow.pair(currencyCode=code)
    assert flow.dv.account(pair.remote_id)["currency"] == there
    flow.bc.change("customers", pair.local_id, city="Ely")
    await flow.sync()
    assert flow.dv.account(pair.remote_id)["currency"] == there


@pytest.mark.parametrize(
    ("there", "code"), [("GBP", ""), ("EUR", "EURO"), ("USD", "USD")], ids=["local-currency", "coupled", "same-code"]
)
async def test_a_currency_there_becomes_its_code_here(flow: Flow, there: str, code: str) -> None:
    """
    behaviour: CRMIntegrationMapping/ContactCurrencyShouldGetCodeFromCoupledCurrency
    behaviour: CRMIntegrationMapping/ContactCurrencyShouldBecomeBlankOnSyncToLCYGUID
    """
    ids = await currencies(flow)
    pair = await flow.pair(currencyCode="USD" if there != "USD" else "EURO")
    bound = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({ids[there]})"}
    flow.dv.change("accounts", pair.remote_id, **bound)
    assert told(await flow.sync("CUSTOMER", "10000", direction="from_remote")) == ({}, {"modified": 1})
    assert flow.bc.only("syncCustomers", "number eq '10000'")["currencyCode"] == code


async def test_a_currency_that_is_unknown_on_the_other_side_waits(flow: Flow) -> None:
    ids = await currencies(flow)
    flow.bc.add("customers", number="20000", displayName="Trey Research", currencyCode="ISK")
    account = flow.dv.add_customer(
        "Fabrikam", **{"transactioncurrencyid@odata.bind": f"/transactioncurrencies({ids['XTS']})"}
    )["accountid"]
    report = await flow.sync("CUSTOMER", create=True)
    assert told(report) == ({"failed": 1}, {"failed": 1})
    assert {problem.code for problem in flow.problems()} == {"waiting-for-partner"}
    assert {wait["record"] for problem in flow.problems() for wait in problem.waits_for} == {"ISK", ids["XTS"]}
    assert flow.couplings() == {}
    assert [row["accountid"] for row in flow.dv.rows("accounts")] == [account]


# --- owners ------------------------------------------------------------------------------------------------------


async def salespeople(flow: Flow) -> dict[str, str]:
    """Set up ANN and BEN, coupled with users, and CY, uncoupled; return the ids of the users."""
    ids = {}
    for first in ("Ann", "Ben"):
        flow.bc.add("salespeoplePurchasers", code=first.upper(), displayName=first)
        ids[first.upper()] = str(flow.dv.add_user(first, "Doe")["systemuserid"])
        await flow.couple("SALESPEOPLE", first.upper(), ids[first.upper()], synchronise="no")
    flow.bc.add("salespeoplePurchasers", code="CY", displayName="Cy")
    return ids


def owner(flow: Flow, pair: Pair) -> str:
    return str(flow.dv.row("accounts", pair.remote_id)["_ownerid_value"])


async def test_the_owner_follows_the_salesperson(flow: Flow) -> None:
    """
    behaviour: CRMSynchHelperTest/TestUpdateOwnerIfChangedWithChange
    behaviour: CRMSynchHelperTest/TestUpdateOwnerIfChangedWithNoChange
    """
    users = await salespeople(flow)
    pair = await flow.pair(salespersonCode="ANN")
    assert owner(flow, pair) == users["ANN"]
    assert told(await flow.sync("CUSTOMER", "10000", direction="to_remote")) == ({"unchanged": 1}, {})
    flow.bc.change("customers", pair.local_id, salespersonCode="BEN")
    assert told(await flow.sync()) == ({"modified": 1}, {})
    assert owner(flow, pair) == users["BEN"]


async def test_a_customer_without_salesperson_belongs_to_the_companys_team_and_stays_with_its_owner_later(
    flow: Flow,
) -> None:
    """
    behaviour: CDSIntegrationMgtTest/SetOwningTeam
    """
    users = await salespeople(flow)
    pair = await flow.pair()
    team = flow.dv.rows("bcbi_companies")[0]["_bcbi_defaultowningteam_value"]
    assert owner(flow, pair) == team
    flow.bc.change("customers", pair.local_id, salespersonCode="ANN")
    await flow.sync()
    flow.bc.change("customers", pair.local_id, salespersonCode="")
    await flow.sync()
    assert owner(flow, pair) == users["ANN"], "a blank never takes the owner away"


async def test_an_owner_given_in_dataverse_is_not_carried_back(flow: Flow) -> None:
    """
    behaviour: CRMIntTblMapHelperTests/UpdateContactAfterTransferRecordFields
    behaviour: CRMIntTblMapHelperTests/UpdateCRMAccountAfterTransferRecordFields
    """
    users = await salespeople(flow)
    pair = await flow.pair(salespersonCode="ANN")
    flow.dv.change("accounts", pair.remote_id, **{"ownerid@odata.bind": f"/systemusers({users['BEN']})"})
    await flow.sync()
    assert flow.bc.row("customers", pair.local_id)["salespersonCode"] == "ANN"
    assert owner(flow, pair) == users["BEN"]


async def test_a_salesperson_who_is_not_coupled_holds_the_owner_and_nothing_else(flow: Flow) -> None:
    """
    behaviour: CRMIntTblMapHelperTests/CannotCallUpdateOwnerIfChangedIfSalespersonIsNotCoupled
    """
    users = await salespeople(flow)
    pair = await flow.pair(salespersonCode="ANN")
    flow.bc.change("customers", pair.local_id, salespersonCode="CY", city="Ely")
    assert (await flow.sync()).failed == 1
    problem = flow.only_problem()
    assert (problem.code, problem.words) == (
        "waiting-for-partner",
        "Salesperson Code CY is not coupled (mapping SALESPEOPLE).",
    )
    assert owner(flow, pair) == users["ANN"]
    assert flow.dv.account(pair.remote_id)["city"] == "Ely"


async def test_without_a_mapping_for_salespeople_owners_are_left_alone(flow: Flow) -> None:
    """
    behaviour: CRMIntTblMapHelperTests/CanCallUpdateOwnerIfChangedIfSalespersonIsNotCoupledIfMappingDoesNotExist
    behaviour: CRMIntTblMapHelperTests/CanCallUpdateSalespersonCodeIfChangedIfOwnerIsOfTypeTeamAndMappingDoesNotExist
    """
    await flow.configure("SALESPEOPLE", enabled=False)
    flow.bc.add("salespeoplePurchasers", code="CY", displayName="Cy")
    pair = await flow.pair(salespersonCode="CY")
    before = owner(flow, pair)
    flow.bc.change("customers", pair.local_id, city="Ely")
    assert told(await flow.sync()) == ({"modified": 1}, {})
    assert owner(flow, pair) == before
    assert flow.problems() == []


# --- options -----------------------------------------------------------------------------------------------------


async def test_payment_terms_and_shipment_methods_become_options_and_records_use_them(flow: Flow) -> None:
    matched = await flow.match("PAYMENT TERMS")
    assert matched.coupled == 3, "NET 30, NET 45 and NET 60 are options already"
    assert sorted(flow.dv.options("paymenttermscode").values()) == sorted(
        ["NET 30", "2% 10 Net 30", "NET 45", "NET 60", "14 DAYS", "CM", "COD"]
    )
    await flow.match("SHIPMENT METHOD")
    pair = await flow.pair(
        paymentTermsId=flow.bc.id_of("paymentTerms", "COD"),
        shipmentMethodId=flow.bc.id_of("shipmentMethods", "CIF"),
    )
    account = flow.dv.account(pair.remote_id)
    assert (account["payment terms"], account["shipment method"]) == ("COD", "CIF")


async def test_an_option_chosen_in_dataverse_becomes_the_code_here(flow: Flow) -> None:
    await flow.match("PAYMENT TERMS")
    pair = await flow.pair(paymentTermsId=flow.bc.id_of("paymentTerms", "COD"))
    flow.dv.change("accounts", pair.remote_id, paymenttermscode=3)
    await flow.sync()
    assert flow.bc.customer("10000")["payment terms"] == "NET 45"
    flow.dv.change("accounts", pair.remote_id, paymenttermscode=None)
    await flow.sync()
    assert flow.bc.customer("10000")["payment terms"] == ""


async def test_a_new_code_becomes_a_new_option_and_a_renamed_one_renames_it(flow: Flow) -> None:
    await flow.match("SHIPMENT METHOD")
    pair = await flow.pair(shipmentMethodId=flow.bc.id_of("shipmentMethods", "CIF"))
    before = flow.dv.options("address1_freighttermscode")
    value = flow.dv.row("accounts", pair.remote_id)["address1_freighttermscode"]
    flow.bc.change("shipmentMethods", flow.bc.id_of("shipmentMethods", "CIF"), code="CIF2")
    flow.bc.add("shipmentMethods", code="DAP", displayName="Delivered at place")
    report = await flow.sync("SHIPMENT METHOD", create=True)
    assert (report.to_remote.inserted, report.to_remote.modified, report.failed) == (1, 1, 0)
    after = flow.dv.options("address1_freighttermscode")
    assert after[value] == "CIF2"
    assert set(after.values()) - set(before.values()) == {"CIF2", "DAP"}
    assert flow.dv.row("accounts", pair.remote_id)["address1_freighttermscode"] == value


async def test_a_code_whose_option_is_not_coupled_waits_for_it(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum", paymentTermsId=flow.bc.id_of("paymentTerms", "COD"))
    await flow.sync("CUSTOMER", create=True)
    assert flow.only_problem().code == "waiting-for-partner"
    await flow.create("PAYMENT TERMS", "COD")
    report = await flow.sync("CUSTOMER")
    assert told(report) == ({"inserted": 1}, {})
    assert flow.dv.account(flow.pair_of("10000").remote_id)["payment terms"] == "COD"
    assert flow.problems() == []


# --- primary contacts --------------------------------------------------------------------------------------------


async def with_person(flow: Flow, *, coupled: bool = True) -> tuple[Pair, str, str | None]:
    """Add a customer in step with a person; return the pair, the person's number, and its id there."""
    pair = await flow.pair()
    number = str(flow.bc.person("10000", "Ann", "Beebe")["number"])
    if not coupled:
        return pair, number, None
    await flow.create("CONTACT", number)
    return pair, number, flow.couplings("CONTACT")[number].remote_id


def primary_there(flow: Flow, pair: Pair) -> Any:
    return flow.dv.row("accounts", pair.remote_id)["_primarycontactid_value"]


def primary_here(flow: Flow) -> str:
    return str(flow.bc.only("syncCustomers", "number eq '10000'")["primaryContactNo"])


async def test_the_primary_contact_goes_to_dataverse(custom_flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/UpdateCRMAccountPrimaryContactCodeFromCustomer
    """
    flow = custom_flow
    pair, number, person = await with_person(flow)
    flow.bc.change("syncCustomers", pair.local_id, primaryContactNo=number)
    await flow.sync("CUSTOMER", "10000", direction="to_remote")
    assert primary_there(flow, pair) == person


async def test_the_primary_contact_comes_from_dataverse_and_goes_again(custom_flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/UpdateCustomerPrimaryContactCodeFromCRMAccount
    behaviour: CRMEntitySynchTest/SyncSingleCustomerCRMPrimaryContactEmpty
    """
    flow = custom_flow
    pair, number, person = await with_person(flow)
    flow.dv.change("accounts", pair.remote_id, **{"primarycontactid@odata.bind": f"/contacts({person})"})
    await flow.sync("CUSTOMER", "10000", direction="from_remote")
    assert primary_here(flow) == number
    flow.dv.change("accounts", pair.remote_id, **{"primarycontactid@odata.bind": None})
    await flow.sync("CUSTOMER", "10000", direction="from_remote")
    assert primary_here(flow) == ""


async def test_a_primary_contact_that_is_not_coupled_is_cleared_there_where_the_field_says_so(
    custom_flow: Flow,
) -> None:
    """
    behaviour: CRMCouplingTest/NAVtoCRMSyncClearValueOnFailedSyncYes
    """
    flow = custom_flow
    pair, number, _ = await with_person(flow, coupled=False)
    some = flow.dv.add("contacts", lastname="Somebody")["contactid"]
    flow.dv.change("accounts", pair.remote_id, **{"primarycontactid@odata.bind": f"/contacts({some})"})
    flow.bc.change("syncCustomers", pair.local_id, primaryContactNo=number)
    report = await flow.sync("CUSTOMER", "10000", direction="to_remote")
    assert report.failed == 0
    assert primary_there(flow, pair) is None
    assert primary_here(flow) == number


async def test_a_primary_contact_that_is_not_coupled_is_a_problem_where_the_field_does_not_say_so(
    custom_flow: Flow,
) -> None:
    """
    behaviour: CRMCouplingTest/NAVtoCRMSyncClearValueOnFailedSyncNo
    """
    flow = custom_flow
    await flow.configure_field("CUSTOMER", "Primary Contact No.", clear_value_on_failed_sync=False)
    pair, number, _ = await with_person(flow, coupled=False)
    some = flow.dv.add("contacts", lastname="Somebody")["contactid"]
    flow.dv.change("accounts", pair.remote_id, **{"primarycontactid@odata.bind": f"/contacts({some})"})
    flow.bc.change("syncCustomers", pair.local_id, primaryContactNo=number)
    report = await flow.sync("CUSTOMER", "10000", direction="to_remote")
    assert report.to_remote.failed == 1
    assert f"Primary Contact No. {number} is not coupled" in flow.only_problem().words
    assert primary_there(flow, pair) == some


async def test_a_customer_and_its_primary_contact_refer_to_each_other_and_are_created_in_two_steps(
    custom_flow: Flow,
) -> None:
    flow = custom_flow
    customer = flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    number = str(flow.bc.person("10000", "Ann", "Beebe")["number"])
    flow.bc.change("syncCustomers", customer["id"], primaryContactNo=number)
    await flow.match("PAYMENT TERMS")
    await flow.match("SHIPMENT METHOD")
    reports = await flow.sync_all(create=True)
    assert (reports["CUSTOMER"].failed, reports["CONTACT"].failed) == (0, 0)
    pair, person = flow.pair_of("10000"), flow.couplings("CONTACT")[number].remote_id
    assert flow.dv.row("contacts", person)["_parentcustomerid_value"] == pair.remote_id
    await flow.sync_all()
    assert primary_there(flow, pair) == person
    assert primary_here(flow) == number
    async with flow.counting() as counted:
        await flow.sync_all()
    assert counted.writes == {}
    assert [(p.code, p.words) for p in flow.problems()] == []


async def test_the_direction_of_a_field_holds_within_a_bidirectional_mapping(flow: Flow) -> None:
    await flow.configure_field("CUSTOMER", "City", direction=Direction.FROM_REMOTE)
    pair = await flow.pair(city="Ely")
    assert flow.dv.account(pair.remote_id)["city"] == ""
    flow.dv.change("accounts", pair.remote_id, address1_city="Huntingdon")
    await flow.sync()
    assert flow.bc.customer("10000")["city"] == "Huntingdon"
    flow.bc.change("customers", pair.local_id, city="Cambridge", phoneNumber="+44 1")
    await flow.sync()
    assert flow.dv.account(pair.remote_id)["city"] == "Huntingdon"
