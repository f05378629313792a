"""Related rows inside rows: $expand and its limits (wire-dataverse section 4)."""

import pytest

from .service import Service

ONLY = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "
    "one-to-many relationship."
)


@pytest.fixture
def account(service: Service) -> str:
    account = service.create("accounts", name="Contoso")
    for number in range(4):
        service.create(
            "contacts",
            lastname=f"L{number}",
            parentcustomerid_account__bind=f"accounts({account})",
            fax=str(number % 2),
        )
    pia = service.rows("contacts?$select=lastname&$filter=lastname%20eq%20'L0'")[0]["contactid"]
    service.change(f"accounts({account})", primarycontactid__bind=f"contacts({pia})")
    service.create("accounts", name="Alone")
    return account


def test_lookups_and_collections_are_expanded_with_their_options(service: Service, account: str) -> None:
    expand = (
        "primarycontactid($select=lastname),contact_customer_accounts($select=lastname;$filter=fax eq '1';"
        "$orderby=lastname desc;$top=1)"
    )
    rows = service.rows(f"accounts?$select=name&$orderby=name&$expand={expand}".replace(" ", "%20"))
    alone, contoso = rows
    assert alone["primarycontactid"] is None
    assert alone["contact_customer_accounts"] == []
    assert contoso["primarycontactid"].keys() == {"lastname", "contactid"}, "without an etag"
    assert [row["lastname"] for row in contoso["contact_customer_accounts"]] == ["L3"]
    assert "@odata.etag" in contoso["contact_customer_accounts"][0]


def test_expansions_nest(service: Service, account: str) -> None:
    inner = "parentcustomerid_account($select=name),createdby($select=fullname)"
    nested = f"contact_customer_accounts($select=lastname;$expand={inner})"
    row = service.row(f"accounts({account})?$select=name&$expand={nested}")
    for contact in row["contact_customer_accounts"]:
        assert contact["parentcustomerid_account"]["name"] == "Contoso"
        assert contact["createdby"]["fullname"] == "Sandbox Integration"


def test_a_customer_is_expanded_by_the_name_of_its_type(service: Service, account: str) -> None:
    both = "$expand=parentcustomerid_account($select=name),parentcustomerid_contact($select=lastname)"
    row = service.rows(f"contacts?$select=lastname&$top=1&{both}")[0]
    assert row["parentcustomerid_account"]["name"] == "Contoso"
    assert row["parentcustomerid_contact"] is None


def test_an_owner_is_expanded_as_what_it_is(service: Service, account: str) -> None:
    row = service.row(
        f"accounts({account})?$select=name&$expand=ownerid($select=fullname),owninguser($select=fullname)"
    )
    assert row["ownerid"]["@odata.type"] == "#Microsoft.Dynamics.CRM.systemuser"
    assert row["ownerid"]["fullname"] == row["owninguser"]["fullname"] == "Sandbox Integration"


def test_references_alone_are_expanded_for_lookups(service: Service, account: str) -> None:
    row = service.row(f"accounts({account})?$select=name&$expand=primarycontactid/$ref")
    assert row["primarycontactid"]["@odata.id"].endswith(f"/contacts({row_contact(service, account)})")
    assert service.get(f"accounts({account})?$expand=contact_customer_accounts/$ref").status == 400


def row_contact(service: Service, account: str) -> str:
    return str(service.row(f"accounts({account})?$select=_primarycontactid_value")["_primarycontactid_value"])


def test_an_expanded_collection_has_pages_of_its_own(service: Service, account: str) -> None:
    address = f"accounts({account})?$select=name&$expand=contact_customer_accounts($select=lastname;$orderby=lastname)"
    row = service.row(address, Prefer="odata.maxpagesize=3")
    assert [contact["lastname"] for contact in row["contact_customer_accounts"]] == ["L0", "L1", "L2"]
    rest = service.rows(row["contact_customer_accounts@odata.nextLink"])
    assert [contact["lastname"] for contact in rest] == ["L3"]


def test_expanded_rows_carry_annotations_too(service: Service, account: str) -> None:
    address = f"accounts({account})?$select=name&$expand=primarycontactid($select=_parentcustomerid_value)"
    contact = service.row(address, Prefer='odata.include-annotations="*"')["primarycontactid"]
    assert contact["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    name = contact["_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"]
    assert name == "parentcustomerid_account"
    assert contact["_parentcustomerid_value@OData.Community.Display.V1.FormattedValue"] == "Contoso"


REFUSED = [
    ("primarycontactid($orderby=lastname)", ONLY),
    ("primarycontactid($top=1)", ONLY),
    ("primarycontactid($expand=contact_customer_contacts($top=1))", ONLY),
    ("nosuch", "Could not find a property named 'nosuch' on type 'Microsoft.Dynamics.CRM.account'."),
    (
        "primarycontactid($select=nosuch)",
        "Could not find a property named 'nosuch' on type 'Microsoft.Dynamics.CRM.contact'.",
    ),
    ("contact_customer_accounts($skip=1)", "$skip"),
    ("contact_customer_accounts($count=true)", "$count"),
    ("contact_customer_accounts($levels=2)", "$levels"),
    ("primarycontactid(", "unbalanced"),
    (",".join(["primarycontactid"] * 16), "15"),
]


@pytest.mark.parametrize(("expand", "words"), REFUSED)
def test_what_cannot_be_expanded_is_refused(service: Service, expand: str, words: str) -> None:
    answer = service.get(f"accounts?$select=name&$expand={expand}")
    assert answer.status == 400
    assert words in answer.message
    if words == ONLY:
        assert answer.code == "0x80060888"


def test_many_to_many_relations_stand_alone(service: Service) -> None:
    address = "teams?$select=name&$expand=teammembership_association"
    assert service.get(f"{address}($select=fullname)").status == 200
    assert service.get(f"{address}($expand=businessunitid)").status == 400
    assert service.get(f"{address},businessunitid").status == 400
