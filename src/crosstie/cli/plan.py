"""Plans: what a dry run decides for each record, shown as it comes, so that memory does not grow with the plan."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from crosstie.app.planned import record_name
from crosstie.cli.terminal import safe, say, value_text, words_of
from crosstie.model.decisions import Decision, FieldAction, FieldDecision, RecordAction
from crosstie.model.records import Side
from crosstie.model.values import Scalar

if TYPE_CHECKING:
    from crosstie.cli.documents import StreamedDocument
    from crosstie.model.mappings import Mapping

_UNEVENTFUL = frozenset({RecordAction.UNCHANGED, RecordAction.AGREE, RecordAction.IGNORE})
_WRITES = {FieldAction.TO_REMOTE: Side.REMOTE, FieldAction.TO_LOCAL: Side.LOCAL}


def is_shown(decision: Decision) -> bool:
    """Whether a plan names the record: something would be written, removed, or is in the way."""
    return decision.action not in _UNEVENTFUL or decision.problem_code is not None


class PlanInWords:
    """Prints each decision as lines of text."""

    def __init__(self) -> None:
        self._mapping: Mapping | None = None
        self._headed = False

    def begin(self, mapping: "Mapping") -> None:
        """Say whose records follow."""
        self._mapping, self._headed = mapping, False

    def decided(self, decision: Decision) -> None:
        """Print a record's lines."""
        if self._mapping is None or not is_shown(decision):
            return
        if not self._headed:
            say(f"{self._mapping.name}: plan")
            self._headed = True
        for line in _lines(self._mapping, decision):
            say(line)

    def progress(self, done: int) -> None:
        """Take no notice: the plan itself shows how far it is."""


class PlanAsDocument:
    """Writes each decision as an item of a document's list."""

    def __init__(self, document: "StreamedDocument") -> None:
        self._document = document
        self._mapping: Mapping | None = None

    def begin(self, mapping: "Mapping") -> None:
        """Say whose records follow."""
        self._mapping = mapping

    def decided(self, decision: Decision) -> None:
        """Write a record's item."""
        if self._mapping is not None and is_shown(decision):
            self._document.add(_item(self._mapping, decision))

    def progress(self, done: int) -> None:
        """Take no notice."""


# --- in words ---------------------------------------------------------------------------------------------


def _lines(mapping: "Mapping", decision: Decision) -> Iterator[str]:
    reason = f" ({safe(decision.reason)})" if decision.reason else ""
    yield f"{safe(record_name(mapping, decision))}: {words_of(decision.action)}{reason}"
    for field in decision.fields:
        if line := _field_line(field):
            yield f"  {line}"
    for side, name, before, after in _bare_writes(decision):
        yield f"  {safe(name)}: {value_text(before)} → {value_text(after)}  to {side}"
    for finding in decision.findings:
        yield f"  {safe(finding.field)}: {finding.code}: {safe(finding.words)}"
    if decision.problem_code is not None:
        yield f"  {decision.problem_code}: {safe(decision.problem_words)}".rstrip(": ")


def _field_line(field: FieldDecision) -> str | None:
    label = safe(field.label or field.name)
    match field.action:
        case FieldAction.TO_REMOTE | FieldAction.TO_LOCAL:
            lost = f"  {value_text(field.lost)} is lost" if field.lost is not None else ""
            reason = f"  ({safe(field.reason)})" if field.reason else ""
            change = f"{value_text(_before(field))} → {value_text(field.value)}"
            return f"{label}: {change}  to {_WRITES[field.action].value}{reason}{lost}"
        case FieldAction.CONFLICT:
            now = f"local {value_text(field.local)}, remote {value_text(field.remote)}"
            return f"{label}: conflict  base {_base_text(field)}, {now}"
        case FieldAction.HOLD:
            words = field.hold.words if field.hold else field.reason
            return f"{label}: held  {safe(words)}"
        case _:
            return None


def _base_text(field: FieldDecision) -> str:
    if field.base_local == field.base_remote:
        return value_text(field.base_local)
    return f"{value_text(field.base_local)} local and {value_text(field.base_remote)} remote"


# --- as documents -----------------------------------------------------------------------------------------


def _item(mapping: "Mapping", decision: Decision) -> dict[str, Any]:
    pair, coupling = decision.pair, decision.pair.coupling
    problem = {"code": decision.problem_code, "words": decision.problem_words} if decision.problem_code else None
    bare = [
        {"field": name, "label": name, **_change(side, before, after, "")}
        for side, name, before, after in _bare_writes(decision)
    ]
    return {
        "mapping": mapping.name,
        "record": {
            "name": record_name(mapping, decision),
            "local_id": pair.local.id if pair.local else coupling.local_id if coupling else None,
            "remote_id": pair.remote.id if pair.remote else coupling.remote_id if coupling else None,
        },
        "action": decision.action,
        "reason": decision.reason,
        "fields": [item for field in decision.fields if (item := _field_item(field))] + bare,
        "findings": decision.findings,
        "problem": problem,
        "waits_for": decision.waits_for,
    }


def _field_item(field: FieldDecision) -> dict[str, Any] | None:
    named = {"field": field.name, "label": field.label or field.name}
    match field.action:
        case FieldAction.TO_REMOTE | FieldAction.TO_LOCAL:
            lost = {"lost": field.lost} if field.lost is not None else {}
            return named | _change(_WRITES[field.action], _before(field), field.value, field.reason) | lost
        case FieldAction.CONFLICT:
            base = {"local": field.base_local, "remote": field.base_remote}
            return named | {
                "action": "conflict",
                "base": base,
                "local": field.local,
                "remote": field.remote,
                "reason": field.reason,
            }
        case FieldAction.HOLD:
            hold = field.hold
            return named | {
                "action": "hold",
                "code": hold.code if hold else "",
                "words": hold.words if hold else "",
                "local": field.local,
                "remote": field.remote,
            }
        case _:
            return None


def _change(side: Side, before: object, after: object, reason: str) -> dict[str, Any]:
    return {"action": "write", "side": side, "before": before, "after": after, "reason": reason}


# --- both -------------------------------------------------------------------------------------------------


def _before(field: FieldDecision) -> object:
    """Return the value that the write replaces, on the side that it goes to."""
    return field.remote if field.action is FieldAction.TO_REMOTE else field.local


def _bare_writes(decision: Decision) -> Iterator[tuple[Side, str, Scalar, Scalar]]:
    """Yield side, field, value before and after of writes to a side that no field's decision speaks of."""
    decided = {_WRITES.get(field.action) for field in decision.fields}
    pair = decision.pair
    for side, record, values in (
        (Side.REMOTE, pair.remote, decision.to_remote),
        (Side.LOCAL, pair.local, decision.to_local),
    ):
        if side not in decided:
            for name, after in values.items():
                yield side, name, record.values.get(name) if record is not None else None, after
