"""The errors page with the keyboard alone: retry, restore, delete, delete couplings, and a side for a conflict."""

import re

from playwright.sync_api import Locator, Page, expect

from crosstie.app.problems import list_problems
from tests.web.conftest import Site
from tests.web.keys import Keyboard
from tests.web.test_problems import (
    HERE,
    conflict,
    coupling,
    deleted,
    dialog,
    group,
    is_coupled,
    nothing_open,
    skipped,
)

GONE = "The record is coupled to a deleted record"
DENIED = "The connection's user may not write the record"
CLASH = "The same field was changed on both sides"


def at_errors(page: Page, title: str) -> tuple[Keyboard, Locator]:
    """Go from the home page to the errors, and return those of a cause."""
    keys = Keyboard(page)
    keys.open("/")
    keys.press("Alt+e")
    expect(page.get_by_role("heading", name=HERE)).to_be_visible()
    return keys, group(page, title)


def choose(keys: Keyboard, one: Locator, action: str) -> Locator:
    """Go to the actions of a cause and choose one."""
    bar = one.get_by_role("toolbar", name=re.compile("Actions"))
    keys.skip()
    keys.tab_to(bar.get_by_role("button").first)
    chosen = bar.get_by_role("button", name=action)
    keys.tab_to(chosen, key="ArrowRight")
    keys.press("Enter")
    return chosen


def finished(keys: Keyboard, page: Page, words: str) -> None:
    """See the result, close it, and see that nothing is left to be done."""
    expect(dialog(page)).to_contain_text(words)
    keys.is_on(dialog(page).get_by_role("button", name="Close").last)
    keys.close()
    nothing_open(page)
    expect(page.locator("body :focus")).to_have_count(1)


def test_what_was_skipped_is_retried(page: Page, small: Site) -> None:
    found = skipped(small, ["10000", "20000"])
    keys, one = at_errors(page, DENIED)
    keys.skip()
    keys.tab_to(one.get_by_role("checkbox", name="Select all records of the page"), key="F6")
    keys.tab_to(one.get_by_label("Select 20000 Paused 20000"))
    keys.press("Space")
    retry = one.get_by_role("toolbar", name="Selected records").get_by_role("button", name="Retry")
    keys.tab_to(retry, key="Shift+Tab")
    keys.press("Enter")
    expect(dialog(page)).to_contain_text("1 of 1 problem solved")
    keys.is_in(dialog(page))
    assert [small.dv.account(each.remote_id)["phone"] for each in found] == ["", "555 20000"]
    expect(one.get_by_label("Select 20000 Paused 20000")).to_have_count(0)
    keys.close(one.get_by_role("toolbar", name="Selected records").get_by_role("button", name="Retry"))
    keys.go("retry all")
    finished(keys, page, "1 of 1 problem solved")
    assert small.dv.account(found[0].remote_id)["phone"] == small.bc.customer("10000")["phone"] == "555 10000"
    assert list_problems(small.home) == []


def test_a_deleted_record_is_restored(page: Page, small: Site) -> None:
    deleted(small, "10000")
    keys, one = at_errors(page, GONE)
    choose(keys, one, "Restore Records")
    keys.opened("Restore records")
    keys.is_on(dialog(page).get_by_role("button", name="Cancel"))
    keys.press("Control+Enter")
    finished(keys, page, "Created in Dataverse")
    anew = coupling(small, "10000")
    assert small.dv.account(anew.remote_id)["city"] == small.bc.customer("10000")["city"] == "Ely"


def test_a_record_whose_partner_is_gone_is_deleted_after_the_question(page: Page, small: Site) -> None:
    [pair] = deleted(small, "10000")
    keys, one = at_errors(page, GONE)
    delete = choose(keys, one, "Delete Records")
    keys.opened("Delete records")
    keys.is_on(dialog(page).get_by_role("button", name="Cancel"))
    keys.press("Enter")
    expect(dialog(page)).to_be_hidden()
    keys.is_on(delete)
    assert small.bc.exists("customers", pair.local_id)
    keys.press("Enter")
    keys.opened("Delete records")
    keys.tab_to(dialog(page).get_by_role("button", name="Delete 1 record"))
    keys.press("Enter")
    finished(keys, page, "Deleted in Business Central")
    assert not small.bc.exists("customers", pair.local_id)
    assert not small.dv.exists("accounts", pair.remote_id)
    assert not is_coupled(small, "10000")


def test_a_coupling_is_deleted(page: Page, small: Site) -> None:
    found = conflict(small)
    keys, one = at_errors(page, CLASH)
    choose(keys, one, "Delete Couplings")
    keys.opened("Delete couplings")
    keys.press("Control+Enter")
    finished(keys, page, "1 of 1 problem solved")
    assert not is_coupled(small, "10000")
    assert small.bc.customer("10000")["city"] == "Atlanta"
    assert small.dv.account(found.remote_id)["city"] == "Marietta"


def test_a_conflict_is_settled_for_a_side_and_taken_back(page: Page, small: Site) -> None:
    found = conflict(small)
    keys, one = at_errors(page, CLASH)
    choose(keys, one, "Synchronise")
    keys.opened("Synchronise 1 record")
    keys.is_on(dialog(page).get_by_label("Send data update to Dataverse"))
    keys.press("ArrowDown")
    keys.is_on(dialog(page).get_by_label("Get data update from Dataverse"))
    keys.press("Control+Enter")
    expect(dialog(page)).to_contain_text("1 of 1 problem solved")
    assert small.bc.customer("10000")["city"] == small.dv.account(found.remote_id)["city"] == "Marietta"
    keys.tab_to(dialog(page).get_by_role("button", name="Undo"), key="Shift+Tab")
    keys.press("Enter")
    finished(keys, page, "1 record as before")
    assert small.bc.customer("10000")["city"] == "Atlanta"
