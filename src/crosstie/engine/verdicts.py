"""Verdicts: what the decisions on a record's fields make of the record as a whole: writes, problem, words."""

from collections.abc import Iterable, Sequence
from typing import Any

from crosstie.engine.compiling import CompiledMapping
from crosstie.engine.merging import CHANGED_ON_BOTH, WRITES
from crosstie.model.decisions import Decision, FieldAction, FieldDecision, Pair, RecordAction, Request
from crosstie.model.problems import ProblemField
from crosstie.model.records import Side
from crosstie.model.values import Scalar


def writes_to(compiled: CompiledMapping, fields: Iterable[FieldDecision], side: Side) -> dict[str, Scalar]:
    """Return what the decisions write to a side, by its fields."""
    return {
        name: found.value
        for found in fields
        if found.action is WRITES[side] and (name := compiled.fields[found.position].field_name(side))
    }


def out_of_filter(pair: Pair) -> Decision:
    """Return the decision to leave a coupled record alone that has left the mapping's filter."""
    side = Side.REMOTE if pair.local_in_filter else Side.LOCAL
    return Decision(pair=pair, action=RecordAction.SKIP, reason=f"out of filter on the {side} side")


def ineligible(pair: Pair, words: str, request: Request) -> Decision:
    """Return the decision on a record that is none of the mapping: passed over, an error if a person named it."""
    if not request.on_purpose:
        return Decision(pair=pair, action=RecordAction.IGNORE, reason=words)
    return Decision(pair=pair, action=RecordAction.FAIL, reason=words, problem_code="not-eligible", problem_words=words)


def problem_of(fields: Sequence[FieldDecision]) -> dict[str, Any]:
    """Return the parts of a decision that tell what keeps the record from being in step, and whom it waits for."""
    waits = tuple(f.hold.waits_for for f in fields if f.hold is not None and f.hold.waits_for is not None)
    found: dict[str, Any] = {"waits_for": waits} if waits else {}
    conflicts = [f for f in fields if f.action is FieldAction.CONFLICT]
    held = [f for f in fields if f.action is FieldAction.HOLD and f.hold is not None]
    if not conflicts and not held:
        return found
    words = [_conflict_words(conflicts)] if conflicts else []
    words += [f.hold.words for f in held if f.hold is not None]
    codes = ["conflict"] if conflicts else [f.hold.code for f in held if f.hold is not None]
    return {
        **found,
        "problem_code": codes[0],
        "problem_words": " ".join(words),
        "problem_fields": tuple(_problem_field(f) for f in (*conflicts, *held)),
    }


def _conflict_words(conflicts: Sequence[FieldDecision]) -> str:
    names = " and ".join(part for part in (", ".join(f.label for f in conflicts[:-1]), conflicts[-1].label) if part)
    if all(f.reason == CHANGED_ON_BOTH for f in conflicts):
        return f"{names} changed on both sides to different values."
    return f"{names}: the sides differ, and nothing tells which of them was changed."


def _problem_field(found: FieldDecision) -> ProblemField:
    return ProblemField(
        field=found.name,
        label=found.label,
        base_local=found.base_local,
        base_remote=found.base_remote,
        local=found.local,
        remote=found.remote,
        words=found.hold.words if found.hold is not None else found.reason,
    )
