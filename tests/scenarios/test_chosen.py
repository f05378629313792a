"""A person couples two records and chooses fields: one action, wherever the process dies."""

from collections.abc import Callable, Mapping

import pytest

from crosstie.app.winners import Winner
from crosstie.model.couplings import CouplingState
from crosstie.model.records import Side
from crosstie.systems.memory import FaultKind
from tests.scenarios.world import World, world

LOCAL, REMOTE, LEAVE = Winner.LOCAL, Winner.REMOTE, Winner.LEAVE
FIELDS = ("name", "city", "phone", "credit", "rating")
HERE = ("Here", "Ely", "1", 5, 1)
THERE = ("There", "Lyon", "2", 6, 2)


def two(world: World) -> tuple[str, str]:
    """A customer and an account that differ in every field."""
    here, there = (
        world.make(side, number="N1", **dict(zip(FIELDS, values, strict=True)))
        for side, values in ((Side.LOCAL, HERE), (Side.REMOTE, THERE))
    )
    return here, there


def held(world: World, here: str, there: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    return (
        tuple(world.value(Side.LOCAL, here, name) for name in FIELDS),
        tuple(world.value(Side.REMOTE, there, name) for name in FIELDS),
    )


def settle(world: World) -> None:
    """Run jobs until nothing is left to be done by itself."""
    for _ in range(4):
        world.sync(None)
    assert not world.due("CUSTOMER")


CHOICES: list[tuple[str, Mapping[str, Winner], tuple[object, ...], tuple[object, ...]]] = [
    ("no", {"city": LOCAL}, HERE, ("There", "Ely", "2", 6, 2)),
    ("no", {"city": REMOTE, "credit": LOCAL, "rating": REMOTE}, ("Here", "Lyon", "1", 5, 2), (*THERE[:3], 5, 2)),
    ("to_remote", {"city": REMOTE, "phone": LEAVE}, ("Here", "Lyon", "1", 5, 1), ("Here", "Lyon", "2", 5, 2)),
    ("from_remote", {"name": LOCAL, "city": LEAVE}, ("Here", "Ely", "2", 5, 2), ("Here", "Lyon", "2", 6, 2)),
]


@pytest.mark.parametrize("number", range(len(CHOICES)))
def test_a_choice_of_fields_is_made_wholly_or_not_at_all_wherever_the_process_dies(number: int) -> None:
    """Each choice meets every fourth point, all of them together each point."""
    way, winners, local, remote = CHOICES[number]
    for point in range(1 + number, 60, len(CHOICES)):
        with world() as there_is:
            here, there = two(there_is)
            died = there_is.killed_at(
                point, lambda w=there_is, h=here, t=there: w.couple(h, t, synchronise=way, winners=winners)
            )
            coupled = there_is.couplings()
            if coupled:
                there_is.sync()
            expected = (local, remote) if coupled else (HERE, THERE)
            assert held(there_is, here, there) == expected, there_is.story()
            assert not there_is.intents("CUSTOMER")
            if coupled:
                assert there_is.coupling(here).state is CouplingState.IN_STEP
            if not died:
                return
    raise AssertionError("it never came to its end")


HINDRANCES: dict[str, Callable[[World], None]] = {
    "throttled": lambda w: w.systems[Side.REMOTE].faults.add(FaultKind.THROTTLED, times=9),
    "refused": lambda w: w.systems[Side.REMOTE].faults.add(FaultKind.REFUSED, times=1),
    "unanswered": lambda w: w.systems[Side.REMOTE].faults.add(FaultKind.UNKNOWN_BEFORE, times=9),
}


@pytest.mark.parametrize("hindrance", HINDRANCES)
def test_a_choice_that_could_not_be_carried_out_stays_a_choice(hindrance: str) -> None:
    with world() as there_is:
        here, there = two(there_is)
        HINDRANCES[hindrance](there_is)
        there_is.couple(here, there, synchronise="no", winners={"city": LOCAL})
        assert there_is.value(Side.REMOTE, there, "city") == "Lyon"
        there_is.systems[Side.REMOTE].faults.clear()
        settle(there_is)
        assert held(there_is, here, there) == (HERE, ("There", "Ely", "2", 6, 2)), there_is.story()


def test_a_choice_that_waits_for_a_currency_is_carried_out_once_that_is_coupled() -> None:
    with world() as there_is:
        there_is.change_mapping("CURRENCY", only_coupled=True)
        euro = there_is.make(Side.LOCAL, "CURRENCY", code="EUR", name="Euro")
        other = there_is.make(Side.REMOTE, "CURRENCY", code="EUR", name="Euro")
        here, there = two(there_is)
        there_is.edit(Side.LOCAL, here, currency="EUR")
        there_is.couple(here, there, synchronise="no", winners={"currency": LOCAL})
        assert there_is.coupling(here).state is CouplingState.WAITING
        there_is.couple(euro, other, "CURRENCY")
        settle(there_is)
        assert there_is.value(Side.REMOTE, there, "currency") == other, there_is.story()


def test_what_is_edited_before_the_choice_is_carried_out_is_not_lost() -> None:
    with world() as there_is:
        here, there = two(there_is)
        there_is.killed_at(12, lambda: there_is.couple(here, there, synchronise="no", winners={"city": LOCAL}))
        assert there_is.couplings(), "it dies between coupling and writing"
        there_is.edit(Side.REMOTE, there, city="Oslo", name="Edited")
        settle(there_is)
        assert there_is.value(Side.REMOTE, there, "city") == "Ely"
        assert there_is.value(Side.LOCAL, here, "name") == "Edited"
        lost = [change.lost for entry in there_is.journal() for change in entry.changes if change.lost]
        assert lost == ["Oslo"]
