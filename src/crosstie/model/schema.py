"""What a system says of its tables: fields, types, lengths, options, keys, and what it can do."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class FieldType(StrEnum):
    """The types of values, the same for every system."""

    TEXT = "text"
    CODE = "code"
    """Text that the system trims and writes in capitals."""
    GUID = "guid"
    LOOKUP = "lookup"
    """The id of a record of another table of the same system."""
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    """One of a fixed list of options."""


class FieldSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a table."""

    name: str
    type: FieldType
    label: str = ""
    max_length: int | None = None
    scale: int | None = None
    """Digits behind the point of a decimal, of the second of a datetime; None where the system does not limit them."""
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = True
    """False where the system keeps 0 or false instead of nothing."""
    required: bool = False
    """A create without a value is refused."""
    creatable: bool = True
    updatable: bool = True
    options: Mapping[str, str] = {}
    """Option (as text) to its label, for CHOICE."""
    numeric_options: bool = False
    """Options are whole numbers (Dataverse), not names (Business Central)."""
    targets: tuple[str, ...] = ()
    """Tables that a LOOKUP may point at."""


class ChangeFeed(StrEnum):
    """How a table tells what changed."""

    DELTA = "delta"
    """Every change and deletion since a cursor."""
    MODIFIED = "modified"
    """Records by their time of modification; deletions do not show."""
    FULL = "full"
    """Only the whole table; short lists such as option sets."""


class TableSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A table of a system and what can be done with it."""

    name: str
    label: str = ""
    key: str
    """The field that identifies a record for ever (SystemId, primary id)."""
    name_field: str | None = None
    fields: Mapping[str, FieldSchema]
    feed: ChangeFeed
    client_ids: bool
    """A create may bring its own id, and a second create with it is refused."""
    conditional_writes: bool
    """Updates and deletes can carry the version that they expect."""
    creatable: bool = True
    updatable: bool = True
    deletable: bool = True
    alternate_keys: tuple[tuple[str, ...], ...] = ()
    filters_in_feed: bool = True
    """A filter bounds the feed. False: the feed names every changed record, whatever the filter says."""
    case_sensitive: bool = True
    """Filters tell capitals from small letters in texts."""
    blanks_compare: bool = False
    """Filters take a blank for the smallest value of its type. False: comparing nothing with a value is never true."""

    @property
    def deletions_in_feed(self) -> bool:
        """Whether deletions can be seen without comparing ids."""
        return self.feed is not ChangeFeed.MODIFIED
