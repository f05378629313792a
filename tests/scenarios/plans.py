"""What a plan says and what was written, in the same words."""

from typing import Any

from crosstie.model.decisions import RecordAction
from crosstie.model.records import Side, WriteKind
from crosstie.model.values import Scalar
from tests.scenarios.process import Written
from tests.scenarios.world import Plan


def planned(plan: Plan) -> list[tuple[Any, ...]]:
    """Return the writes that the decisions of a dry run come to."""
    found: list[tuple[Any, ...]] = []
    for decision in plan.decisions:
        local, remote = decision.pair.local, decision.pair.remote
        match decision.action:
            case RecordAction.CREATE_REMOTE:
                found.append((Side.REMOTE, "create", _plain(decision.to_remote)))
            case RecordAction.CREATE_LOCAL:
                found.append((Side.LOCAL, "create", _plain(decision.to_local)))
            case RecordAction.UPDATE:
                if decision.to_remote and remote:
                    found.append((Side.REMOTE, "update", remote.id, _plain(decision.to_remote)))
                if decision.to_local and local:
                    found.append((Side.LOCAL, "update", local.id, _plain(decision.to_local)))
            case RecordAction.DELETE_LOCAL:
                found.append((Side.LOCAL, "delete", local and local.id))
            case RecordAction.DELETE_REMOTE:
                found.append((Side.REMOTE, "delete", remote and remote.id))
    return found


def carried_out(done: Written) -> tuple[Any, ...]:
    """Return a write of ours in the same words."""
    match done.kind:
        case WriteKind.CREATE:
            return done.side, "create", _plain(done.values)
        case WriteKind.UPDATE:
            return done.side, "update", done.id, _plain(done.values)
        case WriteKind.DELETE:
            return done.side, "delete", done.id


def _plain(values: dict[str, Scalar]) -> list[tuple[str, str]]:
    return sorted((name, str(value)) for name, value in values.items())
