"""What holds for every record without partner, whatever the policy, directions, filters, and what was asked for."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from crosstie.engine.compiling import CompiledMapping
from crosstie.engine.merging import HELD_BACK
from crosstie.model.base import Base
from crosstie.model.decisions import Decision, Preference, RecordAction, Request
from crosstie.model.mappings import DeletionConflictResolution, Direction
from crosstie.model.records import Side
from tests.unit.engine.pairs import BOTH_WAYS, FROM_REMOTE, TO_REMOTE, compiled, decided, field, row, table

MANY = settings(max_examples=300, deadline=None)
WRITES_TO = {
    RecordAction.CREATE_LOCAL: Side.LOCAL,
    RecordAction.DELETE_LOCAL: Side.LOCAL,
    RecordAction.CREATE_REMOTE: Side.REMOTE,
    RecordAction.DELETE_REMOTE: Side.REMOTE,
}
BLOCKED = {Side.LOCAL: Preference.SEND, Side.REMOTE: Preference.GET}
MIRRORED_DIRECTION = {TO_REMOTE: FROM_REMOTE, FROM_REMOTE: TO_REMOTE, BOTH_WAYS: BOTH_WAYS}
MIRRORED_PREFERENCE = {Preference.SEND: Preference.GET, Preference.GET: Preference.SEND}
texts = st.sampled_from([None, "a", "b"])


class Lone(msgspec.Struct, frozen=True):
    """A record of `survivor` without partner. `can` is what the tables of both sides allow, by side and deed."""

    survivor: Side
    direction: Direction
    policy: DeletionConflictResolution
    coupled: bool
    inside: bool
    value: str | None
    base: str | None
    request: Request
    creatable: tuple[bool, bool]
    deletable: tuple[bool, bool]


@st.composite
def lones(draw: st.DrawFn) -> Lone:
    pairs = st.tuples(st.booleans(), st.booleans())
    return Lone(
        draw(st.sampled_from(Side)),
        draw(st.sampled_from([BOTH_WAYS, TO_REMOTE, FROM_REMOTE])),
        draw(st.sampled_from(DeletionConflictResolution)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(texts),
        draw(texts),
        Request(
            preference=draw(st.sampled_from(Preference)),
            on_purpose=draw(st.booleans()),
            create_local=draw(st.booleans()),
            create_remote=draw(st.booleans()),
        ),
        draw(pairs),
        draw(pairs),
    )


def mapping_of(lone: Lone) -> CompiledMapping:
    can: list[dict[str, Any]] = [
        {"creatable": creatable, "deletable": deletable}
        for creatable, deletable in zip(lone.creatable, lone.deletable, strict=True)
    ]
    return compiled(
        [row("name", "fullname", lone.direction)],
        local=table("things", field("name"), **can[0]),
        remote=table("thing", field("fullname"), **can[1]),
        direction=lone.direction,
        deletion_conflict=lone.policy,
    )


def decision_of(lone: Lone) -> Decision:
    own = {Side.LOCAL: ({"name": lone.value}, None), Side.REMOTE: (None, {"fullname": lone.value})}[lone.survivor]
    traits: dict[str, Any] = {} if lone.coupled else {"coupling": None}
    traits["local_in_filter" if lone.survivor is Side.LOCAL else "remote_in_filter"] = lone.inside
    base = Base({"name": lone.base}, {"fullname": lone.base}) if lone.coupled else None
    return decided(mapping_of(lone), *own, base, lone.request, **traits)


@given(lones())
@MANY
def test_only_a_side_that_the_mapping_and_the_request_reach_is_written(lone: Lone) -> None:
    decision = decision_of(lone)
    if (side := WRITES_TO.get(decision.action)) is None:
        assert not decision.to_local
        assert not decision.to_remote
        return
    assert lone.direction.reaches(side)
    assert lone.request.preference is not BLOCKED[side]
    allowed = lone.creatable if side is not lone.survivor else lone.deletable
    assert allowed[list(Side).index(side)]


@given(lones())
@MANY
def test_what_is_outside_of_the_filter_is_touched_only_by_who_names_it(lone: Lone) -> None:
    if not lone.inside and not (lone.request.on_purpose and lone.coupled):
        assert decision_of(lone).action not in {*WRITES_TO, RecordAction.UNCOUPLE, RecordAction.DELETION_CONFLICT}


@given(lones())
@MANY
def test_a_partner_is_created_only_where_that_is_asked_for_or_the_policy_restores_it(lone: Lone) -> None:
    creates = decision_of(lone).action in (RecordAction.CREATE_LOCAL, RecordAction.CREATE_REMOTE)
    asked = lone.request.create_remote if lone.survivor is Side.LOCAL else lone.request.create_local
    if creates and not asked:
        assert lone.coupled
        assert lone.policy is DeletionConflictResolution.RESTORE


@given(lones())
@MANY
def test_a_person_is_asked_about_a_deletion_only_where_no_policy_can_settle_it(lone: Lone) -> None:
    decision = decision_of(lone)
    if decision.action is not RecordAction.DELETION_CONFLICT or lone.request.on_purpose:
        return
    assert lone.policy is not DeletionConflictResolution.UNCOUPLE
    if lone.policy is not DeletionConflictResolution.ASK:
        restores = lone.policy is DeletionConflictResolution.RESTORE
        side = lone.survivor.other if restores else lone.survivor
        able = (lone.creatable if restores else lone.deletable)[list(Side).index(side)]
        assert not (able and lone.direction.reaches(side))


@given(lones())
@MANY
def test_what_one_direction_holds_back_a_job_of_both_settles(lone: Lone) -> None:
    if decision_of(lone).reason == HELD_BACK and lone.coupled:
        both = msgspec.structs.replace(lone.request, preference=Preference.MERGE)
        settled = decision_of(msgspec.structs.replace(lone, request=both))
        assert settled.action in {*WRITES_TO, RecordAction.UNCOUPLE}


@given(lones())
@MANY
def test_a_record_that_is_deleted_leaves_its_changes_on_record(lone: Lone) -> None:
    decision = decision_of(lone)
    if decision.action in (RecordAction.DELETE_LOCAL, RecordAction.DELETE_REMOTE):
        (told,) = decision.fields
        assert (told.local if lone.survivor is Side.LOCAL else told.remote) == lone.value
        assert told.lost == (None if lone.value == lone.base else lone.value)


@given(lones())
@MANY
def test_sides_swapped_decisions_swap(lone: Lone) -> None:
    request = lone.request
    mirrored = Lone(
        lone.survivor.other,
        MIRRORED_DIRECTION[lone.direction],
        lone.policy,
        lone.coupled,
        lone.inside,
        lone.value,
        lone.base,
        Request(
            preference=MIRRORED_PREFERENCE.get(request.preference, request.preference),
            on_purpose=request.on_purpose,
            create_local=request.create_remote,
            create_remote=request.create_local,
        ),
        (lone.creatable[1], lone.creatable[0]),
        (lone.deletable[1], lone.deletable[0]),
    )
    one, other = decision_of(lone), decision_of(mirrored)
    assert other.action.value == _mirrored(one.action)
    assert list(one.to_local.values()) == list(other.to_remote.values())
    assert list(one.to_remote.values()) == list(other.to_local.values())


def _mirrored(action: RecordAction) -> str:
    swapped = {"local": "remote", "remote": "local"}
    return "_".join(swapped.get(word, word) for word in action.value.split("_"))


def test_nobody_is_left_without_a_decision() -> None:
    """Every combination that matters, without values: no error, and an action each time."""
    found = {
        decision_of(
            Lone(
                survivor,
                direction,
                policy,
                coupled,
                inside,
                "a",
                "a",
                Request(preference=preference, on_purpose=purpose, create_local=create, create_remote=create),
                (True, True),
                (True, True),
            )
        ).action
        for survivor, direction, policy, preference in product(
            Side, (BOTH_WAYS, TO_REMOTE, FROM_REMOTE), DeletionConflictResolution, Preference
        )
        for coupled, inside, purpose, create in product(*_BOTH)
    }
    assert set(WRITES_TO) | {RecordAction.IGNORE, RecordAction.UNCOUPLE, RecordAction.DELETION_CONFLICT} <= found


_BOTH: Iterable[tuple[bool, bool]] = ((False, True),) * 4
