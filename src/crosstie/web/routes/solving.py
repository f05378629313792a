"""Dialogs in which problems are solved: what would be done, and what became of each record."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.paging import MOST_ID
from crosstie.api.plans import Planner
from crosstie.api.queueing import MOST_AT_ONCE
from crosstie.api.refusing import invalid
from crosstie.api.rooms import rooms_of, session_of
from crosstie.app.awaited import awaited_record, provide_partner
from crosstie.app.problems import chosen_problems
from crosstie.app.session import Session
from crosstie.app.solving import Solution, Solved, solve, solve_later
from crosstie.app.undoing import Undone, undo_job
from crosstie.model.errors import CrosstieError, NothingToDo
from crosstie.model.mappings import Mapping
from crosstie.model.people import Permission
from crosstie.model.problems import Problem, ProblemFilter
from crosstie.model.records import Side
from crosstie.web.choosing import Chosen, choice, chosen_in_form, problems_of, read_waits, waits_text
from crosstie.web.forms import several_of
from crosstie.web.rendering import changed, page
from crosstie.web.routes.problems import ClassText, CodeText, MappingText, SearchText
from crosstie.web.routes.progress import progress_of

_SOLVES = {"permission": Permission.SOLVE_PROBLEMS}
_SHOWN = 200
"""Records that a question names."""
_Ids = Annotated[list[str] | None, QueryParameter(name="problem")]
_Waits = Annotated[str, QueryParameter(name="waits", max_length=700)]
_Of = Annotated[str, QueryParameter(name="of", max_length=20)]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done about problems. `plans` name the records that would be written, as far as it was looked at."""

    chosen: Chosen
    problems: list[Problem]
    number: int
    plans: list[Any]
    left: list[Any]
    error: CrosstieError | None
    ways: list[tuple[str, str]]
    """Of a synchronisation: its ways, each with the reason why it cannot be gone."""


# --- asking -----------------------------------------------------------------------------------------------------


@get([f"/problems/{each}" for each in ("synchronise", "restore", "delete", "uncouple")])
async def ask(
    request: StrictRequest,
    ids_: _Ids = None,
    of_: _Of = "",
    mapping_: MappingText = "",
    class_: ClassText = "",
    code_: CodeText = "",
    search_: SearchText = "",
    waits_: _Waits = "",
) -> Response[str]:
    """Show which records would be synchronised, created anew, deleted or uncoupled, and ask."""
    given = {"of": of_, "mapping": mapping_, "class": class_, "code": code_, "search": search_, "waits": waits_}
    what = request.url.path.rsplit("/", 1)[-1]
    planned = Solution(what) if what in (Solution.RESTORE, Solution.DELETE) else None
    question = await _question(request, choice(given, ids_ or []), planned)
    template = "problems_synchronise.html" if what == "synchronise" else "problems_question.html"
    return await page(request, template, question=question, solution=what)


async def _question(request: StrictRequest, chosen: Chosen, solution: Solution | None) -> Question:
    problems = await problems_of(request, chosen)
    planners: list[Planner] = []
    left: list[Any] = []
    error: CrosstieError | None = None
    async with session_of(request) as session:
        names = {each.mapping for each in problems}
        ways = _ways([each for each in session.mappings() if each.name in names])
        if solution is not None:

            def watch(mapping: Mapping) -> Planner:
                planners.append(Planner(mapping))
                return planners[-1]

            try:
                planned = await solve(session, solution, problems[:_SHOWN], dry_run=True, watch=watch)
                left = [row for row in planned.rows if row.words and not _is_planned(planners, row)]
            except CrosstieError as found:
                error = found
    return Question(
        chosen=chosen,
        problems=problems[:_SHOWN],
        number=len(problems),
        plans=[record for planner in planners for record in planner.records],
        left=left,
        error=error,
        ways=ways,
    )


def _is_planned(planners: Sequence[Planner], row: Any) -> bool:
    ids = {row.local_id, row.remote_id} - {None}
    return any(ids & {each.local_id, each.remote_id} for planner in planners for each in planner.records)


def _ways(mappings: Sequence[Mapping]) -> list[tuple[str, str]]:
    found = []
    for way, side in (("send", Side.REMOTE), ("get", Side.LOCAL)):
        wrong = [each.name for each in mappings if not each.reaches(side)]
        found.append((way, f"{', '.join(wrong)} flows the other way only." if wrong else ""))
    return found


# --- doing ------------------------------------------------------------------------------------------------------


@post("/problems/retry", status_code=200, opt=_SOLVES)
async def retry(request: StrictRequest) -> Response[str]:
    """Look again at records, paused ones too."""
    chosen, _ = await chosen_in_form(request)
    return await _do(request, Solution.RETRY, chosen)


@post("/problems/synchronise", status_code=200, opt={"permission": Permission.SYNCHRONISE})
async def synchronise(request: StrictRequest) -> Response[str]:
    """Bring records in step with the side that is to win."""
    chosen, given = await chosen_in_form(request, ("side",))
    if given.get("side") not in ("send", "get"):
        raise invalid("Choose the side whose values are to win: send or get.", "side")
    return await _do(request, Solution(given["side"]), chosen)


@post("/problems/restore", status_code=200, opt=_SOLVES)
async def restore(request: StrictRequest) -> Response[str]:
    """Create the missing records anew."""
    chosen, _ = await chosen_in_form(request)
    return await _do(request, Solution.RESTORE, chosen)


@post("/problems/delete", status_code=200, opt=_SOLVES)
async def delete(request: StrictRequest) -> Response[str]:
    """Delete the records that are left."""
    chosen, given = await chosen_in_form(request, ("sure",))
    return await _do(request, Solution.DELETE, chosen, forced=given.get("sure") == "yes")


@post("/problems/uncouple", status_code=200, opt={"permission": Permission.UNCOUPLE})
async def uncouple(request: StrictRequest) -> Response[str]:
    """Remove couplings; no record is deleted."""
    chosen, given = await chosen_in_form(request, ("sure",))
    return await _do(request, Solution.UNCOUPLE, chosen, forced=given.get("sure") == "yes")


async def _do(request: StrictRequest, solution: Solution, chosen: Chosen, *, forced: bool = False) -> Response[str]:
    problems = await problems_of(request, chosen)
    if len(problems) > MOST_AT_ONCE:
        return await _later(request, solution, chosen, problems, forced)
    async with session_of(request) as session:
        solved = await solve(session, solution, problems, forced=forced)
    return await _answered(request, solved, meanwhile=len(chosen.ids) - len(problems) if chosen.ids else 0)


async def _answered(request: StrictRequest, solved: Solved, meanwhile: int = 0) -> Response[str]:
    return changed(await page(request, "problems_solved.html", solved=solved, meanwhile=meanwhile))


async def _later(
    request: StrictRequest, solution: Solution, chosen: Chosen, problems: Sequence[Problem], forced: bool
) -> Response[str]:
    home = rooms_of(request).home
    filter = None if chosen.ids else chosen.filter
    jobs = await asyncio.to_thread(solve_later, home, solution, problems, filter=filter, forced=forced)
    found = [await asyncio.to_thread(progress_of, home, job.id) for job in jobs]
    return await page(request, "problems_later.html", solution=solution, number=len(problems), jobs=found)


@post("/problems/undo", status_code=200, opt={"permission": Permission.UNDO})
async def undo(request: StrictRequest) -> Response[str]:
    """Take back what was just done."""
    jobs = await several_of(request, "job", most=50, length=18)
    if not jobs or any(not each.isdecimal() or int(each) > MOST_ID for each in jobs):
        raise invalid("Say which jobs are to be undone.", "job")
    undone: list[Undone] = []
    error: CrosstieError | None = None
    async with session_of(request) as session:
        for job in sorted(map(int, jobs), reverse=True):
            try:
                undone.append(await undo_job(session, job))
            except CrosstieError as found:
                error = found
    if error is not None and not undone:
        raise error
    return changed(await page(request, "problems_undone.html", undone=undone, error=error))


# --- what others wait for ---------------------------------------------------------------------------------------


@get("/problems/partner")
async def ask_partner(request: StrictRequest, waits_: _Waits) -> Response[str]:
    """Show a record that others wait for, and what can be done about it."""
    async with session_of(request) as session:
        awaited = await awaited_record(session, read_waits(waits_))
    return await page(
        request, "problems_partner.html", awaited=awaited, waits=waits_, provided=None, error=None, jobs=[]
    )


@post("/problems/partner", status_code=200, opt={"permission": Permission.COUPLE})
async def partner(request: StrictRequest) -> Response[str]:
    """Create the partner of a record that others wait for, and look at those again."""
    _, given = await chosen_in_form(request)
    wait = read_waits(given.get("waits", ""))
    home = rooms_of(request).home
    waiting = await asyncio.to_thread(chosen_problems, home, (), ProblemFilter(waits_for=wait))
    many = len(waiting) > MOST_AT_ONCE
    async with session_of(request) as session:
        try:
            provided = await provide_partner(session, wait, [] if many else waiting)
        except CrosstieError as error:
            return await _not_provided(request, session, waits_text(wait), error)
    jobs = []
    if many and not provided.report.failed:
        later = await asyncio.to_thread(solve_later, home, Solution.RETRY, waiting)
        jobs = [await asyncio.to_thread(progress_of, home, job.id) for job in later]
    context: dict[str, Any] = {"awaited": provided.awaited, "waits": waits_text(wait), "error": None, "jobs": jobs}
    return changed(await page(request, "problems_partner.html", provided=provided, **context))


async def _not_provided(request: StrictRequest, session: Session, waits: str, error: CrosstieError) -> Response[str]:
    if isinstance(error, NothingToDo):
        raise error
    awaited = await awaited_record(session, read_waits(waits))
    context: dict[str, Any] = {"awaited": awaited, "waits": waits, "provided": None, "jobs": []}
    return await page(request, "problems_partner.html", error=error, **context)


HANDLERS = (
    ask,
    retry,
    synchronise,
    restore,
    delete,
    uncouple,
    undo,
    ask_partner,
    partner,
)
