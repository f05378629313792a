"""Canonical values: one spelling for each value, whichever system it came from.

Two values of a field are equal exactly if their canonical forms are equal. A blank is always ``None``:
the empty text and the zero guid of Business Central and the null of Dataverse mean the same.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from crosstie.model.schema import FieldSchema, FieldType

Scalar: TypeAlias = str | int | bool | Decimal | date | datetime | None
Values: TypeAlias = Mapping[str, Scalar]

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_FIRST_DAY = date(1, 1, 1)


def normalise(value: object, field: FieldSchema) -> Scalar:
    """Return the canonical form of `value` for `field`.

    Accepts what JSON carries (text, number, boolean, null) as well as canonical values, so it also reads
    back what was stored as JSON. Raises ValueError, naming the value, if it cannot be read as the field's type.
    """
    if value is None or value == "":
        return _blank(field)
    try:
        return _READERS[field.type](value, field)
    except (ValueError, ArithmeticError, TypeError, AttributeError) as error:
        raise ValueError(f"{value!r} is not a {field.type.value} value") from error


def _blank(field: FieldSchema) -> Scalar:
    if field.nullable:
        return None
    match field.type:
        case FieldType.INTEGER:
            return 0
        case FieldType.DECIMAL:
            return Decimal(0)
        case FieldType.BOOLEAN:
            return False
        case _:
            return None


def _text(value: object, field: FieldSchema) -> Scalar:
    if not isinstance(value, str):
        value = str(value)
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return value or None


def _code(value: object, field: FieldSchema) -> Scalar:
    return str(value).strip().upper() or None


def _guid(value: object, field: FieldSchema) -> Scalar:
    text = str(value).strip("{}").lower()
    return None if text in ("", ZERO_GUID) else text


def _integer(value: object, field: FieldSchema) -> Scalar:
    number = Decimal(str(value))
    if number != int(number):
        raise ValueError(value)
    return int(number)


def _decimal(value: object, field: FieldSchema) -> Scalar:
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise ValueError(value)
    if field.scale is None:
        return number
    return number.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)


def _boolean(value: object, field: FieldSchema) -> Scalar:
    if isinstance(value, bool):
        return value
    match str(value).strip().lower():
        case "true" | "1" | "yes":
            return True
        case "false" | "0" | "no":
            return False
        case _:
            raise ValueError(value)


def _date(value: object, field: FieldSchema) -> Scalar:
    if isinstance(value, datetime):
        found = value.date()
    elif isinstance(value, date):
        found = value
    else:
        found = date.fromisoformat(str(value)[:10])
    return None if found == _FIRST_DAY else found


def _datetime(value: object, field: FieldSchema) -> Scalar:
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if found.date() == _FIRST_DAY:
        return None
    unit = 10 ** (6 - (3 if field.scale is None else field.scale))
    return found.replace(microsecond=found.microsecond // unit * unit)


def _choice(value: object, field: FieldSchema) -> Scalar:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    text = str(value).strip()
    if field.numeric_options:
        return int(text)
    return text or None


_READERS = {
    FieldType.TEXT: _text,
    FieldType.CODE: _code,
    FieldType.GUID: _guid,
    FieldType.LOOKUP: _guid,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.CHOICE: _choice,
}
