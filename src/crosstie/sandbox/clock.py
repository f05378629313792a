"""The time that a sandbox lives in: real, shifted, or standing still."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells both systems what time it is; orders under ``/_sandbox/clock`` move it."""

    __slots__ = ("_frozen", "_offset")

    def __init__(self) -> None:
        self._frozen: datetime | None = None
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """The present moment in UTC, with microseconds."""
        if self._frozen is not None:
            return self._frozen
        return datetime.now(UTC) + self._offset

    def seconds(self) -> str:
        """The present moment as ``YYYY-MM-DDThh:mm:ssZ`` (the precision of Dataverse)."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def milliseconds(self) -> str:
        """The present moment as ``YYYY-MM-DDThh:mm:ss.mmmZ`` (the precision of Business Central)."""
        return self.now().isoformat(timespec="milliseconds")[:23] + "Z"

    def set(self, moment: datetime) -> None:
        """Stop the clock at *moment* (taken as UTC where it names no zone)."""
        self._frozen = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock on by *seconds*; a stopped clock stays stopped at the new moment."""
        if self._frozen is not None:
            self._frozen += timedelta(seconds=seconds)
        else:
            self._offset += timedelta(seconds=seconds)

    def real(self) -> None:
        """Go back to the machine's time."""
        self._frozen = None
        self._offset = timedelta(0)

    @property
    def stopped(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen is not None
