"""The filters of a mapping: put together from rows or written as text, tried, and saved (P17, F13 B2 and B3)."""

import asyncio
from datetime import UTC, datetime

import msgspec
from litestar import Response, get, post

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import invalid, status_of
from crosstie.api.rooms import rooms_of, session_of
from crosstie.app.filtering import (
    FilterField,
    FilterPreview,
    FilterView,
    filter_fields,
    filter_rows,
    filter_text,
    filter_views,
    preview_filters,
)
from crosstie.app.mappings import ChangedMapping, change_mapping, show_mapping
from crosstie.app.session import Session
from crosstie.app.views import MappingView
from crosstie.model.errors import CrosstieError, UnknownMapping, UsageError
from crosstie.model.mapping_changes import MappingChanges
from crosstie.model.records import Side
from crosstie.web.filter_forms import (
    BETWEEN,
    BLANK,
    MOST_ROWS,
    OPERATORS,
    RowForm,
    forms_of,
    names_of,
    typed_rows,
    with_another,
)
from crosstie.web.forms import fields_of, several_of
from crosstie.web.rendering import changed, page
from crosstie.web.routes.mappings import MANAGES, Name, address_of

_MOST = 4000
_ACTION = 20


class Builder(msgspec.Struct, frozen=True, kw_only=True):
    """A side's filter on the page; `rows` is None where only text can say it, `shown` the text that rows came from.

    `typed` rows are those of the form: what somebody goes on typing into them meanwhile is kept.
    """

    text: str
    shown: str
    rows: list[RowForm] | None
    typed: bool = False
    fields: list[FilterField]
    view: FilterView


@get("/mappings/{mapping:str}/filters")
async def stored(request: StrictRequest, mapping: Name) -> Response[str]:
    """The filters as they are stored."""
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    texts = {Side.LOCAL: view.local_filter or "", Side.REMOTE: view.remote_filter or ""}
    async with session_of(request) as session:
        sides = {side: await _builder(session, view, side, text) for side, text in texts.items()}
    return await _page(request, view, sides, {side.value: text for side, text in texts.items()})


@post("/mappings/{mapping:str}/filters", status_code=200, opt=MANAGES)
async def tried(request: StrictRequest, mapping: Name) -> Response[str]:
    """What filters would admit that have not been saved; `action` adds a row, or takes one away."""
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    given, ticked = await _given(request)
    verb, side, at = _action(given["action"])
    sides = {}
    async with session_of(request) as session:
        for each in Side:
            fields = await filter_fields(session, view.name, each)
            rows = typed_rows(given, ticked[each], each.value, fields)
            if side is each and verb == "remove":
                rows = [row for row in rows if row.at != at]
            if side is each and verb == "add":
                rows = with_another(rows)
            sides[each] = await _built(session, view, each, given, rows, fields)
    return await _page(request, view, sides, _was(given))


@post("/mappings/{mapping:str}/filters/review", status_code=200, opt=MANAGES)
async def review(request: StrictRequest, mapping: Name) -> Response[str]:
    """What saving would do: what the filters admit, and which couplings would leave them."""
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    given, ticked = await _given(request)
    preview: FilterPreview | None = None
    error: CrosstieError | None = None
    async with session_of(request) as session:
        try:
            texts = {}
            for side in Side:
                fields = await filter_fields(session, view.name, side)
                rows = typed_rows(given, ticked[side], side.value, fields)
                texts[side] = await _text(session, view, side, given, rows, whole=True)
            preview = await preview_filters(session, view.name, texts=texts)
        except UnknownMapping:
            raise
        except CrosstieError as refused:
            error = refused
    return await _dialog(request, view, preview=preview, error=error, was=_was(given))


@post("/mappings/{mapping:str}/filters/save", status_code=200, opt=MANAGES)
async def save(request: StrictRequest, mapping: Name) -> Response[str]:
    """Store filters."""
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    given = await fields_of(request, {f"{side.value}_{part}": _MOST for side in Side for part in ("filter", "was")})
    given = {name: text.replace("\r\n", "\n") for name, text in given.items()}  # forms send lines in their own way
    changes = MappingChanges(local_filter=given["local_filter"], remote_filter=given["remote_filter"])
    seen = MappingChanges(local_filter=given["local_was"], remote_filter=given["remote_was"])
    try:
        async with session_of(request) as session:
            done = await change_mapping(session, request.asker, view.name, changes, seen=seen)
    except CrosstieError as error:
        return await _dialog(request, view, error=error)
    return changed(await _dialog(request, view, done=done))


async def _given(request: StrictRequest) -> tuple[dict[str, str], dict[Side, dict[int, list[str]]]]:
    """Return the fields of the form, and the ticks of its rows."""
    ticks = {side: {at: f"{side.value}-{at}-ticked" for at in range(MOST_ROWS)} for side in Side}
    known = {name: most for side in Side for name, most in names_of(side.value).items()}
    texts = {f"{side.value}_{part}": _MOST for side in Side for part in ("filter", "shown", "was")}
    several = [name for names in ticks.values() for name in names.values()]
    given = await fields_of(request, {**known, **texts, "action": _ACTION}, several=several)
    ticked = {
        side: {at: await several_of(request, name) for at, name in names.items()} for side, names in ticks.items()
    }
    return given, ticked


def _action(text: str) -> tuple[str, Side | None, int]:
    """Return what is done with rows, such as `add-local` or `remove-remote-2`."""
    if not text:
        return "", None, 0
    verb, _, rest = text.partition("-")
    side, _, number = rest.partition("-")
    if verb not in ("add", "remove") or side not in list(Side) or (number and not number.isdecimal()):
        raise invalid(f"Rows are added and removed; {text!r} is neither.", "action")
    return verb, Side(side), int(number or 0)


async def _text(
    session: Session, view: MappingView, side: Side, given: dict[str, str], rows: list[RowForm], *, whole: bool = False
) -> str:
    """Return the filter that a form means; rows that are not finished are left out, but for the `whole`."""
    text, shown = given[f"{side.value}_filter"].strip(), given[f"{side.value}_shown"].strip()
    if text != shown:
        return text
    finished = [form.row for form in rows if form.field and (whole or form.finished)]
    before = await filter_rows(session, view.name, side, shown)
    if before is None or finished == before:
        return text
    return await filter_text(session, view.name, side, finished)


async def _built(
    session: Session,
    view: MappingView,
    side: Side,
    given: dict[str, str],
    rows: list[RowForm],
    fields: list[FilterField],
) -> Builder:
    """Return a side as it is after something was typed."""
    typed, shown = given[f"{side.value}_filter"].strip(), given[f"{side.value}_shown"].strip()
    try:
        text = await _text(session, view, side, given, rows)
    except UsageError as error:
        wrong = FilterView(text=typed, error=error)
        return Builder(text=typed, shown=shown, rows=rows, typed=True, fields=fields, view=wrong)
    if typed != shown:
        built = await _builder(session, view, side, text)
        if built.view.error is None:
            return built
        return Builder(text=text, shown=shown, rows=rows, typed=True, fields=fields, view=built.view)
    found = (await filter_views(session, view.name, {side: text}))[side]
    keeps = await filter_rows(session, view.name, side, text) is not None
    return Builder(text=text, shown=text, rows=rows if keeps else None, typed=True, fields=fields, view=found)


async def _builder(session: Session, view: MappingView, side: Side, text: str) -> Builder:
    found = (await filter_views(session, view.name, {side: text}))[side]
    fields = await filter_fields(session, view.name, side)
    rows = forms_of(found.filter.rows, fields) if found.filter is not None else None
    return Builder(text=text, shown=text, rows=rows, fields=fields, view=found)


def _was(given: dict[str, str]) -> dict[str, str]:
    return {side.value: given[f"{side.value}_was"] for side in Side}


async def _page(
    request: StrictRequest, view: MappingView, sides: dict[Side, Builder], was: dict[str, str]
) -> Response[str]:
    return await page(
        request,
        "mapping_filters.html",
        view=view,
        sides=sides,
        was=was,
        operators=OPERATORS,
        blank=BLANK,
        between=BETWEEN,
        most=MOST_ROWS,
        here=address_of(view.name),
    )


async def _dialog(
    request: StrictRequest,
    view: MappingView,
    *,
    preview: FilterPreview | None = None,
    done: ChangedMapping | None = None,
    error: CrosstieError | None = None,
    was: dict[str, str] | None = None,
) -> Response[str]:
    return await page(
        request,
        "mapping_filters_review.html",
        200 if error is None else status_of(error),
        view=view,
        preview=preview,
        done=done,
        error=error,
        was=was,
        at=datetime.now(UTC),
        here=address_of(view.name),
    )


HANDLERS = (stored, tried, review, save)
