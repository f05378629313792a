"""Set Up Coupling and Choose Record, as people go through them; both systems are read back."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from crosstie.app.coupling import list_couplings, set_up_coupling
from crosstie.app.jobs import enqueue
from crosstie.app.mappings import list_mappings
from crosstie.app.synchronising import synchronise
from tests.web.conftest import Site, looking
from tests.web.pairs import account, card, coupling, customer, open_dialog, pair


def test_couple_with_the_best_candidate_and_send(page: Page, small: Site) -> None:
    """behaviour: CRMCouplingTest/CoupleCustomer
    behaviour: CRMCouplingRecord/CRMCouplingRecordCreateNewEnabledForNotCoupledRecord
    behaviour: CRMCouplingRecord/GetCRMIDAfterSelectingCRMRecord
    """
    local = customer(small, displayName="Adatum Corporation", email="kim@adatum.example", city="Cambridge")
    remote = account(small, "Adatum Ltd.", emailaddress1="kim@adatum.example", address1_city="Ely")
    account(small, "Contoso")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    expect(dialog.get_by_label("Create New")).to_be_enabled()
    expect(dialog.get_by_role("button", name="OK")).to_be_disabled()
    expect(dialog.get_by_role("row", name="Adatum Ltd.")).to_contain_text("same e-mail")
    expect(dialog.get_by_role("row", name="Contoso")).to_have_count(0)
    dialog.get_by_role("radio", name="Adatum Ltd.").check()
    after = dialog.locator(".compare tr", has_text="City").locator("[data-label='After OK']")
    expect(after).to_contain_text("Cambridge")
    expect(after).to_contain_text("in Dataverse")
    expect(dialog.locator(".compare").get_by_role("row", name="E-Mail")).to_have_count(0)
    expect(dialog.get_by_label("Synchronize After Coupling")).to_have_value("to_remote")
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_contain_text(re.compile(r"Coupled\. \d+ fields changed"))
    stored = small.dv.row("accounts", remote)
    assert (stored["name"], stored["address1_city"]) == ("Adatum Corporation", "Cambridge")
    assert small.bc.customer("10000")["name"] == "Adatum Corporation"
    expect(page.locator(".page-head")).to_contain_text("In step")
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.get_by_role("heading", name="Undo")).to_be_visible()
    assert small.dv.row("accounts", remote)["address1_city"] == "Ely"
    assert coupling(small, local) is None


def test_couple_without_moving_a_value(page: Page, small: Site) -> None:
    """behaviour: CRMCouplingRecord/GetPerformInitialSynchronization"""
    local = customer(small, city="Leeds")
    remote = account(small, address1_city="York")
    page.goto(f"{card('local', local)}/couple?to={remote}")
    page.get_by_label("Synchronize After Coupling").select_option("No")
    expect(page.locator(".compare").get_by_role("row", name="City")).to_contain_text("stays different")
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_text("Coupled.")).to_be_visible()
    assert small.bc.customer("10000")["city"] == "Leeds"
    assert small.dv.row("accounts", remote)["address1_city"] == "York"


def test_create_new_forces_the_direction_and_gives_it_back(page: Page, small: Site) -> None:
    """behaviour: CRMCouplingRecord/CheckingCreateNewInCRM
    behaviour: CRMCouplingRecord/UncheckingCreateNewInCRM
    behaviour: CRMCouplingRecord/GetCreateNewInCRM
    """
    local = customer(small, displayName="Northwind", city="Bath")
    account(small, "Northwind Traders")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    way = dialog.get_by_label("Synchronize After Coupling")
    way.select_option("No")
    dialog.get_by_label("Create New").check()
    expect(way).to_be_disabled()
    expect(way).to_contain_text("Yes, with Business Central data")
    expect(dialog.get_by_role("radio").first).to_be_disabled()
    dialog.get_by_label("Create New").uncheck()
    expect(way).to_be_enabled()
    expect(way).to_have_value("no")
    dialog.get_by_label("Create New").check()
    expect(dialog.locator(".compare").get_by_role("row", name="City")).to_contain_text("Bath")
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_contain_text("Created and coupled.")
    made = small.dv.only("accounts", "name eq 'Northwind'")
    assert made["address1_city"] == "Bath"
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == made["accountid"]
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog).to_contain_text("deleted again")
    assert not small.dv.exists("accounts", made["accountid"])


def test_replacing_a_coupling_asks_and_can_be_taken_back(page: Page, small: Site) -> None:
    """behaviour: CRMCouplingTest/CoupleUnitOfMeasure
    behaviour: CRMCouplingRecord/LookupCouplingRecordForContact
    behaviour: CRMCouplingRecord/LookupCouplingRecordRefreshesValuesOnPage
    behaviour: CRMCouplingRecord/CRMCouplingRecordCreateNewDisabledForCoupledRecord
    behaviour: CRMCouplingRecord/GetCRMIDAfterOpenPageForCoupledCustomer
    behaviour: CRMCouplingRecord/TypingCRMAccountName
    """
    local, first = pair(small)
    second = account(small, "Second", address1_city="York")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    expect(dialog.get_by_role("radio", name="Adatum")).to_be_checked()
    expect(dialog.get_by_label("Create New")).to_be_disabled()
    expect(dialog.get_by_label("Synchronize After Coupling")).to_have_value("no")
    dialog.get_by_role("searchbox").fill("Second")
    dialog.get_by_role("radio", name="Second").check()
    expect(dialog.locator(".compare")).to_contain_text("York")
    expect(dialog.get_by_label("Synchronize After Coupling")).to_have_value("no")
    dialog.get_by_role("button", name="OK").click()
    expect(dialog.get_by_role("heading", name="Replace the coupling?")).to_be_visible()
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == first, "nothing is done before the question is answered"
    dialog.get_by_role("button", name="Yes, replace it").click()
    expect(dialog).to_contain_text("Coupled.")
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == second
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.get_by_role("heading", name="Undo")).to_be_visible()
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == first


def test_one_that_is_taken_says_by_whom_and_cannot_be_had(page: Page, small: Site) -> None:
    _, taken = pair(small, "20000", displayName="Trey Research")
    local = customer(small, "10000", displayName="Trey Research Ltd.")
    free = account(small, "Trey Research Labs")
    page.goto(card("local", local))
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    rows = dialog.locator(".candidates tbody tr")
    expect(rows.nth(0)).to_contain_text("Trey Research Labs")
    expect(rows.nth(1)).to_contain_text("Yes: 20000 Trey Research")
    dialog.locator(f"#to-{taken}").check()
    expect(dialog.get_by_role("alert")).to_contain_text("already-coupled")
    expect(dialog.get_by_role("button", name="OK")).to_be_disabled()
    dialog.locator(f"#to-{free}").check()
    expect(dialog.get_by_role("button", name="OK")).to_be_enabled()


def test_choose_record_lists_what_the_filter_admits_with_who_is_coupled(page: Page, small: Site) -> None:
    """behaviour: CRMIntegrationMapping/CRMAccountListIntergationTableFilter
    behaviour: CRMCouplingRecord/SelectingCRMAccount
    """
    local, _ = pair(small, displayName="Current one")
    pair(small, "20000", displayName="Taken one")
    for number in range(16):
        account(small, f"Free {number:02}")
    small.dv.add("accounts", name="A vendor", customertypecode=11)
    page.goto(card("local", local))
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    dialog.get_by_role("link", name="Choose from all records").click()
    expect(dialog.get_by_role("heading", name=re.compile("Choose account"))).to_be_visible()
    expect(dialog.get_by_role("row", name="Current one").get_by_role("cell").nth(1)).to_have_text("Current")
    expect(dialog.get_by_role("row", name="A vendor")).to_have_count(0)
    dialog.get_by_role("link", name="Next page").click()
    expect(dialog.get_by_role("row", name="Taken one").get_by_role("cell").nth(1)).to_have_text("Yes")
    dialog.get_by_label("Hide Coupled").check()
    expect(dialog.get_by_role("row", name="Current one")).to_have_count(0)
    dialog.get_by_role("searchbox").fill("Free 07")
    expect(dialog.get_by_role("row", name="Free 06")).to_have_count(0)
    dialog.get_by_role("link", name="Free 07", exact=True).click()
    expect(dialog.get_by_role("radio", name="Free 07")).to_be_checked()


def test_from_the_other_side_the_local_partner_is_chosen(page: Page, small: Site) -> None:
    local = customer(small, displayName="Fabrikam", city="Leeds")
    remote = account(small, "Fabrikam Inc.", address1_city="Hull")
    page.goto(card("remote", remote))
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    dialog.get_by_role("radio", name="Fabrikam").check()
    dialog.get_by_label("Synchronize After Coupling").select_option("from_remote")
    expect(dialog.locator(".compare").get_by_role("row", name="City")).to_contain_text("Hull")
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_contain_text("Coupled.")
    assert small.bc.customer("10000")["name"] == "Fabrikam Inc."
    found = coupling(small, local)
    assert found is not None
    assert found.remote_id == remote


def test_from_the_other_side_a_customer_is_created(page: Page, small: Site) -> None:
    remote = account(small, "Litware", address1_city="Oslo")
    page.goto(card("remote", remote))
    page.get_by_role("button", name="Create Customer in Business Central").click()
    dialog = page.locator("#dialog")
    expect(dialog.locator(".compare").get_by_role("row", name="City")).to_contain_text("Oslo")
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_contain_text("Created and coupled.")
    assert small.bc.only("customers", "displayName eq 'Litware'")["city"] == "Oslo"


def test_a_mapping_of_one_direction_offers_only_that_one(page: Page, small: Site) -> None:
    """behaviour: CRMCouplingTest/CoupleSalesperson
    behaviour: CRMCouplingRecord/CRMCouplingRecordCreateNewDisabledForFromIntegrationTableDirection
    """
    local = small.bc.add("salespeoplePurchasers", code="JO", displayName="Jim")["id"]
    user = small.dv.add_user("Jim", "Ortega")
    page.goto(card("local", local, "SALESPEOPLE"))
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    expect(dialog.get_by_label("Create New")).to_be_disabled()
    expect(dialog.get_by_label("Synchronize After Coupling").locator("option")).to_have_text(
        ["No", "Yes, with Dataverse data"]
    )
    dialog.get_by_role("searchbox").fill("Ortega")
    dialog.get_by_role("radio", name="Jim Ortega").check()
    expect(dialog.get_by_role("button", name="OK")).to_be_enabled()
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_contain_text("Coupled.")
    assert small.bc.only("salespeoplePurchasers", "code eq 'JO'")["displayName"] == "Jim Ortega"
    assert small.dv.row("systemusers", user["systemuserid"])["fullname"] == "Jim Ortega"


def test_two_tabs_and_a_double_click_couple_once(browser: Browser, page: Page, small: Site) -> None:
    local = customer(small)
    remote = account(small, "Adatum")
    other = account(small, "Adatum Two")
    page.goto(f"{card('local', local)}/couple?to={remote}")
    with looking(browser, small) as second:
        second.goto(f"{card('local', local)}/couple?to={other}")
        page.get_by_role("button", name="OK").dblclick()
        expect(page.locator("#dialog").get_by_text("Coupled.")).to_be_visible()
        second.get_by_role("button", name="OK").click()
        expect(second.get_by_role("heading", name="Replace the coupling?")).to_be_visible()
        second.get_by_role("link", name="No").click()
        expect(second.get_by_role("heading", name="Set Up Coupling").last).to_be_visible()
    page.go_back()
    assert [each.remote_id for each in list_couplings(small.home, "CUSTOMER").couplings] == [remote]


@pytest.mark.parametrize("form", [{}, {"to": "00000000-0000-4000-8000-000000000000"}, {"to": "nobody", "surplus": "1"}])
def test_a_form_that_names_nobody_couples_nothing(page: Page, small: Site, form: dict[str, str]) -> None:
    """behaviour: CRMCouplingRecord/TypingWrongCRMAccountName"""
    local = customer(small)
    page.goto(card("local", local))
    token = page.locator("body").get_attribute("hx-headers") or ""
    secret = re.search(r'Token": "(\w+)"', token)
    assert secret is not None
    answer = page.request.post(f"{card('local', local)}/couple", form=form, headers={"X-CSRF-Token": secret.group(1)})
    assert 400 <= answer.status < 500
    assert list_couplings(small.home, "CUSTOMER").total == 0


def test_single_fields_are_taken_from_the_side_chosen_or_left(page: Page, small: Site) -> None:
    local = customer(small, displayName="Adatum", city="Ely", email="here@adatum.example", creditLimit=500)
    remote = account(small, "Adatum Ltd.", address1_city="York", emailaddress1="there@adatum.example")
    page.goto(f"{card('local', local)}/couple?to={remote}")
    compare = page.locator(".compare")
    expect(compare.get_by_role("row", name="City")).to_contain_text("Ely in Dataverse")
    compare.get_by_label("Whose City both get").select_option("Dataverse")
    expect(compare.get_by_role("row", name="City")).to_contain_text("York in Business Central")
    compare.get_by_label("Whose E-Mail both get").select_option("Leave both")
    expect(compare.get_by_role("row", name="E-Mail")).to_contain_text("stays different")
    expect(compare.get_by_role("row", name="City")).to_contain_text("York in Business Central")
    limit = compare.get_by_label("Whose Credit Limit (LCY) both get")
    expect(limit.locator("option:disabled")).to_have_text("Dataverse: the field flows the other way only")
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_text("Coupled.")).to_be_visible()
    mine, theirs = small.bc.customer("10000"), small.dv.account(remote)
    assert (mine["name"], theirs["name"]) == ("Adatum", "Adatum")
    assert (mine["city"], theirs["city"]) == ("York", "York")
    assert (
        small.bc.only("customers", "number eq '10000'")["email"],
        small.dv.row("accounts", remote)["emailaddress1"],
    ) == ("here@adatum.example", "there@adatum.example")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Undo").last).to_be_visible()
    assert small.bc.customer("10000")["city"] == "Ely"
    assert small.dv.row("accounts", remote)["name"] == "Adatum Ltd."
    assert coupling(small, local) is None


def test_what_was_chosen_for_fields_goes_with_the_record_and_the_way_it_was_chosen_for(page: Page, small: Site) -> None:
    local = customer(small, city="Ely")
    first, second = (
        account(small, "Adatum One", address1_city="York"),
        account(small, "Adatum Two", address1_city="Hull"),
    )
    page.goto(f"{card('local', local)}/couple?to={first}")
    city = page.locator(".compare").get_by_role("row", name="City")
    page.get_by_label("Whose City both get").select_option("Dataverse")
    expect(city).to_contain_text("York in Business Central")
    page.locator(f"#to-{second}").check()
    expect(city).to_contain_text("Ely in Dataverse")
    page.get_by_label("Whose City both get").select_option("Leave both")
    expect(city).to_contain_text("stays different")
    page.get_by_label("Synchronize After Coupling").select_option("Yes, with Dataverse data")
    expect(city).to_contain_text("Hull in Business Central")


def test_what_must_be_coupled_first_is_coupled_in_the_same_go(page: Page, small: Site) -> None:
    """A contact waits for its customer, and that one for its salesperson: all three in the order of dependencies."""
    small.bc.add("salespeoplePurchasers", code="JO", displayName="Jim Ortega")
    user = small.dv.add_user("Jim", "Ortega")["systemuserid"]
    customer(small, salespersonCode="JO")
    person = small.bc.person("10000", "Ann", "Beebe")
    page.goto(card("local", person["id"], "CONTACT"))
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    dialog.get_by_label("Create New").check()
    expect(dialog.get_by_role("group", name="Records on which it depends are not coupled yet")).to_be_visible()
    expect(dialog.locator(".waits label")).to_have_text([re.compile("SALESPEOPLE JO"), re.compile("CUSTOMER 10000")])
    people = dialog.get_by_label("SALESPEOPLE JO")
    expect(people.locator("option:disabled")).to_contain_text("SALESPEOPLE flows from_remote only")
    people.select_option(label="Couple with Jim Ortega (70 %: same name)")
    expect(dialog.locator("#couple-foot [name=provide]")).to_have_count(1)
    dialog.get_by_label("CUSTOMER 10000").select_option("Create it in Dataverse")
    expect(dialog.locator("#couple-foot [name=provide]")).to_have_count(2)
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_contain_text("SALESPEOPLE JO Jim Ortega is coupled.")
    expect(dialog).to_contain_text("CUSTOMER 10000 Adatum is created in Dataverse and coupled.")
    expect(dialog).to_contain_text("Created and coupled.")
    made = small.dv.only("accounts", "name eq 'Adatum'")
    assert made["_ownerid_value"] == user
    assert small.dv.only("contacts", "lastname eq 'Beebe'")["_parentcustomerid_value"] == made["accountid"]
    expect(page.locator(".page-head")).to_contain_text("In step")


def test_what_cannot_be_coupled_first_is_said_and_the_coupling_goes_on(page: Page, small: Site) -> None:
    small.bc.add("currencies", code="NOK", displayName="Norwegian krone")
    local = customer(small, currencyCode="NOK", city="Ely")
    remote = account(small, "Adatum")
    page.goto(f"{card('local', local)}/couple?to={remote}")
    page.get_by_label("CURRENCY NOK").select_option("Create it in Dataverse")
    expect(page.locator("#couple-foot [name=provide]")).to_have_count(1)
    page.get_by_role("button", name="OK").click()
    failed = page.get_by_role("alert").filter(has_text="CURRENCY NOK")
    expect(failed).to_contain_text("was not created")
    expect(failed).to_contain_text("no-exchange-rate")
    expect(page.get_by_text("Coupled.")).to_be_visible()
    assert small.dv.row("accounts", remote)["address1_city"] == "Ely"
    found = coupling(small, local)
    assert found is not None
    assert found.state == "waiting"
    page.goto(f"{card('local', local)}/differences")
    page.get_by_role("link", name="Couple or create CURRENCY NOK").click()
    expect(page.locator("#dialog").get_by_role("heading", name="CURRENCY NOK Norwegian krone")).to_be_visible()


def test_users_are_chosen_from_and_salespeople_made_of_them_but_nothing_is_edited(page: Page, small: Site) -> None:
    """behaviour: CRMCouplingTest/CRMSystemUserPageCoupleControlsVisibility"""
    local = small.bc.add("salespeoplePurchasers", code="JO", displayName="Jim")["id"]
    small.dv.add_user("Ann", "Doe")
    page.goto(f"{card('local', local, 'SALESPEOPLE')}/choose")
    row = page.get_by_role("row", name="Ann Doe")
    expect(row).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Coupling|Uncouple"))).to_have_count(0)
    expect(row.get_by_role("textbox")).to_have_count(0)
    row.get_by_role("link", name="Create salesperson").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("Create New")).to_be_checked()
    expect(dialog.locator(".compare").get_by_role("row", name="Name")).to_contain_text("Ann Doe")


def test_the_dialog_opens_for_the_current_row_of_the_skipped_ones(page: Page, small: Site) -> None:
    """behaviour: CRMSynchSkippedRecords/T125_CoupleActionOpensCouplingRecordPage"""
    for code, name in (("AA", "Ann Doe"), ("BB", "Ben Roe")):
        small.bc.add("salespeoplePurchasers", code=code, displayName=name)
        user = small.dv.add_user(*name.split(" "))["systemuserid"]
        small.do(lambda session, c=code, u=user: set_up_coupling(session, "SALESPEOPLE", c, u, synchronise="no"))
        small.dv.change("systemusers", user, internalemailaddress="long" * 20 + "@adatum.example")
    for _ in range(2):
        small.do(lambda session: synchronise(session, "SALESPEOPLE"))
    page.goto("/lists/SALESPEOPLE?state=skipped")
    page.get_by_role("row", name="Ben Roe").locator("td").last.click()
    dialog = open_dialog(page, "Set Up Coupling", "Set Up Coupling")
    expect(dialog.locator(".boxed").first).to_have_text("BB · Ben Roe")


def test_create_new_is_not_for_a_record_that_is_coupled(page: Page, small: Site) -> None:
    """behaviour: CRMCouplingRecord/CheckingCreateNewOnCoupledRecords"""
    local, remote = pair(small)
    page.goto(f"{card('local', local)}/couple?create=1&synchronise=no")
    expect(page.get_by_label("Create New")).to_be_disabled()
    expect(page.get_by_label("Create New")).not_to_be_checked()
    expect(page.get_by_role("radio", name="Adatum")).to_be_checked()
    expect(page.get_by_label("Synchronize After Coupling")).to_have_value("no")
    token = page.locator("body").get_attribute("hx-headers") or ""
    secret = re.search(r'Token": "(\w+)"', token)
    assert secret is not None
    headers = {"X-CSRF-Token": secret.group(1)}
    answer = page.request.post(f"{card('local', local)}/couple", form={"create": "1"}, headers=headers)
    assert answer.status == 409
    assert "already-coupled" in answer.text()
    assert [each.remote_id for each in list_couplings(small.home, "CUSTOMER").couplings] == [remote]


def test_the_dialog_goes_by_the_mapping_and_not_by_what_a_job_was_asked_for(page: Page, small: Site) -> None:
    """behaviour: CRMCouplingRecord/CRMTableNameInBufferDefinedByTableMapping
    behaviour: CRMCouplingRecord/CRMTableNameInBufferIsBlankIfNoTableMapping
    """
    local = customer(small)
    account(small)
    enqueue(small.home, "synchronise", {"mapping": "CUSTOMER", "records": [local], "direction": "from_remote"})
    page.goto(f"{card('local', local)}/couple")
    expect(page.get_by_label("Synchronize After Coupling")).to_have_value("to_remote")
    assert [each.name for each in list_mappings(small.home) if each.remote_table == "account"] == ["CUSTOMER", "VENDOR"]
    page.goto(f"{card('local', local, 'NOTHING')}/couple")
    expect(page.get_by_role("alert")).to_contain_text("unknown-mapping")
