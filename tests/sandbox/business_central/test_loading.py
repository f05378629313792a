"""Filling tables with many records, and what the data sets of the sandbox make of them."""

import pytest

from crosstie.sandbox import data

from .service import COMPANY_ID, SYNC, Service

TERMS = "22222222-2222-3333-4444-555555555555"


def test_rows_are_typed_and_normalised_like_requests(service: Service) -> None:
    service.system.insert_many("paymentTerms", [{"id": TERMS, "code": "net 30"}])
    row = {"number": "c1", "displayName": "Adatum", "paymentTermsId": TERMS, "currencyCode": "GBP", "blocked": " "}
    service.system.insert_many("customers", [{**row, "lastModifiedDateTime": "2020-01-01T10:00:00Z"}])
    customer = service.one("customers")
    assert (customer["number"], customer["paymentTermsId"], customer["blocked"]) == ("C1", TERMS, "_x0020_")
    assert customer["lastModifiedDateTime"] == "2020-01-01T10:00:00Z"
    assert service.one("syncCustomers", SYNC)["currencyCode"] == ""
    assert service.get("contacts").rows == []


def test_a_row_may_use_the_properties_of_every_page_over_the_table(service: Service) -> None:
    service.system.insert_many("customers", [{"number": "C1", "displayName": "Adatum", "faxNo": "1"}])
    service.system.insert_many(
        "contacts",
        [
            {"number": "CT1", "type": "Company", "displayName": "Adatum"},
            {
                "number": "CT2",
                "type": "Person",
                "firstName": "A",
                "surname": "B",
                "displayName": "A B",
                "jobTitle": "X",
            },
            {"number": "CT3", "type": "Person", "displayName": "C D", "companyNumber": "CT1", "companyName": "Adatum"},
        ],
    )
    relations = [{"contactNo": "CT1", "linkType": "Customer", "linkNo": "C1"}]
    service.system.insert_many("contactBusinessRelations", relations)
    company, alone, person = service.get("syncContacts", SYNC).rows
    assert (company["companyNumber"], company["businessRelationNumber"]) == ("CT1", "C1")
    assert (person["surname"], person["businessRelationNumber"]) == ("D", "C1")
    assert (alone["businessRelationType"], alone["firstName"]) == ("_x0020_", "A")
    assert service.get("contacts").column("contactBusinessRelation") == ["Customer", "None", "Customer"]


def test_numbers_are_given_where_none_is(service: Service) -> None:
    service.system.insert_many("customers", [{"displayName": name} for name in "AB"])
    assert service.get("customers").column("number") == ["C00010", "C00020"]


def test_setup_tables_are_changed(service: Service) -> None:
    service.system.insert_many("generalLedgerSetup", [{"localCurrencyCode": "EUR"}])
    assert service.one("generalLedgerSetup")["localCurrencyCode"] == "EUR"
    service.system.insert_many("companies", [{"id": COMPANY_ID, "name": "New Name"}])
    assert service.get("companies('New Name')/customers").status == 200


@pytest.mark.parametrize(
    ("table", "row", "word"),
    [
        ("strangers", {}, "strangers"),
        ("customers", {"size": 1}, "size"),
        ("customers", {"displayName": "x" * 101}, "101"),
        ("customers", {"paymentTermsId": TERMS}, TERMS),
    ],
)
def test_a_row_that_does_not_fit_names_itself(service: Service, table: str, row: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        service.system.insert_many(table, [row])


def test_a_key_that_comes_twice_is_an_error_and_nothing_stays(service: Service) -> None:
    with pytest.raises(ValueError, match="twice"):
        service.system.insert_many("customers", [{"number": "C1"}, {"number": "C1"}])
    assert service.system.counts()["customers"] == 0


@pytest.mark.parametrize("name", ["empty", "demo", "generate:50"])
def test_the_data_sets_load_and_hang_together(service: Service, name: str) -> None:
    for table, rows in data.tables("business_central", data.parse(name), service.clock.now()):
        service.system.insert_many(table, rows)
    customers = service.get("syncCustomers", SYNC).rows
    relations = service.get("contactBusinessRelations", SYNC).rows
    contacts = {row["number"] for row in service.get("contacts").rows}
    linked = {row["linkNo"]: row["contactNo"] for row in relations if row["linkType"] == "Customer"}
    assert set(linked.values()) <= contacts
    assert set(linked) <= {row["number"] for row in customers}
    if name != "empty":
        assert customers
        first = next(row for row in customers if row["number"] in linked)
        service.changed(f"syncCustomers({first['id']})", {"faxNo": "12345"}, SYNC)
        mirrored = service.one(f"syncContacts?$filter=number eq '{linked[first['number']]}'", SYNC)
        assert mirrored["faxNumber"] == "12345"


def test_counts_name_every_table_once(service: Service) -> None:
    service.made("customers", {"displayName": "A"})
    counts = service.system.counts()
    assert (counts["customers"], counts["contacts"], counts["contactBusinessRelations"]) == (1, 1, 1)
    assert "syncCustomers" not in counts
    assert "customerFinancialDetails" not in counts
