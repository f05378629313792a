"""Records of both systems for the tests of a record's pages."""

from typing import Any

from playwright.sync_api import Page, expect

from crosstie.app.coupling import create_partners, list_couplings, set_up_coupling
from crosstie.app.views import CouplingView
from tests.web.conftest import Site


def customer(site: Site, number: str = "10000", **values: Any) -> str:
    """Add a customer and return its id."""
    values = {"displayName": "Adatum", **values}
    return str(site.bc.add("customers", number=number, **values)["id"])


def account(site: Site, name: str = "Adatum", **values: Any) -> str:
    """Add an account that is a customer and return its id."""
    return str(site.dv.add_customer(name, **values)["accountid"])


def pair(site: Site, number: str = "10000", **values: Any) -> tuple[str, str]:
    """Add a customer with the account that was created from it, in step; return both ids."""
    local = customer(site, number, **values)
    site.do(lambda session: create_partners(session, "CUSTOMER", [local]))
    found = coupling(site, local)
    assert found is not None
    return local, found.remote_id


def couple(site: Site, local: str, remote: str) -> None:
    """Couple a customer with an account without moving a value."""
    site.do(lambda session: set_up_coupling(session, "CUSTOMER", local, remote, synchronise="no"))


def coupling(site: Site, local: str, mapping: str = "CUSTOMER") -> CouplingView | None:
    """Return the coupling of a local record."""
    return next((each for each in list_couplings(site.home, mapping).couplings if each.local_id == local), None)


def card(side: str, id: str, mapping: str = "CUSTOMER") -> str:
    """Return the address of a record's card."""
    return f"/records/{mapping}/{side}/{id}"


def open_dialog(page: Page, action: str, heading: str) -> Any:
    """Choose an action of the command bar and return the dialog that it opens."""
    page.get_by_role("toolbar").get_by_role("button", name=action, exact=True).click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("heading", name=heading)).to_be_visible()
    return dialog
