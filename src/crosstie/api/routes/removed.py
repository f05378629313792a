"""Couplings that were removed. What removed one is undone by its entry of the history."""

import asyncio
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from msgspec import Struct

from crosstie.api.asking import StrictRequest
from crosstie.api.paging import After, Limit, cursor_of, number_of
from crosstie.api.rooms import rooms_of
from crosstie.api.shapes import EntryShape, Page
from crosstie.app.removed import Since, list_removed


class RemovedShape(Struct, frozen=True, kw_only=True):
    """A coupling that was removed, and what has become of its records since."""

    entry: EntryShape
    since: Since


@get("/api/v1/couplings/removed", operation_id="listRemovedCouplings", tags=["couplings"])
async def list_(
    request: StrictRequest,
    limit: Limit = 100,
    after: After = None,
    mapping: Annotated[str | None, QueryParameter(max_length=200, description="Only of this mapping.")] = None,
) -> Page[RemovedShape]:
    """Couplings that were removed, newest first; `POST /api/v1/history/{entry}/undo` couples the records again."""
    before = number_of("history", after)
    found = await asyncio.to_thread(list_removed, rooms_of(request).home, mapping, limit=limit, before_id=before)
    return Page(
        items=[RemovedShape(entry=EntryShape.of(row.entry), since=row.since) for row in found.rows],
        next=cursor_of("history", found.before_id) if found.before_id else None,
    )


HANDLERS = (list_,)
