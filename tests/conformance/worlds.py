"""Worlds: a system with somebody else in it, who changes records and orders faults."""

import json
import urllib.request
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from crosstie.model.connections import Connection, SystemKind
from crosstie.model.records import Record
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar
from crosstie.sandbox.launch import Host, Sandbox
from crosstie.systems.base import System
from crosstie.systems.business_central import BusinessCentral
from crosstie.systems.dataverse import Dataverse
from crosstie.systems.memory import MemorySystem

QUICK = {"first_pause": 0.01, "longest_pause": 0.05, "attempts": 4, "patience": 20, "timeout": 5}
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Fields:
    """The fields of a world's table that the suite uses, by what they are."""

    def __init__(self, text: str, short: str, amount: str, choice: str, unique: str) -> None:
        self.text = text
        self.short = short
        self.amount = amount
        self.choice = choice
        self.unique = unique

    @property
    def all(self) -> tuple[str, ...]:
        return (self.text, self.short, self.amount, self.choice, self.unique)


class World(Protocol):
    """What the suite needs to know of a system and to do behind its back."""

    table: str
    fields: Fields
    choices: tuple[Scalar, Scalar]
    required: tuple[str, dict[str, Scalar], str]
    """A table, values that lack a required field, and that field."""

    def system(self, **limits: Any) -> System: ...

    def put(self, id: str | None = None, **values: Scalar) -> str: ...

    def change(self, id: str, **values: Scalar) -> None: ...

    def remove(self, id: str) -> None: ...

    def lose_write(self, *, done: bool) -> None:
        """Lose the answer to the next write, before or after it is carried out."""

    def cut_off(self) -> System:
        """Return a system that cannot be reached."""

    def wrong_secret(self) -> System:
        """Return a system whose sign-in is refused."""


def new_id() -> str:
    return str(uuid.uuid4())


# --- memory -------------------------------------------------------------------------------------------------


def memory_tables() -> list[TableSchema]:
    fields = [
        FieldSchema(name="id", type=FieldType.GUID, creatable=True, updatable=False),
        FieldSchema(name="number", type=FieldType.CODE, max_length=20),
        FieldSchema(name="name", type=FieldType.TEXT, max_length=100, required=True),
        FieldSchema(name="phone", type=FieldType.TEXT, max_length=30),
        FieldSchema(name="credit", type=FieldType.DECIMAL, scale=2, nullable=False),
        FieldSchema(name="kind", type=FieldType.CHOICE, options={"Company": "Company", "Person": "Person"}),
    ]
    return [
        TableSchema(
            name="customer",
            key="id",
            name_field="name",
            fields={field.name: field for field in fields},
            feed=ChangeFeed.DELTA,
            client_ids=True,
            conditional_writes=True,
            alternate_keys=(("number",),),
            filters_in_feed=False,
        )
    ]


class MemoryWorld:
    """Everything in this process."""

    table = "customer"
    fields = Fields("name", "phone", "credit", "kind", "number")
    choices = ("Company", "Person")
    required = ("customer", {"phone": "1"}, "name")

    def __init__(self) -> None:
        self._system = MemorySystem("memory", memory_tables(), page_size=50, batch_size=40)

    def system(self, **limits: Any) -> System:
        return self._system

    def put(self, id: str | None = None, **values: Scalar) -> str:
        return self._system.put(self.table, values, id or new_id()).id

    def change(self, id: str, **values: Scalar) -> None:
        self._system.change(self.table, id, **values)

    def remove(self, id: str) -> None:
        self._system.remove(self.table, id)

    def lose_write(self, *, done: bool) -> None:
        self._system.faults.add("unknown_after" if done else "unknown_before")

    def cut_off(self) -> System:
        self._system.faults.add("unreachable", times=None)
        return self._system

    def wrong_secret(self) -> System:
        self._system.faults.add("sign_in_refused", times=None)
        return self._system


# --- over HTTP ----------------------------------------------------------------------------------------------


class HttpWorld(ABC):
    """A sandbox server. Somebody else speaks to it with a token of his own, uncounted."""

    table: str
    fields: Fields
    key: str
    collection: str
    kind: SystemKind

    def __init__(self, sandbox: Sandbox, host: Host) -> None:
        self.sandbox = sandbox
        self.host = host
        self.order("POST", "reset", {"all": True})
        self.order("POST", "load", {"data": "empty"})
        self.order("DELETE", "requests")

    def connection(self, **changes: Any) -> Connection:
        info = self.sandbox.info()
        plain = Connection(
            name=self.host.name,
            kind=self.kind,
            address=self.host.api,
            tenant_id=str(info["tenant_id"]),
            client_id=str(info["client_id"]),
            secret=str(info["client_secret"]),
            token_url=str(info["token_url"]),
        )
        settings = changes.pop("settings", {})
        return replace(plain, settings={"limits": QUICK, **settings}, **changes)

    @abstractmethod
    def build(self, connection: Connection) -> System:
        """Return the system behind a connection."""

    def system(self, **limits: Any) -> System:
        return self.build(self.connection(settings={"limits": {**QUICK, **limits}}))

    def order(self, method: str, name: str, body: object = None) -> Any:
        return self._request(method, f"{self.host.control_url}/{name}", body)

    def fault(self, kind: str, **conditions: object) -> None:
        self.order("POST", "faults", {"faults": [{"kind": kind, **conditions}]})

    def requests(self) -> dict[str, Any]:
        found: dict[str, Any] = self.order("GET", "requests")
        return found

    def put(self, id: str | None = None, **values: Scalar) -> str:
        body = {self.key: id or new_id(), **values}
        self._request("POST", f"{self.host.api}/{self.collection}", body)
        return str(body[self.key])

    def change(self, id: str, **values: Scalar) -> None:
        self._request("PATCH", f"{self.host.api}/{self.collection}({id})", values, {"If-Match": "*"})

    def remove(self, id: str) -> None:
        self._request("DELETE", f"{self.host.api}/{self.collection}({id})", headers={"If-Match": "*"})

    def lose_write(self, *, done: bool) -> None:
        self.fault("drop_after" if done else "drop_before", method="POST", path=r"\$batch")

    def cut_off(self) -> System:
        return self.build(self.connection(address=self.host.api.replace(self.host.base, "http://127.0.0.1:9")))

    def wrong_secret(self) -> System:
        return self.build(self.connection(secret="not this one"))

    @staticmethod
    def _request(method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": "Bearer sandbox", "Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(url, data, sent, method=method)
        with _OPENER.open(request, timeout=10) as answer:
            found = answer.read()
        return json.loads(found) if found and answer.headers.get_content_type() == "application/json" else None


class BusinessCentralWorld(HttpWorld):
    """Customers of the sandbox's company."""

    kind = SystemKind.BUSINESS_CENTRAL
    table = "customers"
    key = "id"
    fields = Fields("displayName", "phoneNumber", "creditLimit", "type", "number")
    choices = ("Company", "Person")
    required = ("customers", {"phoneNumber": "1"}, "displayName")

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, sandbox.business_central)
        company = self._request("GET", f"{self.host.api}/companies")["value"][0]["id"]
        self.collection = f"companies({company})/customers"

    def build(self, connection: Connection) -> System:
        return BusinessCentral(connection)


class DataverseWorld(HttpWorld):
    """Accounts of the sandbox's environment."""

    kind = SystemKind.DATAVERSE
    table = "account"
    key = "accountid"
    collection = "accounts"
    fields = Fields("name", "telephone1", "creditlimit", "customertypecode", "accountnumber")
    choices = (3, 11)
    required = ("transactioncurrency", {"isocurrencycode": "XTS", "currencyname": "Test", "currencysymbol": "T"}, "")

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, sandbox.dataverse)

    def build(self, connection: Connection) -> System:
        return Dataverse(connection)


def values_of(records: Mapping[str, Record] | list[Record], field: str) -> list[Scalar]:
    """Return the values of one field, sorted as text."""
    found = records.values() if isinstance(records, Mapping) else records
    return sorted((record.values[field] for record in found), key=str)
