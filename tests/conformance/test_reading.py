"""Scans, counts and records by id."""

from decimal import Decimal

import pytest

from crosstie.model.errors import InvalidFilter, UnknownField
from crosstie.systems.base import System

from .reading import scan
from .worlds import World, new_id, values_of


async def test_values_come_in_canonical_form(world: World, system: System) -> None:
    fields = world.fields
    id = world.put(
        **{fields.text: "Adatum ä", fields.amount: 1250.5, fields.choice: world.choices[1], fields.unique: "A100"}
    )
    record = (await system.get(world.table, [id], fields.all))[id]
    assert record.id == id
    assert record.version
    assert record.modified_at is not None
    assert record.values[fields.text] == "Adatum ä"
    assert record.values[fields.amount] == Decimal("1250.5")
    assert record.values[fields.choice] == world.choices[1]
    assert record.values[fields.unique] == "A100"
    assert record.values[fields.short] is None


async def test_only_the_fields_asked_for_come(world: World, system: System) -> None:
    id = world.put(**{world.fields.text: "Adatum"})
    record = (await system.get(world.table, [id], [world.fields.text]))[id]
    assert set(record.values) == {world.fields.text}
    key = (await system.describe(world.table)).key
    record = (await system.get(world.table, [id], [key]))[id]
    assert record.values == {key: id}


async def test_a_scan_yields_every_record_once_whatever_the_page_size(world: World, system: System) -> None:
    ids = {world.put(**{world.fields.text: f"Customer {n}"}) for n in range(120)}
    assert set(await scan(system, world.table, [world.fields.text])) == ids


async def test_a_scan_of_nothing_ends(world: World, system: System) -> None:
    assert await scan(system, world.table, [world.fields.text]) == {}


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("{text} eq 'Beta'", ["Beta"]),
        ("{text} ne 'Beta'", ["Alpha", "Gamma"]),
        ("{text} in ('Alpha', 'Beta')", ["Alpha", "Beta"]),
        ("startswith({text}, 'Al') or endswith({text}, 'ma')", ["Alpha", "Gamma"]),
        ("contains({text}, 'am') and {amount} gt 5", ["Gamma"]),
        ("{amount} ge 10 and {amount} le 20", ["Alpha", "Beta"]),
        ("{short} eq null", ["Beta", "Gamma"]),
        ("{short} ne ''", ["Alpha"]),
        ("{short} ne null or {amount} eq 30", ["Alpha", "Gamma"]),
        ("not ({text} eq 'Alpha' or {text} eq 'Beta')", ["Gamma"]),
        ("not contains({text}, 'a')", []),
        ("length({text}) eq 4", ["Beta"]),
        ("{choice} eq {choice0}", ["Alpha", "Gamma"]),
        ("{choice} in ({choice1}) and {short} eq null", ["Beta"]),
        ("{text} eq '100% & ''more'' + #1'", []),
    ],
)
async def test_a_filter_means_the_same_in_every_system(
    world: World, system: System, filter: str, expected: list[str]
) -> None:
    fields, spelled = world.fields, [f"'{c}'" if isinstance(c, str) else str(c) for c in world.choices]
    rows = (("Alpha", 10, 0, "555"), ("Beta", 20, 1, None), ("Gamma", 30, 0, None))
    for text, amount, choice, short in rows:
        values = {fields.text: text, fields.amount: amount, fields.choice: world.choices[choice]}
        world.put(**values, **({fields.short: short} if short else {}))
    words = filter.format(
        text=fields.text,
        short=fields.short,
        amount=fields.amount,
        choice=fields.choice,
        choice0=spelled[0],
        choice1=spelled[1],
    )
    found = await scan(system, world.table, [fields.text], words)
    assert values_of(found, fields.text) == expected
    assert all(set(record.values) == {fields.text} for record in found.values())
    assert await system.count(world.table, words) in (len(expected), None)


async def test_wildcards_of_the_system_are_plain_characters(world: World, system: System) -> None:
    for text in ("10% off", "10x off", "a_b", "axb", "star*", "[x]"):
        world.put(**{world.fields.text: text})
    for part, expected in (("0%", ["10% off"]), ("a_b", ["a_b"]), ("*", ["star*"]), ("[x]", ["[x]"])):
        found = await scan(system, world.table, [world.fields.text], f"contains({world.fields.text}, '{part}')")
        assert values_of(found, world.fields.text) == expected


async def test_a_wrong_filter_is_named_before_anything_is_read(world: World, system: System) -> None:
    with pytest.raises(InvalidFilter, match="position"):
        await scan(system, world.table, [world.fields.text], f"{world.fields.text} eq")
    with pytest.raises(UnknownField, match="no_such_field"):
        await system.count(world.table, "no_such_field eq 'x'")
    assert system.requests.reads == 0


async def test_records_are_counted(world: World, system: System) -> None:
    assert await system.count(world.table) == 0
    for n in range(3):
        world.put(**{world.fields.text: f"Customer {n}"})
    assert await system.count(world.table) == 3
    assert await system.count(world.table, f"{world.fields.text} eq 'Customer 1'") == 1


async def test_get_returns_those_that_exist_in_few_requests(world: World, system: System) -> None:
    ids = [world.put(**{world.fields.text: f"Customer {n}"}) for n in range(150)]
    await system.describe(world.table)
    before = system.requests.total
    wanted = [*ids, *(new_id() for _ in range(150))]
    found = await system.get(world.table, wanted, [world.fields.text])
    assert set(found) == set(ids)
    assert system.requests.total - before <= 3
    assert await system.get(world.table, [], [world.fields.text]) == {}


async def test_get_takes_ids_in_capitals_and_twice(world: World, system: System) -> None:
    id = world.put(**{world.fields.text: "Adatum"})
    found = await system.get(world.table, [id, id], [world.fields.text])
    assert list(found) == [id]
