"""The server keeps to its own document, whatever is sent: no fault of ours, no answer outside its schema."""

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import Served
from tests.api.walking import document, routes

pytestmark = pytest.mark.xdist_group("api")
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
LEFT_OUT = {
    "putConnection": "would send sign-ins to invented hosts; tests/api/test_people.py has it",
    "signIn": "is slowed down by design after a few failures; tests/api/test_people.py has it",
    "watchJob": "has no end while the job goes on; tests/api/test_events.py has it",
    "join": "is slowed down by design; tests/api/test_people.py has it",
}
OUT_OF_REACH = {502, 503}
"""What a system may answer to a strange name: the document's problem, and no fault of ours."""


def test_every_route_keeps_to_the_document(busy: Served) -> None:
    found = document(busy)
    schema = schemathesis.openapi.from_dict(found)
    names = {route.name for route in routes(found)}
    assert set(LEFT_OUT) <= names
    asked, succeeded = set(), set()
    headers = {"Authorization": f"Bearer {busy.tokens['administrator']}"}
    for result in schema.get_all_operations():
        operation = result.ok()
        name = str(operation.definition.raw["operationId"])
        if name in LEFT_OUT:
            continue

        @hypothesis.settings(
            max_examples=5,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            if "mapping" in case.path_parameters:
                case.path_parameters["mapping"] = "CUSTOMER"  # an invented one would end at the first step
            answer = case.call(base_url=busy.address, headers=headers, timeout=30)
            checks = [check for check in CHECKS if answer.status_code not in OUT_OF_REACH or check is not CHECKS[0]]
            case.validate_response(answer, checks=checks)
            if answer.status_code < 300:
                succeeded.add(case.operation.definition.raw["operationId"])

        ask()
        asked.add(name)
    assert asked == names - set(LEFT_OUT)
    assert {"listCouplings", "listProblems", "listJobs", "listHistory", "showMapping", "resetMappings"} <= succeeded
