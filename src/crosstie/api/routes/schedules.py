"""Schedules: when mappings are synchronised by themselves; pausing them, and doing it now."""

import asyncio
from datetime import datetime
from typing import Any

from litestar import Response, get, patch, post
from litestar.params import JSONBody
from msgspec import Struct

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import ScheduleBody
from crosstie.api.queueing import ACCEPTED, JobShape, accepted
from crosstie.api.refusing import invalid
from crosstie.api.rooms import rooms_of
from crosstie.app.home import Home
from crosstie.app.jobs import ScheduleView, list_schedules, pause_schedule, resume_schedule, run_now, set_pace
from crosstie.model.people import Permission

_TAGS = ["jobs"]


class ScheduleShape(Struct, frozen=True, kw_only=True):
    """The schedule of an enabled mapping; `next_at` is null while it does not run by itself."""

    mapping: str
    every_minutes: int
    paused_reason: str
    next_at: datetime | None
    failures: int
    going_on: JobShape | None
    last: JobShape | None

    @classmethod
    def of(cls, view: ScheduleView) -> "ScheduleShape":
        """Return a schedule as the API shows it."""
        return cls(
            mapping=view.mapping,
            every_minutes=view.every_minutes,
            paused_reason=view.paused_reason,
            next_at=view.next_at,
            failures=view.failures,
            going_on=JobShape.of(view.going_on) if view.going_on else None,
            last=JobShape.of(view.last) if view.last else None,
        )


class SchedulesShape(Struct, frozen=True, kw_only=True):
    """All schedules; `hindrance` is why none of them runs now, if anything is in the way."""

    items: list[ScheduleShape]
    next: None
    hindrance: str
    workers: int


@get("/api/v1/schedules", operation_id="listSchedules", tags=_TAGS)
async def list_(request: StrictRequest) -> SchedulesShape:
    """The schedules of all enabled mappings, in the order of their dependencies."""
    found = await asyncio.to_thread(list_schedules, rooms_of(request).home)
    return SchedulesShape(
        items=[ScheduleShape.of(each) for each in found.schedules],
        next=None,
        hindrance=found.hindrance,
        workers=found.workers,
    )


@patch(
    "/api/v1/schedules/{mapping:str}",
    operation_id="changeSchedule",
    tags=_TAGS,
    opt={"permission": Permission.MANAGE_SCHEDULES},
)
async def change(request: StrictRequest, mapping: InPath, data: JSONBody[ScheduleBody]) -> ScheduleShape:
    """Pause or resume a schedule, or change its pace."""
    if data.paused is None and data.every_minutes is None:
        raise invalid("Nothing is to change: give paused, every_minutes, or both.", "$")
    return await asyncio.to_thread(_change, rooms_of(request).home, mapping, data)


def _change(home: Home, mapping: str, data: ScheduleBody) -> ScheduleShape:
    names: list[str] = []
    if data.every_minutes is not None:
        names = set_pace(home, mapping, data.every_minutes)
    if data.paused is not None:
        names = (pause_schedule if data.paused else resume_schedule)(home, mapping)
    found = next((each for each in list_schedules(home).schedules if each.mapping in names), None)
    if found is None:
        raise invalid(f"The mapping {mapping} is disabled, so that it has no schedule now.", "mapping")
    return ScheduleShape.of(found)


@post(
    "/api/v1/schedules/{mapping:str}/run",
    operation_id="runNow",
    tags=_TAGS,
    status_code=202,
    opt={"permission": Permission.SYNCHRONISE},
    responses=ACCEPTED,
)
async def run(request: StrictRequest, mapping: InPath) -> Response[Any]:
    """Do now what the schedule would do later, paused or not: 202 with the job's address."""
    return await accepted(request, lambda home: run_now(home, mapping))


HANDLERS = (list_, change, run)
