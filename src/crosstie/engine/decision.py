"""Decision: what one record needs, from both sides, the base and the mapping's policies. Pure.

`merging` decides the fields and `partnerless` what has no partner; here stands what concerns the record.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from crosstie.engine.basing import holds_base, in_agreement, keeps_base, next_base
from crosstie.engine.compiling import CompiledField, CompiledMapping
from crosstie.engine.merging import ABSENT, BLOCKED, Circumstances, Known, Seen, merge
from crosstie.engine.partnerless import decide_partnerless
from crosstie.engine.verdicts import ineligible, out_of_filter, problem_of, writes_to
from crosstie.model.base import Base
from crosstie.model.decisions import (
    Decision,
    FieldAction,
    FieldDecision,
    Finding,
    Pair,
    Preference,
    RecordAction,
    Request,
    Transferred,
)
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar

__all__ = ["decide", "in_agreement", "next_base"]

_NO_VALUES: Final = Transferred(values={})


def decide(
    compiled: CompiledMapping,
    pair: Pair,
    base: Base | None,
    sent: Transferred | None,
    fetched: Transferred | None,
    request: Request,
) -> Decision:
    """Return what the record needs.

    `sent` is the local record as remote values, `fetched` the remote one as local values, each transferred for a
    creation where the other side has no record; None where a side has no record, was not read, or nothing flows from
    it. A problem can stand beside writes; without any write or new base the action is FAIL.
    """
    if pair.local is None or pair.remote is None:
        return decide_partnerless(compiled, pair, base, sent or fetched, request)
    if pair.coupling is not None and not request.on_purpose and not (pair.local_in_filter and pair.remote_in_filter):
        return out_of_filter(pair)
    if base is not None and _may_pass(compiled, request) and in_agreement(compiled, base, pair.local, pair.remote):
        return Decision(pair=pair, action=RecordAction.UNCHANGED)
    moved = {Side.LOCAL: sent or _NO_VALUES, Side.REMOTE: fetched or _NO_VALUES}
    for side, transferred in moved.items():
        if transferred.ineligible and request.preference is not BLOCKED[side.other]:
            return ineligible(pair, transferred.ineligible, request)
    fields = _merge_fields(compiled, pair, pair.local, pair.remote, base, moved, request)
    return _update(compiled, pair, base, fields, moved)


def _may_pass(compiled: CompiledMapping, request: Request) -> bool:
    """Whether equality with the base settles a record."""
    return request.preference is Preference.MERGE and not request.on_purpose and not compiled.volatile


# --- both sides have a record ---------------------------------------------------------------------------------


def _merge_fields(
    compiled: CompiledMapping,
    pair: Pair,
    local: Record,
    remote: Record,
    base: Base | None,
    moved: Mapping[Side, Transferred],
    request: Request,
) -> tuple[FieldDecision, ...]:
    kept = base or Base({}, {})
    around = Circumstances(
        preference=request.preference,
        on_purpose=request.on_purpose,
        changed=_changed_sides(compiled, local, remote, kept),
        newest=_newest(local, remote),
    )
    here, there = _Side(local, kept.local, moved[Side.LOCAL]), _Side(remote, kept.remote, moved[Side.REMOTE])
    by_base = request.preference is Preference.MERGE
    found = []
    for field in compiled.fields:
        if by_base and field.both_ways and here.unchanged(field.local_name) and there.unchanged(field.remote_name):
            continue
        seen = here.seen(field, field.local_name), there.seen(field, field.remote_name)
        if (decided := merge(field, *seen, around)) is not None:
            found.append(decided)
    return tuple(found)


class _Side:
    """One side of a record, field by field."""

    __slots__ = ("_base", "_moved", "_values")

    def __init__(self, record: Record, base: Mapping[str, Scalar], moved: Transferred) -> None:
        self._values = record.values
        self._base = base
        self._moved = moved

    def unchanged(self, name: str | None) -> bool:
        return name is not None and self._values.get(name) == self._base.get(name, ABSENT)

    def seen(self, field: CompiledField, name: str | None) -> Seen:
        moved: Known = self._moved.values.get(field.position, ABSENT)
        hold = self._moved.holds.get(field.position)
        if name is None:
            return Seen(None, None, moved, hold)
        return Seen(self._values.get(name), self._base.get(name, ABSENT), moved, hold)


def _changed_sides(compiled: CompiledMapping, local: Record, remote: Record, base: Base) -> frozenset[Side]:
    records = ((Side.LOCAL, local), (Side.REMOTE, remote))
    return frozenset(side for side, record in records if not holds_base(compiled, side, record.values, base))


def _newest(local: Record, remote: Record) -> Side | None:
    if local.modified_at is None or remote.modified_at is None or local.modified_at == remote.modified_at:
        return None
    return Side.LOCAL if local.modified_at > remote.modified_at else Side.REMOTE


def _update(
    compiled: CompiledMapping,
    pair: Pair,
    base: Base | None,
    fields: tuple[FieldDecision, ...],
    moved: Mapping[Side, Transferred],
) -> Decision:
    writes = {side: writes_to(compiled, fields, side) for side in Side}
    moves_base = base is None or any(
        not keeps_base(compiled.fields[found.position], found, base)
        for found in fields
        if found.action in (FieldAction.AGREE, FieldAction.KEEP)
    )
    problem = problem_of(fields)
    if any(writes.values()):
        action = RecordAction.UPDATE
    elif problem.get("problem_code") and not (moves_base and any(f.action is FieldAction.AGREE for f in fields)):
        action = RecordAction.FAIL
    else:
        action = RecordAction.AGREE if moves_base else RecordAction.UNCHANGED
    return Decision(
        pair=pair,
        action=action,
        reason=_reason(fields),
        fields=fields,
        to_local=writes[Side.LOCAL],
        to_remote=writes[Side.REMOTE],
        findings=_findings(fields, moved),
        **problem,
    )


def _findings(fields: Sequence[FieldDecision], moved: Mapping[Side, Transferred]) -> tuple[Finding, ...]:
    """Return the findings of the values that were used."""
    used = {
        Side.LOCAL: {f.name for f in fields if f.action in (FieldAction.TO_REMOTE, FieldAction.AGREE)},
        Side.REMOTE: {f.name for f in fields if f.action in (FieldAction.TO_LOCAL, FieldAction.AGREE)},
    }
    return tuple(found for side, names in used.items() for found in moved[side].findings if found.field in names)


def _reason(fields: Sequence[FieldDecision]) -> str:
    """Return why something is written or held, or where nothing is, why both sides agree."""
    moving = [f for f in fields if f.action not in (FieldAction.KEEP, FieldAction.AGREE)]
    return "; ".join(dict.fromkeys(f.reason for f in moving or fields if f.action is not FieldAction.KEEP))
