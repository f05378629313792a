"""The field mappings of a mapping: which are on, which way they go, and what to mind (P19, F14)."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import invalid, status_of
from crosstie.api.rooms import rooms_of, session_of
from crosstie.app.mapping_cards import FieldRow, field_rows
from crosstie.app.mappings import ChangedMapping, show_mapping
from crosstie.model.errors import CrosstieError, UnknownMapping
from crosstie.model.transformations import rule_text
from crosstie.web.forms import fields_of
from crosstie.web.rendering import changed, page
from crosstie.web.routes.mappings import MANAGES, Name, address_of, change

_SETTINGS = ("enabled", "direction", "constant", "conflict_resolution")


@get("/mappings/{mapping:str}/fields")
async def list_(request: StrictRequest, mapping: Name) -> Response[str]:
    """The field mappings."""
    return await _list(request, mapping)


@post("/mappings/{mapping:str}/fields", status_code=200, opt=MANAGES)
async def save(request: StrictRequest, mapping: Name) -> Response[str]:
    """Change one setting of one field mapping; the answer is the list as it is then."""
    given = await fields_of(request, {"field": 500, "setting": 30, "value": 250})
    if given["setting"] not in _SETTINGS:
        raise invalid(f"A field mapping has no setting {given['setting']!r}.", "setting")
    value: Any = given["value"] or None
    if given["setting"] == "enabled":
        value = given["value"] == "yes"
    elif given["setting"] == "constant":
        value = await _constant(request, mapping, given["field"], given["value"])
    try:
        done = await change(request, mapping, {"fields": {given["field"]: {given["setting"]: value}}})
    except UnknownMapping:
        raise
    except CrosstieError as error:
        return await _list(request, mapping, field=given["field"], error=error)
    return changed(await _list(request, mapping, field=given["field"], done=done))


async def _constant(request: StrictRequest, mapping: str, field: str, typed: str) -> str | int:
    """Return a constant as it was typed, as a number where it is one already."""
    async with session_of(request) as session:
        rows = session.mapping(mapping).fields
    now = next((row.constant for row in rows if f"{row.local_field or ''}/{row.remote_field or ''}" == field), None)
    is_number = isinstance(now, int) and typed.strip().lstrip("-").isdecimal()
    return int(typed) if is_number else typed


async def _list(
    request: StrictRequest,
    mapping: str,
    *,
    field: str = "",
    done: ChangedMapping | None = None,
    error: CrosstieError | None = None,
) -> Response[str]:
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    rows: list[FieldRow] = []
    away: CrosstieError | None = None
    try:
        async with session_of(request) as session:
            rows = await field_rows(session, view.name)
    except CrosstieError as refused:
        away = refused
    return await page(
        request,
        "field_mappings.html",
        200 if error is None else status_of(error),
        view=view,
        rows=rows,
        away=away,
        changed_field=field,
        done=done,
        error=error,
        at=datetime.now(UTC),
        here=address_of(view.name),
        rule_text=rule_text,
    )


HANDLERS = (list_, save)
