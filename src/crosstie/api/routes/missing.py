"""Missing: what records depend on and what is not coupled yet, dealt with before their partners are."""

from typing import Annotated, Literal

from litestar import post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from crosstie.api.asking import InPath, StrictRequest
from crosstie.api.bodies import Body
from crosstie.api.refusing import invalid
from crosstie.api.rooms import session_of
from crosstie.api.shapes import RecordText
from crosstie.app.missing import Provided, provide_first
from crosstie.model.leaving import Left
from crosstie.model.people import Permission
from crosstie.model.records import Side


class MissingBody(Body, frozen=True, kw_only=True):
    """The records whose partners are to be created next or, with `to`, the one that is to be coupled with that one."""

    records: Annotated[list[RecordText], Meta(min_length=1, max_length=50)]
    side: Side = Side.LOCAL
    to: RecordText | None = None
    synchronise: Literal["no", "to_remote", "from_remote"] | None = None
    """As it is to be coupled with `to`: fields that do not move need nothing."""
    dry_run: bool = False


class MissingShape(Struct, frozen=True, kw_only=True):
    """A record that was missing. `left` says why nothing was done; else it was created, or coupled with `partner`."""

    mapping: str
    side: Side
    key: str
    name: str
    created: bool
    partner: str
    job_id: int | None
    left: Left | None

    @classmethod
    def of(cls, each: Provided) -> "MissingShape":
        """Return what was done as the API shows it."""
        wait = each.wait
        return cls(
            mapping=wait.mapping,
            side=wait.side,
            key=wait.key,
            name=each.name,
            created=each.created,
            partner=each.partner,
            job_id=each.job_id,
            left=each.left,
        )


class MissingDone(Struct, frozen=True, kw_only=True):
    """What was missing, in the order in which it was dealt with; for a dry run what would be done."""

    dry_run: bool
    items: list[MissingShape]


@post(
    "/api/v1/mappings/{mapping:str}/missing",
    operation_id="provideMissing",
    tags=["couplings"],
    status_code=200,
    opt={"permission": Permission.COUPLE},
)
async def provide(request: StrictRequest, mapping: InPath, data: JSONBody[MissingBody]) -> MissingDone:
    """Couple what these records depend on, as far as nobody has to choose; then they can be coupled or created.

    What is a missing record's partner almost surely is coupled with it and keeps its values; where nobody is likely to
    be, the partner is created; anything else is `left`.
    """
    if data.to is not None and (len(data.records) > 1 or data.side is Side.REMOTE):
        raise invalid("With `to`, one record of the local side is named.", "records")
    async with session_of(request) as session:
        done = await provide_first(
            session,
            mapping,
            data.records,
            side=data.side,
            to=data.to,
            synchronise=data.synchronise,
            dry_run=data.dry_run,
        )
    return MissingDone(dry_run=data.dry_run, items=[MissingShape.of(each) for each in done])


HANDLERS = (provide,)
