"""The queries on problems that people look at, on both databases."""

from datetime import timedelta

import pytest

from crosstie.model.problems import NewProblem, ProblemClass, ProblemFilter, WaitsFor
from crosstie.model.records import Side
from crosstie.store import Store
from tests.unit.store.values import CUSTOMER, NOW, new_problem

EURO = WaitsFor("CURRENCY", Side.LOCAL, "EUR")
YEN = WaitsFor("CURRENCY", Side.LOCAL, "JPY")
WAITING = {"code": "waiting-for-partner", "problem_class": ProblemClass.WAITING}
YESTERDAY = NOW - timedelta(days=1)


def put(store: Store, *new: NewProblem, age: timedelta = timedelta(0)) -> list[int]:
    with store.begin() as unit:
        return [each.id for each in unit.put_problems(new, NOW - age)]


@pytest.fixture
def filled(store: Store) -> Store:
    put(store, new_problem(1, code="refused"), new_problem(2, code="refused"), age=timedelta(days=3))
    put(
        store,
        new_problem(3, code="refused", name="Ørsted & 100 %_Sons"),
        new_problem(1, mapping="VENDOR", code="refused", words="The Fax number is wrong."),
        *(new_problem(number, waits_for=(EURO,), **WAITING) for number in range(10, 15)),
        new_problem(20, waits_for=(EURO, YEN), **WAITING),
    )
    with store.begin() as unit:  # what is solved counts nowhere
        unit.put_problems([new_problem(30, code="refused")], NOW)
        unit.close_problems(CUSTOMER, Side.LOCAL, ["local-30"], NOW)
    return store


def test_problems_are_counted_by_cause_with_the_new_and_the_oldest(filled: Store) -> None:
    with filled.begin() as unit:
        waiting, refused = unit.lists.problem_groups(ProblemFilter(), YESTERDAY)
    assert (waiting.code, waiting.count, waiting.new) == ("waiting-for-partner", 6, 6)
    assert (refused.code, refused.mappings) == ("refused", {CUSTOMER: 3, "VENDOR": 1})
    assert (refused.new, refused.oldest) == (2, NOW - timedelta(days=3))


def test_those_that_wait_are_told_apart_by_what_they_wait_for(filled: Store) -> None:
    with filled.begin() as unit:
        groups = unit.lists.waiting_groups(ProblemFilter(), YESTERDAY)
        first = unit.lists.waiting_groups(ProblemFilter(), YESTERDAY, limit=1)
        assert unit.lists.waiting_groups(ProblemFilter(mapping="VENDOR"), YESTERDAY) == []
    assert [(each.waits_for, each.count) for each in groups] == [(EURO, 6), (YEN, 1)]
    assert first == groups[:1]


@pytest.mark.parametrize(
    ("filter", "number"),
    [
        (ProblemFilter(), 10),
        (ProblemFilter(mapping="VENDOR"), 1),
        (ProblemFilter(problem_class=ProblemClass.WAITING), 6),
        (ProblemFilter(code="refused", mapping=CUSTOMER), 3),
        (ProblemFilter(search="ørsted"), 1),
        (ProblemFilter(search="100 %_"), 1),
        (ProblemFilter(search="%"), 1),
        (ProblemFilter(search="fax NUMBER"), 1),
        (ProblemFilter(waits_for=EURO), 6),
        (ProblemFilter(waits_for=YEN), 1),
        (ProblemFilter(waits_for=YEN, search="nobody"), 0),
    ],
)
def test_a_filter_admits_what_it_says(filled: Store, filter: ProblemFilter, number: int) -> None:
    with filled.begin() as unit:
        assert len(unit.lists.problems(filter)) == number
        assert sum(each.count for each in unit.lists.problem_groups(filter, NOW)) == number


def test_pages_follow_one_another_and_chosen_ones_are_found_by_their_ids(filled: Store) -> None:
    with filled.begin() as unit:
        first = unit.lists.problems(ProblemFilter(), limit=4)
        second = unit.lists.problems(ProblemFilter(), limit=100, after_id=first[-1].id)
        assert len({each.id for each in (*first, *second)}) == 10
        chosen = unit.lists.problems(ProblemFilter(), ids=[second[0].id, first[0].id, 999_999])
    assert chosen == [first[0], second[0]]
