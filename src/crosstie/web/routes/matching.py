"""Match-Based Coupling: criteria, a trial while they are edited, and the run as a job (P15, F08)."""

import asyncio
from collections import Counter
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import rooms_of, session_of
from crosstie.app.jobs import enqueue
from crosstie.app.mapping_cards import FieldRow, field_rows
from crosstie.app.mappings import change_mapping, show_mapping
from crosstie.app.matching import MatchReason, MatchReport, explained, match
from crosstie.app.views import MappingView
from crosstie.model.decisions import Preference
from crosstie.model.errors import CrosstieError, InvalidOption
from crosstie.model.jobs import Job
from crosstie.model.mapping_changes import MappingChanges
from crosstie.model.people import Permission
from crosstie.web.forms import fields_of, several_of
from crosstie.web.rendering import changed, page
from crosstie.web.routes.mappings import Name, address_of
from crosstie.web.routes.progress import progress_of

_COUPLES: dict[str, Any] = {"permission": Permission.COUPLE}
_SAMPLES = 5
"""Rows that the trial shows of each reason."""
_MANY = ("match", "case", "ids")


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """What the page was filled in with. Fields are named by both their fields, as `FieldRow.name`."""

    chosen: set[str]
    case_sensitive: set[str]
    priorities: dict[str, int]
    synchronise: bool
    create: bool
    winner: str
    keep: bool = False
    ids: tuple[str, ...] = ()

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
            "local_ids": list(self.ids) or None,
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


def _stored(grid: Grid, ids: tuple[str, ...]) -> Criteria:
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
        ids=ids,
    )


async def _filled_in(request: StrictRequest, grid: Grid) -> Criteria:
    known = {f"priority_{at}": 5 for at in range(len(grid.rows))}
    known |= {"synchronise": 5, "create": 5, "winner": 10, "keep": 5}
    given = await fields_of(request, known, several=_MANY)
    priorities = {}
    for at, row in enumerate(grid.rows):
        text = given[f"priority_{at}"].strip() or "0"
        if not (text.isascii() and text.isdigit() and int(text) <= 1000):
            raise InvalidOption(
                f"The match priority of {row.row.label} is {text!r}.", next_step="Give a whole number from 0 on."
            )
        priorities[row.name] = int(text)
    if given["winner"] not in ("", *Preference):
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
        ids=tuple(await several_of(request, "ids")),
    )


@get("/mappings/{mapping:str}/match")
async def form(
    request: StrictRequest, mapping: Name, ids: Annotated[list[str] | None, QueryParameter()] = None
) -> Response[str]:
    """The criteria as the mapping has them, with what they would find."""
    request.demand(Permission.COUPLE)
    grid = await _grid(request, mapping)
    return await _form(request, grid, _stored(grid, tuple(ids or ())))


@post("/mappings/{mapping:str}/match/selected", status_code=200, opt=_COUPLES)
async def selected(request: StrictRequest, mapping: Name) -> Response[str]:
    """The same for records that were selected in a list."""
    await fields_of(request, {}, several=("ids",))
    ids = tuple(await several_of(request, "ids"))
    if not ids:
        raise InvalidOption("Nothing is selected.", next_step="Select records, or match the whole mapping.")
    grid = await _grid(request, mapping)
    return await _form(request, grid, _stored(grid, ids))


@post("/mappings/{mapping:str}/match/try", status_code=200, opt=_COUPLES)
async def attempt(request: StrictRequest, mapping: Name) -> Response[str]:
    """What criteria would find. Couples nothing."""
    grid = await _grid(request, mapping)
    try:
        criteria = await _filled_in(request, grid)
        report = await _tried(request, grid, criteria)
    except CrosstieError as error:
        return await page(request, "match_trial.html", status_of(error), trial=None, samples=[], error=error)
    return await page(request, "match_trial.html", trial=report, samples=_samples(report), error=None)


async def _tried(request: StrictRequest, grid: Grid, criteria: Criteria) -> MatchReport:
    if not criteria.groups:
        raise InvalidOption("No field is chosen to match on.", next_step="Tick Match on this Field.")
    given = criteria.arguments(grid.view.name, grid.names)
    winner = Preference(given.pop("winner")) if given["winner"] else None
    given.pop("winner", None)
    async with session_of(request) as session:
        return await match(session, given.pop("mapping"), dry_run=True, winner=winner, **given)


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
    criteria = _stored(grid, ())
    asker, home = request.asker.name, rooms_of(request).home
    try:
        criteria = await _filled_in(request, grid)
        if not criteria.groups:
            raise InvalidOption("No field is chosen to match on.", next_step="Tick Match on this Field.")
        if criteria.keep:
            await _keep(request, grid, criteria)
        arguments = criteria.arguments(grid.view.name, grid.names)
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
    return await page(
        request,
        "match.html",
        200 if error is None else status_of(error),
        view=grid.view,
        grid=grid,
        criteria=criteria,
        progress=progress,
        error=error,
        here=address_of(grid.view.name),
        in_dialog=request.headers.get("hx-target") == "dialog",
    )


HANDLERS = (form, selected, attempt, run)
