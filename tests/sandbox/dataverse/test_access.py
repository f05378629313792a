"""Tokens, versions of the API, headers, error bodies, and the service over real sockets."""

import json
import ssl
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError

import pytest

from crosstie.sandbox.dataverse import Dataverse
from crosstie.sandbox.http import Headers, Request
from crosstie.sandbox.launch import Sandbox, running_sandbox

from .service import BASE, NOBODY, Service, multipart, part, statuses


def test_a_request_needs_a_token(service: Service) -> None:
    for headers in ([], [("Authorization", "Basic x")], [("Authorization", "Bearer unknown")]):
        answer = service.ask(Request("GET", "/api/data/v9.2/accounts", "", Headers(headers), b"", BASE))
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=https://org.example/")
        assert "resource_id=https://org.example/" in answer.headers["WWW-Authenticate"]
        assert answer.code


@pytest.mark.parametrize("version", ["v9.0", "v9.1", "v9.2"])
def test_older_versions_keep_working(service: Service, version: str) -> None:
    request = Request(
        "GET", f"/api/data/{version}/accounts", "", Headers([("Authorization", "Bearer sandbox")]), b"", BASE
    )
    answer = service.ask(request)
    assert answer.json["@odata.context"] == f"{BASE}/api/data/{version}/$metadata#accounts"


@pytest.mark.parametrize("path", ["/api/data/v8.2/accounts", "/accounts", "/api/data/v9.2x/accounts"])
def test_other_paths_are_404(service: Service, path: str) -> None:
    answer = service.ask(Request("GET", path, "", Headers([("Authorization", "Bearer sandbox")]), b"", BASE))
    assert answer.status == 404


def test_every_answer_has_the_headers_of_the_service(service: Service) -> None:
    for answer in (service.get("accounts"), service.get("nosuch"), service.send("POST", "accounts", {"name": "A"})):
        assert answer.headers["OData-Version"] == "4.0"
        assert answer.headers["x-ms-service-request-id"] == answer.headers["REQ_ID"]
        assert answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == "5999"
        assert answer.headers["x-ms-ratelimit-time-remaining-xrm-requests"] == "1199"
    assert service.get("accounts").headers["Content-Type"] == "application/json; odata.metadata=minimal"
    service.settings.change({"burst_remaining_requests": 12})
    assert service.get("accounts").headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == "12"


def test_errors_carry_more_where_annotations_are_asked_for(service: Service) -> None:
    address = f"accounts({NOBODY})"
    assert service.get(address).json["error"].keys() == {"code", "message"}
    error = service.get(address, Prefer='odata.include-annotations="*"').json["error"]
    assert error["@Microsoft.PowerApps.CDS.InnerError.Message"] == error["message"]
    assert error["@Microsoft.PowerApps.CDS.ErrorDetails.HttpStatusCode"] == "404"


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("PUT", "accounts"),
        ("DELETE", "accounts"),
        ("PATCH", "accounts"),
        ("POST", f"accounts({NOBODY})"),
        ("PUT", f"accounts({NOBODY})"),
        ("POST", "WhoAmI"),
        ("GET", "BulkDelete"),
        ("POST", "$metadata"),
    ],
)
def test_methods_that_do_nothing_are_405(service: Service, method: str, address: str) -> None:
    assert service.send(method, address, {}).status == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"MSCRM_SuppressDuplicateDetection": "false"},
        {"MSCRM_BypassCustomPluginExecution": "true", "MSCRM_SuppressCallbackRegistrationExpanderJob": "true"},
        {"Prefer": "respond-async, return=minimal", "Content_Type": "application/json;charset=utf-8"},
    ],
)
def test_headers_that_change_nothing_here_are_accepted(service: Service, headers: dict[str, str]) -> None:
    named = {name.replace("MSCRM_", "MSCRM."): value for name, value in headers.items()}
    assert service.send("POST", "accounts?tag=loop", {"name": "A"}, **named).status == 204


# Over sockets


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="empty", classes={"dataverse": Dataverse}) as running:
        yield running


def ask(
    sandbox: Sandbox, address: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    """Ask over https, trusting the sandbox's own authority alone."""
    context = ssl.create_default_context(cafile=str(sandbox.certificates.ca))
    named = {"Authorization": "Bearer sandbox", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(f"{sandbox.dataverse.api_tls}/{address}", body, named, method=method)
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as response:
            return response.status, response.read()
    except HTTPError as error:
        return error.code, error.read()


def test_rows_travel_over_https(sandbox: Sandbox) -> None:
    body = json.dumps({"name": "Ærø"}).encode()
    status, _ = ask(sandbox, "accounts", "POST", body, Content_Type="application/json")
    assert status == 204
    status, content = ask(sandbox, "accounts?$select=name&$filter=startswith(name,%27%C3%A6%27)")
    found = json.loads(content)
    assert (status, [row["name"] for row in found["value"]]) == (200, ["Ærø"])
    assert found["@odata.context"].startswith(sandbox.dataverse.api_tls)


def test_a_batch_travels_over_https(sandbox: Sandbox) -> None:
    from .service import Answer

    body = multipart([part("GET", "WhoAmI"), part("GET", "accounts/$count")])
    status, content = ask(sandbox, "$batch", "POST", body, Content_Type="multipart/mixed; boundary=batch_1")
    assert (status, statuses(Answer(status, {}, content))) == (200, [200, 200])


def test_an_unknown_token_is_401_over_https(sandbox: Sandbox) -> None:
    assert ask(sandbox, "WhoAmI", Authorization="Bearer unknown")[0] == 401
