"""Integration table mappings in a browser: settings that say what they do, and what is done with a whole mapping."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from crosstie.api.door import SESSION_COOKIE
from crosstie.app.coupling import list_couplings, set_up_coupling, uncouple
from crosstie.app.mappings import change_mapping, show_mapping
from crosstie.app.people.acting import People, command_line
from crosstie.app.people.joining import invite, join
from crosstie.model.mapping_changes import MappingChanges
from crosstie.model.people import AuditAction, Role
from tests.web.conftest import Site, looking

CARD = "/mappings/CUSTOMER"
PATIENCE = 90_000
"""Milliseconds: a worker beside the server takes its time to start on a busy machine."""


def couple(site: Site, number: str, **values: str) -> str:
    """Add a customer and its account, coupled and in step; return the account's id."""
    site.bc.add("customers", number=number, displayName=f"Customer {number}", type="Company", **values)
    remote = str(site.dv.add_customer(f"Customer {number}", accountnumber=number)["accountid"])
    site.do(lambda session: set_up_coupling(session, "CUSTOMER", number, remote, synchronise="to_remote"))
    return remote


@pytest.fixture
def signed_in_as(browser: Browser, small: Site) -> Iterator[dict[Role, Page]]:
    """Windows of somebody of each lower role."""
    windows = {}
    opened = []
    for role in (Role.VIEWER, Role.OPERATOR):
        people = People(small.home.store)
        link = invite(people, command_line(), role.value, role)
        secret = join(people, link.secret or "", "four words and a number 7").secret
        window = looking(browser, small)
        opened.append(window)
        windows[role] = window.__enter__()
        windows[role].context.add_cookies([{"name": SESSION_COOKIE, "value": secret or "", "url": small.address}])
    yield windows
    for window in opened:
        window.__exit__(None, None, None)


def test_a_filter_is_put_together_from_rows_and_says_what_leaves_it(calm_page: Page, calm: Site) -> None:
    """A record that falls out of the filter stays coupled and is no longer synchronised, one that stays in it is."""
    inside, outside = couple(calm, "10000", city="Leeds"), couple(calm, "20000", city="York")
    page = calm_page
    page.goto(CARD)
    expect(page.locator("#filter-figures")).to_contain_text("2 of 2 match")
    page.get_by_role("link", name="Edit the filters").click()
    expect(page.get_by_label("Field of row 1 of Customers")).to_have_value("blocked")
    page.locator("#add-local").click()
    page.get_by_label("Field of row 2 of Customers").select_option(label="City")
    page.get_by_label("Operator of row 2 of Customers").select_option("starts_with")
    page.get_by_label("Value of row 2 of Customers").fill("Le")
    expect(page.get_by_label("Table Filter as text", exact=True)).to_have_value(
        "blocked eq null and startswith(city,'Le')"
    )
    expect(page.locator("#figures-local")).to_contain_text("City starts with “Le”")
    expect(page.locator("#figures-local")).to_contain_text("1 of 2 matches")
    page.get_by_role("button", name="Save the filters").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 coupling falls outside: the records stay coupled")
    expect(dialog.get_by_role("link", name="20000 Customer 20000")).to_be_visible()
    assert show_mapping(calm.home, "CUSTOMER").local_filter == "blocked eq null", "nothing is stored before it is seen"
    dialog.get_by_role("button", name="Save").press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("The filters are stored")
    assert show_mapping(calm.home, "CUSTOMER").local_filter == "blocked eq null and startswith(city,'Le')"
    for number in ("10000", "20000"):
        calm.bc.edit_customer(number, phoneNumber="555")
    page.goto(CARD)
    page.get_by_role("button", name="Synchronize Modified Records").click()
    page.get_by_role("dialog").get_by_role("button", name="Synchronise", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Finished", timeout=PATIENCE)
    assert calm.dv.account(inside)["phone"] == "555"
    assert calm.dv.account(outside)["phone"] == ""
    assert list_couplings(calm.home, "CUSTOMER").by_state == {"in_step": 1, "out_of_filter": 1}


def test_filters_of_a_page_that_is_out_of_date_are_not_stored(page: Page, small: Site) -> None:
    """Who saves one filter does not put back the other, which somebody else has changed since."""
    text, save = (
        page.get_by_label("Table Filter as text", exact=True),
        page.get_by_role("button", name="Save the filters"),
    )
    dialog = page.get_by_role("dialog")
    page.goto(f"{CARD}/filters")
    for city in ("Leeds", "York"):  # what the same page has stored does not make it out of date
        text.fill(f"city eq '{city}'")
        save.click()
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("status")).to_contain_text("The filters are stored")
        dialog.get_by_role("button", name="Close").last.click()
        expect(dialog).not_to_be_visible()
    change = MappingChanges(remote_filter="statecode eq 0 and\nrevenue gt 5000")
    small.do(lambda session: change_mapping(session, command_line(), "CUSTOMER", change))
    text.fill("city eq 'Hull'")
    save.click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else has changed the mapping CUSTOMER meanwhile")
    stored = show_mapping(small.home, "CUSTOMER")
    assert (stored.local_filter, stored.remote_filter) == ("city eq 'York'", change.remote_filter)
    page.reload()
    text.fill("city eq 'Hull'")
    save.click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("The filters are stored")


def test_a_filter_written_as_text_is_shown_as_rows_and_what_is_wrong_is_named(page: Page, small: Site) -> None:
    page.goto(f"{CARD}/filters")
    text = page.get_by_label("Integration Table Filter as text")
    text.fill("statecode in (0,1) and revenue gt 5000")
    expect(page.get_by_label("Field of row 2 of Accounts")).to_have_value("revenue")
    expect(page.get_by_label("Value of row 2 of Accounts")).to_have_value("5000")
    expect(page.get_by_role("group", name="Values of row 1 of Accounts").get_by_label("Inactive")).to_be_checked()
    expect(text).to_be_focused()
    text.fill("statecode eq 0 or revenue gt 5000")
    expect(page.locator("#rows-remote")).to_contain_text("Rows cannot say this filter")
    text.fill("stattecode eq 0")
    expect(page.locator("#figures-remote").get_by_role("alert")).to_contain_text("names the field 'stattecode'")
    page.get_by_role("button", name="Save the filters").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Did you mean statecode")
    page.keyboard.press("Escape")
    page.get_by_label("Operator of row 1 of Customers").select_option("is")
    page.get_by_role("button", name="Save the filters").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Blocked has no value")
    page.keyboard.press("Escape")
    page.locator("#add-local").press("Enter")
    page.get_by_label("Field of row 2 of Customers").select_option(label="Credit Limit")
    page.get_by_label("Operator of row 2 of Customers").select_option("more")
    page.get_by_label("Value of row 2 of Customers").fill("plenty")
    expect(page.locator("#figures-local").get_by_role("alert")).to_contain_text("'plenty' is no value for Credit Limit")
    page.get_by_role("button", name="Remove row 2 of Customers").press("Enter")
    expect(page.get_by_label("Field of row 2 of Customers")).to_have_count(0)
    stored = show_mapping(small.home, "CUSTOMER")
    assert (stored.local_filter, "stattecode" in (stored.remote_filter or "")) == ("blocked eq null", False)


def test_a_direction_takes_the_field_mappings_along(calm_page: Page, calm: Site) -> None:
    remote = couple(calm, "10000", phoneNumber="111")
    page = calm_page
    page.goto(CARD)
    page.get_by_role("button", name="Change the direction").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("From Dataverse").check()
    row = dialog.get_by_role("row").filter(has_text="Phone No.")
    expect(row).to_contain_text("From Dataverse")
    expect(dialog).to_contain_text("Disabled, because they go the other way only")
    assert show_mapping(calm.home, "CUSTOMER").direction == "bidirectional", "nothing is stored before OK"
    dialog.get_by_role("button", name="OK").click()
    expect(dialog.get_by_role("status")).to_contain_text("from Dataverse now")
    dialog.locator("footer").get_by_role("button", name="Close").click()
    expect(page.locator("#mapping-what")).to_contain_text("from Dataverse")
    expect(page.locator("#mapping-direction")).to_contain_text("From Dataverse")
    calm.bc.edit_customer("10000", phoneNumber="222")
    calm.dv.change("accounts", remote, telephone1="333")
    page.get_by_role("button", name="Run Full Synchronization").click()
    page.get_by_role("dialog").get_by_role("button", name="Run").click()
    expect(page.get_by_role("dialog")).to_contain_text("Finished", timeout=PATIENCE)
    assert calm.bc.customer("10000")["phone"] == "333"
    assert calm.dv.account(remote)["phone"] == "333"


def test_settings_are_saved_as_they_are_chosen_with_the_keyboard(page: Page, small: Site) -> None:
    page.goto(CARD)
    expect(page.locator("#filter-figures")).to_contain_text("0 of 0")  # all of the card is there
    page.get_by_label("Synch. Only Coupled Records").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Records without partner get one in the other system.")).to_be_visible()
    expect(page.get_by_label("Synch. Only Coupled Records")).to_be_focused()
    page.get_by_label("Resolve Deletion Conflicts").focus()
    page.keyboard.press("d")
    expect(page.get_by_text("is uncoupled, and then gets a new partner")).to_be_visible()
    expect(page.locator(".saved").filter(has_text="Saved")).to_be_visible()
    found = show_mapping(small.home, "CUSTOMER")
    assert (found.only_coupled, found.deletion_conflict) == (False, "uncouple")
    with small.home.store.begin() as unit:
        assert [entry.actor for entry in unit.people.audit(actions=[AuditAction.CHANGE_MAPPING])] == ["demo", "demo"]


def test_a_schedule_is_set_paused_and_resumed(page: Page, small: Site) -> None:
    page.goto(CARD)
    page.get_by_label("Minutes between runs").fill("0")
    page.locator("#set-pace").evaluate("button => { button.form.noValidate = true; button.click(); }")
    expect(page.get_by_role("alert").last).to_contain_text("not every 0 minutes")
    page.get_by_label("Minutes between runs").fill("15")
    page.get_by_label("Minutes between runs").press("Enter")
    expect(page.get_by_text("Runs every 15 minutes")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("It does not run by itself.")).to_be_visible()
    page.goto("/mappings")
    expect(page.get_by_role("row", name="CUSTOMER Customers")).to_contain_text("Paused")
    page.goto(CARD)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_all_couplings_of_a_mapping_are_removed_by_its_name_and_come_back(calm_page: Page, calm: Site) -> None:
    """The dialog says how many there are, and wants the name typed; the result can be undone.

    behaviour: CDSUncoupling/IntegarionTableMappingListUncoupleSingleInBackground
    """
    remotes = {number: couple(calm, number) for number in ("10000", "20000")}
    page = calm_page
    page.goto(CARD)
    page.get_by_role("button", name="Delete Couplings").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("All 2 couplings of CUSTOMER are removed")
    dialog.get_by_label("Type CUSTOMER to confirm").fill("VENDOR")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("is not the name of the mapping")
    dialog.get_by_label("Type CUSTOMER to confirm").fill("customer")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_contain_text("2 uncoupled", timeout=PATIENCE)
    assert list_couplings(calm.home, "CUSTOMER").total == 0
    for number, remote in remotes.items():
        assert calm.bc.customer(number)["name"] == f"Customer {number}"
        assert calm.dv.account(remote)["name"] == f"Customer {number}"
    dialog.get_by_role("link", name="Each record's outcome and undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("dialog")).to_contain_text("4 changes would be taken back")
    page.get_by_role("dialog").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("4 changes taken back")
    found = list_couplings(calm.home, "CUSTOMER").couplings
    assert {each.local_key: each.remote_id for each in found} == remotes


def test_a_reset_asks_first(page: Page, small: Site) -> None:
    page.goto(f"{CARD}/fields")
    page.get_by_label("Status of City").select_option("no")
    expect(page.locator(".saved")).to_contain_text("Saved")
    page.goto(CARD)
    page.get_by_role("button", name="Use Default Synchronization Setup").click()
    expect(page.get_by_role("dialog")).to_contain_text("What was changed of them is lost")
    page.keyboard.press("Escape")
    city = next(each for each in show_mapping(small.home, "CUSTOMER").fields if each.label == "City")
    assert not city.enabled
    page.get_by_role("button", name="Use Default Synchronization Setup").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("Restored: CUSTOMER.")
    city = next(each for each in show_mapping(small.home, "CUSTOMER").fields if each.label == "City")
    assert city.enabled


def test_a_field_mapping_that_is_off_moves_nothing(calm_page: Page, calm: Site) -> None:
    """Status and direction are changed in the list; which fields are tied is not, and no row is added there.

    behaviour: CRMIntegrationMapping/FieldMappingListPageAllowsEditing
    """
    remote = couple(calm, "10000", city="Leeds", phoneNumber="111")
    page = calm_page
    page.goto(f"{CARD}/fields")
    expect(page.locator("#field-list tbody tr")).to_have_count(len(show_mapping(calm.home, "CUSTOMER").fields))
    expect(
        page.locator("td[data-label='Field Name'], td[data-label='Integration Field Name']").locator("input, select")
    ).to_have_count(0)
    page.get_by_label("Direction of Phone No.").select_option("from_remote")
    expect(page.locator("#field-list [role=status]")).to_contain_text("Phone No.: Bidirectional → From Dataverse")
    page.get_by_label("Status of City").focus()
    page.keyboard.press("d")
    expect(page.locator("#field-list [role=status]")).to_contain_text("City: Enabled → Disabled")
    expect(page.get_by_label("Status of City")).to_be_focused()
    expect(page.get_by_role("row", name="Name text 100")).to_contain_text("Name holds 100 characters")
    calm.bc.edit_customer("10000", city="York", phoneNumber="222", addressLine1="1 High Street")
    page.goto(CARD)
    page.keyboard.press("Alt+s")
    page.get_by_role("dialog").get_by_role("button", name="Synchronise", exact=True).press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Finished", timeout=PATIENCE)
    account = calm.dv.account(remote)
    assert (account["address"], account["city"], account["phone"]) == ("1 High Street", "Leeds", "111")


def test_who_may_not_change_a_mapping_sees_it_all_the_same(signed_in_as: dict[Role, Page]) -> None:
    for role, page in signed_in_as.items():
        page.goto(CARD)
        expect(page.get_by_label("Enabled")).to_be_disabled()
        for name in ("Change the direction", "Delete Couplings", "Run Full Synchronization", "Pause"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)
        runs = page.get_by_role("button", name="Synchronize Modified Records")
        expect(runs).to_have_count(1 if role is Role.OPERATOR else 0)
        page.goto(f"{CARD}/filters")
        expect(page.get_by_label("Table Filter as text", exact=True)).not_to_be_editable()
        expect(page.get_by_role("button", name="Save the filters")).to_have_count(0)
        page.goto(f"{CARD}/fields")
        expect(page.get_by_role("row", name="Name text 100")).to_contain_text("Enabled")
        expect(page.get_by_role("combobox")).to_have_count(0)


def test_a_coupling_that_was_removed_comes_back_from_the_list_of_them(page: Page, small: Site) -> None:
    """Who removed it and when stands there; after Undo the list says that the records are coupled again."""
    remote = couple(small, "10000", city="Leeds")
    couple(small, "20000")
    small.do(lambda session: uncouple(session, "CUSTOMER", ["10000"]))
    page.goto(CARD)
    page.get_by_role("link", name="Removed Couplings").click()
    row = page.get_by_role("row").filter(has_text="10000 Customer 10000")
    expect(row).to_contain_text("Not coupled")
    expect(page.get_by_role("row").filter(has_text="20000")).to_have_count(0)
    row.get_by_role("button", name="Undo").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("status")).to_contain_text("coupled as before")
    dialog.get_by_role("button", name="Close").last.press("Enter")
    expect(row).to_contain_text("Coupled again")
    expect(row.get_by_role("button", name="Undo")).to_have_count(0)
    assert {each.local_key: each.remote_id for each in list_couplings(small.home, "CUSTOMER").couplings}[
        "10000"
    ] == remote
    page.get_by_label("Mapping", exact=True).select_option("VENDOR")
    expect(page.locator("#removed")).to_contain_text("No coupling has been removed of VENDOR")
    page.goto("/")
    page.get_by_role("link", name="Removed couplings").click()
    expect(page.get_by_role("heading", name="Removed Couplings")).to_be_visible()


def test_transformation_rules_are_tried_before_they_are_saved(calm_page: Page, calm: Site) -> None:
    remote = couple(calm, "10000", city="Leeds")
    page = calm_page
    page.goto(f"{CARD}/fields")
    page.get_by_role("button", name="Rules of City").click()
    dialog = page.get_by_role("dialog")
    to_remote = dialog.get_by_label("Values on their way to Dataverse")
    expect(to_remote).to_be_focused()
    to_remote.fill("replace find=St. replace='Saint '\nshout")
    expect(dialog.locator("#rules-tried")).to_contain_text("Line 2: There is no transformation rule 'shout'")
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Line 2: There is no transformation rule 'shout'")
    to_remote.fill("replace find=St. replace='Saint '\nuppercase")
    dialog.get_by_label("Try them on a value").fill("St.Albans")
    expect(dialog.locator("#rules-tried")).to_contain_text("To Dataverse: SAINT ALBANS")
    expect(dialog.locator("#rules-tried")).to_contain_text("To Business Central: St.Albans")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("Values that are edited from now on are transformed")
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("row").filter(has_text="uppercase")).to_contain_text("City")
    calm.bc.edit_customer("10000", city="St.Albans")
    page.goto(CARD)
    page.get_by_role("button", name="Synchronize Modified Records").click()
    page.get_by_role("dialog").get_by_role("button", name="Synchronise", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Finished", timeout=PATIENCE)
    assert calm.dv.account(remote)["city"] == "SAINT ALBANS"
    assert calm.bc.customer("10000")["city"] == "St.Albans"
