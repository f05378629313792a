"""Starts real processes that run a use case and die at a given point.

One process imports everything once; each order on its standard input makes it fork a child, which carries the order
out and, at the chosen point, kills itself with SIGKILL: nothing is flushed, closed or rolled back. Points are: before
and after every commit of the store, and before and after every HTTP request.

Order: {"home": folder, "work": name of a function of `tests.crash.works`, "kill_at": point or null,
        "metadata": folder in which the systems' metadata are kept between processes, or null}
Answer: {"exit": exit code, negative for a signal, "points": points passed, "output": what the work returned or raised}
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Engine, event

from crosstie.app.home import open_home
from crosstie.store.database import SqlStore, SqlUnit
from crosstie.systems.odata import ODataClient
from tests.crash import works


class Points:
    """Counts the points of a run, and dies at one of them."""

    def __init__(self, kill_at: int | None, log: Path) -> None:
        self._kill_at = kill_at
        self._log = log
        self._passed = 0

    def here(self, name: str) -> None:
        self._passed += 1
        with self._log.open("a") as file:
            file.write(f"{name}\n")
        if self._passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def watch(points: Points, metadata: Path | None) -> None:
    """Make every commit that stores something, and every request, of this process a pair of points.

    With `metadata`, what the systems say of their tables is read once for all processes and kept in that folder.
    """
    begin, request = SqlStore.begin, aiohttp.ClientSession._request
    stored: list[str] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip().split(" ", 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            stored.append(statement)

    @contextmanager
    def watched_begin(self: SqlStore) -> Iterator[SqlUnit]:
        stored.clear()
        with begin(self) as unit:
            yield unit
            if stored:
                points.here("before commit")
        if stored:
            points.here("after commit")

    async def watched_request(self: aiohttp.ClientSession, method: str, url: Any, **options: Any) -> Any:
        points.here(f"before {method}")
        answer = await request(self, method, url, **options)
        points.here(f"after {method}")
        return answer

    SqlStore.begin = watched_begin  # type: ignore[method-assign]
    aiohttp.ClientSession._request = watched_request  # type: ignore[method-assign]
    if metadata is not None:
        keep_metadata(metadata)


def keep_metadata(folder: Path) -> None:
    """Answer requests for metadata from a folder, where an earlier process has left the answer."""
    get = ODataClient.get

    async def kept_get(self: ODataClient, url: str, decode: Callable[[bytes], Any], **options: Any) -> Any:
        if options.get("purpose") != "metadata":
            return await get(self, url, decode, **options)
        file = folder / sha256(url.encode()).hexdigest()
        if not file.exists():
            _, answer = await get(self, url, bytes, **options)
            file.write_bytes(answer.body)
        return decode(file.read_bytes()), None

    ODataClient.get = kept_get  # type: ignore[method-assign]


def child(order: dict[str, Any], log: Path, output: Path) -> None:
    """Carry out an order in this process and end it."""
    watch(Points(order["kill_at"], log), Path(order["metadata"]) if order["metadata"] else None)
    try:
        with open_home(Path(order["home"])) as home:
            result = asyncio.run(getattr(works, order["work"])(home))
        output.write_text(json.dumps(result))
        code = 0
    except BaseException:
        output.write_text(traceback.format_exc())
        code = 70
    os._exit(code)


def serve() -> None:
    """Carry out orders until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            log, output = Path(folder, "points"), Path(folder, "output")
            pid = os.fork()
            if pid == 0:
                child(order, log, output)
            _, status = os.waitpid(pid, 0)
            points = log.read_text().splitlines() if log.exists() else []
            answer = {
                "exit": os.waitstatus_to_exitcode(status),
                "points": points,
                "output": output.read_text() if output.exists() else "",
            }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
