"""Selections of 50,000 rows, ticked one by one: from the page to a job that ends, and one row too many."""

import json
import re

from playwright.sync_api import Page, expect

from crosstie.app.coupling import create_partners, list_couplings
from crosstie.app.lists import list_records
from crosstie.app.selecting import MOST_IDS, Selection
from tests.web.conftest import Site
from tests.web.test_lists import many, rows, said
from tests.web.test_many import opened

THERE = 60
"""So many of the selected records exist; the others have been deleted since they were ticked."""


def tick(page: Page, ids: list[str]) -> None:
    """Leave in the browser what it keeps where somebody has ticked these rows, page after page."""
    kept = json.dumps({"ids": dict.fromkeys(ids, 1), "all": None, "out": []})
    page.evaluate("(kept) => sessionStorage.setItem('crosstie.selection:CUSTOMER/local', kept)", kept)
    page.reload()


def test_fifty_thousand_ticked_rows_become_a_job_that_ends(working_page: Page, working: Site) -> None:
    page = working_page
    many(working, THERE)
    working.do(lambda session: create_partners(session, "CUSTOMER", selection=Selection(all=True)))
    there = [each.id for each in working.do(lambda session: list_records(session, "CUSTOMER", size=THERE)).rows]
    page.goto("/lists/CUSTOMER")
    tick(page, [*there, *(f"00000000-0000-4000-8000-{number:012}" for number in range(MOST_IDS - THERE))])
    expect(said(page)).to_have_text("50,000 selected")
    rows(page).first.get_by_role("checkbox").uncheck()
    expect(said(page)).to_have_text("49,999 selected")
    dialog = opened(page, "Delete Coupling")
    expect(dialog.get_by_role("heading", name=f"Delete {THERE - 1} couplings")).to_be_visible()
    assert len(dialog.inner_html()) < 10_000, "the dialog names the selection instead of carrying it"
    dialog.get_by_role("button", name=f"Delete {THERE - 1} couplings").click()
    expect(dialog).to_contain_text(f"{THERE - 1} uncoupled", timeout=60_000)
    assert [each.local_id for each in list_couplings(working.home, "CUSTOMER").couplings] == [there[0]]


def test_one_row_too_many_is_said_before_anything_is_sent(page: Page, small: Site) -> None:
    many(small, 1)
    page.goto("/lists/CUSTOMER")
    tick(page, [f"00000000-0000-4000-8000-{number:012}" for number in range(MOST_IDS)])
    expect(said(page)).to_have_text("50,000 selected")
    rows(page).first.get_by_role("checkbox").check()
    expect(page.locator("#notices")).to_contain_text("At most 50,000 rows are selected one by one")
    action = page.get_by_role("toolbar", name="Synchronise").locator("[data-label='Synchronise now']")
    expect(action).to_have_attribute("data-reason", re.compile("At most 50,000 rows"))
