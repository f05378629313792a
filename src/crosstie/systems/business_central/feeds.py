"""Reading rows of Business Central: scans, changes by modification time, records by id (wire-businesscentral 4, 10)."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from crosstie.model.errors import CursorExpired
from crosstie.model.records import Record, RecordPage
from crosstie.systems.business_central.catalogue import Catalogue
from crosstie.systems.business_central.filter_text import wire_text
from crosstie.systems.business_central.tables import Table
from crosstie.systems.encoding import datetime_literal, query
from crosstie.systems.odata import ODataClient, Page
from crosstie.systems.querying import Restriction, both, known_fields, restriction
from crosstie.systems.rows import RowReader
from crosstie.systems.together import together

IDS_IN_ONE_REQUEST = 100
"""57 characters an id in a chain of `or`: below 6 kB of address and the depth that OData parsers take."""


SMALL = 500
"""A table of so many rows is read whole: one request then tells both what has changed and what is gone."""


class _Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """`rows` is how many rows the table had when it was last read whole."""

    since: datetime | None = None
    rows: int | None = None


_decode_cursor = msgspec.json.Decoder(_Cursor).decode


class Feeds:
    """Reads the tables of one company."""

    def __init__(self, client: ODataClient, catalogue: Catalogue, overlap: timedelta) -> None:
        self._client = client
        self._catalogue = catalogue
        self._overlap = overlap

    async def changes(
        self, name: str, cursor: str | None, fields: Sequence[str], filter: str | None
    ) -> AsyncIterator[RecordPage]:
        """Yield what was modified since the cursor less the overlap; the last page has the next cursor.

        The overlap covers transactions that commit late under an old stamp. The cursor is the server's clock at the
        first page, and comes only once every page has been read.
        """
        table = await self._catalogue.table(name)
        names = known_fields(table.schema, fields)
        position = _read_cursor(cursor) if cursor and table.modified else _Cursor()
        start = None if position.since is None else position.since - self._overlap
        bound = self._restriction(filter, table) if table.modified else Restriction()
        whole = start is None or (filter is None and position.rows is not None and position.rows <= SMALL)
        clause = "" if whole or start is None else f"{table.modified} gt {datetime_literal(start, 3)}"
        began: datetime | None = None
        present: list[str] = []
        async for records, page in self._rows(table, names, bound, both(clause, bound.text)):
            began = began or page.date or datetime.now(UTC)
            present += [record.id for record in records] if whole else []
            yield RecordPage(records if not whole or start is None else _later(records, start))
        rows = len(present) if whole and filter is None else position.rows
        following = msgspec.json.encode(_Cursor(began or position.since, rows)).decode()
        yield RecordPage((), cursor=following, present=tuple(present) if whole and filter is None else None)

    async def scan(self, name: str, fields: Sequence[str], filter: str | None) -> AsyncIterator[RecordPage]:
        """Yield all rows that the filter admits."""
        table = await self._catalogue.table(name)
        bound = self._restriction(filter, table)
        async for records, _ in self._rows(table, known_fields(table.schema, fields), bound, bound.text):
            yield RecordPage(records)

    async def count(self, name: str, filter: str | None) -> int | None:
        """Return the number of rows; None if the server cannot evaluate the whole filter."""
        table = await self._catalogue.table(name)
        bound = self._restriction(filter, table)
        if bound.rest is not None:
            return None
        url = f"{table.url}/$count{query(filter=bound.text)}"
        found, _ = await self._client.get(url, lambda body: int(body), json=False)
        return found

    async def get(self, name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        """Return the rows that exist, by id; one request for 100 of them."""
        table = await self._catalogue.table(name)
        names = known_fields(table.schema, fields)
        wanted = list(dict.fromkeys(id.lower() for id in ids))
        chunks = [wanted[i : i + IDS_IN_ONE_REQUEST] for i in range(0, len(wanted), IDS_IN_ONE_REQUEST)]
        answered = await together(self._by_ids(table, chunk, names) for chunk in chunks)
        found = {record.id: record for records in answered for record in records}
        return {id: found[id.lower()] for id in ids if id.lower() in found}

    def reader(self, table: Table, names: Sequence[str]) -> RowReader:
        """Return the reader of these fields."""
        columns = [table.column(name) for name in names]
        return RowReader(table.schema.name, table.schema.key, columns, table.modified)

    async def _by_ids(self, table: Table, ids: Sequence[str], names: tuple[str, ...]) -> list[Record]:
        clause = " or ".join(f"{table.schema.key} eq {id}" for id in ids)
        return [record async for records, _ in self._rows(table, names, Restriction(), clause) for record in records]

    async def _rows(
        self, table: Table, names: tuple[str, ...], bound: Restriction, clause: str
    ) -> AsyncIterator[tuple[tuple[Record, ...], Page]]:
        read = bound.fields(names)
        reader = self.reader(table, read)
        url = f"{table.url}{query(select=','.join(table.selected(read)), filter=clause)}"
        async for page in self._client.pages(url, prefer=f"odata.maxpagesize={self._client.limits.page_size}"):
            yield bound.admitted(reader.records(page.value), names), page

    @staticmethod
    def _restriction(filter: str | None, table: Table) -> Restriction:
        return restriction(filter, table.schema, lambda condition: wire_text(condition, table))


def _later(records: Sequence[Record], start: datetime) -> tuple[Record, ...]:
    """Return the records that were modified after a time, and those that do not say when they were."""
    return tuple(each for each in records if each.modified_at is None or each.modified_at > start)


def _read_cursor(cursor: str) -> _Cursor:
    try:
        return _decode_cursor(cursor)
    except msgspec.DecodeError as error:
        raise CursorExpired(f"The stored cursor {cursor[:80]!r} cannot be read.") from error
