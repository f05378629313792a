"""Opening the coupled record from the other system, and being coupled by it where the mapping allows."""

import pytest

from crosstie.cli.failing import describe
from crosstie.model.errors import InvalidOption, NotCoupled, UnknownConnection, UnknownMapping, UnknownRecord

from .flow import Flow

NOBODY = "11111111-2222-3333-4444-555555555555"


def commands(error: Exception) -> tuple[str, ...]:
    return describe(error).commands


async def test_a_coupled_account_opens_its_customer(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMgtTest/OpenContactCardPageForCoupledCRMContact
    """
    pair = await flow.pair()
    opened = await flow.open("dataverse", "Account", pair.remote_id)
    assert (opened.mapping, opened.local_id, opened.coupled_now) == ("CUSTOMER", pair.local_id, False)
    assert pair.local_id in opened.address.lower()


@pytest.mark.parametrize("mapping", ["CUSTOMER", "SALESPEOPLE", "CONTACT", "CURRENCY"])
async def test_a_coupled_record_opens_its_partner_in_dataverse(flow: Flow, mapping: str) -> None:
    """
    behaviour: CRMIntegrationMgtTest/ShowCoupledCRMEntityOpensHyperlinkIfCoupled
    behaviour: CRMIntegrationMgtTest/HyperlinkForCustomer
    behaviour: NavigatetoCRMfromNAVTest/TestNavigateToCRMTransactionCurrencyFromCurrencyCard
    """
    await flow.pair()
    flow.bc.add("currencies", code="EURO", displayName="Euro")
    flow.dv.add_currency("EUR", "Euro")
    await flow.couple("CURRENCY", "EURO", "EUR", synchronise="no")
    await flow.create("SALESPEOPLE", flow.dv.add_user("Jo", "Doe")["systemuserid"], remote=True)
    await flow.create("CONTACT", str(flow.bc.person("10000", "Ann", "Beebe")["number"]))
    (coupling,) = flow.couplings(mapping).values()
    stored = flow.mapping(mapping)
    opened = await flow.open("business-central", stored.local_table, coupling.local_id)
    assert f"etn={stored.remote_table}" in opened.address
    assert coupling.remote_id in opened.address
    await flow.uncouple(mapping, coupling.local_id)
    with pytest.raises(NotCoupled):
        await flow.open("business-central", stored.local_table, coupling.local_id)


async def test_an_uncoupled_account_is_coupled_by_itself_where_the_mapping_allows(flow: Flow) -> None:
    await flow.configure("CUSTOMER", only_coupled=False)
    account = flow.dv.add_customer("Fabrikam")["accountid"]
    opened = await flow.open("remote", "account", f"{{{account.upper()}}}")
    assert (opened.mapping, opened.remote_id, opened.coupled_now) == ("CUSTOMER", account, True)
    assert flow.bc.row("customers", opened.local_id)["displayName"] == "Fabrikam"
    again = await flow.open("remote", "account", account)
    assert (again.local_id, again.coupled_now) == (opened.local_id, False)


async def test_an_uncoupled_account_is_left_alone_where_the_mapping_is_for_coupled_ones_only(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMgtTest/ShowCoupleCRMEntityAsksIfNotCoupled
    behaviour: CRMIntegrationMgtTest/ShowCoupledCRMEntityStartsCouplingIfNotCoupled
    """
    account = flow.dv.add_customer("Fabrikam")["accountid"]
    with pytest.raises(NotCoupled, match="CUSTOMER synchronises only coupled records") as refused:
        await flow.open("dataverse", "account", account)
    assert refused.value.advice == "Couple it first, or create its partner."
    assert f"crosstie couple CUSTOMER RECORD --to {account}" in commands(refused.value)
    assert flow.bc.rows("customers") == []


async def test_an_account_that_is_neither_customer_nor_vendor_says_so(flow: Flow) -> None:
    await flow.configure("CUSTOMER", only_coupled=False)
    prospect = flow.dv.add("accounts", name="Prospect", customertypecode=8)["accountid"]
    with pytest.raises(NotCoupled) as refused:
        await flow.open("dataverse", "account", prospect)
    assert "the filter of CUSTOMER leaves it out" in refused.value.words
    assert "the filter of VENDOR leaves it out" in refused.value.words
    assert flow.bc.rows("customers") == []


async def test_a_vendor_opens_as_a_vendor(flow: Flow) -> None:
    await flow.configure("VENDOR", only_coupled=False)
    account = flow.dv.add("accounts", name="Supplier", customertypecode=11)["accountid"]
    opened = await flow.open("dataverse", "account", account)
    assert opened.mapping == "VENDOR"
    assert flow.bc.row("vendors", opened.local_id)["displayName"] == "Supplier"


@pytest.mark.parametrize("noticed", [False, True])
async def test_a_partner_that_is_gone_is_not_opened_and_what_can_be_done_is_said(flow: Flow, noticed: bool) -> None:
    pair = await flow.pair()
    flow.bc.remove("customers", pair.local_id)
    if noticed:
        await flow.sync()
    with pytest.raises(UnknownRecord, match="business-central no longer has the customers") as refused:
        await flow.open("dataverse", "account", pair.remote_id)
    assert refused.value.advice == "Restore the deleted record, delete this one too, or remove the coupling."
    restore, uncouple = commands(refused.value)
    assert uncouple == f"crosstie uncouple CUSTOMER {pair.remote_id}"
    assert (await flow.crosstie(*restore.split()[1:])).code == 0
    await flow.start_afresh()
    opened = await flow.open("dataverse", "account", pair.remote_id)
    assert opened.local_id != pair.local_id
    assert flow.bc.row("customers", opened.local_id)["displayName"] == "Adatum Corporation"


async def test_an_account_that_is_gone_is_not_opened_either(flow: Flow) -> None:
    pair = await flow.pair()
    flow.dv.remove("accounts", pair.remote_id)
    with pytest.raises(UnknownRecord, match="dataverse no longer has the account"):
        await flow.open("business-central", "customers", "10000")


async def test_a_system_that_is_away_hides_no_address(flow: Flow) -> None:
    pair = await flow.pair()
    flow.bc.fault("status", status=503, times=None, method="GET", path="customers")
    opened = await flow.open("dataverse", "account", pair.remote_id)
    assert opened.local_id == pair.local_id
    flow.bc.heal()


async def test_a_record_opens_by_what_people_call_it(flow: Flow) -> None:
    pair = await flow.pair()
    assert (await flow.open("local", "customers", "10000")).remote_id == pair.remote_id
    account = flow.dv.account(pair.remote_id)
    assert (await flow.open("remote", "account", str(account["name"]))).local_id == pair.local_id


async def test_what_does_not_couple_by_itself_names_the_mapping_that_admits_it(flow: Flow) -> None:
    account = flow.dv.add("accounts", name="Supplier", customertypecode=11)["accountid"]
    with pytest.raises(NotCoupled) as refused:
        await flow.open("dataverse", "account", account)
    assert f"crosstie create VENDOR --remote {account}" in commands(refused.value)
    vendor = flow.bc.add("vendors", displayName="Supplier")["id"]
    with pytest.raises(NotCoupled) as refused:
        await flow.open("local", "vendors", vendor)
    assert f"crosstie couple VENDOR {vendor} --to RECORD" in commands(refused.value)


async def test_a_record_that_cannot_be_created_says_why(flow: Flow) -> None:
    await flow.configure("CUSTOMER", only_coupled=False)
    account = flow.dv.add_customer("Fabrikam", emailaddress1=f"{'x' * 80}@fabrikam.example")["accountid"]
    with pytest.raises(NotCoupled, match="CUSTOMER could not create its partner: E-Mail"):
        await flow.open("dataverse", "account", account)
    assert flow.bc.rows("customers") == []


@pytest.mark.parametrize(
    ("connection", "table", "id", "error", "words"),
    [
        ("nowhere", "account", NOBODY, UnknownConnection, "no connection 'nowhere'; there are: business-central"),
        ("dataverse", "incident", NOBODY, UnknownMapping, "No mapping has the table 'incident'"),
        ("dataverse", "account", NOBODY, UnknownRecord, f"dataverse has no account with the id {NOBODY}"),
        ("local", "customers", NOBODY, UnknownRecord, "business-central has no customers with the id"),
        ("local", "bankAccounts", NOBODY, UnknownMapping, "No mapping has the table 'bankAccounts'"),
        ("dataverse", "account", " ", InvalidOption, "The record's id is missing"),
        ("dataverse", "account", "42", UnknownRecord, "42"),
    ],
)
async def test_what_does_not_exist_is_named(
    flow: Flow, connection: str, table: str, id: str, error: type[Exception], words: str
) -> None:
    """
    behaviour: CRMIntegrationMgtTest/DontShowCoupledCRMEntityIfTableNotMapped
    behaviour: CRMIntegrationMgtTest/HyperlinkForUnsupportedEntity
    """
    with pytest.raises(error, match=words):
        await flow.open(connection, table, id)


async def test_the_command_line_prints_the_address_and_nothing_else(flow: Flow) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T136_DrillDownOnIntDescriptionOpensHyperlink
    """
    pair = await flow.pair()
    said = await flow.crosstie("open", "local", "customers", pair.local_id)
    assert (said.code, len(said.out.split())) == (0, 1)
    assert pair.remote_id in said.out
    refused = await flow.crosstie("open", "dataverse", "account", NOBODY, "--json")
    assert (refused.code, refused.error["code"]) == (2, "unknown-record")
