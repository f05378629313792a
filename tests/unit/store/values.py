"""Values for the tests of the store: each with the least that it needs, the rest by name."""

from datetime import UTC, datetime, timedelta
from typing import Any

from crosstie.model.couplings import NewCoupling
from crosstie.model.jobs import Due, DueReason, Intent, JobKind, JournalEntry, Outcome
from crosstie.model.mappings import Direction
from crosstie.model.problems import NewProblem, ProblemClass
from crosstie.model.records import Side, WriteKind
from crosstie.store.base import Unit

KEY = b"dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkuLi4uLi4="
NOW = datetime(2026, 11, 21, 9, 30, 15, 123456, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
CUSTOMER = "CUSTOMER"


def new_coupling(number: int | str, mapping: str = CUSTOMER, **more: Any) -> NewCoupling:
    """A coupling of the records `local-<number>` and `remote-<number>`."""
    return NewCoupling(**{"mapping": mapping, "local_id": f"local-{number}", "remote_id": f"remote-{number}"} | more)


def new_problem(number: int | str, mapping: str = CUSTOMER, **more: Any) -> NewProblem:
    """A problem of the uncoupled local record `local-<number>`."""
    values: dict[str, Any] = {
        "mapping": mapping,
        "local_id": f"local-{number}",
        "remote_id": None,
        "coupling_id": None,
        "name": f"Customer {number}",
        "problem_class": ProblemClass.DATA,
        "code": "too-long",
        "words": "Name is too long.",
        "next_step": "Shorten it.",
    }
    return NewProblem(**values | more)


def intent(number: int | str, **more: Any) -> Intent:
    """An intent to update the remote record `remote-<number>`."""
    values: dict[str, Any] = {
        "id": f"intent-{number}",
        "job_id": 1,
        "mapping": CUSTOMER,
        "side": Side.REMOTE,
        "table": "accounts",
        "kind": WriteKind.UPDATE,
        "record_id": f"remote-{number}",
        "coupling_id": 7,
        "source_id": None,
        "values": {},
        "expected_version": None,
        "created_at": NOW,
    }
    return Intent(**values | more)


def entry(number: int | str, **more: Any) -> JournalEntry:
    """A journal entry of the coupled records `local-<number>` and `remote-<number>`."""
    values: dict[str, Any] = {
        "job_id": 1,
        "mapping": CUSTOMER,
        "coupling_id": 7,
        "local_id": f"local-{number}",
        "remote_id": f"remote-{number}",
        "name": f"Customer {number}",
        "side": Side.REMOTE,
        "outcome": Outcome.MODIFIED,
        "at": NOW,
    }
    return JournalEntry(**values | more)


def due(number: int | str, **more: Any) -> Due:
    """A local record that is due now."""
    values: dict[str, Any] = {
        "mapping": CUSTOMER,
        "side": Side.LOCAL,
        "record_id": f"local-{number}",
        "reason": DueReason.RETRY,
        "not_before": NOW,
    }
    return Due(**values | more)


def start(unit: Unit, mapping: str = CUSTOMER, *, exclusive: bool = True, owner: str = "host-1") -> int:
    """Start a synchronisation and return its id."""
    job = unit.start_job(
        JobKind.SYNCHRONISATION, mapping, Direction.BIDIRECTIONAL, exclusive=exclusive, owner=owner, now=NOW
    )
    return job.id
