"""Moments of lists, of cards and of their dialogs: what they hold after something was chosen, or done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from crosstie.app.coupling import uncouple
from crosstie.model.couplings import CouplingState
from crosstie.model.records import Side
from tests.web.addresses import coupled, plan, uncoupled
from tests.web.conftest import Site
from tests.web.moments import PATIENCE, Moment, dialog
from tests.web.pairs import account, card, coupling, customer, pair

MOMENTS: dict[str, Moment] = {}


def moment(name: str) -> Callable[[Callable[[Site, Page], Iterator[None]]], None]:
    """Put a moment into the list by its name; its generator opens what is seen, yields, and clears up."""

    def take(made: Callable[[Site, Page], Iterator[None]]) -> None:
        MOMENTS[name] = contextmanager(made)

    return take


def act(page: Page, name: str, shown: str) -> None:
    """Choose an action of the command bar, and wait for words that the dialog then has."""
    page.get_by_role("toolbar").locator(".action", has_text=name).first.click()
    expect(dialog(page)).to_contain_text(shown, timeout=PATIENCE)


def press(page: Page, name: str, shown: str) -> None:
    """Press a button of the dialog, and wait for words that it then has."""
    dialog(page).get_by_role("button", name=name, exact=True).last.click()
    expect(dialog(page)).to_contain_text(shown, timeout=PATIENCE)


def clear(site: Site, number: str, remote: str) -> None:
    """Take away the pair that a moment has added."""
    for local in [str(each["id"]) for each in site.bc.rows("customers", f"number eq '{number}'")]:
        if coupling(site, local) is not None:
            site.do(lambda session, local=local: uncouple(session, "CUSTOMER", [local]))
        site.bc.remove("customers", local)
    site.dv.remove("accounts", remote)


# --- the frame ------------------------------------------------------------------------------------------------


@moment("palette")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/records/CUSTOMER/local/{coupled(site)}")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Synchronise now")).to_be_visible()
    page.keyboard.type("co")
    yield


@moment("keys")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/")
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    yield


# --- lists ----------------------------------------------------------------------------------------------------


def _list(mapping: str, side: str) -> None:
    @moment(f"list-{mapping.lower().replace(' ', '-')}{side.replace('/', '-')}")
    def _(site: Site, page: Page) -> Iterator[None]:
        page.goto(f"/lists/{mapping}{side}")
        yield


for each in ("VENDOR", "CONTACT", "CURRENCY", "SALESPEOPLE", "PAYMENT TERMS", "SHIPMENT METHOD"):
    _list(each, "")
    _list(each, "/remote")


@moment("record-differences-none")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/records/CUSTOMER/local/{coupled(site)}/differences")
    yield


@moment("list-selected")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/lists/CUSTOMER")
    for at in (1, 2, 4):
        page.locator("#rows tbody").get_by_role("checkbox").nth(at).check()
    yield


@moment("list-all-selected")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/lists/CUSTOMER?state=in_step")
    page.get_by_role("checkbox", name="Select all rows of this page").check()
    page.locator("[data-select-all]").click()
    expect(page.locator("[data-select-none]")).to_be_visible()
    yield


@moment("list-greyed")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/lists/CUSTOMER/remote")
    page.locator("[data-label='Match-Based Coupling']").click(force=True)
    expect(page.locator("#notices .notice")).to_be_visible()
    yield


@moment("list-row")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/lists/CUSTOMER")
    page.locator("tr[data-id]").first.focus()
    page.keyboard.press("ArrowDown")
    yield


@moment("list-away")
def _(site: Site, page: Page) -> Iterator[None]:
    site.bc.fault("status", status=503, times=None)
    page.goto("/lists/CUSTOMER")
    expect(page.get_by_role("alert")).to_be_visible(timeout=PATIENCE)
    yield
    site.bc.heal()


@moment("list-not-installed")
def _(site: Site, page: Page) -> Iterator[None]:
    site.bc.switch(missing_apis=["crosstie/sync/v1.0"])
    page.goto("/lists/CONTACT")
    yield
    site.bc.switch(missing_apis=[])


# --- Set Up Coupling ------------------------------------------------------------------------------------------


@moment("record-couple-open")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/records/CUSTOMER/local/{coupled(site)}")
    act(page, "Set Up Coupling", "After OK")
    yield


@moment("record-couple-chosen")
def _(site: Site, page: Page) -> Iterator[None]:
    values = {"phoneNumber": "+44 1223 496 123", "city": "Ely", "currencyCode": "ISK"}
    local = customer(site, "950010", displayName="Quillfeather Traders", **values)
    remote = account(site, "Quillfeather Trading", telephone1="+44 1223 496 123", address1_city="Leeds")
    page.goto(f"{card('local', local)}/couple?to={remote}")
    expect(page.get_by_role("group", name="not coupled yet")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Whose City both get").select_option("Dataverse")
    expect(page.locator(".compare").get_by_role("row", name="City")).to_contain_text("in Business", timeout=PATIENCE)
    yield
    clear(site, "950010", remote)


@moment("record-coupled")
def _(site: Site, page: Page) -> Iterator[None]:
    local = customer(site, "950011", displayName="Quillfeather Traders", city="Ely")
    remote = account(site, "Quillfeather Traders", address1_city="Leeds")
    page.goto(f"{card('local', local)}/couple?to={remote}")
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_text("is coupled with")).to_be_visible(timeout=PATIENCE)
    yield
    clear(site, "950011", remote)


@moment("record-couple-asks")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/records/CUSTOMER/local/{coupled(site)}/couple?to={account(site, 'Quillfeather')}")
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_role("heading", name="Replace the coupling?")).to_be_visible(timeout=PATIENCE)
    yield
    for each in site.dv.rows("accounts", "name eq 'Quillfeather'"):
        site.dv.remove("accounts", str(each["accountid"]))


@moment("record-couple-nobody")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/records/CUSTOMER/local/{coupled(site)}/couple?q=nobody+at+all")
    yield


@moment("record-choose-open")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/records/CUSTOMER/local/{coupled(site)}")
    act(page, "Set Up Coupling", "After OK")
    dialog(page).get_by_role("link", name="Choose from all records").click()
    expect(dialog(page)).to_contain_text("Hide Coupled", timeout=PATIENCE)
    yield


# --- Synchronise now ------------------------------------------------------------------------------------------


@moment("record-differences-get")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/records/CUSTOMER/local/{coupled(site, CouplingState.CONFLICT)}")
    act(page, "Synchronise now", "clashes left")
    dialog(page).get_by_role("radio", name="Get from Dataverse").check()
    expect(dialog(page)).to_contain_text("will be overwritten", timeout=PATIENCE)
    yield


@moment("record-differences-chosen")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/records/CUSTOMER/local/{coupled(site, CouplingState.CONFLICT)}")
    act(page, "Synchronise now", "clashes left")
    dialog(page).get_by_label("Whose City both get").select_option("Dataverse")
    expect(dialog(page)).to_contain_text("1 clash left", timeout=PATIENCE)
    yield


def _synchronised(name: str, *, undone: bool) -> None:
    @moment(name)
    def _(site: Site, page: Page) -> Iterator[None]:
        local, remote = pair(site, "950020", displayName="Quillfeather Traders", city="Ely", phoneNumber="1")
        site.bc.edit_customer("950020", city="Leeds")
        site.dv.change("accounts", remote, telephone1="2")
        page.goto(card("local", local))
        act(page, "Synchronise now", "Result")
        press(page, "Apply (2 changes)", "Synchronised.")
        if undone:
            press(page, "Undo", "previous values are back")
        yield
        clear(site, "950020", remote)


_synchronised("record-synchronised", undone=False)
_synchronised("record-undone", undone=True)


# --- Delete Coupling, and what is gone ------------------------------------------------------------------------


@moment("record-uncoupled-done")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/records/CUSTOMER/local/{coupled(site)}")
    act(page, "Delete Coupling", "Both records stay")
    press(page, "Delete Coupling", "Coupling deleted.")
    yield
    press(page, "Undo", "coupled as before")


@moment("record-gone")
def _(site: Site, page: Page) -> Iterator[None]:
    local, remote = pair(site, "950030", displayName="Quillfeather Traders")
    clear(site, "950030", remote)
    page.goto(card("local", local))
    expect(page.locator(".timeline")).to_be_visible()
    yield


# --- many -----------------------------------------------------------------------------------------------------


@moment("many-synchronised")
def _(site: Site, page: Page) -> Iterator[None]:
    first, one = pair(site, "950040", displayName="Quillfeather Traders", city="Ely")
    second, two = pair(site, "950041", displayName="Quillfeather Sons", city="Ely")
    site.bc.edit_customer("950040", city="Leeds")
    site.dv.change("accounts", two, telephone1="2")
    page.goto(f"/lists/CUSTOMER/local/synchronise?ids={first}%20{second}")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="Synchronised")).to_be_visible(timeout=PATIENCE)
    yield
    clear(site, "950040", one)
    clear(site, "950041", two)


@moment("many-created")
def _(site: Site, page: Page) -> Iterator[None]:
    locals_ = [customer(site, number, displayName=f"Quillfeather {number}") for number in ("950050", "950051")]
    page.goto(f"/lists/CUSTOMER/local/create?ids={'%20'.join(locals_)}")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="Created and coupled")).to_be_visible(timeout=PATIENCE)
    yield
    for number, local in zip(("950050", "950051"), locals_, strict=True):
        made = coupling(site, local)
        assert made is not None
        clear(site, number, made.remote_id)


@moment("many-create-likely")
def _(site: Site, page: Page) -> Iterator[None]:
    values = {"email": "info@northwind.example", "phoneNumber": "+44 1223 496 123"}
    local = customer(site, "950052", displayName="Quillfeather", **values)
    other = customer(site, "950053", displayName="Southwind")
    remote = account(
        site, "Quillfeather", emailaddress1=values["email"], telephone1=values["phoneNumber"], accountnumber="950052"
    )
    page.goto(f"/lists/CUSTOMER/local/create?ids={local}%20{other}")
    yield
    site.bc.remove("customers", other)
    clear(site, "950052", remote)


@moment("many-uncoupled")
def _(site: Site, page: Page) -> Iterator[None]:
    ids = f"{coupled(site)}%20{coupled(site, CouplingState.CONFLICT)}"
    page.goto(f"/lists/CUSTOMER/local/uncouple?ids={ids}")
    page.get_by_role("button", name="Delete 2 couplings").click()
    expect(page.get_by_role("button", name="Undo").first).to_be_visible(timeout=PATIENCE)
    yield
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("heading", name="Undone")).to_be_visible(timeout=PATIENCE)


@moment("many-runs")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto("/lists/CUSTOMER/local/synchronise?all=1")
    page.get_by_role("button", name="Make a plan").click()
    expect(page.get_by_role("link", name="Open the plan")).to_be_visible(timeout=PATIENCE)
    yield


@moment("plan-group")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/jobs/{plan(site)}/plan?group=skipped")
    yield


# --- the button of Dataverse ----------------------------------------------------------------------------------


def land(site: Site, page: Page, remote: str) -> None:
    """Open the page of the button, signed in."""
    page.goto("/jobs")
    page.goto(f"/open/dataverse/account/{remote}")


@moment("landing-candidates")
def _(site: Site, page: Page) -> Iterator[None]:
    values = {"phoneNumber": "+44 1223 496 123", "city": "Ely"}
    local = customer(site, "950060", displayName="Quillfeather", **values)
    other = customer(site, "950061", displayName="Quillfeather Sons", city="Ely")
    remote = account(site, "Quillfeather Inc.", telephone1=values["phoneNumber"], address1_city="Ely")
    land(site, page, remote)
    expect(page.get_by_role("button", name="Link and open").first).to_be_visible(timeout=PATIENCE)
    yield
    for each in (local, other):
        site.bc.remove("customers", each)
    site.dv.remove("accounts", remote)


@moment("landing-filtered")
def _(site: Site, page: Page) -> Iterator[None]:
    remote = str(site.dv.add("accounts", name="Neither", customertypecode=1)["accountid"])
    land(site, page, remote)
    yield
    site.dv.remove("accounts", remote)


@moment("landing-stranger")
def _(site: Site, page: Page) -> Iterator[None]:
    page.goto(f"/open/dataverse/account/{uncoupled(site, Side.REMOTE)}")
    yield
