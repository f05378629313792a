"""Spellings of the OData wire: addresses, literals, and names that XML does not allow."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import quote as percent_encode

_SAFE = "!$'()*,;:@/-._~="
_XML_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def quote(text: str) -> str:
    """Return `text` as the value of a query option: what would end or change the query is percent-encoded."""
    return percent_encode(text, safe=_SAFE)


def query(**options: str | int | None) -> str:
    """Return query options with their question mark (`filter="…"` becomes `$filter=…`); None and "" are left out."""
    given = [f"${name}={quote(str(value))}" for name, value in options.items() if value is not None and value != ""]
    return "?" + "&".join(given) if given else ""


def text_literal(text: str) -> str:
    """Return a text in quotes, as filters spell it."""
    return "'" + text.replace("'", "''") + "'"


def number_literal(number: int | Decimal) -> str:
    """Return a number without exponent."""
    return format(number, "f") if isinstance(number, Decimal) else str(number)


def date_literal(day: date) -> str:
    return day.isoformat()


def datetime_literal(moment: datetime, digits: int) -> str:
    """Return a moment in UTC with `digits` (0 or 3) of a second's fraction."""
    moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds" if digits else "seconds").removesuffix("+00:00") + "Z"


def decode_name(name: str) -> str:
    """Return the caption behind an XML-encoded name: `Non_x002D_Inventory` is `Non-Inventory`, `_x0020_` a blank."""
    return _XML_ESCAPE.sub(lambda match: chr(int(match[1], 16)), name) if "_x" in name else name
