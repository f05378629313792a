"""Kept answers: of several who send one request, one works on it, and all get what it came to."""

from datetime import UTC, datetime, timedelta

from crosstie.model.answers import Answer, Asked
from crosstie.store.base import Store

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANSWER = Answer(status=201, headers={"content-type": "application/json"}, body='{"a": "ä"}')


def asked(id: str = "a", owner: str = "one") -> Asked:
    return Asked(id=id, request="digest", owner=owner, at=NOW)


def test_a_request_is_begun_once_and_its_answer_kept(store: Store) -> None:
    with store.begin() as unit:
        assert unit.answers.begin(asked())
        assert not unit.answers.begin(asked(owner="two"))
    with store.begin() as unit:
        assert unit.answers.find("a") == asked()
        unit.answers.keep("a", "one", ANSWER)
    with store.begin() as unit:
        found = unit.answers.find("a")
        assert found is not None
        assert found.answer == ANSWER
        assert unit.answers.find("b") is None


def test_only_its_owner_answers_or_forgets_a_request_and_an_answered_one_stays(store: Store) -> None:
    with store.begin() as unit:
        unit.answers.begin(asked())
        unit.answers.keep("a", "two", ANSWER)
        unit.answers.forget("a", "two")
        assert unit.answers.find("a") == asked()
        unit.answers.keep("a", "one", ANSWER)
        unit.answers.forget("a", "one")
        assert unit.answers.find("a") is not None
        unit.answers.begin(asked("b"))
        unit.answers.forget("b", "one")
        assert unit.answers.find("b") is None


def test_one_of_those_who_take_over_from_a_dead_process_gets_the_request(store: Store) -> None:
    with store.begin() as unit:
        unit.answers.begin(asked())
        found = unit.answers.find("a")
        assert found is not None
        assert unit.answers.take_over(found, "two", NOW)
        assert not unit.answers.take_over(found, "three", NOW)


def test_what_is_old_is_forgotten(store: Store) -> None:
    with store.begin() as unit:
        unit.answers.begin(asked())
        assert unit.answers.forget_before(NOW) == 0
        assert unit.answers.forget_before(NOW + timedelta(seconds=1)) == 1
        assert unit.answers.find("a") is None
