"""The setup of the connections, step by step; it can be left at any of them (P03, F01)."""

import asyncio
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import PathParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import rooms_of
from crosstie.app.setting_up import (
    SIDE_OF,
    Step,
    business_central_address,
    check_setup,
    choose_ownership,
    compare_mappings,
    dataverse_address,
    drop_setup,
    enter_connection,
    finish_setup,
    setup_state,
)
from crosstie.model.errors import CrosstieError, UnknownAddress
from crosstie.model.people import Permission
from crosstie.web.forms import fields_of
from crosstie.web.rendering import goto, page

_MANAGES = {"permission": Permission.MANAGE_CONNECTIONS}
_Step = Annotated[str, PathParameter(min_length=1, max_length=50)]
_FIELDS = {
    "environment": 500,
    "address": 2000,
    "company": 200,
    "tenant_id": 200,
    "client_id": 200,
    "secret": 2000,
    "token_url": 2000,
    "ca": 1000,
    "pages": 2000,
}
TITLES = {
    Step.BUSINESS_CENTRAL: "Business Central",
    Step.DATAVERSE: "Dataverse",
    Step.OWNERSHIP: "Ownership",
    Step.PREFLIGHT: "Preflight",
    Step.MAPPINGS: "Mappings",
}


@get("/connections/setup", opt=_MANAGES)
async def resume(request: StrictRequest) -> Response[str]:
    """Go on at the first step that is not done."""
    setup = await asyncio.to_thread(setup_state, rooms_of(request).home)
    step = setup.next_step if setup.begun or not setup.connections else Step.BUSINESS_CENTRAL
    return await _show(request, step)


@get("/connections/setup/{step:str}", opt=_MANAGES)
async def show(request: StrictRequest, step: _Step) -> Response[str]:
    """One step, with what was entered before; secrets are not shown."""
    return await _show(request, _step(step))


@post("/connections/setup/drop", status_code=200, opt=_MANAGES)
async def drop(request: StrictRequest) -> Response[str]:
    """Forget what was entered."""
    await asyncio.to_thread(drop_setup, rooms_of(request).home)
    return goto(request, "/connections")


@post("/connections/setup/{step:str}", status_code=200, opt=_MANAGES)
async def take(request: StrictRequest, step: _Step) -> Response[str]:
    """Keep what was entered at a step and go on; the last step begins to use the connections."""
    wanted, home = _step(step), rooms_of(request).home
    match wanted:
        case Step.BUSINESS_CENTRAL | Step.DATAVERSE:
            return await _take_connection(request, wanted)
        case Step.OWNERSHIP:
            given = await fields_of(request, {"ownership": 20})
            try:
                await asyncio.to_thread(choose_ownership, home, given["ownership"])
            except CrosstieError as error:
                return await _show(request, wanted, error)
            return goto(request, "/connections/setup/preflight")
        case Step.PREFLIGHT:
            try:
                await check_setup(home)
            except CrosstieError as error:
                return await _show(request, wanted, error)
            return await _show(request, wanted)
    given = await fields_of(request, {"mappings": 20})
    try:
        laid = await finish_setup(home, mappings=given["mappings"] or "keep")
    except CrosstieError as error:
        return await _show(request, wanted, error)
    return await page(request, "setup_finished.html", laid=laid)


async def _take_connection(request: StrictRequest, step: Step) -> Response[str]:
    given = await fields_of(request, _FIELDS)
    address = given["address"].strip()
    if step is Step.BUSINESS_CENTRAL and not address and given["environment"].strip():
        address = business_central_address(given["tenant_id"], given["environment"])
    if step is Step.DATAVERSE and address:
        address = dataverse_address(address)
    try:
        await asyncio.to_thread(
            enter_connection,
            rooms_of(request).home,
            SIDE_OF[step],
            address=address,
            tenant_id=given["tenant_id"],
            client_id=given["client_id"],
            secret=given["secret"],
            token_url=given["token_url"],
            settings={name: given[name].strip() for name in ("company", "ca", "pages")},
        )
    except CrosstieError as error:
        return await _show(request, step, error, typed={**given, "secret": ""})
    following = Step.DATAVERSE if step is Step.BUSINESS_CENTRAL else Step.OWNERSHIP
    return goto(request, f"/connections/setup/{following.value}")


async def _show(
    request: StrictRequest, step: Step, error: CrosstieError | None = None, typed: dict[str, str] | None = None
) -> Response[str]:
    home = rooms_of(request).home
    setup = await asyncio.to_thread(setup_state, home)
    compared: list[Any] = []
    if step is Step.MAPPINGS and setup.passed and setup.mappings:
        try:
            compared = await compare_mappings(home)
        except CrosstieError as found:
            error = error or found
    view = setup.connections.get(SIDE_OF[step]) if step in SIDE_OF else None
    first = next(iter(setup.connections.values()), None)
    values = typed or {
        "environment": "",
        "address": view.address if view else "",
        "company": str(view.settings.get("company") or "") if view else "",
        # Both are registered in the same tenant as a rule.
        "tenant_id": view.tenant_id if view else first.tenant_id if first else "",
        "client_id": view.client_id if view else first.client_id if first else "",
        "secret": "",
        "token_url": (setup.token_urls.get(SIDE_OF[step]) or next(iter(setup.token_urls.values()), ""))
        if step in SIDE_OF
        else "",
        "ca": str((view or first).settings.get("ca") or "") if view or first else "",  # type: ignore[union-attr]
        "pages": str(view.settings.get("pages") or "") if view else "",
    }
    return await page(
        request,
        "setup.html",
        status_of(error) if error else 200,
        step=step,
        titles=TITLES,
        setup=setup,
        values=values,
        has_secret=step in SIDE_OF and SIDE_OF[step] in setup.has_secret,
        compared=compared,
        error=error,
    )


def _step(text: str) -> Step:
    try:
        return Step(text)
    except ValueError:
        raise UnknownAddress(f"The setup has no step {text!r}; there are: {', '.join(Step)}.") from None


HANDLERS = (resume, show, drop, take)
