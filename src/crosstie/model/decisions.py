"""Decisions: what a record needs, field by field, before anything is written."""

from enum import StrEnum

import msgspec

from crosstie.model.couplings import Coupling
from crosstie.model.problems import ProblemField, WaitsFor
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar


class Preference(StrEnum):
    """What a person asks for with Synchronise Now; laid over the decision table, not a licence to overwrite."""

    MERGE = "merge"
    SEND = "to_remote"
    GET = "from_remote"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Under which circumstances a record is decided."""

    preference: Preference = Preference.MERGE
    on_purpose: bool = False
    """Named by a person: one-way fields are compared even if nothing changed, and an ineligible record is an error."""
    create_remote: bool = False
    """A local record without partner gets one."""
    create_local: bool = False


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one record on both sides. A side that is None has no record (or, uncoupled, none yet).

    `assumed` sides were not read: their values are those of the base and the coupling's version vouches for them.
    """

    coupling: Coupling | None
    local: Record | None
    remote: Record | None
    local_assumed: bool = False
    remote_assumed: bool = False
    local_in_filter: bool = True
    remote_in_filter: bool = True


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Why a field cannot be transferred: a cause of `model.causes`, in words, and whom it waits for."""

    code: str
    words: str
    waits_for: WaitsFor | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A value that was cut, rounded or left out on its way, where the mapping only warns of it."""

    field: str
    code: str
    words: str


class Transferred(msgspec.Struct, frozen=True, kw_only=True):
    """One side's record as the other side's values, by field mapping (its position in the compiled mapping)."""

    values: dict[int, Scalar]
    holds: dict[int, Hold] = {}
    findings: tuple[Finding, ...] = ()
    ineligible: str | None = None
    """Why the record is none that the mapping synchronises; None if it is."""


class FieldAction(StrEnum):
    """What a field needs."""

    KEEP = "keep"
    AGREE = "agree"
    """Both sides hold equal values that are not the base: only the base moves."""
    TO_REMOTE = "to_remote"
    TO_LOCAL = "to_local"
    CONFLICT = "conflict"
    HOLD = "hold"
    """The value cannot be transferred now; see `hold`."""


class FieldDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision for one field mapping. `value` is what is written, canonical for the side it goes to."""

    position: int
    name: str
    label: str
    action: FieldAction
    reason: str = ""
    local: Scalar = None
    remote: Scalar = None
    base_local: Scalar = None
    base_remote: Scalar = None
    value: Scalar = None
    lost: Scalar = None
    """The losing side's value where a policy or a person settled a conflict."""
    hold: Hold | None = None
    source: Side | None = None
    """The side whose value is written, or held on its way; None where none is."""


class RecordAction(StrEnum):
    """What a record needs as a whole."""

    CREATE_REMOTE = "create_remote"
    CREATE_LOCAL = "create_local"
    UPDATE = "update"
    """Write differing fields to either or both sides."""
    AGREE = "agree"
    """Nothing to write; base or versions move."""
    UNCHANGED = "unchanged"
    DELETE_REMOTE = "delete_remote"
    DELETE_LOCAL = "delete_local"
    UNCOUPLE = "uncouple"
    DELETION_CONFLICT = "deletion_conflict"
    FAIL = "fail"
    """Nothing can be written; `problem_code` says why."""
    IGNORE = "ignore"
    """Not a record of this mapping, or without partner while only coupled ones count: no counter moves."""
    SKIP = "skip"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision for one record.

    `to_local` and `to_remote` hold the values to write, by field of that side. A problem can stand beside writes:
    a conflict in one field does not keep the other fields from merging.
    """

    pair: Pair
    action: RecordAction
    reason: str = ""
    fields: tuple[FieldDecision, ...] = ()
    to_local: dict[str, Scalar] = {}
    to_remote: dict[str, Scalar] = {}
    findings: tuple[Finding, ...] = ()
    problem_code: str | None = None
    problem_words: str = ""
    problem_fields: tuple[ProblemField, ...] = ()
    waits_for: tuple[WaitsFor, ...] = ()
