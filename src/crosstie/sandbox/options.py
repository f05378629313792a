"""``$orderby``, ``$select`` and ``$expand`` as small frozen values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache


class FilterError(ValueError):
    """A query option cannot be read; the message says what stands where. Each system puts it in its own error form."""


@dataclass(frozen=True, slots=True)
class OrderBy:
    """One term of ``$orderby``."""

    path: tuple[str, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Expand:
    """One navigation of ``$expand`` with the options in its parentheses, undecided where they were not given."""

    path: tuple[str, ...]
    ref: bool = False
    select: tuple[str, ...] | None = None
    filter: str | None = None
    orderby: tuple[OrderBy, ...] = ()
    top: int | None = None
    expand: tuple["Expand", ...] = ()
    other: Mapping[str, str] = field(default_factory=dict)
    """Further options by name, such as ``$count``: for the system to allow or refuse."""

    @property
    def name(self) -> str:
        """The navigation as it was written."""
        return "/".join(self.path)


@lru_cache(maxsize=1024)
def parse_select(text: str) -> tuple[str, ...]:
    """The names of a ``$select``, in order and each once; ``*`` stays ``*``."""
    names = [name.strip() for name in _split(text, ",")]
    if not all(names):
        raise FilterError(f"empty name in $select '{text}'")
    return tuple(dict.fromkeys(names))


@lru_cache(maxsize=1024)
def parse_orderby(text: str) -> tuple[OrderBy, ...]:
    """The terms of an ``$orderby``; ``asc`` and ``desc`` are lower-case words."""
    terms = []
    for term in _split(text, ","):
        words = term.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1] not in ("asc", "desc")):
            raise FilterError(f"'{term.strip()}' in $orderby is not a field with an optional asc or desc")
        terms.append(OrderBy(tuple(words[0].split("/")), words[-1] == "desc" and len(words) == 2))
    return tuple(terms)


@lru_cache(maxsize=1024)
def parse_expand(text: str) -> tuple[Expand, ...]:
    """The navigations of an ``$expand``; options inside parentheses are separated by ``;`` and may nest."""
    return tuple(_expand_item(item.strip()) for item in _split(text, ","))


def _expand_item(item: str) -> Expand:
    name, bracket, rest = item.partition("(")
    if bracket and not rest.endswith(")"):
        raise FilterError(f"unbalanced parentheses in $expand '{item}'")
    path = tuple(part.strip() for part in name.split("/"))
    if not all(path):
        raise FilterError(f"empty name in $expand '{item}'")
    ref = path[-1] == "$ref"
    options = dict(_inner_options(rest[:-1])) if bracket else {}
    select, orderby, top, nested = (options.pop(key, None) for key in ("$select", "$orderby", "$top", "$expand"))
    if top is not None and not top.isdigit():
        raise FilterError(f"$top in $expand '{item}' is not a whole number")
    return Expand(
        path=path[:-1] if ref else path,
        ref=ref,
        select=None if select is None else parse_select(select),
        filter=options.pop("$filter", None),
        orderby=() if orderby is None else parse_orderby(orderby),
        top=None if top is None else int(top),
        expand=() if nested is None else parse_expand(nested),
        other=options,
    )


def _inner_options(text: str) -> Iterator[tuple[str, str]]:
    for option in _split(text, ";"):
        if not option.strip():
            continue
        name, equals, value = option.partition("=")
        if not equals:
            raise FilterError(f"'{option.strip()}' in $expand is not of the form $option=value")
        yield name.strip(), value.strip()


def _split(text: str, separator: str) -> Iterator[str]:
    """The parts between separators that stand outside quotes and parentheses."""
    depth, start, quoted = 0, 0, False
    for position, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == separator and depth == 0:
            yield text[start:position]
            start = position + 1
    if depth or quoted:
        raise FilterError(f"unbalanced {'quote' if quoted else 'parentheses'} in '{text}'")
    yield text[start:]
