"""Restore and Delete: what becomes of a coupling of which one record is gone (engine rules E-14, E-15, E-18)."""

from collections.abc import Sequence

import msgspec

from crosstie.app.coupled import Found, find_named
from crosstie.app.leaving import left_coupling, left_found, nothing_left
from crosstie.app.running import run_job
from crosstie.app.session import Session
from crosstie.app.synchronising import run_synchronise
from crosstie.engine.context import Context, Guards, Observer, Report, Scope, Task
from crosstie.engine.deleting import delete_survivors
from crosstie.engine.halves import Halves, find_halves
from crosstie.engine.holding import held_elsewhere, held_words
from crosstie.engine.recovery import settle_open_intents
from crosstie.engine.uncoupling import uncouple as run_uncoupling
from crosstie.model.couplings import Coupling
from crosstie.model.errors import InvalidOption
from crosstie.model.jobs import JobKind
from crosstie.model.leaving import Left
from crosstie.model.places import Place
from crosstie.model.records import Side

_OTHERWISE = "Delete the record that is left, or remove the coupling."


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the records named: the report of the job, and those that were left as they are, with reasons."""

    report: Report
    left: list[Left]


async def restore(
    session: Session,
    mapping: str,
    records: Sequence[str],
    *,
    dry_run: bool = False,
    observer: Observer | None = None,
) -> Settled:
    """Create the missing records of couplings anew from those that are left, and couple them again (rule E-14).

    A coupling of which neither record exists is removed. Records whose partner exists, that are not coupled, or to
    whose lost side the mapping does not flow are left. Raises NothingToDo if all are, UnknownRecord, AmbiguousRecord.
    """
    task = Task(scope=Scope.RECORDS, create=True, on_purpose=True, dry_run=dry_run)
    ctx = await session.context(session.mapping(mapping).name, task, observer=observer)
    halves, left = await _halves(ctx, records)
    named = [(Side.LOCAL, coupling.local_id) for coupling in halves.gone]
    for survivor, couplings in halves.survivors.items():
        if why := _cannot_restore(ctx, survivor.other):
            left += [left_coupling(each, "invalid-option", why, _OTHERWISE) for each in couplings]
        else:
            named += [(survivor, each.record_id(survivor)) for each in couplings]
    if not named:
        raise nothing_left(left)
    ctx.task = msgspec.structs.replace(task, records=tuple(named))
    return Settled(report=await run_synchronise(ctx), left=left)


async def delete(
    session: Session,
    mapping: str,
    records: Sequence[str],
    *,
    dry_run: bool = False,
    forced: bool = False,
    observer: Observer | None = None,
) -> Settled:
    """Delete the records that are left of couplings, and the couplings (engine rule E-15).

    A record that is coupled under another mapping as well stays, as does one whose partner exists. What is deleted
    goes into the history with its values. Raises NothingToDo if all are left, GuardStopped unless `forced`,
    UnknownRecord, AmbiguousRecord.
    """
    task = Task(scope=Scope.RECORDS, on_purpose=True, dry_run=dry_run)
    ctx = await session.context(session.mapping(mapping).name, task, guards=Guards(forced=forced), observer=observer)
    halves, left = await _halves(ctx, records)
    doomed: dict[Side, list[Coupling]] = {}
    for survivor, couplings in halves.survivors.items():
        held = held_elsewhere(ctx, survivor, [each.record_id(survivor) for each in couplings])
        for each in couplings:
            other = held.get(each.record_id(survivor))
            if why := held_words(other) if other is not None else _cannot_delete(ctx, survivor):
                left.append(left_coupling(each, "refused", why, "Remove the coupling, or delete it in its system."))
            else:
                doomed.setdefault(survivor, []).append(each)
    if not doomed and not halves.gone:
        raise nothing_left(left)

    async def work(job: Context) -> None:
        if not dry_run:
            await settle_open_intents(job)
        for survivor, couplings in doomed.items():
            await delete_survivors(job, couplings, survivor)
        await run_uncoupling(job, halves.gone, words="both records are deleted")

    if dry_run:
        await work(ctx)
        return Settled(report=ctx.report, left=left)
    direction = ctx.compiled.mapping.direction
    return Settled(report=await run_job(ctx, JobKind.UNCOUPLING, direction, work, exclusive=False), left=left)


async def _halves(ctx: Context, records: Sequence[str]) -> tuple[Halves, list[Left]]:
    """Return what is left of the couplings of the records named, and those that there is nothing to decide about."""
    if not records:
        raise InvalidOption(
            "Name the records.", next_step="The problems say which are concerned.", place=Place.PROBLEMS_DELETED
        )
    found = await find_named(ctx, records)
    left = [_not_coupled(ctx, each) for each in found if each.coupling is None]
    halves = await find_halves(ctx, [each.coupling for each in found if each.coupling is not None])
    return halves, left + [left_coupling(each, "nothing-to-do", "Both of its records exist.") for each in halves.whole]


def _not_coupled(ctx: Context, found: Found) -> Left:
    return left_found(ctx, found, "not-coupled", f"It is not coupled under {ctx.mapping_name}.")


def _cannot_restore(ctx: Context, lost: Side) -> str:
    mapping, schema = ctx.compiled.mapping, ctx.compiled.schema(lost)
    if not mapping.reaches(lost):
        return f"{mapping.name} flows {mapping.direction.value} only, so that the {lost} record cannot be made anew."
    if not schema.creatable:
        return f"Records of {schema.name} cannot be created."
    return ""


def _cannot_delete(ctx: Context, survivor: Side) -> str:
    schema = ctx.compiled.schema(survivor)
    return "" if schema.deletable else f"Records of {schema.name} cannot be deleted."
