"""Undo over REST: a plan, then just that; what cannot be undone is told with its reason."""

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest

from crosstie.app.jobs import job_worker
from crosstie.app.session import open_session
from crosstie.app.synchronising import synchronise
from tests.api.conftest import Desks, Served

pytestmark = pytest.mark.xdist_group("api")
CUSTOMER = "/api/v1/mappings/CUSTOMER"


def partner(served: Served, desks: Desks, number: str = "10000") -> tuple[str, str]:
    """Add a customer, create its account, and return the ids of the two."""
    local = desks[0].add("customers", number=number, displayName=f"Customer {number}", phoneNumber="111")
    served.done("operator", "POST", f"{CUSTOMER}/partners", {"records": [number]})
    return str(local["id"]), str(desks[1].account_named(f"Customer {number}")["accountid"])


def newest(served: Served) -> int:
    return int(served.done("viewer", "GET", "/api/v1/jobs?mapping=CUSTOMER")["items"][0]["id"])


def undo(served: Served, job: int, **body: Any) -> Any:
    return served.done("operator", "POST", f"/api/v1/jobs/{job}/undo", body)


def test_a_synchronisation_is_planned_to_be_undone_undone_and_undone_twice(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    local_id, remote_id = partner(served, api_desks)
    bc.change("customers", local_id, phoneNumber="222", creditLimit=10.5)
    served.done("operator", "POST", f"{CUSTOMER}/synchronise", {"records": ["10000"]})
    job = newest(served)
    planned = undo(served, job, dry_run=True)
    assert (planned["job"], planned["report"]["dry_run"], planned["report"]["job_id"]) == (job, True, None)
    [row] = planned["rows"]
    assert (row["outcome"], row["name"], row["local_id"]) == ("put_back", "10000 Customer 10000", local_id)
    shown = {field["label"]: (field["side"], field["before"], field["after"]) for field in row["fields"]}
    assert shown["Phone No."] == ("remote", "222", "111")
    assert Decimal(shown["Credit Limit (LCY)"][1]) == Decimal("10.5")
    assert dv.account(remote_id)["phone"] == "222", "a plan writes nothing"
    done = undo(served, job)
    assert done["rows"] == planned["rows"]
    assert done["report"]["to_remote"]["modified"] == 1
    assert dv.account(remote_id)["phone"] == "111"
    assert served.done("viewer", "GET", f"/api/v1/jobs/{done['report']['job_id']}")["job"]["kind"] == "undo"
    assert [each["outcome"] for each in undo(served, job)["rows"]] == ["unchanged"]


def test_one_entry_is_undone_and_a_touched_record_is_left_with_its_reason(served: Served, api_desks: Desks) -> None:
    _, dv = api_desks
    _, remote_id = partner(served, api_desks)
    [entry, *_] = served.done("viewer", "GET", f"{CUSTOMER}/history?record=10000")["items"]
    path = f"/api/v1/history/{entry['id']}/undo"
    dv.change("accounts", remote_id, telephone1="999")
    left = served.done("operator", "POST", path, {})
    assert (left["left_total"], left["rows"][0]["outcome"], left["rows"][0]["code"]) == (1, "left", "changed-since")
    assert left["rows"][0]["words"] == "It was changed since it was created: Phone No. is '999' by now."
    dv.change("accounts", remote_id, telephone1="111")
    served.refused("viewer", "POST", path, 403, "forbidden", json={})
    served.refused("operator", "POST", "/api/v1/history/4711/undo", 404, "unknown-entry", json={})


def test_what_cannot_be_undone_is_a_problem_of_the_request(served: Served, api_desks: Desks) -> None:
    partner(served, api_desks)
    served.done("operator", "POST", f"{CUSTOMER}/synchronise", {"records": ["10000"]})
    served.refused("operator", "POST", f"/api/v1/jobs/{newest(served)}/undo", 409, "cannot-undo", json={})
    served.refused("operator", "POST", "/api/v1/jobs/4711/undo", 404, "unknown-job", json={})
    served.refused("viewer", "POST", "/api/v1/jobs/1/undo", 403, "forbidden", json={})


def test_what_was_done_to_many_records_is_undone_by_a_worker(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    for number in range(20000, 20051):
        bc.add("customers", number=str(number), displayName=f"Customer {number}")
    asyncio.run(create_partners_of_all(served))
    assert len(dv.rows("accounts")) == 51
    job = newest(served)
    assert undo(served, job, dry_run=True)["report"]["to_remote"]["deleted"] == 51
    answer = served.ask("operator", "POST", f"/api/v1/jobs/{job}/undo", json={"forced": True})
    assert answer.status_code == 202, answer.text
    queued = answer.json()
    assert (queued["kind"], queued["mapping"], queued["state"]) == ("undo", "CUSTOMER", "queued")
    served.refused("operator", "POST", f"/api/v1/jobs/{job}/undo", 409, "job-running", json={})
    worker = job_worker(served.home)
    worker.start()
    try:
        ended = until_it_ends(served, queued["id"])
    finally:
        worker.stop()
    assert (ended["state"], ended["to_remote"]["deleted"], ended["details"]["result"]["left_total"]) == (
        "finished",
        51,
        0,
    )
    assert dv.rows("accounts") == []
    assert served.done("viewer", "GET", f"{CUSTOMER}/couplings")["total"] == 0


async def create_partners_of_all(served: Served) -> None:
    async with open_session(served.home) as session:
        await synchronise(session, "CUSTOMER", create=True)


def until_it_ends(served: Served, job: int) -> Any:
    """Wait for a job; return it as it is in the end."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = served.done("viewer", "GET", f"/api/v1/jobs/{job}")["job"]
        if not found["goes_on"]:
            return found
        time.sleep(0.1)
    raise AssertionError(f"job {job} has not ended: {found}")
