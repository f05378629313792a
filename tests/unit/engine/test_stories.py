"""Stories in which a promise was once broken, each told with two systems in memory and a process that may die."""

from collections.abc import Callable, Iterator

import msgspec
import pytest

from crosstie.model.couplings import CouplingState
from crosstie.model.decisions import Preference, RecordAction
from crosstie.model.errors import AlreadyCoupled
from crosstie.model.jobs import Outcome
from crosstie.model.mappings import DeletionConflictResolution, UpdateConflictResolution
from crosstie.model.records import Record, Side, WriteKind
from crosstie.model.schema import ChangeFeed
from crosstie.systems.memory import FaultKind
from tests.scenarios.tables import CURRENCY, CUSTOMER, TABLES
from tests.scenarios.world import Plan, World
from tests.scenarios.world import world as new_world

LOCAL, REMOTE = Side.LOCAL, Side.REMOTE


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as found:
        yield found


def coupled(world: World, **values: str) -> tuple[str, str]:
    """Return a customer and its account, in step."""
    local = world.make(LOCAL, number="1", name="Adatum", **values)
    world.create(LOCAL, local)
    world.sync()
    return local, world.coupling(local).remote_id


def has_entry(world: World, lost: str) -> bool:
    """Whether the history says that a value was replaced."""
    return any(lost in (change.before, change.lost) for entry in world.journal() for change in entry.changes)


# --- nothing is lost --------------------------------------------------------------------------------------------


def story_of_a_conflict(world: World) -> None:
    local, remote = coupled(world)
    world.change_mapping(update_conflict=UpdateConflictResolution.SEND)
    world.sync()
    world.edit(LOCAL, local, name="Ours")
    world.edit(REMOTE, remote, name="Theirs")


def story_of_a_deletion(world: World) -> None:
    local, remote = coupled(world)
    world.change_mapping(deletion_conflict=DeletionConflictResolution.DELETE)
    world.sync()
    world.edit(REMOTE, remote, name="Theirs")
    world.delete(LOCAL, local)


@pytest.mark.parametrize("begin", [story_of_a_conflict, story_of_a_deletion])
def test_an_edit_that_loses_is_in_the_history_wherever_the_process_dies(begin: Callable[[World], None]) -> None:
    point, died = 0, True
    while died:
        point += 1
        with new_world() as world:
            begin(world)
            died = world.killed_at(point, world.sync)
            world.sync()
            assert has_entry(world, "Theirs"), f"killed at point {point}"
            assert world.intents(CUSTOMER) == []
    assert point > 10


def test_an_interrupted_write_that_never_arrived_is_not_in_the_history(world: World) -> None:
    story_of_a_conflict(world)
    world.systems[REMOTE].faults.add(FaultKind.RAISE_BEFORE, error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        world.sync()
    world.start_process()
    world.sync()
    entries = [entry for entry in world.journal() if any(change.before == "Theirs" for change in entry.changes)]
    assert [(entry.outcome, "interrupted" in entry.words) for entry in entries] == [(Outcome.MODIFIED, False)]


# --- nothing is doubled -----------------------------------------------------------------------------------------


def interrupted_creation(world: World) -> tuple[str, str]:
    """Return a customer whose account was created by a process that died before it knew, and another account."""
    local, other = world.make(LOCAL, number="1", name="Adatum"), world.make(REMOTE, number="1", name="Other")
    world.systems[REMOTE].faults.add(FaultKind.RAISE_AFTER, error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        world.create(LOCAL, local)
    world.start_process()
    assert len(world.ids(REMOTE)) == 2
    return local, other


def test_coupling_by_hand_finds_the_partner_that_an_interrupted_job_has_made(world: World) -> None:
    local, other = interrupted_creation(world)
    with pytest.raises(AlreadyCoupled):
        world.couple(local, other, synchronise="no")
    assert world.coupling(local).remote_id not in (None, other)


def test_matching_finds_the_partner_that_an_interrupted_job_has_made(world: World) -> None:
    local, other = interrupted_creation(world)
    world.match(CUSTOMER, ("number",), synchronise=False, create=False)
    assert world.coupling(local).remote_id not in (None, other)


@pytest.mark.parametrize("client_ids", [frozenset(Side), frozenset()])
def test_a_restored_partner_is_one_wherever_the_process_dies(client_ids: frozenset[Side]) -> None:
    point, died = 0, True
    while died:
        point += 1
        with new_world(client_ids=client_ids) as world:
            local, _ = coupled(world)
            world.change_mapping(deletion_conflict=DeletionConflictResolution.RESTORE)
            world.sync()
            world.delete(LOCAL, local)
            died = world.killed_at(point, world.sync)
            world.sync()
            assert len(world.ids(LOCAL)) == len(world.couplings()) == 1, f"killed at point {point}"
    assert point > 10


def test_a_table_that_chooses_ids_against_its_word_gets_one_record_though_its_first_answer_is_lost() -> None:
    with new_world(keeps_ids=frozenset()) as world:
        world.change_mapping(only_coupled=False)
        world.make(LOCAL, number="1", name="Adatum")
        world.systems[REMOTE].faults.add(FaultKind.UNKNOWN_AFTER)
        world.sync()
        world.sync()
        assert len(world.ids(REMOTE)) == len(world.couplings()) == 1


# --- no surprise ------------------------------------------------------------------------------------------------


def test_a_plan_shows_what_an_earlier_job_has_left_to_be_tried_again(world: World) -> None:
    local, remote = coupled(world)
    world.edit(LOCAL, local, name="Ours")
    world.systems[REMOTE].faults.add(FaultKind.THROTTLED)
    world.sync()
    plan = Plan()
    world.sync(dry_run=True, observer=plan)
    assert [(each.action, each.to_remote) for each in plan.decisions] == [(RecordAction.UPDATE, {"name": "Ours"})]
    world.sync()
    assert world.value(REMOTE, remote, "name") == "Ours"


def test_a_plan_shows_a_creation_that_is_due_once(world: World) -> None:
    world.change_mapping(only_coupled=False)
    local = world.make(LOCAL, number="1", name="Adatum")
    world.systems[REMOTE].faults.add(FaultKind.THROTTLED)
    world.sync()
    world.edit(LOCAL, local, name="Ours")
    plan = Plan()
    world.sync(dry_run=True, observer=plan)
    assert [each.action for each in plan.decisions].count(RecordAction.CREATE_REMOTE) == 1


def test_a_plan_shows_nothing_after_a_creation_that_the_filter_does_not_admit(world: World) -> None:
    world.change_mapping(only_coupled=False, local_filter="origin ne 'CRM'")
    world.make(REMOTE, number="1", name="Adatum")
    plan = Plan()
    world.sync(dry_run=True, observer=plan)
    world.sync()
    assert [each.action for each in plan.decisions] == [RecordAction.CREATE_LOCAL]
    assert [(each.side, each.kind) for each in world.written()] == [(LOCAL, WriteKind.CREATE)]
    assert [each.state for each in world.couplings()] == [CouplingState.OUT_OF_FILTER]


# --- it heals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "direction"), [(LOCAL, Preference.GET), (REMOTE, Preference.SEND)])
def test_what_a_job_of_one_direction_passes_over_is_created_by_the_next(
    world: World, side: Side, direction: Preference
) -> None:
    world.change_mapping(only_coupled=False)
    world.make(side, number="1", name="Adatum")
    world.sync(direction=direction)
    assert world.couplings() == []
    world.sync()
    assert len(world.couplings()) == 1


@pytest.mark.parametrize(
    ("side", "field", "direction"), [(LOCAL, "credit", Preference.GET), (REMOTE, "rating", Preference.SEND)]
)
def test_a_change_that_a_job_of_one_direction_holds_back_is_carried_over_by_the_next_of_both(
    world: World, side: Side, field: str, direction: Preference
) -> None:
    local, remote = coupled(world)
    world.edit(side, local if side is LOCAL else remote, **{field: 7})
    for _ in range(2):
        world.sync(direction=direction)
        assert world.value(side.other, remote if side is LOCAL else local, field) != 7
    world.sync()
    assert world.value(side.other, remote if side is LOCAL else local, field) == 7
    assert world.due(CUSTOMER) == []


@pytest.mark.parametrize(("small", "requests"), [(0, 2), (100, 1)])
def test_ids_are_compared_by_a_request_of_their_own_unless_the_feed_has_told_them(small: int, requests: int) -> None:
    with new_world(small=small) as world:
        local, remote = coupled(world)
        world.change_mapping(deletion_conflict=DeletionConflictResolution.RESTORE)
        world.sync()
        world.sync()
        before = world.systems[LOCAL].requests.reads
        world.sync()
        assert world.systems[LOCAL].requests.reads - before == requests
        world.delete(LOCAL, local)
        world.sync()
        assert [each.remote_id for each in world.couplings()] == [remote]
        assert world.ids(LOCAL) == [world.couplings()[0].local_id]


@pytest.mark.parametrize("then", [None, Preference.SEND])
def test_a_deletion_that_a_job_of_one_direction_meets_is_settled_by_the_policy_in_the_next(
    world: World, then: Preference | None
) -> None:
    local, remote = coupled(world)
    world.change_mapping(deletion_conflict=DeletionConflictResolution.RESTORE)
    world.sync()
    world.delete(REMOTE, remote)
    world.sync(direction=Preference.GET)
    assert (world.problems(), world.ids(REMOTE), [due.reason for due in world.due(CUSTOMER)]) == ([], [], ["held_back"])
    world.sync(direction=then)
    assert [(each.local_id, each.state) for each in world.couplings()] == [(local, CouplingState.IN_STEP)]
    assert world.ids(REMOTE) == [world.couplings()[0].remote_id]
    assert world.due(CUSTOMER) == []


def test_who_names_a_record_in_the_wrong_direction_is_told_of_its_deletion_and_the_next_job_settles_it(
    world: World,
) -> None:
    local, remote = coupled(world)
    world.change_mapping(deletion_conflict=DeletionConflictResolution.RESTORE)
    world.sync()
    world.delete(REMOTE, remote)
    world.sync(CUSTOMER, local, direction=Preference.GET)
    assert [problem.code for problem in world.problems()] == ["partner-deleted"]
    world.sync()
    assert (world.problems(), len(world.ids(REMOTE))) == ([], 1)


@pytest.mark.parametrize("fault", [FaultKind.THROTTLED, FaultKind.REFUSED])
def test_the_problem_of_a_record_that_was_deleted_ends(world: World, fault: FaultKind) -> None:
    world.change_mapping(only_coupled=False)
    local = world.make(LOCAL, number="1", name="Adatum")
    world.systems[REMOTE].faults.add(fault)
    world.sync()
    assert len(world.problems()) == 1
    world.delete(LOCAL, local)
    world.sync()
    assert world.problems() == []


def test_a_problem_ends_with_leaving_the_filter_and_is_there_again_with_the_return(world: World) -> None:
    local, remote = coupled(world)
    world.edit(LOCAL, local, name="Ours")
    world.edit(REMOTE, remote, name="Theirs")
    world.sync()
    assert [problem.code for problem in world.problems()] == ["conflict"]
    world.gate(LOCAL, local, inside=False)
    world.sync()
    assert (world.problems(), world.coupling(local).state) == ([], CouplingState.OUT_OF_FILTER)
    world.gate(LOCAL, local, inside=True)
    world.sync()
    assert [problem.code for problem in world.problems()] == ["conflict"]


def test_the_problem_of_a_record_without_partner_ends_with_leaving_the_filter(world: World) -> None:
    world.change_mapping(only_coupled=False)
    local = world.make(LOCAL, number="1", name="Adatum")
    world.systems[REMOTE].faults.add(FaultKind.THROTTLED)
    world.sync()
    world.gate(LOCAL, local, inside=False)
    world.sync()
    assert world.problems() == []
    world.gate(LOCAL, local, inside=True)
    world.sync()
    assert len(world.couplings()) == 1


def test_couplings_older_than_the_first_job_are_held_against_a_changed_filter(world: World) -> None:
    local = world.make(LOCAL, number="1", name="Adatum")
    world.create(LOCAL, local)
    world.change_mapping(local_filter="number eq '2'")
    world.sync()
    assert world.coupling(local).state is CouplingState.OUT_OF_FILTER


def test_a_person_may_synchronise_a_record_outside_of_the_filter_and_it_stays_outside(world: World) -> None:
    local, remote = coupled(world)
    world.gate(LOCAL, local, inside=False)
    world.edit(LOCAL, local, name="Ours")
    world.sync(CUSTOMER, local)
    assert world.value(REMOTE, remote, "name") == "Ours"
    assert world.coupling(local).state is CouplingState.OUT_OF_FILTER
    world.edit(REMOTE, remote, name="Theirs")
    world.sync()
    assert world.value(LOCAL, local, "name") == "Ours"


def test_a_write_that_takes_a_record_out_of_the_filter_is_the_last_one(world: World) -> None:
    local, remote = coupled(world)
    world.change_mapping(local_filter="displayName ne 'Theirs'")
    world.sync()
    world.edit(REMOTE, remote, name="Theirs")
    world.sync()
    assert world.coupling(local).state is CouplingState.OUT_OF_FILTER
    world.edit(REMOTE, remote, name="Later")
    world.sync()
    assert world.value(LOCAL, local, "name") == "Theirs"


def like_an_option_set(world: World) -> None:
    """Let the remote currencies be without ids of ours, versions and times, as the options of a choice are."""
    table = world.systems[REMOTE]._tables[TABLES[CURRENCY, REMOTE]]
    table.schema = msgspec.structs.replace(
        table.schema,
        feed=ChangeFeed.FULL,
        client_ids=False,
        conditional_writes=False,
        alternate_keys=(("isocode",),),
    )
    table._taken = [{}]
    timed = table.record

    def untimed(id: str, names: tuple[str, ...]) -> Record:
        return msgspec.structs.replace(timed(id, names), version=None, modified_at=None)

    table.record = untimed  # type: ignore[method-assign]


@pytest.mark.parametrize("there", [False, True])
def test_an_option_that_was_there_before_is_not_taken_for_one_that_a_dead_process_has_made(there: bool) -> None:
    point, died = 0, True
    while died:
        point += 2
        with new_world() as world:
            like_an_option_set(world)
            if there:
                world.make(REMOTE, CURRENCY, code="FOB", name="Free on board")
            local = world.make(LOCAL, CURRENCY, code="FOB", name="Free on board")
            world.change_mapping(CURRENCY, only_coupled=True)
            died = world.killed_at(point, lambda w=world, id=local: w.create(LOCAL, id, mapping=CURRENCY))
            world.sync(CURRENCY)
            if not there and died and not world.couplings(CURRENCY):
                world.create(LOCAL, local, mapping=CURRENCY)
            made = [entry for entry in world.journal(CURRENCY) if entry.outcome is Outcome.INSERTED]
            assert len(world.ids(REMOTE, CURRENCY)) == 1, world.story()
            assert (len(world.couplings(CURRENCY)), len(made)) == ((0, 0) if there else (1, 1)), world.story()
            assert world.intents(CURRENCY) == []
    assert point > 5


def test_a_new_partner_takes_the_place_of_one_that_is_gone_in_one_step_wherever_the_process_dies() -> None:
    point, died = 0, True
    while died:
        point += 3
        with new_world() as world:
            local, remote = coupled(world)
            world.delete(REMOTE, remote)
            died = world.killed_at(point, lambda w=world, id=local: w.create(LOCAL, id))
            assert len(world.couplings()) == 1, f"killed at point {point}\n{world.story()}"
            world.sync()
            world.sync()
            assert len(world.couplings()) == 1 >= len(world.ids(REMOTE)), world.story()
            assert died or world.ids(REMOTE) == [world.coupling(local).remote_id]
