"""It heals: once nothing goes wrong any more and people have settled what only they can, both sides come to rest."""

from collections.abc import Callable, Iterator

from crosstie.model.couplings import CouplingState
from crosstie.model.decisions import Preference
from crosstie.model.problems import Problem
from crosstie.model.records import Side
from tests.scenarios.promises import MAPPINGS, Promises
from tests.scenarios.world import World

_ROUNDS = 6
Choose = Callable[[Problem], Preference]
"""Which side wins where a record is in conflict."""


def heal(world: World, promises: Promises, choose: Choose = lambda _: Preference.SEND) -> None:
    """Take the faults away, let jobs run until nothing moves, settle problems as a person would, and look at it all."""
    for system in world.systems.values():
        system.faults.clear()
        system.rules.clear()
        system.before_write = None
    world.tell("nothing goes wrong from now on")
    run_until_quiet(world, promises)
    for _ in range(_ROUNDS):
        problems = world.problems(None)
        if not problems:
            break
        for problem in problems:
            settle(world, problem, choose(problem))
            promises.after_step(by_hand=True)
        run_until_quiet(world, promises)
    promises.check(not world.problems(None), f"problems stay: {[(p.code, p.words) for p in world.problems(None)]}")
    at_rest(world, promises)


def run_until_quiet(world: World, promises: Promises) -> None:
    """Run all mappings until a run writes nothing and leaves nothing to be done by itself."""
    for _ in range(_ROUNDS):
        before = len(world.written())
        world.sync(None, forced=True)
        for mapping in MAPPINGS:
            promises.after_job(mapping)
        promises.after_step()
        still = [*(each for mapping in MAPPINGS for each in (*world.due(mapping), *world.intents(mapping)))]
        if len(world.written()) == before and not still:
            return
    promises.check(False, f"it does not come to rest: {still}")


def settle(world: World, problem: Problem, direction: Preference) -> None:
    """Do what the problem asks a person to do."""
    local, remote, mapping = problem.local_id, problem.remote_id, problem.mapping
    id = local or remote
    assert id is not None
    world.tell(f"settle {problem.code} of {id}: {problem.words}")
    if problem.coupling_id is None and id not in world.ids(Side.LOCAL if local else Side.REMOTE, mapping):
        world.retry(id, mapping)
        return
    match problem.code:
        case "conflict":
            world.sync(mapping, id, direction=direction)
        case "partner-deleted":
            world.uncouple(id, mapping=mapping)
        case "too-long":
            side = Side.LOCAL if local and len(str(world.value(Side.LOCAL, local, "phone") or "")) > 12 else Side.REMOTE
            world.edit(side, str(local if side is Side.LOCAL else remote), phone="1")
        case "waiting-for-partner":
            wait = problem.waits_for[0]
            own = local if wait.side is Side.LOCAL else remote
            world.edit(wait.side, str(own), currency=None)
            world.sync(mapping, str(own), create=True)
        case "not-eligible":
            side = Side.LOCAL if local else Side.REMOTE
            world.gate(side, id, inside=True)
            world.edit(side, id, **({"kind": 1} if side is Side.REMOTE else {"credit": 1}))
            world.sync(mapping, id, create=True)
        case "creation-undone":
            side = Side.LOCAL if local else Side.REMOTE
            world.create(side, id, mapping=mapping)
        case _:
            world.retry(id, mapping)


def at_rest(world: World, promises: Promises) -> None:
    """Check that both sides agree, and that further runs write nothing."""
    for mapping in MAPPINGS:
        for coupling in world.couplings(mapping):
            sides = [side for side in Side if coupling.record_id(side) in world.ids(side, mapping)]
            inside = all(promises.admitted(mapping, side, coupling.record_id(side)) for side in sides)
            lone = f"{coupling.local_id} is coupled with a record that is gone, and nobody is asked"
            promises.check(len(sides) == 2 or not inside, lone)
            wanted = CouplingState.IN_STEP if inside else CouplingState.OUT_OF_FILTER
            promises.check(coupling.state is wanted, f"{coupling.local_id} is {coupling.state}, not {wanted}")
            if inside:
                promises.agreement(coupling)
    everything_has_a_partner(world, promises)
    let_go = any(uncoupled(world, promises))
    before = world.written()
    world.sync(None, forced=True)
    promises.check(world.written() == before, "a run with nothing to do writes")
    world.sync(None, forced=True, full=True)
    if not let_go:
        promises.check(world.written() == before, "a full run with nothing to do writes")
    promises.check(not world.problems(None), "a full run finds problems")
    promises.after_step()


def everything_has_a_partner(world: World, promises: Promises) -> None:
    """Check that every record of the filter is coupled where the mapping creates partners by itself."""
    for mapping in MAPPINGS:
        for side, id in alone(world, mapping):
            never = world.mapping(mapping).only_coupled or (side, id) in promises.coupled
            if not never and promises.admitted(mapping, side, id):
                promises.check(False, f"{side} {id} has got no partner, and nobody is asked")


def uncoupled(world: World, promises: Promises) -> Iterator[tuple[Side, str]]:
    """Yield the records that were let go: only a full run gives them a partner again."""
    return (each for mapping in MAPPINGS for each in alone(world, mapping) if each in promises.coupled)


def alone(world: World, mapping: str) -> Iterator[tuple[Side, str]]:
    """Yield the records without a partner."""
    for side in Side:
        coupled = {each.record_id(side) for each in world.couplings(mapping)}
        yield from ((side, id) for id in world.ids(side, mapping) if id not in coupled)
