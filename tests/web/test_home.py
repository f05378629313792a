"""The home page: one glance whether anything is wrong, and help that says the same as everywhere."""

import html
from datetime import UTC, datetime
from typing import Any

import httpx
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from crosstie.api.door import SESSION_COOKIE
from crosstie.app.connections import disable_connection
from crosstie.app.coupling import create_partners
from crosstie.app.problems import list_problems
from crosstie.app.synchronising import synchronise
from crosstie.cli.root import cli
from crosstie.model.causes import CAUSES
from crosstie.model.problems import NewProblem
from tests.web.conftest import Site


def test_all_that_is_coupled_is_in_step_and_the_page_says_so(page: Page, small: Site) -> None:
    small.bc.add("customers", number="10000", displayName="Adatum")
    small.do(lambda session: create_partners(session, "CUSTOMER", ["10000"]))
    page.goto("/")
    expect(page.get_by_text("All 1 coupled record is in step.")).to_be_visible()
    expect(page.get_by_text("Last run just now.")).to_be_visible()
    expect(page.get_by_role("link", name="Customers 1 coupled, 1 in step")).to_be_visible()
    expect(page.get_by_role("region", name="Recent jobs")).to_contain_text("Finished")
    expect(page.get_by_role("region", name="Next runs")).to_contain_text("CUSTOMER30 minutes")


def test_what_needs_a_person_is_counted_once_and_led_to(page: Page, small: Site) -> None:
    small.bc.add("customers", number="10000", displayName="Adatum", city="Ely")
    small.do(lambda session: create_partners(session, "CUSTOMER", ["10000"]))
    account = small.dv.account_named("Adatum")["accountid"]
    small.bc.edit_customer("10000", city="Atlanta")
    small.dv.change("accounts", account, address1_city="Marietta")
    for _ in range(3):  # the same problem again is no further one
        small.do(lambda session: synchronise(session, "CUSTOMER", ["10000"]))
    page.goto("/")
    expect(page.get_by_role("link", name="Coupled Data Synchronization Errors 1 1 new")).to_be_visible()
    expect(page.get_by_text("is in step.")).to_have_count(0)
    headline = page.locator("#headline")
    expect(headline).to_contain_text("0 of 1 coupled record is in step; 1 problem is open.")
    expect(page.get_by_role("region", name="What is in the way").get_by_role("row")).to_have_count(2)
    headline.get_by_role("link", name="The same field was changed on both sides").click()
    expect(page.get_by_role("row", name="City Ely Atlanta Marietta").last).to_be_visible()


def test_a_connection_that_is_not_used_is_said_in_large(page: Page, small: Site) -> None:
    disable_connection(small.home, "dataverse")
    page.goto("/")
    expect(page.get_by_text("Nothing is synchronised by itself: The connection dataverse is disabled")).to_be_visible()
    expect(page.get_by_role("region", name="Connections")).to_contain_text("Disabled")


# --- one cause, one wording --------------------------------------------------------------------------------------


def test_a_cause_is_worded_alike_on_pages_in_the_api_and_on_the_command_line(small: Site) -> None:
    new: list[Any] = [
        NewProblem(
            mapping="CUSTOMER",
            local_id=f"00000000-0000-0000-0000-{number:012}",
            remote_id=None,
            coupling_id=None,
            name=f"Record {number}",
            problem_class=cause.problem_class,
            code=cause.code,
            words=f"{cause.title}: <{number}>.",
            next_step=cause.next_step,
        )
        for number, cause in enumerate(CAUSES.values())
    ]
    with small.home.store.begin() as unit:
        opened = unit.put_problems(new, datetime.now(UTC))
    cookies = {SESSION_COOKIE: small.session()}
    printed = CliRunner().invoke(
        cli, ["--home", str(small.home.folder), "--store", small.home.store_address, "problems"]
    )
    assert printed.exit_code == 0, printed.output
    by_code = {each.code: each for each in list_problems(small.home)}
    with httpx.Client(base_url=small.address, cookies=cookies, timeout=30) as browser:
        inbox = html.unescape(browser.get("/problems").text)
        for problem in opened:
            cause = CAUSES[problem.code]
            assert (by_code[cause.code].words, by_code[cause.code].next_step) == (problem.words, cause.next_step)
            assert problem.words in printed.output
            assert f"Next step: {cause.next_step}" in printed.output
            assert f">{cause.title}<" in inbox
            assert cause.next_step in inbox
            records = html.unescape(browser.get("/problems", params={"code": cause.code}).text)
            assert problem.words in records
            page = browser.get(f"/help/errors/{cause.code}")
            assert page.status_code == 200
            assert f"{cause.code}: " in page.text
            told = page.text.partition("<h2>What to do</h2>")[2].partition("<h2>")[0]
            assert "crosstie " not in told, "pages speak of their own actions first"
        assert browser.get("/help/errors/no-such-code").status_code == 404
        assert browser.get("/help/errors/..%2F..%2FREADME").status_code == 404
