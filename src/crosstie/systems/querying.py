"""What a system is asked for: which fields, and how much of a filter it can evaluate itself."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches

import msgspec

from crosstie.model.conditions import Condition, Every, Some
from crosstie.model.errors import UnknownField
from crosstie.model.filters import Filter, compile_filter, with_condition
from crosstie.model.records import Record
from crosstie.model.schema import TableSchema


class CannotSay(Exception):
    """The system's query language has no words for a condition."""


class Restriction(msgspec.Struct, frozen=True):
    """A filter in two parts: what the system evaluates, and what is left to us."""

    text: str = ""
    """In the system's own words; empty where it evaluates nothing."""
    rest: Filter | None = None

    def fields(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the fields to read: those asked for and those that the rest of the filter needs."""
        return names if self.rest is None else tuple(dict.fromkeys((*names, *sorted(self.rest.fields))))

    def admitted(self, records: list[Record], names: tuple[str, ...]) -> tuple[Record, ...]:
        """Return the records that the rest of the filter admits, with the values of `names` only."""
        if self.rest is None:
            return tuple(records)
        admits = self.rest.admits
        return tuple(_narrowed(record, names) for record in records if admits(record.values))


def restriction(filter: str | None, schema: TableSchema, say: Callable[[Condition], str]) -> Restriction:
    """Split a filter between the system and us, conjunct by conjunct; `say` raises CannotSay.

    Raises InvalidFilter and UnknownField.
    """
    if not filter or not filter.strip():
        return Restriction()
    whole = compile_filter(filter, schema)
    parts = whole.condition.parts if isinstance(whole.condition, Every) else (whole.condition,)
    said: list[str] = []
    left: list[Condition] = []
    for part in parts:
        try:
            words = say(part)
            said.append(f"({words})" if isinstance(part, Some) else words)
        except CannotSay:
            left.append(part)
    rest = with_condition(filter, Every(tuple(left)), schema) if left else None
    return Restriction(" and ".join(said), rest)


def both(first: str, second: str) -> str:
    """Return two conditions in the system's words as one."""
    return f"{first} and {second}" if first and second else first or second


def known_fields(schema: TableSchema, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names without doubles. Raises UnknownField naming table and field."""
    unique = tuple(dict.fromkeys(names))
    for name in unique:
        if name not in schema.fields:
            near = get_close_matches(name, schema.fields, 3)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise UnknownField(f"{schema.name} has no field {name!r}.{hint}", table=schema.name, field=name)
    return unique


def _narrowed(record: Record, names: tuple[str, ...]) -> Record:
    values = record.values
    return Record(record.id, record.version, {name: values[name] for name in names}, record.modified_at)
