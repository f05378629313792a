"""Tables looked at page by page, in an order of one's choice."""

from collections.abc import Callable

import pytest

from crosstie.model.browsing import Sort
from crosstie.model.errors import InvalidOption, UnknownField
from crosstie.systems.base import System

from .worlds import HttpWorld, World


async def walk(
    system: System, world: World, order: tuple[Sort, ...] = (), size: int = 7, filter: str = ""
) -> list[str]:
    """Return the texts of all pages, checking that no page but the last is short."""
    found: list[str] = []
    after, pages = None, 0
    while True:
        page = await system.browse(
            world.table, [world.fields.text], filter=filter or None, order=order, size=size, after=after
        )
        found += [str(record.values[world.fields.text]) for record in page.records]
        pages += 1
        after = page.following
        if after is None:
            assert len(page.records) <= size
            assert pages < 50
            return found
        assert len(page.records) == size


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_come_in_the_order_asked_for_and_no_record_twice(
    world: World, system: System, descending: bool
) -> None:
    texts = [
        f"Customer {number:02}" for number in (5, 3, 11, 2, 17, 8, 1, 14, 20, 6, 9, 4, 16, 19, 7, 10, 13, 12, 18, 15)
    ]
    for text in texts:
        world.put(**{world.fields.text: text})
    found = await walk(system, world, (Sort(world.fields.text, descending),))
    assert found == sorted(texts, reverse=descending)


async def test_records_with_equal_values_come_once_all_the_same(world: World, system: System) -> None:
    for number in range(20):
        world.put(**{world.fields.text: f"Customer {number:02}", world.fields.short: str(number % 2)})
    found = await walk(system, world, (Sort(world.fields.short),), size=6)
    assert sorted(found) == [f"Customer {number:02}" for number in range(20)]
    assert [int(text[-2:]) % 2 for text in found] == [0] * 10 + [1] * 10


async def test_without_an_order_every_record_comes_once(world: World, system: System) -> None:
    for number in range(20):
        world.put(**{world.fields.text: f"Customer {number:02}"})
    assert sorted(await walk(system, world)) == [f"Customer {number:02}" for number in range(20)]


async def test_a_filter_bounds_the_list(world: World, system: System) -> None:
    for number in range(20):
        world.put(**{world.fields.text: f"{'Alpha' if number % 2 else 'Beta'} {number:02}"})
    filter = f"startswith({world.fields.text}, 'Alpha')"
    found = await walk(system, world, (Sort(world.fields.text),), 4, filter)
    assert found == [f"Alpha {number:02}" for number in range(1, 20, 2)]


async def test_what_the_system_cannot_evaluate_is_left_out_all_the_same(world: World, system: System) -> None:
    for number in range(20):
        world.put(**{world.fields.text: f"{'Alpha' if number % 5 else 'Be'} {number:02}"})
    found, after = [], None
    while True:
        page = await system.browse(
            world.table,
            [world.fields.text],
            filter=f"length({world.fields.text}) eq 5",
            order=[Sort(world.fields.text)],
            size=2,
            after=after,
        )
        found += [record.values[world.fields.text] for record in page.records]
        after = page.following
        if after is None:
            break
    assert found == [f"Be {number:02}" for number in (0, 5, 10, 15)]


async def test_a_list_of_nothing_is_one_empty_page(world: World, system: System) -> None:
    page = await system.browse(world.table, [world.fields.text])
    assert (page.records, page.following) == ((), None)


async def test_a_page_costs_one_request(world: World, system: System) -> None:
    for number in range(30):
        world.put(**{world.fields.text: f"Customer {number:02}"})
    await system.describe(world.table)
    before = system.requests.total
    first = await system.browse(world.table, [world.fields.text], order=[Sort(world.fields.text)], size=10)
    assert system.requests.total - before == 1
    await system.browse(
        world.table, [world.fields.text], order=[Sort(world.fields.text)], size=10, after=first.following
    )
    assert system.requests.total - before == 2


@pytest.mark.parametrize("place", ["", "nonsense", '{"place":{}}', '{"place":{"$filter":"1 eq 1"}}', "-1"])
async def test_a_place_that_is_none_is_refused_before_anything_is_read(
    world: World, system: System, place: str
) -> None:
    await system.describe(world.table)
    before = system.requests.total
    with pytest.raises(InvalidOption, match="is no place in it"):
        await system.browse(world.table, [world.fields.text], after=place)
    assert system.requests.total == before


async def test_fields_that_there_are_not_are_named(world: World, system: System) -> None:
    with pytest.raises(UnknownField, match="no_such_field"):
        await system.browse(world.table, [world.fields.text], order=[Sort("no_such_field")])


async def test_a_place_holds_no_address_and_none_of_our_options(
    http_world: HttpWorld, build: Callable[..., System]
) -> None:
    for number in range(5):
        http_world.put(**{http_world.fields.text: f"Customer {number:02}"})
    page = await build().browse(http_world.table, [http_world.fields.text], size=2)
    assert page.following is not None
    for secret in ("http", http_world.host.base, "$select", "$filter", http_world.fields.text):
        assert secret not in page.following
