"""Home: what is in step, what is not, what runs (P01)."""

import asyncio

from litestar import Response, get

from crosstie.api.asking import StrictRequest
from crosstie.api.rooms import rooms_of
from crosstie.app.overview import overview
from crosstie.app.setting_up import setup_state
from crosstie.model.causes import CAUSES
from crosstie.web.rendering import page

_MOST_CAUSES = 5


@get("/")
async def home(request: StrictRequest) -> Response[str]:
    """The home page; the first start leads to the setup of the connections."""
    opened = rooms_of(request).home
    found = await asyncio.to_thread(overview, opened)
    setup = None if found.connected else await asyncio.to_thread(setup_state, opened)
    groups = found.inbox.groups[:_MOST_CAUSES]
    return await page(request, "home.html", overview=found, groups=groups, causes=CAUSES, setup=setup)


HANDLERS = (home,)
