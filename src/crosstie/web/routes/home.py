"""Home: what is in step, what is not, what runs (P01)."""

import asyncio

from litestar import Response, get

from crosstie.api.asking import StrictRequest
from crosstie.api.rooms import rooms_of
from crosstie.app.history import list_jobs
from crosstie.app.home import Home
from crosstie.app.mappings import list_mappings
from crosstie.app.views import MappingView
from crosstie.model.jobs import Job
from crosstie.web.rendering import page


@get("/")
async def home(request: StrictRequest) -> Response[str]:
    """The home page."""
    opened = rooms_of(request).home
    mappings, jobs = await asyncio.to_thread(_read, opened)
    return await page(request, "home.html", mappings=mappings, jobs=jobs)


def _read(home: Home) -> tuple[list[MappingView], list[Job]]:
    return list_mappings(home), list_jobs(home, limit=8)


HANDLERS = (home,)
