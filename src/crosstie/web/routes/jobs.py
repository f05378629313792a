"""Jobs: the log with the recurring ones on top, one job with each record's outcome, and its undo (P22, F17)."""

import asyncio
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter, QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.paging import MOST_ID
from crosstie.api.queueing import MOST_AT_ONCE
from crosstie.api.refusing import status_of
from crosstie.api.rooms import job_entries_of, rooms_of, session_of
from crosstie.app.history import list_jobs
from crosstie.app.home import Home
from crosstie.app.jobs import Schedules, enqueue, list_schedules
from crosstie.app.mappings import list_mappings
from crosstie.app.undoing import Undone, UndoSize, undo_job, undo_size
from crosstie.model.errors import CrosstieError, InvalidOption
from crosstie.model.jobs import Counters, Job, JobKind, JobState, Outcome
from crosstie.model.people import Permission
from crosstie.web.forms import fields_of
from crosstie.web.rendering import changed, page
from crosstie.web.routes.mappings import steer_schedule
from crosstie.web.routes.progress import progress_of

ROWS = 50
MOST_FORESEEN = 500
"""An undo of more entries is not gone through before it is done: that would take as long as doing it."""
FIGURES = tuple(Counters.__struct_fields__)
_Value = TypeVar("_Value", bound=StrEnum)
_JobId = Annotated[int, PathParameter(ge=1, le=MOST_ID)]
_Before = Annotated[int | None, QueryParameter(ge=1, le=MOST_ID)]
_UNDOES: dict[str, Any] = {"permission": Permission.UNDO}


class JobAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs are listed."""

    mapping: str = ""
    state: str = ""
    kind: str = ""

    def to(self, **changes: object) -> str:
        """Return the address of the list with changes."""
        given = {**msgspec.structs.asdict(self), **changes}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"/jobs{'?' + query if query else ''}"


def figures_of(job: Job) -> dict[str, int]:
    """Return what happened to the records of a job, both directions together."""
    return {name: getattr(job.to_remote, name) + getattr(job.from_remote, name) for name in FIGURES}


@get("/jobs")
async def list_(
    request: StrictRequest,
    mapping: Annotated[str, QueryParameter(max_length=200)] = "",
    job_state: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    kind: Annotated[str, QueryParameter(max_length=30)] = "",
    before: _Before = None,
) -> Response[str]:
    """The log of jobs, newest first, below the recurring ones."""
    return await _list(request, JobAddress(mapping=mapping, state=job_state, kind=kind), before)


async def _list(
    request: StrictRequest,
    asked: JobAddress,
    before: int | None = None,
    error: CrosstieError | None = None,
) -> Response[str]:
    jobs, schedules, names = await asyncio.to_thread(_read, rooms_of(request).home, asked, before)
    return await page(
        request,
        "jobs.html",
        200 if error is None else status_of(error),
        jobs=jobs[:ROWS],
        following=jobs[ROWS - 1].id if len(jobs) > ROWS else None,
        before=before,
        asked=asked,
        schedules=schedules,
        names=names,
        figures=_shown(jobs[:ROWS], asked.kind),
        figures_of=figures_of,
        error=error,
    )


def _one_of(values: type[_Value], called: str, name: str) -> tuple[_Value, ...]:
    if not name:
        return ()
    try:
        return (values(name),)
    except ValueError:
        known = ", ".join(values)
        raise InvalidOption(f"Jobs have no {called} {name!r}; there are: {known}.", value=name) from None


def _shown(jobs: list[Job], kind: str) -> list[str]:
    """Return the figures that are columns: rare ones only where a job shown has them, or its type is asked for."""
    rare = {"deleted": "", "coupled": JobKind.COUPLING.value, "uncoupled": JobKind.UNCOUPLING.value}
    found = {name for job in jobs for name, figure in figures_of(job).items() if figure}
    return [name for name in FIGURES if name not in rare or name in found or (kind and rare[name] == kind)]


def _read(home: Home, asked: JobAddress, before: int | None) -> tuple[list[Job], Schedules, list[str]]:
    states, kinds = _one_of(JobState, "state", asked.state), _one_of(JobKind, "kind", asked.kind)
    jobs = list_jobs(home, asked.mapping or None, states=states, kinds=kinds, limit=ROWS + 1, before_id=before)
    return jobs, list_schedules(home), [view.name for view in list_mappings(home)]


@post("/jobs/schedules", status_code=200, opt={"permission": Permission.MANAGE_SCHEDULES})
async def steer(request: StrictRequest) -> Response[str]:
    """Pause or resume the recurring job of a mapping, or of all."""
    given = await fields_of(request, {"mapping": 200, "action": 10, "minutes": 10})
    error = None
    try:
        await asyncio.to_thread(
            steer_schedule, rooms_of(request).home, given["mapping"] or None, given["action"], given["minutes"]
        )
    except InvalidOption as refused:
        error = refused
    answer = await _list(request, JobAddress(), error=error)
    return answer if error else changed(answer)


@get("/jobs/{job_id:int}")
async def show(
    request: StrictRequest,
    job_id: _JobId,
    outcome: Annotated[Outcome | None, QueryParameter()] = None,
    before: _Before = None,
) -> Response[str]:
    """One job: how far it is, and what became of each record."""
    home = rooms_of(request).home
    progress = await asyncio.to_thread(progress_of, home, job_id)
    found = await job_entries_of(request, job_id, outcome=outcome, limit=ROWS, before_id=before)
    parts = progress.status.parts
    seconds = None
    if progress.job.finished_at is not None:
        seconds = (progress.job.finished_at - progress.job.started_at).total_seconds()
    return await page(
        request,
        "job.html",
        progress=progress,
        job=progress.job,
        parts=parts,
        seconds=seconds,
        found=found,
        outcome=outcome,
        before=before,
        figures=FIGURES,
        figures_of=figures_of,
    )


@get("/jobs/{job_id:int}/undo")
async def ask_undo(request: StrictRequest, job_id: _JobId) -> Response[str]:
    """Shows what an undo of the job would do."""
    size: UndoSize | None = None
    foreseen: Undone | None = None
    error: CrosstieError | None = None
    try:
        async with session_of(request) as session:
            size = undo_size(session, job_id)
            if size.entries <= MOST_FORESEEN:
                foreseen = await undo_job(session, job_id, dry_run=True)
    except CrosstieError as refused:
        error = refused
    return await _undo_page(request, job_id, size=size, foreseen=foreseen, error=error)


@post("/jobs/{job_id:int}/undo", status_code=200, opt=_UNDOES)
async def undo(request: StrictRequest, job_id: _JobId) -> Response[str]:
    """Take back what the job did: a few records at once, many as a job of their own."""
    given = await fields_of(request, {"force": 5})
    forced = bool(given["force"])
    try:
        async with session_of(request) as session:
            size = undo_size(session, job_id)
            done = await undo_job(session, job_id, forced=forced) if size.entries <= MOST_AT_ONCE else None
        if done is not None:
            return changed(await _undo_page(request, job_id, size=size, done=done))
        arguments = {"mapping": size.mapping, "job": job_id, "force": forced}
        job = await asyncio.to_thread(lambda: enqueue(rooms_of(request).home, "undo", arguments))
    except CrosstieError as error:
        return await _undo_page(request, job_id, error=error)
    return changed(await _undo_page(request, job_id, size=size, job=job))


async def _undo_page(
    request: StrictRequest,
    job_id: int,
    *,
    size: UndoSize | None = None,
    foreseen: Undone | None = None,
    done: Undone | None = None,
    job: Job | None = None,
    error: CrosstieError | None = None,
) -> Response[str]:
    progress = None if job is None else await asyncio.to_thread(progress_of, rooms_of(request).home, job.id)
    return await page(
        request,
        "job_undo.html",
        200 if error is None else status_of(error),
        job_id=job_id,
        size=size,
        foreseen=foreseen,
        done=done,
        progress=progress,
        error=error,
    )


HANDLERS = (list_, steer, show, ask_undo, undo)
