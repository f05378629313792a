"""Coupling and uncoupling with the keyboard alone, from the home page to what both systems have afterwards."""

from playwright.sync_api import Page, expect

from crosstie.app.coupling import list_couplings
from tests.web.conftest import Site
from tests.web.keys import Keyboard
from tests.web.pairs import account, coupling, customer, pair
from tests.web.test_lists import row, rows, said
from tests.web.test_mappings import PATIENCE


def at_customers(page: Page, number: int) -> Keyboard:
    """Go from the home page to the list of customers, and to its first row."""
    keys = Keyboard(page)
    keys.open("/")
    keys.go("customers")
    expect(rows(page)).to_have_count(number)
    keys.press("F3", "ArrowDown")
    keys.is_on(rows(page).first)
    return keys


def test_couple_from_the_card_and_get_what_the_other_side_has(page: Page, small: Site) -> None:
    """behaviour: CRMCouplingRecord/GetInitialSynchronizationDirection"""
    local = customer(small, displayName="Fabrikam", city="Leeds")
    account(small, "Fabrikam Holding", address1_city="Hull")
    remote = account(small, "Fabrikam Retail", address1_city="York")
    keys = at_customers(page, 1)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Fabrikam")).to_be_visible()
    keys.press("Alt+l")
    dialog = keys.opened("Set Up Coupling")
    keys.is_on(dialog.get_by_role("searchbox"))
    keys.type("Retail")
    expect(dialog.get_by_role("row", name="Fabrikam Holding")).to_have_count(0)
    keys.press("ArrowDown")
    expect(dialog.get_by_role("radio", name="Fabrikam Retail")).to_be_checked()
    way = dialog.get_by_label("Synchronize After Coupling")
    keys.tab_to(way)
    keys.type("Yes, with Data")
    expect(dialog.locator(".compare").get_by_role("row", name="City")).to_contain_text("in Business Central")
    keys.is_on(way)
    keys.press("Control+Enter")
    expect(dialog).to_contain_text("Coupled.")
    keys.is_on(dialog.get_by_role("button", name="Close").last)
    assert small.bc.customer("10000")["city"] == "York"
    assert small.dv.account(remote)["name"] == "Fabrikam Retail"
    expect(page.locator(".page-head")).to_contain_text("In step")
    keys.close(page.get_by_role("button", name="Set Up Coupling"))
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == remote


def test_couple_from_the_list_and_take_it_back(page: Page, small: Site) -> None:
    local = customer(small, displayName="Adatum", city="Ely", email="kim@adatum.example")
    remote = account(small, "Adatum Ltd.", emailaddress1="kim@adatum.example")
    keys = at_customers(page, 1)
    keys.press("Alt+l")
    dialog = keys.opened("Set Up Coupling")
    keys.press("ArrowDown")
    expect(dialog.get_by_role("radio", name="Adatum Ltd.")).to_be_checked()
    expect(dialog.get_by_role("button", name="OK")).to_be_enabled()
    keys.press("Control+Enter")
    expect(dialog).to_contain_text("Coupled.")
    expect(row(page, "10000")).to_contain_text("In step")
    assert small.dv.account(remote)["city"] == "Ely"
    assert small.bc.customer("10000")["name"] == "Adatum"
    keys.tab_to(dialog.get_by_role("button", name="Undo"), key="Shift+Tab")
    keys.press("Enter")
    keys.opened("Undo")
    assert coupling(small, local) is None
    assert small.dv.account(remote)["city"] == ""
    keys.close(rows(page).first)
    expect(row(page, "10000")).to_contain_text("Not coupled")


def test_another_record_is_chosen_from_all_and_the_question_about_replacing_answered(page: Page, small: Site) -> None:
    local, _ = pair(small)
    second = account(small, "Second", address1_city="York")
    keys = at_customers(page, 1)
    keys.press("Alt+l")
    dialog = keys.opened("Set Up Coupling")
    expect(dialog.get_by_role("radio", name="Adatum")).to_be_checked()
    keys.tab_to(dialog.get_by_role("link", name="Choose from all records"))
    keys.press("Enter")
    keys.opened("Choose account for 10000 · Adatum")
    keys.tab_to(dialog.get_by_role("link", name="Second", exact=True))
    keys.press("Enter")
    keys.opened("Set Up Coupling")
    expect(dialog.get_by_role("radio", name="Second")).to_be_checked()
    keys.press("Control+Enter")
    keys.opened("Replace the coupling?")
    keys.is_on(dialog.get_by_role("link", name="No"))
    keys.tab_to(dialog.get_by_role("button", name="Yes, replace it"))
    keys.press("Space")
    expect(dialog).to_contain_text("Coupled.")
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == second
    assert (small.bc.customer("10000")["city"], small.dv.account(second)["city"]) == ("", "York")
    keys.close(rows(page).first)


def test_create_and_couple(page: Page, small: Site) -> None:
    local = customer(small, displayName="Northwind", city="Bath")
    keys = at_customers(page, 1)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Northwind")).to_be_visible()
    keys.go("create account")
    dialog = keys.opened("Set Up Coupling")
    expect(dialog.get_by_label("Create New")).to_be_checked()
    expect(dialog.get_by_role("button", name="OK")).to_be_enabled()
    keys.press("Control+Enter")
    expect(dialog).to_contain_text("Created and coupled.")
    made = small.dv.account_named("Northwind")
    assert made["address1_city"] == "Bath"
    assert small.bc.customer("10000")["city"] == "Bath"
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == made["accountid"]
    keys.close(page.get_by_role("button", name="Create Account in Dataverse"))


def test_match(calm_page: Page, calm: Site) -> None:
    page = calm_page
    unique = customer(calm, "10000", displayName="Adatum")
    torn = customer(calm, "20000", displayName="Relecloud")
    one = account(calm, "Adatum")
    twins = [account(calm, "Relecloud", address1_city=city) for city in ("Oslo", "Bergen")]
    keys = Keyboard(page)
    keys.open("/")
    keys.go("integration table mappings")
    expect(page.get_by_role("heading", name="Integration Table Mappings", level=1)).to_be_visible()
    keys.skip()
    keys.tab_to(page.get_by_role("link", name="CUSTOMER", exact=True))
    keys.press("Enter")
    expect(page.get_by_role("heading", name="CUSTOMER", level=1)).to_be_visible()
    keys.go("match-based")
    expect(page.get_by_role("heading", name="Select Coupling Criteria for CUSTOMER")).to_be_visible()
    trial = page.locator("#trial")
    expect(trial.get_by_role("row", name="Matches uniquely").first).to_contain_text("1")
    keys.is_on(page.get_by_label("Match on Name"))
    choice = trial.get_by_role("group", name="20000 Relecloud").get_by_role("button").first
    keys.press("F6", "F6")
    keys.tab_to(choice)
    keys.press("Enter")
    expect(trial.get_by_role("status")).to_contain_text("20000 Relecloud is coupled with")
    keys.is_in(trial)
    keys.press("Control+Enter")
    expect(page.locator("#matching")).to_contain_text("1 coupled", timeout=PATIENCE)
    keys.is_in(page.locator("#content"))
    coupled = {each.local_id: each.remote_id for each in list_couplings(calm.home, "CUSTOMER").couplings}
    assert coupled[unique] == one
    assert coupled[torn] in twins
    assert calm.bc.customer("20000")["city"] == ""
    assert sorted(calm.dv.account(each)["city"] for each in twins) == ["Bergen", "Oslo"]


def test_uncouple_from_the_list_and_take_it_back(page: Page, small: Site) -> None:
    """behaviour: CDSUncoupling/CustomerListUncoupleMultiple"""
    first, remote = pair(small, "10000", displayName="Adatum")
    second, _ = pair(small, "20000", displayName="<b>Trey</b> Research")
    third, _ = pair(small, "30000", displayName="Alpine Ski House")
    customer(small, "40000", displayName="Relecloud")
    keys = at_customers(page, 4)
    keys.press("Control+a", "ArrowDown", "ArrowDown", "Space")
    expect(said(page)).to_have_text("3 selected")
    keys.press("Alt+u")
    dialog = keys.opened("Delete 2 couplings")
    expect(dialog).to_contain_text("<b>Trey</b> Research")
    keys.is_on(dialog.get_by_role("button", name="Cancel"))
    keys.press("Control+Enter")
    expect(dialog.get_by_role("status")).to_contain_text("2 uncoupled")
    keys.opened("Couplings deleted")
    expect(row(page, "10000")).to_contain_text("Not coupled")
    assert (coupling(small, first), coupling(small, second)) == (None, None)
    assert coupling(small, third) is not None
    assert small.dv.account(remote)["name"] == small.bc.customer("10000")["name"], "the records stay"
    keys.tab_to(dialog.get_by_role("button", name="Undo"), key="Shift+Tab")
    keys.press("Enter")
    keys.opened("Undone")
    restored = coupling(small, first)
    assert restored is not None
    assert restored.remote_id == remote
    keys.close(rows(page).nth(2))
    expect(row(page, "10000")).to_contain_text("In step")


def test_uncouple_from_the_card(page: Page, small: Site) -> None:
    local, remote = pair(small)
    keys = at_customers(page, 1)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Adatum")).to_be_visible()
    keys.press("Alt+u")
    dialog = keys.opened("Delete Coupling")
    keys.is_on(dialog.get_by_role("button", name="Cancel"))
    keys.press("Enter")
    keys.close(page.get_by_role("button", name="Delete Coupling"))
    assert coupling(small, local) is not None, "nothing is done before the question is answered"
    keys.press("Enter")
    keys.opened("Delete Coupling")
    keys.tab_to(dialog.get_by_role("button", name="Delete Coupling"))
    keys.press("Enter")
    expect(dialog).to_contain_text("Coupling deleted.")
    expect(page.locator(".page-head")).to_contain_text("Not coupled")
    assert coupling(small, local) is None
    assert small.dv.account(remote)["name"] == small.bc.customer("10000")["name"]
    keys.close(page.get_by_role("button", name="Delete Coupling"))


def test_uncouple_all_of_a_mapping(calm_page: Page, calm: Site) -> None:
    page = calm_page
    remotes = {number: pair(calm, number, displayName=f"Adatum {number}")[1] for number in ("10000", "20000")}
    keys = Keyboard(page)
    keys.open("/mappings/CUSTOMER")
    keys.press("Alt+u")
    dialog = keys.opened("Delete Couplings of CUSTOMER")
    keys.is_on(dialog.get_by_label("Type CUSTOMER to confirm"))
    keys.type("vendor")
    keys.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("is not the name of the mapping")
    keys.is_on(dialog.get_by_label("Type CUSTOMER to confirm"))
    keys.press("Control+a")
    keys.type("customer")
    keys.press("Enter")
    expect(dialog).to_contain_text("2 uncoupled", timeout=PATIENCE)
    keys.is_in(dialog)
    assert list_couplings(calm.home, "CUSTOMER").total == 0
    for number, remote in remotes.items():
        assert calm.bc.customer(number)["name"] == calm.dv.account(remote)["name"] == f"Adatum {number}"
    keys.close(page.get_by_role("button", name="Delete Couplings"))
