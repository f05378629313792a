"""What the database libraries raise, told as errors of ours with a next step."""

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Error as SqliteError

from sqlalchemy.exc import DBAPIError, TimeoutError

from crosstie.model.errors import StoreBusy, StoreError

_BUSY_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED")
_BUSY_POSTGRES = {
    "55P03",  # lock not available
    "40P01",  # deadlock detected
    "40001",  # serialization failure
    "53300",  # too many connections
    "57014",  # cancelled by a time-out
}
_SQLITE: dict[str, tuple[str, str]] = {
    "SQLITE_NOTADB": ("is not a store", "Name another file, or restore it from a backup."),
    "SQLITE_CORRUPT": ("is damaged", "Restore it from a backup."),
    "SQLITE_READONLY": ("cannot be written", "Check the permissions of the file and of its folder."),
    "SQLITE_CANTOPEN": ("cannot be opened", "Check that the folder exists and can be written."),
    "SQLITE_PERM": ("cannot be opened", "Check the permissions of the file and of its folder."),
    "SQLITE_FULL": ("cannot grow: the disk is full", "Free some space; nothing of this step was kept."),
    "SQLITE_IOERR": ("cannot be read or written: the disk failed", "Check the disk; nothing of this step was kept."),
}
_POSTGRES: dict[str, str] = {
    "42501": "Give the user the right to make and use tables there.",
    "53100": "Free some space on the server; nothing of this step was kept.",
}


@contextmanager
def told(shown: str) -> Iterator[None]:
    """Raise StoreBusy or StoreError for what the libraries raise inside; `shown` is the store's address."""
    try:
        yield
    except DBAPIError as error:
        raise _failure(error, shown) from error
    except TimeoutError as error:
        raise StoreBusy(f"All connections of this process to the store {shown} are in use.") from error


def _failure(error: DBAPIError, shown: str) -> StoreError:
    words = str(error.orig).strip().partition("\n")[0]
    if isinstance(error.orig, SqliteError):
        return _sqlite_failure(getattr(error.orig, "sqlite_errorname", "") or "", words, shown)
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _BUSY_POSTGRES:
        return StoreBusy(
            f"The store {shown} is in use: {words}.", next_step="Nothing of this step was kept; try again."
        )
    if not state:  # what goes wrong while connecting carries no state
        return StoreError(
            f"The store {shown} cannot be reached: {words.rstrip('.')}.",
            next_step="Check that the server runs, and that user, password and database of the address are right.",
        )
    step = _POSTGRES.get(state, "Nothing of this step was kept.")
    return StoreError(f"The store {shown} failed: {words}.", next_step=step, sqlstate=state)


def _sqlite_failure(name: str, words: str, shown: str) -> StoreError:
    if name.startswith(_BUSY_SQLITE):
        return StoreBusy(
            f"The store {shown} is in use by another process.", next_step="Try again when it has finished."
        )
    for prefix, (what, step) in _SQLITE.items():
        if name.startswith(prefix):
            return StoreError(f"The store {shown} {what} ({words}).", next_step=step)
    return StoreError(f"The store {shown} failed: {words}.", next_step="Nothing of this step was kept.")
