"""Rows without HTTP, what an environment holds from the start, and a database that is opened again."""

from pathlib import Path

import pytest

from crosstie.sandbox.clock import Clock
from crosstie.sandbox.database import Database
from crosstie.sandbox.dataverse import Dataverse
from crosstie.sandbox.dataverse.errors import Refusal
from crosstie.sandbox.settings import Settings
from crosstie.sandbox.tokens import Tokens

from .service import Service

ID = "aaaaaaaa-0000-0000-0000-000000000001"


def test_loaded_rows_are_typed_like_written_ones(service: Service) -> None:
    contact = "aaaaaaaa-0000-0000-0000-000000000002"
    service.system.insert_many(
        "account",
        [
            {
                "accountid": ID.upper(),
                "name": "Adatum",
                "creditlimit": 12.5,
                "address1_line1": "Road 1",
                "_primarycontactid_value": contact,
                "statecode": 1,
                "modifiedon": "2024-05-06T07:08:09Z",
                "createdon": "2024-01-01T00:00:00Z",
            }
        ],
    )
    service.system.insert_many(
        "contact",
        [
            {"contactid": contact, "firstname": "Pia", "lastname": "Holm", "_parentcustomerid_value": ID},
            {"lastname": "Ros", "parentcustomerid_contact@odata.bind": f"/contacts({contact})"},
            {
                "lastname": "Lee",
                "_ownerid_value": ID,
                "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "team",
            },
        ],
    )
    row = service.row(f"accounts({ID})?$expand=primarycontactid($select=fullname)")
    assert row["primarycontactid"]["fullname"] == "Pia Holm"
    assert (row["statecode"], row["statuscode"], row["modifiedon"]) == (1, 2, "2024-05-06T07:08:09Z")
    assert (row["creditlimit"], row["creditlimit_base"], row["address1_composite"]) == (12.5, 12.5, "Road 1")
    contacts = {row["lastname"]: row for row in service.rows("contacts")}
    assert contacts["Holm"]["_accountid_value"] == ID
    assert contacts["Ros"]["_parentcontactid_value"] == contact
    assert contacts["Lee"]["_owningteam_value"] == ID
    assert contacts["Holm"]["createdon"] > "2025"


def test_a_row_that_is_there_is_overwritten_where_values_are_given(service: Service) -> None:
    service.system.insert_many("account", [{"accountid": ID, "name": "Adatum", "fax": "1"}])
    before = service.row(f"accounts({ID})")
    service.system.insert_many("account", [{"accountid": ID, "name": "Adatum 2"}])
    after = service.row(f"accounts({ID})")
    assert (after["name"], after["fax"]) == ("Adatum 2", "1")
    assert after["versionnumber"] > before["versionnumber"]


@pytest.mark.parametrize(
    "row",
    [
        {"name": "x" * 161},
        {"nosuch": 1},
        {"_nosuch_value": None},
        {"bcbi_companyid@odata.bind": f"/bcbi_companies({ID})"},
        {"primarycontactid@odata.bind": "nonsense"},
        {"primarycontactid@odata.bind": "/contacts(externaluseridentifier='x')"},
    ],
)
def test_a_row_that_does_not_fit_undoes_the_whole_set(service: Service, row: dict[str, object]) -> None:
    with pytest.raises((Refusal, LookupError)):
        service.system.insert_many("account", [{"name": "A"}, row])
    assert service.rows("accounts") == []


def test_many_rows_are_loaded_quickly(service: Service) -> None:
    import time

    rows = [{"name": f"Customer {n}", "accountnumber": f"C{n}", "creditlimit": n} for n in range(5000)]
    started = time.process_time()
    service.system.insert_many("account", rows)
    assert time.process_time() - started < 1.5
    assert service.system.counts()["account"] == 5000


def test_an_environment_is_usable_from_the_start(service: Service) -> None:
    me = service.row("WhoAmI()")
    assert me == service.row("WhoAmI")
    assert me["@odata.context"].endswith("#Microsoft.Dynamics.CRM.WhoAmIResponse")
    organization = service.rows("organizations?$expand=basecurrencyid($select=isocurrencycode)")[0]
    assert organization["organizationid"] == me["OrganizationId"]
    assert organization["basecurrencyid"]["isocurrencycode"] == "USD"
    team = service.rows("teams?$select=name,_businessunitid_value,isdefault")[0]
    assert (team["_businessunitid_value"], team["isdefault"]) == (me["BusinessUnitId"], True)
    people = "isdisabled eq false and islicensed eq true and isintegrationuser eq false"
    assert service.filtered(people, "systemusers", "fullname") == [], "the server's own users are no people"
    assert service.row("RetrieveVersion()")["Version"].startswith("9.2")


def test_a_fresh_database_has_tables_but_no_rows() -> None:
    clock = Clock()
    database = Database()
    system = Dataverse(database, clock, Tokens(clock), Settings(Dataverse.settings_schema()))
    assert set(system.counts().values()) == {0}
    system.reset()
    assert system.counts()["organization"] == 1
    database.close()


def test_a_database_that_is_opened_again_is_as_it_was(tmp_path: Path) -> None:
    path = str(tmp_path / "dataverse.sqlite")
    service = Service(path)
    service.system.reset()
    account = service.create("accounts", name="A")
    link = service.row("accounts?$select=name", Prefer="odata.track-changes")["@odata.deltaLink"]
    label = {"LocalizedLabels": [{"Label": "14 DAYS", "LanguageCode": 1033}]}
    terms = {"EntityLogicalName": "account", "AttributeLogicalName": "paymenttermscode"}
    option = service.send("POST", "InsertOptionValue", {**terms, "Label": label}).json["NewOptionValue"]
    service.send("POST", "DeleteOptionValue", {**terms, "Value": 1})
    keys = "EntityDefinitions(LogicalName='account')/Keys"
    service.send("POST", keys, {"SchemaName": "NameKey", "KeyAttributes": ["name"]})
    service.database.close()

    again = Service(path)
    assert again.row("accounts(name='a')")["accountid"] == account
    assert again.send("PATCH", f"accounts({account})", {"paymenttermscode": option}).status == 204
    assert again.send("PATCH", f"accounts({account})", {"paymenttermscode": 1}).code == "0x8004431a"
    assert [row["accountid"] for row in again.rows(link)] == [account]
    again.system.reset()
    assert again.get("accounts(name='a')").status == 400, "a reset forgets what was customized"
    again.database.close()
