"""How often signing in may fail: a pure decision over the attempts that the store has kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

import msgspec

from crosstie.model.people import Attempt

_IPV6_OF_ONE = 64


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Failures within `window` after which the next try has to wait.

    The narrow limit is by name and place together, so that nobody can lock out somebody else from afar. The wide ones
    are for who tries many names from one place, or one name from many places.
    """

    window: timedelta = timedelta(minutes=15)
    name_and_place: int = 5
    place: int = 50
    name: int = 100


def next_try(
    attempts: Sequence[Attempt], name_digest: str, place: str, limits: Limits, now: datetime
) -> datetime | None:
    """Return when the next sign-in with this name from this place is possible, None for at once.

    `attempts` are those with the name or from the place, oldest first.
    """
    recent = [each for each in attempts if each.at > now - limits.window]
    groups = (
        (
            [each.at for each in recent if each.name_digest == name_digest and each.place == place],
            limits.name_and_place,
        ),
        ([each.at for each in recent if each.place == place], limits.place),
        ([each.at for each in recent if each.name_digest == name_digest], limits.name),
    )
    waits = [times[-most] + limits.window for times, most in groups if len(times) >= most]
    return max(waits, default=None)


def place_of(address: str) -> str:
    """Return by what one place is known: the address, or of IPv6 the 64 bits that one place has to itself."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((int(found), _IPV6_OF_ONE), strict=False))
    return str(found)
