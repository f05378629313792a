"""Integration table mappings: the list and the card with its settings (P16, P17, F13)."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter, QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import invalid, status_of
from crosstie.api.rooms import rooms_of, session_of
from crosstie.app.filtering import FilterView, filter_views
from crosstie.app.history import list_jobs
from crosstie.app.home import Home
from crosstie.app.jobs import ScheduleView, list_schedules, pause_schedule, resume_schedule, set_pace
from crosstie.app.mapping_cards import filter_words
from crosstie.app.mappings import ChangedMapping, change_mapping, list_mappings, show_mapping
from crosstie.app.views import MappingView
from crosstie.model.errors import CrosstieError, InvalidOption, UnknownMapping
from crosstie.model.jobs import Job
from crosstie.model.mapping_changes import MappingChanges
from crosstie.model.people import Permission
from crosstie.model.records import Side
from crosstie.web.forms import fields_of
from crosstie.web.rendering import changed, page

Name = Annotated[str, PathParameter(min_length=1, max_length=200)]
MANAGES: dict[str, Any] = {"permission": Permission.MANAGE_MAPPINGS}
_SECTIONS: dict[str, dict[str, int]] = {
    "what": {"enabled": 5},
    "new": {"only_coupled": 5},
    "conflicts": {"update_conflict": 20, "deletion_conflict": 20},
}
_SWITCHES = ("enabled", "only_coupled")


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a section that was sent: saved, with what changed, or refused."""

    section: str
    done: ChangedMapping | None = None
    error: CrosstieError | None = None
    typed: dict[str, str] = {}
    at: datetime


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping with what runs it. `schedule` is None for one that is disabled."""

    view: MappingView
    words: dict[Side, str]
    filters: dict[Side, FilterView] | None = None
    """What the filters admit, where it was asked for."""
    schedule: ScheduleView | None
    hindrance: str
    last: Job | None
    dependants: list[str]


def address_of(mapping: str) -> str:
    """Return the address of a mapping's card."""
    return f"/mappings/{quote(mapping, safe='')}"


@get("/mappings")
async def list_(request: StrictRequest) -> Response[str]:
    """All mappings with their figures."""
    home = rooms_of(request).home
    views, schedules = await asyncio.to_thread(lambda: (list_mappings(home), list_schedules(home)))
    words = await _words(request, [view.name for view in views])
    return await page(
        request,
        "mappings.html",
        mappings=views,
        words_of=words,
        schedules={each.mapping: each for each in schedules.schedules},
        hindrance=schedules.hindrance,
        address_of=address_of,
    )


@get("/mappings/{mapping:str}")
async def card(
    request: StrictRequest, mapping: Name, figures: Annotated[bool, QueryParameter()] = False
) -> Response[str]:
    """The card of a mapping; with the figures of its filters where they are asked for, which may take a moment."""
    return await _card(request, mapping, figures=figures)


@post("/mappings/{mapping:str}", status_code=200, opt=MANAGES)
async def save(request: StrictRequest, mapping: Name) -> Response[str]:
    """Save a section of the card."""
    known = {"section": 20} | {name: most for fields in _SECTIONS.values() for name, most in fields.items()}
    given = await fields_of(request, known)
    section = given["section"]
    if section not in _SECTIONS:
        raise invalid(f"There is no section {section!r}; there are: {', '.join(_SECTIONS)}.", "section")
    typed = {name: given[name] for name in _SECTIONS[section]}
    values = {name: bool(text) if name in _SWITCHES else text for name, text in typed.items()}
    try:
        done = await change(request, mapping, values)
    except UnknownMapping:
        raise
    except CrosstieError as error:
        saved = Saved(section=section, error=error, typed=typed, at=datetime.now(UTC))
        return await _card(request, mapping, saved)
    saved = Saved(section=section, done=done, at=datetime.now(UTC))
    return changed(await _card(request, mapping, saved))


@get("/mappings/{mapping:str}/direction", opt=MANAGES)
async def direction(
    request: StrictRequest, mapping: Name, to: Annotated[str, QueryParameter(name="direction", max_length=20)] = ""
) -> Response[str]:
    """The dialog that changes the direction: what becomes of the field mappings is shown before."""
    request.demand(Permission.MANAGE_MAPPINGS)
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    foreseen: ChangedMapping | None = None
    error: CrosstieError | None = None
    chosen = to or view.direction
    try:
        foreseen = await change(request, view.name, {"direction": chosen}, dry_run=True)
    except CrosstieError as refused:
        error = refused
    return await page(
        request, "mapping_direction.html", view=view, chosen=chosen, foreseen=foreseen, done=None, error=error
    )


@post("/mappings/{mapping:str}/direction", status_code=200, opt=MANAGES)
async def turn(request: StrictRequest, mapping: Name) -> Response[str]:
    """Change the direction."""
    given = await fields_of(request, {"direction": 20})
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    context: dict[str, Any] = {"view": view, "chosen": given["direction"], "foreseen": None, "done": None}
    try:
        context["done"] = await change(request, view.name, {"direction": given["direction"]})
    except CrosstieError as error:
        return await page(request, "mapping_direction.html", status_of(error), error=error, **context)
    return changed(await page(request, "mapping_direction.html", error=None, **context))


@post("/mappings/{mapping:str}/schedule", status_code=200, opt={"permission": Permission.MANAGE_SCHEDULES})
async def schedule(request: StrictRequest, mapping: Name) -> Response[str]:
    """Pause or resume the schedule, or change how often it runs."""
    given = await fields_of(request, {"action": 10, "minutes": 10})
    try:
        await asyncio.to_thread(steer_schedule, rooms_of(request).home, mapping, given["action"], given["minutes"])
    except InvalidOption as error:
        saved = Saved(section="schedule", error=error, typed=given, at=datetime.now(UTC))
        return await _card(request, mapping, saved)
    return changed(await _card(request, mapping, Saved(section="schedule", at=datetime.now(UTC))))


def steer_schedule(home: Home, mapping: str | None, action: str, minutes: str = "") -> None:
    """Pause, resume or set the schedule of a mapping, or of all. Raises InvalidOption, UnknownMapping."""
    match action:
        case "pause":
            pause_schedule(home, mapping)
        case "resume":
            resume_schedule(home, mapping)
        case "set" if minutes.isascii() and minutes.isdigit():
            set_pace(home, mapping, int(minutes))
        case "set":
            raise InvalidOption(f"{minutes!r} is no number of minutes.", next_step="Give a whole number from 1 on.")
        case _:
            raise invalid(f"A schedule can be paused, resumed or set, not {action!r}.", "action")


async def change(
    request: StrictRequest, mapping: str, values: dict[str, Any], *, dry_run: bool = False
) -> ChangedMapping:
    """Change a mapping for who asks. Raises what `change_mapping` raises, InvalidOption for a value that is none."""
    try:
        changes = msgspec.convert(values, MappingChanges)
    except msgspec.ValidationError as error:
        raise InvalidOption(f"The mapping {mapping} cannot be changed so: {error}.") from error
    async with session_of(request) as session:
        return await change_mapping(session, request.asker, mapping, changes, dry_run=dry_run)


async def _card(
    request: StrictRequest, mapping: str, saved: Saved | None = None, *, figures: bool = False
) -> Response[str]:
    home = rooms_of(request).home
    found = await asyncio.to_thread(_read, home, mapping)
    words = await _words(request, [found.view.name])
    found = msgspec.structs.replace(found, words=words.get(found.view.name, {}))
    if figures:
        texts = {Side.LOCAL: found.view.local_filter or "", Side.REMOTE: found.view.remote_filter or ""}
        async with session_of(request) as session:
            found = msgspec.structs.replace(found, filters=await filter_views(session, mapping, texts))
    status = 200 if saved is None or saved.error is None else status_of(saved.error)
    return await page(
        request, "mapping.html", status, card=found, view=found.view, saved=saved, here=address_of(found.view.name)
    )


def _read(home: Home, mapping: str) -> Card:
    view, schedules = show_mapping(home, mapping), list_schedules(home)
    last = list_jobs(home, view.name, limit=1)
    return Card(
        view=view,
        words={},
        schedule=next((each for each in schedules.schedules if each.mapping == view.name), None),
        hindrance=schedules.hindrance,
        last=last[0] if last else None,
        dependants=[each.name for each in list_mappings(home) if view.name in each.depends_on],
    )


async def _words(request: StrictRequest, names: list[str]) -> dict[str, dict[Side, str]]:
    """Return the filters of mappings in words, of those whose systems can be asked."""
    try:
        async with session_of(request) as session:
            return await filter_words(session, names)
    except CrosstieError:
        return {}


HANDLERS = (list_, card, save, direction, turn, schedule)
