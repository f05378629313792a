"""Synchronise now for one record: its differences, what each choice comes to, and nothing written until Apply (F05)."""

from collections.abc import Sequence
from typing import Annotated

from litestar import Response, get, post
from litestar.params import QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import invalid, status_of
from crosstie.api.rooms import session_of
from crosstie.app.cards import RecordCard, show_card
from crosstie.app.choosing import choose_fields
from crosstie.app.coupling import uncouple
from crosstie.app.differences import RecordDifferences, apply_differences, differences
from crosstie.app.restoring import delete, restore
from crosstie.app.session import Session
from crosstie.engine.context import Report
from crosstie.model.decisions import Preference
from crosstie.model.errors import CrosstieError
from crosstie.model.people import Permission
from crosstie.model.records import Side
from crosstie.web.forms import fields_of, several_of
from crosstie.web.records import MappingInPath, RecordInPath, SideInPath, address_of, result_of
from crosstie.web.rendering import changed, page

_CARD = "/records/{mapping:str}/{side:str}/{record_id:str}"
_MOST_CHOICES = 500


@get(f"{_CARD}/differences")
async def show(
    request: StrictRequest,
    mapping: MappingInPath,
    side: SideInPath,
    record_id: RecordInPath,
    preference: Annotated[Preference | None, QueryParameter()] = None,
    choice: Annotated[list[str] | None, QueryParameter(max_items=_MOST_CHOICES)] = None,
    all_: Annotated[bool, QueryParameter(name="all")] = False,
) -> Response[str]:
    """The record on both sides, and what the preset and the sides chosen come to. Writes nothing."""
    async with session_of(request) as session:
        card = await show_card(session, mapping, side, record_id)
        if card.coupling is None:
            here = address_of(card.mapping, side, card.id)
            return await page(request, "not_coupled.html", card=card, here=here)
        found = await differences(session, mapping, card.coupling.local_id)
    return await _shown(request, card, found, preference, _choices(choice or ()), all_)


@post(f"{_CARD}/differences", status_code=200, opt={"permission": Permission.SYNCHRONISE})
async def apply(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """Bring the record in step as it was shown; if a side has moved since, show it again instead."""
    given = await fields_of(request, {"preference": 20, "seen": 100, "all": 1}, several=("choice",))
    choices = _choices(await several_of(request, "choice", most=_MOST_CHOICES))
    preference = _preference(given["preference"])
    here = address_of(mapping, side, record_id)
    async with session_of(request) as session:
        card = await show_card(session, mapping, side, record_id)
        if card.coupling is None:
            return await page(request, "not_coupled.html", 409, card=card, here=here)
        local_id = card.coupling.local_id
        try:
            done = await apply_differences(session, mapping, local_id, preference, seen=given["seen"], choices=choices)
        except CrosstieError as error:
            found = await differences(session, mapping, local_id)
            status = status_of(error)
            return await _shown(request, card, found, preference, choices, bool(given["all"]), error, status=status)
        if done.again is not None:
            moved = "one side was written, the other has changed meanwhile" if done.report else "nothing was written"
            answer = await _shown(
                request, card, done.again, preference, choices, bool(given["all"]), moved=moved, status=409
            )
            return changed(answer) if done.report else answer
        return await _done(request, session, card, [done.report], "Synchronised.")


@post(f"{_CARD}/settle", status_code=200, opt={"permission": Permission.SOLVE_PROBLEMS})
async def settle(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """Decide about a record whose partner is gone: restore it, delete this one too, or delete the coupling."""
    given = await fields_of(request, {"how": 20})
    async with session_of(request) as session:
        card = await show_card(session, mapping, side, record_id)
        if card.coupling is None:
            here = address_of(mapping, side, record_id)
            return await page(request, "not_coupled.html", 409, card=card, here=here)
        local_id = card.coupling.local_id
        match given["how"]:
            case "restore":
                report, done = (await restore(session, mapping, [local_id])).report, "Restored."
            case "delete":
                report, done = (await delete(session, mapping, [local_id])).report, "Deleted."
            case "uncouple":
                request.demand(Permission.UNCOUPLE)
                report, done = await uncouple(session, mapping, [local_id]), "Coupling deleted."
            case _:
                raise invalid("It is restore, delete or uncouple.", "how")
        return await _done(request, session, card, [report], done)


def _preference(text: str) -> Preference:
    try:
        return Preference(text)
    except ValueError:
        raise invalid(f"{text!r} is no direction; it is merge, to_remote or from_remote.", "preference") from None


def _choices(given: Sequence[str]) -> dict[str, Side]:
    """Return the sides chosen, by field. Each choice is a side, a colon and the field; an empty one is none."""
    found: dict[str, Side] = {}
    for each in filter(None, given):
        side, _, field = each.partition(":")
        if side not in (Side.LOCAL, Side.REMOTE) or not field:
            raise invalid(f"{each[:80]!r} is no choice; it is local:FIELD or remote:FIELD.", "choice")
        found[field] = Side(side)
    return found


async def _shown(
    request: StrictRequest,
    card: RecordCard,
    found: RecordDifferences,
    preference: Preference | None,
    choices: dict[str, Side],
    all_: bool,
    error: CrosstieError | None = None,
    *,
    moved: str = "",
    status: int = 200,
) -> Response[str]:
    known = [preset.preference for preset in found.presets]
    wanted = preference if preference in known else found.preselected or (known[-1] if known else None)
    chosen = choose_fields(found, wanted, choices) if wanted is not None else None
    return await page(
        request,
        "differences.html",
        status,
        card=card,
        found=found,
        chosen=chosen,
        all=all_,
        error=error,
        moved=moved,
        here=address_of(card.mapping, card.side, card.id),
    )


async def _done(
    request: StrictRequest, session: Session, card: RecordCard, reports: Sequence[Report | None], done: str
) -> Response[str]:
    ran = [report for report in reports if report is not None]
    job_id = ran[0].job_id
    assert job_id is not None, "what was done was a job"
    result = await result_of(session, card.mapping, job_id, ran)
    here = address_of(card.mapping, card.side, card.id)
    return changed(await page(request, "synchronised.html", result=result, done=done, here=here, card=card))


HANDLERS = (show, apply, settle)
