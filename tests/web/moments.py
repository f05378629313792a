"""What is seen only for a moment, or after something was done: each opens it in a window, and clears up afterwards."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import msgspec
from playwright.sync_api import Locator, Page, expect

from crosstie.api.door import SESSION_COOKIE
from crosstie.app.home import open_home
from crosstie.app.jobs import enqueue
from crosstie.app.people.acting import People, command_line
from crosstie.app.people.joining import first_administrator_link, invite, join
from crosstie.app.session import utc_now
from crosstie.model.jobs import JobState
from crosstie.model.people import Role
from tests.flow.conftest import home_beside
from tests.web.conftest import Site, apart, served

Moment = Callable[[Site, Page], AbstractContextManager[None]]
MOMENTS: dict[str, Moment] = {}
PATIENCE = 60_000


def moment(name: str) -> Callable[[Callable[[Site, Page], Iterator[None]]], None]:
    """Put a moment into the list by its name; its generator opens what is seen, yields, and clears up."""

    def take(made: Callable[[Site, Page], Iterator[None]]) -> None:
        MOMENTS[name] = contextmanager(made)

    return take


@contextmanager
def beside(site: Site, *, connected: bool = True, welcomes: bool = True) -> Iterator[Site]:
    """Serve a home of its own over the demo's systems: not connected, or connected and without couplings or worker."""
    with TemporaryDirectory() as made:
        folder = Path(made) / "home"
        if connected:
            home_beside(site.sandbox, folder, apart)
        else:
            with open_home(folder, str(folder / "crosstie.db")):
                pass
        with served(folder, site.sandbox, (site.bc, site.dv), welcomes=welcomes) as running:
            yield running


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def press(page: Page, name: str, shown: str) -> None:
    """Press a button and wait for words that the dialog then has."""
    page.get_by_role("button", name=name).first.click()
    expect(dialog(page)).to_contain_text(shown, timeout=PATIENCE)


# --- mappings and matching ------------------------------------------------------------------------------------


@moment("mapping-disabled")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/mappings/VENDOR")
    page.get_by_label("Enabled", exact=True).uncheck()
    expect(page.get_by_text("A mapping that is disabled has no schedule.")).to_be_visible(timeout=PATIENCE)
    yield
    page.get_by_label("Enabled", exact=True).check()
    expect(page.get_by_text("Runs every")).to_be_visible(timeout=PATIENCE)


@moment("mapping-filters-wrong")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/mappings/CUSTOMER/filters")
    page.get_by_label("Integration Table Filter as text").fill("stattecode eq 0")
    expect(page.locator("#figures-remote").get_by_role("alert")).to_be_visible(timeout=PATIENCE)
    yield


@moment("mapping-filters-preview")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/mappings/CUSTOMER/filters")
    page.get_by_label("Table Filter as text", exact=True).fill("blocked eq null and startswith(city,'L')")
    expect(page.locator("#figures-local")).to_contain_text("starts with", timeout=PATIENCE)
    press(page, "Save the filters", "What becomes of")
    yield


@moment("mapping-field-rules-tried")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/mappings/CUSTOMER/fields/rules?field=city/address1_city")
    page.get_by_label("Values on their way to Dataverse").fill("uppercase\nreplace find=LONDON replace=London")
    page.get_by_label("Values on their way to Business Central").fill("upercase")
    page.get_by_label("Try them on a value").fill("london")
    page.get_by_text("The rules there are").click()
    expect(page.locator("#rules-tried")).to_contain_text("London", timeout=PATIENCE)
    yield


@moment("match-several")
def _(site: Site, page: Page) -> Iterator[None]:
    added = site.bc.add("customers", number="950000", displayName="Northwind", type="Company")
    accounts = [site.dv.add_customer("Northwind", address1_city=city)["accountid"] for city in ("Leeds", "York")]
    page.goto("/mappings/CUSTOMER/match")
    expect(page.locator("#trial")).to_contain_text("Choose among several", timeout=PATIENCE)
    yield
    page.get_by_role("button", name="Couple 950000 Northwind").first.click()
    expect(page.locator(".choices").get_by_role("status")).to_contain_text("is coupled with", timeout=PATIENCE)
    page.locator(".choices").get_by_role("button", name="Undo").click()
    expect(page.locator(".choices")).not_to_contain_text("is coupled with", timeout=PATIENCE)
    site.bc.remove("customers", str(added["id"]))
    for each in accounts:
        site.dv.remove("accounts", str(each))


@moment("match-result")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/mappings/CUSTOMER/match")
    expect(page.locator("#trial")).to_contain_text("Already coupled", timeout=PATIENCE)
    page.get_by_role("button", name="OK").click()
    expect(page.locator("#matching")).to_contain_text("Finished", timeout=PATIENCE)
    yield


# --- jobs -----------------------------------------------------------------------------------------------------


@moment("jobs-paused")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/jobs")
    page.get_by_role("button", name="Pause all").click()
    expect(page.get_by_role("button", name="Resume all")).to_be_visible(timeout=PATIENCE)
    yield
    page.get_by_role("button", name="Resume all").click()
    expect(page.get_by_role("button", name="Resume all")).to_have_count(0, timeout=PATIENCE)


def _job(name: str, state: JobState | None, message: str = "") -> None:
    """A job that waits, runs, or ended so."""

    @moment(name)
    def _(site: Site, page: Page) -> Iterator[None]:
        with beside(site) as other:
            job = enqueue(other.home, "synchronise", {"mapping": "CUSTOMER"}, asked_by="anna")
            if state is not JobState.QUEUED:
                with other.home.store.begin() as unit:
                    claimed = unit.background.claim(job, "this process", utc_now())
                    assert claimed is not None
                    unit.background.note_expected(job.id, 1200)
                    unit.background.note_progress(job.id, 480, "records")
                    if state is not None:
                        unit.background.close_job(claimed, state, message=message, now=utc_now())
            page.goto(f"{other.address}/jobs/{job.id}")
            expect(page.locator(".job-progress")).to_be_visible()
            yield


_job("job-waiting", JobState.QUEUED)
_job("job-running", None)
_job("job-cancelled", JobState.CANCELLED, "It was cancelled by anna.")
_job("job-gone-wrong", JobState.FAILED, "dataverse gives no usable answer: 503 Service Unavailable.")


# --- connections, and coming in -------------------------------------------------------------------------------


@moment("connections-none")
def _(site: Site, page: Page) -> Iterator[None]:
    with beside(site, connected=False) as fresh:
        page.goto(f"{fresh.address}/connections")
        expect(page.get_by_role("link", name="Start the setup")).to_be_visible(timeout=PATIENCE)
        yield


@moment("home-first-start")
def _(site: Site, page: Page) -> Iterator[None]:
    with beside(site, connected=False) as fresh:
        page.goto(f"{fresh.address}/")
        expect(page.get_by_role("heading", name="Nothing is connected yet")).to_be_visible(timeout=PATIENCE)
        yield


@moment("connections-broken")
def _(site: Site, page: Page) -> Iterator[None]:
    with beside(site) as other:
        with other.home.store.begin() as unit:
            for each in unit.connections():
                why = "The client secret has expired." if each.name == "dataverse" else "disabled by a person"
                unit.put_connection(msgspec.structs.replace(each, enabled=each.name == "dataverse", paused_reason=why))
        page.goto(f"{other.address}/connections")
        yield


@moment("connection-tested")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/connections")
    press(page, "Test dataverse", "all is well")
    yield


@moment("connections-checked")
def _(site: Site, page: Page) -> Iterator[None]:
    site.dv.switch(refuse_tables=["contact"])
    page.goto("/connections")
    press(page, "Check everything", "failed")
    yield
    site.dv.switch(refuse_tables=[])


@moment("setup-wrong")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/connections/setup/dataverse")
    page.get_by_label("Client secret").fill("wrong")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Client secret")).to_have_attribute("aria-invalid", "true", timeout=PATIENCE)
    yield
    page.get_by_role("button", name="Forget what was entered").click()
    page.wait_for_url("**/connections")


@moment("setup-preflight-failed")
def _(site: Site, page: Page) -> Iterator[None]:
    site.dv.switch(refuse_tables=["contact"])
    page.goto("/connections/setup/preflight")
    page.get_by_role("button", name="Run the checks").click()
    expect(page.get_by_text("failed.")).to_be_visible(timeout=PATIENCE)
    yield
    site.dv.switch(refuse_tables=[])
    page.get_by_role("button", name="Forget what was entered").click()
    page.wait_for_url("**/connections")


@moment("setup-preflight-passed")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/connections/setup/preflight")
    page.get_by_role("button", name="Run the checks").click()
    expect(page.get_by_text("checks passed")).to_be_visible(timeout=PATIENCE)
    yield


@moment("setup-mappings-compared")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/connections/setup/preflight")
    page.get_by_role("button", name="Run the checks").click()
    expect(page.get_by_text("checks passed")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name="Compared with the defaults")).to_be_visible(timeout=PATIENCE)
    yield
    page.get_by_role("button", name="Forget what was entered").click()
    page.wait_for_url("**/connections")


@moment("sign-in")
def _(site: Site, page: Page) -> Iterator[None]:
    with beside(site, connected=False, welcomes=False) as fresh:
        page.goto(f"{fresh.address}/sign-in")
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill("not this one")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible(timeout=PATIENCE)
        yield


@moment("first-administrator")
def _(site: Site, page: Page) -> Iterator[None]:
    with beside(site, connected=False, welcomes=False) as fresh:
        link = first_administrator_link(People(fresh.home.store))
        assert link is not None
        page.goto(f"{fresh.address}/join/{link.secret}")
        page.get_by_label("Your name").fill("Anna")
        page.get_by_label("Password").fill("short")
        page.get_by_role("button", name="Come in").click()
        expect(page.get_by_role("alert")).to_be_visible(timeout=PATIENCE)
        yield


@moment("join-used")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/join/{'x' * 20}")
    yield


# --- errors ---------------------------------------------------------------------------------------------------


@moment("error-forbidden")
def _(site: Site, page: Page) -> Iterator[None]:
    people = People(site.home.store)
    link = invite(people, command_line(), "looks-only", Role.VIEWER)
    secret = join(people, link.secret or "", "four words and a number 7").secret or ""
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": site.address}])
    page.goto("/connections/setup")
    yield


@moment("error-unexpected")
def _(site: Site, page: Page) -> Iterator[None]:
    with patch("crosstie.web.routes.help.help_of", side_effect=RuntimeError("planted")):
        page.goto("/help/errors/conflict")
        yield


@moment("error-system-down")
def _(site: Site, page: Page) -> Iterator[None]:
    site.dv.fault("html", times=None)
    page.goto("/mappings/CUSTOMER")
    expect(page.get_by_role("alert").first).to_be_visible(timeout=PATIENCE)
    yield
    site.dv.heal()


@moment("problems-none-at-all")
def _(site: Site, page: Page) -> Iterator[None]:
    with beside(site) as other:
        page.goto(f"{other.address}/problems")
        expect(page.get_by_text("Nothing needs a person.")).to_be_visible(timeout=PATIENCE)
        yield


# --- what changes the demo, last ------------------------------------------------------------------------------


@moment("problems-retried")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/problems?code=too-long")
    page.locator(".problem-group").get_by_role("button", name="Retry").first.click()
    expect(dialog(page)).to_contain_text("solved", timeout=PATIENCE)
    yield


@moment("problems-restored")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/problems?code=partner-deleted")
    page.locator(".problem-group").get_by_role("button", name="Restore Records").first.click()
    expect(dialog(page)).to_contain_text("are created anew", timeout=PATIENCE)
    dialog(page).get_by_role("button", name="Restore").click()
    expect(dialog(page)).to_contain_text("solved", timeout=PATIENCE)
    yield
    dialog(page).get_by_role("button", name="Undo").click()
    expect(dialog(page)).to_contain_text("as before", timeout=PATIENCE)


@moment("mapping-direction-done")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/mappings/VENDOR")
    page.get_by_role("button", name="Change the direction").click()
    dialog(page).get_by_label("To Dataverse").check()
    expect(dialog(page)).to_contain_text("What changes with it", timeout=PATIENCE)
    dialog(page).get_by_role("button", name="OK").click()
    expect(dialog(page)).to_contain_text("VENDOR goes", timeout=PATIENCE)
    yield


@moment("mapping-reset-done")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/mappings/VENDOR")
    page.get_by_role("button", name="Use Default Synchronization Setup").click()
    dialog(page).get_by_role("button", name="Reset").click()
    expect(dialog(page).get_by_role("button", name="Close").last).to_be_visible(timeout=PATIENCE)
    expect(dialog(page).get_by_role("button", name="Reset")).to_have_count(0, timeout=PATIENCE)
    yield


@moment("mapping-uncoupled")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/mappings/VENDOR")
    page.get_by_role("button", name="Delete Couplings").click()
    dialog(page).get_by_label("to confirm").fill("VENDOR")
    dialog(page).get_by_role("button", name="Delete Couplings").click()
    expect(dialog(page)).to_contain_text("Finished", timeout=PATIENCE)
    yield


@moment("removed-couplings-many")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/couplings/removed?mapping=VENDOR")
    yield


@moment("job-undone")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/jobs?mapping=VENDOR&kind=uncoupling")
    page.locator("#job-log tbody a").first.click()
    page.get_by_role("button", name="Undo").click()
    dialog(page).get_by_role("button", name="Undo").click()
    expect(dialog(page)).to_contain_text("taken back", timeout=PATIENCE)
    yield
