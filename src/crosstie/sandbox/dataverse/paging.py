"""Page cookies: where the next page begins (wire-dataverse section 4, Paging).

A page ends with the sort values of its last row, so the next page begins behind them whatever was written in between.
Clients send the cookie back as they got it, or decoded and encoded again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_plus
from xml.sax.saxutils import quoteattr, unescape

from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, Refusal
from crosstie.sandbox.dataverse.filtering import Term
from crosstie.sandbox.http import Request

_OUTER = re.compile(r"<cookie\s+pagenumber=\"(\d+)\"\s+pagingcookie=\"([^\"]*)\"", re.IGNORECASE)
_INNER = re.compile(r"<([^\s<>/]+(?:/[^\s<>/]+)*)\s+last(null)?=(\"[^\"]*\"|'[^']*')")
_CODES = re.compile("%[0-9A-F]{2}")
_ENTITIES = {"&quot;": '"', "&apos;": "'", "&#10;": "\n", "&#13;": "\r", "&#9;": "\t"}


@dataclass(frozen=True, slots=True)
class Cookie:
    """The beginning of a page: its number, and by name the sort values behind which it begins (None is null)."""

    page: int
    last: Mapping[str, str | None] = field(default_factory=dict)

    def inner(self) -> str:
        """The inner cookie as XML."""
        parts = []
        for name, value in self.last.items():
            if value is None:
                parts.append(f'<{name} lastnull="1" firstnull="1" />')
            else:
                text = quoteattr(f"{{{value.upper()}}}" if _is_id(value) else value)
                parts.append(f"<{name} last={text} first={text} />")
        return f'<cookie page="{self.page - 1}">{"".join(parts)}</cookie>'

    def token(self, tracking: bool = False) -> str:
        """The value of ``$skiptoken``, not yet encoded for an address."""
        inner = quote(quote(self.inner(), safe=""), safe="")
        return f'<cookie pagenumber="{self.page}" pagingcookie="{inner}" istracking="{tracking}" />'


def _is_id(value: str) -> bool:
    return len(value) == 36 and value.count("-") == 4


def read_cookie(token: str) -> Cookie:
    """The cookie of a ``$skiptoken``; raises :class:`Refusal` 400 where it is none."""
    outer = _OUTER.search(token)
    if outer is None:
        raise _malformed(token)
    return Cookie(int(outer[1]), read_inner(outer[2]))


def read_inner(text: str) -> dict[str, str | None]:
    """The sort values of an inner cookie, however often it is encoded."""
    for _ in range(4):
        if text.lstrip().startswith("<"):
            break
        text = unquote(text)
    if not text.lstrip().startswith("<cookie"):
        raise _malformed(text)
    last: dict[str, str | None] = {}
    for name, null, quoted in _INNER.findall(text):
        value = unescape(quoted[1:-1], _ENTITIES)
        if value.startswith("{") and _is_id(value[1:-1]):
            value = value[1:-1].lower()
        last[name] = None if null else value
    return last


def _malformed(token: str) -> Refusal:
    return Refusal(400, BAD_ARGUMENT, f"The paging cookie is malformed: '{token[:200]}'.")


def after(terms: Sequence[Term], last: Mapping[str, str | None]) -> tuple[str, list[object]]:
    """The condition that a row comes behind the sort values *last*; nulls come first."""
    alternatives: list[str] = []
    params: list[object] = []
    equal: list[str] = []
    equal_params: list[object] = []
    for term in terms:
        if term.name not in last:
            raise Refusal(400, BAD_ARGUMENT, f"The paging cookie does not fit the order: '{term.name}' is missing.")
        value = _typed(term, last[term.name])
        behind = _behind(term, value)
        if behind:
            alternatives.append(" AND ".join([*equal, behind]))
            params += [*equal_params, *([] if value is None else [value])]
        equal.append(f"{term.sql} IS ?")
        equal_params.append(value)
    behind = f"({' OR '.join(f'({part})' for part in alternatives)})"
    first, value = terms[0], _typed(terms[0], last[terms[0].name])
    if first.descending or value is None:
        return behind, params
    # Says nothing new, but lets an index begin where the page does.
    return f"({first.sql} >= ? AND {behind})", [value, *params]


def _behind(term: Term, value: object) -> str:
    if value is None:
        return "" if term.descending else f"{term.sql} IS NOT NULL"
    return f"({term.sql} < ? OR {term.sql} IS NULL)" if term.descending else f"{term.sql} > ?"


def _typed(term: Term, value: str | None) -> object:
    if value is None or not term.number:
        return value
    try:
        return int(value) if term.column.kind in ("int", "bool") else float(value)
    except ValueError as error:
        raise _malformed(value) from error


def order_by(terms: Sequence[Term]) -> str:
    """The ORDER BY of an order."""
    return ", ".join(f"{term.sql}{' DESC' if term.descending else ''}" for term in terms)


def last_values(terms: Sequence[Term], values: Sequence[object]) -> dict[str, str | None]:
    """The sort values of a row, for a cookie."""
    return {
        term.name: None if value is None else repr(value) if isinstance(value, float) else str(value)
        for term, value in zip(terms, values, strict=True)
    }


def escaped(value: str) -> str:
    """A value for a query option, encoded to the last sign, with small hexadecimal digits as the service has them."""
    return _CODES.sub(lambda code: code[0].lower(), quote(value, safe=""))


def link(request: Request, path: str, replaced: str, name: str, value: str) -> str:
    """The address *path* with the request's query options, those in *replaced* left out and *name* set to *value*."""
    dropped = {name, *replaced.split()}
    kept = [
        part for part in request.raw_query.split("&") if part and unquote_plus(part.partition("=")[0]) not in dropped
    ]
    return f"{path}?{'&'.join([*kept, f'{name}={escaped(value)}'])}"
