"""Problems: open states of records that keep them from being in step."""

from datetime import datetime
from enum import StrEnum

import msgspec

from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from crosstie.model.values import Scalar


class ProblemClass(StrEnum):
    """Who or what can resolve a problem."""

    TRANSIENT = "transient"
    WAITING = "waiting"
    DATA = "data"
    CONFLICT = "conflict"
    SETUP = "setup"


class ProblemField(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one field that a problem is about."""

    field: str
    label: str = ""
    base_local: Scalar = None
    base_remote: Scalar = None
    local: Scalar = None
    remote: Scalar = None
    words: str = ""


class WaitsFor(msgspec.Struct, frozen=True):
    """A record that must be coupled first: by its key or its id on one side of `mapping`."""

    mapping: str
    side: Side
    key: str


class NewProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem as a job found it. A record has at most one open problem a mapping; a new one replaces the old.

    The record is named by its ids; for an uncoupled one only one of them is known.
    """

    mapping: str
    local_id: str | None
    remote_id: str | None
    coupling_id: int | None
    name: str
    problem_class: ProblemClass
    code: str
    words: str
    next_step: str
    direction: Direction | None = None
    fields: tuple[ProblemField, ...] = ()
    waits_for: tuple[WaitsFor, ...] = ()
    local_version: str | None = None
    remote_version: str | None = None
    job_id: int | None = None

    @property
    def record(self) -> tuple[Side, str]:
        """The side and id under which the problem is kept."""
        if self.local_id is not None:
            return Side.LOCAL, self.local_id
        return Side.REMOTE, self.remote_id or ""


class Problem(NewProblem, frozen=True, kw_only=True):
    """A stored problem. `attempts` counts how often in a row it came back with the same code and words."""

    id: int
    attempts: int
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None = None


class ProblemFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which open problems a list shows; what is left away restricts nothing."""

    mapping: str | None = None
    problem_class: ProblemClass | None = None
    code: str | None = None
    search: str = ""
    """Is in the record's name or in the words."""
    waits_for: WaitsFor | None = None


class ProblemGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Open problems of one cause, of those that wait only those for one record where `waits_for` names it."""

    code: str
    problem_class: ProblemClass
    waits_for: WaitsFor | None = None
    mappings: dict[str, int]
    """How many there are under each mapping."""
    new: int
    """So many were found since the time that was asked for."""
    oldest: datetime

    @property
    def count(self) -> int:
        return sum(self.mappings.values())
