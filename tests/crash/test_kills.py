"""Promise 2, nothing is doubled: killed at any point and started again, a job ends as if it had not been killed.

Each case runs a use case once to the end, counting its points (before and after every commit of the store and every
request), then once for each point: killed there, run again, and compared with the run that nobody killed.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.crash.conftest import Processes
from tests.crash.world import World

pytestmark = pytest.mark.xdist_group("crash")


def new_on_both_sides(world: World) -> None:
    """Three customers and two accounts without partner."""
    for number in ("D101", "D102", "D103"):
        world.customer(number, f"Local {number}", phoneNumber=f"+1 {number}", creditLimit=100)
    for name in ("Remote One", "Remote Two"):
        world.account(name, telephone1="+2 555", address1_city="Leeds")


def coupled_and_edited(world: World, processes: Processes) -> None:
    """Four coupled pairs: edited here, there, on both sides in different fields, and in the same field."""
    for number, name in (("D001", "Both One"), ("D002", "Both Two"), ("D003", "Both Three"), ("D004", "Both Four")):
        world.customer(number, name, phoneNumber="+1 000", city="York")
    assert processes.run(world.home, "synchronise_customers")["exit"] == 0
    world.edit_customer("D001", phoneNumber="+1 111")
    world.edit_account("Both Two", telephone1="+2 222")
    world.edit_customer("D003", city="Ely")
    world.edit_account("Both Three", websiteurl="https://three.example")
    world.edit_customer("D004", phoneNumber="+1 444")
    world.edit_account("Both Four", telephone1="+2 444")


def matching_pairs(world: World, processes: Processes) -> None:
    """Two pairs with one number each, and different phone numbers."""
    for number, name in (("D001", "Both One"), ("D002", "Both Two")):
        world.customer(number, name, phoneNumber="+1 000")
        world.account(name, accountnumber=number, telephone1="+2 000")


def all_coupled(world: World, processes: Processes) -> None:
    """Three coupled pairs, stamped with the company."""
    for number in ("D001", "D002", "D003"):
        world.customer(number, f"Local {number}")
    assert processes.run(world.home, "synchronise_customers")["exit"] == 0


CASES: dict[str, tuple[str, Callable[[World, Processes], None]]] = {
    "creates on both sides": ("synchronise_customers", lambda world, _: new_on_both_sides(world)),
    "merges what both sides edited": ("synchronise_customers", coupled_and_edited),
    "adds options whose numbers Dataverse chooses": ("synchronise_payment_terms", lambda _world, _processes: None),
    "matches and sends": ("match_customers", matching_pairs),
    "sets up one coupling": ("couple_customer", matching_pairs),
    "uncouples a mapping": ("uncouple_customers", all_coupled),
}


def prepare(world: World, processes: Processes, set_up: Callable[[World, Processes], None]) -> None:
    world.empty()
    set_up(world, processes)


def undisturbed(
    world: World, processes: Processes, work: str, set_up: Callable[[World, Processes], None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a work to its end, twice from the same start; return the second run and the state it leads to."""
    for _ in range(2):
        prepare(world, processes, set_up)
        whole = processes.run(world.home, work)
        assert whole["exit"] == 0, whole["output"]
    return whole, world.state()


@pytest.mark.parametrize("case", CASES)
def test_a_process_killed_anywhere_leaves_no_trace(case: str, world: World, processes: Processes) -> None:
    work, set_up = CASES[case]
    whole, expected = undisturbed(world, processes, work, set_up)
    assert expected["open intents"] == 0
    for point, name in enumerate(whole["points"], 1):
        prepare(world, processes, set_up)
        killed = processes.run(world.home, work, kill_at=point)
        # Pages overlap, so that a run may have a point less than another.
        assert killed["exit"] == -9 or len(killed["points"]) < point, (point, name, killed)
        again = processes.run(world.home, work)
        assert again["exit"] == 0, (point, name, again["output"])
        assert world.state() == expected, f"killed at point {point}, {name}"


LOST_ANSWERS = [
    ("business_central", "POST", r"\$batch"),
    ("dataverse", "POST", r"\$batch"),
]


@pytest.mark.parametrize(("system", "method", "path"), LOST_ANSWERS, ids=["business central", "dataverse"])
@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.parametrize("case", ["creates on both sides", "merges what both sides edited"])
def test_an_answer_that_is_lost_doubles_nothing(
    case: str, kind: str, system: str, method: str, path: str, world: World, processes: Processes
) -> None:
    """The connection breaks after (or before) the change was made; the same job asks, and goes on."""
    work, set_up = CASES[case]
    _, expected = undisturbed(world, processes, work, set_up)
    prepare(world, processes, set_up)
    world.fault(system, kind=kind, method=method, path=path, times=1)
    first = processes.run(world.home, work)
    world.clear_faults()
    second: dict[str, Any] = processes.run(world.home, work)
    assert second["exit"] == 0, (first, second)
    assert world.state() == expected


@pytest.mark.parametrize("system", ["business_central", "dataverse"])
def test_a_process_killed_while_answers_are_lost_doubles_nothing(
    system: str, world: World, processes: Processes
) -> None:
    """The connection breaks after the change was made, and the process dies before it can ask."""
    work, set_up = CASES["creates on both sides"]
    whole, expected = undisturbed(world, processes, work, set_up)
    for point in [n for n, name in enumerate(whole["points"], 1) if name == "before POST"]:
        for after in (point, point + 1, point + 2):
            prepare(world, processes, set_up)
            world.fault(system, kind="drop_after", method="POST", path=r"\$batch", times=1)
            processes.run(world.home, work, kill_at=after)
            world.clear_faults()
            assert processes.run(world.home, work)["exit"] == 0
            assert world.state() == expected, f"killed at point {after}"
