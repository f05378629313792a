"""Readers: what `normalise` does, made once for a field, for the values that come by the hundred thousand.

They are quick for what JSON carries and leave everything else to `normalise`.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, TypeAlias

from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import ZERO_GUID, Scalar, normalise

Reader: TypeAlias = Callable[[Any], Scalar]


def reader(field: FieldSchema) -> Reader:
    """Return a quick equal of `normalise` for the values of `field`. It raises ValueError where that does."""
    make = _QUICK.get(field.type)
    return (lambda value: normalise(value, field)) if make is None else make(field)


def moment(value: Any) -> datetime | None:
    """Return a time of JSON in UTC, None for a blank. Raises ValueError or TypeError if it is none."""
    if value is None or value == "":
        return None
    found = datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _text(field: FieldSchema) -> Reader:
    def read(value: Any) -> Scalar:
        if value.__class__ is str and "\r" not in value:
            return value or None
        return normalise(value, field)

    return read


def _code(field: FieldSchema) -> Reader:
    def read(value: Any) -> Scalar:
        return value.strip().upper() or None if value.__class__ is str else normalise(value, field)

    return read


def _guid(field: FieldSchema) -> Reader:
    def read(value: Any) -> Scalar:
        if value is None or value == ZERO_GUID:
            return None
        return value.lower() if value.__class__ is str and len(value) == 36 else normalise(value, field)

    return read


def _decimal(field: FieldSchema) -> Reader:
    unit = None if field.scale is None else Decimal(1).scaleb(-field.scale)

    def read(value: Any) -> Scalar:
        kind = value.__class__
        if kind is not Decimal and kind is not int and (kind is not str or not value):
            return normalise(value, field)
        try:
            number: Decimal = value if kind is Decimal else Decimal(value)
            if not number.is_finite():
                return normalise(value, field)
            return number if unit is None else number.quantize(unit, ROUND_HALF_UP)
        except InvalidOperation:
            return normalise(value, field)

    return read


def _number(field: FieldSchema) -> Reader:
    def read(value: Any) -> Scalar:
        return value if value.__class__ is int else normalise(value, field)

    return read


def _boolean(field: FieldSchema) -> Reader:
    def read(value: Any) -> Scalar:
        return value if value.__class__ is bool else normalise(value, field)

    return read


def _day(field: FieldSchema) -> Reader:
    def read(value: Any) -> Scalar:
        if value is None or value == "0001-01-01":
            return None
        if value.__class__ is str and len(value) == 10:
            return date.fromisoformat(value)
        return normalise(value, field)

    return read


def _datetime(field: FieldSchema) -> Reader:
    unit = 10 ** (6 - (3 if field.scale is None else field.scale))

    def read(value: Any) -> Scalar:
        if value is not None and value.__class__ is not str:
            return normalise(value, field)
        found = moment(value)
        if found is None or (found.year == 1 and found.month == 1 and found.day == 1):
            return None
        return found.replace(microsecond=found.microsecond // unit * unit) if found.microsecond % unit else found

    return read


def _choice(field: FieldSchema) -> Reader:
    return _number(field) if field.numeric_options else _text(field)


_QUICK: dict[FieldType, Callable[[FieldSchema], Reader]] = {
    FieldType.TEXT: _text,
    FieldType.CODE: _code,
    FieldType.GUID: _guid,
    FieldType.LOOKUP: _guid,
    FieldType.INTEGER: _number,
    FieldType.DECIMAL: _decimal,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _day,
    FieldType.DATETIME: _datetime,
    FieldType.CHOICE: _choice,
}
