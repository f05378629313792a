"""The JSON in the store's columns. Numbers stay exact: a decimal is a JSON number and comes back as Decimal.

Dates and times come back as the text that `model.values.normalise` reads; a whole decimal may come back as an int.
"""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from crosstie.model.errors import StoreError
from crosstie.model.jobs import Counters, FieldChange
from crosstie.model.problems import ProblemField
from crosstie.model.values import Scalar

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_counters = msgspec.json.Decoder(Counters)

S = TypeVar("S", bound=msgspec.Struct)


def encode(value: Any) -> bytes:
    """Return `value` as JSON."""
    return _encoder.encode(value)


def decode_values(stored: bytes) -> dict[str, Scalar]:
    """Return values by name."""
    values: dict[str, Scalar] = _decoder.decode(stored)
    return values


def decode_changes(stored: bytes) -> tuple[FieldChange, ...]:
    """Return the changes of a journal entry."""
    return tuple(FieldChange(**each) for each in _decoder.decode(stored))


def decode_problem_fields(stored: bytes) -> tuple[ProblemField, ...]:
    """Return the fields of a problem."""
    return tuple(ProblemField(**each) for each in _decoder.decode(stored))


def decode_counters(stored: bytes) -> Counters:
    """Return the counters of a job."""
    return _counters.decode(stored)


def decode_definition(stored: bytes, wanted: type[S], called: str) -> S:
    """Return a stored definition. Raises StoreError, naming it as `called`, if it no longer fits."""
    try:
        return msgspec.json.decode(stored, type=wanted)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise StoreError(
            f"The stored definition of {called} cannot be read: {error}.",
            next_step="Remove it and add it again.",
        ) from error
