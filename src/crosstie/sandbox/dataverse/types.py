"""Values on their way from JSON into a column and back (wire-dataverse section 5)."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from crosstie.sandbox.dataverse.errors import (
    BAD_CHARACTERS,
    BAD_CHOICE,
    DATE_RANGE,
    NUMBER_RANGE,
    TEXT_TOO_LONG,
    WHOLE_NUMBER_RANGE,
    Refusal,
    bad_payload,
)
from crosstie.sandbox.dataverse.schema import Column, Table

Encode = Callable[[Any], object]
Decode = Callable[[Any], object]

GUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?\s*(Z|z|[+-]\d\d:?\d\d)?", re.ASCII
)
_EARLIEST = 1753
_MONEY_MOST = Decimal("922337203685477")
_DECIMAL_MOST = Decimal(100_000_000_000)
_RANGES: Final = {
    "Integer": (-(2**31), 2**31 - 1),
    "BigInt": (-(2**63), 2**63 - 1),
}
_TYPE_NAMES: Final = {
    "Integer": "Edm.Int32",
    "BigInt": "Edm.Int64",
    "Picklist": "Edm.Int32",
    "State": "Edm.Int32",
    "Status": "Edm.Int32",
    "Boolean": "Edm.Boolean",
    "Money": "Edm.Decimal",
    "Decimal": "Edm.Decimal",
    "Double": "Edm.Double",
    "DateTime": "Edm.DateTimeOffset",
    "DateOnly": "Edm.Date",
    "Uniqueidentifier": "Edm.Guid",
    "Lookup": "Edm.Guid",
    "Customer": "Edm.Guid",
    "Owner": "Edm.Guid",
}


def edm_type(column: Column) -> str:
    """The primitive type of a column in ``$metadata``."""
    return _TYPE_NAMES.get(column.type, "Edm.String")


def encoder(table: Table, column: Column) -> Encode:
    """What turns a JSON value of *column* into the stored one; it raises :class:`Refusal` with the exact code."""

    def wrong(value: object) -> Refusal:
        return bad_payload(
            table.set,
            f"Cannot convert the value '{value}' of '{column.name}' to the expected type '{edm_type(column)}'.",
        )

    match column.type:
        case "String" | "Memo" | "EntityName":
            return _text_encoder(table, column, wrong)
        case "Integer" | "BigInt":
            return _integer_encoder(table, column, wrong)
        case "Money" | "Decimal" | "Double":
            return _number_encoder(table, column, wrong)
        case "Picklist" | "State" | "Status":
            return _choice_encoder(table, column, wrong)
        case "Boolean":
            return lambda value: _boolean(value, wrong)
        case "DateTime":
            return lambda value: None if value is None else _datetime(table, column, value, wrong)
        case "DateOnly":
            return lambda value: None if value is None else _datetime(table, column, value, wrong)[:10]
    return lambda value: _guid(value, wrong)


def _text_encoder(table: Table, column: Column, wrong: Callable[[object], Refusal]) -> Encode:
    limit = column.max or 2**31

    def encode(value: Any) -> object:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise wrong(value)
        size = len(value)
        if size * 2 > limit and (size > limit or len(value.encode("utf-16-le")) // 2 > limit):
            raise Refusal(
                400,
                TEXT_TOO_LONG,
                f"A validation error occurred. The length of the '{column.name}' attribute of the '{table.name}' "
                f"entity exceeded the maximum allowed length of '{limit}'.",
            )
        if not value.isprintable() and _CONTROL.search(value):
            raise Refusal(400, BAD_CHARACTERS, f"Invalid characters in field '{column.name}' of '{table.name}'.")
        return value

    return encode


def _integer_encoder(table: Table, column: Column, wrong: Callable[[object], Refusal]) -> Encode:
    lowest, highest = _RANGES[column.type]
    least = lowest if column.min is None else int(column.min)
    most = highest if column.most is None else int(column.most)

    def encode(value: Any) -> object:
        if value is None:
            return None
        if isinstance(value, str) and column.type == "BigInt" and value.lstrip("-").isdigit():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise wrong(value)
        if not least <= value <= most:
            raise _out_of_range(table, column, value, "System.Int32", least, most, WHOLE_NUMBER_RANGE)
        return value

    return encode


def _number_encoder(table: Table, column: Column, wrong: Callable[[object], Refusal]) -> Encode:
    limit = _MONEY_MOST if column.type == "Money" else _DECIMAL_MOST
    least = -limit if column.min is None else column.min
    most = limit if column.most is None else column.most
    places = Decimal(1).scaleb(-(4 if column.type == "Money" else column.precision or 0))
    type_name = {"Money": "Microsoft.Xrm.Sdk.Money", "Decimal": "System.Decimal"}.get(column.type, "System.Double")

    def encode(value: Any) -> object:
        if value is None:
            return None
        number = _number(value, wrong)
        if not least <= number <= most:
            raise _out_of_range(table, column, value, type_name, least, most, NUMBER_RANGE)
        number = number.quantize(places, ROUND_HALF_UP)
        return int(number.scaleb(4)) if column.type == "Money" else float(number)

    return encode


def _number(value: Any, wrong: Callable[[object], Refusal]) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise wrong(value)
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise wrong(value) from error
    if not number.is_finite():
        raise wrong(value)
    return number


def _out_of_range(
    table: Table, column: Column, value: object, type_name: str, least: object, most: object, code: str
) -> Refusal:
    return Refusal(
        400,
        code,
        f"A validation error occurred for {table.name}.{column.name}. The value {value} of type {type_name} is outside "
        f"the valid range({least} to {most}).",
    )


def _choice_encoder(table: Table, column: Column, wrong: Callable[[object], Refusal]) -> Encode:
    options = column.options

    def encode(value: Any) -> object:
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong(value)
        if value not in options:
            accepted = ",".join(map(str, sorted(options)))
            raise Refusal(
                400,
                BAD_CHOICE,
                f"A validation error occurred. The value {value} of '{column.name}' on record of type '{table.name}' "
                f"is outside the valid range. Accepted Values: {accepted}",
            )
        return value

    return encode


def _boolean(value: Any, wrong: Callable[[object], Refusal]) -> int | None:
    if value is None:
        return None
    if not isinstance(value, bool):
        raise wrong(value)
    return int(value)


def _guid(value: Any, wrong: Callable[[object], Refusal]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not GUID.fullmatch(value):
        raise wrong(value)
    return value.lower()


def _datetime(table: Table, column: Column, value: Any, wrong: Callable[[object], Refusal]) -> str:
    match = _DATETIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong(value)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise wrong(value) from error
    zone = match[7]
    if zone and zone not in "Zz":
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        moment = moment - offset if zone[0] == "+" else moment + offset
    if moment.year < _EARLIEST:
        raise Refusal(
            400,
            DATE_RANGE,
            f"DateTime is less than minimum value supported by CrmDateTime. Actual value: {value}, Minimum value "
            f"supported: 01/01/1753 00:00:00 ('{column.name}' of '{table.name}').",
        )
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def decoder(column: Column) -> Decode | None:
    """What turns a stored value that is not null into a JSON one; None where they are the same."""
    match column.type:
        case "Boolean":
            return bool
        case "Money":
            return money
        case "Decimal":
            places = 12 if column.name == "exchangerate" else 10
            return lambda value: msgspec.Raw(f"{Decimal(repr(value)):.{places}f}".encode())
        case "Double":
            return float
    return None


def money(value: int) -> Decimal:
    """Ten-thousandths as an amount with four decimals."""
    return Decimal(value).scaleb(-4)


_DAY_FORMAT = "{d.month}/{d.day}/{d.year}"


def formatted(column: Column, value: Any, symbol: str = "$") -> str | None:
    """The text that people see for a stored value (US English, as the sandbox's users have it); None for plain text.

    *symbol* is the currency symbol for money.
    """
    match column.type:
        case "Picklist" | "State" | "Status":
            option = column.options.get(value)
            return option.label if option else str(value)
        case "Boolean":
            return "Yes" if value else "No"
        case "Money":
            amount = money(value).quantize(Decimal("0.01"), ROUND_HALF_UP)
            return f"-{symbol}{-amount:,}" if amount < 0 else f"{symbol}{amount:,}"
        case "Decimal" | "Double":
            return f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-(column.precision or 0)), ROUND_HALF_UP):,}"
        case "Integer" | "BigInt":
            return f"{value:,}"
        case "DateTime":
            moment = datetime.fromisoformat(value)
            hour = moment.hour % 12 or 12
            return f"{_DAY_FORMAT.format(d=moment)} {hour}:{moment.minute:02} {'AM' if moment.hour < 12 else 'PM'}"
        case "DateOnly":
            return _DAY_FORMAT.format(d=date.fromisoformat(value))
    return None
