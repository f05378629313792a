"""Preview: two records side by side before they are coupled, with all that OK would change (F02, B2 to B5)."""

from collections.abc import Mapping

import msgspec

from crosstie.app.differences import side_of_record
from crosstie.app.records import find_record, find_records
from crosstie.app.session import Session
from crosstie.app.synchronising import check_direction
from crosstie.app.views import CouplingView
from crosstie.app.winners import Winner, by_position, preference_of, sides_chosen
from crosstie.engine.basing import as_it_is
from crosstie.engine.context import Context, Scope, Task
from crosstie.engine.coupling import foresee
from crosstie.engine.decision import decide
from crosstie.engine.differing import decide_each, field_differences, preferences_of
from crosstie.engine.merging import WRITES
from crosstie.engine.pairing import Paired, base_of, fetch, translate
from crosstie.engine.wording import worded
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Decision, Finding, Pair, Preference, RecordAction, Request
from crosstie.model.differences import FieldDifference, FieldPreview, SideOfRecord
from crosstie.model.errors import AlreadyCoupled, CannotCouple, CrosstieError, InvalidOption, UnknownRecord
from crosstie.model.leaving import Left
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Record, Side

NO = "no"
"""Couple without synchronising: nothing moves until somebody edits."""
_NO_WINNERS: Mapping[str, Winner] = {}


class CouplingPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What coupling a local record with a remote one, or with a new one, would come to.

    `synchronise` is the way asked for or proposed, `ways` those that there are. `blocked` says why it cannot be done;
    `replaces` are couplings that would make way, `waits_for` records that must be coupled first. `sides` lacks the
    record that would be created.
    """

    mapping: str
    sides: dict[Side, SideOfRecord]
    creates: bool
    synchronise: str
    ways: list[str]
    fields: list[FieldPreview]
    blocked: Left | None
    replaces: list[CouplingView]
    coupled_already: bool
    waits_for: list[WaitsFor]
    findings: list[Finding]
    problem: str | None
    problem_words: str


async def preview(
    session: Session,
    mapping: str,
    record: str,
    remote: str | None,
    *,
    synchronise: str | None = None,
    winners: Mapping[str, Winner] = _NO_WINNERS,
) -> CouplingPreview:
    """Show a local record beside a remote one, or beside the one that would be created for it (`remote` None).

    `synchronise` is "no", "to_remote" or "from_remote"; left away it is what the dialog proposes: none for records that
    are coupled with each other already, else sending where the mapping does that (engine rule U-2). A new record is
    always sent. Reads both systems and writes nothing. Raises UnknownMapping, UnknownRecord, AmbiguousRecord,
    InvalidOption, SystemFailure.
    """
    ctx = await session.context(session.mapping(mapping).name, Task(scope=Scope.RECORDS, on_purpose=True))
    local_id = (await find_records(ctx, [record], sides=(Side.LOCAL,)))[0][1]
    local = (await fetch(ctx, Side.LOCAL, [local_id])).get(local_id)
    if local is None:
        raise UnknownRecord(f"{record} no longer exists in {ctx.systems[Side.LOCAL].name}.", id=local_id)
    with ctx.store.begin() as unit:
        held = unit.couplings.by_record(ctx.mapping_name, Side.LOCAL, [local_id]).get(local_id)
    if remote is None:
        return await _of_creation(ctx, Side.LOCAL, local, held)
    found = await find_record(ctx, Side.REMOTE, remote)
    if found is None:
        raise UnknownRecord(
            f"There is no record {remote!r} in {ctx.systems[Side.REMOTE].name} ({ctx.compiled.mapping.remote_table}).",
            text=remote,
        )
    same = held is not None and held.remote_id == found.id
    way = NO if same and synchronise is None else _checked(ctx, synchronise)
    chosen = {} if same else by_position(ctx.compiled, winners)
    return await _of_pair(ctx, local, found, held if same else None, way, chosen)


async def preview_creation(session: Session, mapping: str, id: str, *, side: Side) -> CouplingPreview:
    """Show a record of `side` beside the partner that would be created for it; as `preview` where `side` is local.

    Raises UnknownMapping, UnknownRecord, SystemFailure.
    """
    ctx = await session.context(session.mapping(mapping).name, Task(scope=Scope.RECORDS, on_purpose=True))
    record = (await fetch(ctx, side, [id])).get(id)
    if record is None:
        raise UnknownRecord(f"{id} no longer exists in {ctx.systems[side].name}.", id=id)
    with ctx.store.begin() as unit:
        held = unit.couplings.by_record(ctx.mapping_name, side, [id]).get(id)
    return await _of_creation(ctx, side, record, held)


def _checked(ctx: Context, synchronise: str | None) -> str:
    """Return the way to synchronise that was asked for, or is proposed. Raises InvalidOption."""
    if synchronise is None:
        return preferences_of(ctx.compiled)[0].value
    if synchronise == NO:
        return NO
    if synchronise not in (Preference.SEND.value, Preference.GET.value):
        raise InvalidOption(
            f"{synchronise!r} is no way to synchronise after coupling: it is no, to_remote or from_remote."
        )
    check_direction(ctx.compiled.mapping, Preference(synchronise))
    return synchronise


async def _of_pair(
    ctx: Context,
    local: Record,
    remote: Record,
    held: Coupling | None,
    synchronise: str,
    winners: Mapping[int, Winner],
) -> CouplingPreview:
    preference = None if synchronise == NO else Preference(synchronise)
    pair = (local.id, remote.id)
    refused, replaced = await foresee(ctx, [pair], synchronise=preference, repoint=True)
    item = Paired(Pair(coupling=held, local=local, remote=remote), base_of(ctx.compiled, held))
    await translate(ctx, [item])
    decisions = decide_each(ctx.compiled, item)
    chosen = decisions.get(preference) if preference is not None else None
    if winners:
        base = as_it_is(ctx.compiled, local, remote, sides_chosen(ctx.compiled, preference, winners))
        chosen = decide(ctx.compiled, item.pair, base, item.sent, item.fetched, Request())
    wording = await worded(ctx, local, remote, decisions.values())
    differences = field_differences(ctx.compiled, item, decisions, wording)
    return _preview(
        ctx,
        (local, remote),
        synchronise,
        [
            _field(each, preference_of(winners[at]) if at in winners else preference, preference)
            for at, each in enumerate(differences)
        ],
        chosen,
        blocked=refused.get(pair),
        replaced=replaced,
        coupled_already=held is not None,
    )


async def _of_creation(ctx: Context, side: Side, record: Record, held: Coupling | None) -> CouplingPreview:
    """Show the record that would be created, with what it takes from that of `side` (engine rules U-2, U-3, U-7)."""
    local, remote = (record, None) if side is Side.LOCAL else (None, record)
    item = Paired(Pair(coupling=None, local=local, remote=remote), None)
    await translate(ctx, [item])
    # What the filter leaves out cannot be created; a person who asks is told, rather than passed over.
    inside = ctx.in_filter(side, record.values)
    pair = msgspec.structs.replace(item.pair, **{f"{side}_in_filter": inside})
    request = Request(on_purpose=True, create_remote=side is Side.LOCAL, create_local=side is Side.REMOTE)
    decision = decide(ctx.compiled, pair, None, item.sent, item.fetched, request)
    wording = await worded(ctx, local, remote, [decision])
    preference = Preference.SEND if side is Side.LOCAL else Preference.GET
    differences = field_differences(ctx.compiled, item, {preference: decision}, wording)
    return _preview(
        ctx,
        (local, remote),
        preference.value,
        [_field(each, preference, preference) for each in differences],
        decision,
        blocked=_cannot_create(ctx, side.other, held, decision),
        replaced=[],
        coupled_already=held is not None,
    )


def _cannot_create(ctx: Context, target: Side, held: Coupling | None, decision: Decision) -> CrosstieError | None:
    if held is not None:
        return AlreadyCoupled(f"{held.name()} is already coupled (mapping {ctx.mapping_name}).")
    if not ctx.compiled.mapping.reaches(target):
        return CannotCouple(
            f"{ctx.mapping_name} flows from the {target} side only, so that nothing is created there.",
        )
    if decision.action is RecordAction.FAIL and decision.problem_code == "not-eligible":
        return CannotCouple(decision.problem_words, next_step="Change the record, or leave it uncoupled.")
    return None


def _field(difference: FieldDifference, preference: Preference | None, preset: Preference | None) -> FieldPreview:
    """Return a field as it comes out under `preference`, where `preset` is what all fields follow."""
    proposal = difference.proposals.get(preference) if preference is not None else None
    target = next((side for side, action in WRITES.items() if proposal and action is proposal.action), None)
    value = proposal.value if proposal is not None else None
    return FieldPreview(
        difference=difference,
        after_local=value if target is Side.LOCAL and value is not None else difference.local,
        after_remote=value if target is Side.REMOTE and value is not None else difference.remote,
        writes=target,
        reason=proposal.reason if proposal is not None else "",
        winner=_source(difference, preference),
        chosen=preference is not preset,
    )


def _source(difference: FieldDifference, preference: Preference | None) -> Side | None:
    """Return the side whose value both are to get; None where both keep theirs."""
    side = {Preference.SEND: Side.LOCAL, Preference.GET: Side.REMOTE}.get(preference) if preference else None
    return side if side in difference.choices else None


def _preview(
    ctx: Context,
    records: tuple[Record | None, Record | None],
    synchronise: str,
    fields: list[FieldPreview],
    decision: Decision | None,
    *,
    blocked: CrosstieError | None,
    replaced: list[Coupling],
    coupled_already: bool,
) -> CouplingPreview:
    local, remote = records
    known = [(side, record) for side, record in ((Side.LOCAL, local), (Side.REMOTE, remote)) if record is not None]
    sides = {side: side_of_record(ctx, side, record.id, record) for side, record in known}
    ways = [NO, *(each.value for each in preferences_of(ctx.compiled) if each is not Preference.MERGE)]
    return CouplingPreview(
        mapping=ctx.mapping_name,
        sides=sides,
        creates=len(sides) == 1,
        synchronise=synchronise,
        ways=[synchronise] if len(sides) == 1 else ways,
        fields=fields,
        blocked=_left(ctx, sides, blocked) if blocked is not None else None,
        replaces=[CouplingView.of(each) for each in replaced],
        coupled_already=coupled_already,
        waits_for=list(decision.waits_for) if decision is not None else [],
        findings=list(decision.findings) if decision is not None else [],
        problem=decision.problem_code if decision is not None else None,
        problem_words=decision.problem_words if decision is not None else "",
    )


def _left(ctx: Context, sides: dict[Side, SideOfRecord], error: CrosstieError) -> Left:
    local, remote = sides.get(Side.LOCAL), sides.get(Side.REMOTE)
    named = local or remote
    return Left(
        mapping=ctx.mapping_name,
        local_id=local.id if local is not None else None,
        remote_id=remote.id if remote is not None else None,
        name=named.words if named is not None else "",
        code=error.code,
        words=error.words,
        next_step=error.advice,
    )
