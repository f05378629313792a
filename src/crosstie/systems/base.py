"""The contract of a system. One conformance suite checks every implementation against it."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from crosstie.model.browsing import Browsed, Sort
from crosstie.model.records import CheckFinding, Record, RecordPage, SystemInfo, Write, WriteResult
from crosstie.model.schema import TableSchema


class RequestCounts(msgspec.Struct):
    """HTTP requests that were sent, by what they were for. A batch counts once, its parts under `batch_parts`."""

    reads: int = 0
    batches: int = 0
    batch_parts: int = 0
    writes: int = 0
    metadata: int = 0
    tokens: int = 0
    retries: int = 0

    @property
    def total(self) -> int:
        """All requests but those for tokens and metadata, which do not grow with the work."""
        return self.reads + self.batches + self.writes


class System(Protocol):
    """Reads and writes records of one business system.

    Errors of the system as a whole (unreachable, credentials refused, garbled answer) are raised as
    `errors.SystemFailure` subclasses; what concerns one record comes back as its `WriteResult`.
    """

    @property
    def name(self) -> str:
        """The connection's name."""
        ...

    @property
    def requests(self) -> RequestCounts: ...

    @property
    def batch_size(self) -> int:
        """Most writes that `write` sends in one request; the engine hands over multiples of it."""
        ...

    async def info(self) -> SystemInfo:
        """Say who answers: environment, company, user."""
        ...

    async def check(self) -> list[CheckFinding]:
        """Test address, sign-in, rights, company and clock; never raises for what it tests."""
        ...

    async def describe(self, table: str) -> TableSchema:
        """Return the table's fields and capabilities, read from the system's own metadata and kept.

        Raises UnknownTable if the system has no such table.
        """
        ...

    def changes(
        self, table: str, cursor: str | None, fields: Sequence[str], filter: str | None = None
    ) -> AsyncIterator[RecordPage]:
        """Yield pages of what may have changed since `cursor` (None: every record), the last with the next cursor.

        `filter` bounds the records where `TableSchema.filters_in_feed` says so; elsewhere records outside come too.
        A record that leaves the filter shows only in a feed that is read without it.
        Deletions are named where the feed has them. A record may come twice; none is left out that changed
        before the call. A system that reads a table whole anyway tells which records there are, so that nobody has to
        compare ids. Raises CursorExpired if the system no longer knows the cursor.
        """
        ...

    def scan(self, table: str, fields: Sequence[str], filter: str | None = None) -> AsyncIterator[RecordPage]:
        """Yield pages of all records that the filter admits."""
        ...

    async def browse(
        self,
        table: str,
        fields: Sequence[str],
        *,
        filter: str | None = None,
        order: Sequence[Sort] = (),
        size: int = 50,
        after: str | None = None,
    ) -> Browsed:
        """Return a page of about `size` records that the filter admits, in the order given, read on from `after`.

        A place is good for the same table, filter and order only. Where the system cannot evaluate the whole filter, a
        page may be longer or shorter, even empty, and have a following one all the same. Raises InvalidOption if
        `after` is no place of a list.
        """
        ...

    async def count(self, table: str, filter: str | None = None) -> int | None:
        """Return the number of records, None where the system cannot tell exactly."""
        ...

    async def get(self, table: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        """Return those of the records that exist, by id, in few requests."""
        ...

    async def write(self, table: str, writes: Sequence[Write], fields: Sequence[str]) -> list[WriteResult]:
        """Carry out writes of one table in large requests; answer each, in the order given.

        `fields` are those wanted in the records as stored. One record's refusal never fails another. Never
        repeats a create that may have been carried out: those come back as UNKNOWN. Raises only if no write was
        or may have been carried out; those that were not reached while others were come back as THROTTLED.
        """
        ...

    def link(self, table: str, id: str) -> str:
        """Return the address of the record in the system's own pages."""
        ...

    async def close(self) -> None: ...
