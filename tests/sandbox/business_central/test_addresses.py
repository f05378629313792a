"""Where things are: every form of address, companies, tokens, what is not there (wire-businesscentral sections 1-2)."""

import pytest

from .service import COMPANY, COMPANY_ID, HOST, ROOT, SYNC, Service

NAME = "CRONUS International Ltd."


@pytest.mark.parametrize(
    "root",
    [
        "/v2.0/sandbox/api/v2.0",
        "/v2.0/Production/api/v2.0",
        "/v2.0/7c0d5a1e-5b2f-4c1b-9a66-2f5f0a3c9d10/sandbox/api/v2.0",
        "/v2.0/cronus.example/sandbox/api/v2.0",
        "/BC/api/v2.0",
        SYNC,
        "/v2.0/sandbox/api/microsoft/automation/v2.0",
    ],
)
def test_every_root_lists_the_companies(service: Service, root: str) -> None:
    assert service.get("companies", root).column("id") == [COMPANY_ID]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"{COMPANY}/customers", {}),
        (f"companies(id={COMPANY_ID})/customers", {}),
        (f"companies('{NAME}')/customers", {}),
        (f"companies(name='{NAME}')/customers", {}),
        (f"customers?company={COMPANY_ID}", {}),
        (f"customers?company={NAME}", {}),
        ("customers", {"CompanyId": COMPANY_ID}),
        ("customers", {"Company": NAME}),
        ("customers", {}),
        ("//customers", {}),
        (f"{COMPANY}/customers/", {}),
    ],
)
def test_a_company_is_named_in_many_ways(service: Service, path: str, headers: dict[str, str]) -> None:
    service.made("customers", {"displayName": "Adatum"})
    full = f"{ROOT}/{path}" if path.startswith("/") else path
    assert service.call("GET", full, headers=headers).column("displayName") == ["Adatum"]


def test_companies_keep_their_records_apart(service: Service) -> None:
    other = service.system.companies.add("Other Ltd.", currency="EUR")
    service.made("customers", {"displayName": "Here"})
    service.made(f"companies({other.id})/customers", {"displayName": "There"})
    assert service.get("customers").column("displayName") == ["Here"]
    assert service.get("customers?company=Other Ltd.").column("displayName") == ["There"]
    assert service.one(f"companies({other.id})/customers")["currencyCode"] == "EUR"
    assert service.get("companies").column("name") == [NAME, "Other Ltd."]


def test_an_unknown_company_is_refused(service: Service) -> None:
    assert service.get("companies('Nobody')/customers").refusal == (404, "Internal_CompanyNotFound")
    assert service.get("customers?company=Nobody").refusal == (404, "Internal_CompanyNotFound")


def test_a_company_can_be_made_mandatory(service: Service) -> None:
    service.settings.change({"company_required": True})
    assert service.get("customers").refusal == (400, "Internal_CompanyNotFound")
    assert service.get(f"{COMPANY}/customers").status == 200
    assert service.get("companies").status == 200


def test_only_listed_environments_exist_once_there_is_a_list(service: Service) -> None:
    service.settings.change({"environments": ["sandbox"]})
    assert service.get("customers", "/v2.0/Production/api/v2.0").status == 404
    assert service.get("customers", "/v2.0/Sandbox/api/v2.0").status == 200
    assert service.get("customers", "/BC/api/v2.0").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/v2.0/sandbox/api/v1.0/companies",
        "/v2.0/sandbox/api/contoso/app1/v1.0/companies",
        f"{ROOT}/strangers",
        f"{ROOT}/{COMPANY}/strangers",
        f"{ROOT}/{COMPANY}/companies",
        f"{ROOT}/customers/currency",
    ],
)
def test_what_is_not_there_is_404(service: Service, path: str) -> None:
    assert service.get(path).refusal == (404, "BadRequest_ResourceNotFound")


def test_both_key_forms_find_an_entity_and_quotes_do_not(service: Service) -> None:
    id = service.made("customers", {"displayName": "Adatum"})["id"]
    assert service.get(f"customers({id})").json["displayName"] == "Adatum"
    assert service.get(f"customers(id={id.upper()})").json["displayName"] == "Adatum"
    assert service.get(f"customers('{id}')").refusal == (400, "BadRequest")
    assert service.get(f"customers(number='{id}')").refusal == (400, "BadRequest")
    assert service.get("customers(10000)").refusal == (400, "BadRequest")


def test_an_unknown_id_is_404(service: Service) -> None:
    answer = service.get("customers(11111111-2222-3333-4444-555555555555)")
    assert answer.refusal == (404, "Internal_RecordNotFound")
    assert "11111111-2222-3333-4444-555555555555" in answer.message


@pytest.mark.parametrize("token", ["", "guessed"])
def test_a_bad_token_is_refused_in_the_services_words(service: Service, token: str) -> None:
    answer = service.call("GET", "companies", token=token)
    assert answer.refusal == (401, "Authentication_InvalidCredentials")
    assert answer.json["error"]["message"] == "The server has rejected the client credentials."


def test_companies_are_read_only(service: Service) -> None:
    assert service.post("companies", {"name": "New"}).refusal == (405, "BadRequest_MethodNotAllowed")
    company = service.one("companies")
    wanted = {"id", "systemVersion", "timestamp", "name", "displayName", "businessProfileId", "systemCreatedAt"}
    assert wanted <= set(company)


def test_a_change_to_a_collection_is_refused_in_the_services_words(service: Service) -> None:
    for method in ("PATCH", "DELETE", "PUT"):
        answer = service.call(method, "customers?$filter=number eq 'C1'", {})
        assert answer.refusal == (405, "BadRequest_MethodNotAllowed")
        assert answer.message == (
            f"'{method}' requests for 'customers' of EdmType 'Collection' are not allowed within Dynamics 365 Business"
            " Central OData web services."
        )


def test_legacy_web_services_are_read_by_number(service: Service) -> None:
    service.made("customers", {"number": "10000", "displayName": "Adatum", "city": "Ely"})
    root = "/BC/ODataV4"
    assert service.get("Company", root).column("Name") == [NAME]
    rows = service.get(f"Company('{NAME}')/Customer?$filter=City eq 'Ely'&$select=No,Name", root).rows
    assert [(row["No"], row["Name"]) for row in rows] == [("10000", "Adatum")]
    assert service.get(f"Company('{NAME}')/Customer('10000')", root).json["Name"] == "Adatum"
    assert service.get(f"Company('{NAME}')/Customer(No='10000')", root).json["Name"] == "Adatum"
    assert service.get(f"Company('{NAME}')/Customer('20000')", root).status == 404
    assert service.post(f"Company('{NAME}')/Customer", {"Name": "X"}, root).status == 405


def test_webhook_resources_are_listed_by_pattern(service: Service) -> None:
    root = "/v2.0/sandbox/api/microsoft/runtime/beta"
    answer = service.get(f"{COMPANY}/webhookSupportedResources?$filter=resource eq 'v2.0*'", root)
    names = answer.column("resource")
    assert "v2.0/customers" in names
    assert "v2.0/contacts" not in names
    assert all(name.startswith("v2.0/") for name in names)


def test_contexts_and_links_are_absolute_and_under_the_address_that_was_used(service: Service) -> None:
    answer = service.post(f"{COMPANY}/customers", {"displayName": "Adatum"}, "/BC/api/v2.0")
    id = answer.json["id"]
    assert answer.json["@odata.context"] == f"{HOST}/BC/api/v2.0/$metadata#{COMPANY}/customers/$entity"
    assert answer.headers["location"] == f"{HOST}/BC/api/v2.0/{COMPANY}/customers({id})"
    listed = service.get(f"{COMPANY}/customers")
    assert listed.json["@odata.context"] == f"{HOST}{ROOT}/$metadata#{COMPANY}/customers"
    assert listed.headers["odata-version"] == "4.0"
    bare = service.get("customers", Accept="application/json;odata.metadata=none")
    assert "@odata.context" not in bare.json


def test_a_used_database_is_gone_on_with(service: Service) -> None:
    from crosstie.sandbox.business_central import BusinessCentral

    service.made("customers", {"displayName": "Adatum"})
    service.system.companies.add("Other Ltd.")
    service.system = BusinessCentral(service.database, service.clock, service.tokens, service.settings)
    assert service.get("customers").column("displayName") == ["Adatum"]
    assert len(service.get("companies").rows) == 2
    service.system.reset()
    assert service.get("customers").rows == []
    assert len(service.get("companies").rows) == 1
