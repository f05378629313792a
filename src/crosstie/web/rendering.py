"""From values to pages: the templates, what every page carries around its content, and answers to the browser."""

import asyncio
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response

from crosstie.api.asgi import principal_in
from crosstie.api.asking import StrictRequest
from crosstie.api.rooms import rooms_of
from crosstie.model.errors import StoreError
from crosstie.model.people import Permission, Principal, allows
from crosstie.web import wording
from crosstie.web.csrf import FIELD, form_token
from crosstie.web.places import way_of

HERE = Path(__file__).parent
STATIC = HERE / "static"
CHANGED = "crosstie:changed"
"""The event by which an answer tells the parts of a page that what they show has changed."""
_HTML = "text/html; charset=utf-8"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


_HEADERS = {
    "Content-Security-Policy": _POLICY,
    # Without it browsers send forms with the origin "null", which could be anybody's.
    "Referrer-Policy": "same-origin",
    "Vary": "HX-Request",
}


class NavigationMapping(msgspec.Struct, frozen=True):
    """A mapping as the navigation leads to its lists."""

    name: str
    local_table: str
    remote_table: str
    problems: int


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What every page shows around its content."""

    principal: Principal | None
    csrf: str
    mappings: list[NavigationMapping]
    problems: int
    running: int
    """Jobs that wait or run."""
    notices: list[str]
    """What keeps a system from being worked with, in words."""

    def may(self, permission: str) -> bool:
        """Whether who looks at the page has a permission."""
        role = self.principal.role if self.principal else None
        return role is not None and allows(role, Permission(permission))


@cache
def environment() -> Environment:
    """Return the templates' environment; everything that is put into a page is escaped."""
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(static=static_address, words=wording, way_of=way_of, FIELD=FIELD)
    found.filters.update(
        moment=wording.moment,
        ago=wording.ago,
        number=wording.number,
        value=wording.value,
        plural=wording.plural,
        sides=wording.sides,
        capitalize_first=wording.capitalize_first,
    )
    return found


@cache
def static_address(name: str) -> str:
    """Return the address of a static file; it changes with the content, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


async def page(request: StrictRequest, template: str, status: int = 200, **context: Any) -> Response[str]:
    """Return a whole page, or of the same template only its `content` if a part of a page asks for it.

    Templates see `frame`, `path` and `fragment` beside `context`.
    """
    frame = await frame_of(request)
    fragment = "hx-request" in request.headers and "hx-history-restore-request" not in request.headers
    text = (
        environment()
        .get_template(template)
        .render(frame=frame, path=request.url.path, address=_address(request), fragment=fragment, **context)
    )
    return answer(text, status)


def answer(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[str]:
    """Return HTML as an answer that may load and do nothing but what comes from this server."""
    return Response(
        text,
        status_code=status,
        media_type=_HTML,
        headers={**_HEADERS, **(headers or {})},
    )


def goto(request: StrictRequest, address: str) -> Response[str]:
    """Lead the browser to another page."""
    if "hx-request" in request.headers:
        return Response("", status_code=200, media_type=_HTML, headers={"HX-Redirect": address})
    return Response("", status_code=303, media_type=_HTML, headers={"Location": address})


def changed(response: Response[str]) -> Response[str]:
    """Make an answer tell the page that records, couplings or problems have changed, so that its parts read anew."""
    response.headers["HX-Trigger"] = CHANGED
    return response


async def frame_of(request: StrictRequest) -> Frame:
    """Return what stands around every page."""
    return await asyncio.to_thread(_read_frame, request)


def frame_now(request: StrictRequest) -> Frame:
    """Return what stands around a page that says what went wrong; without figures if the store is what went wrong."""
    try:
        return _read_frame(request)
    except StoreError:
        return _bare(request)


def _bare(request: StrictRequest) -> Frame:
    principal, csrf = principal_in(request.scope), form_token(request.scope)
    return Frame(principal=principal, csrf=csrf, mappings=[], problems=0, running=0, notices=[])


def _read_frame(request: StrictRequest) -> Frame:
    bare = _bare(request)
    if bare.principal is None:
        return bare
    with rooms_of(request).home.store.begin() as unit:
        problems = unit.count_problems()
        mappings = [
            NavigationMapping(each.name, each.local_table, each.remote_table, sum(problems.get(each.name, {}).values()))
            for each in unit.mappings()
        ]
        running = len(unit.running_jobs())
        stopped = [each for each in unit.connections(with_secrets=False) if each.paused_reason]
    return msgspec.structs.replace(
        bare,
        mappings=mappings,
        problems=sum(each.problems for each in mappings),
        running=running,
        notices=[
            f"The connection {each.name} is {'broken' if each.enabled else 'disabled'}: {each.paused_reason}"
            for each in stopped
        ],
    )


def _address(request: StrictRequest) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
