"""Coupled Data Synchronization Errors: problems by cause, and solving them where they are shown."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from crosstie.app.coupling import create_partners
from crosstie.app.problems import list_problems
from crosstie.app.synchronising import synchronise
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.records import Side
from tests.web.conftest import Site

HERE = "Coupled Data Synchronization Errors"


def coupled(site: Site, number: str = "10000", name: str = "Adatum", **values: Any) -> Coupling:
    """A customer and the account that was created from it, in step."""
    site.bc.add("customers", number=number, displayName=name, **values)
    site.do(lambda session: create_partners(session, "CUSTOMER", [number]))
    return coupling(site, number)


def coupling(site: Site, number: str) -> Coupling:
    with site.home.store.begin() as unit:
        return unit.couplings.by_key("CUSTOMER", Side.LOCAL, [number])[number]


def is_coupled(site: Site, number: str) -> bool:
    with site.home.store.begin() as unit:
        return number in unit.couplings.by_key("CUSTOMER", Side.LOCAL, [number])


def sync(site: Site, *numbers: str) -> None:
    site.do(lambda session: synchronise(session, "CUSTOMER", numbers))


def conflict(site: Site) -> Coupling:
    """A customer whose city was changed on both sides."""
    found = coupled(site, city="Decatur")
    site.bc.edit_customer("10000", city="Atlanta")
    site.dv.change("accounts", found.remote_id, address1_city="Marietta")
    sync(site, "10000")
    return found


def deleted(site: Site, *numbers: str) -> list[Coupling]:
    """Customers whose accounts were deleted."""
    found = [coupled(site, number, f"Gone {number}", city="Ely") for number in numbers]
    for each in found:
        site.dv.remove("accounts", each.remote_id)
    sync(site, *numbers)
    return found


def skipped(site: Site, numbers: Sequence[str]) -> list[Coupling]:
    """Customers whose accounts the system would not write, twice in a row; it would now."""
    found = [coupled(site, number, f"Paused {number}") for number in numbers]
    site.dv.switch(refuse_write_ids=[each.remote_id for each in found])
    for number in numbers:
        site.bc.edit_customer(number, phoneNumber=f"555 {number}")
    for _ in range(2):
        sync(site, *numbers)
    assert all(coupling(site, number).state is CouplingState.SKIPPED for number in numbers)
    site.dv.switch(refuse_write_ids=[])
    return found


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def group(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title)


def nothing_open(page: Page) -> None:
    expect(page.get_by_text("Nothing needs a person.")).to_be_visible()


def test_a_conflict_shows_its_values_and_is_settled_for_a_side_and_undone(page: Page, small: Site) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T121_SynchronizeOfBidirectionalTableRequestsDirection
    """
    found = conflict(small)
    page.goto("/problems")
    expect(page.get_by_role("heading", name=HERE)).to_be_visible()
    one = group(page, "The same field was changed on both sides")
    expect(one).to_contain_text("1 new since yesterday")
    expect(one.get_by_role("row", name="City Decatur Atlanta Marietta")).to_be_visible()
    for side, id in (("local", found.local_id), ("remote", found.remote_id)):
        expect(one.locator(f"a[href='/records/CUSTOMER/{side}/{id}']")).to_be_visible()
    one.get_by_role("button", name="Synchronise").first.click()
    expect(dialog(page)).to_contain_text("Whose values are to win")
    dialog(page).get_by_label("Get data update from Dataverse").check()
    dialog(page).get_by_role("button", name="Synchronise 1 record").click()
    expect(dialog(page)).to_contain_text("1 of 1 problem solved")
    expect(dialog(page)).to_contain_text("1 field changed in Business Central")
    assert small.bc.customer("10000")["city"] == "Marietta"
    assert small.dv.account(found.remote_id)["city"] == "Marietta"
    expect(page.get_by_text("Nothing needs a person.")).to_be_attached()
    dialog(page).get_by_role("button", name="Undo").click()
    expect(dialog(page)).to_contain_text("1 record as before")
    assert small.bc.customer("10000")["city"] == "Atlanta"
    assert small.dv.account(found.remote_id)["city"] == "Marietta"


def test_selected_records_are_retried_and_the_others_stay(page: Page, small: Site) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T111_RestoreOfTwoSelectedLinesRestoresTwoRecs
    behaviour: CRMSynchSkippedRecords/T115_RestoredRecIsNotSkippedIfSynchSuccessful
    behaviour: CRMSynchSkippedRecords/T116_RestoreAllRestoresAllRecs
    behaviour: CRMSynchSkippedRecords/T190_UpdateSourceTableRemovesNotSkippedRecords
    """
    found = skipped(small, ["10000", "20000", "30000"])
    page.goto("/problems")
    one = group(page, "The connection's user may not write the record")
    expect(one.get_by_text("Skipped")).to_have_count(3)
    chosen = one.get_by_role("toolbar", name="Selected records")
    chosen.get_by_role("button", name="Retry").click()
    expect(dialog(page)).to_contain_text("No record is selected.")
    dialog(page).get_by_role("button", name="Close").click()
    one.get_by_label("Select 10000 Paused 10000").check()
    one.get_by_label("Select 20000 Paused 20000").check()
    chosen.get_by_role("button", name="Retry").click()
    expect(dialog(page)).to_contain_text("2 of 2 problems solved")
    expect(dialog(page)).to_contain_text("1 field changed in Dataverse")
    dialog(page).get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("status").filter(has_text="open")).to_contain_text("1 open")
    phones = [small.dv.account(each.remote_id)["phone"] for each in found]
    assert phones == ["555 10000", "555 20000", ""]
    states = [coupling(small, number).state for number in ("10000", "20000", "30000")]
    assert states == [CouplingState.IN_STEP, CouplingState.IN_STEP, CouplingState.SKIPPED]
    page.get_by_role("button", name="Retry All (1)").click()
    expect(dialog(page)).to_contain_text("1 of 1 problem solved")
    assert small.dv.account(found[2].remote_id)["phone"] == "555 30000"
    assert list_problems(small.home) == []


def test_what_is_still_in_the_way_is_said_beside_each_record(page: Page, small: Site) -> None:
    found = skipped(small, ["10000"])
    small.dv.switch(refuse_write_ids=[found[0].remote_id])
    page.goto("/problems")
    page.get_by_role("button", name="Retry All (1)").click()
    expect(dialog(page)).to_contain_text("0 of 1 problem solved")
    expect(dialog(page)).to_contain_text("Still open")
    expect(dialog(page)).to_contain_text("is missing prvWriteAccount privilege")
    dialog(page).get_by_role("link", name="write-denied").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("write-denied: ")


def test_a_deleted_record_is_restored_from_the_one_that_is_left(page: Page, small: Site) -> None:
    deleted(small, "10000")
    page.goto("/problems")
    one = group(page, "The record is coupled to a deleted record")
    expect(one.get_by_text("Deleted in Dataverse")).to_be_visible()
    one.get_by_role("button", name="Retry").first.click(force=True)  # it is greyed, and says why
    expect(page.locator("#notices")).to_contain_text("A person has to decide")
    one.get_by_role("button", name="Restore Records").first.click()
    expect(dialog(page)).to_contain_text("10000 Gone 10000 is created in Dataverse")
    dialog(page).get_by_role("button", name="Restore 1 record").click()
    expect(dialog(page)).to_contain_text("1 of 1 problem solved")
    expect(dialog(page)).to_contain_text("Created in Dataverse")
    anew = coupling(small, "10000")
    assert small.dv.account(anew.remote_id)["city"] == "Ely"
    assert small.bc.customer("10000")["name"] == "Gone 10000"
    dialog(page).get_by_role("button", name="Close").last.click()
    nothing_open(page)


def test_a_record_whose_partner_is_gone_is_deleted_after_a_question_only(page: Page, small: Site) -> None:
    pair = deleted(small, "10000", "20000")
    page.goto("/problems")
    one = group(page, "The record is coupled to a deleted record")
    one.get_by_label("Select 20000 Gone 20000").check()
    chosen = one.get_by_role("toolbar", name="Selected records")
    chosen.get_by_role("button", name="Delete Records").click()
    expect(dialog(page).get_by_role("listitem")).to_have_text([re.compile("20000 Gone 20000 is deleted in Business")])
    dialog(page).get_by_role("button", name="Cancel").click()
    assert small.bc.exists("customers", pair[1].local_id)
    chosen.get_by_role("button", name="Delete Records").click()
    dialog(page).get_by_role("button", name="Delete 1 record").click()
    expect(dialog(page)).to_contain_text("Deleted in Business Central")
    assert not small.bc.exists("customers", pair[1].local_id)
    assert small.bc.exists("customers", pair[0].local_id)
    assert not is_coupled(small, "20000")
    dialog(page).get_by_role("button", name="Undo").click()
    expect(dialog(page)).to_contain_text("1 record as before")
    assert small.bc.customer("20000")["city"] == "Ely"


def test_of_a_record_deleted_in_business_central_only_what_can_be_done_is_offered(page: Page, small: Site) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T170_RestoreSyncLogActionsDisabledIfNAVRecordDeleted
    behaviour: CRMSynchSkippedRecords/T130_SkippedRecsListOpenFromCRMConnectionSetup
    """
    found = coupled(small)
    small.bc.remove("customers", found.local_id)
    sync(small, found.remote_id)
    page.goto("/connections")
    page.locator(".commands").get_by_role("link", name="Errors").click()
    one = group(page, "The record is coupled to a deleted record")
    row = one.get_by_role("row", name="Deleted in Business Central")
    expect(row).to_contain_text("10000 Adatum")
    expect(row.locator("time")).to_have_count(1)
    expect(row.get_by_role("link", name="History of 10000 Adatum")).to_be_visible()
    for name, can in (("Retry", False), ("Synchronise", False), ("Delete Couplings", True), ("Restore Records", True)):
        button = one.get_by_role("toolbar", name="Selected records").get_by_role("button", name=name)
        expect(button).to_have_attribute("aria-disabled", "true") if not can else expect(button).to_be_enabled()
    expect(row.get_by_role("button", name="Set Up Coupling")).to_have_count(0)
    one.get_by_role("button", name="Restore Records").first.click()
    dialog(page).get_by_role("button", name="Restore 1 record").click()
    expect(dialog(page)).to_contain_text("Created in Business Central")
    assert small.bc.only("customers", "displayName eq 'Adatum'")["id"] != found.local_id


def test_couplings_are_deleted_from_the_errors_page_and_the_records_stay(page: Page, small: Site) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T191_UpdateSourceTableRemovesNotExistingCouplings
    """
    found = conflict(small)
    page.goto("/problems")
    one = group(page, "The same field was changed on both sides")
    one.get_by_role("button", name="Delete Couplings").first.click()
    expect(dialog(page)).to_contain_text("Neither of them is deleted")
    dialog(page).get_by_role("button", name="Delete coupling of 1 record").click()
    expect(dialog(page)).to_contain_text("1 of 1 problem solved")
    assert not is_coupled(small, "10000")
    assert small.bc.customer("10000")["city"] == "Atlanta"
    assert small.dv.account(found.remote_id)["city"] == "Marietta"
    dialog(page).get_by_role("button", name="Close").last.click()
    nothing_open(page)


def test_those_that_wait_heal_when_what_they_wait_for_is_created(page: Page, small: Site) -> None:
    small.bc.add("customers", number="10000", displayName="Adatum")
    people = [small.bc.person("10000", "Ann", f"Beebe {number}") for number in (1, 2)]
    ids = [str(each["id"]) for each in people]
    small.do(lambda session: create_partners(session, "CONTACT", ids))
    page.goto("/problems")
    one = group(page, "Waiting for CUSTOMER 10000 to be coupled")
    one.get_by_role("button", name="Couple or create CUSTOMER 10000 (fixes 2)").click()
    expect(dialog(page)).to_contain_text("2 records wait until 10000 Adatum (CUSTOMER) is coupled")
    dialog(page).get_by_role("button", name="Create in Dataverse (fixes 2)").click()
    expect(dialog(page)).to_contain_text("is created in Dataverse and coupled")
    expect(dialog(page)).to_contain_text("2 of 2 records that waited are in step")
    account = small.dv.account_named("Adatum")
    contacts = small.dv.rows("contacts", f"_parentcustomerid_value eq {account['accountid']}")
    assert sorted(each["lastname"] for each in contacts) == ["Beebe 1", "Beebe 2"]
    dialog(page).get_by_role("button", name="Close").last.click()
    nothing_open(page)


def test_more_than_fifty_records_are_a_job_whose_progress_is_shown(working_page: Page, working: Site) -> None:
    page = working_page
    numbers = [str(10_000 + number) for number in range(51)]
    working.bc.add_many("customers", [{"number": each, "displayName": f"Many {each}"} for each in numbers])
    working.dv.switch(refuse_tables=["account"])
    working.do(lambda session: create_partners(session, "CUSTOMER", numbers))
    working.dv.switch(refuse_tables=[])
    page.goto("/problems")
    page.get_by_role("button", name="Retry All (51)").click()
    expect(dialog(page)).to_contain_text("51 records are worked on")
    expect(dialog(page).get_by_text("Finished")).to_be_visible(timeout=60_000)
    expect(dialog(page)).to_contain_text("51 inserted")
    dialog(page).get_by_role("button", name="Close").last.click()
    nothing_open(page)
    assert len(working.dv.rows("accounts", "startswith(name,'Many ')")) == 51


def test_a_group_of_more_than_a_hundred_is_paged_and_filters_find_what_is_looked_for(page: Page, small: Site) -> None:
    numbers = [str(10_000 + number) for number in range(120)]
    small.bc.add_many("customers", [{"number": each, "displayName": f"Many {each}"} for each in numbers])
    small.dv.switch(refuse_tables=["account"])
    small.do(lambda session: create_partners(session, "CUSTOMER", numbers))
    page.goto("/problems")
    expect(page.get_by_role("checkbox", name=re.compile("Select 1"))).to_have_count(100)
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("checkbox", name=re.compile("Select 1"))).to_have_count(20)
    page.get_by_label("Search", exact=True).fill("many 10007")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("checkbox", name=re.compile("Select 1"))).to_have_count(1)
    page.get_by_label("Mapping").select_option("CUSTOMER")
    page.get_by_label("Search", exact=True).fill("nobody")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No open problem fits the filter.")).to_be_visible()


@pytest.mark.parametrize(
    "address", ["/problems?class=nothing", "/problems/delete?problem=x", "/problems/partner?waits=x"]
)
def test_an_address_that_says_nothing_is_refused_in_words(page: Page, small: Site, address: str) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.status in (400, 422)
    expect(page.get_by_role("alert")).to_be_visible()
