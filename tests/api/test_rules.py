"""What holds for every route: who may come in, what is read, and how errors are told."""

from typing import Any

import httpx
import pytest

from crosstie.api.document import PATH
from crosstie.api.door import OPEN
from crosstie.api.shell import MOST_BYTES
from tests.api.conftest import Served, problem
from tests.api.walking import document, routes

VIEWER_MAY = {"signOut"}
"""What a viewer may besides reading."""
JSON = {"Content-Type": "application/json"}
COUPLINGS = "/api/v1/mappings/CUSTOMER/couplings"


def test_the_document_is_openapi_and_says_what_all_routes_have_in_common(common: Served) -> None:
    found = document(common)
    assert found["openapi"].startswith("3.1")
    assert found["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert "job-running" in found["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    assert found["components"]["schemas"]["CoupleBody"]["additionalProperties"] is False
    names = [route.name for route in routes(found)]
    assert len(names) == len(set(names)) > 30
    for item in found["paths"].values():
        for operation in item.values():
            assert operation["description"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert not [name for name in found["components"]["schemas"] if "." in name]


def test_every_route_and_every_parameter_of_a_query_is_described(common: Served) -> None:
    routes_of = [
        each for path in document(common)["paths"].values() for each in path.values() if isinstance(each, dict)
    ]
    assert all(each.get("description") for each in routes_of)
    queries = [each for route in routes_of for each in route.get("parameters", []) if each["in"] == "query"]
    assert [each["name"] for each in queries if not each.get("description")] == []


def test_without_sign_in_nothing_answers_but_signing_in_health_and_the_landing(common: Served) -> None:
    with common.caller(None) as nobody:
        for route in routes(document(common)):
            answer = nobody.request(route.method, route.path, content=b"{}" if route.has_body else None, headers=JSON)
            if route.path in OPEN:
                assert answer.status_code != 401, route
            else:
                problem(answer, 401, "sign-in-needed")
                assert answer.headers["www-authenticate"] == "Bearer"
        for path in (PATH, "/api/v1", "/api/v1/nothing", "/", "/schema", "/docs", "/openx", "/metrics"):
            problem(nobody.get(path), 401, "sign-in-needed")
        assert nobody.get("/health/live").json() == {"status": "ok"}
        assert nobody.get("/health/ready").json() == {"status": "ok", "store": "ok"}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer crosstie_forged", "token-refused"),
        ("Bearer forged", "sign-in-needed"),
        ("Bearer", "sign-in-needed"),
        ("Basic YTpi", "sign-in-needed"),
        ("nonsense", "sign-in-needed"),
    ],
)
def test_a_forged_token_opens_nothing(common: Served, header: str, code: str) -> None:
    for path in ("/api/v1/mappings", "/health/live"):
        problem(httpx.get(f"{common.address}{path}", headers={"Authorization": header}), 401, code)


def test_a_viewer_writes_nowhere_and_an_operator_sets_nothing_up(common: Served) -> None:
    needs_administrator = ("/users", "/invitations", "/tokens", "/audit", "/connections/", "/mappings/reset")
    for route in routes(document(common)):
        if route.method == "GET" or route.path in OPEN or route.name in VIEWER_MAY:
            continue
        options: dict[str, Any] = {"content": b"{}" if route.has_body else None, "headers": JSON}
        common.refused("viewer", route.method, route.path, 403, "forbidden", **options)
        if any(part in route.path for part in needs_administrator):
            common.refused("operator", route.method, route.path, 403, "forbidden", **options)
    for path in ("/api/v1/users", "/api/v1/tokens", "/api/v1/audit", "/api/v1/invitations"):
        common.refused("operator", "GET", path, 403, "forbidden")
        if path != "/api/v1/audit":
            common.refused("administrator", "GET", path, 403, "forbidden")  # a token, not a person


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        (b"", 422, "$"),
        (b"{", 422, "$"),
        (b'{"record": "\xff"}', 422, "$"),
        (b"[]", 422, "$"),
        (b"null", 422, "$"),
        (b"{}", 422, "$.record"),
        (b'{"record": "10000"}', 422, "$.to"),
        (b'{"record": 10000, "to": "x"}', 422, "$.record"),
        (b'{"record": "", "to": "x"}', 422, "$.record"),
        (b'{"record": "a", "to": "x", "recrod": 1}', 422, "$.recrod"),
        (b'{"record": "a", "to": "x", "replace": "yes"}', 422, "$.replace"),
        (b'{"record": "a", "to": "x", "synchronise": "sideways"}', 422, "$.synchronise"),
        (b'{"record": "a\\u0000", "to": "x"}', 422, "$"),
        (b"[" * 100_000, 422, "$"),
    ],
)
def test_a_bad_body_is_refused_with_the_place(common: Served, body: bytes, status: int, path: str) -> None:
    found = common.refused("operator", "POST", COUPLINGS, status, "invalid-request", content=body, headers=JSON)
    assert found["details"]["path"] == path


def test_only_json_is_read_and_only_so_much_of_it(common: Served) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        options: dict[str, Any] = {"content": b"{}", "headers": {"Content-Type": kind}}
        common.refused("operator", "POST", COUPLINGS, 415, "json-needed", **options)
    common.refused("operator", "POST", COUPLINGS, 415, "json-needed", content=b"{}")
    large = b'{"record": "' + b"x" * MOST_BYTES + b'"}'
    common.refused("operator", "POST", COUPLINGS, 413, "request-too-large", content=large, headers=JSON)
    chunks = (large[at : at + 65536] for at in range(0, len(large), 65536))
    common.refused("operator", "POST", COUPLINGS, 413, "request-too-large", content=chunks, headers=JSON)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/problems?limit=0", "limit"),
        ("/api/v1/problems?limit=1001", "limit"),
        ("/api/v1/problems?limit=ten", "limit"),
        ("/api/v1/problems?mappping=CUSTOMER", "mappping"),
        ("/api/v1/problems?after=bm9uc2Vuc2U", "after"),
        ("/api/v1/problems?after=%F0%9F%92%A9", "after"),
        ("/api/v1/problems?after=am9iczox", "after"),
        ("/api/v1/problems?class=nonsense", "class"),
        ("/api/v1/mappings?enabled=perhaps", "enabled"),
        (f"{COUPLINGS}?state=nonsense", "state"),
        (f"{COUPLINGS}?search=%00", "search"),
        ("/api/v1/jobs/99999999999999999999", "job_id"),
        ("/api/v1/jobs/0", "job_id"),
    ],
)
def test_a_forged_parameter_is_refused_by_name(common: Served, path: str, name: str) -> None:
    assert common.refused("viewer", "GET", path, 422, "invalid-request")["details"]["path"].startswith(name)


def test_unknown_addresses_and_methods_are_problems_too(common: Served) -> None:
    common.refused("viewer", "GET", "/api/v1/customers", 404, "unknown-address")
    common.refused("viewer", "GET", "/api/v1/jobs/first", 404, "unknown-address")
    common.refused("viewer", "GET", "/api/v1/mappings/%00", 422, "invalid-request")
    with common.caller("operator") as operator:
        answer = operator.put("/api/v1/problems")
        problem(answer, 405, "method-not-allowed")
        assert "GET" in answer.headers["allow"]


def test_every_answer_has_a_number_and_is_kept_by_nobody(common: Served) -> None:
    with common.caller("viewer") as viewer:
        for path in ("/api/v1/mappings", "/api/v1/nothing", PATH):
            answer = viewer.get(path, headers={"X-Request-ID": "mine-1"})
            assert answer.headers["x-request-id"] == "mine-1"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "server" not in answer.headers
        strange = viewer.get("/api/v1/mappings", headers={"X-Request-ID": "a b\t<c>"}).headers["x-request-id"]
        assert strange.isalnum()


def test_figures_count_requests_and_hold_no_names(bare: Served) -> None:
    bare.ask("viewer", "GET", "/api/v1/mappings/SECRETNAME")
    bare.ask("viewer", "GET", "/api/v1/SECRETNAME")
    text = bare.ask("viewer", "GET", "/metrics").text
    assert 'crosstie_requests_total{method="GET",route="/api/v1/mappings/{mapping}",status="404"} 1.0' in text
    assert "SECRETNAME" not in text


def test_a_fault_of_ours_is_told_without_its_words(bare: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(home: object) -> None:
        raise RuntimeError("secret in the message")

    monkeypatch.setattr("crosstie.api.routes.mappings.list_mappings", broken)
    answer = bare.ask("viewer", "GET", "/api/v1/mappings")
    problem(answer, 500, "unexpected")
    assert "secret" not in answer.text
