"""What a worker can be asked to do: use cases by name, their arguments as they are kept, and how each is called."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from crosstie.app.connections import pause_refused, test_paused
from crosstie.app.coupling import create_partners, set_up_coupling, uncouple
from crosstie.app.home import Home
from crosstie.app.matching import check_selection, match
from crosstie.app.plans import carry_out_plan, choosable, counted_of, make_plan
from crosstie.app.restoring import delete, restore
from crosstie.app.retrying import retry
from crosstie.app.selecting import Selection
from crosstie.app.session import Session, connection_of, open_session
from crosstie.app.synchronising import check_direction, synchronise
from crosstie.app.undoing import undo_job
from crosstie.app.winners import Winner
from crosstie.engine.context import Assignment
from crosstie.engine.planning import order_mappings
from crosstie.jobs.scheduling import ALL
from crosstie.model.decisions import Preference
from crosstie.model.errors import InvalidOption, UsageError
from crosstie.model.jobs import Job, JobKind
from crosstie.model.mappings import Mapping
from crosstie.model.records import Side
from crosstie.store.base import Unit


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a use case is called with, in the words of the command line."""

    mapping: str | None = None
    """None: all that are enabled, where the use case can do that."""

    def kind(self) -> JobKind:
        """Return what the log calls the job."""
        return JobKind.SYNCHRONISATION

    def exclusive(self) -> bool:
        """Whether the job works through a mapping as a whole."""
        return False

    def check(self, mapping: Mapping | None) -> None:
        """Refuse what cannot be, before it is queued. Raises InvalidOption."""


class OfMapping(Arguments, frozen=True, kw_only=True):
    """Arguments that name one mapping."""

    mapping: str


class SynchroniseArguments(Arguments, frozen=True, kw_only=True):
    """Synchronise Now, what changed, or everything."""

    records: tuple[str, ...] = ()
    selection: Selection | None = None
    direction: Preference | None = None
    full: bool = False
    create: bool = False
    force: bool = False
    patient: bool = False

    def kind(self) -> JobKind:
        return JobKind.FULL_SYNCHRONISATION if self.full and not self._named() else JobKind.SYNCHRONISATION

    def exclusive(self) -> bool:
        return not self._named()

    def _named(self) -> bool:
        return bool(self.records) or self.selection is not None

    def check(self, mapping: Mapping | None) -> None:
        if mapping is not None:
            check_direction(mapping, self.direction)
        elif self._named():
            raise InvalidOption("Records are named under a mapping.", next_step="Name the mapping.")


class MatchArguments(OfMapping, frozen=True, kw_only=True):
    """Match-Based Coupling."""

    groups: tuple[tuple[str, ...], ...] = ()
    local_ids: tuple[str, ...] | None = None
    selection: Selection | None = None
    create: bool | None = None
    synchronise: bool | None = None
    case_sensitive: tuple[str, ...] | None = None
    winner: Preference | None = None

    def kind(self) -> JobKind:
        return JobKind.COUPLING

    def exclusive(self) -> bool:
        return True

    def check(self, mapping: Mapping | None) -> None:
        if self.selection is not None:
            check_selection(self.selection)


class CreateArguments(OfMapping, frozen=True, kw_only=True):
    """Create partners."""

    records: tuple[str, ...] = ()
    selection: Selection | None = None
    side: Side = Side.LOCAL

    def check(self, mapping: Mapping | None) -> None:
        if bool(self.records) == (self.selection is not None):
            raise InvalidOption("Name the records that are to get partners, or a selection of them.")


class CoupleArguments(OfMapping, frozen=True, kw_only=True):
    """Set Up Coupling."""

    record: str
    to: str
    synchronise: str | None = None
    replace: bool = False
    winners: dict[str, Winner] = {}

    def kind(self) -> JobKind:
        return JobKind.COUPLING


class UncoupleArguments(OfMapping, frozen=True, kw_only=True):
    """Delete Coupling."""

    records: tuple[str, ...] = ()
    selection: Selection | None = None
    all: bool = False
    force: bool = False

    def kind(self) -> JobKind:
        return JobKind.UNCOUPLING

    def exclusive(self) -> bool:
        return self.all

    def check(self, mapping: Mapping | None) -> None:
        if bool(self.records) + self.all + (self.selection is not None) != 1:
            raise InvalidOption("Name the records to uncouple, or all of the mapping.", next_step="Say all for all.")


class RetryArguments(Arguments, frozen=True, kw_only=True):
    """Retry records with problems."""

    records: tuple[str, ...] = ()
    code: str | None = None
    all: bool = False


class RestoreArguments(OfMapping, frozen=True, kw_only=True):
    """Restore Records."""

    records: tuple[str, ...]


class UndoArguments(Arguments, frozen=True, kw_only=True):
    """Undo of a job. The mapping is that of the job; None for one that went through several."""

    job: int
    force: bool = False

    def kind(self) -> JobKind:
        return JobKind.UNDO

    def exclusive(self) -> bool:
        return self.mapping is not None


class PlanArguments(OfMapping, frozen=True, kw_only=True):
    """Look at what a synchronisation would do to a selection, or to the mapping as a whole."""

    selection: Selection | None = None
    direction: Preference | None = None
    full: bool = False
    create: bool = False

    def kind(self) -> JobKind:
        return JobKind.PLAN

    def check(self, mapping: Mapping | None) -> None:
        if mapping is not None:
            check_direction(mapping, self.direction)


class CarryOutPlanArguments(OfMapping, frozen=True, kw_only=True):
    """Synchronise the records of a plan as they were shown."""

    plan: int
    groups: tuple[str, ...]

    def check(self, mapping: Mapping | None) -> None:
        choosable(self.groups)


class DeleteArguments(OfMapping, frozen=True, kw_only=True):
    """Delete Records."""

    records: tuple[str, ...]
    force: bool = False

    def kind(self) -> JobKind:
        return JobKind.UNCOUPLING


async def _synchronise(session: Session, given: SynchroniseArguments) -> dict[str, Any]:
    await synchronise(
        session,
        given.mapping,
        given.records,
        selection=given.selection,
        direction=given.direction,
        full=given.full,
        create=given.create,
        forced=given.force,
        patient=given.patient,
    )
    return {}


async def _match(session: Session, given: MatchArguments) -> dict[str, Any]:
    report = await match(
        session,
        given.mapping,
        groups=given.groups,
        local_ids=given.local_ids,
        selection=given.selection,
        create=given.create,
        synchronise=given.synchronise,
        case_sensitive=given.case_sensitive,
        winner=given.winner,
    )
    return {
        "groups": report.groups,
        "local": {reason.value: number for reason, number in report.local.items()},
        "remote": {reason.value: number for reason, number in report.remote.items()},
        "coupled": report.coupled,
        "unmatched": report.unmatched,
    }


async def _create(session: Session, given: CreateArguments) -> dict[str, Any]:
    await create_partners(session, given.mapping, given.records, selection=given.selection, side=given.side)
    return {}


async def _couple(session: Session, given: CoupleArguments) -> dict[str, Any]:
    done = await set_up_coupling(
        session,
        given.mapping,
        given.record,
        given.to,
        synchronise=given.synchronise,
        replace=given.replace,
        winners=given.winners,
    )
    return {"coupling_id": done.coupling.id}


async def _uncouple(session: Session, given: UncoupleArguments) -> dict[str, Any]:
    await uncouple(session, given.mapping, given.records, selection=given.selection, all=given.all, forced=given.force)
    return {}


async def _retry(session: Session, given: RetryArguments) -> dict[str, Any]:
    done = await retry(session, given.mapping, given.records, code=given.code, all=given.all)
    return {"due": done.due, "left": done.left_total, "deferred": done.deferred}


async def _restore(session: Session, given: RestoreArguments) -> dict[str, Any]:
    return {"left": msgspec.to_builtins((await restore(session, given.mapping, given.records)).left)}


async def _delete(session: Session, given: DeleteArguments) -> dict[str, Any]:
    return {"left": msgspec.to_builtins((await delete(session, given.mapping, given.records, forced=given.force)).left)}


async def _undo(session: Session, given: UndoArguments) -> dict[str, Any]:
    done = await undo_job(session, given.job, forced=given.force)
    return {"undone": given.job, "left_total": done.left_total, "left": msgspec.to_builtins(done.left)}


async def _plan(session: Session, given: PlanArguments) -> dict[str, Any]:
    plan = await make_plan(
        session, given.mapping, given.selection, direction=given.direction, full=given.full, create=given.create
    )
    return counted_of(plan)


async def _carry_out_plan(session: Session, given: CarryOutPlanArguments) -> dict[str, Any]:
    return await carry_out_plan(session, given.plan, given.groups)


class UseCase(NamedTuple):
    """A use case that can run in the background."""

    arguments: type[Arguments]
    call: Callable[[Session, Any], Awaitable[dict[str, Any]]]
    """Returns what is worth keeping of the result beside counters, journal and problems."""


USE_CASES: dict[str, UseCase] = {
    "synchronise": UseCase(SynchroniseArguments, _synchronise),
    "match": UseCase(MatchArguments, _match),
    "create": UseCase(CreateArguments, _create),
    "couple": UseCase(CoupleArguments, _couple),
    "uncouple": UseCase(UncoupleArguments, _uncouple),
    "retry": UseCase(RetryArguments, _retry),
    "restore": UseCase(RestoreArguments, _restore),
    "delete": UseCase(DeleteArguments, _delete),
    "undo": UseCase(UndoArguments, _undo),
    "plan": UseCase(PlanArguments, _plan),
    "carry_out_plan": UseCase(CarryOutPlanArguments, _carry_out_plan),
}
"""Whatever is added here must be safe to call again after a process died in the middle of it."""


def read_arguments(use_case: str, arguments: Any) -> Arguments:
    """Return the arguments of a use case, checked. Raises InvalidOption naming the use case, or the wrong argument."""
    known = USE_CASES.get(use_case)
    if known is None:
        raise InvalidOption(f"{use_case!r} cannot run in the background; these can: {', '.join(USE_CASES)}.")
    try:
        return msgspec.convert(arguments, known.arguments, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidOption(f"The arguments of {use_case} cannot be read: {error}.") from error


class HomeDuties:
    """What a worker of a home does (`jobs.worker.Duties`)."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def parts(self, job: Job) -> list[str]:
        """Return the enabled mappings in dependency order for a synchronisation of all of them."""
        if job.use_case != "synchronise" or job.mapping != ALL:
            return []
        with self._home.store.begin() as unit:
            return [each.name for each in order_mappings(m for m in unit.mappings() if m.enabled)]

    async def call(self, assignment: Assignment, mapping: str | None) -> dict[str, Any]:
        """Call the use case of a job with its arguments, `mapping` standing for all of them in turn."""
        job = assignment.job
        given = read_arguments(job.use_case, job.arguments)
        if mapping is not None:
            given = msgspec.structs.replace(given, mapping=mapping)
        async with open_session(self._home, assignment) as session:
            return await USE_CASES[job.use_case].call(session, given)

    async def refused(self, job: Job) -> None:
        """Pause the connections whose system refuses the sign-in."""
        await pause_refused(self._home)

    def hindrance(self, unit: Unit) -> str:
        """Return why nothing is to be synchronised by itself: a side without connection, or a paused one."""
        known = unit.connections(with_secrets=False)
        try:
            used = [connection_of(known, side) for side in Side]
        except UsageError as error:
            return error.words
        return next((f"The connection {each.name} is paused: {each.paused_reason}" for each in used if each.paused), "")

    def test_paused(self) -> None:
        """Test paused connections, and use those again that pass."""
        asyncio.run(test_paused(self._home))
