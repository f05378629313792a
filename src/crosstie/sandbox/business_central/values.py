"""How values look on the wire and in the database, and the way between.

Stored: text, codes, enum members and ids as text; booleans as 0 and 1; numbers as INTEGER or REAL; dates as
``YYYY-MM-DD``; moments in UTC as ``YYYY-MM-DDThh:mm:ss.mmm`` (no zone letter, so that a literal with more digits
sorts right). Nothing is ever NULL: each kind has a blank value (wire-businesscentral section 3).
"""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Literal

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.columns import to_datetime
from crosstie.sandbox.http import HttpError

Kind = Literal["text", "code", "guid", "int", "decimal", "bool", "datetime", "date", "enum"]
Stored = str | int | float

NO_ID: Final = "00000000-0000-0000-0000-000000000000"

BLANKS: Final[dict[Kind, Stored]] = {
    "text": "",
    "code": "",
    "guid": NO_ID,
    "int": 0,
    "decimal": 0,
    "bool": 0,
    "datetime": "0001-01-01T00:00:00.000",
    "date": "0001-01-01",
}

EDM: Final[dict[Kind, str]] = {
    "text": "Edm.String",
    "code": "Edm.String",
    "guid": "Edm.Guid",
    "int": "Edm.Int32",
    "decimal": "Edm.Decimal",
    "bool": "Edm.Boolean",
    "datetime": "Edm.DateTimeOffset",
    "date": "Edm.Date",
}

SQL: Final[dict[Kind, str]] = {"int": "INTEGER", "bool": "INTEGER", "decimal": "REAL"}

_TOO_LARGE = 1e18
_ENCODED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]|^\d")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")


def encode_name(caption: str) -> str:
    """The OData name of an option: what a name cannot hold becomes ``_xHHHH_`` (a lone blank: ``_x0020_``)."""
    return _NOT_A_NAME.sub(lambda match: f"_x{ord(match[0]):04X}_", caption)


def decode_name(name: str) -> str:
    """The caption behind an OData name; a text without encoded characters stays as it is."""
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), name)


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The options of a field: their captions, and their names on the wire, which are also what is stored."""

    name: str
    captions: tuple[str, ...]
    members: tuple[str, ...]

    def member(self, text: str) -> str | None:
        """The member that *text* means, by name or by caption; None where there is none."""
        if text in self.members:
            return text
        caption = decode_name(text) or " "
        return self.members[self.captions.index(caption)] if caption in self.captions else None


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a value must be to fit: kind, greatest length (0: none), options."""

    kind: Kind
    length: int = 0
    enum: Enumeration | None = None

    @property
    def blank(self) -> Stored:
        """The value of a field that nobody filled."""
        return self.enum.members[0] if self.enum else BLANKS[self.kind]


def etag(version: int) -> str:
    """The etag of a row version, in the service's own shape; different for every version."""
    digits = str(version * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    return f'W/"{b64encode(f"{chr(39)}{len(digits)};{digits}1;00;{chr(39)}".encode()).decode()}"'


def moment_out(value: str) -> str:
    """A stored moment on the wire: trailing zeros of the second's fraction are trimmed."""
    return value.rstrip("0").rstrip(".") + "Z"


def _number_out(value: float) -> Stored:
    return int(value) if value == int(value) else value


OUT: Final[dict[Kind, Callable[..., object]]] = {
    "bool": bool,
    "datetime": moment_out,
    "decimal": _number_out,
}
"""How stored values of a kind become JSON; kinds that are not in here go out as they are."""


def stored(name: str, value: object, of: FieldType) -> Stored:
    """The stored form of the JSON value *value* of the property *name*.

    Raises the service's refusal where it does not fit: wrong JSON type, too long, unknown option.
    """
    return _READERS[of.kind](name, value, of)


def reader(name: str, of: FieldType) -> Callable[[object], Stored]:
    """:func:`stored` for one property, for when there are many values of it."""
    read = _READERS[of.kind]
    return lambda value: read(name, value, of)


def moment_in(value: datetime) -> str:
    """A moment as it is stored or compared: milliseconds, more digits only where there are any."""
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return text[:23] if text.endswith("000") else text


def _text(name: str, value: object, of: FieldType) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "Edm.String")
    if len(value) > of.length > 0:
        raise errors.string_too_long(value, of.length)
    return value


def _code(name: str, value: object, of: FieldType) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "Edm.String")
    value = value.strip().upper()
    if len(value) > of.length > 0:
        raise errors.string_too_long(value, of.length)
    return value


def _guid(name: str, value: object, of: FieldType) -> str:
    if not isinstance(value, str) or not _GUID.fullmatch(value):
        raise _wrong(name, value, "Edm.Guid")
    return value.lower()


def _int(name: str, value: object, of: FieldType) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**31) <= value < 2**31:
        raise _wrong(name, value, "Edm.Int32")
    return value


def _decimal(name: str, value: object, of: FieldType) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _wrong(name, value, "Edm.Decimal")
    number = float(value)
    if abs(number) >= _TOO_LARGE:
        raise _wrong(name, value, "Edm.Decimal")
    return number


def _bool(name: str, value: object, of: FieldType) -> int:
    if not isinstance(value, bool):
        raise _wrong(name, value, "Edm.Boolean")
    return int(value)


def _date(name: str, value: object, of: FieldType) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _wrong(name, value, "Edm.Date")
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise _wrong(name, value, "Edm.Date") from None


def _datetime(name: str, value: object, of: FieldType) -> str:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _wrong(name, value, "Edm.DateTimeOffset")
    try:
        return moment_in(to_datetime(value))[:23]
    except (ValueError, OverflowError):
        raise _wrong(name, value, "Edm.DateTimeOffset") from None


def _enum(name: str, value: object, of: FieldType) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "Edm.String")
    assert of.enum is not None
    member = of.enum.member(value)
    if member is None:
        raise errors.no_such_option(decode_name(value), of.enum.captions)
    return member


_READERS: Final[dict[Kind, Callable[[str, object, FieldType], Stored]]] = {
    "text": _text,
    "code": _code,
    "guid": _guid,
    "int": _int,
    "decimal": _decimal,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "enum": _enum,
}


def _wrong(name: str, value: object, edm: str) -> HttpError:
    return errors.bad_request(f"Cannot convert the value '{value}' of the property '{name}' to the type '{edm}'.")
