"""Filters of a mapping: what they admit, and what a change of them would do to the couplings."""

from typing import Annotated, TypeVar

from litestar import get, post
from litestar.params import JSONBody, PathParameter
from msgspec import UNSET, Meta, UnsetType

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import Body
from crosstie.api.refusing import invalid
from crosstie.api.rooms import session_of
from crosstie.api.shapes import Page
from crosstie.app.filtering import FilterField, FilterPreview, filter_fields, preview_filters
from crosstie.model.filter_rows import FilterRow
from crosstie.model.people import Permission
from crosstie.model.records import Side

T = TypeVar("T")
_TAGS = ["mappings"]
_Side = Annotated[Side, PathParameter(description="The side of the mapping.")]
_Text = Annotated[str, Meta(max_length=4000)]
_Rows = Annotated[list[FilterRow], Meta(max_length=20)]


class FiltersBody(Body, frozen=True, kw_only=True):
    """Filters to try: each side as text or as rows; a side that is left away keeps its filter."""

    local_filter: _Text | UnsetType = UNSET
    remote_filter: _Text | UnsetType = UNSET
    local_rows: _Rows | UnsetType = UNSET
    remote_rows: _Rows | UnsetType = UNSET


@get("/api/v1/mappings/{mapping:str}/filters", operation_id="showFilters", tags=_TAGS)
async def show(request: StrictRequest, mapping: InPath) -> FilterPreview:
    """The filters as they are stored, as text, rows and words, with how many records they admit."""
    async with session_of(request) as session:
        return await preview_filters(session, mapping)


@get("/api/v1/mappings/{mapping:str}/filters/{side:str}/fields", operation_id="listFilterFields", tags=_TAGS)
async def fields(request: StrictRequest, mapping: InPath, side: _Side) -> Page[FilterField]:
    """The fields of a side, with what they can be asked for and the options of choices."""
    async with session_of(request) as session:
        return Page(items=await filter_fields(session, mapping, side))


@post(
    "/api/v1/mappings/{mapping:str}/filters/preview",
    operation_id="previewFilters",
    tags=_TAGS,
    status_code=200,
    opt={"permission": Permission.MANAGE_MAPPINGS},
)
async def preview(request: StrictRequest, mapping: InPath, data: JSONBody[FiltersBody]) -> FilterPreview:
    """What filters would admit, and which couplings would leave them. `PATCH` the mapping to store them."""
    texts = _given({Side.LOCAL: data.local_filter, Side.REMOTE: data.remote_filter})
    rows = _given({Side.LOCAL: data.local_rows, Side.REMOTE: data.remote_rows})
    if twice := set(texts) & set(rows):
        raise invalid(f"The filter of {min(twice).value} is given as text and as rows; give one of them.", "$")
    async with session_of(request) as session:
        return await preview_filters(session, mapping, texts=texts, rows=rows)


def _given(sides: dict[Side, T | UnsetType]) -> dict[Side, T]:
    return {side: value for side, value in sides.items() if value is not UNSET}


HANDLERS = (show, fields, preview)
