"""Builders of what use cases and jobs answer with."""

from datetime import UTC, datetime
from typing import Any

from crosstie.app.views import CouplingView, ProblemFieldView, ProblemView, RecordView
from crosstie.engine.context import Failure, Report
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Decision, FieldAction, FieldDecision, Pair, RecordAction
from crosstie.model.jobs import Counters, Job, JobKind, JobState
from crosstie.model.mappings import Direction
from crosstie.model.records import Record

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CONFLICT = Failure(
    local_id="l1",
    remote_id="r1",
    name="10000 Adatum",
    code="conflict",
    words="The same field was changed on both sides.",
    next_step="Choose a side.",
)


def local(number: str = "10000", name: str | None = "Adatum", **values: Any) -> Record:
    return Record(id="l1", version="1", values={"number": number, "displayName": name, **values})


def remote(name: str = "Adatum Ltd", **values: Any) -> Record:
    return Record(id="r1", version="1", values={"name": name, "accountnumber": None, **values})


def coupling(**changes: Any) -> Coupling:
    values: dict[str, Any] = {
        "id": 1,
        "revision": 1,
        "created_at": AT,
        "mapping": "CUSTOMER",
        "local_id": "l1",
        "remote_id": "r1",
        "local_key": "10000",
        "local_name": "Adatum",
    }
    return Coupling(**(values | changes))


def view(number: int = 1, **changes: Any) -> CouplingView:
    values: dict[str, Any] = {
        "id": number,
        "local_id": f"l{number}",
        "local_key": str(number * 10000),
        "local_name": f"Customer {number}",
        "remote_id": f"r{number}",
        "remote_key": None,
        "remote_name": f"Account {number}",
        "state": "in_step",
        "last_synchronised": AT,
    }
    return CouplingView(**(values | changes))


def report(
    mapping: str = "CUSTOMER",
    *,
    to_remote: Counters | None = None,
    from_remote: Counters | None = None,
    failures: list[Failure] | None = None,
    **changes: Any,
) -> Report:
    values: dict[str, Any] = {"mapping": mapping, "job_id": 7, "dry_run": False}
    return Report(
        **(values | changes),
        to_remote=to_remote or Counters(),
        from_remote=from_remote or Counters(),
        failures=failures or [],
    )


def field(action: FieldAction, **changes: Any) -> FieldDecision:
    values: dict[str, Any] = {"position": 0, "name": "phoneNumber", "label": "Phone No.", "action": action}
    return FieldDecision(**(values | changes))


def decision(action: RecordAction = RecordAction.UPDATE, *fields: FieldDecision, **changes: Any) -> Decision:
    pair = changes.pop("pair", Pair(coupling=coupling(), local=local(), remote=remote()))
    return Decision(pair=pair, action=action, fields=fields, **changes)


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": 7,
        "kind": JobKind.SYNCHRONISATION,
        "mapping": "CUSTOMER",
        "direction": Direction.BIDIRECTIONAL,
        "exclusive": True,
        "state": JobState.FINISHED,
        "owner": "host:1",
        "started_at": AT,
        "finished_at": AT.replace(second=9),
        "to_remote": Counters(inserted=3, failed=1),
        "from_remote": Counters(),
    }
    return Job(**(values | changes))


def problem(number: int = 1, **changes: Any) -> ProblemView:
    values: dict[str, Any] = {
        "id": number,
        "mapping": "CUSTOMER",
        "record": RecordView(name="10000 Adatum", local_id="l1", remote_id="r1"),
        "problem_class": "conflict",
        "code": "conflict",
        "words": "The same field was changed on both sides.",
        "next_step": "Choose a side.",
        "direction": "to_remote",
        "attempts": 2,
        "first_seen": AT,
        "last_seen": AT,
        "fields": [
            ProblemFieldView(
                field="phoneNumber",
                label="Phone No.",
                base={"local": "1", "remote": "1"},
                local="2",
                remote="3",
                words="",
            )
        ],
        "waits_for": [],
    }
    return ProblemView(**(values | changes))
