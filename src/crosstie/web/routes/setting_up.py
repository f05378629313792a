"""The setup of the connections, step by step; it can be left at any of them (P03, F01)."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from litestar import Response, get, post
from litestar.params import PathParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import rooms_of
from crosstie.app.addresses import business_central_address, cloud_environment
from crosstie.app.connecting import PreflightFinding
from crosstie.app.setting_up import (
    SIDE_OF,
    Setup,
    Step,
    check_entered,
    check_setup,
    choose_ownership,
    compare_mappings,
    drop_setup,
    enter_connection,
    finish_setup,
    setup_state,
)
from crosstie.model.errors import CrosstieError, UnknownAddress
from crosstie.model.people import Permission
from crosstie.model.records import Side
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
NEXT = {
    Step.BUSINESS_CENTRAL: "/connections/setup/dataverse",
    Step.DATAVERSE: "/connections/setup/ownership",
}
TITLES = {
    Step.BUSINESS_CENTRAL: "Business Central",
    Step.DATAVERSE: "Dataverse",
    Step.OWNERSHIP: "Ownership",
    Step.PREFLIGHT: "Preflight",
    Step.MAPPINGS: "Mappings",
}


class Wrong(NamedTuple):
    """What is shown beside a field: what is wrong with what was entered, what to do, and the error's code."""

    words: str
    step: str
    code: str


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
    home, address = rooms_of(request).home, given["address"].strip()
    by_environment = step is Step.BUSINESS_CENTRAL and not address
    if by_environment and given["environment"].strip():
        address = business_central_address(given["tenant_id"], given["environment"])
    try:
        await asyncio.to_thread(
            enter_connection,
            home,
            SIDE_OF[step],
            address=address,
            tenant_id=given["tenant_id"],
            client_id=given["client_id"],
            secret=given["secret"],
            token_url=given["token_url"],
            settings={name: given[name].strip() for name in ("company", "ca", "pages")},
        )
    except CrosstieError as error:
        field = _shown_at(str(error.details.get("field") or ""), by_environment)
        wrong = {field: Wrong(error.words, error.advice, error.code)} if field in _FIELDS else {}
        if field == "environment":
            advice = "Enter it, for example Production; or the address of the API."
            wrong = {field: Wrong("No environment is named.", advice, error.code)}
        return await _show(request, step, None if wrong else error, typed={**given, "secret": ""}, wrong=wrong)
    failed = [each for each in await check_entered(home, SIDE_OF[step]) if not each.passed]
    if not failed:
        return goto(request, NEXT[step])
    # What was entered is kept all the same: the system may be down, and a secret need not be entered twice.
    wrong = {
        _shown_at(each.field, by_environment): Wrong(each.words, each.fix, each.error)
        for each in failed
        if each.field in _FIELDS
    }
    return await _show(request, step, wrong=wrong, failed=[each for each in failed if each.field not in _FIELDS])


def _shown_at(field: str, by_environment: bool) -> str:
    """Return beside which field it is shown what is wrong with one."""
    return "environment" if field == "address" and by_environment else field


async def _show(
    request: StrictRequest,
    step: Step,
    error: CrosstieError | None = None,
    typed: dict[str, str] | None = None,
    wrong: dict[str, Wrong] | None = None,
    failed: Sequence[PreflightFinding] = (),
) -> Response[str]:
    home = rooms_of(request).home
    setup = await asyncio.to_thread(setup_state, home)
    compared: list[Any] = []
    if step is Step.MAPPINGS and setup.passed and setup.mappings:
        try:
            compared = await compare_mappings(home)
        except CrosstieError as found:
            error = error or found
    return await page(
        request,
        "setup.html",
        status_of(error) if error else 422 if wrong or failed else 200,
        step=step,
        titles=TITLES,
        next=NEXT,
        setup=setup,
        values=typed or _values(setup, step),
        secret_known=_secret_known(setup, step),
        compared=compared,
        error=error,
        wrong=wrong or {},
        failed=failed,
        kept=not typed and bool(wrong or failed),
    )


def _secret_known(setup: Setup, step: Step) -> str:
    """Return whose secret serves if none is typed: that of the connection itself, or of the other one."""
    if SIDE_OF.get(step) in setup.has_secret:
        return "own"
    return "other" if setup.has_secret else ""


def _values(setup: Setup, step: Step) -> dict[str, str]:
    """Return what is in the fields of a step before somebody types; both systems are in one tenant as a rule."""
    side = SIDE_OF.get(step)
    if side is None:
        return {}
    view = setup.connections.get(side)
    first = view or next(iter(setup.connections.values()), None)
    if first is None:
        return dict.fromkeys(_FIELDS, "")
    settings = view.settings if view else {}
    environment = cloud_environment(view.tenant_id, view.address) if view and side is Side.LOCAL else ""
    return {
        "environment": environment,
        "address": view.address if view and not environment else "",
        "company": str(settings.get("company") or ""),
        "tenant_id": first.tenant_id,
        "client_id": first.client_id,
        "secret": "",
        "token_url": setup.token_urls[side if view else side.other],
        "ca": str(first.settings.get("ca") or ""),
        "pages": str(settings.get("pages") or ""),
    }


def _step(text: str) -> Step:
    try:
        return Step(text)
    except ValueError:
        raise UnknownAddress(f"The setup has no step {text!r}; there are: {', '.join(Step)}.") from None


HANDLERS = (resume, show, drop, take)
