"""The FactBox of an account: its open opportunities, quotes and cases, each with its records (P13)."""

from typing import Annotated

from litestar import Response, get
from litestar.params import PathParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.rooms import session_of
from crosstie.app.related import Figure, related_figures, related_records
from crosstie.model.errors import CrosstieError
from crosstie.web.records import MappingInPath, RecordInPath, SideInPath, address_of
from crosstie.web.rendering import page

_RELATED = "/records/{mapping:str}/{side:str}/{record_id:str}/related"
_Kind = Annotated[str, PathParameter(max_length=20)]


@get(_RELATED)
async def figures(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """The figures, for a card that does not wait for them; what cannot be read now is not shown."""
    found: list[Figure] = []
    try:
        async with session_of(request) as session:
            found = await related_figures(session, mapping, side, record_id)
    except CrosstieError:
        found = []  # the card itself says what is wrong with a system
    return await page(request, "related.html", figures=found, here=address_of(mapping, side, record_id))


@get(f"{_RELATED}/{{kind:str}}")
async def records(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath, kind: _Kind
) -> Response[str]:
    """The records behind one figure, each with its page in the other system."""
    async with session_of(request) as session:
        found = await related_records(session, mapping, side, record_id, kind)
    return await page(request, "related_records.html", related=found, here=address_of(mapping, side, record_id))


HANDLERS = (figures, records)
