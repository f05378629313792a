"""The interface of the store for lists that people look at: part of a unit of work (`store.base.Unit.lists`)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.problems import Problem, ProblemFilter, ProblemGroup
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
    """Couplings and problems as lists show them, and what is selected in lists.

    A page costs one query, or two where blanks begin, whatever the number of rows.
    """

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

    def states(self, mapping: str, side: Side, ids: Iterable[str]) -> dict[str, CouplingState]:
        """Return the states of those records of a side that are coupled, by their ids."""
        ...

    def keep_selection(self, id: str, record_ids: Sequence[str], now: datetime) -> None:
        """Keep the ids of the records of a selection, for good until `forget_selections`; ids have no blanks."""
        ...

    def selection(self, id: str) -> list[str] | None:
        """Return the ids of the records of a selection, None if it is not kept."""
        ...

    def forget_selections(self, before: datetime) -> int:
        """Forget those that were kept before a time, and were not kept again since; return how many there were."""
        ...

    def count_couplings(self, mapping: str, up_to: int | None = None) -> tuple[int, int]:
        """Return how many couplings there are with ids up to one, and the last id among them, 0 if there is none.

        Ids grow and are never used again: as long as the answer is the same for an id, none of these has gone.
        """
        ...

    def problems(
        self,
        filter: ProblemFilter,
        *,
        ids: Sequence[int] | None = None,
        limit: int = 100,
        after_id: int = 0,
    ) -> list[Problem]:
        """Return open problems that a filter admits, only those with `ids` if they are given, in order of their ids."""
        ...

    def problem_groups(self, filter: ProblemFilter, since: datetime) -> list[ProblemGroup]:
        """Return open problems by cause, the most frequent first; `new` counts those found since that time."""
        ...

    def waiting_groups(self, filter: ProblemFilter, since: datetime, *, limit: int = 20) -> list[ProblemGroup]:
        """Return the problems that wait, by the record that they wait for, the most awaited first.

        One that waits for several records is in the group of each.
        """
        ...
