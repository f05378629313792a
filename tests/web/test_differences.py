"""Synchronise now for one record: the differences, each direction, clashes, stale pages; both systems are read back."""

import re
from typing import Any

from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from crosstie.app.synchronising import synchronise
from crosstie.model.couplings import CouplingState
from crosstie.model.mappings import Direction
from tests.web.conftest import Site, looking
from tests.web.pairs import card, coupling, customer, open_dialog, pair

TITLE = re.compile("Synchronise customer")


def state(site: Site, local: str) -> str:
    found = coupling(site, local)
    assert found is not None
    return found.state


def apply(dialog: Any, changes: str) -> None:
    """Apply so many changes and wait for the result in place."""
    dialog.get_by_role("button", name=f"Apply ({changes})").click()
    expect(dialog).to_contain_text("Synchronised.")


def test_merge_takes_each_side_that_was_changed(page: Page, small: Site) -> None:
    local, remote = pair(small, city="Cambridge", email="a@adatum.example")
    small.bc.edit_customer("10000", city="Ely")
    small.dv.change("accounts", remote, emailaddress1="b@adatum.example")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Synchronise now", TITLE)
    expect(dialog.get_by_role("radio", name="Merge")).to_be_checked()
    city = dialog.locator(".compare").get_by_role("row", name="City")
    expect(city.get_by_role("cell").nth(3)).to_have_text("Cambridge")
    expect(city.get_by_role("cell").nth(4)).to_contain_text("Ely")
    expect(dialog.locator(".compare").get_by_role("row", name="Post Code")).to_have_count(0)
    dialog.get_by_label(re.compile("Show .* unchanged")).check()
    expect(dialog.locator(".compare").get_by_role("row", name="Post Code")).to_be_visible()
    assert small.dv.row("accounts", remote)["address1_city"] == "Cambridge", "nothing is written before Apply"
    apply(dialog, "2 changes")
    stored, kept = small.dv.row("accounts", remote), small.bc.customer("10000")
    assert (stored["address1_city"], stored["emailaddress1"]) == ("Ely", "b@adatum.example")
    assert (kept["city"], kept["e-mail"]) == ("Ely", "b@adatum.example")
    expect(page.get_by_role("complementary")).to_contain_text("Both records agree.")
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.get_by_role("heading", name="Undo")).to_be_visible()
    assert small.dv.row("accounts", remote)["address1_city"] == "Cambridge"
    assert small.bc.customer("10000")["e-mail"] == "a@adatum.example"


def test_send_overwrites_and_says_what_is_lost(page: Page, small: Site) -> None:
    local, remote = pair(small, city="Cambridge")
    small.bc.edit_customer("10000", city="Ely")
    small.dv.change("accounts", remote, address1_city="Huntingdon")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Synchronise now", TITLE)
    expect(dialog).to_contain_text("1 clash left")
    expect(dialog.get_by_role("button", name=re.compile("Apply"))).to_be_disabled()
    dialog.get_by_role("radio", name="Send to Dataverse").check()
    expect(dialog).to_contain_text("Overwrites Huntingdon")
    expect(dialog).to_contain_text("1 edit will be overwritten")
    apply(dialog, "1 change")
    expect(dialog.get_by_role("row", name="City")).to_contain_text("Lost: Huntingdon")
    assert small.dv.row("accounts", remote)["address1_city"] == "Ely"
    assert small.bc.customer("10000")["city"] == "Ely"
    assert state(small, local) == CouplingState.IN_STEP


def test_get_brings_the_other_side(page: Page, small: Site) -> None:
    local, remote = pair(small, city="Cambridge")
    small.dv.change("accounts", remote, address1_city="Huntingdon")
    page.goto(card("remote", remote))
    dialog = open_dialog(page, "Synchronise now", re.compile("Synchronise account"))
    expect(dialog.get_by_role("radio", name="Get from Dataverse")).to_be_checked()
    apply(dialog, "1 change")
    assert small.bc.customer("10000")["city"] == "Huntingdon"
    assert state(small, local) == CouplingState.IN_STEP


def test_what_is_left_open_becomes_a_problem(page: Page, small: Site) -> None:
    local, remote = pair(small, city="Cambridge", phoneNumber="1")
    small.bc.edit_customer("10000", city="Ely", phoneNumber="2")
    small.dv.change("accounts", remote, address1_city="Huntingdon")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Synchronise now", TITLE)
    apply(dialog, "1 change")
    assert small.dv.row("accounts", remote)["telephone1"] == "2"
    assert small.dv.row("accounts", remote)["address1_city"] == "Huntingdon"
    assert state(small, local) == CouplingState.CONFLICT
    expect(page.locator("#record-notice")).to_contain_text("City changed on both sides")


def test_a_side_that_has_moved_since_is_shown_again(page: Page, small: Site) -> None:
    local, remote = pair(small, city="Cambridge")
    small.bc.edit_customer("10000", city="Ely")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Synchronise now", TITLE)
    small.bc.edit_customer("10000", city="Norwich")
    dialog.get_by_role("button", name="Apply (1 change)").click()
    expect(dialog.get_by_role("alert")).to_contain_text("has changed since it was shown: nothing was written")
    assert small.dv.row("accounts", remote)["address1_city"] == "Cambridge"
    expect(dialog.get_by_role("row", name="City")).to_contain_text("Norwich")
    apply(dialog, "1 change")
    assert small.dv.row("accounts", remote)["address1_city"] == "Norwich"


def test_two_tabs_and_a_double_click_write_once(browser: Browser, page: Page, small: Site) -> None:
    local, remote = pair(small, city="Cambridge")
    small.bc.edit_customer("10000", city="Ely")
    page.goto(f"{card('local', local)}/differences")
    with looking(browser, small) as second:
        second.goto(f"{card('local', local)}/differences")
        page.get_by_role("button", name="Apply (1 change)").dblclick()
        expect(page.locator("#dialog").get_by_text("Synchronised.")).to_be_visible()
        second.get_by_role("button", name="Apply (1 change)").click()
        again = second.locator("#dialog")
        expect(again.get_by_role("alert")).to_contain_text("has changed since it was shown")
        expect(again).to_contain_text("Both records agree in every field.")
    page.goto(f"{card('local', local)}/history")
    expect(page.locator(".timeline").get_by_text("Modified in Dataverse")).to_have_count(1)
    assert small.dv.row("accounts", remote)["address1_city"] == "Ely"


def test_a_mapping_of_one_direction_has_one_preset(page: Page, small: Site) -> None:
    local, remote = pair(small, city="Cambridge")
    with small.home.store.begin() as unit:
        [mapping] = [each for each in unit.mappings() if each.name == "CUSTOMER"]
        fields = tuple(replace(each, direction=Direction.TO_REMOTE) for each in mapping.fields if each.remote_field)
        unit.put_mapping(replace(mapping, direction=Direction.TO_REMOTE, fields=fields))
    small.dv.change("accounts", remote, address1_city="Huntingdon")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Synchronise now", TITLE)
    expect(dialog.locator(".presets").get_by_role("radio")).to_have_count(1)
    expect(dialog.get_by_label("Whose City both get")).to_have_count(0)
    apply(dialog, "1 change")
    assert small.dv.row("accounts", remote)["address1_city"] == "Cambridge"


def test_an_uncoupled_record_is_led_to_set_up_coupling(page: Page, small: Site) -> None:
    """behaviour: CRMIntegrationMgtTest/ShowCoupleCRMEntityAsksIfNotCoupled"""
    local = customer(small)
    page.goto(card("local", local))
    dialog = open_dialog(page, "Synchronise now", re.compile("is not coupled"))
    dialog.get_by_role("link", name="Set Up Coupling").click()
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    assert coupling(small, local) is None


def test_a_partner_that_is_gone_can_be_restored(page: Page, small: Site) -> None:
    local, remote = pair(small, city="Cambridge")
    small.dv.remove("accounts", remote)
    page.goto(card("local", local))
    expect(page.get_by_role("complementary")).to_contain_text("The record no longer exists there.")
    dialog = open_dialog(page, "Synchronise now", TITLE)
    expect(dialog).to_contain_text("The record no longer exists in Dataverse.")
    dialog.get_by_role("button", name="Restore it").click()
    expect(dialog).to_contain_text("Restored.")
    found = coupling(small, local)
    assert found is not None
    assert small.dv.row("accounts", found.remote_id)["address1_city"] == "Cambridge"


def test_a_partner_that_is_gone_can_be_followed_or_let_go(page: Page, small: Site) -> None:
    local, remote = pair(small)
    other, lost = pair(small, "20000", displayName="Trey")
    for each in (remote, lost):
        small.dv.remove("accounts", each)
    page.goto(card("local", local))
    dialog = open_dialog(page, "Synchronise now", TITLE)
    page.once("dialog", lambda question: question.accept())
    dialog.get_by_role("button", name="Delete this one too").click()
    expect(dialog).to_contain_text("Deleted.")
    assert not small.bc.exists("customers", local)
    expect(page.locator("#card")).to_contain_text("It is not coupled.")
    page.goto(card("local", other))
    dialog = open_dialog(page, "Synchronise now", TITLE)
    dialog.get_by_role("button", name="Delete Coupling").click()
    expect(dialog).to_contain_text("Coupling deleted.")
    assert small.bc.exists("customers", other)
    assert coupling(small, other) is None


def test_a_skipped_record_is_synchronised_all_the_same(page: Page, small: Site) -> None:
    local, remote = pair(small, phoneNumber="1")
    small.dv.change("accounts", remote, telephone1="x" * 50)
    for _ in range(2):
        small.do(lambda session: synchronise(session, "CUSTOMER", [local]))
    assert state(small, local) == CouplingState.SKIPPED
    small.dv.change("accounts", remote, telephone1="2")
    page.goto(card("local", local))
    expect(page.locator("#record-notice")).to_contain_text("The record is skipped")
    dialog = open_dialog(page, "Synchronise now", TITLE)
    expect(dialog).to_contain_text("Apply synchronises it all the same")
    apply(dialog, "1 change")
    assert small.bc.customer("10000")["phone"] == "2"
    assert state(small, local) == CouplingState.IN_STEP
    expect(page.locator("#record-notice")).to_have_count(0)
