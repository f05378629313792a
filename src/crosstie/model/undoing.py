"""What undoing comes to, record by record."""

from enum import StrEnum

import msgspec

from crosstie.model.leaving import Left
from crosstie.model.records import Side
from crosstie.model.values import Scalar


class UndoOutcome(StrEnum):
    """What an undo did to a record, or, as a plan, would do."""

    PUT_BACK = "put_back"
    """Fields hold their previous values again."""
    DELETED = "deleted"
    """A record that had been created is deleted, and so is its coupling."""
    CREATED = "created"
    """A record that had been deleted exists again."""
    COUPLED = "coupled"
    """What had been uncoupled is coupled again."""
    UNCOUPLED = "uncoupled"
    UNCHANGED = "unchanged"
    """It was as before already."""
    LEFT = "left"
    """It was touched since, or cannot be undone; `words` say which."""
    FAILED = "failed"
    """The system did not take it; `words` are its reason."""


class UndoneField(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is put back: what it held until now, and what it holds then."""

    side: Side
    field: str
    label: str
    before: Scalar
    after: Scalar


class UndoneRow(msgspec.Struct, frozen=True, kw_only=True):
    """One record, or coupled pair, of an undo. `code` and the words are empty unless it was left or failed."""

    mapping: str
    local_id: str | None
    remote_id: str | None
    name: str
    outcome: UndoOutcome
    fields: tuple[UndoneField, ...] = ()
    code: str = ""
    words: str = ""
    next_step: str = ""

    def as_left(self) -> Left:
        """Return the record as one that was left as it is."""
        return Left(
            mapping=self.mapping,
            local_id=self.local_id,
            remote_id=self.remote_id,
            name=self.name,
            code=self.code,
            words=self.words,
            next_step=self.next_step,
        )
