"""Idempotency keys: repeated, a request is answered again and not carried out again."""

import threading
import time
from typing import Any

import pytest

from tests.api.conftest import Desks, Served, problem
from tests.api.test_flows import CUSTOMER, add_pair

pytestmark = pytest.mark.xdist_group("api")
COUPLINGS = f"{CUSTOMER}/couplings"


def test_the_same_request_is_answered_alike_and_another_with_its_key_refused(served: Served, api_desks: Desks) -> None:
    _, remote_id = add_pair(api_desks)
    body = {"record": "10000", "to": remote_id}
    with served.caller("operator", **{"Idempotency-Key": "k1"}) as operator:
        one, two = (operator.post(COUPLINGS, json=body) for _ in range(2))
        assert (one.status_code, two.status_code) == (201, 201)
        assert one.json() == two.json()
        assert "idempotency-replayed" not in one.headers
        assert two.headers["idempotency-replayed"] == "true"
        problem(operator.post(COUPLINGS, json={**body, "replace": True}), 422, "key-reused")
        problem(operator.post(f"{COUPLINGS}/uncouple", json=body), 422, "key-reused")
    assert len(served.done("viewer", "GET", "/api/v1/jobs")["items"]) == 2, "one coupling and one synchronisation"
    with served.caller("administrator", **{"Idempotency-Key": "k1"}) as somebody_else:
        answer = somebody_else.post(COUPLINGS, json=body)
        assert "idempotency-replayed" not in answer.headers


def test_what_did_nothing_may_be_tried_again_with_its_key(served: Served, api_desks: Desks) -> None:
    with served.caller("operator", **{"Idempotency-Key": "k1"}) as operator:
        problem(operator.post(COUPLINGS, json={"record": "10000", "to": "nobody"}), 404, "unknown-record")
        _, remote_id = add_pair(api_desks)
        assert operator.post(COUPLINGS, json={"record": "10000", "to": remote_id}).status_code == 201


@pytest.mark.parametrize("key", ["", "with space", "x" * 256])
def test_a_key_is_visible_text(common: Served, key: str) -> None:
    with common.caller("operator", **{"Idempotency-Key": key}) as operator:
        answer = operator.post("/api/v1/synchronise", json={})
    assert problem(answer, 422, "invalid-request")["details"]["path"] == "Idempotency-Key"


def test_while_a_request_is_worked_on_its_twin_is_not(served: Served, api_desks: Desks) -> None:
    bc, _ = api_desks
    _, remote_id = add_pair(api_desks)
    body = {"record": "10000", "to": remote_id}
    bc.fault("slow", seconds=1.0, times=2)
    answers: list[Any] = []

    def ask() -> None:
        with served.caller("operator", **{"Idempotency-Key": "k1"}) as operator:
            answers.append(operator.post(COUPLINGS, json=body))

    first = threading.Thread(target=ask)
    first.start()
    time.sleep(0.4)
    ask()
    first.join()
    bc.heal()
    problem(answers[0], 409, "request-running")
    assert answers[0].headers["retry-after"] == "1"
    assert answers[1].status_code == 201
    ask()
    assert answers[2].headers["idempotency-replayed"] == "true"
