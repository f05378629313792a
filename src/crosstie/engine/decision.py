"""Decision: what one record needs, from both sides, the base and the mapping's policies. Pure.

`merging` decides the fields and `partnerless` what has no partner; here stands what concerns the record.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from crosstie.engine.basing import in_agreement, keeps_base, next_base
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
    rows = [
        (
            field,
            _seen(field, Side.LOCAL, local.values, kept.local, moved[Side.LOCAL]),
            _seen(field, Side.REMOTE, remote.values, kept.remote, moved[Side.REMOTE]),
        )
        for field in compiled.fields
    ]
    around = Circumstances(
        preference=request.preference,
        on_purpose=request.on_purpose,
        changed=_changed_sides(rows),
        newest=_newest(local, remote),
    )
    return tuple(found for row in rows if (found := merge(*row, around)) is not None)


def _seen(
    field: CompiledField,
    side: Side,
    values: Mapping[str, Scalar],
    base: Mapping[str, Scalar],
    moved: Transferred,
) -> Seen:
    name = field.field_name(side)
    known: Known = moved.values.get(field.position, ABSENT)
    hold = moved.holds.get(field.position)
    if name is None:
        return Seen(None, None, known, hold)
    return Seen(values.get(name), base.get(name, ABSENT), known, hold)


def _changed_sides(rows: Iterable[tuple[CompiledField, Seen, Seen]]) -> frozenset[Side]:
    changed: set[Side] = set()
    for _, local, remote in rows:
        if local.changed:
            changed.add(Side.LOCAL)
        if remote.changed:
            changed.add(Side.REMOTE)
    return frozenset(changed)


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
    elif problem and not (moves_base and any(f.action is FieldAction.AGREE for f in fields)):
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
    return "; ".join(dict.fromkeys(f.reason for f in fields if f.action is not FieldAction.KEEP))
