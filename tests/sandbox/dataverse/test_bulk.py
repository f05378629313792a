"""CreateMultiple and its kin, BulkDelete, refusals by switch (wire-dataverse section 12)."""

from typing import Any
from urllib.parse import quote

import pytest

from .service import NOBODY, Answer, Service

TYPE = "Microsoft.Dynamics.CRM.account"


def send(service: Service, message: str, targets: list[dict[str, Any]], typed: bool = True) -> Answer:
    marked = [{"@odata.type": TYPE, **target} if typed else target for target in targets]
    return service.send("POST", f"accounts/Microsoft.Dynamics.CRM.{message}", {"Targets": marked})


def test_create_multiple_answers_with_the_ids_in_order(service: Service) -> None:
    answer = send(service, "CreateMultiple", [{"name": "A"}, {"name": "B", "accountid": NOBODY}])
    assert answer.status == 200
    assert answer.json["@odata.context"].endswith("#Microsoft.Dynamics.CRM.CreateMultipleResponse")
    assert [service.row(f"accounts({account})")["name"] for account in answer.json["Ids"]] == ["A", "B"]
    assert answer.json["Ids"][1] == NOBODY


def test_one_bad_target_undoes_all(service: Service) -> None:
    answer = send(service, "CreateMultiple", [{"name": "A"}, {"name": "x" * 161}])
    assert (answer.status, answer.code) == (400, "0x80044331")
    assert service.rows("accounts") == []
    account = service.create("accounts", name="A")
    failed = send(service, "UpdateMultiple", [{"accountid": account, "name": "B"}, {"accountid": NOBODY, "name": "C"}])
    assert (failed.status, failed.code) == (404, "0x80040217")
    assert service.row(f"accounts({account})")["name"] == "A"


def test_update_multiple_names_its_rows_by_id(service: Service) -> None:
    ids = [service.create("accounts", name="A"), service.create("accounts", name="B", accountnumber="N")]
    targets = [{"accountid": ids[0], "fax": "1"}, {"@odata.id": "accounts(accountnumber='N')", "fax": "2"}]
    assert send(service, "UpdateMultiple", targets).status == 204
    assert [service.row(f"accounts({account})")["fax"] for account in ids] == ["1", "2"]
    twice = send(service, "UpdateMultiple", [{"accountid": ids[0], "fax": str(n)} for n in range(2)])
    assert twice.status == 400


def test_upsert_multiple_updates_or_creates(service: Service) -> None:
    present = service.create("accounts", name="A", accountnumber="N1")
    targets = [
        {"@odata.id": "accounts(accountnumber='N1')", "name": "A2"},
        {"@odata.id": "accounts(accountnumber='N2')", "name": "B"},
        {"accountid": NOBODY, "name": "C"},
        {"accountnumber": "N3", "name": "D"},
    ]
    assert send(service, "UpsertMultiple", targets).status == 204
    assert service.row(f"accounts({present})")["name"] == "A2"
    assert service.row("accounts(accountnumber='N2')")["name"] == "B"
    assert service.row(f"accounts({NOBODY})")["name"] == "C"
    assert service.row("accounts(accountnumber='N3')")["name"] == "D"


def test_a_key_both_in_the_address_and_in_the_body_fails_only_on_create(service: Service) -> None:
    service.create("accounts", name="A", accountnumber="N1")
    both = {"@odata.id": "accounts(accountnumber='{}')", "accountnumber": "{}", "name": "B"}

    def target(number: str) -> dict[str, str]:
        return {name: value.replace("{}", number) for name, value in both.items()}

    assert send(service, "UpsertMultiple", [target("N1")]).status == 204
    failed = send(service, "UpsertMultiple", [target("N2")])
    assert (failed.status, failed.code, failed.message) == (400, "0x80040216", "An unexpected error occurred.")


@pytest.mark.parametrize(
    "body", [{}, {"Targets": []}, {"Targets": "x"}, {"Targets": [5]}, {"Targets": [{"name": "A"}]}]
)
def test_targets_must_be_typed_objects(service: Service, body: object) -> None:
    assert service.send("POST", "accounts/Microsoft.Dynamics.CRM.CreateMultiple", body).status == 400


def test_a_target_of_another_table_is_refused(service: Service) -> None:
    wrong = {"@odata.type": "#Microsoft.Dynamics.CRM.contact", "name": "A"}
    assert send(service, "CreateMultiple", [wrong], typed=False).status == 400


def test_delete_multiple_is_for_elastic_tables_only(service: Service) -> None:
    answer = send(service, "DeleteMultiple", [{"accountid": NOBODY}])
    assert (answer.status, answer.message) == (400, "DeleteMultiple has not yet been implemented.")


def test_tables_tell_which_bulk_messages_they_know(service: Service) -> None:
    condition = (
        "(sdkmessageid/name eq 'CreateMultiple' or sdkmessageid/name eq 'UpdateMultiple' or "
        "sdkmessageid/name eq 'DeleteMultiple') and primaryobjecttypecode eq 'account'"
    )
    address = "sdkmessagefilters?$select=sdkmessagefilterid&$expand=sdkmessageid($select=name)&$filter="
    rows = service.rows(address + quote(condition))
    assert {row["sdkmessageid"]["name"] for row in rows} == {"CreateMultiple", "UpdateMultiple"}


def delete_job(service: Service, ids: list[str]) -> str:
    condition = {
        "AttributeName": "accountid",
        "Operator": "In",
        "Values": [{"Value": account, "Type": "System.Guid"} for account in ids],
    }
    query = {
        "@odata.type": "Microsoft.Dynamics.CRM.QueryExpression",
        "EntityName": "account",
        "Criteria": {"FilterOperator": "And", "Conditions": [condition]},
    }
    body = {"JobName": "Clean up", "QuerySet": [query], "RecurrencePattern": "", "SendEmailNotification": False}
    answer = service.send("POST", "BulkDelete", body)
    assert answer.status == 200
    return str(answer.json["JobId"])


def test_a_bulk_delete_happens_a_while_later(service: Service) -> None:
    ids = [service.create("accounts", name=f"N{number}") for number in range(3)]
    job = delete_job(service, ids[:2])
    assert service.row(f"asyncoperations({job})")["statecode"] == 0
    assert len(service.rows("accounts")) == 3
    service.clock.advance(11)
    assert [row["accountid"] for row in service.rows("accounts")] == ids[2:]
    done = service.row(f"asyncoperations({job})?$select=name,statecode,statuscode")
    assert (done["name"], done["statecode"], done["statuscode"]) == ("Clean up", 3, 30)


def test_a_bulk_delete_reports_what_it_could_not_delete(service: Service) -> None:
    account = service.create("accounts", name="A")
    service.create("salesorders", name="O", customerid_account__bind=f"accounts({account})")
    job = delete_job(service, [account])
    service.clock.advance(11)
    row = service.row(f"asyncoperations({job})")
    assert row["statuscode"] == 31
    assert "cannot be deleted" in row["message"]


@pytest.mark.parametrize("body", [{}, {"QuerySet": []}, {"QuerySet": [{"EntityName": "nosuch"}]}])
def test_a_bulk_delete_needs_queries(service: Service, body: object) -> None:
    assert service.send("POST", "BulkDelete", body).status == 400


# Privileges by switch


def test_writes_to_chosen_records_are_refused(service: Service) -> None:
    locked, free = (service.create("accounts", name=name) for name in ("A", "B"))
    service.settings.change({"refuse_write_ids": [locked]})
    for method in ("PATCH", "DELETE"):
        answer = service.send(method, f"accounts({locked})", {"name": "C"})
        assert (answer.status, answer.code) == (403, "0x80040220")
        assert "is missing prv" in answer.message
    assert service.send("PATCH", f"accounts({free})", {"name": "C"}).status == 204
    assert service.row(f"accounts({locked})")["name"] == "A"


def test_writes_to_chosen_tables_are_refused(service: Service) -> None:
    service.settings.change({"refuse_tables": ["account"]})
    assert service.send("POST", "accounts", {"name": "A"}).code == "0x80040220"
    assert service.send("POST", "contacts", {"lastname": "A"}).status == 204
    assert service.get("accounts").status == 200
