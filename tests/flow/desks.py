"""Desks: somebody else at work in one of the two systems, over raw HTTP, with a token of their own.

Nothing of the product's reading and writing is used here, so that a mistake of its cannot hide itself.
"""

import http.client
import json
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from crosstie.sandbox.launch import Host, Sandbox

Json = dict[str, Any]
_PART = (
    "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    "{method} {address} HTTP/1.1\r\nContent-Type: application/json\r\nIf-Match: *\r\n\r\n"
    "{body}\r\n"
)
_METADATA = ("$metadata", "EntityDefinitions", "RelationshipDefinitions", "Attributes", "LogicalName")


class Refused(AssertionError):
    """The system did not take what somebody else sent; a test that expects it catches it."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:500]}")
        self.status = status


@dataclass
class Requests:
    """What a system has counted: requests by method and resource, and the parts of batches beside them."""

    by: dict[str, int] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        return self.by.get("POST token", 0)

    @property
    def metadata(self) -> int:
        return sum(n for name, n in self.by.items() if any(word in name for word in _METADATA))

    @property
    def data(self) -> int:
        """All requests but those for tokens and metadata."""
        return sum(self.by.values()) - self.tokens - self.metadata

    @property
    def batches(self) -> int:
        return self.by.get("POST $batch", 0)

    @property
    def reads(self) -> int:
        return sum(n for name, n in self.by.items() if name.startswith("GET")) - self.metadata

    @property
    def writes(self) -> dict[str, int]:
        """Requests and parts of batches that may change something."""
        found: dict[str, int] = {}
        for counts in (self.by, self.parts):
            for name, number in counts.items():
                if not name.startswith("GET") and name not in ("POST token", "POST $batch"):
                    found[name] = found.get(name, 0) + number
        return found


class Desk:
    """One system as somebody else sees it, and the orders that its sandbox takes."""

    def __init__(self, sandbox: Sandbox, host: Host) -> None:
        self.host = host
        self._sandbox = sandbox
        self._line = http.client.HTTPConnection(urllib.parse.urlsplit(host.base).netloc, timeout=20)
        self._token = ""
        self._switched = True

    def close(self) -> None:
        self._line.close()

    # --- orders to the sandbox --------------------------------------------------------------------------------

    def start_over(self, data: str = "empty") -> None:
        """Forget records, faults, clock and switches, and load a data set."""
        if self._switched:
            self.order("POST", "reset", {"all": True})
        else:
            self.heal()
            self.order("POST", "clock", {"real": True})
        self.order("POST", "load", {"data": data})
        self._switched = data != "empty"  # the demo company brings switches of its own

    def order(self, method: str, name: str, body: object = None) -> Any:
        return self._send(method, f"{self.host.control_url}/{name}", body)

    def fault(self, kind: str, **conditions: object) -> None:
        """Let requests go wrong: tokens are never hit unless a path says so."""
        conditions.setdefault("path", r"^(?!.*/oauth2/)")
        self.order("POST", "faults", {"faults": [{"kind": kind, **conditions}]})

    def heal(self) -> None:
        self.order("DELETE", "faults")

    def switch(self, **settings: object) -> None:
        self._switched = True
        self.order("POST", "settings", settings)

    def forget_requests(self) -> None:
        self.order("DELETE", "requests")

    def requests(self) -> Requests:
        counted = self.order("GET", "requests")
        return Requests(counted["by"], counted["parts_by"])

    # --- records ----------------------------------------------------------------------------------------------

    def address(self, collection: str) -> str:
        """Return the address of an entity set."""
        return f"{self.host.api}/{collection}"

    def add(self, collection: str, **values: object) -> Json:
        """Create a record and return it as stored."""
        found: Json = self._signed("POST", self.address(collection), values)
        return found

    def change(self, collection: str, id: str, **values: object) -> None:
        self._signed("PATCH", f"{self.address(collection)}({id})", values)

    def change_many(self, collection: str, ids: Sequence[str], **values: object) -> None:
        """Change many records alike, in batches of a hundred."""
        for start in range(0, len(ids), 100):
            self._batch([("PATCH", f"{self.address(collection)}({id})", values) for id in ids[start : start + 100]])

    def add_many(self, collection: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Create many records, in batches of a hundred."""
        for start in range(0, len(rows), 100):
            self._batch([("POST", self.address(collection), row) for row in rows[start : start + 100]])

    def _batch(self, requests: Sequence[tuple[str, str, Mapping[str, object]]]) -> None:
        parts = [
            _PART.format(method=method, address=address, body=json.dumps(values))
            for method, address, values in requests
        ]
        headers = {"Content-Type": "multipart/mixed; boundary=b", **self._authorization()}
        answer = self._send("POST", f"{self.host.api}/$batch", "".join(parts) + "--b--\r\n", headers, json_answer=False)
        assert " 4" not in {line[8:10] for line in answer.splitlines() if line.startswith("HTTP/1.1")}, answer[:500]

    def remove(self, collection: str, id: str) -> None:
        self._signed("DELETE", f"{self.address(collection)}({id})")

    def row(self, collection: str, id: str, query: str = "") -> Json:
        """Return a record. Raises Refused with 404 if there is none."""
        found: Json = self._signed("GET", f"{self.address(collection)}({id}){query}")
        return found

    def exists(self, collection: str, id: str) -> bool:
        try:
            self.row(collection, id)
        except Refused as refused:
            if refused.status != 404:
                raise
            return False
        return True

    def rows(self, collection: str, filter: str = "") -> list[Json]:
        """Return all records that a filter admits."""
        query = f"?$filter={urllib.parse.quote(filter)}" if filter else ""
        found: list[Json] = []
        url: str | None = f"{self.address(collection)}{query}"
        while url:
            page = self._signed("GET", url)
            found += page["value"]
            url = page.get("@odata.nextLink")
        return found

    def only(self, collection: str, filter: str) -> Json:
        """Return the one record that a filter admits."""
        found = self.rows(collection, filter)
        assert len(found) == 1, f"{len(found)} {collection} with {filter}"
        return found[0]

    def _signed(self, method: str, url: str, body: object = None) -> Any:
        headers = {"Prefer": "return=representation"}
        if method in ("PATCH", "DELETE"):
            headers["If-Match"] = "*"
        try:
            return self._send(method, url, body, headers | self._authorization())
        except Refused as refused:
            if refused.status != 401:
                raise
        self._token = ""  # it has expired: a test has set the clock
        return self._send(method, url, body, headers | self._authorization())

    def _authorization(self) -> dict[str, str]:
        if not self._token:
            self._token = self._sign_in()
        return {"Authorization": f"Bearer {self._token}"}

    def _sign_in(self) -> str:
        info = self._sandbox.info()
        form = {"grant_type": "client_credentials", "scope": f"{self.host.base}/.default"}
        form |= {name: str(info[name]) for name in ("client_id", "client_secret")}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = urllib.parse.urlsplit(str(info["token_url"])).path
        answer = self._send("POST", f"{self.host.base}{path}", urllib.parse.urlencode(form), headers)
        return str(answer["access_token"])

    def _send(
        self,
        method: str,
        url: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        json_answer: bool = True,
    ) -> Any:
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        path = url.removeprefix(self.host.base).replace(" ", "%20")
        try:
            self._line.request(method, path, data, sent)
            answer = self._line.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # The server closes idle connections; orders and these edits are safe to send once more then.
            self._line.close()
            self._line.request(method, path, data, sent)
            answer = self._line.getresponse()
        found = answer.read()
        if answer.status >= 400:
            raise Refused(answer.status, found.decode(errors="replace"))
        if not json_answer:
            return found.decode()
        return json.loads(found) if found else None


class BusinessCentralDesk(Desk):
    """Somebody in Business Central, in the demo company."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, sandbox.business_central)
        entry: Any = sandbox.info()["business_central"]
        self._company = entry["company_id"]

    def address(self, collection: str) -> str:
        root = self.host.api
        if collection.startswith("sync"):
            root = root.replace("/api/v2.0", "/api/crosstie/sync/v1.0")
        return f"{root}/companies({self._company})/{collection}"

    def id_of(self, collection: str, key: str) -> str:
        """Return the id of the record with a number or code."""
        name = "number" if collection in _NUMBERED else "code"
        return str(self.only(collection, f"{name} eq '{key}'")["id"])

    def edit_customer(self, number: str, **values: object) -> None:
        self.change("customers", self.id_of("customers", number), **values)

    def customer(self, number: str) -> Json:
        """Return a customer in business terms: codes instead of ids, blanks as empty text."""
        row = self.only("syncCustomers", f"number eq '{number}'")
        return {
            "name": row["displayName"],
            "contact": row["contactName"],
            "address": row["addressLine1"],
            "address 2": row["addressLine2"],
            "post code": row["postalCode"],
            "city": row["city"],
            "country": row["countryCode"],
            "county": row["county"],
            "currency": row["currencyCode"] or "GBP",
            "e-mail": row["email"],
            "fax": row["faxNo"],
            "home page": row["homePage"],
            "phone": row["phoneNo"],
            "shipment method": row["shipmentMethodCode"],
            "payment terms": row["paymentTermsCode"],
            "credit limit": float(row["creditLimitLcy"]),
        }

    def person(self, company_number: str, first: str, last: str, **values: object) -> Json:
        """Add a person to a company contact, by the number of the customer or vendor behind it."""
        company = self.company_contact(company_number)
        return self.add(
            "syncContacts",
            **{
                "type": "Person",
                "companyNumber": company["number"],
                "firstName": first,
                "surname": last,
                **values,
            },
        )

    def company_contact(self, number: str) -> Json:
        """Return the company contact of a customer or vendor."""
        return self.only("syncContacts", f"type eq 'Company' and businessRelationNumber eq '{number}'")


class DataverseDesk(Desk):
    """Somebody in Dataverse."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, sandbox.dataverse)

    def add_customer(self, name: str, **values: object) -> Json:
        """Add an account that is a customer."""
        return self.add("accounts", name=name, customertypecode=3, **values)

    def add_user(self, first: str, last: str, **values: object) -> Json:
        """Add a licensed user of the company's business unit."""
        unit = self.only("businessunits", "parentbusinessunitid eq null")["businessunitid"]
        name = f"{first}.{last}@crm.example".lower()
        return self.add(
            "systemusers",
            **{
                "firstname": first,
                "lastname": last,
                "domainname": name,
                "internalemailaddress": name,
                "islicensed": True,
                "businessunitid@odata.bind": f"/businessunits({unit})",
                **values,
            },
        )

    def add_currency(self, code: str, name: str, rate: float = 1.0) -> Json:
        return self.add(
            "transactioncurrencies",
            isocurrencycode=code,
            currencyname=name,
            currencysymbol=code,
            currencyprecision=2,
            exchangerate=rate,
        )

    def account_named(self, name: str) -> Json:
        return self.only("accounts", "name eq '" + name.replace("'", "''") + "'")

    def account(self, id: str) -> Json:
        """Return an account in business terms: labels of options, codes of currencies, blanks as empty text."""
        row = self.row("accounts", id, "?$expand=transactioncurrencyid($select=isocurrencycode)")
        currency = row["transactioncurrencyid"]
        return {
            "name": row["name"] or "",
            "contact": row["address1_primarycontactname"] or "",
            "address": row["address1_line1"] or "",
            "address 2": row["address1_line2"] or "",
            "post code": row["address1_postalcode"] or "",
            "city": row["address1_city"] or "",
            "country": row["address1_country"] or "",
            "county": row["address1_stateorprovince"] or "",
            "currency": currency["isocurrencycode"] if currency else "",
            "e-mail": row["emailaddress1"] or "",
            "fax": row["fax"] or "",
            "home page": row["websiteurl"] or "",
            "phone": row["telephone1"] or "",
            "shipment method": self._label("address1_freighttermscode", row["address1_freighttermscode"]),
            "payment terms": self._label("paymenttermscode", row["paymenttermscode"]),
            "credit limit": float(row["creditlimit"] or 0),
        }

    def options(self, column: str) -> dict[int, str]:
        """Return the options of a choice column of accounts: their labels by value."""
        path = f"EntityDefinitions(LogicalName='account')/Attributes(LogicalName='{column}')"
        kind = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet"
        found = self._signed("GET", f"{self.host.api}/{path}/{kind}")["OptionSet"]["Options"]
        return {option["Value"]: option["Label"]["UserLocalizedLabel"]["Label"] for option in found}

    def _label(self, column: str, value: int | None) -> str:
        return "" if value is None else self.options(column)[value].upper()


@contextmanager
def both_desks(sandbox: Sandbox) -> Iterator[tuple[BusinessCentralDesk, DataverseDesk]]:
    """Sit down at both systems of a sandbox."""
    with closing(BusinessCentralDesk(sandbox)) as bc, closing(DataverseDesk(sandbox)) as dv:
        yield bc, dv


_NUMBERED = ("customers", "vendors", "contacts", "syncCustomers", "syncVendors", "syncContacts")
