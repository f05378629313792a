"""Converting: one field's canonical values into another field's, and what does not fit.

A conversion is made once for a pair of fields. What would be cut, rounded or cannot be read raises Unfit; the mapping's
policy decides whether that fails the record or only warns (engine rule F-7, which does it in silence).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final, TypeAlias
from uuid import UUID

from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import Scalar, normalise

Convert: TypeAlias = Callable[[Scalar], Scalar]

_SHOWN = 60
_TEXTS = (FieldType.TEXT, FieldType.CODE)
_IDS = (FieldType.GUID, FieldType.LOOKUP)


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = _Nothing()
"""No value at all, which is something else than a blank."""


class Unfit(Exception):
    """A value that the other field cannot take as it is: a code of `model.causes`, words, and the nearest that fits."""

    def __init__(self, code: str, words: str, instead: Scalar | _Nothing = NOTHING) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.instead = instead


def converter(source: FieldSchema, destination: FieldSchema) -> Convert | None:
    """Return what turns values of `source` into values of `destination`; None if each is one already.

    The conversion takes values other than a blank, and raises Unfit for those that do not fit.
    """
    match destination.type:
        case FieldType.TEXT | FieldType.CODE:
            return _to_text(source, destination)
        case FieldType.CHOICE:
            return _to_choice(source, destination)
        case FieldType.INTEGER | FieldType.DECIMAL:
            return _to_number(source, destination)
        case FieldType.DATE | FieldType.DATETIME:
            return _to_time(source, destination)
        case FieldType.BOOLEAN:
            return None if source.type is FieldType.BOOLEAN else _parsed(source, destination)
        case FieldType.GUID | FieldType.LOOKUP:
            return None if source.type in _IDS else _to_id(destination)


def fitted(value: Scalar, destination: FieldSchema) -> Scalar:
    """Return a computed value in the canonical form of `destination`: numbers are rounded, a blank is its blank.

    Raises Unfit if it is too long, out of bounds, or not of the field's type.
    """
    try:
        found = normalise(value, destination)
    except ValueError as error:
        raise Unfit("unreadable-value", f"{shown(value)} is no value for {_called(destination)}.") from error
    if isinstance(found, str) and destination.type in _TEXTS:
        return _within_length(found, destination)
    if found is not None and destination.type in (FieldType.INTEGER, FieldType.DECIMAL):
        return _within_bounds(found, destination)
    if found is not None and destination.type is FieldType.CHOICE:
        return _known_option(found, destination)
    return found


def blank(field: FieldSchema) -> Scalar:
    """Return what the field holds when it holds nothing."""
    return normalise(None, field)


def is_blank(value: Scalar, field: FieldSchema) -> bool:
    """Whether the field holds nothing: a system that keeps 0 or false instead of nothing cannot tell them apart."""
    return value is None or (not field.nullable and value == blank(field))


def same(one: Scalar, other: Scalar, field: FieldSchema) -> bool:
    """Whether two values mean the same in the field: a lookup that names the table it points at equals the plain id."""
    if one == other:
        return True
    if len(field.targets) < 2 or not isinstance(one, str) or not isinstance(other, str):
        return False
    return one.rpartition(":")[2] == other.rpartition(":")[2]


def shown(value: Scalar) -> str:
    """Return a value as it stands in words for people, shortened."""
    text = as_text(value)
    return f"'{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}'"


def as_text(value: Scalar) -> str:
    """Return the one spelling of a value as text; a blank is the empty text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            plain = format(value, "f")
            return plain.rstrip("0").rstrip(".") if "." in plain else plain
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _called(field: FieldSchema) -> str:
    return field.label or field.name


# --- text -----------------------------------------------------------------------------------------------------


def _to_text(source: FieldSchema, destination: FieldSchema) -> Convert | None:
    limit = destination.max_length
    is_text = source.type in _TEXTS
    is_plain = is_text and (destination.type is FieldType.TEXT or source.type is FieldType.CODE)
    if is_plain and (limit is None or (source.max_length is not None and source.max_length <= limit)):
        return None
    options = source.options if source.type is FieldType.CHOICE else {}
    is_code = destination.type is FieldType.CODE

    def convert(value: Scalar) -> Scalar:
        text = value if isinstance(value, str) else as_text(value)
        if options:
            text = options.get(text, text)
        if is_code:
            text = text.strip().upper()
        if limit is not None and len(text) > limit:
            return _within_length(text, destination)
        return text or None

    return convert


def _within_length(text: str, field: FieldSchema) -> str:
    limit = field.max_length
    if limit is None or len(text) <= limit:
        return text
    words = f"{shown(text)} has {len(text)} characters, and {_called(field)} holds {limit}."
    raise Unfit("too-long", words, normalise(text[:limit].rstrip(), field))


def _to_id(destination: FieldSchema) -> Convert:
    def convert(value: Scalar) -> Scalar:
        try:
            return str(UUID(str(value)))
        except ValueError as error:
            raise _unreadable(value, destination) from error

    return convert


# --- options --------------------------------------------------------------------------------------------------


def _to_choice(source: FieldSchema, destination: FieldSchema) -> Convert:
    by_label = {label.casefold(): option for option, label in reversed(tuple(destination.options.items()))}
    labels = source.options if source.type is FieldType.CHOICE else {}

    def convert(value: Scalar) -> Scalar:
        text = as_text(value)
        label = labels.get(text, text)
        found = by_label.get(label.casefold(), text)
        try:
            return _known_option(normalise(found, destination), destination)
        except ValueError as error:
            raise _unknown_option(label, destination) from error

    return convert


def _known_option(option: Scalar, field: FieldSchema) -> Scalar:
    if field.options and as_text(option) not in field.options:
        raise _unknown_option(as_text(option), field)
    return option


def _unknown_option(label: str, field: FieldSchema) -> Unfit:
    return Unfit("unknown-option", f"{_called(field)} has no option {shown(label)}.")


# --- numbers --------------------------------------------------------------------------------------------------


def _to_number(source: FieldSchema, destination: FieldSchema) -> Convert | None:
    is_bounded = destination.minimum is not None or destination.maximum is not None
    if source.type is destination.type and not is_bounded and _keeps_digits(source, destination):
        return None
    if destination.type is FieldType.INTEGER:
        unit: Decimal | None = Decimal(1)
    else:
        unit = None if destination.scale is None else Decimal(1).scaleb(-destination.scale)
    to_whole = destination.type is FieldType.INTEGER

    def convert(value: Scalar) -> Scalar:
        number = value if isinstance(value, Decimal) else _number(value, destination)
        found = number if unit is None else _rounded(number, unit, destination)
        if is_bounded:
            _within_bounds(found, destination)
        if found != number:
            nearest: Scalar = int(found) if to_whole else found
            raise Unfit("not-exact", f"{shown(value)} can only be kept as {shown(nearest)}.", nearest)
        return int(found) if to_whole else found

    return convert


def _rounded(number: Decimal, unit: Decimal, field: FieldSchema) -> Decimal:
    try:
        return number.quantize(unit, ROUND_HALF_UP)
    except InvalidOperation as error:
        raise _unreadable(number, field) from error


def _keeps_digits(source: FieldSchema, destination: FieldSchema) -> bool:
    if destination.type is FieldType.INTEGER or destination.scale is None:
        return True
    return source.scale is not None and source.scale <= destination.scale


def _number(value: Scalar, field: FieldSchema) -> Decimal:
    if isinstance(value, date):
        raise _unreadable(value, field)
    try:
        number = Decimal(int(value)) if isinstance(value, bool) else Decimal(str(value).strip())
    except ArithmeticError as error:
        raise _unreadable(value, field) from error
    if not number.is_finite():
        raise _unreadable(value, field)
    return number


def _within_bounds(number: Scalar, field: FieldSchema) -> Scalar:
    assert isinstance(number, int | Decimal), "numbers only"
    if field.minimum is not None and number < Decimal(str(field.minimum)):
        raise Unfit("unreadable-value", f"{shown(number)} is less than {_called(field)} takes ({field.minimum:g}).")
    if field.maximum is not None and number > Decimal(str(field.maximum)):
        raise Unfit("unreadable-value", f"{shown(number)} is more than {_called(field)} takes ({field.maximum:g}).")
    return number


# --- times, and the rest --------------------------------------------------------------------------------------


def _to_time(source: FieldSchema, destination: FieldSchema) -> Convert | None:
    if source.type is destination.type and (
        destination.type is FieldType.DATE or _digits(source) <= _digits(destination)
    ):
        return None
    parse = _parsed(source, destination)

    def convert(value: Scalar) -> Scalar:
        found = parse(value)
        if isinstance(value, datetime) and found != (value if isinstance(found, datetime) else _midnight(value)):
            raise Unfit("not-exact", f"{shown(value)} can only be kept as {shown(found)}.", found)
        return found

    return convert


def _digits(field: FieldSchema) -> int:
    return 3 if field.scale is None else field.scale


def _midnight(value: datetime) -> date | None:
    return value.date() if not (value.hour or value.minute or value.second or value.microsecond) else None


def _parsed(source: FieldSchema, destination: FieldSchema) -> Convert:
    """Read the value as a person who types it into the other field would mean it."""
    times = (FieldType.DATE, FieldType.DATETIME)

    def convert(value: Scalar) -> Scalar:
        if (source.type in times) != (destination.type in times) and source.type not in _TEXTS:
            raise _unreadable(value, destination)
        try:
            return normalise(value, destination)
        except ValueError as error:
            raise _unreadable(value, destination) from error

    return convert


def _unreadable(value: Scalar, field: FieldSchema) -> Unfit:
    return Unfit("unreadable-value", f"{shown(value)} is no {field.type.value} for {_called(field)}.")
