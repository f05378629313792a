"""Connections: how the two systems are reached, and the state of each (P04)."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.rooms import rooms_of
from crosstie.app.connecting import check_connections
from crosstie.app.connections import (
    disable_connection,
    enable_connection,
    find_connection,
    list_connections,
    remove_connection,
    test_connection,
)
from crosstie.app.home import Home
from crosstie.app.mappings import list_mappings
from crosstie.app.setting_up import Setup, setup_state
from crosstie.app.views import ConnectionView
from crosstie.model.errors import CrosstieError
from crosstie.model.people import Permission
from crosstie.web.forms import fields_of
from crosstie.web.rendering import changed, page

_MANAGES = {"permission": Permission.MANAGE_CONNECTIONS}
_Name = Annotated[str, PathParameter(min_length=1, max_length=200)]


class Leaning(msgspec.Struct, frozen=True, kw_only=True):
    """What depends on a connection: mappings, each with its number of couplings."""

    mappings: list[tuple[str, int]]

    @property
    def couplings(self) -> int:
        return sum(number for _, number in self.mappings)


@get("/connections")
async def list_(request: StrictRequest) -> Response[str]:
    """All connections with their state."""
    connections, setup, leaning = await asyncio.to_thread(_read, rooms_of(request).home)
    return await page(request, "connections.html", connections=connections, setup=setup, leaning=leaning)


def _read(home: Home) -> tuple[list[ConnectionView], Setup, Leaning]:
    return list_connections(home), setup_state(home), _leaning(home)


def _leaning(home: Home) -> Leaning:
    return Leaning(mappings=[(each.name, each.couplings) for each in list_mappings(home)])


@post("/connections/check", status_code=200, opt=_MANAGES)
async def check(request: StrictRequest) -> Response[str]:
    """Check everything that can keep the two systems from working together."""
    findings = await check_connections(rooms_of(request).home)
    return await page(request, "connections_check.html", findings=findings)


@post("/connections/{connection:str}/test", status_code=200, opt=_MANAGES)
async def test(request: StrictRequest, connection: _Name) -> Response[str]:
    """Test a connection; one that paused itself and passes is used again."""
    found = await test_connection(rooms_of(request).home, connection)
    return changed(await page(request, "connection_tested.html", test=found))


@post("/connections/{connection:str}/enable", status_code=200, opt=_MANAGES)
async def enable(request: StrictRequest, connection: _Name) -> Response[str]:
    """Use a connection again, once its test has passed."""
    await enable_connection(rooms_of(request).home, connection)
    return changed(await _done(request, connection, "It is used again from now on."))


@post("/connections/{connection:str}/disable", status_code=200, opt=_MANAGES)
async def disable(request: StrictRequest, connection: _Name) -> Response[str]:
    """Stop using a connection."""
    await asyncio.to_thread(disable_connection, rooms_of(request).home, connection)
    words = "Nothing is synchronised over it any more. Couplings stay; enable it and all goes on from where it was."
    return changed(await _done(request, connection, words))


@get("/connections/{connection:str}/remove", opt=_MANAGES)
async def ask_remove(request: StrictRequest, connection: _Name) -> Response[str]:
    """Show what depends on a connection, and ask."""
    return await _removing(request, connection, None)


@post("/connections/{connection:str}/remove", status_code=200, opt=_MANAGES)
async def remove(request: StrictRequest, connection: _Name) -> Response[str]:
    """Forget a connection and its secret."""
    given = await fields_of(request, {"sure": 10})
    try:
        await asyncio.to_thread(remove_connection, rooms_of(request).home, connection, forced=given["sure"] == "yes")
    except CrosstieError as error:
        return await _removing(request, connection, error)
    return changed(await _done(request, connection, "The connection and its secret are forgotten."))


async def _removing(request: StrictRequest, name: str, error: CrosstieError | None) -> Response[str]:
    home = rooms_of(request).home
    found = ConnectionView.of(await asyncio.to_thread(find_connection, home, name))
    leaning = await asyncio.to_thread(_leaning, home)
    return await page(request, "connection_remove.html", connection=found, leaning=leaning, error=error)


async def _done(request: StrictRequest, name: str, words: str) -> Response[str]:
    return await page(request, "connection_done.html", name=name, text=words)


HANDLERS = (list_, check, test, enable, disable, ask_remove, remove)
