"""The pages over two systems with many customers: the server's time for each, as people look through a list."""

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter, process_time
from typing import Any
from urllib.parse import quote

import httpx

from benchmarks.households import connect, opened
from benchmarks.measuring import Watch, cpu_of, measure
from benchmarks.sandboxes import sandbox
from benchmarks.scales import Scale
from benchmarks.tables import Table, at_most, number
from crosstie.api.application import make_application
from crosstie.app.home import Home
from crosstie.app.lists import count_records
from crosstie.app.matching import match
from crosstie.app.people.acting import People
from crosstie.app.people.welcoming import welcome_visitor
from crosstie.app.selecting import Selection, ids_of
from crosstie.app.session import open_session
from crosstie.engine.context import Task
from crosstie.web.routing import site

NAME = "pages"
LIMIT_MS = 150
_LIST = "/lists/CUSTOMER"
_COOKIE = "crosstie_session"
_ON = (("displayName", "postalCode"), ("displayName",))


def run(scale: Scale) -> list[Table]:
    """Measure each page with the scale's number of customers."""
    records, rounds = scale.pages
    with sandbox(f"generate:{records}") as running:
        found = measure(look_through, info=running.info, pid=running.process.pid, rounds=rounds)
    figures = found.details["figures"]
    rows = [
        [name, *(number(each, 0) for each in times), number(requests, 1), number(size, 0)]
        for name, (*times, requests, size) in figures.items()
    ]
    pages = {name: p95 for name, (_, p95, *_) in figures.items()}
    worst = max(pages, key=lambda name: pages[name])
    return [
        Table(
            title=f"Pages over {records:,} customers on each side, {found.details['coupled']:,} of them coupled",
            columns=["", "p50 ms", "p95 ms", "most ms", "CPU ms", "sandbox CPU ms", "requests", "kB"],
            rows=rows,
            words=(
                f"{rounds} calls of each page in turn, in the process of the server, without the network to the "
                "browser; the sandbox runs in a process of its own, and its answers are part of the time. Requests "
                "are those to both systems; the CPU is the mean of a call, of the server and of the sandbox: on a "
                "machine that others use as well, it tells more than the time."
            ),
            targets=[at_most(f"p95 of the slowest page or dialog ({worst})", pages[worst], LIMIT_MS, " ms", 0)],
        )
    ]


def look_through(watch: Watch, info: dict[str, Any], pid: int, rounds: int) -> dict[str, Any]:
    """Couple what can be matched, then call each page `rounds` times."""
    return asyncio.run(_look_through(watch, info, pid, rounds))


async def _look_through(watch: Watch, info: dict[str, Any], pid: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, opened(folder) as home:
        await connect(home, info)
        async with open_session(home) as session:
            everything = await ids_of(await session.context("CUSTOMER", Task()), Selection(all=True))
            some = everything[: len(everything) * 6 // 10]
            report = await match(session, "CUSTOMER", groups=_ON, local_ids=some, synchronise=False)
            counts = await count_records(session, "CUSTOMER")
        state = max(counts.by_state, key=lambda each: counts.by_state[each])
        async with _visiting(home) as (get, requests):
            figures = {}
            with watch:
                for name, calls in _pages(state).items():
                    figures[name] = await _measured(get, requests, pid, calls, rounds)
    return {"figures": figures, "coupled": report.coupled}


def _pages(state: str) -> dict[str, list[str]]:
    """Return the addresses that are called in turn for each line; `NEXT` goes on where the page before ended.

    `state` is the one in which most couplings are.
    """
    letters = "abcdefghijklmnopqrst"
    return {
        "home": ["/"],
        "list": [_LIST, f"{_LIST}/remote"],
        "filter: not coupled": [f"{_LIST}?state=not_coupled", f"{_LIST}/remote?state=not_coupled"],
        "filter: coupled": [f"{_LIST}?state={state}", f"{_LIST}/remote?state={state}", f"{_LIST}?state=conflict"],
        "sort": [
            f"{_LIST}{side}?sort={way}{field}"
            for side, fields in (("", ("displayName", "city", "number")), ("/remote", ("name", "address1_city")))
            for field in fields
            for way in ("", "-")
        ],
        "filter and sort": [f"{_LIST}?state={state}&sort={field}" for field in ("displayName", "-number")],
        "search": [
            *(f"{_LIST}?search={a}{b}" for a, b in zip(letters, letters[4:], strict=False)),
            *(f"{_LIST}/remote?search={quote(word)}" for word in ("Ber", "GmbH", "no such name", "100")),
            f"{_LIST}?search=0123&sort=displayName",
            f"{_LIST}?search=info%40",
        ],
        "next page": [_LIST, "NEXT", "NEXT", "NEXT", f"{_LIST}/remote?sort=-name", "NEXT", "NEXT"],
        "next page of a filter": [f"{_LIST}?state=not_coupled", "NEXT", "NEXT", f"{_LIST}?state={state}"],
        "dialog: all that match": [f"{_LIST}/local/synchronise?all=1", f"{_LIST}/local/uncouple?all=1"],
        "dialog: all of a search": [f"{_LIST}/local/uncouple?all=1&search=Ber"],
    }


Get = Callable[[str], Awaitable[httpx.Response]]


@asynccontextmanager
async def _visiting(home: Home) -> AsyncIterator[tuple[Get, Callable[[], int]]]:
    """Serve the pages within this process to a visitor who is signed in."""
    asgi, app = make_application(home, site=site())
    secret = welcome_visitor(People(home.store)).secret
    transport = httpx.ASGITransport(app=asgi)  # type: ignore[arg-type]
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://bench") as client,
        app.state.rooms.sessions.use() as session,
    ):

        def requests() -> int:
            return sum(system.requests.total for system in session.systems.values())

        async def get(address: str) -> httpx.Response:
            return await client.get(address, headers={"Cookie": f"{_COOKIE}={secret}"}, timeout=120)

        await get(_LIST)
        yield get, requests


async def _measured(get: Get, requests: Callable[[], int], pid: int, calls: list[str], rounds: int) -> list[float]:
    """Return p50, p95, the longest time, CPU here and in the sandbox (ms), requests to the systems, and kilobytes."""
    times: list[float] = []
    sizes: list[int] = []
    before, page, cpu, theirs = requests(), "", process_time(), cpu_of(pid) or 0.0
    for at in range(max(rounds, len(calls))):
        address = calls[at % len(calls)]
        if address == "NEXT":
            address = _following(page) or calls[0]
        start = perf_counter()
        answer = await get(address)
        times.append((perf_counter() - start) * 1000)
        answer.raise_for_status()
        page = answer.text
        sizes.append(len(answer.content))
    calls_made = len(times)
    cpu, theirs = process_time() - cpu, (cpu_of(pid) or 0.0) - theirs
    times.sort()
    return [
        statistics.median(times),
        times[max(0, round(calls_made * 0.95) - 1)],
        times[-1],
        cpu * 1000 / calls_made,
        theirs * 1000 / calls_made,
        (requests() - before) / calls_made,
        statistics.mean(sizes) / 1000,
    ]


def _following(page: str) -> str:
    """Return the address of the next page that a page leads to."""
    _, found, rest = page.partition('id="page-next" href="')
    return rest.partition('"')[0].replace("&amp;", "&") if found else ""
