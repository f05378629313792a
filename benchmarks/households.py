"""Homes for measurements: connected to a running sandbox, with what customers refer to coupled already."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from crosstie.app.connections import connect_pair, pair_from_sandbox
from crosstie.app.home import Home, open_home
from crosstie.app.matching import match
from crosstie.app.session import open_session

REFERRED_TO = ("CURRENCY", "PAYMENT TERMS", "SHIPMENT METHOD")
"""Mappings whose records customers refer to."""


def opened(folder: str) -> AbstractContextManager[Home]:
    """Open the home in a folder, whatever the environment says."""
    return open_home(Path(folder), str(Path(folder, "crosstie.db")))


async def connect(home: Home, info: dict[str, Any], mappings: Sequence[str] = REFERRED_TO) -> None:
    """Connect a home with a sandbox (its ready line), and couple and synchronise the records of some mappings."""
    await connect_pair(home, *pair_from_sandbox(info))
    async with open_session(home) as session:
        for name in mappings:
            await match(session, name)
