"""The queries on plans that are kept."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import delete, exists, func, insert, select

from crosstie.model.planned import PlannedRecord, PlannedRow
from crosstie.model.records import Side
from crosstie.store.codec import encode
from crosstie.store.queries import Queries
from crosstie.store.schema import jobs, plan_rows

_COLUMNS = PlannedRow.__struct_fields__
_planned = msgspec.json.Decoder(PlannedRecord)


class SqlPlanned(Queries):
    """`store.base_planned.Planned` by SQL."""

    def add(self, rows: Sequence[PlannedRow]) -> None:
        self._work.write(
            insert(plan_rows),
            [
                {
                    "job_id": row.job_id,
                    "side": row.side.value,
                    "record_id": row.record_id,
                    "group": row.group,
                    "seen": row.seen,
                    "planned": encode(row.planned),
                }
                for row in rows
            ],
        )

    def page(self, job_id: int, groups: Collection[str], *, after_id: int = 0, limit: int = 1000) -> list[PlannedRow]:
        query = select(*(plan_rows.c[name] for name in _COLUMNS)).where(
            plan_rows.c.job_id == job_id, plan_rows.c.group.in_(sorted(groups)), plan_rows.c.id > after_id
        )
        return [
            PlannedRow(**row._asdict() | {"side": Side(row.side), "planned": _planned.decode(row.planned)})
            for row in self._work.read(query.order_by(plan_rows.c.id).limit(limit))
        ]

    def count(self, job_id: int) -> dict[str, int]:
        group = plan_rows.c.group
        query = select(group, func.count()).where(plan_rows.c.job_id == job_id).group_by(group)
        return {row[0]: row[1] for row in self._work.read(query)}

    def forget(self, job_id: int) -> None:
        self._work.write(delete(plan_rows).where(plan_rows.c.job_id == job_id))

    def forget_before(self, before: datetime, *, limit: int = 5000) -> int:
        kept = exists().where(jobs.c.id == plan_rows.c.job_id, jobs.c.started_at >= before).correlate(plan_rows)
        old = select(plan_rows.c.id).where(~kept).order_by(plan_rows.c.id).limit(limit)
        return self._work.write(delete(plan_rows).where(plan_rows.c.id.in_(old)))
