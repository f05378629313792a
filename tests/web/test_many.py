"""Work on what is selected in a list: plans, results, undo, and jobs whose progress is seen live."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from crosstie.app.coupling import create_partners, list_couplings
from crosstie.app.selecting import Selection
from tests.web.conftest import Site
from tests.web.pairs import account, coupling, customer, pair
from tests.web.test_lists import many, row, rows, said


def select(page: Page, *words: str) -> None:
    for each in words:
        row(page, each).get_by_role("checkbox").check()


def opened(page: Page, action: str) -> Locator:
    """Choose an action of the command bar and return the dialog that it opens."""
    page.get_by_role("toolbar").get_by_role("button", name=action).click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("heading", level=1)).to_be_visible()
    return dialog


def group(dialog: Locator, words: str) -> Locator:
    return dialog.locator(".plan-group", has=dialog.page.locator("h2", has_text=words))


def test_many_are_synchronised_as_the_plan_shows_them(page: Page, small: Site) -> None:
    """behaviour: CRMIntegrationMgtTest/UpdateMultipleNowToCRMForMany
    behaviour: CRMIntegrationMgtTest/UpdateMultipleNowFromCRMForMany
    """
    _, sent = pair(small, "10000", displayName="Adatum", city="Ely")
    _, got = pair(small, "20000", displayName="Trey Research", city="London")
    _, both = pair(small, "30000", displayName="School of Fine Art", city="Bath")
    pair(small, "40000", displayName="Alpine Ski House")
    customer(small, "50000", displayName="Relecloud")
    small.bc.edit_customer("10000", city="Cambridge")
    small.dv.change("accounts", got, telephone1="555 0100")
    small.bc.edit_customer("30000", city="Bristol")
    small.dv.change("accounts", both, address1_city="Wells")
    page.goto("/lists/CUSTOMER")
    page.get_by_role("checkbox", name="Select all rows of this page").check()
    dialog = opened(page, "Synchronise now")
    update = group(dialog, "Will be updated")
    expect(update).to_contain_text("City in Dataverse: Ely → Cambridge")
    expect(update).to_contain_text("Phone No. in Business Central: 555 0100")
    expect(group(dialog, "Conflict")).to_contain_text("Business Central Bristol, Dataverse Wells")
    expect(group(dialog, "Unchanged").locator("h2")).to_contain_text("1")
    expect(group(dialog, "Not coupled")).to_contain_text("Relecloud")
    assert small.dv.account(sent)["city"] == "Ely", "nothing is written before the plan is applied"
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("heading", name="Synchronised")).to_be_visible()
    expect(dialog.get_by_role("status")).to_contain_text("2 modified")
    assert small.dv.account(sent)["city"] == "Cambridge"
    assert small.bc.customer("20000")["phone"] == "555 0100"
    assert (small.bc.customer("30000")["city"], small.dv.account(both)["city"]) == ("Bristol", "Wells")
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.get_by_role("heading", name="Undone")).to_be_visible()
    assert small.dv.account(sent)["city"] == "Ely"
    assert small.bc.customer("20000")["phone"] == ""


def test_a_direction_settles_conflicts_and_says_what_is_lost(page: Page, small: Site) -> None:
    _, remote = pair(small, "10000", displayName="Adatum", city="Ely")
    pair(small, "20000", displayName="Trey Research")
    small.bc.edit_customer("10000", city="Bristol")
    small.dv.change("accounts", remote, address1_city="Wells")
    page.goto("/lists/CUSTOMER")
    select(page, "10000", "20000")
    dialog = opened(page, "Synchronise now")
    expect(group(dialog, "Conflict")).to_be_visible()
    dialog.get_by_role("radio", name="Send data update to Dataverse").check()
    expect(group(dialog, "Will be updated")).to_contain_text("City in Dataverse: Wells → Bristol")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("heading", name="Synchronised")).to_be_visible()
    assert small.dv.account(remote)["city"] == "Bristol"


def test_what_moved_since_the_plan_is_shown_again_and_not_written(page: Page, small: Site) -> None:
    _, remote = pair(small, "10000", displayName="Adatum", city="Ely")
    pair(small, "20000", displayName="Trey Research")
    small.bc.edit_customer("10000", city="Cambridge")
    page.goto("/lists/CUSTOMER")
    select(page, "10000", "20000")
    dialog = opened(page, "Synchronise now")
    small.bc.edit_customer("10000", city="Soham")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("alert")).to_contain_text("1 record has changed since the plan was shown")
    expect(group(dialog, "Will be updated")).to_contain_text("Ely → Soham")
    assert small.dv.account(remote)["city"] == "Ely"
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("heading", name="Synchronised")).to_be_visible()
    assert small.dv.account(remote)["city"] == "Soham"


def test_partners_are_created_and_what_is_there_already_is_linked_instead(page: Page, small: Site) -> None:
    known = customer(small, "10000", displayName="Adatum", email="info@adatum.example", phoneNumber="+44 1223 496 007")
    there = account(
        small, "Adatum", accountnumber="10000", emailaddress1="info@adatum.example", telephone1="+44 1223 496 007"
    )
    fresh = customer(small, "20000", displayName="Trey Research", city="London")
    left = customer(small, "30000", displayName="Relecloud")
    page.goto("/lists/CUSTOMER")
    select(page, "10000", "20000", "30000")
    dialog = opened(page, "Create Account in Dataverse")
    expect(dialog.get_by_label("What is done for 10000 Adatum")).to_have_value(f"{known}|link:{there}")
    expect(dialog).to_contain_text("May be there already: Adatum")
    expect(dialog.get_by_label("What is done for 20000 Trey Research")).to_have_value(f"{fresh}|create")
    dialog.get_by_label("What is done for 30000 Relecloud").select_option("Leave out")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("heading", name="Created and coupled")).to_be_visible()
    linked, made = coupling(small, known), coupling(small, fresh)
    assert linked is not None
    assert linked.remote_id == there
    assert made is not None
    assert small.dv.account(made.remote_id)["city"] == "London"
    assert coupling(small, left) is None
    assert len(small.dv.rows("accounts", "name eq 'Adatum'")) == 1
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(row(page, "20000")).to_contain_text("In step")
    expect(row(page, "30000")).to_contain_text("Not coupled")


def test_customers_are_created_from_accounts(page: Page, small: Site) -> None:
    """behaviour: CRMIntegrationMgtTest/CreateNewRecordsFromCRMForMany"""
    remote = account(small, "Relecloud", address1_city="Bath")
    other = account(small, "Trey Research", address1_city="Ely")
    page.goto("/lists/CUSTOMER/remote")
    select(page, "Relecloud", "Trey Research")
    dialog = opened(page, "Create Customer in Business Central")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("status")).to_contain_text("2 inserted")
    made = {each.remote_id: each.local_key or "" for each in list_couplings(small.home, "CUSTOMER").couplings}
    assert made.keys() == {remote, other}
    assert small.bc.customer(made[remote])["city"] == "Bath"


@pytest.mark.parametrize(
    ("action", "heading"),
    [
        ("Synchronise now", "Synchronise customer 10000 · Adatum"),
        ("Delete Coupling", "Delete Coupling"),
        ("Create Account in Dataverse", "Set Up Coupling"),
    ],
)
def test_one_selected_row_opens_the_dialog_of_one_record(page: Page, small: Site, action: str, heading: str) -> None:
    if action == "Create Account in Dataverse":
        customer(small, "10000")
        account(small, "Adatum")
    else:
        _, remote = pair(small, "10000", city="Ely")
        small.dv.change("accounts", remote, address1_city="Bath")
    page.goto("/lists/CUSTOMER")
    select(page, "10000")
    dialog = opened(page, action)
    expect(dialog.get_by_role("heading", name=heading)).to_be_visible()
    if action == "Synchronise now":
        expect(dialog.get_by_role("row").filter(has_text="City")).to_contain_text("Bath")
        dialog.get_by_role("button", name="Apply (1 change)").click()
        expect(dialog.get_by_role("status")).to_contain_text("Synchronised. 1 field changed")
        assert small.bc.customer("10000")["city"] == "Bath"
    elif action == "Delete Coupling":
        dialog.get_by_role("button", name="Delete Coupling").click()
        expect(dialog.get_by_role("status")).to_contain_text("Coupling deleted.")
        dialog.get_by_role("button", name="Close", exact=True).last.click()
        expect(row(page, "10000")).to_contain_text("Not coupled")
    else:
        expect(dialog.get_by_role("checkbox", name="Create New")).to_be_checked()
        expect(dialog).to_contain_text("Adatum may be this record already")
        dialog.get_by_role("button", name="OK").click()
        expect(dialog.get_by_role("status").first).to_contain_text("Created and coupled.")
        assert len(small.dv.rows("accounts", "name eq 'Adatum'")) == 2


def test_more_than_a_page_is_created_and_uncoupled_by_a_worker_before_ones_eyes(
    working_page: Page, working: Site
) -> None:
    page = working_page
    many(working, 60)
    page.goto("/lists/CUSTOMER")
    page.get_by_role("checkbox", name="Select all rows of this page").check()
    page.get_by_role("button", name="Select all 60 that match").click()
    dialog = opened(page, "Create Account in Dataverse")
    dialog.get_by_role("button", name="Start the job").click()
    expect(dialog).to_contain_text("60 of 60 records", timeout=60_000)
    expect(dialog).to_contain_text("60 inserted", timeout=30_000)
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(page.get_by_role("link", name=re.compile("In step 60"))).to_be_visible()
    assert len(working.dv.rows("accounts")) == 60
    expect(said(page)).to_have_text("All that match are selected: 60")
    rows(page).first.get_by_role("checkbox").uncheck()
    dialog = opened(page, "Delete Coupling")
    expect(dialog.get_by_role("heading", name="Delete 59 couplings")).to_be_visible()
    dialog.get_by_role("button", name="Delete 59 couplings").click()
    expect(dialog).to_contain_text("59 uncoupled", timeout=60_000)
    assert len(list_couplings(working.home, "CUSTOMER").couplings) == 1


def test_thousands_are_synchronised_by_their_states(working_page: Page, working: Site) -> None:
    many(working, 60)
    working.do(lambda session: create_partners(session, "CUSTOMER", selection=Selection(all=True)))
    working.bc.change_many(
        "customers", [each.local_id for each in list_couplings(working.home, "CUSTOMER").couplings[:55]], city="Bath"
    )
    page = working_page
    page.goto("/lists/CUSTOMER")
    page.get_by_role("checkbox", name="Select all rows of this page").check()
    page.get_by_role("button", name="Select all 60 that match").click()
    dialog = opened(page, "Synchronise now")
    expect(dialog.get_by_role("checkbox", name=re.compile("In step"))).to_be_checked()
    dialog.get_by_role("button", name="Start the job").click()
    expect(dialog).to_contain_text("55 modified", timeout=60_000)
    assert len(working.dv.rows("accounts", "address1_city eq 'Bath'")) == 55


def test_many_are_planned_looked_through_and_carried_out_as_shown(calm_page: Page, calm: Site) -> None:
    many(calm, 60)
    calm.do(lambda session: create_partners(session, "CUSTOMER", selection=Selection(all=True)))
    couplings = sorted(list_couplings(calm.home, "CUSTOMER").couplings, key=lambda each: each.local_key or "")
    calm.bc.change_many("customers", [each.local_id for each in couplings[:55]], city="Bath")
    calm.dv.change("accounts", couplings[0].remote_id, address1_city="Wells")
    page = calm_page
    page.goto("/lists/CUSTOMER")
    page.get_by_role("checkbox", name="Select all rows of this page").check()
    page.get_by_role("button", name="Select all 60 that match").click()
    dialog = opened(page, "Synchronise now")
    dialog.get_by_role("button", name="Make a plan").click()
    dialog.get_by_role("link", name="Open the plan").click(timeout=60_000)
    expect(page.get_by_role("heading", name="What would become of 60 records")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Will be updated 54")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Conflict 1")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Unchanged 5")).to_be_visible()
    assert not calm.dv.rows("accounts", "address1_city eq 'Bath'"), "a plan writes nothing"
    groups = page.get_by_role("navigation", name="Groups")
    groups.get_by_role("link", name="Conflict 1").click()
    expect(page.get_by_role("table")).to_contain_text("Business Central Bath, Dataverse Wells")
    groups.get_by_role("link", name="Will be updated 54").click()
    expect(page.get_by_role("row").filter(has_text="City in Dataverse:")).to_have_count(50)
    page.get_by_role("link", name="More").click()
    expect(page.get_by_role("row").filter(has_text="City in Dataverse:")).to_have_count(4)
    calm.bc.change("customers", couplings[7].local_id, city="Soham")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("53 modified", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_text("1 record had changed since the plan was made")).to_be_visible()
    assert len(calm.dv.rows("accounts", "address1_city eq 'Bath'")) == 53
    page.get_by_role("link", name="the plan", exact=True).click()
    page.get_by_role("button", name="Plan anew").click()
    expect(page.get_by_role("listitem").filter(has_text="Will be updated 1")).to_be_visible(timeout=60_000)


def test_a_mapping_is_planned_before_it_is_synchronised(calm_page: Page, calm: Site) -> None:
    customer(calm, "10000")
    page = calm_page
    page.goto("/mappings/CUSTOMER")
    page.get_by_role("button", name="Run Full Synchronization").click()
    dialog = page.locator("#dialog")
    dialog.get_by_role("checkbox", name="Create partners of records that are not coupled").check()
    dialog.get_by_role("button", name="Make a plan first").click()
    dialog.get_by_role("link", name="Open the plan").click(timeout=60_000)
    expect(page.get_by_role("listitem").filter(has_text="Will be created 1")).to_be_visible()
    assert not calm.dv.rows("accounts"), "a plan writes nothing"
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("1 inserted", exact=True)).to_be_visible(timeout=60_000)
    assert len(calm.dv.rows("accounts")) == 1
