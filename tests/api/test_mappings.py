"""Mappings over real HTTP: changed, with what is wrong named, and by those who may."""

import pytest

from crosstie.model.people import AuditAction, PrincipalKind
from tests.api.conftest import Desks, Served

pytestmark = pytest.mark.xdist_group("api")
CUSTOMER = "/api/v1/mappings/CUSTOMER"


def test_a_mapping_is_changed_and_the_next_synchronisation_goes_by_it(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    local = str(bc.add("customers", number="10000", displayName="Adatum", phoneNumber="111", type="Company")["id"])
    remote = str(dv.add_customer("Adatum", accountnumber="10000")["accountid"])
    served.done("operator", "POST", f"{CUSTOMER}/couplings", {"record": "10000", "to": remote})
    changed = served.done("administrator", "PATCH", CUSTOMER, {"direction": "from_remote", "update_conflict": "get"})
    assert changed["mapping"]["direction"] == "from_remote"
    assert {each["setting"] for each in changed["changes"]} == {"direction", "enabled", "update_conflict"}
    field = served.done("administrator", "PATCH", f"{CUSTOMER}/fields/City", {"enabled": False})
    assert [(each["field"], each["after"]) for each in field["changes"]] == [("City", False)]
    dv.change("accounts", remote, telephone1="222", address1_city="Leeds")
    served.done("operator", "POST", f"{CUSTOMER}/synchronise", {"records": ["10000"]})
    row = bc.row("customers", local)
    assert (row["phoneNumber"], row["city"]) == ("222", "")
    shown = served.done("viewer", "GET", CUSTOMER)
    assert next(each for each in shown["fields"] if each["label"] == "City")["enabled"] is False


def test_what_cannot_be_is_refused_with_its_reason(served: Served) -> None:
    filtered = {"json": {"local_filter": "cty eq 'Leeds'"}}
    found = served.refused("administrator", "PATCH", CUSTOMER, 422, "unknown-field", **filtered)
    assert "names the field 'cty'" in found["detail"]
    served.refused("administrator", "PATCH", CUSTOMER, 422, "invalid-request", json={"directon": "to_remote"})
    served.refused("operator", "PATCH", CUSTOMER, 403, "forbidden", json={"enabled": False})
    served.refused("administrator", "PATCH", f"{CUSTOMER}/fields/Fax", 422, "unknown-field", json={"enabled": False})
    tried = served.done("administrator", "PATCH", f"{CUSTOMER}?dry_run=true", {"enabled": False})
    assert not tried["mapping"]["enabled"]
    assert served.done("viewer", "GET", CUSTOMER)["enabled"], "a dry run stores nothing"


def test_matching_goes_by_criteria_of_the_request_alone(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    bc.add("customers", number="10000", displayName="Adatum", phoneNumber="111", type="Company")
    dv.add_customer("ADATUM")
    asked = {"groups": [["displayName"]], "dry_run": True}
    loose = served.done("operator", "POST", f"{CUSTOMER}/match", asked)
    assert loose["local"] == {"coupled": 1}
    strict = served.done("operator", "POST", f"{CUSTOMER}/match", {**asked, "case_sensitive": ["displayName"]})
    assert strict["local"] == {"no_match": 1}


def test_what_a_job_did_to_each_record_is_listed_by_outcome(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    bc.add("customers", number="10000", displayName="Adatum", phoneNumber="111", type="Company")
    remote = str(dv.add_customer("Adatum", accountnumber="10000", telephone1="222")["accountid"])
    made = served.done("operator", "POST", f"{CUSTOMER}/couplings", {"record": "10000", "to": remote})
    job = next(each for each in served.done("viewer", "GET", "/api/v1/jobs?state=finished")["items"])
    assert served.done("viewer", "GET", "/api/v1/jobs?state=stopped")["items"] == []
    whole = served.done("viewer", "GET", f"/api/v1/jobs/{job['id']}/history")["items"]
    assert {each["name"] for each in whole} == {"10000 Adatum"}
    outcomes = {each["outcome"] for each in whole}
    for outcome in outcomes:
        found = served.done("viewer", "GET", f"/api/v1/jobs/{job['id']}/history?outcome={outcome}")["items"]
        assert {each["outcome"] for each in found} == {outcome}
    assert made["coupling"]["remote_id"] == remote
    served.refused("viewer", "GET", "/api/v1/jobs/999/history", 404, "unknown-job")
    served.refused("viewer", "GET", f"/api/v1/jobs/{job['id']}/history?outcome=lost", 422, "invalid-request")


def test_filters_are_tried_before_they_are_stored(served: Served, api_desks: Desks) -> None:
    """The systems are asked on demand, whoever asked them last.

    behaviour: CRMIntegrationMapping/IntegrationTableFilterAssistEdit
    """
    bc, dv = api_desks
    for number, city in (("10000", "Leeds"), ("20000", "York")):
        bc.add("customers", number=number, displayName=f"Customer {number}", city=city, type="Company")
        remote = str(dv.add_customer(f"Customer {number}", accountnumber=number)["accountid"])
        served.done("operator", "POST", f"{CUSTOMER}/couplings", {"record": number, "to": remote})
    stored = served.done("administrator", "GET", f"{CUSTOMER}/filters")
    assert stored["local"]["rows"] == [{"field": "blocked", "operator": "blank", "values": []}]
    assert (stored["changed"], stored["local"]["matching"]) == (False, 2)
    rows = [{"field": "City", "operator": "is", "values": ["Leeds"]}]
    tried = served.done("administrator", "POST", f"{CUSTOMER}/filters/preview", {"local_rows": rows})
    assert (tried["local"]["text"], tried["local"]["matching"], tried["leaving"]) == ("city eq 'Leeds'", 1, 1)
    assert [each["name"] for each in tried["leaving_first"]] == ["20000 Customer 20000"]
    assert served.done("viewer", "GET", CUSTOMER)["local_filter"] == "blocked eq null"
    fields = served.done("viewer", "GET", f"{CUSTOMER}/filters/remote/fields")["items"]
    assert next(each for each in fields if each["name"] == "statecode")["options"] == {"0": "Active", "1": "Inactive"}
    wrong = {"json": {"remote_rows": [{"field": "revenue", "operator": "more", "values": ["plenty"]}]}}
    found = served.refused("administrator", "POST", f"{CUSTOMER}/filters/preview", 422, "invalid-filter", **wrong)
    assert "'plenty' is no value for" in found["detail"]
    both = {"json": {"local_rows": rows, "local_filter": "city eq 'York'"}}
    served.refused("administrator", "POST", f"{CUSTOMER}/filters/preview", 422, "invalid-request", **both)
    served.refused("operator", "POST", f"{CUSTOMER}/filters/preview", 403, "forbidden", json={})


def test_removed_couplings_are_listed_and_undone_by_their_entry(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    bc.add("customers", number="10000", displayName="Adatum", type="Company")
    remote = str(dv.add_customer("Adatum", accountnumber="10000")["accountid"])
    served.done("operator", "POST", f"{CUSTOMER}/couplings", {"record": "10000", "to": remote})
    served.done("operator", "POST", f"{CUSTOMER}/couplings/uncouple", {"records": ["10000"]})
    [row] = served.done("viewer", "GET", "/api/v1/couplings/removed?mapping=customer")["items"]
    assert (row["since"], row["entry"]["remote_id"], row["entry"]["mapping"]) == ("apart", remote, "CUSTOMER")
    served.done("operator", "POST", f"/api/v1/history/{row['entry']['id']}/undo", {})
    [row] = served.done("viewer", "GET", "/api/v1/couplings/removed")["items"]
    assert row["since"] == "coupled_again"
    served.refused("viewer", "GET", "/api/v1/couplings/removed?mapping=ITEM", 404, "unknown-mapping")


def test_what_a_record_depends_on_is_created_before_it(served: Served, api_desks: Desks) -> None:
    _, dv = api_desks
    account = str(dv.add_customer("Fabrikam")["accountid"])
    parent = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    contact = str(dv.add("contacts", firstname="Ann", lastname="Beebe", **parent)["contactid"])
    body = {"records": [contact], "side": "remote"}
    path = "/api/v1/mappings/CONTACT/missing"
    planned = served.done("operator", "POST", path, body | {"dry_run": True})
    assert [(each["mapping"], each["name"], each["created"]) for each in planned["items"]] == [
        ("CUSTOMER", "Fabrikam", True)
    ]
    assert served.done("viewer", "GET", f"{CUSTOMER}/couplings")["items"] == []
    [done] = served.done("operator", "POST", path, body)["items"]
    assert (done["left"], done["job_id"] is not None) == (None, True)
    served.done("operator", "POST", "/api/v1/mappings/CONTACT/partners", body)
    [coupled] = served.done("viewer", "GET", "/api/v1/mappings/CONTACT/couplings")["items"]
    assert coupled["remote_id"] == contact
    served.refused("viewer", "POST", path, 403, "forbidden", json=body)


def test_a_schedule_is_changed_under_the_name_of_who_asked(served: Served) -> None:
    served.done("administrator", "PATCH", "/api/v1/schedules/CUSTOMER", {"every_minutes": 15, "paused": True})
    with served.home.store.begin() as unit:
        lines = unit.people.audit(actions=[AuditAction.CHANGE_SCHEDULE])
    assert {(each.subject, each.actor_kind) for each in lines} == {("CUSTOMER", PrincipalKind.TOKEN)}
    assert sorted(each.details["changes"][0]["setting"] for each in lines) == ["every_minutes", "paused_reason"]
