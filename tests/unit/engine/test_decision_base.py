"""The base after a decision was carried out."""

from decimal import Decimal
from typing import Any

import pytest

from crosstie.engine.decision import in_agreement, next_base
from crosstie.engine.outcomes import Carried
from crosstie.model.base import Base, decode_base, encode_base
from crosstie.model.decisions import Decision, FieldAction, Pair, Preference, RecordAction, Request
from crosstie.model.mappings import Lookup
from crosstie.model.records import Side, WriteResult, WriteStatus
from crosstie.model.schema import FieldType
from tests.unit.engine.pairs import (
    FROM_REMOTE,
    TO_REMOTE,
    carried_out,
    compiled,
    coupling,
    decided,
    field,
    record,
    resolved,
    row,
    table,
)

THINGS = compiled([row("a", "x"), row("b", "y"), row("c", "z", TO_REMOTE), row("d", "w", FROM_REMOTE)])
LOCAL = {"a": "1", "b": "1", "c": "1", "d": "1"}
REMOTE = {"x": "1", "y": "1", "z": "1", "w": "1"}
BASE = Base(dict(LOCAL), dict(REMOTE))


def after(decision: Decision, base: Base | None = BASE, **stored: dict[str, Any]) -> Base:
    local, remote = carried_out(decision)
    for name, value in stored.get("local", {}).items():
        local.values[name] = value
    for name, value in stored.get("remote", {}).items():
        remote.values[name] = value
    return next_base(THINGS, base, decision, local, remote)


def test_written_and_agreed_fields_move() -> None:
    decision = decided(THINGS, {**LOCAL, "a": "2"}, {**REMOTE, "y": "3"}, BASE)
    assert after(decision) == Base({**LOCAL, "a": "2", "b": "3"}, {**REMOTE, "x": "2", "y": "3"})


def test_a_written_field_has_the_value_as_stored() -> None:
    """The other system may spell a value in its own way; that is no change of it."""
    decision = decided(THINGS, {**LOCAL, "a": "straße"}, REMOTE, BASE)
    assert after(decision, remote={"x": "STRASSE"}).remote["x"] == "STRASSE"


def test_what_a_system_changes_besides_is_still_to_be_carried_over() -> None:
    """A post code that fills in the city: the city is a change of that system, and travels with the next look."""
    decision = decided(THINGS, LOCAL, {**REMOTE, "x": "2"}, BASE)
    local, remote = carried_out(decision)
    local.values["b"] = "filled in"
    base = next_base(THINGS, BASE, decision, local, remote)
    assert base.local["b"] == "1"
    assert not in_agreement(THINGS, base, local, remote)
    assert decided(THINGS, local, remote, base).to_remote == {"y": "filled in"}


def test_conflicting_fields_keep_their_base() -> None:
    decision = decided(THINGS, {**LOCAL, "a": "2", "b": "2"}, {**REMOTE, "x": "3"}, BASE)
    base = after(decision)
    assert (base.local["a"], base.remote["x"]) == ("1", "1")
    assert (base.local["b"], base.remote["y"]) == ("2", "2")


def test_conflicting_fields_without_base_get_none() -> None:
    decision = decided(THINGS, {**LOCAL, "a": "2"}, REMOTE, None)
    base = after(decision, None)
    assert "a" not in base.local
    assert "x" not in base.remote
    assert base.local["b"] == "1"


CURRENCY = compiled(
    [row("code", "currencyid", lookup=Lookup(mapping="CURRENCY"))],
    remote=table("thing", field("currencyid", FieldType.LOOKUP, targets=("currency",))),
)
ISK = {"ISK": coupling(local_id="isk", local_key="ISK", remote_id="c-isk")}


def waiting_with_local_chosen() -> Base:
    """The base after a first synchronisation in which the local side was chosen and its currency is not coupled."""
    chosen = Request(preference=Preference.SEND)
    decision = decided(CURRENCY, {"code": "ISK"}, {"currencyid": "c-gbp"}, None, chosen)
    assert [found.action for found in decision.fields] == [FieldAction.HOLD]
    return next_base(CURRENCY, None, decision, *carried_out(decision))


def test_what_was_chosen_follows_when_it_can_although_nothing_was_agreed_yet() -> None:
    found = resolved("CURRENCY", Side.LOCAL, True, ISK)
    later = decided(CURRENCY, {"code": "ISK"}, {"currencyid": "c-gbp"}, waiting_with_local_chosen(), sent=found)
    assert later.to_remote == {"currencyid": "c-isk"}
    assert later.problem_code is None


def test_what_was_chosen_goes_on_waiting_when_it_is_looked_at_again() -> None:
    again = decided(CURRENCY, {"code": "ISK"}, {"currencyid": "c-gbp"}, waiting_with_local_chosen())
    assert again.problem_code == "waiting-for-partner"
    assert next_base(CURRENCY, waiting_with_local_chosen(), again, *carried_out(again)) == waiting_with_local_chosen()


def test_what_was_chosen_meets_an_edit_of_the_other_side_as_a_conflict() -> None:
    found = resolved("CURRENCY", Side.LOCAL, True, ISK)
    edited = decided(CURRENCY, {"code": "ISK"}, {"currencyid": "c-eur"}, waiting_with_local_chosen(), sent=found)
    assert edited.problem_code == "conflict"


def test_without_a_base_or_a_choice_what_cannot_be_told_yet_is_no_conflict() -> None:
    decision = decided(CURRENCY, {"code": "ISK"}, {"currencyid": "c-gbp"}, None)
    assert decision.problem_code == "waiting-for-partner"


def test_a_first_write_that_failed_is_brought_again_and_is_no_conflict() -> None:
    """The local side was chosen, and the other system was busy: the next look knows which side counts."""
    decision = decided(THINGS, {**LOCAL, "a": "2"}, REMOTE, None, Request(preference=Preference.SEND))
    failed = Carried(decision, None, {Side.REMOTE: WriteResult(status=WriteStatus.THROTTLED)})
    local, remote = decision.pair.local, decision.pair.remote
    assert local is not None
    assert remote is not None
    base = next_base(THINGS, None, failed.applied(), local, remote)
    again = decided(THINGS, local, remote, base)
    assert (again.to_remote, again.problem_code) == ({"x": "2"}, None)


def test_drift_is_in_the_base_as_it_is() -> None:
    decision = decided(THINGS, {**LOCAL, "b": "2"}, {**REMOTE, "w": "1"}, BASE)
    drifted = decided(THINGS, {**LOCAL, "d": "9"}, REMOTE, BASE)
    assert after(drifted).local["d"] == "9"
    assert after(decision).local["d"] == "1"


def test_a_change_that_nobody_asked_for_is_not_forgotten() -> None:
    """Sent by a person while the other side changed what only flows back: it flows with the next look."""
    decision = decided(THINGS, {**LOCAL, "a": "2"}, {**REMOTE, "w": "5"}, BASE, Request(preference=Preference.SEND))
    base = after(decision)
    assert base.remote["w"] == "1"
    local, remote = carried_out(decision)
    assert decided(THINGS, local, remote, base).to_local == {"d": "5"}


def test_fields_of_a_write_that_failed_keep_their_base() -> None:
    decision = decided(THINGS, {**LOCAL, "a": "2"}, {**REMOTE, "y": "3"}, BASE)
    fields = tuple(
        type(f)(**{**{n: getattr(f, n) for n in f.__struct_fields__}, "action": FieldAction.HOLD})
        if f.action is FieldAction.TO_REMOTE
        else f
        for f in decision.fields
    )
    failed = Decision(pair=decision.pair, action=decision.action, fields=fields, to_local=decision.to_local)
    base = next_base(
        THINGS, BASE, failed, record("L", {**LOCAL, "a": "2", "b": "3"}), record("R", {**REMOTE, "y": "3"})
    )
    assert (base.local["a"], base.remote["x"]) == ("1", "1")
    assert (base.local["b"], base.remote["y"]) == ("3", "3")


def test_coupled_as_they_are_without_synchronising() -> None:
    """Both values become the base, so that nothing moves until somebody edits."""
    local, remote = record("L", LOCAL), record("R", {**REMOTE, "x": "other"})
    left = Decision(pair=Pair(coupling=None, local=local, remote=remote), action=RecordAction.UNCHANGED)
    base = next_base(THINGS, None, left, local, remote)
    assert base == Base(LOCAL, {**REMOTE, "x": "other"})
    assert decided(THINGS, local, remote, base).action is RecordAction.UNCHANGED


class TestCreated:
    request = Request(create_remote=True, create_local=True)

    def test_everything_is_agreed(self) -> None:
        decision = decided(THINGS, LOCAL, None, request=self.request, coupling=None)
        local, remote = carried_out(decision)
        base = next_base(THINGS, None, decision, local, remote)
        assert base.local == LOCAL
        assert base.remote == {"x": "1", "y": "1", "z": "1", "w": None}
        assert in_agreement(THINGS, base, local, remote)

    def test_a_default_that_the_system_fills_in_is_a_change_of_it(self) -> None:
        things = compiled([row("a", "x"), row("b", "y")])
        decision = decided(things, {"a": "1", "b": None}, None, request=self.request, coupling=None)
        local, remote = carried_out(decision)
        remote.values["y"] = "default"
        base = next_base(things, None, decision, local, remote)
        assert base.remote["y"] is None
        assert decided(things, local, remote, base).to_local == {"b": "default"}

    def test_a_default_in_a_field_that_only_flows_there_is_left(self) -> None:
        decision = decided(THINGS, {**LOCAL, "c": None}, None, request=self.request, coupling=None)
        local, remote = carried_out(decision)
        remote.values["z"] = "default"
        base = next_base(THINGS, None, decision, local, remote)
        assert in_agreement(THINGS, base, local, remote)

    def test_what_only_flows_back_does_not_blank_the_original(self) -> None:
        decision = decided(THINGS, LOCAL, None, request=self.request, coupling=None)
        local, remote = carried_out(decision)
        base = next_base(THINGS, None, decision, local, remote)
        assert decided(THINGS, local, remote, base).action is RecordAction.UNCHANGED

    def test_a_value_that_only_flows_back_follows(self) -> None:
        """A credit limit that Business Central alone decides: the account gets that of its new customer."""
        limits = {
            "local": table("things", field("a"), field("limit", FieldType.DECIMAL, nullable=False)),
            "remote": table("thing", field("x"), field("creditlimit", FieldType.DECIMAL)),
        }
        things = compiled([row("a", "x"), row("limit", "creditlimit", TO_REMOTE)], **limits)
        decision = decided(things, None, {"x": "1", "creditlimit": Decimal(20000)}, request=self.request, coupling=None)
        local, remote = carried_out(decision)
        local.values["limit"] = Decimal(0)
        base = next_base(things, None, decision, local, remote)
        again = decided(things, local, remote, base)
        assert again.to_remote == {"creditlimit": Decimal(0)}
        assert again.fields[0].lost == Decimal(20000)

    def test_a_constant_for_the_original_that_it_has_already(self) -> None:
        things = compiled([row("a", "x"), row("type", None, FROM_REMOTE, constant="Person")])
        decision = decided(things, {"a": "1", "type": "Person"}, None, request=self.request, coupling=None)
        base = next_base(things, None, decision, *carried_out(decision))
        assert in_agreement(things, base, *carried_out(decision))

    def test_a_constant_for_the_original_that_it_lacks_follows(self) -> None:
        things = compiled([row("a", "x"), row("type", None, FROM_REMOTE, constant="Person")])
        decision = decided(things, {"a": "1", "type": None}, None, request=self.request, coupling=None)
        local, remote = carried_out(decision)
        base = next_base(things, None, decision, local, remote)
        assert decided(things, local, remote, base).to_local == {"type": "Person"}

    def test_a_field_that_can_only_be_written_later_follows(self) -> None:
        things = compiled(
            [row("a", "x", TO_REMOTE), row("b", "y")], remote=table("t", field("x", creatable=False), field("y"))
        )
        decision = decided(things, {"a": "1", "b": "1"}, None, request=self.request, coupling=None)
        assert decision.to_remote == {"y": "1"}
        local, remote = carried_out(decision)
        base = next_base(things, None, decision, local, remote)
        assert decided(things, local, remote, base).to_remote == {"x": "1"}


def test_a_cleared_lookup_keeps_no_base_on_its_own_side() -> None:
    things = compiled(
        [row("contact", "contactid", lookup=Lookup(mapping="CONTACT"), clear_value_on_failed_sync=True)],
        remote=table("thing", field("contactid", FieldType.LOOKUP, targets=("contact",))),
    )
    decision = decided(things, {"contact": "CT2"}, {"contactid": "c1"}, Base({"contact": "CT1"}, {"contactid": "c1"}))
    base = next_base(things, None, decision, *carried_out(decision))
    assert base == Base({}, {"contactid": None})
    reverted = decided(things, {"contact": "CT1"}, {"contactid": None}, base)
    assert reverted.waits_for


@pytest.mark.parametrize("base", [BASE, Base({}, {}), Base({"a": None}, {"x": "ä"})])
def test_it_is_kept_as_json(base: Base) -> None:
    assert decode_base(encode_base(base), THINGS.local_schema, THINGS.remote_schema) == base


def test_a_field_shared_by_two_mappings_takes_the_cautious_entry() -> None:
    """The name flows to two fields; while one of them is in conflict, the other one moves."""
    things = compiled([row("name", "x"), row("name", "y", TO_REMOTE)])
    base = Base({"name": "1"}, {"x": "1", "y": "1"})
    decision = decided(things, {"name": "2"}, {"x": "3", "y": "1"}, base)
    assert decision.to_remote == {"y": "2"}
    moved = next_base(things, base, decision, *carried_out(decision))
    assert moved == Base({"name": "1"}, {"x": "1", "y": "2"})
