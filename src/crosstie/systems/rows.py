"""Rows of a service as records: readers that are compiled once for a table and a choice of fields."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from crosstie.model.errors import GarbledAnswer
from crosstie.model.records import Record
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import ZERO_GUID, Scalar, normalise

Convert = Callable[[Any], Scalar]
ETAG = "@odata.etag"


class Column(msgspec.Struct, frozen=True):
    """A field of a reader: its name, its name on the wire, and how its values become canonical."""

    name: str
    wire: str
    convert: Convert


class RowReader:
    """Turns rows of one table into records with the values of `columns`."""

    def __init__(
        self, table: str, key: str, columns: Sequence[Column], modified: str | None = None, version: str | None = ETAG
    ) -> None:
        self._table = table
        self._key = key
        self._columns = tuple((column.name, column.wire, column.convert) for column in columns)
        self._modified = modified
        self._version = version

    def records(self, rows: Iterable[Mapping[str, Any]]) -> list[Record]:
        """Return one record for each row. Raises GarbledAnswer naming record and field of a value of the wrong type."""
        return [self.record(row) for row in rows]

    def record(self, row: Mapping[str, Any]) -> Record:
        """Return the record of one row."""
        get = row.get
        try:
            return Record(
                row[self._key].lower(),
                get(self._version) if self._version else None,
                {name: convert(get(wire)) for name, wire, convert in self._columns},
                _moment(get(self._modified)) if self._modified else None,
            )
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
            raise self._garbled(row) from error

    def _garbled(self, row: Mapping[str, Any]) -> GarbledAnswer:
        id = row.get(self._key)
        if not isinstance(id, str):
            return GarbledAnswer(f"A row of {self._table} comes without its key {self._key}.", table=self._table)
        for name, wire, convert in self._columns:
            try:
                convert(row.get(wire))
            except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
                return GarbledAnswer(
                    f"The record {id} of {self._table} holds {row.get(wire)!r} in the field {name}: {error}.",
                    table=self._table,
                    field=name,
                )
        return GarbledAnswer(f"The record {id} of {self._table} cannot be read.", table=self._table)


def converter(field: FieldSchema) -> Convert:
    """Return a quick equal of `normalise` for what JSON carries in `field`."""
    make = _QUICK.get(field.type)
    return (lambda value: normalise(value, field)) if make is None else make(field)


def _text(field: FieldSchema) -> Convert:
    def convert(value: Any) -> Scalar:
        if value.__class__ is str and "\r" not in value:
            return value or None
        return normalise(value, field)

    return convert


def _code(field: FieldSchema) -> Convert:
    def convert(value: Any) -> Scalar:
        return value.strip().upper() or None if isinstance(value, str) else normalise(value, field)

    return convert


def _guid(field: FieldSchema) -> Convert:
    def convert(value: Any) -> Scalar:
        if value is None or value == ZERO_GUID:
            return None
        return str(value).lower() if len(value) == 36 else normalise(value, field)

    return convert


def _decimal(field: FieldSchema) -> Convert:
    unit = None if field.scale is None else Decimal(1).scaleb(-field.scale)

    def convert(value: Any) -> Scalar:
        if value.__class__ is Decimal:
            number: Decimal = value
        elif value.__class__ is int:
            number = Decimal(value)
        else:
            return normalise(value, field)
        return number if unit is None else number.quantize(unit, ROUND_HALF_UP)

    return convert


def _number(field: FieldSchema) -> Convert:
    def convert(value: Any) -> Scalar:
        return value if value.__class__ is int else normalise(value, field)

    return convert


def _boolean(field: FieldSchema) -> Convert:
    def convert(value: Any) -> Scalar:
        return value if value.__class__ is bool else normalise(value, field)

    return convert


def _day(field: FieldSchema) -> Convert:
    def convert(value: Any) -> Scalar:
        if value is None or value == "0001-01-01":
            return None
        return date.fromisoformat(value) if len(value) == 10 else normalise(value, field)

    return convert


def _datetime(field: FieldSchema) -> Convert:
    unit = 10 ** (6 - (3 if field.scale is None else field.scale))

    def convert(value: Any) -> Scalar:
        found = _moment(value)
        if found is None or (found.year == 1 and found.month == 1 and found.day == 1):
            return None
        return found.replace(microsecond=found.microsecond // unit * unit) if found.microsecond % unit else found

    return convert


def _moment(value: Any) -> datetime | None:
    if value is None or value == "":
        return None
    found = datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _choice(field: FieldSchema) -> Convert:
    return _number(field) if field.numeric_options else _text(field)


_QUICK: dict[FieldType, Callable[[FieldSchema], Convert]] = {
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
