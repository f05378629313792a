"""Match-based coupling: two tables of which nothing is coupled, with a row for every record to look at."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.canned import CannedSystem, News, context
from benchmarks.measuring import Watch, measure_each
from benchmarks.scales import Scale
from benchmarks.tables import Table, at_most, number
from crosstie.engine.matching import match
from crosstie.model.records import Record, Side
from crosstie.store import open_store

NAME = "matching"
CPU, MB = 2.0, 350.0
GROUPS = (("email",), ("phoneNumber",), ("displayName", "postalCode"), ("website",))
"""Five criteria in four groups."""
_OTHERWISE = ("emailaddress1", "telephone1", "name", "websiteurl")
_KINDS = len(_OTHERWISE) + 2


class Strangers(CannedSystem):
    """The remote side as people keep it: four records in six differ in one or more of the criteria, one in all."""

    def _record(self, position: int, fields: Sequence[str]) -> Record:
        record = super()._record(position, fields)
        wrong = position % _KINDS
        blanks = _OTHERWISE[:wrong] if wrong <= len(_OTHERWISE) else ()
        return Record(
            record.id,
            record.version,
            {name: None if name in blanks else value for name, value in record.values.items()},
            record.modified_at,
        )


def run(scale: Scale) -> list[Table]:
    """Measure a preview of matching everything."""
    records = scale.matched
    with tempfile.TemporaryDirectory() as folder:
        found = measure_each(match_all, [{"store": str(Path(folder, "matched.db")), "records": records}] * scale.rounds)
    return [
        Table(
            title=f"Preview of matching 2 x {records:,} records by five criteria",
            columns=["", "wall s", "CPU s", "us a record", "peak MB", "pairs found", "rows"],
            rows=[
                [
                    "crosstie match CUSTOMER --dry-run",
                    number(found.wall),
                    number(found.cpu),
                    number(found.cpu * 1e6 / (2 * records), 1),
                    number(found.peak_mb, 0),
                    number(found.details["pairs"], 0),
                    number(found.details["rows"], 0),
                ]
            ],
            words=(
                "Both sides are read whole; e-mail, phone, name with post code, web site are tried one after the "
                f"other. Making the records is the systems' share and does not count. Medians of {scale.rounds}."
            ),
            targets=[
                at_most("CPU", found.cpu, CPU, " s"),
                at_most("peak memory", found.peak_mb, MB, " MB", 0),
            ],
        )
    ]


def match_all(watch: Watch, store: str, records: int) -> dict[str, Any]:
    """Match everything without coupling it."""
    news = News(edited={side: range(0) for side in Side})
    opened = open_store(store)
    ctx = context(watch, opened, records, news, dry_run=True)
    ctx.systems = {**ctx.systems, Side.REMOTE: Strangers(Side.REMOTE, records, news, watch)}
    with watch:
        report = asyncio.run(match(ctx, GROUPS, dry_run=True))
    opened.close()
    if len(report.rows) != 2 * records:
        raise RuntimeError(f"{len(report.rows)} rows for 2 x {records} records")
    return {"pairs": report.coupled, "rows": len(report.rows)}


__all__ = ["NAME", "match_all", "run"]
