"""Decisions on a record without partner: create it, or deal with its deletion. Pure."""

from typing import Final

from crosstie.engine.compiling import CompiledField, CompiledMapping
from crosstie.engine.merging import BLOCKED, HELD_BACK, WRITES
from crosstie.engine.verdicts import ineligible, out_of_filter, problem_of, writes_to
from crosstie.model.base import Base
from crosstie.model.decisions import (
    Decision,
    FieldAction,
    FieldDecision,
    Hold,
    Pair,
    RecordAction,
    Request,
    Transferred,
)
from crosstie.model.mappings import DeletionConflictResolution
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar

_CREATES: Final = {Side.LOCAL: RecordAction.CREATE_LOCAL, Side.REMOTE: RecordAction.CREATE_REMOTE}
_DELETES: Final = {Side.LOCAL: RecordAction.DELETE_LOCAL, Side.REMOTE: RecordAction.DELETE_REMOTE}
_NOTHING: Final = Transferred(values={})


def decide_partnerless(
    compiled: CompiledMapping, pair: Pair, base: Base | None, moved: Transferred | None, request: Request
) -> Decision:
    """Return what a pair needs of which at least one side has no record; `moved` is the other one, transferred."""
    if pair.local is None and pair.remote is None:
        if pair.coupling is None:
            return Decision(pair=pair, action=RecordAction.IGNORE, reason="no record on either side")
        return both_gone(pair)
    source = Side.REMOTE if pair.local is None else Side.LOCAL
    if pair.coupling is None:
        return _uncoupled(compiled, pair, source, moved, request)
    return _partner_deleted(compiled, pair, source, base, moved, request)


def both_gone(pair: Pair) -> Decision:
    """Return the decision on a coupling of which neither record exists any more."""
    return Decision(
        pair=pair, action=RecordAction.UNCOUPLE, reason="both records are deleted", problem_code="both-deleted"
    )


def _uncoupled(
    compiled: CompiledMapping, pair: Pair, source: Side, moved: Transferred | None, request: Request
) -> Decision:
    target = source.other
    if not _create_asked(request, target) or not compiled.mapping.reaches(target):
        return Decision(pair=pair, action=RecordAction.IGNORE, reason="not coupled")
    if request.preference is BLOCKED[target]:
        return Decision(pair=pair, action=RecordAction.IGNORE, reason=HELD_BACK)
    if not (pair.local_in_filter and pair.remote_in_filter):
        return ineligible(pair, "The record is outside of the mapping's filter.", request)
    if not compiled.schema(target).creatable:
        return ineligible(pair, f"Records of {compiled.schema(target).name} cannot be created.", request)
    return _create(compiled, pair, source, moved or _NOTHING, request, "not coupled yet")


def _create_asked(request: Request, target: Side) -> bool:
    return request.create_remote if target is Side.REMOTE else request.create_local


def _create(
    compiled: CompiledMapping, pair: Pair, source: Side, moved: Transferred, request: Request, reason: str
) -> Decision:
    """Return the decision to create the partner; any field that cannot be transferred fails it."""
    if moved.ineligible:
        return ineligible(pair, moved.ineligible, request)
    record = pair.local if source is Side.LOCAL else pair.remote
    assert record is not None, "a create copies a record"
    target = source.other
    fields = tuple(
        found for field in compiled.fields if (found := _field_of_new(field, source, record, moved)) is not None
    )
    problem = problem_of(fields)
    if problem.get("problem_code"):
        held = tuple(found for found in fields if found.action is FieldAction.HOLD)
        return Decision(pair=pair, action=RecordAction.FAIL, reason="cannot be created", fields=held, **problem)
    writes = writes_to(compiled, fields, target)
    return Decision(
        pair=pair,
        action=_CREATES[target],
        reason=reason,
        fields=fields,
        to_local=writes if target is Side.LOCAL else {},
        to_remote=writes if target is Side.REMOTE else {},
        findings=moved.findings,
        **problem,
    )


def _field_of_new(field: CompiledField, source: Side, record: Record, moved: Transferred) -> FieldDecision | None:
    name = field.field_name(source)
    value = record.values.get(name) if name else None
    hold = moved.holds.get(field.position)
    given = moved.values.get(field.position)
    if hold is not None:
        action = FieldAction.KEEP if field.position in moved.values else FieldAction.HOLD
        return _plain(field, source, value, action, "cannot be transferred", hold=hold)
    if given is not None:
        return _plain(field, source, value, WRITES[source.other], f"comes from the {source} side", given=given)
    if name and field.mapping.constant is not None and field.mapping.constant == value:
        return _plain(field, source, value, FieldAction.AGREE, "constant")
    return None


def _plain(
    field: CompiledField,
    side: Side,
    value: Scalar,
    action: FieldAction,
    reason: str,
    *,
    given: Scalar = None,
    lost: Scalar = None,
    hold: Hold | None = None,
) -> FieldDecision:
    """Return the decision for a field of which only `side` has a value."""
    return FieldDecision(
        position=field.position,
        name=field.name,
        label=field.label,
        action=action,
        reason=reason,
        local=value if side is Side.LOCAL else None,
        remote=value if side is Side.REMOTE else None,
        value=given,
        lost=lost,
        hold=hold,
    )


def _partner_deleted(
    compiled: CompiledMapping,
    pair: Pair,
    source: Side,
    base: Base | None,
    moved: Transferred | None,
    request: Request,
) -> Decision:
    """The record of `source` has lost its partner (engine rules X-10 to X-13)."""
    mapping, target = compiled.mapping, source.other
    if not request.on_purpose and not (pair.local_in_filter and pair.remote_in_filter):
        return out_of_filter(pair)
    policy = mapping.deletion_conflict
    if request.on_purpose and _create_asked(request, target):
        policy = DeletionConflictResolution.RESTORE
    written = _settled_by_writing_to(compiled, policy, source)
    if written is not None and request.preference is BLOCKED[written]:
        return _held_back(pair, target, request)
    match policy:
        case DeletionConflictResolution.RESTORE if written is not None:
            reason = f"restored: the {target} record was deleted"
            return _create(compiled, pair, source, moved or _NOTHING, request, reason)
        case DeletionConflictResolution.UNCOUPLE:
            return Decision(
                pair=pair, action=RecordAction.UNCOUPLE, reason=f"the {target} record was deleted: uncoupled by policy"
            )
        case DeletionConflictResolution.DELETE if written is not None:
            reason = f"the {target} record was deleted: deleted by policy"
            return delete_survivor(compiled, pair, source, base, reason)
    return _asked(pair, f"the {target} record was deleted", f"The {target} record that it is coupled to was deleted.")


def _settled_by_writing_to(
    compiled: CompiledMapping, policy: DeletionConflictResolution, survivor: Side
) -> Side | None:
    """Return the side that the policy writes to; None where it writes nowhere, or to where it cannot."""
    match policy:
        case DeletionConflictResolution.RESTORE if compiled.schema(survivor.other).creatable:
            side = survivor.other
        case DeletionConflictResolution.DELETE if compiled.schema(survivor).deletable:
            side = survivor
        case _:
            return None
    return side if compiled.mapping.reaches(side) else None


def _held_back(pair: Pair, target: Side, request: Request) -> Decision:
    """A job of the other direction leaves a deletion to the next; only who has named the record is asked."""
    if request.on_purpose:
        return _asked(pair, HELD_BACK, f"The {target} record that it is coupled to was deleted, and {HELD_BACK}.")
    return Decision(pair=pair, action=RecordAction.IGNORE, reason=HELD_BACK)


def _asked(pair: Pair, reason: str, words: str) -> Decision:
    return Decision(
        pair=pair,
        action=RecordAction.DELETION_CONFLICT,
        reason=reason,
        problem_code="partner-deleted",
        problem_words=words,
    )


def delete_survivor(compiled: CompiledMapping, pair: Pair, source: Side, base: Base | None, reason: str) -> Decision:
    """Return the decision to delete the record that is left, on `source`.

    Its mapped values, and above all its unsynchronised changes, go on record.
    """
    record = pair.local if source is Side.LOCAL else pair.remote
    assert record is not None, "a delete has a record"
    kept = {} if base is None else base.local if source is Side.LOCAL else base.remote
    fields = []
    for field in compiled.fields:
        if (name := field.field_name(source)) is None:
            continue
        value = record.values.get(name)
        lost = None if name in kept and kept[name] == value else value
        fields.append(_plain(field, source, value, FieldAction.KEEP, "deleted with its record", lost=lost))
    return Decision(pair=pair, action=_DELETES[source], reason=reason, fields=tuple(fields))
