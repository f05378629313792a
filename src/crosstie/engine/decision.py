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

__all__ = ["compose", "decide", "in_agreement", "next_base"]

_NO_VALUES: Final = Transferred(values={})
_NO_BASE: Final = Base({}, {})


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
    kept = base or _NO_BASE
    here = _Side(compiled.mapped[Side.LOCAL], pair.local, kept.local, sent or _NO_VALUES)
    there = _Side(compiled.mapped[Side.REMOTE], pair.remote, kept.remote, fetched or _NO_VALUES)
    if base is not None and not (here.changed or there.changed or base.chosen) and _may_pass(compiled, request):
        return Decision(pair=pair, action=RecordAction.UNCHANGED)
    sides = {Side.LOCAL: here, Side.REMOTE: there}
    for side, seen in sides.items():
        if seen.moved.ineligible and request.preference is not BLOCKED[side.other]:
            return ineligible(pair, seen.moved.ineligible, request)
    fields = _merge_fields(compiled, here, there, kept.chosen, request)
    return compose(compiled, pair, base, fields, {side: seen.moved for side, seen in sides.items()})


def _may_pass(compiled: CompiledMapping, request: Request) -> bool:
    """Whether equality with the base settles a record."""
    return request.preference is Preference.MERGE and not request.on_purpose and not compiled.volatile


# --- both sides have a record ---------------------------------------------------------------------------------


class _Side:
    """One side of a record, field by field. `changed` are the mapped fields that do not hold the base."""

    __slots__ = ("base", "changed", "moved", "record")

    def __init__(self, names: Iterable[str], record: Record, base: Mapping[str, Scalar], moved: Transferred) -> None:
        now, then = record.values.get, base.get
        self.changed = {name for name in names if now(name) != then(name, ABSENT)}
        self.record = record
        self.base = base
        self.moved = moved

    def seen(self, field: CompiledField, name: str | None) -> Seen:
        moved: Known = self.moved.values.get(field.position, ABSENT)
        hold = self.moved.holds.get(field.position)
        if name is None:
            return Seen(None, None, moved, hold)
        return Seen(self.record.values.get(name), self.base.get(name, ABSENT), moved, hold)


def _merge_fields(
    compiled: CompiledMapping, here: _Side, there: _Side, chosen: Mapping[str, Side], request: Request
) -> tuple[FieldDecision, ...]:
    # Where a person chose fields, no other goes along with them: what changed may be what a dead process wrote.
    changed = [] if chosen else [side for side, seen in ((Side.LOCAL, here), (Side.REMOTE, there)) if seen.changed]
    around = Circumstances(
        preference=request.preference,
        on_purpose=request.on_purpose,
        changed=frozenset(changed),
        newest=_newest(here.record, there.record),
    )
    by_base = request.preference is Preference.MERGE
    found = []
    for field in compiled.fields:
        near, far = field.local_name, field.remote_name
        side = chosen.get(field.name)
        if by_base and field.both_ways and side is None and near not in here.changed and far not in there.changed:
            continue
        if (decided := merge(field, here.seen(field, near), there.seen(field, far), around, side)) is not None:
            found.append(decided)
    return tuple(found)


def _newest(local: Record, remote: Record) -> Side | None:
    if local.modified_at is None or remote.modified_at is None or local.modified_at == remote.modified_at:
        return None
    return Side.LOCAL if local.modified_at > remote.modified_at else Side.REMOTE


def compose(
    compiled: CompiledMapping,
    pair: Pair,
    base: Base | None,
    fields: tuple[FieldDecision, ...],
    moved: Mapping[Side, Transferred],
) -> Decision:
    """Return the decision on a record that its fields' decisions amount to; both sides have it.

    `moved` are both sides' records as the other side's values, on which the fields' decisions rest.
    """
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
    if not any(transferred.findings for transferred in moved.values()):
        return ()
    used = {
        Side.LOCAL: {f.name for f in fields if f.action in (FieldAction.TO_REMOTE, FieldAction.AGREE)},
        Side.REMOTE: {f.name for f in fields if f.action in (FieldAction.TO_LOCAL, FieldAction.AGREE)},
    }
    return tuple(found for side, names in used.items() for found in moved[side].findings if found.field in names)


def _reason(fields: Sequence[FieldDecision]) -> str:
    """Return why something is written or held, or where nothing is, why both sides agree."""
    moving = [f for f in fields if f.action not in (FieldAction.KEEP, FieldAction.AGREE)]
    return "; ".join(dict.fromkeys(f.reason for f in moving or fields if f.action is not FieldAction.KEEP))
