"""Filters: the text of a mapping's filter, checked against a table.

A filter is written in the terms of the table as this product shows it, whichever system the table lives in:
the names of `TableSchema.fields`, options as they are listed there (`blocked eq 'All'`, `statecode eq 0`), and
`null` or `''` for a blank (`parentcustomerid ne null`). The grammar is that of OData: `eq ne gt ge lt le in and
or not`, parentheses, `contains startswith endswith tolower toupper trim length`.
"""

import msgspec

from crosstie.model.conditions import Condition, Judge, fields_of, judge
from crosstie.model.schema import TableSchema
from crosstie.model.values import Values


class Filter(msgspec.Struct, frozen=True):
    """A checked filter. `fields` are the names that it reads, `condition` its meaning."""

    text: str
    fields: frozenset[str]
    condition: Condition
    judge: Judge

    def admits(self, values: Values) -> bool:
        """Whether a record with these canonical values fulfils the filter; a field that is left out is a blank."""
        return self.judge(values) is True


def compile_filter(text: str, schema: TableSchema) -> Filter:
    """Return the filter that `text` means for the table.

    `admits` follows the table's system in what case and blanks mean (`TableSchema.case_sensitive`,
    `blanks_compare`). Raises InvalidFilter naming the text and the place, UnknownField naming the field.
    """
    from crosstie.model.filter_reading import read_condition  # slow to load

    return with_condition(text, read_condition(text, schema), schema)


def with_condition(text: str, condition: Condition, schema: TableSchema) -> Filter:
    """Return a filter of its own for `condition`, which may be a part of what `text` means."""
    return Filter(text, fields_of(condition), condition, judge(condition, schema))
