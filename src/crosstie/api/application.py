"""The application: all routes, and the layers around them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from crosstie.api.asgi import ASGIApp, principal_in, request_id_in
from crosstie.api.asking import StrictRequest, check_parameters, place_of
from crosstie.api.document import configuration
from crosstie.api.door import Door, is_open, is_page
from crosstie.api.figures import Figures
from crosstie.api.once import Once
from crosstie.api.refusing import MEDIA_TYPE, as_ours, encoded, headers_of, invalid, problem_of
from crosstie.api.rooms import Rooms
from crosstie.api.routing import handlers
from crosstie.api.shell import Shell
from crosstie.app.home import Home
from crosstie.app.people.acting import People, require
from crosstie.app.sharing import SharedSession
from crosstie.model.errors import MethodNotAllowed, SignInNeeded, UnknownAddress
from crosstie.model.people import Permission

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Site:
    """The pages that a server has beside its API.

    `explain` shows what went wrong at the address of a page. A site that `welcomes_visitors` is that of a demo: who
    comes from this machine is signed in without a question.
    """

    routes: Sequence[ControllerRouterHandler]
    explain: Callable[[Request[Any, Any, Any], Exception], Response[str]]
    welcomes_visitors: bool = False


def make_application(home: Home, people: People | None = None, site: Site | None = None) -> tuple[ASGIApp, Litestar]:
    """Return what a server serves, and the Litestar application within it.

    Raises ValueError if a route that writes does not say which permission it needs.
    """
    rooms = Rooms(home, people or People(home.store), SharedSession(home), Figures())

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await rooms.sessions.close()

    app = Litestar(
        route_handlers=[*handlers(has_pages=site is not None), *(site.routes if site else ())],
        state=State({"rooms": rooms, "welcomes_visitors": site is not None and site.welcomes_visitors}),
        request_class=StrictRequest,
        guards=[_may],
        before_request=check_parameters,
        exception_handlers={Exception: _problem if site is None else _either(site)},
        openapi_config=configuration(),
        lifespan=[lifespan],
        logging_config=None,
        debug=False,
    )
    _check_permissions(app)
    return Shell(Door(Once(cast(ASGIApp, app), home), rooms.people, has_pages=site is not None), rooms.figures), app


def _may(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let through who has the permission of a route; where the route names none, who may look."""
    if is_open(connection.scope["path"]):
        return
    principal = principal_in(connection.scope)
    if principal is None:
        raise SignInNeeded("The request names nobody.")
    require(principal, handler.opt.get("permission", Permission.LOOK))


def _check_permissions(app: Litestar) -> None:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if not isinstance(handler, HTTPRouteHandler) or handler.http_methods <= _SAFE or is_open(route.path):
                continue
            if "permission" not in handler.opt:
                raise ValueError(f"The route {route.path} writes and names no permission.")


def _either(site: Site) -> Callable[[Request[Any, Any, Any], Exception], Any]:
    """Return what shows errors to people where they look at pages, and to programs everywhere else."""

    def told(request: Request[Any, Any, Any], error: Exception) -> Any:
        if not is_page(request.url.path):
            return _problem(request, error)
        return site.explain(request, _ours(request, error)[0])

    return told


def _problem(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    found, more = _ours(request, error)
    ours = as_ours(found)
    problem = problem_of(ours, request_id_in(request.scope))
    headers = {name: value for name, value in headers_of(ours, more).items() if value}
    return Response(encoded(problem), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def _ours(request: Request[Any, Any, Any], error: Exception) -> tuple[Exception, dict[str, str]]:
    """Return the error of ours for one of Litestar's, with headers that belong to it; any other as it is."""
    more: dict[str, str] = {}
    found: Exception = error
    match error:
        case NotFoundException():
            found = UnknownAddress(f"There is nothing at {request.url.path}.")
        case MethodNotAllowedException():
            found = MethodNotAllowed(f"{request.method} is no method of {request.url.path}.")
            more["Allow"] = (error.headers or {}).get("allow", "")
        case ValidationException():
            path, words = place_of(request, error.extra)
            found = invalid(f"{path}: {words}.", path)
        case HTTPException() if error.status_code < 500:
            found = invalid(f"{error.detail}.", "$")
    return found, more
