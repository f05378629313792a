"""Failing well over HTTP: what heals by itself heals, what does not is named, and nothing is done twice."""

import asyncio
from collections.abc import Callable

import pytest

from crosstie.model.errors import (
    CredentialsRefused,
    GarbledAnswer,
    MissingPrivilege,
    SystemFailure,
    Throttled,
    Unreachable,
)
from crosstie.model.records import Write, WriteKind, WriteStatus
from crosstie.systems.base import System

from .reading import changes, scan
from .worlds import HttpWorld, new_id

READ = {"method": "GET"}
BATCH = {"method": "POST", "path": r"\$batch"}


def creates(world: HttpWorld, count: int) -> list[Write]:
    return [
        Write(kind=WriteKind.CREATE, id=new_id(), values={world.fields.text: f"Customer {n:03}"}) for n in range(count)
    ]


@pytest.mark.parametrize(
    ("fault", "repeats"),
    [
        ({"kind": "throttle", "retry_after": 0.05, "times": 2}, 2),
        ({"kind": "throttle", "retry_after": None, "times": 1}, 1),
        ({"kind": "status", "status": 503, "times": 1, "retry_after": 0.05}, 1),
        ({"kind": "status", "status": 502, "times": 1, "retry_after": 0.05}, 1),
        ({"kind": "status", "status": 504, "times": 2}, 2),
        ({"kind": "status", "status": 500, "times": 1}, 1),
        ({"kind": "html", "times": 1}, 1),
        ({"kind": "html", "status": 200, "times": 1}, 1),
        ({"kind": "tear", "times": 2}, 2),
        ({"kind": "refuse", "status": 401, "times": 1}, 1),
        ({"kind": "slow", "seconds": 0.1}, 0),
        ({"kind": "late", "seconds": 0.1}, 0),
    ],
    ids=lambda value: "-".join(str(v) for v in value.values()) if isinstance(value, dict) else "",
)
async def test_a_read_heals_by_itself(
    http_world: HttpWorld, http_system: System, fault: dict[str, object], repeats: int
) -> None:
    ids = {http_world.put(**{http_world.fields.text: f"Customer {n}"}) for n in range(5)}
    await http_system.describe(http_world.table)
    before = http_system.requests.total
    http_world.fault(**fault, **READ)
    assert set(await scan(http_system, http_world.table, [http_world.fields.text])) == ids
    assert http_system.requests.retries == repeats
    assert http_system.requests.total == before + 1 + repeats


async def test_a_lost_connection_is_made_anew_for_a_read(http_world: HttpWorld, http_system: System) -> None:
    id = http_world.put(**{http_world.fields.text: "Adatum"})
    await http_system.describe(http_world.table)
    http_world.fault("drop_before", times=2, **READ)
    assert set(await scan(http_system, http_world.table, [])) == {id}
    http_world.fault("drop_after", times=2, **READ)
    assert set(await scan(http_system, http_world.table, [])) == {id}


async def test_a_feed_is_never_half_used(http_world: HttpWorld, build: Callable[..., System]) -> None:
    system = build(page_size=10, garbled_attempts=1)
    ids = {http_world.put(**{http_world.fields.text: f"Customer {n}"}) for n in range(35)}
    await system.describe(http_world.table)
    http_world.fault("tear", after=2, **READ)
    seen: set[str] = set()

    async def read() -> None:
        async for page in system.changes(http_world.table, None, []):
            assert page.cursor is None
            seen.update(record.id for record in page.records)

    with pytest.raises(GarbledAnswer):
        await read()
    assert len(seen) == 20
    records, _, cursor = await changes(system, http_world.table, None, [])
    assert set(records) == ids
    assert cursor


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"kind": "html", "times": None}, GarbledAnswer, "text/html"),
        ({"kind": "html", "status": 200, "times": None}, GarbledAnswer, "text/html"),
        ({"kind": "html", "status": 403, "times": None}, GarbledAnswer, "text/html; charset=utf-8, status 403"),
        ({"kind": "html", "status": 404, "times": None}, GarbledAnswer, "text/html; charset=utf-8, status 404"),
        ({"kind": "tear", "times": None}, GarbledAnswer, "breaks off"),
        ({"kind": "status", "status": 504, "times": None}, Unreachable, "504"),
        ({"kind": "drop_before", "times": None}, Unreachable, "no answer"),
        ({"kind": "throttle", "retry_after": 0.01, "times": None}, Throttled, "throttling"),
        ({"kind": "throttle", "retry_after": 3600, "times": None}, Throttled, "3600"),
        ({"kind": "refuse", "status": 401, "times": None}, CredentialsRefused, "refuse"),
        ({"kind": "refuse", "status": 403, "times": None}, MissingPrivilege, "refuse"),
    ],
    ids=lambda value: "-".join(str(v) for v in value.values()) if isinstance(value, dict) else "",
)
async def test_what_does_not_heal_is_named(
    http_world: HttpWorld,
    http_system: System,
    fault: dict[str, object],
    error: type[SystemFailure],
    words: str,
) -> None:
    await http_system.describe(http_world.table)
    http_world.fault(**fault, **READ)
    with pytest.raises(error, match=words) as raised:
        await scan(http_system, http_world.table, [])
    assert raised.value.advice
    assert http_system.requests.total <= 5


async def test_a_pause_holds_the_whole_connection(http_world: HttpWorld, http_system: System) -> None:
    await http_system.describe(http_world.table)
    loop = asyncio.get_running_loop()
    http_world.fault("throttle", retry_after=0.4, **READ)
    await asyncio.sleep(0)
    first = asyncio.create_task(http_system.count(http_world.table))
    await asyncio.sleep(0.15)
    started = loop.time()
    await http_system.count(http_world.table)
    assert loop.time() - started > 0.15
    await first
    assert http_system.requests.retries == 1


async def test_a_throttled_batch_is_sent_again_as_a_whole(http_world: HttpWorld, http_system: System) -> None:
    await http_system.describe(http_world.table)
    http_world.order("DELETE", "requests")
    http_world.fault("throttle", retry_after=0.05, **BATCH)
    results = await http_system.write(http_world.table, creates(http_world, 10), [])
    assert {result.status for result in results} == {WriteStatus.WRITTEN}
    assert http_world.requests()["by"]["POST $batch"] == 2
    assert http_system.requests.retries == 1


async def test_a_batch_whose_answer_is_lost_is_not_sent_again(http_world: HttpWorld, http_system: System) -> None:
    await http_system.describe(http_world.table)
    for fault in ({"kind": "drop_after"}, {"kind": "tear"}, {"kind": "status", "status": 504}, {"kind": "html"}):
        http_world.order("DELETE", "requests")
        http_world.fault(**fault, **BATCH)
        writes = creates(http_world, 5)
        results = await http_system.write(http_world.table, writes, [])
        assert {result.status for result in results} == {WriteStatus.UNKNOWN}, fault
        assert all(result.message for result in results)
        assert http_world.requests()["by"]["POST $batch"] == 1
        done = await http_system.get(http_world.table, [str(write.id) for write in writes], [])
        assert len(done) == (5 if fault["kind"] in ("drop_after", "tear") else 0)


async def test_a_lost_batch_leaves_the_others_alone(http_world: HttpWorld, build: Callable[..., System]) -> None:
    system = build(batch_size=10, concurrency=1)
    await system.describe(http_world.table)
    http_world.fault("drop_after", after=1, **BATCH)
    writes = creates(http_world, 30)
    results = await system.write(http_world.table, writes, [])
    statuses = [result.status for result in results]
    assert statuses == [WriteStatus.WRITTEN] * 10 + [WriteStatus.UNKNOWN] * 10 + [WriteStatus.WRITTEN] * 10


async def test_an_answer_that_takes_too_long_is_unknown(http_world: HttpWorld, build: Callable[..., System]) -> None:
    system = build(timeout=0.3)
    await system.describe(http_world.table)
    http_world.fault("late", seconds=1.0, **BATCH)
    [result] = await system.write(http_world.table, creates(http_world, 1), [])
    assert result.status is WriteStatus.UNKNOWN
    assert "0.3 seconds" in result.message


async def test_a_batch_that_is_refused_as_a_whole_is_halved(
    http_world: HttpWorld, build: Callable[..., System]
) -> None:
    system = build(batch_size=16)
    await system.describe(http_world.table)
    http_world.fault("status", status=413, times=2, **BATCH)
    results = await system.write(http_world.table, creates(http_world, 16), [])
    assert {result.status for result in results} == {WriteStatus.WRITTEN}
    assert system.requests.batches == 5


async def test_a_part_that_the_system_never_takes_is_refused_alone(
    http_world: HttpWorld, build: Callable[..., System]
) -> None:
    system = build(batch_size=4)
    await system.describe(http_world.table)
    http_world.fault("status", status=413, times=3, **BATCH)
    results = await system.write(http_world.table, creates(http_world, 4), [])
    assert [result.status for result in results] == [WriteStatus.REFUSED] + [WriteStatus.WRITTEN] * 3


async def test_a_token_is_renewed_before_its_end_and_once_when_refused(
    http_world: HttpWorld, build: Callable[..., System]
) -> None:
    http_world.order("POST", "settings", {"token_life_seconds": 1})
    system = build()
    await system.count(http_world.table)
    assert system.requests.tokens == 1
    await asyncio.sleep(0.95)
    await system.count(http_world.table)
    assert system.requests.tokens == 2
    assert system.requests.retries == 0
    http_world.order("POST", "tokens", {"revoke": "all"})
    await system.count(http_world.table)
    assert system.requests.tokens == 3
    assert system.requests.retries == 1


async def test_requests_at_the_same_time_share_one_new_token(http_world: HttpWorld, http_system: System) -> None:
    await asyncio.gather(*(http_system.count(http_world.table) for _ in range(8)))
    assert http_system.requests.tokens == 1


async def test_a_write_with_a_revoked_token_is_carried_out_once(http_world: HttpWorld, http_system: System) -> None:
    await http_system.describe(http_world.table)
    http_world.order("POST", "tokens", {"revoke": "all"})
    [result] = await http_system.write(http_world.table, creates(http_world, 1), [])
    assert result.status is WriteStatus.WRITTEN
    assert await http_system.count(http_world.table) == 1


async def test_a_wrong_secret_is_told_in_the_systems_words(
    http_world: HttpWorld, opened: Callable[[System], System]
) -> None:
    system = opened(http_world.wrong_secret())
    with pytest.raises(CredentialsRefused, match="Invalid client secret"):
        await system.count(http_world.table)
    with pytest.raises(CredentialsRefused):
        await system.write(http_world.table, creates(http_world, 1), [])
    findings = await system.check()
    assert [(finding.name, finding.passed) for finding in findings] == [("address", True), ("sign-in", False)]


async def test_a_system_that_is_down_is_unreachable(http_world: HttpWorld, opened: Callable[[System], System]) -> None:
    system = opened(http_world.cut_off())
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        await system.count(http_world.table)
    findings = await system.check()
    assert [(finding.name, finding.passed) for finding in findings] == [("address", False)]


async def test_a_system_that_goes_down_before_a_write_raises_for_nothing_was_done(
    http_world: HttpWorld, http_system: System
) -> None:
    await http_system.describe(http_world.table)
    http_world.fault("throttle", retry_after=3600, times=None, **BATCH)
    with pytest.raises(Throttled):
        await http_system.write(http_world.table, creates(http_world, 3), [])
    http_world.order("DELETE", "faults")


async def test_a_system_with_its_own_authority_is_reached_over_tls(
    http_world: HttpWorld, opened: Callable[[System], System]
) -> None:
    secure = {"address": http_world.host.api_tls}
    with_ca = http_world.connection(settings={"ca": str(http_world.sandbox.info()["ca"])}, **secure)
    assert await opened(http_world.build(with_ca)).count(http_world.table) == 0
    with pytest.raises(Unreachable, match="certificate"):
        await opened(http_world.build(http_world.connection(**secure))).count(http_world.table)
