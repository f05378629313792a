"""Filters as rows of field, operator and values: how a person puts one together without knowing its grammar. Pure.

Records that all rows admit are admitted. What a filter says beyond that has no rows, and is edited as text.
"""

import difflib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from crosstie.model.conditions import (
    Comparison,
    Condition,
    Constant,
    Every,
    FieldOperand,
    Membership,
    Operator,
    Some,
    Test,
    TextTest,
)
from crosstie.model.errors import InvalidFilter, UnknownField
from crosstie.model.filters import compile_filter
from crosstie.model.schema import FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar, normalise


class RowOperator(StrEnum):
    """What a row asks of its field."""

    IS = "is"
    IS_NOT = "is_not"
    ONE_OF = "one_of"
    """One of the values; an empty one among them means blank."""
    BLANK = "blank"
    NOT_BLANK = "not_blank"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MORE = "more"
    AT_LEAST = "at_least"
    LESS = "less"
    AT_MOST = "at_most"


class FilterRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition. Values are texts: an option's number or name, an id, yes or no, a date as 2026-12-31."""

    field: str
    operator: RowOperator
    values: tuple[str, ...] = ()


WITHOUT_VALUE = (RowOperator.BLANK, RowOperator.NOT_BLANK)
_COMPARISONS = {
    RowOperator.IS: Operator.EQUAL,
    RowOperator.IS_NOT: Operator.NOT_EQUAL,
    RowOperator.MORE: Operator.GREATER,
    RowOperator.AT_LEAST: Operator.AT_LEAST,
    RowOperator.LESS: Operator.LESS,
    RowOperator.AT_MOST: Operator.AT_MOST,
}
_TESTS = {
    RowOperator.CONTAINS: Test.CONTAINS,
    RowOperator.STARTS_WITH: Test.STARTS_WITH,
    RowOperator.ENDS_WITH: Test.ENDS_WITH,
}
_ROW_OF_COMPARISON = {operator: row for row, operator in _COMPARISONS.items()}
_ROW_OF_TEST = {test: row for row, test in _TESTS.items()}
_ALWAYS = (RowOperator.IS, RowOperator.IS_NOT, RowOperator.ONE_OF, *WITHOUT_VALUE)
_ORDERS = (RowOperator.MORE, RowOperator.AT_LEAST, RowOperator.LESS, RowOperator.AT_MOST)
_TEXTS = (FieldType.TEXT, FieldType.CODE)
_ORDERED = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.DATE, FieldType.DATETIME)


def operators_of(field: FieldSchema) -> tuple[RowOperator, ...]:
    """Return what can be asked of a field."""
    if field.type is FieldType.BOOLEAN:
        return (RowOperator.IS,)
    if field.type in _TEXTS:
        return (*_ALWAYS, *_TESTS)
    return (*_ALWAYS, *_ORDERS) if field.type in _ORDERED else _ALWAYS


# --- from a text ----------------------------------------------------------------------------------------------


def rows_of(text: str | None, schema: TableSchema) -> list[FilterRow] | None:
    """Return the rows that a filter consists of, none for no filter; None for one that no rows can say.

    Raises InvalidFilter, UnknownField.
    """
    if not text or not text.strip():
        return []
    condition = compile_filter(text, schema).condition
    rows = [_row_of(part, schema) for part in (condition.parts if isinstance(condition, Every) else (condition,))]
    return None if None in rows else [row for row in rows if row is not None]


def _row_of(node: Condition, schema: TableSchema) -> FilterRow | None:
    match node:
        case Comparison(operator, FieldOperand(name), Constant(None)) if operator is Operator.EQUAL:
            return FilterRow(name, RowOperator.BLANK)
        case Comparison(operator, FieldOperand(name), Constant(None)) if operator is Operator.NOT_EQUAL:
            return FilterRow(name, RowOperator.NOT_BLANK)
        case Comparison(operator, FieldOperand(name), Constant(bool(value))) if operator is Operator.NOT_EQUAL:
            return FilterRow(name, RowOperator.IS, (_typed(not value),))
        case Comparison(operator, FieldOperand(name), Constant(value)) if value is not None:
            row = FilterRow(name, _ROW_OF_COMPARISON[operator], (_typed(value),))
            return row if row.operator in operators_of(schema.fields[name]) else None
        case Membership(FieldOperand(name), values):
            return FilterRow(name, RowOperator.ONE_OF, tuple(map(_typed, values)))
        case TextTest(test, FieldOperand(name), Constant(str(text))) if text:
            return FilterRow(name, _ROW_OF_TEST[test], (text,))
        case Some(parts):
            return _one_of(parts)
    return None


def _one_of(parts: Sequence[Condition]) -> FilterRow | None:
    names, values = set(), []
    for part in parts:
        match part:
            case Comparison(Operator.EQUAL, FieldOperand(name), Constant(value)):
                names.add(name)
                values.append(_typed(value))
            case _:
                return None
    return FilterRow(names.pop(), RowOperator.ONE_OF, tuple(values)) if len(names) == 1 else None


def _typed(value: Scalar) -> str:
    """Return a canonical value as a person types it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            return str(value)


# --- to a text ------------------------------------------------------------------------------------------------


def text_of(rows: Sequence[FilterRow], schema: TableSchema) -> str:
    """Return the filter that admits what all rows admit, the empty text for no rows.

    Raises UnknownField, or InvalidFilter naming the field and the value that is wrong.
    """
    text = " and ".join(_said(row, field_of(row.field, schema)) for row in rows)
    if text:
        compile_filter(text, schema)
    return text


def field_of(name: str, schema: TableSchema) -> FieldSchema:
    """Return the field that a person means: by name, else by its caption, whatever the case.

    Raises UnknownField with near ones, InvalidFilter for a caption that several fields have.
    """
    if name in schema.fields:
        return schema.fields[name]
    wanted = name.strip().casefold()
    for part in ("name", "label"):
        found = [field for field in schema.fields.values() if getattr(field, part).casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(field.name for field in found)
            raise InvalidFilter(f"{name!r} means several fields of {schema.name}: {names}.", field=name)
    called = {part.casefold(): part for each in schema.fields.values() for part in (each.name, each.label) if part}
    near = [called[each] for each in difflib.get_close_matches(wanted, called, 3)]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UnknownField(f"{schema.name} has no field {name!r}.{hint}", table=schema.name, field=name)


def _said(row: FilterRow, field: FieldSchema) -> str:
    known = operators_of(field)
    if row.operator not in known:
        raise InvalidFilter(
            f"{_called(field)} cannot be asked for {row.operator.value!r}; it takes: {', '.join(known)}.",
            field=field.name,
        )
    if row.operator in WITHOUT_VALUE:
        if any(row.values):
            raise InvalidFilter(f"{_called(field)}: {row.operator.value} takes no value.", field=field.name)
        return f"{field.name} {'eq' if row.operator is RowOperator.BLANK else 'ne'} null"
    if row.operator is RowOperator.ONE_OF:
        if not row.values:
            raise InvalidFilter(f"{_called(field)}: no value was chosen.", field=field.name)
        parts = [f"{field.name} eq {_literal(value, field, blank=True)}" for value in dict.fromkeys(row.values)]
        return f"({' or '.join(parts)})" if len(parts) > 1 else parts[0]
    if len(row.values) != 1:
        raise InvalidFilter(
            f"{_called(field)}: {row.operator.value} takes one value, and there are {len(row.values)}.",
            field=field.name,
        )
    literal = _literal(row.values[0], field, blank=False)
    if row.operator in _TESTS:
        return f"{_TESTS[row.operator].value}({field.name},{literal})"
    return f"{field.name} {_COMPARISONS[row.operator].value} {literal}"


def _literal(typed: str, field: FieldSchema, *, blank: bool) -> str:
    """Return a value as the grammar writes it."""
    if not typed.strip():
        if blank:
            return "null"
        raise InvalidFilter(
            f"{_called(field)} has no value; to ask for a blank, take the operator for it.", field=field.name
        )
    if field.type in _TEXTS:
        return _quoted(typed)
    value = _value(typed, field)
    if isinstance(value, str):
        return _quoted(value)
    return ("true" if value else "false") if isinstance(value, bool) else _typed(value)


def _value(typed: str, field: FieldSchema) -> Scalar:
    if field.type is FieldType.CHOICE:
        return _option(typed.strip(), field)
    exact = msgspec.structs.replace(field, scale=None) if field.type is FieldType.DECIMAL else field
    try:
        if field.type is FieldType.DATE:
            date.fromisoformat(typed.strip())
        value = normalise(typed.strip(), exact)
    except ValueError as error:
        raise _no_value(typed, field) from error
    if value is None:
        raise _no_value(typed, field)
    return value


def _option(typed: str, field: FieldSchema) -> Scalar:
    labels = {label.casefold(): option for option, label in reversed(tuple(field.options.items()))}
    option = typed if typed in field.options else labels.get(typed.casefold())
    if option is None and field.options:
        known = ", ".join(label or option for option, label in field.options.items())
        raise InvalidFilter(
            f"{_called(field)} has no option {typed!r}; it has: {known}.", field=field.name, value=typed
        )
    try:
        return normalise(typed if option is None else option, field)
    except ValueError as error:
        raise _no_value(typed, field) from error


def _no_value(typed: str, field: FieldSchema) -> InvalidFilter:
    forms = {
        FieldType.DATE: "a date such as 2026-12-31",
        FieldType.DATETIME: "a time such as 2026-12-31T14:00:00Z",
        FieldType.BOOLEAN: "yes or no",
        FieldType.INTEGER: "a whole number",
        FieldType.DECIMAL: "a number such as 12.5",
    }
    needed = forms.get(field.type, f"a {field.type.value}")
    return InvalidFilter(
        f"{typed!r} is no value for {_called(field)}, which needs {needed}.", field=field.name, value=typed
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _called(field: FieldSchema) -> str:
    return field.label or field.name
