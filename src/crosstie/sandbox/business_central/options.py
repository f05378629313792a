"""The query options of a request."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_plus

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.filters import Expand, FilterError, OrderBy, parse_expand, parse_orderby, parse_select
from crosstie.sandbox.http import Request

_KNOWN: Final = frozenset(
    {
        "$select",
        "$expand",
        "$filter",
        "$orderby",
        "$top",
        "$skip",
        "$count",
        "$skiptoken",
        "$schemaversion",
        "$format",
    }
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a request asks for. *select* None means every property."""

    select: tuple[str, ...] | None = None
    expand: tuple[Expand, ...] = ()
    filter: str | None = None
    orderby: tuple[OrderBy, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    skiptoken: str | None = None
    newer_schema: bool = False


def options_of(request: Request) -> Options:
    """The options of *request*; raises 400 for one that cannot be read and 501 for one the service does not have."""
    return _parse(request.raw_query)


@lru_cache(maxsize=512)
def _parse(raw: str) -> Options:
    given = _split(raw)
    for name in given:
        if name.startswith("$") and name not in _KNOWN:
            raise errors.not_implemented(f"The query option '{name}' is not supported.")
    try:
        select = _select(given.get("$select"))
        expand = parse_expand(given["$expand"]) if given.get("$expand") else ()
        orderby = parse_orderby(given["$orderby"]) if given.get("$orderby") else ()
    except FilterError as error:
        raise errors.bad_request(f"The query specified in the URI is not valid. {error}") from error
    return Options(
        select=select,
        expand=expand,
        filter=given.get("$filter") or None,
        orderby=orderby,
        top=_whole("$top", given.get("$top")),
        skip=_whole("$skip", given.get("$skip")) or 0,
        count=_truth(given.get("$count")),
        skiptoken=given.get("$skiptoken"),
        newer_schema=given.get("$schemaversion") == "2.1",
    )


def of_expand(item: Expand, newer: bool) -> Options:
    """The options in the parentheses of an ``$expand``."""
    for name in item.other:
        if name not in ("$count", "$skip", "$levels"):
            raise errors.not_implemented(f"The query option '{name}' is not supported inside $expand.")
    skip = _whole("$skip", item.other.get("$skip")) or 0
    select = None if item.select is None or "*" in item.select else item.select
    return Options(select, item.expand, item.filter, item.orderby, item.top, skip, newer_schema=newer)


def continued(raw: str, token: str) -> str:
    """The query of the next page: the options as they came, with *token* in place of what ``$skip`` said."""
    kept = [part for part in raw.split("&") if part and _name(part) not in ("$skiptoken", "$skip", "aid")]
    return "&".join(["aid=FIRST", *kept, f"$skiptoken={token}"])


def company_named(raw: str) -> str:
    """The company of the query option ``company``, or nothing."""
    return _split(raw).get("company", "") if "company" in raw else ""


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])


@lru_cache(maxsize=512)
def _split(raw: str) -> dict[str, str]:
    return Request("GET", "/", raw).query()


def _select(text: str | None) -> tuple[str, ...] | None:
    names = parse_select(text) if text else None
    return None if names is None or "*" in names else names


def _whole(name: str, text: str | None) -> int | None:
    if text is None or text == "":
        return None
    if not text.isdecimal():
        raise errors.bad_request(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _truth(text: str | None) -> bool:
    if text not in (None, "", "true", "false"):
        raise errors.bad_request(f"Invalid value '{text}' for $count query option found.")
    return text == "true"
