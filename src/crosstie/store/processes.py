"""The queries on processes that run jobs, and on schedules."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import delete, select, text, update

from crosstie.model.schedules import Schedule
from crosstie.store.base_background import Process
from crosstie.store.queries import Queries
from crosstie.store.schema import processes, schedules

_PROCESS = tuple(processes.c[name] for name in Process.__struct_fields__)
_SCHEDULE = tuple(schedules.c[name] for name in Schedule.__struct_fields__)
_CLOCK = text("SELECT clock_timestamp()")


class ProcessQueries(Queries):
    """The processes' part of `Background`."""

    def beat(self, id: str, owner: str, now: datetime, *, worker: bool = False) -> None:
        at = self.clock(now)
        row = {"id": id, "owner": owner, "worker": worker, "started_at": at, "beat_at": at}
        insert = self._work.upsert(processes).values(row)
        self._work.write(insert.on_conflict_do_update(index_elements=[processes.c.id], set_={"beat_at": at}))

    def leave(self, id: str) -> None:
        self._work.write(delete(processes).where(processes.c.id == id))

    def processes(self, owners: Sequence[str] | None = None) -> list[Process]:
        query = select(*_PROCESS).order_by(processes.c.started_at, processes.c.id)
        if owners is not None:
            query = query.where(processes.c.owner.in_(owners))
        return [Process(**row._mapping) for row in self._work.read(query)]

    def clock(self, now: datetime) -> datetime:
        if self._work.is_sqlite:
            return now
        [(at,)] = self._work.read(_CLOCK)
        return at if isinstance(at, datetime) else now

    def forget_processes(self, before: datetime) -> int:
        return self._work.write(delete(processes).where(processes.c.beat_at < before))


class ScheduleQueries(Queries):
    """The schedules' part of `Background`."""

    def schedules(self) -> dict[str, Schedule]:
        query = select(*_SCHEDULE).order_by(schedules.c.mapping)
        return {row.mapping: Schedule(**row._mapping) for row in self._work.read(query)}

    def schedule(self, mapping: str) -> Schedule | None:
        query = select(*_SCHEDULE)
        rows = self._work.read_among(query, schedules.c.mapping, [mapping], lock=True)
        return Schedule(**rows[0]._mapping) if rows else None

    def add_schedules(self, new: Sequence[Schedule]) -> None:
        insert = self._work.upsert(schedules).on_conflict_do_nothing()
        self._work.write(insert, [msgspec.structs.asdict(each) for each in new])

    def put_schedule(self, schedule: Schedule) -> None:
        row = msgspec.structs.asdict(schedule)
        insert = self._work.upsert(schedules).values(row)
        changed = {name: value for name, value in row.items() if name != "mapping"}
        self._work.write(insert.on_conflict_do_update(index_elements=[schedules.c.mapping], set_=changed))

    def remove_schedule(self, mapping: str) -> None:
        self._work.write(delete(schedules).where(schedules.c.mapping == mapping))

    def claim_schedule(self, schedule: Schedule, next_at: datetime) -> bool:
        unchanged = (schedules.c.mapping == schedule.mapping, schedules.c.next_at == schedule.next_at)
        still_on = schedules.c.paused_reason == ""
        return bool(self._work.write(update(schedules).where(*unchanged, still_on).values(next_at=next_at)))
