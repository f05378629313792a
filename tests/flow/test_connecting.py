"""Connecting a Business Central that lacks an API page, and what is checked when connections are used and changed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crosstie.app.connecting import check_connections
from crosstie.app.connections import (
    add_connection,
    disable_connection,
    enable_connection,
    find_connection,
    pair_from_sandbox,
)
from crosstie.app.connections import test_paused as resume_paused
from crosstie.app.jobs import list_schedules
from crosstie.app.mappings import change_mapping, list_mappings, reset_mappings
from crosstie.app.people.acting import command_line
from crosstie.app.setting_up import check_setup, choose_ownership, enter_connection, finish_setup, setup_state
from crosstie.model.errors import EnvironmentChanged, InvalidConnection, UnknownConnection, UnknownTable, Unreachable
from crosstie.model.mapping_changes import MappingChanges
from crosstie.model.mappings import Direction, FieldMapping
from crosstie.model.records import Side
from crosstie.sandbox.launch import Sandbox
from crosstie.standard import standard_names
from tests.flow.conftest import started
from tests.flow.desks import BusinessCentralDesk, DataverseDesk
from tests.flow.flow import Flow

CUSTOM = "crosstie/sync/v1.0"
MISSING = "does not have the custom API page crosstie/sync/v1.0/syncContacts."


@pytest.fixture
async def fresh(tmp_path: Path, desks: tuple[BusinessCentralDesk, DataverseDesk]) -> AsyncIterator[Flow]:
    """A home in which nothing is connected."""
    async with started(tmp_path / "fresh", *desks) as made:
        yield made


@pytest.fixture
def plain(fresh: Flow) -> Flow:
    """A home in which nothing is connected, and a Business Central without extensions."""
    fresh.bc.switch(missing_apis=[CUSTOM])
    return fresh


def enter(flow: Flow, sandbox: Sandbox, **changes: str) -> None:
    """Enter both connections and the ownership model, as the pages of the setup do."""
    info: Any = sandbox.info()
    common = {name: info[name] for name in ("tenant_id", "client_id", "token_url")} | {"secret": info["client_secret"]}
    local, remote = info["business_central"], info["dataverse"]
    settings = {"company": local["company_id"]}
    enter_connection(flow.home, Side.LOCAL, **{"address": local["api"], "settings": settings, **common, **changes})
    enter_connection(flow.home, Side.REMOTE, **{"address": remote["api"], **common})
    choose_ownership(flow.home, "team")


async def finish(flow: Flow, sandbox: Sandbox) -> None:
    enter(flow, sandbox)
    await check_setup(flow.home)
    await finish_setup(flow.home)


async def test_the_setup_ends_without_the_page_of_contacts_and_says_what_cannot_work(
    plain: Flow, flow_sandbox: Sandbox
) -> None:
    enter(plain, flow_sandbox)
    found = await check_setup(plain.home)
    assert [each.code for each in found if not each.passed] == []
    (warned,) = [each for each in found if each.warning]
    assert (warned.code, warned.side, warned.error) == ("mapping CONTACT", Side.LOCAL, "unknown-table")
    assert warned.words.endswith(MISSING)
    assert "Install the extension" in warned.fix
    assert "enable it afterwards" in warned.fix
    assert setup_state(plain.home).passed
    laid = await finish_setup(plain.home)
    assert list(laid.off) == ["CONTACT"]
    off = [each.name for each in list_mappings(plain.home) if not each.enabled]
    assert off == ["SALESPEOPLE", "CONTACT"], "a team owns the records, so that nobody is coupled with salespeople"
    assert all(each.passed and not each.warning for each in await check_connections(plain.home))


async def test_everything_else_works_without_the_page_of_contacts(plain: Flow, flow_sandbox: Sandbox) -> None:
    await finish(plain, flow_sandbox)
    plain.bc.add("customers", number="10000", displayName="Adatum")
    await plain.create("CUSTOMER", "10000")
    assert plain.dv.account_named("Adatum")
    assert "CONTACT" not in await plain.sync_all()
    await plain.uncouple("CUSTOMER", "10000")
    assert plain.couplings() == {}
    assert plain.problems() == []


async def test_the_mapping_is_enabled_once_the_page_is_there(plain: Flow, flow_sandbox: Sandbox) -> None:
    await finish(plain, flow_sandbox)
    enabled = msgspec.convert({"enabled": True}, MappingChanges)
    with pytest.raises(UnknownTable) as refused:
        await change_mapping(await plain.session(), command_line(), "CONTACT", enabled)
    assert refused.value.words.endswith(MISSING)
    assert "Install the extension" in refused.value.advice
    plain.bc.switch(missing_apis=[])
    await plain.start_afresh()
    await change_mapping(await plain.session(), command_line(), "CONTACT", enabled)
    assert "CONTACT" in await plain.sync_all()


async def test_a_page_that_goes_away_later_fails_the_check_until_its_mapping_is_disabled(flow: Flow) -> None:
    flow.bc.switch(missing_apis=[CUSTOM])
    (wrong,) = [each for each in await check_connections(flow.home) if not each.passed]
    assert (wrong.code, wrong.error) == ("mapping CONTACT", "unknown-table")
    assert "Or disable the mapping." in wrong.fix
    disabled = msgspec.convert({"enabled": False}, MappingChanges)
    await change_mapping(await flow.session(), command_line(), "CONTACT", disabled)
    assert all(each.passed for each in await check_connections(flow.home))


async def test_restoring_mappings_disables_what_cannot_work_and_custom_pages_are_all_or_nothing(flow: Flow) -> None:
    flow.bc.switch(missing_apis=[CUSTOM])
    session = await flow.session()
    before = session.mappings()
    with pytest.raises(UnknownTable, match="syncC"):
        await reset_mappings(session, ["CUSTOMER"], custom_pages=True)
    assert session.mappings() == before
    assert list((await reset_mappings(session)).off) == ["CONTACT"]
    assert [each.name for each in session.mappings() if not each.enabled] == ["CONTACT"]


async def test_the_command_line_connects_without_the_page_as_well(plain: Flow, flow_sandbox: Sandbox) -> None:
    info: Any = flow_sandbox.info()
    for kind in ("business_central", "dataverse"):
        company = ("--company", info[kind]["company_id"]) if kind == "business_central" else ()
        said = await plain.crosstie(
            *("connection", "add", kind, "--kind", kind, "--address", info[kind]["api"], *company, "--secret-stdin"),
            *("--client-id", info["client_id"], "--token-url", info["token_url"]),
            input=info["client_secret"],
        )
        assert said.code == 0, said.err
    checked = await plain.crosstie("connection", "check")
    assert checked.code == 0, checked.out
    assert "WARN    business_central  mapping CONTACT" in checked.out
    restored = await plain.crosstie("mapping", "reset", "--json")
    assert list(restored.document["off"]) == ["CONTACT"]
    refused = await plain.crosstie("mapping", "set", "CONTACT", "--enabled", "--json")
    assert refused.error["code"] == "unknown-table"
    assert (await plain.crosstie("connection", "check")).out.splitlines()[-1].startswith("All ")


async def test_only_a_working_connection_is_enabled_and_why_it_was_disabled_is_forgotten_then(flow: Flow) -> None:
    """behaviour: CRMSetupTest/WorkingConnectionRequiredToEnable
    behaviour: CRMSetupTest/DisableReasonCleanedOnConnectionEnable
    """
    disable_connection(flow.home, "dataverse")
    before = find_connection(flow.home, "dataverse")
    assert (before.enabled, before.paused_reason) == (False, "disabled by a person")
    flow.dv.fault("html", times=None)
    with pytest.raises(InvalidConnection, match=r"dataverse: address: .* gives no usable answer"):
        await enable_connection(flow.home, "dataverse")
    assert find_connection(flow.home, "dataverse") == before
    flow.dv.heal()
    await enable_connection(flow.home, "dataverse")
    after = find_connection(flow.home, "dataverse")
    assert (after.enabled, after.paused_reason) == (True, "")


@pytest.mark.parametrize("field", ["address", "client_id", "secret"])
async def test_a_connection_that_lacks_something_is_neither_stored_nor_enabled(flow: Flow, field: str) -> None:
    """behaviour: CDSConnectionSetupTest/ServerAddressRequiredToEnableO365
    behaviour: CRMSetupTest/ServerAddressRequiredToEnable
    """
    before = find_connection(flow.home, "dataverse")
    lacking = msgspec.structs.replace(before, **{field: ""})
    with pytest.raises(InvalidConnection, match=f"dataverse has no {field.replace('_', ' ')}") as refused:
        await add_connection(flow.home, lacking, check=False)
    assert refused.value.details["field"] == field
    assert find_connection(flow.home, "dataverse") == before
    with flow.home.store.begin() as unit:  # as an older release may have stored it
        unit.put_connection(msgspec.structs.replace(lacking, enabled=False))
    with pytest.raises(InvalidConnection, match=f"dataverse has no {field.replace('_', ' ')}"):
        await enable_connection(flow.home, "dataverse")
    assert not find_connection(flow.home, "dataverse").enabled


async def test_the_systems_are_connected_while_both_connections_are_enabled(fresh: Flow, flow_sandbox: Sandbox) -> None:
    """behaviour: CRMSetupTest/IsCRMIntegrationEnabled"""
    for each in pair_from_sandbox(flow_sandbox.info()):
        with pytest.raises(UnknownConnection, match="There is no connection to"):
            await fresh.sync_all()
        await add_connection(fresh.home, each)
    await reset_mappings(await fresh.session())
    assert await fresh.sync_all()
    disable_connection(fresh.home, "dataverse")
    await fresh.start_afresh()
    with pytest.raises(InvalidConnection, match="dataverse is disabled"):
        await fresh.sync_all()


async def test_a_connection_that_paused_itself_is_used_again_only_when_its_test_passes(flow: Flow) -> None:
    """behaviour: CRMSetupTest/IsCRMIntegrationEnabledValidConnectionOnStart
    behaviour: CRMSetupTest/IsCRMIntegrationEnabledInvalidConnectionOnStart
    """
    with flow.home.store.begin() as unit:
        stored = find_connection(flow.home, "dataverse")
        unit.put_connection(msgspec.structs.replace(stored, paused_reason="the secret has expired"))
    flow.dv.fault("html", times=None)
    assert await resume_paused(flow.home) == []
    assert find_connection(flow.home, "dataverse").paused_reason == "the secret has expired"
    flow.dv.heal()
    assert await resume_paused(flow.home) == ["dataverse"]
    assert not find_connection(flow.home, "dataverse").paused


async def test_restoring_the_defaults_lays_all_mappings_down_anew(fresh: Flow, flow_sandbox: Sandbox) -> None:
    """behaviour: CDSConnectionSetupTest/InvokeResetConfigurationCreatesNewMappings
    behaviour: CRMSetupTest/InvokeResetConfigurationCreatesNewMappings
    behaviour: CRMIntegrationMapping/SalesPersonMappedToCRMSystemuser
    behaviour: CRMIntegrationMapping/CurrencyMappedToCRMTransactioncurrency
    """
    for each in pair_from_sandbox(flow_sandbox.info()):
        await add_connection(fresh.home, each)
    assert list_mappings(fresh.home) == []
    await reset_mappings(await fresh.session())
    names = [each.name for each in list_mappings(fresh.home)]
    assert names == list(standard_names())
    by_hand = FieldMapping(local_field="code", remote_field="nickname", direction=Direction.FROM_REMOTE, enabled=False)
    salespeople = next(each for each in (await fresh.session()).mappings() if each.name == "SALESPEOPLE")
    await fresh.configure("SALESPEOPLE", fields=(*salespeople.fields, by_hand))
    await reset_mappings(await fresh.session())
    found = {each.name: each for each in (await fresh.session()).mappings()}
    salespeople, currency = found["SALESPEOPLE"], found["CURRENCY"]
    assert (salespeople.remote_table, salespeople.direction) == ("systemuser", Direction.FROM_REMOTE)
    assert [each.label for each in salespeople.fields if each.enabled] == ["Code", "E-Mail", "Name", "Phone No."]
    assert by_hand not in salespeople.fields
    assert (currency.remote_table, currency.direction) == ("transactioncurrency", Direction.TO_REMOTE)
    # The original writes precision and exchange rate, and gives a salesperson its code, beside its field mappings.
    assert [each.label for each in currency.fields][:3] == ["Code", "Symbol", "Description"]
    assert [each.mapping for each in list_schedules(fresh.home).schedules].count("SALESPEOPLE") == 1
    assert len(list_schedules(fresh.home).schedules) == len(names)


async def test_another_company_is_refused_while_records_are_coupled_and_read_from_the_start_without(
    flow: Flow,
) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum")
    await flow.create("CUSTOMER", "10000")
    await flow.sync("CUSTOMER")
    await flow.start_afresh()
    here = find_connection(flow.home, "business-central")
    elsewhere = msgspec.structs.replace(here, environment="contoso/production/other-company")
    with flow.home.store.begin() as unit:
        unit.put_connection(elsewhere)
    with pytest.raises(EnvironmentChanged, match="its records were coupled in contoso/production/other-company"):
        await add_connection(flow.home, here)
    with pytest.raises(EnvironmentChanged):
        await enable_connection(flow.home, "business-central")
    assert find_connection(flow.home, "business-central") == elsewhere
    with flow.home.store.begin() as unit:
        unit.put_connection(here)
    await flow.uncouple("CUSTOMER", "10000")
    await flow.start_afresh()
    with flow.home.store.begin() as unit:
        assert unit.cursor("CUSTOMER", Side.LOCAL) is not None
        unit.put_connection(elsewhere)
    await add_connection(flow.home, here)
    assert find_connection(flow.home, "business-central").environment == here.environment
    with flow.home.store.begin() as unit:
        assert unit.cursor("CUSTOMER", Side.LOCAL) is None


async def test_mappings_that_are_kept_ask_for_the_company_of_the_environment_that_is_connected_now(
    flow: Flow, flow_sandbox: Sandbox
) -> None:
    before = {each.name: each for each in (await flow.session()).mappings()}
    elsewhere = "00000000-0000-0000-0000-0000000000ff"
    company = before["CUSTOMER"].remote_filter
    assert company is not None
    ours = company.partition("bcbi_companyid eq ")[2][:36]
    with flow.home.store.begin() as unit:
        for mapping in before.values():
            text = (mapping.remote_filter or "").replace(ours, elsewhere) or None
            unit.put_mapping(msgspec.structs.replace(mapping, remote_filter=text, only_coupled=False))
        here = find_connection(flow.home, "business-central")
        unit.put_connection(msgspec.structs.replace(here, environment="contoso/test/other-company"))
    enter(flow, flow_sandbox)
    await check_setup(flow.home)
    laid = await finish_setup(flow.home, mappings="keep")
    assert (laid.mappings, laid.off) == ([], {})
    await flow.start_afresh()
    after = (await flow.session()).mappings()
    assert {each.name: each.remote_filter for each in after} == {
        name: each.remote_filter for name, each in before.items()
    }
    assert not any(each.only_coupled for each in after), "what was changed by hand is kept"


async def test_filters_go_along_when_another_company_is_connected_by_itself(flow: Flow) -> None:
    """As the setup does it, for `connection add` and `PUT /connections/NAME`."""
    before = {each.name: each.remote_filter for each in (await flow.session()).mappings()}
    ours = str(before["CUSTOMER"]).partition("bcbi_companyid eq ")[2][:36]
    elsewhere = "00000000-0000-0000-0000-0000000000ff"
    here = find_connection(flow.home, "business-central")
    with flow.home.store.begin() as unit:
        for mapping in unit.mappings():
            text = (mapping.remote_filter or "").replace(ours, elsewhere) or None
            unit.put_mapping(msgspec.structs.replace(mapping, remote_filter=text, only_coupled=False))
        unit.put_connection(msgspec.structs.replace(here, environment="contoso/test/other-company"))
    flow.dv.fault("drop_before", times=None, path="bcbi_compan")
    tested = await add_connection(flow.home, here)
    assert (tested.passed, tested.findings[-1].name) == (True, "mappings")
    assert "still name the company of before" in tested.findings[-1].detail
    flow.dv.heal()
    with flow.home.store.begin() as unit:
        unit.put_connection(msgspec.structs.replace(here, environment="contoso/test/other-company"))
    tested = await add_connection(flow.home, here)
    assert tested.findings[-1].detail.startswith("The filters of ")
    await flow.start_afresh()
    after = (await flow.session()).mappings()
    assert {each.name: each.remote_filter for each in after} == before
    assert not any(each.only_coupled for each in after), "what was changed by hand is kept"
    assert (await add_connection(flow.home, here)).findings[-1].name != "mappings", "it is where it was"


async def test_nothing_is_stored_when_a_system_goes_down_at_the_last_step(fresh: Flow, flow_sandbox: Sandbox) -> None:
    enter(fresh, flow_sandbox)
    await check_setup(fresh.home)
    fresh.dv.fault("drop_before", times=None, path="bcbi_compan")
    with pytest.raises(Unreachable):
        await finish_setup(fresh.home)
    with fresh.home.store.begin() as unit:
        assert (unit.connections(), unit.mappings(), dict(unit.settings())) == ([], [], {})
    assert setup_state(fresh.home).passed
    fresh.dv.heal()
    assert (await finish_setup(fresh.home)).off == {}
