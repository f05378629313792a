"""The names of the data sets."""

from dataclasses import dataclass
from typing import Final

NAMES: Final = ("demo", "empty", "generate:N", "generate:N:local", "generate:N:remote")
_MOST: Final = 10_000_000


class DataError(ValueError):
    """An unknown data set; the message names those there are."""


@dataclass(frozen=True, slots=True)
class Order:
    """A data set by its parsed name."""

    kind: str
    count: int = 0
    side: str = "both"
    seed: int = 1


def parse(name: str, seed: int | None = None) -> Order:
    """Read a data set's name; raises :class:`DataError`."""
    kind, *rest = name.split(":")
    seed = 1 if seed is None else seed
    if kind in ("demo", "empty") and not rest:
        return Order(kind, seed=seed)
    if kind == "generate" and len(rest) in (1, 2) and rest[0].isdigit() and 0 < int(rest[0]) <= _MOST:
        side = rest[1] if len(rest) == 2 else "both"
        if side in ("both", "local", "remote"):
            return Order(kind, int(rest[0]), side, seed)
    raise DataError(f"unknown data set {name!r}; known: {', '.join(NAMES)} (N up to {_MOST:,})")
