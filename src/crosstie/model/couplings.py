"""Couplings: the stored link between one local and one remote record, with the base on which both agreed."""

from datetime import datetime
from enum import StrEnum

import msgspec

from crosstie.model.records import Side


class CouplingState(StrEnum):
    """What a list shows for a coupled record."""

    NEVER_SYNCHRONISED = "never_synchronised"
    IN_STEP = "in_step"
    CONFLICT = "conflict"
    WAITING = "waiting"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Paused: the same error came twice in a row."""
    LOCAL_DELETED = "local_deleted"
    REMOTE_DELETED = "remote_deleted"
    OUT_OF_FILTER = "out_of_filter"
    """The record left the mapping's filter; it stays coupled and is not synchronised."""


class NewCoupling(msgspec.Struct, frozen=True, kw_only=True):
    """A coupling about to be stored."""

    mapping: str
    local_id: str
    remote_id: str
    local_key: str | None = None
    """Number or code of the local record: lookups by key find the coupling through it."""
    local_name: str | None = None
    remote_key: str | None = None
    remote_name: str | None = None
    local_version: str | None = None
    remote_version: str | None = None
    base: bytes | None = None
    """Encoded by `model.base`; None until the two sides agreed for the first time."""
    state: CouplingState = CouplingState.NEVER_SYNCHRONISED
    last_synchronised: datetime | None = None


class RemovedCoupling(msgspec.Struct, frozen=True, kw_only=True):
    """What a coupling that was removed rested on; `id` is the one that it had."""

    id: int
    local_version: str | None
    remote_version: str | None
    base: bytes
    last_synchronised: datetime | None


class Coupling(NewCoupling, frozen=True, kw_only=True):
    """A stored coupling. `revision` grows with every change of it; changes are compare-and-set on it."""

    id: int
    revision: int
    created_at: datetime

    def record_id(self, side: Side) -> str:
        return self.local_id if side is Side.LOCAL else self.remote_id

    def version(self, side: Side) -> str | None:
        return self.local_version if side is Side.LOCAL else self.remote_version

    def name(self) -> str:
        """How the coupled record is called in words: number and name of the local side, else the remote name."""
        words = " ".join(part for part in (self.local_key, self.local_name) if part)
        return words or self.remote_name or self.local_id


class Mark(msgspec.Struct, frozen=True, gc=False):
    """As much of a coupling as tells whether anything has happened to its record of one side since it was confirmed."""

    coupling_id: int
    version: str | None
    """The version of the record of that side for which the base vouches."""
    in_step: bool
    has_base: bool
    is_new: bool
    """Made since the time asked about."""
