"""Selections: what they come to, large ones that are kept in the store, and 50,000 records dealt with in one go."""

import os
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from crosstie.app import selecting
from crosstie.app.background import read_arguments
from crosstie.app.coupling import uncouple
from crosstie.app.selecting import FIRST_NAMES, KEPT, MOST_IDS, Selection, describe_selection, ids_of, keep_selection
from crosstie.app.session import utc_now
from crosstie.engine.context import Task
from crosstie.model.couplings import NewCoupling
from crosstie.model.errors import InvalidOption, NotCoupled
from crosstie.model.records import Side
from tests.unit.app.desk import Desk

THERE = int(os.environ.get("CROSSTIE_SELECTED", "2000"))
"""So many of the records that are selected exist; the long form has them all."""
FREE = 500


def keep(desk: Desk, selection: Selection) -> Selection:
    home: Any = SimpleNamespace(store=desk.store)
    return keep_selection(home, selection)


async def chosen(desk: Desk, selection: Selection) -> list[str]:
    return await ids_of(await desk.session.context("CUSTOMER", Task()), selection)


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(), "Nothing is selected"),
        (Selection(ids=("a",), all=True), "Nothing is selected"),
        (Selection(ids=("a",), kept="b"), "Nothing is selected"),
        (Selection(ids=tuple(map(str, range(MOST_IDS + 1)))), "At most 50,000 records are selected one by one"),
        (Selection(all=True, excluded=tuple(map(str, range(MOST_IDS + 1)))), "At most 50,000 records"),
        (Selection(all=True, states=("nonsense",)), "no state of a record"),
    ],
)
async def test_what_selects_nothing_or_too_much_is_refused(desk: Desk, selection: Selection, words: str) -> None:
    with pytest.raises(InvalidOption, match=words):
        keep(desk, selection)
    with pytest.raises(InvalidOption, match=words):
        await describe_selection(desk.session, "CUSTOMER", selection)


async def test_a_few_ids_are_carried_and_many_are_kept_once(desk: Desk) -> None:
    few = Selection(ids=("a", "b"))
    assert keep(desk, few) == few
    many = Selection(ids=tuple(f"id-{number}" for number in range(1000)), excluded=("id-7",))
    kept = keep(desk, many)
    assert (kept.ids, kept.excluded) == ((), ("id-7",))
    assert keep(desk, many) == kept == keep(desk, kept)
    assert await chosen(desk, kept) == [id for id in many.ids if id != "id-7"]
    arguments = read_arguments("synchronise", {"mapping": "CUSTOMER", "selection": msgspec.to_builtins(kept)})
    assert len(msgspec.json.encode(arguments)) < 1000, "a job names its selection"


async def test_what_is_kept_no_longer_is_told(desk: Desk) -> None:
    kept = keep(desk, Selection(ids=tuple(f"id-{number}" for number in range(1000))))
    with desk.store.begin() as unit:
        assert unit.lists.forget_selections(utc_now() - KEPT) == 0
        assert unit.lists.forget_selections(utc_now() + timedelta(seconds=1)) == 1
    with pytest.raises(InvalidOption, match="no longer kept"):
        await chosen(desk, kept)
    with pytest.raises(InvalidOption, match="no longer kept"):
        await uncouple(desk.session, "CUSTOMER", selection=kept)


@pytest.fixture
def crowded(desk: Desk) -> Desk:
    """Customers, all of them but 500 coupled."""
    couplings = []
    for number in range(THERE):
        local = desk.world.customer(f"{number:05}")
        if number < THERE - FREE:
            remote = desk.world.account(f"Customer {number:05}")
            couplings.append(
                NewCoupling(mapping="CUSTOMER", local_id=local, remote_id=remote, local_key=f"{number:05}")
            )
    with desk.store.begin() as unit:
        unit.couplings.insert(couplings, desk.world.clock())
    return desk


@pytest.mark.parametrize("most", [100, THERE])
async def test_what_matches_a_search_is_counted_as_far_as_a_dialog_waits(
    crowded: Desk, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(selecting, "MOST_COUNTED", most)
    reads = crowded.world.local.requests.reads
    selection = Selection(all=True, search="Customer")
    selected = await describe_selection(crowded.session, "CUSTOMER", selection)
    assert len(selected.names) == FIRST_NAMES
    assert crowded.world.local.requests.reads - reads <= 4
    if most == THERE:
        assert (selected.more, selected.total, selected.coupled) == (False, THERE, THERE - FREE)
        return
    assert (selected.more, selected.total, selected.not_coupled) == (True, None, None)
    assert selected.by_state == {"never_synchronised": None}
    assert 0 < selected.coupled <= most + 1
    uncoupled = msgspec.structs.replace(selection, only=("not_coupled",))
    assert (await describe_selection(crowded.session, "CUSTOMER", uncoupled)).more
    assert len(await chosen(crowded, selection)) == THERE, "what is described is not what is dealt with"


@pytest.mark.parametrize(
    ("selection", "total", "coupled"),
    [
        (Selection(all=True), THERE, THERE - FREE),
        (Selection(all=True, only=("never_synchronised", "conflict")), THERE - FREE, THERE - FREE),
        (Selection(all=True, only=("not_coupled",)), FREE, 0),
        (Selection(all=True, states=("never_synchronised",), only=("conflict",)), 0, 0),
        (Selection(all=True, states=("never_synchronised", "not_coupled"), only=("not_coupled",)), FREE, 0),
    ],
)
async def test_all_of_a_list_is_described_without_reading_it(
    crowded: Desk, selection: Selection, total: int, coupled: int
) -> None:
    reads = crowded.world.local.requests.reads
    selected = await describe_selection(crowded.session, "CUSTOMER", selection)
    assert (selected.total, selected.coupled, selected.more) == (total, coupled, False)
    assert crowded.world.local.requests.reads - reads <= 1
    assert len(await chosen(crowded, selection)) == total


@pytest.mark.parametrize("ticked", [True, False])
async def test_fifty_thousand_records_are_uncoupled_each_once(crowded: Desk, ticked: bool) -> None:
    everybody = [record.id for record in crowded.world.local.records("customers")]
    gone = [f"gone-{number}" for number in range(MOST_IDS - THERE)]
    untouched = tuple(everybody[:3])
    with crowded.store.begin() as unit:
        coupled = set(unit.lists.states("CUSTOMER", Side.LOCAL, everybody)) - {*untouched}
    whole = Selection(ids=(*everybody, *gone)) if ticked else Selection(all=True)
    selection = keep(crowded, msgspec.structs.replace(whole, excluded=untouched))
    selected = await describe_selection(crowded.session, "CUSTOMER", selection)
    assert (selected.total, selected.coupled) == ((MOST_IDS if ticked else THERE) - 3, len(coupled))
    report = await uncouple(crowded.session, "CUSTOMER", selection=selection, forced=True)
    assert report.job_id is not None
    with crowded.store.begin() as unit:
        entries = Counter(entry.local_id for entry in unit.journal(job_id=report.job_id, limit=THERE * 2))
        assert not set(unit.lists.states("CUSTOMER", Side.LOCAL, everybody)) & coupled
    assert entries == dict.fromkeys(coupled, 1)
    with pytest.raises(NotCoupled):
        await uncouple(crowded.session, "CUSTOMER", selection=selection, forced=True)
