"""What a job carries with it through the house: systems, store, compiled mapping, task, guards, and who watches."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from crosstie.engine.compiling import CompiledMapping
from crosstie.model.decisions import Decision, Preference
from crosstie.model.filter_words import in_words
from crosstie.model.jobs import Counters, Job
from crosstie.model.records import Side
from crosstie.model.values import Values
from crosstie.rules.base import RuleAccess
from crosstie.store.base import Store
from crosstie.systems.base import System


class Scope(StrEnum):
    """Which records a job looks at."""

    CHANGES = "changes"
    """What changed since the cursors, and what is due."""
    FULL = "full"
    """Every record of the mapping, whatever the cursors say."""
    DUE = "due"
    """What an earlier job, or coupling, has left to be done."""
    RECORDS = "records"
    """Those named."""


class Guards(msgspec.Struct, frozen=True, kw_only=True):
    """Limits at which a job stops and asks. A limit holds if both its number and its percentage are exceeded."""

    delete_records: int = 50
    delete_percent: int = 10
    overwrite_records: int | None = None
    """Most records that a job may modify; None: as many as have changed."""
    forced: bool = False
    """The person has seen the plan and wants it carried out all the same."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a synchronisation is asked to do."""

    scope: Scope = Scope.CHANGES
    records: tuple[tuple[Side, str], ...] = ()
    preference: Preference = Preference.MERGE
    create: bool = False
    """Also create and couple the partner of what has none, in the directions that the mapping allows."""
    on_purpose: bool = False
    """A person named the records."""
    dry_run: bool = False
    patient: bool = False
    """Leave records whose back-off has not run out for a later job, as a scheduled job does."""


class Observer(Protocol):
    """Sees every decision before it is carried out, and is told how far the job is."""

    def decided(self, decision: Decision) -> None: ...

    def progress(self, done: int) -> None: ...


class Silent:
    """The observer of a job that nobody watches."""

    def decided(self, decision: Decision) -> None:
        """Take no notice."""

    def progress(self, done: int) -> None:
        """Take no notice."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A record that the job could not bring in step, as the report names it."""

    local_id: str | None
    remote_id: str | None
    name: str
    code: str
    words: str
    next_step: str


class Report(msgspec.Struct, kw_only=True):
    """What a job did: counters of both directions and the records that failed (at most `MOST_FAILURES` by name)."""

    mapping: str
    job_id: int | None
    dry_run: bool
    to_remote: Counters = msgspec.field(default_factory=Counters)
    from_remote: Counters = msgspec.field(default_factory=Counters)
    failures: list[Failure] = msgspec.field(default_factory=list)
    message: str = ""

    @property
    def failed(self) -> int:
        return self.to_remote.failed + self.from_remote.failed


MOST_FAILURES = 1000
PAGE = 1000
"""Records that go through pairing, decision and planning at once."""


@dataclass(slots=True)
class Assignment:
    """What a worker was given to do: a job that is in the log already.

    The first run of the use case is that job itself; what the use case runs after it are parts of that job.
    """

    job: Job
    begun: bool = False
    """Whether the job is under way, so that whatever runs now is a part of it."""
    halted: Callable[[], bool] = lambda: False
    """Whether the worker is to end, so that the job is to stop at the end of its page."""


def _anything(decision: Decision) -> bool:
    return True


@dataclass(slots=True)
class Context:
    """One job on one mapping. Holds no records: memory does not grow with the table."""

    compiled: CompiledMapping
    systems: Mapping[Side, System]
    store: Store
    access: RuleAccess
    now: Callable[[], datetime]
    alive: Callable[[str], bool]
    """Whether the process of a job's owner still runs."""
    task: Task
    guards: Guards = field(default_factory=Guards)
    observer: Observer = field(default_factory=Silent)
    assignment: Assignment | None = None
    """None where the process that wants the job runs it itself."""
    phase: str = ""
    """What the job is at, for those who watch it."""
    job_id: int = 0
    agreed: Callable[[Decision], bool] = _anything
    """Whether a decision may be carried out: where a person has agreed to a plan, only what was shown."""
    tallied: bool = False
    """Whether the job may be called again after its process has died, so that what records came to is kept."""
    reopened: set[int] = field(default_factory=set)
    """The couplings at which an earlier process of the job was when it died."""
    part_of: int | None = None
    """The job that this one follows up, so that the two can be undone together."""
    report: Report = field(init=False)
    started_at: datetime = field(init=False)
    admits: dict[Side, Callable[[Values], bool]] = field(default_factory=dict)
    filter_fields: dict[Side, Collection[str]] = field(default_factory=dict)

    chosen_ids: dict[tuple[Side, str], str] = field(default_factory=dict)
    """Ids of creates that may still arrive, by the side and source of the create: a second attempt uses the same."""
    overwrites: int = 0

    def __post_init__(self) -> None:
        self.started_at = self.now()
        self.report = Report(mapping=self.compiled.mapping.name, job_id=None, dry_run=self.task.dry_run)

    @property
    def mapping_name(self) -> str:
        return self.compiled.mapping.name

    def reads(self, side: Side) -> tuple[str, ...]:
        """Return the fields to read of a side: those of the mapping and those of its filter."""
        return tuple(dict.fromkeys((*self.compiled.reads(side), *self.filter_fields.get(side, ()))))

    def in_filter(self, side: Side, values: Values) -> bool:
        """Whether the mapping's filter admits a record of that side."""
        admits = self.admits.get(side)
        return admits is None or admits(values)

    def filter_words(self, side: Side) -> str:
        """Return in words what the mapping's filter admits of that side."""
        return in_words(self.compiled.mapping.filter(side), self.compiled.schema(side))

    def counters(self, target: Side) -> Counters:
        """Return the counters of the direction that writes to `target`."""
        return self.report.to_remote if target is Side.REMOTE else self.report.from_remote

    def takes_ids(self, side: Side) -> bool:
        """Whether a create on that side may bring its own id."""
        schema = self.compiled.local_schema if side is Side.LOCAL else self.compiled.remote_schema
        return schema.client_ids and self.access.settings.get(self._ids_setting(side)) != "refused"

    def keeps_ids(self, side: Side) -> bool:
        """Whether the table is known to keep the ids that creates bring."""
        schema = self.compiled.local_schema if side is Side.LOCAL else self.compiled.remote_schema
        return schema.client_ids and self.access.settings.get(self._ids_setting(side)) == "kept"

    def learn_ids(self, side: Side, *, kept: bool) -> None:
        """Note whether the table kept the id of a create; one that inserts by code of its own may not."""
        answer = "kept" if kept else "refused"
        if self.access.settings.get(self._ids_setting(side)) != answer:
            self.access.remember(self._ids_setting(side), answer)

    def _ids_setting(self, side: Side) -> str:
        return f"client_ids:{self.systems[side].name}:{self.compiled.mapping.table(side)}"
