"""Lists: what they show, searching, sorting and paging, the selection, greyed actions, and what goes wrong."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from crosstie.app import browsing
from crosstie.app.coupling import create_partners
from crosstie.app.lists import list_records
from crosstie.app.selecting import Selection
from crosstie.web.routes import lists
from tests.web.conftest import Site, looking
from tests.web.pairs import account, couple, customer, pair


def many(site: Site, number: int) -> None:
    """Add customers Alder 1000, Alder 1001 and so on."""
    rows = [{"number": str(1000 + at), "displayName": f"Alder {1000 + at}", "city": "Ely"} for at in range(number)]
    site.bc.add_many("customers", rows)


def rows(page: Page) -> Locator:
    return page.locator("#list tr[data-id]")


def row(page: Page, words: str) -> Locator:
    return rows(page).filter(has_text=words)


def said(page: Page) -> Locator:
    """Return what says how many rows are selected."""
    return page.locator("[data-selection-count]")


def test_a_list_shows_states_partners_and_telling_fields_of_both_sides(page: Page, small: Site) -> None:
    """behaviour: CRMIntegrationMapping/CRMAccountListIntergationTableFilter"""
    local, remote = pair(small, "10000", displayName="Adatum", phoneNumber="+44 1223 496 007", city="Ely")
    customer(small, "20000", displayName="Trey Research", email="helen@trey.example")
    small.dv.add("accounts", name="A vendor", customertypecode=11)
    page.goto("/lists/CUSTOMER")
    expect(rows(page)).to_have_count(2)
    first = row(page, "10000")
    expect(first).to_contain_text("In step")
    expect(first).to_contain_text("+44 1223 496 007")
    expect(first.get_by_role("link", name="10000")).to_have_attribute("href", f"/records/CUSTOMER/local/{local}")
    expect(row(page, "20000")).to_contain_text("helen@trey.example")
    for caption in ("Phone No.", "City", "E-Mail"):
        expect(page.get_by_role("columnheader", name=caption)).to_be_visible()
    page.get_by_role("link", name=re.compile("Not coupled")).click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Trey Research")
    page.get_by_role("link", name="Accounts in Dataverse").click()
    expect(page.get_by_role("heading", name="Accounts")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    expect(rows(page).get_by_role("link", name="Adatum").first).to_have_attribute(
        "href", f"/records/CUSTOMER/remote/{remote}"
    )


def test_names_are_shown_as_they_are(page: Page, small: Site) -> None:
    names = ["<b>Bold</b> & \"Co\" <script>alert('x')</script>", "חברת שלום בע״מ", "W" * 100]
    for at, name in enumerate(names):
        customer(small, str(10000 + at), displayName=name)
    page.goto("/lists/CUSTOMER")
    for name in names:
        expect(page.locator("td bdi").get_by_text(name, exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page does not scroll"


def test_a_selection_survives_searching_sorting_and_paging(page: Page, small: Site) -> None:
    many(small, 60)
    page.goto("/lists/CUSTOMER")
    expect(said(page)).to_have_text("0 selected")
    row(page, "Alder 1002").get_by_role("checkbox").check()
    row(page, "Alder 1004").get_by_role("checkbox").check()
    page.get_by_role("link", name="Next page").click()
    expect(rows(page)).to_have_count(10)
    row(page, "Alder 1055").get_by_role("checkbox").check()
    expect(said(page)).to_have_text("3 selected")
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(rows(page).first).to_contain_text("Alder 1000")
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(rows(page).first).to_contain_text("Alder 1059")
    expect(said(page)).to_have_text("3 selected")
    expect(row(page, "Alder 1055").get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("F3")
    page.keyboard.type("1004")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).get_by_role("checkbox")).to_be_checked()
    expect(said(page)).to_have_text("3 selected")
    page.go_back()
    expect(rows(page)).to_have_count(50)
    expect(said(page)).to_have_text("3 selected")
    page.get_by_role("button", name="Clear the selection").click()
    expect(said(page)).to_have_text("0 selected")


def test_all_that_match_are_selected_whatever_page_shows_them(page: Page, small: Site) -> None:
    many(small, 60)
    page.goto("/lists/CUSTOMER")
    page.get_by_role("checkbox", name="Select all rows of this page").check()
    expect(said(page)).to_have_text("50 selected")
    page.get_by_role("button", name="Select all 60 that match").click()
    expect(said(page)).to_have_text("All that match are selected: 60")
    page.get_by_role("link", name="Next page").click()
    expect(rows(page)).to_have_count(10)
    row(page, "Alder 1055").get_by_role("checkbox").uncheck()
    expect(said(page)).to_have_text("All that match are selected: 59")
    page.get_by_role("button", name="Create Account in Dataverse").click()
    expect(page.locator("#dialog")).to_contain_text("For 59 records without a partner")


def test_the_list_is_used_with_the_keyboard_alone(page: Page, small: Site) -> None:
    many(small, 5)
    page.goto("/lists/CUSTOMER")
    page.keyboard.press("F3")
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(0)).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(said(page)).to_have_text("3 selected")
    expect(rows(page).nth(2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Control+a")
    expect(said(page)).to_have_text("5 selected")
    page.keyboard.press("End")
    expect(rows(page).nth(4)).to_be_focused()
    page.keyboard.press("Space")
    expect(said(page)).to_have_text("4 selected")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/records/CUSTOMER/local/"))


def test_ranges_are_selected_from_row_to_row_with_mouse_and_keyboard(page: Page, small: Site) -> None:
    many(small, 60)
    page.goto("/lists/CUSTOMER")
    cells = page.locator("#list td.name")
    cells.nth(2).click()
    expect(said(page)).to_have_text("0 selected")
    expect(page.get_by_text("Actions are for the current row.")).to_be_visible()
    cells.nth(6).click(modifiers=["Shift"])
    expect(said(page)).to_have_text("5 selected")
    cells.nth(4).click(modifiers=["Shift"])
    expect(said(page)).to_have_text("3 selected")
    cells.nth(1).click(modifiers=["Shift"])
    expect(said(page)).to_have_text("2 selected")
    cells.nth(10).click(modifiers=["Control"])
    expect(said(page)).to_have_text("3 selected")
    rows(page).nth(13).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(said(page)).to_have_text("6 selected")
    page.keyboard.press("Control+Home")
    expect(rows(page).nth(0)).to_be_focused()
    page.keyboard.press("Control+Space")
    expect(said(page)).to_have_text("7 selected")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    expect(rows(page).nth(30)).to_be_focused()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(said(page)).to_have_text("10 selected")
    page.keyboard.press("Shift+ArrowUp")
    expect(said(page)).to_have_text("9 selected")
    page.keyboard.press("Control+a")
    expect(said(page)).to_have_text("50 selected")
    page.keyboard.press("Control+a")
    expect(said(page)).to_have_text("All that match are selected: 60")
    page.keyboard.press("Control+End")
    expect(rows(page).nth(49)).to_be_focused()
    page.get_by_role("link", name="Next page").click()
    expect(rows(page)).to_have_count(10)
    expect(rows(page).first).to_be_in_viewport()


def test_without_a_selection_actions_are_for_the_current_row(page: Page, small: Site) -> None:
    pair(small, "10000", displayName="Adatum")
    customer(small, "20000", displayName="Trey Research")
    page.goto("/lists/CUSTOMER")
    action = page.get_by_role("toolbar", name="Synchronise").locator("[data-label='Delete Coupling']")
    row(page, "20000").get_by_text("Trey Research").click()
    expect(action).to_have_attribute("data-reason", "The record is not coupled.")
    row(page, "10000").get_by_text("Adatum").first.click()
    expect(action).not_to_have_attribute("aria-disabled", "true")
    row(page, "20000").get_by_role("checkbox").check()
    expect(action).to_have_attribute("data-reason", "None of the selected records is coupled.")
    row(page, "20000").get_by_role("checkbox").uncheck()
    row(page, "10000").get_by_text("Adatum").first.click()
    page.keyboard.press("Alt+u")
    expect(page.locator("#dialog").get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#dialog")).to_contain_text("Adatum")


def test_uncoupled_rows_behind_many_coupled_ones_come_by_themselves(
    page: Page, small: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "SCAN", 10)
    monkeypatch.setattr(lists, "LOOKS", 0.0)
    many(small, 65)
    local = small.do(lambda session: list_records(session, "CUSTOMER", size=60))
    named = Selection(ids=tuple(each.id for each in local.rows))
    small.do(lambda session: create_partners(session, "CUSTOMER", selection=named))
    page.goto("/lists/CUSTOMER?state=not_coupled")
    print(
        [each.inner_text()[:20] for each in rows(page).all()],
        page.locator(".pager").inner_text(),
        page.locator(".chips").last.inner_text(),
    )
    expect(rows(page)).to_have_count(5)
    expect(rows(page).first).to_contain_text("1060")
    expect(page.get_by_text("Looking for")).to_have_count(0)
    expect(page.locator(".pager")).to_contain_text("5 rows")
    page.reload()
    expect(rows(page)).to_have_count(5)


def test_actions_that_cannot_be_used_say_why(page: Page, small: Site) -> None:
    """behaviour: CRMIntegrationMgtTest/ShowCoupledCRMEntityStartsCouplingIfNotCoupled"""
    pair(small, "10000", displayName="Adatum")
    customer(small, "20000", displayName="Trey Research")
    small.bc.add("salespeoplePurchasers", code="AB", displayName="Anna Berg")
    page.goto("/lists/CUSTOMER")
    bar = page.get_by_role("toolbar", name="Synchronise")

    def why(name: str) -> Locator:
        return bar.locator(f"[data-label='{name}']")

    for name in ("Synchronise now", "Delete Coupling", "Create Account in Dataverse", "Match-Based Coupling"):
        expect(why(name)).to_have_attribute("data-reason", "Nothing is selected.")
    expect(why("Set Up Coupling")).to_have_attribute("data-reason", re.compile("Choose a row first"))
    bar.get_by_role("button", name="Delete Coupling").click(force=True)
    expect(page.locator("#notices")).to_contain_text("Delete Coupling: Nothing is selected.")
    row(page, "20000").get_by_role("checkbox").check()
    for name in ("Synchronise now", "Delete Coupling"):
        expect(why(name)).to_have_attribute("data-reason", "None of the selected records is coupled.")
    expect(why("Account")).to_have_attribute("data-reason", "The record is not coupled.")
    for name in ("Set Up Coupling", "Create Account in Dataverse"):
        expect(why(name)).not_to_have_attribute("aria-disabled", "true")
    row(page, "10000").get_by_role("checkbox").check()
    expect(why("Delete Coupling")).not_to_have_attribute("aria-disabled", "true")
    expect(why("Account")).to_have_attribute("href", re.compile("etn=account"))
    page.goto("/lists/SALESPEOPLE")
    rows(page).first.get_by_role("checkbox").check()
    expect(why("Create User in Dataverse")).to_have_attribute("data-reason", "SALESPEOPLE flows from_remote only.")


def test_the_current_row_alone_is_coupled_from_the_list(page: Page, small: Site) -> None:
    local = customer(small, "10000", displayName="Adatum")
    customer(small, "20000", displayName="Trey Research")
    account(small, "Adatum")
    page.goto("/lists/CUSTOMER")
    page.get_by_role("checkbox", name="Select all rows of this page").check()
    row(page, "10000").get_by_text("Adatum").click()
    with page.expect_request(f"**/records/CUSTOMER/local/{local}/couple") as asked:
        page.keyboard.press("Alt+l")
    assert asked.value.headers["hx-target"] == "dialog"


def test_a_list_without_records_says_where_there_are_some(page: Page, small: Site) -> None:
    page.goto("/lists/VENDOR")
    expect(page.get_by_text("There are no vendors in Business Central yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Open Accounts in Dataverse")).to_be_visible()
    page.goto("/lists/VENDOR?search=nobody")
    expect(page.get_by_text("No vendor matches.")).to_be_visible()


def test_a_list_of_a_system_that_is_down_shows_the_couplings_and_tries_again(page: Page, small: Site) -> None:
    local = customer(small, "10000", displayName="Adatum")
    couple(small, local, account(small, "Adatum"))
    page.goto("/lists/CUSTOMER")
    expect(rows(page)).to_have_count(1)
    small.bc.fault("status", status=503, times=None)
    page.reload()
    expect(page.get_by_role("alert")).to_be_visible(timeout=20_000)
    expect(row(page, "Adatum")).to_contain_text("In step")
    small.bc.heal()
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(row(page, "10000")).to_be_visible()


@pytest.mark.parametrize(
    "address", ["?state=nonsense", "?sort=nonsense", "?after=nonsense", "?unknown=1", "/nowhere", "?state=a%00b"]
)
def test_addresses_that_cannot_be_are_explained(page: Page, small: Site, address: str) -> None:
    answer = page.goto(f"/lists/CUSTOMER{address}")
    assert answer is not None
    assert 400 <= answer.status < 500
    expect(page.get_by_role("alert")).to_be_visible()


def test_rows_become_cards_on_a_telephone(browser: Browser, small: Site) -> None:
    pair(small, "10000", displayName="Adatum", city="Ely")
    with looking(browser, small) as page:
        page.set_viewport_size({"width": 400, "height": 800})
        page.goto("/lists/CUSTOMER")
        expect(rows(page).first).to_have_css("display", "block")
        page.get_by_role("button", name="Select this page").click()
        expect(said(page)).to_have_text("1 selected")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_list_of_a_page_that_is_not_installed_says_what_to_do(page: Page, small: Site) -> None:
    small.bc.switch(missing_apis=["crosstie/sync/v1.0"])
    answer = page.goto("/lists/CONTACT")
    assert answer is not None
    assert answer.status == 200
    notice = page.get_by_role("status").filter(has_text="cannot be shown yet")
    expect(notice).to_contain_text("does not have the custom API page crosstie/sync/v1.0/syncContacts")
    expect(notice).to_contain_text("Install the extension that brings it")
    create = page.get_by_role("button", name="Create Contact in Dataverse")
    expect(create).to_have_attribute("data-reason", re.compile("does not have the custom API page"))
    small.bc.switch(missing_apis=[])
    notice.get_by_role("link", name="Try again").click()
    expect(page.get_by_text("There are no contacts in Business Central yet")).to_be_visible()
