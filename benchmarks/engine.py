"""The engine alone: comparing everything, a job like any other, and few changes among many records.

The store is on SQLite; the systems make their records on the spot.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.canned import PAGE, News, context, prepare
from benchmarks.measuring import Figures, Watch, measure, measure_each
from benchmarks.scales import Scale
from benchmarks.tables import Table, at_most, number
from crosstie.engine.context import Scope
from crosstie.engine.synchronise import synchronise
from crosstie.model.jobs import JobKind
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from crosstie.store import open_store

NAME = "engine"
COMPARE_CPU, COMPARE_MB = 1.5, 250.0
CHANGES_CPU = 0.10
QUIET_REQUESTS, BATCHES = 2, 10
SAME = 1.5
"""So much more may the same changes cost in the largest table than in the smallest."""


def run(scale: Scale) -> list[Table]:
    """Measure each kind of job on prepared stores."""
    with tempfile.TemporaryDirectory() as folder:
        return [_compared(scale, folder), _steady(scale, folder), _among(scale, folder)]


def _compared(scale: Scale, folder: str) -> Table:
    records = scale.compared
    store = str(Path(folder, "compared.db"))
    measure(prepare, store=store, records=records)
    found = {
        name: measure_each(compare_all, [{"store": store, "records": records, "touched": touched}] * scale.rounds)
        for name, touched in (("1 % changed on each side", False), ("all versions moved, no values", True))
    }
    first = next(iter(found.values()))
    return Table(
        title=f"Full compare and plan of {records:,} coupled records",
        columns=["", "wall s", "CPU s", "us a record", "peak MB", "changes planned"],
        rows=[
            [
                name,
                number(figures.wall),
                number(figures.cpu),
                number(figures.cpu * 1e6 / records, 1),
                number(figures.peak_mb, 0),
                number(figures.details["planned"], 0),
            ]
            for name, figures in found.items()
        ],
        words=(
            "Both sides are read whole, twelve mapped fields, the base in the store; making the records is the "
            f"systems' share and does not count. Medians of {scale.rounds}."
        ),
        targets=[
            at_most("CPU", first.cpu, COMPARE_CPU, " s"),
            at_most("peak memory", first.peak_mb, COMPARE_MB, " MB", 0),
        ],
    )


def compare_all(watch: Watch, store: str, records: int, touched: bool) -> dict[str, Any]:
    """Plan a full synchronisation: 1 % changed on each side, or nothing did but the versions of all records."""
    step = 100
    edited = range(0), range(0)
    if not touched:
        edited = range(0, records, step), range(step // 2, records, step)
    news = News(edited=dict(zip(Side, edited, strict=True)), touched=touched)
    opened = open_store(store)
    ctx = context(watch, opened, records, news, scope=Scope.FULL, dry_run=True)
    with watch:
        report = asyncio.run(synchronise(ctx))
    opened.close()
    return {"planned": report.to_remote.modified + report.from_remote.modified}


def _steady(scale: Scale, folder: str) -> Table:
    """Measure the job that runs day by day: nothing has changed, or one record in a hundred on each side."""
    records = scale.compared
    store = str(Path(folder, "steady.db"))
    measure(prepare, store=store, records=records)
    common = {"store": store, "records": records, "dry_run": False}
    cases = {"nothing changed": 0, "1 % changed on each side": records // 50}
    found = {
        # Each round makes other edits: those of the one before are in the base.
        name: measure_each(
            some_changes, [{**common, "changes": changes, "edit": edit + 1} for edit in range(scale.rounds)]
        )
        for name, changes in cases.items()
    }
    quiet, busy = found.values()
    return Table(
        title=f"One job over {records:,} coupled records",
        columns=["", "wall s", "CPU s", "peak MB", "requests: local", "remote", "batches: local", "remote"],
        rows=[
            [
                name,
                number(figures.wall),
                number(figures.cpu, 3),
                number(figures.peak_mb, 0),
                *(number(figures.details[f"{side}_reads"], 0) for side in Side),
                *(number(figures.details[f"{side}_batches"], 0) for side in Side),
            ]
            for name, figures in found.items()
        ],
        words=(
            "What changed is read since the cursors, decided, written and recorded; the systems' own work does not "
            f"count. A request reads up to {PAGE:,} records, a batch writes up to 100. Medians of {scale.rounds}."
        ),
        targets=[
            at_most("requests of a side where nothing changed", _most(quiet, "reads"), QUIET_REQUESTS, digits=0),
            at_most(
                "batches of a side for 1,000 updates",
                _most(busy, "batches") * 1000 / max(1, records // 100),
                BATCHES,
                digits=0,
            ),
        ],
    )


def _most(figures: Figures, kind: str) -> float:
    return float(max(figures.details[f"{side}_{kind}"] for side in Side))


def _among(scale: Scale, folder: str) -> Table:
    rows, found = [], dict[int, Figures]()
    for records in scale.among:
        store = str(Path(folder, f"among_{records}.db"))
        measure(prepare, store=store, records=records)
        common = {"store": store, "records": records, "changes": scale.changes}
        planned = measure_each(some_changes, [{**common, "dry_run": True, "edit": 1}] * scale.rounds)
        # Each round makes other edits: those of the one before are in the base.
        edits = [{**common, "dry_run": False, "edit": edit + 1} for edit in range(scale.rounds)]
        found[records] = measure_each(some_changes, edits)
        rows.append(
            [
                f"{records:,}",
                number(planned.cpu, 3),
                number(found[records].cpu, 3),
                number(found[records].wall, 3),
                number(found[records].cpu * 1e6 / scale.changes, 0),
                number(found[records].peak_mb, 0),
            ]
        )
        Path(store).unlink()
    dearest = max(figures.cpu for figures in found.values())
    growth = found[scale.among[-1]].cpu / found[scale.among[0]].cpu
    return Table(
        title=f"{scale.changes:,} changes among N coupled records",
        columns=["N", "planned, CPU s", "carried out, CPU s", "wall s", "us a change", "peak MB"],
        rows=rows,
        words=(
            "Half of the changes on each side. Carried out: with intents, couplings, base, history and cursors "
            f"in the store; writing to the systems is their share and does not count. Medians of {scale.rounds}."
        ),
        targets=[
            at_most("CPU, the dearest N", dearest, CHANGES_CPU, " s", 3),
            at_most("largest N against smallest", growth, SAME, " times"),
        ],
    )


def some_changes(watch: Watch, store: str, records: int, changes: int, dry_run: bool, edit: int) -> dict[str, Any]:
    """Synchronise what changed since the cursors: half on each side."""
    step = 2 * records // changes if changes else records
    edited = (range(0, records, step), range(step // 2, records, step)) if changes else (range(0), range(0))
    news = News(edited=dict(zip(Side, edited, strict=True)), edit=edit)
    opened = open_store(store)
    ctx = context(watch, opened, records, news, dry_run=dry_run)
    with opened.begin() as unit:
        job = unit.start_job(
            JobKind.SYNCHRONISATION, ctx.mapping_name, Direction.BIDIRECTIONAL, exclusive=False, owner="", now=ctx.now()
        )
    ctx.job_id = job.id
    with watch:
        report = asyncio.run(synchronise(ctx))
    opened.close()
    done = report.to_remote.modified + report.from_remote.modified
    if done != len(edited[0]) + len(edited[1]) or report.failed:
        raise RuntimeError(f"{done} records were modified and {report.failed} failed")
    requests = {side: ctx.systems[side].requests for side in Side}
    return {
        "modified": done,
        **{f"{side}_reads": counted.reads for side, counted in requests.items()},
        **{f"{side}_batches": counted.batches for side, counted in requests.items()},
    }
