"""The table "Decision for one field", row by row.

How to read a case: a record has the field mapping under test, `f`, and another one, `other`, in both directions. All
values are texts, and a value means the same on both sides. `base` is what both sides held when they last agreed (a
pair, if the two differed then; NONE if they never agreed), `local` and `remote` are what they hold now. `other` says
on which sides the record's other field has changed. The last column is what the field needs: `keep`, `agree`, `hold`,
`conflict`, or `> x` (write x to remote) and `< x` (write x to local), with `lost y` where a change of the other side
gives way. Every case is also run as seen in the mirror: sides, directions, preferences and policies swapped.
"""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from crosstie.model.base import Base
from crosstie.model.decisions import Decision, FieldAction, FieldDecision, Preference, Request
from crosstie.model.mappings import Direction, UpdateConflictResolution
from crosstie.model.records import Side
from tests.unit.engine.pairs import BOTH_WAYS, FROM_REMOTE, LONG_AGO, TO_REMOTE, compiled, decided, record, row

NONE = "no base"
MERGE, SEND, GET = Preference.MERGE, Preference.SEND, Preference.GET
ASK, NEWEST = UpdateConflictResolution.ASK, UpdateConflictResolution.NEWEST
LOCAL_WINS, REMOTE_WINS = UpdateConflictResolution.SEND, UpdateConflictResolution.GET


class Case(msgspec.Struct, frozen=True):
    title: str
    direction: Direction
    base: Any
    local: str | None
    remote: str | None
    needs: str
    other: frozenset[Side] = frozenset()
    preference: Preference = MERGE
    on_purpose: bool = False
    policy: UpdateConflictResolution = ASK
    newer: Side | None = None


HERE, THERE = frozenset({Side.LOCAL}), frozenset({Side.REMOTE})

CASES = [
    # --- bidirectional ---------------------------------------------------------------- base, local, remote, needs
    Case("nothing changed", BOTH_WAYS, "a", "a", "a", "keep"),
    Case("nothing changed since they agreed to differ", BOTH_WAYS, ("a", "b"), "a", "b", "keep"),
    Case("changed here", BOTH_WAYS, "a", "b", "a", "> b"),
    Case("blanked here", BOTH_WAYS, "a", None, "a", "> None"),
    Case("filled here", BOTH_WAYS, None, "b", None, "> b"),
    Case("changed here to what is there already", BOTH_WAYS, ("a", "b"), "b", "b", "agree"),
    Case("changed on both sides alike", BOTH_WAYS, "a", "b", "b", "agree"),
    Case("blanked on both sides", BOTH_WAYS, "a", None, None, "agree"),
    Case("changed on both sides differently", BOTH_WAYS, "a", "b", "c", "conflict"),
    Case("changed here, blanked there", BOTH_WAYS, "a", "b", None, "conflict"),
    Case("another field changed there", BOTH_WAYS, "a", "b", "a", "> b", other=THERE),
    Case("conflict, local wins", BOTH_WAYS, "a", "b", "c", "> b lost c", policy=LOCAL_WINS),
    Case("conflict, the newer side wins", BOTH_WAYS, "a", "b", "c", "> b lost c", policy=NEWEST, newer=Side.LOCAL),
    Case("conflict, none is newer", BOTH_WAYS, "a", "b", "c", "conflict", policy=NEWEST),
    Case("the policy does not matter without conflict", BOTH_WAYS, "a", "a", "c", "< c", policy=LOCAL_WINS),
    # --- bidirectional, without base
    Case("never agreed, but equal", BOTH_WAYS, NONE, "a", "a", "agree"),
    Case("never agreed, both blank", BOTH_WAYS, NONE, None, None, "agree"),
    Case("never agreed, blank there", BOTH_WAYS, NONE, "a", None, "> a"),
    Case("never agreed, both filled", BOTH_WAYS, NONE, "a", "b", "conflict"),
    Case("never agreed, local wins", BOTH_WAYS, NONE, "a", "b", "> a lost b", policy=LOCAL_WINS),
    Case("never agreed, this side chosen", BOTH_WAYS, NONE, "a", "b", "> a lost b", preference=SEND),
    Case("never agreed, this blank side chosen", BOTH_WAYS, NONE, None, "b", "> None lost b", preference=SEND),
    # --- bidirectional, a side chosen by a person
    Case("sent: changed here", BOTH_WAYS, "a", "b", "a", "> b", preference=SEND),
    Case("sent: changed there", BOTH_WAYS, "a", "a", "c", "> a lost c", preference=SEND),
    Case("sent: changed on both sides", BOTH_WAYS, "a", "b", "c", "> b lost c", preference=SEND),
    Case("sent: changed on both sides alike", BOTH_WAYS, "a", "b", "b", "agree", preference=SEND),
    Case("sent: nothing changed", BOTH_WAYS, "a", "a", "a", "keep", preference=SEND),
    Case("sent: they agreed to differ", BOTH_WAYS, ("a", "b"), "a", "b", "> a", preference=SEND),
    Case("sent, whatever the policy", BOTH_WAYS, "a", "b", "c", "> b lost c", preference=SEND, policy=REMOTE_WINS),
    # --- to remote
    Case("one way: nothing changed", TO_REMOTE, "a", "a", "a", "keep"),
    Case("one way: changed here", TO_REMOTE, "a", "b", "a", "> b"),
    Case("one way: changed here to what is there", TO_REMOTE, "a", "b", "b", "agree"),
    Case("one way: changed on both sides", TO_REMOTE, "a", "b", "c", "> b lost c"),
    Case("one way: changed there only is drift", TO_REMOTE, "a", "a", "c", "keep"),
    Case("one way: drift ends when the record changes", TO_REMOTE, "a", "a", "c", "> a lost c", other=HERE),
    Case("one way: old drift ends too", TO_REMOTE, ("a", "c"), "a", "c", "> a", other=HERE),
    Case("one way: not when only the other side changes", TO_REMOTE, "a", "a", "c", "keep", other=THERE),
    Case("one way: drift ends on purpose", TO_REMOTE, "a", "a", "c", "> a lost c", on_purpose=True),
    Case("one way: on purpose without difference", TO_REMOTE, "a", "a", "a", "keep", on_purpose=True),
    Case("one way: never agreed", TO_REMOTE, NONE, "a", "b", "> a lost b"),
    Case("one way: never agreed, blank here", TO_REMOTE, NONE, None, "b", "> None lost b"),
    Case("one way: never agreed, but equal", TO_REMOTE, NONE, "a", "a", "agree"),
    Case("one way: no conflict, whatever the policy", TO_REMOTE, "a", "b", "c", "> b lost c", policy=REMOTE_WINS),
    Case("one way: sent", TO_REMOTE, "a", "b", "c", "> b lost c", preference=SEND),
    Case("one way: only the other direction asked for", TO_REMOTE, "a", "b", "a", "keep", preference=GET),
    Case("one way: the other direction, on purpose", TO_REMOTE, "a", "b", "a", "keep", preference=GET, on_purpose=True),
]


def mirrored(case: Case) -> Case:
    turn = {SEND: GET, GET: SEND, MERGE: MERGE, LOCAL_WINS: REMOTE_WINS, REMOTE_WINS: LOCAL_WINS}
    directions = {TO_REMOTE: FROM_REMOTE, FROM_REMOTE: TO_REMOTE, BOTH_WAYS: BOTH_WAYS}
    return msgspec.structs.replace(
        case,
        direction=directions[case.direction],
        base=case.base[::-1] if isinstance(case.base, tuple) else case.base,
        local=case.remote,
        remote=case.local,
        needs=case.needs.translate(str.maketrans("<>", "><")),
        other=frozenset(side.other for side in case.other),
        preference=turn[case.preference],
        policy=turn.get(case.policy, case.policy),
        newer=case.newer.other if case.newer else None,
    )


def decision_for(case: Case) -> Decision:
    rows = [row("f_here", "f_there", case.direction), row("other_here", "other_there")]
    things = compiled(rows, update_conflict=case.policy)
    base = None
    if case.base != NONE:
        local, remote = case.base if isinstance(case.base, tuple) else (case.base, case.base)
        base = Base({"f_here": local, "other_here": "o"}, {"f_there": remote, "other_there": "o"})
    times = {side: LONG_AGO + timedelta(days=side is case.newer) for side in Side}
    return decided(
        things,
        record("L", {"f_here": case.local, "other_here": "p" if Side.LOCAL in case.other else "o"}, times[Side.LOCAL]),
        record("R", {"f_there": case.remote, "other_there": "p" if case.other == THERE else "o"}, times[Side.REMOTE]),
        base,
        Request(preference=case.preference, on_purpose=case.on_purpose),
    )


def told(decision: Decision) -> str:
    found = next((f for f in decision.fields if f.position == 0), None)
    if found is None:
        return "keep"
    arrow = {FieldAction.TO_REMOTE: ">", FieldAction.TO_LOCAL: "<"}.get(found.action)
    if arrow is None:
        return found.action.value
    return f"{arrow} {found.value}" + (f" lost {found.lost}" if found.lost is not None else "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_field_needs(case: Case) -> None:
    """Each row of the table.

    behaviour: IntegrationTableSynchTest/OneWaySynchIgnoresDestinationChanges
    behaviour: IntegrationTableSynchTest/TruePositiveConflictWhenToIntegrationTableSyncAfterBidirectionalFieldChange
    behaviour: IntegrationTableSynchTest/AutomaticConflictResolutionToIntegrationTableAfterBidirectionalFieldChange
    behaviour: CRMEntitySynchTest/SyncSingleCustomerBothModified
    behaviour: IntegrationRecordSynchTest/VerifyModifiedFlagsAfterFieldsTransferWithChangedUnidirectionalField
    behaviour: IntegrationRecordSynchTest/VerifyModifiedFlagsAfterFieldsTransferWithUnchangedUnidirectionalField
    behaviour: IntegrationRecordSynchTest/VerifyModifiedFlagsAfterFieldsTransferWithChangedBidirectionalField
    """
    assert told(decision_for(case)) == case.needs


@pytest.mark.parametrize("case", [mirrored(case) for case in CASES], ids=lambda case: case.title)
def test_field_needs_the_mirror_image(case: Case) -> None:
    """Each row of the table with the sides swapped.

    behaviour: IntegrationTableSynchTest/AutomaticConflictResolutionFromIntegrationTableAfterBidirectionalFieldChange
    behaviour: CRMEntitySynchTest/SyncSingleCustomerCRMModified
    behaviour: CRMEntitySynchTest/SyncSingleSalespersonNAVModified
    """
    assert told(decision_for(case)) == case.needs


def test_the_mirror_of_the_mirror_is_the_case() -> None:
    assert [mirrored(mirrored(case)) for case in CASES] == CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_decision_tells_the_values_and_why(case: Case) -> None:
    for found in decision_for(case).fields:
        assert found.reason
        if found.position == 0:
            assert (found.local, found.remote) == (case.local, case.remote)
            assert base_of(found) == (case.base if isinstance(case.base, tuple) else base_pair(case))


def base_of(found: FieldDecision) -> tuple[Any, Any]:
    return found.base_local, found.base_remote


def base_pair(case: Case) -> tuple[Any, Any]:
    return (None, None) if case.base == NONE else (case.base, case.base)
