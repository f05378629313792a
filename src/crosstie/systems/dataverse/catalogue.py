"""What tables there are, and their descriptions, read once from the metadata and kept."""

import asyncio
from difflib import get_close_matches
from typing import Any

from crosstie.model.errors import UnknownTable
from crosstie.systems.answers import from_json
from crosstie.systems.dataverse.metadata import CHOICES, ENTITY, OPTIONS, Address, Table, label_of, options_of, table_of
from crosstie.systems.odata import ODataClient
from crosstie.systems.together import together

_TABLES = "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute"


class Catalogue:
    """The tables of one environment. One request for the list of all, four for each table that is used."""

    def __init__(self, client: ODataClient) -> None:
        self._client = client
        self._addresses: dict[str, Address] | None = None
        self._tables: dict[str, Table] = {}
        self._lock = asyncio.Lock()

    async def table(self, name: str) -> Table:
        """Return the table of a logical name. Raises UnknownTable."""
        found = self._tables.get(name)
        if found is None:
            async with self._lock:
                found = self._tables.get(name) or await self._describe(name)
                self._tables[name] = found
        return found

    def known(self, name: str) -> Table | None:
        """Return the table if it has been described already."""
        return self._tables.get(name)

    def forget(self, name: str) -> None:
        """Have the table described anew when it is used next."""
        self._tables.pop(name, None)

    async def _describe(self, name: str) -> Table:
        addresses = await self._all()
        if name not in addresses:
            near = get_close_matches(name, addresses, 3)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise UnknownTable(f"{self._client.name} has no table {name!r}.{hint}", table=name)
        root = f"EntityDefinitions(LogicalName='{name}')"
        paths = [f"{root}?{ENTITY}", *(f"{root}/Attributes/{_cast(kind)}?{OPTIONS}" for kind in CHOICES)]
        entity, *choices = await together(self._metadata(path) for path in paths)
        options = {
            str(attribute["LogicalName"]): {
                str(option["Value"]): label_of(option.get("Label")) for option in options_of(attribute)
            }
            for answer in choices
            for attribute in answer["value"]
        }
        return table_of(entity, options, addresses)

    async def _all(self) -> dict[str, Address]:
        if self._addresses is None:
            answer = await self._metadata(_TABLES)
            self._addresses = {
                str(entity["LogicalName"]): Address(str(entity["EntitySetName"]), str(entity["PrimaryIdAttribute"]))
                for entity in answer["value"]
                if entity.get("EntitySetName")
            }
        return self._addresses

    async def _metadata(self, path: str) -> Any:
        found, _ = await self._client.get(f"{self._client.address}/{path}", from_json, purpose="metadata")
        return found


def _cast(kind: str) -> str:
    return f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
