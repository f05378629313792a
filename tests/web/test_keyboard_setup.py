"""The connections are set up with the keyboard alone."""

from typing import Any

from playwright.sync_api import Page, expect

from crosstie.app.connections import list_connections
from crosstie.app.coupling import create_partners
from tests.web.conftest import Site
from tests.web.keys import Keyboard


def fill(keys: Keyboard, page: Page, token_address: str, values: dict[str, str]) -> None:
    """Fill in the step of a system from its first field on, and go on."""
    keys.skip()
    for label, text in values.items():
        keys.tab_to(page.get_by_label(label, exact=True))
        keys.type(text)
    keys.tab_to(page.locator("summary", has_text="Advanced"))
    keys.press("Enter")
    keys.tab_to(page.get_by_label("Token address"))
    keys.type(token_address)
    keys.press("Enter")


def test_both_systems_are_connected(fresh_page: Page, fresh: Site) -> None:
    page, info = fresh_page, fresh.sandbox.info()
    bc: Any = info["business_central"]
    dv: Any = info["dataverse"]
    keys = Keyboard(page)
    keys.open("/")
    expect(page.get_by_role("heading", name="Nothing is connected yet")).to_be_visible()
    keys.skip()
    keys.tab_to(page.get_by_role("link", name="Set up the connections"))
    keys.press("Enter")
    tenant, token_address = str(info["tenant_id"]), str(info["token_url"])
    application = {"Client id *": str(info["client_id"])}
    secret = {"Client secret *": str(info["client_secret"])}
    expect(page.get_by_role("heading", name="1. Business Central")).to_be_visible()
    values = {"Tenant id": tenant, "Address": bc["api"], "Company": bc["company_id"], **application, **secret}
    fill(keys, page, token_address, values)
    expect(page.get_by_role("heading", name="2. Dataverse")).to_be_visible(timeout=30_000)
    fill(keys, page, token_address, {"Environment address *": dv["api"], "Tenant id": tenant, **application})
    expect(page.get_by_role("heading", name="3. Who owns records in Dataverse")).to_be_visible(timeout=30_000)
    keys.skip()
    keys.tab_to(page.get_by_label("Team"))
    keys.press("ArrowDown")
    keys.is_on(page.get_by_label("Person"))
    keys.press("Enter")
    expect(page.get_by_role("heading", name="4. Preflight")).to_be_visible()
    keys.press("Control+Enter")
    expect(page.get_by_text("checks passed")).to_be_visible(timeout=30_000)
    assert list_connections(fresh.home) == [], "nothing is used before the last step"
    keys.press("Control+Enter")
    expect(page.get_by_role("heading", name="5. Mappings")).to_be_visible()
    keys.skip()
    keys.tab_to(page.get_by_role("button", name="Finish and connect"))
    keys.press("Space")
    expect(page.get_by_role("heading", name="Connected")).to_be_visible(timeout=30_000)
    assert [each.name for each in list_connections(fresh.home)] == ["business-central", "dataverse"]
    fresh.bc.add("customers", number="10000", displayName="Adatum")
    fresh.do(lambda session: create_partners(session, "CUSTOMER", ["10000"]))
    assert fresh.dv.account_named("Adatum")["name"] == fresh.bc.customer("10000")["name"]
