"""Conditions: the checked form of a filter, and whether a record fulfils it.

Systems turn conditions into their own query text; what they cannot say is evaluated here. All constants are
canonical values of the field that they are compared with.
"""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any, TypeAlias

import msgspec

from crosstie.model.schema import FieldType, TableSchema
from crosstie.model.values import ZERO_GUID, Scalar, Values


class Operator(StrEnum):
    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    AT_LEAST = "ge"
    LESS = "lt"
    AT_MOST = "le"


class Test(StrEnum):
    __test__ = False
    CONTAINS = "contains"
    STARTS_WITH = "startswith"
    ENDS_WITH = "endswith"


class FieldOperand(msgspec.Struct, frozen=True):
    """The value of a field."""

    name: str


class Constant(msgspec.Struct, frozen=True):
    """A canonical value; None is a blank."""

    value: Scalar


class Applied(msgspec.Struct, frozen=True):
    """One of the functions `tolower`, `toupper`, `trim`, `length` of a field."""

    function: str
    field: FieldOperand


Operand: TypeAlias = FieldOperand | Constant | Applied


class Comparison(msgspec.Struct, frozen=True):
    """`left` is a constant only if both are."""

    operator: Operator
    left: Operand
    right: Operand


class Membership(msgspec.Struct, frozen=True):
    """The operand is one of the values."""

    operand: Operand
    values: tuple[Scalar, ...]


class TextTest(msgspec.Struct, frozen=True):
    test: Test
    operand: Operand
    text: Operand


class Every(msgspec.Struct, frozen=True):
    parts: tuple["Condition", ...]


class Some(msgspec.Struct, frozen=True):
    parts: tuple["Condition", ...]


class Negation(msgspec.Struct, frozen=True):
    part: "Condition"


Condition: TypeAlias = Comparison | Membership | TextTest | Every | Some | Negation
Verdict: TypeAlias = bool | None
"""None: unknown, because a value is missing."""
Judge: TypeAlias = Callable[[Values], Verdict]

MIRRORED = {
    Operator.GREATER: Operator.LESS,
    Operator.LESS: Operator.GREATER,
    Operator.AT_LEAST: Operator.AT_MOST,
    Operator.AT_MOST: Operator.AT_LEAST,
}
OPPOSITE = {
    Operator.EQUAL: Operator.NOT_EQUAL,
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.GREATER: Operator.AT_MOST,
    Operator.AT_MOST: Operator.GREATER,
    Operator.LESS: Operator.AT_LEAST,
    Operator.AT_LEAST: Operator.LESS,
}
_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: eq,
    Operator.NOT_EQUAL: ne,
    Operator.GREATER: gt,
    Operator.AT_LEAST: ge,
    Operator.LESS: lt,
    Operator.AT_MOST: le,
}
_BLANKS: dict[FieldType, Scalar] = {
    FieldType.TEXT: "",
    FieldType.CODE: "",
    FieldType.CHOICE: "",
    FieldType.GUID: ZERO_GUID,
    FieldType.LOOKUP: ZERO_GUID,
    FieldType.INTEGER: 0,
    FieldType.DECIMAL: 0,
    FieldType.BOOLEAN: False,
    FieldType.DATE: date.min,
    FieldType.DATETIME: datetime.min.replace(tzinfo=UTC),
}


def fields_of(condition: Condition) -> frozenset[str]:
    """Return the names of the fields that the condition reads."""
    return frozenset(operand.name for operand in _operands(condition))


def _operands(node: Condition | Operand) -> Iterator[FieldOperand]:
    match node:
        case FieldOperand():
            yield node
        case Applied():
            yield node.field
        case Comparison():
            yield from _operands(node.left)
            yield from _operands(node.right)
        case Membership():
            yield from _operands(node.operand)
        case TextTest():
            yield from _operands(node.operand)
            yield from _operands(node.text)
        case Every() | Some():
            for part in node.parts:
                yield from _operands(part)
        case Negation():
            yield from _operands(node.part)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return `text` without case, accents and trailing blanks: how systems that ignore case compare."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text.casefold().rstrip(" ")


def judge(condition: Condition, schema: TableSchema) -> Judge:
    """Return the function that tells whether values fulfil `condition`, by the rules of the table's system."""
    return _Compiler(schema).condition(condition)


class _Compiler:
    def __init__(self, schema: TableSchema) -> None:
        self._schema = schema

    def condition(self, node: Condition) -> Judge:
        match node:
            case Every():
                return _every([self.condition(part) for part in node.parts])
            case Some():
                return _some([self.condition(part) for part in node.parts])
            case Negation():
                inner = self.condition(node.part)
                return lambda values: None if (found := inner(values)) is None else not found
            case Membership():
                return _some([self._compare(Operator.EQUAL, node.operand, Constant(v)) for v in node.values])
            case TextTest():
                return self._text_test(node)
            case Comparison():
                return self._compare(node.operator, node.left, node.right)

    def _compare(self, operator: Operator, left: Operand, right: Operand) -> Judge:
        if isinstance(right, Constant) and right.value is None and operator in (Operator.EQUAL, Operator.NOT_EQUAL):
            read, wanted = self._value(left, None), operator is Operator.EQUAL
            return lambda values: (read(values) is None) is wanted
        blank = self._blank(left) if self._schema.blanks_compare else None
        one, other = self._value(left, blank), self._value(right, blank)
        compare = _COMPARE[operator]

        def judged(values: Values) -> Verdict:
            a, b = one(values), other(values)
            return None if a is None or b is None else compare(a, b)

        return judged

    def _text_test(self, node: TextTest) -> Judge:
        blank = "" if self._schema.blanks_compare else None
        one, other = self._value(node.operand, blank), self._value(node.text, blank)

        def judged(values: Values) -> Verdict:
            text, part = one(values), other(values)
            if not isinstance(text, str) or not isinstance(part, str):
                return None
            match node.test:
                case Test.CONTAINS:
                    return part in text
                case Test.STARTS_WITH:
                    return text.startswith(part)
                case Test.ENDS_WITH:
                    return text.endswith(part)

        return judged

    def _value(self, operand: Operand, blank: Scalar) -> Callable[[Values], Scalar]:
        """Return the reader of an operand's value; texts come folded where the system ignores case."""
        match operand:
            case Constant():
                constant = blank if operand.value is None else self._folded(operand.value)
                return lambda values: constant
            case Applied():
                return self._applied(operand, blank)
            case FieldOperand(name):
                if self._schema.case_sensitive or self._schema.fields[name].type is not FieldType.TEXT:
                    return lambda values: blank if (value := values.get(name)) is None else value
                return lambda values: fold(value) if isinstance(value := values.get(name), str) else blank

    def _applied(self, operand: Applied, blank: Scalar) -> Callable[[Values], Scalar]:
        name, change = operand.field.name, _FUNCTIONS[operand.function]
        if operand.function != "length" and not self._schema.case_sensitive:
            return lambda values: fold(change(value)) if isinstance(value := values.get(name), str) else blank
        return lambda values: change(value) if isinstance(value := values.get(name), str) else blank

    def _folded(self, value: Scalar) -> Scalar:
        return fold(value) if isinstance(value, str) and not self._schema.case_sensitive else value

    def _blank(self, operand: Operand) -> Scalar:
        match operand:
            case FieldOperand(name):
                return _BLANKS[self._schema.fields[name].type]
            case Applied(function="length"):
                return 0
            case _:
                return ""


_FUNCTIONS: dict[str, Callable[[str], Any]] = {
    "tolower": str.lower,
    "toupper": str.upper,
    "trim": str.strip,
    "length": len,
}


def _every(judges: list[Judge]) -> Judge:
    def judged(values: Values) -> Verdict:
        verdict: Verdict = True
        for each in judges:
            found = each(values)
            if found is False:
                return False
            verdict = found and verdict
        return verdict

    return judged


def _some(judges: list[Judge]) -> Judge:
    def judged(values: Values) -> Verdict:
        verdict: Verdict = False
        for each in judges:
            found = each(values)
            if found:
                return True
            if found is None:
                verdict = None
        return verdict

    return judged
