"""What answers say: error bodies, Retry-After, JSON."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from multidict import CIMultiDict

from crosstie.model.errors import GarbledAnswer
from crosstie.systems.answers import Answer, Refusal, excerpt, from_json, is_json, refusal, without_correlation

GUID = "8f6f2a1e-0c5b-4a77-9d0e-2f1c3b4a5d6e"


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        (f"The Customer does not exist.  CorrelationId:  {GUID}.", "The Customer does not exist."),
        (
            f"Another user has already changed the record. CorrelationId: {GUID}",
            "Another user has already changed the record.",
        ),
        (f"Sorry (correlation id: {GUID}) it failed", "Sorry it failed"),
        (
            f"AADSTS7000215: Invalid client secret provided. Trace ID: {GUID} Correlation ID: {GUID} "
            "Timestamp: 2026-01-01 10:00:00Z",
            "AADSTS7000215: Invalid client secret provided.",
        ),
        (f"account With Id = {GUID} Does Not Exist", f"account With Id = {GUID} Does Not Exist"),
        ("two\r\n  lines", "two lines"),
    ],
)
def test_what_differs_each_time_is_taken_out(words: str, plain: str) -> None:
    assert without_correlation(words) == plain


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":{"code":"0x80040217","message":"gone"}}', Refusal("0x80040217", "gone")),
        (b'\xef\xbb\xbf{"error":{"code":"X","message":{"lang":"en","value":"nested"}}}', Refusal("X", "nested")),
        (b'{"error":{"code":"","message":""}}', Refusal("418", "Status 418.")),
        (b'{"error":{"code":-2147088254,"message":"number"}}', Refusal("-2147088254", "number")),
        (b"<html>gateway</html>", Refusal("418", "The answer has status 418 and no reason: <html>gateway</html>")),
        (b"", Refusal("418", "The answer has status 418 and no reason: (empty)")),
    ],
)
def test_error_bodies_are_read_whatever_they_are(body: bytes, expected: Refusal) -> None:
    assert refusal(body, 418) == expected


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("0.5", 0.5),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_servers_clock(header: str, seconds: float | None) -> None:
    headers = CIMultiDict({"retry-after": header, "date": "Sat, 21 Nov 2026 10:00:00 GMT"})
    answer = Answer(429, headers, b"")
    assert answer.retry_after == seconds
    assert answer.date == datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_json_keeps_decimals_exact_and_takes_a_byte_order_mark() -> None:
    assert from_json(b'\xef\xbb\xbf{"a": 20000.0000, "b": 0.1}') == {"a": Decimal("20000.0000"), "b": Decimal("0.1")}


@pytest.mark.parametrize("body", [b'{"value":[{"a":', b"<html>", b"", b"\xff\xfe"])
def test_what_is_no_json_is_garbled(body: bytes) -> None:
    with pytest.raises(GarbledAnswer):
        from_json(body)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("application/json; odata.metadata=minimal", True), ("", True), ("text/html", False), ("text/plain", False)],
)
def test_the_type_tells_json(kind: str, expected: bool) -> None:
    assert is_json(Answer(200, CIMultiDict({"Content-Type": kind}), b"")) is expected


def test_excerpts_are_short() -> None:
    assert len(excerpt(b"x" * 5000)) == 121
