"""What requests say. A field that is not known is refused, so that a slip of the pen is no silent default."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from crosstie.api.shapes import RecordText
from crosstie.app.selecting import Selection
from crosstie.app.winners import Winner
from crosstie.model.decisions import Preference
from crosstie.model.records import Side

MOST_RECORDS = 1000
"""Records that one request may name; a selection has up to 50,000 ids, or all that match."""

Text: TypeAlias = Annotated[str, Meta(max_length=2000)]
Records: TypeAlias = Annotated[list[RecordText], Meta(max_length=MOST_RECORDS)]
SomeRecords: TypeAlias = Annotated[list[RecordText], Meta(min_length=1, max_length=MOST_RECORDS)]
Selected: TypeAlias = Selection | None
"""Records by their ids, or all that a list shows, in place of `records`; a worker deals with them."""
FieldName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request's document."""


class ConnectionBody(Body, frozen=True, kw_only=True):
    """How to reach a system. The secret is encrypted when it is stored, and never shown again."""

    kind: Literal["business_central", "dataverse"]
    address: Text
    token_url: Text
    client_id: Text
    secret: Text
    tenant_id: Text = ""
    settings: dict[str, Any] = {}
    check: bool = True
    """Test the connection first, and store nothing if the test fails."""


class ResetBody(Body, frozen=True, kw_only=True):
    """Which standard mappings to restore: those named, or all."""

    names: Annotated[list[FieldName], Meta(max_length=100)] = []
    ownership: Literal["person", "team"] = "person"
    custom_pages: bool = False


class CoupleBody(Body, frozen=True, kw_only=True):
    """The two records to couple, and what to do with their data then; left away, what the mapping proposes."""

    record: RecordText
    to: RecordText
    synchronise: Literal["no", "to_remote", "from_remote"] | None = None
    replace: bool = False
    """Let go of the partner that the local record has."""
    winners: dict[FieldName, Winner] = {}
    """For single fields, the side whose value both get, or `leave`; the others go as `synchronise` says."""


class UncoupleBody(Body, frozen=True, kw_only=True):
    """The records to uncouple, a selection of them, or all of the mapping."""

    records: Records = []
    selection: Selected = None
    all: bool = False
    forced: bool = False


class PartnersBody(Body, frozen=True, kw_only=True):
    """The records of `side`, or of a selection, whose partners are to be created on the other side."""

    records: Records = []
    selection: Selected = None
    side: Side = Side.LOCAL
    dry_run: bool = False


class SynchroniseBody(Body, frozen=True, kw_only=True):
    """Records to synchronise, or none: what changed, or with `full` every record of the mapping."""

    records: Records = []
    selection: Selected = None
    direction: Preference | None = None
    full: bool = False
    create: bool = False
    dry_run: bool = False
    forced: bool = False


class PlanBody(Body, frozen=True, kw_only=True):
    """What is to be planned: a selection of records, or none: what changed, or with `full` every record."""

    selection: Selected = None
    direction: Preference | None = None
    full: bool = False
    create: bool = False


class StartPlanBody(Body, frozen=True, kw_only=True):
    """Which groups of a plan are carried out."""

    groups: Annotated[
        list[Literal["update", "create", "delete", "conflict", "skipped", "out_of_filter"]],
        Meta(min_length=1, max_length=6),
    ]


class SynchroniseAllBody(Body, frozen=True, kw_only=True):
    """How to synchronise all enabled mappings, in the order of their dependencies."""

    full: bool = False
    create: bool = False
    dry_run: bool = False


class ApplyBody(Body, frozen=True, kw_only=True):
    """What to do with the differences that were shown. `seen` comes from showing them."""

    preference: Preference
    seen: Text
    choices: dict[FieldName, Side] = {}
    """Which side a field in conflict is taken from, by the field's name."""


class RetryBody(Body, frozen=True, kw_only=True):
    """What to retry: records of a mapping, all with one code, or all."""

    mapping: FieldName | None = None
    records: Records = []
    code: FieldName | None = None
    all: bool = False
    run: bool = True
    """Synchronise what is due; else the next job does."""
    dry_run: bool = False


class ScheduleBody(Body, frozen=True, kw_only=True):
    """What is to change of a schedule; what is left away stays."""

    paused: bool | None = None
    every_minutes: Annotated[int, Meta(ge=1, le=60 * 24 * 7)] | None = None


class SettleBody(Body, frozen=True, kw_only=True):
    """The records that are left of couplings of which the other one is gone."""

    records: SomeRecords
    dry_run: bool = False


class DeleteBody(SettleBody, frozen=True, kw_only=True):
    """The records to delete, because the other one was deleted."""

    forced: bool = False


class UndoBody(Body, frozen=True, kw_only=True):
    """How to undo: as a plan, or in spite of a guard."""

    dry_run: bool = False
    forced: bool = False


class MatchBody(Body, frozen=True, kw_only=True):
    """On what to match: fields in groups that are tried in turn. Without any, the mapping's own are used."""

    groups: Annotated[list[Annotated[list[FieldName], Meta(min_length=1, max_length=10)]], Meta(max_length=10)] = []
    records: Records = []
    """Ids of the local records to match; without any, all that are uncoupled."""
    selection: Selected = None
    dry_run: bool = False
    create: bool | None = None
    synchronise: bool | None = None
    case_sensitive: Annotated[list[FieldName], Meta(max_length=100)] | None = None
    """The fields whose capitals count; left away, as the mapping says."""
    winner: Preference | None = None
    """Whose data is sent right after coupling; left away, as the mapping says."""
