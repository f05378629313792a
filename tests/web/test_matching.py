"""Match-Based Coupling in a browser: criteria with a trial beside them, the run, and its undo."""

import re

from playwright.sync_api import Page, expect

from crosstie.app.coupling import list_couplings
from crosstie.app.history import list_jobs
from crosstie.app.mappings import show_mapping
from tests.web.conftest import Site
from tests.web.test_mappings import PATIENCE

MATCH = "/mappings/CUSTOMER/match"


def add(site: Site, number: str, name: str, phone: str) -> str:
    return str(site.bc.add("customers", number=number, displayName=name, phoneNumber=phone, type="Company")["id"])


def test_criteria_are_tried_while_they_are_edited_and_what_matches_is_coupled(calm_page: Page, calm: Site) -> None:
    """Two pairs match by phone alone; one customer's phone is that of two accounts, one has none.

    behaviour: CDSMatchBasedCoupling/MasterDataListCoupleMultipleErrorNoMatch
    behaviour: CDSMatchBasedCoupling/MasterDataListCoupleMultipleErrorInconclusiveMatch
    behaviour: CDSMatchBasedCoupling/IntegarionTableMappingListCoupleSingleInBackground
    """
    for number, name, phone in (("1", "One", "11"), ("2", "Two", "22"), ("3", "Three", "33"), ("4", "Four", "44")):
        add(calm, number, name, phone)
    one = str(calm.dv.add_customer("Uno", telephone1="11")["accountid"])
    two = str(calm.dv.add_customer("Due", telephone1="22")["accountid"])
    for name in ("Tre", "Drei"):
        calm.dv.add_customer(name, telephone1="33")
    page = calm_page
    page.goto(MATCH)
    trial = page.locator("#trial")
    expect(trial).to_contain_text("Try 1: Name")
    expect(trial.get_by_role("row").filter(has_text="No match").first).to_contain_text("4")
    page.get_by_label("Match on Name").uncheck()
    expect(trial.get_by_role("alert")).to_contain_text("No field is chosen")
    page.get_by_label("Match on Phone No.").check()
    expect(trial).to_contain_text("Try 1: Phone No.")
    expect(trial.get_by_role("row").filter(has_text="Matches uniquely").first).to_contain_text("2")
    expect(trial.get_by_role("row").filter(has_text="Several match").first).to_contain_text("1")
    expect(trial).to_contain_text("3 Three 2 records match on Phone No.")
    assert list_couplings(calm.home, "CUSTOMER").total == 0, "a trial couples nothing"
    page.get_by_label("Synchronize After Coupling").check()
    page.get_by_role("button", name="OK").click()
    expect(page.locator("#matching")).to_contain_text("2 coupled", timeout=PATIENCE)
    coupled = {each.local_key: each.remote_id for each in list_couplings(calm.home, "CUSTOMER").couplings}
    assert coupled == {"1": one, "2": two}
    page.get_by_role("link", name="Each record's outcome and undo").click()
    expect(page.locator("#job-detail")).to_contain_text("One", timeout=PATIENCE)
    page.get_by_role("link", name="Failed 2").click()
    expect(page.get_by_role("row").filter(has_text="3 Three")).to_contain_text("2 records match on Phone No.")
    expect(page.get_by_role("row").filter(has_text="4 Four")).to_contain_text("No record of the other side matches.")
    assert calm.dv.account(one)["name"] == "One"
    assert calm.bc.customer("1")["name"] == "One"
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("dialog").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("taken back")
    assert list_couplings(calm.home, "CUSTOMER").total == 0
    assert calm.dv.account(one)["name"] == "Uno", "what was synchronised afterwards is taken back as well"


def test_cancel_leaves_everything_as_it_was_and_keeping_is_a_choice(page: Page, small: Site) -> None:
    """Nothing of the criteria gets into the mapping, and no job is queued.

    behaviour: CDSMatchBasedCoupling/MasterDataListNoCouplingRunsIfUserCancels
    """
    add(small, "1", "One", "11")
    small.dv.add_customer("One", telephone1="11")
    before = show_mapping(small.home, "CUSTOMER")
    page.goto(MATCH)
    page.get_by_label("Match on Phone No.").check()
    page.get_by_label("Create New If Unable to Find a Match").check()
    page.get_by_label("Case-sensitive on Name").check()
    expect(page.locator("#trial")).to_contain_text("Try 1: Name and Phone No.")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/mappings/CUSTOMER")
    assert show_mapping(small.home, "CUSTOMER") == before
    assert list_jobs(small.home) == []
    page.goto(MATCH)
    page.get_by_label("Priority of Phone No.").fill("2")
    page.get_by_label("Match on Phone No.").check()
    page.get_by_label("Keep these criteria for next time").check()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The criteria were kept for next time.")).to_be_visible()
    kept = {each.label: each.match_priority for each in show_mapping(small.home, "CUSTOMER").fields}
    assert (kept["Name"], kept["Phone No."], kept["City"]) == (0, 2, None)


def test_selected_records_are_matched_with_the_keyboard_alone(calm_page: Page, calm: Site) -> None:
    chosen, other = add(calm, "1", "Adatum", "11"), add(calm, "2", "Relecloud", "22")
    for name in ("ADATUM", "Relecloud"):
        calm.dv.add_customer(name)
    page = calm_page
    page.goto(f"/lists/CUSTOMER/local/match?ids={chosen}")
    expect(page.get_by_text("1 selected record")).to_be_visible()
    expect(page.locator("#trial").get_by_role("row").filter(has_text="Matches uniquely").first).to_contain_text("1")
    page.get_by_label("Case-sensitive on Name").focus()
    page.keyboard.press("Space")
    expect(page.locator("#trial").get_by_role("row").filter(has_text="No match").first).to_contain_text("1")
    page.keyboard.press("Space")
    expect(page.locator("#trial").get_by_role("row").filter(has_text="Matches uniquely").first).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#matching")).to_contain_text("1 coupled", timeout=PATIENCE)
    assert [each.local_id for each in list_couplings(calm.home, "CUSTOMER").couplings] == [chosen]
    assert other not in {each.local_id for each in list_couplings(calm.home, "CUSTOMER").couplings}


def test_rows_selected_in_the_list_are_matched_in_a_dialog(calm_page: Page, calm: Site) -> None:
    """behaviour: CDSMatchBasedCoupling/MasterDataListCoupleSingleInBackground"""
    chosen = add(calm, "1", "Adatum", "11")
    add(calm, "2", "Relecloud", "22")
    for name in ("Adatum", "Relecloud"):
        calm.dv.add_customer(name)
    page = calm_page
    page.goto("/lists/CUSTOMER")
    page.get_by_role("row", name="Adatum").get_by_role("checkbox").check()
    page.get_by_role("button", name="Match-Based Coupling").click()
    dialog = page.get_by_role("dialog", name="Match-Based Coupling")
    expect(dialog.get_by_text("1 selected record")).to_be_visible()
    expect(dialog.locator("#trial").get_by_role("row").filter(has_text="Matches uniquely").first).to_contain_text("1")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_contain_text("1 coupled", timeout=PATIENCE)
    assert [each.local_id for each in list_couplings(calm.home, "CUSTOMER").couplings] == [chosen]
    dialog.locator("p").get_by_role("button", name="Close").click()
    expect(page.get_by_role("row", name="Adatum")).not_to_contain_text("Not coupled")
    expect(page.get_by_role("row", name="Relecloud")).to_contain_text("Not coupled")


def test_all_that_a_search_finds_are_matched_without_naming_them(calm_page: Page, calm: Site) -> None:
    for number, name in (("1", "Adatum One"), ("2", "Adatum Two"), ("3", "Relecloud")):
        add(calm, number, name, "")
        calm.dv.add_customer(name)
    page = calm_page
    page.goto("/lists/CUSTOMER?search=Adatum")
    page.get_by_label("Select all rows").or_(page.locator("[data-select-page]")).first.check()
    page.get_by_role("button", name="Match-Based Coupling").click()
    dialog = page.get_by_role("dialog", name="Match-Based Coupling")
    expect(dialog.get_by_text("2 selected records")).to_be_visible()
    page.goto("/lists/CUSTOMER/local/match?all=1&search=Adatum")
    expect(page.get_by_text("2 selected records")).to_be_visible()
    expect(page.locator("#trial").get_by_role("row").filter(has_text="Matches uniquely").first).to_contain_text("2")
    page.get_by_role("button", name="OK").click()
    expect(page.locator("#matching")).to_contain_text("2 coupled", timeout=PATIENCE)
    names = {each.local_name for each in list_couplings(calm.home, "CUSTOMER").couplings}
    assert names == {"Adatum One", "Adatum Two"}


def test_one_of_several_candidates_is_coupled_at_once_and_in_place(page: Page, small: Site) -> None:
    for number, name, phone in (("1", "Three", "33"), ("2", "Twins", "44"), ("3", "Twins too", "44")):
        add(small, number, name, phone)
    tre = small.dv.add_customer("Tre", telephone1="33")["accountid"]
    three = small.dv.add_customer("Three Ltd.", telephone1="33", address1_city="Oslo")["accountid"]
    small.dv.add_customer("Zwilling", telephone1="44")
    page.goto(MATCH)
    page.get_by_label("Match on Name").uncheck()
    page.get_by_label("Match on Phone No.").check()
    page.get_by_label("Synchronize After Coupling").check()
    page.get_by_label("Resolve Update Conflicts").select_option("from_remote")
    trial = page.locator("#trial")
    expect(trial.get_by_role("heading", name="Choose among several: 3 records")).to_be_visible()
    rows = trial.get_by_role("group", name="1 Three").locator("tbody tr")
    expect(rows.first).to_contain_text("Three Ltd.")
    expect(rows.first).to_contain_text("same name but for the legal form")
    expect(rows.nth(1)).to_contain_text("Tre")
    rows.first.get_by_role("button").click()
    expect(trial.get_by_role("status").filter(has_text="1 Three Ltd. is coupled with Three Ltd.")).to_be_visible()
    assert {each.local_key: each.remote_id for each in list_couplings(small.home, "CUSTOMER").couplings} == {"1": three}
    assert small.bc.customer("1")["city"] == "Oslo", "the side that is set to win has won"
    first, second = (trial.get_by_role("group", name=name) for name in ("2 Twins", "3 Twins too"))
    first.get_by_role("button", name="Couple").first.click()
    expect(trial.get_by_role("status").filter(has_text="is coupled with Zwilling")).to_be_visible()
    second.get_by_role("button", name="Couple").first.click()
    expect(trial.get_by_role("alert")).to_contain_text("already-coupled")
    trial.get_by_role("button", name=re.compile("Undo.*Three Ltd.")).click()
    expect(trial.get_by_role("status").filter(has_text="no longer coupled")).to_be_visible()
    assert small.bc.customer("1")["name"] == "Three"
    assert small.dv.row("accounts", tre)["name"] == "Tre"


def test_what_the_job_left_over_is_chosen_where_it_ended(calm_page: Page, calm: Site) -> None:
    """behaviour: CDSMatchBasedCoupling/MasterDataListCoupleMultipleErrorInconclusiveMatch"""
    add(calm, "1", "One", "11")
    local = add(calm, "2", "Two", "22")
    calm.dv.add_customer("One", telephone1="11")
    for city in ("Oslo", "Bergen"):
        calm.dv.add_customer("Two", address1_city=city)
    page = calm_page
    page.goto(MATCH)
    expect(page.locator("#trial")).to_contain_text("Try 1: Name")
    page.get_by_role("button", name="OK").click()
    expect(page.locator("#matching")).to_contain_text("1 coupled", timeout=PATIENCE)
    left = page.locator("#undecided").get_by_role("group", name="2 Two")
    expect(left).to_contain_text("2 records match on Name")
    left.get_by_role("button", name="Couple").first.click()
    expect(page.locator("#undecided").get_by_role("status")).to_contain_text("2 Two is coupled with Two")
    assert local in {each.local_id for each in list_couplings(calm.home, "CUSTOMER").couplings}
