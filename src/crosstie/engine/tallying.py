"""Tallying: the counters of a job that a worker carries out, kept record by record.

Such a job is called again as a whole after its process has died, and meets records that it has dealt with before. So
what each record came to is stored in the transaction that records it, and counts once, however often the record comes.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from crosstie.engine.context import Context
from crosstie.model.jobs import Counters
from crosstie.model.records import Side
from crosstie.store.base import Unit

SEEN: Final = ""
"""What a record comes to under a direction in which it does not count: later it is not unchanged either."""
UNCHANGED: Final = "unchanged"
TAKEN_BACK: Final = "taken back"
"""What a record comes to that was counted as written, and turns out not to count."""
_WRITTEN = ("inserted", "modified", "deleted")
_FAILED = ("failed", "skipped")
_LESS = (SEEN, UNCHANGED, "skipped", "modified")
"""What does not change the tally of a record that was written: what was inserted stays that."""


class Tallied(NamedTuple):
    """What a record came to under the direction that writes to `target`: the name of a counter, or SEEN.

    `names` are those under which the record may have been noted before, the one for now first (`names_of`).
    """

    names: tuple[str, ...]
    target: Side
    outcome: str


def names_of(coupling_id: int | None, local_id: str | None, remote_id: str | None) -> tuple[str, ...]:
    """Return the names of a record, or pair: by its coupling where it has one, else by its ids."""
    names = [_by_coupling(coupling_id)] if coupling_id is not None else []
    names += [f"{side.value}:{id}" for side, id in ((Side.LOCAL, local_id), (Side.REMOTE, remote_id)) if id]
    return tuple(names)


def tally(ctx: Context, unit: Unit, tallied: Sequence[Tallied]) -> None:
    """Count what records came to; of a job that may be called again only what was not counted before.

    What was written on one side is not unchanged when it comes once more from the other.
    """
    if not ctx.tallied:
        for each in tallied:
            _add(ctx.counters(each.target), each.outcome, 1)
        return
    known = unit.background.tallied(ctx.job_id, {name for each in tallied for name in each.names})
    changed: dict[tuple[str, Side], str] = {}
    for each in tallied:
        name = next((name for name in each.names if any((name, side) in known for side in Side)), each.names[0])
        before = known.get((name, each.target))
        written = known.get((name, each.target.other)) in _WRITTEN
        after = SEEN if written and each.outcome == UNCHANGED else each.outcome
        if before is not None and (after in (before, SEEN) or (before in _WRITTEN and after in _LESS)):
            continue
        if (after == TAKEN_BACK and before in _FAILED) or (
            after in _FAILED and known.get((name, each.target.other)) in _FAILED
        ):
            continue  # a pair fails once, under the direction in which it was met first
        if before is not None:
            _add(ctx.counters(each.target), before, -1)
        _add(ctx.counters(each.target), after, 1)
        known[name, each.target] = changed[name, each.target] = after
    unit.background.put_tallied(ctx.job_id, changed)


def written_of(ctx: Context, unit: Unit, tallied: Sequence[Tallied]) -> set[tuple[str, ...]]:
    """Return the names of those that the job has written already, as an earlier process of it may have."""
    if not ctx.tallied or not tallied:
        return set()
    known = unit.background.tallied(ctx.job_id, {name for each in tallied for name in each.names})
    made = {name for (name, _), outcome in known.items() if outcome in _WRITTEN}
    return {each.names for each in tallied if made.intersection(each.names)}


def failed_before(ctx: Context, unit: Unit, tallied: Sequence[Tallied]) -> set[Tallied]:
    """Return the failures among these that the job has met, and told, before: one that goes on meets them again."""
    failed = [each for each in tallied if each.outcome in _FAILED]
    if not ctx.tallied or not failed:
        return set()
    known = unit.background.tallied(ctx.job_id, {name for each in failed for name in each.names})
    return {each for each in failed if any(known.get((name, side)) in _FAILED for name in each.names for side in Side)}


def unchanged(ctx: Context, unit: Unit, coupling_ids: Collection[int], target: Side) -> int:
    """Return how many of these couplings, to whose records nothing has happened, count as unchanged.

    Not those of which the job has counted something already, or has written the other side before it came here.
    """
    if not ctx.tallied or not coupling_ids:
        return len(coupling_ids)
    names = {_by_coupling(id) for id in coupling_ids}
    known = unit.background.tallied(ctx.job_id, names)
    counted = {name for name, side in known if side is target}
    made = _WRITTEN if target is Side.LOCAL else ("inserted",)
    counted |= {name for (name, side), outcome in known.items() if side is target.other and outcome in made}
    return len(names - counted)


def resume(ctx: Context, unit: Unit) -> None:
    """Let the counters of the context's job begin with what its records have come to before."""
    for (target, outcome), number in unit.background.tally(ctx.job_id).items():
        _add(ctx.counters(target), outcome, number)


def _by_coupling(id: int) -> str:
    return f"coupling:{id}"


def _add(counters: Counters, outcome: str, number: int) -> None:
    if outcome not in (SEEN, TAKEN_BACK):
        setattr(counters, outcome, getattr(counters, outcome) + number)
