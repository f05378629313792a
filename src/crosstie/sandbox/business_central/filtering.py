"""``$filter`` as Business Central takes it: what it refuses, what it drops in silence, and the rest as SQL.

Facts: wire-businesscentral section 4. OR works only within one field; ``in``, ``any`` and ``all`` do nothing at all
before schema version 2.1, so that every record comes back; ``not``, arithmetic and paths are not there.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import reduce
from typing import Any, Final

from odata_query import ast

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.business_central.pages import Property
from crosstie.sandbox.business_central.values import FieldType, moment_in
from crosstie.sandbox.filters import Column, FilterError, Node, SqlFilter, parse_filter, walk
from crosstie.sandbox.settings import Settings

_FUNCTIONS: Final = frozenset({"contains", "startswith", "endswith", "tolower", "toupper", "substring"})
_FUNCTIONS_21: Final = _FUNCTIONS | {"trim", "length", "concat", "indexof", "year", "month", "day"}

Resolve = Callable[[str], tuple[Property, Column]]


def condition(text: str, resolve: Resolve, settings: Settings, newer: bool) -> tuple[str, list[object]]:
    """*text* as a SQL condition with its parameters; *newer*: under ``$schemaversion=2.1``.

    *resolve* gives property and column of a name and raises the refusal for an unknown one. Raises 400 for a filter
    that cannot be read and 501 for what the service does not do.
    """
    try:
        tree = _Prepared(resolve, settings, newer).prepare(parse_filter(text))
        if tree is None:
            return "1", []
        visitor = SqlFilter(lambda path: resolve("/".join(path))[1], case_sensitive=settings.flag("case_sensitive"))
        return visitor.translate(tree)
    except FilterError as error:
        raise errors.bad_request(f"Invalid filter clause: {error}") from error


def column_of(prop: Property, sql: str) -> Column:
    """The column of a property as filters see it."""
    if prop.type.kind == "enum":
        return Column(sql, "enum", lambda value: _member(prop.type, value))
    if prop.type.kind == "datetime":
        return Column(sql, "datetime", _moment)
    return Column(sql, prop.type.kind)


def _member(of: FieldType, value: object) -> str:
    assert of.enum is not None
    member = of.enum.member(value) if isinstance(value, str) else None
    if member is None:
        raise ValueError(f"'{value}' is not an option. The existing options are: {','.join(of.enum.captions)}")
    return member


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return moment_in(value)
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00.000"
    raise ValueError("a date and time is needed")


class _Prepared:
    """Takes out of a syntax tree what the service would not act on, and refuses what it refuses."""

    def __init__(self, resolve: Resolve, settings: Settings, newer: bool) -> None:
        self._resolve = resolve
        self._newer = newer
        self._refuse = settings["unsupported_filter"] == "refuse"
        self._functions = _FUNCTIONS_21 if newer else _FUNCTIONS

    def prepare(self, node: Any) -> Any:
        """The tree to be translated, or None where nothing of it is left."""
        match node:
            case ast.BoolOp():
                return self._combined(node)
            case ast.UnaryOp(op=ast.Not()):
                raise errors.not_implemented("The 'NOT' operator is not supported on an OData filter.")
            case ast.CollectionLambda():
                return self._dropped("any and all are")
            case ast.Compare(comparator=ast.In()) if not self._newer:
                return self._dropped("The 'IN' operator is")
            case ast.Compare():
                self._check_values(node)
                return self._without_null(node)
        self._check_values(node)
        return node

    def _combined(self, node: Any) -> Any:
        if isinstance(node.op, ast.Or):
            return self._alternatives(_operands(node))
        left, right = self.prepare(node.left), self.prepare(node.right)
        if left is None or right is None:
            return left or right
        return ast.BoolOp(node.op, left, right)

    def _alternatives(self, operands: list[Any]) -> Any:
        if len(set().union(*map(_fields, operands))) > 1:
            raise errors.not_implemented("The 'OR' operator is not supported on distinct fields on an OData filter.")
        prepared = [self.prepare(operand) for operand in operands]
        if None in prepared:
            return None
        values = [_listed(operand) for operand in prepared]
        if all(values):
            return ast.Compare(ast.In(), prepared[0].left, ast.List([item for some in values for item in some]))
        return reduce(lambda left, right: ast.BoolOp(ast.Or(), left, right), prepared)

    def _dropped(self, what: str) -> None:
        if self._refuse:
            raise errors.not_implemented(f"{what} not supported on an OData filter before $schemaversion=2.1.")

    def _check_values(self, node: Node) -> None:
        for part in walk(node):
            match part:
                case ast.Call(func=func) if func.name not in self._functions:
                    raise errors.not_implemented(f"The function '{func.name}' is not supported on an OData filter.")
                case ast.BinOp():
                    raise errors.not_implemented("Arithmetic is not supported on an OData filter.")
                case ast.Attribute():
                    raise errors.not_implemented("Fields of related records are not supported on an OData filter.")
        if isinstance(node, ast.Compare) and _fields(node.left) and _fields(node.right):
            raise errors.not_implemented("Two fields cannot be compared with each other on an OData filter.")

    def _without_null(self, node: Any) -> Any:
        """``field eq null`` asks for the blank value: nothing is ever null here."""
        if isinstance(node.left, ast.Null) and isinstance(node.right, ast.Identifier):
            node = ast.Compare(node.comparator, node.right, node.left)
        if isinstance(node.right, ast.Null) and isinstance(node.left, ast.Identifier):
            return ast.Compare(node.comparator, node.left, self._blank(node.left.name))
        return node

    def _blank(self, name: str) -> Node:
        of = self._resolve(name)[0].type
        match of.kind:
            case "int" | "decimal":
                return ast.Integer("0")
            case "bool":
                return ast.Boolean("false")
            case "date":
                return ast.Date(str(of.blank))
            case "datetime":
                return ast.DateTime(f"{of.blank}Z")
        return ast.String(str(of.blank))


def _fields(node: Node) -> set[str]:
    """The fields that a tree speaks of, without the names of functions."""
    functions = {id(part.func) for part in walk(node) if isinstance(part, ast.Call)}
    return {part.name for part in walk(node) if isinstance(part, ast.Identifier) and id(part) not in functions}


def _operands(node: Any) -> list[Any]:
    """The alternatives of a chain of ORs, in order."""
    found, rest = [], [node]
    while rest:
        node = rest.pop()
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            rest += [node.right, node.left]
        else:
            found.append(node)
    return found


def _listed(node: Any) -> list[Any]:
    """The literals that a comparison of one field with some values names; none for anything else.

    Alternatives that are all of this kind become one list, which the database looks up instead of scanning.
    """
    if not isinstance(node, ast.Compare) or not isinstance(node.left, ast.Identifier):
        return []
    if isinstance(node.comparator, ast.In):
        return list(getattr(node.right, "val", []))
    return [node.right] if isinstance(node.comparator, ast.Eq) else []
