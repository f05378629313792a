"""Bad times for the errors page, matching, plans and mappings: what is open while something goes away, or comes first.

As in `test_bad_times`: nothing is done twice, nothing breaks, and the message says what to do.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from crosstie.app.history import list_jobs
from crosstie.app.jobs import enqueue, run_now
from crosstie.app.kept_plans import start_plan
from crosstie.app.mappings import change_mapping, show_mapping
from crosstie.app.people.acting import command_line
from crosstie.app.plans import make_plan
from crosstie.app.problems import chosen_problems
from crosstie.app.solving import Solution, solve
from crosstie.model.mapping_changes import MappingChanges
from crosstie.model.mappings import Direction
from crosstie.model.problems import ProblemFilter
from crosstie.sandbox.launch import Sandbox
from tests.web.conftest import Site, looking, served
from tests.web.pairs import customer, pair
from tests.web.test_bad_times import Desks
from tests.web.test_mappings import CARD
from tests.web.test_problems import conflict, deleted, dialog, is_coupled, skipped


@dataclass(frozen=True)
class Work:
    """What is open: `ok` does it, `done` is said `where` it is done, `first` is the same done by somebody else."""

    where: Locator
    ok: Callable[[], Locator]
    done: str
    is_done: Callable[[], bool]
    first: Callable[[], object]
    told: str
    """What is said to who comes second."""


def solving(page: Page, site: Site, action: str, ok: str, solution: Solution, is_done: Callable[[], bool]) -> Work:
    """The errors page, with the dialog of an action on its only group."""
    page.goto("/problems")
    page.locator(".group-actions").get_by_role("button", name=action).click()
    here = dialog(page)
    if solution is Solution.GET:
        here.get_by_label("Get data update from Dataverse").check()
    expect(here.get_by_role("button", name=ok)).to_be_visible()

    def first() -> None:
        problems = chosen_problems(site.home, (), ProblemFilter())
        site.do(lambda session: solve(session, solution, problems))

    return Work(
        here,
        lambda: here.get_by_role("button", name=ok),
        "1 of 1 problem solved",
        is_done,
        first,
        "What was chosen is solved meanwhile.",
    )


def settling(page: Page, site: Site) -> Work:
    conflict(site)
    return solving(
        page,
        site,
        "Synchronise",
        "Synchronise 1 record",
        Solution.GET,
        lambda: site.bc.customer("10000")["city"] == "Marietta",
    )


def restoring(page: Page, site: Site) -> Work:
    deleted(site, "10000")
    return solving(
        page, site, "Restore Records", "Restore 1 record", Solution.RESTORE, lambda: len(site.dv.rows("accounts")) == 1
    )


def deleting(page: Page, site: Site) -> Work:
    gone = deleted(site, "10000")
    return solving(
        page,
        site,
        "Delete Records",
        "Delete 1 record",
        Solution.DELETE,
        lambda: not site.bc.exists("customers", gone[0].local_id),
    )


def uncoupling(page: Page, site: Site) -> Work:
    conflict(site)
    return solving(
        page,
        site,
        "Delete Couplings",
        "Delete coupling of 1 record",
        Solution.UNCOUPLE,
        lambda: not is_coupled(site, "10000"),
    )


def retrying(page: Page, site: Site) -> Work:
    found = skipped(site, ["10000"])
    page.goto("/problems")
    expect(page.get_by_role("button", name="Retry All (1)")).to_be_visible()

    def first() -> None:
        problems = chosen_problems(site.home, (), ProblemFilter())
        site.do(lambda session: solve(session, Solution.RETRY, problems))

    return Work(
        dialog(page),
        lambda: page.get_by_role("button", name="Retry All (1)"),
        "1 of 1 problem solved",
        lambda: site.dv.account(found[0].remote_id)["phone"] == "555 10000",
        first,
        "What was chosen is solved meanwhile.",
    )


def queued(site: Site, use_case: str) -> bool:
    """Whether one job of a use case, and not two, waits for a worker."""
    with site.home.store.begin() as unit:
        return [job.use_case for job in unit.background.going_on()].count(use_case) == 1


def matching(page: Page, site: Site) -> Work:
    customer(site)
    page.goto(f"{CARD}/match")
    page.get_by_label("Match on Phone No.").check()
    expect(page.locator("#trial")).to_contain_text("Try 1: Name and Phone No.")
    here = page.locator("#matching")
    return Work(
        here,
        lambda: page.get_by_role("button", name="OK", exact=True),
        "Each record's outcome",
        lambda: queued(site, "match"),
        lambda: enqueue(site.home, "match", {"mapping": "CUSTOMER", "groups": [["displayName"]]}),
        "has been waiting to run",
    )


def planning(page: Page, site: Site) -> Work:
    page.goto(CARD)
    page.get_by_role("button", name="Synchronize Modified Records").click()
    here = dialog(page)
    expect(here.get_by_role("button", name="Make a plan first")).to_be_visible()
    return Work(
        here,
        lambda: here.get_by_role("button", name="Make a plan first"),
        "It goes on when this is closed.",
        lambda: queued(site, "plan"),
        lambda: None,
        "It goes on when this is closed.",
    )


def starting(page: Page, site: Site) -> Work:
    pair(site, city="Ely")
    site.bc.edit_customer("10000", city="Bath")
    plan = site.do(lambda session: make_plan(session, "CUSTOMER"))
    page.goto(f"/jobs/{plan.job.id}/plan")
    here = page.get_by_role("main")
    expect(here.get_by_role("button", name="Start")).to_be_visible()
    return Work(
        here,
        lambda: here.get_by_role("button", name="Start"),
        "Waiting",
        lambda: queued(site, "carry_out_plan"),
        lambda: start_plan(site.home, plan.job.id, ["update"]),
        "is being carried out already",
    )


def running(page: Page, site: Site) -> Work:
    page.goto(CARD)
    page.get_by_role("button", name="Synchronize Modified Records").click()
    here = dialog(page)
    expect(here.get_by_role("button", name="Synchronise", exact=True)).to_be_visible()
    return Work(
        here,
        lambda: here.get_by_role("button", name="Synchronise", exact=True),
        "It goes on when this is closed.",
        lambda: queued(site, "synchronise"),
        lambda: run_now(site.home, "CUSTOMER"),
        "has been waiting to run",
    )


def turning(page: Page, site: Site) -> Work:
    page.goto(CARD)
    page.get_by_role("button", name="Change the direction").click()
    here = dialog(page)
    here.get_by_label("From Dataverse").check()
    expect(here).to_contain_text("Disabled, because they go the other way only")
    return Work(
        here,
        lambda: here.get_by_role("button", name="OK"),
        "from Dataverse now",
        lambda: show_mapping(site.home, "CUSTOMER").direction == "from_remote",
        lambda: changed(site, MappingChanges(direction=Direction.FROM_REMOTE)),
        "from Dataverse now; 0 field mappings changed",
    )


def filtering(page: Page, site: Site) -> Work:
    page.goto(f"{CARD}/filters")
    page.get_by_label("Table Filter as text", exact=True).fill("city eq 'Ely'")
    expect(page.locator("#figures-local")).to_contain_text("City is")
    page.get_by_role("button", name="Save the filters").click()
    here = dialog(page)
    expect(here.get_by_role("button", name="Save", exact=True)).to_be_visible()
    return Work(
        here,
        lambda: here.get_by_role("button", name="Save", exact=True),
        "The filters are stored",
        lambda: show_mapping(site.home, "CUSTOMER").local_filter == "city eq 'Ely'",
        lambda: changed(site, MappingChanges(local_filter="city eq 'Ely'")),
        "The filters were as they are already",
    )


def changed(site: Site, changes: MappingChanges) -> None:
    site.do(lambda session: change_mapping(session, command_line(), "CUSTOMER", changes))


Opens = Callable[[Page, Site], Work]
SOLVING: list[Opens] = [settling, retrying, restoring, deleting, uncoupling]
STARTING: list[Opens] = [matching, planning, starting, running]
SETTING: list[Opens] = [turning, filtering]
EACH = [*SOLVING, *STARTING, *SETTING]


def jobs_of(site: Site) -> int:
    return sum(job.parent_id is None for job in list_jobs(site.home, "CUSTOMER"))


def carried_out(work: Work) -> None:
    work.ok().click()
    expect(work.where).to_contain_text(work.done)
    assert work.is_done()


@pytest.mark.parametrize("opens", [deleting, matching, starting])
def test_the_server_goes_away_and_comes_back(
    browser: Browser, web_sandbox: Sandbox, web_desks: Desks, empty_home: Path, opens: Opens
) -> None:
    with ExitStack() as until_end:
        with ExitStack() as first:
            site = first.enter_context(served(empty_home, web_sandbox, web_desks))
            page = until_end.enter_context(looking(browser, site, expected=("htmx:sendError",)))
            work = opens(page, site)
        work.ok().click()
        expect(page.get_by_text("The server does not answer. Try again when it is back")).to_be_visible()
        port = int(site.address.rpartition(":")[2])
        again = until_end.enter_context(served(empty_home, web_sandbox, web_desks, port=port))
        site.home = again.home
        before = jobs_of(site)
        carried_out(work)
        assert jobs_of(site) == before + (opens not in SETTING)


@pytest.mark.parametrize("opens", [settling, retrying, deleting, filtering])
def test_dataverse_goes_away_and_comes_back(page: Page, small: Site, opens: Opens) -> None:
    work = opens(page, small)
    small.dv.fault("status", status=503, retry_after=0.05, times=None)
    work.ok().click()
    if opens is filtering:
        expect(work.where).to_contain_text(work.done)
        return
    expect(dialog(page).get_by_role("alert").first).to_contain_text("dataverse", ignore_case=True)
    small.dv.heal()
    assert not work.is_done()
    if opens is retrying:
        dialog(page).get_by_role("button", name="Close").last.click()
    carried_out(work)


@pytest.mark.parametrize("opens", EACH)
def test_somebody_else_does_the_same_first(page: Page, small: Site, opens: Opens) -> None:
    work = opens(page, small)
    work.first()
    before = jobs_of(small)
    work.ok().click()
    expect(page.get_by_text(work.told).first).to_be_visible()
    assert work.is_done()
    assert jobs_of(small) == before + (opens is planning)


@pytest.mark.parametrize("opens", [settling, deleting, *STARTING, filtering])
def test_ok_is_pressed_twice_and_the_back_button_afterwards(page: Page, small: Site, opens: Opens) -> None:
    work = opens(page, small)
    before = jobs_of(small)
    address = page.url
    work.ok().dblclick()
    expect(work.where).to_contain_text(work.done)
    assert work.is_done()
    assert jobs_of(small) == before + (opens not in SETTING)
    if opens is not starting:
        page.goto("/jobs")
    page.go_back()
    expect(page).to_have_url(address)
    expect(page.get_by_role("main").get_by_role("heading", level=1)).to_be_visible()
    expect(dialog(page)).not_to_be_visible()
    assert jobs_of(small) == before + (opens not in SETTING)


@pytest.mark.parametrize("opens", [settling, matching, starting, turning])
def test_the_session_ends_meanwhile(page: Page, small: Site, opens: Opens) -> None:
    work = opens(page, small)
    page.context.clear_cookies()
    work.ok().click()
    expect(page.get_by_text("You are no longer signed in")).to_be_visible()
    assert not work.is_done()
    carried_out(work)
