"""Synchronising: one job on one mapping, front to back, a page of records at a time."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import msgspec

from crosstie.engine.carrying import carry_out
from crosstie.engine.changes import Feed
from crosstie.engine.context import PAGE, Context, Report, Scope
from crosstie.engine.decision import decide
from crosstie.engine.foreseeing import foresee
from crosstie.engine.lanes import Lanes
from crosstie.engine.merging import BLOCKED
from crosstie.engine.outcomes import Carried
from crosstie.engine.pairing import Paired, fetch, pair_changed, pair_gone, pair_named, translate
from crosstie.engine.planning import guard_emptied, guard_losses
from crosstie.engine.recovery import settle_open_intents
from crosstie.engine.sieving import Sieve
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Preference, RecordAction, Request
from crosstie.model.jobs import Due, DueReason, Phase
from crosstie.model.mappings import DeletionConflictResolution
from crosstie.model.problems import Problem
from crosstie.model.records import Record, Side
from crosstie.rules.base import Moving

AHEAD = 10_000
"""So many changes of the remote side are read before the local ones, so that records changed on both are seen whole."""
LANES = 2
"""So many pages are under way at once: one is decided or recorded while the other is being written."""
LOOKS = 4
"""So often a record that keeps changing while it is written is read and decided again."""
_SET_FREE = (DueReason.PARTNER_COUPLED, DueReason.FOLLOW_UP)
_CHOSEN = {DueReason.COUPLED_SEND: Preference.SEND, DueReason.COUPLED_GET: Preference.GET}
FAR = datetime.max.replace(tzinfo=UTC)


async def synchronise(ctx: Context) -> Report:
    """Bring the records of the task in step and return what was done.

    Raises SystemFailure if a system cannot be worked with and GuardStopped if a guard holds; what was recorded
    until then stays, cursors do not move, and the next job goes on from there.
    """
    if not ctx.task.dry_run:
        await settle_open_intents(ctx)
    run = _Run(ctx)
    if ctx.task.scope is Scope.RECORDS:
        await run.named()
    else:
        await run.due(before=True)
        if ctx.task.scope is not Scope.DUE:
            await run.feeds()
            await run.due(before=False)
    return ctx.report


class _Run:
    """One pass over a mapping. `settled` are the couplings that were seen whole, both sides read, in this run, and
    whether it was a feed that led to them and nothing was to be done.

    `tried` are the records that were due.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.settled: dict[int, bool] = {}
        self.tried: set[tuple[Side, str]] = set()
        self.sieve = Sieve(ctx, self.settled, self.tried)
        self.done = 0
        mapping = ctx.compiled.mapping
        create = ctx.task.create or not mapping.only_coupled
        self.request = Request(
            preference=ctx.task.preference,
            on_purpose=ctx.task.on_purpose,
            create_remote=create and mapping.reaches(Side.REMOTE),
            create_local=create and mapping.reaches(Side.LOCAL),
        )

    # --- the records of a job -----------------------------------------------------------------------------

    async def named(self) -> None:
        """Deal with the records that the task names; what was chosen for those that are due goes for them here, too."""
        ctx = self.ctx
        ctx.phase = Phase.RECORDS
        for side in (Side.LOCAL, Side.REMOTE):
            ids = [id for named, id in ctx.task.records if named is side]
            for start in range(0, len(ids), PAGE):
                page = ids[start : start + PAGE]
                with ctx.store.begin() as unit:
                    due = unit.due_of(ctx.mapping_name, side, page)
                await self._each_as_wanted(side, [(id, due.get(id)) for id in page])

    async def due(self, *, before: bool) -> None:
        """Deal with records that an earlier job left to be tried again, or, after the feeds, with those set free by it.

        What failed in this job waits for the next one.
        """
        ctx, tried = self.ctx, self.tried
        if ctx.task.dry_run and not before:
            return
        ctx.phase = Phase.DUE
        while True:
            with ctx.store.begin() as unit:
                noted = unit.due(ctx.mapping_name, ctx.now() if ctx.task.patient else FAR, limit=PAGE)
            fresh = [
                row for row in noted if (row.side, row.record_id) not in tried and (before or row.reason in _SET_FREE)
            ]
            if not fresh:
                return
            for side in (Side.LOCAL, Side.REMOTE):
                await self._each_as_wanted(side, [(row.record_id, row) for row in fresh if row.side is side])
            tried |= {(row.side, row.record_id) for row in fresh}
            if ctx.task.dry_run:
                # Nothing is struck out, so that the same rows would come again.
                return

    async def _each_as_wanted(self, side: Side, records: Sequence[tuple[str, Due | None]]) -> None:
        """Deal with records by id, each as the row says with which it is due, if it is."""
        by_request: dict[Request, list[str]] = {}
        for id, row in records:
            by_request.setdefault(self._request(row), []).append(id)
        for request, ids in by_request.items():
            paired = await pair_named(self.ctx, side, ids)
            await self.process(side, paired, request)
            self._forget_absent(side, ids, paired)

    def _request(self, row: Due | None) -> Request:
        """Return how a record is dealt with: as chosen when it was coupled; else, or if held back, as this job is told.

        Where a person names records and says whose data wins, that goes before what was chosen earlier.
        """
        if row is None:
            return self.request
        told = row.reason is DueReason.HELD_BACK or self.ctx.task.scope is Scope.RECORDS
        preference = self.ctx.task.preference
        if not told or preference is Preference.MERGE:
            preference = _CHOSEN.get(row.reason, Preference.MERGE)
        mapping = self.ctx.compiled.mapping
        return msgspec.structs.replace(
            self.request,
            preference=preference,
            create_remote=self.request.create_remote or (row.create and mapping.reaches(Side.REMOTE)),
            create_local=self.request.create_local or (row.create and mapping.reaches(Side.LOCAL)),
        )

    def _forget_absent(self, side: Side, ids: Sequence[str], paired: Sequence[Paired]) -> None:
        """Strike out what is neither there nor coupled any more; nobody can do anything about its problem."""
        found = {_id(side, item) for item in paired}
        absent = [id for id in ids if id not in found]
        if absent and not self.ctx.task.dry_run:
            with self.ctx.store.begin() as unit:
                unit.remove_due(self.ctx.mapping_name, side, absent)
                unit.close_problems(self.ctx.mapping_name, side, absent, self.ctx.now())

    async def feeds(self) -> None:
        """Deal with what the two feeds name, then with deletions, and move the cursors last of all."""
        ctx = self.ctx
        ctx.phase = Phase.CHANGES
        local = Feed(ctx, Side.LOCAL, creates=self._creates(Side.REMOTE))
        remote = Feed(ctx, Side.REMOTE, creates=self._creates(Side.LOCAL))
        moved = await self._has_moved(local)
        remote_pages = remote.records()
        ahead: dict[str, Record] = {}
        await _read_ahead(remote_pages, ahead)
        await self._feed(local, local.records(), ahead)
        await self._feed(remote, _chained(list(ahead.values()), remote_pages), {})
        if moved:
            await self._look_at_all()
        ctx.phase = Phase.DELETIONS
        for feed in (remote, local):
            await self._deletions(feed)
        if not ctx.task.dry_run:
            with ctx.store.begin() as unit:
                unit.set_cursor(ctx.mapping_name, Side.LOCAL, local.cursor())
                unit.set_cursor(ctx.mapping_name, Side.REMOTE, remote.cursor())

    async def _has_moved(self, feed: Feed) -> bool:
        """Whether values of rules may have moved although no record did, and no feed brings all records by itself."""
        moved = False
        for field in self.ctx.compiled.fields:
            held_back = self.request.preference is BLOCKED[Side.REMOTE if field.to_remote else Side.LOCAL]
            if isinstance(field.rule, Moving) and not held_back:
                mark = feed.marks.get(field.name)
                has, feed.marks[field.name] = await field.rule.moved(field.mapping, mark, self.ctx.access)
                moved = moved or has
        return moved and not (feed.remapped or self.ctx.task.scope is Scope.FULL)

    async def _look_at_all(self) -> None:
        """Look at all coupled records that were not seen yet, and at those without partner that have a problem."""
        ctx = self.ctx
        with ctx.store.begin() as unit:
            problems = [each for each in unit.problems(ctx.mapping_name) if each.coupling_id is None]
        for side in Side:
            ids = [each.record[1] for each in problems if each.record[0] is side]
            await self.process(side, await pair_named(ctx, side, ids), self.request)
        after = 0
        while True:
            with ctx.store.begin() as unit:
                page = unit.couplings.page(ctx.mapping_name, after_id=after, limit=PAGE)
            if not page:
                return
            after = page[-1].id
            ids = [coupling.local_id for coupling in page if coupling.id not in self.settled]
            await self.process(Side.LOCAL, await pair_named(ctx, Side.LOCAL, ids), self.request)

    def _creates(self, side: Side) -> bool:
        """Whether what has no partner on a side gets one."""
        asked = self.request.create_remote if side is Side.REMOTE else self.request.create_local
        return asked and self.request.preference is not BLOCKED[side]

    async def _feed(self, feed: Feed, pages: AsyncIterator[Sequence[Record]], ahead: dict[str, Record]) -> None:
        """Deal with the records of a feed, those to which something has happened in full pages."""
        waiting: list[Record] = []
        async with Lanes(self._lanes()) as lanes:
            async for records in pages:
                for start in range(0, len(records), PAGE):
                    waiting += self.sieve.sift(feed, records[start : start + PAGE])
                    while len(waiting) >= PAGE:
                        page, waiting = waiting[:PAGE], waiting[PAGE:]
                        await lanes.carry(_ids(page), self._page(feed, page, ahead))
            if waiting:
                await lanes.carry(_ids(waiting), self._page(feed, waiting, ahead))

    def _lanes(self) -> int:
        """Return how many pages may overlap: one where records refer to others of their own mapping, or in a plan."""
        own = self.ctx.mapping_name
        lookups = [field.mapping.lookup for field in self.ctx.compiled.fields]
        alone = self.ctx.task.dry_run or any(each is not None and each.mapping == own for each in lookups)
        return 1 if alone else LANES

    async def _page(self, feed: Feed, records: Sequence[Record], ahead: dict[str, Record]) -> None:
        # A dry run writes nothing that could find a base outdated, and a preferred side must be known as it is.
        assume = not self.ctx.task.dry_run and self.ctx.task.preference is Preference.MERGE
        moved = self.sieve.without_touched(feed, records, ahead)
        paired = await pair_changed(self.ctx, feed.side, moved, ahead, assume=assume)
        feed.note_uncoupled(_records(feed.side, [item for item in paired if item.pair.coupling is None]))
        known = self._known_failures(feed, paired)
        if self.ctx.task.dry_run:
            known |= {id for side, id in self.tried if side is feed.side}
        await self.process(feed.side, [item for item in paired if _id(feed.side, item) not in known], self.request)

    def _known_failures(self, feed: Feed, paired: Sequence[Paired]) -> set[str]:
        """Return uncoupled records that failed before, as they are now, and are not to be tried again by themselves."""
        creates = self._creates(feed.side.other)
        ids = [_id(feed.side, item) for item in paired if item.pair.coupling is None]
        if not creates or not ids or self.ctx.task.scope is Scope.FULL:
            return set()
        with self.ctx.store.begin() as unit:
            problems = unit.problems(self.ctx.mapping_name, records=[(feed.side, id) for id in ids], limit=len(ids))
        versions = {problem.record[1]: _version(feed.side, problem) for problem in problems}
        return {
            id
            for item in paired
            if (id := _id(feed.side, item)) in versions and versions[id] == item.version(feed.side)
        }

    async def _deletions(self, feed: Feed) -> None:
        ctx, side = self.ctx, feed.side
        gone_total = 0
        with ctx.store.begin() as unit:
            coupled = sum(unit.couplings.count(ctx.mapping_name).values())
        batches: list[list[Coupling]] = []
        async for gone in feed.deletions():
            batches.append(gone)
            gone_total += len(gone)
        if not gone_total:
            return
        guard_emptied(ctx, side, gone_total, coupled)
        if ctx.compiled.mapping.deletion_conflict in (
            DeletionConflictResolution.DELETE,
            DeletionConflictResolution.UNCOUPLE,
        ):
            guard_losses(ctx, gone_total, coupled)
        for batch in batches:
            fresh = [coupling for coupling in batch if coupling.id not in self.settled]
            others = await fetch(ctx, side.other, [coupling.record_id(side.other) for coupling in fresh])
            await self.process(side.other, pair_gone(ctx, side, fresh, others), self.request)

    # --- a page of pairs ----------------------------------------------------------------------------------

    async def process(self, source: Side, paired: Sequence[Paired], request: Request) -> None:
        """Decide, plan, apply and record a page; records that moved meanwhile are read and decided again."""
        work = list(paired)
        for look in range(1, LOOKS + 1):
            if not work:
                return
            work = await self._once(source, work, request, final=look == LOOKS)

    async def _once(self, source: Side, paired: Sequence[Paired], request: Request, *, final: bool) -> list[Paired]:
        ctx = self.ctx
        await translate(ctx, [item for item in paired if _is_wanted(item, request)])
        carried = [
            Carried(decide(ctx.compiled, item.pair, item.base, item.sent, item.fetched, request), item.base)
            for item in paired
        ]
        carried = [item for item in carried if ctx.agreed(item.decision)]
        again = await carry_out(ctx, carried, source, final=final)
        moved = {id(item) for item in again}
        self._settle([item for item in carried if id(item) not in moved])
        if ctx.task.dry_run and ctx.task.scope is not Scope.RECORDS:
            await foresee(ctx, carried, source)
        self.done += len(paired) - len(again)
        ctx.observer.progress(self.done)
        ids = [found for item in again if (found := item.record_id(source))]
        return await pair_named(ctx, source, ids)

    def _settle(self, carried: Sequence[Carried]) -> None:
        for item in carried:
            pair = item.decision.pair
            if pair.coupling is None or pair.coupling.id in self.ctx.reopened:
                continue
            if not (pair.local_assumed or pair.remote_assumed):
                idle = item.decision.action is RecordAction.UNCHANGED and self.ctx.phase is Phase.CHANGES
                self.settled[pair.coupling.id] = idle


async def _read_ahead(pages: AsyncIterator[tuple[Record, ...]], ahead: dict[str, Record]) -> None:
    """Read pages into `ahead` until it holds `AHEAD` records or the feed is at its end."""
    async for page in pages:
        ahead.update((record.id, record) for record in page)
        if len(ahead) >= AHEAD:
            return


async def _chained(
    records: Sequence[Record], pages: AsyncIterator[Sequence[Record]]
) -> AsyncIterator[Sequence[Record]]:
    """Yield records that were read ahead, then the pages after them."""
    yield records
    async for page in pages:
        yield page


def _is_wanted(item: Paired, request: Request) -> bool:
    """Whether the values of a pair matter: a record without coupling is looked at only where it gets a partner."""
    pair = item.pair
    if pair.coupling is not None:
        return True
    if not (pair.local_in_filter and pair.remote_in_filter):
        return False
    return request.create_remote if pair.local is not None else request.create_local


def _ids(records: Sequence[Record]) -> frozenset[str]:
    return frozenset(record.id for record in records)


def _records(side: Side, paired: Sequence[Paired]) -> list[Record]:
    found = [item.pair.local if side is Side.LOCAL else item.pair.remote for item in paired]
    return [record for record in found if record is not None]


def _id(side: Side, item: Paired) -> str:
    """Return the id under which a pair came from the feed of `side`."""
    record = item.pair.local if side is Side.LOCAL else item.pair.remote
    if record is not None:
        return record.id
    assert item.pair.coupling is not None, "a pair has a record or a coupling"
    return item.pair.coupling.record_id(side)


def _version(side: Side, problem: Problem) -> str | None:
    return problem.local_version if side is Side.LOCAL else problem.remote_version
