"""All routes of the server."""

from litestar.types import ControllerRouterHandler

from crosstie.api.routes import (
    connections,
    couplings,
    differences,
    filters,
    health,
    history,
    landing,
    mappings,
    matching,
    missing,
    plans,
    problems,
    records,
    removed,
    schedules,
    signing_in,
    synchronising,
    tokens,
    undoing,
    users,
)

_ROOMS = (
    *(health, landing, signing_in, users, tokens, connections, mappings, filters, records, couplings, removed, missing),
    *(synchronising, plans, differences, matching, problems, schedules, history, undoing),
)


def handlers(*, has_pages: bool = False) -> list[ControllerRouterHandler]:
    """Return all routes of the server: those of the API, health and figures, and the landing redirect.

    A server that `has_pages` brings a landing page of its own.
    """
    return [handler for room in _ROOMS if not (has_pages and room is landing) for handler in room.HANDLERS]
