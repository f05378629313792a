"""Lookups: binding in all forms, references, single values, deleting with relations (wire-dataverse section 5)."""

import pytest

from .service import NOBODY, ROOT, Service

FORMS = [
    "/contacts({id})",
    "contacts({id})",
    "/api/data/v9.2/contacts({id})",
    ROOT + "/contacts({id})",
    "https://elsewhere.example/api/data/v9.0/contacts({id})",
    "/contacts(contactid={id})",
    "/contacts(externaluseridentifier='E-1')",
]


@pytest.fixture
def contact(service: Service) -> str:
    return service.create("contacts", lastname="Holm", externaluseridentifier="E-1")


@pytest.fixture
def account(service: Service) -> str:
    return service.create("accounts", name="Adatum")


@pytest.mark.parametrize("form", FORMS)
def test_a_lookup_is_bound_by_any_form_of_address(service: Service, contact: str, form: str) -> None:
    account = service.create("accounts", name="A", primarycontactid__bind=form.replace("{id}", contact))
    assert service.row(f"accounts({account})")["_primarycontactid_value"] == contact


@pytest.mark.parametrize("name", ["primarycontactid@odata.bind", "primarycontactid"])
def test_null_clears_a_lookup(service: Service, contact: str, name: str) -> None:
    account = service.create("accounts", name="A", primarycontactid__bind=f"contacts({contact})")
    assert service.send("PATCH", f"accounts({account})", {name: None}).status == 204
    assert service.row(f"accounts({account})")["_primarycontactid_value"] is None


BROKEN = [
    (f"/contacts({NOBODY})", 404, "0x80040217"),
    ("/contacts(externaluseridentifier='none')", 404, "0x80060891"),
    (f"/accounts({NOBODY})", 400, "0x80048d19"),
    ("/contacts", 400, "0x80048d19"),
    ("", 400, "0x80048d19"),
    (5, 400, "0x80048d19"),
    ("/contacts(nosuchkey='x')", 400, "0x80060888"),
    ("$7", 400, "0x80060888"),
]


@pytest.mark.parametrize(("reference", "status", "code"), BROKEN)
def test_a_reference_must_lead_to_a_row_of_the_right_table(
    service: Service, reference: object, status: int, code: str
) -> None:
    answer = service.send("POST", "accounts", {"name": "A", "primarycontactid@odata.bind": reference})
    assert (answer.status, answer.code) == (status, code)


def test_names_of_navigation_properties_keep_their_case(service: Service) -> None:
    company = service.create("bcbi_companies", bcbi_name="CRONUS")
    account = service.create("accounts", name="A", bcbi_CompanyId__bind=f"bcbi_companies({company})")
    assert service.row(f"accounts({account})")["_bcbi_companyid_value"] == company
    wrong = service.send("POST", "accounts", {"bcbi_companyid@odata.bind": f"bcbi_companies({company})"})
    assert (wrong.status, wrong.code) == (400, "0x8006088a")
    assert "undeclared property 'bcbi_companyid'" in wrong.message
    assert "Did you mean 'bcbi_CompanyId'?" in wrong.message


# References


def test_references_link_and_unlink_both_ways(service: Service, account: str, contact: str) -> None:
    near = f"accounts({account})"
    far = {"@odata.id": f"{ROOT}/contacts({contact})"}
    assert service.send("PUT", f"{near}/primarycontactid/$ref", far).status == 204
    assert service.row(f"{near}/primarycontactid/$ref")["@odata.id"] == f"{ROOT}/contacts({contact})"
    assert service.row(f"{near}/primarycontactid?$select=lastname")["lastname"] == "Holm"
    assert service.send("DELETE", f"{near}/primarycontactid/$ref").status == 204
    assert service.get(f"{near}/primarycontactid").status == 204
    collection = f"{near}/contact_customer_accounts"
    assert service.send("POST", f"{collection}/$ref", far).status == 204
    assert [row["contactid"] for row in service.rows(collection)] == [contact]
    assert service.get(f"{collection}/$count").body == b"1"
    assert service.rows(f"{collection}/$ref") == [{"@odata.id": f"{ROOT}/contacts({contact})"}]
    assert service.send("DELETE", f"{collection}({contact})/$ref").status == 204
    assert service.rows(collection) == []
    service.send("POST", f"{collection}/$ref", far)
    assert service.send("DELETE", f"{collection}/$ref?$id={ROOT}/contacts({contact})").status == 204
    assert service.rows(collection) == []


def test_linking_makes_a_new_version_of_the_row_that_holds_the_lookup(
    service: Service, account: str, contact: str
) -> None:
    before = service.row(f"contacts({contact})")["@odata.etag"]
    far = {"@odata.id": f"{ROOT}/contacts({contact})"}
    service.send("POST", f"accounts({account})/contact_customer_accounts/$ref", far)
    assert service.row(f"contacts({contact})")["@odata.etag"] != before


def test_users_are_added_to_teams_and_removed(service: Service) -> None:
    me = service.row("WhoAmI")
    team = service.create("teams", name="T", businessunitid__bind=f"businessunits({me['BusinessUnitId']})")
    members = {"Members": [{"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": me["UserId"]}]}
    for _ in range(2):
        added = service.send("POST", f"teams({team})/Microsoft.Dynamics.CRM.AddMembersTeam", members)
        assert added.status == 204
    expanded = service.row(f"teams({team})?$expand=teammembership_association($select=fullname)")
    assert [user["systemuserid"] for user in expanded["teammembership_association"]] == [me["UserId"]]
    mine = f"systemusers({me['UserId']})/teammembership_association"
    assert [row["teamid"] for row in service.rows(f"{mine}?$select=name")] == [team]
    again = service.send("POST", f"{mine}/$ref", {"@odata.id": f"teams({team})"})
    assert again.status == 412
    assert service.send("DELETE", f"{mine}({team})/$ref").status == 204
    assert service.rows(mine) == []


# Single values


def test_one_value_is_read_written_and_cleared(service: Service, account: str) -> None:
    address = f"accounts({account})/name"
    assert service.row(address) == {"@odata.context": f"{ROOT}/$metadata#{address}", "value": "Adatum"}
    assert service.get(f"{address}/$value").body == b"Adatum"
    assert service.send("PUT", address, {"value": "B"}).status == 204
    assert service.row(address)["value"] == "B"
    assert service.send("DELETE", address).status == 204
    assert service.get(address).status == 204
    assert service.send("PUT", address, {"value": "x" * 161}).code == "0x80044331"
    assert service.send("PUT", address, {}).status == 400
    service.send("PUT", f"accounts({account})/revenue", {"value": 5})
    assert service.get(f"accounts({account})/revenue/$value").body == b"5.0000"
    assert service.get(f"accounts({account})/creditonhold/$value").body == b"false"


UNKNOWN = ["accounts({id})/nosuch", "accounts({id})/name/more", "nosuchset", "accounts({id})/primarycontactid/nosuch"]


@pytest.mark.parametrize("address", UNKNOWN)
def test_an_address_that_leads_nowhere_is_404(service: Service, account: str, contact: str, address: str) -> None:
    service.change(f"accounts({account})", primarycontactid__bind=f"contacts({contact})")
    answer = service.get(address.replace("{id}", account))
    assert (answer.status, answer.code) == (404, "0x8006088a")


# Deleting


def test_deleting_a_parent_lets_go_of_its_children(service: Service, account: str) -> None:
    contact = service.create("contacts", lastname="A", parentcustomerid_account__bind=f"accounts({account})")
    before = service.row(f"contacts({contact})")
    assert service.send("DELETE", f"accounts({account})").status == 204
    after = service.row(f"contacts({contact})")
    assert after["_parentcustomerid_value"] is None
    assert after["_accountid_value"] is None
    assert after["versionnumber"] > before["versionnumber"]


def test_deleting_takes_along_what_cannot_stand_alone(service: Service, account: str) -> None:
    order = service.create("salesorders", name="O", customerid_account__bind=f"accounts({account})")
    line = service.create("salesorderdetails", salesorderid__bind=f"salesorders({order})", quantity=1)
    assert service.send("DELETE", f"salesorders({order})").status == 204
    assert service.get(f"salesorderdetails({line})").status == 404


def test_deleting_is_refused_where_a_relation_restricts_it(service: Service, account: str) -> None:
    order = service.create("salesorders", name="O", customerid_account__bind=f"accounts({account})")
    contact = service.create("contacts", lastname="A", parentcustomerid_account__bind=f"accounts({account})")
    answer = service.send("DELETE", f"accounts({account})")
    assert (answer.status, answer.code) == (405, "0x80040227")
    assert order in answer.message
    assert service.row(f"contacts({contact})")["_parentcustomerid_value"] == account, "nothing was half done"
    user = service.row("WhoAmI")["UserId"]
    assert service.send("DELETE", f"systemusers({user})").status == 405


# Alternate keys in addresses

KEYS = [
    ("accounts(accountnumber='A''1')", 200, None),
    ("accounts(accountnumber='a''1')", 200, None),
    ("accounts(accountnumber='none')", 404, "0x80060891"),
    ("accounts(accountnumber=5)", 400, "0x80060888"),
    ("accounts(name='x')", 400, "0x80060888"),
    ("accounts(12)", 400, "0x80060888"),
    ("accounts(accountnumber='A''1',name='x')", 400, "0x80060888"),
    ("systemusers(systemuserid={me})", 400, "0x80060888"),
    ("systemusers(ownerid={me})", 200, None),
    ("accounts({nobody})", 404, "0x80040217"),
    ("accounts(accountnumber='A+1')", 400, "0x80060888"),
    ("accounts(accountnumber='A:1')", 400, "0x80060888"),
    ("accounts(accountnumber='A/1')", 404, "0x8006088a"),
]


@pytest.mark.parametrize(("address", "status", "code"), KEYS)
def test_rows_are_addressed_by_their_keys(service: Service, address: str, status: int, code: str | None) -> None:
    service.create("accounts", name="A", accountnumber="A'1")
    me = service.row("WhoAmI")["UserId"]
    answer = service.get(address.replace("{me}", me).replace("{nobody}", NOBODY))
    assert answer.status == status
    if code:
        assert answer.code == code


def test_keys_are_made_and_dropped_while_the_system_runs(own_service: Service) -> None:
    service = own_service
    service.create("contacts", firstname="Joe", lastname="A", emailaddress1="a@b.example")
    keys = "EntityDefinitions(LogicalName='contact')/Keys"
    body = {"SchemaName": "PersonKey", "KeyAttributes": ["firstname", "emailaddress1"]}
    made = service.send("POST", keys, body)
    assert made.status == 204
    assert service.row("contacts(firstname='joe',emailaddress1='a@b.example')")["lastname"] == "A"
    clash = service.send("POST", "contacts", {"firstname": "Joe", "lastname": "B", "emailaddress1": "a@b.example"})
    assert (clash.status, clash.code) == (412, "0x80060892")
    service.create("contacts", firstname="Joe", lastname="B")
    service.create("contacts", firstname="Joe", lastname="C")
    assert service.send("DELETE", f"{keys}({made.id})").status == 204
    service.create("contacts", firstname="Joe", lastname="D", emailaddress1="a@b.example")
    refused = service.send("POST", keys, body)
    assert (refused.status, refused.code) == (412, "0x80060892")
    assert service.send("POST", keys, {"SchemaName": "Bad", "KeyAttributes": ["nosuch"]}).status == 400


def test_keys_may_hold_lookups_and_numbers(own_service: Service) -> None:
    service = own_service
    contact = service.create("contacts", lastname="A")
    bound = {"primarycontactid@odata.bind": f"contacts({contact})"}
    account = service.send("POST", "accounts", {"name": "A", "industrycode": 3, **bound}).id
    body = {"SchemaName": "ChiefKey", "KeyAttributes": ["primarycontactid", "industrycode"]}
    assert service.send("POST", "EntityDefinitions(LogicalName='account')/Keys", body).status == 204
    address = f"accounts(_primarycontactid_value={contact},industrycode=3)"
    assert service.row(address)["accountid"] == account
    assert service.get(address.replace("=3", "='x'")).code == "0x80060888"
    clash = service.send("POST", "accounts", {"name": "B", "industrycode": 3, **bound})
    assert (clash.status, clash.code) == (412, "0x80060892")


@pytest.mark.parametrize("name", ["AccountNumberKey", "not a name", ""])
def test_a_key_needs_a_name_of_its_own(service: Service, name: str) -> None:
    body = {"SchemaName": name, "KeyAttributes": ["name"]}
    assert service.send("POST", "EntityDefinitions(LogicalName='account')/Keys", body).status in (400, 412)
