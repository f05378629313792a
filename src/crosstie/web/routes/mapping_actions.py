"""What is done with a whole mapping: synchronise, full synchronisation, delete couplings, reset (P16, F09, F12)."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response, get, post

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import rooms_of, session_of
from crosstie.app.home import Home
from crosstie.app.jobs import enqueue, run_all_now, run_now
from crosstie.app.mappings import list_mappings, reset_mappings, show_mapping
from crosstie.app.views import MappingView
from crosstie.model.errors import CrosstieError, InvalidOption
from crosstie.model.jobs import Job
from crosstie.model.people import Permission
from crosstie.web.forms import fields_of
from crosstie.web.rendering import changed, page
from crosstie.web.routes.mappings import MANAGES, Name, address_of
from crosstie.web.routes.progress import progress_of

_SYNCHRONISES: dict[str, Any] = {"permission": Permission.SYNCHRONISE}
_FULLY: dict[str, Any] = {"permission": Permission.SYNCHRONISE_FULLY}
_UNCOUPLES: dict[str, Any] = {"permission": Permission.UNCOUPLE_MAPPING}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialog asks before something is done with a whole mapping."""

    title: str
    words: list[str]
    ok: str
    action: str
    here: str
    """Where a page without dialogs goes back to."""
    creates: bool = False
    """Whether it is asked if partners are to be created."""
    typed: str = ""
    """What must be typed before it is done."""
    danger: bool = False
    plan: str = ""
    """Where a plan of it is asked for; empty where there is none."""
    full: bool = False
    """Whether that plan is about every record."""


async def asked(
    request: StrictRequest,
    question: Question,
    *,
    job: Job | None = None,
    told: str = "",
    error: CrosstieError | None = None,
    given: str = "",
) -> Response[str]:
    """Return a dialog that asks, or shows what came of it: a job with its progress, words, or an error."""
    progress = None if job is None else await asyncio.to_thread(progress_of, rooms_of(request).home, job.id)
    status = 200 if error is None else status_of(error)
    context = {"question": question, "progress": progress, "told": told, "error": error, "given": given}
    return await page(request, "mapping_question.html", status, **context)


async def _viewed(request: StrictRequest, mapping: str) -> MappingView:
    return await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)


def _synchronise(view: MappingView) -> Question:
    return Question(
        title="Synchronize Modified Records",
        words=[f"What changed since the last run of {view.name} is synchronised, on both sides."],
        ok="Synchronise",
        action=f"{address_of(view.name)}/synchronise",
        here=address_of(view.name),
        plan=f"{address_of(view.name)}/plan",
    )


def _full(view: MappingView) -> Question:
    words = [f"Every record of {view.name} that its filters admit is compared and brought in step."]
    if not view.only_coupled:
        words.append("Records without partner get one, because not only coupled records are synchronised.")
    return Question(
        title="Run Full Synchronization",
        words=words,
        ok="Run",
        action=f"{address_of(view.name)}/full",
        here=address_of(view.name),
        creates=view.only_coupled,
        plan=f"{address_of(view.name)}/plan",
        full=True,
    )


def _uncouple(view: MappingView) -> Question:
    later = [] if view.only_coupled else ["The next synchronisation would create partners anew, for records without."]
    return Question(
        title=f"Delete Couplings of {view.name}",
        words=[
            f"All {view.couplings:,} couplings of {view.name} are removed. The records stay in both systems.",
            "It can be undone from the result, and for 30 days from the list of jobs.",
            *later,
        ],
        ok="Delete Couplings",
        action=f"{address_of(view.name)}/uncouple",
        here=address_of(view.name),
        typed=view.name,
        danger=True,
    )


def _reset(names: list[str], action: str, here: str) -> Question:
    return Question(
        title="Use Default Synchronization Setup",
        words=[
            f"Direction, filters, policies and field mappings of {', '.join(names)} become as they were shipped.",
            "What was changed of them is lost. Couplings stay, and the next synchronisation looks at every record.",
        ],
        ok="Reset",
        action=action,
        here=here,
        danger=True,
    )


@get("/mappings/{mapping:str}/synchronise")
async def ask_synchronise(request: StrictRequest, mapping: Name) -> Response[str]:
    """Asks before what changed is synchronised."""
    return await asked(request, _synchronise(await _viewed(request, mapping)))


@post("/mappings/{mapping:str}/synchronise", status_code=200, opt=_SYNCHRONISES)
async def synchronise(request: StrictRequest, mapping: Name) -> Response[str]:
    """Synchronise what changed, as the schedule would."""
    await fields_of(request, {})
    view, asker = await _viewed(request, mapping), request.asker.name
    return await _started(request, _synchronise(view), lambda home: run_now(home, view.name, asked_by=asker))


@get("/mappings/{mapping:str}/full")
async def ask_full(request: StrictRequest, mapping: Name) -> Response[str]:
    """Asks before every record is compared."""
    return await asked(request, _full(await _viewed(request, mapping)))


@post("/mappings/{mapping:str}/full", status_code=200, opt=_FULLY)
async def full(request: StrictRequest, mapping: Name) -> Response[str]:
    """Compare every record, and create partners where that was ticked."""
    given = await fields_of(request, {"create": 5})
    view, asker = await _viewed(request, mapping), request.asker.name
    arguments = {"mapping": view.name, "full": True, "create": bool(given["create"])}
    return await _started(request, _full(view), lambda home: enqueue(home, "synchronise", arguments, asked_by=asker))


@get("/jobs/run-all")
async def ask_all(request: StrictRequest) -> Response[str]:
    """Asks before everything that changed is synchronised."""
    return await asked(request, _all())


@post("/jobs/run-all", status_code=200, opt=_SYNCHRONISES)
async def run_all(request: StrictRequest) -> Response[str]:
    """Synchronise what changed in every enabled mapping."""
    await fields_of(request, {})
    asker = request.asker.name
    return await _started(request, _all(), lambda home: run_all_now(home, asked_by=asker))


def _all() -> Question:
    return Question(
        title="Synchronise all now",
        words=[
            "What changed is synchronised in every enabled mapping, in the order in which they depend on each other."
        ],
        ok="Synchronise",
        action="/jobs/run-all",
        here="/jobs",
    )


@get("/mappings/{mapping:str}/uncouple")
async def ask_uncouple(request: StrictRequest, mapping: Name) -> Response[str]:
    """Asks before all couplings of a mapping are removed."""
    return await asked(request, _uncouple(await _viewed(request, mapping)))


@post("/mappings/{mapping:str}/uncouple", status_code=200, opt=_UNCOUPLES)
async def uncouple(request: StrictRequest, mapping: Name) -> Response[str]:
    """Remove all couplings of a mapping whose name was typed."""
    given = await fields_of(request, {"typed": 200})
    view, asker = await _viewed(request, mapping), request.asker.name
    question = _uncouple(view)
    if given["typed"].strip().casefold() != view.name.casefold():
        error = InvalidOption(
            f"{given['typed']!r} is not the name of the mapping.",
            next_step=f"Type {view.name} to remove its couplings.",
        )
        return await asked(request, question, error=error, given=given["typed"])
    # The name was typed below the number of couplings: that is the answer that the guard wants.
    arguments = {"mapping": view.name, "all": True, "force": True}
    return await _started(request, question, lambda home: enqueue(home, "uncouple", arguments, asked_by=asker))


@get("/mappings/{mapping:str}/reset")
async def ask_reset(request: StrictRequest, mapping: Name) -> Response[str]:
    """Asks before a mapping becomes as it was shipped."""
    view = await _viewed(request, mapping)
    return await asked(request, _reset([view.name], f"{address_of(view.name)}/reset", address_of(view.name)))


@post("/mappings/{mapping:str}/reset", status_code=200, opt=MANAGES)
async def reset(request: StrictRequest, mapping: Name) -> Response[str]:
    """Restore a standard mapping."""
    await fields_of(request, {})
    view = await _viewed(request, mapping)
    question = _reset([view.name], f"{address_of(view.name)}/reset", address_of(view.name))
    return await _restored(request, question, [view])


@get("/mappings-reset")
async def ask_reset_all(request: StrictRequest) -> Response[str]:
    """Asks before all mappings become as they were shipped."""
    views = await asyncio.to_thread(list_mappings, rooms_of(request).home)
    return await asked(request, _reset([view.name for view in views], "/mappings-reset", "/mappings"))


@post("/mappings-reset", status_code=200, opt=MANAGES)
async def reset_all(request: StrictRequest) -> Response[str]:
    """Restore all standard mappings."""
    await fields_of(request, {})
    views = await asyncio.to_thread(list_mappings, rooms_of(request).home)
    return await _restored(request, _reset([view.name for view in views], "/mappings-reset", "/mappings"), views)


async def _restored(request: StrictRequest, question: Question, views: list[MappingView]) -> Response[str]:
    names = [view.name for view in views]
    custom = any("/" in view.local_table for view in views if view.name in ("CUSTOMER", "VENDOR"))
    try:
        async with session_of(request) as session:
            ownership = session.settings.get("ownership_model") or "person"
            done = await reset_mappings(session, names, ownership=ownership, custom_pages=custom, by=request.asker)
    except CrosstieError as error:
        return await asked(request, question, error=error)
    told = [f"Restored: {', '.join(done.mappings)}."]
    told += [f"{name} is disabled, because it cannot work: {why}" for name, why in done.off.items()]
    return changed(await asked(request, question, told=" ".join(told)))


async def _started(request: StrictRequest, question: Question, start: Callable[[Home], Job]) -> Response[str]:
    try:
        job = await asyncio.to_thread(start, rooms_of(request).home)
    except CrosstieError as error:
        return await asked(request, question, error=error)
    return changed(await asked(request, question, job=job))


HANDLERS = (
    *(ask_synchronise, synchronise, ask_full, full, ask_all, run_all),
    *(ask_uncouple, uncouple, ask_reset, reset, ask_reset_all, reset_all),
)
