"""Bad times: a dialog is open while a server, a system, a session, a record or another tab does what it should not.

Nothing is done twice, nothing breaks, the message says what to do, and what was typed is still there.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from crosstie.app.history import list_jobs
from crosstie.sandbox.launch import Sandbox
from tests.flow.desks import BusinessCentralDesk, DataverseDesk
from tests.web.conftest import Site, looking, served
from tests.web.pairs import account, card, couple, coupling, customer, open_dialog, pair

Desks = tuple[BusinessCentralDesk, DataverseDesk]


@dataclass(frozen=True)
class Work:
    """A dialog that is open, and what its OK does."""

    dialog: Locator
    ok: Callable[[], Locator]
    done: str
    """What the dialog says once it is done."""
    is_done: Callable[[], bool]
    remote: str
    """The account that it is about."""


def synchronising(page: Page, site: Site) -> Work:
    local, remote = pair(site, city="Ely")
    site.bc.edit_customer("10000", city="Bath")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Synchronise now", "Synchronise customer 10000 · Adatum")
    dialog.get_by_role("radio", name="Send to Dataverse").check()
    return Work(
        dialog,
        lambda: dialog.get_by_role("button", name="Apply"),
        "Synchronised.",
        lambda: site.dv.account(remote)["city"] == "Bath",
        remote,
    )


def coupling_two(page: Page, site: Site) -> Work:
    local = customer(site)
    remote = account(site)
    page.goto(card("local", local))
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    dialog.get_by_role("radio", name="Adatum").check()
    expect(dialog.get_by_role("button", name="OK")).to_be_enabled()
    return Work(
        dialog,
        lambda: dialog.get_by_role("button", name="OK"),
        "Coupled.",
        lambda: coupling(site, local) is not None,
        remote,
    )


def uncoupling(page: Page, site: Site) -> Work:
    local, remote = pair(site)
    page.goto(card("local", local))
    dialog = open_dialog(page, "Delete Coupling", "Delete Coupling")
    return Work(
        dialog,
        lambda: dialog.get_by_role("button", name="Delete Coupling"),
        "Coupling deleted.",
        lambda: coupling(site, local) is None,
        remote,
    )


def planning(page: Page, site: Site) -> Work:
    _, remote = pair(site, city="Ely")
    pair(site, "20000", displayName="Trey Research")
    site.bc.edit_customer("10000", city="Bath")
    page.goto("/lists/CUSTOMER")
    page.get_by_role("checkbox", name="Select all rows of this page").check()
    page.get_by_role("toolbar").get_by_role("button", name="Synchronise now").click()
    dialog = page.locator("#dialog")
    dialog.get_by_role("radio", name="Send data update to Dataverse").check()
    expect(dialog.get_by_role("radio", name="Send data update to Dataverse")).to_be_checked()
    expect(dialog.get_by_text("City in Dataverse")).to_be_visible()
    return Work(
        dialog,
        lambda: dialog.get_by_role("button", name="Apply"),
        "1 modified",
        lambda: site.dv.account(remote)["city"] == "Bath",
        remote,
    )


Opens = Callable[[Page, Site], Work]
EACH: list[Opens] = [synchronising, coupling_two, uncoupling, planning]
ONE_AND_MANY: list[Opens] = [synchronising, planning]


def jobs_of(site: Site) -> int:
    return sum(job.parent_id is None for job in list_jobs(site.home, "CUSTOMER"))


def carried_out(work: Work) -> None:
    work.ok().click()
    expect(work.dialog).to_contain_text(work.done)
    assert work.is_done()


@pytest.mark.parametrize("opens", ONE_AND_MANY)
def test_the_server_goes_away_and_comes_back(
    browser: Browser, web_sandbox: Sandbox, web_desks: Desks, empty_home: Path, opens: Opens
) -> None:
    with ExitStack() as until_end:
        with ExitStack() as first:
            site = first.enter_context(served(empty_home, web_sandbox, web_desks))
            page = until_end.enter_context(looking(browser, site, expected=("htmx:sendError",)))
            work = opens(page, site)
        work.ok().click()
        expect(work.dialog.get_by_role("alert")).to_contain_text(
            "The server does not answer. Try again when it is back"
        )
        port = int(site.address.rpartition(":")[2])
        again = until_end.enter_context(served(empty_home, web_sandbox, web_desks, port=port))
        site.home = again.home
        before = jobs_of(site)
        carried_out(work)
        assert jobs_of(site) == before + 1


@pytest.mark.parametrize("opens", [synchronising, coupling_two, uncoupling])
def test_dataverse_goes_away_and_comes_back(page: Page, small: Site, opens: Opens) -> None:
    work = opens(page, small)
    small.dv.fault("status", status=503, retry_after=0.05, times=None)
    work.ok().click()
    expect(work.dialog.get_by_role("alert").first).to_contain_text("dataverse", ignore_case=True)
    small.dv.heal()
    assert not work.is_done()
    carried_out(work)


@pytest.mark.parametrize("opens", EACH)
def test_the_partner_is_deleted_meanwhile(page: Page, small: Site, opens: Opens) -> None:
    work = opens(page, small)
    small.dv.remove("accounts", work.remote)
    work.ok().click()
    if opens is uncoupling:
        expect(work.dialog).to_contain_text(work.done)
    elif opens is planning:
        expect(work.dialog.get_by_role("alert")).to_contain_text("changed since the plan was shown")
    elif opens is coupling_two:
        expect(work.dialog.get_by_role("alert")).to_contain_text("There is no record")
    else:
        expect(work.dialog).to_contain_text("no longer exists")
    assert len(small.bc.rows("customers")) == (2 if opens is planning else 1), "nothing is deleted for that"
    assert not small.dv.rows("accounts", "name eq 'Adatum'"), "nor is it created again"


@pytest.mark.parametrize("opens", EACH)
def test_another_tab_does_the_same_first(page: Page, small: Site, opens: Opens) -> None:
    work = opens(page, small)
    before = jobs_of(small)
    if opens in (synchronising, planning):
        small.dv.change("accounts", work.remote, address1_city="Bath")
    elif opens is coupling_two:
        couple(small, small.bc.id_of("customers", "10000"), work.remote)
    else:
        other = page.context.new_page()
        other.goto(page.url)
        dialog = open_dialog(other, "Delete Coupling", "Delete Coupling")
        dialog.get_by_role("button", name="Delete Coupling").click()
        expect(dialog).to_contain_text(work.done)
        other.close()
    before = jobs_of(small)
    work.ok().click()
    if opens is coupling_two:
        expect(work.dialog).to_contain_text("Coupled.")
    else:
        expect(work.dialog.get_by_role("alert").or_(work.dialog.get_by_text("not coupled")).first).to_be_visible()
        assert jobs_of(small) == before, "nothing was done"
    assert work.is_done()


@pytest.mark.parametrize("opens", EACH)
def test_ok_is_pressed_twice_and_the_back_button_afterwards(page: Page, small: Site, opens: Opens) -> None:
    work = opens(page, small)
    before = jobs_of(small)
    work.ok().dblclick()
    expect(work.dialog).to_contain_text(work.done)
    assert work.is_done()
    assert jobs_of(small) == before + 1
    address = page.url
    work.dialog.get_by_role("button", name="Close", exact=True).last.click()
    page.goto("/jobs")
    page.go_back()
    expect(page).to_have_url(address)
    expect(page.get_by_role("main").get_by_role("heading", level=1)).to_be_visible()
    expect(work.dialog).not_to_be_visible()
    assert jobs_of(small) == before + 1


@pytest.mark.parametrize("opens", [coupling_two, planning])
def test_the_session_ends_meanwhile(page: Page, small: Site, opens: Opens) -> None:
    work = opens(page, small)
    page.context.clear_cookies()
    work.ok().click()
    expect(work.dialog.get_by_role("alert")).to_contain_text("You are no longer signed in")
    assert not work.is_done()
    carried_out(work)
