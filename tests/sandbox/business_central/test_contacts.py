"""Contacts: names, companies, and how customers and vendors mirror theirs (mapping-rules section 4)."""

from typing import Any

import pytest

from .service import SYNC, Service

NAMES = ("firstName", "middleName", "surname", "displayName")


def person(service: Service, **body: object) -> dict[str, Any]:
    return service.made("syncContacts", {"type": "Person", **body}, SYNC)


def company_number(service: Service, customer: str) -> str:
    found = service.one(f"contactBusinessRelations?$filter=linkNo eq '{customer}'", SYNC)
    return str(found["contactNo"])


@pytest.fixture
def adatum(stocked: Service) -> Service:
    """A customer with its company contact."""
    stocked.made("customers", {"number": "C1", "displayName": "Adatum", "city": "Ely", "phoneNumber": "1"})
    return stocked


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("Cher", ("Cher", "", "")),
        ("Robert Townes", ("Robert", "", "Townes")),
        ("Mary Ann Smith", ("Mary", "Ann", "Smith")),
        ("Anna Maria Louisa de Medici", ("Anna Maria Louisa", "de", "Medici")),
        ("  Two   Blanks ", ("Two", "", "Blanks")),
    ],
)
def test_a_full_name_is_split(service: Service, full: str, parts: tuple[str, str, str]) -> None:
    made = person(service, displayName=full)
    assert tuple(made[name] for name in NAMES[:3]) == parts


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"firstName": "Mary", "middleName": "Ann", "surname": "Smith"}, "Mary Ann Smith"),
        ({"firstName": "Mary", "surname": "Smith"}, "Mary Smith"),
        ({"surname": "Smith"}, "Smith"),
    ],
)
def test_parts_make_the_name(service: Service, body: dict[str, str], name: str) -> None:
    assert person(service, **body)["displayName"] == name


def test_parts_and_name_follow_each_other_on_change(service: Service) -> None:
    made = person(service, firstName="Mary", surname="Smith")
    path = f"syncContacts({made['id']})"
    assert service.changed(path, {"surname": "Jones"}, SYNC)["displayName"] == "Mary Jones"
    after = service.changed(path, {"displayName": "Helen Louise Ray"}, SYNC)
    assert tuple(after[name] for name in NAMES) == ("Helen", "Louise", "Ray", "Helen Louise Ray")
    standard = service.changed(f"contacts({made['id']})", {"displayName": "Bo"})
    assert standard["@odata.etag"] == service.one("syncContacts", SYNC)["@odata.etag"]
    assert service.one("syncContacts", SYNC)["surname"] == ""


@pytest.mark.parametrize("order", [("type", "firstName", "surname"), ("firstName", "surname", "type")])
def test_the_type_may_come_before_or_after_the_parts(service: Service, order: tuple[str, ...]) -> None:
    values = {"type": "Person", "firstName": "Mary", "surname": "Smith"}
    made = service.made("syncContacts", {name: values[name] for name in order}, SYNC)
    assert made["displayName"] == "Mary Smith"


def test_a_part_or_a_whole_that_is_too_long_is_refused(service: Service) -> None:
    answer = service.post("syncContacts", {"type": "Person", "displayName": f"A {'x' * 31}"}, SYNC)
    assert answer.refusal == (400, "Application_DialogException")
    assert "Surname" in answer.message
    answer = service.post("syncContacts", {"firstName": "x" * 31}, SYNC)
    assert answer.refusal == (400, "Application_StringExceededLength")


def test_a_company_has_no_name_parts_and_is_its_own_company(service: Service) -> None:
    made = service.made("syncContacts", {"displayName": "Big Blue Box", "firstName": ""}, SYNC)
    assert made["type"] == "Company"
    assert (made["companyNumber"], made["companyName"]) == (made["number"], "Big Blue Box")
    assert made["surname"] == ""
    assert service.one("contacts")["searchName"] == "BIG BLUE BOX"


def test_a_person_belongs_to_a_company(adatum: Service) -> None:
    number = company_number(adatum, "C1")
    made = person(adatum, firstName="Robert", surname="Townes", companyNumber=number)
    assert made["companyName"] == "Adatum"
    assert (made["businessRelationType"], made["businessRelationNumber"]) == ("Customer", "C1")
    assert made["city"] == ""
    alone = adatum.changed(f"syncContacts({made['id']})", {"companyNumber": ""}, SYNC)
    assert (alone["companyName"], alone["businessRelationType"]) == ("", "_x0020_")


def test_only_a_company_can_be_a_company(adatum: Service) -> None:
    robert = person(adatum, firstName="Robert")
    for number in ("NOBODY", robert["number"]):
        answer = adatum.post("syncContacts", {"type": "Person", "firstName": "A", "companyNumber": number}, SYNC)
        assert answer.refusal == (400, "Internal_InvalidTableRelation")


def test_a_new_person_may_take_over_what_the_company_has(adatum: Service) -> None:
    adatum.settings.change({"inherit_company_details": True})
    made = person(adatum, firstName="Robert", phoneNumber="7", companyNumber=company_number(adatum, "C1"))
    assert (made["city"], made["phoneNumber"]) == ("Ely", "7")


def test_a_company_with_people_stays_a_company(adatum: Service) -> None:
    company = adatum.one("contacts")
    answer = adatum.patch(f"contacts({company['id']})", {"type": "Person"})
    assert answer.refusal == (400, "Application_DialogException")
    free = adatum.made("contacts", {"displayName": "Ann Lee"})
    turned = adatum.changed(f"syncContacts({free['id']})", {"type": "Person"}, SYNC)
    assert (turned["companyNumber"], turned["firstName"], turned["surname"]) == ("", "Ann", "Lee")


@pytest.mark.parametrize(
    ("name", "kind", "salesperson"),
    [("syncCustomers", "Customer", "salespersonCode"), ("syncVendors", "Vendor", "purchaserCode")],
)
def test_a_new_customer_or_vendor_gets_a_company_contact(
    stocked: Service, name: str, kind: str, salesperson: str
) -> None:
    body = {"displayName": "Adatum", "city": "Ely", "faxNo": "9", "email": "a@b.example", salesperson: "JOR"}
    made = stocked.made(name, {**body, "currencyCode": "EUR"}, SYNC)
    contact = stocked.one("syncContacts", SYNC)
    assert (contact["type"], contact["displayName"], contact["companyName"]) == ("Company", "Adatum", "Adatum")
    assert (contact["city"], contact["faxNumber"], contact["email"]) == ("Ely", "9", "a@b.example")
    assert (contact["salespersonCode"], contact["currencyCode"]) == ("JOR", "EUR")
    assert (contact["businessRelationType"], contact["businessRelationNumber"]) == (kind, made["number"])
    assert stocked.one("contacts")["contactBusinessRelation"] == kind


def test_a_customer_who_is_a_person_gets_a_person(stocked: Service) -> None:
    customer = stocked.made("customers", {"number": "C1", "displayName": "Helen Ray", "type": "Person"})
    contact = stocked.one("syncContacts", SYNC)
    assert (contact["type"], contact["firstName"], contact["surname"]) == ("Person", "Helen", "Ray")
    assert (contact["companyNumber"], contact["businessRelationNumber"]) == ("", "C1")
    stocked.changed(f"customers({customer['id']})", {"displayName": "Helen Louise Ray"})
    assert stocked.one("syncContacts", SYNC)["middleName"] == "Louise"
    path = f"syncCustomers({customer['id']})"
    after = stocked.changed(path, {"primaryContactNo": contact["number"]}, SYNC)
    assert after["contactName"] == "Helen Louise Ray"


def test_company_contacts_can_be_switched_off(service: Service) -> None:
    service.settings.change({"customer_contacts": False})
    service.made("customers", {"displayName": "Adatum"})
    assert service.get("contacts").rows == []


def test_customer_and_company_contact_follow_each_other(adatum: Service) -> None:
    customer, contact = adatum.one("customers"), adatum.one("contacts")
    robert = person(adatum, firstName="Robert", companyNumber=contact["number"])
    adatum.clock.advance(1)
    adatum.changed(f"customers({customer['id']})", {"displayName": "Adatum & Co.", "city": "Bath"})
    after = adatum.get(f"contacts({contact['id']})").json
    assert (after["displayName"], after["companyName"], after["city"]) == ("Adatum & Co.", "Adatum & Co.", "Bath")
    assert after["@odata.etag"] != contact["@odata.etag"]
    assert adatum.get(f"contacts({robert['id']})").json["companyName"] == "Adatum & Co."
    adatum.changed(f"contacts({contact['id']})", {"phoneNumber": "2", "displayName": "Adatum"})
    back = adatum.one("customers")
    assert (back["displayName"], back["phoneNumber"]) == ("Adatum", "2")
    assert adatum.get(f"contacts({robert['id']})").json["companyName"] == "Adatum"


def test_a_change_that_the_contact_does_not_share_leaves_it_alone(adatum: Service) -> None:
    before = adatum.one("contacts")
    adatum.changed(f"customers({adatum.one('customers')['id']})", {"creditLimit": 500})
    assert adatum.one("contacts") == before


def test_a_company_can_be_customer_and_vendor(adatum: Service) -> None:
    contact = adatum.one("contacts")
    vendor = adatum.made("vendors", {"number": "V1", "displayName": "Adatum"})
    other = next(c for c in adatum.get("contacts").rows if c["id"] != contact["id"])
    adatum.delete(f"contacts({other['id']})")
    rows = [{"contactNo": contact["number"], "linkType": "Vendor", "linkNo": "V1"}]
    adatum.system.insert_many("contactBusinessRelations", rows)
    assert adatum.one("contacts")["contactBusinessRelation"] == "Multiple"
    adatum.changed(f"customers({adatum.one('customers')['id']})", {"city": "Bath"})
    assert adatum.get(f"vendors({vendor['id']})").json["city"] == "Bath"


def test_deleting_a_customer_keeps_the_contact_and_takes_the_relation(adatum: Service) -> None:
    adatum.delete(f"customers({adatum.one('customers')['id']})")
    assert adatum.one("contacts")["contactBusinessRelation"] == "None"
    assert adatum.get("contactBusinessRelations", SYNC).rows == []


def test_deleting_a_company_contact_takes_its_people_along(adatum: Service) -> None:
    contact = adatum.one("contacts")
    person(adatum, firstName="Robert", companyNumber=contact["number"])
    stranger = person(adatum, firstName="Ann")
    adatum.delete(f"contacts({contact['id']})")
    assert adatum.get("contacts").column("id") == [stranger["id"]]
    assert adatum.get("contactBusinessRelations", SYNC).rows == []
    assert adatum.one("customers")["displayName"] == "Adatum"


def test_a_primary_contact_must_belong_to_the_customer_and_lends_its_name(adatum: Service) -> None:
    path = f"syncCustomers({adatum.one('customers')['id']})"
    robert = person(adatum, displayName="Robert Townes", companyNumber=company_number(adatum, "C1"))
    stranger = person(adatum, firstName="Ann")
    after = adatum.changed(path, {"primaryContactNo": robert["number"]}, SYNC)
    assert after["contactName"] == "Robert Townes"
    refused = adatum.patch(path, {"primaryContactNo": stranger["number"]}, SYNC)
    assert refused.refusal == (400, "Application_DialogException")
    unknown = adatum.patch(path, {"primaryContactNo": "NOBODY"}, SYNC)
    assert unknown.refusal == (400, "Internal_InvalidTableRelation")
    adatum.changed(f"syncContacts({robert['id']})", {"surname": "Smith"}, SYNC)
    assert adatum.one("syncCustomers", SYNC)["contactName"] == "Robert Smith"
    adatum.delete(f"contacts({robert['id']})")
    left = adatum.one("syncCustomers", SYNC)
    assert (left["primaryContactNo"], left["contactName"]) == ("", "")


def test_renaming_a_contact_carries_over(adatum: Service) -> None:
    contact = adatum.one("contacts")
    robert = person(adatum, firstName="Robert", companyNumber=contact["number"])
    renamed = adatum.changed(f"contacts({contact['id']})", {"number": "CT-ADATUM"})
    assert renamed["companyNumber"] == "CT-ADATUM"
    shown = adatum.get(f"syncContacts({robert['id']})", SYNC).json
    assert (shown["companyNumber"], shown["businessRelationNumber"]) == ("CT-ADATUM", "C1")
    assert company_number(adatum, "C1") == "CT-ADATUM"
