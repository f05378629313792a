"""Winners: for single fields of two records that are being coupled, whose value both get, or that both keep theirs.

What a person chooses is laid over what the way to synchronise says, and carried out right after coupling (F02, B2).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from crosstie.app.running import run_job
from crosstie.app.session import Session
from crosstie.app.synchronising import direction_of
from crosstie.engine.carrying import carry_out
from crosstie.engine.compiling import CompiledField, CompiledMapping
from crosstie.engine.context import Context, Report, Scope, Task
from crosstie.engine.decision import compose, decide
from crosstie.engine.differing import decide_each
from crosstie.engine.outcomes import Carried
from crosstie.engine.pairing import Paired, pair_named, translate
from crosstie.model.decisions import Decision, FieldDecision, Preference, Request, Transferred
from crosstie.model.errors import InvalidOption
from crosstie.model.jobs import JobKind
from crosstie.model.mapping_changes import field_named
from crosstie.model.records import Side

_LOOKS = 4
"""So often a pair is looked at again that is edited while it is written."""
_NOTHING = Transferred(values={})


class Winner(StrEnum):
    """Whose value of a field both records get."""

    LOCAL = "local"
    REMOTE = "remote"
    LEAVE = "leave"
    """Neither is written; the two differ until somebody edits one."""


def preference_of(winner: Winner) -> Preference | None:
    """Return the preference under which a field comes out as chosen; None if it is left as it is."""
    return {Winner.LOCAL: Preference.SEND, Winner.REMOTE: Preference.GET}.get(winner)


def read_winners(choices: Iterable[tuple[str, str]]) -> dict[str, Winner]:
    """Return what was chosen, by field. Raises InvalidOption for what is no side, and for a field with two."""
    found: dict[str, Winner] = {}
    for name, text in choices:
        name, text = name.strip(), text.strip()
        if text not in set(Winner) or not name:
            raise InvalidOption(
                f"{name}={text} is no choice for a field.", next_step="Choose local, remote or leave: FIELD=local."
            )
        winner = Winner(text)
        if found.setdefault(name, winner) is not winner:
            raise InvalidOption(f"Two sides are chosen for {name}.", next_step="Choose one.")
    return found


def by_position(compiled: CompiledMapping, winners: Mapping[str, Winner]) -> dict[int, Winner]:
    """Return what was chosen by the place of the field in the compiled mapping.

    Raises UnknownField, and InvalidOption for a field that is disabled or does not flow from the side chosen.
    """
    found: dict[int, Winner] = {}
    for name, winner in winners.items():
        row = compiled.mapping.fields[field_named(compiled.mapping, name)]
        field = next((each for each in compiled.fields if each.mapping is row), None)
        if field is None:
            raise InvalidOption(f"The field mapping of {row.label or row.name} is disabled.", field=row.name)
        _check_flow(field, winner)
        found[field.position] = winner
    return found


def _check_flow(field: CompiledField, winner: Winner) -> None:
    if winner is not Winner.LEAVE and not field.reaches(Side(winner.value).other):
        raise InvalidOption(
            f"{field.label} flows from the {Side(winner.value).other} side only: the {winner} value cannot be chosen.",
            next_step=f"Choose {Side(winner.value).other} or leave.",
            field=field.name,
        )


def decide_winners(
    compiled: CompiledMapping, item: Paired, preference: Preference | None, winners: Mapping[int, Winner]
) -> Decision:
    """Return what two records need that are coupled with each other for the first time, some fields being chosen.

    `preference` is the way to synchronise, None for none. Where the base tells that a field was edited since both were
    coupled, that edit is merged unless the field is chosen.
    """
    fresh = Paired(item.pair, None)
    fresh.sent, fresh.fetched = item.sent, item.fetched
    ways = {way: _fields(decision) for way, decision in decide_each(compiled, fresh).items()}
    found: dict[int, FieldDecision] = {}
    if item.base is not None:
        found = _fields(decide(compiled, item.pair, item.base, item.sent, item.fetched, Request()))
    if preference is not None:
        found |= {at: each for at, each in ways[preference].items() if winners.get(at) is not Winner.LEAVE}
    for at, winner in winners.items():
        way = preference_of(winner)
        if way is not None:
            found.pop(at, None)
            found |= {at: ways[way][at]} if at in ways[way] else {}
    moved = {Side.LOCAL: item.sent or _NOTHING, Side.REMOTE: item.fetched or _NOTHING}
    return compose(compiled, item.pair, None, tuple(found[at] for at in sorted(found)), moved)


def _fields(decision: Decision) -> dict[int, FieldDecision]:
    return {each.position: each for each in decision.fields}


async def bring_in_step(
    session: Session,
    mapping: str,
    local_id: str,
    preference: Preference | None,
    winners: Mapping[int, Winner],
    *,
    part_of: int | None,
) -> Report:
    """Bring two records in step that have just been coupled as they are, as a part of the job that coupled them.

    A process that dies before leaves them coupled, with nothing moved. Raises SystemFailure, GuardStopped.
    """
    task = Task(scope=Scope.RECORDS, preference=preference or Preference.MERGE, on_purpose=True)
    ctx = await session.context(mapping, task)
    ctx.part_of = part_of

    async def work(job: Context) -> None:
        for look in range(1, _LOOKS + 1):
            paired = await pair_named(job, Side.LOCAL, [local_id])
            if not paired or paired[0].pair.local is None or paired[0].pair.remote is None:
                return  # uncoupled or deleted meanwhile: the next job finds out what it needs
            await translate(job, paired)
            decision = decide_winners(job.compiled, paired[0], preference, winners)
            if not await carry_out(job, [Carried(decision, None)], Side.LOCAL, final=look == _LOOKS):
                return

    return await run_job(ctx, JobKind.SYNCHRONISATION, direction_of(ctx), work, exclusive=False)
