"""The decision how new problems meet those that are open."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from crosstie.model.problems import NewProblem, Problem
from crosstie.store.renewal import renew
from tests.unit.store.values import NOW, new_problem

ids = st.sampled_from([None, "1", "2", "3"])
drawn = st.lists(
    st.tuples(ids, ids, st.sampled_from(["a", "b"])).filter(lambda each: each[0] is not None or each[1] is not None),
    max_size=6,
)


def news(each: list[tuple[str | None, str | None, str]]) -> list[NewProblem]:
    return [new_problem(0, local_id=local, remote_id=remote, words=words) for local, remote, words in each]


@given(before=drawn, after=drawn)
def test_no_id_is_kept_under_two_problems_and_every_new_one_has_its_result(
    before: list[tuple[str | None, str | None, str]], after: list[tuple[str | None, str | None, str]]
) -> None:
    numbers = count(1)
    kept: dict[int, Problem] = {}
    for batch in (news(before), news(after)):
        renewal = renew(batch, kept.values(), NOW, numbers)
        assert {problem.id for problem in renewal.opened}.isdisjoint(kept)
        assert {problem.id for problem in renewal.renewed} | set(renewal.superseded) <= kept.keys()
        assert {problem.id for problem in renewal.renewed}.isdisjoint(renewal.superseded)
        kept = {id_: problem for id_, problem in kept.items() if id_ not in renewal.superseded}
        kept |= {problem.id: problem for problem in (*renewal.opened, *renewal.renewed)}
        for side_ids in ([p.local_id for p in kept.values()], [p.remote_id for p in kept.values()]):
            known = [id_ for id_ in side_ids if id_ is not None]
            assert len(known) == len(set(known))
        assert len(renewal.results) == len(batch)
        assert all(kept[result.id] == result for result in renewal.results)


def test_in_one_batch_two_halves_become_one_with_the_older_number() -> None:
    batch = [
        new_problem(1),
        new_problem(1, local_id=None, remote_id="remote-1"),
        new_problem(1, remote_id="remote-1"),
    ]
    renewal = renew(batch, [], NOW, count(10))
    [problem] = renewal.opened
    assert (problem.id, problem.local_id, problem.remote_id) == (10, "local-1", "remote-1")
    assert renewal.results == (problem, problem, problem)
    assert renewal.superseded == ()
