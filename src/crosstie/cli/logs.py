"""Logs: JSON lines on standard error, quiet unless something is wrong.

structlog takes longer to import than a short command to run, so it is loaded by the first line that is logged, or
by a module that uses it.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

_SECRETS = frozenset({"secret", "client_secret", "password", "authorization", "token", "access_token", "key"})


class _JsonLines(logging.Formatter):
    """Renders records through structlog, which is imported when the first one comes."""

    def __init__(self) -> None:
        super().__init__()
        self._renderer: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        if self._renderer is None:
            self._renderer = _renderer()
        return self._renderer.format(record)


class _StandardError(logging.StreamHandler[Any]):
    """Writes to what is standard error at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        self.stream = sys.stderr
        super().emit(record)


def configure(level: str) -> None:
    """Log what is of ours from `level` on, and warnings of everybody else."""
    root = logging.getLogger()
    if not any(isinstance(handler, _StandardError) for handler in root.handlers):
        handler = _StandardError()
        handler.setFormatter(_JsonLines())
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("crosstie").setLevel(level.upper())
    tie()


def tie() -> None:
    """Lead structlog's loggers, where a module has loaded it, into the same lines."""
    if "structlog" not in sys.modules:
        return
    import structlog

    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _renderer() -> logging.Formatter:
    import structlog

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_secrets,
            structlog.processors.JSONRenderer(default=str),
        ],
    )


def _shared() -> list[Any]:
    import structlog

    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _without_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put nothing into the log that opens a system."""
    for name in event:
        if name.lower() in _SECRETS:
            event[name] = "(not logged)"
    return event
