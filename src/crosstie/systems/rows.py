"""Rows of a service as records: readers that are compiled once for a table and a choice of fields."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from crosstie.model.errors import GarbledAnswer
from crosstie.model.readers import Reader, moment
from crosstie.model.records import Record

ETAG = "@odata.etag"


class Column(msgspec.Struct, frozen=True):
    """A field of a reader: its name, its name on the wire, and how its values become canonical."""

    name: str
    wire: str
    convert: Reader


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
                moment(get(self._modified)) if self._modified else None,
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
