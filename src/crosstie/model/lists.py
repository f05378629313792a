"""Lists: the records of one side of a mapping with what couples each, as pages of rows."""

from datetime import datetime

import msgspec

from crosstie.model.records import Side
from crosstie.model.values import Scalar

NOT_COUPLED = "not_coupled"
"""The state of a row that has no coupling; all others are those of `CouplingState`."""


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """The record of the other side to which a row is coupled, as the coupling knows it."""

    id: str
    key: str | None
    name: str | None


class RecordRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a list. `state` is that of its coupling, else `NOT_COUPLED`.

    Of a coupled record that no longer `exists`, the coupling knows key and name, and there are no values.
    """

    id: str
    key: str | None
    name: str | None
    values: dict[str, Scalar]
    state: str
    exists: bool = True
    in_filter: bool = True
    modified_at: datetime | None = None
    coupling_id: int | None = None
    partner: Partner | None = None
    last_synchronised: datetime | None = None
    problem: str | None = None
    """Code of the open problem."""
    problem_words: str = ""


class ListColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A field whose values the rows carry."""

    name: str
    label: str
    type: str


class RecordList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list. `following` is where the next page begins, None at the end.

    A page that is shorter than asked for, and has a following one, has looked at as many records as one page may.
    """

    mapping: str
    side: Side
    columns: list[ListColumn]
    rows: list[RecordRow]
    following: str | None


class RecordCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many records a list has by state. None: the system does not say exactly."""

    mapping: str
    side: Side
    total: int | None
    coupled: int
    not_coupled: int | None
    by_state: dict[str, int]
    problems: dict[str, int]
    """Open problems by code, those of uncoupled records among them."""
