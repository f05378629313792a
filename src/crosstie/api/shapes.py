"""What answers look like where a use case's own values do not say it already."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from crosstie.model.planned import FieldValue as FieldValue
from crosstie.model.planned import PlannedRecord

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list. `next` goes into `after` of the next request; it is null on the last page."""

    items: list[T]
    next: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not carried out (RFC 9457). `code` is the same as on the command line and in `docs/errors`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    next_step: str
    details: dict[str, Any]
    instance: str
    """The id of the request, as in the log."""


class CountersShape(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the records in one direction."""

    inserted: int
    modified: int
    deleted: int
    unchanged: int
    skipped: int
    failed: int
    coupled: int
    uncoupled: int


class FailureShape(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be brought in step."""

    local_id: str | None
    remote_id: str | None
    name: str
    code: str
    words: str
    next_step: str


class ReportShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a job on one mapping did, or, for a dry run, would do."""

    mapping: str
    job_id: int | None
    dry_run: bool
    to_remote: CountersShape
    from_remote: CountersShape
    failures: list[FailureShape]
    message: str

    @classmethod
    def of(cls, report: Any) -> "ReportShape":
        """Return a use case's report as the API shows it."""
        return msgspec.convert(report, cls, from_attributes=True)


class Synchronised(msgspec.Struct, frozen=True, kw_only=True):
    """The reports of each mapping; for a dry run also the plan, of which `plan_left_out` records are not shown."""

    reports: list[ReportShape]
    plan: list[PlannedRecord] = []
    plan_left_out: int = 0


class ChangeShape(msgspec.Struct, frozen=True, kw_only=True):
    """One field that was written, or whose change lost against the other side's.

    `label` and `..._words` are as people read them: options by their labels, other records by their names.
    """

    field: str
    label: str
    before: FieldValue
    before_words: str
    after: FieldValue
    after_words: str
    lost: FieldValue
    lost_words: str
    reason: str


class EntryShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a job did to one record on one side."""

    id: int
    at: datetime
    job_id: int
    job_kind: str | None
    """Null where the job has been cleared away."""
    asked_by: str
    """Who wanted it: a person, an API token, the schedule, the command line; empty where nobody knows any more."""
    mapping: str
    coupling_id: int | None
    local_id: str | None
    remote_id: str | None
    name: str
    side: str | None
    outcome: str
    code: str
    words: str
    changes: list[ChangeShape]
    can_be_undone: bool

    @classmethod
    def of(cls, entry: Any) -> "EntryShape":
        """Return an entry of the journal as the API shows it."""
        return msgspec.convert(msgspec.to_builtins(entry), cls)


class CandidateShape(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the other side that fits, or the partner."""

    id: str
    key: str | None
    name: str | None


class MatchRowShape(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the mapping and why it was, or was not, coupled."""

    side: str
    id: str
    key: str | None
    name: str | None
    reason: str
    words: str
    candidates: list[CandidateShape]


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """What matching found. `rows_left_out` rows are not shown; the counts are of all."""

    mapping: str
    dry_run: bool
    job_id: int | None
    groups: list[list[str]]
    local: dict[str, int]
    remote: dict[str, int]
    rows: list[MatchRowShape]
    rows_left_out: int
    synchronised: ReportShape | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server lives, and whether its store answers."""

    status: Literal["ok", "unready"]
    store: Literal["ok", "unready"] | UnsetType = UNSET


RecordText: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=500, description="A record by number, code, name or id.")
]
