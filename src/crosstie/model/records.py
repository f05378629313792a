"""Records as read from a system, and the answers of a system to writes."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from crosstie.model.values import Scalar


class Side(StrEnum):
    """The two sides of a mapping."""

    LOCAL = "local"
    REMOTE = "remote"

    @property
    def other(self) -> "Side":
        return Side.REMOTE if self is Side.LOCAL else Side.LOCAL


class Record(msgspec.Struct, frozen=True):
    """One record: its id, its version (opaque; None where the table has none) and canonical values by field."""

    id: str
    version: str | None
    values: dict[str, Scalar]
    modified_at: datetime | None = None


class RecordPage(msgspec.Struct, frozen=True):
    """A page of a feed or scan. `cursor` is set on the last page of a feed only: from there the next feed goes on.

    `present`, on that page too, are the ids of all records of the table, where the system has come to know them.
    """

    records: tuple[Record, ...]
    deleted: tuple[str, ...] = ()
    cursor: str | None = None
    present: tuple[str, ...] | None = None


class WriteKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One write. A create carries `id` where the table takes client ids; its precondition is that none such exists.

    Updates and deletes carry the version they expect; None means "whatever is there, but it must exist".
    `values` are canonical and hold only the fields to write.
    """

    kind: WriteKind
    id: str | None
    values: dict[str, Scalar] = {}
    expected_version: str | None = None


class WriteStatus(StrEnum):
    """What became of a write."""

    WRITTEN = "written"
    STALE = "stale"
    """The record has another version than expected; nothing was written."""
    MISSING = "missing"
    EXISTS = "exists"
    """A record with this id or key is there already; nothing was written."""
    REFUSED = "refused"
    """A rule of the system; the same write will be refused again."""
    DENIED = "denied"
    """The credentials lack a privilege for this record or table."""
    THROTTLED = "throttled"
    """Not carried out; later."""
    UNKNOWN = "unknown"
    """No answer came: it may or may not have been carried out."""


class WriteResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one write. `record` is the record as stored, with its new version (after create and update)."""

    status: WriteStatus
    record: Record | None = None
    code: str = ""
    """The system's own error code."""
    message: str = ""
    """The system's own words, without correlation ids."""
    field: str | None = None
    """The field that the system blames, where it says so."""


class CheckFinding(msgspec.Struct, frozen=True):
    """One line of a connection test."""

    name: str
    passed: bool
    detail: str = ""
    next_step: str = ""
    code: str = ""
    """Of the error that ended the test, if one did."""


class SystemInfo(msgspec.Struct, frozen=True):
    """Who answers at the other end: `environment` changes when the environment is copied or replaced."""

    kind: str
    environment: str
    company: str | None = None
    user: str | None = None
    details: dict[str, Any] = {}
