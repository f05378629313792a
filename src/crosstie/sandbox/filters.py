"""``$filter``: odata-query's parser behind a pass that teaches it what both services accept.

The other query options are parsed in ``options``, the syntax tree becomes SQL in ``sqlfilter``; both are offered here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from crosstie.sandbox.columns import Column, Fragment, Kind, Node
from crosstie.sandbox.options import Expand, FilterError, OrderBy, parse_expand, parse_orderby, parse_select
from crosstie.sandbox.sqlfilter import Collection, SqlFilter, path_of

__all__ = [
    "Collection",
    "Column",
    "Expand",
    "FilterError",
    "Fragment",
    "Kind",
    "Node",
    "OrderBy",
    "SqlFilter",
    "parse_expand",
    "parse_filter",
    "parse_orderby",
    "parse_select",
    "path_of",
    "walk",
]

_STRING = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\")")
_ALIAS = re.compile(r"@(\w+)")
_ENUM_TYPE = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.\w+)+$")
_NAMED = re.compile(r"([A-Za-z_]\w*)\s*=\s*")
_TIGHT_NOT = re.compile(r"\bnot\(")
_TIGHT_BEFORE = re.compile(r"(?<=\))(and|or|eq|ne|gt|ge|lt|le)\b")
_TIGHT_AFTER = re.compile(r"(?<=[\s)])(and|or)(?=\()")
_IN = re.compile(r"(?<=\sin)\s*\(")
_IN_LIST = "\x00"


@dataclass(slots=True)
class _OpenList:
    """A list literal whose end has not come yet."""

    end: str
    commas: int = 0


class _Rule:
    """A token of the lexer: its pattern and how its text becomes a node."""

    def __init__(self, pattern: str, make: Callable[[str], Node]) -> None:
        self.pattern = pattern
        self._make = make

    def __call__(self, lexer: object, token: Any) -> Any:
        token.value = self._make(token.value)
        return token


class _Lexer(ODataLexer):
    """The library's lexer, for which also ``0001-01-01`` is a date, and ``anyone`` and ``allowance`` are names."""

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


def parse_filter(text: str, aliases: Mapping[str, str] | None = None) -> Node:
    """The syntax tree of a ``$filter``, as nodes of ``odata_query.ast``.

    *aliases* holds the values of ``@p1``-style parameters by their name with or without ``@``; one without a
    value is null. Calls of functions with a namespace carry ``NamedParam`` nodes where their parameters were
    named. Enum literals ``Some.Type'Member'`` become strings. Raises :class:`FilterError`.
    """
    if "@" in text:
        text = _with_aliases(text, aliases or {})
    return _parse(text)


@lru_cache(maxsize=2048)
def _parse(text: str) -> Node:
    prepared = _prepare(text.strip())
    if not prepared:
        raise FilterError("the filter is empty")
    try:
        tree: Node | None = ODataParser().parse(_Lexer().tokenize(prepared))
    except ODataException as error:
        raise FilterError(_explain(text, error)) from error
    if tree is None:
        raise FilterError(f"the filter '{text}' ends too early")
    for node in walk(tree):
        if isinstance(node, ast.Call) and node.func.namespace and node.func.namespace != ("geo",):
            _name_parameters(node)
    return tree


def walk(node: Node) -> Iterator[Node]:
    """Every node of a syntax tree, from the top."""
    yield node
    for item in fields(node):
        value = getattr(node, item.name)
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, ast._Node):
                yield from walk(child)


def _explain(text: str, error: Exception) -> str:
    quotes = text.count("'")
    if quotes % 2:
        return f"There is an unterminated literal at position {text.rfind(chr(39))} in '{text}'."
    return f"Syntax error in '{text}': {' '.join(str(error).split())}"


def _with_aliases(text: str, aliases: Mapping[str, str]) -> str:
    known = {name.removeprefix("@"): value for name, value in aliases.items()}
    pieces = _STRING.split(text)
    for i in range(0, len(pieces), 2):
        pieces[i] = _ALIAS.sub(lambda match: known.get(match[1], "null"), pieces[i])
    return "".join(pieces)


def _prepare(text: str) -> str:
    """*text* in the subset that the library parses; strings are left as they are.

    Enum types go, arrays become lists, named parameters become pairs, and blanks that the library wants are put in.
    """
    pieces = _STRING.split(text)
    open_lists: list[_OpenList] = []
    for i, piece in enumerate(pieces):
        if i % 2:
            if piece[0] == '"':
                pieces[i] = "'" + piece[1:-1].replace("'", "''") + "'"
            continue
        if i + 1 < len(pieces):
            piece = _ENUM_TYPE.sub("", piece)
        if "=" in piece:
            piece = _NAMED.sub(r"'\1',", piece)
        piece = _IN.sub(f" {_IN_LIST}", piece)
        if open_lists or "[" in piece or _IN_LIST in piece:
            piece = _lists(piece, open_lists)
        piece = _TIGHT_NOT.sub("not (", piece)
        piece = _TIGHT_BEFORE.sub(r" \1", piece)
        pieces[i] = _TIGHT_AFTER.sub(r"\1 ", piece)
    return "".join(pieces)


def _lists(piece: str, open_lists: list[_OpenList]) -> str:
    """Turn lists into what the library knows: parentheses, with a comma before the last one of a list of one.

    A list stands in brackets, or in parentheses after the word ``in``. *open_lists* is carried from piece to piece.
    """
    out = []
    for char in piece:
        innermost = open_lists[-1] if open_lists else None
        if char in "[" + _IN_LIST:
            open_lists.append(_OpenList("]" if char == "[" else ")"))
            char = "("
        elif innermost and char == innermost.end:
            open_lists.pop()
            char = ")" if innermost.commas else ",)"
        elif innermost and char == ",":
            innermost.commas += 1
        out.append(char)
    return "".join(out)


def _name_parameters(call: Any) -> None:
    """Put ``NamedParam`` nodes in place of the pairs that :func:`_prepare` made."""
    args = call.args
    if len(args) % 2 or not all(isinstance(name, ast.String) for name in args[::2]):
        return
    call.args[:] = [
        ast.NamedParam(ast.Identifier(name.val), value) for name, value in zip(args[::2], args[1::2], strict=True)
    ]
