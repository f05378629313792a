"""Undoing: takes back what a page of the history tells, record by record, and says of every other one why not.

What a job created goes first, then what it deleted comes back, then couplings, then values: so a record is put back
under the coupling that it has in the end. Everything is read and written as by synchronising: with intents, and only
in the version that was looked at.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeAlias
from uuid import uuid4

from crosstie.engine.applying import apply
from crosstie.engine.context import Context
from crosstie.engine.coupling import Ids, couple_page, coupling_side, foresee
from crosstie.engine.holding import held_elsewhere, held_words
from crosstie.engine.pairing import Paired
from crosstie.engine.partnerless import delete_survivor
from crosstie.engine.planning import Action, plan
from crosstie.engine.uncoupling import uncouple
from crosstie.engine.undo import Done, Tied, fold, made_anew, put_back
from crosstie.engine.undo_looking import (
    labels_of,
    moved_on,
    pair_of,
    pairs_of,
    partner_words,
    partners_of,
    pointing,
    record_of,
    touched,
    whole_values,
    with_partner,
)
from crosstie.engine.undo_recording import count_planned, move_bases, record_undone, settle_coupled
from crosstie.engine.undo_steps import CREATES, Step, left, left_tied, making_anew, putting_back, row, row_of
from crosstie.model.couplings import Coupling, CouplingState, RemovedCoupling
from crosstie.model.jobs import JournalEntry, Outcome
from crosstie.model.records import Side, Write, WriteKind
from crosstie.model.undoing import UndoneRow, UndoOutcome
from crosstie.model.values import Scalar

LOOKS = 4
"""So often a record that keeps changing while it is put back is looked at again."""
Earlier: TypeAlias = tuple[str | None, str | None]
"""What a job has taken back: a record, by its side and id, or the coupling of a pair, by its ids."""
_Look: TypeAlias = Callable[[Sequence[Done]], Awaitable[list[Step]]]
_GONE = "It was deleted since."


async def undo_page(
    ctx: Context,
    entries: Sequence[JournalEntry],
    why: str,
    *,
    dependants: Sequence[Context] = (),
    earlier: Collection[Earlier] = (),
) -> list[UndoneRow]:
    """Take back what entries of the context's mapping, newest first, tell; return what became of each record.

    `why` stands in the history. What an `earlier` process of the job has taken back is as before, and counted already.
    A dry run tells the observer of each decision, counts, and writes nothing.
    """
    page = _Page(ctx, why, earlier)
    done, ties = fold(entries)
    await page.uncouple([tie for tie in ties if tie.outcome is Outcome.COUPLED], dependants)
    await page.carry([each for each in done if each.outcome is Outcome.INSERTED], page.deleting)
    await page.carry([each for each in done if each.outcome is Outcome.DELETED], page.creating)
    stays = dict.fromkeys(page.kept(), "Its partner stays, so that its values stay, too.")
    coupled, lost = await page.couple([tie for tie in ties if tie.outcome is Outcome.UNCOUPLED])
    stays |= dict.fromkeys(lost, "It could not be coupled again, so that its values stay, too.")
    changed = [each for each in done if each.outcome is Outcome.MODIFIED]
    for each in changed:
        if words := stays.get((each.local_id, each.remote_id)):
            page.leave(left(ctx, each, "changed-since", words))
    await page.carry([e for e in changed if (e.local_id, e.remote_id) not in stays], page.restoring)
    await settle_coupled(ctx, list(dict.fromkeys([*coupled, *page.never_settled(ties, changed)])))
    return page.rows


def earlier_of(entry: JournalEntry) -> Earlier:
    """Return what an entry of an undo's own history tells of."""
    if entry.side is None:
        return entry.local_id, entry.remote_id
    return entry.side.value, entry.local_id if entry.side is Side.LOCAL else entry.remote_id


class _Page:
    """A page on its way."""

    def __init__(self, ctx: Context, why: str, earlier: Collection[Earlier]) -> None:
        self.ctx = ctx
        self.why = why
        self.earlier = earlier
        self.rows: list[UndoneRow] = []

    def kept(self) -> set[tuple[str | None, str | None]]:
        """Return the pairs of which something stays so far."""
        stays = (UndoOutcome.LEFT, UndoOutcome.FAILED)
        return {(row.local_id, row.remote_id) for row in self.rows if row.outcome in stays}

    def leave(self, found: UndoneRow) -> None:
        """Note a record that stays as it is."""
        self.rows.append(found)
        self.ctx.counters(coupling_side(self.ctx)).skipped += 1

    def unchanged(self, of: Done | Tied, side: Side) -> None:
        """Note a record that is as before already."""
        self.rows.append(row(self.ctx, of, UndoOutcome.UNCHANGED))
        known = (of.side.value, of.id) if isinstance(of, Done) else (of.local_id, of.remote_id)
        self.ctx.counters(side).unchanged += known not in self.earlier

    def never_settled(self, ties: Sequence[Tied], changed: Sequence[Done]) -> list[Ids]:
        """Return the pairs of the page that were coupled again before, and of which nobody has said that they agree."""
        ids = {tie.local_id for tie in ties} | {each.local_id for each in changed if each.local_id is not None}
        with self.ctx.store.begin() as unit:
            held = unit.couplings.by_record(self.ctx.mapping_name, Side.LOCAL, ids) if ids else {}
        return [
            (each.local_id, each.remote_id) for each in held.values() if each.state is CouplingState.NEVER_SYNCHRONISED
        ]

    async def carry(self, done: Sequence[Done], look: _Look) -> None:
        """Plan, apply and record; what moves meanwhile is looked at again."""
        ctx, work = self.ctx, list(done)
        for look_number in range(1, LOOKS + 1):
            steps = await look(work) if work else []
            for step in steps:
                ctx.observer.decided(step.decision)
            if ctx.task.dry_run:
                count_planned(ctx, steps)
                self.rows += [row_of(ctx, step) for step in steps]
                return
            ready = move_bases(ctx, steps)
            await self._apply(ready)
            final = look_number == LOOKS
            moved, rows = record_undone(ctx, ready, self.why, final=final) if ready else ([], [])
            self.rows += rows
            kept = {id(step) for step in ready} - {id(step) for step in moved}
            work = [each for step in steps if id(step) not in kept for each in step.done]
            if not work:
                return
        for each in work:
            self.leave(left(ctx, each, "keeps-changing", "It changed again each time it was about to be put back."))

    async def _apply(self, steps: Sequence[Step]) -> None:
        ctx = self.ctx
        by_decision = {id(step.decision): step for step in steps}
        actions = plan(ctx, [step.decision for step in steps if step.decision.action not in CREATES.values()])
        actions += [_creation(step) for step in steps if step.decision.action in CREATES.values()]
        results = await apply(ctx, actions)
        for action in actions:
            carried = by_decision[id(action.decision)].carried
            carried.results[action.side] = results[action.intent_id]
            carried.intents.append(action.intent_id)

    # --- couplings --------------------------------------------------------------------------------------------

    async def uncouple(self, ties: Sequence[Tied], dependants: Sequence[Context]) -> None:
        """Remove couplings that were set up, where they still are."""
        ctx = self.ctx
        held = self._held(ties)
        found: dict[int, tuple[Tied, Coupling]] = {}
        for tie in ties:
            coupling = held.get(tie.local_id)
            if coupling is None:
                self.unchanged(tie, coupling_side(ctx))
            elif coupling.remote_id != tie.remote_id:
                words = f"It is coupled with {partner_words(coupling)} by now."
                self.leave(left_tied(ctx, tie, "changed-since", words))
            else:
                found[coupling.id] = tie, coupling
        if not found:
            return
        named = len(ctx.report.failures)
        await uncouple(ctx, [coupling for _, coupling in found.values()], dependants=dependants, words=self.why)
        failed = {failure.remote_id: failure for failure in ctx.report.failures[named:]}
        for tie, _ in found.values():
            if why := failed.get(tie.remote_id):
                self.rows.append(row(ctx, tie, UndoOutcome.FAILED, (why.code, why.words, why.next_step)))
            else:
                self.rows.append(row(ctx, tie, UndoOutcome.UNCOUPLED))

    async def couple(self, ties: Sequence[Tied]) -> tuple[list[Ids], set[tuple[str | None, str | None]]]:
        """Couple again what was uncoupled, on the base that it had; return the pairs, and those that could not be."""
        ctx = self.ctx
        pairs = self._to_couple(ties)
        if not pairs:
            return [], set()
        before = self._as_before(pairs)
        if ctx.task.dry_run:
            refused, _ = await foresee(ctx, list(pairs), synchronise=None)
            ctx.counters(coupling_side(ctx)).coupled += len(pairs) - len(refused)
        else:
            done = await couple_page(ctx, dict.fromkeys(pairs, self.why), synchronise=None, as_before=before)
            refused = done.refused
        for pair, tie in pairs.items():
            if error := refused.get(pair):
                self.leave(left_tied(ctx, tie, error.code, error.words, error.advice))
            else:
                self.rows.append(row(ctx, tie, UndoOutcome.COUPLED))
        return [pair for pair in pairs if pair in before and pair not in refused], set(refused)

    def _to_couple(self, ties: Sequence[Tied]) -> dict[Ids, Tied]:
        """Return the pairs that are not coupled as they were; a record can be in one of them only."""
        held = self._held(ties)
        pairs: dict[Ids, Tied] = {}
        once: set[tuple[Side, str]] = set()
        for tie in ties:
            keys = {(Side.LOCAL, tie.local_id), (Side.REMOTE, tie.remote_id)}
            if (coupling := held.get(tie.local_id)) and coupling.remote_id == tie.remote_id:
                self.unchanged(tie, coupling_side(self.ctx))
            elif keys & once:
                words = "One of the two was coupled with others, too, meanwhile."
                self.leave(left_tied(self.ctx, tie, "changed-since", words))
            else:
                once |= keys
                pairs[tie.local_id, tie.remote_id] = tie
        return pairs

    def _held(self, ties: Sequence[Tied]) -> dict[str, Coupling]:
        with self.ctx.store.begin() as unit:
            return unit.couplings.by_record(self.ctx.mapping_name, Side.LOCAL, [tie.local_id for tie in ties])

    def _as_before(self, pairs: Mapping[Ids, Tied]) -> dict[Ids, RemovedCoupling]:
        ids = {pair: tie.coupling_id for pair, tie in pairs.items() if tie.coupling_id is not None}
        with self.ctx.store.begin() as unit:
            removed = unit.couplings.removed(ids.values())
        return {pair: removed[id] for pair, id in ids.items() if id in removed}

    # --- records that were created ----------------------------------------------------------------------------

    async def deleting(self, done: Sequence[Done]) -> list[Step]:
        """Return the steps that delete what was created, where nobody has touched it since."""
        ctx = self.ctx
        found = await pairs_of(ctx, done)
        held = {side: held_elsewhere(ctx, side, [each.id for each in done if each.side is side]) for side in Side}
        steps = []
        for each in done:
            item, schema = found.get((each.side, each.id)), ctx.compiled.schema(each.side)
            record = record_of(item.pair, each.side) if item is not None else None
            if item is None or record is None:
                self.unchanged(each, each.side)
            elif other := held[each.side].get(each.id):
                self.leave(left(ctx, each, "changed-since", held_words(other)))
            elif words := touched(ctx, each, item, record):
                self.leave(left(ctx, each, "changed-since", words))
            elif not schema.deletable:
                self.leave(left(ctx, each, "cannot-undo", f"Records of {schema.name} cannot be deleted."))
            else:
                pair = await with_partner(ctx, each, item.pair)
                decision = delete_survivor(ctx.compiled, pair, each.side, item.base, self.why)
                steps.append(Step([each], decision, item.base))
        return steps

    # --- records that were deleted ----------------------------------------------------------------------------

    async def creating(self, done: Sequence[Done]) -> list[Step]:
        """Return the steps that create again what was deleted, under its old id, coupled as it was."""
        ctx = self.ctx
        steps = []
        for side in Side:
            mine = [each for each in done if each.side is side]
            if not mine:
                continue
            schema = ctx.compiled.schema(side)
            there = await ctx.systems[side].get(schema.name, [each.id for each in mine], (schema.key,))
            partners, held = await partners_of(ctx, mine)
            with ctx.store.begin() as unit:
                before = unit.couplings.removed(each.coupling_id for each in mine if each.coupling_id is not None)
            for each in mine:
                partner_id = each.partner_id() or ""
                if each.id in there:
                    self.unchanged(each, side)
                elif words := self._cannot_create(side) or held.get(partner_id):
                    self.leave(left(ctx, each, "changed-since" if partner_id in held else "cannot-undo", words))
                else:
                    values = await pointing(ctx, side, made_anew(schema, each))
                    pair = pair_of(side, None, partners.get(partner_id), None)
                    decision = making_anew(ctx.compiled, pair, side, values, self.why)
                    steps.append(Step([each], decision, create_id=each.id, before=before.get(each.coupling_id or 0)))
        return steps

    def _cannot_create(self, side: Side) -> str:
        """Return why no deleted record can come back. Without its id nobody could tell whether it is back already."""
        schema = self.ctx.compiled.schema(side)
        if not schema.creatable:
            return f"Records of {schema.name} cannot be created."
        return "" if self.ctx.takes_ids(side) else f"A record of {schema.name} cannot be created under the id it had."

    # --- records that were changed ----------------------------------------------------------------------------

    async def restoring(self, done: Sequence[Done]) -> list[Step]:
        """Return the steps that put values back, both sides of a coupled pair in one."""
        ctx = self.ctx
        found = await pairs_of(ctx, done)
        together: dict[object, tuple[Paired, dict[Side, Done], dict[Side, Mapping[str, Scalar]]]] = {}
        for each in done:
            item = found.get((each.side, each.id))
            record = record_of(item.pair, each.side) if item is not None else None
            if item is None or record is None:
                self.leave(left(ctx, each, "changed-since", _GONE))
                continue
            now = await whole_values(ctx, each, record)
            back = put_back(ctx.compiled.schema(each.side), each, now, labels_of(ctx, each.side))
            if words := back.words or moved_on(ctx, each.side, item, back.values):
                self.leave(left(ctx, each, back.code or "changed-since", words))
            elif not back.values:
                self.unchanged(each, each.side)
            else:
                key: object = item.pair.coupling.id if item.pair.coupling else (each.side, each.id)
                item, parts, writes = together.setdefault(key, (item, {}, {}))
                parts[each.side] = each
                writes[each.side] = await pointing(ctx, each.side, back.values)
        return [
            Step(list(parts.values()), putting_back(ctx.compiled, item.pair, writes, self.why), item.base)
            for item, parts, writes in together.values()
        ]


def _creation(step: Step) -> Action:
    side = step.done[0].side
    partner = record_of(step.decision.pair, side.other)
    return Action(
        intent_id=uuid4().hex,
        decision=step.decision,
        side=side,
        write=Write(kind=WriteKind.CREATE, id=step.create_id, values=dict(step.writes(side))),
        source_id=partner.id if partner is not None else None,
    )
