"""Ids that are the same wherever and whenever a data set is loaded."""

from hashlib import blake2b
from typing import Final
from uuid import UUID, uuid5

_NAMESPACE: Final = UUID("8d0f5c1e-94c6-4a53-9a0b-0f4d5b7f2c61")


def identity(table: str, key: str) -> str:
    """The id of a record of a data set by its table and key."""
    return str(uuid5(_NAMESPACE, f"{table}/{key}"))


def numbered(table: str, seed: int, number: int) -> str:
    """The id of a generated record: as good as :func:`identity`, and three times as quick."""
    digest = blake2b(b"%s/%d/%d" % (table.encode(), seed, number), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


def scatter(seed: int, number: int) -> int:
    """64 bits that look like chance and follow from *seed* and *number*."""
    return int.from_bytes(blake2b(b"%d/%d" % (seed, number), digest_size=8).digest())


COMPANY_ID: Final = identity("companies", "CRONUS International Ltd.")
