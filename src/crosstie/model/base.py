"""The base: the values of the mapped fields on both sides when a coupling was last in agreement.

Stored as JSON, so that it can be read with the database's own tools. A field that is missing has no base. What a person
chose when the two were coupled stands in it until it is carried out, so that the coupling and the choice are one.
"""

from collections.abc import Iterable, Mapping

import msgspec

from crosstie.model.readers import reader
from crosstie.model.records import Side
from crosstie.model.schema import TableSchema
from crosstie.model.values import Scalar


class Base(msgspec.Struct, frozen=True):
    """Canonical values by field name, each side on its own."""

    local: dict[str, Scalar]
    remote: dict[str, Scalar]
    chosen: dict[str, Side] = {}
    """The side whose value both are still to get, by field mapping."""


class _Stored(msgspec.Struct):
    l: dict[str, str | int | float | bool | None]  # noqa: E741
    r: dict[str, str | int | float | bool | None]
    chosen: dict[str, Side] = {}


_decoder = msgspec.json.Decoder(_Stored)


def encode_base(base: Base) -> bytes:
    """Return the stored form of `base`."""
    chosen = {"chosen": base.chosen} if base.chosen else {}
    return msgspec.json.encode({"l": base.local, "r": base.remote, **chosen})


def encode_side(names: Iterable[str], values: Mapping[str, Scalar]) -> bytes:
    """Return how a base that holds these fields of one side, in this order, stores them."""
    return msgspec.json.encode({name: values.get(name) for name in names})


def holds_side(stored: bytes, side: Side, encoded: bytes) -> bool:
    """Whether a stored base holds on one side exactly what `encode_side` made; much quicker than reading it.

    False tells nothing: the base may hold equal values in another order or spelling.
    """
    if side is Side.LOCAL:
        return stored.startswith(b'{"l":' + encoded + b',"r":{')
    # Inside of texts quotation marks are escaped: this can be found nowhere but between the two sides.
    return stored.endswith(b',"r":' + encoded + b"}")


class BaseReader:
    """Reads the bases of one mapping's couplings: made once for its two tables."""

    __slots__ = ("_local", "_remote")

    def __init__(self, local: TableSchema, remote: TableSchema) -> None:
        self._local = {name: reader(field) for name, field in local.fields.items()}
        self._remote = {name: reader(field) for name, field in remote.fields.items()}

    def read(self, stored: bytes | None) -> Base | None:
        """Return the base in canonical values, None if there is none; fields that the tables lost are left out."""
        if stored is None:
            return None
        raw = _decoder.decode(stored)
        local, remote = self._local, self._remote
        return Base(
            {name: local[name](value) for name, value in raw.l.items() if name in local},
            {name: remote[name](value) for name, value in raw.r.items() if name in remote},
            raw.chosen,
        )


def decode_base(stored: bytes | None, local: TableSchema, remote: TableSchema) -> Base | None:
    """Return one base; see `BaseReader.read`."""
    return BaseReader(local, remote).read(stored)
