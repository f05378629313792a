"""Creating, changing, deleting: answers, etags, types, lengths, ids, numbers (wire-businesscentral 3 and 5)."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from .service import NO_ID, ROOT, SYNC, Service


@pytest.fixture
def customer(stocked: Service) -> dict[str, Any]:
    return stocked.made("customers", {"number": "C1", "displayName": "Adatum"})


def test_creating_answers_201_with_the_entity_and_its_address(service: Service) -> None:
    answer = service.post("customers", {"displayName": "Adatum"}, Prefer="return=representation")
    assert answer.status == 201
    assert answer.headers["location"].endswith(f"{ROOT}/customers({answer.json['id']})")
    assert answer.json["@odata.context"].endswith("$metadata#customers/$entity")


@pytest.mark.parametrize("prefer", ["return-no-content", "return=minimal"])
def test_a_client_may_prefer_no_content(service: Service, prefer: str) -> None:
    answer = service.post("customers", {"displayName": "Adatum"}, Prefer=prefer)
    assert (answer.status, answer.raw) == (204, b"")
    id = service.one("customers")["id"]
    assert answer.headers["location"].endswith(f"({id})")
    assert answer.headers["odata-entityid"].endswith(f"({id})")
    changed = service.patch(f"customers({id})", {"city": "Ely"}, Prefer=prefer)
    assert (changed.status, changed.raw) == (204, b"")
    assert service.one("customers")["city"] == "Ely"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"'])
def test_a_body_that_is_no_object_is_refused(service: Service, body: bytes) -> None:
    answer = service.call("POST", "customers", body)
    assert answer.refusal == (400, "BadRequest")
    assert "body" in answer.message


def test_numbers_come_from_the_series_and_step_over_what_is_taken(service: Service) -> None:
    service.made("customers", {"number": "C00020", "displayName": "Taken"})
    made = [service.made("customers", {"displayName": "A"})["number"] for _ in range(3)]
    assert made == ["C00010", "C00030", "C00040"]
    assert service.made("vendors", {"displayName": "V"})["number"] == "V00010"
    assert service.made("items", {"displayName": "I"})["number"] == "1000"
    assert service.made("contacts", {"displayName": "P"})["number"] == "CT000006"


@pytest.mark.parametrize("name", ["customers", "vendors", "contacts", "items"])
def test_numbers_by_hand_can_be_switched_off(service: Service, name: str) -> None:
    service.settings.change({f"manual_numbers_{name}": False})
    answer = service.post(name, {"number": "X1", "displayName": "A"})
    assert answer.refusal == (400, "Application_DialogException")
    assert "manually" in answer.message
    made = service.made(name, {"displayName": "A"})
    assert service.patch(f"{name}({made['id']})", {"number": "X1"}).refusal == (400, "Application_DialogException")


def test_a_client_may_choose_the_id_once(service: Service) -> None:
    id = str(uuid4())
    made = service.made("customers", {"id": id.upper(), "displayName": "Adatum"})
    assert made["id"] == id
    again = service.post("customers", {"id": id, "displayName": "Adatum"})
    assert again.refusal == (409, "Internal_EntityWithSameKeyExists")
    assert id in again.message
    assert service.get("customers/$count").raw == b"1"
    assert service.get("contacts/$count").raw == b"1"


def test_a_page_may_ignore_the_id_of_the_client(service: Service) -> None:
    service.settings.change({"ignore_client_ids": ["syncContacts"]})
    id = str(uuid4())
    assert service.made("syncContacts", {"id": id, "type": "Person", "firstName": "A"}, SYNC)["id"] != id
    assert service.made("contacts", {"id": id, "displayName": "A"})["id"] == id


def test_a_taken_number_is_refused(stocked: Service, customer: dict[str, Any]) -> None:
    answer = stocked.post("customers", {"number": "c1", "displayName": "B"})
    assert answer.refusal == (409, "Internal_EntityWithSameKeyExists")
    assert "No.='C1'" in answer.message
    other = stocked.made("customers", {"number": "C2", "displayName": "B"})
    renamed = stocked.patch(f"customers({other['id']})", {"number": "C1"})
    assert renamed.refusal == (409, "Internal_EntityWithSameKeyExists")
    assert stocked.post("currencies", {"code": "EUR"}).refusal == (409, "Internal_EntityWithSameKeyExists")


@pytest.mark.parametrize(
    ("given", "value", "stored"),
    [
        ("number", " ab-1 ", "AB-1"),
        ("displayName", " Adatum ", " Adatum "),
        ("country", "gb", "GB"),
        ("currencyCode", "eur", "EUR"),
        ("creditLimit", 12.34, 12.34),
        ("creditLimit", 5, 5),
        ("blocked", "All", "All"),
        ("blocked", " ", "_x0020_"),
        ("blocked", "_x0020_", "_x0020_"),
        ("type", "Person", "Person"),
        ("taxLiable", True, True),
        ("addressLine1", None, ""),
        ("creditLimit", None, 0),
        ("currencyId", None, NO_ID),
        ("city", "Ærøskøbing", "Ærøskøbing"),
    ],
)
def test_values_are_stored_the_services_way(stocked: Service, given: str, value: object, stored: object) -> None:
    made = stocked.made("customers", {"displayName": "A", given: value})
    assert made[given] == stored
    assert stocked.get(f"customers({made['id']})").json[given] == stored


@pytest.mark.parametrize(
    ("given", "value", "code"),
    [
        ("displayName", "x" * 101, "Application_StringExceededLength"),
        ("number", "x" * 21, "Application_StringExceededLength"),
        ("taxRegistrationNumber", "x" * 21, "Application_StringExceededLength"),
        ("displayName", 5, "BadRequest"),
        ("creditLimit", "5", "BadRequest"),
        ("creditLimit", True, "BadRequest"),
        ("creditLimit", 1e30, "BadRequest"),
        ("taxLiable", "true", "BadRequest"),
        ("currencyId", "none", "BadRequest"),
        ("id", "none", "BadRequest"),
        ("size", "big", "BadRequest"),
        ("type", "Robot", "Unknown"),
        ("type", "company", "Unknown"),
        ("balanceDue", 5, "BadRequest_InvalidOperation"),
        ("taxAreaDisplayName", "Here", "BadRequest_InvalidOperation"),
        ("lastModifiedDateTime", "2020-01-01T00:00:00Z", "BadRequest_InvalidOperation"),
    ],
)
def test_values_that_do_not_fit_are_refused(service: Service, given: str, value: object, code: str) -> None:
    answer = service.post("customers", {"displayName": "A", given: value})
    assert answer.refusal == (400, code)
    assert service.get("customers").rows == []


def test_refusals_are_in_the_services_words(service: Service) -> None:
    def said(path: str, body: object) -> str:
        return service.post(path, body).message

    assert said("customers", {"displayName": "x" * 101}).startswith(
        "The length of the string is 101, but it must be less than or equal to 100 characters. Value: xxx"
    )
    assert said("items", {"type": "Gadget"}) == (
        "'Gadget' is not an option. The existing options are: Inventory,Service,Non-Inventory"
    )
    assert said("items", {"type": "No_x0020_such"}).startswith("'No such' is not an option.")
    assert said("customers", {"displayName": "A", "balanceDue": 1}) == "Control 'balanceDue' is read-only."


@pytest.mark.parametrize("value", ["Non_x002D_Inventory", "Non-Inventory"])
def test_options_are_taken_by_name_and_by_caption(service: Service, value: str) -> None:
    assert service.made("items", {"displayName": "Help", "type": value})["type"] == "Non_x002D_Inventory"


def test_dates_and_moments(service: Service) -> None:
    service.made("customers", {"number": "C1", "displayName": "A"})
    order = service.made("salesOrders", {"customerNumber": "C1", "requestedDeliveryDate": "2026-06-01"})
    assert order["requestedDeliveryDate"] == "2026-06-01"
    for wrong in ("01.06.2026", "2026-02-30", 5):
        answer = service.patch(f"salesOrders({order['id']})", {"requestedDeliveryDate": wrong})
        assert answer.refusal == (400, "BadRequest")


@pytest.mark.parametrize(("path", "body"), [("customers", {}), ("customers", {"displayName": ""}), ("currencies", {})])
def test_what_a_page_must_have(service: Service, path: str, body: object) -> None:
    assert service.post(path, body).refusal == (400, "Application_DialogException")


def test_null_for_something_mandatory(service: Service) -> None:
    assert service.post("customers", {"displayName": None}).refusal == (400, "BadRequest_RequiredParamNotProvided")
    service.settings.change({"refuse_null": True})
    answer = service.post("customers", {"displayName": "A", "city": None})
    assert answer.refusal == (400, "BadRequest_RequiredParamNotProvided")


def test_changing_needs_an_etag(stocked: Service, customer: dict[str, Any]) -> None:
    path = f"customers({customer['id']})"
    missing = stocked.patch(path, {"city": "Ely", "@odata.etag": customer["@odata.etag"]}, if_match=None)
    assert missing.refusal == (400, "BadRequest_InvalidToken")
    assert stocked.patch(path, {"city": "Ely"}, if_match="nonsense").refusal == (400, "BadRequest_InvalidToken")
    assert stocked.get(path).json["city"] == ""


def test_a_stale_etag_is_409(stocked: Service, customer: dict[str, Any]) -> None:
    path = f"customers({customer['id']})"
    first = stocked.patch(path, {"city": "Ely"}, if_match=customer["@odata.etag"])
    assert first.status == 200
    second = stocked.patch(path, {"city": "Bath"}, if_match=customer["@odata.etag"])
    assert second.refusal == (409, "Request_EntityChanged")
    assert second.message == "Another user has already changed the record."
    assert stocked.call("DELETE", path, headers={"If-Match": customer["@odata.etag"]}).refusal[0] == 409
    assert stocked.patch(path, {"city": "Bath"}, if_match=first.json["@odata.etag"]).json["city"] == "Bath"


def test_a_change_answers_200_with_the_whole_entity_and_new_stamps(stocked: Service, customer: dict[str, Any]) -> None:
    stocked.clock.advance(5)
    after = stocked.changed(f"customers({customer['id']})", {"city": "Ely"})
    assert after["displayName"] == "Adatum"
    assert after["@odata.etag"] != customer["@odata.etag"]
    assert after["lastModifiedDateTime"] == "2026-05-04T08:00:05.123Z"


def test_a_change_that_changes_nothing_leaves_the_stamps(stocked: Service, customer: dict[str, Any]) -> None:
    stocked.clock.advance(5)
    same = {key: value for key, value in customer.items() if key != "@odata.context"}
    after = stocked.changed(f"customers({customer['id']})", {**same, "currencyCode": "gbp", "number": "c1 "})
    assert after == customer
    assert stocked.changed(f"customers({customer['id']})", {}) == customer


def test_calculated_fields_change_without_the_etag(service: Service) -> None:
    item = service.made("items", {"displayName": "Desk"})
    service.clock.advance(5)
    after = service.changed(f"items({item['id']})", {"inventory": 12})
    assert after["inventory"] == 12
    assert after["@odata.etag"] == item["@odata.etag"]
    assert after["lastModifiedDateTime"] == item["lastModifiedDateTime"]


def test_read_only_fields_may_come_back_as_they_are_and_not_otherwise(
    stocked: Service, customer: dict[str, Any]
) -> None:
    path = f"customers({customer['id']})"
    assert stocked.patch(path, {"balanceDue": 0, "city": "Ely"}).status == 200
    for name, value in (("id", str(uuid4())), ("balanceDue", 5), ("lastModifiedDateTime", "2020-01-01T00:00:00Z")):
        assert stocked.patch(path, {name: value}).refusal == (400, "BadRequest_InvalidOperation")


def test_there_is_no_upsert(service: Service) -> None:
    answer = service.patch(f"customers({uuid4()})", {"displayName": "New"})
    assert answer.refusal == (404, "Internal_RecordNotFound")
    assert service.get("customers").rows == []


def test_put_is_not_taken(stocked: Service, customer: dict[str, Any]) -> None:
    answer = stocked.call("PUT", f"customers({customer['id']})", {"displayName": "B"}, {"If-Match": "*"})
    assert answer.refusal == (405, "BadRequest_MethodNotAllowed")


def test_deleting_needs_no_etag(stocked: Service, customer: dict[str, Any]) -> None:
    answer = stocked.delete(f"customers({customer['id']})")
    assert (answer.status, answer.raw) == (204, b"")
    assert stocked.delete(f"customers({customer['id']})").refusal == (404, "Internal_RecordNotFound")


@pytest.mark.parametrize("name", ["currencyExchangeRates", "customerFinancialDetails", "generalLedgerSetup"])
def test_pages_that_only_show(service: Service, name: str) -> None:
    assert service.post(name, {}).refusal == (405, "BadRequest_MethodNotAllowed")
    assert service.patch(f"{name}({uuid4()})", {}).refusal == (405, "BadRequest_MethodNotAllowed")
    assert service.delete(f"{name}({uuid4()})").refusal == (405, "BadRequest_MethodNotAllowed")


def test_renaming_keeps_the_id_and_carries_references_over(stocked: Service) -> None:
    body = {"displayName": "A", "salespersonCode": "JOR"}
    customer = stocked.made("customers", {"number": "C1", **body})
    order = stocked.made("salesOrders", {"customerNumber": "C1"})
    stocked.clock.set(datetime(2026, 5, 5, tzinfo=UTC))
    person = stocked.one("salespeoplePurchasers")
    stocked.changed(f"salespeoplePurchasers({person['id']})", {"code": "JREED"})
    renamed = stocked.changed(f"customers({customer['id']})", {"number": "C2"})
    assert (renamed["id"], renamed["number"]) == (customer["id"], "C2")
    assert renamed["salespersonCode"] == "JREED"
    assert stocked.get(f"salesOrders({order['id']})").json["customerNumber"] == "C2"
    assert stocked.one("syncContacts", SYNC)["businessRelationNumber"] == "C2"
    assert stocked.one("contactBusinessRelations", SYNC)["linkNo"] == "C2"


def test_renaming_to_nothing_is_refused(stocked: Service, customer: dict[str, Any]) -> None:
    assert stocked.patch(f"customers({customer['id']})", {"number": ""}).refusal == (400, "Application_DialogException")


def test_a_refused_change_leaves_nothing_behind(stocked: Service, customer: dict[str, Any]) -> None:
    path = f"customers({customer['id']})"
    assert stocked.patch(path, {"city": "Ely", "salespersonCode": "NOBODY"}).status == 400
    assert stocked.get(path).json == customer
