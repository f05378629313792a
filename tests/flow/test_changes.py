"""Synchronising many: what changed, everything, selections, the order of mappings, and what leaves the filter."""

import pytest

from crosstie.model.decisions import RecordAction
from crosstie.model.errors import InvalidFilter, InvalidOption, NotCoupled
from crosstie.model.mappings import Direction

from .flow import Flow, Watcher, figures, told

THREE = {
    "10000": {"displayName": "Adatum Corporation"},
    "20000": {"displayName": "Trey Research"},
    "30000": {"displayName": "School of Fine Art"},
}


async def test_empty_tables_are_done_at_once(flow: Flow) -> None:
    """
    behaviour: IntegrationTableSynchTest/ProcessingZeroRows
    """
    watcher = Watcher()
    report = await flow.sync("CUSTOMER", create=True, observer=watcher)
    assert (told(report), watcher.decisions) == (({}, {}), [])
    assert flow.jobs("CUSTOMER")[0].state == "finished"


async def test_new_records_get_partners_where_that_is_asked_for(flow: Flow) -> None:
    """
    behaviour: IntegrationTableSynchTest/InsertRowsFromIntegrationTable
    """
    first = flow.dv.add_customer("Fabrikam")["accountid"]
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    assert told(await flow.sync()) == ({}, {}), "only coupled records count unless asked"
    report = await flow.sync("CUSTOMER", create=True)
    assert (report.to_remote.inserted, report.from_remote.inserted) == (1, 1), "though an earlier job went past them"
    second = [flow.dv.add_customer(name)["accountid"] for name in ("Lamna", "Litware")]
    report = await flow.sync("CUSTOMER", create=True)
    assert (report.to_remote.inserted, report.from_remote.inserted) == (0, 2)
    remote_ids = {coupling.remote_id for coupling in flow.couplings().values()}
    assert remote_ids > {first, *second}
    assert {row["displayName"] for row in flow.bc.rows("customers")} == {
        "Adatum Corporation",
        "Fabrikam",
        "Lamna",
        "Litware",
    }
    assert told(await flow.sync("CUSTOMER", create=True)) == ({}, {})


async def test_a_mapping_that_is_not_for_coupled_records_only_creates_by_itself_and_only_once(flow: Flow) -> None:
    """
    behaviour: IntegrationTableSynchTest/SynchronizeNewRecordFromCRMShouldOnlyInsertOnceAndUpdateOnNextSynch
    behaviour: CRMSynchJobScenarios/TestSynchFromCRMIncludesChangesByIntegrationUser
    """
    await flow.configure("CUSTOMER", only_coupled=False)
    account = flow.dv.add_customer("Fabrikam")
    user = flow.dv.row("systemusers", account["_modifiedby_value"])
    assert user["isintegrationuser"], "somebody else with the very user that Crosstie has"
    assert figures((await flow.sync()).from_remote) == {"inserted": 1}
    for _ in range(2):
        assert told(await flow.sync()) == ({}, {})
    assert len(flow.bc.rows("customers")) == 1


async def test_what_is_new_on_both_sides_is_there_on_both_sides_afterwards(flow: Flow) -> None:
    """
    behaviour: CRMSynchJobScenarios/BidirectionalSynchCanUpdateDataInBothSystems
    """
    await flow.configure("CUSTOMER", only_coupled=False)
    for n in (1, 2):
        flow.bc.add("customers", number=f"{n}0000", displayName=f"Here {n}")
        flow.dv.add_customer(f"There {n}")
    report = await flow.sync()
    assert (report.to_remote.inserted, report.from_remote.inserted) == (2, 2)
    names = {"Here 1", "Here 2", "There 1", "There 2"}
    assert {row["displayName"] for row in flow.bc.rows("customers")} == names
    assert {row["name"] for row in flow.dv.rows("accounts")} == names


async def test_a_mapping_from_dataverse_only_brings_accounts_and_their_changes(flow: Flow) -> None:
    """
    behaviour: CRMSynchJobScenarios/SynchUncoupledCRMAccountToCustomer
    behaviour: CRMSynchJobScenarios/SyncCoupledCRMAccountToCustomer
    """
    await flow.make_one_way("CUSTOMER", Direction.FROM_REMOTE)
    await flow.configure("CUSTOMER", only_coupled=False)
    flow.bc.add("customers", number="10000", displayName="Stays here")
    account = flow.dv.add_customer("Fabrikam")["accountid"]
    assert told(await flow.sync()) == ({}, {"inserted": 1})
    flow.dv.change("accounts", account, name="Fabrikam Residences")
    assert told(await flow.sync()) == ({}, {"modified": 1})
    assert {row["displayName"] for row in flow.bc.rows("customers")} == {"Stays here", "Fabrikam Residences"}
    assert len(flow.dv.rows("accounts")) == 1


async def test_a_change_at_the_destination_of_a_one_way_mapping_moves_nothing(flow: Flow) -> None:
    """
    behaviour: CRMSynchNotifications/LastSyncUnchangedDestRecChangedLaterMarkedCRMIntegrationRec
    """
    (pair,) = await flow.pairs({"10000": {"displayName": "Adatum Corporation"}})
    await flow.make_one_way("CUSTOMER", Direction.TO_REMOTE)
    await flow.sync()
    flow.dv.change("accounts", pair.remote_id, telephone1="+44 1")
    report = await flow.sync()
    assert (report.to_remote.modified, report.from_remote.modified, report.failed) == (0, 0, 0)
    assert flow.differences(pair) == {"phone": ("", "+44 1")}


async def test_a_change_of_a_field_that_is_not_mapped_is_looked_at_once(flow: Flow) -> None:
    """
    behaviour: CRMEntitySynchTest/SynchModifiedRecordWithNonMappedFieldToCRM
    """
    (pair,) = await flow.pairs({"10000": {"displayName": "Adatum Corporation"}})
    await flow.sync()
    flow.bc.change("customers", pair.local_id, taxRegistrationNumber="GB 1")
    assert told(await flow.sync()) == ({"unchanged": 1}, {})
    watcher = Watcher()
    assert told(await flow.sync(observer=watcher)) == ({}, {})
    assert watcher.decisions == []


@pytest.mark.parametrize("seconds", [-300, 300], ids=["behind", "ahead"])
async def test_every_change_goes_out_whatever_the_systems_clocks_say(flow: Flow, seconds: int) -> None:
    """
    behaviour: CRMEntitySynchTest/SyncChangeToCrmTwoTimesWhenCrmClockBehind
    behaviour: CRMEntitySynchTest/LastSyncTimeNotUpdatedIfNothingToSyncCRMClockSynced
    """
    flow.dv.order("POST", "clock", {"advance_seconds": seconds})
    (pair,) = await flow.pairs({"10000": {"displayName": "Adatum Corporation"}})
    for name in ("Once", "Twice"):
        flow.bc.change("customers", pair.local_id, displayName=name)
        assert told(await flow.sync()) == ({"modified": 1}, {})
        assert flow.dv.account(pair.remote_id)["name"] == name
        assert told(await flow.sync()) == ({}, {})


async def test_an_account_without_currency_gets_the_local_one_once_it_has_a_customer(flow: Flow) -> None:
    account = flow.dv.add_customer("Fabrikam")["accountid"]
    report = await flow.sync("CUSTOMER", create=True)
    assert told(report) == ({"modified": 1}, {"inserted": 1}), "in the same job"
    assert flow.dv.account(account)["currency"] == "GBP"
    assert told(await flow.sync("CUSTOMER", create=True)) == ({}, {})


async def test_only_what_changed_is_looked_at(flow: Flow) -> None:
    """
    behaviour: IntegrationTableSynchTest/ModifyRowFromIntegrationTable
    behaviour: IntegrationTableSynchTest/UnchangedButModifiedByCallbackRowFromIntegrationTable
    """
    pairs = await flow.pairs(THREE)
    await flow.sync()
    flow.dv.change("accounts", pairs[1].remote_id, address1_city="Leeds")
    watcher = Watcher()
    report = await flow.sync(observer=watcher)
    assert told(report) == ({}, {"modified": 1})
    assert [decision.pair.coupling.local_key for decision in watcher.decisions if decision.pair.coupling] == ["20000"]
    assert flow.bc.customer("20000")["city"] == "Leeds"


async def test_a_full_synchronisation_looks_at_every_record_whatever_was_seen_before(flow: Flow) -> None:
    await flow.pairs(THREE)
    flow.bc.add("customers", number="40000", displayName="Deerfield")
    flow.dv.add_customer("Fabrikam")
    await flow.sync()
    report = await flow.sync("CUSTOMER", full=True, create=True)
    assert (report.to_remote.inserted, report.from_remote.inserted) == (1, 1)
    assert len(flow.couplings()) == 5
    job = flow.jobs("CUSTOMER")[0]
    assert (job.kind, job.state) == ("full_synchronisation", "finished")


async def test_a_full_synchronisation_of_records_in_step_counts_them_and_writes_nothing(flow: Flow) -> None:
    await flow.pairs(THREE)
    async with flow.counting() as counted:
        report = await flow.sync("CUSTOMER", full=True)
    assert told(report) == ({"unchanged": 3}, {"unchanged": 3}), "each record once a direction"
    assert counted.writes == {}


@pytest.mark.parametrize("direction", ["to_remote", "from_remote"])
async def test_a_selection_is_written_only_where_it_differs(flow: Flow, direction: str) -> None:
    """
    behaviour: CRMIntegrationMgtTest/UpdateMultipleNowToCRMForMany
    behaviour: CRMIntegrationMgtTest/UpdateMultipleNowFromCRMForMany
    """
    pairs = await flow.pairs(THREE)
    if direction == "to_remote":
        flow.bc.change("customers", pairs[0].local_id, city="Ely")
    else:
        flow.dv.change("accounts", pairs[0].remote_id, address1_city="Ely")
    async with flow.counting() as counted:
        report = await flow.sync("CUSTOMER", *THREE, direction=direction)
    moved = report.to_remote if direction == "to_remote" else report.from_remote
    assert figures(moved) == {"modified": 1, "unchanged": 2}
    assert sum(counted.writes.values()) == 1
    assert flow.differences(pairs[0]) == {}


async def test_a_job_of_one_direction_leaves_to_the_next_what_goes_the_other_way(flow: Flow) -> None:
    """A field that only goes to Dataverse waits, though the same record is written in Business Central."""
    pair = await flow.pair()
    flow.bc.change("customers", pair.local_id, creditLimit=500)
    flow.dv.change("accounts", pair.remote_id, address1_city="Ely")
    report = await flow.sync("CUSTOMER", full=True, direction="from_remote")
    assert told(report) == ({}, {"modified": 1})
    assert flow.differences(pair).keys() == {"credit limit"}
    report = await flow.sync("CUSTOMER")
    assert told(report) == ({"modified": 1}, {})
    assert flow.differences(pair) == {}


async def test_one_bad_record_of_a_selection_stops_no_other_and_uncoupled_ones_are_skipped(flow: Flow) -> None:
    """
    behaviour: CRMEntitySynchTest/SyncMultipleCustomers
    """
    pairs = await flow.pairs(THREE)
    flow.bc.add("customers", number="40000", displayName="Deerfield")
    flow.bc.add("salespeoplePurchasers", code="CY", displayName="Cy")
    flow.bc.change("customers", pairs[1].local_id, salespersonCode="CY")
    flow.bc.change("customers", pairs[2].local_id, city="Ely")
    report = await flow.sync("CUSTOMER", "10000", "20000", "30000", "40000", direction="to_remote")
    assert figures(report.to_remote) == {"unchanged": 1, "modified": 1, "failed": 1, "skipped": 1}
    assert [failure.words for failure in report.failures] == [
        "Salesperson Code CY is not coupled (mapping SALESPEOPLE)."
    ]
    assert flow.differences(pairs[2]) == {}
    assert len(flow.dv.rows("accounts")) == 3


async def test_a_record_without_partner_is_told_so_when_it_is_named(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    with pytest.raises(NotCoupled, match="10000: not coupled under CUSTOMER") as refused:
        await flow.sync("CUSTOMER", "10000")
    assert refused.value.advice == "Couple it first, or create its partner."
    assert told(await flow.sync("CUSTOMER", "10000", create=True)) == ({"inserted": 1}, {})


async def test_the_mappings_go_in_the_order_in_which_they_depend_on_each_other(flow: Flow) -> None:
    customer = flow.bc.add(
        "customers",
        number="10000",
        displayName="Adatum Corporation",
        paymentTermsId=flow.bc.id_of("paymentTerms", "COD"),
    )
    flow.bc.person("10000", "Ann", "Beebe")
    await flow.match("PAYMENT TERMS", create=False)
    await flow.match("SHIPMENT METHOD", create=False)
    reports = await flow.sync_all(create=True)
    assert list(reports) == [
        "SALESPEOPLE",
        "CURRENCY",
        "PAYMENT TERMS",
        "SHIPMENT METHOD",
        "CUSTOMER",
        "VENDOR",
        "CONTACT",
    ]
    assert flow.problems() == []
    pair = flow.pair_of("10000")
    assert pair.local_id == customer["id"]
    assert flow.differences(pair) == {}
    (contact,) = flow.dv.rows("contacts")
    assert contact["_parentcustomerid_value"] == pair.remote_id


async def test_a_disabled_mapping_is_left_out_of_all(flow: Flow) -> None:
    await flow.configure("VENDOR", enabled=False)
    assert "VENDOR" not in await flow.sync_all()


async def test_a_disabled_mapping_is_not_synchronised_as_a_whole_but_can_be_planned(flow: Flow) -> None:
    pair = await flow.pair()
    flow.bc.edit_customer("10000", city="Ely")
    await flow.configure("CUSTOMER", enabled=False)
    with pytest.raises(InvalidOption, match="The mapping CUSTOMER is disabled"):
        await flow.sync()
    assert told(await flow.sync(dry_run=True)) == ({"modified": 1}, {})
    assert told(await flow.sync("CUSTOMER", "10000")) == ({"modified": 1}, {})
    assert flow.differences(pair) == {}


# --- the filter --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["local", "remote"])
async def test_a_record_that_leaves_the_filter_stays_coupled_and_rests_until_it_is_back(flow: Flow, side: str) -> None:
    (pair,) = await flow.pairs({"10000": {"displayName": "Adatum Corporation", "city": "Ely"}})
    if side == "local":
        flow.bc.change("customers", pair.local_id, blocked="All", city="Cambridge")
    else:
        flow.dv.change("accounts", pair.remote_id, statecode=1, address1_city="Cambridge")
    report = await flow.sync()
    assert (report.to_remote.skipped + report.from_remote.skipped, report.failed) == (1, 0)
    assert flow.state("10000") == "out_of_filter"
    assert flow.differences(pair) != {}
    assert await flow.sync_writes() == {}
    if side == "local":
        flow.bc.change("customers", pair.local_id, blocked="_x0020_")
    else:
        flow.dv.change("accounts", pair.remote_id, statecode=0)
    report = await flow.sync()
    assert report.to_remote.modified + report.from_remote.modified == 1
    assert flow.state("10000") == "in_step"
    assert flow.differences(pair) == {}


async def test_a_filter_of_ones_own_bounds_what_is_created(flow: Flow) -> None:
    """
    behaviour: CRMSynchJobScenarios/SynchFilteredViewToCRM
    """
    await flow.configure("CUSTOMER", local_filter="number ne '30000'", only_coupled=False)
    for number, values in THREE.items():
        flow.bc.add("customers", number=number, **values)
    assert (await flow.sync()).to_remote.inserted == 2
    await flow.configure("CUSTOMER", local_filter=None, only_coupled=True)
    account = flow.dv.add_customer("Somebody")["accountid"]
    await flow.couple("CUSTOMER", "30000", account, synchronise="no")
    flow.bc.edit_customer("30000", city="Ely")
    await flow.sync()
    assert flow.dv.account(account)["city"] == "Ely"
    assert len(flow.dv.rows("accounts")) == 3


@pytest.mark.parametrize("side", ["local_filter", "remote_filter"])
async def test_a_filter_that_is_none_is_refused_with_its_words(flow: Flow, side: str) -> None:
    """
    behaviour: CRMSynchJobScenarios/SynchInvalidViewCausesError
    """
    await flow.configure("CUSTOMER", **{side: "colour is green"})
    with pytest.raises(InvalidFilter, match="colour is green"):
        await flow.sync("CUSTOMER", create=True)
    assert flow.dv.rows("accounts") == []


async def test_a_person_who_becomes_a_company_leaves_the_filter_and_rests(flow: Flow) -> None:
    """
    behaviour: CRMSynchRulesTest/TestChangeCoupledPersonToCompanyContactAndCoupleThroughCode
    """
    await flow.pairs({"10000": THREE["10000"]})
    person = flow.bc.person("10000", "Ann", "Beebe")
    await flow.create("CONTACT", str(person["number"]))
    flow.bc.change("syncContacts", person["id"], type="Company", displayName="Ann Beebe Ltd.")
    report = await flow.sync("CONTACT")
    assert (report.failed, report.to_remote.modified, report.from_remote.modified) == (0, 0, 0)
    assert flow.state(str(person["number"]), "CONTACT") == "out_of_filter"


async def test_an_edit_of_the_partner_does_not_go_to_a_record_outside_of_the_filter(flow: Flow) -> None:
    (pair,) = await flow.pairs({"10000": {"displayName": "Adatum Corporation"}})
    flow.bc.change("customers", pair.local_id, blocked="All")
    await flow.sync()
    flow.dv.change("accounts", pair.remote_id, address1_city="Huntingdon")
    await flow.sync()
    assert flow.bc.customer("10000")["city"] == ""
    assert flow.state("10000") == "out_of_filter"


async def test_a_changed_filter_brings_the_records_that_it_touches_up_again(flow: Flow) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation", blocked="All")
    flow.bc.add("customers", number="20000", displayName="Trey Research")
    await flow.sync("CUSTOMER", create=True)
    assert set(flow.couplings()) == {"20000"}
    await flow.configure("CUSTOMER", local_filter=None)
    assert told(await flow.sync("CUSTOMER", create=True))[0]["inserted"] == 1
    assert set(flow.couplings()) == {"10000", "20000"}


# --- waiting -----------------------------------------------------------------------------------------------------


async def test_thirty_seven_customers_that_wait_for_one_currency_follow_at_once_when_it_is_coupled(flow: Flow) -> None:
    flow.bc.add("currencies", code="ISK", displayName="Icelandic króna")
    for n in range(37):
        flow.bc.add("customers", number=f"{n + 1}0000", displayName=f"Company {n + 1}", currencyCode="ISK")
    report = await flow.sync("CUSTOMER", create=True)
    assert figures(report.to_remote) == {"failed": 37}
    assert [(p.code, p.problem_class) for p in flow.problems()] == [("waiting-for-partner", "waiting")] * 37
    assert told(await flow.sync("CUSTOMER", create=True)) == ({}, {}), "waiting is no failure that comes again"
    currency = flow.dv.add_currency("IS2", "Icelandic króna")["transactioncurrencyid"]
    await flow.couple("CURRENCY", "ISK", "IS2", synchronise="no")
    async with flow.counting() as counted:
        report = await flow.sync()
    assert figures(report.to_remote) == {"inserted": 37}
    assert (counted.dv.batches, counted.writes) == (1, {"POST accounts": 37})
    assert flow.problems() == []
    assert {row["_transactioncurrencyid_value"] for row in flow.dv.rows("accounts")} == {currency}


async def test_a_coupled_record_that_waits_keeps_exchanging_its_other_fields(flow: Flow) -> None:
    (pair,) = await flow.pairs({"10000": {"displayName": "Adatum Corporation"}})
    flow.bc.add("currencies", code="ISK", displayName="Icelandic króna")
    flow.bc.change("customers", pair.local_id, currencyCode="ISK", city="Ely")
    await flow.sync()
    assert flow.state("10000") == "waiting"
    assert flow.differences(pair) == {"currency": ("ISK", "GBP")}
    flow.dv.change("accounts", pair.remote_id, telephone1="+44 1")
    await flow.sync()
    assert flow.bc.customer("10000")["phone"] == "+44 1"
    flow.dv.add_currency("IS2", "Icelandic króna")
    await flow.couple("CURRENCY", "ISK", "IS2", synchronise="no")
    watcher = Watcher()
    await flow.sync(observer=watcher)
    assert [decision.action for decision in watcher.decisions] == [RecordAction.UPDATE]
    assert flow.dv.account(pair.remote_id)["currency"] == "IS2"
    assert (flow.problems(), flow.state("10000")) == ([], "in_step")


async def test_a_new_account_with_a_currency_unknown_here_follows_when_the_currency_is_coupled(flow: Flow) -> None:
    currency = flow.dv.add_currency("XTS", "Testing")["transactioncurrencyid"]
    flow.dv.add_customer("Fabrikam", **{"transactioncurrencyid@odata.bind": f"/transactioncurrencies({currency})"})
    await flow.sync("CUSTOMER", create=True)
    assert flow.only_problem().direction == "from_remote"
    flow.bc.add("currencies", code="TEST", displayName="Testing")
    await flow.couple("CURRENCY", "TEST", "XTS", synchronise="no")
    assert figures((await flow.sync()).from_remote) == {"inserted": 1}
    assert flow.bc.only("customers", "displayName eq 'Fabrikam'")["currencyCode"] == "TEST"
    assert flow.problems() == []


async def test_a_record_stops_waiting_when_somebody_gives_it_another_value(flow: Flow) -> None:
    flow.bc.add("currencies", code="ISK", displayName="Icelandic króna")
    customer = flow.bc.add("customers", number="10000", displayName="Adatum", currencyCode="ISK")
    await flow.sync("CUSTOMER", create=True)
    flow.bc.change("customers", customer["id"], currencyCode="")
    assert told(await flow.sync("CUSTOMER", create=True)) == ({"inserted": 1}, {})
    assert flow.problems() == []
