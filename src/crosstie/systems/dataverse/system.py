"""Dataverse and Dynamics 365 Sales over the Web API."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from crosstie.model.browsing import Browsed, Sort
from crosstie.model.connections import Connection
from crosstie.model.errors import CredentialsRefused, CrosstieError, MissingPrivilege
from crosstie.model.records import CheckFinding, Record, RecordPage, SystemInfo, Write, WriteResult
from crosstie.model.schema import TableSchema
from crosstie.systems.answers import from_json
from crosstie.systems.base import RequestCounts
from crosstie.systems.checking import clock_finding, failed
from crosstie.systems.dataverse.browsing import browse, browse_options
from crosstie.systems.dataverse.catalogue import Catalogue
from crosstie.systems.dataverse.feeds import Feeds
from crosstie.systems.dataverse.optionsets import OptionSets, is_option_set
from crosstie.systems.dataverse.writing import Writer
from crosstie.systems.limits import Limits, limits_of
from crosstie.systems.odata import ODataClient

_LIMITS = Limits(concurrency=8)
_HEADERS = {
    "Accept": "application/json",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
    "If-None-Match": "null",
}


class Dataverse:
    """The system behind a connection of kind `dataverse`; fulfils `systems.base.System`.

    Tables go by their logical names (`account`), option sets as `account.paymenttermscode`. Settings: `ca`, `scope`,
    `limits`, `pages` (address of the model-driven app).
    """

    def __init__(self, connection: Connection) -> None:
        parts = urlsplit(connection.address)
        origin = f"{parts.scheme}://{parts.netloc}"
        self._name = connection.name
        self._pages = str(connection.settings.get("pages") or origin).rstrip("/")
        self._client = ODataClient(
            connection,
            scope=str(connection.settings.get("scope") or f"{origin}/.default"),
            limits=limits_of(connection.settings, _LIMITS),
            headers=_HEADERS,
        )
        self._catalogue = Catalogue(self._client)
        self._feeds = Feeds(self._client, self._catalogue)
        self._writer = Writer(self._client, self._feeds)
        self._options = OptionSets(self._client, self._catalogue)

    @property
    def name(self) -> str:
        return self._name

    @property
    def requests(self) -> RequestCounts:
        return self._client.requests

    @property
    def batch_size(self) -> int:
        return self._client.limits.batch_size

    async def close(self) -> None:
        await self._client.close()

    async def info(self) -> SystemInfo:
        """Say who answers. Details: user_id, business_unit_id, name, base_currency_id."""
        who = await self._read("WhoAmI")
        organization = str(who["OrganizationId"])
        found = await self._read(f"organizations({organization})?$select=name,_basecurrencyid_value")
        return SystemInfo(
            kind="dataverse",
            environment=organization,
            user=str(who["UserId"]),
            details={
                "user_id": str(who["UserId"]),
                "business_unit_id": str(who["BusinessUnitId"]),
                "name": found.get("name"),
                "base_currency_id": found.get("_basecurrencyid_value"),
            },
        )

    async def check(self) -> list[CheckFinding]:
        """Test address, sign-in, rights, metadata and clock; what follows a failure is left out."""
        findings: list[CheckFinding] = []
        try:
            who = await self._read("WhoAmI")
            findings.append(CheckFinding("address", True, self._client.address))
            findings.append(CheckFinding("sign-in", True, f"application user {who.get('UserId')}"))
            organization = str(who["OrganizationId"])
            found = await self._read(f"organizations({organization})?$select=name")
            findings.append(CheckFinding("organisation", True, str(found.get("name") or organization)))
            await self._read("EntityDefinitions?$select=LogicalName&$filter=LogicalName eq 'account'")
            findings.append(CheckFinding("metadata", True, "tables and columns can be read"))
        except CredentialsRefused as error:
            findings += [CheckFinding("address", True, self._client.address), failed("sign-in", error)]
        except MissingPrivilege as error:
            findings.append(failed("rights", error))
        except CrosstieError as error:
            findings.append(failed("address" if not findings else "metadata", error))
        else:
            findings.append(clock_finding(self._client.clock_offset))
        return findings

    async def describe(self, table: str) -> TableSchema:
        if is_option_set(table):
            return await self._options.describe(table)
        return (await self._catalogue.table(table)).schema

    async def changes(
        self, table: str, cursor: str | None, fields: Sequence[str], filter: str | None = None
    ) -> AsyncIterator[RecordPage]:
        if is_option_set(table):
            yield RecordPage(tuple(await self._options.select(table, None)), cursor="{}")
            return
        async for page in self._feeds.changes(table, cursor, fields, filter):
            yield page

    async def scan(self, table: str, fields: Sequence[str], filter: str | None = None) -> AsyncIterator[RecordPage]:
        if is_option_set(table):
            yield RecordPage(tuple(await self._options.select(table, filter)))
            return
        async for page in self._feeds.scan(table, fields, filter):
            yield page

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
        if is_option_set(table):
            return browse_options(await self._options.select(table, filter), order, size, after)
        given: Any = {"filter": filter, "order": order, "size": size, "after": after}
        return await browse(self._client, self._catalogue, self._feeds, table, fields, **given)

    async def count(self, table: str, filter: str | None = None) -> int | None:
        if is_option_set(table):
            return len(await self._options.select(table, filter))
        return await self._feeds.count(table, filter)

    async def get(self, table: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        if not ids:
            return {}
        if is_option_set(table):
            records = (await self._options.read(table)).records
            return {id: records[id] for id in ids if id in records}
        return await self._feeds.get(table, ids, fields)

    async def write(self, table: str, writes: Sequence[Write], fields: Sequence[str]) -> list[WriteResult]:
        if not writes:
            return []
        if is_option_set(table):
            return await self._options.write(table, writes)
        return await self._writer.write(await self._catalogue.table(table), writes, fields)

    def link(self, table: str, id: str) -> str:
        """Return the address of the record's form; that of an option is the form of its table's first record."""
        return f"{self._pages}/main.aspx?pagetype=entityrecord&etn={table.partition('.')[0]}&id={id}"

    async def _read(self, path: str) -> Any:
        url = f"{self._client.address}/{path.replace(' ', '%20')}"
        found, _ = await self._client.get(url, from_json, purpose="metadata")
        return found
