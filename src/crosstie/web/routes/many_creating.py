"""Create for a selection: what would be created, with records that may be there already to link instead (F04)."""

import asyncio
from typing import Any

import msgspec
from litestar import Response, get, post

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import session_of
from crosstie.app.candidates import ALMOST_SURE, LIKELY, Candidate, candidates
from crosstie.app.coupling import create_partners, set_up_coupling
from crosstie.app.planned import planned
from crosstie.app.planned_words import in_words
from crosstie.app.selecting import Selected, Selection, describe_selection
from crosstie.app.selection_plans import MOST_PLANNED, PlanGroup, PlanRow, plan_creation
from crosstie.app.session import Session
from crosstie.model.errors import CrosstieError, InvalidOption
from crosstie.model.lists import NOT_COUPLED
from crosstie.model.mappings import Mapping
from crosstie.model.people import Permission
from crosstie.model.planned import PlannedRecord
from crosstie.model.records import Side
from crosstie.web.forms import several_of
from crosstie.web.many import SELECTS, Asked, entries_of, finished, running, single
from crosstie.web.rendering import page
from crosstie.web.selections import SideInPath, carried, dialog_path, few, read_selection

_MAY: dict[str, Any] = {"permission": Permission.COUPLE}
_AT_ONCE = 4


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A record that would get a partner, and those that may be its partner already."""

    id: str
    name: str
    creates: bool
    shown: PlannedRecord | None
    likely: list[Candidate]

    @property
    def proposed(self) -> str:
        """What is chosen unless a person chooses otherwise: a link, a creation, or nothing."""
        if self.likely and self.likely[0].score >= ALMOST_SURE:
            return f"link:{self.likely[0].id}"
        return "create" if self.creates else ""


@get("/lists/{mapping:str}/{side:str}/create", opt=_MAY, dependencies=SELECTS)
async def show(
    request: StrictRequest,
    mapping: InPath,
    side: SideInPath,
    selection: Asked,
) -> Response[str]:
    """What would be created for the selection."""
    return single(request, mapping, selection, "couple?create=1") or await _ask(request, mapping, selection)


@post("/lists/{mapping:str}/{side:str}/create", status_code=200, opt=_MAY)
async def show_large(request: StrictRequest, mapping: InPath, side: SideInPath) -> Response[str]:
    """The same for a selection that no address can carry."""
    selection, _ = await read_selection(request, side)
    return await _ask(request, mapping, selection)


@post("/lists/{mapping:str}/{side:str}/create/apply", status_code=200, opt=_MAY)
async def apply(request: StrictRequest, mapping: InPath, side: SideInPath) -> Response[str]:
    """Create and couple, or link, as chosen for each record; many are created by a worker."""
    selection, fields = await read_selection(request, side, choice=0, many=1)
    try:
        if fields["many"]:
            wanted = msgspec.structs.replace(selection, only=(NOT_COUPLED,))
            arguments = {"mapping": mapping, "selection": msgspec.to_builtins(wanted)}
            return await running(request, "create", arguments, "Create and couple")
        return await _carry_out(request, mapping, side, await several_of(request, "choice", most=MOST_PLANNED))
    except CrosstieError as error:
        return await _ask(request, mapping, selection, error)


async def _ask(
    request: StrictRequest, mapping: str, selection: Selection, error: CrosstieError | None = None
) -> Response[str]:
    async with session_of(request) as session:
        found = session.mapping(mapping)
        selected = await describe_selection(session, mapping, selection)
        rows: list[Row] = []
        if selected.total is not None and selected.total <= MOST_PLANNED:
            plan = await plan_creation(session, mapping, selection)
            rows = await _rows(session, found, selection.side, [row for row in plan if not _has_partner(row)])
    return await page(
        request,
        "create_many.html",
        200 if error is None else status_of(error),
        mapping=found,
        side=selection.side,
        here=dialog_path(found.name, selection.side, "create"),
        carried=carried(selection),
        selected=selected,
        few=selected.total is not None and selected.total <= MOST_PLANNED,
        rows=rows,
        coupled=_coupled(selected, rows),
        error=error,
    )


def _has_partner(row: PlanRow) -> bool:
    return row.group is PlanGroup.UNCHANGED


def _coupled(selected: Selected, rows: list[Row]) -> int:
    """Return how many of the selected records have a partner already."""
    if selected.more:
        return 0
    return max(0, (selected.total or 0) - len(rows)) if rows else selected.coupled


async def _rows(session: Session, mapping: Mapping, side: Side, plan: list[PlanRow]) -> list[Row]:
    """Join what would be created with records of the other side that may be meant, a few looked for at a time."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def likely(row: PlanRow) -> list[Candidate]:
        async with turn:
            found = await candidates(session, mapping.name, row.id, side=side, limit=5)
        return [each for each in found if each.free and each.score >= LIKELY][:3]

    found = await asyncio.gather(*(likely(row) for row in plan))
    decided = {row.id: planned(mapping, row.decision) for row in plan if row.decision is not None}
    shown = dict(zip(decided, await in_words(session, mapping.name, list(decided.values())), strict=True))
    return [
        Row(
            id=row.id,
            name=row.name,
            creates=row.group is PlanGroup.CREATE,
            shown=shown.get(row.id),
            likely=each,
        )
        for row, each in zip(plan, found, strict=True)
    ]


async def _carry_out(request: StrictRequest, mapping: str, side: Side, choices: list[str]) -> Response[str]:
    """Link first, then create the rest in one job; a link that is refused is told and stops nothing."""
    made = [each.split("|", 1) for each in choices]
    if any(len(each) != 2 for each in made):
        raise InvalidOption("A row of the list cannot be read.", next_step="Open the dialog again.")
    creates = [id for id, choice in made if choice == "create"]
    links = [(id, choice.removeprefix("link:")) for id, choice in made if choice.startswith("link:")]
    few([*creates, *(id for id, _ in links)], side)
    notes: list[str] = []
    jobs: list[int] = []
    done = None
    async with session_of(request) as session:
        for id, other in links:
            local, remote = (id, other) if side is Side.LOCAL else (other, id)
            try:
                coupled = await set_up_coupling(session, mapping, local, remote, synchronise="no")
            except CrosstieError as error:
                notes.append(f"{error.words} {error.advice}".strip())
            else:
                jobs.append(coupled.job_id or 0)
                notes.append(f"{coupled.coupling.local_name} is linked; neither record was changed.")
        if creates:
            report = await create_partners(session, mapping, selection=few(creates, side))
            jobs.append(report.job_id or 0)
        if jobs:
            done = await entries_of(request, session, jobs[-1])
        found = session.mapping(mapping)
        return await finished(request, "Created and coupled", found, side, done, jobs=jobs, notes=notes)


HANDLERS = (show, show_large, apply)
