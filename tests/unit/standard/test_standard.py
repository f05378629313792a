"""The standard mappings: what they tie together, for each kind of environment."""

from itertools import product
from typing import Any

import msgspec
import pytest

from crosstie.engine.compiling import compile_mapping
from crosstie.engine.planning import order_mappings
from crosstie.model.errors import InvalidOption, UnknownMapping
from crosstie.model.filters import compile_filter
from crosstie.model.mappings import (
    DeletionConflictResolution,
    Direction,
    FieldMapping,
    LocalReference,
    Lookup,
    Mapping,
    UpdateConflictResolution,
)
from crosstie.model.records import Side
from crosstie.rules import all_rules
from crosstie.standard import load_standard, standard_names
from tests.unit.standard.tables import table

COMPANY = "0d6b0d8e-0f65-4d9c-9a7c-8f8e4e5f1d11"
ENVIRONMENTS: list[dict[str, Any]] = [
    {"custom_pages": pages, "company_row_id": company, "ownership": ownership}
    for pages, company, ownership in product((False, True), (None, COMPANY), ("person", "team"))
]
ALL = standard_names()


def one(name: str, **environment: Any) -> Mapping:
    (found,) = load_standard([name], **environment)
    return found


def rows(mapping: Mapping) -> dict[str, FieldMapping]:
    return {row.label: row for row in mapping.fields}


def test_the_seven_mappings_in_their_order() -> None:
    assert ALL == ("SALESPEOPLE", "CURRENCY", "PAYMENT TERMS", "SHIPMENT METHOD", "CUSTOMER", "VENDOR", "CONTACT")
    loaded = load_standard()
    assert tuple(mapping.name for mapping in loaded) == ALL
    assert tuple(mapping.name for mapping in order_mappings(loaded)) == ALL


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=str)
@pytest.mark.parametrize("name", ALL)
def test_each_fits_the_tables_of_both_systems(name: str, environment: dict[str, Any]) -> None:
    """Also with every field mapping that is switched off switched on, where it does not clash with another one."""
    mapping = one(name, **environment)
    local, remote = table(mapping.local_table), table(mapping.remote_table)
    compile_mapping(mapping, local, remote, all_rules())
    for row in mapping.fields:
        if not row.enabled and name != "SALESPEOPLE":
            others = tuple(other for other in mapping.fields if other != row)
            enabled = (*others, msgspec.structs.replace(row, enabled=True))
            compile_mapping(msgspec.structs.replace(mapping, fields=enabled), local, remote, all_rules())
    for side, text in ((local, mapping.local_filter), (remote, mapping.remote_filter)):
        if text is not None:
            assert compile_filter(text, side).fields


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=str)
@pytest.mark.parametrize("name", ALL)
def test_each_field_mapping_has_a_caption_of_its_own(name: str, environment: dict[str, Any]) -> None:
    labels = [row.label for row in one(name, **environment).fields]
    assert all(labels)
    assert len(set(labels)) == len(labels)


class TestTables:
    @pytest.mark.parametrize(
        ("name", "direction", "local", "remote"),
        [
            ("SALESPEOPLE", Direction.FROM_REMOTE, "salespeoplePurchasers", "systemuser"),
            ("CURRENCY", Direction.TO_REMOTE, "currencies", "transactioncurrency"),
            ("PAYMENT TERMS", Direction.TO_REMOTE, "paymentTerms", "account.paymenttermscode"),
            ("SHIPMENT METHOD", Direction.TO_REMOTE, "shipmentMethods", "account.address1_freighttermscode"),
            ("CUSTOMER", Direction.BIDIRECTIONAL, "customers", "account"),
            ("VENDOR", Direction.BIDIRECTIONAL, "vendors", "account"),
            ("CONTACT", Direction.BIDIRECTIONAL, "crosstie/sync/v1.0/syncContacts", "contact"),
        ],
    )
    def test_directions_and_tables(self, name: str, direction: Direction, local: str, remote: str) -> None:
        """
        behaviour: CRMIntegrationMapping/PaymentTermsMappedToPaymentTermsCodeEnum
        behaviour: CRMIntegrationMapping/ShipmentMethodMappedToFreightTermsCodeEnum
        """
        mapping = one(name)
        assert (mapping.direction, mapping.local_table, mapping.remote_table) == (direction, local, remote)
        assert mapping.only_coupled
        assert mapping.update_conflict is UpdateConflictResolution.ASK
        assert mapping.deletion_conflict is DeletionConflictResolution.ASK

    @pytest.mark.parametrize("name", ["CUSTOMER", "VENDOR"])
    def test_the_custom_page_carries_every_field(self, name: str) -> None:
        lacking = {"Contact", "Fax No.", "Primary Contact No.", "Mobile Phone No.", "Shipment Method Code"}
        standard, custom = rows(one(name)), rows(one(name, custom_pages=True))
        assert one(name, custom_pages=True).local_table == f"crosstie/sync/v1.0/sync{name.title()}s"
        assert set(standard) < set(custom) | {"Owner"}
        assert lacking <= set(custom)
        assert custom["Country/Region Code"].local_field == "countryCode"
        assert standard["Country/Region Code"].local_field == "country"


class TestFilters:
    def test_customers_and_their_accounts(self) -> None:
        """behaviour: CRMIntegrationMgtTest/DefaultTableMappingCustomer"""
        mapping = one("CUSTOMER", company_row_id=COMPANY)
        assert mapping.local_filter == "blocked eq null"
        assert mapping.remote_filter == (
            f"statecode eq 0 and customertypecode eq 3 and (bcbi_companyid eq {COMPANY} or bcbi_companyid eq null)"
        )
        accounts = compile_filter(mapping.remote_filter, table("account"))
        account = {"statecode": 0, "customertypecode": 3, "bcbi_companyid": None}
        assert accounts.admits(account)
        assert accounts.admits({**account, "bcbi_companyid": COMPANY})
        assert not accounts.admits({**account, "bcbi_companyid": "11111111-aaaa-4bbb-8ccc-222222222222"})
        assert not accounts.admits({**account, "customertypecode": 11})
        assert not accounts.admits({**account, "statecode": 1})
        customers = compile_filter(mapping.local_filter, table("customers"))
        assert customers.admits({"blocked": None})
        assert not customers.admits({"blocked": "Ship"})

    def test_vendors(self) -> None:
        """behaviour: CRMIntegrationMgtTest/DefaultTableMappingVendor"""
        mapping = one("VENDOR")
        assert mapping.local_filter == "blocked eq null"
        assert mapping.remote_filter == "statecode eq 0 and customertypecode eq 11"

    def test_contacts_are_persons_of_a_company(self) -> None:
        mapping = one("CONTACT")
        assert mapping.local_filter == "type eq 'Person' and companyNumber ne null"
        assert mapping.remote_filter == "statecode eq 0 and parentcustomerid ne null"

    def test_users_that_people_work_as(self) -> None:
        """behaviour: CRMIntegrationMgtTest/DefaultTableMappingSalesPerson"""
        mapping = one("SALESPEOPLE")
        assert mapping.local_filter is None
        assert mapping.remote_filter == "isdisabled eq false and islicensed eq true and isintegrationuser eq false"

    def test_without_the_company_nothing_asks_for_it(self) -> None:
        for mapping in load_standard():
            assert "bcbi_companyid" not in (mapping.remote_filter or "")
            assert all(row.remote_field != "bcbi_companyid" for row in mapping.fields)

    @pytest.mark.parametrize("name", ["CUSTOMER", "VENDOR", "CONTACT"])
    def test_with_the_company_records_are_stamped(self, name: str) -> None:
        stamp = rows(one(name, company_row_id=COMPANY))["Company"]
        assert (stamp.rule, stamp.remote_field, stamp.direction) == (
            "company_id",
            "bcbi_companyid",
            Direction.TO_REMOTE,
        )


class TestOwnership:
    def test_a_person_owns_through_the_salesperson(self) -> None:
        """behaviour: CRMIntegrationMapping/CustomerMappedToCRMAccount"""
        owner = rows(one("CUSTOMER"))["Salesperson Code"]
        assert (owner.rule, owner.remote_field, owner.not_null) == ("owner", "ownerid", True)
        assert owner.direction is Direction.TO_REMOTE
        assert not rows(one("CUSTOMER"))["County"].not_null
        assert rows(one("VENDOR", custom_pages=True))["Purchaser Code"].rule == "owner"

    def test_vendors_of_the_standard_page_have_no_purchaser(self) -> None:
        assert rows(one("VENDOR"))["Owner"].rule == "owning_team"

    def test_a_team_owns_new_records_and_salespeople_are_not_synchronised(self) -> None:
        team = load_standard(ownership="team")
        assert [mapping.enabled for mapping in team] == [False, True, True, True, True, True, True]
        for mapping in team[4:]:
            owner = rows(mapping)["Owner"]
            assert (owner.rule, owner.create_only) == ("owning_team", True)
            assert "Salesperson Code" not in rows(mapping)
            assert "SALESPEOPLE" not in mapping.depends_on

    def test_dependencies(self) -> None:
        """CUSTOMER and VENDOR wait for what they refer to, CONTACT for both (engine rule J-13)."""
        assert one("CUSTOMER").depends_on == ("SALESPEOPLE", "CURRENCY", "PAYMENT TERMS", "SHIPMENT METHOD")
        assert one("VENDOR").depends_on == one("CUSTOMER").depends_on
        assert one("CONTACT").depends_on == ("CUSTOMER", "VENDOR")


class TestFields:
    def test_terms_go_by_id_on_the_standard_page_and_by_code_on_the_custom_one(self) -> None:
        by_id, by_code = rows(one("CUSTOMER")), rows(one("CUSTOMER", custom_pages=True))
        assert by_id["Payment Terms Code"].lookup == Lookup(mapping="PAYMENT TERMS", local_reference=LocalReference.ID)
        assert by_code["Payment Terms Code"].lookup == Lookup(mapping="PAYMENT TERMS")
        assert by_code["Shipment Method Code"].lookup == Lookup(mapping="SHIPMENT METHOD")

    @pytest.mark.parametrize(("name", "type"), [("CUSTOMER", 3), ("VENDOR", 11)])
    def test_new_accounts_are_told_what_they_are(self, name: str, type: int) -> None:
        row = rows(one(name))["Relationship Type"]
        assert (row.constant, row.create_only, row.direction) == (type, True, Direction.TO_REMOTE)

    def test_the_primary_contact_is_cleared_while_it_is_not_coupled(self) -> None:
        row = rows(one("CUSTOMER", custom_pages=True))["Primary Contact No."]
        assert row.clear_value_on_failed_sync
        assert row.lookup == Lookup(mapping="CONTACT")

    def test_name_parts_come_in_the_order_in_which_a_name_is_put_together(self) -> None:
        names = [row.label for row in one("CONTACT").fields]
        places = [names.index(part) for part in ("First Name", "Middle Name", "Surname")]
        assert places == sorted(places)

    def test_what_is_there_and_switched_off(self) -> None:
        off = {mapping.name: [row.label for row in mapping.fields if not row.enabled] for mapping in load_standard()}
        assert {name: labels for name, labels in off.items() if labels} == {
            "SALESPEOPLE": ["Job Title", "E-Mail 2"],
            "CUSTOMER": ["No."],
            "VENDOR": ["No."],
            "CONTACT": ["Salutation Code"],
        }

    def test_matching_out_of_the_box(self) -> None:
        """Currencies and options are matched on their code, brought in step, and created where none matches (M-18)."""
        for mapping in load_standard():
            matched = [row.label for row in mapping.fields if row.match_priority is not None]
            by_itself = mapping.name in ("CURRENCY", "PAYMENT TERMS", "SHIPMENT METHOD")
            assert matched == (["Code"] if by_itself else [])
            assert (mapping.synchronise_after_match, mapping.create_if_no_match) == (by_itself, by_itself)

    def test_what_is_read_of_a_contact_includes_the_relation_of_its_company(self) -> None:
        contact = one("CONTACT")
        compiled = compile_mapping(contact, table(contact.local_table), table("contact"), all_rules())
        assert {"businessRelationType", "businessRelationNumber"} <= set(compiled.reads(Side.LOCAL))


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownMapping, match="'CUSTOMERS' is not a standard mapping; those are: SALESPEOPLE, "):
        load_standard(["CUSTOMERS"])


def test_an_unknown_ownership_model_is_refused() -> None:
    with pytest.raises(InvalidOption, match="person or team"):
        load_standard(ownership="queue")
