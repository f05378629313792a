"""Cards: what they show, their notification bar, greyed actions, history and undo, and Delete Coupling."""

import re

import httpx
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from crosstie.api.door import SESSION_COOKIE
from crosstie.app.synchronising import synchronise
from crosstie.model.couplings import CouplingState
from tests.web.addresses import coupled
from tests.web.conftest import Site, looking
from tests.web.pairs import account, card, couple, coupling, customer, open_dialog, pair


def test_a_card_shows_the_record_its_partner_and_what_differs(page: Page, small: Site) -> None:
    """behaviour: CRMIntegrationMgtTest/ShowCoupledCRMEntityOpensHyperlinkIfCoupled
    behaviour: CRMIntegrationMgtTest/HyperlinkForCustomer
    """
    name = "A<script>alert(1)</script> שלום " + "x" * 60
    local = customer(small, displayName=name, city="Cambridge", paymentTermsId=None)
    remote = account(small, name, address1_city="Ely")
    couple(small, local, remote)
    page.goto(card("local", local))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"10000 · {name}")
    address = page.locator("details", has=page.get_by_text("Address & Contact", exact=True))
    expect(address.locator(".fact", has_text="City").locator("dd")).to_have_text("Cambridge")
    box = page.get_by_role("complementary")
    expect(box.locator(".differing")).to_contain_text("Ely")
    for link in (
        page.get_by_role("link", name="Account", exact=True),
        box.get_by_role("link", name="Open in Dataverse"),
    ):
        expect(link).to_have_attribute("href", re.compile(f"etn=account.*{remote}"))
        expect(link).to_have_attribute("target", "_blank")
    box.get_by_role("link", name=name).click()
    expect(page.get_by_text("Account · Dataverse")).to_be_visible()
    expect(
        page.get_by_role("complementary").get_by_role("heading", name="Customer in Business Central")
    ).to_be_visible()


def test_the_factbox_counts_what_is_open_for_the_account_and_lists_it(page: Page, small: Site) -> None:
    local, remote = pair(small)
    whose = {"customerid_account@odata.bind": f"/accounts({remote})"}
    bicycles = small.dv.add("opportunities", name="Bicycles", estimatedvalue=1200.5, **whose)["opportunityid"]
    small.dv.add("opportunities", name="Of somebody else")
    won = small.dv.add("opportunities", name="Won already", **whose)["opportunityid"]
    small.dv.change("opportunities", won, statecode=1, statuscode=3)
    draft = small.dv.add("quotes", name="A draft", **whose)["quoteid"]
    small.dv.add("incidents", title="A carton short", **whose)
    page.goto(card("local", local))
    box = page.get_by_role("complementary")
    expect(box.get_by_role("link", name="1 Opportunities")).to_be_visible()
    expect(box.get_by_role("link", name="0 Quotes")).to_be_visible()
    expect(box.get_by_role("link", name="1 Cases")).to_be_visible()
    box.get_by_role("link", name="1 Opportunities").press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("heading", name="Open opportunities")).to_be_visible()
    expect(dialog.locator("tbody tr")).to_have_count(1)
    expect(dialog.get_by_role("row")).to_contain_text(["Name", "1,200.5"])
    link = dialog.get_by_role("link", name="Open Bicycles")
    expect(link).to_have_attribute("href", re.compile(f"etn=opportunity.*{bicycles}"))
    page.keyboard.press("Escape")
    small.dv.change("quotes", draft, statecode=1, statuscode=2)
    page.goto(card("remote", remote))
    box.get_by_role("link", name="1 Quotes").click()
    expect(dialog).to_contain_text("A draft")


def test_actions_that_cannot_be_used_say_why(page: Page, small: Site) -> None:
    """behaviour: CRMSynchRulesTest/TestCoupleCompanyContactThroughUI
    behaviour: CRMIntegrationMgtTest/ShowCoupledCRMEntityStartsCouplingIfNotCoupled
    """
    local = customer(small)
    page.goto(card("local", local))
    bar = page.get_by_role("toolbar")
    expect(bar.get_by_role("button", name="Delete Coupling")).to_have_attribute(
        "data-reason", "The record is not coupled."
    )
    bar.get_by_role("button", name="Delete Coupling").click(force=True)
    expect(page.locator("#notices")).to_contain_text("Delete Coupling: The record is not coupled.")
    bar.get_by_role("button", name="Account", exact=True).click()
    expect(page.locator("#dialog")).to_contain_text("The record is not coupled yet. Couple it")
    page.keyboard.press("Escape")
    small.bc.edit_customer("10000", blocked="All")
    page.reload()
    for name in ("Synchronise now", "Set Up Coupling", "Delete Coupling", "Account"):
        expect(bar.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-disabled", "true")
    expect(bar.get_by_role("button", name="Set Up Coupling")).to_have_attribute(
        "data-reason", re.compile("filter of CUSTOMER leaves the record out")
    )


def test_a_skipped_record_says_so_with_the_way_to_its_problem(demo_page: Page, demo: Site) -> None:
    """behaviour: CRMSynchSkippedRecords/T140_NotificationOnSkippedRecord
    behaviour: CRMSynchNotifications/CustomerCardPageShowsNotificationOnFailedSyncForCoupledRec
    """
    demo_page.goto(card("local", coupled(demo, CouplingState.SKIPPED)))
    bar = demo_page.locator("#record-notice")
    expect(bar).to_contain_text("The record is skipped")
    name = (demo_page.get_by_role("heading", level=1).text_content() or "").partition(" · ")[2]
    bar.get_by_role("link", name="Details").click()
    expect(demo_page).to_have_url(re.compile("^[^?]*/problems"))
    expect(demo_page.get_by_role("main")).to_contain_text(name)
    demo_page.goto(card("local", coupled(demo, CouplingState.CONFLICT)))
    expect(demo_page.locator("#record-notice")).to_contain_text("changed on both sides")
    demo_page.goto(card("local", coupled(demo, CouplingState.IN_STEP)))
    expect(demo_page.get_by_role("heading", level=1)).to_be_visible()
    expect(demo_page.locator("#record-notice")).to_have_count(0)


def test_the_history_speaks_in_words_and_takes_back_single_entries(page: Page, small: Site) -> None:
    small.dv.add_user("Kim", "Akers")
    local, remote = pair(small, city="Cambridge")
    small.bc.edit_customer("10000", city="Ely")
    small.do(lambda session: synchronise(session, "CUSTOMER", [local]))
    page.goto(f"{card('local', local)}/history")
    newest = page.locator(".timeline > li").first
    row = newest.get_by_role("row", name="City")
    expect(row).to_contain_text("Cambridge")
    expect(row).to_contain_text("Ely")
    created = page.locator(".timeline > li", has_text="Inserted in Dataverse")
    expect(created).not_to_contain_text(re.compile("[0-9a-f]{8}-[0-9a-f]{4}"))
    newest.get_by_role("button", name=re.compile("Undo")).click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("its previous values are back: City Cambridge")
    assert small.dv.row("accounts", remote)["address1_city"] == "Cambridge"
    assert small.bc.customer("10000")["city"] == "Ely"
    dialog.get_by_role("button", name="Close").last.click()
    undone = page.locator(".timeline > li").first
    expect(undone).to_contain_text("Undo of entry")
    expect(undone.locator(".entry-head")).to_contain_text(" · by demo")
    expect(created.locator(".entry-head")).to_contain_text("(command line)")


def test_delete_coupling_says_what_happens_and_can_be_undone(page: Page, small: Site) -> None:
    local, remote = pair(small)
    page.goto(card("local", local))
    page.keyboard.press("Alt+u")
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("Both records stay as they are")
    expect(dialog).to_contain_text("no job couples it again by itself")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_contain_text("Coupling deleted.")
    assert coupling(small, local) is None
    assert small.dv.exists("accounts", remote)
    expect(page.locator(".page-head")).to_contain_text("Not coupled")
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog).to_contain_text("coupled as before")
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == remote
    expect(page.locator(".page-head")).not_to_contain_text("Not coupled")


def test_a_coupling_that_was_made_since_is_not_the_one_that_goes(browser: Browser, page: Page, small: Site) -> None:
    local, remote = pair(small)
    page.goto(card("local", local))
    dialog = open_dialog(page, "Delete Coupling", "Delete Coupling")
    with looking(browser, small) as other:
        other.goto(f"{card('local', local)}/uncouple")
        other.get_by_role("button", name="Delete Coupling").click()
        expect(other.get_by_text("Coupling deleted.").first).to_be_visible()
    couple(small, local, remote)
    dialog.get_by_role("button", name="Delete Coupling").click()
    expect(dialog.get_by_role("alert")).to_contain_text("coupled anew")
    assert coupling(small, local) is not None


def test_what_does_not_exist_has_a_page_that_says_so(small: Site) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={small.session()}"}
    missing = "00000000-0000-4000-8000-000000000000"
    for address in (card("local", missing), card("remote", missing), card("local", missing, "NOTHING")):
        answer = httpx.get(small.address + address, headers=cookie)
        assert answer.status_code == 404, address
        assert "unknown-" in answer.text
    assert httpx.get(f"{small.address}/records/CUSTOMER/sideways/{missing}", headers=cookie).status_code == 422


def test_a_mapping_that_creates_says_that_a_new_partner_would_come(page: Page, small: Site) -> None:
    with small.home.store.begin() as unit:
        [mapping] = [each for each in unit.mappings() if each.name == "CUSTOMER"]
        unit.put_mapping(replace(mapping, only_coupled=False))
    local, _ = pair(small)
    page.goto(f"{card('local', local)}/uncouple")
    expect(page.get_by_text("the next job creates and couples a new one")).to_be_visible()
