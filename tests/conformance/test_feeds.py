"""Change feeds: nothing that changed is left out, cursors survive, deletions show where the feed has them."""

import pytest

from crosstie.model.errors import CursorExpired
from crosstie.model.schema import ChangeFeed
from crosstie.systems.base import System

from .reading import changes, scan
from .worlds import DataverseWorld, MemoryWorld, World, values_of


async def test_the_first_read_yields_every_record_and_a_cursor(world: World, system: System) -> None:
    ids = {world.put(**{world.fields.text: f"Customer {n}"}) for n in range(60)}
    records, deleted, cursor = await changes(system, world.table, None, [world.fields.text])
    assert set(records) == ids
    assert deleted == []
    assert cursor


async def test_a_feed_without_changes_costs_one_request(world: World, system: System) -> None:
    _, _, cursor = await changes(system, world.table, None, [world.fields.text])
    before = system.requests.total
    records, deleted, following = await changes(system, world.table, cursor, [world.fields.text])
    assert (records, deleted) == ({}, [])
    assert following
    assert system.requests.total == before + 1


async def test_new_and_changed_records_come_next_time(world: World, system: System) -> None:
    text = world.fields.text
    first, second = world.put(**{text: "Old"}), world.put(**{text: "Still"})
    _, _, cursor = await changes(system, world.table, None, [text])
    world.change(first, **{text: "New"})
    third = world.put(**{text: "Third"})
    records, _, cursor = await changes(system, world.table, cursor, [text])
    assert {first, third} <= set(records) <= {first, second, third}
    assert records[first].values[text] == "New"
    records, _, _ = await changes(system, world.table, cursor, [text])
    assert second not in records or values_of(records, text)


async def test_changes_during_the_reading_are_not_lost(world: World, system: System) -> None:
    text = world.fields.text
    ids = [world.put(**{text: f"Customer {n}"}) for n in range(60)]
    seen: dict[str, object] = {}
    cursor = None
    async for page in system.changes(world.table, None, [text]):
        seen |= {record.id: record.values[text] for record in page.records}
        if cursor is None and page.records:
            world.change(ids[0], **{text: "Meanwhile"})
            world.change(ids[-1], **{text: "Meanwhile"})
        cursor = page.cursor
    assert cursor is not None
    records, _, _ = await changes(system, world.table, cursor, [text])
    seen |= {record.id: record.values[text] for record in records.values()}
    assert seen[ids[0]] == seen[ids[-1]] == "Meanwhile"


async def test_deletions_show_where_the_feed_has_them(world: World, system: System) -> None:
    text = world.fields.text
    id = world.put(**{text: "Adatum"})
    _, _, cursor = await changes(system, world.table, None, [text])
    world.remove(id)
    schema = await system.describe(world.table)
    records, deleted, _ = await changes(system, world.table, cursor, [text])
    assert id not in records
    assert deleted == ([id] if schema.feed is ChangeFeed.DELTA else [])


async def test_where_a_feed_tells_which_records_there_are_it_tells_all_of_them(world: World, system: System) -> None:
    text = world.fields.text
    first, second = world.put(**{text: "First"}), world.put(**{text: "Second"})
    _, _, cursor = await changes(system, world.table, None, [text])
    world.remove(first)
    third = world.put(**{text: "Third"})
    told = [page.present async for page in system.changes(world.table, cursor, [text]) if page.present is not None]
    there = set(await scan(system, world.table, [text]))
    assert {second, third} <= there
    assert [set(present) for present in told] == [there] * len(told)


async def test_a_cursor_outlives_the_connection_and_other_fields(world: World, system: System) -> None:
    text, short = world.fields.text, world.fields.short
    world.put(**{text: "Adatum"})
    _, _, cursor = await changes(system, world.table, None, [text])
    id = world.put(**{text: "Next", short: "555"})
    another = world.system()
    try:
        records, _, _ = await changes(another, world.table, cursor, [text, short])
    finally:
        await another.close()
    assert records[id].values == {text: "Next", short: "555"}


async def test_a_filter_bounds_the_feed_where_it_says_so(world: World, system: System) -> None:
    text = world.fields.text
    inside, outside = world.put(**{text: "Inside"}), world.put(**{text: "Outside"})
    schema = await system.describe(world.table)
    found: set[str] = set()
    async for page in system.changes(world.table, None, [text], f"{text} eq 'Inside'"):
        found |= {record.id for record in page.records}
    assert found == ({inside} if schema.filters_in_feed else {inside, outside})


async def test_a_cursor_that_cannot_be_read_has_expired(world: World, system: System) -> None:
    with pytest.raises(CursorExpired):
        await changes(system, world.table, "nonsense", [world.fields.text])


async def test_a_cursor_that_the_system_forgot_has_expired(world: World, system: System) -> None:
    world.put(**{world.fields.text: "Adatum"})
    _, _, cursor = await changes(system, world.table, None, [world.fields.text])
    if isinstance(world, MemoryWorld):
        world._system.expire_cursors()
    elif isinstance(world, DataverseWorld):
        world.order("POST", "clock", {"advance_seconds": 8 * 86_400})
    else:
        records, _, _ = await changes(system, world.table, cursor, [world.fields.text])
        assert len(records) == 1, "a feed by time knows no age"
        return
    with pytest.raises(CursorExpired):
        await changes(system, world.table, cursor, [world.fields.text])
