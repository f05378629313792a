"""What holds for every order in which mappings and writes are dealt with, and for every set of couplings."""

from hypothesis import given, settings
from hypothesis import strategies as st

from crosstie.engine.changes import CouplingSet
from crosstie.engine.planning import order_mappings
from crosstie.model.mappings import Mapping
from tests.unit.engine.pairs import mapping, row

MANY = settings(max_examples=150, deadline=None)
NAMES = "ABCDEF"


def named(name: str, order: int, depends_on: tuple[str, ...]) -> Mapping:
    return mapping(row("name", "fullname"), name=name, order=order, depends_on=depends_on)


@st.composite
def graphs(draw: st.DrawFn, *, circles: bool) -> list[Mapping]:
    """Mappings that depend on one another, and on some that are not there."""
    names = draw(st.permutations(NAMES[: draw(st.integers(1, len(NAMES)))]))
    found = []
    for place, name in enumerate(names):
        known = list(names) if circles else list(names[:place])
        on = draw(st.sets(st.sampled_from([*known, "ELSEWHERE"])))
        found.append(named(name, draw(st.integers(0, 3)), tuple(sorted(on - {name}))))
    return found


@given(graphs(circles=False))
@MANY
def test_every_mapping_comes_once_and_after_all_that_it_depends_on(given_: list[Mapping]) -> None:
    ordered = [each.name for each in order_mappings(given_)]
    assert sorted(ordered) == sorted(each.name for each in given_)
    for each in given_:
        assert all(ordered.index(on) < ordered.index(each.name) for on in each.depends_on if on in ordered)


@given(graphs(circles=True), st.randoms())
@MANY
def test_the_order_does_not_depend_on_who_was_named_first_and_circles_lose_nobody(
    given_: list[Mapping], luck: object
) -> None:
    shuffled = sorted(given_, key=lambda _: luck.random())  # type: ignore[attr-defined]
    ordered = [each.name for each in order_mappings(given_)]
    assert [each.name for each in order_mappings(shuffled)] == ordered
    assert sorted(ordered) == sorted(each.name for each in given_)


@given(st.sets(st.integers(1, 400_000)), st.sets(st.integers(1, 400_000)), st.booleans())
@MANY
def test_a_set_of_couplings_is_a_set(seen: set[int], asked: set[int], overlap: bool) -> None:
    wanted = sorted(asked | seen if overlap else asked)
    found = CouplingSet()
    found.add(seen)
    assert found.without(wanted) == [id for id in wanted if id not in seen]
