"""Delete Coupling for one record: asked about with what goes with it, done at once, with undo (F09)."""

from litestar import Response, get, post

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import session_of
from crosstie.app.cards import show_card
from crosstie.app.coupling import uncouple
from crosstie.app.uncoupling import foresee_uncoupling
from crosstie.model.errors import ChangedSince, CrosstieError
from crosstie.model.people import Permission
from crosstie.model.records import Side
from crosstie.web.forms import fields_of
from crosstie.web.records import MappingInPath, RecordInPath, SideInPath, address_of, result_of
from crosstie.web.rendering import changed, page

_PATH = "/records/{mapping:str}/{side:str}/{record_id:str}/uncouple"


@get(_PATH)
async def ask(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """What deleting the coupling of the record comes to."""
    return await _asked(request, mapping, side, record_id)


async def _asked(
    request: StrictRequest, mapping: str, side: Side, id: str, error: CrosstieError | None = None
) -> Response[str]:
    async with session_of(request) as session:
        card = await show_card(session, mapping, side, id)
        foreseen = await foresee_uncoupling(session, mapping, side, card.id)
    here = address_of(card.mapping, side, card.id)
    status = 200 if error is None else status_of(error)
    return await page(request, "delete_coupling.html", status, card=card, foreseen=foreseen, here=here, error=error)


@post(_PATH, status_code=200, opt={"permission": Permission.UNCOUPLE})
async def carry_out(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """Delete the coupling that was shown; another one that has taken its place meanwhile is asked about anew."""
    given = await fields_of(request, {"coupling": 20})
    async with session_of(request) as session:
        foreseen = await foresee_uncoupling(session, mapping, side, record_id)
        if str(foreseen.coupling.id) != given["coupling"]:
            error = ChangedSince(
                "The record has been coupled anew since this was shown.",
                next_step="Look at the coupling that it has now, and delete that one if it is to go.",
            )
            return await _asked(request, mapping, side, record_id, error)
        report = await uncouple(session, mapping, [foreseen.coupling.local_id])
        assert report.job_id is not None, "what was done was a job"
        result = await result_of(session, mapping, report.job_id, [report])
        card = await show_card(session, mapping, side, record_id)
    here = address_of(card.mapping, side, card.id)
    done = "Coupling deleted." if report.from_remote.uncoupled + report.to_remote.uncoupled else "Not deleted."
    return changed(await page(request, "synchronised.html", result=result, done=done, here=here, card=card))


HANDLERS = (ask, carry_out)
