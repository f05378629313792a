"""What the dialogs for a selection share: the selection that is asked for, the result, and work left to a worker."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from litestar import Response
from litestar.di import NamedDependency, Provide

from crosstie.api.asking import StrictRequest
from crosstie.api.rooms import rooms_of
from crosstie.app.history import JobEntries, list_job_entries
from crosstie.app.jobs import enqueue
from crosstie.app.selecting import Selection
from crosstie.app.session import Session
from crosstie.model.mappings import Mapping
from crosstie.model.records import Side
from crosstie.web.rendering import changed, page
from crosstie.web.routes.progress import progress_of
from crosstie.web.selections import All, Excluded, Ids, Search, SideInPath, States, selection_of

_TOLD = 200
"""Records of a job whose outcome its dialog lists; all of them are on the job's page."""


async def asked_selection(
    side: SideInPath,
    ids: Ids = "",
    all_: All = "",
    search: Search = "",
    states: States = "",
    excluded: Excluded = "",
) -> Selection:
    """Return the selection that an address carries. Raises InvalidOption if it selects nothing."""
    return selection_of(side, ids, all_, search, states, excluded)


Asked: TypeAlias = NamedDependency[Selection]
SELECTS = {"selection": Provide(asked_selection)}
"""The dependency of a handler that takes a `selection`, which is `Asked`, from its address."""


def single(request: StrictRequest, mapping: str, selection: Selection, dialog: str) -> Response[str] | None:
    """Return the way to the dialog of one record where one alone is selected by its id, else None."""
    if len(selection.ids) != 1:
        return None
    id = quote(selection.ids[0], safe="")
    # A browser follows it also for a part of a page, which is then the part of the other address.
    return Response(
        "",
        status_code=303,
        headers={"Location": f"/records/{quote(mapping)}/{selection.side.value}/{id}/{dialog}"},
    )


async def entries_of(request: StrictRequest, session: Session, job_id: int | None) -> JobEntries:
    """Return what a job did to the records that its dialog lists."""
    return await list_job_entries(rooms_of(request).home, session, job_id or 0, limit=_TOLD)


async def finished(
    request: StrictRequest,
    title: str,
    mapping: Mapping,
    side: Side,
    done: JobEntries | None,
    *,
    jobs: Sequence[int] = (),
    left: int = 0,
    notes: Sequence[str] = (),
) -> Response[str]:
    """Show what was done; `jobs` can be undone, `left` records had changed since the plan was shown."""
    return changed(
        await page(
            request,
            "many_done.html",
            title=title,
            mapping=mapping,
            side=side,
            done=done,
            jobs=jobs,
            left=left,
            notes=notes,
        )
    )


async def running(request: StrictRequest, use_case: str, arguments: dict[str, Any], title: str) -> Response[str]:
    """Hand a use case to a worker, and show how far it is. Raises InvalidOption, UnknownMapping, JobRunning."""
    home = rooms_of(request).home
    job = await asyncio.to_thread(enqueue, home, use_case, arguments, asked_by=request.asker.name)
    progress = await asyncio.to_thread(progress_of, home, job.id)
    return changed(await page(request, "many_running.html", title=title, progress=progress))
