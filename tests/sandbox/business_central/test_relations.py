"""Codes and ids that must name a record, and currencies (wire-businesscentral section 5)."""

import pytest

from .service import NO_ID, SYNC, Service


def id_of(service: Service, name: str, code: str) -> str:
    return str(service.one(f"{name}?$filter=code eq '{code}'")["id"])


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("currencyCode", "XXX"),
        ("salespersonCode", "NOBODY"),
        ("currencyId", "11111111-2222-3333-4444-555555555555"),
        ("paymentTermsId", "11111111-2222-3333-4444-555555555555"),
        ("shipmentMethodId", "11111111-2222-3333-4444-555555555555"),
    ],
)
def test_an_unknown_code_or_id_is_refused(stocked: Service, given: str, value: str) -> None:
    answer = stocked.post("customers", {"displayName": "A", given: value})
    assert answer.refusal == (400, "Internal_InvalidTableRelation")
    assert given in answer.message or value in answer.message


def test_a_code_whose_record_is_gone_may_come_back_as_it_is(stocked: Service) -> None:
    made = stocked.made("customers", {"displayName": "A", "currencyCode": "EUR"})
    stocked.delete(f"currencies({id_of(stocked, 'currencies', 'EUR')})")
    after = stocked.changed(f"customers({made['id']})", {"currencyCode": "EUR", "city": "Ely"})
    assert (after["currencyCode"], after["currencyId"], after["city"]) == ("EUR", NO_ID, "Ely")


def test_countries_are_not_checked(service: Service) -> None:
    assert service.made("customers", {"displayName": "A", "country": "Narnia"})["country"] == "NARNIA"


@pytest.mark.parametrize(
    ("name", "given", "table", "code"),
    [
        ("customers", "paymentTermsId", "paymentTerms", "NET 30"),
        ("customers", "shipmentMethodId", "shipmentMethods", "FOB"),
        ("customers", "paymentMethodId", "paymentMethods", "BANK"),
        ("vendors", "paymentTermsId", "paymentTerms", "NET 30"),
        ("vendors", "currencyId", "currencies", "EUR"),
    ],
)
def test_ids_lead_to_records(stocked: Service, name: str, given: str, table: str, code: str) -> None:
    id = id_of(stocked, table, code)
    made = stocked.made(name, {"displayName": "A", given: id})
    assert made[given] == id
    assert stocked.changed(f"{name}({made['id']})", {given: NO_ID})[given] == NO_ID


def test_currency_code_and_id_are_one_thing(stocked: Service) -> None:
    euro = id_of(stocked, "currencies", "EUR")
    by_id = stocked.made("customers", {"displayName": "A", "currencyId": euro})
    assert by_id["currencyCode"] == "EUR"
    by_code = stocked.made("customers", {"displayName": "B", "currencyCode": "eur"})
    assert by_code["currencyId"] == euro
    both = stocked.made("customers", {"displayName": "C", "currencyId": euro, "currencyCode": "EUR"})
    assert both["currencyCode"] == "EUR"


@pytest.mark.parametrize("code", ["USD", "GBP", ""])
def test_a_currency_code_and_id_that_differ_are_refused(stocked: Service, code: str) -> None:
    euro = id_of(stocked, "currencies", "EUR")
    answer = stocked.post("customers", {"displayName": "A", "currencyId": euro, "currencyCode": code})
    assert answer.refusal == (400, "Internal_InvalidTableRelation")


@pytest.mark.parametrize("code", ["", "GBP", "gbp", None])
def test_the_local_currency_is_blank_and_shows_its_code(stocked: Service, code: str | None) -> None:
    made = stocked.made("customers", {"displayName": "A", "currencyCode": code})
    assert (made["currencyCode"], made["currencyId"]) == ("GBP", NO_ID)
    assert stocked.one("syncCustomers", SYNC)["currencyCode"] == ""


def test_the_raw_page_takes_blank_and_not_the_local_code(stocked: Service) -> None:
    assert stocked.made("syncCustomers", {"displayName": "A", "currencyCode": ""}, SYNC)["currencyCode"] == ""
    answer = stocked.post("syncCustomers", {"displayName": "B", "currencyCode": "GBP"}, SYNC)
    assert answer.refusal == (400, "Internal_InvalidTableRelation")


def test_custom_pages_show_the_same_customer(stocked: Service) -> None:
    stocked.made("shippingAgents", {"code": "DHL", "name": "DHL"}, SYNC)
    body = {
        "number": "C1",
        "displayName": "Adatum",
        "paymentTermsCode": "net 30",
        "shipmentMethodCode": "FOB",
        "shippingAgentCode": "DHL",
        "faxNo": "1",
        "mobilePhoneNo": "2",
        "creditLimitLcy": 5000,
        "contactName": "Robert",
    }
    made = stocked.made("syncCustomers", body, SYNC)
    standard = stocked.get(f"customers({made['id']})").json
    assert standard["@odata.etag"] == made["@odata.etag"]
    assert standard["paymentTermsId"] == id_of(stocked, "paymentTerms", "NET 30")
    assert standard["creditLimit"] == 5000
    stocked.changed(f"customers({made['id']})", {"city": "Ely"})
    assert stocked.one("syncCustomers", SYNC)["city"] == "Ely"
    vendor = stocked.made("syncVendors", {"displayName": "V", "purchaserCode": "JOR", "faxNo": "3"}, SYNC)
    assert stocked.get(f"vendors({vendor['id']})").json["displayName"] == "V"
    assert vendor["purchaserCode"] == "JOR"


def test_items_pair_codes_with_ids(stocked: Service) -> None:
    stocked.made("unitsOfMeasure", {"code": "PCS", "displayName": "Piece"})
    category = stocked.made("itemCategories", {"code": "CHAIR", "displayName": "Chairs"})
    item = stocked.made(
        "items", {"displayName": "Chair", "itemCategoryId": category["id"], "baseUnitOfMeasureCode": "pcs"}
    )
    assert item["itemCategoryCode"] == "CHAIR"
    assert item["baseUnitOfMeasureId"] == id_of(stocked, "unitsOfMeasure", "PCS")
    shown = stocked.get(f"items({item['id']})?$expand=itemCategory,unitOfMeasure").json
    assert (shown["itemCategory"]["displayName"], shown["unitOfMeasure"]["displayName"]) == ("Chairs", "Piece")
