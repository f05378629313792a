"""The interface of the store for lists that people look at: part of a unit of work (`store.base.Unit.lists`)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.records import Side


class Column(StrEnum):
    """By what a list of couplings can be sorted, on one of its sides."""

    KEY = "key"
    NAME = "name"


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last coupling of a page: its id, and its value in the column that the list is sorted by."""

    id: int
    value: str | None = None


class Lists(Protocol):
    """Couplings as lists show them. A page costs one query, or two where blanks begin, whatever the number of rows."""

    def couplings(
        self,
        mapping: str,
        *,
        states: Sequence[CouplingState] = (),
        search: str = "",
        side: Side = Side.LOCAL,
        column: Column | None = None,
        descending: bool = False,
        limit: int = 50,
        after: Place | None = None,
    ) -> list[Coupling]:
        """Return couplings in the order of a column, blanks last, or of their ids if there is none."""
        ...
