"""Couplings that were removed, with Undo."""

import asyncio
from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.paging import MOST_ID
from crosstie.api.rooms import rooms_of
from crosstie.app.mappings import list_mappings
from crosstie.app.removed import list_removed
from crosstie.web.rendering import page


@get("/couplings/removed")
async def list_(
    request: StrictRequest,
    mapping: Annotated[str, QueryParameter(max_length=200)] = "",
    before: Annotated[int | None, QueryParameter(ge=1, le=MOST_ID)] = None,
) -> Response[str]:
    """Couplings that were removed, newest first, of a mapping or of all."""
    home = rooms_of(request).home
    found, names = await asyncio.to_thread(
        lambda: (list_removed(home, mapping or None, before_id=before), [view.name for view in list_mappings(home)])
    )
    return await page(request, "removed.html", found=found, names=names, mapping=mapping, before=before)


HANDLERS = (list_,)
