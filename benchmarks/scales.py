"""How much is measured: everything, a quick look, or just enough to see that it works."""

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of records, and how often each measurement is repeated."""

    name: str
    rounds: int
    first: tuple[tuple[int, int], ...]
    """Records of a first synchronisation, and in how many rounds."""
    compared: int
    among: tuple[int, ...]
    changes: int
    matched: int
    pages: tuple[int, int]
    """Customers on each side, and how often each page is called."""


FULL = Scale(
    name="full",
    rounds=3,
    first=((10_000, 3), (100_000, 1)),
    compared=100_000,
    among=(1_000, 10_000, 100_000, 1_000_000),
    changes=1_000,
    matched=100_000,
    pages=(100_000, 60),
)
QUICK = Scale(
    name="quick",
    rounds=1,
    first=((4_000, 1),),
    compared=100_000,
    among=(1_000, 10_000, 100_000),
    changes=1_000,
    matched=100_000,
    pages=(20_000, 20),
)
TINY = Scale(
    name="tiny",
    rounds=1,
    first=((20, 1),),
    compared=200,
    among=(100,),
    changes=10,
    matched=200,
    pages=(200, 2),
)
