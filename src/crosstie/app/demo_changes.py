"""What somebody else does in the demo: edits, creations and deletions through the systems' own APIs."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import aiohttp

NEW_CUSTOMER = "Bellows College"
NEW_ACCOUNT = "Liberty's Delightful Sinful Bakery & Café"
_MERGED, _CLASH, _DELETED_LOCAL, _DELETED_REMOTE = "20000", "10000", "540000", "570000"


class Somebody:
    """A person with an application of their own, unknown to Crosstie. Use as an asynchronous context manager."""

    def __init__(self, sandbox: Mapping[str, Any]) -> None:
        self._sandbox = sandbox
        self._local = f"{sandbox['business_central']['api']}/companies({sandbox['business_central']['company_id']})"
        self._remote = str(sandbox["dataverse"]["api"])
        self._session: aiohttp.ClientSession | None = None
        self._headers: dict[str, str] = {}

    async def __aenter__(self) -> "Somebody":
        self._session = aiohttp.ClientSession()
        form = {
            "grant_type": "client_credentials",
            "client_id": self._sandbox["client_id"],
            "client_secret": self._sandbox["client_secret"],
        }
        async with self._session.post(self._sandbox["token_url"], data=form) as answer:
            answer.raise_for_status()
            token = (await answer.json())["access_token"]
        self._headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def work(self) -> list[str]:
        """Change both systems as a working day would, and return what was done, in words."""
        done = []
        await self._edit_customer(_MERGED, addressLine1="155 Thomas Street")
        await self._edit_account(_MERGED, websiteurl="https://www.treyresearch.example/uk")
        done.append("Trey Research gets a new street in Business Central and a new home page in Dataverse.")
        await self._edit_customer(_CLASH, phoneNumber="+44 1223 496 007", city="Ely")
        await self._edit_account(_CLASH, telephone1="+44 1223 496 008", address1_city="Huntingdon")
        done.append("Adatum Corporation gets different phone numbers and cities on the two sides.")
        await self._send(
            "POST", f"{self._local}/customers", {"displayName": NEW_CUSTOMER, "phoneNumber": "+1 206 555 0109"}
        )
        await self._send("POST", f"{self._remote}/accounts", {"name": NEW_ACCOUNT, "customertypecode": 3})
        done.append(f"{NEW_CUSTOMER} is new in Business Central, {NEW_ACCOUNT} in Dataverse.")
        await self._send("DELETE", await self._customer(_DELETED_LOCAL))
        await self._send("DELETE", await self._account(_DELETED_REMOTE))
        done.append(
            f"Customer {_DELETED_LOCAL} is deleted in Business Central, account {_DELETED_REMOTE} in Dataverse."
        )
        return done

    async def _edit_customer(self, number: str, **values: Any) -> None:
        await self._send("PATCH", await self._customer(number), values)

    async def _edit_account(self, number: str, **values: Any) -> None:
        await self._send("PATCH", await self._account(number), values)

    async def _customer(self, number: str) -> str:
        found = await self._send("GET", f"{self._local}/customers?$filter=number eq '{number}'&$select=id")
        return f"{self._local}/customers({found['value'][0]['id']})"

    async def _account(self, number: str) -> str:
        query = f"$filter=accountnumber eq '{number}'&$select=accountid"
        found = await self._send("GET", f"{self._remote}/accounts?{query}")
        return f"{self._remote}/accounts({found['value'][0]['accountid']})"

    async def _send(self, method: str, address: str, body: Mapping[str, Any] | None = None) -> Any:
        assert self._session is not None, "use `async with`"
        headers = {name: value for name, value in self._headers.items() if method != "POST" or name != "If-Match"}
        async with self._session.request(method, address, json=body, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json() if answer.status in (200, 201) else None
