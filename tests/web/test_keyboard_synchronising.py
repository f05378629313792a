"""Synchronising with the keyboard alone: one record in each direction and by merge, and many."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import Site
from tests.web.pairs import pair
from tests.web.test_keyboard_coupling import at_customers
from tests.web.test_lists import row, rows, said

SENT = {"city": "Ely", "phone": "1"}
GOT = {"city": "Bath", "phone": "1"}


@pytest.mark.parametrize(
    ("here", "there", "chosen", "keys_to_it", "both"),
    [
        ({"city": "Ely"}, {}, "Send to Dataverse", (), SENT),
        ({}, {"address1_city": "Bath"}, "Get from Dataverse", (), GOT),
        ({"city": "Ely"}, {"telephone1": "2"}, "Merge", (), {"city": "Ely", "phone": "2"}),
        ({"city": "Ely"}, {"address1_city": "Bath"}, "Send to Dataverse", ("ArrowRight",), SENT),
        ({"city": "Ely"}, {"address1_city": "Bath"}, "Get from Dataverse", ("ArrowRight", "ArrowRight"), GOT),
    ],
    ids=["send", "get", "merge", "send-over-a-conflict", "get-over-a-conflict"],
)
def test_one_is_synchronised(
    page: Page,
    small: Site,
    here: dict[str, str],
    there: dict[str, str],
    chosen: str,
    keys_to_it: tuple[str, ...],
    both: dict[str, str],
) -> None:
    _, remote = pair(small, city="Cambridge", phoneNumber="1")
    if here:
        small.bc.edit_customer("10000", **here)
    if there:
        small.dv.change("accounts", remote, **there)
    keys = at_customers(page, 1)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Adatum")).to_be_visible()
    keys.press("Alt+s")
    dialog = keys.opened("Synchronise customer 10000 · Adatum")
    for each in keys_to_it:
        keys.press(each)
        expect(dialog.locator("#differences-rest")).not_to_have_class(re.compile("htmx"))
    way = dialog.get_by_role("radio", name=chosen)
    expect(way).to_be_checked()
    keys.is_on(way)
    expect(dialog.locator("#differences-foot")).not_to_contain_text("clash")
    expect(dialog.get_by_role("button", name=re.compile("Apply"))).to_be_enabled()
    keys.press("Control+Enter")
    expect(dialog).to_contain_text(re.compile(r"Synchronised\. \d fields? changed"))
    keys.is_on(dialog.get_by_role("button", name="Close").last)
    for system in (small.bc.customer("10000"), small.dv.account(remote)):
        assert {name: system[name] for name in both} == both
    expect(page.locator(".page-head")).to_contain_text("In step")
    keys.press("Enter")
    expect(dialog).to_be_hidden()
    keys.is_on(page.get_by_role("button", name="Synchronise now"))


def test_each_clash_of_a_merge_is_settled_by_itself(page: Page, small: Site) -> None:
    _, remote = pair(small, city="Cambridge", phoneNumber="1")
    small.bc.edit_customer("10000", city="Ely", phoneNumber="2")
    small.dv.change("accounts", remote, address1_city="Huntingdon", telephone1="3")
    keys = at_customers(page, 1)
    keys.press("Alt+s")
    dialog = keys.opened("Synchronise customer 10000 · Adatum")
    keys.is_on(dialog.get_by_role("radio", name="Merge"))
    expect(dialog).to_contain_text("2 clashes left")
    expect(dialog.get_by_role("button", name="Apply (0 changes)")).to_be_disabled()
    keys.tab_to(dialog.get_by_label("Whose City both get"))
    keys.type("Data")
    expect(dialog).to_contain_text("1 clash left")
    keys.is_on(dialog.get_by_label("Whose City both get"))
    keys.tab_to(dialog.get_by_label("Whose Phone No. both get"))
    keys.type("Bus")
    expect(dialog.get_by_role("button", name="Apply (2 changes)")).to_be_enabled()
    keys.tab_to(dialog.get_by_role("button", name="Apply (2 changes)"))
    keys.press("Space")
    expect(dialog).to_contain_text("Synchronised. 2 fields changed")
    keys.is_on(dialog.get_by_role("button", name="Close").last)
    for system in (small.bc.customer("10000"), small.dv.account(remote)):
        assert (system["city"], system["phone"]) == ("Huntingdon", "2")
    keys.close(rows(page).first)
    expect(row(page, "10000")).to_contain_text("In step")


def test_many_are_synchronised_as_the_plan_shows_them_and_taken_back(page: Page, small: Site) -> None:
    _, sent = pair(small, "10000", displayName="Adatum", city="Ely")
    _, got = pair(small, "20000", displayName="Trey Research", city="London")
    _, both = pair(small, "30000", displayName="School of Fine Art", city="Bath")
    pair(small, "40000", displayName="Alpine Ski House")
    small.bc.edit_customer("10000", city="Cambridge")
    small.dv.change("accounts", got, telephone1="555 0100")
    small.bc.edit_customer("30000", city="Bristol")
    small.dv.change("accounts", both, address1_city="Wells")
    keys = at_customers(page, 4)
    keys.press("Control+a")
    expect(said(page)).to_have_text("4 selected")
    keys.press("Alt+s")
    dialog = keys.opened("Synchronise 4 records")
    keys.is_on(dialog.get_by_role("button", name="Apply"))
    merge = dialog.get_by_role("radio", name=re.compile("erge"))
    expect(dialog.get_by_role("region", name=re.compile("Conflict"))).to_be_visible()
    keys.tab_to(merge, key="Shift+Tab")
    keys.press("ArrowDown")
    expect(dialog.get_by_role("region", name=re.compile("Conflict"))).to_have_count(0)
    keys.is_on(dialog.get_by_role("radio", name="Send data update to Dataverse"))
    keys.press("ArrowUp")
    expect(dialog.get_by_role("region", name=re.compile("Conflict"))).to_be_visible()
    keys.is_on(merge)
    keys.press("Control+Enter")
    expect(dialog.get_by_role("status")).to_contain_text("2 modified")
    keys.opened("Synchronised")
    assert small.bc.customer("10000")["city"] == small.dv.account(sent)["city"] == "Cambridge"
    assert small.bc.customer("20000")["phone"] == small.dv.account(got)["phone"] == "555 0100"
    assert (small.bc.customer("30000")["city"], small.dv.account(both)["city"]) == ("Bristol", "Wells")
    keys.tab_to(dialog.get_by_role("button", name="Undo"), key="Shift+Tab")
    keys.press("Space")
    keys.opened("Undone")
    assert small.dv.account(sent)["city"] == "Ely"
    assert small.bc.customer("20000")["phone"] == ""
    keys.close(rows(page).first)
