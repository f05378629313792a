"""A ``$filter`` over definitions, which are values in memory."""

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

from odata_query import ast

from crosstie.sandbox.dataverse.errors import unknown_property
from crosstie.sandbox.filters import FilterError, path_of

_COMPARATORS: Final[Mapping[type, Callable[[Any, Any], bool]]] = {
    ast.Eq: eq,
    ast.NotEq: ne,
    ast.Lt: lt,
    ast.LtE: le,
    ast.Gt: gt,
    ast.GtE: ge,
}
_TEXTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def evaluate(node: Any, subject: Mapping[str, Any], kind: str) -> bool:
    """Whether *subject* (of the metadata type *kind*) meets the condition; raises :class:`FilterError` or a refusal."""
    match node:
        case ast.BoolOp():
            left = evaluate(node.left, subject, kind)
            if isinstance(node.op, ast.And):
                return left and evaluate(node.right, subject, kind)
            return left or evaluate(node.right, subject, kind)
        case ast.UnaryOp(op=ast.Not()):
            return not evaluate(node.operand, subject, kind)
        case ast.Compare():
            left, right = _value(node.left, subject, kind), _value(node.right, subject, kind)
            return _compare(_COMPARATORS.get(type(node.comparator)), left, right)
        case ast.Call() if node.func.name in _TEXTS:
            text, part = (_value(arg, subject, kind) for arg in node.args)
            return isinstance(text, str) and _TEXTS[node.func.name](text.lower(), str(part).lower())
        case ast.Call() if node.func.name == "In":
            given: dict[str, Any] = {arg.name.name: arg.param for arg in node.args if isinstance(arg, ast.NamedParam)}
            value = _at(tuple(given["PropertyName"].val.split("/")), subject, kind)
            return str(value) in [str(item.val) for item in given["PropertyValues"].val]
        case ast.Boolean():
            return bool(node.py_val)
    value = _value(node, subject, kind)
    if isinstance(value, bool):
        return value
    raise FilterError("a filter must be a condition; a single value that is not true or false stands there")


def _compare(compare: Callable[[Any, Any], bool] | None, left: Any, right: Any) -> bool:
    if compare is None:
        raise FilterError("The operator 'in' is not supported: use Microsoft.Dynamics.CRM.In.")
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.lower(), right.lower()
    if compare not in (eq, ne) and (left is None or right is None or isinstance(left, str) != isinstance(right, str)):
        return False
    return compare(left, right)


def _value(node: Any, subject: Mapping[str, Any], kind: str) -> Any:
    if isinstance(node, ast._Literal):
        return node.val.lower() if isinstance(node, ast.GUID) else node.py_val
    path = path_of(node)
    if path is None:
        raise FilterError("only properties, literals and contains, startswith, endswith can stand in this filter")
    return _at(path, subject, kind)


def _at(path: tuple[str, ...], subject: Mapping[str, Any], kind: str) -> Any:
    value: Any = subject
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            raise unknown_property(name, kind)
        value = value[name]
    return value
