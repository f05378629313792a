"""The landing page of the *Business Central* button: a record that is not coupled never ends in an error (F07)."""

import re

import httpx
import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from crosstie.api.door import SESSION_COOKIE
from crosstie.app.people.acting import People
from crosstie.app.people.joining import invite, join
from crosstie.model.people import SYSTEM, Role
from tests.web.conftest import Site
from tests.web.pairs import account, coupling, customer, pair


def landing(remote: str, table: str = "account") -> str:
    return f"/open/dataverse/{table}/{remote}"


def look(page: Page, remote: str) -> None:
    """Follow the link as the demo's visitor, who has been let in before; Business Central itself is far away."""
    page.route(re.compile("businesscentral"), lambda route: route.fulfill(body="Business Central"))
    page.goto("/")
    page.goto(landing(remote))


def allow_creating(site: Site) -> None:
    with site.home.store.begin() as unit:
        [mapping] = [each for each in unit.mappings() if each.name == "CUSTOMER"]
        unit.put_mapping(replace(mapping, only_coupled=False))


def follow(site: Site, address: str, secret: str | None) -> httpx.Response:
    """Follow a link as a browser that is signed in, or as a stranger's."""
    cookie = {"Cookie": f"{SESSION_COOKIE}={secret}"} if secret else {}
    return httpx.get(site.address + address, headers=cookie, timeout=30)


def test_a_coupled_record_is_opened(small: Site) -> None:
    """behaviour: CRMIntegrationMgtTest/OpenContactCardPageForCoupledCRMContact"""
    local, remote = pair(small)
    for table, id in (("account", remote), ("ACCOUNT", "{" + remote.upper() + "}")):
        for secret in (small.session(), None):
            answer = follow(small, landing(id, table), secret)
            assert answer.status_code == 303, answer.text
            assert local in answer.headers["location"]


def test_one_that_may_be_coupled_by_itself_is_created_and_opened_once(small: Site) -> None:
    allow_creating(small)
    remote = account(small, "Fabrikam", address1_city="Hull")
    secret = small.session()
    answers = [follow(small, landing(remote), secret) for _ in range(2)]
    made = small.bc.only("customers", "displayName eq 'Fabrikam'")
    assert made["city"] == "Hull"
    for answer in answers:
        assert answer.status_code == 303, answer.text
        assert made["id"] in answer.headers["location"]
    found = coupling(small, made["id"])
    assert found is not None
    assert found.remote_id == remote


def test_link_and_open_couples_with_the_candidate_that_is_chosen(page: Page, small: Site) -> None:
    local = customer(small, displayName="Fabrikam", phoneNumber="+44 1223 496 000", city="Leeds")
    customer(small, "20000", displayName="Contoso")
    remote = account(small, "Fabrikam Inc.", telephone1="+44 1223 496 000", address1_city="Hull")
    look(page, remote)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Account Fabrikam Inc. is not coupled")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("link", name="What would be created")).to_be_visible()
    expect(page.get_by_text("CUSTOMER synchronises only coupled records.")).to_be_visible()
    expect(page.get_by_role("row", name="Fabrikam")).to_contain_text("same phone number")
    expect(page.get_by_role("row", name="Contoso")).to_have_count(0)
    with page.expect_response(re.compile("/link$")) as answer:
        page.get_by_role("button", name="Link and open").click()
    assert local in answer.value.headers["hx-redirect"]
    page.wait_for_url(re.compile(local))
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == remote
    assert small.bc.customer("10000")["city"] == "Leeds", "no value has moved"
    assert small.dv.row("accounts", remote)["address1_city"] == "Hull"


def test_a_customer_is_created_from_the_page(page: Page, small: Site) -> None:
    remote = account(small, "Litware & <b>Sons</b>", address1_city="Oslo")
    look(page, remote)
    expect(page.get_by_text("No customer that is free resembles it.")).to_be_visible()
    with page.expect_response(re.compile("/create$")) as answer:
        page.get_by_role("button", name="Create customer").click()
    made = small.bc.only("customers", "city eq 'Oslo'")
    assert made["displayName"] == "Litware & <b>Sons</b>"
    assert made["id"] in answer.value.headers["hx-redirect"]
    page.wait_for_url(re.compile(str(made["id"])))


def test_search_leads_to_the_dialog(page: Page, small: Site) -> None:
    customer(small, displayName="Something else")
    remote = account(small, "Litware")
    look(page, remote)
    page.get_by_role("link", name="Search").click()
    dialog = page.locator("#dialog")
    dialog.get_by_role("searchbox").fill("else")
    dialog.get_by_role("radio", name="Something else").check()
    dialog.get_by_label("Synchronize After Coupling").select_option("from_remote")
    expect(dialog.get_by_role("button", name="OK")).to_be_enabled()
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_contain_text("Coupled.")
    assert small.bc.customer("10000")["name"] == "Litware"


def test_one_that_no_filter_admits_says_so_and_offers_nothing_to_couple(page: Page, small: Site) -> None:
    remote = str(small.dv.add("accounts", name="Neither", customertypecode=1)["accountid"])
    look(page, remote)
    expect(page.get_by_text(re.compile("The filter of CUSTOMER leaves it out"))).to_be_visible()
    expect(page.get_by_text(re.compile("The filter of VENDOR leaves it out"))).to_be_visible()
    expect(page.get_by_role("button", name="Create")).to_have_attribute("aria-disabled", "true")
    assert small.bc.rows("customers") == []


def test_a_stranger_is_told_why_but_sees_no_record(small: Site) -> None:
    remote = account(small, "Secret Fabrikam", telephone1="+44 1223 496 000")
    customer(small, displayName="Secret Fabrikam", phoneNumber="+44 1223 496 000")
    answer = follow(small, landing(remote), None)
    assert answer.status_code == 409
    assert "synchronises only coupled records" in answer.text
    assert f'href="/sign-in?next=/open/dataverse/account/{remote}"' in answer.text
    assert "Secret" not in answer.text
    assert "Link and open" not in answer.text


def test_a_viewer_sees_why_and_whom_to_ask(small: Site) -> None:
    people = People(small.home.store)
    link = invite(people, SYSTEM, "Vera", Role.VIEWER)
    issued = join(people, link.secret or "", "four words and a number 7", address="127.0.0.1")
    local, remote = customer(small, displayName="Fabrikam"), account(small, "Fabrikam")
    answer = follow(small, landing(remote), issued.secret)
    assert answer.status_code == 409
    assert "Ask somebody who may couple" in answer.text
    assert "Link and open" not in answer.text
    cookie = {"Cookie": f"{SESSION_COOKIE}={issued.secret}"}
    found = re.search(r'X-CSRF-Token": "(\w+)"', answer.text)
    assert found is not None
    for way, form in (("link", {"local": local}), ("create", {})):
        address = f"{small.address}/records/CUSTOMER/remote/{remote}/{way}"
        refused = httpx.post(address, data=form, headers={**cookie, "X-CSRF-Token": found.group(1)})
        assert refused.status_code == 403, refused.text
    assert coupling(small, local) is None


@pytest.mark.parametrize(
    ("table", "id", "status"),
    [("account", "00000000-0000-4000-8000-000000000000", 404), ("account", "nonsense", 404), ("<b>nothing", "1", 404)],
)
def test_what_does_not_exist_has_a_page_too(small: Site, table: str, id: str, status: int) -> None:
    """behaviour: CRMIntegrationMgtTest/HyperlinkForUnsupportedEntity"""
    for secret in (small.session(), None):
        answer = follow(small, landing(id, table), secret)
        assert answer.status_code == status
        assert "<b>nothing" not in answer.text
        assert "cannot be opened in Business Central" in answer.text
