"""The company that a connection works in, found by id or name among those of the environment."""

from typing import Any

import msgspec

from crosstie.model.errors import InvalidConnection
from crosstie.systems.answers import from_json
from crosstie.systems.odata import ODataClient


class Company(msgspec.Struct, frozen=True):
    """A company: its SystemId and its name, which the web client's addresses carry."""

    id: str
    name: str


async def find_company(client: ODataClient, wanted: str) -> Company:
    """Return the company of this id or name; without one, the only company there is. Raises InvalidConnection."""
    found, _ = await client.get(f"{client.address}/companies", from_json, purpose="metadata")
    companies = {str(row["id"]).lower(): row for row in found["value"]}
    names = ", ".join(str(row["name"]) for row in companies.values())
    if not wanted and len(companies) != 1:
        raise InvalidConnection(
            f"The connection {client.name} names no company, and the environment has {len(companies)}: {names}.",
            next_step="Name one of them.",
            field="company",
        )
    for id, row in companies.items():
        if not wanted or wanted.strip("{}").lower() == id or wanted in _names(row):
            return Company(id, str(row["name"]))
    raise InvalidConnection(
        f"The connection {client.name} names the company {wanted!r}; the environment has {names or 'none'}.",
        next_step="Name one of them.",
        field="company",
    )


def _names(row: dict[str, Any]) -> tuple[str, str]:
    return str(row.get("name") or ""), str(row.get("displayName") or "")
