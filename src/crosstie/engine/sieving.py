"""Sieving: drops from a page the records to which nothing has happened, before anything is built of them.

Most records of a page are such: our own writes coming back, what the overlap reads again, and in a full
synchronisation nearly everything.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from crosstie.engine.changes import Feed
from crosstie.engine.context import Context, Scope
from crosstie.engine.outcomes import target_of
from crosstie.engine.tallying import unchanged
from crosstie.model.base import encode_side, holds_side
from crosstie.model.couplings import Mark
from crosstie.model.decisions import Preference
from crosstie.model.records import Record, Side

HELD = 200_000
"""The marks of so many couplings are held at once; of more, those of a page at a time."""

_NO_BASE: Final = (None, None)


class Sieve:
    """Sifts the pages of one job.

    `settled` are the couplings of which the job has seen both sides already, and whether the feed of the other side
    showed that nothing is to be done; `tried` the records that were due.
    """

    def __init__(self, ctx: Context, settled: Mapping[int, bool], tried: Collection[tuple[Side, str]]) -> None:
        self._ctx = ctx
        self._settled = settled
        self._tried = tried
        self._full = ctx.task.scope is Scope.FULL
        self._held: Mapping[str, Mark] | None = None
        self._held_for: Feed | None = None

    def sift(self, feed: Feed, records: Sequence[Record]) -> list[Record]:
        """Return those of a page that are to be looked at; the feed takes notice of the couplings of all."""
        ctx, settled, full = self._ctx, self._settled, self._full
        mark_of = self._marks(feed, records).get
        trusted = not feed.remapped and not (full and ctx.compiled.volatile)
        fresh, found, idle = [], [], []
        for record in records:
            mark = mark_of(record.id)
            if mark is None:
                fresh.append(record)
                continue
            found.append(mark)
            if mark.coupling_id in settled:
                if settled[mark.coupling_id]:
                    idle.append(mark.coupling_id)
                continue
            if record.version is None or record.version != mark.version or not (trusted and mark.has_base):
                fresh.append(record)
            elif mark.in_step:
                idle.append(mark.coupling_id)
            elif full:
                fresh.append(record)
        feed.note_coupled(found)
        if full and ctx.compiled.mapping.reaches(feed.side.other):
            with ctx.store.begin() as unit:
                ctx.counters(feed.side.other).unchanged += unchanged(ctx, unit, idle, feed.side.other)
        return fresh

    def _marks(self, feed: Feed, records: Sequence[Record]) -> Mapping[str, Mark]:
        """Return the marks of a page at least; those of all couplings are read at once where all records come.

        These may be out of date when they are looked at. Then a record passes, and its coupling is looked up again.
        """
        ctx, side = self._ctx, feed.side
        with ctx.store.begin() as unit:
            if feed.whole and self._held_for is not feed:
                few = sum(unit.couplings.count(ctx.mapping_name).values()) <= HELD
                self._held_for, self._held = feed, unit.couplings.marks(ctx.mapping_name, side) if few else None
            if feed.whole and self._held is not None:
                return self._held
            return unit.couplings.marks(ctx.mapping_name, side, [r.id for r in records], feed.position.newest)

    def without_touched(self, feed: Feed, records: Sequence[Record], ahead: Mapping[str, Record]) -> Sequence[Record]:
        """Return, in a dry run, those whose values are not the ones that the base has, and count the others.

        A run notes new versions, and so looks at all of them. `ahead` are the records of the other side that the job
        has read already: a pair that is there whole is decided.
        """
        ctx, compiled = self._ctx, self._ctx.compiled
        if not ctx.task.dry_run or ctx.task.preference is not Preference.MERGE or compiled.volatile or feed.remapped:
            return records
        side, names = feed.side, compiled.mapped[feed.side]
        with ctx.store.begin() as unit:
            bases = unit.couplings.bases(ctx.mapping_name, side, [record.id for record in records])
        kept = []
        for record in records:
            partner, base = bases.get(record.id, _NO_BASE)
            if (
                base is None
                or partner in ahead
                or (side, record.id) in self._tried
                or not ctx.in_filter(side, record.values)
                or not holds_side(base, side, encode_side(names, record.values))
            ):
                kept.append(record)
        ctx.counters(target_of(ctx, side)).unchanged += len(records) - len(kept)
        return kept
