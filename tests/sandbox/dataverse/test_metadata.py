"""The service document, $metadata and EntityDefinitions with its kin (wire-dataverse section 15)."""

from typing import Any
from xml.etree import ElementTree

import pytest

from .service import ROOT, Service

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def test_the_service_document_lists_the_entity_sets(service: Service) -> None:
    body = service.row("")
    assert body["@odata.context"] == f"{ROOT}/$metadata"
    names = {entry["name"] for entry in body["value"]}
    wanted = "accounts contacts systemusers teams businessunits transactioncurrencies organizations bcbi_companies"
    wanted += " products uoms uomschedules pricelevels productpricelevels salesorders salesorderdetails opportunities"
    assert names >= {*wanted.split(), "EntityDefinitions"}
    assert {entry["kind"] for entry in body["value"]} == {"EntitySet"}


@pytest.fixture(scope="module")
def schema() -> ElementTree.Element:
    answer = Service().get("$metadata?annotations=true")
    assert answer.headers["Content-Type"] == "application/xml"
    found = ElementTree.fromstring(answer.body).find(f".//{EDM}Schema")
    assert found is not None
    return found


def members(schema: ElementTree.Element, kind: str, tag: str) -> dict[str, dict[str, str]]:
    """The attributes of members of an entity type by name."""
    entity = next(item for item in schema.findall(f"{EDM}EntityType") if item.get("Name") == kind)
    return {str(item.get("Name")): dict(item.attrib) for item in entity.findall(f"{EDM}{tag}")}


def test_the_csdl_is_closed_in_itself(schema: ElementTree.Element) -> None:
    assert (schema.get("Namespace"), schema.get("Alias")) == ("Microsoft.Dynamics.CRM", "mscrm")
    types = {item.get("Name"): item for item in schema.findall(f"{EDM}EntityType")}
    for name, entity in types.items():
        assert entity.get("BaseType", "").removeprefix("mscrm.") in {*types, ""}
        own = {item.get("Name") for item in entity.findall(f"{EDM}Property")}
        for navigation in entity.findall(f"{EDM}NavigationProperty"):
            target = str(navigation.get("Type")).removeprefix("Collection(").rstrip(")").removeprefix("mscrm.")
            assert target in types
            partner = navigation.get("Partner")
            if partner:
                partners = {item.get("Name") for item in types[target].findall(f"{EDM}NavigationProperty")}
                assert partner in partners, (name, navigation.attrib)
            for constraint in navigation.findall(f"{EDM}ReferentialConstraint"):
                assert constraint.get("Property") in own
    sets = {item.get("Name"): item for item in schema.findall(f".//{EDM}EntitySet")}
    for entity_set in sets.values():
        assert str(entity_set.get("EntityType")).removeprefix("mscrm.") in types
        for binding in entity_set.findall(f"{EDM}NavigationPropertyBinding"):
            assert binding.get("Target") in sets


def test_the_csdl_gives_properties_their_types(schema: ElementTree.Element) -> None:
    properties = members(schema, "account", "Property")
    types = {name: attributes["Type"] for name, attributes in properties.items()}
    assert types["accountid"] == types["_primarycontactid_value"] == types["_bcbi_companyid_value"] == "Edm.Guid"
    assert (types["name"], types["revenue"], types["statecode"]) == ("Edm.String", "Edm.Decimal", "Edm.Int32")
    assert (types["createdon"], types["lastusedincampaign"]) == ("Edm.DateTimeOffset", "Edm.Date")
    assert properties["name"]["MaxLength"] == "160"
    assert not {"ownerid", "owneridtype", "primarycontactidname"} & types.keys()
    navigations = members(schema, "account", "NavigationProperty")
    assert navigations["bcbi_CompanyId"]["Type"] == "mscrm.bcbi_company"
    assert navigations["ownerid"]["Type"] == "mscrm.principal"
    assert navigations["contact_customer_accounts"]["Type"] == "Collection(mscrm.contact)"
    assert {"parentcustomerid_account", "parentcustomerid_contact"} <= members(
        schema, "contact", "NavigationProperty"
    ).keys()
    users = next(item for item in schema.findall(f"{EDM}EntityType") if item.get("Name") == "systemuser")
    assert (users.get("BaseType"), users.find(f"{EDM}Key")) == ("mscrm.principal", None)


def test_rows_hold_exactly_what_the_csdl_says(service: Service, schema: ElementTree.Element) -> None:
    service.create("accounts", name="A")
    row = service.rows("accounts")[0]
    assert set(row) - {"@odata.etag"} == set(members(schema, "account", "Property"))


def test_the_csdl_tells_which_sets_track_changes(schema: ElementTree.Element) -> None:
    sets = {item.get("Name"): ElementTree.tostring(item).decode() for item in schema.findall(f".//{EDM}EntitySet")}
    assert 'Bool="true"' in sets["accounts"]
    assert 'Bool="false"' in sets["organizations"]
    assert b"Capabilities.V1.ChangeTracking" not in Service().get("$metadata").body


# Definitions

ACCOUNT = "EntityDefinitions(LogicalName='account')"


def test_a_table_is_found_by_name_and_by_id(service: Service) -> None:
    filtered = service.rows(
        "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName%20eq%20'account'"
    )
    assert [row["EntitySetName"] for row in filtered] == ["accounts"]
    assert filtered[0].keys() == {"LogicalName", "EntitySetName", "PrimaryIdAttribute", "MetadataId"}
    by_id = service.row(f"EntityDefinitions({filtered[0]['MetadataId']})?$select=PrimaryNameAttribute")
    assert by_id["PrimaryNameAttribute"] == service.row(ACCOUNT)["PrimaryNameAttribute"] == "name"
    assert service.get("EntityDefinitions(LogicalName='nosuch')").status == 404
    sets = {
        row["LogicalName"]: row["EntitySetName"]
        for row in service.rows("EntityDefinitions?$select=EntitySetName,LogicalName")
    }
    assert sets["bcbi_company"] == "bcbi_companies"


FILTERS = [
    ("LogicalName eq 'ACCOUNT'", ["account"]),
    ("startswith(LogicalName,'uom')", ["uom", "uomschedule"]),
    ("contains(LogicalName,'level') and IsCustomEntity eq false", ["pricelevel", "productpricelevel"]),
    ("IsCustomEntity", ["bcbi_company"]),
    ("not (ChangeTrackingEnabled eq true) and endswith(LogicalName,'ation')", ["asyncoperation", "organization"]),
    ("CanChangeTrackingBeEnabled/Value eq true and ObjectTypeCode eq 1", ["account"]),
    (
        "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned' and ObjectTypeCode lt 3",
        ["account", "contact"],
    ),
    ("Microsoft.Dynamics.CRM.In(PropertyName='LogicalName',PropertyValues=['team','uom'])", ["team", "uom"]),
    ("IsPrivate eq true", ["teammembership"]),
    ("ObjectTypeCode ge 1 and ObjectTypeCode le 2 or LogicalName eq 'team'", ["account", "contact", "team"]),
]


@pytest.mark.parametrize(("condition", "names"), FILTERS)
def test_definitions_are_filtered(service: Service, condition: str, names: list[str]) -> None:
    body = service.row(f"EntityDefinitions?$select=LogicalName&$count=true&$filter={condition}".replace(" ", "%20"))
    assert sorted(row["LogicalName"] for row in body["value"]) == names
    assert body["@odata.count"] == len(names)


REFUSED = [
    ("EntityDefinitions?$select=Nosuch", 400),
    ("EntityDefinitions?$filter=Nosuch%20eq%201", 400),
    ("EntityDefinitions?$filter=LogicalName%20in%20('a')", 400),
    ("EntityDefinitions?$filter=length(LogicalName)%20eq%201", 400),
    ("EntityDefinitions?$filter=LogicalName", 400),
    ("EntityDefinitions?$expand=Nosuch", 400),
    ("EntityDefinitions?$top=1", 400),
    (f"{ACCOUNT}/Nosuch", 404),
    (f"{ACCOUNT}/Attributes?$select=MaxLength", 400),
    (f"{ACCOUNT}/Attributes(LogicalName='nosuch')", 404),
    (f"{ACCOUNT}/Attributes(LogicalName='name')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata", 404),
]


@pytest.mark.parametrize(("address", "status"), REFUSED)
def test_unknown_definitions_are_refused(service: Service, address: str, status: int) -> None:
    assert service.get(address).status == status


def test_definitions_are_not_written_here(service: Service) -> None:
    assert service.send("POST", "EntityDefinitions", {}).status == 405
    assert service.send("PUT", ACCOUNT, {}).status == 405


def test_everything_of_a_table_comes_in_one_answer(service: Service) -> None:
    expand = (
        "Attributes($select=LogicalName),Keys,ManyToOneRelationships,OneToManyRelationships,ManyToManyRelationships"
    )
    row = service.row(f"{ACCOUNT}?$select=LogicalName,ChangeTrackingEnabled&$expand={expand}")
    names = {attribute["LogicalName"] for attribute in row["Attributes"]}
    assert {"accountid", "ownerid", "owneridtype", "owneridname", "paymenttermscode"} <= names
    assert "Attributes" not in service.row(ACCOUNT)
    key = row["Keys"][0]
    assert (key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (["accountnumber"], "Active")
    lookups = {relation["ReferencingAttribute"]: relation for relation in row["ManyToOneRelationships"]}
    assert lookups["bcbi_companyid"]["ReferencingEntityNavigationPropertyName"] == "bcbi_CompanyId"
    assert lookups["primarycontactid"]["ReferencedEntity"] == "contact"
    behind = {relation["SchemaName"]: relation for relation in row["OneToManyRelationships"]}
    contacts = behind["contact_customer_accounts"]
    assert contacts["ReferencingEntityNavigationPropertyName"] == "parentcustomerid_account"
    assert contacts["CascadeConfiguration"]["Delete"] == "RemoveLink"


FACETS: list[tuple[str, str, dict[str, Any]]] = [
    ("name", "String", {"MaxLength": 160, "AttributeType": "String"}),
    ("description", "Memo", {"MaxLength": 2000}),
    ("numberofemployees", "Integer", {"MinValue": 0, "MaxValue": 1_000_000_000}),
    ("revenue", "Money", {"Precision": 2, "PrecisionSource": 2, "IsBaseCurrency": False}),
    ("revenue_base", "Money", {"CalculationOf": "revenue", "IsValidForCreate": False, "IsValidForUpdate": False}),
    ("exchangerate", "Decimal", {"Precision": 12}),
    ("address1_latitude", "Double", {"MinValue": -90, "MaxValue": 90}),
    ("versionnumber", "BigInt", {"IsValidForRead": True}),
    ("createdon", "DateTime", {"Format": "DateAndTime"}),
    ("lastusedincampaign", "DateTime", {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}),
    ("primarycontactid", "Lookup", {"Targets": ["contact"], "AttributeType": "Lookup"}),
    ("ownerid", "Lookup", {"Targets": ["systemuser", "team"], "AttributeType": "Owner"}),
    ("accountid", "UniqueIdentifier", {"IsPrimaryId": True, "AttributeType": "Uniqueidentifier"}),
    ("statecode", "State", {"AttributeType": "State"}),
    ("creditonhold", "Boolean", {"DefaultValue": False}),
    ("primarycontactidname", "String", {"AttributeOf": "primarycontactid"}),
    ("bcbi_companyid", "Lookup", {"SchemaName": "bcbi_CompanyId", "IsCustomAttribute": True}),
]


@pytest.mark.parametrize(("name", "kind", "facets"), FACETS)
def test_an_attribute_has_the_facets_of_its_type(
    service: Service, name: str, kind: str, facets: dict[str, Any]
) -> None:
    cast = f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
    row = service.row(f"{ACCOUNT}/Attributes(LogicalName='{name}')/{cast}")
    assert row["@odata.type"] == f"#{cast}"
    assert {key: row[key] for key in facets} == facets
    assert row["AttributeTypeName"]["Value"] == f"{row['AttributeType']}Type"
    plain = service.row(f"{ACCOUNT}/Attributes({row['MetadataId']})?$select=LogicalName,RequiredLevel")
    assert plain["LogicalName"] == name
    assert plain["RequiredLevel"]["Value"] in ("None", "ApplicationRequired", "SystemRequired")


def test_casts_give_choices_with_their_options(service: Service) -> None:
    address = f"{ACCOUNT}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    rows = service.rows(f"{address}?$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet")
    choices = {row["LogicalName"]: row for row in rows}
    terms = choices["paymenttermscode"]["OptionSet"]["Options"]
    assert [(term["Value"], term["Label"]["UserLocalizedLabel"]["Label"]) for term in terms] == [
        (1, "Net 30"),
        (2, "2% 10 Net 30"),
        (3, "Net 45"),
        (4, "Net 60"),
    ]
    assert terms[0]["Label"]["LocalizedLabels"][0]["LanguageCode"] == 1033
    assert "name" not in choices
    assert "OptionSet" not in service.rows(address)[0]
    status = f"{ACCOUNT}/Attributes(LogicalName='statuscode')/Microsoft.Dynamics.CRM.StatusAttributeMetadata"
    options = service.row(f"{status}?$expand=OptionSet")["OptionSet"]["Options"]
    assert [(option["Value"], option["State"]) for option in options] == [(1, 0), (2, 1)]
    flag = f"{ACCOUNT}/Attributes(LogicalName='creditonhold')/Microsoft.Dynamics.CRM.BooleanAttributeMetadata"
    assert service.row(f"{flag}/OptionSet")["TrueOption"]["Value"] == 1


def test_shared_choices_stand_by_themselves(service: Service) -> None:
    names = {row["Name"] for row in service.rows("GlobalOptionSetDefinitions?$select=Name")}
    assert {"need", "budgetstatus"} <= names
    one = service.row("GlobalOptionSetDefinitions(Name='need')")
    assert len(one["Options"]) == 4
    cast = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$expand=OptionSet,GlobalOptionSet"
    row = service.row(f"EntityDefinitions(LogicalName='opportunity')/Attributes(LogicalName='need')/{cast}")
    assert (row["OptionSet"], row["GlobalOptionSet"]["Name"]) == (None, "need")


def test_relationships_are_found_by_name(service: Service) -> None:
    rows = service.rows("RelationshipDefinitions?$filter=SchemaName%20eq%20'contact_customer_accounts'")
    assert rows[0]["ReferencingEntity"] == "contact"
    kind = "Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata"
    many = service.rows(f"RelationshipDefinitions/{kind}?$select=SchemaName,IntersectEntityName")
    assert [row["IntersectEntityName"] for row in many] == ["teammembership"]
    assert service.get("RelationshipDefinitions(SchemaName='teammembership_association')").status == 200
    assert service.get("RelationshipDefinitions?$select=ReferencedEntity").status == 400, "only with a cast"


def test_metadata_changes_give_chosen_properties(service: Service) -> None:
    import json
    from urllib.parse import quote

    def conditions(name: str) -> dict[str, Any]:
        value = {"Type": "System.String", "Value": name}
        condition = {"PropertyName": "LogicalName", "ConditionOperator": "Equals", "Value": value}
        return {"Conditions": [condition]}

    query = {
        "Properties": {"PropertyNames": ["LogicalName", "Attributes"]},
        "Criteria": conditions("account"),
        "AttributeQuery": {
            "Properties": {"PropertyNames": ["LogicalName", "MaxLength"]},
            "Criteria": conditions("name"),
        },
    }
    address = "RetrieveMetadataChanges(Query=@p1)?@p1="
    body = service.row(address + quote(json.dumps(query)))
    entity = body["EntityMetadata"][0]
    assert (len(body["EntityMetadata"]), entity["LogicalName"]) == (1, "account")
    assert [(item["LogicalName"], item["MaxLength"]) for item in entity["Attributes"]] == [("name", 160)]
    assert len(service.row(address + "%7B%7D")["EntityMetadata"]) > 15
    assert service.get(address + "nonsense").status == 400


# Changing options


def labels(service: Service, column: str = "paymenttermscode", table: str = "account") -> dict[int, str]:
    cast = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$expand=OptionSet,GlobalOptionSet"
    row = service.row(f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')/{cast}")
    options = (row["OptionSet"] or row["GlobalOptionSet"])["Options"]
    return {option["Value"]: option["Label"]["UserLocalizedLabel"]["Label"] for option in options}


def label(text: str) -> dict[str, Any]:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]}


TERMS = {"EntityLogicalName": "account", "AttributeLogicalName": "paymenttermscode"}


def test_options_are_added_renamed_and_taken_away(own_service: Service) -> None:
    service = own_service
    account = service.create("accounts", name="A")
    assert service.send("PATCH", f"accounts({account})", {"paymenttermscode": 100_000_000}).code == "0x8004431a"
    added = service.send("POST", "InsertOptionValue", {**TERMS, "Label": label("14 DAYS")})
    assert added.json["NewOptionValue"] == 100_000_000
    chosen = service.send("POST", "InsertOptionValue", {**TERMS, "Label": label("COD"), "Value": 77})
    assert chosen.json["NewOptionValue"] == 77
    assert (
        service.send("POST", "InsertOptionValue", {**TERMS, "Label": label("CM")}).json["NewOptionValue"] == 100_000_001
    )
    service.change(f"accounts({account})", paymenttermscode=100_000_000)
    renamed = {**TERMS, "Value": 77, "Label": label("CASH"), "MergeLabels": True}
    assert service.send("POST", "UpdateOptionValue", renamed).status == 204
    assert service.send("POST", "DeleteOptionValue", {**TERMS, "Value": 4}).status == 204
    xml = "<importexportxml><entities><entity>account</entity></entities></importexportxml>"
    assert service.send("POST", "PublishXml", {"ParameterXml": xml}).status == 204
    assert service.send("POST", "PublishAllXml").status == 204
    found = labels(service)
    assert found == {1: "Net 30", 2: "2% 10 Net 30", 3: "Net 45", 100_000_000: "14 DAYS", 77: "CASH", 100_000_001: "CM"}
    assert labels(service, table="contact") != found, "each column has options of its own"
    shown = service.row(f"accounts({account})?$select=paymenttermscode", Prefer='odata.include-annotations="*"')
    assert shown["paymenttermscode@OData.Community.Display.V1.FormattedValue"] == "14 DAYS"


def test_options_of_a_shared_choice_change_for_all_its_columns(own_service: Service) -> None:
    body = {"OptionSetName": "need", "Label": label("Nobody cares"), "Value": 9}
    assert own_service.send("POST", "InsertOptionValue", body).status == 200
    assert labels(own_service, "need", "opportunity")[9] == "Nobody cares"


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("InsertOptionValue", {**TERMS, "Label": label("x"), "Value": 1}, 400),
        ("InsertOptionValue", {**TERMS, "Label": label(" ")}, 400),
        ("InsertOptionValue", {**TERMS, "Label": label("x"), "Value": "7"}, 400),
        (
            "InsertOptionValue",
            {"EntityLogicalName": "account", "AttributeLogicalName": "name", "Label": label("x")},
            400,
        ),
        (
            "InsertOptionValue",
            {"EntityLogicalName": "account", "AttributeLogicalName": "nosuch", "Label": label("x")},
            404,
        ),
        ("InsertOptionValue", {"OptionSetName": "nosuch", "Label": label("x")}, 404),
        ("UpdateOptionValue", {**TERMS, "Label": label("x"), "Value": 99}, 404),
        ("DeleteOptionValue", {**TERMS, "Value": 99}, 404),
        ("PublishXml", {}, 400),
    ],
)
def test_a_change_of_options_that_cannot_be_is_refused(
    service: Service, action: str, body: dict[str, Any], status: int
) -> None:
    assert service.send("POST", action, body).status == status
