"""Mappings: which tables and fields are tied, in which direction."""

import asyncio
from typing import Annotated

from litestar import get, patch, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import ResetBody
from crosstie.api.rooms import rooms_of, session_of
from crosstie.api.shapes import Page
from crosstie.app.mappings import ChangedMapping, LaidDown, change_mapping, list_mappings, reset_mappings, show_mapping
from crosstie.app.views import MappingView
from crosstie.model.mapping_changes import FieldChanges, MappingChanges
from crosstie.model.people import Permission

_DryRun = Annotated[bool, QueryParameter(description="Show what would change, and store nothing.")]


class MappingSummary(Struct, frozen=True, kw_only=True):
    """A mapping with its figures, without its field mappings."""

    name: str
    label: str
    direction: str
    local_table: str
    remote_table: str
    only_coupled: bool
    enabled: bool
    depends_on: tuple[str, ...]
    couplings: int
    problems: int

    @classmethod
    def of(cls, view: MappingView) -> "MappingSummary":
        """Return a mapping as the list shows it."""
        return cls(**{name: getattr(view, name) for name in cls.__struct_fields__})


@get("/api/v1/mappings", operation_id="listMappings", tags=["mappings"])
async def list_(
    request: StrictRequest,
    enabled: Annotated[bool | None, QueryParameter(description="Only those that are, or are not.")] = None,
) -> Page[MappingSummary]:
    """All mappings in their order."""
    found = await asyncio.to_thread(list_mappings, rooms_of(request).home)
    return Page(items=[MappingSummary.of(each) for each in found if enabled in (None, each.enabled)])


@get("/api/v1/mappings/{mapping:str}", operation_id="showMapping", tags=["mappings"])
async def show(request: StrictRequest, mapping: InPath) -> MappingView:
    """One mapping with its field mappings."""
    return await asyncio.to_thread(show_mapping, rooms_of(request).home, mapping)


@post(
    "/api/v1/mappings/reset",
    operation_id="resetMappings",
    tags=["mappings"],
    status_code=200,
    opt={"permission": Permission.MANAGE_MAPPINGS},
)
async def reset(request: StrictRequest, data: JSONBody[ResetBody]) -> LaidDown:
    """Restore standard mappings as shipped; couplings stay. What cannot work is `off`, with the reason."""
    async with session_of(request) as session:
        return await reset_mappings(
            session, data.names, ownership=data.ownership, custom_pages=data.custom_pages, by=request.asker
        )


@patch(
    "/api/v1/mappings/{mapping:str}",
    operation_id="changeMapping",
    tags=["mappings"],
    opt={"permission": Permission.MANAGE_MAPPINGS},
)
async def change(
    request: StrictRequest, mapping: InPath, data: JSONBody[MappingChanges], dry_run: _DryRun = False
) -> ChangedMapping:
    """Change a mapping, and field mappings by name; what is left away stays.

    The next synchronisation looks at every record that the change touches.
    """
    async with session_of(request) as session:
        return await change_mapping(session, request.asker, mapping, data, dry_run=dry_run)


@patch(
    "/api/v1/mappings/{mapping:str}/fields/{field:str}",
    operation_id="changeFieldMapping",
    tags=["mappings"],
    opt={"permission": Permission.MANAGE_MAPPINGS},
)
async def change_field(
    request: StrictRequest, mapping: InPath, field: InPath, data: JSONBody[FieldChanges], dry_run: _DryRun = False
) -> ChangedMapping:
    """Change one field mapping, named by its label or either field."""
    async with session_of(request) as session:
        return await change_mapping(
            session, request.asker, mapping, MappingChanges(fields={field: data}), dry_run=dry_run
        )


HANDLERS = (list_, show, reset, change, change_field)
