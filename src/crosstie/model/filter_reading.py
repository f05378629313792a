"""Reading filters: from text to a condition that is checked against a table.

Apart from `crosstie.model.filters`, because building the parser's tables takes a tenth of a second, and most commands
read no filter.
"""

import difflib
import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import msgspec
from odata_query import ast
from odata_query.exceptions import ODataException, ODataSyntaxError
from odata_query.grammar import ODataLexer, ODataParser

from crosstie.model.conditions import (
    MIRRORED,
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
from crosstie.model.errors import InvalidFilter, UnknownField
from crosstie.model.schema import FieldSchema, FieldType, TableSchema
from crosstie.model.values import Scalar, normalise

_OPERATORS: dict[type, Operator] = {
    ast.Eq: Operator.EQUAL,
    ast.NotEq: Operator.NOT_EQUAL,
    ast.Gt: Operator.GREATER,
    ast.GtE: Operator.AT_LEAST,
    ast.Lt: Operator.LESS,
    ast.LtE: Operator.AT_MOST,
}
_TESTS = tuple(test.value for test in Test)
_TEXT_FUNCTIONS = ("tolower", "toupper", "trim", "length")
_UNORDERED = (FieldType.BOOLEAN, FieldType.GUID, FieldType.LOOKUP)
_TEXT = FieldSchema(name="", type=FieldType.TEXT)
_NUMBER = FieldSchema(name="", type=FieldType.DECIMAL)
_FUNCTION_TYPES = {"length": FieldSchema(name="length", type=FieldType.INTEGER)}
_GAPS = re.compile(r"'(?:[^']|'')*'|\bin\s*\(\s*(?:'(?:[^']|'')*'|[^\s,()']+)\s*(?=\))|\bnot(?=\()", re.IGNORECASE)


def read_condition(text: str, schema: TableSchema) -> Condition:
    """Return what `text` means for the table. Raises InvalidFilter, UnknownField."""
    return _Checker(text, schema).condition(_parse(text))


class _Rule:
    """A token of the lexer: its pattern and how its text becomes a node."""

    def __init__(self, pattern: str, make: Callable[[str], Any]) -> None:
        self.pattern = pattern
        self._make = make

    def __call__(self, lexer: object, token: Any) -> Any:
        token.value = self._make(token.value)
        return token


class _Lexer(ODataLexer):
    """The library's lexer, for which `allowed`, `anyone` and `nullable` are names and 0001-01-01 is a date too."""

    tokens = ODataLexer.tokens
    DATETIME: Any = _Rule(
        r"\d{4}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,12})?)?"
        r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
        ast.DateTime,
    )
    DATE: Any = _Rule(r"\d{4}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])", ast.Date)
    ANY: Any = _Rule(r"any(?=\s*\()", lambda _: ast.Any())
    ALL: Any = _Rule(r"all(?=\s*\()", lambda _: ast.All())
    NULL: Any = _Rule(r"null\b", lambda _: ast.Null())
    BOOLEAN: Any = _Rule(r"(?:true|false)\b", ast.Boolean)


def _parse(text: str) -> Any:
    """Return the library's tree. It wants a comma after the only item of a list and a blank after `not`."""
    inserted: list[int] = []

    def fill(match: re.Match[str]) -> str:
        found = match[0]
        if found[0] == "'":
            return found
        inserted.append(match.end() + len(inserted))
        return found + (" " if found.lower() == "not" else ",")

    stripped = text.strip()
    prepared = _GAPS.sub(fill, stripped)
    if not prepared:
        raise InvalidFilter("The filter is empty.")
    try:
        tree = ODataParser().parse(_Lexer().tokenize(prepared))
    except ODataSyntaxError as error:
        token = getattr(error, "token", None)
        place = len(prepared) if token is None else token.index
        place += len(text) - len(text.lstrip()) - bisect_left(inserted, place)
        raise InvalidFilter(
            f"The filter {text!r} cannot be read from position {place + 1}: {text[place:] or 'it ends too early'}.",
            position=place + 1,
        ) from error
    except ODataException as error:
        raise InvalidFilter(f"The filter {text!r} cannot be read: {error}.") from error
    if tree is None:
        raise InvalidFilter(f"The filter {text!r} ends too early.")
    return tree


class _Checker:
    """Turns the library's tree into conditions and checks names, types and options on the way."""

    def __init__(self, text: str, schema: TableSchema) -> None:
        self._text = text
        self._schema = schema

    def condition(self, node: Any) -> Condition:
        match node:
            case ast.BoolOp():
                kind = Every if isinstance(node.op, ast.And) else Some
                return kind((*self._flat(kind, node.left), *self._flat(kind, node.right)))
            case ast.UnaryOp(op=ast.Not()):
                return Negation(self.condition(node.operand))
            case ast.Compare():
                return self._compare(node)
            case ast.Call() if _function_name(node) in _TESTS:
                return self._text_test(node)
            case ast.Identifier():
                field = self._field(node)
                if self._schema.fields[field.name].type is FieldType.BOOLEAN:
                    return Comparison(Operator.EQUAL, field, Constant(True))
        raise self._wrong("a condition is expected, such as name eq 'x'")

    def _flat(self, kind: type[Every] | type[Some], node: Any) -> tuple[Condition, ...]:
        inner = self.condition(node)
        return inner.parts if isinstance(inner, kind) else (inner,)

    def _compare(self, node: Any) -> Condition:
        if isinstance(node.comparator, ast.In):
            return self._membership(node)
        operator = _OPERATORS[type(node.comparator)]
        left, right = node.left, node.right
        if _is_literal(left) and not _is_literal(right):
            left, right, operator = right, left, MIRRORED.get(operator, operator)
        one = self._operand(left)
        kind = self._type(one)
        if operator not in (Operator.EQUAL, Operator.NOT_EQUAL) and (
            kind.type in _UNORDERED or (kind.type is FieldType.CHOICE and not kind.numeric_options)
        ):
            raise self._wrong(f"the field {kind.name} has no order; it takes eq, ne and in")
        if _is_literal(right):
            return Comparison(operator, one, Constant(self._constant(right, kind)))
        other = self._operand(right)
        if not _comparable(kind.type, self._type(other).type):
            raise self._wrong(f"{kind.name} and {self._type(other).name} are of different types")
        return Comparison(operator, one, other)

    def _membership(self, node: Any) -> Condition:
        operand = self._operand(node.left)
        kind = self._type(operand)
        if not isinstance(node.right, ast.List) or not all(_is_literal(item) for item in node.right.val):
            raise self._wrong("a list of values is expected after in, such as ('a', 'b')")
        return Membership(operand, tuple(self._constant(item, kind) for item in node.right.val))

    def _text_test(self, node: Any) -> Condition:
        test, (operand, text) = Test(_function_name(node)), (self._operand(arg) for arg in node.args)
        for part in (operand, text):
            if self._type(part).type not in (FieldType.TEXT, FieldType.CODE):
                raise self._wrong(f"{test.value} takes texts, and {self._type(part).name} is none")
        if isinstance(text, Constant):
            text = Constant(
                text.value.upper() if self._is_code(operand) and isinstance(text.value, str) else text.value
            )
            text = Constant("") if text.value is None else text
        return TextTest(test, operand, text)

    def _is_code(self, operand: Operand) -> bool:
        return self._type(operand).type is FieldType.CODE

    def _operand(self, node: Any) -> Operand:
        match node:
            case ast.Identifier():
                return self._field(node)
            case ast.Call():
                return self._function(node)
            case ast.Attribute():
                raise self._wrong("paths are not known; name a field of the table itself")
        if _is_literal(node):
            return Constant(self._constant(node, _NUMBER if isinstance(node, _NUMBERS) else _TEXT))
        raise self._wrong("a field or a value is expected")

    def _function(self, node: Any) -> Applied:
        name = _function_name(node)
        if name not in _TEXT_FUNCTIONS:
            raise self._wrong(f"the function {name} is not known; known are {', '.join((*_TESTS, *_TEXT_FUNCTIONS))}")
        field = self._operand(node.args[0])
        if not isinstance(field, FieldOperand) or self._type(field).type not in (FieldType.TEXT, FieldType.CODE):
            raise self._wrong(f"{name} takes a field that holds text")
        return Applied(name, field)

    def _field(self, node: Any) -> FieldOperand:
        name = node.full_name()
        if name in self._schema.fields:
            return FieldOperand(name)
        near = difflib.get_close_matches(name, self._schema.fields, 3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownField(
            f"The filter {self._text!r} names the field {name!r}, which {self._schema.name} does not have.{hint}",
            table=self._schema.name,
            field=name,
        )

    def _type(self, operand: Operand) -> FieldSchema:
        match operand:
            case FieldOperand(name):
                return self._schema.fields[name]
            case Applied(function):
                return _FUNCTION_TYPES.get(function, _TEXT)
            case Constant(value):
                return _TEXT if isinstance(value, str) or value is None else _NUMBER

    def _constant(self, node: Any, kind: FieldSchema) -> Scalar:
        raw = _raw(node)
        if raw is None or raw == "":
            return None
        exact = msgspec.structs.replace(kind, scale=None) if kind.type is FieldType.DECIMAL else kind
        if kind.type in (FieldType.TEXT, FieldType.CODE) and not isinstance(node, ast.String):
            raise self._wrong(f"the value {raw} for the text field {kind.name} must stand in quotes")
        try:
            value = normalise(raw, exact)
        except ValueError as error:
            raise self._wrong(f"{raw!r} is not a {kind.type.value} value, as the field {kind.name} needs") from error
        if kind.type is FieldType.CHOICE and value is not None and kind.options and str(value) not in kind.options:
            known = ", ".join(
                f"{option} ({label})" if label != option else option for option, label in kind.options.items()
            )
            raise self._wrong(f"the field {kind.name} has no option {raw!r}; it has {known}")
        return value

    def _wrong(self, words: str) -> InvalidFilter:
        return InvalidFilter(f"The filter {self._text!r} cannot be used for {self._schema.name}: {words}.")


_NUMBERS = (ast.Integer, ast.Float)
_ALIKE = ({FieldType.TEXT, FieldType.CODE}, {FieldType.INTEGER, FieldType.DECIMAL}, {FieldType.GUID, FieldType.LOOKUP})


def _comparable(one: FieldType, other: FieldType) -> bool:
    return one is other or {one, other} in _ALIKE


def _is_literal(node: Any) -> bool:
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and isinstance(node.operand, _NUMBERS)
    return isinstance(node, ast._Literal) and not isinstance(node, ast.List)


def _function_name(node: Any) -> str:
    return str(node.func.full_name())


def _raw(node: Any) -> str | bool | None:
    """Return what a literal says, as text."""
    match node:
        case ast.UnaryOp(operand=number):
            return f"-{_raw(number)}"
        case ast.Null():
            return None
        case ast.Boolean():
            return bool(node.py_val)
        case _:
            return str(node.val)
