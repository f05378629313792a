"""Selections over REST: 50,000 ids, or all that match, in one request, dealt with by a worker as from the pages."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from crosstie.app.coupling import list_couplings
from crosstie.app.selecting import MOST_IDS
from tests.api.conftest import Served
from tests.api.test_plans import MANY, asked, ended, working

__all__ = ["working"]

CUSTOMER = "/api/v1/mappings/CUSTOMER"
ROUTES = ("match", "synchronise", "partners", "couplings/uncouple", "plans")


@pytest.mark.parametrize("route", ROUTES)
def test_fifty_thousand_ids_go_through_in_one_request_and_the_job_names_them(served: Served, route: str) -> None:
    ids = [f"id-{number}" for number in range(MOST_IDS)]
    job = asked(served, "administrator", f"{CUSTOMER}/{route}", {"selection": {"ids": ids}})
    with served.home.store.begin() as unit:
        stored = unit.background.job(job["id"])
        assert stored is not None
        assert len(msgspec.json.encode(stored.arguments)) < 1000
        assert unit.lists.selection(stored.arguments["selection"]["kept"]) == ids


@pytest.mark.parametrize("route", ROUTES)
def test_a_selection_that_cannot_be_is_refused(served: Served, route: str) -> None:
    path = f"{CUSTOMER}/{route}"
    many = [f"id-{number}" for number in range(MOST_IDS + 1)]
    for selection in ({}, {"ids": many}, {"ids": ["a"], "all": True}, {"all": True, "states": ["nonsense"]}):
        served.refused("administrator", "POST", path, 422, "invalid-option", json={"selection": selection})
    if route != "plans":
        body = {"records": ["10000"], "selection": {"ids": ["a"]}}
        served.refused("administrator", "POST", path, 422, "invalid-request", json=body)


def test_matching_begins_with_local_records(served: Served) -> None:
    body = {"selection": {"side": "remote", "all": True}}
    served.refused("operator", "POST", f"{CUSTOMER}/match", 422, "invalid-option", json=body)


def test_all_of_a_mapping_is_uncoupled_by_an_administrator_alone(served: Served) -> None:
    body = {"selection": {"all": True}}
    served.refused("operator", "POST", f"{CUSTOMER}/couplings/uncouple", 403, "forbidden", json=body)
    asked(served, "operator", f"{CUSTOMER}/couplings/uncouple", {"selection": {"all": True, "search": "Customer 00"}})


def test_many_are_uncoupled_and_matched_again_by_their_ids(working: Served) -> None:
    def coupled() -> list[str]:
        return [each.local_id for each in list_couplings(working.home, "CUSTOMER", limit=1000).couplings]

    ids = coupled()
    selection: dict[str, Any] = {"ids": [*ids, *(str(UUID(int=number)) for number in range(1, 1001))]}
    done = ended(working, asked(working, "operator", f"{CUSTOMER}/couplings/uncouple", {"selection": selection}))
    assert (done["to_remote"]["uncoupled"], coupled()) == (MANY, [])
    body = {"groups": [["Name"]], "selection": {"ids": ids, "excluded": ids[:1]}}
    looked = ended(working, asked(working, "operator", f"{CUSTOMER}/match", body))["details"]["result"]["local"]
    assert (sum(looked.values()), coupled()) == (MANY - 1, ids[1:]), looked
