"""Plans that are kept: looking through them, and having a worker carry them out (`app.plans`)."""

from collections.abc import Collection, Sequence

from crosstie.app.home import Home
from crosstie.app.jobs import enqueue
from crosstie.app.plans import KeptPlan, arguments_of, choosable, kept_plan
from crosstie.app.selection_plans import PlanGroup
from crosstie.model.errors import InvalidOption, JobRunning, NothingToDo
from crosstie.model.jobs import Job, JobState
from crosstie.model.planned import PlannedRow

_CARRY_OUT = "carry_out_plan"


def show_plan(home: Home, job_id: int) -> KeptPlan:
    """Return a plan with its groups. Raises UnknownJob if there is no plan of that number."""
    with home.store.begin() as unit:
        job = unit.background.job(job_id)
    arguments_of(job_id, job)
    assert job is not None, "its arguments are known"
    return kept_plan(home.store, job_id, job.details.get("result", {}).get("counted", {}))


def plan_rows(
    home: Home, job_id: int, groups: Collection[PlanGroup], *, after_id: int = 0, limit: int = 50
) -> list[PlannedRow]:
    """Return records of some groups of a plan, in the order in which they were planned."""
    with home.store.begin() as unit:
        return unit.planned.page(job_id, [group.value for group in groups], after_id=after_id, limit=limit)


def start_plan(home: Home, job_id: int, groups: Sequence[str], *, asked_by: str = "") -> Job:
    """Have a worker carry out some groups of a plan, and return the job.

    Raises UnknownJob, InvalidOption for a group that cannot be carried out or a plan that is not finished, NothingToDo
    if the groups have no record, or the plan is too old, JobRunning while a job carries it out already.
    """
    chosen = choosable(groups)
    plan = show_plan(home, job_id)
    if plan.job.goes_on:
        raise InvalidOption("The plan is not ready yet.", next_step="Wait for its end.")
    if plan.job.state is not JobState.FINISHED:
        raise InvalidOption("The plan did not come to its end.", next_step="Make a new one.")
    if not any(plan.groups.get(PlanGroup(each)) for each in chosen):
        raise NothingToDo("No record of the plan is to be synchronised.", next_step="Include a group of records.")
    if not plan.kept:
        raise NothingToDo("The plan is too old to be carried out.", next_step="Make a new one.")
    _refuse_twice(home, job_id)
    arguments = {"mapping": plan.job.mapping, "plan": job_id, "groups": chosen}
    return enqueue(home, _CARRY_OUT, arguments, asked_by=asked_by)


def _refuse_twice(home: Home, job_id: int) -> None:
    """Raise JobRunning if a job that waits or runs carries a plan out."""
    with home.store.begin() as unit:
        going = [job.id for job in unit.background.going_on() if job.use_case == _CARRY_OUT]
        for job in filter(None, map(unit.background.job, going)):
            if job.arguments.get("plan") == job_id:
                raise JobRunning(f"The plan is being carried out already, by job {job.id}.", job=job.id)
