"""Reading rows of Dataverse: scans, change feeds, records by id (wire-dataverse sections 4 and 10)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from crosstie.model.errors import CursorExpired, GarbledAnswer, SystemRefused
from crosstie.model.records import Record, RecordPage
from crosstie.model.schema import ChangeFeed
from crosstie.systems.dataverse.catalogue import Catalogue
from crosstie.systems.dataverse.codes import EXPIRED_TOKENS, SCHEMA_CHANGED
from crosstie.systems.dataverse.filter_text import wire_text
from crosstie.systems.dataverse.metadata import Table
from crosstie.systems.encoding import datetime_literal, query, quote
from crosstie.systems.odata import ODataClient, Page
from crosstie.systems.querying import Restriction, both, known_fields, restriction
from crosstie.systems.rows import RowReader
from crosstie.systems.together import together

IDS_IN_ONE_REQUEST = 400
"""39 characters an id: half of the 32 kB that an address may have."""
COUNT_LIMIT = 5000
OVERLAP = timedelta(minutes=2)
"""How far a feed by modification time goes back: a transaction may be that much late."""


class _Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a cursor of ours holds: the service's delta token, or a moment of its clock."""

    token: str = ""
    since: datetime | None = None


_decode_cursor = msgspec.json.Decoder(_Cursor).decode


class Feeds:
    """Reads the tables of one environment."""

    def __init__(self, client: ODataClient, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue

    async def changes(
        self, name: str, cursor: str | None, fields: Sequence[str], filter: str | None
    ) -> AsyncIterator[RecordPage]:
        """Yield what may have changed; the last page has the next cursor. Raises CursorExpired."""
        table = await self._catalogue.table(name)
        match table.schema.feed:
            case ChangeFeed.DELTA:
                pages = self._tracked(table, cursor, known_fields(table.schema, fields))
            case ChangeFeed.MODIFIED:
                pages = self._modified(table, cursor, known_fields(table.schema, fields), filter)
            case ChangeFeed.FULL:
                pages = self._full(name, fields)
        async for page in pages:
            yield page

    async def scan(self, name: str, fields: Sequence[str], filter: str | None) -> AsyncIterator[RecordPage]:
        """Yield all rows that the filter admits."""
        table = await self._catalogue.table(name)
        names = known_fields(table.schema, fields)
        bound = restriction(filter, table.schema, lambda condition: wire_text(condition, table))
        async for records, _ in self._rows(table, names, bound, bound.text):
            yield RecordPage(records)

    async def count(self, name: str, filter: str | None) -> int | None:
        """Return the number of rows; None from 5,000 on, where the service stops counting."""
        table = await self._catalogue.table(name)
        bound = restriction(filter, table.schema, lambda condition: wire_text(condition, table))
        if bound.rest is not None:
            return None
        url = f"{self._address(table)}/$count{query(filter=bound.text)}"
        found, _ = await self._client.get(url, lambda body: int(body), json=False)
        return found if found < COUNT_LIMIT else None

    async def get(self, name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        """Return the rows that exist, by id; one request for 400 of them."""
        table = await self._catalogue.table(name)
        names = known_fields(table.schema, fields)
        wanted = list(dict.fromkeys(id.lower() for id in ids))
        chunks = [wanted[i : i + IDS_IN_ONE_REQUEST] for i in range(0, len(wanted), IDS_IN_ONE_REQUEST)]
        answered = await together(self._by_ids(table, chunk, names) for chunk in chunks)
        found = {record.id: record for records in answered for record in records}
        return {id: found[id.lower()] for id in ids if id.lower() in found}

    async def _by_ids(self, table: Table, ids: Sequence[str], names: tuple[str, ...]) -> list[Record]:
        listed = ",".join(f"'{id}'" for id in ids)
        key = table.schema.key
        clause = f"Microsoft.Dynamics.CRM.In(PropertyName='{key}',PropertyValues=[{listed}])"
        return [record async for records, _ in self._rows(table, names, Restriction(), clause) for record in records]

    async def _rows(
        self, table: Table, names: tuple[str, ...], bound: Restriction, clause: str, orderby: str = ""
    ) -> AsyncIterator[tuple[tuple[Record, ...], Page]]:
        read = bound.fields(names)
        reader = self.reader(table, read)
        select = ",".join(table.selected(read))
        url = f"{self._address(table)}{query(select=select, filter=clause, orderby=orderby)}"
        async for page in self._pages(table, url, self._prefer(table, read)):
            yield bound.admitted(reader.records(page.value), names), page

    async def _full(self, name: str, fields: Sequence[str]) -> AsyncIterator[RecordPage]:
        async for page in self.scan(name, fields, None):
            yield page
        yield RecordPage((), cursor="{}")

    async def _modified(
        self, table: Table, cursor: str | None, names: tuple[str, ...], filter: str | None
    ) -> AsyncIterator[RecordPage]:
        bound = restriction(filter, table.schema, lambda condition: wire_text(condition, table))
        since = _read_cursor(cursor).since if cursor else None
        clause = "" if since is None else f"{table.modified} ge {datetime_literal(since - OVERLAP, 0)}"
        began: datetime | None = None
        async for records, page in self._rows(table, names, bound, both(clause, bound.text)):
            began = began or page.date
            yield RecordPage(records)
        yield RecordPage((), cursor=_written_cursor(_Cursor(since=began or since)))

    async def _tracked(self, table: Table, cursor: str | None, names: tuple[str, ...]) -> AsyncIterator[RecordPage]:
        select = ",".join(table.selected(names))
        url = f"{self._address(table)}{query(select=select)}"
        if cursor is not None:
            url += f"&$deltatoken={_read_cursor(cursor).token}"
        reader = self.reader(table, names)
        prefer = f"odata.track-changes,{self._prefer(table, names)}"
        try:
            async for page in self._pages(table, url, prefer):
                records = reader.records(row for row in page.value if not _is_deleted(row))
                deleted = tuple(str(row["id"]).lower() for row in page.value if _is_deleted(row))
                if page.next_link is None and page.delta_link is None:
                    raise GarbledAnswer(f"{self._client.name} ends the changes of {table.schema.name} without a token.")
                yield RecordPage(tuple(records), deleted, _cursor_of(page.delta_link))
        except SystemRefused as error:
            if cursor is not None and error.details.get("system_code") in EXPIRED_TOKENS:
                raise CursorExpired(
                    f"{self._client.name} no longer knows how far {table.schema.name} was read: {error.words}"
                ) from error
            raise

    async def _pages(self, table: Table, url: str, prefer: str) -> AsyncIterator[Page]:
        try:
            async for page in self._client.pages(url, prefer=prefer):
                yield page
        except SystemRefused as error:
            if error.details.get("system_code") in SCHEMA_CHANGED:
                self._catalogue.forget(table.schema.name)
            raise

    def reader(self, table: Table, names: Sequence[str]) -> RowReader:
        """Return the reader of these fields."""
        columns = [table.column(name) for name in names]
        return RowReader(table.schema.name, table.schema.key, columns, table.modified)

    def _prefer(self, table: Table, names: Sequence[str]) -> str:
        targets = table.preference(names)
        return f"odata.maxpagesize={self._client.limits.page_size}" + (f",{targets}" if targets else "")

    def _address(self, table: Table) -> str:
        return f"{self._client.address}/{table.entity_set}"


def _is_deleted(row: Mapping[str, Any]) -> bool:
    """Whether a row of a delta says that a record is gone; only those carry a context of their own."""
    return "@odata.context" in row


def _read_cursor(cursor: str) -> _Cursor:
    try:
        return _decode_cursor(cursor)
    except msgspec.DecodeError as error:
        raise CursorExpired(f"The stored cursor {cursor[:80]!r} cannot be read.") from error


def _written_cursor(cursor: _Cursor) -> str:
    return msgspec.json.encode(cursor).decode()


def _cursor_of(delta_link: str | None) -> str | None:
    """Return the cursor for a delta link: its token alone, since address and choice of columns may change."""
    if delta_link is None:
        return None
    options: dict[str, Any] = dict(parse_qsl(urlsplit(delta_link).query.replace("+", "%2B")))
    token = options.get("$deltatoken")
    if not token:
        raise GarbledAnswer(f"A delta link comes without a token: {delta_link[:200]}")
    return _written_cursor(_Cursor(token=quote(token)))
