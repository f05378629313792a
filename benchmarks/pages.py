"""The pages over two systems with many customers: the server's time for each, as people look through a list."""

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter, process_time
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec

from benchmarks.households import connect, opened
from benchmarks.measuring import Watch, cpu_of, measure
from benchmarks.page_calls import LIST, NEXT, REVIEW, calls, fill
from benchmarks.sandboxes import sandbox
from benchmarks.scales import Scale
from benchmarks.tables import Table, at_most, number
from crosstie.api.application import make_application
from crosstie.app.home import Home
from crosstie.app.people.acting import People
from crosstie.app.people.welcoming import welcome_visitor
from crosstie.app.session import open_session
from crosstie.web.csrf import FIELD
from crosstie.web.routing import site

NAME = "pages"
LIMIT_MS = 150
REVIEW_MS = 2000
"""A person waits for it once, before filters are saved."""
_COOKIE = "crosstie_session"


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the calls of one page came to: milliseconds, but for requests to the systems and kilobytes, both a call."""

    p50: float
    p95: float
    most: float
    own_p95: float
    own: float
    sandbox: float
    requests: float
    size: float


def run(scale: Scale) -> list[Table]:
    """Measure each page with the scale's number of customers."""
    records, rounds = scale.pages
    with sandbox(f"generate:{records}") as running:
        found = measure(look_through, info=running.info, pid=running.process.pid, rounds=rounds)
    figures = found.details["figures"]
    rows = [
        [name, *(number(value, 1 if field == "requests" else 0) for field, value in each.items())]
        for name, each in figures.items()
    ]
    pages = [name for name in figures if name != REVIEW]
    worst = max(pages, key=lambda name: figures[name]["p95"])
    busiest = max(pages, key=lambda name: figures[name]["own_p95"])
    return [
        Table(
            title=f"Pages over {records:,} customers on each side, {found.details['coupled']:,} of them coupled",
            columns=["", "p50", "p95", "most", "CPU p95", "CPU", "sandbox CPU", "requests", "kB"],
            rows=rows,
            words=(
                f"{rounds} calls of each page in turn, in the process of the server, without the network to the "
                "browser, in milliseconds; the sandbox runs in a process of its own, and its answers are part of the "
                "time. CPU is that of the server and of the sandbox, the mean of a call where p95 is not said: on a "
                "machine that others use as well, it tells more than the time. Requests are those to both systems."
            ),
            targets=[
                at_most(f"p95 of the slowest page or dialog ({worst})", figures[worst]["p95"], LIMIT_MS, " ms", 0),
                at_most(f"p95 of its own CPU ({busiest})", figures[busiest]["own_p95"], LIMIT_MS, " ms", 0),
                at_most(f"p95 of the {REVIEW}, which reads every id", figures[REVIEW]["p95"], REVIEW_MS, " ms", 0),
            ],
        )
    ]


def look_through(watch: Watch, info: dict[str, Any], pid: int, rounds: int) -> dict[str, Any]:
    """Couple what can be matched, then call each page `rounds` times."""
    return asyncio.run(_look_through(watch, info, pid, rounds))


async def _look_through(watch: Watch, info: dict[str, Any], pid: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, opened(folder) as home:
        await connect(home, info)
        async with open_session(home) as session:
            filled = await fill(session)
        async with _visiting(home) as (ask, requests):
            figures = {}
            with watch:
                for name, addresses in calls(filled).items():
                    figures[name] = await _measured(ask, requests, pid, addresses, rounds)
    return {"figures": msgspec.to_builtins(figures), "coupled": filled.coupled}


Ask = Callable[[str], Awaitable[httpx.Response]]


@asynccontextmanager
async def _visiting(home: Home) -> AsyncIterator[tuple[Ask, Callable[[], int]]]:
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

        async def ask(address: str) -> httpx.Response:
            cookie = {"Cookie": f"{_COOKIE}={secret}"}
            if not address.startswith("POST "):
                return await client.get(address, headers=cookie, timeout=120)
            path, _, fields = address.removeprefix("POST ").partition("?")
            form = dict(parse_qsl(fields, keep_blank_values=True)) | {FIELD: token}
            return await client.post(path, data=form, headers=cookie, timeout=120)

        token = _behind((await ask("/mappings/CUSTOMER/filters")).text, f'name="{FIELD}" value="')
        await ask(LIST)
        yield ask, requests


async def _measured(ask: Ask, requests: Callable[[], int], pid: int, addresses: list[str], rounds: int) -> Figures:
    """Call pages in turn, each as often as the others."""
    times: list[float] = []
    own: list[float] = []
    sizes: list[int] = []
    before, page, theirs = requests(), "", cpu_of(pid) or 0.0
    for at in range(max(rounds, len(addresses))):
        address = addresses[at % len(addresses)]
        if address == NEXT:
            address = _behind(page, 'id="page-next" href="') or addresses[0]
        start, cpu = perf_counter(), process_time()
        answer = await ask(address)
        times.append((perf_counter() - start) * 1000)
        own.append((process_time() - cpu) * 1000)
        answer.raise_for_status()
        page = answer.text
        sizes.append(len(answer.content))
    made = len(times)
    return Figures(
        p50=statistics.median(times),
        p95=_p95(times),
        most=max(times),
        own_p95=_p95(own),
        own=statistics.mean(own),
        sandbox=((cpu_of(pid) or 0.0) - theirs) * 1000 / made,
        requests=(requests() - before) / made,
        size=statistics.mean(sizes) / 1000,
    )


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.95) - 1)]


def _behind(page: str, mark: str) -> str:
    """Return the value of an attribute that begins after a mark, empty where the page does not have it."""
    _, found, rest = page.partition(mark)
    return rest.partition('"')[0].replace("&amp;", "&") if found else ""
