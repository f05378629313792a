"""Set Up Coupling, Create New and Choose Record for one record of either side (P11, P12, F02)."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import status_of
from crosstie.api.rooms import session_of
from crosstie.app.candidates import LIKELY, Candidate, candidates
from crosstie.app.cards import RecordCard, show_card
from crosstie.app.coupling import create_partners, set_up_coupling
from crosstie.app.lists import list_records
from crosstie.app.missing import Missing, Provided, Wanted, missing_partners, provide
from crosstie.app.previewing import NO, CouplingPreview, preview, preview_creation
from crosstie.app.session import Session
from crosstie.app.winners import Winner, read_winners
from crosstie.engine.context import Report
from crosstie.model.decisions import Preference
from crosstie.model.errors import CrosstieError, InvalidOption
from crosstie.model.lists import NOT_COUPLED
from crosstie.model.people import Permission
from crosstie.model.records import Side
from crosstie.web.choosing import read_waits
from crosstie.web.forms import fields_of, several_of
from crosstie.web.records import MappingInPath, RecordInPath, SideInPath, address_of, result_of
from crosstie.web.rendering import changed, page

_CARD = "/records/{mapping:str}/{side:str}/{record_id:str}"
_WORDS = {
    NO: "No",
    Preference.SEND.value: "Yes, with Business Central data",
    Preference.GET.value: "Yes, with Dataverse data",
}
_SHOWN = 8
_ROWS = 15
_COLUMNS = 5
_TELLING = ("text", "code")
"""Types of fields by which people tell records apart."""
_MOST_CHOICES = 500
_Several = Annotated[list[str] | None, QueryParameter(max_items=_MOST_CHOICES)]


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What is set in the dialog. `synchronise` is empty as long as nobody has chosen.

    `choices` are what was chosen for single fields, `provides` for records that must be coupled first.
    """

    search: str = ""
    to: str = ""
    create: bool = False
    synchronise: str = ""
    all: bool = False
    choices: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    opening: bool = False
    """The dialog came up because somebody wanted to open the partner of an uncoupled record."""

    @property
    def about(self) -> str:
        """To what the choices for single fields belong; with another record or another way they mean nothing."""
        return f"{self.to} {self.synchronise}"

    @property
    def winners(self) -> dict[str, Winner]:
        """What was chosen for single fields. Raises InvalidOption."""
        split = [each.partition(":") for each in self.choices]
        return read_winners((field, winner) for winner, _, field in split)

    @property
    def wanted(self) -> list[Wanted]:
        """What is to be done first. Raises InvalidRequest."""
        split = [each.partition("~") for each in self.provides]
        return [
            Wanted(wait=read_waits(rest), to=None if how == "create" else how.removeprefix("couple:"))
            for how, _, rest in split
        ]


class Dialog(msgspec.Struct, frozen=True, kw_only=True):
    """The dialog as it is shown. `ways` are the ways to synchronise after coupling with their words."""

    card: RecordCard
    here: str
    setting: Setting
    candidates: list[Candidate]
    preview: CouplingPreview | None
    can_create: bool
    ways: list[tuple[str, str]]
    missing: list[Missing]
    likely: int = LIKELY
    """From this score on a record is said to be possibly the one that would be created."""
    error: CrosstieError | None = None


@get(f"{_CARD}/couple")
async def show(
    request: StrictRequest,
    mapping: MappingInPath,
    side: SideInPath,
    record_id: RecordInPath,
    q: Annotated[str, QueryParameter(max_length=250)] = "",
    to: Annotated[str, QueryParameter(max_length=200)] = "",
    create: Annotated[bool, QueryParameter()] = False,
    synchronise: Annotated[str, QueryParameter(max_length=20)] = "",
    all_: Annotated[bool, QueryParameter(name="all")] = False,
    opening: Annotated[bool, QueryParameter()] = False,
    choice: _Several = None,
    about: Annotated[str, QueryParameter(max_length=250)] = "",
    provide_: Annotated[list[str] | None, QueryParameter(name="provide", max_items=_MOST_CHOICES)] = None,
) -> Response[str]:
    """The dialog: whom a record is to be coupled with, and what OK will change."""
    setting = Setting(
        search=q,
        to=to,
        create=create,
        synchronise=synchronise,
        all=all_,
        opening=opening,
        provides=tuple(filter(None, provide_ or ())),
    )
    if about == setting.about:
        setting = msgspec.structs.replace(setting, choices=tuple(filter(None, choice or ())))
    async with session_of(request) as session:
        dialog = await _dialog(session, mapping, side, record_id, setting)
    return await page(request, "set_up_coupling.html", dialog=dialog)


@post(f"{_CARD}/couple", status_code=200, opt={"permission": Permission.COUPLE})
async def ok(
    request: StrictRequest, mapping: MappingInPath, side: SideInPath, record_id: RecordInPath
) -> Response[str]:
    """Couple as it was shown, at once, and show the result. A coupling that would be replaced is asked about first."""
    known = {"to": 200, "create": 1, "synchronise": 20, "replaces": 200}
    given = await fields_of(request, known, several=("choice", "provide"))
    setting = Setting(
        to=given["to"],
        create=bool(given["create"]),
        synchronise=given["synchronise"],
        choices=tuple(await several_of(request, "choice", most=_MOST_CHOICES)),
        provides=tuple(await several_of(request, "provide", most=_MOST_CHOICES, length=1000)),
    )
    async with session_of(request) as session:
        try:
            return await _carry_out(request, session, mapping, side, record_id, setting, given["replaces"])
        except CrosstieError as error:
            dialog = await _dialog(session, mapping, side, record_id, setting, error)
            return await page(request, "set_up_coupling.html", status_of(error), dialog=dialog)


async def _carry_out(
    request: StrictRequest, session: Session, mapping: str, side: Side, id: str, setting: Setting, agreed: str
) -> Response[str]:
    here = address_of(mapping, side, id)
    first: list[Provided] = []
    if setting.create:
        first = await provide(session, setting.wanted)
        report = await create_partners(session, mapping, [id], side=side)
        job_id, reports, done = report.job_id, [report], "Created and coupled." if not report.failures else ""
    elif setting.to:
        local, remote = (id, setting.to) if side is Side.LOCAL else (setting.to, id)
        way, winners = setting.synchronise or None, setting.winners
        foreseen = await preview(session, mapping, local, remote, synchronise=way, winners=winners)
        replaces = ",".join(str(each.id) for each in foreseen.replaces)
        if replaces and replaces != agreed:
            return await page(
                request, "replace_coupling.html", preview=foreseen, replaces=replaces, setting=setting, here=here
            )
        first = await provide(session, setting.wanted)
        made = await set_up_coupling(
            session,
            mapping,
            local,
            remote,
            synchronise=foreseen.synchronise,
            replace=bool(replaces),
            winners=winners,
        )
        job_id, reports, done = made.job_id, _all([made.report]), "Coupled."
    else:
        raise InvalidOption("No record is chosen.", next_step="Choose a record of the other system, or Create New.")
    assert job_id is not None, "what was done was a job"
    result = await result_of(session, mapping, job_id, reports)
    card = await show_card(session, mapping, side, id)
    return changed(await page(request, "coupled.html", result=result, done=done, here=here, card=card, first=first))


def _all(reports: Sequence[Report | None]) -> list[Report]:
    return [report for report in reports if report is not None]


async def _dialog(
    session: Session, mapping: str, side: Side, id: str, setting: Setting, error: CrosstieError | None = None
) -> Dialog:
    card = await show_card(session, mapping, side, id)
    can_create = "create" not in card.reasons
    setting = msgspec.structs.replace(setting, create=setting.create and can_create)
    if card.partner is not None and not setting.to:
        setting = msgspec.structs.replace(setting, to=card.partner.id)
    if card.coupling is not None and not setting.synchronise:
        setting = msgspec.structs.replace(setting, synchronise=NO)
    found = await candidates(session, mapping, card.id, setting.search, side=side, limit=_SHOWN) if card.exists else []
    try:
        shown = await _preview(session, card, setting)
        missing = await missing_partners(session, shown.waits_for) if shown and not shown.blocked else []
    except CrosstieError as wrong:
        shown, missing, error = None, [], error or wrong
    ways = [way for way in _ways(card) if way in _WORDS]
    chosen = shown.synchronise if shown and not setting.create else setting.synchronise or _proposed(ways)
    return Dialog(
        card=card,
        here=address_of(card.mapping, side, card.id),
        setting=msgspec.structs.replace(setting, synchronise=chosen),
        candidates=found,
        preview=shown,
        can_create=can_create,
        ways=[(way, _WORDS[way]) for way in ways],
        missing=missing,
        error=error,
    )


def _ways(card: RecordCard) -> list[str]:
    """Return the ways to synchronise that the mapping allows."""
    sides = {Preference.SEND.value: Side.REMOTE, Preference.GET.value: Side.LOCAL}
    return [NO, *(way for way, target in sides.items() if card.direction.reaches(target))]


def _proposed(ways: Sequence[str]) -> str:
    """Return what is set before a record is chosen: the mapping's direction (engine rule U-2)."""
    return ways[1]


async def _preview(session: Session, card: RecordCard, setting: Setting) -> CouplingPreview | None:
    if setting.create:
        return await preview_creation(session, card.mapping, card.id, side=card.side)
    if not setting.to or not card.exists:
        return None
    local, remote = (card.id, setting.to) if card.side is Side.LOCAL else (setting.to, card.id)
    way = setting.synchronise or None
    return await preview(session, card.mapping, local, remote, synchronise=way, winners=setting.winners)


@get(f"{_CARD}/choose")
async def choose(
    request: StrictRequest,
    mapping: MappingInPath,
    side: SideInPath,
    record_id: RecordInPath,
    q: Annotated[str, QueryParameter(max_length=250)] = "",
    hide: Annotated[bool, QueryParameter()] = False,
    after: Annotated[str | None, QueryParameter(max_length=4000)] = None,
) -> Response[str]:
    """The records of the other side, narrowed by the mapping's filter, to choose a partner from (P12)."""
    async with session_of(request) as session:
        card = await show_card(session, mapping, side, record_id)
        compiled = await session.compiled(card.mapping)
        rows = await list_records(
            session,
            mapping,
            side.other,
            search=q,
            states=(NOT_COUPLED,) if hide else (),
            within_filter=True,
            size=_ROWS,
            after=after,
        )
    creates = compiled.mapping.reaches(side) and compiled.schema(side).creatable
    name = compiled.mapping.name_field(side.other)
    columns = [each for each in rows.columns if each.name != name and each.type in _TELLING][:_COLUMNS]
    return await page(
        request,
        "choose_record.html",
        card=card,
        rows=rows,
        columns=columns,
        here=address_of(card.mapping, side, card.id),
        there=address_of(card.mapping, side.other, ""),
        creates=creates,
        search=q,
        hide=hide,
        after=after or "",
    )


HANDLERS = (show, ok, choose)
