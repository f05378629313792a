"""Pages overlap, records do not, and an error does not tear down what is being written."""

import asyncio
from collections.abc import Callable

import pytest

from crosstie.engine.lanes import Lanes


class Pages:
    """Pages that note when they begin and end, and end when told to."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.doors: dict[str, asyncio.Event] = {}

    async def page(self, name: str, error: Exception | None = None) -> None:
        self.told.append(f"{name} begins")
        door = self.doors.setdefault(name, asyncio.Event())
        await door.wait()
        if error is not None:
            raise error
        self.told.append(f"{name} ends")

    def let(self, *names: str) -> None:
        for name in names:
            self.doors.setdefault(name, asyncio.Event()).set()


async def settled(until: Callable[[], bool] = lambda: False) -> None:
    for _ in range(20):
        if until():
            return
        await asyncio.sleep(0)


async def carry(pages: Pages, most: int, *work: tuple[str, str], errors: dict[str, Exception] | None = None) -> None:
    async with Lanes(most) as lanes:
        for name, ids in work:
            await lanes.carry(frozenset(ids), pages.page(name, (errors or {}).get(name)))


@pytest.mark.parametrize(
    ("most", "work", "begun"),
    [
        pytest.param(2, [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")], ["1", "2", "3"], id="two overlap"),
        pytest.param(1, [("1", "a"), ("2", "b"), ("3", "c")], ["1", "2"], id="one after the other"),
        pytest.param(2, [("1", "a"), ("2", "b"), ("3", "b")], ["1", "2"], id="a record comes twice"),
    ],
)
async def test_pages_overlap_once_the_first_has_ended(most: int, work: list[tuple[str, str]], begun: list[str]) -> None:
    pages = Pages()
    job = asyncio.create_task(carry(pages, most, *work))
    await settled()
    assert pages.told == ["1 begins"], "the first shows alone that pages can be carried"
    pages.let("1")
    await settled()
    assert [each.split()[0] for each in pages.told if each.endswith("begins")] == begun
    pages.let(*(name for name, _ in work))
    await job
    assert sorted(each for each in pages.told if each.endswith("ends")) == [f"{name} ends" for name, _ in work]


async def test_an_error_is_raised_when_what_is_under_way_has_ended() -> None:
    pages = Pages()
    work = [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")]
    job = asyncio.create_task(carry(pages, 2, *work, errors={"2": ValueError("no more")}))
    pages.let("1", "2")
    await settled(lambda: "3 begins" in pages.told)
    await settled()
    assert not job.done(), "the third page is being written"
    pages.let("3")
    with pytest.raises(ValueError, match="no more"):
        await job
    assert "3 ends" in pages.told
    assert "4 begins" not in pages.told


async def test_an_error_of_the_last_pages_is_raised_at_the_end() -> None:
    pages = Pages()
    pages.let("1")
    with pytest.raises(ValueError, match="no more"):
        await carry(pages, 2, ("1", "a"), errors={"1": ValueError("no more")})


async def test_being_cancelled_cancels_what_is_under_way() -> None:
    pages = Pages()
    pages.let("1")
    job = asyncio.create_task(carry(pages, 2, ("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")))
    await settled()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert {"2 ends", "3 ends"}.isdisjoint(pages.told)
