"""The first synchronisation over HTTP: every customer of Business Central becomes an account, beside the bare loop."""

import asyncio
import statistics
import tempfile
from typing import Any

from benchmarks.bare import move
from benchmarks.households import connect, opened
from benchmarks.measuring import Watch, side_by_side
from benchmarks.sandboxes import Running, sandbox
from benchmarks.scales import Scale
from benchmarks.tables import Table, at_most, number
from crosstie.app.session import open_session
from crosstie.app.synchronising import synchronise

NAME = "first"
LIMIT = 1.25


def run(scale: Scale) -> list[Table]:
    """Compare both for each number of records: memory must not grow with it."""
    return [_side_by_side(records, rounds) for records, rounds in scale.first]


def _side_by_side(records: int, rounds: int) -> Table:
    """Measure both in turn on a sandbox of their own and compare them."""
    with sandbox("empty") as running:
        servers: list[float] = []

        def afresh() -> dict[str, Any]:
            running.load(f"generate:{records}:local")
            servers.append(-running.cpu)
            return {"info": running.info}

        (product, its), (floor, floors) = side_by_side([(create_all, afresh), (move, afresh)], rounds)
        ratio = statistics.median(one.wall / other.wall for one, other in zip(its, floors, strict=True))
    rows = [
        [
            name,
            number(found.wall),
            number(found.cpu),
            number(found.wall * 1e6 / records, 0),
            number(found.peak_mb, 0),
            number(found.details["requests"], 0),
        ]
        for name, found in (("crosstie sync CUSTOMER --create", product), ("bare loop", floor))
    ]
    rows.append(["ratio", number(ratio), number(product.cpu / floor.cpu), number(product.wall / floor.wall), "", ""])
    return Table(
        title=f"First synchronisation of {records:,} customers over HTTP",
        columns=["", "wall s", "CPU s", "us a record", "peak MB", "requests"],
        rows=rows,
        words=(
            "Only Business Central is filled. The sandbox runs in a process of its own; its work is part of the "
            f"wall time of both. Medians of {rounds} rounds; the ratio is the median of those of the rounds."
        ),
        targets=[at_most("wall, as a multiple of the bare loop", ratio, LIMIT)],
    )


def create_all(watch: Watch, info: dict[str, Any]) -> dict[str, Any]:
    """Create and couple the account of every customer by the use case."""
    return asyncio.run(_create_all(watch, info))


async def _create_all(watch: Watch, info: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, opened(folder) as home:
        await connect(home, info)
        async with open_session(home) as session:
            with watch:
                [report] = await synchronise(session, "CUSTOMER", create=True)
            requests = sum(system.requests.total for system in session.systems.values())
    if report.failed:
        raise RuntimeError(f"{report.failed} customers could not be created: {report.failures[0].words}")
    return {"records": report.to_remote.inserted, "requests": requests}


__all__ = ["NAME", "Running", "create_all", "run"]
