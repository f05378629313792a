"""Browsing tables in memory."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from crosstie.model.browsing import Browsed, Sort
from crosstie.model.conditions import fold
from crosstie.model.schema import TableSchema
from crosstie.model.values import Scalar
from crosstie.systems.memory.table import MemoryTable
from crosstie.systems.places import slice_of


def browse(
    table: MemoryTable, ids: Iterable[str], names: tuple[str, ...], order: Sequence[Sort], size: int, after: str | None
) -> Browsed:
    """Return one page of the rows named; blanks come first, the id breaks ties."""
    sorted_ids = sorted(ids)
    for term in reversed(order):
        sorted_ids.sort(key=_key(table, term.field), reverse=term.descending)
    return slice_of([table.record(id, names) for id in sorted_ids], size, after)


def _key(table: MemoryTable, field: str) -> Callable[[str], tuple[bool, Any]]:
    def key(id: str) -> tuple[bool, Any]:
        value = table.rows[id].values[field]
        return value is not None, _comparable(value, table.schema)

    return key


def _comparable(value: Scalar, schema: TableSchema) -> Any:
    if value is None:
        return 0
    return fold(value) if isinstance(value, str) and not schema.case_sensitive else value
