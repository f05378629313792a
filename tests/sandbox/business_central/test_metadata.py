"""What the service says of itself."""

from xml.etree import ElementTree

import pytest

from crosstie.sandbox.business_central.pages import Page, load_apis, load_web_services

from .service import COMPANY, ROOT, SYNC, Service

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
SCHEMA = f".//{EDM}Schema"


def schema(service: Service, root: str = ROOT) -> ElementTree.Element:
    answer = service.get("$metadata", root)
    assert answer.headers["content-type"] == "application/xml"
    found = ElementTree.fromstring(answer.raw).find(SCHEMA)
    assert found is not None
    return found


def attributes(node: ElementTree.Element, kind: str, name: str) -> dict[str, str]:
    found = node.find(f"{EDM}{kind}[@Name='{name}']")
    assert found is not None, name
    return found.attrib


@pytest.mark.parametrize("root", [ROOT, SYNC, "/BC/api/v2.0", "/BC/ODataV4"])
def test_every_reference_in_the_metadata_leads_somewhere(service: Service, root: str) -> None:
    node = schema(service, root)
    assert node.attrib["Namespace"] == "Microsoft.NAV"
    types = {f"Microsoft.NAV.{t.attrib['Name']}" for t in node if t.tag in (f"{EDM}EntityType", f"{EDM}EnumType")}
    sets = {s.attrib["Name"]: s for s in node.iter(f"{EDM}EntitySet")}
    named = [p.attrib["Type"] for kind in ("Property", "NavigationProperty") for p in node.iter(f"{EDM}{kind}")]
    named += [s.attrib["EntityType"] for s in sets.values()]
    for name in named:
        inner = name.removeprefix("Collection(").removesuffix(")")
        assert inner.startswith("Edm.") or inner in types, name
    for binding in node.iter(f"{EDM}NavigationPropertyBinding"):
        assert binding.attrib["Target"] in sets
    assert set(sets) == {row["name"] for row in service.get("", root).rows}
    for entity in node.iter(f"{EDM}EntityType"):
        key = entity.find(f"{EDM}Key/{EDM}PropertyRef")
        assert key is not None
        assert attributes(entity, "Property", key.attrib["Name"])["Nullable"] == "false"


def test_types_lengths_options_and_navigation_are_told(service: Service) -> None:
    node = schema(service)
    customer = node.find(f"{EDM}EntityType[@Name='customer']")
    assert customer is not None
    assert attributes(customer, "Property", "number") == {"Name": "number", "Type": "Edm.String", "MaxLength": "20"}
    assert attributes(customer, "Property", "taxRegistrationNumber")["MaxLength"] == "50"
    assert attributes(customer, "Property", "id")["Type"] == "Edm.Guid"
    assert attributes(customer, "Property", "creditLimit")["Type"] == "Edm.Decimal"
    assert attributes(customer, "Property", "lastModifiedDateTime")["Type"] == "Edm.DateTimeOffset"
    assert attributes(customer, "Property", "blocked")["Type"] == "Microsoft.NAV.customerBlocked"
    assert attributes(customer, "NavigationProperty", "paymentTerm")["Type"] == "Microsoft.NAV.paymentTerm"
    constraint = customer.find(f"{EDM}NavigationProperty[@Name='paymentTerm']/{EDM}ReferentialConstraint")
    assert constraint is not None
    assert constraint.attrib == {"Property": "paymentTermsId", "ReferencedProperty": "id"}
    assert attributes(customer, "NavigationProperty", "customerFinancialDetail")
    order = node.find(f"{EDM}EntityType[@Name='salesOrder']")
    assert order is not None
    lines = attributes(order, "NavigationProperty", "salesOrderLines")["Type"]
    assert lines == "Collection(Microsoft.NAV.salesOrderLine)"
    blocked = node.find(f"{EDM}EnumType[@Name='customerBlocked']")
    assert blocked is not None
    assert [member.attrib["Name"] for member in blocked] == ["_x0020_", "Ship", "Invoice", "All"]


def test_a_company_is_a_root_as_well(service: Service) -> None:
    assert service.get(f"{COMPANY}/$metadata").raw == service.get("$metadata").raw
    assert service.get("$metadata?$format=json").status == 200


def test_every_property_that_the_metadata_names_comes_back(service: Service) -> None:
    node = schema(service)
    customer = service.made("customers", {"displayName": "A"})
    entity = node.find(f"{EDM}EntityType[@Name='customer']")
    assert entity is not None
    names = [p.attrib["Name"] for p in entity.iter(f"{EDM}Property")]
    assert names == [name for name in customer if not name.startswith("@")]


def test_entity_definitions_give_captions(service: Service) -> None:
    rows = {row["entitySetName"]: row for row in service.get("entityDefinitions").rows}
    terms = rows["paymentTerms"]
    assert terms["entityName"] == "paymentTerm"
    assert terms["entityCaptions"] == [{"languageCode": 1033, "caption": "Payment Term"}]
    names = {prop["name"]: prop["captions"][0]["caption"] for prop in terms["properties"]}
    assert names["dueDateCalculation"] == "Due Date Calculation"
    assert service.post("entityDefinitions", {}).refusal == (405, "BadRequest_MethodNotAllowed")


def test_the_service_offers_what_the_mappings_need() -> None:
    apis = load_apis()
    standard = "companies currencies currencyExchangeRates salespeoplePurchasers paymentTerms shipmentMethods"
    standard += " paymentMethods countriesRegions companyInformation generalLedgerSetup customers vendors contacts"
    standard += " items unitsOfMeasure itemCategories salesOrders salesOrderLines customerFinancialDetails"
    assert set(standard.split()) <= set(apis["v2.0"].pages)
    assert {"syncContacts", "syncCustomers", "syncVendors"} <= set(apis["crosstie/sync/v1.0"].pages)


# Web services list companies in a form of their own.
EVERY_PAGE = [
    ("/BC/ODataV4" if api.route == "ODataV4" else f"/BC/api/{api.route}", page)
    for api in (*load_apis().values(), load_web_services())
    for page in api.pages.values()
    if (api.route, page.name) != ("ODataV4", "Company")
]


@pytest.mark.parametrize(("root", "page"), EVERY_PAGE, ids=lambda value: getattr(value, "name", None))
def test_every_page_can_be_read_selected_counted_and_expanded(root: str, page: Page) -> None:
    service = Service()
    query = f"$select={','.join(page.properties)}&$orderby={','.join(page.properties)}"
    expand = f"&$expand={','.join(page.navigation)}" if page.navigation else ""
    answer = service.get(f"{page.name}?{query}{expand}&$count=true", root)
    assert answer.status == 200, answer.raw
    assert answer.json["@odata.count"] == len(answer.rows)


def test_an_api_whose_extension_is_not_installed_is_not_there(service: Service) -> None:
    service.settings.change({"missing_apis": ["crosstie/sync/v1.0"]})
    for path in ("$metadata", "", f"companies({COMPANY})/syncContacts"):
        assert service.get(path, SYNC).refusal == (404, "BadRequest_ResourceNotFound")
    assert service.get("contacts").rows == []
