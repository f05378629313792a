"""Answers of an OData service: what arrived, and the error bodies in it."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from multidict import CIMultiDict, CIMultiDictProxy

from crosstie.model.errors import GarbledAnswer

_BOM = b"\xef\xbb\xbf"
_GUID = r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?"
_CORRELATION = re.compile(
    rf"[\s;,(\[]*\b(?:Correlation\s?-?Id|Request\s?-?Id|Activity\s?-?Id|Trace ID)\s*[:=]\s*{_GUID}[\s.)\]]*",
    re.IGNORECASE,
)
_TIMESTAMP = re.compile(r"\s*Timestamp:\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", re.IGNORECASE)

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Answer(msgspec.Struct, frozen=True):
    """A whole answer. `headers` ignore case."""

    status: int
    headers: CIMultiDict[str] | CIMultiDictProxy[str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")

    @property
    def retry_after(self) -> float | None:
        """Seconds that the system asks to wait, None where it does not say."""
        text = self.headers.get("Retry-After", "").strip()
        if text.replace(".", "", 1).isdigit():
            return float(text)
        moment = http_date(text)
        return None if moment is None else max(0.0, (moment - (self.date or datetime.now(UTC))).total_seconds())

    @property
    def date(self) -> datetime | None:
        """The server's clock, in whole seconds."""
        return http_date(self.headers.get("Date", ""))


class Refusal(msgspec.Struct, frozen=True):
    """What a service says when it refuses: its own code and words, without correlation ids."""

    code: str
    message: str


class _ErrorBody(msgspec.Struct):
    code: Any = ""
    message: Any = ""


class _ErrorEnvelope(msgspec.Struct):
    error: _ErrorBody


_decode_error = msgspec.json.Decoder(_ErrorEnvelope).decode


def http_date(text: str) -> datetime | None:
    """Return the moment that an HTTP date names, None if it is none."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (TypeError, ValueError, IndexError):
        return None


def without_correlation(words: str) -> str:
    """Return a system's words without what differs each time: correlation ids, time stamps, line breaks."""
    plain = _TIMESTAMP.sub("", _CORRELATION.sub(" ", words))
    return " ".join(plain.split())


def refusal(body: bytes, status: int) -> Refusal:
    """Return what an error body says; a body that is no OData error gives the status as its code."""
    try:
        error = _decode_error(body.removeprefix(_BOM)).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Refusal(str(status), f"The answer has status {status} and no reason: {excerpt(body)}")
    message = error.message.get("value", "") if isinstance(error.message, dict) else error.message
    return Refusal(str(error.code or status), without_correlation(str(message or f"Status {status}.")))


def is_json(answer: Answer) -> bool:
    """Whether the answer claims to be JSON (or claims nothing)."""
    kind = answer.content_type.lower()
    return "json" in kind or not kind


def is_html(answer: Answer) -> bool:
    """Whether the answer is a page for people: a gateway or proxy speaks, not the system."""
    return "html" in answer.content_type.lower()


def from_json(body: bytes) -> Any:
    """Return the value of a JSON body, fractions as Decimal. Raises GarbledAnswer if it is none or torn."""
    try:
        return _decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GarbledAnswer(f"The answer is no JSON ({error}): {excerpt(body)}") from error


def excerpt(body: bytes, length: int = 120) -> str:
    """Return the beginning of a body in words, for messages."""
    text = " ".join(body[: length * 4].decode("utf-8", "replace").split())
    return f"{text[:length]}…" if len(text) > length else text or "(empty)"
