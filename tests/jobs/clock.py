"""A clock that a test moves."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time that the test has set, in UTC."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **span: float) -> datetime:
        """Let time go by, and return what it is then."""
        self.at += timedelta(**span)
        return self.at
