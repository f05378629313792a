"""The table of wire-dataverse section 7: what PATCH and DELETE do with and without conditions."""

import pytest

from .service import NOBODY, Service

NEW = "22222222-2222-2222-2222-222222222222"


@pytest.fixture
def account(service: Service) -> str:
    return service.create("accounts", name="Adatum", accountnumber="A1")


def etag(service: Service, account: str) -> str:
    return service.row(f"accounts({account})?$select=name")["@odata.etag"]


def exists(service: Service, address: str) -> bool:
    return service.get(f"{address}?$select=name").status == 200


def test_patch_without_a_condition_updates_or_creates(service: Service, account: str) -> None:
    assert service.send("PATCH", f"accounts({account})", {"name": "Adatum 2"}).status == 204
    assert service.row(f"accounts({account})")["name"] == "Adatum 2"
    created = service.send("PATCH", f"accounts({NEW})", {"name": "Brand new"})
    assert (created.status, created.id) == (204, NEW)
    assert service.row(f"accounts({NEW})")["name"] == "Brand new"


def test_patch_with_if_match_star_never_creates(service: Service, account: str) -> None:
    assert service.send("PATCH", f"accounts({account})", {"name": "B"}, If_Match="*").status == 204
    missing = service.send("PATCH", f"accounts({NOBODY})", {"name": "B"}, If_Match="*")
    assert (missing.status, missing.code) == (404, "0x80040217")
    assert missing.message == f"account With Id = {NOBODY} Does Not Exist"
    assert not exists(service, f"accounts({NOBODY})")


def test_patch_with_an_etag_needs_that_version(service: Service, account: str) -> None:
    old = etag(service, account)
    assert service.send("PATCH", f"accounts({account})", {"name": "B"}, If_Match=old).status == 204
    stale = service.send("PATCH", f"accounts({account})", {"name": "C"}, If_Match=old)
    assert (stale.status, stale.code) == (412, "0x80060882")
    assert stale.message == "The version of the existing record doesn't match the RowVersion property provided."
    assert service.row(f"accounts({account})")["name"] == "B"
    assert service.send("PATCH", f"accounts({NOBODY})", {"name": "C"}, If_Match=old).status == 404


def test_patch_with_if_none_match_star_only_creates(service: Service, account: str) -> None:
    present = service.send("PATCH", f"accounts({account})", {"name": "B"}, If_None_Match="*")
    assert (present.status, present.message) == (412, "A record with matching key values already exists.")
    assert service.row(f"accounts({account})")["name"] == "Adatum"
    assert service.send("PATCH", f"accounts({NEW})", {"name": "B"}, If_None_Match="*").status == 204


def test_the_literal_null_counts_as_no_condition(service: Service, account: str) -> None:
    assert service.send("PATCH", f"accounts({NEW})", {"name": "B"}, If_None_Match="null").status == 204
    both = service.send("PATCH", f"accounts({account})", {"name": "B"}, If_None_Match="null", If_Match="*")
    assert both.status == 204


def test_delete_answers_for_present_missing_and_stale_rows(service: Service, account: str) -> None:
    old = etag(service, account)
    service.change(f"accounts({account})", name="B")
    stale = service.send("DELETE", f"accounts({account})", If_Match=old)
    assert (stale.status, stale.code) == (412, "0x80060882")
    assert service.send("DELETE", f"accounts({account})", If_Match=etag(service, account)).status == 204
    gone = service.send("DELETE", f"accounts({account})")
    assert (gone.status, gone.code) == (404, "0x80040217")


def test_writing_an_unchanged_value_still_makes_a_new_version(service: Service, account: str) -> None:
    old = etag(service, account)
    service.change(f"accounts({account})", name="Adatum")
    assert etag(service, account) != old


def test_representation_tells_created_from_updated(service: Service, account: str) -> None:
    updated = service.send("PATCH", f"accounts({account})?$select=name", {"name": "B"}, Prefer="return=representation")
    assert updated.status == 200
    assert updated.headers["ETag"] == updated.json["@odata.etag"] == etag(service, account)
    assert updated.headers["Preference-Applied"] == "return=representation"
    created = service.send("PATCH", f"accounts({NEW})?$select=name", {"name": "B"}, Prefer="return=representation")
    assert created.status == 201
    assert created.json["name"] == "B"
    assert "telephone1" not in created.json


# Alternate keys in the address


def test_upsert_by_alternate_key_updates_or_creates(service: Service, account: str) -> None:
    answer = service.send("PATCH", "accounts(accountnumber='A1')", {"name": "B", "accountnumber": "OTHER"})
    assert answer.headers["OData-EntityId"].endswith("/accounts(accountnumber='A1')"), "the key form is echoed"
    row = service.row(f"accounts({account})?$select=name,accountnumber")
    assert (row["name"], row["accountnumber"]) == ("B", "A1"), "key values in the body are dropped on update"
    service.send("PATCH", "accounts(accountnumber='A2')", {"name": "C"})
    assert service.row("accounts(accountnumber='A2')")["name"] == "C", "key values in the address are copied"
    service.send("PATCH", "accounts(accountnumber='A3')", {"name": "D", "accountnumber": "A4"})
    assert service.row("accounts(accountnumber='A4')")["name"] == "D", "a new row: the body wins"


def test_create_only_by_alternate_key_is_answered_404_as_seen_live(service: Service) -> None:
    answer = service.send("PATCH", "accounts(accountnumber='A9')", {"name": "B"}, If_None_Match="*")
    assert (answer.status, answer.code) == (404, "0x80060891")
    assert not exists(service, "accounts(accountnumber='A9')")
    service.settings.change({"refuse_create_only_by_key": False})
    assert service.send("PATCH", "accounts(accountnumber='A9')", {"name": "B"}, If_None_Match="*").status == 204
    assert exists(service, "accounts(accountnumber='A9')")


def test_update_only_by_alternate_key_of_a_missing_row(service: Service) -> None:
    answer = service.send("PATCH", "accounts(accountnumber='A9')", {"name": "B"}, If_Match="*")
    assert (answer.status, answer.code) == (404, "0x80060891")


# Creating


def test_post_answers_with_the_address_of_the_new_row(service: Service) -> None:
    answer = service.send("POST", "accounts", {"name": "A"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["OData-EntityId"] == f"https://org.example/api/data/v9.2/accounts({answer.id})"
    shown = service.send(
        "POST", "accounts?$select=name&$expand=primarycontactid", {"name": "A"}, Prefer="return=representation"
    )
    assert shown.status == 201
    assert shown.json["@odata.context"].endswith("$metadata#accounts(name,primarycontactid())/$entity")
    assert shown.json["primarycontactid"] is None


def test_a_chosen_id_is_kept_and_refused_the_second_time(service: Service) -> None:
    assert service.send("POST", "accounts", {"accountid": NEW, "name": "A"}).id == NEW
    again = service.send("POST", "accounts", {"accountid": NEW, "name": "B"})
    assert (again.status, again.code) == (412, "0x80040237")
    assert service.row(f"accounts({NEW})")["name"] == "A"


def test_an_alternate_key_is_unique_without_case_and_only_where_it_is_given(service: Service, account: str) -> None:
    clash = service.send("POST", "accounts", {"name": "B", "accountnumber": "a1"})
    assert (clash.status, clash.code) == (412, "0x80060892")
    assert clash.message.startswith(
        "Entity Key Account Number Key violated. A record with the same value for Account Number already exists."
    )
    other = service.create("accounts", name="C")
    service.create("accounts", name="D")
    taken = service.send("PATCH", f"accounts({other})", {"accountnumber": "A1"})
    assert (taken.status, taken.code) == (412, "0x80060892")


def test_nested_rows_are_created_together_or_not_at_all(service: Service) -> None:
    body = {
        "name": "Adatum",
        "primarycontactid": {"lastname": "Holm"},
        "contact_customer_accounts": [{"lastname": "One"}, {"lastname": "Two"}],
    }
    account = service.send("POST", "accounts", body).id
    row = service.row(f"accounts({account})?$select=name&$expand=primarycontactid,contact_customer_accounts")
    assert row["primarycontactid"]["lastname"] == "Holm"
    assert {contact["lastname"] for contact in row["contact_customer_accounts"]} == {"One", "Two"}
    body["contact_customer_accounts"] = [{"lastname": "x" * 51}]
    assert service.send("POST", "accounts", body).code == "0x80044331"
    assert len(service.rows("contacts?$select=lastname")) == 3


def test_an_array_of_references_links_existing_rows(service: Service) -> None:
    contacts = [service.create("contacts", lastname=name) for name in ("One", "Two")]
    references = [f"contacts({contact})" for contact in contacts]
    account = service.create("accounts", name="A", contact_customer_accounts__bind=references)
    assert len(service.rows(f"accounts({account})/contact_customer_accounts")) == 2


def test_an_import_may_date_a_row_back(service: Service) -> None:
    account = service.create("accounts", name="A", overriddencreatedon="2020-02-03T04:05:06Z", createdon="2001-01-01")
    row = service.row(f"accounts({account})?$select=createdon,overriddencreatedon")
    assert row["createdon"] == "2020-02-03T04:05:06Z"
    assert row["overriddencreatedon"] > "2024"
