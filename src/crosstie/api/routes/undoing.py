"""Undo: what a job, or one entry of the history, has done is taken back where nobody has touched it since."""

from typing import Annotated, Any

import msgspec
from litestar import Response, post
from litestar.params import JSONBody, PathParameter
from msgspec import Struct

from crosstie.api.asking import StrictRequest
from crosstie.api.bodies import UndoBody
from crosstie.api.paging import MOST_ID
from crosstie.api.queueing import ACCEPTED, MOST_AT_ONCE, queued
from crosstie.api.rooms import session_of
from crosstie.api.shapes import FieldValue, ReportShape
from crosstie.app.undoing import Undone, undo_entries, undo_job, undo_size
from crosstie.model.people import Permission
from crosstie.model.undoing import UndoOutcome

_UNDOES: dict[str, Any] = {"permission": Permission.UNDO}


class UndoneFieldShape(Struct, frozen=True, kw_only=True):
    """A field that is put back: what it held until now, and what it holds then."""

    side: str
    field: str
    label: str
    before: FieldValue
    after: FieldValue


class UndoneRowShape(Struct, frozen=True, kw_only=True):
    """What became of one record or pair. `code` and the words say why, where it was left as it is or failed."""

    mapping: str
    local_id: str | None
    remote_id: str | None
    name: str
    outcome: UndoOutcome
    fields: list[UndoneFieldShape]
    code: str
    words: str
    next_step: str


class UndoneShape(Struct, frozen=True, kw_only=True):
    """What an undo came to, or, as a dry run, would come to. Of `rows_total` records the first thousand are named."""

    job: int | None
    entries: list[int]
    report: ReportShape
    rows: list[UndoneRowShape]
    rows_total: int
    left_total: int

    @classmethod
    def of(cls, done: Undone) -> "UndoneShape":
        """Return an outcome as the API shows it."""
        return cls(
            job=done.job,
            entries=done.entries,
            report=ReportShape.of(done.report),
            rows=msgspec.convert(msgspec.to_builtins(done.rows), list[UndoneRowShape]),
            rows_total=done.rows_total,
            left_total=done.left_total,
        )


@post(
    "/api/v1/jobs/{job_id:int}/undo",
    operation_id="undoJob",
    tags=["jobs"],
    status_code=200,
    opt=_UNDOES,
    responses=ACCEPTED,
)
async def of_job(
    request: StrictRequest, job_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)], data: JSONBody[UndoBody]
) -> Response[UndoneShape]:
    """Take back what a job did, with the jobs that are parts of it; a dry run shows what that would do.

    More than 50 entries of the history are work for a worker: 202 with the job's address.
    """
    async with session_of(request) as session:
        size = undo_size(session, job_id)
        if data.dry_run or size.entries <= MOST_AT_ONCE:
            done = await undo_job(session, job_id, dry_run=data.dry_run, forced=data.forced)
            return Response(UndoneShape.of(done))
    return await queued(request, "undo", mapping=size.mapping, job=job_id, force=data.forced)


@post(
    "/api/v1/history/{entry_id:int}/undo",
    operation_id="undoEntry",
    tags=["jobs"],
    status_code=200,
    opt=_UNDOES,
)
async def of_entry(
    request: StrictRequest, entry_id: Annotated[int, PathParameter(ge=1, le=MOST_ID)], data: JSONBody[UndoBody]
) -> UndoneShape:
    """Take back what one entry of the history tells; a dry run shows what that would do."""
    async with session_of(request) as session:
        return UndoneShape.of(await undo_entries(session, [entry_id], dry_run=data.dry_run, forced=data.forced))


HANDLERS = (of_job, of_entry)
