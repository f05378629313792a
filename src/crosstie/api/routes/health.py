"""Whether the server lives, whether it can work, and figures about it."""

import asyncio

from litestar import Response, get
from litestar.openapi import ResponseSpec

from crosstie.api.asking import StrictRequest
from crosstie.api.rooms import rooms_of
from crosstie.api.shapes import Health
from crosstie.app.home import Home
from crosstie.model.errors import StoreError


@get("/health/live", operation_id="live", tags=["server"])
async def live() -> Health:
    """The server answers."""
    return Health(status="ok")


@get("/health/ready", operation_id="ready", tags=["server"], responses={503: ResponseSpec(Health)})
async def ready(request: StrictRequest) -> Response[Health]:
    """The store answers as well, so that requests can be carried out."""
    try:
        await asyncio.to_thread(_read, rooms_of(request).home)
    except StoreError:
        return Response(Health(status="unready", store="unready"), status_code=503)
    return Response(Health(status="ok", store="ok"))


def _read(home: Home) -> None:
    with home.store.begin() as unit:
        unit.settings()


@get("/metrics", operation_id="metrics", tags=["server"], media_type="text/plain")
async def metrics(request: StrictRequest) -> str:
    """Figures for Prometheus: requests and how long they took, by route."""
    return rooms_of(request).figures.text().decode()


HANDLERS = (live, ready, metrics)
