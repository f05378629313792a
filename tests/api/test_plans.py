"""Plans of many records over REST: made by a worker, looked through, carried out as they were shown."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crosstie.api.working import OwnWorker
from crosstie.app.coupling import create_partners, list_couplings
from crosstie.app.jobs import pause_schedule
from crosstie.app.selecting import Selection
from crosstie.app.session import open_session
from tests.api.conftest import Desks, Served, connected

MANY = 60


@pytest.fixture
def working(api_home: Path, api_desks: Desks, tmp_path: Path) -> Iterator[Served]:
    """A server with a worker, over systems in which sixty customers are coupled and in step."""
    with connected(api_home, api_desks, tmp_path, "empty") as running:
        pause_schedule(running.home)
        api_desks[0].add_many(
            "customers", [{"number": f"C{n:03}", "displayName": f"Customer {n:03}", "city": "Ely"} for n in range(MANY)]
        )
        run_beside(running)
        with OwnWorker(running.home):
            yield running


def run_beside(running: Served) -> None:
    import asyncio

    async def couple() -> None:
        async with open_session(running.home) as session:
            await create_partners(session, "CUSTOMER", selection=Selection(all=True))

    asyncio.run(couple())


def ended(running: Served, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of a job, and return it."""
    until = time.monotonic() + 60
    while (found := running.ask("operator", "GET", f"/api/v1/jobs/{job['id']}").json()["job"])["goes_on"]:
        assert time.monotonic() < until, found
        time.sleep(0.2)
    assert found["state"] == "finished", found
    return dict(found)


def asked(running: Served, role: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = running.ask(role, "POST", path, json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def groups(running: Served, plan: dict[str, Any]) -> dict[str, int]:
    return dict(running.ask("viewer", "GET", f"/api/v1/plans/{plan['id']}").json()["groups"])


@pytest.mark.parametrize(
    "body",
    [{"selection": {"all": True}}, {}, {"full": True}],
    ids=["a selection", "what changed", "every record"],
)
def test_a_plan_of_many_is_looked_through_and_carried_out_as_it_was_shown(
    working: Served, api_desks: Desks, body: dict[str, Any]
) -> None:
    bc, dv = api_desks
    if not body.get("selection"):
        ended(working, asked(working, "operator", "/api/v1/mappings/CUSTOMER/synchronise", {}))
    couplings = sorted(
        list_couplings(working.home, "CUSTOMER", limit=1000).couplings, key=lambda each: each.local_key or ""
    )
    bc.change_many("customers", [each.local_id for each in couplings[:55]], city="Bath")
    dv.change("accounts", couplings[0].remote_id, address1_city="Wells")
    if not body.get("selection"):
        bc.add("customers", number="NEW", displayName="New")
    plan = ended(working, asked(working, "administrator", "/api/v1/mappings/CUSTOMER/plans", body))
    assert plan["kind"] == "plan"
    assert not any([*plan["to_remote"].values(), *plan["from_remote"].values()]), "a plan does nothing"
    found = groups(working, plan)
    assert (found["update"], found["conflict"]) == (54, 1)
    if body != {}:
        assert found["unchanged"] == 5
    page = working.ask(
        "viewer", "GET", f"/api/v1/plans/{plan['id']}/records", params={"group": "update", "limit": 50}
    ).json()
    rest = working.ask(
        "viewer", "GET", f"/api/v1/plans/{plan['id']}/records", params={"group": "update", "after": page["next"]}
    ).json()
    assert [len(page["items"]), len(rest["items"]), rest["next"]] == [50, 4, None]
    record = page["items"][0]["record"]
    assert record["name"] == "C001 Customer 001"
    assert [(field["label"], field["before"], field["after"]) for field in record["fields"]] == [
        ("City", "Ely", "Bath")
    ]
    assert len(dv.rows("accounts", "address1_city eq 'Bath'")) == 0, "nothing is written by a plan"
    bc.change("customers", couplings[7].local_id, city="Soham")
    done = ended(working, asked(working, "administrator", f"/api/v1/plans/{plan['id']}/start", {"groups": ["update"]}))
    assert (done["to_remote"]["modified"], done["to_remote"]["skipped"]) == (53, 1)
    assert done["details"]["result"]["moved_names"] == ["C007 Customer 007"]
    assert len(dv.rows("accounts", "address1_city eq 'Bath'")) == 53
    again = ended(working, asked(working, "administrator", f"/api/v1/plans/{plan['id']}/start", {"groups": ["update"]}))
    assert (again["to_remote"]["modified"], again["to_remote"]["unchanged"]) == (0, 53), "nothing is done twice"


def test_a_plan_is_refused_where_it_cannot_be(working: Served) -> None:
    working.refused("viewer", "POST", "/api/v1/mappings/CUSTOMER/plans", 403, "forbidden", json={})
    working.refused("operator", "POST", "/api/v1/mappings/CUSTOMER/plans", 403, "forbidden", json={"full": True})
    working.refused("operator", "POST", "/api/v1/mappings/NOBODY/plans", 404, "unknown-mapping", json={})
    working.refused(
        "operator", "POST", "/api/v1/mappings/CURRENCY/plans", 422, "invalid-option", json={"direction": "from_remote"}
    )
    working.refused("operator", "GET", "/api/v1/plans/99999", 404, "unknown-job")
    job = ended(working, asked(working, "operator", "/api/v1/mappings/CUSTOMER/synchronise", {}))
    working.refused("operator", "GET", f"/api/v1/plans/{job['id']}", 404, "unknown-job")
    plan = ended(working, asked(working, "operator", "/api/v1/mappings/CUSTOMER/plans", {"selection": {"all": True}}))
    assert groups(working, plan) == {"unchanged": MANY}
    working.refused(
        "operator", "POST", f"/api/v1/plans/{plan['id']}/start", 409, "nothing-to-do", json={"groups": ["update"]}
    )
