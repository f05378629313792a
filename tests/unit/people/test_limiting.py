"""How often signing in may fail: a table of failures, and when the next try is possible."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosstie.app.people.limiting import Limits, next_try, place_of
from crosstie.model.people import Attempt
from tests.unit.people.conftest import START

LIMITS = Limits(window=timedelta(minutes=15), name_and_place=3, place=5, name=6)


def failed(*given: tuple[str, str, float]) -> list[Attempt]:
    """Failures as (name, place, minutes after the start)."""
    return [Attempt(name_digest=name, place=place, at=START + timedelta(minutes=at)) for name, place, at in given]


OWN = ("anna", "here")


@pytest.mark.parametrize(
    ("attempts", "minute", "free_at"),
    [
        pytest.param([], 0, None, id="nothing failed"),
        pytest.param([(*OWN, 0), (*OWN, 1)], 2, None, id="one less than the limit"),
        pytest.param([(*OWN, 0), (*OWN, 1), (*OWN, 2)], 3, 15, id="the limit waits for the first to be forgotten"),
        pytest.param([(*OWN, 0), (*OWN, 1), (*OWN, 2)], 14.9, 15, id="just before the first is forgotten"),
        pytest.param([(*OWN, 0), (*OWN, 1), (*OWN, 2)], 15, None, id="the first is forgotten"),
        pytest.param([(*OWN, 0), (*OWN, 1), (*OWN, 2), (*OWN, 15)], 15.5, 16, id="one try after that, not three"),
        pytest.param([(*OWN, 0), (*OWN, 8), (*OWN, 14), (*OWN, 16)], 17, 23, id="the window moves, it is not a grid"),
        pytest.param([("ben", "here", 0), ("carla", "here", 0), (*OWN, 1), (*OWN, 2)], 3, None, id="others beside"),
        pytest.param([(each, "here", at) for at, each in enumerate("abcde")], 6, 15, id="many names from one place"),
        pytest.param([("anna", each, at) for at, each in enumerate("abcdef")], 7, 15, id="one name from many places"),
        pytest.param([("anna", each, at) for at, each in enumerate("abcde")], 7, None, id="one less of these"),
        pytest.param(
            [(*OWN, 0), (*OWN, 0), (*OWN, 0), *((each, "here", 5) for each in "abcde")], 6, 20, id="the longer of two"
        ),
    ],
)
def test_when_the_next_try_is_possible(
    attempts: list[tuple[str, str, float]], minute: float, free_at: float | None
) -> None:
    found = next_try(failed(*attempts), *OWN, LIMITS, START + timedelta(minutes=minute))
    assert found == (None if free_at is None else START + timedelta(minutes=free_at))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 40)), max_size=20))
def test_whoever_waits_until_then_may_try(given: list[tuple[str, str, int]]) -> None:
    attempts = failed(*sorted(given, key=lambda each: each[2]))
    now = START + timedelta(minutes=40)
    until = next_try(attempts, "a", "x", LIMITS, now)
    if until is not None:
        assert now < until <= now + LIMITS.window
        assert next_try(attempts, "a", "x", LIMITS, until) is None
        just_before = until - timedelta(microseconds=1)
        assert next_try(attempts, "a", "x", LIMITS, just_before) is not None


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_a_place_is_an_address_or_the_network_that_one_place_has_to_itself(address: str, place: str) -> None:
    assert place_of(address) == place
