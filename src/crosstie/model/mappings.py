"""Integration table mappings and field mappings: what is tied to what, in which direction, under which policy."""

from enum import StrEnum

import msgspec

from crosstie.model.records import Side
from crosstie.model.transformations import Rule


class Direction(StrEnum):
    """The way in which values flow, seen from the local side."""

    TO_REMOTE = "to_remote"
    FROM_REMOTE = "from_remote"
    BIDIRECTIONAL = "bidirectional"

    def reaches(self, side: Side) -> bool:
        """Whether values flow to `side`."""
        if self is Direction.BIDIRECTIONAL:
            return True
        return (self is Direction.TO_REMOTE) == (side is Side.REMOTE)


class UpdateConflictResolution(StrEnum):
    """What happens when the same bidirectional field changed to different values on both sides."""

    ASK = "ask"
    SEND = "send"
    GET = "get"
    NEWEST = "newest"


class DeletionConflictResolution(StrEnum):
    """What happens when the partner of a coupled record is gone."""

    ASK = "ask"
    RESTORE = "restore"
    UNCOUPLE = "uncouple"
    DELETE = "delete"


class FindingPolicy(StrEnum):
    """What a value that must be cut, rounded or cannot be read does to its record."""

    FAIL = "fail"
    WARN = "warn"


class LocalReference(StrEnum):
    """By what a local field refers to a record of another table."""

    ID = "id"
    KEY = "key"
    """By code or number, as most fields of Business Central do."""


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """A field that refers to a record: translated through the couplings of `mapping` (engine rules F-10 to F-12).

    The remote value is the id of the coupled remote record; for choices that is the option's number.
    """

    mapping: str
    local_reference: LocalReference = LocalReference.KEY


class FieldMapping(msgspec.Struct, frozen=True, kw_only=True):
    """One pair of fields, or a constant for one of them (engine section 1.4).

    Without a local field the constant goes to the remote field, without a remote field to the local one.
    """

    local_field: str | None
    remote_field: str | None
    direction: Direction
    label: str = ""
    constant: str | int | bool | None = None
    create_only: bool = False
    """Written when a record is created and never afterwards."""
    lookup: Lookup | None = None
    rule: str | None = None
    """Name of a rule of `crosstie.rules` that supplies the value instead of the plain transfer."""
    enabled: bool = True
    not_null: bool = False
    clear_value_on_failed_sync: bool = False
    match_priority: int | None = None
    """Group for match-based coupling; None: not used for matching."""
    case_sensitive_match: bool = False
    conflict_resolution: UpdateConflictResolution | None = None
    """Overrides the mapping's for this field."""
    on_finding: FindingPolicy | None = None
    transform_to_remote: tuple[Rule, ...] = ()
    """What is done to a local value on its way to the remote field, one rule after the other."""
    transform_to_local: tuple[Rule, ...] = ()

    def transforms(self, side: Side) -> tuple[Rule, ...]:
        """Return the transformation rules for values on their way to `side`."""
        return self.transform_to_local if side is Side.LOCAL else self.transform_to_remote

    @property
    def name(self) -> str:
        """How the field mapping is called in plans, problems and history: the local field, else the remote one."""
        return self.local_field or self.remote_field or ""


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """An integration table mapping (engine section 1.3)."""

    name: str
    label: str
    local_table: str
    remote_table: str
    direction: Direction
    fields: tuple[FieldMapping, ...]
    local_key_field: str
    """What people call a local record by: number or code."""
    local_name_field: str
    remote_key_field: str | None = None
    remote_name_field: str
    local_filter: str | None = None
    """OData filter text; evaluated by the system, and by us where the feed takes no filter."""
    remote_filter: str | None = None
    only_coupled: bool = True
    """Synchronise only coupled records: do not create partners by itself."""
    update_conflict: UpdateConflictResolution = UpdateConflictResolution.ASK
    deletion_conflict: DeletionConflictResolution = DeletionConflictResolution.ASK
    on_finding: FindingPolicy = FindingPolicy.FAIL
    synchronise_after_match: bool = False
    create_if_no_match: bool = False
    depends_on: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """Names of rules that apply to the whole record (eligibility, stamps, uncoupling)."""
    enabled: bool = True
    order: int = 100

    def table(self, side: Side) -> str:
        return self.local_table if side is Side.LOCAL else self.remote_table

    def filter(self, side: Side) -> str | None:
        return self.local_filter if side is Side.LOCAL else self.remote_filter

    def key_field(self, side: Side) -> str | None:
        return self.local_key_field if side is Side.LOCAL else self.remote_key_field

    def name_field(self, side: Side) -> str:
        return self.local_name_field if side is Side.LOCAL else self.remote_name_field

    def reaches(self, side: Side) -> bool:
        """Whether the mapping writes to `side`."""
        return self.direction.reaches(side)
