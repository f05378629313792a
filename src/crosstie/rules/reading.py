"""Reading small tables and filtered parts of tables for rules."""

from collections.abc import Iterable, Iterator, Sequence

from crosstie.model.records import Record, Side
from crosstie.rules.base import RuleAccess

MOST_ALTERNATIVES = 50
"""So many values go into one filter, so that addresses stay short."""


async def read(
    access: RuleAccess, side: Side, table: str, fields: Sequence[str], filter: str | None = None
) -> list[Record]:
    """Return the records of a table that the filter admits."""
    records: list[Record] = []
    async for page in access.system(side).scan(table, fields, filter):
        records.extend(page.records)
    return records


def any_of(field: str, values: Iterable[str]) -> Iterator[str]:
    """Yield filters that together admit the records whose `field` has one of the values."""
    distinct = sorted(set(values))
    for start in range(0, len(distinct), MOST_ALTERNATIVES):
        part = distinct[start : start + MOST_ALTERNATIVES]
        yield "(" + " or ".join(f"{field} eq {quoted(value)}" for value in part) + ")"


def quoted(text: str) -> str:
    """Return a text as it stands in a filter."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
