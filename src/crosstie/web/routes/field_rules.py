"""The transformation rules of a field mapping: written one a line, tried on a value, and saved (P19, F14 B2)."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import invalid, status_of
from crosstie.api.rooms import rooms_of
from crosstie.app.mappings import ChangedMapping, show_mapping
from crosstie.app.views import FieldMappingView, MappingView
from crosstie.model.errors import CrosstieError, InvalidOption
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from crosstie.model.transformations import PARAMETERS, Rule, RuleKind, read_rule, rule_text, transformed
from crosstie.web.forms import fields_of
from crosstie.web.rendering import changed, page
from crosstie.web.routes.mappings import MANAGES, Name, address_of, change

_MOST = 2000
_FORM = {"field": 500, "to_remote": _MOST, "to_local": _MOST, "sample": 500}


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules of a direction make of the sample, or what is wrong with them or with it."""

    result: str = ""
    wrong: str = ""


@get("/mappings/{mapping:str}/fields/rules", opt=MANAGES)
async def rules(
    request: StrictRequest, mapping: Name, field: Annotated[str, QueryParameter(min_length=1, max_length=500)]
) -> Response[str]:
    """The dialog with the rules of a field mapping."""
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    row = _row(view, field)
    typed = {"to_remote": _lines(row.transform_to_remote), "to_local": _lines(row.transform_to_local), "sample": ""}
    return await _dialog(request, view, row, field, typed)


@post("/mappings/{mapping:str}/fields/rules/try", status_code=200, opt=MANAGES)
async def try_(request: StrictRequest, mapping: Name) -> Response[str]:
    """What rules that have not been saved make of a value."""
    given = await fields_of(request, _FORM)
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    return await _dialog(request, view, _row(view, given["field"]), given["field"], given)


@post("/mappings/{mapping:str}/fields/rules", status_code=200, opt=MANAGES)
async def save(request: StrictRequest, mapping: Name) -> Response[str]:
    """Store the rules."""
    given = await fields_of(request, _FORM)
    field = given["field"]
    view = await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)
    row = _row(view, field)
    try:
        values: dict[str, Any] = {
            f"transform_{name}": msgspec.to_builtins(_read(given[name])) for name, _ in _directions(row)
        }
        done = await change(request, view.name, {"fields": {field: values}})
    except CrosstieError as error:
        return await _dialog(request, view, row, field, given, error=error)
    return changed(await _dialog(request, view, row, field, given, done=done))


def _row(view: MappingView, field: str) -> FieldMappingView:
    for row in view.fields:
        if f"{row.local_field or ''}/{row.remote_field or ''}" == field:
            return row
    raise invalid(f"{view.name} has no field mapping {field!r}.", "field")


def _directions(row: FieldMappingView) -> list[tuple[str, Side]]:
    """Return the directions in which values go, as the form names them, with the side that they reach."""
    both = (("to_remote", Side.REMOTE), ("to_local", Side.LOCAL))
    return [(name, side) for name, side in both if Direction(row.direction).reaches(side)]


def _lines(rules: Sequence[Rule]) -> str:
    return "\n".join(map(rule_text, rules))


def _read(text: str) -> list[Rule]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(read_rule(line))
            except InvalidOption as error:
                raise InvalidOption(f"Line {number}: {error.words}", next_step="Correct the rule.") from error
    return found


def _tried(text: str, sample: str) -> Tried:
    try:
        return Tried(result=transformed(_read(text), sample))
    except InvalidOption as error:
        return Tried(wrong=error.words)
    except ValueError as error:
        return Tried(wrong=f"{error}. The field would be held, with this as its problem.")


async def _dialog(
    request: StrictRequest,
    view: MappingView,
    row: FieldMappingView,
    field: str,
    typed: dict[str, str],
    *,
    done: ChangedMapping | None = None,
    error: CrosstieError | None = None,
) -> Response[str]:
    directions = _directions(row)
    return await page(
        request,
        "field_rules.html",
        200 if error is None else status_of(error),
        view=view,
        row=row,
        field=field,
        typed=typed,
        directions=directions,
        tried={name: _tried(typed[name], typed["sample"]) for name, _ in directions},
        kinds={kind.value: PARAMETERS.get(kind, ()) for kind in RuleKind},
        done=done,
        error=error,
        here=address_of(view.name),
    )


HANDLERS = (rules, try_, save)
