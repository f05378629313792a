"""Where tables live: `customers` on the standard API, `publisher/group/version/set` on a custom one."""

import msgspec

from crosstie.model.errors import InvalidConnection, UnknownTable


class Route(msgspec.Struct, frozen=True):
    """The root of an API and the name of an entity set there."""

    root: str
    entity_set: str


def route(table: str, address: str) -> Route:
    """Return the route of a table for the API root of a connection. Raises UnknownTable, InvalidConnection."""
    *api, entity_set = table.split("/")
    if not api:
        return Route(address, entity_set)
    if len(api) != 3 or not all(api):
        raise UnknownTable(
            f"The table {table!r} is named neither as an entity set (customers) nor as a page of a custom API "
            "(publisher/group/version/entitySet).",
            table=table,
        )
    base, found, _ = address.rpartition("/api/")
    if not found:
        raise InvalidConnection(f"The address {address!r} has no /api/ in it: where custom pages are is not known.")
    return Route(f"{base}/api/{'/'.join(api)}", entity_set)


def environment_of(address: str) -> str:
    """Return the environment that an address names: the segment before /api/, empty if there is none."""
    path = address.partition("://")[2].partition("/")[2]
    segments = path.split("/")
    place = segments.index("api") if "api" in segments else 0
    return segments[place - 1] if place else ""
