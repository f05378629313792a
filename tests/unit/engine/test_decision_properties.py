"""What holds for every decision, whatever the values, directions, policies and bases."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from crosstie.engine.compiling import CompiledMapping
from crosstie.engine.decision import in_agreement, next_base
from crosstie.model.base import Base
from crosstie.model.decisions import Decision, FieldAction, FieldDecision, Preference, RecordAction, Request
from crosstie.model.mappings import Direction, UpdateConflictResolution
from crosstie.model.records import Record, Side
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import Scalar, normalise
from tests.unit.engine.pairs import (
    BOTH_WAYS,
    FROM_REMOTE,
    LONG_AGO,
    TO_REMOTE,
    carried_out,
    compiled,
    decided,
    record,
    row,
    table,
)

MANY = settings(max_examples=150, deadline=None)
texts = st.sampled_from([None, "a", "b", "B ", "longer"])
directions = st.sampled_from([BOTH_WAYS, BOTH_WAYS, TO_REMOTE, FROM_REMOTE])
PLAIN: dict[str, Any] = {"type": FieldType.TEXT}
SHORT: dict[str, Any] = {"type": FieldType.TEXT, "max_length": 3}
CODE: dict[str, Any] = {"type": FieldType.CODE}
kinds = st.tuples(st.sampled_from([PLAIN, SHORT, CODE]), st.sampled_from([PLAIN, SHORT, CODE]))
"""What the two fields of a field mapping are: a value may be too long for one of them, or be spelt in capitals."""


class World(msgspec.Struct, frozen=True):
    """A mapping, two records, and what they last agreed on."""

    directions: tuple[Direction, ...]
    kinds: tuple[tuple[dict[str, Any], dict[str, Any]], ...]
    policy: UpdateConflictResolution
    on_finding: str
    local: tuple[str | None, ...]
    remote: tuple[str | None, ...]
    base: tuple[tuple[str | None, str | None] | None, ...] | None
    newer: Side | None
    request: Request


@st.composite
def worlds(draw: st.DrawFn, preferences: st.SearchStrategy[Preference] | None = None) -> World:
    count = draw(st.integers(1, 4))

    def some(strategy: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(strategy) for _ in range(count))

    pairs = st.one_of(st.tuples(texts, texts), texts.map(lambda value: (value, value)), st.none())
    return World(
        (*some(directions), BOTH_WAYS),
        (*some(kinds), (PLAIN, PLAIN)),
        draw(st.sampled_from(UpdateConflictResolution)),
        draw(st.sampled_from(["fail", "warn"])),
        (*some(texts), "same"),
        (*some(texts), "same"),
        draw(st.one_of(st.none(), st.just((*some(pairs), ("same", "same"))))),
        draw(st.sampled_from([None, *Side])),
        Request(
            preference=draw(st.sampled_from(Preference) if preferences is None else preferences),
            on_purpose=draw(st.booleans()),
        ),
    )


def schemas_of(world: World, side: Side) -> list[FieldSchema]:
    return [FieldSchema(name=f"{side[0]}{n}", **pair[side is Side.REMOTE]) for n, pair in enumerate(world.kinds)]


def mapping_of(world: World) -> CompiledMapping:
    return compiled(
        [row(f"l{n}", f"r{n}", direction) for n, direction in enumerate(world.directions)],
        local=table("things", *schemas_of(world, Side.LOCAL)),
        remote=table("thing", *schemas_of(world, Side.REMOTE)),
        update_conflict=world.policy,
        on_finding=world.on_finding,
    )


def held(world: World, side: Side, texts: Iterable[str | None]) -> dict[str, Scalar]:
    """The texts as the fields of a side can hold them."""
    return {
        schema.name: normalise((text or "")[: schema.max_length], schema)
        for schema, text in zip(schemas_of(world, side), texts, strict=True)
    }


def state_of(world: World) -> tuple[Record, Record, Base | None]:
    times = {side: LONG_AGO + timedelta(days=side is world.newer) for side in Side}
    local = record("L", held(world, Side.LOCAL, world.local), times[Side.LOCAL])
    remote = record("R", held(world, Side.REMOTE, world.remote), times[Side.REMOTE])
    if world.base is None:
        return local, remote, None
    known = [n for n, pair in enumerate(world.base) if pair is not None]
    sides = [[pair[side] if pair else None for pair in world.base] for side in (0, 1)]
    here, there = held(world, Side.LOCAL, sides[0]), held(world, Side.REMOTE, sides[1])
    return local, remote, Base({f"l{n}": here[f"l{n}"] for n in known}, {f"r{n}": there[f"r{n}"] for n in known})


def decision_of(world: World) -> Decision:
    local, remote, base = state_of(world)
    return decided(mapping_of(world), local, remote, base, world.request)


def by_position(decision: Decision) -> dict[int, FieldDecision]:
    return {found.position: found for found in decision.fields}


@MANY
@given(worlds())
def test_no_field_is_written_on_both_sides(world: World) -> None:
    decision = decision_of(world)
    assert len(by_position(decision)) == len(decision.fields)
    written = {name[1:] for name in decision.to_local} & {name[1:] for name in decision.to_remote}
    assert written == set()


@MANY
@given(worlds())
def test_values_flow_only_where_the_field_and_the_request_allow(world: World) -> None:
    decision = decision_of(world)
    if world.request.preference is Preference.SEND:
        assert decision.to_local == {}
    if world.request.preference is Preference.GET:
        assert decision.to_remote == {}
    for name in decision.to_local:
        assert world.directions[int(name[1:])] is not TO_REMOTE
    for name in decision.to_remote:
        assert world.directions[int(name[1:])] is not FROM_REMOTE


@MANY
@given(worlds())
def test_only_what_differs_is_written(world: World) -> None:
    local, remote, _ = state_of(world)
    decision = decision_of(world)
    assert all(local.values[name] != value for name, value in decision.to_local.items())
    assert all(remote.values[name] != value for name, value in decision.to_remote.items())


@MANY
@given(worlds())
def test_sides_swapped_decisions_swap(world: World) -> None:
    """Neither side is favoured: seen in a mirror, every decision is the mirror image."""
    swap = {TO_REMOTE: FROM_REMOTE, FROM_REMOTE: TO_REMOTE, BOTH_WAYS: BOTH_WAYS}
    turn: dict[Any, Any] = {
        Preference.SEND: Preference.GET,
        Preference.GET: Preference.SEND,
        UpdateConflictResolution.SEND: UpdateConflictResolution.GET,
        UpdateConflictResolution.GET: UpdateConflictResolution.SEND,
    }
    mirror = World(
        tuple(swap[direction] for direction in world.directions),
        tuple(pair[::-1] for pair in world.kinds),
        turn.get(world.policy, world.policy),
        world.on_finding,
        world.remote,
        world.local,
        None if world.base is None else tuple(None if pair is None else pair[::-1] for pair in world.base),
        world.newer.other if world.newer else None,
        msgspec.structs.replace(world.request, preference=turn.get(world.request.preference, world.request.preference)),
    )
    one, other = decision_of(world), decision_of(mirror)
    assert one.action is other.action
    assert {f"l{name[1:]}": v for name, v in one.to_remote.items()} == other.to_local
    assert {f"r{name[1:]}": v for name, v in one.to_local.items()} == other.to_remote
    assert one.problem_code == other.problem_code
    arrows = {FieldAction.TO_LOCAL: FieldAction.TO_REMOTE, FieldAction.TO_REMOTE: FieldAction.TO_LOCAL}
    assert {p: (arrows.get(f.action, f.action), f.lost) for p, f in by_position(one).items()} == {
        p: (f.action, f.lost) for p, f in by_position(other).items()
    }


@MANY
@given(worlds())
def test_deciding_again_after_carrying_it_out_changes_nothing(world: World) -> None:
    """A repeated job writes nothing: what is left open stays open, and everything else is unchanged."""
    things = mapping_of(world)
    local, remote, base = state_of(world)
    first = decided(things, local, remote, base, world.request)
    assert first.action in (RecordAction.UPDATE, RecordAction.AGREE, RecordAction.UNCHANGED, RecordAction.FAIL)
    after_local, after_remote = carried_out(first)
    if first.action in (RecordAction.UPDATE, RecordAction.AGREE):
        base = next_base(things, base, first, after_local, after_remote)
    again = decided(things, after_local, after_remote, base, world.request)
    if first.problem_code is None:
        assert again.action is RecordAction.UNCHANGED
    else:
        assert again.action in (RecordAction.FAIL, RecordAction.UNCHANGED)
        assert again.problem_code == first.problem_code
    assert (again.to_local, again.to_remote) == ({}, {})


@MANY
@given(worlds(st.just(Preference.MERGE)))
def test_a_merge_without_problem_ends_in_agreement(world: World) -> None:
    things = mapping_of(world)
    local, remote, base = state_of(world)
    decision = decided(things, local, remote, base, world.request)
    if decision.problem_code is None and decision.action is not RecordAction.UNCHANGED:
        after = carried_out(decision)
        assert in_agreement(things, next_base(things, base, decision, *after), *after)


@MANY
@given(worlds())
def test_nothing_is_lost(world: World) -> None:
    """Every change of either side is written, agreed on, in conflict, held, on record as lost, told as drift, or
    still a change for the next look."""
    things = mapping_of(world)
    local, remote, base = state_of(world)
    decision = decided(things, local, remote, base, world.request)
    found = by_position(decision)
    after = carried_out(decision)
    moved = next_base(things, base, decision, *after) if decision.action is not RecordAction.FAIL else base
    for n, direction in enumerate(world.directions):
        for side, now, known, later in (
            (Side.LOCAL, local.values[f"l{n}"], base.local if base else {}, moved.local if moved else {}),
            (Side.REMOTE, remote.values[f"r{n}"], base.remote if base else {}, moved.remote if moved else {}),
        ):
            name = f"{side[0]}{n}"
            if name in known and known[name] == now:
                continue
            if later.get(name, "-") != now and not _overwritten(found.get(n), side):
                continue  # still a change
            assert _accounted_for(found[n], side, now, direction), (n, side, found[n])


def _overwritten(found: FieldDecision | None, side: Side) -> bool:
    arrow = FieldAction.TO_LOCAL if side is Side.LOCAL else FieldAction.TO_REMOTE
    return found is not None and found.action is arrow


def _accounted_for(found: FieldDecision, side: Side, now: Any, direction: Direction) -> bool:
    match found.action:
        case FieldAction.CONFLICT | FieldAction.HOLD | FieldAction.AGREE:
            return True
        case FieldAction.KEEP:
            return "does not count" in found.reason and direction is not BOTH_WAYS
        case _:
            return found.lost == now if _overwritten(found, side) else True


@MANY
@given(worlds(), st.sampled_from(list(Side)))
def test_a_side_that_was_not_read_is_decided_like_one_that_was(world: World, assumed: Side) -> None:
    """Where the base vouches for a side, reading it would not have changed the decision."""
    things = mapping_of(world)
    local, remote, base = state_of(world)
    if base is None or len(base.local) < len(world.directions):
        return
    if assumed is Side.LOCAL:
        local = msgspec.structs.replace(local, values=dict(base.local))
    else:
        remote = msgspec.structs.replace(remote, values=dict(base.remote))
    if world.request.preference is not Preference.MERGE or world.request.on_purpose:
        return
    read = decided(things, local, remote, base)
    unread = decided(things, local, remote, base, **{f"{assumed}_assumed": True})
    assert (read.to_local, read.to_remote) == (unread.to_local, unread.to_remote) or _agrees_by_reading(read, unread)


def _agrees_by_reading(read: Decision, unread: Decision) -> bool:
    """Reading may find that the other side already means the same, spelt in another way."""
    agreed = {f.position for f in read.fields if f.action is FieldAction.AGREE}
    written = {f.position for f in unread.fields if f.action in (FieldAction.TO_LOCAL, FieldAction.TO_REMOTE)}
    also = {f.position for f in read.fields if f.action in (FieldAction.TO_LOCAL, FieldAction.TO_REMOTE)}
    return written - also <= agreed
