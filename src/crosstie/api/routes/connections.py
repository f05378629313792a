"""Connections: how the two systems are reached. Secrets go in and never come out."""

import asyncio
from typing import Annotated

from litestar import delete, get, post, put
from litestar.params import JSONBody, QueryParameter

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import ConnectionBody
from crosstie.api.rooms import rooms_of
from crosstie.api.shapes import Page
from crosstie.app.connecting import PreflightFinding, check_connections
from crosstie.app.connections import (
    add_connection,
    disable_connection,
    enable_connection,
    find_connection,
    list_connections,
    remove_connection,
    test_connection,
)
from crosstie.app.views import ConnectionTest, ConnectionView
from crosstie.model.connections import Connection, SystemKind
from crosstie.model.errors import InvalidConnection
from crosstie.model.people import Permission

_MANAGES = {"permission": Permission.MANAGE_CONNECTIONS}
_ONE = "/api/v1/connections/{name:str}"


@get("/api/v1/connections", operation_id="listConnections", tags=["connections"])
async def list_(request: StrictRequest) -> Page[ConnectionView]:
    """All connections."""
    found = await asyncio.to_thread(list_connections, rooms_of(request).home)
    return Page(items=found)


@post("/api/v1/preflight", operation_id="checkConnections", tags=["connections"], status_code=200, opt=_MANAGES)
async def check(request: StrictRequest) -> Page[PreflightFinding]:
    """Check both enabled connections with all that the mappings need; nothing is written in either system."""
    return Page(items=await check_connections(rooms_of(request).home))


@get(_ONE, operation_id="showConnection", tags=["connections"])
async def show(request: StrictRequest, name: InPath) -> ConnectionView:
    """One connection."""
    return ConnectionView.of(await asyncio.to_thread(find_connection, rooms_of(request).home, name))


@put(_ONE, operation_id="putConnection", tags=["connections"], opt=_MANAGES)
async def put_(request: StrictRequest, name: InPath, data: JSONBody[ConnectionBody]) -> ConnectionView:
    """Add a connection, or replace the one of that name, once its test has passed."""
    home = rooms_of(request).home
    wanted = Connection(
        name=name.strip(),
        kind=SystemKind(data.kind),
        address=data.address,
        tenant_id=data.tenant_id,
        client_id=data.client_id,
        secret=data.secret,
        token_url=data.token_url,
        settings=data.settings,
    )
    test = await add_connection(home, wanted, check=data.check)
    failed = next((finding for finding in test.findings if not finding.passed), None)
    if not test.passed and failed is not None:
        raise InvalidConnection(
            f"{wanted.name}: {failed.name}: {failed.detail}", next_step=failed.next_step, findings=test.findings
        )
    return ConnectionView.of(await asyncio.to_thread(find_connection, home, wanted.name))


@delete(_ONE, operation_id="removeConnection", tags=["connections"], opt=_MANAGES)
async def remove(
    request: StrictRequest,
    name: InPath,
    forced: Annotated[bool, QueryParameter(description="Also if records are coupled through it.")] = False,
) -> None:
    """Forget a connection and its secret; with couplings only when `forced`."""
    await asyncio.to_thread(remove_connection, rooms_of(request).home, name, forced=forced)


@post(f"{_ONE}/test", operation_id="testConnection", tags=["connections"], status_code=200, opt=_MANAGES)
async def test(request: StrictRequest, name: InPath) -> ConnectionTest:
    """Test address, sign-in, rights, company and clock of a connection."""
    return await test_connection(rooms_of(request).home, name)


@post(f"{_ONE}/enable", operation_id="enableConnection", tags=["connections"], status_code=200, opt=_MANAGES)
async def enable(request: StrictRequest, name: InPath) -> ConnectionView:
    """Use a connection again, once its test has passed."""
    home = rooms_of(request).home
    await enable_connection(home, name)
    return ConnectionView.of(await asyncio.to_thread(find_connection, home, name))


@post(f"{_ONE}/disable", operation_id="disableConnection", tags=["connections"], status_code=200, opt=_MANAGES)
async def disable(request: StrictRequest, name: InPath) -> ConnectionView:
    """Stop using a connection; couplings stay."""
    home = rooms_of(request).home
    await asyncio.to_thread(disable_connection, home, name)
    return ConnectionView.of(await asyncio.to_thread(find_connection, home, name))


HANDLERS = (list_, check, show, put_, remove, test, enable, disable)
