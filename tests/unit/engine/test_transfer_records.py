"""A record of one side as the other side's values: constants, lookups, rules, and what is left out."""

from typing import Any

import pytest

from crosstie.engine.transfer import Resolved, transfer
from crosstie.model.decisions import Hold
from crosstie.model.mappings import FieldMapping, LocalReference, Lookup
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Record, Side
from crosstie.model.references import Reference
from crosstie.model.schema import FieldType
from crosstie.rules.base import Ineligible, LeaveAlone, RuleResult, Value
from tests.unit.engine.pairs import (
    FROM_REMOTE,
    NOTHING,
    TO_REMOTE,
    compiled,
    coupling,
    field,
    record,
    resolved,
    row,
    table,
)

C = FieldType.CODE
CHOICE = {"type": FieldType.CHOICE, "numeric_options": True, "options": {"1": "COD", "2": "NET 30"}}
LOOKUP = {"type": FieldType.LOOKUP, "targets": ("systemuser",)}


def moved(
    things: Any, values: dict[str, Any], source: Side, known: Resolved = NOTHING, *, creating: bool = False
) -> Any:
    return transfer(things, record("1", values), source, known, creating=creating)


class TestDirections:
    things = compiled(
        [
            row("a", "x"),
            row("b", "y", TO_REMOTE),
            row("c", "z", FROM_REMOTE),
            row(None, "kind", TO_REMOTE, constant="3"),
            row("type", None, FROM_REMOTE, constant="Person"),
        ]
    )

    def test_to_remote(self) -> None:
        result = moved(self.things, {"a": "1", "b": "2", "c": "3"}, Side.LOCAL)
        assert result.values == {0: "1", 1: "2", 3: "3"}

    def test_from_remote(self) -> None:
        result = moved(self.things, {"x": "1", "y": "2", "z": "3"}, Side.REMOTE)
        assert result.values == {0: "1", 2: "3", 4: "Person"}

    def test_a_field_that_was_not_read_is_blank(self) -> None:
        assert moved(self.things, {}, Side.LOCAL).values == {0: None, 1: None, 3: "3"}


class TestCreating:
    things = compiled(
        [
            row("a", "x", create_only=True),
            row("b", "y"),
            row("c", "z"),
            row(None, "type", TO_REMOTE, constant="3", create_only=True),
        ],
        remote=table(
            "thing",
            field("x"),
            field("y", updatable=False),
            field("z", creatable=False),
            field("type", updatable=False),
        ),
    )

    def test_new_records_get_what_can_only_be_given_to_them(self) -> None:
        result = moved(self.things, {"a": "1", "b": "2", "c": "3"}, Side.LOCAL, creating=True)
        assert result.values == {0: "1", 1: "2", 3: "3"}

    def test_existing_ones_get_what_can_be_changed(self) -> None:
        result = moved(self.things, {"a": "1", "b": "2", "c": "3"}, Side.LOCAL)
        assert result.values == {2: "3"}


def terms(**traits: Any) -> Any:
    return compiled(
        [
            row(
                "terms",
                "paymenttermscode",
                label="Payment Terms Code",
                lookup=Lookup(mapping="PAYMENT TERMS"),
                **traits,
            )
        ],
        local=table("things", field("terms", C, max_length=10)),
        remote=table("thing", field("paymenttermscode", **CHOICE)),
    )


class TestLookupByCode:
    """behaviour: CRMIntegrationRecordTest/SimpleNAVToCRMLookup"""

    cod = coupling(local_key="COD", remote_id="1")

    def test_references_are_those_of_the_record(self) -> None:
        assert list(terms().references(record("L", {"terms": "COD"}), Side.LOCAL)) == [
            Reference("PAYMENT TERMS", Side.LOCAL, True, "COD")
        ]
        assert list(terms().references(record("R", {"paymenttermscode": 1}), Side.REMOTE)) == [
            Reference("PAYMENT TERMS", Side.REMOTE, False, "1")
        ]
        assert list(terms().references(record("L", {"terms": None}), Side.LOCAL)) == []

    def test_to_remote(self) -> None:
        known = resolved("PAYMENT TERMS", Side.LOCAL, True, {"COD": self.cod})
        assert moved(terms(), {"terms": "COD"}, Side.LOCAL, known).values == {0: 1}

    def test_from_remote(self) -> None:
        """behaviour: CRMEntitySynchTest/SyncSingleAccountCRMOptionFieldMapped"""
        known = resolved("PAYMENT TERMS", Side.REMOTE, False, {"1": self.cod})
        assert moved(terms(), {"paymenttermscode": 1}, Side.REMOTE, known).values == {0: "COD"}

    def test_an_option_that_is_younger_than_the_table_that_was_read(self) -> None:
        known = resolved("PAYMENT TERMS", Side.LOCAL, True, {"NEW": coupling(remote_id="77")})
        assert moved(terms(), {"terms": "NEW"}, Side.LOCAL, known).values == {0: 77}

    @pytest.mark.parametrize("source", [Side.LOCAL, Side.REMOTE])
    def test_blank_to_blank(self, source: Side) -> None:
        assert moved(terms(), {}, source).values == {0: None}

    def test_not_coupled_it_waits(self) -> None:
        """behaviour: CRMCouplingTest/NAVtoCRMSyncClearValueOnFailedSyncNo"""
        result = moved(terms(), {"terms": "COD"}, Side.LOCAL)
        assert result.values == {}
        assert result.holds == {
            0: Hold(
                code="waiting-for-partner",
                words="Payment Terms Code COD is not coupled (mapping PAYMENT TERMS).",
                waits_for=WaitsFor("PAYMENT TERMS", Side.LOCAL, "COD"),
            )
        }

    def test_not_coupled_from_remote(self) -> None:
        result = moved(terms(), {"paymenttermscode": 2}, Side.REMOTE)
        assert result.holds[0].waits_for == WaitsFor("PAYMENT TERMS", Side.REMOTE, "2")

    def test_coupled_to_a_record_without_code(self) -> None:
        known = resolved("PAYMENT TERMS", Side.REMOTE, False, {"1": coupling(remote_id="1")})
        assert moved(terms(), {"paymenttermscode": 1}, Side.REMOTE, known).holds[0].code == "waiting-for-partner"

    def test_not_coupled_and_to_be_cleared(self) -> None:
        """behaviour: CRMCouplingTest/NAVtoCRMSyncClearValueOnFailedSyncYes"""
        result = moved(terms(clear_value_on_failed_sync=True), {"terms": "COD"}, Side.LOCAL)
        assert result.values == {0: None}
        assert result.holds[0].waits_for == WaitsFor("PAYMENT TERMS", Side.LOCAL, "COD")


class TestLookupById:
    things = compiled(
        [row("termsId", "paymenttermscode", lookup=Lookup(mapping="TERMS", local_reference=LocalReference.ID))],
        local=table("things", field("termsId", FieldType.GUID)),
        remote=table("thing", field("paymenttermscode", **CHOICE)),
    )

    def test_both_ways(self) -> None:
        found = coupling(local_id="g1", local_key="COD", remote_id="2")
        assert list(self.things.references(record("L", {"termsId": "g1"}), Side.LOCAL)) == [
            Reference("TERMS", Side.LOCAL, False, "g1")
        ]
        known = resolved("TERMS", Side.LOCAL, False, {"g1": found})
        assert moved(self.things, {"termsId": "g1"}, Side.LOCAL, known).values == {0: 2}
        known = resolved("TERMS", Side.REMOTE, False, {"2": found})
        assert moved(self.things, {"paymenttermscode": 2}, Side.REMOTE, known).values == {0: "g1"}


class TestNotNull:
    things = compiled(
        [row("person", "ownerid", lookup=Lookup(mapping="PEOPLE"), not_null=True), row("g", "h", not_null=True)],
        local=table("things", field("person", C), field("g", FieldType.GUID)),
        remote=table("thing", field("ownerid", **LOOKUP), field("h", FieldType.GUID)),
    )

    def test_a_blank_never_overwrites(self) -> None:
        assert moved(self.things, {}, Side.LOCAL).values == {}

    def test_a_value_does(self) -> None:
        known = resolved("PEOPLE", Side.LOCAL, True, {"JR": coupling(remote_id="u1")})
        assert moved(self.things, {"person": "JR", "g": "1"}, Side.LOCAL, known).values == {0: "u1", 1: "1"}

    def test_who_is_not_coupled_is_waited_for(self) -> None:
        assert moved(self.things, {"person": "JR"}, Side.LOCAL).holds[0].code == "waiting-for-partner"


class Answering:
    """A rule that answers what it is told to."""

    name = "answering"
    volatile = False

    def __init__(self, answer: RuleResult) -> None:
        self.answer = answer
        self.asked: list[tuple[Side, Any, bool]] = []

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        return ("extra",) if side is Side.LOCAL else ()

    async def prepare(self, field: FieldMapping, records: Any, source: Side, access: Any) -> Any:
        return (field.name, [r.id for r in records], source)

    def transfer(self, field: FieldMapping, record: Record, source: Side, facts: Any, *, creating: bool) -> RuleResult:
        self.asked.append((source, facts, creating))
        return self.answer


def ruled(rule: Answering, **traits: Any) -> Any:
    return compiled(
        [row("a", "x"), row("b", "y", rule="answering", **traits)],
        local=table("things", field("a"), field("b"), field("extra")),
        remote=table("thing", field("x"), field("y", max_length=5)),
        rules=[rule],
    )


class TestRules:
    @pytest.mark.parametrize(
        ("answer", "values", "holds"),
        [
            (Value("v"), {0: "1", 1: "v"}, []),
            (Value(None), {0: "1", 1: None}, []),
            (LeaveAlone(), {0: "1"}, []),
            (Hold(code="no-exchange-rate", words="w"), {0: "1"}, ["no-exchange-rate"]),
            (Value("longer"), {0: "1"}, ["too-long"]),
        ],
    )
    def test_a_rule_supplies_the_value(self, answer: RuleResult, values: Any, holds: list[str]) -> None:
        result = moved(ruled(Answering(answer)), {"a": "1", "b": "2"}, Side.LOCAL)
        assert result.values == values
        assert [hold.code for hold in result.holds.values()] == holds
        assert result.ineligible is None

    def test_a_rule_says_that_the_record_is_none_of_the_mapping(self) -> None:
        result = moved(ruled(Answering(Ineligible("a company"))), {"a": "1"}, Side.LOCAL)
        assert result.ineligible == "a company"

    def test_a_rule_is_asked_with_its_facts(self) -> None:
        rule = Answering(Value("v"))
        transfer(ruled(rule), record("L", {}), Side.LOCAL, Resolved({}, {1: "facts"}), creating=True)
        assert rule.asked == [(Side.LOCAL, "facts", True)]

    def test_waiting_for_a_partner_may_clear_the_value(self) -> None:
        hold = Hold(code="waiting-for-partner", words="w")
        result = moved(ruled(Answering(hold), clear_value_on_failed_sync=True), {}, Side.LOCAL)
        assert result.values == {0: None, 1: None}
        assert result.holds == {1: hold}

    def test_what_a_rule_looks_at_is_read(self) -> None:
        things = ruled(Answering(LeaveAlone()))
        assert things.reads(Side.LOCAL) == ("a", "b", "id", "extra")
        assert things.reads(Side.REMOTE) == ("x", "y", "id")

    async def test_facts_are_gathered_for_the_page(self) -> None:
        things = ruled(Answering(LeaveAlone()))
        page = [record("1", {}), record("2", {})]
        assert await things.prepare(page, Side.REMOTE, Coupled({})) == {1: ("b", ["1", "2"], Side.REMOTE)}
        assert await things.prepare([], Side.REMOTE, Coupled({})) == {}

    async def test_for_creation_only_those_that_are_not_coupled(self) -> None:
        things = ruled(Answering(LeaveAlone()), create_only=True)
        page = [record("1", {}), record("2", {})]
        assert await things.prepare(page, Side.LOCAL, Coupled({"1"})) == {1: ("b", ["2"], Side.LOCAL)}
        assert await things.prepare(page, Side.LOCAL, Coupled({}), {"1"}) == {1: ("b", ["1"], Side.LOCAL)}


class Coupled:
    """What rules may ask for, as far as compiling uses it."""

    def __init__(self, ids: Any) -> None:
        self.ids = ids

    def coupled(self, mapping: str, side: Side, values: Any, by_key: bool) -> Any:
        assert (mapping, by_key) == ("THINGS", False)
        return {value: coupling() for value in values if value in self.ids}
