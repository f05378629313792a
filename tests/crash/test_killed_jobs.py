"""A worker's job that is killed at any point goes on, and its log tells the same as if nobody had killed it.

Counters, history and parts are those of the undisturbed job: each record counts once, however often the job was begun.
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from crosstie.app.home import open_home
from crosstie.app.jobs import enqueue
from tests.crash.conftest import Processes
from tests.crash.test_killed_undo import points_of
from tests.crash.test_kills import coupled_and_edited, new_on_both_sides
from tests.crash.world import World

pytestmark = pytest.mark.xdist_group("crash")

WORK = "carry_out_jobs"
FEW = 6
ALL_EDITED = ["D001", "D002", "D003", "D004"]


def edited_and_new(world: World, processes: Processes) -> None:
    """Four coupled pairs of which three were edited, one is in conflict, one is as it was; and new records."""
    world.customer("D005", "Both Five", phoneNumber="+1 000", city="York")
    coupled_and_edited(world, processes)
    new_on_both_sides(world)


def edited_and_new_without_options(world: World, processes: Processes) -> None:
    """The same; the mappings of option sets, which have a case of their own, rest."""
    edited_and_new(world, processes)
    with open_home(world.home) as home, home.store.begin() as unit:
        for mapping in unit.mappings():
            if mapping.name in ("PAYMENT TERMS", "SHIPMENT METHOD"):
                unit.put_mapping(msgspec.structs.replace(mapping, enabled=False))


CASES: dict[str, tuple[dict[str, Any], Callable[[World, Processes], None]]] = {
    "what changed": ({"mapping": "CUSTOMER", "create": True}, edited_and_new),
    "everything": ({"mapping": "CUSTOMER", "full": True}, edited_and_new),
    "records that are named": ({"mapping": "CUSTOMER", "records": ALL_EDITED}, coupled_and_edited),
    "all mappings": ({"create": True}, edited_and_new_without_options),
    "options that choose their numbers": ({"mapping": "PAYMENT TERMS", "create": True}, lambda world, _: None),
}


def prepare(world: World, processes: Processes, case: str) -> int:
    """Return the number of a job that waits."""
    arguments, set_up = CASES[case]
    world.empty()
    set_up(world, processes)
    with open_home(world.home) as home:
        return enqueue(home, "synchronise", arguments).id


def told(world: World, job_id: int) -> dict[str, Any]:
    """Return what the log says of a job and its parts."""
    with open_home(world.home) as home, home.store.begin() as unit:
        whole = [unit.background.job(job_id), *unit.background.parts(job_id)]
        entries = unit.journal(job_ids=[job.id for job in whole if job is not None], limit=1000)
    return {
        "jobs": [
            (job.mapping, job.state.value, msgspec.to_builtins(job.to_remote), msgspec.to_builtins(job.from_remote))
            for job in whole
            if job is not None
        ],
        "created": Counter((each.mapping, each.side) for each in entries if each.outcome == "inserted"),
    }


def some(points: list[int]) -> list[int]:
    """Return a few of the points from first to last; all of them for `make long`."""
    return points if os.environ.get("CROSSTIE_EVERY_POINT") else points[:: -(-len(points) // FEW)]


@pytest.mark.parametrize("case", CASES)
def test_a_job_killed_anywhere_tells_the_same(case: str, world: World, processes: Processes) -> None:
    for _ in range(2):  # the first time, what the systems say of their tables is read as well
        job = prepare(world, processes, case)
        whole = processes.run(world.home, WORK)
        assert whole["exit"] == 0, whole["output"]
    expected, log = world.state(), told(world, job)
    assert expected["open intents"] == 0
    assert {state for _, state, *_ in log["jobs"]} == {"finished"}
    for point in some(points_of(whole)):
        job = prepare(world, processes, case)
        # Pages overlap, so that a run may have a point less than another.
        assert processes.run(world.home, WORK, kill_at=point)["exit"] in (-9, 0)
        again = processes.run(world.home, WORK)
        assert again["exit"] == 0, again["output"]
        assert world.state() == expected, f"killed at point {point}, {whole['points'][point - 1]}"
        assert told(world, job) == log, f"killed at point {point}, {whole['points'][point - 1]}"
