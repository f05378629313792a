"""The two systems as a crash test sets them up and reads them back: business values only, no ids."""

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

from crosstie.app.home import open_home
from crosstie.model.couplings import Coupling
from crosstie.sandbox.launch import Sandbox

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class World:
    """Empty systems, filled as a test says; each attempt starts from the same state and a copy of the same home."""

    def __init__(self, sandbox: Sandbox, connected: Path, folder: Path) -> None:
        info = sandbox.info()
        self._control = {name: info[name]["control"] for name in ("business_central", "dataverse")}  # type: ignore[index]
        company = info["business_central"]["company_id"]  # type: ignore[index]
        self._local = f"{info['business_central']['api']}/companies({company})"  # type: ignore[index]
        self._remote = str(info["dataverse"]["api"])  # type: ignore[index]
        self._connected = connected
        self._folder = folder
        self.home = folder / "home"

    def empty(self) -> None:
        """Empty both systems, take faults away, and start with a home that has connections and mappings only."""
        for control in self._control.values():
            self._call("DELETE", f"{control}/faults")
            self._call("POST", f"{control}/load", {"data": "empty"})
        if self.home.exists():
            shutil.rmtree(self.home)
        shutil.copytree(self._connected, self.home)

    def customer(self, number: str, name: str, **values: Any) -> None:
        self._call("POST", f"{self._local}/customers", {"number": number, "displayName": name, **values})

    def account(self, name: str, **values: Any) -> None:
        self._call("POST", f"{self._remote}/accounts", {"name": name, "customertypecode": 3, **values})

    def edit_customer(self, number: str, **values: Any) -> None:
        found = self._call("GET", f"{self._local}/customers?$filter=number%20eq%20'{number}'")["value"][0]
        self._call("PATCH", f"{self._local}/customers({found['id']})", values)

    def edit_account(self, name: str, **values: Any) -> None:
        query = f"$filter=name%20eq%20'{name.replace(' ', '%20')}'&$select=accountid"
        found = self._call("GET", f"{self._remote}/accounts?{query}")["value"][0]
        self._call("PATCH", f"{self._remote}/accounts({found['accountid']})", values)

    def fault(self, system: str, **fault: Any) -> None:
        self._call("POST", f"{self._control[system]}/faults", {"faults": [fault]})

    def clear_faults(self) -> None:
        for control in self._control.values():
            self._call("DELETE", f"{control}/faults")

    def state(self) -> dict[str, Any]:
        """Return what both systems and the store hold, in business values and in order."""
        customers = self._call("GET", f"{self._local}/customers")["value"]
        accounts = self._call("GET", f"{self._remote}/accounts")["value"]
        options = self._options()
        return {
            "customers": sorted(
                (
                    c["displayName"],
                    c["phoneNumber"],
                    c["city"],
                    c["website"],
                    float(c["creditLimit"]),
                    c["currencyCode"],
                )
                for c in customers
            ),
            "accounts": sorted(
                (
                    a["name"],
                    a["telephone1"] or "",
                    a["address1_city"] or "",
                    a["websiteurl"] or "",
                    a["creditlimit"] or 0,
                    bool(a["_transactioncurrencyid_value"]),
                )
                for a in accounts
            ),
            "stamped": sorted(a["name"] for a in accounts if a["_bcbi_companyid_value"]),
            "options": sorted(options),
            **self._stored(customers, accounts),
        }

    def _stored(self, customers: list[dict[str, Any]], accounts: list[dict[str, Any]]) -> dict[str, Any]:
        """Return couplings and problems of the home, ids replaced by names."""
        names = {c["id"]: c["displayName"] for c in customers} | {a["accountid"]: a["name"] for a in accounts}
        with open_home(self.home) as home, home.store.begin() as unit:
            couplings = [c for m in unit.mappings() for c in unit.couplings.page(m.name, limit=1000)]
            problems = unit.problems()
            intents = [intent for mapping in unit.mappings() for intent in unit.intents(mapping.name)]
        return {
            "couplings": sorted(self._pair(coupling, names) for coupling in couplings),
            "problems": sorted((problem.name, problem.code) for problem in problems),
            "open intents": len(intents),
        }

    def _pair(self, coupling: Coupling, names: dict[str, str]) -> tuple[str, str, str, str]:
        local = names.get(coupling.local_id) or coupling.local_key or ""
        remote = names.get(coupling.remote_id) or coupling.remote_name or ""
        return coupling.mapping, local, remote, coupling.state.value

    def _options(self) -> list[str]:
        address = (
            f"{self._remote}/EntityDefinitions(LogicalName='account')/Attributes(LogicalName='paymenttermscode')"
            "/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet"
        )
        found = self._call("GET", address)["OptionSet"]["Options"]
        return [option["Label"]["UserLocalizedLabel"]["Label"] for option in found]

    def _call(self, method: str, address: str, body: Any = None) -> Any:
        headers = {"Authorization": "Bearer sandbox", "Content-Type": "application/json"}
        if method == "PATCH":
            headers["If-Match"] = "*"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data=data, method=method, headers=headers)
        with _OPENER.open(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None
