"""The base of a coupling: whether a pair still agrees with it, and what it is after a decision was carried out."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Final

from crosstie.engine.compiling import CompiledField, CompiledMapping
from crosstie.engine.converting import blank
from crosstie.engine.merging import ABSENT, WRITES, Absent, Known
from crosstie.model.base import Base
from crosstie.model.decisions import Decision, FieldAction, FieldDecision, RecordAction
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar

_WRITTEN, _AGREED, _PENDING = range(3)
_CREATED: Final = {RecordAction.CREATE_LOCAL: Side.LOCAL, RecordAction.CREATE_REMOTE: Side.REMOTE}


def as_it_is(compiled: CompiledMapping, local: Record, remote: Record, chosen: Mapping[str, Side]) -> Base:
    """Return the base of two records that are coupled as they are, but for the fields of which a side was chosen."""
    mapped = compiled.mapped
    return Base(
        {name: local.values.get(name) for name in mapped[Side.LOCAL]},
        {name: remote.values.get(name) for name in mapped[Side.REMOTE]},
        dict(chosen),
    )


def in_agreement(compiled: CompiledMapping, base: Base, local: Record, remote: Record) -> bool:
    """Whether the base covers every mapped field and both records hold its values: nothing is left to be done.

    After a decision was carried out and the base has moved, False tells that the record is to be looked at again: a
    system has filled in or changed a mapped field by itself, or a field could not be dealt with in the same step.
    """
    held = ((Side.LOCAL, local), (Side.REMOTE, remote))
    return not base.chosen and all(holds_base(compiled, side, record.values, base) for side, record in held)


def holds_base(compiled: CompiledMapping, side: Side, values: Mapping[str, Scalar], base: Base) -> bool:
    """Whether the mapped fields of one side hold the values of the base."""
    names, kept = compiled.mapped[side], base.local if side is Side.LOCAL else base.remote
    return list(map(values.get, names)) == list(map(kept.get, names)) and all(map(kept.__contains__, names))


def keeps_base(field: CompiledField, found: FieldDecision, base: Base | None) -> bool:
    """Whether the base of a field must stay as it is: its change is not dealt with yet."""
    if found.action in (FieldAction.CONFLICT, FieldAction.HOLD):
        return True
    if found.action is not FieldAction.KEEP:
        return False
    if found.hold is not None or (base is not None and field.name in base.chosen):
        return True
    source = Side.LOCAL if field.to_remote else Side.REMOTE
    name = field.field_name(source)
    if name is None or field.both_ways:
        return False
    return (found.local if source is Side.LOCAL else found.remote) != _of(base, source).get(name, ABSENT)


def next_base(compiled: CompiledMapping, base: Base | None, decision: Decision, local: Record, remote: Record) -> Base:
    """Return the base after `decision` was carried out and both records are stored as given.

    A written field has the value as stored. Any other has the value on which the decision rests, not the one that is
    stored now: what a system changed by itself meanwhile is a change that is still to be carried over. Conflicting
    and held fields keep their base, or have none. But where one side's value was to be brought and is held, the other
    side's value becomes the base there: it is brought once it can be, unless that side is edited first.
    """
    return _Rebase(compiled, base, decision, local, remote).run()


class _Rebase:
    """Works out the next base; a field name that several field mappings share takes the most cautious entry."""

    __slots__ = ("base", "compiled", "created", "decided", "seen", "stored")

    def __init__(
        self, compiled: CompiledMapping, base: Base | None, decision: Decision, local: Record, remote: Record
    ) -> None:
        self.compiled = compiled
        self.base = base
        self.created = _CREATED.get(decision.action)
        self.decided = {found.position: found for found in decision.fields}
        self.seen = {Side.LOCAL: decision.pair.local, Side.REMOTE: decision.pair.remote}
        self.stored = {Side.LOCAL: local.values, Side.REMOTE: remote.values}

    def run(self) -> Base:
        """Return the base, its fields in the order of the mapping."""
        return Base(self._side(Side.LOCAL), self._side(Side.REMOTE), self._chosen())

    def _chosen(self) -> dict[str, Side]:
        """Return what a person chose and is not dealt with yet."""
        if self.base is None or not self.base.chosen:
            return {}
        found = {self.compiled.fields[each.position].name: each for each in self.decided.values()}
        fields = {field.name: field for field in self.compiled.fields}
        return {
            name: side
            for name, side in self.base.chosen.items()
            if name in found and (found[name].hold is not None or keeps_base(fields[name], found[name], self.base))
        }

    def _side(self, side: Side) -> dict[str, Scalar]:
        compiled, seen = self.compiled, self.seen[side]
        values = self.stored[side] if seen is None else seen.values
        # Most fields are as they were seen; the others are looked at one by one.
        kept: dict[str, Known] = {name: values.get(name) for name in compiled.mapped[side]}
        fields = self._to_look_at()
        for field in fields:
            if (name := field.field_name(side)) is not None:
                _, kept[name] = self._entry(field, side)
        for name, sharing in compiled.shared[side].items():
            # Of equals the last one counts.
            kept[name] = max(reversed([self._entry(field, side) for field in sharing]), key=itemgetter(0))[1]
        return {name: value for name, value in kept.items() if not isinstance(value, Absent)}

    def _to_look_at(self) -> list[CompiledField]:
        """Return the fields that do not simply hold what was seen, or stored in the record that was created."""
        compiled, decided = self.compiled, self.decided
        if self.created is None:
            return [compiled.fields[position] for position in decided]
        writes = WRITES[self.created]
        written = {position for position, found in decided.items() if found.action is writes}
        return [field for field in compiled.fields if field.position not in written]

    def _entry(self, field: CompiledField, side: Side) -> tuple[int, Known]:
        """Return the entry of a field on a side, and how cautious it is."""
        found = self.decided.get(field.position)
        if found is None:
            return _AGREED, self._agreed(field, found, side)
        if found.action is WRITES[side]:
            return _WRITTEN, self.stored[side].get(field.field_name(side) or "")
        if keeps_base(field, found, self.base):
            return _PENDING, self._pending(field, found, side)
        if found.hold is not None:
            return _PENDING, ABSENT
        return _AGREED, self._agreed(field, found, side)

    def _pending(self, field: CompiledField, found: FieldDecision, side: Side) -> Known:
        """Return the entry of a field that is not dealt with yet: what it was, or that the other side was chosen."""
        name = field.field_name(side) or ""
        kept = _of(self.base, side).get(name, ABSENT)
        if isinstance(kept, Absent) and field.both_ways and found.source is side.other:
            return self._now(field, side)
        return kept

    def _agreed(self, field: CompiledField, found: FieldDecision | None, side: Side) -> Known:
        if self.created is not None and found is None:
            return self._of_new(field, side)
        return self._now(field, side)

    def _of_new(self, field: CompiledField, side: Side) -> Known:
        """Return the entry of a field that was not written into the new record.

        A blank that was sent, where the system filled in a default, is a change of that system. A value of the new
        record that only flows back has no base yet, so that it flows with the next look; a blank stays where it is, and
        so does what a rule makes of it.
        """
        created = self.created
        assert created is not None, "asked only after a creation"
        schema, now = field.schema(created), self._now(field, created)
        if schema is not None and field.reaches(created):
            if not schema.creatable:
                return ABSENT
            if side is not created:
                return self._now(field, side)
            return blank(schema) if field.both_ways else now
        settled = field.mapping.create_only or field.rule is not None
        if settled or (schema is not None and now in (None, self._now(field, created.other))):
            return self._now(field, side)
        return ABSENT

    def _now(self, field: CompiledField, side: Side) -> Scalar:
        """Return the value on which the decision rests; of the new record, the one that is stored."""
        name, seen = field.field_name(side), self.seen[side]
        if name is None:
            return None
        return self.stored[side].get(name) if seen is None else seen.values.get(name)


def _of(base: Base | None, side: Side) -> Mapping[str, Scalar]:
    if base is None:
        return {}
    return base.local if side is Side.LOCAL else base.remote
