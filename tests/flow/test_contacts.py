"""Contacts, whose company is a customer or vendor here and an account there."""

import pytest

from .desks import Json
from .flow import Flow, Pair, told

CONTACTS = "syncContacts"


def add_remote_person(flow: Flow, parent: str | None, first: str = "Ann", last: str = "Beebe", **values: object) -> str:
    bound = {"parentcustomerid_account@odata.bind": f"/accounts({parent})"} if parent else {}
    return str(flow.dv.add("contacts", firstname=first, lastname=last, **bound, **values)["contactid"])


def people(flow: Flow) -> list[Json]:
    return flow.bc.rows(CONTACTS, "type eq 'Person'")


async def coupled_people(flow: Flow) -> tuple[Pair, str, str]:
    """Add a customer with a person, both coupled; return the pair and the ids of the person."""
    pair = await flow.pair()
    person = flow.bc.person("10000", "Ann", "Beebe")
    await flow.create("CONTACT", str(person["number"]))
    return pair, str(person["id"]), flow.couplings("CONTACT")[person["number"]].remote_id


async def test_a_contact_of_a_coupled_account_becomes_a_contact_of_the_customers_company(flow: Flow) -> None:
    """
    behaviour: CRMCouplingTest/CreateContactFromCRM
    behaviour: CRMSynchRulesTest/NewCRMContactSyncedToNewNAVContactIfParentIsCoupled
    behaviour: CRMIntTblMapHelperTests/UpdateContactBeforeInsertRecord
    """
    pair = await flow.pair()
    remote = add_remote_person(flow, pair.remote_id, emailaddress1="ann@adatum.example")
    report = await flow.create("CONTACT", remote, remote=True)
    assert told(report) == ({}, {"inserted": 1})
    (made,) = people(flow)
    assert made["companyNumber"] == flow.bc.company_contact("10000")["number"]
    assert (made["firstName"], made["surname"], made["email"]) == ("Ann", "Beebe", "ann@adatum.example")
    assert made["number"], "taken from the number series"
    assert flow.couplings("CONTACT")[made["number"]].remote_id == remote


async def test_a_person_of_a_coupled_customer_becomes_a_contact_of_the_account(flow: Flow) -> None:
    pair, _, remote = await coupled_people(flow)
    row = flow.dv.row("contacts", remote)
    assert row["_parentcustomerid_value"] == pair.remote_id
    assert row["fullname"] == "Ann Beebe"


@pytest.mark.parametrize("remote", [True, False], ids=["from-dataverse", "from-business-central"])
async def test_a_contact_of_an_uncoupled_company_waits_and_follows_by_itself(flow: Flow, remote: bool) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    account = flow.dv.add_customer("Adatum Corporation")["accountid"]
    if remote:
        named = add_remote_person(flow, account)
    else:
        named = str(flow.bc.person("10000", "Ann", "Beebe")["number"])
    report = await flow.create("CONTACT", named, remote=remote)
    assert report.failed == 1
    problem = flow.only_problem("CONTACT")
    assert problem.code == "waiting-for-partner"
    assert [wait["mapping"] for wait in problem.waits_for] == ["CUSTOMER"]
    await flow.couple("CUSTOMER", "10000", account)
    await flow.sync("CONTACT")
    assert flow.problems("CONTACT") == []
    (coupling,) = flow.couplings("CONTACT").values()
    assert flow.dv.row("contacts", coupling.remote_id)["_parentcustomerid_value"] == account
    assert flow.bc.row(CONTACTS, coupling.local_id)["businessRelationNumber"] == "10000"


async def test_a_contact_without_a_parent_account_is_refused(flow: Flow) -> None:
    """
    behaviour: CRMIntTblMapHelperTests/UpdateContactBeforeInsertRecord
    """
    remote = add_remote_person(flow, None)
    report = await flow.create("CONTACT", remote, remote=True)
    assert told(report) == ({}, {"failed": 1})
    assert flow.only_problem("CONTACT").code == "not-eligible"
    assert people(flow) == []


async def test_a_contact_of_an_account_that_is_neither_customer_nor_vendor_has_no_company(flow: Flow) -> None:
    """
    behaviour: CRMSynchRulesTest/TestSynchCRMContactWithNonCustomerCRMAccountParent
    """
    prospect = flow.dv.add("accounts", name="Prospect", customertypecode=8)["accountid"]
    remote = add_remote_person(flow, prospect)
    report = await flow.create("CONTACT", remote, remote=True)
    assert told(report) == ({}, {"inserted": 1})
    (made,) = people(flow)
    assert (made["companyNumber"], made["companyName"]) == ("", "")
    assert flow.couplings("CONTACT")[made["number"]].remote_id == remote
    assert (flow.bc.rows("customers"), flow.couplings("CUSTOMER")) == ([], {})


async def test_a_contact_of_a_company_without_customer_or_vendor_is_passed_over_unless_it_is_named(flow: Flow) -> None:
    company = flow.bc.add(CONTACTS, type="Company", displayName="Nobody's")
    person = flow.bc.add(CONTACTS, type="Person", companyNumber=company["number"], firstName="Ann", surname="Beebe")
    report = await flow.sync("CONTACT", create=True)
    assert told(report) == ({}, {})
    assert flow.problems("CONTACT") == []
    report = await flow.create("CONTACT", str(person["number"]))
    assert told(report) == ({"failed": 1}, {})
    assert "neither a customer nor a vendor" in flow.only_problem("CONTACT").words
    assert flow.dv.rows("contacts") == []


async def test_company_contacts_are_none_of_the_mapping(flow: Flow) -> None:
    """
    behaviour: CRMSynchRulesTest/TestCoupleCompanyContactThroughUI
    """
    await flow.pair()
    company = flow.bc.company_contact("10000")
    assert told(await flow.sync("CONTACT", create=True)) == ({}, {})
    report = await flow.create("CONTACT", str(company["number"]))
    assert told(report) == ({"failed": 1}, {})
    assert flow.dv.rows("contacts") == []


async def test_what_was_edited_while_a_contact_had_no_account_is_carried_over_once_it_has_one(flow: Flow) -> None:
    """Naming it meanwhile is refused, and takes nothing of what was edited for agreed."""
    pair, local, remote = await coupled_people(flow)
    flow.dv.change("contacts", remote, lastname="Cassin", **{"parentcustomerid_account@odata.bind": None})
    report = await flow.sync("CONTACT", local)
    assert report.failed == 1
    assert flow.only_problem("CONTACT").code == "not-eligible"
    flow.dv.change("contacts", remote, **{"parentcustomerid_account@odata.bind": f"/accounts({pair.remote_id})"})
    await flow.sync("CONTACT")
    assert flow.bc.row(CONTACTS, local)["surname"] == "Cassin"
    assert flow.problems("CONTACT") == []


async def test_a_new_surname_goes_to_dataverse(flow: Flow) -> None:
    """
    behaviour: CRMSynchRulesTest/ModifiedNAVContactSyncedToCRMContact
    """
    _, local, remote = await coupled_people(flow)
    flow.bc.change(CONTACTS, local, surname="Cassin")
    await flow.sync("CONTACT", local, direction="to_remote")
    assert flow.dv.row("contacts", remote)["fullname"] == "Ann Cassin"


async def test_the_county_of_a_contact_comes_from_dataverse(flow: Flow) -> None:
    """
    behaviour: CRMIntegrationMapping/SyncContactCountyFromCRM
    """
    _, local, remote = await coupled_people(flow)
    flow.dv.change("contacts", remote, address1_stateorprovince="Texas")
    await flow.sync("CONTACT", remote, direction="from_remote")
    assert flow.bc.row(CONTACTS, local)["state"] == "Texas"


async def test_contacts_coupled_while_their_companies_are_not_still_exchange_their_other_fields(flow: Flow) -> None:
    """
    behaviour: CRMSynchRulesTest/TestSynchContactCoupledToCRMContactWhileParentsAreNotCoupled
    """
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    account = flow.dv.add_customer("Somebody Else")["accountid"]
    person = flow.bc.person("10000", "Ann", "Cassin")
    remote = add_remote_person(flow, account)
    await flow.couple("CONTACT", str(person["number"]), remote, synchronise="no")
    await flow.sync("CONTACT", str(person["number"]), direction="to_remote")
    assert flow.dv.row("contacts", remote)["lastname"] == "Cassin"
    assert flow.dv.row("contacts", remote)["_parentcustomerid_value"] == account
    assert flow.only_problem("CONTACT").code == "waiting-for-partner"


async def test_the_company_contact_follows_the_customer_that_dataverse_has_renamed(flow: Flow) -> None:
    """
    behaviour: IntegrationTableSynchTest/TestSynchronizeContactAfterSyncCustomer
    """
    pair = await flow.pair()
    flow.dv.change("accounts", pair.remote_id, name="Adatum Ltd.")
    await flow.sync("CUSTOMER", "10000", direction="from_remote")
    assert flow.bc.company_contact("10000")["displayName"] == "Adatum Ltd."
