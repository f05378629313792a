"""Missing: records on which one depends that is being coupled, and coupling them in one go before it is (F02, B3)."""

from collections.abc import Sequence

import msgspec

from crosstie.app.awaited import Awaited, awaited_record
from crosstie.app.candidates import Candidate, candidates
from crosstie.app.coupling import create_partners, set_up_coupling
from crosstie.app.previewing import NO, preview_creation
from crosstie.app.session import Session
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
    """What that came to; `left` says why it was not done."""

    wait: WaitsFor
    name: str
    created: bool
    job_id: int | None
    left: Left | None


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
            job_id = (await set_up_coupling(session, wait.mapping, *pair, synchronise=NO)).job_id
    except CrosstieError as error:
        left = _left(wait, name, error.code, error.words, error.advice)
    return Provided(wait=wait, name=name, created=wanted.to is None, job_id=job_id, left=left)


def _left(wait: WaitsFor, name: str, code: str, words: str, next_step: str) -> Left:
    return Left(
        mapping=wait.mapping, local_id=None, remote_id=None, name=name, code=code, words=words, next_step=next_step
    )
