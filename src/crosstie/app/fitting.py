"""Whether a mapping can work in two systems as they are: whether they have its tables and fields."""

from collections.abc import Mapping

import msgspec

from crosstie.engine.compiling import compile_mapping
from crosstie.model.errors import CrosstieError, InvalidFilter, InvalidMapping, UnknownField, UnknownTable
from crosstie.model.filters import compile_filter
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.records import Side
from crosstie.model.schema import TableSchema
from crosstie.rules import all_rules
from crosstie.systems.base import System

_LACKING = (UnknownTable, UnknownField, InvalidFilter, InvalidMapping)


class Misfit(msgspec.Struct, frozen=True):
    """What keeps a mapping from working, and on which side that shows."""

    side: Side
    error: CrosstieError

    @property
    def lacking(self) -> bool:
        """Whether a table or field is not there, or not as the mapping needs it; else the system could not tell."""
        return isinstance(self.error, _LACKING)


async def misfit_of(mapping: TableMapping, systems: Mapping[Side, System]) -> Misfit | None:
    """Return what keeps a mapping from working, None if nothing does; with one system only its side is looked at."""
    tables: dict[Side, TableSchema] = {}
    for side, system in systems.items():
        try:
            tables[side] = await system.describe(mapping.table(side))
            if text := mapping.filter(side):
                compile_filter(text, tables[side])
        except CrosstieError as error:
            return Misfit(side, error)
    if len(tables) < len(Side):
        return None
    try:
        compile_mapping(mapping, tables[Side.LOCAL], tables[Side.REMOTE], all_rules())
    except (UnknownField, InvalidMapping) as error:
        wrong = Side.REMOTE if error.details.get("table") == mapping.remote_table else Side.LOCAL
        return Misfit(wrong, error)
    return None
