"""Faults on order: what goes wrong with which call or write, how often, and after how many that go well."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from crosstie.model.errors import CredentialsRefused, GarbledAnswer, SystemFailure, Throttled, Unreachable
from crosstie.model.records import Write, WriteKind, WriteStatus


class FaultKind(StrEnum):
    """Outcomes of single writes first, failures of whole calls after them."""

    UNKNOWN_BEFORE = "unknown_before"
    """No answer, and nothing was done."""
    UNKNOWN_AFTER = "unknown_after"
    """Done, but no answer."""
    STALE = "stale"
    REFUSED = "refused"
    DENIED = "denied"
    THROTTLED = "throttled"
    RAISE_BEFORE = "raise_before"
    """Raises `error` before the write is done; writes before it in the same call are done."""
    RAISE_AFTER = "raise_after"
    UNREACHABLE = "unreachable"
    """The call fails before anything is done."""
    TOO_BUSY = "too_busy"
    GARBLED = "garbled"
    SIGN_IN_REFUSED = "sign_in_refused"


OUTCOMES = {
    FaultKind.STALE: WriteStatus.STALE,
    FaultKind.REFUSED: WriteStatus.REFUSED,
    FaultKind.DENIED: WriteStatus.DENIED,
    FaultKind.THROTTLED: WriteStatus.THROTTLED,
    FaultKind.UNKNOWN_BEFORE: WriteStatus.UNKNOWN,
}
_FAILURES: dict[FaultKind, Callable[[str], SystemFailure]] = {
    FaultKind.UNREACHABLE: lambda name: Unreachable(f"{name} cannot be reached."),
    FaultKind.TOO_BUSY: lambda name: Throttled(f"{name} asks for a pause.", retry_after=1.0),
    FaultKind.GARBLED: lambda name: GarbledAnswer(f"{name} gives no usable answer."),
    FaultKind.SIGN_IN_REFUSED: lambda name: CredentialsRefused(f"{name} refuses the sign-in."),
}


class Fault(msgspec.Struct, kw_only=True):
    """One order. It takes effect on the calls or writes that fit all of its conditions."""

    kind: FaultKind
    times: int | None = 1
    """How often; None is without end."""
    after: int = 0
    """How many that fit go well first."""
    table: str | None = None
    method: str | None = None
    """For failures of whole calls: changes, scan, get, count, write, describe, info."""
    write: WriteKind | None = None
    fits: Callable[[Write], bool] | None = None
    error: BaseException | None = None
    code: str = "ordered"
    message: str = "ordered by the test"
    field: str | None = None

    def take(self) -> bool:
        """Count one that fits; say whether it is hit."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults in force of one system, in the order in which they were given."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, kind: FaultKind | str, **conditions: Any) -> Fault:
        """Order a fault; the conditions are the fields of `Fault`."""
        fault = Fault(kind=FaultKind(kind), **conditions)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all of them."""
        self._faults.clear()

    def for_call(self, name: str, method: str, table: str | None) -> None:
        """Raise the failure of a whole call, if one is in force."""
        for fault in self._faults:
            fits = fault.method in (None, method) and fault.table in (None, table)
            if fault.kind in _FAILURES and fits and fault.take():
                raise _FAILURES[fault.kind](name)

    def for_write(self, table: str, write: Write) -> Fault | None:
        """Return what hits one write, None if nothing does."""
        for fault in self._faults:
            if fault.kind in _FAILURES or fault.table not in (None, table) or fault.write not in (None, write.kind):
                continue
            if (fault.fits is None or fault.fits(write)) and fault.take():
                return fault
        return None
