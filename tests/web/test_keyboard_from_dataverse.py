"""The *Business Central* button of a Dataverse form with the keyboard alone, and what it comes to."""

import re

from playwright.sync_api import Page, Response, expect

from tests.web.conftest import Site
from tests.web.keys import Keyboard
from tests.web.pairs import account, coupling, customer, pair
from tests.web.test_landing import allow_creating, landing

FORM = "https://contoso.crm4.dynamics.com/main.aspx"


def press_the_button(page: Page, site: Site, remote: str) -> tuple[Keyboard, Response]:
    """Press the button of an account's form, as a user of Dataverse who is signed in to Crosstie."""
    button = f'<a href="{site.address}{landing(remote)}">Business Central</a>'
    page.route(f"{FORM}*", lambda route: route.fulfill(body=button, content_type="text/html"))
    page.route(re.compile("businesscentral"), lambda route: route.fulfill(body="Business Central"))
    keys = Keyboard(page)
    keys.open("/")
    keys.open(FORM)
    with page.expect_response(f"**{landing(remote)}") as answer:
        keys.press("Tab", "Enter")
    return keys, answer.value


def test_the_partner_of_a_coupled_record_is_opened(page: Page, small: Site) -> None:
    """behaviour: CRMIntegrationMgtTest/OpenContactCardPageForCoupledCRMContact"""
    local, remote = pair(small)
    _, answer = press_the_button(page, small, remote)
    assert re.search(f"businesscentral.*{local}", answer.headers["location"])
    assert small.bc.customer("10000")["name"] == small.dv.account(remote)["name"] == "Adatum"


def test_a_record_that_may_be_is_coupled_with_what_is_created_for_it(page: Page, small: Site) -> None:
    allow_creating(small)
    remote = account(small, "Fabrikam", address1_city="Hull")
    _, answer = press_the_button(page, small, remote)
    made = small.bc.only("customers", "displayName eq 'Fabrikam'")
    assert re.search(f"businesscentral.*{made['id']}", answer.headers["location"])
    assert made["city"] == small.dv.account(remote)["city"] == "Hull"
    found = coupling(small, made["id"])
    assert found is not None
    assert found.remote_id == remote


def test_one_that_may_not_is_linked_from_the_page_that_says_why(page: Page, small: Site) -> None:
    local = customer(small, displayName="Fabrikam", phoneNumber="+44 1223 496 000", city="Leeds")
    remote = account(small, "Fabrikam Inc.", telephone1="+44 1223 496 000", address1_city="Hull")
    keys, _ = press_the_button(page, small, remote)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Account Fabrikam Inc. is not coupled")
    keys.skip()
    keys.tab_to(page.get_by_role("link", name="Compare with Fabrikam"))
    keys.press("Enter")
    keys.opened("Set Up Coupling")
    keys.close(page.get_by_role("link", name="Compare with Fabrikam"))
    keys.tab_to(page.get_by_role("button", name="Link and open"), key="Shift+Tab")
    keys.press("Enter")
    page.wait_for_url(re.compile(f"businesscentral.*{local}"))
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == remote
    assert small.bc.customer("10000")["city"] == "Leeds", "no value has moved"
    assert small.dv.account(remote)["city"] == "Hull"


def test_one_that_may_not_gets_a_customer_that_is_looked_at_first(page: Page, small: Site) -> None:
    remote = account(small, "Litware", address1_city="Oslo")
    keys, _ = press_the_button(page, small, remote)
    expect(page.get_by_text("No customer that is free resembles it.")).to_be_visible()
    keys.skip()
    keys.tab_to(page.get_by_role("link", name="What would be created"))
    keys.press("Enter")
    dialog = keys.opened("Set Up Coupling")
    expect(dialog.locator(".compare").get_by_role("row", name="City")).to_contain_text("Oslo")
    keys.press("Control+Enter")
    expect(dialog).to_contain_text("Created and coupled.")
    keys.is_on(dialog.get_by_role("button", name="Close").last)
    assert small.bc.only("customers", "displayName eq 'Litware'")["city"] == small.dv.account(remote)["city"] == "Oslo"
