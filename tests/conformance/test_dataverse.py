"""What only Dataverse has: lookups, option sets as tables, tables without change tracking."""

from collections.abc import Callable

import pytest

from crosstie.model.errors import UnknownTable, Unreachable
from crosstie.model.records import Write, WriteKind, WriteResult, WriteStatus
from crosstie.model.schema import ChangeFeed
from crosstie.model.values import Scalar
from crosstie.sandbox.launch import Sandbox
from crosstie.systems.base import System
from crosstie.systems.dataverse import Dataverse

from .reading import changes, scan
from .worlds import DataverseWorld, new_id, values_of

TERMS = "account.paymenttermscode"


@pytest.fixture
def world(sandbox: Sandbox) -> DataverseWorld:
    return DataverseWorld(sandbox)


@pytest.fixture
def system(world: DataverseWorld, opened: Callable[[System], System]) -> System:
    return opened(world.system())


async def write(system: System, table: str, kind: WriteKind, id: str | None, **values: Scalar) -> WriteResult:
    [result] = await system.write(table, [Write(kind=kind, id=id, values=values)], list(values))
    return result


async def create(system: System, table: str, **values: Scalar) -> str:
    result = await write(system, table, WriteKind.CREATE, new_id(), **values)
    assert result.status is WriteStatus.WRITTEN, result
    assert result.record is not None
    assert result.record.values == values
    return result.record.id


# --- lookups ------------------------------------------------------------------------------------------------


async def test_a_lookup_is_written_read_and_cleared_as_a_plain_field(system: System) -> None:
    account = await create(system, "account", name="Adatum")
    contact = await create(system, "contact", lastname="Reed", parentcustomerid=account)
    found = await system.get("contact", [contact], ["parentcustomerid", "parentcustomeridtype"])
    assert found[contact].values == {"parentcustomerid": account, "parentcustomeridtype": "account"}
    await write(system, "account", WriteKind.UPDATE, account, primarycontactid=contact)
    assert (await system.get("account", [account], ["primarycontactid"]))[account].values == {
        "primarycontactid": contact
    }
    cleared = await write(system, "contact", WriteKind.UPDATE, contact, parentcustomerid=None)
    assert cleared.record is not None
    assert cleared.record.values == {"parentcustomerid": None}


@pytest.mark.parametrize("spelled", ["companion", "prefix"])
async def test_a_lookup_of_several_tables_goes_where_it_is_told(system: System, spelled: str) -> None:
    boss = await create(system, "contact", lastname="Boss")
    told: dict[str, Scalar] = {"parentcustomerid": boss, "parentcustomeridtype": "contact"}
    if spelled == "prefix":
        told = {"parentcustomerid": f"contact:{boss}"}
    result = await write(system, "contact", WriteKind.CREATE, new_id(), lastname="Reed", **told)
    assert result.status is WriteStatus.WRITTEN
    assert result.record is not None
    found = await system.get("contact", [result.record.id], ["parentcustomerid", "parentcustomeridtype"])
    assert found[result.record.id].values == {"parentcustomerid": boss, "parentcustomeridtype": "contact"}


async def test_filters_know_where_a_lookup_points(system: System) -> None:
    account = await create(system, "account", name="Adatum")
    boss = await create(system, "contact", lastname="Boss")
    await create(system, "contact", lastname="Of account", parentcustomerid=account)
    await write(
        system, "contact", WriteKind.CREATE, new_id(), lastname="Of contact", parentcustomerid=f"contact:{boss}"
    )
    for filter, expected in (
        ("parentcustomeridtype eq 'account'", ["Of account"]),
        ("parentcustomeridtype eq 'contact' and statecode eq 0", ["Of contact"]),
        ("parentcustomeridtype ne 'account'", ["Of contact"]),
        ("parentcustomerid eq null", ["Boss"]),
        (f"parentcustomerid eq {account} or parentcustomerid eq {boss}", ["Of account", "Of contact"]),
        ("owneridtype eq 'systemuser'", ["Boss", "Of account", "Of contact"]),
        ("owneridtype eq 'team'", []),
    ):
        assert values_of(await scan(system, "contact", ["lastname"], filter), "lastname") == expected, filter


async def test_an_owner_may_be_a_team(world: DataverseWorld, system: System) -> None:
    teams = await scan(system, "team", ["name"])
    account = await create(system, "account", name="Adatum")
    result = await write(system, "account", WriteKind.UPDATE, account, ownerid=next(iter(teams)), owneridtype="team")
    assert result.status is WriteStatus.WRITTEN
    assert values_of(await scan(system, "account", ["name"], "owneridtype eq 'team'"), "name") == ["Adatum"]


async def test_a_lookup_to_nothing_refuses_the_record_and_not_its_neighbours(system: System) -> None:
    writes = [
        Write(kind=WriteKind.CREATE, id=new_id(), values={"lastname": "Good"}),
        Write(kind=WriteKind.CREATE, id=new_id(), values={"lastname": "Bad", "parentcustomerid": new_id()}),
        Write(kind=WriteKind.CREATE, id=new_id(), values={"lastname": "Odd", "parentcustomerid": f"lead:{new_id()}"}),
    ]
    results = await system.write("contact", writes, [])
    assert [result.status for result in results] == [WriteStatus.WRITTEN, WriteStatus.REFUSED, WriteStatus.REFUSED]
    assert results[2].field == "parentcustomerid"
    assert await system.count("contact") == 1


async def test_a_missing_privilege_is_denied_for_the_record_alone(world: DataverseWorld, system: System) -> None:
    first, second = world.put(name="Ours"), world.put(name="Theirs")
    world.order("POST", "settings", {"refuse_write_ids": [second]})
    writes = [Write(kind=WriteKind.UPDATE, id=id, values={"name": "New"}) for id in (first, second)]
    results = await system.write("account", writes, [])
    assert [result.status for result in results] == [WriteStatus.WRITTEN, WriteStatus.DENIED]


# --- feeds --------------------------------------------------------------------------------------------------


async def test_a_table_without_change_tracking_is_read_by_time(world: DataverseWorld, system: System) -> None:
    world.order("POST", "settings", {"untracked_tables": ["account"]})
    schema = await system.describe("account")
    assert (schema.feed, schema.deletions_in_feed) == (ChangeFeed.MODIFIED, False)
    old = world.put(name="Old")
    world.order("POST", "clock", {"advance_seconds": 3600})
    records, _, cursor = await changes(system, "account", None, ["name"])
    assert set(records) == {old}
    new = world.put(name="New")
    records, _, _ = await changes(system, "account", cursor, ["name"])
    assert new in records


async def test_counting_stops_where_the_service_stops(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        await create(system, "account", name=f"Customer {n}")
    assert await system.count("account") == 3
    monkeypatch.setattr("crosstie.systems.dataverse.feeds.COUNT_LIMIT", 3)
    assert await system.count("account") is None


async def test_who_answers_is_told_in_detail(system: System) -> None:
    info = await system.info()
    assert info.kind == "dataverse"
    assert info.user
    assert set(info.details) == {"user_id", "business_unit_id", "name", "base_currency_id"}
    assert info.details["base_currency_id"]


async def test_four_requests_describe_a_table_and_one_all_names(system: System) -> None:
    await system.describe("account")
    assert system.requests.metadata == 5
    await system.describe("contact")
    assert system.requests.metadata == 9
    with pytest.raises(UnknownTable, match="Did you mean account"):
        await system.describe("acount")
    assert system.requests.metadata == 9


async def test_a_link_leads_to_the_form(world: DataverseWorld, opened: Callable[[System], System]) -> None:
    system = opened(Dataverse(world.connection(address="https://contoso.crm4.dynamics.com/api/data/v9.2")))
    assert system.link("account", "42") == (
        "https://contoso.crm4.dynamics.com/main.aspx?pagetype=entityrecord&etn=account&id=42"
    )
    pages = opened(Dataverse(world.connection(settings={"pages": "https://app/"})))
    assert pages.link(TERMS, "1").startswith("https://app/main.aspx?pagetype=entityrecord&etn=account")


# --- option sets --------------------------------------------------------------------------------------------


async def test_an_option_set_is_a_table(system: System) -> None:
    schema = await system.describe(TERMS)
    assert (schema.key, schema.name_field, schema.feed) == ("value", "label", ChangeFeed.FULL)
    assert not schema.client_ids
    assert not schema.conditional_writes
    records, deleted, cursor = await changes(system, TERMS, None, ["value", "label"])
    assert records["1"].values == {"value": 1, "label": "Net 30"}
    assert records["1"].version is None
    assert deleted == []
    again, _, _ = await changes(system, TERMS, cursor, ["label"])
    assert set(again) == set(records)
    assert await system.count(TERMS) == len(records)
    assert set(await scan(system, TERMS, ["label"], "label eq 'net 30'")) == {"1"}
    assert set(await system.get(TERMS, ["1", "77"], ["label"])) == {"1"}


async def test_options_are_created_renamed_and_deleted(system: System) -> None:
    made = await write(system, TERMS, WriteKind.CREATE, None, label="14 DAYS")
    assert made.status is WriteStatus.WRITTEN
    assert made.record is not None
    id = made.record.id
    assert (await system.get(TERMS, [id], ["label"]))[id].values["label"] == "14 DAYS"
    renamed = await write(system, TERMS, WriteKind.UPDATE, id, label="15 DAYS")
    assert renamed.status is WriteStatus.WRITTEN
    assert (await system.get(TERMS, [id], ["label"]))[id].values["label"] == "15 DAYS"
    gone = await write(system, TERMS, WriteKind.DELETE, id)
    assert gone.status is WriteStatus.WRITTEN
    assert await system.get(TERMS, [id], ["label"]) == {}


async def test_each_option_is_answered_on_its_own(system: System) -> None:
    created = {"label": "ONE"}
    writes = [
        Write(kind=WriteKind.CREATE, id=None, values={"label": "net 30"}),
        Write(kind=WriteKind.CREATE, id=None, values=dict(created)),
        Write(kind=WriteKind.CREATE, id=None, values=dict(created)),
        Write(kind=WriteKind.CREATE, id=None, values={"label": None}),
        Write(kind=WriteKind.CREATE, id=None, values={"value": 2, "label": "TWO"}),
        Write(kind=WriteKind.UPDATE, id="1", values={"label": "ONE"}),
        Write(kind=WriteKind.UPDATE, id="1", values={"label": "x" * 101}),
        Write(kind=WriteKind.UPDATE, id="77", values={"label": "SEVEN"}),
        Write(kind=WriteKind.DELETE, id="77"),
    ]
    results = await system.write(TERMS, writes, ["label"])
    E, W, R, M = WriteStatus.EXISTS, WriteStatus.WRITTEN, WriteStatus.REFUSED, WriteStatus.MISSING
    assert [result.status for result in results] == [E, W, E, R, E, R, R, M, M]
    assert results[0].record is not None
    assert results[0].record.id == "1"
    assert {result.field for result in results if result.status is R} == {"label"}


async def test_options_can_be_used_in_records(world: DataverseWorld, system: System) -> None:
    made = await write(system, TERMS, WriteKind.CREATE, None, label="21 DAYS")
    assert made.record is not None
    await create(system, "account", name="Adatum", paymenttermscode=int(made.record.id))


@pytest.mark.parametrize("done", [False, True])
async def test_a_lost_answer_to_a_new_option_is_unknown(world: DataverseWorld, system: System, done: bool) -> None:
    await system.describe(TERMS)
    world.fault("drop_after" if done else "drop_before", method="POST", path="InsertOptionValue")
    lost = await write(system, TERMS, WriteKind.CREATE, None, label="14 DAYS")
    assert lost.status is WriteStatus.UNKNOWN
    found = await scan(system, TERMS, ["label"], "label eq '14 DAYS'")
    assert bool(found) is done


async def test_option_sets_of_a_system_that_is_down_are_unreachable(
    world: DataverseWorld, opened: Callable[[System], System]
) -> None:
    with pytest.raises(Unreachable):
        await opened(world.cut_off()).describe(TERMS)


@pytest.mark.parametrize("name", ["account.nonsense", "account.name", "nonsense.paymenttermscode", "Account.x y"])
async def test_what_is_no_option_set_is_named(system: System, name: str) -> None:
    with pytest.raises(UnknownTable):
        await system.describe(name)
