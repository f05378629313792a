"""The error tree. Every error has a code, words that name field and value, and a next step.

    CrosstieError
    ├── UsageError            what was asked for cannot be done as asked            exit code 2
    │   ├── UnknownMapping, UnknownRecord, AmbiguousRecord, UnknownField, UnknownConnection, UnknownTable
    │   ├── InvalidOption, InvalidMapping, InvalidFilter, InvalidConnection
    │   ├── AlreadyCoupled, NotCoupled, CannotCouple
    │   └── JobRunning
    ├── SystemFailure         a system cannot be worked with                        exit code 3
    │   ├── Unreachable, CredentialsRefused, MissingPrivilege, GarbledAnswer, Throttled, SystemRefused
    │   ├── CursorExpired
    │   └── EnvironmentChanged
    ├── GuardStopped          a guard stopped the job before it did harm            exit code 4
    └── StoreError            our own database                                      exit code 3
        └── StoreTooNew, StoreBusy

What concerns a single record is no exception: it is a problem (`model.problems`) with a cause of `model.causes`.
"""

from typing import Any, ClassVar


class CrosstieError(Exception):
    """Base of all errors that people see. `details` are facts by name, for `--json` and the log."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 2
    next_step: ClassVar[str] = ""

    def __init__(self, words: str, *, next_step: str = "", **details: Any) -> None:
        super().__init__(words)
        self.words = words
        self.advice = next_step or type(self).next_step
        self.details = details

    def __str__(self) -> str:
        return f"{self.words} {self.advice}".rstrip()


class UsageError(CrosstieError):
    """What was asked for cannot be done as asked."""

    code = "usage"


class UnknownMapping(UsageError):
    code = "unknown-mapping"
    next_step = "See `crosstie mapping list` for the names."


class UnknownConnection(UsageError):
    code = "unknown-connection"
    next_step = "See `crosstie connection list`, or add one with `crosstie connection add`."


class UnknownTable(UsageError):
    code = "unknown-table"
    next_step = "Check the table's name in the mapping, and that the page or solution is installed."


class UnknownField(UsageError):
    code = "unknown-field"
    next_step = "See `crosstie mapping fields MAPPING` for the names."


class UnknownRecord(UsageError):
    code = "unknown-record"
    next_step = "Name it by number, code, name or id."


class AmbiguousRecord(UsageError):
    code = "ambiguous-record"
    next_step = "Name it by its number or id."


class InvalidOption(UsageError):
    code = "invalid-option"


class InvalidMapping(UsageError):
    code = "invalid-mapping"
    next_step = "Correct the mapping, or restore it with `crosstie mapping reset`."


class InvalidFilter(UsageError):
    code = "invalid-filter"
    next_step = "Correct the filter of the mapping."


class InvalidConnection(UsageError):
    code = "invalid-connection"
    next_step = "Correct it with `crosstie connection add`."


class AlreadyCoupled(UsageError):
    code = "already-coupled"
    next_step = "Uncouple it first with `crosstie uncouple`."


class NotCoupled(UsageError):
    code = "not-coupled"
    next_step = "Couple it first with `crosstie couple` or `crosstie create`."


class CannotCouple(UsageError):
    code = "cannot-couple"


class JobRunning(UsageError):
    code = "job-running"
    next_step = "Wait until it has finished; `crosstie jobs` shows it."


class SystemFailure(CrosstieError):
    """A system cannot be worked with at all; nothing is counted against records."""

    code = "system-failure"
    exit_code = 3


class Unreachable(SystemFailure):
    code = "unreachable"
    next_step = "Check the address and the network; nothing was lost, run the command again later."


class CredentialsRefused(SystemFailure):
    code = "credentials-refused"
    next_step = "Check tenant, client id and secret, and that the application is registered in the environment."


class MissingPrivilege(SystemFailure):
    code = "missing-privilege"
    next_step = "Give the application user the security role that grants it."


class GarbledAnswer(SystemFailure):
    code = "garbled-answer"
    next_step = "Check that the address is that of the API; a proxy or gateway may be answering in its place."


class Throttled(SystemFailure):
    code = "throttled"
    next_step = "The system asks for a pause; run the command again later."


class SystemRefused(SystemFailure):
    """The system understood the request and refused it as a whole: a wrong field, table or query."""

    code = "system-refused"
    next_step = "Check the mapping's tables, fields and filters against the system."


class CursorExpired(SystemFailure):
    code = "cursor-expired"
    next_step = "The next synchronisation reads the whole table once."


class EnvironmentChanged(SystemFailure):
    code = "environment-changed"
    next_step = "Check the address; if the environment was copied on purpose, remove and add the connection."


class GuardStopped(CrosstieError):
    """A guard stopped the job before it did harm."""

    code = "guard-stopped"
    exit_code = 4
    next_step = "Look at the plan with --dry-run; allow it with --force if it is meant."


class StoreError(CrosstieError):
    code = "store"
    exit_code = 3


class StoreTooNew(StoreError):
    code = "store-too-new"
    next_step = "Install the version of Crosstie that made it, or a newer one."


class StoreBusy(StoreError):
    code = "store-busy"
    next_step = "Another process holds the store; try again."
