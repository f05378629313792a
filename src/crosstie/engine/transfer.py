"""Transfer: one record of one side as the other side's values. Pure; what it needs to know is resolved before.

Values that do not fit are findings: by the mapping's policy they hold the field, or are cut and reported. Nothing is
cut in silence (engine rules F-1 to F-12, weakness W-20).
"""

from collections.abc import Mapping
from typing import Any

from crosstie.engine.compiling import CompiledField, CompiledMapping, LookUp, Ruled
from crosstie.engine.converting import NOTHING, Unfit, as_text, blank, fitted
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Finding, Hold, Transferred
from crosstie.model.mappings import FindingPolicy, LocalReference
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Record, Side
from crosstie.model.references import Reference
from crosstie.model.values import Scalar, normalise
from crosstie.rules.base import Ineligible, LeaveAlone, Value

WAITING = "waiting-for-partner"


class Resolved:
    """What a page of records of one side needs from outside: couplings by reference, facts of rules by field."""

    __slots__ = ("_facts", "_names", "_partners")

    def __init__(
        self,
        partners: Mapping[Reference, Coupling],
        facts: Mapping[int, Any],
        names: Mapping[Reference, str] | None = None,
    ) -> None:
        self._partners = partners
        self._facts = facts
        self._names = names or {}

    def called(self, reference: Reference) -> str:
        """Return how people call the record referred to: number or code where it is known, else what refers to it."""
        return self._names.get(reference, reference.value)

    def partner(self, reference: Reference) -> Coupling | None:
        """Return the coupling of the record referred to, None if it is not coupled."""
        return self._partners.get(reference)

    def facts(self, position: int) -> Any:
        """Return what the rule of that field has prepared."""
        return self._facts.get(position)


NOTHING_RESOLVED = Resolved({}, {})


def transfer(
    compiled: CompiledMapping, record: Record, source: Side, resolved: Resolved, *, creating: bool
) -> Transferred:
    """Return a record of `source` as values of the other side, by the position of the field mapping.

    A field that is to be left alone is in neither `values` nor `holds`. A field in both is one whose partner is not
    coupled and that is to be cleared meanwhile: the value is provisional (engine rule F-12).
    """
    plan = compiled.plan(source, creating=creating)
    get = record.values.get
    values: dict[int, Scalar] = dict(zip(plan.copied, map(get, plan.copied_from), strict=True))
    values.update(plan.constants)
    unfits: list[tuple[CompiledField, Unfit]] = []
    for field, position, name, convert, empty, keep_if_blank in plan.conversions:
        value = get(name)
        if value is None:
            if not keep_if_blank:
                values[position] = empty
        elif convert is None:
            values[position] = value
        else:
            try:
                values[position] = convert(value)
            except Unfit as unfit:
                unfits.append((field, unfit))
    if not (unfits or plan.lookups or plan.ruled):
        return Transferred(values=values)
    result = _Result(values, source)
    for field, reason in unfits:
        result.unfit(field, reason)
    for look_up in plan.lookups:
        result.look_up(look_up, get(look_up.source), resolved)
    for ruled in plan.ruled:
        result.rule(ruled, record, resolved, creating=creating)
    return Transferred(values=values, holds=result.holds, findings=tuple(result.findings), ineligible=result.ineligible)


class _Result:
    """Collects what is not a plain value."""

    __slots__ = ("findings", "holds", "ineligible", "source", "values")

    def __init__(self, values: dict[int, Scalar], source: Side) -> None:
        self.values = values
        self.source = source
        self.holds: dict[int, Hold] = {}
        self.findings: list[Finding] = []
        self.ineligible: str | None = None

    def unfit(self, field: CompiledField, unfit: Unfit) -> None:
        """Hold the field, or write what fits and say so."""
        words = f"{field.label}: {unfit.words}"
        if field.policy is FindingPolicy.FAIL:
            self.holds[field.position] = Hold(code=unfit.code, words=words)
            return
        if unfit.instead is not NOTHING:
            self.values[field.position] = unfit.instead  # type: ignore[assignment]
        self.findings.append(Finding(field=field.name, code=unfit.code, words=words))

    def look_up(self, step: LookUp, value: Scalar, resolved: Resolved) -> None:
        """Translate a reference through its coupling."""
        if value is None:
            self.value(step.field, blank(step.destination))
            return
        key = as_text(value)
        reference = Reference(step.mapping, self.source, step.by_key, key)
        coupling = resolved.partner(reference)
        found = None if coupling is None else self._partner(step, coupling)
        if found is not None:
            # Not checked against the options known: one that was added since the table was described is good too.
            self.values[step.field.position] = normalise(found, step.destination)
            return
        hold = Hold(
            code=WAITING,
            words=f"{step.field.label} {resolved.called(reference)} is not coupled (mapping {step.mapping}).",
            waits_for=WaitsFor(step.mapping, self.source, key),
        )
        self.hold(step.field, hold)

    def _partner(self, step: LookUp, coupling: Coupling) -> str | None:
        if self.source is Side.LOCAL:
            return coupling.remote_id
        lookup = step.field.mapping.lookup
        assert lookup is not None, "planned from a lookup"
        return coupling.local_id if lookup.local_reference is LocalReference.ID else coupling.local_key

    def rule(self, step: Ruled, record: Record, resolved: Resolved, *, creating: bool) -> None:
        """Ask a rule for its value."""
        field = step.field
        facts = resolved.facts(field.position)
        answer = step.rule.transfer(field.mapping, record, self.source, facts, creating=creating)
        match answer:
            case Value(value=value):
                try:
                    self.value(field, fitted(value, step.destination))
                except Unfit as unfit:
                    self.unfit(field, unfit)
            case Hold():
                self.hold(field, answer)
            case Ineligible(words=words):
                self.ineligible = self.ineligible or words
            case LeaveAlone():
                pass

    def value(self, field: CompiledField, value: Scalar) -> None:
        """Take a value, unless it is a blank that must not overwrite (engine rule F-8)."""
        if value is not None or not field.mapping.not_null:
            self.values[field.position] = value

    def hold(self, field: CompiledField, hold: Hold) -> None:
        """Hold a field; one that is cleared where its partner is not coupled gets a blank meanwhile."""
        self.holds[field.position] = hold
        if hold.code == WAITING and field.mapping.clear_value_on_failed_sync:
            destination = field.schema(self.source.other)
            self.values[field.position] = None if destination is None else blank(destination)
