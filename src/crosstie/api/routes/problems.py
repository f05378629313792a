"""Problems: what keeps records from being in step, and what to do about it."""

import asyncio
from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import DeleteBody, RetryBody, SettleBody
from crosstie.api.paging import After, Limit, number_of, page_of
from crosstie.api.queueing import ACCEPTED, is_long, queued
from crosstie.api.rooms import rooms_of, session_of
from crosstie.api.shapes import Page, ReportShape
from crosstie.app.home import Home
from crosstie.app.problems import list_problems
from crosstie.app.restoring import Settled, delete, restore
from crosstie.app.retrying import Retried, retry
from crosstie.app.views import ProblemView
from crosstie.model.leaving import Left
from crosstie.model.people import Permission
from crosstie.model.problems import ProblemClass

_SOLVES = {"permission": Permission.SOLVE_PROBLEMS}
_READ_AT_ONCE = 1000


class RetriedShape(Struct, frozen=True, kw_only=True):
    """What retrying came to: how many are due, what running them did, and what was left as it is."""

    due: int
    reports: list[ReportShape]
    left: list[Left]
    left_total: int
    deferred: list[str]


class SettledShape(Struct, frozen=True, kw_only=True):
    """What became of the records named, and which were left as they are."""

    report: ReportShape
    left: list[Left]

    @classmethod
    def of(cls, settled: Settled) -> "SettledShape":
        """Return an outcome as the API shows it."""
        return cls(report=ReportShape.of(settled.report), left=settled.left)


@get("/api/v1/problems", operation_id="listProblems", tags=["problems"])
async def list_(
    request: StrictRequest,
    limit: Limit = 100,
    after: After = None,
    mapping: Annotated[str | None, QueryParameter(max_length=200, description="Only of this mapping.")] = None,
    code: Annotated[str | None, QueryParameter(max_length=100, description="As in the list of error codes.")] = None,
    problem_class: Annotated[ProblemClass | None, QueryParameter(name="class", description="Of this class.")] = None,
) -> Page[ProblemView]:
    """Open problems in the order in which they were found."""
    found = await asyncio.to_thread(
        _read, rooms_of(request).home, mapping, code, problem_class, limit + 1, number_of("problems", after) or 0
    )
    return page_of("problems", found, limit, lambda problem: problem.id, lambda problem: problem)


def _read(
    home: Home, mapping: str | None, code: str | None, wanted: ProblemClass | None, number: int, after: int
) -> list[ProblemView]:
    """Return so many problems of a class; those of other classes between them are read past."""
    found: list[ProblemView] = []
    while True:
        limit = number if wanted is None else _READ_AT_ONCE
        page = list_problems(home, mapping, code=code, limit=limit, after_id=after)
        found += [each for each in page if wanted is None or each.problem_class == wanted.value]
        if len(found) >= number or len(page) < limit:
            return found[:number]
        after = page[-1].id


@post(
    "/api/v1/problems/retry", operation_id="retry", tags=["problems"], status_code=200, opt=_SOLVES, responses=ACCEPTED
)
async def retry_(request: StrictRequest, data: JSONBody[RetryBody]) -> Response[RetriedShape]:
    """Look again at records with problems.

    Those of a code, all, or more than 50 records are work for a worker: 202 with the job's address.
    """
    if is_long(data.records) and not data.dry_run and data.run:
        return await queued(request, "retry", mapping=data.mapping, records=data.records, code=data.code, all=data.all)
    async with session_of(request) as session:
        done = await retry(
            session,
            data.mapping,
            data.records,
            code=data.code,
            all=data.all,
            run=data.run,
            dry_run=data.dry_run,
        )
    return Response(_retried(done))


def _retried(done: Retried) -> RetriedShape:
    return RetriedShape(
        due=done.due,
        reports=[ReportShape.of(report) for report in done.reports],
        left=done.left,
        left_total=done.left_total,
        deferred=done.deferred,
    )


@post(
    "/api/v1/mappings/{mapping:str}/restore",
    operation_id="restore",
    tags=["problems"],
    status_code=200,
    opt=_SOLVES,
)
async def restore_(request: StrictRequest, mapping: InPath, data: JSONBody[SettleBody]) -> SettledShape:
    """Create the deleted records of couplings anew from those that are left."""
    async with session_of(request) as session:
        return SettledShape.of(await restore(session, mapping, data.records, dry_run=data.dry_run))


@post(
    "/api/v1/mappings/{mapping:str}/delete",
    operation_id="deleteLeft",
    tags=["problems"],
    status_code=200,
    opt=_SOLVES,
)
async def delete_(request: StrictRequest, mapping: InPath, data: JSONBody[DeleteBody]) -> SettledShape:
    """Delete the records that are left of couplings whose other record was deleted."""
    async with session_of(request) as session:
        return SettledShape.of(await delete(session, mapping, data.records, dry_run=data.dry_run, forced=data.forced))


HANDLERS = (list_, retry_, restore_, delete_)
