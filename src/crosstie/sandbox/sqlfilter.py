"""The syntax tree of a ``$filter`` as SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from odata_query import ast

from crosstie.sandbox.columns import Column, Fragment, Node, literal_of, stored
from crosstie.sandbox.database import fold
from crosstie.sandbox.options import FilterError


@dataclass(frozen=True, slots=True)
class Collection:
    """What a lambda ranges over: ``SELECT 1 FROM source WHERE on`` with its own field names."""

    source: str
    on: str
    resolve: Callable[[tuple[str, ...]], Column]


Resolve = Callable[[tuple[str, ...]], Column]
Function = Callable[["SqlFilter", Any], Fragment]

_COMPARATORS = {ast.Eq: "=", ast.NotEq: "<>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_TEXTS = ("text", "code")
_LAST_CHARACTER = "\U0010ffff"
_DATE_PARTS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}


def path_of(node: Node) -> tuple[str, ...] | None:
    """The names of a field path (``a/b`` is two), or None where the node is no path."""
    if isinstance(node, ast.Identifier):
        return (".".join((*node.namespace, node.name)),)
    if isinstance(node, ast.Attribute):
        owner = path_of(node.owner)
        return None if owner is None else (*owner, node.attr)
    return None


class SqlFilter:
    """Turns a syntax tree into ``(sql, params)``.

    resolve
        gives the column of a field path; raises the system's own error on an unknown one
    case_sensitive
        False: text compares as ``fold`` says (no case, no accents, no trailing blanks)
    null_semantics
        ``"sql"``: ``ne 'x'`` leaves rows without a value out; ``"odata"``: it brings them
    wildcards
        True: ``%``, ``_`` and ``[a-f]`` are live inside contains, startswith and endswith
    functions
        functions of the system's own by full name, called with the visitor and the ``ast.Call``; they go
        before built-in ones
    allowed
        the built-in functions that the system knows (None: all); ``arithmetic`` stands for add, sub, mul, div, mod
    collection
        gives the collection of a navigation path for ``any`` and ``all``; None: lambdas are refused
    """

    def __init__(
        self,
        resolve: Resolve,
        *,
        case_sensitive: bool = True,
        null_semantics: Literal["sql", "odata"] = "sql",
        wildcards: bool = False,
        functions: Mapping[str, Function] | None = None,
        allowed: frozenset[str] | None = None,
        collection: Callable[[tuple[str, ...]], Collection] | None = None,
    ) -> None:
        self._resolve = resolve
        self._case_sensitive = case_sensitive
        self._odata_nulls = null_semantics == "odata"
        self._wildcards = wildcards
        self._functions: Mapping[str, Function] = {} if functions is None else functions
        self._allowed = allowed
        self._collection = collection
        self._variables: dict[str, Resolve] = {}

    def translate(self, tree: Node) -> tuple[str, list[object]]:
        """The condition as SQL with its parameters in order."""
        fragment = self.condition(tree)
        return fragment.sql, list(fragment.params)

    # Conditions

    def condition(self, node: Node) -> Fragment:
        """A node that must be true or false."""
        match node:
            case ast.BoolOp():
                return chained([self.condition(node.left), self.condition(node.right)], isinstance(node.op, ast.And))
            case ast.UnaryOp(op=ast.Not()):
                inner = self.condition(node.operand)
                sql = f"NOT IFNULL({inner.sql}, 0)" if self._odata_nulls else f"NOT ({inner.sql})"
                return Fragment(sql, inner.params)
            case ast.Compare():
                return self._compare(node)
            case ast.CollectionLambda():
                return self._lambda(node)
            case ast.Boolean():
                return Fragment("1" if node.py_val else "0")
        fragment = self.value(node)
        if fragment.literal or (fragment.column is not None and fragment.column.kind != "bool"):
            raise FilterError("a filter must be a condition; a single value that is not true or false stands there")
        return fragment

    def _compare(self, node: Any) -> Fragment:
        if isinstance(node.comparator, ast.In):
            return self.is_in(node.left, node.right)
        op = _COMPARATORS[type(node.comparator)]
        left, right = self.value(node.left), self.value(node.right)
        if left.literal and not right.literal:
            left, right, op = right, left, _MIRRORED.get(op, op)
        if right.literal and right.value is None:
            return self._against_null(left, op)
        return self.compare(left, op, right)

    def _against_null(self, left: Fragment, op: str) -> Fragment:
        if left.literal:
            same = left.value is None
            return Fragment("1" if (op == "=") == same and op in ("=", "<>") else "0")
        if op == "=":
            return Fragment(f"{left.sql} IS NULL", left.params)
        if op == "<>":
            return Fragment(f"{left.sql} IS NOT NULL", left.params)
        return Fragment("0")

    def compare(self, left: Fragment, op: str, right: Fragment) -> Fragment:
        """Two values with a SQL comparator between them, under the system's rules for case and null."""
        if right.literal:
            right = self.bound(right, left.column)
        if self._ignores_case(left, right):
            left, right = _fold(left), _fold(right)
        sql = f"{left.sql} {op} {right.sql}"
        params = left.params + right.params
        if op == "<>" and self._odata_nulls:
            return Fragment(f"({left.sql} IS NULL OR {sql})", left.params + params)
        return Fragment(sql, params)

    def is_in(self, node: Node, values: Node) -> Fragment:
        """``node in (values)``; null among the values matches rows without a value."""
        items = values.val if isinstance(values, ast.List) else [values]
        left = self.value(node)
        literals = [self.value(item) for item in items]
        bound = [self.bound(item, left.column) for item in literals if item.value is not None]
        if any(self._ignores_case(left, item) for item in bound):
            left, bound = _fold(left), [_fold(item) for item in bound]
        marks = ", ".join(item.sql for item in bound)
        params = left.params + tuple(value for item in bound for value in item.params)
        sql = f"{left.sql} IN ({marks})"
        if len(bound) < len(literals):
            return Fragment(f"({sql} OR {left.sql} IS NULL)", params + left.params)
        return Fragment(sql, params)

    def _ignores_case(self, left: Fragment, right: Fragment) -> bool:
        if left.folded or right.folded:
            return True
        return not self._case_sensitive and left.textual and (right.textual or right.literal)

    def _lambda(self, node: Any) -> Fragment:
        path = path_of(node.owner)
        if self._collection is None or path is None:
            raise FilterError("any and all are not supported here")
        collection = self._collection(path)
        if node.lambda_ is None:
            return Fragment(f"EXISTS (SELECT 1 FROM {collection.source} WHERE {collection.on})")
        name = node.lambda_.identifier.name
        outer = self._variables
        self._variables = {**outer, name: collection.resolve}
        try:
            inner = self.condition(node.lambda_.expression)
        finally:
            self._variables = outer
        every = isinstance(node.operator, ast.All)
        sql = f"SELECT 1 FROM {collection.source} WHERE {collection.on} AND "
        sql += f"NOT IFNULL({inner.sql}, 0)" if every else f"({inner.sql})"
        return Fragment(f"{'NOT ' if every else ''}EXISTS ({sql})", inner.params)

    # Values

    def value(self, node: Node) -> Fragment:
        """A node that has a value: a field, a literal, a function, arithmetic."""
        if isinstance(node, ast._Literal):
            return literal_of(node)
        path = path_of(node)
        if path is not None:
            column = self.column(path)
            return Fragment(column.sql, column=column)
        match node:
            case ast.Call():
                return self._call(node)
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.UnaryOp(op=ast.USub()):
                inner = self.value(node.operand)
                if inner.literal:
                    return Fragment("?", (-inner.value,), literal=True, value=-inner.value)
                return Fragment(f"-({inner.sql})", inner.params, inner.column)
        return self.condition(node)

    def column(self, path: tuple[str, ...]) -> Column:
        """The column of a field path, lambda variables included."""
        if path[0] in self._variables:
            return self._variables[path[0]](path[1:])
        return self._resolve(path)

    def bound(self, literal: Fragment, column: Column | None) -> Fragment:
        """A literal as the parameter that compares with *column*; raises :class:`FilterError` where it does not fit."""
        value = literal.value
        if value is None or not literal.literal:
            return literal
        try:
            bound = stored(value, column)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise FilterError(
                f"the value {value!s} does not fit a field of type {column.kind if column else 'text'}: {error}"
            ) from error
        return Fragment("?", (bound,), literal=True, value=bound)

    def _arithmetic(self, node: Any) -> Fragment:
        self._permit("arithmetic")
        left, right = self.bound(self.value(node.left), None), self.bound(self.value(node.right), None)
        return Fragment(f"({left.sql} {_ARITHMETIC[type(node.op)]} {right.sql})", left.params + right.params)

    def _call(self, node: Any) -> Fragment:
        name = ".".join((*node.func.namespace, node.func.name))
        own = self._functions.get(name)
        if own is not None:
            return own(self, node)
        self._permit(name)
        if name in ("contains", "startswith", "endswith"):
            return self.text_match(name, self.value(node.args[0]), self.value(node.args[1]))
        if name in ("tolower", "toupper"):
            inner = self.value(node.args[0])
            return Fragment(inner.sql, inner.params, inner.column, inner.literal, inner.value, folded=True)
        return self._scalar(name, [self.bound(self.value(arg), None) for arg in node.args])

    def _scalar(self, name: str, args: Sequence[Fragment]) -> Fragment:
        params = tuple(value for arg in args for value in arg.params)
        sql = [arg.sql for arg in args]
        if name in _DATE_PARTS:
            return Fragment(f"CAST(strftime('{_DATE_PARTS[name]}', {sql[0]}) AS INTEGER)", params)
        templates = {
            "trim": "trim({0})",
            "length": "length({0})",
            "concat": "({0} || {1})",
            "indexof": "(instr({0}, {1}) - 1)",
            "substring": "substr({0}, {1} + 1)" if len(args) == 2 else "substr({0}, {1} + 1, {2})",
            "round": "round({0})",
            "floor": "floor({0})",
            "ceiling": "ceil({0})",
            "date": "substr({0}, 1, 10)",
            "time": "substr({0}, 12, 8)",
            "now": "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        }
        if name not in templates:
            self._refuse(name)
        text = name in ("trim", "concat", "substring")
        column = Column("", "text" if text else "date" if name == "date" else "double")
        built = templates[name].format(*sql)
        return Fragment(built, params, column if text or name == "date" else None)

    def text_match(self, name: str, haystack: Fragment, needle: Fragment) -> Fragment:
        """``contains``, ``startswith`` or ``endswith``."""
        if needle.literal and needle.value is None:
            return Fragment("0")
        if needle.literal and not isinstance(needle.value, str):
            raise FilterError(f"{name} takes a text, not {needle.value!s}")
        if self._wildcards and needle.literal:
            return self._live_match(name, haystack, str(needle.value))
        folded = haystack.folded or needle.folded or not self._case_sensitive
        if folded:
            haystack = _fold_quickly(haystack)
            needle = _folded_part(needle)
        elif haystack.column is not None and haystack.column.kind == "code" and needle.literal:
            needle = Fragment("?", (str(needle.value).upper(),), literal=True, value=needle.value)
        return _plain_match(name, haystack, needle)

    def _live_match(self, name: str, haystack: Fragment, text: str) -> Fragment:
        pattern = ("" if name == "startswith" else "%") + text + ("" if name == "endswith" else "%")
        if self._case_sensitive and not haystack.folded:
            return Fragment(f"matches(?, {haystack.sql})", (pattern, *haystack.params))
        haystack, pattern = _fold_quickly(haystack), fold(pattern + "|")[:-1]
        if "[" in pattern:
            return Fragment(f"matches(?, {haystack.sql})", (pattern, *haystack.params), indexed=haystack.indexed)
        if name == "startswith" and haystack.indexed and "%" not in pattern[:-1] and "_" not in pattern:
            return _beginning(haystack, pattern[:-1])
        return Fragment(f"{haystack.sql} LIKE ?", (*haystack.params, pattern), indexed=haystack.indexed)

    def _permit(self, name: str) -> None:
        if self._allowed is not None and name not in self._allowed:
            self._refuse(name)

    @staticmethod
    def _refuse(name: str) -> NoReturn:
        raise FilterError(f"the function '{name}' is not supported")


def _fold(fragment: Fragment) -> Fragment:
    if fragment.literal:
        value = fold(fragment.value) if isinstance(fragment.value, str) else fragment.value
        return Fragment("?", (value,), literal=True, value=value, folded=True)
    return Fragment(f"fold({fragment.sql})", fragment.params, folded=True)


def _fold_quickly(fragment: Fragment) -> Fragment:
    """The same for a part of a text: where no index holds it, one in ASCII is folded without leaving SQLite."""
    if fragment.literal or fragment.params:
        return _fold(fragment)
    sql = fragment.sql
    if fragment.column is not None and fragment.column.indexed:
        return Fragment(f"fold({sql})", folded=True, indexed=True)
    plain = f"rtrim(lower({sql}), ' ')"
    return Fragment(f"iif({sql} GLOB '*[^ -~]*', fold({sql}), {plain})", folded=True)


def _folded_part(needle: Fragment) -> Fragment:
    """A needle folded without losing blanks at its end, which matter inside a longer text."""
    if not needle.literal:
        return _fold(needle)
    value = fold(str(needle.value) + "|")[:-1]
    return Fragment("?", (value,), literal=True, value=value, folded=True)


def chained(parts: Sequence[Fragment], every: bool) -> Fragment:
    """Conditions that must all hold (*every*), or one of which must."""
    ordered = sorted(parts, key=lambda part: not part.indexed) if every else parts
    sql = (" AND " if every else " OR ").join(part.sql for part in ordered)
    indexed = any(part.indexed for part in parts) if every else all(part.indexed for part in parts)
    return Fragment(f"({sql})", tuple(value for part in ordered for value in part.params), indexed=indexed)


def _beginning(haystack: Fragment, text: str) -> Fragment:
    """The texts that begin so, as a range that an index finds."""
    sql = f"({haystack.sql} >= ? AND {haystack.sql} < ?)"
    return Fragment(sql, (text, text + _LAST_CHARACTER), indexed=haystack.indexed)


def _plain_match(name: str, haystack: Fragment, needle: Fragment) -> Fragment:
    if needle.literal and needle.value == "":
        return Fragment(f"{haystack.sql} IS NOT NULL", haystack.params)
    if name == "contains":
        return Fragment(f"instr({haystack.sql}, {needle.sql}) > 0", haystack.params + needle.params)
    params = haystack.params + needle.params + needle.params
    if name == "startswith" and needle.literal and haystack.column is not None and haystack.column.kind in _TEXTS:
        return _beginning(haystack, str(needle.params[0]))
    if name == "startswith":
        return Fragment(f"substr({haystack.sql}, 1, length({needle.sql})) = {needle.sql}", params)
    return Fragment(f"substr({haystack.sql}, -length({needle.sql})) = {needle.sql}", params)
