"""How much is measured: everything, a quick look, or just enough to see that it works."""

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of records, and how often each measurement is repeated."""

    name: str
    rounds: int
    first_records: int
    volumes: tuple[int, ...]
    compared: int
    among: tuple[int, ...]
    changes: int
    updates: int
    matched: int


FULL = Scale(
    name="full",
    rounds=3,
    first_records=10_000,
    volumes=(10_000, 100_000),
    compared=100_000,
    among=(1_000, 10_000, 100_000, 1_000_000),
    changes=1_000,
    updates=1_000,
    matched=100_000,
)
QUICK = Scale(
    name="quick",
    rounds=1,
    first_records=1_000,
    volumes=(),
    compared=100_000,
    among=(1_000, 10_000, 100_000),
    changes=1_000,
    updates=1_000,
    matched=100_000,
)
TINY = Scale(
    name="tiny",
    rounds=1,
    first_records=20,
    volumes=(),
    compared=200,
    among=(100,),
    changes=10,
    updates=20,
    matched=200,
)
