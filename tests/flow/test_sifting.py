"""What has not changed is passed by at a look at its version, in a plan at its base; what has is found all the same."""

import pytest

from crosstie.engine import synchronise
from tests.flow.flow import Flow, Watcher, told

FIVE = {f"{number}0000": {"displayName": f"Customer {number}", "city": "Leeds"} for number in range(1, 6)}


def touch(flow: Flow, side: str) -> None:
    """Change the first customer on a side and take it back: another version, the same values."""
    pair = flow.pair_of("10000")
    for city in ("York", "Leeds"):
        if side == "local":
            flow.bc.change("customers", pair.local_id, city=city)
        else:
            flow.dv.change("accounts", pair.remote_id, address1_city=city)


@pytest.mark.parametrize("side", ["local", "remote"])
@pytest.mark.parametrize("full", [False, True])
async def test_a_plan_passes_by_what_was_only_touched_and_finds_what_was_edited(
    flow: Flow, side: str, full: bool
) -> None:
    pairs = await flow.pairs(FIVE)
    await flow.sync("CUSTOMER")
    touch(flow, side)
    flow.dv.change("accounts", pairs[1].remote_id, address1_city="Hull")
    watcher = Watcher()
    planned = await flow.sync("CUSTOMER", full=full, dry_run=True, observer=watcher)
    async with flow.counting() as counted:
        done = await flow.sync("CUSTOMER", full=full)
    assert [decision.action.value for decision in watcher.decisions if decision.to_local or decision.to_remote] == [
        "update"
    ]
    assert (planned.from_remote.modified, planned.to_remote.modified) == (1, 0)
    assert (done.from_remote.modified, done.to_remote.modified) == (1, 0)
    assert told(planned)[1]["modified"] == told(done)[1]["modified"] == 1
    assert sum(counted.writes.values()) == 1
    assert flow.bc.customer("20000")["city"] == "Hull"


async def test_a_touched_record_of_a_plan_is_counted_and_not_shown(flow: Flow) -> None:
    await flow.pairs(FIVE)
    await flow.sync("CUSTOMER")
    touch(flow, "local")
    watcher = Watcher()
    planned = await flow.sync("CUSTOMER", dry_run=True, observer=watcher)
    assert (told(planned), watcher.decisions) == (({"unchanged": 1}, {}), [])
    assert told(await flow.sync("CUSTOMER")) == told(planned)


async def test_pages_that_overlap_create_and_change_each_record_once(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synchronise, "PAGE", 2)
    for number, values in FIVE.items():
        flow.bc.add("customers", number=number, **values)
    created = await flow.sync("CUSTOMER", create=True)
    assert created.to_remote.inserted == len(FIVE)
    assert len(flow.couplings()) == len(FIVE)
    for number in FIVE:
        flow.bc.change("customers", flow.pair_of(number).local_id, city="York")
    changed = await flow.sync("CUSTOMER")
    assert (told(changed), flow.problems()) == (({"modified": len(FIVE)}, {}), [])


async def test_the_changes_of_many_pages_go_out_in_one_batch(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a full synchronisation only what is to be looked at fills pages, and so batches."""
    pairs = await flow.pairs(FIVE)
    await flow.sync("CUSTOMER")
    monkeypatch.setattr(synchronise, "PAGE", 2)
    for pair in (pairs[0], pairs[4]):
        flow.bc.change("customers", pair.local_id, city="York")
    async with flow.counting() as counted:
        report = await flow.sync("CUSTOMER", full=True)
    assert report.to_remote.modified == 2
    assert sum(counted.writes.values()) == 2
    assert flow.dv.requests().batches == 1
