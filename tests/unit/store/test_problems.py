"""The queries on problems, on both databases."""

from decimal import Decimal

import msgspec
import pytest

from crosstie.model.mappings import Direction
from crosstie.model.problems import NewProblem, Problem, ProblemClass, ProblemField, WaitsFor
from crosstie.model.records import Side
from crosstie.store import Store
from tests.unit.store.values import CUSTOMER, LATER, NOW, new_coupling, new_problem

EURO = WaitsFor("CURRENCY", Side.LOCAL, "EUR")
PARENT = WaitsFor("CUSTOMER", Side.REMOTE, "remote-9")

FULL = new_problem(
    1,
    remote_id="remote-1",
    coupling_id=7,
    problem_class=ProblemClass.CONFLICT,
    direction=Direction.BIDIRECTIONAL,
    fields=(
        ProblemField(field="name", label="Name", base_local="a", base_remote="a", local="b", remote="c", words="!"),
        ProblemField(field="credit", local=Decimal("1.50"), remote=7),
    ),
    waits_for=(EURO, PARENT),
    local_version="1",
    remote_version="2",
    job_id=3,
)


def put(store: Store, *new: NewProblem, now: object = NOW) -> list[Problem]:
    with store.begin() as unit:
        return unit.put_problems(new, now)  # type: ignore[arg-type]


def open_ids(store: Store) -> list[int]:
    with store.begin() as unit:
        return [problem.id for problem in unit.problems()]


def test_a_problem_comes_back_as_it_was_stored(store: Store) -> None:
    [stored] = put(store, FULL)
    assert stored == Problem(**msgspec.structs.asdict(FULL), id=stored.id, attempts=1, first_seen=NOW, last_seen=NOW)
    with store.begin() as unit:
        assert unit.problems() == [msgspec.structs.replace(stored, waits_for=(EURO, PARENT))]


def test_the_same_code_and_words_raise_the_attempts_and_others_begin_anew(store: Store) -> None:
    [first] = put(store, new_problem(1))
    [second] = put(store, new_problem(1), now=LATER)
    assert second == msgspec.structs.replace(first, attempts=2, last_seen=LATER)
    [third] = put(store, new_problem(1, words="Other words."), now=LATER)
    assert (third.id, third.attempts, third.first_seen) == (first.id, 1, LATER)
    [fourth] = put(store, new_problem(1, words="Other words.", code="refused"), now=LATER)
    assert (fourth.id, fourth.attempts) == (first.id, 1)
    assert open_ids(store) == [first.id]


def test_problems_of_many_records_are_put_at_once_in_their_order(store: Store) -> None:
    first = put(store, *(new_problem(number) for number in range(1200)))
    second = put(store, *(new_problem(number) for number in reversed(range(600, 1800))))
    assert [problem.local_id for problem in second] == [f"local-{number}" for number in reversed(range(600, 1800))]
    assert [problem.attempts for problem in second] == [1] * 600 + [2] * 600
    assert {problem.id for problem in first[600:]} == {problem.id for problem in second[600:]}


def test_a_record_has_one_problem_a_mapping(store: Store) -> None:
    first, second, other = put(store, new_problem(1), new_problem(1), new_problem(1, "CONTACT"))
    assert first == second
    assert second.attempts == 2
    assert open_ids(store) == [first.id, other.id]


def test_a_problem_is_renewed_under_either_of_its_ids(store: Store) -> None:
    [first] = put(store, new_problem(1, remote_id="remote-1"))
    [second] = put(store, new_problem(1, local_id=None, remote_id="remote-1"))
    [third] = put(store, new_problem(1, remote_id="remote-1"))
    assert (second.id, third.id) == (first.id, first.id)
    assert third.attempts == 3


def test_the_problems_of_two_halves_become_one_when_they_are_coupled(store: Store) -> None:
    local, remote = put(store, new_problem(1), new_problem(1, local_id=None, remote_id="remote-1", waits_for=(EURO,)))
    [both] = put(store, new_problem(1, remote_id="remote-1"))
    assert both.id == local.id
    assert open_ids(store) == [local.id] != [remote.id]
    with store.begin() as unit:
        assert unit.waiting_for("CURRENCY", Side.LOCAL, ["EUR"]) == []


@pytest.mark.parametrize(
    ("problem", "coupled", "side", "record_id"),
    [
        pytest.param(new_problem(1), False, Side.LOCAL, "local-1", id="its only id"),
        pytest.param(new_problem(1, remote_id="remote-1"), False, Side.LOCAL, "local-1", id="local id"),
        pytest.param(new_problem(1, remote_id="remote-1"), False, Side.REMOTE, "remote-1", id="remote id"),
        pytest.param(new_problem(1), True, Side.REMOTE, "remote-1", id="local, coupled since, by remote"),
        pytest.param(
            new_problem(1, local_id=None, remote_id="remote-1"), True, Side.LOCAL, "local-1", id="remote, by local"
        ),
    ],
)
def test_a_problem_is_found_and_closed_under_either_id(
    store: Store, problem: NewProblem, coupled: bool, side: Side, record_id: str
) -> None:
    [stored] = put(store, problem)
    put(store, new_problem(2), new_problem(1, "CONTACT"))
    with store.begin() as unit:
        if coupled:
            unit.couplings.insert([new_coupling(1)], NOW)
        assert unit.problems(CUSTOMER, records=[(side, record_id)]) == [stored]
        assert unit.close_problems(CUSTOMER, side, [record_id, "unknown"], LATER) == 1
        assert unit.problems(CUSTOMER, records=[(side, record_id)]) == []
        assert unit.close_problems(CUSTOMER, side, [record_id], LATER) == 0
        assert [each.local_id for each in unit.problems()] == ["local-2", "local-1"]


def test_an_id_of_the_other_side_names_no_record(store: Store) -> None:
    put(store, new_problem(1, local_id="same", remote_id=None))
    with store.begin() as unit:
        assert unit.close_problems(CUSTOMER, Side.REMOTE, ["same"], NOW) == 0
        assert unit.problems(records=[(Side.REMOTE, "same")]) == []


def test_a_closed_problem_that_comes_back_is_a_new_one(store: Store) -> None:
    [first] = put(store, new_problem(1))
    with store.begin() as unit:
        unit.close_problems(CUSTOMER, Side.LOCAL, ["local-1"], NOW)
    [second] = put(store, new_problem(1), now=LATER)
    assert second.id > first.id
    assert (second.attempts, second.first_seen) == (1, LATER)


def test_closing_many_says_how_many(store: Store) -> None:
    put(store, *(new_problem(number) for number in range(1500)))
    with store.begin() as unit:
        ids = [f"local-{number}" for number in range(1, 5000)]
        assert unit.close_problems(CUSTOMER, Side.LOCAL, iter(ids), NOW) == 1499
        assert unit.close_problems(CUSTOMER, Side.LOCAL, [], NOW) == 0
    assert len(open_ids(store)) == 1


def test_problems_are_listed_by_mapping_code_and_record_in_pages(store: Store) -> None:
    one, two, three, four = put(
        store, new_problem(1), new_problem(2, code="refused"), new_problem(3, "CONTACT"), new_problem(4, code="refused")
    )
    with store.begin() as unit:
        assert unit.problems(CUSTOMER) == [one, two, four]
        assert unit.problems(code="refused") == [two, four]
        assert unit.problems(after_id=one.id, limit=2) == [two, three]
        records = [(Side.LOCAL, f"local-{number}") for number in (4, 3, 1)]
        assert unit.problems(records=records) == [one, three, four]
        assert unit.problems(CUSTOMER, records=iter(records), after_id=one.id) == [four]
        assert unit.problems(records=records, limit=1) == [one]
        assert unit.problems(records=[]) == []
        assert unit.count_problems() == {CUSTOMER: {"too-long": 1, "refused": 2}, "CONTACT": {"too-long": 1}}


def test_what_waits_for_a_record_is_found_by_its_id_or_key_until_it_waits_no_more(store: Store) -> None:
    one, two, _ = put(
        store,
        new_problem(1, waits_for=(EURO, EURO)),
        new_problem(2, waits_for=(EURO, PARENT)),
        new_problem(3, waits_for=(WaitsFor("CURRENCY", Side.REMOTE, "EUR"),)),
    )
    with store.begin() as unit:
        assert [each.id for each in unit.waiting_for("CURRENCY", Side.LOCAL, ["EUR", "USD"])] == [one.id, two.id]
        assert [each.id for each in unit.waiting_for(CUSTOMER, Side.REMOTE, ["remote-9"])] == [two.id]
        assert unit.waiting_for("CONTACT", Side.LOCAL, ["EUR"]) == []
        unit.put_problems([new_problem(1, waits_for=(PARENT,))], NOW)
        assert [each.id for each in unit.waiting_for("CURRENCY", Side.LOCAL, ["EUR"])] == [two.id]
        unit.close_problems(CUSTOMER, Side.LOCAL, ["local-2"], NOW)
        assert unit.waiting_for("CURRENCY", Side.LOCAL, ["EUR"]) == []
        [left] = unit.waiting_for(CUSTOMER, Side.REMOTE, ["remote-9"])
        assert left.waits_for == (PARENT,)


def test_putting_nothing_is_nothing(store: Store) -> None:
    assert put(store) == []
