"""All pages of the server, and how they are put into the application."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from litestar import Request, Router
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from crosstie.api.application import Site
from crosstie.api.asking import check_parameters
from crosstie.web import routes as rooms
from crosstie.web.csrf import check_form
from crosstie.web.failing import explained
from crosstie.web.rendering import STATIC


def site(*, welcomes_visitors: bool = False) -> Site:
    """Return the pages, and the styles and scripts that they load, as a server serves them beside the API."""
    routes: list[ControllerRouterHandler] = [
        Router(
            "/",
            route_handlers=_handlers(),
            before_request=_checked,
            include_in_schema=False,
        ),
        create_static_files_router(
            "/static",
            [STATIC],
            cache_control=CacheControlHeader(max_age=31_536_000, immutable=True, public=True),
            before_request=_anything,
            include_in_schema=False,
        ),
    ]
    return Site(routes, explained, welcomes_visitors)


def _handlers() -> list[ControllerRouterHandler]:
    """Return the handlers of every module of routes."""
    names = sorted(found.name for found in iter_modules(rooms.__path__))
    return [handler for name in names for handler in import_module(f"{rooms.__name__}.{name}").HANDLERS]


async def _checked(request: Request[Any, Any, Any]) -> None:
    check_parameters(request)
    await check_form(request)


async def _anything(request: Request[Any, Any, Any]) -> None:
    """Let an address of a file carry what makes browsers fetch it anew."""
