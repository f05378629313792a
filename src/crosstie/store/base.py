"""The interface of the store: named queries, all of them for many records at once.

Everything happens in a unit of work: `with store.begin() as unit: ...` commits at the end, and rolls back all
of it if an error leaves the block. Reading needs a unit as well.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from crosstie.model.connections import Connection
from crosstie.model.couplings import Coupling, CouplingState, Mark, NewCoupling, RemovedCoupling
from crosstie.model.jobs import Counters, Due, Intent, Job, JobKind, JobState, JournalEntry, Outcome
from crosstie.model.mappings import Direction
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.problems import NewProblem, Problem
from crosstie.model.records import Side
from crosstie.store.base_answers import Answers
from crosstie.store.base_background import Background
from crosstie.store.base_lists import Lists
from crosstie.store.base_people import People
from crosstie.store.base_planned import Planned


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far the changes of one side of a mapping have been dealt with.

    `known_count` is the number of records that the table had then; a different number betrays deletions.
    `mapping_digest` tells whether filter and field mappings are still those under which it was written.
    """

    cursor: str | None
    known_count: int | None = None
    mapping_digest: str = ""


class Couplings(Protocol):
    """The couplings. Every look-up is one statement for all the keys given, however many they are."""

    def by_record(self, mapping: str, side: Side, ids: Iterable[str]) -> dict[str, Coupling]:
        """Return the couplings of these records of one side, by the record's id."""
        ...

    def marks(
        self, mapping: str, side: Side, ids: Iterable[str] | None = None, since: datetime | None = None
    ) -> dict[str, Mark]:
        """Return of the couplings of these records, or of all, by the record's id, what a page is sifted by.

        Those made after `since` are new, all are without it. Much cheaper than the couplings themselves.
        """
        ...

    def bases(self, mapping: str, side: Side, ids: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        """Return partner's id and base of those of these records that are in step and have one, by the record's id."""
        ...

    def coupled(self, mapping: str, side: Side, ids: Iterable[str]) -> list[int]:
        """Return the ids of the couplings of these records, in any order."""
        ...

    def by_key(self, mapping: str, side: Side, keys: Iterable[str]) -> dict[str, Coupling]:
        """Return the couplings by number or code of one side; of several with one key, the oldest."""
        ...

    def elsewhere(self, tables: Iterable[str], side: Side, ids: Iterable[str]) -> dict[str, list[Coupling]]:
        """Return the couplings under any of the mappings named in `tables`, by record id."""
        ...

    def page(
        self,
        mapping: str,
        *,
        after_id: int = 0,
        limit: int = 1000,
        states: Sequence[CouplingState] = (),
        search: str = "",
    ) -> list[Coupling]:
        """Return couplings in the order of their ids, from after `after_id`; `search` looks in keys and names."""
        ...

    def count(self, mapping: str) -> dict[CouplingState, int]: ...

    def insert(self, couplings: Sequence[NewCoupling], now: datetime) -> list[Coupling]:
        """Store couplings and return them with their ids.

        Raises AlreadyCoupled, naming the records, if one of a pair is coupled under its mapping; then none is stored.
        """
        ...

    def update(self, couplings: Sequence[Coupling]) -> set[int]:
        """Store changed couplings where the revision is still the one given, and raise it by one.

        Returns the ids of those that were lost to somebody else's change; the others are stored.
        """
        ...

    def delete(self, couplings: Sequence[Coupling]) -> set[int]:
        """Remove couplings where the revision is still the one given; return the ids that were lost."""
        ...

    def keep_removed(self, couplings: Sequence[Coupling], now: datetime) -> None:
        """Note what couplings that are removed rested on; those without base rested on nothing."""
        ...

    def removed(self, ids: Iterable[int]) -> dict[int, RemovedCoupling]:
        """Return what removed couplings rested on, by the id that they had, as far as it is still known."""
        ...

    def unseen(
        self, mapping: str, without_seen: Callable[[Sequence[int]], Sequence[int]], before: datetime
    ) -> Iterator[list[Coupling]]:
        """Yield, in lists, the couplings made before a time that `without_seen` leaves over of the ids of all.

        Memory does not grow with their number.
        """
        ...


class Store(Protocol):
    """Opens units of work and takes care of the schema."""

    def begin(self) -> AbstractContextManager["Unit"]: ...

    def close(self) -> None: ...


class Unit(Protocol):
    """One transaction."""

    @property
    def couplings(self) -> Couplings: ...

    @property
    def people(self) -> People: ...

    @property
    def background(self) -> Background: ...

    @property
    def answers(self) -> Answers: ...

    @property
    def lists(self) -> Lists: ...

    @property
    def planned(self) -> Planned: ...

    # --- intents: what is about to be written -------------------------------------------------------------

    def open_intents(self, intents: Sequence[Intent]) -> None: ...

    def intents(self, mapping: str, job_ids: Sequence[int] | None = None) -> list[Intent]:
        """Return the open intents of a mapping, of the jobs named or of all, oldest first."""
        ...

    def close_intents(self, ids: Sequence[str]) -> None: ...

    # --- jobs and journal ---------------------------------------------------------------------------------

    def start_job(
        self,
        kind: JobKind,
        mapping: str,
        direction: Direction,
        *,
        exclusive: bool,
        owner: str,
        now: datetime,
        parent_id: int | None = None,
        asked_by: str = "",
        scheduled: bool = False,
    ) -> Job:
        """Store a running job. Raises JobRunning if it is exclusive and another exclusive one of the mapping runs."""
        ...

    def running_jobs(self, mapping: str | None = None) -> list[Job]: ...

    def update_job(
        self,
        job_id: int,
        *,
        to_remote: Counters,
        from_remote: Counters,
        state: JobState | None = None,
        message: str = "",
        finished_at: datetime | None = None,
    ) -> None: ...

    def jobs(
        self,
        mapping: str | None = None,
        *,
        states: Collection[JobState] = (),
        kinds: Collection[JobKind] = (),
        limit: int = 50,
        before_id: int | None = None,
    ) -> list[Job]:
        """Return jobs, newest first; with `states` those that are in one of them, with `kinds` those of one."""
        ...

    def add_journal(self, entries: Sequence[JournalEntry]) -> None: ...

    def journal(
        self,
        *,
        mapping: str | None = None,
        job_id: int | None = None,
        job_ids: Collection[int] = (),
        outcomes: Collection[Outcome] = (),
        side: Side | None = None,
        record_id: str | None = None,
        limit: int = 100,
        before_id: int | None = None,
    ) -> list[JournalEntry]:
        """Return entries, newest first; `record_id` with `side` names one record."""
        ...

    def count_journal(self, job_ids: Collection[int]) -> dict[Outcome, int]:
        """Return how many entries these jobs have by outcome."""
        ...

    # --- problems -----------------------------------------------------------------------------------------

    def put_problems(self, problems: Sequence[NewProblem], now: datetime) -> list[Problem]:
        """Open problems, or renew those open for the same records, and return them with their attempts.

        The same code and words as before raise `attempts`, other ones set it to 1.
        """
        ...

    def close_problems(self, mapping: str, side: Side, record_ids: Iterable[str], now: datetime) -> int:
        """Close the open problems of these records, whichever of their ids they are kept under; return how many."""
        ...

    def problems(
        self,
        mapping: str | None = None,
        *,
        records: Iterable[tuple[Side, str]] | None = None,
        code: str | None = None,
        limit: int = 1000,
        after_id: int = 0,
    ) -> list[Problem]:
        """Return open problems in the order of their ids."""
        ...

    def count_problems(self) -> dict[str, dict[str, int]]:
        """Return the number of open problems by mapping and code."""
        ...

    def waiting_for(self, mapping: str, side: Side, keys: Iterable[str]) -> list[Problem]:
        """Return the open problems that wait for one of these records (ids or keys) of `mapping` to be coupled."""
        ...

    # --- due records and cursors --------------------------------------------------------------------------

    def add_due(self, due: Sequence[Due]) -> None:
        """Note records for the next job; one that is noted already keeps the earlier time and any `create`.

        Of two reasons a choice made when coupling stays before PARTNER_COUPLED, that before others, of equals the new.
        """
        ...

    def due(self, mapping: str, now: datetime, *, limit: int = 1000) -> list[Due]: ...

    def due_of(self, mapping: str, side: Side, record_ids: Iterable[str]) -> dict[str, Due]:
        """Return which of these records of one side are due, now or later, by the record's id."""
        ...

    def remove_due(self, mapping: str, side: Side, record_ids: Iterable[str]) -> None: ...

    def cursor(self, mapping: str, side: Side) -> Cursor | None: ...

    def set_cursor(self, mapping: str, side: Side, cursor: Cursor) -> None: ...

    def forget_cursors(self, mapping: str) -> None: ...

    # --- configuration ------------------------------------------------------------------------------------

    def mappings(self) -> list[TableMapping]:
        """Return all mappings by their order, then name."""
        ...

    def put_mapping(self, mapping: TableMapping) -> None: ...

    def remove_mapping(self, name: str) -> None: ...

    def connections(self, *, with_secrets: bool = True) -> list[Connection]:
        """Return all connections by name; without their secrets where they are only to be shown.

        Raises StoreError, naming the connection, if its secret cannot be read because the key was lost or changed.
        """
        ...

    def put_connection(self, connection: Connection) -> None: ...

    def remove_connection(self, name: str) -> None: ...

    def settings(self) -> Mapping[str, str]: ...

    def put_setting(self, name: str, value: str) -> None: ...

    def remove_setting(self, name: str) -> None: ...

    def secret(self, name: str) -> str | None:
        """Return what is kept in secret under a name, None if nothing is. Raises StoreError if the key was lost."""
        ...

    def put_secret(self, name: str, value: str | None) -> None:
        """Keep a text encrypted and out of the settings; None forgets it."""
        ...
