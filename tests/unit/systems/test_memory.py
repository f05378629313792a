"""What the system in memory adds to the contract: faults, rules, triggers, feeds of every kind."""

from typing import Any

import msgspec
import pytest

from crosstie.model.errors import CursorExpired, GarbledAnswer, Throttled, Unreachable
from crosstie.model.records import RecordPage, Write, WriteKind, WriteResult, WriteStatus
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar
from crosstie.systems.memory import MemorySystem, Refusal

FIELDS = [
    FieldSchema(name="id", type=FieldType.GUID),
    FieldSchema(name="name", type=FieldType.TEXT, max_length=10),
    FieldSchema(name="code", type=FieldType.CODE),
    FieldSchema(name="parent", type=FieldType.LOOKUP, targets=("thing",)),
    FieldSchema(name="total", type=FieldType.DECIMAL, scale=2, nullable=False, creatable=False, updatable=False),
    FieldSchema(name="level", type=FieldType.INTEGER, minimum=0, maximum=9),
]
THING = TableSchema(
    name="thing",
    key="id",
    fields={field.name: field for field in FIELDS},
    feed=ChangeFeed.DELTA,
    client_ids=True,
    conditional_writes=True,
    alternate_keys=(("code",),),
    filters_in_feed=False,
)


def system(**changes: Any) -> MemorySystem:
    return MemorySystem("memory", [msgspec.structs.replace(THING, **changes)])


async def create(of: MemorySystem, id: str | None = None, **values: Scalar) -> WriteResult:
    [result] = await of.write("thing", [Write(kind=WriteKind.CREATE, id=id, values=values)], ["name"])
    return result


async def feed(of: MemorySystem, cursor: str | None, filter: str | None = None) -> tuple[set[str], set[str], str]:
    pages: list[RecordPage] = [page async for page in of.changes("thing", cursor, ["name"], filter)]
    assert pages[-1].cursor is not None
    return {r.id for p in pages for r in p.records}, {id for p in pages for id in p.deleted}, pages[-1].cursor


@pytest.mark.parametrize(
    ("kind", "status", "stored"),
    [
        ("unknown_before", WriteStatus.UNKNOWN, False),
        ("unknown_after", WriteStatus.UNKNOWN, True),
        ("stale", WriteStatus.STALE, False),
        ("refused", WriteStatus.REFUSED, False),
        ("denied", WriteStatus.DENIED, False),
        ("throttled", WriteStatus.THROTTLED, False),
    ],
)
async def test_a_write_fails_as_ordered_and_once(kind: str, status: WriteStatus, stored: bool) -> None:
    tried = system()
    tried.faults.add(kind, after=1, write=WriteKind.CREATE)
    assert (await create(tried, "a", name="first")).status is WriteStatus.WRITTEN
    assert (await create(tried, "b", name="second")).status is status
    assert (tried.record("thing", "b") is not None) is stored
    assert (await create(tried, "c", name="third")).status is WriteStatus.WRITTEN


async def test_a_fault_hits_what_fits() -> None:
    tried = system()
    tried.faults.add("stale", times=None, fits=lambda write: write.values.get("name") == "bad", table="thing")
    tried.faults.add("denied", times=None, table="other")
    assert (await create(tried, name="good")).status is WriteStatus.WRITTEN
    assert (await create(tried, name="bad")).status is WriteStatus.STALE
    assert (await create(tried, name="bad")).status is WriteStatus.STALE
    tried.faults.clear()
    assert (await create(tried, name="bad")).status is WriteStatus.WRITTEN


class Crash(BaseException):
    """What a killed process looks like from inside."""


@pytest.mark.parametrize(("kind", "stored"), [("raise_before", ["a"]), ("raise_after", ["a", "b"])])
async def test_a_crash_in_the_middle_leaves_what_was_done(kind: str, stored: list[str]) -> None:
    tried = system()
    tried.faults.add(kind, after=1, error=Crash())
    writes = [Write(kind=WriteKind.CREATE, id=id, values={"name": id}) for id in "abc"]
    with pytest.raises(Crash):
        await tried.write("thing", writes, [])
    assert [record.id for record in tried.records("thing")] == stored


@pytest.mark.parametrize(
    ("kind", "error"), [("unreachable", Unreachable), ("too_busy", Throttled), ("garbled", GarbledAnswer)]
)
async def test_a_whole_call_fails_as_ordered(kind: str, error: type[Exception]) -> None:
    tried = system()
    tried.faults.add(kind, method="get")
    assert await tried.count("thing") == 0
    with pytest.raises(error):
        await tried.get("thing", ["a"], [])
    assert await tried.get("thing", ["a"], []) == {}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "x" * 11}, "too-long"),
        ({"nonsense": 1}, "unknown-field"),
        ({"total": 5}, "read-only"),
        ({"level": 10}, "out-of-range"),
        ({"level": "many"}, "unreadable-value"),
        ({"parent": "nobody"}, "unknown-reference"),
        ({"code": "taken"}, "exists"),
    ],
)
def test_what_the_table_does_not_take_is_refused(values: dict[str, Scalar], code: str) -> None:
    tried = system()
    tried.put("thing", {"code": "TAKEN"})
    with pytest.raises(Refusal) as raised:
        tried.put("thing", values)
    assert raised.value.code == code


async def test_a_key_is_free_again_when_its_record_is_gone_or_changed() -> None:
    tried = system()
    first = tried.put("thing", {"code": "A"})
    tried.change("thing", first.id, code="B")
    second = tried.put("thing", {"code": "A"})
    tried.remove("thing", second.id)
    assert tried.put("thing", {"code": "A"}).values["code"] == "A"


async def test_rules_refuse_and_triggers_fill_in() -> None:
    tried = system()
    tried.rules.append(lambda table, kind, values: "No Mondays." if values.get("name") == "Monday" else None)
    tried.triggers.append(lambda table, values: values.update(total=len(str(values.get("name") or ""))))
    refused = await create(tried, name="Monday")
    assert (refused.status, refused.code, refused.message) == (WriteStatus.REFUSED, "rule", "No Mondays.")
    made = await create(tried, "a", name="Sunday")
    assert made.status is WriteStatus.WRITTEN
    stored = tried.record("thing", "a")
    assert stored is not None
    assert stored.values["total"] == 6


async def test_somebody_can_change_a_record_at_the_very_moment() -> None:
    tried = system()
    id = tried.put("thing", {"name": "old"}).id

    def interfere(table: str, write: Write) -> None:
        tried.before_write = None
        tried.change(table, id, name="theirs")

    tried.before_write = interfere
    version = (await tried.get("thing", [id], []))[id].version
    ours = Write(kind=WriteKind.UPDATE, id=id, values={"name": "ours"}, expected_version=version)
    [result] = await tried.write("thing", [ours], [])
    assert result.status is WriteStatus.STALE


async def test_without_client_ids_a_create_gets_an_id_of_the_systems() -> None:
    tried = system(client_ids=False)
    made = await create(tried, "mine", name="x")
    assert made.record is not None
    assert made.record.id != "mine"


async def test_without_conditional_writes_there_are_no_versions() -> None:
    made = await create(system(conditional_writes=False), name="x")
    assert made.record is not None
    assert made.record.version is None


async def test_a_feed_by_time_repeats_a_little_and_knows_no_deletions() -> None:
    tried = system(feed=ChangeFeed.MODIFIED, filters_in_feed=True)
    first, second = tried.put("thing", {"name": "a"}).id, tried.put("thing", {"name": "b"}).id
    found, _, cursor = await feed(tried, None)
    assert found == {first, second}
    for _ in range(5):
        third = tried.put("thing", {"name": "c"}).id
    tried.remove("thing", first)
    found, deleted, cursor = await feed(tried, cursor)
    assert third in found
    assert deleted == set()
    found, _, _ = await feed(tried, cursor, "name eq 'nothing'")
    assert found == set()


async def test_a_full_feed_yields_all_each_time() -> None:
    tried = system(feed=ChangeFeed.FULL)
    id = tried.put("thing", {"name": "a"}).id
    _, _, cursor = await feed(tried, None)
    assert (await feed(tried, cursor))[0] == {id}


async def test_cursors_expire_on_order() -> None:
    tried = system()
    _, _, cursor = await feed(tried, None)
    tried.expire_cursors()
    with pytest.raises(CursorExpired):
        await feed(tried, cursor)
    await feed(tried, None)


async def test_two_runs_are_the_same() -> None:
    first, second = system(), system()
    for tried in (first, second):
        tried.put("thing", {"name": "a"})
        await create(tried, name="b")
    assert first.records("thing") == second.records("thing")
