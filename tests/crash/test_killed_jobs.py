"""A worker's job that is killed at any point goes on, and its log tells the same as if nobody had killed it.

Counters, history and parts are those of the undisturbed job: each record counts once, however often the job was begun.
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from crosstie.app.history import list_jobs
from crosstie.app.home import open_home
from crosstie.app.jobs import enqueue
from crosstie.app.kept_plans import start_plan
from crosstie.app.selection_plans import PlanGroup
from crosstie.model.jobs import Job
from tests.crash.conftest import Processes
from tests.crash.test_killed_undo import points_of
from tests.crash.test_kills import coupled_and_edited, new_on_both_sides
from tests.crash.world import World

pytestmark = pytest.mark.xdist_group("crash")

WORK = "carry_out_jobs"
FEW = 4
ALL_EDITED = ["D001", "D002", "D003", "D004"]


def edited_and_new(world: World, processes: Processes) -> None:
    """Pairs that were edited here, there and on both sides, one in conflict as well, one as it was; and new records."""
    world.customer("D005", "Both Five", phoneNumber="+1 000", city="York")
    coupled_and_edited(world, processes)
    world.edit_account("Both Four", websiteurl="https://four.example")
    new_on_both_sides(world)


def edited_and_new_without_options(world: World, processes: Processes) -> None:
    """The same; the mappings of option sets, which have a case of their own, rest."""
    edited_and_new(world, processes)
    with open_home(world.home) as home, home.store.begin() as unit:
        for mapping in unit.mappings():
            if mapping.name in ("PAYMENT TERMS", "SHIPMENT METHOD"):
                unit.put_mapping(msgspec.structs.replace(mapping, enabled=False))


def few_matching(world: World, processes: Processes) -> None:
    """Three pairs of one name each, one customer that two accounts fit, and two that nothing fits."""
    for number in ("D001", "D002", "D003", "D004", "D005", "D006"):
        world.customer(number, f"Both {number}", phoneNumber="+1 000")
    for number in ("D001", "D002", "D003", "D004", "D004"):
        world.account(f"Both {number}", telephone1="+2 000")


def all_coupled_and_stray(world: World, processes: Processes) -> None:
    """Five coupled pairs, and an account that carries our mark and is coupled with nothing."""
    for number in ("D001", "D002", "D003", "D004", "D005"):
        world.customer(number, f"Local {number}", phoneNumber="+1 000")
    carried_out(world, processes, "synchronise", {"mapping": "CUSTOMER", "create": True})


def carried_out(world: World, processes: Processes, use_case: str, arguments: dict[str, Any]) -> int:
    """Carry out a job, undisturbed, and return its number."""
    with open_home(world.home) as home:
        job = enqueue(home, use_case, arguments).id
    done = processes.run(world.home, WORK)
    assert done["exit"] == 0, done["output"]
    return job


def planned(world: World, processes: Processes) -> dict[str, Any]:
    """Plan what is edited and new; since then one record was edited again, and one that was not in the plan."""
    edited_and_new(world, processes)
    plan = carried_out(world, processes, "plan", {"mapping": "CUSTOMER", "create": True})
    world.edit_customer("D001", phoneNumber="+1 999")
    world.edit_customer("D005", city="Hull")
    with open_home(world.home) as home:
        return start_plan(home, plan, ["update", "create", "conflict"]).arguments


def done_before(world: World, processes: Processes) -> dict[str, Any]:
    """What a job has written to four pairs and created on both sides is to be undone; one was edited since."""
    edited_and_new(world, processes)
    job = carried_out(world, processes, "synchronise", {"mapping": "CUSTOMER", "create": True})
    world.edit_customer("D001", phoneNumber="+1 999")
    return {"mapping": "CUSTOMER", "job": job, "force": True}


def uncoupled_before(world: World, processes: Processes) -> dict[str, Any]:
    all_coupled_and_stray(world, processes)
    job = carried_out(world, processes, "uncouple", {"mapping": "CUSTOMER", "all": True})
    return {"mapping": "CUSTOMER", "job": job, "force": True}


CASES: dict[str, tuple[str, dict[str, Any], Callable[[World, Processes], dict[str, Any] | None]]] = {
    "what changed": ("synchronise", {"mapping": "CUSTOMER", "create": True}, edited_and_new),
    "everything": ("synchronise", {"mapping": "CUSTOMER", "full": True}, edited_and_new),
    "records that are named": ("synchronise", {"mapping": "CUSTOMER", "records": ALL_EDITED}, coupled_and_edited),
    "all mappings": ("synchronise", {"create": True}, edited_and_new_without_options),
    "options that choose their numbers": (
        "synchronise",
        {"mapping": "PAYMENT TERMS", "create": True},
        lambda world, _: None,
    ),
    "a plan of what changed": ("plan", {"mapping": "CUSTOMER", "create": True}, edited_and_new),
    "a plan of everything": ("plan", {"mapping": "CUSTOMER", "full": True, "create": True}, edited_and_new),
    "what a plan showed": ("carry_out_plan", {}, planned),
    "matching": (
        "match",
        {"mapping": "CUSTOMER", "groups": [["displayName"]], "synchronise": True, "create": True},
        few_matching,
    ),
    "uncoupling a mapping": ("uncouple", {"mapping": "CUSTOMER", "all": True}, all_coupled_and_stray),
    "undoing a synchronisation": ("undo", {}, done_before),
    "undoing an uncoupling": ("undo", {}, uncoupled_before),
}


def prepare(world: World, processes: Processes, case: str) -> int:
    """Return the number of a job that waits."""
    use_case, arguments, set_up = CASES[case]
    world.empty()
    found = set_up(world, processes)
    with open_home(world.home) as home:
        waiting = [job for job in list_jobs(home) if job.goes_on]
        return waiting[0].id if waiting else enqueue(home, use_case, found or arguments).id


def settled(world: World, processes: Processes, case: str) -> dict[str, Any]:
    """Return what both systems and the store hold; what follows from a creation is no matter of a plan but of the next
    synchronisation."""
    if case == "what a plan showed":
        assert processes.run(world.home, "synchronise_customers")["exit"] == 0
    return world.state()


def told(world: World, job_id: int) -> dict[str, Any]:
    """Return what the log says of a job and its parts."""
    with open_home(world.home) as home, home.store.begin() as unit:
        whole = [unit.background.job(job_id), *unit.background.parts(job_id)]
        entries = unit.journal(job_ids=[job.id for job in whole if job is not None], limit=1000)
        rows = unit.planned.page(job_id, [group.value for group in PlanGroup])
    return {
        "jobs": [
            (job.mapping, job.state.value, msgspec.to_builtins(job.to_remote), msgspec.to_builtins(job.from_remote))
            for job in whole
            if job is not None
        ],
        "done": [(job.done, job.expected) for job in whole if job is not None and case_counts(job)],
        "result": [_without_ids(job.details) for job in whole if job is not None],
        "history": Counter((each.mapping, each.side, each.outcome.value) for each in entries),
        "plan": sorted((row.side.value, row.group, row.planned.name, row.planned.action) for row in rows),
    }


def case_counts(job: Job) -> bool:
    """Whether how far a job is can be told exactly: a feed, or what is due, may name a record once more."""
    return job.use_case not in ("", "synchronise", "match")


def _without_ids(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _without_ids(each) for name, each in found.items() if name not in ("local_id", "remote_id")}
    return [_without_ids(each) for each in found] if isinstance(found, list) else found


def some(points: list[int]) -> list[int]:
    """Return a few of the points from first to last; all of them for `make long`."""
    return points if os.environ.get("CROSSTIE_EVERY_POINT") else points[:: -(-len(points) // FEW)]


@pytest.mark.parametrize("case", CASES)
def test_a_job_killed_anywhere_tells_the_same(case: str, world: World, processes: Processes) -> None:
    for _ in range(2):  # the first time, what the systems say of their tables is read as well
        job = prepare(world, processes, case)
        whole = processes.run(world.home, WORK)
        assert whole["exit"] == 0, whole["output"]
    log, state = told(world, job), settled(world, processes, case)
    assert state["open intents"] == 0
    assert {state for _, state, *_ in log["jobs"]} == {"finished"}
    wrong: list[str] = []
    for point in some(points_of(whole)):
        job = prepare(world, processes, case)
        # Pages overlap, so that a run may have a point less than another.
        assert processes.run(world.home, WORK, kill_at=point)["exit"] in (-9, 0)
        again = processes.run(world.home, WORK)
        assert again["exit"] == 0, again["output"]
        for expected, found in ((log, told(world, job)), (state, settled(world, processes, case))):
            wrong += [
                f"killed at point {point}, {whole['points'][point - 1]}: {name} is {found[name]}, not {expected[name]}"
                for name in expected
                if found[name] != expected[name]
            ]
    assert not wrong, "\n".join(wrong)
