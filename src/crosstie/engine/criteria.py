"""Criteria: by which fields records are matched, in which groups, and how their values are compared. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from unicodedata import normalize

import msgspec

from crosstie.engine.candidates import Key
from crosstie.engine.compiling import CompiledMapping
from crosstie.engine.converting import Unfit, as_text, converter
from crosstie.model.errors import InvalidOption, UnknownField
from crosstie.model.mappings import FieldMapping, Lookup, Mapping
from crosstie.model.places import Place
from crosstie.model.records import Side
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import Scalar

Column: TypeAlias = Callable[[Sequence[Scalar]], list[Key]]
"""Turns a field's values into what is compared, None where there is nothing to compare."""
_TEXTS: Final = (FieldType.TEXT, FieldType.CODE)
_NUMBERS: Final = (FieldType.INTEGER, FieldType.DECIMAL)
_TIMES: Final = (FieldType.DATE, FieldType.DATETIME)
_IDS: Final = (FieldType.GUID, FieldType.LOOKUP)


class Criterion(msgspec.Struct, frozen=True):
    """A field mapping as a criterion. The local values of a `lookup` must first be translated through couplings."""

    name: str
    local_field: str
    remote_field: str
    local: Column
    remote: Column
    lookup: Lookup | None = None

    def field(self, side: Side) -> str:
        return self.local_field if side is Side.LOCAL else self.remote_field


class Criteria(msgspec.Struct, frozen=True):
    """The criteria of a run. `groups` hold positions in `criteria`; each group is tried on its own."""

    criteria: tuple[Criterion, ...]
    groups: tuple[tuple[int, ...], ...]

    def names(self) -> list[list[str]]:
        """Return what people call the criteria, by group."""
        return [[self.criteria[at].name for at in group] for group in self.groups]


def choose_criteria(compiled: CompiledMapping, groups: Sequence[Sequence[str]] = ()) -> Criteria:
    """Return the criteria that a person names, or else those of the mapping by their priority (engine rule M-5).

    A field is named by its local field, remote field or label, whatever the case; disabled field mappings can be
    named too. Raises UnknownField with the candidates for a name that is none, InvalidOption for a field that cannot
    be compared, for a name that means several, and if there is no criterion at all (engine rule M-3).
    """
    mapping = compiled.mapping
    if groups:
        chosen = [[_named(mapping, name) for name in _each(group)] for group in groups]
    else:
        chosen = _by_priority(mapping)
    if not chosen or not all(chosen):
        raise InvalidOption(
            f"{mapping.name} has no fields to match on." if not groups else "A group of criteria names no field.",
            next_step=f"Name some; comparable are: {_listed(_usable(mapping))}.",
            place=Place.CRITERIA,
            mapping=mapping.name,
        )
    rows = list({id(row): row for group in chosen for row in group}.values())
    places = {id(row): at for at, row in enumerate(rows)}
    distinct = dict.fromkeys(tuple(dict.fromkeys(places[id(row)] for row in group)) for group in chosen)
    return Criteria(tuple(_criterion(compiled, row) for row in rows), tuple(distinct))


def _each(names: Iterable[str]) -> list[str]:
    return [name.strip() for name in names if name.strip()]


def _by_priority(mapping: Mapping) -> list[list[FieldMapping]]:
    groups: dict[int, list[FieldMapping]] = {}
    for row in mapping.fields:
        if row.enabled and row.match_priority is not None:
            groups.setdefault(row.match_priority, []).append(row)
    return [groups[priority] for priority in sorted(groups)]


def _usable(mapping: Mapping) -> list[FieldMapping]:
    """Return the field mappings that tie two fields together by nothing but their values (engine rule D-20)."""
    return [row for row in mapping.fields if row.local_field and row.remote_field and row.rule is None]


def _named(mapping: Mapping, name: str) -> FieldMapping:
    wanted = name.casefold()
    usable = _usable(mapping)
    for called in ("local_field", "remote_field", "label"):
        found = [row for row in usable if (getattr(row, called) or "").casefold() == wanted]
        if len(found) > 1:
            raise InvalidOption(
                f"{name!r} means several field mappings of {mapping.name}: {_pairs(found)}.",
                next_step="Name it by the field that only one of them has.",
                field=name,
            )
        if found:
            return found[0]
    if row := next((row for row in mapping.fields if wanted in _names(row)), None):
        raise _unusable(mapping, row, name)
    raise UnknownField(
        f"{mapping.name} has no field mapping {name!r}; comparable are: {_listed(usable)}.",
        field=name,
        mapping=mapping.name,
        candidates=[row.local_field for row in usable],
    )


def _unusable(mapping: Mapping, row: FieldMapping, name: str) -> InvalidOption:
    why = f"its value comes from the rule {row.rule}" if row.rule else "one side of it is a constant"
    return InvalidOption(
        f"{name!r} cannot be matched on: {why}.",
        next_step=f"Choose among {_listed(_usable(mapping))}.",
        field=name,
        mapping=mapping.name,
    )


def _names(row: FieldMapping) -> set[str]:
    return {name.casefold() for name in (row.local_field, row.remote_field, row.label) if name}


def _listed(rows: Iterable[FieldMapping]) -> str:
    return ", ".join(dict.fromkeys(row.name for row in rows)) or "none"


def _pairs(rows: Iterable[FieldMapping]) -> str:
    return ", ".join(f"{row.local_field} with {row.remote_field}" for row in rows)


# --- comparing ------------------------------------------------------------------------------------------------


def _criterion(compiled: CompiledMapping, row: FieldMapping) -> Criterion:
    if not (row.local_field and row.remote_field) or row.rule is not None:
        raise _unusable(compiled.mapping, row, row.label or row.name)
    local, remote = _schema(compiled, Side.LOCAL, row.local_field), _schema(compiled, Side.REMOTE, row.remote_field)
    if row.lookup is not None:
        columns: tuple[Column, Column] | None = (_spelled, _spelled)
    else:
        columns = _columns(local, remote, case_sensitive=row.case_sensitive_match)
    if columns is None:
        raise InvalidOption(
            f"{row.local_field} ({local.type.value}) and {row.remote_field} ({remote.type.value}) cannot be compared.",
            next_step="Match on fields of the same type.",
            field=row.name,
            mapping=compiled.mapping.name,
        )
    return Criterion(row.label or row.name, row.local_field, row.remote_field, *columns, row.lookup)


def _schema(compiled: CompiledMapping, side: Side, name: str) -> FieldSchema:
    table = compiled.schema(side)
    if name not in table.fields:
        raise UnknownField(f"{table.name} has no field {name!r}.", field=name, table=table.name)
    return table.fields[name]


def _columns(local: FieldSchema, remote: FieldSchema, *, case_sensitive: bool) -> tuple[Column, Column] | None:
    """Return what makes the values of two fields comparable, None if nothing does."""
    if _is_text(local) and _is_text(remote):
        exact = case_sensitive or local.type is remote.type is FieldType.CODE
        return _text(local, exact), _text(remote, exact)
    if local.type in _NUMBERS and remote.type in _NUMBERS:
        return _exact, _exact
    if local.type in _IDS and remote.type in _IDS:
        return _spelled, _spelled
    if local.type in _TIMES and remote.type in _TIMES:
        return (_exact, _exact) if local.type is remote.type else (_day, _day)
    if local.type is remote.type:
        return _exact, _exact
    if local.type in _TEXTS:
        return _read_as(local, remote), _exact
    if remote.type in _TEXTS:
        return _exact, _read_as(remote, local)
    return None


def _is_text(field: FieldSchema) -> bool:
    """Whether a field's values are words for people: texts, codes, and options by their labels."""
    return field.type in _TEXTS or (
        field.type is FieldType.CHOICE and (not field.numeric_options or bool(field.options))
    )


def _text(field: FieldSchema, exact: bool) -> Column:
    """Texts are compared without blanks around them, and unless `exact` without regard to case."""
    options = field.options if field.type is FieldType.CHOICE else None
    fold = str if exact else str.casefold

    def wide(text: str) -> str:
        return fold(normalize("NFC", text.strip()))

    def column(values: Sequence[Scalar]) -> list[Key]:
        texts: Iterable[Any] = values
        if options is not None:
            texts = [None if value is None else options.get(str(value), str(value)) for value in values]
        return [
            None if text is None else (fold(text.strip()) if text.isascii() else wide(text)) or None for text in texts
        ]

    return column


def _read_as(source: FieldSchema, destination: FieldSchema) -> Column:
    """Texts are read as values of the other field; one that cannot be read fits nothing."""
    convert = converter(source, destination)
    assert convert is not None, "another type always needs a conversion"

    def read(value: Scalar) -> Key:
        try:
            return convert(value)
        except Unfit:
            return None

    return lambda values: [None if value is None else read(value) for value in values]


def _exact(values: Sequence[Scalar]) -> list[Key]:
    return list(values)


def _spelled(values: Sequence[Scalar]) -> list[Key]:
    return [None if value is None else as_text(value) for value in values]


def _day(values: Sequence[Scalar]) -> list[Key]:
    return [value.date() if isinstance(value, datetime) else value for value in values]
