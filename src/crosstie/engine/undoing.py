"""Undoing: takes back what a page of the history tells, record by record, and says of every other one why not.

What a job created goes first, then what it deleted comes back, then couplings, then values: so a record is put back
under the coupling that it has in the end. Everything is read and written as by synchronising: with intents, and only
in the version that was looked at.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
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
    free_partners,
    moved_on,
    pair_of,
    pairs_of,
    partner_words,
    pointing,
    record_of,
    touched,
    whole_values,
    with_partner,
)
from crosstie.engine.undo_recording import count_planned, move_bases, record_undone
from crosstie.engine.undo_steps import CREATES, Step, left, making_anew, putting_back
from crosstie.model.couplings import Coupling
from crosstie.model.jobs import JournalEntry, Outcome
from crosstie.model.leaving import Left
from crosstie.model.records import Side, Write, WriteKind
from crosstie.model.values import Scalar

LOOKS = 4
"""So often a record that keeps changing while it is put back is looked at again."""
_Look: TypeAlias = Callable[[Sequence[Done]], Awaitable[list[Step]]]
_GONE = "It was deleted since."


async def undo_page(
    ctx: Context, entries: Sequence[JournalEntry], why: str, *, dependants: Sequence[Context] = ()
) -> list[Left]:
    """Take back what entries of the context's mapping, newest first, tell; return what is left, with the reasons.

    `why` stands in the history. A dry run tells the observer of each decision, counts, and writes nothing.
    """
    page = _Page(ctx, why)
    done, ties = fold(entries)
    await page.uncouple([tie for tie in ties if tie.outcome is Outcome.COUPLED], dependants)
    await page.carry([each for each in done if each.outcome is Outcome.INSERTED], page.deleting)
    await page.carry([each for each in done if each.outcome is Outcome.DELETED], page.creating)
    lost = await page.couple([tie for tie in ties if tie.outcome is Outcome.UNCOUPLED])
    changed = [each for each in done if each.outcome is Outcome.MODIFIED]
    for each in changed:
        if (each.local_id, each.remote_id) in lost:
            page.leave(left(ctx, each, "changed-since", "It could not be coupled again, so that its values stay, too."))
    await page.carry([e for e in changed if (e.local_id, e.remote_id) not in lost], page.restoring)
    return page.left


class _Page:
    """A page on its way."""

    def __init__(self, ctx: Context, why: str) -> None:
        self.ctx = ctx
        self.why = why
        self.left: list[Left] = []

    def leave(self, found: Left) -> None:
        """Note a record that stays as it is."""
        self.left.append(found)
        side = Side.REMOTE if self.ctx.compiled.mapping.reaches(Side.REMOTE) else Side.LOCAL
        self.ctx.counters(side).skipped += 1

    async def carry(self, done: Sequence[Done], look: _Look) -> None:
        """Plan, apply and record; what moves meanwhile is looked at again."""
        ctx, work = self.ctx, list(done)
        for _ in range(LOOKS):
            steps = await look(work) if work else []
            for step in steps:
                ctx.observer.decided(step.decision)
            if ctx.task.dry_run:
                count_planned(ctx, steps)
                return
            ready = move_bases(ctx, steps)
            results = await self._apply(ready)
            moved = record_undone(ctx, ready, self.why) if results else []
            kept = {id(step) for step in ready}
            work = [each for step in steps if id(step) not in kept or step in moved for each in step.done]
            if not work:
                return
        for each in work:
            self.leave(left(ctx, each, "keeps-changing", "It changed again each time it was about to be put back."))

    async def _apply(self, steps: Sequence[Step]) -> bool:
        ctx = self.ctx
        by_decision = {id(step.decision): step for step in steps}
        actions = plan(ctx, [step.decision for step in steps if step.decision.action not in CREATES.values()])
        actions += [_creation(ctx, step) for step in steps if step.decision.action in CREATES.values()]
        results = await apply(ctx, actions)
        for action in actions:
            carried = by_decision[id(action.decision)].carried
            carried.results[action.side] = results[action.intent_id]
            carried.intents.append(action.intent_id)
        return bool(actions)

    # --- couplings --------------------------------------------------------------------------------------------

    async def uncouple(self, ties: Sequence[Tied], dependants: Sequence[Context]) -> None:
        """Remove couplings that were set up, where they still are."""
        ctx = self.ctx
        with ctx.store.begin() as unit:
            held = unit.couplings.by_record(ctx.mapping_name, Side.LOCAL, [tie.local_id for tie in ties])
        found: list[Coupling] = []
        for tie in ties:
            coupling = held.get(tie.local_id)
            if coupling is None:
                self._unchanged(coupling_side(ctx))
            elif coupling.remote_id != tie.remote_id:
                self.leave(_tied(ctx, tie, "changed-since", f"It is coupled with {partner_words(coupling)} by now."))
            else:
                found.append(coupling)
        if found:
            await uncouple(ctx, found, dependants=dependants, words=self.why)

    async def couple(self, ties: Sequence[Tied]) -> set[tuple[str | None, str | None]]:
        """Couple again what was uncoupled, as both records are by now; return the pairs that could not be."""
        ctx = self.ctx
        pairs: dict[Ids, Tied] = {}
        once: set[tuple[Side, str]] = set()
        for tie in ties:
            keys = {(Side.LOCAL, tie.local_id), (Side.REMOTE, tie.remote_id)}
            if keys & once:
                self.leave(_tied(ctx, tie, "changed-since", "One of the two was coupled with others, too, meanwhile."))
                continue
            once |= keys
            pairs[tie.local_id, tie.remote_id] = tie
        if not pairs:
            return set()
        if ctx.task.dry_run:
            refused, _ = await foresee(ctx, list(pairs), synchronise=None)
            ctx.counters(coupling_side(ctx)).coupled += len(pairs) - len(refused)
        else:
            refused = (await couple_page(ctx, dict.fromkeys(pairs, self.why), synchronise=None)).refused
        for pair, error in refused.items():
            self.leave(_tied(ctx, pairs[pair], error.code, error.words, error.advice))
        return set(refused)

    def _unchanged(self, side: Side) -> None:
        self.ctx.counters(side).unchanged += 1

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
                self._unchanged(each.side)
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
        """Return the steps that create again what was deleted, under its old id where ids can be chosen."""
        ctx = self.ctx
        steps = []
        for side in Side:
            mine = [each for each in done if each.side is side]
            schema = ctx.compiled.schema(side)
            there = await ctx.systems[side].get(schema.name, [each.id for each in mine], (schema.key,)) if mine else {}
            partners = await free_partners(ctx, side.other, mine)
            for each in mine:
                if each.id in there:
                    self._unchanged(side)
                elif not schema.creatable:
                    words = f"Records of {schema.name} cannot be created."
                    self.leave(left(ctx, each, "cannot-undo", words))
                else:
                    values = await pointing(ctx, side, made_anew(schema, each))
                    pair = pair_of(side, None, partners.get(each.partner_id() or ""), None)
                    decision = making_anew(ctx.compiled, pair, side, values, self.why)
                    steps.append(Step([each], decision, create_id=each.id))
        return steps

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
            back = put_back(ctx.compiled.schema(each.side), each, await whole_values(ctx, each, record))
            if words := back.words or moved_on(ctx, each.side, item, back.values):
                self.leave(left(ctx, each, back.code or "changed-since", words))
            elif not back.values:
                self._unchanged(each.side)
            else:
                key: object = item.pair.coupling.id if item.pair.coupling else (each.side, each.id)
                item, parts, writes = together.setdefault(key, (item, {}, {}))
                parts[each.side] = each
                writes[each.side] = await pointing(ctx, each.side, back.values)
        return [
            Step(list(parts.values()), putting_back(ctx.compiled, item.pair, writes, self.why), item.base)
            for item, parts, writes in together.values()
        ]


# --- small parts -----------------------------------------------------------------------------------------------


def _creation(ctx: Context, step: Step) -> Action:
    side = step.done[0].side
    partner = record_of(step.decision.pair, side.other)
    id = step.create_id if ctx.takes_ids(side) else None
    return Action(
        intent_id=uuid4().hex,
        decision=step.decision,
        side=side,
        write=Write(kind=WriteKind.CREATE, id=id, values=dict(step.writes(side))),
        source_id=partner.id if partner is not None else None,
    )


def _tied(ctx: Context, tie: Tied, code: str, words: str, next_step: str = "") -> Left:
    return Left(
        mapping=ctx.mapping_name,
        local_id=tie.local_id,
        remote_id=tie.remote_id,
        name=tie.name,
        code=code,
        words=words,
        next_step=next_step or "Look at both records, and couple or uncouple them by hand.",
    )
