"""Connections and their setup: steps that can be left, a preflight before anything is used, secrets never shown."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner
from playwright.sync_api import Locator, Page, expect

from crosstie.app.connections import find_connection, list_connections
from crosstie.app.coupling import create_partners
from crosstie.app.history import list_jobs
from crosstie.app.mappings import list_mappings
from crosstie.app.people.acting import People, command_line
from crosstie.app.people.tokens import create_token
from crosstie.app.setting_up import setup_state
from crosstie.cli.root import cli
from crosstie.model.people import Role
from tests.web.conftest import Site

SECRET = "sandbox-client-secret"


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def fill(page: Page, site: Site, kind: str, **changes: str) -> None:
    """Fill in the step of a system, and go on."""
    info: Any = site.sandbox.info()
    entry = info[kind]
    values = {
        "Address" if kind == "business_central" else "Environment address": entry["api"],
        "Tenant id": info["tenant_id"],
        "Client id": info["client_id"],
        "Client secret": info["client_secret"],
    }
    if kind == "business_central":
        values["Company"] = entry["company_id"]
    heading = "1. Business Central" if kind == "business_central" else "2. Dataverse"
    expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=30_000)
    for label, value in (values | changes).items():
        page.get_by_label(label, exact=label in ("Address", "Company")).fill(value)
    if not page.get_by_label("Token address").is_visible():
        page.locator("summary", has_text="Advanced").click()
    page.get_by_label("Token address").fill(info["token_url"])
    page.get_by_role("button", name="Next").click()


def connect(page: Page, site: Site) -> None:
    """Go through the setup until the preflight has passed."""
    page.goto("/connections/setup")
    fill(page, site, "business_central")
    fill(page, site, "dataverse")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Run the checks").click()
    expect(page.get_by_text("checks passed")).to_be_visible(timeout=30_000)


def finding(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=name).first


def test_both_systems_are_connected_in_steps_that_are_left_and_resumed(fresh_page: Page, fresh: Site) -> None:
    page = fresh_page
    page.goto("/")
    expect(page.get_by_role("heading", name="Nothing is connected yet")).to_be_visible()
    page.get_by_role("link", name="Set up the connections").click()
    fill(page, fresh, "business_central")
    expect(page.get_by_role("heading", name="2. Dataverse")).to_be_visible()
    assert list_connections(fresh.home) == []
    page.goto("/")  # leaves in the middle
    page.get_by_role("link", name="Continue the setup").click()
    expect(page.get_by_role("heading", name="2. Dataverse")).to_be_visible()
    expect(page.get_by_text("1 of 5 steps done")).to_be_visible()
    fill(page, fresh, "dataverse")
    page.get_by_label("Person").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Run the checks").click()
    expect(page.get_by_text("checks passed")).to_be_visible(timeout=30_000)
    for name in ("Address", "Sign-in", "Company", "Clock", "Local currency", "Table Customers"):
        expect(finding(page, name)).to_contain_text("Passed")
    assert list_connections(fresh.home) == [], "nothing is used before the last step"
    page.get_by_role("link", name="Next").click()
    page.get_by_role("button", name="Finish and connect").click()
    expect(page.get_by_role("heading", name="Connected")).to_be_visible(timeout=30_000)
    assert [(each.name, each.enabled) for each in list_connections(fresh.home)] == [
        ("business-central", True),
        ("dataverse", True),
    ]
    assert "CUSTOMER" in [each.name for each in list_mappings(fresh.home)]
    assert not setup_state(fresh.home).begun
    fresh.bc.add("customers", number="10000", displayName="Adatum")
    fresh.do(lambda session: create_partners(session, "CUSTOMER", ["10000"]))
    assert fresh.dv.account_named("Adatum")


@pytest.mark.parametrize(
    ("changes", "label", "words", "code"),
    [
        ({"Address": ""}, "Environment", "No environment is named.", "invalid-connection"),
        ({"Address": "http://bc.example/api/v2.0"}, "Address", "is not secure", "invalid-connection"),
        ({"Address": "http://127.0.0.1:9/v2.0/sandbox/api/v2.0"}, "Address", "connection refused", "unreachable"),
        ({"Client secret": "wrong"}, "Client secret", "Invalid client secret", "credentials-refused"),
        ({"Client id": "nobody"}, "Client id", "'nobody' was not found", "credentials-refused"),
        ({"Company": "No such company"}, "Company", "No such company", "invalid-connection"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_before_anything_is_used(
    fresh_page: Page, fresh: Site, changes: dict[str, str], label: str, words: str, code: str
) -> None:
    """behaviour: CRMConnectionWizardTests/VerifyWizardEmptyCRMServerAddress
    behaviour: CRMConnectionWizardTests/CRMConnectionSetupCheckConnectRequiredFields
    """
    page = fresh_page
    page.goto("/connections/setup")
    fill(page, fresh, "business_central", **changes)
    field = page.get_by_label(label, exact=label in ("Address", "Company"))
    expect(field).to_have_attribute("aria-invalid", "true", timeout=30_000)
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile(re.escape(words)))
    expect(page.get_by_role("link", name=code)).to_have_attribute("href", f"/help/errors/{code}")
    page.goto("/connections/setup/mappings")
    expect(page.get_by_role("button", name="Finish and connect")).to_be_disabled()
    assert list_connections(fresh.home) == []


def test_a_system_that_is_down_keeps_nobody_from_going_on_and_the_preflight_leads_back_to_the_field(
    fresh_page: Page, fresh: Site
) -> None:
    page = fresh_page
    page.goto("/connections/setup")
    fresh.bc.fault("html", times=None)
    fill(page, fresh, "business_central")
    expect(page.get_by_label("Address", exact=True)).to_have_attribute("aria-invalid", "true", timeout=30_000)
    page.get_by_role("link", name="Go on all the same").click()
    fill(page, fresh, "dataverse", **{"Client secret": ""})  # the same application
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Run the checks").click()
    expect(finding(page, "Address")).to_contain_text("gives no usable answer", timeout=30_000)
    page.get_by_role("link", name="Correct it").click()
    expect(page.get_by_role("heading", name="1. Business Central")).to_be_visible()
    fresh.bc.heal()
    page.get_by_role("button", name="Next").click()  # the secret is kept
    expect(page.get_by_role("heading", name="2. Dataverse")).to_be_visible(timeout=30_000)
    page.goto("/connections/setup/preflight")
    page.get_by_role("button", name="Run the checks").click()
    expect(page.get_by_text("checks passed")).to_be_visible(timeout=30_000)


def test_a_plain_business_central_is_connected_without_contacts_which_come_later(fresh_page: Page, fresh: Site) -> None:
    page = fresh_page
    fresh.bc.switch(missing_apis=["crosstie/sync/v1.0"])
    connect(page, fresh)
    row = finding(page, "Mapping CONTACT")
    expect(row).to_contain_text("Warning")
    expect(row).to_contain_text("does not have the custom API page crosstie/sync/v1.0/syncContacts")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name="Disabled for the time being")).to_be_visible()
    page.get_by_role("button", name="Finish and connect").click()
    expect(page.get_by_text("CONTACT is disabled, because it cannot work")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="its page").click()
    enabled = page.get_by_label("Enabled", exact=True)
    enabled.check()
    expect(page.get_by_role("alert").filter(has_text="syncContacts").first).to_be_visible()
    assert not {each.name: each.enabled for each in list_mappings(fresh.home)}["CONTACT"]
    fresh.bc.switch(missing_apis=[])
    page.reload()
    enabled.check()
    expect(enabled).to_be_checked()
    page.goto("/lists/CONTACT")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Contacts")
    assert {each.name: each.enabled for each in list_mappings(fresh.home)}["CONTACT"]


def test_two_tabs_and_the_back_button_finish_nothing_that_was_not_checked(fresh_page: Page, fresh: Site) -> None:
    page = fresh_page
    connect(page, fresh)
    page.get_by_role("link", name="Next").click()
    other = page.context.new_page()
    other.goto("/connections/setup/business-central")
    fill(other, fresh, "business_central", Company="")
    expect(other.get_by_role("heading", name="2. Dataverse")).to_be_visible()
    page.get_by_role("button", name="Finish and connect").click()
    expect(page.get_by_role("alert")).to_contain_text("have not passed the preflight as they are now")
    assert list_connections(fresh.home) == []
    page.get_by_role("link", name="Go to the preflight").click()
    page.get_by_role("button", name="Run the checks").click()
    page.get_by_role("link", name="Next").click(timeout=30_000)
    page.get_by_role("button", name="Finish and connect").click()
    expect(page.get_by_role("heading", name="Connected")).to_be_visible(timeout=30_000)
    page.go_back()
    expect(page.get_by_text("Nothing waits to be finished.")).to_be_visible()
    expect(page.get_by_role("button", name="Finish and connect")).to_be_disabled()


def test_rights_and_currencies_that_lack_are_named(page: Page, small: Site) -> None:
    """behaviour: CRMSetupTest/EnableDisableConnectionUpdatesBaseCurrencyData"""
    small.dv.switch(refuse_tables=["account"])
    page.goto("/connections")
    page.get_by_role("button", name="Check everything").click()
    expect(dialog(page).get_by_role("heading", level=1)).to_contain_text("failed", timeout=30_000)
    expect(dialog(page).get_by_role("row", name="Table Accounts")).to_contain_text("Failed")
    expect(dialog(page).get_by_role("row", name="Base currency")).to_contain_text("GBP is in business-central too")


def test_what_is_in_use_is_filled_in_but_for_the_secret_which_an_empty_field_keeps(page: Page, small: Site) -> None:
    """behaviour: CRMConnectionWizardTests/VerifyWizardWithExistedSetup"""
    stored = find_connection(small.home, "dataverse")
    page.goto("/connections/setup/dataverse")
    expect(page.get_by_label("Environment address")).to_have_value(stored.address)
    expect(page.get_by_label("Client id")).to_have_value(stored.client_id)
    expect(page.get_by_label("Client secret")).to_have_value("")
    assert SECRET not in page.content()
    expect(page.get_by_text("Leave it empty to keep it")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    page.goto("/connections/setup/preflight")
    page.get_by_role("button", name="Run the checks").click()
    expect(page.get_by_text("checks passed")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("row", name="CUSTOMER")).to_contain_text("as shipped")
    page.get_by_role("button", name="Finish and connect").click()
    expect(page.get_by_role("heading", name="Connected")).to_be_visible(timeout=30_000)
    assert find_connection(small.home, "dataverse").secret == SECRET


def test_a_connection_is_tested_disabled_and_enabled_in_place(page: Page, small: Site) -> None:
    page.goto("/connections")
    row = page.get_by_role("row", name="dataverse")
    row.get_by_role("button", name="Test").click()
    expect(dialog(page)).to_contain_text("dataverse: all is well", timeout=20_000)
    page.keyboard.press("Escape")
    row.get_by_role("button", name="Disable").click()
    expect(dialog(page)).to_contain_text("Nothing is synchronised over it any more")
    page.keyboard.press("Escape")
    expect(row).to_contain_text("Disabled")
    expect(page.get_by_role("status").filter(has_text="dataverse is disabled: disabled by a person")).to_be_visible()
    small.dv.fault("html", times=None)
    row.get_by_role("button", name="Enable").click()
    expect(dialog(page)).to_contain_text("gives no usable answer", timeout=30_000)
    page.keyboard.press("Escape")
    expect(row).to_contain_text("Disabled")
    small.dv.heal()
    row.get_by_role("button", name="Enable").click()
    expect(dialog(page)).to_contain_text("It is used again from now on")
    page.keyboard.press("Escape")
    expect(row).to_contain_text("Enabled")
    small.dv.fault("status", status=503, times=50)
    row.get_by_role("button", name="Test").click()
    expect(dialog(page)).to_contain_text("the test failed", timeout=30_000)
    small.dv.heal()


def test_a_broken_connection_is_told_with_its_reason_until_its_test_passes(page: Page, small: Site) -> None:
    """behaviour: CDSConnectionSetupTest/DisableConnectionNotificationConnectionSetup
    behaviour: CRMSetupTest/DisableConnectionNotificationConnectionSetup
    """
    with small.home.store.begin() as unit:
        broken = next(each for each in unit.connections() if each.name == "dataverse")
        unit.put_connection(msgspec.structs.replace(broken, paused_reason="The client secret has expired."))
    page.goto("/connections")
    notice = page.get_by_role("status").filter(has_text="The connection dataverse is broken")
    expect(notice).to_contain_text("The client secret has expired.")
    page.get_by_role("row", name="dataverse").get_by_role("button", name="Test").click()
    expect(dialog(page)).to_contain_text("dataverse: all is well", timeout=20_000)
    page.keyboard.press("Escape")
    expect(notice).to_have_count(0)


def test_a_synchronisation_that_is_not_confirmed_starts_nothing(page: Page, small: Site) -> None:
    """behaviour: CDSConnectionSetupTest/SynchronizeNowNotConfirmed
    behaviour: CRMSetupTest/SynchronizeNowNotConfirmed
    behaviour: CDSConnectionSetupTest/StartInitialSynchAction
    behaviour: CRMSetupTest/StartInitialSynchAction
    """
    page.goto("/connections")
    page.get_by_role("link", name="Integration Table Mappings").last.click()
    page.get_by_role("link", name="CUSTOMER", exact=True).first.click()
    for action in ("Synchronize Modified Records", "Run Full Synchronization"):
        page.get_by_role("button", name=action).click()
        expect(dialog(page).get_by_role("heading", level=1)).to_be_visible()
        dialog(page).get_by_role("button", name="Cancel").click()
        expect(dialog(page)).to_have_count(0)
    assert list_jobs(small.home) == []


def test_removing_says_what_depends_on_it_and_asks(page: Page, small: Site) -> None:
    small.bc.add("customers", number="10000", displayName="Adatum")
    small.do(lambda session: create_partners(session, "CUSTOMER", ["10000"]))
    page.goto("/connections")
    row = page.get_by_role("row", name="dataverse")
    row.get_by_role("button", name="Remove").click()
    expect(dialog(page)).to_contain_text("CUSTOMER: 1 coupling")
    dialog(page).get_by_role("button", name="Remove").click()  # the browser asks for the box first
    assert len(list_connections(small.home)) == 2
    dialog(page).get_by_label("Remove it all the same").check()
    dialog(page).get_by_role("button", name="Remove").click()
    expect(dialog(page)).to_contain_text("The connection and its secret are forgotten.")
    assert [each.name for each in list_connections(small.home)] == ["business-central"]
    assert small.bc.exists("customers", small.bc.id_of("customers", "10000"))


def test_another_company_than_the_one_whose_records_are_coupled_is_refused(page: Page, small: Site) -> None:
    small.bc.add("customers", number="10000", displayName="Adatum")
    small.do(lambda session: create_partners(session, "CUSTOMER", ["10000"]))
    with small.home.store.begin() as unit:
        here = next(each for each in unit.connections() if each.name == "business-central")
        unit.put_connection(msgspec.structs.replace(here, environment="contoso/production/other-company"))
    page.goto("/connections/setup/preflight")
    page.get_by_role("button", name="Run the checks").click()
    row = page.get_by_role("row", name="Environment")
    expect(row).to_contain_text("records are coupled in contoso/production/other-company", timeout=30_000)
    expect(row.get_by_role("link", name="environment-changed")).to_be_visible()
    expect(page.get_by_role("link", name="Next")).to_have_count(0)


def test_the_command_line_and_the_api_check_the_same(small: Site) -> None:
    small.dv.switch(refuse_tables=["account"])
    small.bc.switch(missing_apis=["crosstie/sync/v1.0"])
    arguments = ["--home", str(small.home.folder), "--store", small.home.store_address, "connection", "check", "--json"]
    with ThreadPoolExecutor(1) as pool:  # the browser's driver keeps this thread's loop
        printed = pool.submit(CliRunner().invoke, cli, arguments).result()
    assert printed.exit_code == 3, printed.output
    said = json.loads(printed.stdout)
    people = People(small.home.store)
    token = create_token(people, command_line(), "checks", Role.ADMINISTRATOR).secret
    with httpx.Client(
        base_url=f"{small.address}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as api:
        answer = api.post("/preflight").json()
        denied = ("remote", "table account", "missing-privilege")
        for findings in (said["findings"], answer["items"]):
            wrong = [(each["side"], each["code"], each["error"]) for each in findings if not each["passed"]]
            assert wrong == [("local", "mapping CONTACT", "unknown-table"), denied]
        restored = api.post("/mappings/reset", json={}).json()
        assert list(restored["off"]) == ["CONTACT"]
        refused = api.patch("/mappings/CONTACT", json={"enabled": True})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown-table")
        left = [each["code"] for each in api.post("/preflight").json()["items"] if not each["passed"]]
        assert left == ["table account"]
    assert SECRET not in printed.output
