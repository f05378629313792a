"""Match-Based Coupling: criteria, a trial while they are edited, and the run as a job (P15, F08)."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
from litestar import Response, get, post

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import rooms_of, session_of
from crosstie.app.coupling import set_up_coupling
from crosstie.app.jobs import enqueue
from crosstie.app.mapping_cards import FieldRow, field_rows
from crosstie.app.mappings import change_mapping, show_mapping
from crosstie.app.matching import MatchReason, MatchReport, explained, match, preference_of
from crosstie.app.previewing import NO
from crosstie.app.selecting import Selection, describe_selection
from crosstie.app.undecided import UndecidedRecords, undecided_records
from crosstie.app.views import MappingView
from crosstie.model.decisions import Preference
from crosstie.model.errors import CrosstieError, InvalidOption
from crosstie.model.jobs import Job
from crosstie.model.mapping_changes import MappingChanges
from crosstie.model.people import Permission
from crosstie.model.records import Side
from crosstie.web.forms import fields_of, several_of
from crosstie.web.many import SELECTS, Asked
from crosstie.web.records import address_of as card_of
from crosstie.web.rendering import changed, page
from crosstie.web.routes.mappings import Name, address_of
from crosstie.web.routes.progress import progress_of
from crosstie.web.selections import CARRIED, SideInPath, carried, read_selection, selection_in

_COUPLES: dict[str, Any] = {"permission": Permission.COUPLE}
_SAMPLES = 5
"""Rows that the trial shows of each reason."""
_MANY = ("match", "case")


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """What the page was filled in with. Fields are named by both their fields, as `FieldRow.name`."""

    chosen: set[str]
    case_sensitive: set[str]
    priorities: dict[str, int]
    synchronise: bool
    create: bool
    winner: str
    keep: bool = False
    selection: Selection | None = None
    pair: str = ""
    """Ids of the records that are to be coupled at once, where a person has chosen among several."""

    @property
    def groups(self) -> list[list[str]]:
        """The chosen fields by priority, blanks first."""
        found: dict[int, list[str]] = {}
        for name, priority in self.priorities.items():
            if name in self.chosen:
                found.setdefault(priority, []).append(name)
        return [found[priority] for priority in sorted(found)]

    def arguments(self, mapping: str, names: dict[str, str]) -> dict[str, Any]:
        """Return what the use case is called with; `names` are what it knows fields by."""
        return {
            "mapping": mapping,
            "groups": [[names[name] for name in group] for group in self.groups],
            "selection": self.selection,
            "create": self.create,
            "synchronise": self.synchronise,
            "case_sensitive": [name for name in self.case_sensitive if name in self.chosen],
            "winner": self.winner or None,
        }


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of the criteria grid, and whether partners can be created."""

    view: MappingView
    rows: list[FieldRow]
    names: dict[str, str]
    """By what the use case knows a field mapping."""
    name_field: str

    @property
    def can_create(self) -> bool:
        return self.view.direction != "from_remote"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Some records of one side with the same reason."""

    side: str
    reason: str
    count: int
    rows: list[tuple[str, str]]
    """What the record is called, and why it was matched or not."""


async def _grid(request: StrictRequest, mapping: str) -> Grid:
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    async with session_of(request) as session:
        rows = [row for row in await field_rows(session, view.name) if row.comparable]
        name_field = session.mapping(view.name).local_name_field
    locals_ = Counter((row.row.local_field or "").casefold() for row in rows)
    names = {
        row.name: str(
            row.row.local_field if locals_[(row.row.local_field or "").casefold()] == 1 else row.row.remote_field
        )
        for row in rows
    }
    return Grid(view=view, rows=rows, names=names, name_field=name_field)


def _stored(grid: Grid, selection: Selection | None) -> Criteria:
    """Return the criteria that the mapping proposes; where it has none, the name."""
    chosen = {row.name for row in grid.rows if row.row.match_priority is not None and row.row.enabled}
    chosen = chosen or {row.name for row in grid.rows if row.row.local_field == grid.name_field}
    return Criteria(
        chosen=chosen,
        case_sensitive={row.name for row in grid.rows if row.row.case_sensitive_match},
        priorities={row.name: row.row.match_priority or 0 for row in grid.rows},
        synchronise=grid.view.synchronise_after_match,
        create=grid.view.create_if_no_match and grid.can_create,
        winner="",
        selection=selection,
    )


async def _filled_in(request: StrictRequest, grid: Grid) -> Criteria:
    known = {f"priority_{at}": 5 for at in range(len(grid.rows))}
    known |= {"synchronise": 5, "create": 5, "winner": 11, "keep": 5, "pair": 500, **CARRIED}
    given = await fields_of(request, known, several=_MANY)
    priorities = {}
    for at, row in enumerate(grid.rows):
        text = given[f"priority_{at}"].strip() or "0"
        if not (text.isascii() and text.isdigit() and int(text) <= 1000):
            raise InvalidOption(
                f"The match priority of {row.row.label} is {text!r}.", next_step="Give a whole number from 0 on."
            )
        priorities[row.name] = int(text)
    if given["winner"] not in ("", Preference.SEND, Preference.GET):
        raise InvalidOption(f"{given['winner']!r} is no side whose data could win.")
    known_names = {row.name for row in grid.rows}
    return Criteria(
        chosen=known_names.intersection(await several_of(request, "match")),
        case_sensitive=known_names.intersection(await several_of(request, "case")),
        priorities=priorities,
        synchronise=bool(given["synchronise"]),
        create=bool(given["create"]) and grid.can_create,
        winner=given["winner"],
        keep=bool(given["keep"]),
        pair=given["pair"],
        selection=selection_in(Side.LOCAL, given) if any(given[name] for name in CARRIED) else None,
    )


@get("/mappings/{mapping:str}/match")
async def form(request: StrictRequest, mapping: Name) -> Response[str]:
    """The criteria as the mapping has them, with what they would find."""
    request.demand(Permission.COUPLE)
    grid = await _grid(request, mapping)
    return await _form(request, grid, _stored(grid, None))


@get("/lists/{mapping:str}/{side:str}/match", opt=_COUPLES, dependencies=SELECTS)
async def selected(request: StrictRequest, mapping: Name, side: SideInPath, selection: Asked) -> Response[str]:
    """The same for records that were selected in a list."""
    grid = await _grid(request, mapping)
    return await _form(request, grid, _stored(grid, selection))


@post("/lists/{mapping:str}/{side:str}/match", status_code=200, opt=_COUPLES)
async def selected_large(request: StrictRequest, mapping: Name, side: SideInPath) -> Response[str]:
    """The same for a selection that no address can carry."""
    selection, _ = await read_selection(request, side)
    grid = await _grid(request, mapping)
    return await _form(request, grid, _stored(grid, selection))


@post("/mappings/{mapping:str}/match/try", status_code=200, opt=_COUPLES)
async def attempt(request: StrictRequest, mapping: Name) -> Response[str]:
    """What criteria would find. Couples nothing."""
    grid = await _grid(request, mapping)
    try:
        report, undecided = await _tried(request, grid, await _filled_in(request, grid))
    except CrosstieError as error:
        return await page(request, "match_trial.html", status_of(error), trial=None, error=error)
    samples = _samples(report)
    here = address_of(grid.view.name)
    return await page(
        request, "match_trial.html", trial=report, samples=samples, undecided=undecided, here=here, error=None
    )


@post("/mappings/{mapping:str}/match/undecided", status_code=200, opt=_COUPLES)
async def undecided_after(request: StrictRequest, mapping: Name) -> Response[str]:
    """What is left to be decided by a person once the job has run."""
    grid = await _grid(request, mapping)
    try:
        _, undecided = await _tried(request, grid, await _filled_in(request, grid))
    except CrosstieError as error:
        return await page(request, "match_undecided.html", status_of(error), undecided=None, error=error)
    here = address_of(grid.view.name)
    return await page(request, "match_undecided.html", undecided=undecided, here=here, error=None)


async def _tried(request: StrictRequest, grid: Grid, criteria: Criteria) -> tuple[MatchReport, UndecidedRecords]:
    if not criteria.groups:
        raise InvalidOption("No field is chosen to match on.", next_step="Tick Match on this Field.")
    given = criteria.arguments(grid.view.name, grid.names)
    winner = Preference(given["winner"]) if given["winner"] else None
    async with session_of(request) as session:
        report = await match(session, **given | {"winner": winner}, dry_run=True)
        return report, await undecided_records(session, report)


@post("/mappings/{mapping:str}/match/choose", status_code=200, opt=_COUPLES)
async def choose(request: StrictRequest, mapping: Name) -> Response[str]:
    """Couple a record with the candidate chosen, at once, and say so in the place of its candidates."""
    grid = await _grid(request, mapping)
    criteria = await _filled_in(request, grid)
    local, _, remote = criteria.pair.partition(" ")
    here = card_of(grid.view.name, Side.LOCAL, local)
    async with session_of(request) as session:
        way = criteria.winner or preference_of(session.mapping(grid.view.name)).value
        try:
            made = await set_up_coupling(
                session, grid.view.name, local, remote, synchronise=way if criteria.synchronise else NO
            )
        except CrosstieError as error:
            context: dict[str, Any] = {"made": None, "error": error}
            return await page(request, "match_chosen.html", status_of(error), here=here, local=local, **context)
    return changed(await page(request, "match_chosen.html", made=made, error=None, here=here, local=local))


def _samples(report: MatchReport) -> list[Sample]:
    """Return some rows of each reason, those first that a person can do something about."""
    rows: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row, words in explained(report):
        found = rows.setdefault((row.side.value, row.reason.value), [])
        if len(found) < _SAMPLES:
            found.append((row.record.words(), words))
    counts = {("local", reason.value): number for reason, number in report.local.items()}
    counts |= {("remote", reason.value): number for reason, number in report.remote.items()}
    order = list(MatchReason)
    return [
        Sample(side=side, reason=reason, count=counts[side, reason], rows=rows[side, reason])
        for side, reason in sorted(rows, key=lambda key: (order.index(MatchReason(key[1])), key[0]))
        if reason != MatchReason.ALREADY_COUPLED.value
    ]


@post("/mappings/{mapping:str}/match", status_code=200, opt=_COUPLES)
async def run(request: StrictRequest, mapping: Name) -> Response[str]:
    """Couple what matches uniquely, as a job; the criteria are kept only where that was ticked."""
    grid = await _grid(request, mapping)
    criteria = _stored(grid, None)
    asker, home = request.asker.name, rooms_of(request).home
    try:
        criteria = await _filled_in(request, grid)
        if not criteria.groups:
            raise InvalidOption("No field is chosen to match on.", next_step="Tick Match on this Field.")
        if criteria.keep:
            await _keep(request, grid, criteria)
        arguments = msgspec.to_builtins(criteria.arguments(grid.view.name, grid.names))
        job = await asyncio.to_thread(lambda: enqueue(home, "match", arguments, asked_by=asker))
    except CrosstieError as error:
        return await _form(request, grid, criteria, error=error)
    return changed(await _form(request, grid, criteria, job=job))


async def _keep(request: StrictRequest, grid: Grid, criteria: Criteria) -> None:
    """Make the criteria those of the mapping."""
    fields = {
        row.name: {
            "match_priority": criteria.priorities[row.name] if row.name in criteria.chosen else None,
            "case_sensitive_match": row.name in criteria.case_sensitive,
        }
        for row in grid.rows
    }
    values = {
        "fields": fields,
        "synchronise_after_match": criteria.synchronise,
        "create_if_no_match": criteria.create,
    }
    async with session_of(request) as session:
        await change_mapping(session, request.asker, grid.view.name, msgspec.convert(values, MappingChanges))


async def _form(
    request: StrictRequest,
    grid: Grid,
    criteria: Criteria,
    *,
    job: Job | None = None,
    error: CrosstieError | None = None,
) -> Response[str]:
    progress = None if job is None else await asyncio.to_thread(progress_of, rooms_of(request).home, job.id)
    number: int | None = None
    if criteria.selection is not None and job is None:
        async with session_of(request) as session:
            number = (await describe_selection(session, grid.view.name, criteria.selection)).total
    return await page(
        request,
        "match.html",
        200 if error is None else status_of(error),
        view=grid.view,
        grid=grid,
        criteria=criteria,
        carried=carried(criteria.selection) if criteria.selection is not None else [],
        number=number,
        progress=progress,
        error=error,
        here=address_of(grid.view.name),
        in_dialog=request.headers.get("hx-target") == "dialog",
    )


HANDLERS = (form, selected, selected_large, attempt, undecided_after, choose, run)
