"""How hard a connection may work its system, and how long it is patient."""

from collections.abc import Mapping
from typing import Any

import msgspec

from crosstie.model.errors import InvalidConnection


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one connection; settings["limits"] overrides any of them."""

    concurrency: int = 4
    """Requests under way at the same time."""
    attempts: int = 6
    """How often a request that may be repeated is sent at most."""
    garbled_attempts: int = 3
    """How often a read is sent at most whose answers are torn or no JSON."""
    patience: float = 300.0
    """Seconds after which a request is given up, with all its pauses and repetitions."""
    timeout: float = 120.0
    """Seconds that one answer may take."""
    connect_timeout: float = 10.0
    first_pause: float = 0.5
    """Seconds before the first repetition where the system names no time; doubled each time."""
    longest_pause: float = 30.0
    page_size: int = 5000
    batch_size: int = 100


def limits_of(settings: Mapping[str, Any], defaults: Limits) -> Limits:
    """Return `defaults` with what settings["limits"] changes. Raises InvalidConnection naming the limit."""
    changes = settings.get("limits") or {}
    try:
        limits = msgspec.convert({**msgspec.structs.asdict(defaults), **changes}, Limits, strict=False)
    except (msgspec.ValidationError, TypeError) as error:
        raise InvalidConnection(f"The connection's setting limits is {changes!r}: {error}.") from error
    for name, value in msgspec.structs.asdict(limits).items():
        if value <= 0:
            raise InvalidConnection(f"The connection's limit {name} is {value}; it must be greater than 0.")
    return limits
