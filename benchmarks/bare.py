"""The floor under a first synchronisation: a loop that reads the same pages and sends the same batches.

It has the same HTTP client and the same number of requests under way, and nothing else: no store, no decisions, no
couplings. What it moved could not be found again.
"""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from benchmarks.measuring import Watch

BATCH = 100
UNDER_WAY = 8
PAGE = 5000
_FIELDS = {
    "displayName": "name",
    "addressLine1": "address1_line1",
    "addressLine2": "address1_line2",
    "postalCode": "address1_postalcode",
    "city": "address1_city",
    "country": "address1_country",
    "state": "address1_stateorprovince",
    "email": "emailaddress1",
    "website": "websiteurl",
    "phoneNumber": "telephone1",
    "creditLimit": "creditlimit",
}
_READ = (
    "id,lastModifiedDateTime,salespersonCode,currencyCode,shipmentMethodId,paymentTermsId,number,blocked,"
    + ",".join(_FIELDS)
)
_STORED = (
    "accountid,modifiedon,_ownerid_value,_transactioncurrencyid_value,address1_freighttermscode,paymenttermscode,"
    "customertypecode,_bcbi_companyid_value,statecode," + ",".join(_FIELDS.values())
)


class _Page(msgspec.Struct):
    value: list[dict[str, Any]]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


_decode = msgspec.json.Decoder(_Page).decode


def move(watch: Watch, info: dict[str, Any]) -> dict[str, Any]:
    """Read every customer and create an account for each."""
    return asyncio.run(_move(watch, info))


async def _move(watch: Watch, info: dict[str, Any]) -> dict[str, Any]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        token = await _token(session, info)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "OData-Version": "4.0"}
        fixed = await _fixed(session, info["dataverse"]["api"], headers)
        with watch:
            moved, requests = await _loop(session, info, headers, fixed)
    return {"records": moved, "requests": requests}


async def _loop(
    session: aiohttp.ClientSession, info: dict[str, Any], headers: Mapping[str, str], fixed: Mapping[str, Any]
) -> tuple[int, int]:
    local, remote = info["business_central"], info["dataverse"]["api"]
    turns = asyncio.Semaphore(UNDER_WAY)

    async def send(rows: list[dict[str, Any]]) -> int:
        async with turns:
            return await _send(session, remote, headers, [_account(row, fixed) for row in rows])

    following: str | None = f"{local['api']}/companies({local['company_id']})/customers?$select={_READ}"
    moved = requests = 0
    while following:
        async with session.get(following, headers={**headers, "Prefer": f"odata.maxpagesize={PAGE}"}) as answer:
            page = _decode(await answer.read())
        batches = [page.value[start : start + BATCH] for start in range(0, len(page.value), BATCH)]
        moved += sum(await asyncio.gather(*(send(batch) for batch in batches)))
        requests += 1 + len(batches)
        following = page.next_link
    return moved, requests


def _account(row: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    return {"accountid": str(uuid.uuid4()), **fixed, **{there: row[here] or None for here, there in _FIELDS.items()}}


async def _send(
    session: aiohttp.ClientSession, remote: str, headers: Mapping[str, str], accounts: list[dict[str, Any]]
) -> int:
    boundary = f"batch_{uuid.uuid4().hex}"
    start = (
        f"--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"POST /api/data/v9.2/accounts?$select={_STORED} HTTP/1.1\r\n"
        "Content-Type: application/json\r\nPrefer: return=representation\r\n\r\n"
    ).encode()
    body = b"".join(piece for account in accounts for piece in (start, msgspec.json.encode(account), b"\r\n"))
    sent = {
        **headers,
        "Content-Type": f'multipart/mixed; boundary="{boundary}"',
        "Accept": "multipart/mixed",
        "Prefer": "odata.continue-on-error",
    }
    async with session.post(f"{remote}/$batch", data=body + f"--{boundary}--\r\n".encode(), headers=sent) as answer:
        created = (await answer.read()).count(b"HTTP/1.1 201")
    if created != len(accounts):
        raise RuntimeError(f"{created} of {len(accounts)} accounts were created")
    return created


async def _token(session: aiohttp.ClientSession, info: dict[str, Any]) -> str:
    form = {"grant_type": "client_credentials", "client_id": info["client_id"], "client_secret": info["client_secret"]}
    async with session.post(info["token_url"], data=form) as answer:
        return str((await answer.json())["access_token"])


async def _fixed(session: aiohttp.ClientSession, remote: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return what every account gets: a currency, payment and shipment terms, and whose it is."""
    found = {}
    for entity_set, key in (("transactioncurrencies", "transactioncurrencyid"), ("bcbi_companies", "bcbi_companyid")):
        async with session.get(f"{remote}/{entity_set}?$select={key}&$top=1", headers=headers) as answer:
            rows = _decode(await answer.read()).value
        found[entity_set] = f"/{entity_set}({rows[0][key]})"
    return {
        "transactioncurrencyid@odata.bind": found["transactioncurrencies"],
        "bcbi_CompanyId@odata.bind": found["bcbi_companies"],
        "address1_freighttermscode": 1,
        "paymenttermscode": 1,
        "customertypecode": 3,
    }
