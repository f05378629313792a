"""Which tables there are, from the metadata of each API root that is used; read once and kept."""

import asyncio
from difflib import get_close_matches

import msgspec

from crosstie.model.errors import SystemRefused, UnknownTable
from crosstie.systems.business_central.company import Company, find_company
from crosstie.systems.business_central.csdl import EntitySet, parse
from crosstie.systems.business_central.facts import Facts
from crosstie.systems.business_central.routes import route
from crosstie.systems.business_central.tables import Table, table_of
from crosstie.systems.odata import ODataClient


class Catalogue:
    """The tables of one company."""

    def __init__(self, client: ODataClient, company: str, facts: Facts) -> None:
        self._client = client
        self._wanted = company
        self._company: Company | None = None
        self._facts = facts
        self._apis: dict[str, dict[str, EntitySet]] = {}
        self._tables: dict[str, Table] = {}
        self._lock = asyncio.Lock()

    @property
    def known_company(self) -> Company | None:
        """The company, once something has been read from it."""
        return self._company

    async def company(self) -> Company:
        """Return the company of the connection. Raises InvalidConnection."""
        if self._company is None:
            self._company = await find_company(self._client, self._wanted)
        return self._company

    async def table(self, name: str) -> Table:
        """Return the table of an entity set. Raises UnknownTable."""
        found = self._tables.get(name)
        if found is None:
            async with self._lock:
                found = self._tables.get(name) or await self._describe(name)
                self._tables[name] = found
        return found

    def without_client_ids(self, table: Table) -> None:
        """Note that the page gives records ids of its own, whatever id a create brings."""
        schema = msgspec.structs.replace(table.schema, client_ids=False)
        self._tables[schema.name] = msgspec.structs.replace(table, schema=schema)

    async def _describe(self, name: str) -> Table:
        place = route(name, self._client.address)
        company = await self.company()
        sets = await self._api(place.root, name)
        found = sets.get(place.entity_set)
        if found is None or not found.key:
            near = get_close_matches(place.entity_set, sets, 3)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise UnknownTable(
                f"{self._client.name} has no entity set {name!r}.{hint}", next_step=_step(name), table=name
            )
        shared = self._facts.of(name).shared
        collection = place.entity_set if shared else f"companies({company.id})/{place.entity_set}"
        return table_of(name, found, place.root, collection, self._facts)

    async def _api(self, root: str, name: str) -> dict[str, EntitySet]:
        if root not in self._apis:
            try:
                self._apis[root], _ = await self._client.get(f"{root}/$metadata", parse, purpose="metadata", json=False)
            except SystemRefused as error:
                if error.details.get("status") != 404 or root == self._client.address:
                    raise
                words = f"{self._client.name} does not have the custom API page {name}."
                raise UnknownTable(words, next_step=_step(name), table=name) from error
        return self._apis[root]


def _step(table: str) -> str:
    """Return what to do about a page that is missing; empty where what is said of any table will do."""
    if "/" not in table:
        return ""
    return "Install the extension that brings it, and let the application user use it."
