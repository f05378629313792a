"""What a record needs as a whole: merging, problems, filters, creation, deletion."""

from typing import Any

import pytest

from crosstie.model.base import Base
from crosstie.model.decisions import FieldAction, Preference, RecordAction, Request
from crosstie.model.mappings import DeletionConflictResolution, Lookup, UpdateConflictResolution
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Side
from crosstie.model.schema import FieldType
from tests.unit.engine.pairs import (
    BOTH_WAYS,
    FROM_REMOTE,
    TO_REMOTE,
    compiled,
    coupling,
    decided,
    field,
    record,
    resolved,
    row,
    table,
)

SEND, GET = Preference.SEND, Preference.GET
ON_PURPOSE = Request(on_purpose=True)
CUSTOMERS = compiled(
    [
        row("name", "fullname", label="Name"),
        row("city", "town", label="City"),
        row("credit", "limit", TO_REMOTE, label="Credit Limit"),
        row("rating", "grade", FROM_REMOTE, label="Rating"),
    ]
)
LOCAL = {"name": "Adatum", "city": "Ely", "credit": "5", "rating": "A"}
REMOTE = {"fullname": "Adatum", "town": "Ely", "limit": "5", "grade": "A"}
BASE = Base(dict(LOCAL), dict(REMOTE))


def here(**changes: Any) -> dict[str, Any]:
    return {**LOCAL, **changes}


def there(**changes: Any) -> dict[str, Any]:
    return {**REMOTE, **changes}


class TestBothSidesHaveARecord:
    def test_nothing_changed(self) -> None:
        """behaviour: IntegrationRecordSynchTest/VerifyTransferFieldsExistingRecord"""
        decision = decided(CUSTOMERS, LOCAL, REMOTE, BASE)
        assert decision.action is RecordAction.UNCHANGED
        assert decision.fields == ()

    def test_only_unmapped_fields_changed(self) -> None:
        """
        behaviour: CRMEntitySynchTest/IgnoreUnchangedWhenNoFieldsWereModifiedButSourceAndDestinationInConflict
        behaviour: IntegrationRecordSynchTest/VerifyModifiedFlagsAfterFieldsTransferWithUnchangedUnmappedField
        """
        decision = decided(CUSTOMERS, here(note="new"), there(remark="other"), BASE)
        assert decision.action is RecordAction.UNCHANGED

    def test_edits_of_different_fields_merge(self) -> None:
        decision = decided(CUSTOMERS, here(name="Adatum Ltd"), there(town="Ware"), BASE)
        assert decision.action is RecordAction.UPDATE
        assert decision.to_remote == {"fullname": "Adatum Ltd"}
        assert decision.to_local == {"city": "Ware"}
        assert decision.problem_code is None

    def test_the_same_edit_on_both_sides_only_moves_the_base(self) -> None:
        decision = decided(CUSTOMERS, here(city="Ware"), there(town="Ware"), BASE)
        assert decision.action is RecordAction.AGREE
        assert (decision.to_remote, decision.to_local) == ({}, {})
        assert decision.reason == "changed on both sides to the same value"

    def test_a_conflict_shows_base_and_both_values(self) -> None:
        """behaviour: CRMSynchNotifications/LastSyncFailedBothRecsChangedMarkedCRMIntegrationRec"""
        decision = decided(CUSTOMERS, here(city="Ware"), there(town="Hitchin"), BASE)
        assert decision.action is RecordAction.FAIL
        assert decision.problem_code == "conflict"
        assert decision.problem_words == "City changed on both sides to different values."
        (problem,) = decision.problem_fields
        assert (problem.label, problem.base_local, problem.local, problem.remote) == ("City", "Ely", "Ware", "Hitchin")

    def test_a_conflict_in_one_field_does_not_keep_others_from_merging(self) -> None:
        decision = decided(CUSTOMERS, here(city="Ware", name="Adatum Ltd"), there(town="Hitchin"), BASE)
        assert decision.action is RecordAction.UPDATE
        assert decision.to_remote == {"fullname": "Adatum Ltd"}
        assert decision.problem_code == "conflict"
        assert [f.field for f in decision.problem_fields] == ["city"]

    def test_a_conflict_beside_an_agreement_moves_only_the_base(self) -> None:
        decision = decided(CUSTOMERS, here(city="Ware", name="B"), there(town="Hitchin", fullname="B"), BASE)
        assert decision.action is RecordAction.AGREE
        assert decision.problem_code == "conflict"

    def test_the_policy_of_the_field_goes_before_that_of_the_mapping(self) -> None:
        things = compiled(
            [
                row("a", "x", conflict_resolution=UpdateConflictResolution.GET),
                row("b", "y"),
            ],
            update_conflict=UpdateConflictResolution.SEND,
        )
        base = Base({"a": "1", "b": "1"}, {"x": "1", "y": "1"})
        decision = decided(things, {"a": "2", "b": "2"}, {"x": "3", "y": "3"}, base)
        assert (decision.to_local, decision.to_remote) == ({"a": "3"}, {"y": "2"})
        assert [(f.name, f.lost) for f in decision.fields] == [("a", "2"), ("b", "3")]

    def test_just_coupled_the_chosen_side_wins(self) -> None:
        decision = decided(CUSTOMERS, here(city="Ware"), there(fullname="Other"), request=Request(preference=SEND))
        assert decision.to_remote == {"fullname": "Adatum", "town": "Ware"}
        assert decision.to_local == {}

    def test_sending_writes_nothing_to_this_side(self) -> None:
        decision = decided(CUSTOMERS, LOCAL, there(grade="B", town="Ware"), BASE, Request(preference=SEND))
        assert decision.to_local == {}
        assert decision.to_remote == {"town": "Ely"}
        grade = next(f for f in decision.fields if f.name == "rating")
        assert (grade.action, grade.reason) == (FieldAction.KEEP, "only the other direction was asked for")

    def test_a_new_field_mapping_starts_without_base(self) -> None:
        decision = decided(CUSTOMERS, here(city=None), REMOTE, Base({**LOCAL, "city": None}, {"fullname": "Adatum"}))
        assert decision.to_local == {"city": "Ely"}

    def test_drift_is_told_and_moves_the_base(self) -> None:
        decision = decided(CUSTOMERS, LOCAL, there(limit="9"), BASE)
        assert decision.action is RecordAction.AGREE
        assert decision.fields[0].reason == "changed remotely, where it does not count"

    def test_a_side_that_was_not_read_needs_no_transfer(self) -> None:
        decision = decided(CUSTOMERS, here(city="Ware"), record("R", REMOTE), BASE, remote_assumed=True)
        assert decision.to_remote == {"town": "Ware"}


class TestFilters:
    @pytest.mark.parametrize("traits", [{"local_in_filter": False}, {"remote_in_filter": False}])
    def test_a_coupled_record_out_of_the_filter_is_skipped(self, traits: dict[str, bool]) -> None:
        decision = decided(CUSTOMERS, here(city="Ware"), REMOTE, BASE, **traits)
        assert decision.action is RecordAction.SKIP
        assert "out of filter" in decision.reason

    def test_a_person_who_names_it_gets_it_synchronised(self) -> None:
        decision = decided(CUSTOMERS, here(city="Ware"), REMOTE, BASE, ON_PURPOSE, local_in_filter=False)
        assert decision.to_remote == {"town": "Ware"}

    def test_an_uncoupled_one_is_ignored(self) -> None:
        request = Request(create_remote=True)
        decision = decided(CUSTOMERS, LOCAL, None, request=request, coupling=None, local_in_filter=False)
        assert decision.action is RecordAction.IGNORE

    def test_a_person_who_wants_to_create_its_partner_is_told(self) -> None:
        request = Request(create_remote=True, on_purpose=True)
        decision = decided(CUSTOMERS, LOCAL, None, request=request, coupling=None, local_in_filter=False)
        assert (decision.action, decision.problem_code) == (RecordAction.FAIL, "not-eligible")


class TestCreation:
    @pytest.mark.parametrize("request_", [Request(), Request(create_local=True)])
    def test_a_record_without_partner_is_ignored_unless_asked(self, request_: Request) -> None:
        """behaviour: CRMSynchJobScenarios/SynchOnlyCoupledRecordsMapping"""
        decision = decided(CUSTOMERS, LOCAL, None, request=request_, coupling=None)
        assert decision.action is RecordAction.IGNORE

    def test_local_to_remote(self) -> None:
        """behaviour: IntegrationTableSynchTest/SynchNewRecord"""
        decision = decided(CUSTOMERS, here(city=None), None, request=Request(create_remote=True), coupling=None)
        assert decision.action is RecordAction.CREATE_REMOTE
        assert decision.to_remote == {"fullname": "Adatum", "limit": "5"}
        assert decision.to_local == {}

    def test_remote_to_local(self) -> None:
        """behaviour: IntegrationTableSynchTest/SynchNewIntegrationTableRecord"""
        decision = decided(CUSTOMERS, None, REMOTE, request=Request(create_local=True), coupling=None)
        assert decision.action is RecordAction.CREATE_LOCAL
        assert decision.to_local == {"name": "Adatum", "city": "Ely", "rating": "A"}

    def test_not_against_the_direction_of_the_mapping(self) -> None:
        things = compiled([row("a", "x", TO_REMOTE)], direction=TO_REMOTE)
        decision = decided(things, None, {"x": "1"}, request=Request(create_local=True), coupling=None)
        assert decision.action is RecordAction.IGNORE

    def test_not_against_the_direction_that_a_person_chose(self) -> None:
        request = Request(create_remote=True, create_local=True, preference=GET)
        assert decided(CUSTOMERS, LOCAL, None, request=request, coupling=None).action is RecordAction.IGNORE

    def test_not_where_the_table_takes_no_new_records(self) -> None:
        users = table("user", field("x"), creatable=False)
        things = compiled([row("a", "x")], remote=users)
        request = Request(create_remote=True)
        assert decided(things, {"a": "1"}, None, request=request, coupling=None).action is RecordAction.IGNORE
        request = Request(create_remote=True, on_purpose=True)
        assert decided(things, {"a": "1"}, None, request=request, coupling=None).action is RecordAction.FAIL

    def test_any_field_that_cannot_be_transferred_fails_it(self) -> None:
        things = compiled([row("a", "x"), row("b", "y")], remote=table("thing", field("x", max_length=3), field("y")))
        request = Request(create_remote=True)
        decision = decided(things, {"a": "long", "b": "1"}, None, request=request, coupling=None)
        assert (decision.action, decision.problem_code) == (RecordAction.FAIL, "too-long")
        assert decision.to_remote == {}
        assert "'long' has 4 characters, and x holds 3" in decision.problem_words

    def test_create_only_values_are_written_then_and_never_again(self) -> None:
        things = compiled([row("a", "x"), row(None, "type", TO_REMOTE, constant="3", create_only=True)])
        new = decided(things, {"a": "1"}, None, request=Request(create_remote=True), coupling=None)
        assert new.to_remote == {"x": "1", "type": "3"}
        base = Base({"a": "1"}, {"x": "1", "type": "3"})
        later = decided(things, {"a": "2"}, {"x": "1", "type": "8"}, base, ON_PURPOSE)
        assert later.to_remote == {"x": "2"}

    def test_values_that_the_other_side_takes_on_creation_only_are_not_updated(self) -> None:
        currencies = table("currency", field("iso", updatable=False), field("text"))
        things = compiled([row("code", "iso", TO_REMOTE), row("name", "text")], remote=currencies)
        new = decided(things, {"code": "EUR", "name": "e"}, None, request=Request(create_remote=True), coupling=None)
        assert new.to_remote == {"iso": "EUR", "text": "e"}
        base = Base({"code": "EUR", "name": "e"}, {"iso": "EUR", "text": "e"})
        later = decided(things, {"code": "EUX", "name": "e"}, {"iso": "EUR", "text": "e"}, base)
        assert later.action is RecordAction.AGREE
        assert later.fields[0].reason == "left alone on the other side"

    def test_two_records_that_are_about_to_be_coupled_are_merged(self) -> None:
        decision = decided(CUSTOMERS, here(city=None), REMOTE, coupling=None)
        assert decision.to_local == {"city": "Ely"}


def deletion(policy: DeletionConflictResolution, **traits: Any) -> Any:
    rows = [row("name", "fullname", traits.get("direction", BOTH_WAYS))]
    return compiled(rows, deletion_conflict=policy, **traits)


ASK, RESTORE = DeletionConflictResolution.ASK, DeletionConflictResolution.RESTORE
UNCOUPLE, DELETE = DeletionConflictResolution.UNCOUPLE, DeletionConflictResolution.DELETE


class TestDeletion:
    @pytest.mark.parametrize("name", ["Adatum", "changed since"])
    def test_asked_about_whether_or_not_the_survivor_changed(self, name: str) -> None:
        base = Base({"name": "Adatum"}, {"fullname": "Adatum"})
        decision = decided(deletion(ASK), {"name": name}, None, base)
        assert (decision.action, decision.problem_code) == (RecordAction.DELETION_CONFLICT, "partner-deleted")
        assert decision.problem_words == "The remote record that it is coupled to was deleted."

    def test_restored_as_a_new_record(self) -> None:
        decision = decided(deletion(RESTORE), None, {"fullname": "Adatum"})
        assert decision.action is RecordAction.CREATE_LOCAL
        assert decision.to_local == {"name": "Adatum"}

    def test_uncoupled(self) -> None:
        """behaviour: IntegrationTableSynchTest/AutoResolveDeletedRecordRemoveCouplingBidirectionalOnlyCoupled"""
        assert decided(deletion(UNCOUPLE), None, {"fullname": "A"}).action is RecordAction.UNCOUPLE

    def test_deleted_too_with_its_unsynchronised_change_on_record(self) -> None:
        base = Base({"name": "Adatum"}, {"fullname": "Adatum"})
        decision = decided(deletion(DELETE), {"name": "Adatum Ltd"}, None, base)
        assert decision.action is RecordAction.DELETE_LOCAL
        assert [(f.name, f.local, f.lost) for f in decision.fields] == [("name", "Adatum Ltd", "Adatum Ltd")]
        assert decided(deletion(DELETE), None, {"fullname": "Adatum"}, base).action is RecordAction.DELETE_REMOTE

    @pytest.mark.parametrize(
        ("policy", "traits", "local", "remote"),
        [
            (RESTORE, {"direction": TO_REMOTE}, None, {"fullname": "A"}),
            (DELETE, {"direction": FROM_REMOTE}, None, {"fullname": "A"}),
            (RESTORE, {"local": table("things", field("name"), creatable=False)}, None, {"fullname": "A"}),
            (DELETE, {"local": table("things", field("name"), deletable=False)}, {"name": "A"}, None),
        ],
        ids=["restore against direction", "delete against direction", "cannot be created", "cannot be deleted"],
    )
    def test_asked_about_where_the_policy_cannot_be_followed(
        self, policy: DeletionConflictResolution, traits: dict[str, Any], local: Any, remote: Any
    ) -> None:
        assert decided(deletion(policy, **traits), local, remote).action is RecordAction.DELETION_CONFLICT

    @pytest.mark.parametrize(
        ("policy", "preference", "local", "remote"),
        [(RESTORE, SEND, None, {"fullname": "A"}), (DELETE, GET, None, {"fullname": "A"})],
    )
    def test_left_to_the_other_direction_where_that_is_the_one_to_settle_it(
        self, policy: DeletionConflictResolution, preference: Preference, local: Any, remote: Any
    ) -> None:
        decision = decided(deletion(policy), local, remote, request=Request(preference=preference))
        assert (decision.action, decision.reason) == (RecordAction.IGNORE, "only the other direction was asked for")
        named = decided(deletion(policy), local, remote, request=Request(preference=preference, on_purpose=True))
        assert (named.action, named.problem_code) == (RecordAction.DELETION_CONFLICT, "partner-deleted")

    def test_a_person_who_creates_it_anew_restores_it(self) -> None:
        """behaviour: CRMCouplingTest/SyncCustomerWithCorruptCouplingToNewCRMAccount"""
        request = Request(on_purpose=True, create_remote=True)
        decision = decided(deletion(ASK), {"name": "A"}, None, request=request)
        assert decision.action is RecordAction.CREATE_REMOTE

    def test_a_survivor_out_of_the_filter_is_left_alone(self) -> None:
        decision = decided(deletion(DELETE), {"name": "A"}, None, local_in_filter=False)
        assert decision.action is RecordAction.SKIP

    def test_both_sides_deleted(self) -> None:
        """behaviour: CRMSynchSkippedRecords/T180_CouplingDeletedOnOpenIfBothRecsDeleted"""
        decision = decided(deletion(ASK), None, None)
        assert (decision.action, decision.problem_code) == (RecordAction.UNCOUPLE, "both-deleted")

    def test_nothing_on_either_side_and_no_coupling(self) -> None:
        assert decided(deletion(ASK), None, None, coupling=None).action is RecordAction.IGNORE


TERMS = compiled(
    [
        row("name", "fullname", label="Name"),
        row("terms", "termscode", label="Payment Terms Code", lookup=Lookup(mapping="PAYMENT TERMS")),
    ],
    local=table("things", field("name"), field("terms", FieldType.CODE)),
    remote=table("thing", field("fullname"), field("termscode", FieldType.CHOICE, numeric_options=True)),
)
TERMS_BASE = Base({"name": "A", "terms": "COD"}, {"fullname": "A", "termscode": 1})


class TestWaiting:
    def test_a_field_that_waits_holds_itself_and_nothing_else(self) -> None:
        """behaviour: CRMEntitySynchTest/SyncMultipleCustomers"""
        local = {"name": "B", "terms": "JR"}
        decision = decided(TERMS, local, {"fullname": "A", "termscode": 1}, TERMS_BASE)
        assert decision.action is RecordAction.UPDATE
        assert decision.to_remote == {"fullname": "B"}
        assert decision.problem_code == "waiting-for-partner"
        assert decision.problem_words == "Payment Terms Code JR is not coupled (mapping PAYMENT TERMS)."
        assert decision.waits_for == (WaitsFor("PAYMENT TERMS", Side.LOCAL, "JR"),)

    def test_alone_it_fails_the_record(self) -> None:
        decision = decided(TERMS, {"name": "A", "terms": "JR"}, {"fullname": "A", "termscode": 1}, TERMS_BASE)
        assert decision.action is RecordAction.FAIL

    def test_a_value_that_was_brought_over_before_is_not_asked_for_again(self) -> None:
        decision = decided(TERMS, {"name": "B", "terms": "COD"}, {"fullname": "A", "termscode": 1}, TERMS_BASE)
        assert decision.problem_code is None

    def test_a_new_record_waits_as_a_whole(self) -> None:
        decision = decided(
            TERMS, {"name": "A", "terms": "JR"}, None, request=Request(create_remote=True), coupling=None
        )
        assert (decision.action, decision.problem_code) == (RecordAction.FAIL, "waiting-for-partner")
        assert decision.waits_for == (WaitsFor("PAYMENT TERMS", Side.LOCAL, "JR"),)

    def test_equal_by_the_other_way_round(self) -> None:
        known = resolved("PAYMENT TERMS", Side.REMOTE, False, {"2": coupling(local_key="JR", remote_id="2")})
        decision = decided(
            TERMS, {"name": "A", "terms": "JR"}, {"fullname": "A", "termscode": 2}, TERMS_BASE, fetched=known
        )
        assert decision.action is RecordAction.AGREE


class TestWaitingOnBothSides:
    """Two values that nobody can compare yet are no conflict."""

    def test_neither_is_coupled(self) -> None:
        local, remote = {"name": "A", "terms": "JR"}, {"fullname": "A", "termscode": 2}
        decision = decided(TERMS, local, remote, TERMS_BASE)
        assert (decision.action, decision.problem_code) == (RecordAction.FAIL, "waiting-for-partner")

    def test_one_of_them_is_coupled_to_something_else(self) -> None:
        known = resolved("PAYMENT TERMS", Side.REMOTE, False, {"2": coupling(local_key="OTHER", remote_id="2")})
        local, remote = {"name": "A", "terms": "JR"}, {"fullname": "A", "termscode": 2}
        decision = decided(TERMS, local, remote, TERMS_BASE, fetched=known)
        assert decision.problem_code == "conflict"


PRIMARY = compiled(
    [row("contact", "contactid", lookup=Lookup(mapping="CONTACT"), clear_value_on_failed_sync=True), row("n", "m")],
    local=table("things", field("contact", FieldType.CODE), field("n")),
    remote=table("thing", field("contactid", FieldType.LOOKUP, targets=("contact",)), field("m")),
)


class TestClearedMeanwhile:
    """A lookup that is cleared where its partner is not coupled, and that heals when it is."""

    def test_the_old_value_is_cleared_without_a_problem(self) -> None:
        """behaviour: CRMCouplingTest/NAVtoCRMSyncClearValueOnFailedSyncYes"""
        base = Base({"contact": "CT1", "n": "1"}, {"contactid": "c1", "m": "1"})
        decision = decided(PRIMARY, {"contact": "CT2", "n": "1"}, {"contactid": "c1", "m": "1"}, base)
        assert decision.action is RecordAction.UPDATE
        assert decision.to_remote == {"contactid": None}
        assert decision.problem_code is None
        assert decision.waits_for == (WaitsFor("CONTACT", Side.LOCAL, "CT2"),)

    def test_nothing_more_is_done_while_it_waits(self) -> None:
        base = Base({"n": "1"}, {"contactid": None, "m": "1"})
        decision = decided(PRIMARY, {"contact": "CT2", "n": "1"}, {"contactid": None, "m": "1"}, base)
        assert decision.action is RecordAction.UNCHANGED
        assert decision.waits_for == (WaitsFor("CONTACT", Side.LOCAL, "CT2"),)

    def test_it_is_filled_when_the_partner_is_coupled(self) -> None:
        base = Base({"n": "1"}, {"contactid": None, "m": "1"})
        known = resolved("CONTACT", Side.LOCAL, True, {"CT2": coupling(remote_id="c2")})
        decision = decided(PRIMARY, {"contact": "CT2", "n": "1"}, {"contactid": None, "m": "1"}, base, sent=known)
        assert decision.to_remote == {"contactid": "c2"}

    def test_another_value_there_meanwhile_is_a_conflict(self) -> None:
        base = Base({"n": "1"}, {"contactid": None, "m": "1"})
        known = resolved("CONTACT", Side.REMOTE, False, {"c9": coupling(local_key="CT9", remote_id="c9")})
        local, remote = {"contact": "CT2", "n": "1"}, {"contactid": "c9", "m": "1"}
        assert decided(PRIMARY, local, remote, base, fetched=known).problem_code == "conflict"

    def test_another_value_there_that_is_not_coupled_either_waits(self) -> None:
        base = Base({"n": "1"}, {"contactid": None, "m": "1"})
        decision = decided(PRIMARY, {"contact": "CT2", "n": "1"}, {"contactid": "c9", "m": "1"}, base)
        assert decision.problem_code == "waiting-for-partner"

    def test_a_new_record_goes_without_it(self) -> None:
        request = Request(create_remote=True)
        decision = decided(PRIMARY, {"contact": "CT2", "n": "1"}, None, request=request, coupling=None)
        assert (decision.action, decision.to_remote) == (RecordAction.CREATE_REMOTE, {"m": "1"})
        assert decision.waits_for == (WaitsFor("CONTACT", Side.LOCAL, "CT2"),)


def test_a_lookup_that_says_where_it_points_equals_the_plain_id() -> None:
    things = compiled(
        [row("person", "ownerid", TO_REMOTE, lookup=Lookup(mapping="SALESPEOPLE"))],
        direction=TO_REMOTE,
        remote=table("thing", field("ownerid", FieldType.LOOKUP, targets=("systemuser", "team"))),
    )
    known = resolved("SALESPEOPLE", Side.LOCAL, True, {"JR": coupling(remote_id="systemuser:u1")})
    decision = decided(things, {"person": "JR"}, {"ownerid": "u1"}, sent=known)
    assert decision.action is RecordAction.AGREE


def test_what_was_cut_is_told_beside_the_write() -> None:
    things = compiled(
        [row("a", "x", on_finding="warn"), row("b", "y")], remote=table("thing", field("x", max_length=3), field("y"))
    )
    base = Base({"a": "old", "b": "1"}, {"x": "old", "y": "1"})
    decision = decided(things, {"a": "longer", "b": "1"}, {"x": "old", "y": "1"}, base)
    assert decision.to_remote == {"x": "lon"}
    assert [(f.field, f.code) for f in decision.findings] == [("a", "too-long")]
    untold = decided(things, {"a": "old", "b": "2"}, {"x": "old", "y": "1"}, base)
    assert untold.findings == ()
