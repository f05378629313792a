"""Writes: each answered on its own, with the record as stored, under the precondition it carries."""

from decimal import Decimal

import pytest

from crosstie.model.errors import UnknownField
from crosstie.model.records import Write, WriteKind, WriteResult, WriteStatus
from crosstie.model.values import Scalar
from crosstie.systems.base import System

from .reading import scan
from .worlds import World, new_id, values_of


def create(id: str | None = None, **values: Scalar) -> Write:
    return Write(kind=WriteKind.CREATE, id=id or new_id(), values=values)


def update(id: str, version: str | None = None, **values: Scalar) -> Write:
    return Write(kind=WriteKind.UPDATE, id=id, values=values, expected_version=version)


def delete(id: str, version: str | None = None) -> Write:
    return Write(kind=WriteKind.DELETE, id=id, expected_version=version)


async def write(world: World, system: System, *writes: Write) -> list[WriteResult]:
    return await system.write(world.table, writes, world.fields.all)


def statuses(results: list[WriteResult]) -> list[WriteStatus]:
    return [result.status for result in results]


async def test_a_create_keeps_its_id_and_returns_the_record_as_stored(world: World, system: System) -> None:
    fields, id = world.fields, new_id()
    values = {fields.text: "Adatum", fields.amount: Decimal("99.5"), fields.choice: world.choices[0]}
    [result] = await write(world, system, create(id, **values))
    assert result.status is WriteStatus.WRITTEN
    assert result.record is not None
    assert result.record.id == id
    assert result.record.values[fields.amount] == Decimal("99.5")
    stored = (await system.get(world.table, [id], fields.all))[id]
    assert stored == result.record


async def test_creating_twice_with_one_id_is_answered_by_exists(world: World, system: System) -> None:
    first = create(**{world.fields.text: "Adatum"})
    await write(world, system, first)
    assert statuses(await write(world, system, first)) == [WriteStatus.EXISTS]
    assert len(await scan(system, world.table, [world.fields.text])) == 1


async def test_a_key_that_another_record_has_is_answered_by_exists(world: World, system: System) -> None:
    text, unique = world.fields.text, world.fields.unique
    [_, result] = await write(
        world, system, create(**{text: "One", unique: "A1"}), create(**{text: "Two", unique: "A1"})
    )
    assert result.status is WriteStatus.EXISTS
    assert result.message


async def test_an_update_with_the_right_version_moves_it(world: World, system: System) -> None:
    text = world.fields.text
    [made] = await write(world, system, create(**{text: "Adatum"}))
    assert made.record is not None
    [changed] = await write(world, system, update(made.record.id, made.record.version, **{text: "Adatum AG"}))
    assert changed.status is WriteStatus.WRITTEN
    assert changed.record is not None
    assert changed.record.values[text] == "Adatum AG"
    assert changed.record.version != made.record.version
    again = (await system.get(world.table, [made.record.id], [text]))[made.record.id]
    assert again.version == changed.record.version


async def test_a_stale_version_writes_nothing(world: World, system: System) -> None:
    text = world.fields.text
    [made] = await write(world, system, create(**{text: "Adatum"}))
    assert made.record is not None
    world.change(made.record.id, **{text: "Somebody else"})
    stale = made.record.version
    results = await write(world, system, update(made.record.id, stale, **{text: "Ours"}), delete(made.record.id, stale))
    assert statuses(results) == [WriteStatus.STALE, WriteStatus.STALE]
    assert values_of(await scan(system, world.table, [text]), text) == ["Somebody else"]


async def test_what_is_not_there_is_missing_and_not_created(world: World, system: System) -> None:
    results = await write(world, system, update(new_id(), **{world.fields.text: "Ghost"}), delete(new_id()))
    assert statuses(results) == [WriteStatus.MISSING, WriteStatus.MISSING]
    assert await system.count(world.table) == 0


async def test_a_delete_removes_the_record(world: World, system: System) -> None:
    id = world.put(**{world.fields.text: "Adatum"})
    version = (await system.get(world.table, [id], []))[id].version
    assert statuses(await write(world, system, delete(id, version))) == [WriteStatus.WRITTEN]
    assert await system.get(world.table, [id], []) == {}


async def test_blanks_clear_fields(world: World, system: System) -> None:
    fields = world.fields
    id = world.put(**{fields.text: "Adatum", fields.short: "555", fields.amount: 7})
    [result] = await write(world, system, update(id, **{fields.short: None, fields.amount: None}))
    assert result.status is WriteStatus.WRITTEN
    assert result.record is not None
    assert result.record.values[fields.short] is None
    assert result.record.values[fields.amount] in (None, Decimal(0))


async def test_each_refusal_stands_alone_in_a_batch_of_others(world: World, system: System) -> None:
    fields = world.fields
    good = [create(**{fields.text: f"Good {n}"}) for n in range(5)]
    unknown = 987_654 if isinstance(world.choices[0], int) else "No such option"
    too_long = create(**{fields.text: "Long", fields.short: "5" * 300})
    wrong_option = create(**{fields.text: "Option", fields.choice: unknown})
    results = await write(world, system, *good[:2], too_long, *good[2:4], wrong_option, good[4])
    W, R = WriteStatus.WRITTEN, WriteStatus.REFUSED
    assert statuses(results) == [W, W, R, W, W, R, W]
    assert results[2].code
    assert "300" in results[2].message or "length" in results[2].message
    assert results[2].field == fields.short
    assert str(unknown) in results[5].message
    assert await system.count(world.table) == 5


async def test_a_record_without_a_required_value_is_refused(world: World, system: System) -> None:
    table, values, field = world.required
    [result] = await system.write(table, [create(**values)], [])
    assert result.status is WriteStatus.REFUSED
    assert result.message
    assert result.field in (field or None, None)


async def test_many_writes_go_in_few_requests_and_come_back_in_order(world: World, system: System) -> None:
    text = world.fields.text
    await system.describe(world.table)
    before = system.requests.total
    ids = [new_id() for _ in range(250)]
    made = await write(world, system, *(create(id, **{text: f"Customer {n:03}"}) for n, id in enumerate(ids)))
    assert set(statuses(made)) == {WriteStatus.WRITTEN}
    assert [result.record.id for result in made if result.record] == ids
    assert system.requests.total - before == -(-250 // system.batch_size)
    assert system.requests.batch_parts == 250
    changed = await write(
        world,
        system,
        *(update(r.record.id, r.record.version, **{text: f"Changed {n:03}"}) for n, r in enumerate(made) if r.record),
    )
    assert [r.record.values[text] for r in changed if r.record] == [f"Changed {n:03}" for n in range(250)]


async def test_values_are_answered_as_the_system_stores_them(world: World, system: System) -> None:
    text = world.fields.text
    awkward = "Ünïcode \"quotes\" 'and' <tags> & \\ {1} 100% — 東京"
    [result] = await write(world, system, create(**{text: awkward}))
    assert result.record is not None
    assert result.record.values[text] == awkward
    found = await scan(system, world.table, [text], f"{text} eq '{awkward.replace(chr(39), chr(39) * 2)}'")
    assert len(found) == 1


async def test_nothing_to_write_sends_nothing(world: World, system: System) -> None:
    assert await system.write(world.table, [], []) == []
    assert system.requests.total == 0


async def test_an_unknown_field_is_named_before_anything_is_sent(world: World, system: System) -> None:
    with pytest.raises(UnknownField, match="no_such_field"):
        await system.write(world.table, [create(**{world.fields.text: "x"})], ["no_such_field"])
    assert system.requests.batches == 0


@pytest.mark.parametrize("done", [False, True])
async def test_a_lost_answer_is_unknown_and_asking_tells(world: World, system: System, done: bool) -> None:
    text = world.fields.text
    await system.describe(world.table)
    world.lose_write(done=done)
    wanted = create(**{text: "Adatum"})
    [result] = await write(world, system, wanted)
    assert result.status is WriteStatus.UNKNOWN
    assert wanted.id is not None
    found = await system.get(world.table, [wanted.id], [text])
    assert (wanted.id in found) is done
    [again] = await write(world, system, wanted)
    assert again.status is (WriteStatus.EXISTS if done else WriteStatus.WRITTEN)
    assert await system.count(world.table) == 1
