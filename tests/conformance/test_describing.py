"""What a system says of itself and its tables."""

from collections.abc import Callable

import pytest

from crosstie.model.errors import UnknownField, UnknownTable
from crosstie.model.schema import FieldType
from crosstie.systems.base import System

from .reading import scan
from .worlds import HttpWorld, World


async def test_a_table_is_described_with_types_lengths_and_options(world: World, system: System) -> None:
    schema = await system.describe(world.table)
    fields = world.fields
    assert schema.name == world.table
    assert schema.key in schema.fields
    assert schema.name_field == fields.text
    assert schema.fields[fields.text].type is FieldType.TEXT
    assert (schema.fields[fields.text].max_length or 0) >= 100
    assert schema.fields[fields.amount].type is FieldType.DECIMAL
    assert schema.fields[fields.choice].type is FieldType.CHOICE
    assert {str(choice) for choice in world.choices} <= set(schema.fields[fields.choice].options)
    assert (fields.unique,) in schema.alternate_keys
    assert schema.client_ids
    assert schema.conditional_writes
    assert schema.creatable
    assert schema.updatable
    assert schema.deletable


async def test_a_description_is_kept(world: World, system: System) -> None:
    first = await system.describe(world.table)
    asked = system.requests.metadata
    assert await system.describe(world.table) is first
    assert system.requests.metadata == asked


async def test_an_unknown_table_is_named(world: World, system: System) -> None:
    with pytest.raises(UnknownTable, match="no_such_table"):
        await system.describe("no_such_table")


async def test_an_unknown_field_is_named_before_anything_is_read(world: World, system: System) -> None:
    with pytest.raises(UnknownField, match="no_such_field"):
        await scan(system, world.table, ["no_such_field"])
    assert system.requests.reads == 0


async def test_who_answers_is_told_and_stays_the_same(world: World, system: System) -> None:
    first, second = await system.info(), await system.info()
    assert first.environment
    assert first == second


async def test_a_connection_test_passes_line_by_line(world: World, system: System) -> None:
    """behaviour: CDSConnectionSetupTest/ActionTestConnectionWhenIntegrationEnabled"""
    findings = await system.check()
    assert findings
    assert [finding for finding in findings if not finding.passed] == []


async def test_a_disabled_connection_can_be_tested(http_world: HttpWorld, opened: Callable[[System], System]) -> None:
    """behaviour: CDSIntegrationMgtTest/TestConnectionWhenDisabled
    behaviour: CRMSetupTest/CanTestConnectionWhenNotIsEnabled
    """
    findings = await opened(http_world.build(http_world.connection(enabled=False))).check()
    assert all(finding.passed for finding in findings)


async def test_a_system_connects_when_it_is_used_and_not_before(http_world: HttpWorld, http_system: System) -> None:
    """behaviour: CDSConnectionSetupTest/NoCDSConnectionOnCompanyOpen
    behaviour: CRMSetupTest/NoCRMConnectionOnCompanyOpen
    """
    http_world.order("DELETE", "requests")
    another = http_world.system()
    await another.close()
    assert http_world.requests()["total"] == 0
    await http_system.count(http_world.table)
    assert http_world.requests()["total"] > 0


async def test_a_connection_test_never_raises(world: World) -> None:
    for broken in (world.cut_off, world.wrong_secret):
        system = broken()
        try:
            findings = await system.check()
        finally:
            await system.close()
        assert findings[-1].next_step or findings[-1].passed


async def test_a_link_leads_to_the_record(world: World, system: System) -> None:
    id = world.put(**{world.fields.text: "Adatum"})
    await system.describe(world.table)
    assert id in system.link(world.table, id)
