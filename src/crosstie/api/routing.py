"""All routes of the server."""

from litestar.types import ControllerRouterHandler

from crosstie.api.routes import (
    connections,
    couplings,
    differences,
    health,
    history,
    landing,
    mappings,
    matching,
    problems,
    records,
    schedules,
    signing_in,
    synchronising,
    tokens,
    undoing,
    users,
)

_ROOMS = (
    *(health, landing, signing_in, users, tokens, connections, mappings, records, couplings),
    *(synchronising, differences, matching, problems, schedules, history, undoing),
)


def handlers() -> list[ControllerRouterHandler]:
    """Return all routes of the server: those of the API, the landing redirect, health and figures."""
    return [handler for room in _ROOMS for handler in room.HANDLERS]
