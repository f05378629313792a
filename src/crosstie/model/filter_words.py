"""Filters in words, as a person would say them. Pure."""

from crosstie.model.conditions import (
    Applied,
    Comparison,
    Condition,
    Constant,
    Every,
    FieldOperand,
    Membership,
    Negation,
    Operand,
    Operator,
    Some,
    Test,
    TextTest,
)
from crosstie.model.filters import compile_filter
from crosstie.model.schema import FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar

_OPERATORS = {
    Operator.EQUAL: "is",
    Operator.NOT_EQUAL: "is not",
    Operator.GREATER: "is more than",
    Operator.AT_LEAST: "is at least",
    Operator.LESS: "is less than",
    Operator.AT_MOST: "is at most",
}
_TESTS = {Test.CONTAINS: "contains", Test.STARTS_WITH: "starts with", Test.ENDS_WITH: "ends with"}
_FUNCTIONS = {
    "tolower": "{} in small letters",
    "toupper": "{} in capitals",
    "trim": "{} without blanks around",
    "length": "the length of {}",
}


def in_words(text: str | None, schema: TableSchema) -> str:
    """Return what a filter admits, such as "Blocked is blank and Country/Region Code is DE or AT".

    Without filter "all records". Raises InvalidFilter, UnknownField.
    """
    if not text or not text.strip():
        return "all records"
    return _Teller(schema).condition(compile_filter(text, schema).condition, outer=True)


class _Teller:
    def __init__(self, schema: TableSchema) -> None:
        self._schema = schema

    def condition(self, node: Condition, *, outer: bool = False) -> str:
        match node:
            case Every(parts):
                return " and ".join(self.condition(part) for part in parts)
            case Some(parts):
                told = " or ".join(self.condition(part) for part in parts)
                return told if outer else f"({told})"
            case Negation(part):
                return f"not ({self.condition(part, outer=True)})"
            case Membership(operand, values):
                kind = self._kind(operand)
                return f"{self._operand(operand)} is {' or '.join(_value(value, kind) for value in values)}"
            case TextTest(test, operand, text):
                return f"{self._operand(operand)} {_TESTS[test]} {self._operand(text)}"
            case Comparison(operator, left, right):
                kind = self._kind(left)
                told = _value(right.value, kind) if isinstance(right, Constant) else self._operand(right)
                return f"{self._operand(left)} {_OPERATORS[operator]} {told}"

    def _operand(self, operand: Operand) -> str:
        match operand:
            case FieldOperand(name):
                return self._schema.fields[name].label or name
            case Applied(function, field):
                return _FUNCTIONS[function].format(self._operand(field))
            case Constant(value):
                return _value(value, None)

    def _kind(self, operand: Operand) -> FieldSchema | None:
        return self._schema.fields[operand.name] if isinstance(operand, FieldOperand) else None


def _value(value: Scalar, kind: FieldSchema | None) -> str:
    if value is None:
        return "blank"
    if kind is not None and kind.type is FieldType.CHOICE:
        return kind.options.get(str(value), str(value)) or "blank"
    if kind is not None and kind.type in (FieldType.LOOKUP, FieldType.GUID):
        return f"{str(value)[:8]}…"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{value}”" if isinstance(value, str) and (kind is None or kind.type is FieldType.TEXT) else str(value)
