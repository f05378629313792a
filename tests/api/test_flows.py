"""What people do, over real HTTP: couple, synchronise, solve, uncouple; with both systems read back."""

from typing import Any

import pytest

from tests.api.conftest import Desks, Served

pytestmark = pytest.mark.xdist_group("api")
CUSTOMER = "/api/v1/mappings/CUSTOMER"
RECORDS = [f"C{number}" for number in range(51)]
"""More than a request deals with itself."""


def add_pair(desks: Desks, number: str = "10000", name: str = "Adatum") -> tuple[str, str]:
    """Add a customer and an account that are not coupled; return their ids."""
    bc, dv = desks
    local = bc.add("customers", number=number, displayName=name, phoneNumber="111", type="Company")
    remote = dv.add_customer(name, telephone1="222", accountnumber=number)
    return str(local["id"]), str(remote["accountid"])


def couple(served: Served, record: str, to: str, **more: Any) -> Any:
    return served.done("operator", "POST", f"{CUSTOMER}/couplings", {"record": record, "to": to, **more})


def synchronise(served: Served, *records: str, **more: Any) -> Any:
    return served.done("operator", "POST", f"{CUSTOMER}/synchronise", {"records": list(records), **more})


def test_a_coupling_is_set_up_synchronised_listed_and_removed(served: Served, api_desks: Desks) -> None:
    """Couple a customer with an account, change it, look at the plan, synchronise, uncouple.

    behaviour: CRMCouplingTest/CreateCustomerFromCRM
    """
    bc, dv = api_desks
    local_id, remote_id = add_pair(api_desks)

    made = couple(served, "10000", remote_id)
    assert (made["coupling"]["local_id"], made["coupling"]["remote_id"]) == (local_id, remote_id)
    assert made["report"]["to_remote"]["modified"] == 1
    assert dv.account(remote_id)["phone"] == "111"

    bc.change("customers", local_id, phoneNumber="333")
    dv.change("accounts", remote_id, address1_city="Leeds")
    planned = synchronise(served, "10000", dry_run=True)
    assert planned["reports"][0]["dry_run"]
    [record] = planned["plan"]
    assert (record["name"], record["action"]) == ("10000 Adatum", "update")
    phone = next(field for field in record["fields"] if field["after"] == "333")
    assert (phone["action"], phone["side"], phone["before"]) == ("write", "remote", "111")
    assert dv.account(remote_id)["phone"] == "111", "a plan writes nothing"

    done = synchronise(served, "10000")
    assert done["plan"] == []
    assert dv.account(remote_id)["phone"] == "333"
    assert bc.row("customers", local_id)["city"] == "Leeds"

    [listed] = served.done("viewer", "GET", f"{CUSTOMER}/couplings?search=adat&state=in_step")["items"]
    assert listed["id"] == made["coupling"]["id"]
    assert served.done("viewer", "GET", f"{CUSTOMER}/couplings?state=conflict")["items"] == []
    assert served.done("viewer", "GET", f"{CUSTOMER}/couplings/{listed['id']}") == listed

    removed = served.done("operator", "DELETE", f"{CUSTOMER}/couplings/{listed['id']}")
    assert removed["to_remote"]["uncoupled"] == 1
    assert served.done("viewer", "GET", f"{CUSTOMER}/couplings")["total"] == 0
    assert bc.exists("customers", local_id)
    assert dv.exists("accounts", remote_id)


def test_single_fields_come_from_the_side_that_the_request_names(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    local_id, remote_id = add_pair(api_desks)
    body = {"record": "10000", "to": remote_id, "synchronise": "no"}
    path = f"{CUSTOMER}/couplings"
    for field, side, code in (("creditLimit", "remote", "invalid-option"), ("Shoe Size", "local", "unknown-field")):
        answer = served.ask("operator", "POST", path, json={**body, "winners": {field: side}})
        assert (400 <= answer.status_code < 500, answer.json()["code"]) == (True, code), answer.text
    made = couple(served, "10000", remote_id, synchronise="no", winners={"Phone No.": "remote"})
    assert made["report"]["from_remote"]["modified"] == 1
    assert bc.row("customers", local_id)["phoneNumber"] == "222"
    assert dv.account(remote_id)["phone"] == "222"


def test_a_conflict_is_a_problem_until_its_differences_are_applied(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    local_id, remote_id = add_pair(api_desks)
    couple(served, "10000", remote_id)
    bc.change("customers", local_id, phoneNumber="1")
    dv.change("accounts", remote_id, telephone1="2")
    synchronise(served, "10000")

    [problem] = served.done("viewer", "GET", "/api/v1/problems?mapping=customer&class=conflict")["items"]
    assert problem["class"] == "conflict"
    assert problem["record"]["local_id"] == local_id
    assert served.done("viewer", "GET", "/api/v1/problems?class=data")["items"] == []
    assert served.done("viewer", "GET", f"/api/v1/problems?code={problem['code']}")["items"] == [problem]

    shown = served.done("viewer", "GET", f"{CUSTOMER}/differences?record=10000")
    [field] = [each for each in shown["fields"] if each["differs"]]
    assert (field["local"]["value"], field["remote"]["value"], shown["conflicts"]) == ("1", "2", 1)
    body = {"preference": "merge", "seen": shown["seen"], "choices": {field["name"]: "remote"}}
    stale = served.done("operator", "POST", f"{CUSTOMER}/differences/apply?record=10000", {**body, "seen": "older"})
    assert stale["report"] is None
    assert stale["again"]["seen"] == shown["seen"]
    done = served.done("operator", "POST", f"{CUSTOMER}/differences/apply?record=10000", body)
    assert done["report"]["from_remote"]["modified"] == 1
    assert bc.row("customers", local_id)["phoneNumber"] == "2"
    assert served.done("viewer", "GET", "/api/v1/problems")["items"] == []

    entries = served.done("viewer", "GET", f"{CUSTOMER}/history?record=10000")["items"]
    changes = [change for entry in entries for change in entry["changes"]]
    assert {"before": "1", "after": "2", "label": "Phone No.", "after_words": "2"}.items() <= changes[0].items()
    assert (entries[0]["asked_by"], entries[0]["job_kind"]) == ("API token test operator", "synchronisation")
    of_job = served.done("viewer", "GET", f"/api/v1/jobs/{entries[0]['job_id']}/history")["items"]
    assert of_job == [entry for entry in entries if entry["job_id"] == entries[0]["job_id"]]
    jobs = served.done("viewer", "GET", "/api/v1/jobs?mapping=CUSTOMER")["items"]
    assert entries[0]["job_id"] == jobs[0]["id"]
    found = served.done("viewer", "GET", f"/api/v1/jobs/{jobs[0]['id']}")
    assert (found["job"], found["parts"]) == (jobs[0], [])


def test_partners_are_created_and_what_was_deleted_is_restored(served: Served, api_desks: Desks) -> None:
    """behaviour: CRMCouplingTest/CreateCustomerFromCRM"""
    bc, dv = api_desks
    local = bc.add("customers", number="20000", displayName="Trey", type="Company")
    planned = served.done("operator", "POST", f"{CUSTOMER}/partners", {"records": ["20000"], "dry_run": True})
    assert [record["action"] for record in planned["plan"]] == ["create_remote"]
    assert dv.rows("accounts") == []
    served.done("operator", "POST", f"{CUSTOMER}/partners", {"records": ["20000"]})
    account = dv.account_named("Trey")
    dv.remove("accounts", account["accountid"])
    served.refused("operator", "POST", f"{CUSTOMER}/restore", 404, "unknown-record", json={"records": ["nobody"]})
    settled = served.done("operator", "POST", f"{CUSTOMER}/restore", {"records": ["20000"]})
    assert settled["report"]["to_remote"]["inserted"] == 1
    [again] = dv.rows("accounts")
    dv.remove("accounts", again["accountid"])
    served.done("operator", "POST", f"{CUSTOMER}/delete", {"records": ["20000"]})
    assert not bc.exists("customers", local["id"])


def test_matching_shows_first_and_then_couples_the_records_named(served: Served, api_desks: Desks) -> None:
    local_id, remote_id = add_pair(api_desks)
    add_pair(api_desks, "20000", "Trey")
    body: dict[str, Any] = {"groups": [["No."]], "synchronise": False, "create": False}
    shown = served.done("operator", "POST", f"{CUSTOMER}/match", {**body, "dry_run": True})
    assert (shown["local"], shown["rows_left_out"]) == ({"coupled": 2}, 0)
    assert served.done("viewer", "GET", f"{CUSTOMER}/couplings")["total"] == 0
    done = served.done("operator", "POST", f"{CUSTOMER}/match", {**body, "records": [local_id]})
    assert next(row["candidates"][0]["id"] for row in done["rows"] if row["reason"] == "coupled") == remote_id
    assert served.done("viewer", "GET", f"{CUSTOMER}/couplings")["total"] == 1


def test_lists_come_in_pages_that_neither_repeat_nor_leave_out(served: Served, api_desks: Desks) -> None:
    for number in range(5):
        couple(served, str(10000 + number), add_pair(api_desks, str(10000 + number), f"C{number}")[1], synchronise="no")
    seen: list[int] = []
    after = ""
    while True:
        page = served.done("viewer", "GET", f"{CUSTOMER}/couplings?limit=2{after}")
        assert page["total"] == 5
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 5
    newest = served.done("viewer", "GET", "/api/v1/jobs?limit=3")
    older = served.done("viewer", "GET", f"/api/v1/jobs?limit=1000&after={newest['next']}")
    ids = [job["id"] for job in newest["items"] + older["items"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 5
    served.refused("viewer", "GET", f"/api/v1/problems?after={newest['next']}", 422, "invalid-request")


def accepted(served: Served, role: str, path: str, body: Any) -> Any:
    """Ask for what takes longer than a request; return the job, which waits for a worker at its address."""
    answer = served.ask(role, "POST", path, json=body)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    found = served.done("viewer", "GET", answer.headers["location"])
    assert found["job"] == job
    assert (job["state"], job["goes_on"], job["asked_by"]) == ("queued", True, f"API token test {role}")
    return job


@pytest.mark.parametrize(
    ("role", "path", "body", "kind", "mapping"),
    [
        ("operator", f"{CUSTOMER}/synchronise", {}, "synchronisation", "CUSTOMER"),
        ("operator", f"{CUSTOMER}/synchronise", {"records": RECORDS}, "synchronisation", "CUSTOMER"),
        ("administrator", f"{CUSTOMER}/synchronise", {"full": True}, "full_synchronisation", "CUSTOMER"),
        ("operator", "/api/v1/synchronise", {}, "synchronisation", ""),
        ("operator", f"{CUSTOMER}/match", {"groups": [["No."]]}, "coupling", "CUSTOMER"),
        ("operator", f"{CUSTOMER}/partners", {"records": RECORDS}, "synchronisation", "CUSTOMER"),
        ("operator", f"{CUSTOMER}/couplings/uncouple", {"records": RECORDS}, "uncoupling", "CUSTOMER"),
        ("administrator", f"{CUSTOMER}/couplings/uncouple", {"all": True}, "uncoupling", "CUSTOMER"),
        ("operator", "/api/v1/problems/retry", {"all": True}, "synchronisation", ""),
        ("operator", "/api/v1/schedules/CUSTOMER/run", None, "synchronisation", "CUSTOMER"),
    ],
)
def test_what_takes_longer_than_a_request_is_left_to_a_worker(
    served: Served, role: str, path: str, body: Any, kind: str, mapping: str
) -> None:
    job = accepted(served, role, path, body)
    assert (job["kind"], job["mapping"]) == (kind, mapping)
    stopped = served.done("operator", "POST", f"/api/v1/jobs/{job['id']}/cancel")
    assert (stopped["state"], stopped["goes_on"]) == ("cancelled", False)


def test_of_one_mapping_one_job_that_goes_through_it_waits_or_runs(served: Served) -> None:
    job = accepted(served, "operator", f"{CUSTOMER}/synchronise", {})
    found = served.refused("operator", "POST", f"{CUSTOMER}/synchronise", 409, "job-running", json={})
    assert found["details"]["job"] == job["id"]
    accepted(served, "operator", "/api/v1/mappings/VENDOR/synchronise", {})
    served.done("operator", "POST", f"/api/v1/jobs/{job['id']}/cancel")
    accepted(served, "operator", f"{CUSTOMER}/synchronise", {})


def test_what_needs_more_than_an_operator_is_refused_before_it_is_queued(served: Served) -> None:
    for path, body in (
        (f"{CUSTOMER}/synchronise", {"full": True}),
        (f"{CUSTOMER}/synchronise", {"full": True, "dry_run": True}),
        ("/api/v1/synchronise", {"full": True}),
        (f"{CUSTOMER}/couplings/uncouple", {"all": True}),
    ):
        served.refused("operator", "POST", path, 403, "forbidden", json=body)
    assert served.done("viewer", "GET", "/api/v1/jobs")["items"] == []
    planned = served.done("operator", "POST", "/api/v1/synchronise", {"dry_run": True})
    assert {"CUSTOMER", "VENDOR"} <= {report["mapping"] for report in planned["reports"]}


def test_schedules_are_listed_paused_resumed_and_paced(served: Served) -> None:
    shown = served.done("viewer", "GET", "/api/v1/schedules")
    assert {each["every_minutes"] for each in shown["items"]} == {30}
    names = [each["mapping"] for each in shown["items"]]
    assert names.index("CURRENCY") < names.index("CUSTOMER") < names.index("CONTACT")
    one = "/api/v1/schedules/customer"
    served.refused("operator", "PATCH", one, 403, "forbidden", json={"paused": True})
    paused = served.done("administrator", "PATCH", one, {"paused": True})
    assert (paused["mapping"], paused["next_at"]) == ("CUSTOMER", None)
    assert paused["paused_reason"]
    resumed = served.done("administrator", "PATCH", one, {"paused": False, "every_minutes": 5})
    assert (resumed["every_minutes"], resumed["paused_reason"]) == (5, "")
    assert resumed["next_at"] is not None
    served.refused("administrator", "PATCH", one, 422, "invalid-request", json={})
    served.refused("administrator", "PATCH", one, 422, "invalid-request", json={"every_minutes": 0})
    served.refused("administrator", "PATCH", "/api/v1/schedules/X", 404, "unknown-mapping", json={"paused": True})


def test_records_are_listed_with_their_state_and_who_may_be_their_partner(served: Served, api_desks: Desks) -> None:
    local_id, remote_id = add_pair(api_desks)
    add_pair(api_desks, "20000", "Trey")
    couple(served, "10000", remote_id)
    listed = served.done("viewer", "GET", f"{CUSTOMER}/records/local?state=not_coupled")
    assert [each["name"] for each in listed["items"]] == ["Trey"]
    first, second = (
        served.done("viewer", "GET", f"{CUSTOMER}/records/local?limit=1&sort=number{after}") for after in ("", "")
    )
    assert first == second
    [row] = first["items"]
    assert (row["id"], row["partner"]["id"], row["state"]) == (local_id, remote_id, "in_step")
    following = served.done("viewer", "GET", f"{CUSTOMER}/records/local?limit=1&sort=number&after={first['next']}")
    assert [each["name"] for each in following["items"]] == ["Trey"]
    counted = served.done("viewer", "GET", f"{CUSTOMER}/records/local/counts")
    assert counted["total"] == 2
    best = served.done("viewer", "GET", f"{CUSTOMER}/candidates?record=20000")["items"][0]
    assert best["name"] == "Trey"
    assert best["reasons"]
    served.refused("viewer", "GET", f"{CUSTOMER}/records/sideways", 422, "invalid-request")


def test_errors_have_the_code_and_the_words_of_the_command_line(served: Served, api_desks: Desks) -> None:
    couple(served, "10000", add_pair(api_desks)[1])
    again = {"json": {"record": "10000", "to": add_pair(api_desks, "20000", "Trey")[1]}}
    found = served.refused("operator", "POST", f"{CUSTOMER}/couplings", 409, "already-coupled", **again)
    assert found["next_step"] == "Remove its coupling first, or let go of its partner."
    served.refused("viewer", "GET", "/api/v1/mappings/CUSTOMERS", 404, "unknown-mapping")
    served.refused("viewer", "GET", f"{CUSTOMER}/couplings/999999", 409, "not-coupled")
    served.refused("viewer", "GET", "/api/v1/jobs/999999", 404, "unknown-job")
    served.refused("viewer", "GET", "/api/v1/connections/nowhere", 404, "unknown-connection")
    served.refused("viewer", "GET", f"{CUSTOMER}/differences?record=nobody", 404, "unknown-record")


def test_a_system_that_is_down_is_a_bad_gateway_and_nothing_else(served: Served, api_desks: Desks) -> None:
    bc, _ = api_desks
    bc.fault("drop_before", times=None)
    try:
        served.refused("operator", "POST", f"{CUSTOMER}/synchronise", 502, "unreachable", json={"records": ["10000"]})
    finally:
        bc.heal()
    assert served.done("viewer", "GET", "/api/v1/mappings")["items"]
