"""Jobs: runs of tasks, with counters and the journal of what they did to each record."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from crosstie.model.mappings import Direction
from crosstie.model.records import Side, WriteKind
from crosstie.model.values import Scalar


class JobKind(StrEnum):
    SYNCHRONISATION = "synchronisation"
    FULL_SYNCHRONISATION = "full_synchronisation"
    COUPLING = "coupling"
    UNCOUPLING = "uncoupling"
    UNDO = "undo"
    PLAN = "plan"
    """Looks at what another job would do; writes nothing."""


class JobState(StrEnum):
    QUEUED = "queued"
    """Waits for a worker, for its turn, or for the end of a pause."""
    RUNNING = "running"
    FINISHED = "finished"
    """Ran to its end; records of it may have failed."""
    FAILED = "failed"
    STOPPED = "stopped"
    """A guard stopped it before it did what it was about to do."""
    INTERRUPTED = "interrupted"
    """Its process died; its open intents were settled later. One that a worker ran goes on with the next worker."""
    CANCELLED = "cancelled"
    """A person stopped it between two pages; what was done until then stays."""


class Phase(StrEnum):
    """What a synchronisation is at, as its progress shows it."""

    SETTLING = "settling"
    """Asking what became of the writes of a process that died."""
    DUE = "due"
    """Records that an earlier job, or coupling, has left to be done."""
    CHANGES = "changes"
    DELETIONS = "deletions"
    RECORDS = "records"
    """Records that were named."""


class Counters(msgspec.Struct, kw_only=True):
    """What happened to the records of a job in one direction (engine section 7.6, with the differences on record)."""

    inserted: int = 0
    modified: int = 0
    deleted: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    coupled: int = 0
    uncoupled: int = 0

    def add(self, other: "Counters") -> None:
        """Add the figures of `other` to these."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the job log. `to_remote` and `from_remote` count the two directions of a bidirectional job apart."""

    id: int
    kind: JobKind
    mapping: str
    direction: Direction
    exclusive: bool
    """Works through the mapping as a whole; at most one such job of a mapping runs at a time."""
    state: JobState
    owner: str
    """Host, process and start time of the process that runs it."""
    started_at: datetime
    finished_at: datetime | None = None
    to_remote: Counters
    from_remote: Counters
    message: str = ""
    details: dict[str, Any] = {}
    parent_id: int | None = None
    """The job of which this one is a part: one mapping of several, or what follows once records are coupled."""
    done: int = 0
    """Records dealt with so far."""
    expected: int | None = None
    """So many records `done` may come to; None where nobody knows, or knows no more."""
    phase: str = ""
    cancel_requested: bool = False
    use_case: str = ""
    """What a worker is to call; empty where the process that wanted the job ran it itself."""
    arguments: dict[str, Any] = {}
    asked_by: str = ""
    scheduled: bool = False
    """The schedule wanted it, nobody waits for it."""
    not_before: datetime | None = None
    attempt: int = 0
    """How often the job has gone back to the queue."""
    failures: int = 0
    """How often in a row it could not go on because a system was out of reach."""
    recoveries: int = 0
    """How often it went on after its process had died."""

    @property
    def wanted_by(self) -> str:
        """Who wanted the job, in words; empty for one from before that was noted."""
        return "the schedule" if self.scheduled else self.asked_by

    @property
    def goes_on(self) -> bool:
        """Whether the job has not come to its end: it waits, runs, or was interrupted and goes on with a worker."""
        if self.state is JobState.INTERRUPTED:
            return bool(self.use_case)
        return self.state in (JobState.QUEUED, JobState.RUNNING)


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job for a worker, not stored yet."""

    kind: JobKind
    mapping: str
    """Empty for one that goes through several mappings, each as a part of its own."""
    direction: Direction
    exclusive: bool
    use_case: str
    arguments: dict[str, Any]
    asked_by: str = ""
    scheduled: bool = False


class Outcome(StrEnum):
    """What became of one record, as the journal and the counters name it."""

    INSERTED = "inserted"
    MODIFIED = "modified"
    DELETED = "deleted"
    SKIPPED = "skipped"
    FAILED = "failed"
    COUPLED = "coupled"
    UNCOUPLED = "uncoupled"


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field that was written, or whose change lost against the other side's."""

    field: str
    before: Scalar = None
    after: Scalar = None
    lost: Scalar = None
    """The value of the losing side of a conflict."""
    reason: str = ""


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a job did to one record on one side, with every field's value before and after."""

    job_id: int
    mapping: str
    coupling_id: int | None
    local_id: str | None
    remote_id: str | None
    name: str
    side: Side | None
    outcome: Outcome
    code: str = ""
    words: str = ""
    changes: tuple[FieldChange, ...] = ()
    at: datetime
    id: int = 0


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What is about to be written, committed before it is sent; open until its outcome is recorded."""

    id: str
    """Unique, chosen by the job."""
    job_id: int
    mapping: str
    side: Side
    table: str
    kind: WriteKind
    record_id: str | None
    """None for a create in a table that does not take client ids."""
    coupling_id: int | None
    source_id: str | None
    """The record on the other side that a create copies."""
    values: dict[str, Scalar]
    expected_version: str | None
    created_at: datetime
    changes: tuple[FieldChange, ...] = ()
    """What an update or a deletion does to the record, for the history if the job does not live to write it."""


class DueReason(StrEnum):
    """Why a record is looked at again although no feed names it."""

    INTERRUPTED = "interrupted"
    PARTNER_COUPLED = "partner_coupled"
    RETRY = "retry"
    MAPPING_CHANGED = "mapping_changed"
    FOLLOW_UP = "follow_up"
    """A system changed mapped fields by itself when it was written; the other side has not got them yet."""
    HELD_BACK = "held_back"
    """A job of one direction went past what the other one is to carry over: a change, or what follows a deletion."""
    COUPLED_MERGE = "coupled_merge"
    """Just coupled, to be brought in step; nobody's data was preferred."""
    COUPLED_SEND = "coupled_send"
    """Just coupled, to be brought in step with local data winning."""
    COUPLED_GET = "coupled_get"


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a mapping that the next job looks at, not before `not_before`."""

    mapping: str
    side: Side
    record_id: str
    reason: DueReason
    not_before: datetime
    create: bool = False
    """A missing partner is to be created even where the mapping synchronises only coupled records."""
