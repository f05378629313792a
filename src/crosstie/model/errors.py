"""The error tree. Every error has a code, words that name field and value, and a next step.

    CrosstieError
    ├── UsageError            what was asked for cannot be done as asked            exit code 2
    │   ├── UnknownMapping, UnknownRecord, AmbiguousRecord, UnknownField, UnknownConnection, UnknownTable
    │   ├── InvalidOption, InvalidMapping, InvalidFilter, InvalidConnection
    │   ├── AlreadyCoupled, NotCoupled, CannotCouple
    │   ├── JobRunning
    │   ├── NothingToDo, ChangedSince, CannotUndo, UnknownJob, UnknownEntry
    │   ├── UnknownUser, UnknownToken, InvalidName, NameTaken, WeakPassword, LastAdministrator
    │   ├── RequestRefused    what a program asked of the server over HTTP is not in order
    │   │   └── UnknownAddress, MethodNotAllowed, InvalidRequest, RequestTooLarge, JsonNeeded, KeyReused, RequestRunning
    │   └── AccessRefused     who asks is not known, or may not
    │       └── SignInNeeded, SignInRefused, TooManyAttempts, InvalidLink, TokenRefused, Forbidden,
    │           ForeignRequest
    ├── SystemFailure         a system cannot be worked with                        exit code 3
    │   ├── Unreachable, CredentialsRefused, MissingPrivilege, GarbledAnswer, Throttled, SystemRefused
    │   ├── CursorExpired
    │   └── EnvironmentChanged
    ├── GuardStopped          a guard stopped the job before it did harm            exit code 4
    ├── JobCancelled          a person stopped the job between two pages            exit code 4
    ├── StoreError            our own database                                      exit code 3
    │   └── StoreTooNew, StoreBusy
    └── Unexpected            a fault of Crosstie itself                            exit code 70

The words of a next step fit every surface; `place` says where it is taken, and each surface knows its way there.

What concerns a single record is no exception: it is a problem (`model.problems`) with a cause of `model.causes`.
"""

from typing import Any, ClassVar

from crosstie.model.places import Place


class CrosstieError(Exception):
    """Base of all errors that people see. `details` are facts by name, for `--json` and the log."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 2
    next_step: ClassVar[str] = ""
    place: ClassVar[Place | None] = None

    def __init__(self, words: str, *, next_step: str = "", place: Place | None = None, **details: Any) -> None:
        """Say what is wrong. A `next_step` supersedes that of the class, and `place` goes with it, even if None."""
        super().__init__(words)
        self.words = words
        self.advice = next_step or type(self).next_step
        self.taken_at = place if next_step else place or type(self).place
        self.details = details

    def __str__(self) -> str:
        return f"{self.words} {self.advice}".rstrip()


class UsageError(CrosstieError):
    """What was asked for cannot be done as asked."""

    code = "usage"


class UnknownMapping(UsageError):
    code = "unknown-mapping"
    next_step = "See the mappings for their names."
    place = Place.MAPPINGS


class UnknownConnection(UsageError):
    code = "unknown-connection"
    next_step = "See the connections for their names, or add one."
    place = Place.CONNECTIONS


class UnknownTable(UsageError):
    code = "unknown-table"
    next_step = "Check the table's name in the mapping, and that the page or solution is installed."


class UnknownField(UsageError):
    code = "unknown-field"
    next_step = "See the field mappings for the names."
    place = Place.FIELDS


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
    next_step = "Correct the mapping, or restore it."
    place = Place.MAPPING_RESET


class InvalidFilter(UsageError):
    code = "invalid-filter"
    next_step = "Correct the filter of the mapping."
    place = Place.MAPPING


class InvalidConnection(UsageError):
    code = "invalid-connection"
    next_step = "Correct the connection."
    place = Place.CONNECTION_NEW


class AlreadyCoupled(UsageError):
    code = "already-coupled"
    next_step = "Remove its coupling first."
    place = Place.UNCOUPLE


class NotCoupled(UsageError):
    code = "not-coupled"
    next_step = "Couple it first, or create its partner."
    place = Place.COUPLE


class CannotCouple(UsageError):
    code = "cannot-couple"


class JobRunning(UsageError):
    code = "job-running"
    next_step = "Wait until it has finished; the jobs say how far it is."
    place = Place.JOB


class NothingToDo(UsageError):
    """All that was named is as it is wanted already, or is not what the command is for."""

    code = "nothing-to-do"
    next_step = "Nothing needs to be done; the problems say what is open."
    place = Place.PROBLEMS


class ChangedSince(UsageError):
    """What was shown, or done, is no longer how the record is."""

    code = "changed-since"
    next_step = "Look at the record again, and decide anew."


class CannotUndo(UsageError):
    code = "cannot-undo"
    next_step = "See in the history what was done, and change it by hand."
    place = Place.HISTORY


class UnknownJob(UsageError):
    code = "unknown-job"
    next_step = "See the jobs for their numbers."
    place = Place.JOBS


class UnknownEntry(UsageError):
    code = "unknown-entry"
    next_step = "See the history for the numbers of its entries."
    place = Place.HISTORY


class UnknownUser(UsageError):
    code = "unknown-user"
    next_step = "See the users for their names, or invite somebody."
    place = Place.USERS


class UnknownToken(UsageError):
    code = "unknown-token"
    next_step = "See the tokens for their numbers."
    place = Place.TOKENS


class InvalidName(UsageError):
    code = "invalid-name"
    next_step = "Give a name of 1 to 100 visible characters in one line."


class NameTaken(UsageError):
    code = "name-taken"
    next_step = "Choose another name; who has this one already can get a new password."
    place = Place.USER_PASSWORD


class WeakPassword(UsageError):
    code = "weak-password"
    next_step = "Choose at least 12 characters, for example four words, and not your name."


class LastAdministrator(UsageError):
    code = "last-administrator"
    next_step = "Make somebody else administrator first."
    place = Place.USER_ROLE


class AccessRefused(UsageError):
    """Who asks is not known, or may not do what was asked for; nothing was done."""

    code = "access-refused"


class SignInNeeded(AccessRefused):
    code = "sign-in-needed"
    next_step = "Sign in and do it again."


class SignInRefused(AccessRefused):
    """One answer for a wrong password, an unknown name and a disabled user: it tells nobody which names exist."""

    code = "sign-in-refused"
    next_step = "Check both; an administrator can make a link for a new password."
    place = Place.USER_PASSWORD


class TooManyAttempts(AccessRefused):
    """`details` carry `retry_at` (UTC, ISO 8601) and `retry_after` (seconds)."""

    code = "too-many-attempts"
    next_step = "Wait until then; a right password is not tried before."


class InvalidLink(AccessRefused):
    code = "invalid-link"
    next_step = "Ask an administrator for a new link."


class TokenRefused(AccessRefused):
    code = "token-refused"
    next_step = "Ask an administrator for a new token."
    place = Place.TOKEN_NEW


class Forbidden(AccessRefused):
    """`details` carry `permission` and `role`, the lowest role that has it."""

    code = "forbidden"
    next_step = "Ask an administrator for it."


class ForeignRequest(AccessRefused):
    """A form that was not given out to this browser by this server."""

    code = "foreign-request"
    next_step = "Reload the page and do it again there."


class RequestRefused(UsageError):
    """A request to the server is not in order; nothing was done."""

    code = "request-refused"


class UnknownAddress(RequestRefused):
    code = "unknown-address"
    next_step = "Check the address; /api/v1/openapi.json has those of the API."
    place = Place.START


class MethodNotAllowed(RequestRefused):
    code = "method-not-allowed"
    next_step = "The header Allow names the methods of this address."


class InvalidRequest(RequestRefused):
    """`details` carry `path`, the place in the body (`$.records[0]`) or the name of the parameter."""

    code = "invalid-request"
    next_step = "Correct it; /api/v1/openapi.json says what the API expects."


class RequestTooLarge(RequestRefused):
    code = "request-too-large"
    next_step = "Send fewer records at a time."


class JsonNeeded(RequestRefused):
    code = "json-needed"
    next_step = "Send JSON, with the header Content-Type: application/json."


class KeyReused(RequestRefused):
    code = "key-reused"
    next_step = "Choose a new Idempotency-Key for every new request; repeat a request only as it was."


class RequestRunning(RequestRefused):
    code = "request-running"
    next_step = "Ask again in a moment, with the same key."


class SystemFailure(CrosstieError):
    """A system cannot be worked with at all; nothing is counted against records."""

    code = "system-failure"
    exit_code = 3


class Unreachable(SystemFailure):
    code = "unreachable"
    next_step = "Check the address and the network; nothing was lost, try again later."
    place = Place.CONNECTION_TEST


class CredentialsRefused(SystemFailure):
    code = "credentials-refused"
    next_step = "Check tenant, client id and secret, and that the application is registered in the environment."
    place = Place.CONNECTION_TEST


class MissingPrivilege(SystemFailure):
    code = "missing-privilege"
    next_step = "Give the application user the security role that grants it."


class GarbledAnswer(SystemFailure):
    code = "garbled-answer"
    next_step = "Check that the address is that of the API; a proxy or gateway may be answering in its place."


class Throttled(SystemFailure):
    code = "throttled"
    next_step = "The system asks for a pause; try again later."


class SystemRefused(SystemFailure):
    """The system understood the request and refused it as a whole: a wrong field, table or query."""

    code = "system-refused"
    next_step = "Check the mapping's tables, fields and filters against the system."
    place = Place.MAPPING


class CursorExpired(SystemFailure):
    code = "cursor-expired"
    next_step = "The next synchronisation reads the whole table once."


class EnvironmentChanged(SystemFailure):
    code = "environment-changed"
    next_step = "Check the address; if the environment was copied on purpose, remove and add the connection."
    place = Place.CONNECTIONS


class GuardStopped(CrosstieError):
    """A guard stopped the job before it did harm."""

    code = "guard-stopped"
    exit_code = 4
    next_step = "Look at the plan, and allow it if it is meant."
    place = Place.PLAN


class JobCancelled(CrosstieError):
    """A person stopped the job. What was recorded until then stays, and the next job goes on from there."""

    code = "job-cancelled"
    exit_code = 4
    next_step = "Run it again when it is wanted; it goes on from there."


class StoreError(CrosstieError):
    code = "store"
    exit_code = 3


class StoreTooNew(StoreError):
    code = "store-too-new"
    next_step = "Install the version of Crosstie that made it, or a newer one."


class StoreBusy(StoreError):
    code = "store-busy"
    next_step = "Another process holds the store; try again."


class Unexpected(CrosstieError):
    """Something that should not happen has happened inside Crosstie."""

    code = "unexpected"
    exit_code = 70
    next_step = "The log has more about it."
    place = Place.LOG
