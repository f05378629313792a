"""The dialogs of one record for the other tables: a vendor, a contact, a currency go through the same as a customer."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from crosstie.app.coupling import create_partners
from tests.web.conftest import Site
from tests.web.pairs import card, coupling, open_dialog


def vendor(site: Site) -> str:
    return str(site.bc.add("vendors", number="V100", displayName="Fabrikam", city="Ely")["id"])


def contact(site: Site) -> str:
    """Add a person of a company that is coupled as a customer."""
    company = str(site.bc.add("customers", number="10000", displayName="Adatum")["id"])
    site.do(lambda session: create_partners(session, "CUSTOMER", [company]))
    return str(site.bc.person("10000", "Ann", "Beebe")["id"])


def currency(site: Site) -> str:
    """Return a currency of the demo that Dataverse lacks: one without exchange rate cannot be created there."""
    for desk in (site.bc, site.dv):
        desk.start_over("demo")
    return site.bc.id_of("currencies", "NOK")


Adds = Callable[[Site], str]
TABLES: list[tuple[str, Adds, str, dict[str, object], str]] = [
    ("VENDOR", vendor, "vendors", {"city": "Bath"}, "City"),
    ("CONTACT", contact, "contacts", {"email": "ann@adatum.example"}, "E-Mail"),
    ("CURRENCY", currency, "currencies", {"displayName": "Crown of Norway"}, "Crown"),
]


@pytest.mark.parametrize(("mapping", "adds", "collection", "edit", "field"), TABLES, ids=[row[0] for row in TABLES])
def test_a_record_goes_through_all_dialogs(
    page: Page, small: Site, mapping: str, adds: Adds, collection: str, edit: dict[str, object], field: str
) -> None:
    local = adds(small)
    here = card("local", local, mapping)
    page.goto(here)
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    dialog.get_by_label("Create New").check()
    expect(dialog.get_by_role("button", name="OK")).to_be_enabled()
    dialog.get_by_role("button", name="OK").click()
    expect(dialog.get_by_role("status").first).to_contain_text("Created and coupled.")
    made = coupling(small, local, mapping)
    assert made is not None
    dialog.get_by_role("button", name="Close", exact=True).last.click()

    small.bc.change(collection, local, **edit)
    page.get_by_role("toolbar").get_by_role("button", name="Synchronise now").click()
    expect(dialog.get_by_role("row").filter(has_text=field).first).to_contain_text(str(next(iter(edit.values()))))
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("status").last).to_contain_text("Synchronised.")
    dialog.get_by_role("button", name="Close", exact=True).last.click()

    dialog = open_dialog(page, "Delete Coupling", "Delete Coupling")
    dialog.get_by_role("button", name="Delete Coupling").click()
    expect(dialog.get_by_role("status").first).to_contain_text("Coupling deleted.")
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    assert coupling(small, local, mapping) is None

    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    dialog.get_by_role("link", name="Choose from all records").click()
    dialog.locator(f"#choose-rows a[href$='couple?to={made.remote_id}']").click()
    expect(dialog.get_by_role("button", name="OK")).to_be_enabled()
    dialog.get_by_role("button", name="OK").click()
    expect(page.get_by_text("Coupled.", exact=True)).to_be_visible()
    again = coupling(small, local, mapping)
    assert again is not None
    assert again.remote_id == made.remote_id, "the partner from before, and no second one"
