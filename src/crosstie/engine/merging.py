"""Merging: what one field needs, from its values on both sides, the base, and what each value is on the other side.

This is the table "Decision for one field" of the design. Only values decide; times never tell what has changed.
"""

from typing import Final, NamedTuple, TypeAlias

import msgspec

from crosstie.engine.compiling import CompiledField
from crosstie.engine.converting import is_blank, same
from crosstie.model.decisions import FieldAction, FieldDecision, Hold, Preference
from crosstie.model.mappings import UpdateConflictResolution
from crosstie.model.records import Side
from crosstie.model.values import Scalar


class Absent:
    """The type of `ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""No base, or no value for the other side: the field is left alone there, or that side was not read."""
Known: TypeAlias = Scalar | Absent

WRITES: Final = {Side.LOCAL: FieldAction.TO_LOCAL, Side.REMOTE: FieldAction.TO_REMOTE}
BLOCKED: Final = {Side.LOCAL: Preference.SEND, Side.REMOTE: Preference.GET}
"""The preference under which nothing is written to a side."""
HELD_BACK: Final = "only the other direction was asked for"
_PROVISIONAL: Final = "blank until its partner is coupled"
CHANGED_ON_BOTH: Final = "changed on both sides"
_NO_BASE: Final = "no base, and the sides differ"
_WINNERS: Final = {UpdateConflictResolution.SEND: Side.LOCAL, UpdateConflictResolution.GET: Side.REMOTE}


class Seen(NamedTuple):
    """One side of a field. `moved` is its value as the other side's, `hold` why that cannot be told (for now).

    A side on which the field mapping names no field never changes.
    """

    value: Scalar
    base: Known
    moved: Known
    hold: Hold | None

    @property
    def changed(self) -> bool:
        """Whether the value is another than the one last agreed on."""
        return isinstance(self.base, Absent) or self.value != self.base


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of the record as a whole. `changed` are the sides on which any mapped field is."""

    preference: Preference
    on_purpose: bool
    changed: frozenset[Side]
    newest: Side | None


def merge(
    field: CompiledField, local: Seen, remote: Seen, around: Circumstances, chosen: Side | None = None
) -> FieldDecision | None:
    """Return what the field needs; None if it is to be kept and there is nothing to say about it.

    `chosen` is the side whose value a person chose when the two were coupled, if that was not carried out yet.
    """
    if field.both_ways:
        return _Field(field, local, remote, around, chosen).both_ways()
    source = Side.LOCAL if field.to_remote else Side.REMOTE
    return _Field(field, local, remote, around, chosen).one_way(source)


class _Field:
    """One field on its way to a decision."""

    __slots__ = ("around", "chosen", "field", "seen")

    def __init__(
        self, field: CompiledField, local: Seen, remote: Seen, around: Circumstances, chosen: Side | None
    ) -> None:
        self.field = field
        self.seen = {Side.LOCAL: local, Side.REMOTE: remote}
        self.around = around
        self.chosen = chosen

    # --- one way ----------------------------------------------------------------------------------------------

    def one_way(self, source: Side) -> FieldDecision | None:
        """The source is the authority, whenever its record changed or was named by a person."""
        target = source.other
        seen, there = self.seen[source], self.seen[target]
        own_change = seen.changed or self.chosen is not None
        if self.around.preference is BLOCKED[target]:
            if own_change:
                return self._decided(FieldAction.KEEP, HELD_BACK)
            return self._drift(target)
        volatile = self.field.rule is not None and self.field.rule.volatile
        looks = self.around.on_purpose or volatile or own_change or isinstance(there.base, Absent)
        if not looks and (source not in self.around.changed or seen.hold is not None):
            return self._drift(target)
        lost = there.changed or self.chosen is not None
        return self._bring(source, self._one_way_reason(source, seen.changed), lost=lost)

    def _one_way_reason(self, source: Side, own_change: bool) -> str:
        if self.field.field_name(source) is None:
            return "constant" if self.field.rule is None else f"rule {self.field.rule.name}"
        if own_change and not isinstance(self.seen[source].base, Absent):
            return f"changed {_where(source)}"
        return f"comes from the {source} side"

    def _drift(self, target: Side) -> FieldDecision | None:
        if not self.seen[target].changed:
            return None
        return self._decided(FieldAction.KEEP, f"changed {_where(target)}, where it does not count")

    # --- both ways --------------------------------------------------------------------------------------------

    def both_ways(self) -> FieldDecision | None:
        """Three-way merge."""
        local, remote = self.seen[Side.LOCAL], self.seen[Side.REMOTE]
        match self.around.preference:
            case Preference.SEND:
                return self._chosen(Side.LOCAL)
            case Preference.GET:
                return self._chosen(Side.REMOTE)
        if self.chosen is not None:
            return self._chosen(self.chosen)
        if isinstance(local.base, Absent) and isinstance(remote.base, Absent):
            return self._without_base()
        if not local.changed and not remote.changed:
            return None
        if local.changed and remote.changed:
            if self._equal():
                return self._decided(FieldAction.AGREE, "changed on both sides to the same value")
            return self._conflict(CHANGED_ON_BOTH)
        source = Side.LOCAL if local.changed else Side.REMOTE
        if self._equal():
            return self._decided(FieldAction.AGREE, f"changed {_where(source)}; the other side holds it already")
        return self._bring(source, f"changed {_where(source)}")

    def _chosen(self, source: Side) -> FieldDecision | None:
        """A person chose a side: what differs is written, and a change that loses is kept on record."""
        seen, there = self.seen[source], self.seen[source.other]
        if self._equal():
            return self._decided(FieldAction.AGREE, "equal on both sides") if seen.changed or there.changed else None
        lost = there.changed or self.chosen is not None
        return self._bring(source, f"the {source} side was chosen", lost=lost)

    def _without_base(self) -> FieldDecision | None:
        if self._equal():
            return self._decided(FieldAction.AGREE, "equal on both sides")
        filled = [side for side in Side if not self._blank(side)]
        if len(filled) == 1:
            return self._bring(filled[0], "no base: taken because the other side is blank")
        return self._conflict(_NO_BASE)

    def _conflict(self, why: str) -> FieldDecision | None:
        holds = [seen.hold for seen in self.seen.values() if seen.hold is not None]
        if len(holds) == len(self.seen):
            # Neither value is known on the other side yet: they may turn out to mean the same.
            return self._decided(FieldAction.HOLD, why, hold=holds[0])
        resolution = self.field.resolution
        winner = self.around.newest if resolution is UpdateConflictResolution.NEWEST else _WINNERS.get(resolution)
        if winner is None and holds and why == _NO_BASE:
            # Nobody has edited anything, and whether the sides differ at all is not known yet.
            return self._decided(FieldAction.HOLD, why, hold=holds[0])
        if winner is None:
            return self._decided(FieldAction.CONFLICT, why)
        told = "the newer side wins" if resolution is UpdateConflictResolution.NEWEST else f"the {winner} side wins"
        return self._bring(winner, f"{why}: {told} by policy", lost=True)

    # --- what both have in common -----------------------------------------------------------------------------

    def _bring(self, source: Side, reason: str, *, lost: bool = False) -> FieldDecision | None:
        """Bring the value of `source` to the other side, if it can be and is not there yet."""
        seen, there = self.seen[source], self.seen[source.other]
        if isinstance(seen.moved, Absent):
            if seen.hold is not None:
                return self._decided(FieldAction.HOLD, "cannot be transferred", hold=seen.hold, source=source)
            news = seen.changed or there.changed
            return self._decided(FieldAction.AGREE, "left alone on the other side") if news else None
        if self._same(seen.moved, there.value, source.other):
            if seen.hold is not None:
                return self._decided(FieldAction.KEEP, _PROVISIONAL, hold=seen.hold)
            news = seen.changed or there.changed
            return self._decided(FieldAction.AGREE, "the other side holds it already") if news else None
        return self._decided(
            WRITES[source.other],
            reason if seen.hold is None else _PROVISIONAL,
            value=seen.moved,
            lost=there.value if lost else None,
            hold=seen.hold,
            source=source,
        )

    def _equal(self) -> bool:
        """Whether the two sides hold the same value: one of them is what the other one becomes."""
        return any(
            seen.hold is None
            and not isinstance(seen.moved, Absent)
            and self._same(seen.moved, self.seen[side.other].value, side.other)
            for side, seen in self.seen.items()
        )

    def _same(self, moved: Scalar, stored: Scalar, side: Side) -> bool:
        schema = self.field.schema(side)
        return moved == stored if schema is None else same(moved, stored, schema)

    def _blank(self, side: Side) -> bool:
        schema = self.field.schema(side)
        return schema is None or is_blank(self.seen[side].value, schema)

    def _decided(
        self,
        action: FieldAction,
        reason: str,
        *,
        value: Scalar = None,
        lost: Scalar = None,
        hold: Hold | None = None,
        source: Side | None = None,
    ) -> FieldDecision:
        local, remote = self.seen[Side.LOCAL], self.seen[Side.REMOTE]
        return FieldDecision(
            position=self.field.position,
            name=self.field.name,
            label=self.field.label,
            action=action,
            reason=reason,
            local=local.value,
            remote=remote.value,
            base_local=None if isinstance(local.base, Absent) else local.base,
            base_remote=None if isinstance(remote.base, Absent) else remote.base,
            value=value,
            lost=lost,
            hold=hold,
            source=source,
        )


def _where(side: Side) -> str:
    return "locally" if side is Side.LOCAL else "remotely"
