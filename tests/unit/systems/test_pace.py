"""How a connection paces itself, in a time of the test's own."""

import asyncio

import pytest

from crosstie.model.errors import Throttled
from crosstie.systems.limits import Limits
from crosstie.systems.pace import Pace


class Time:
    """Moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def pace(time: Time, **limits: float) -> Pace:
    return Pace(Limits(**limits), now=time, sleep=time.sleep, jitter=lambda: 1.0)  # type: ignore[arg-type]


async def most_at_once(pace: Pace, requests: int) -> int:
    running = most = 0

    async def request() -> None:
        nonlocal running, most
        async with pace.turn(1000):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(request() for _ in range(requests)))
    return most


async def test_no_more_requests_than_the_limit_are_under_way() -> None:
    assert await most_at_once(pace(Time(), concurrency=3), 10) == 3


async def test_throttling_halves_the_width_and_successes_widen_it_one_by_one() -> None:
    time = Time()
    tried = pace(time, concurrency=8)
    tried.throttled(1)
    assert tried.width == 4
    tried.throttled(2)
    assert tried.width == 4, "the same pause halves once"
    time.now += 2
    tried.throttled(1)
    assert tried.width == 2
    time.now += 1
    widths = []
    for _ in range(2 + 3 + 4):
        tried.succeeded()
        widths.append(tried.width)
    assert widths == [2, 3, 3, 3, 4, 4, 4, 4, 5]
    for _ in range(100):
        tried.succeeded()
    assert tried.width == 8


async def test_the_narrowed_width_holds_for_requests_that_follow() -> None:
    time = Time()
    tried = pace(time, concurrency=4)
    tried.throttled(5)
    assert await most_at_once(tried, 6) == 2
    assert sum(time.slept) == pytest.approx(5 * len(time.slept))


@pytest.mark.parametrize(
    ("retry_after", "throttlings", "pauses"),
    [
        (7.0, 1, [7.0]),
        (0.0, 1, [0.0]),
        (None, 5, [0.5, 1.0, 2.0, 4.0, 5.0]),
    ],
)
async def test_the_system_names_the_pause_or_it_doubles_up_to_a_limit(
    retry_after: float | None, throttlings: int, pauses: list[float]
) -> None:
    time = Time()
    tried = pace(time, first_pause=0.5, longest_pause=5.0)
    found = []
    for _ in range(throttlings):
        found.append(tried.throttled(retry_after))
        time.now += found[-1] + 0.001
    assert found == pauses


async def test_a_success_ends_the_doubling() -> None:
    time = Time()
    tried = pace(time, first_pause=1.0)
    tried.throttled(None)
    time.now += 2
    tried.succeeded()
    assert tried.throttled(None) == 1.0


async def test_the_longest_pause_of_several_counts() -> None:
    time = Time()
    tried = pace(time)
    tried.throttled(5)
    tried.throttled(1)
    async with tried.turn(60):
        assert time.now == pytest.approx(105)


async def test_a_pause_beyond_the_patience_is_told_at_once() -> None:
    time = Time()
    tried = pace(time)
    tried.throttled(90)
    with pytest.raises(Throttled, match="90 more seconds"):
        async with tried.turn(60):
            pass
    assert time.slept == []


async def test_jitter_spreads_back_offs_between_half_and_whole() -> None:
    limits = Limits(first_pause=1.0, longest_pause=60.0)
    assert Pace(limits, jitter=lambda: 0.0).back_off(3) == 2.0
    assert Pace(limits, jitter=lambda: 1.0).back_off(3) == 4.0
    assert Pace(limits, jitter=lambda: 1.0).back_off(10_000) == 60.0


async def test_a_cancelled_waiter_gives_its_place_on() -> None:
    tried = pace(Time(), concurrency=1)
    order: list[str] = []

    async def request(name: str) -> None:
        async with tried.turn(10):
            order.append(name)
            await asyncio.sleep(0.01)

    first, second, third = (asyncio.create_task(request(name)) for name in ("first", "second", "third"))
    await asyncio.sleep(0.001)
    second.cancel()
    await asyncio.gather(first, third)
    assert order == ["first", "third"]
    assert second.cancelled()
