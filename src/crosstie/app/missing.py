"""Missing: records on which one depends that is being coupled, and coupling them in one go before it is (F02, B3)."""

from collections.abc import Sequence

import msgspec

from crosstie.app.awaited import Awaited, awaited_record
from crosstie.app.candidates import ALMOST_SURE, LIKELY, Candidate, candidates
from crosstie.app.coupling import create_partners, set_up_coupling
from crosstie.app.previewing import NO, preview, preview_creation
from crosstie.app.records import find_records
from crosstie.app.session import Session
from crosstie.engine.context import Scope, Task
from crosstie.engine.planning import order_mappings
from crosstie.model.errors import CrosstieError, UnknownRecord
from crosstie.model.leaving import Left
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Side

_MOST = 20
"""So many records are looked up at most; what is left over waits."""
_CANDIDATES = 5


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A record that must be coupled first, and with what it may be; `awaited.cannot` says why none can be created."""

    awaited: Awaited
    candidates: list[Candidate]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about a missing record: couple it with the record `to`, or create its partner."""

    wait: WaitsFor
    to: str | None


class Provided(msgspec.Struct, frozen=True, kw_only=True):
    """What that came to; `left` says why it was not done. `partner` is whom it was coupled with, if not created."""

    wait: WaitsFor
    name: str
    created: bool
    job_id: int | None
    left: Left | None
    partner: str = ""


async def missing_partners(session: Session, waits: Sequence[WaitsFor]) -> list[Missing]:
    """Return these records, and those on which they depend in turn, in the order in which they are to be coupled.

    Reads both systems and writes nothing. Raises UnknownMapping, SystemFailure.
    """
    found: dict[WaitsFor, Missing] = {}
    left = list(waits)
    while left and len(found) < _MOST:
        wait = left.pop(0)
        if wait in found:
            continue
        found[wait] = await _look(session, wait)
        left.extend(await _deeper(session, found[wait]))
    return [found[wait] for wait in _in_order(session, list(found))]


async def _look(session: Session, wait: WaitsFor) -> Missing:
    awaited = await awaited_record(session, wait)
    fitting: list[Candidate] = []
    if awaited.id is not None and not awaited.coupled:
        some = await candidates(session, wait.mapping, awaited.id, side=wait.side, limit=_CANDIDATES)
        fitting = [each for each in some if each.free]
    return Missing(awaited=awaited, candidates=fitting)


async def _deeper(session: Session, missing: Missing) -> list[WaitsFor]:
    """Return what the record waits for itself, if a partner is created for it."""
    awaited = missing.awaited
    if awaited.id is None or awaited.cannot:
        return []
    return (await preview_creation(session, awaited.wait.mapping, awaited.id, side=awaited.wait.side)).waits_for


def _in_order(session: Session, waits: Sequence[WaitsFor]) -> list[WaitsFor]:
    rank = {mapping.name: at for at, mapping in enumerate(order_mappings(session.mappings()))}
    return sorted(waits, key=lambda wait: rank.get(wait.mapping, len(rank)))


async def provide_first(
    session: Session,
    mapping: str,
    records: Sequence[str],
    *,
    side: Side = Side.LOCAL,
    to: str | None = None,
    synchronise: str | None = None,
    dry_run: bool = False,
) -> list[Provided]:
    """Couple what records depend on, as far as nobody has to choose, before partners of theirs are created.

    With `to`, before one record is coupled with that one. A missing record is coupled with the one that is its partner
    almost surely; where nobody is likely to be, its partner is created; all else is left, with the reason. A dry run
    says what would be done. Raises UnknownMapping, UnknownRecord, AmbiguousRecord, SystemFailure.
    """
    ctx = await session.context(session.mapping(mapping).name, Task(scope=Scope.RECORDS, on_purpose=True))
    waits: dict[WaitsFor, None] = {}
    for _, id in await find_records(ctx, records, sides=(side,)):
        if to is None:
            shown = await preview_creation(session, ctx.mapping_name, id, side=side)
        else:
            shown = await preview(session, ctx.mapping_name, id, to, synchronise=synchronise)
        waits.update(dict.fromkeys(shown.waits_for))
    done: list[Provided] = []
    for missing in await missing_partners(session, list(waits)):
        if missing.awaited.coupled:
            continue
        foreseen, wanted = _proposed(missing)
        done.append(foreseen if wanted is None or dry_run else await _provide(session, wanted))
    return done


def _proposed(missing: Missing) -> tuple[Provided, Wanted | None]:
    """Return what is done about a missing record where nobody is asked, and None if somebody has to be."""
    awaited, left = missing.awaited, None
    wait, likely = awaited.wait, [each for each in missing.candidates if each.score >= LIKELY]
    sure = [each for each in likely if each.score >= ALMOST_SURE]
    to = sure[0] if len(sure) == 1 else None
    if to is None and likely:
        names = ", ".join(each.name or each.key or each.id for each in likely)
        left = _left(wait, awaited.name, "not-unique", f"It may be {names}.", "Couple it with the right one.")
    elif to is None and awaited.cannot:
        left = _left(wait, awaited.name, "cannot-couple", awaited.cannot, "Couple it by hand.")
    partner = (to.name or to.key or to.id) if to is not None else ""
    foreseen = Provided(wait=wait, name=awaited.name, created=to is None, job_id=None, left=left, partner=partner)
    return foreseen, None if left else Wanted(wait=wait, to=to.id if to else None)


async def provide(session: Session, wanted: Sequence[Wanted]) -> list[Provided]:
    """Couple missing records, or create their partners, those first on which others depend.

    What is coupled keeps its values on both sides. One that cannot be coupled does not keep the others from it.
    """
    by_wait = {each.wait: each for each in wanted}
    return [await _provide(session, by_wait[wait]) for wait in _in_order(session, list(by_wait))]


async def _provide(session: Session, wanted: Wanted) -> Provided:
    wait, name = wanted.wait, wanted.wait.key
    job_id: int | None = None
    left: Left | None = None
    partner = ""
    try:
        awaited = await awaited_record(session, wait)
        name = awaited.name
        if awaited.id is None:
            raise UnknownRecord(f"There is no record {wait.key} under {wait.mapping}.", mapping=wait.mapping)
        if wanted.to is None:
            report = await create_partners(session, wait.mapping, [awaited.id], side=wait.side)
            job_id = report.job_id
            left = next((_left(wait, name, each.code, each.words, each.next_step) for each in report.failures), None)
        else:
            pair = (awaited.id, wanted.to) if wait.side is Side.LOCAL else (wanted.to, awaited.id)
            made = await set_up_coupling(session, wait.mapping, *pair, synchronise=NO)
            found = made.coupling
            names = {
                Side.LOCAL: (found.remote_name, found.remote_key),
                Side.REMOTE: (found.local_name, found.local_key),
            }
            job_id, partner = made.job_id, next(filter(None, names[wait.side]), wanted.to)
    except CrosstieError as error:
        left = _left(wait, name, error.code, error.words, error.advice)
    return Provided(wait=wait, name=name, created=wanted.to is None, job_id=job_id, left=left, partner=partner)


def _left(wait: WaitsFor, name: str, code: str, words: str, next_step: str) -> Left:
    return Left(
        mapping=wait.mapping, local_id=None, remote_id=None, name=name, code=code, words=words, next_step=next_step
    )
