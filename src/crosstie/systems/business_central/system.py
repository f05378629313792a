"""Business Central over its API v2.0 and custom API pages."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from crosstie.model.browsing import Browsed, Sort
from crosstie.model.connections import Connection
from crosstie.model.errors import CredentialsRefused, CrosstieError, InvalidConnection, MissingPrivilege
from crosstie.model.records import CheckFinding, Record, RecordPage, SystemInfo, Write, WriteResult
from crosstie.model.schema import TableSchema
from crosstie.systems.answers import from_json
from crosstie.systems.base import RequestCounts
from crosstie.systems.business_central.browsing import browse
from crosstie.systems.business_central.catalogue import Catalogue
from crosstie.systems.business_central.facts import facts_of
from crosstie.systems.business_central.feeds import Feeds
from crosstie.systems.business_central.routes import environment_of
from crosstie.systems.business_central.writing import Writer
from crosstie.systems.checking import clock_finding, failed
from crosstie.systems.limits import Limits, limits_of
from crosstie.systems.odata import ODataClient

_LIMITS = Limits(concurrency=4)
_HEADERS = {"Accept": "application/json", "Accept-Language": "en-US"}
_SCOPE = "https://api.businesscentral.dynamics.com/.default"
_PAGES = "https://businesscentral.dynamics.com"
_OVERLAP = 300.0


class BusinessCentral:
    """The system behind a connection of kind `business_central`; fulfils `systems.base.System`.

    Tables are entity sets: `customers` on the standard API, `publisher/group/version/entitySet` on a custom one.
    Settings: `company` (id or name; may be missing if there is one only), `ca`, `scope`, `limits`, `pages` (address of
    the web client), `overlap_seconds`, `fields` (facts of custom pages, see `data/pages.yaml`).
    """

    def __init__(self, connection: Connection) -> None:
        settings = connection.settings
        self._connection = connection
        self._facts = facts_of(settings)
        self._client = ODataClient(
            connection,
            scope=str(settings.get("scope") or _SCOPE),
            limits=limits_of(settings, _LIMITS),
            headers=_HEADERS,
        )
        self._catalogue = Catalogue(self._client, str(settings.get("company") or ""), self._facts)
        self._feeds = Feeds(self._client, self._catalogue, _overlap(settings.get("overlap_seconds")))
        self._writer = Writer(self._client, self._catalogue, self._feeds)

    @property
    def name(self) -> str:
        return self._connection.name

    @property
    def requests(self) -> RequestCounts:
        return self._client.requests

    @property
    def batch_size(self) -> int:
        return self._client.limits.batch_size

    async def close(self) -> None:
        await self._client.close()

    async def info(self) -> SystemInfo:
        """Say who answers. Details: company_id, environment, local_currency_code."""
        company = await self._catalogue.company()
        environment = environment_of(self._client.address)
        return SystemInfo(
            kind="business_central",
            environment="/".join(part for part in (self._connection.tenant_id, environment, company.id) if part),
            company=company.name,
            details={
                "company_id": company.id,
                "environment": environment,
                "local_currency_code": await self._local_currency(company.id),
            },
        )

    async def check(self) -> list[CheckFinding]:
        """Test address, sign-in, company, metadata, rights and clock; what follows a failure is left out."""
        findings: list[CheckFinding] = []
        address = CheckFinding("address", True, self._client.address)
        signed_in = CheckFinding("sign-in", True, f"client {self._connection.client_id}")
        try:
            company = await self._catalogue.company()
            findings += [address, signed_in, CheckFinding("company", True, f"{company.name} ({company.id})")]
            await self._catalogue.table("customers")
            findings.append(CheckFinding("metadata", True, "pages and fields can be read"))
            await self._local_currency(company.id)
            findings.append(CheckFinding("rights", True, "records can be read"))
        except CredentialsRefused as error:
            findings += [address, failed("sign-in", error)]
        except InvalidConnection as error:
            findings += [address, signed_in, failed("company", error)]
        except MissingPrivilege as error:
            findings.append(failed("rights", error))
        except CrosstieError as error:
            findings.append(failed("metadata" if findings else "address", error))
        else:
            findings.append(clock_finding(self._client.clock_offset))
        return findings

    async def describe(self, table: str) -> TableSchema:
        return (await self._catalogue.table(table)).schema

    async def changes(
        self, table: str, cursor: str | None, fields: Sequence[str], filter: str | None = None
    ) -> AsyncIterator[RecordPage]:
        async for page in self._feeds.changes(table, cursor, fields, filter):
            yield page

    async def scan(self, table: str, fields: Sequence[str], filter: str | None = None) -> AsyncIterator[RecordPage]:
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
        given: Any = {"filter": filter, "order": order, "size": size, "after": after}
        return await browse(self._client, self._catalogue, self._feeds, table, fields, **given)

    async def count(self, table: str, filter: str | None = None) -> int | None:
        return await self._feeds.count(table, filter)

    async def get(self, table: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
        return await self._feeds.get(table, ids, fields) if ids else {}

    async def write(self, table: str, writes: Sequence[Write], fields: Sequence[str]) -> list[WriteResult]:
        return await self._writer.write(table, writes, fields) if writes else []

    def link(self, table: str, id: str) -> str:
        """Return the address of the page that shows the record; the company is named once it has been read from."""
        base = str(self._connection.settings.get("pages") or _PAGES).rstrip("/")
        place = "/".join(
            part for part in (base, self._connection.tenant_id, environment_of(self._client.address)) if part
        )
        company = self._catalogue.known_company
        options: dict[str, object] = {
            "company": company.name if company else None,
            "page": self._facts.of(table).page,
            "filter": f"'SystemId' IS '{id}'",
        }
        return (
            place + "/?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in options.items() if value)
        )

    async def _local_currency(self, company: str) -> str | None:
        url = f"{self._client.address}/companies({company})/companyInformation?$select=currencyCode"
        found: Any
        found, _ = await self._client.get(url, from_json, purpose="metadata")
        return next((str(row.get("currencyCode") or "") or None for row in found["value"]), None)


def _overlap(seconds: Any) -> timedelta:
    if seconds is None:
        return timedelta(seconds=_OVERLAP)
    try:
        found = timedelta(seconds=float(seconds))
    except (TypeError, ValueError) as error:
        raise InvalidConnection(f"The connection's setting overlap_seconds is {seconds!r}, no number.") from error
    if found < timedelta(0):
        raise InvalidConnection(f"The connection's setting overlap_seconds is {seconds!r}; it must not be negative.")
    return found
