"""Promise 2 for undo: killed at any point and asked for again, it ends as if it had not been killed.

That holds, too, if a scheduled synchronisation comes in between: what was half undone is carried nowhere.
"""

import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from crosstie.app.home import open_home
from tests.crash.conftest import Processes
from tests.crash.world import World

pytestmark = pytest.mark.xdist_group("crash")

UNDO = "undo_kept_job"
AFTERWARDS = ("undo_and_synchronise", "synchronise_undo_and_synchronise")


def keep_last_job(world: World) -> None:
    """Keep the number of the newest job."""
    with open_home(world.home) as home, home.store.begin() as unit:
        unit.put_setting("undone", str(unit.jobs(limit=1)[0].id))


def let_create(world: World) -> None:
    """Have what has no partner get one by itself."""
    with open_home(world.home) as home, home.store.begin() as unit:
        mapping = next(each for each in unit.mappings() if each.name == "CUSTOMER")
        unit.put_mapping(msgspec.structs.replace(mapping, only_coupled=False))


def done(world: World, processes: Processes, work: str) -> None:
    answer = processes.run(world.home, work)
    assert answer["exit"] == 0, answer["output"]


def created(world: World, processes: Processes) -> None:
    """A partner was created on either side."""
    world.customer("D001", "Local One", phoneNumber="+1 000")
    world.account("Remote One", telephone1="+2 000")
    let_create(world)
    done(world, processes, "synchronise_customers")


def merged(world: World, processes: Processes) -> None:
    """A pair was edited on both sides, another one on one side, and both were synchronised."""
    for number, name in (("D001", "Both One"), ("D002", "Both Two")):
        world.customer(number, name, phoneNumber="+1 000", city="York")
    done(world, processes, "synchronise_customers")
    world.edit_customer("D001", city="Ely")
    world.edit_account("Both One", telephone1="+2 111")
    world.edit_customer("D002", phoneNumber="+1 222")
    done(world, processes, "synchronise_customers")


def uncoupled(world: World, processes: Processes) -> None:
    """Two pairs were uncoupled, one of which has been edited since."""
    for number, name in (("D001", "Both One"), ("D002", "Both Two")):
        world.customer(number, name, phoneNumber="+1 000")
    done(world, processes, "synchronise_customers")
    done(world, processes, "uncouple_customers")
    world.edit_customer("D002", phoneNumber="+1 222")


CASES: dict[str, Callable[[World, Processes], None]] = {
    "what was created": created,
    "what was merged": merged,
    "what was uncoupled": uncoupled,
}


def prepare(world: World, processes: Processes, set_up: Callable[[World, Processes], None]) -> None:
    world.empty()
    set_up(world, processes)
    keep_last_job(world)


@pytest.mark.parametrize("case", CASES)
def test_an_undo_killed_anywhere_is_taken_up_again(case: str, world: World, processes: Processes) -> None:
    """After every second kill a scheduled job comes first; it settles what was left open."""
    set_up = CASES[case]
    for _ in range(2):  # the first time, what the systems say of their tables is read as well
        prepare(world, processes, set_up)
        before = world.state()
        whole = processes.run(world.home, UNDO)
        assert whole["exit"] == 0, whole["output"]
    assert world.state() != before
    done(world, processes, AFTERWARDS[1])
    expected = world.state()
    assert expected["open intents"] == 0
    for turn, point in enumerate(points_of(whole)):
        prepare(world, processes, set_up)
        assert processes.run(world.home, UNDO, kill_at=point)["exit"] == -9
        done(world, processes, AFTERWARDS[turn % 2])
        assert world.state() == expected, f"killed at point {point}, {whole['points'][point - 1]}"


def points_of(whole: dict[str, Any]) -> list[int]:
    """Return the points of a run right after something was stored or written; all of them for `make long`.

    Between two of these nothing changes that a process which dies could leave behind.
    """
    every = bool(os.environ.get("CROSSTIE_EVERY_POINT"))
    names = enumerate(whole["points"], 1)
    return [number for number, name in names if every or (name.startswith("after") and "GET" not in name)]
