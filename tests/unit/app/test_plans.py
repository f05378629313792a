"""Plans that are kept: what was shown is what is done, and how many records are as they should be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crosstie.app.home import Home
from crosstie.app.kept_plans import show_plan
from crosstie.app.plans import carry_out_plan, make_plan
from crosstie.app.session import Session
from crosstie.engine.context import Scope, Task
from crosstie.engine.coupling import couple
from crosstie.model.couplings import CouplingState
from crosstie.model.decisions import Preference
from crosstie.model.records import Side
from crosstie.systems.memory import FaultKind
from tests.scenarios.tables import CUSTOMER
from tests.scenarios.world import World
from tests.scenarios.world import world as new_world
from tests.unit.app.desk import Desk

LOCAL, REMOTE = Side.LOCAL, Side.REMOTE


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as found:
        yield found


def carried_out(world: World, *groups: str) -> object:
    """Make a plan of the mapping, carry groups of it out, and return which records had moved."""
    plan = world._done(lambda session: make_plan(session, CUSTOMER))
    assert set(plan.groups) >= set(groups), plan.groups
    return world._done(lambda session: carry_out_plan(session, plan.job.id, groups)).get("moved_names")


@pytest.mark.parametrize("way", [Preference.SEND, Preference.GET])
def test_a_pair_that_was_just_coupled_comes_out_of_a_plan_as_it_was_shown(world: World, way: Preference) -> None:
    here = world.make(LOCAL, number="1", name="Here")
    there = world.make(REMOTE, number="2", name="There")

    async def tie(session: Session) -> None:
        ctx = await session.context(CUSTOMER, Task(scope=Scope.RECORDS))
        await couple(ctx, [(here, there)], synchronise=way)

    world._done(tie)
    assert carried_out(world, "update") is None
    name = "Here" if way is Preference.SEND else "There"
    assert (world.value(LOCAL, here, "name"), world.value(REMOTE, there, "name")) == (name, name)
    assert world.coupling(here).state is CouplingState.IN_STEP


def test_a_creation_that_is_tried_again_is_carried_out_with_the_plan(world: World) -> None:
    here = world.make(LOCAL, number="1", name="Here")
    world.systems[REMOTE].faults.add(FaultKind.THROTTLED, times=1)
    world.create(LOCAL, here)
    assert world.ids(REMOTE) == []
    world.systems[REMOTE].faults.clear()
    assert carried_out(world, "create") is None
    assert len(world.ids(REMOTE)) == 1


async def test_a_plan_made_without_a_worker_keeps_how_many_records_are_unchanged(desk: Desk) -> None:
    for number in ("1", "2", "3"):
        await desk.pair(number)
    desk.edit(LOCAL, (await desk.pair("4")).local_id, city="Ely")
    home = Home(folder=Path(), store=desk.store, store_address="")
    made = await make_plan(desk.session, "CUSTOMER", full=True)
    assert show_plan(home, made.job.id).groups == made.groups
    assert made.groups["unchanged"] == 3
