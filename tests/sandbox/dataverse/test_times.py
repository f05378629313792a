"""What the functions of time mean, on a Wednesday at noon."""

from datetime import UTC, datetime

import pytest

from crosstie.sandbox.dataverse.crmfunctions import time_range

NOW = datetime(2024, 2, 28, 12, 30, tzinfo=UTC)

RANGES = [
    ("Today", None, "2024-02-28", "2024-02-29"),
    ("Tomorrow", None, "2024-02-29", "2024-03-01"),
    ("Yesterday", None, "2024-02-27", "2024-02-28"),
    ("ThisWeek", None, "2024-02-25", "2024-03-03"),
    ("LastWeek", None, "2024-02-18", "2024-02-25"),
    ("NextWeek", None, "2024-03-03", "2024-03-10"),
    ("ThisMonth", None, "2024-02-01", "2024-03-01"),
    ("LastMonth", None, "2024-01-01", "2024-02-01"),
    ("NextMonth", None, "2024-03-01", "2024-04-01"),
    ("LastYear", None, "2023-01-01", "2024-01-01"),
    ("NextYear", None, "2025-01-01", "2026-01-01"),
    ("Last7Days", None, "2024-02-21", "2024-02-28 12:30"),
    ("Next7Days", None, "2024-02-28 12:30", "2024-03-07"),
    ("LastXHours", "13", "2024-02-27 23:30", "2024-02-28 12:30"),
    ("LastXMonths", "3", "2023-11-28", "2024-02-28 12:30"),
    ("NextXDays", "2", "2024-02-28 12:30", "2024-03-02"),
    ("NextXYears", "1", "2024-02-28 12:30", "2025-03-01"),
    ("OlderThanXMonths", "2", None, "2023-12-28 12:30"),
    ("OlderThanXYears", "10", None, "2014-02-28 12:30"),
    ("OnOrBefore", "2024-02-28", None, "2024-02-29"),
]


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("name", "value", "start", "end"), RANGES)
def test_a_function_of_time_means_a_range(name: str, value: str | None, start: str | None, end: str | None) -> None:
    assert time_range(name, NOW, value) == (moment(start), moment(end))


def test_the_last_day_of_a_month_stays_in_the_month() -> None:
    last_of_march = datetime(2024, 3, 31, 8, tzinfo=UTC)
    assert time_range("OlderThanXMonths", last_of_march, "1") == (None, datetime(2024, 2, 29, 8, tzinfo=UTC))


def test_other_names_are_no_times() -> None:
    assert time_range("In", NOW, None) is None
