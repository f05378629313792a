"""Set Up Coupling, Create New, Delete Coupling: for records that a person names."""

from collections.abc import Mapping, Sequence

import msgspec

from crosstie.app.home import Home
from crosstie.app.records import find_record, find_records, listed, unknown_record
from crosstie.app.running import run_job
from crosstie.app.selecting import Selection, couplings_of, ids_of
from crosstie.app.session import Session, find_mapping
from crosstie.app.synchronising import check_direction, left_alone, run_synchronise
from crosstie.app.views import CouplingPage, CouplingView
from crosstie.app.winners import Winner, by_position, sides_chosen
from crosstie.engine.context import Context, Guards, Observer, Report, Scope, Task
from crosstie.engine.coupling import couple
from crosstie.engine.recovery import settle_open_intents
from crosstie.engine.uncoupling import uncouple as run_uncoupling
from crosstie.engine.uncoupling import uncouple_all
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.decisions import Preference
from crosstie.model.errors import AlreadyCoupled, CannotCouple, InvalidOption, NotCoupled
from crosstie.model.jobs import JobKind, Outcome
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.places import Place
from crosstie.model.records import Side

_NO_WINNERS: Mapping[str, Winner] = {}


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """A coupling that was set up, and what synchronising it came to (None where it was not asked for).

    `job_id` is the job that coupled; undoing it takes back what followed as well.
    """

    coupling: CouplingView
    report: Report | None
    job_id: int | None = None


async def set_up_coupling(
    session: Session,
    mapping: str,
    record: str,
    to: str,
    *,
    synchronise: str | None = None,
    replace: bool = False,
    winners: Mapping[str, Winner] = _NO_WINNERS,
) -> SetUp:
    """Couple a local record with a remote one, and synchronise them in the direction chosen.

    `synchronise` is "no", "to_remote" or "from_remote"; left away it is what the dialog proposes (engine rule U-2).
    `replace` lets go of the partner that the local record has. `winners` name, for single fields, the side whose value
    both get, or that both keep theirs; others go as `synchronise` says. Raises UnknownRecord, AmbiguousRecord,
    AlreadyCoupled, CannotCouple if the mapping's filter excludes the remote record, UnknownField, InvalidOption for a
    direction that the mapping or the field does not have.
    """
    name = session.mapping(mapping).name
    ctx = await session.context(name, Task(scope=Scope.RECORDS, on_purpose=True))
    preference = _preference(ctx, synchronise)
    check_direction(ctx.compiled.mapping, preference)
    positions = by_position(ctx.compiled, winners)
    chosen = sides_chosen(ctx.compiled, preference, positions) if positions else {}
    local_id = (await find_records(ctx, [record], sides=(Side.LOCAL,)))[0][1]
    remote_id = await _find_partner(ctx, to)
    if positions:
        _refuse_coupled(ctx, local_id, remote_id)
    coupled: list[Coupling] = []

    async def work(job: Context) -> None:
        # A create that was interrupted may have given one of them a partner.
        await settle_open_intents(job)
        due = None if positions else preference
        pair = (local_id, remote_id)
        coupled.extend(await couple(job, [pair], synchronise=due, repoint=replace, chosen=chosen))

    job = await run_job(ctx, JobKind.COUPLING, ctx.compiled.mapping.direction, work, exclusive=False)
    report = None
    if positions or preference is not None:
        task = Task(scope=Scope.RECORDS, records=((Side.LOCAL, local_id),))
        if not positions:
            task = msgspec.structs.replace(task, preference=preference, on_purpose=True)
        following = await session.context(name, task)
        following.part_of = job.job_id
        report = await run_synchronise(following)
    with session.store.begin() as unit:
        now = unit.couplings.by_record(name, Side.LOCAL, [local_id]).get(local_id, coupled[0])
    return SetUp(coupling=CouplingView.of(now), report=report, job_id=job.job_id)


def _refuse_coupled(ctx: Context, local_id: str, remote_id: str) -> None:
    """Refuse to choose fields of a pair that is coupled: what was edited since it last agreed decides there.

    Not of one that an earlier process of the same job has coupled, and died.
    """
    with ctx.store.begin() as unit:
        held = unit.couplings.by_record(ctx.mapping_name, Side.LOCAL, [local_id]).get(local_id)
        if held is None or held.remote_id != remote_id:
            return
        job = ctx.assignment.job.id if ctx.assignment is not None else None
        coupled = unit.journal(job_id=job, outcomes=(Outcome.COUPLED,)) if job is not None else []
    if not any(entry.coupling_id == held.id for entry in coupled):
        raise AlreadyCoupled(
            f"{held.name()} is coupled with this record already.",
            next_step="Choose between the values of single fields with Synchronise Now.",
            mapping=ctx.mapping_name,
        )


def _preference(ctx: Context, synchronise: str | None) -> Preference | None:
    if synchronise is None:
        return Preference.SEND if ctx.compiled.mapping.reaches(Side.REMOTE) else Preference.GET
    if synchronise == "no":
        return None
    try:
        return {"to_remote": Preference.SEND, "from_remote": Preference.GET}[synchronise]
    except KeyError:
        raise InvalidOption(
            f"{synchronise!r} is no way to synchronise after coupling: it is no, to_remote or from_remote."
        ) from None


async def _find_partner(ctx: Context, text: str) -> str:
    found = await find_record(ctx, Side.REMOTE, text)
    if found is None:
        raise await unknown_record(ctx, (Side.REMOTE,), text)
    if not ctx.in_filter(Side.REMOTE, found.values):
        raise CannotCouple(
            f"The filter of the mapping {ctx.mapping_name} leaves {text!r} out; "
            f"it admits: {ctx.filter_words(Side.REMOTE)}.",
            next_step="Change the record so that the filter admits it, or change the mapping's filter.",
            record=found.id,
        )
    return found.id


async def create_partners(
    session: Session,
    mapping: str,
    records: Sequence[str] = (),
    *,
    selection: Selection | None = None,
    side: Side = Side.LOCAL,
    dry_run: bool = False,
    observer: Observer | None = None,
) -> Report:
    """Create and couple partners of records of `side`, or of a selection of a list, on the other side (rule U-7).

    Coupled records are skipped; a coupling whose partner no longer exists makes way for the new one. Raises
    UnknownRecord, AmbiguousRecord, InvalidOption if the mapping does not flow that way, AlreadyCoupled if nothing is
    left to do.
    """
    name = session.mapping(mapping).name
    side = side if selection is None else selection.side
    _check_creates(session.mapping(name), side)
    task = Task(scope=Scope.RECORDS, create=True, on_purpose=True, dry_run=dry_run)
    ctx = await session.context(name, task, observer=observer)
    if selection is not None:
        ids = await ids_of(ctx, selection)
        words = f"{len(ids):,} selected records"
    else:
        ids = [id for _, id in await find_records(ctx, records, sides=(side,))]
        words = listed(records)
    skipped = await _whole(ctx, side, ids)
    left = [id for id in dict.fromkeys(ids) if id not in skipped]
    if not left:
        raise AlreadyCoupled(f"{words}: already coupled; there is nothing to create.", mapping=name)
    ctx.task = msgspec.structs.replace(task, records=tuple((side, id) for id in left))
    return await run_synchronise(ctx, left_alone(side.other, {(side, id): each.id for id, each in skipped.items()}))


def _check_creates(mapping: TableMapping, side: Side) -> None:
    if not mapping.reaches(side.other):
        raise InvalidOption(
            f"The mapping {mapping.name} flows {mapping.direction.value}, so no {side.other} partners are created.",
            next_step=f"Create the {side} partners of {side.other} records, or change the direction of the mapping.",
            mapping=mapping.name,
        )


async def _whole(ctx: Context, side: Side, ids: Sequence[str]) -> dict[str, Coupling]:
    """Return the couplings of these records whose partner exists; others make way when a new partner is coupled."""
    with ctx.store.begin() as unit:
        coupled = unit.couplings.by_record(ctx.mapping_name, side, ids)
    if not coupled:
        return {}
    partners = [coupling.record_id(side.other) for coupling in coupled.values()]
    key = (ctx.compiled.local_schema if side is Side.REMOTE else ctx.compiled.remote_schema).key
    there = await ctx.systems[side.other].get(ctx.compiled.mapping.table(side.other), partners, (key,))
    return {id: coupling for id, coupling in coupled.items() if coupling.record_id(side.other) in there}


async def uncouple(
    session: Session,
    mapping: str,
    records: Sequence[str] = (),
    *,
    selection: Selection | None = None,
    all: bool = False,
    forced: bool = False,
) -> Report:
    """Remove the couplings of records, of a selection of a list, or all of a mapping; no record is deleted.

    Uncoupled records among those named are skipped (engine rules U-11 to U-16). Raises NotCoupled if none is coupled,
    UnknownRecord, AmbiguousRecord, InvalidOption if neither records, a selection nor `all` is given.
    """
    name = session.mapping(mapping).name
    if bool(records) + all + (selection is not None) != 1:
        raise InvalidOption(
            "Name the records to uncouple, or all of the mapping.",
            next_step="Give one of the two.",
            place=Place.EVERYTHING,
        )
    task = Task(scope=Scope.RECORDS, on_purpose=True)
    ctx = await session.context(name, task, guards=Guards(forced=forced))
    dependants = [await session.context(each.name, task) for each in session.dependants(name)]
    if all:

        async def everything(job: Context) -> None:
            await _take_up(job, dependants)
            await uncouple_all(job, dependants=dependants)

        with session.store.begin() as unit:
            number = sum(unit.couplings.count(name).values())
        direction = ctx.compiled.mapping.direction
        return await run_job(ctx, JobKind.UNCOUPLING, direction, everything, exclusive=True, expected=number)
    if selection is not None:
        ids = await ids_of(ctx, selection)
        found, asked, words = couplings_of(ctx, selection.side, ids), len(ids), f"{len(ids):,} selected records"
    else:
        named = await _coupled_records(ctx, records)
        each = {
            coupling.id: coupling
            for side in Side
            for coupling in couplings_of(ctx, side, [id for at, id in dict.fromkeys(named) if at is side])
        }
        found = list(each.values())
        # Of a pair both of whose records are named, neither is left over.
        asked, words = len(found) + _uncoupled(named, found), listed(records)
    if not found:
        raise NotCoupled(f"{words}: not coupled under {name}.", mapping=name)

    async def work(job: Context) -> None:
        uncoupled = await _take_up(job, dependants)
        job.report.to_remote.skipped = max(0, asked - len(found) - uncoupled)
        await run_uncoupling(job, found, dependants=dependants)

    direction = ctx.compiled.mapping.direction
    return await run_job(ctx, JobKind.UNCOUPLING, direction, work, exclusive=False, expected=len(found))


async def _take_up(job: Context, dependants: Sequence[Context]) -> int:
    """Go on after a process that died at the same job, if one did; return how many couplings it has removed.

    What it has failed at is tried, and counted, again.
    """
    for each in (job, *dependants):
        each.job_id = job.job_id
        await settle_open_intents(each)
    counted = (job.report.to_remote, job.report.from_remote)
    for counters in counted:
        counters.failed = 0
    return sum(counters.uncoupled for counters in counted)


def _uncoupled(named: Sequence[tuple[Side, str]], found: Sequence[Coupling]) -> int:
    return sum(all(each.record_id(side) != id for each in found) for side, id in dict.fromkeys(named))


async def _coupled_records(ctx: Context, texts: Sequence[str]) -> list[tuple[Side, str]]:
    """Find records also where they no longer exist: the couplings still know their ids, keys and names."""
    found: list[tuple[Side, str]] = []
    unknown: list[str] = []
    ids = {text: text.strip().lower() for text in texts}
    with ctx.store.begin() as unit:
        by_id = {side: unit.couplings.by_record(ctx.mapping_name, side, ids.values()) for side in Side}
    for text, id in ids.items():
        if sides := [side for side in Side if id in by_id[side]]:
            found.extend((side, id) for side in sides)
            continue
        with ctx.store.begin() as unit:
            named = [
                c
                for c in unit.couplings.page(ctx.mapping_name, search=text.strip(), limit=100)
                if text.strip() in (c.local_key, c.local_name, c.remote_key, c.remote_name)
            ]
        if len(named) == 1:
            found.append((Side.LOCAL, named[0].local_id))
        else:
            unknown.append(text)
    return found + await find_records(ctx, unknown, sides=(Side.LOCAL, Side.REMOTE))


def list_couplings(
    home: Home,
    mapping: str,
    *,
    states: Sequence[CouplingState] = (),
    search: str = "",
    limit: int = 1000,
    after_id: int = 0,
) -> CouplingPage:
    """Return a page of a mapping's couplings and their number by state. Raises UnknownMapping."""
    with home.store.begin() as unit:
        name = find_mapping(unit.mappings(), mapping).name
        by_state = {state.value: number for state, number in unit.couplings.count(name).items()}
        rows = unit.couplings.page(name, after_id=after_id, limit=limit, states=states, search=search)
    return CouplingPage(
        mapping=name, couplings=[CouplingView.of(row) for row in rows], total=sum(by_state.values()), by_state=by_state
    )
