"""What only Business Central has: companies, custom pages, blanks that are values, pages that choose their own ids."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crosstie.model.errors import InvalidConnection, UnknownTable
from crosstie.model.records import Write, WriteKind, WriteResult, WriteStatus
from crosstie.model.schema import ChangeFeed, FieldType
from crosstie.model.values import Scalar
from crosstie.sandbox.launch import Sandbox
from crosstie.systems.base import System

from .reading import changes, scan
from .worlds import BusinessCentralWorld, new_id, values_of

CONTACTS = "crosstie/sync/v1.0/syncContacts"


@pytest.fixture
def world(sandbox: Sandbox) -> BusinessCentralWorld:
    return BusinessCentralWorld(sandbox)


@pytest.fixture
def system(world: BusinessCentralWorld, opened: Callable[[System], System]) -> System:
    return opened(world.system())


async def create(system: System, table: str, **values: Scalar) -> WriteResult:
    write = Write(kind=WriteKind.CREATE, id=new_id(), values=values)
    [result] = await system.write(table, [write], list(values))
    return result


async def test_a_custom_page_is_a_table_like_any_other(system: System) -> None:
    schema = await system.describe(CONTACTS)
    assert schema.feed is ChangeFeed.MODIFIED
    assert {"firstName", "middleName", "surname"} <= set(schema.fields)
    _, _, cursor = await changes(system, CONTACTS, None, ["surname"])
    made = await create(system, CONTACTS, type="Person", firstName="Jordan", surname="Reed")
    assert made.status is WriteStatus.WRITTEN
    assert made.record is not None
    records, _, _ = await changes(system, CONTACTS, cursor, ["firstName", "surname", "displayName"])
    assert records[made.record.id].values == {
        "firstName": "Jordan",
        "surname": "Reed",
        "displayName": "Jordan Reed",
    }
    assert await system.count(CONTACTS, "surname eq 'Reed'") == 1


async def test_blank_options_and_codes(system: System) -> None:
    made = await create(system, "customers", displayName="Adatum", blocked="All", number=" c-1 ")
    assert made.record is not None
    assert made.record.values == {"displayName": "Adatum", "blocked": "All", "number": "C-1"}
    [freed] = await system.write(
        "customers", [Write(kind=WriteKind.UPDATE, id=made.record.id, values={"blocked": None})], ["blocked"]
    )
    assert freed.record is not None
    assert freed.record.values == {"blocked": None}
    assert len(await scan(system, "customers", [], "blocked eq null and number eq 'c-1'")) == 1


async def test_a_code_of_another_table_must_be_there(system: System) -> None:
    refused = await create(system, "customers", displayName="Adatum", salespersonCode="NOBODY")
    assert (refused.status, refused.code) == (WriteStatus.REFUSED, "Internal_InvalidTableRelation")
    assert refused.field == "salespersonCode"
    assert "NOBODY" in refused.message
    assert "orrelation" not in refused.message


async def test_what_the_pages_rules_fill_in_comes_back(system: System) -> None:
    made = await create(system, "paymentTerms", code="14d", displayName="14 days", dueDateCalculation="14D")
    assert made.record is not None
    assert made.record.values["code"] == "14D"


async def test_a_page_that_gives_ids_of_its_own_no_longer_takes_ours(
    world: BusinessCentralWorld, system: System
) -> None:
    world.order("POST", "settings", {"ignore_client_ids": ["customers"]})
    assert (await system.describe("customers")).client_ids
    first = Write(kind=WriteKind.CREATE, id=new_id(), values={"displayName": "First"})
    [result] = await system.write("customers", [first], ["displayName"])
    assert result.status is WriteStatus.WRITTEN
    assert result.record is not None
    assert result.record.id != first.id
    assert not (await system.describe("customers")).client_ids
    again = await create(system, "customers", displayName="Second")
    assert again.status is WriteStatus.WRITTEN


async def test_a_count_with_a_byte_order_mark_is_read(world: BusinessCentralWorld, system: System) -> None:
    world.order("POST", "settings", {"count_with_mark": True})
    world.put(displayName="Adatum")
    assert await system.count("customers") == 1


@pytest.mark.parametrize(("overlap", "repeated"), [(0, False), (366 * 86_400, True)])
async def test_the_overlap_says_how_far_a_feed_goes_back(
    world: BusinessCentralWorld, opened: Callable[[System], System], overlap: int, repeated: bool
) -> None:
    now = datetime.now(UTC)
    world.order("POST", "clock", {"now": (now - timedelta(days=30)).isoformat()})
    old = world.put(displayName="Old")
    world.order("POST", "clock", {"real": True})
    system = opened(world.build(world.connection(settings={"overlap_seconds": overlap})))
    records, _, cursor = await changes(system, "customers", None, [])
    assert set(records) == {old}
    records, _, _ = await changes(system, "customers", cursor, [])
    assert set(records) == ({old} if repeated else set())


async def test_a_record_of_an_unfinished_minute_is_not_lost(
    world: BusinessCentralWorld, opened: Callable[[System], System]
) -> None:
    system = opened(world.system())
    _, _, cursor = await changes(system, "customers", None, [])
    ids = [world.put(displayName=f"Customer {n}") for n in range(5)]
    records, _, _ = await changes(system, "customers", cursor, [])
    assert set(ids) <= set(records)


@pytest.mark.parametrize("by", ["id", "name", "nothing"])
async def test_the_company_is_found_by_id_or_name(
    world: BusinessCentralWorld, opened: Callable[[System], System], by: str
) -> None:
    plain = opened(world.system())
    info = await plain.info()
    wanted = {"id": info.details["company_id"].upper(), "name": info.company, "nothing": ""}[by]
    system = opened(world.build(world.connection(settings={"company": wanted})))
    assert await system.info() == info
    assert info.environment.endswith(f"sandbox/{info.details['company_id']}")
    assert "local_currency_code" in info.details


async def test_a_company_that_is_not_there_is_named_with_those_that_are(
    world: BusinessCentralWorld, opened: Callable[[System], System]
) -> None:
    info = await opened(world.system()).info()
    system = opened(world.build(world.connection(settings={"company": "Nonsense Ltd."})))
    with pytest.raises(InvalidConnection, match="Nonsense Ltd") as raised:
        await system.describe("customers")
    assert str(info.company) in str(raised.value)
    findings = await system.check()
    assert [(finding.name, finding.passed) for finding in findings][-1] == ("company", False)


@pytest.mark.parametrize("name", ["nonsense", "crosstie/sync/v1.0/nonsense", "nobody/sync/v1.0/x", "a/customers"])
async def test_an_entity_set_that_is_not_there_is_named(system: System, name: str) -> None:
    with pytest.raises(UnknownTable, match=name.rpartition("/")[2]):
        await system.describe(name)


async def test_two_requests_describe_all_tables_of_an_api(system: System) -> None:
    for name in ("customers", "vendors", "currencies"):
        await system.describe(name)
    assert system.requests.metadata == 2
    await system.describe(CONTACTS)
    assert system.requests.metadata == 3


async def test_a_link_leads_to_the_page(world: BusinessCentralWorld, opened: Callable[[System], System]) -> None:
    system = opened(world.build(world.connection(settings={"pages": "https://bc.example/"})))
    info = await system.info()
    link = system.link("customers", "42")
    assert link.startswith("https://bc.example/")
    assert "page=21" in link
    assert str(info.company).replace(" ", "%20") in link
    assert link.endswith("filter=%27SystemId%27%20IS%20%2742%27")


@pytest.mark.parametrize("overlap", ["soon", -1])
def test_a_wrong_overlap_is_named(world: BusinessCentralWorld, overlap: Any) -> None:
    with pytest.raises(InvalidConnection, match="overlap_seconds"):
        world.build(world.connection(settings={"overlap_seconds": overlap}))


async def test_facts_of_custom_pages_come_from_the_settings(
    world: BusinessCentralWorld, opened: Callable[[System], System]
) -> None:
    facts = {CONTACTS: {"codes": ["surname"], "read_only": ["pager"]}}
    system = opened(world.build(world.connection(settings={"fields": facts})))
    fields = (await system.describe(CONTACTS)).fields
    assert fields["surname"].type is FieldType.CODE
    assert fields["number"].type is FieldType.TEXT
    assert not fields["pager"].updatable


async def test_amounts_keep_their_digits(world: BusinessCentralWorld, system: System) -> None:
    amounts = [Decimal("0.1"), Decimal("1234567.89"), Decimal("-5"), Decimal("0.00001")]
    for amount in amounts:
        made = await create(system, "customers", displayName=f"{amount}", creditLimit=amount)
        assert made.record is not None
        assert made.record.values["creditLimit"] == amount
    stored = values_of(await scan(system, "customers", ["creditLimit"]), "creditLimit")
    assert sorted(stored, key=str) == sorted(amounts, key=str)
