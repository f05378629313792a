"""Connecting a Business Central that lacks an API page, and what is checked when connections are used and changed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crosstie.app.connecting import check_connections
from crosstie.app.mappings import change_mapping, list_mappings, reset_mappings
from crosstie.app.people.acting import command_line
from crosstie.app.setting_up import check_setup, choose_ownership, enter_connection, finish_setup, setup_state
from crosstie.model.errors import UnknownTable
from crosstie.model.mapping_changes import MappingChanges
from crosstie.model.records import Side
from crosstie.sandbox.launch import Sandbox
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
