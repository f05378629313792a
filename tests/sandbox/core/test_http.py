"""The ASGI layer over real connections: bodies, keep-alive, https, errors, counts."""

import time

import pytest

from crosstie.sandbox.counting import Counters, resource
from crosstie.sandbox.http import Headers, HttpError, Request
from crosstie.sandbox.launch import Sandbox

from .client import Connection, ask


def test_a_request_reaches_the_system_decoded(sandbox: Sandbox) -> None:
    host = sandbox.business_central
    answer = ask(f"{host.api}/cust%C3%B8mers(a%27b)?%24top=2&$filter=name+eq+%27a%26b%27%20or%20x").json()
    assert answer["path"].endswith("/custømers(a'b)")
    assert answer["query"] == {"$top": "2", "$filter": "name eq 'a&b' or x"}
    assert answer["base"] == host.base


def test_the_base_address_follows_the_scheme_and_the_host_header(sandbox: Sandbox) -> None:
    host = sandbox.dataverse
    ca = str(sandbox.certificates.ca)
    assert ask(host.api_tls, ca=ca).json()["base"] == host.base_tls
    by_name = host.api_tls.replace("127.0.0.1", "localhost")
    assert ask(by_name, ca=ca).json()["base"] == by_name.removesuffix("/api/data/v9.2")


def test_one_connection_serves_many_requests(sandbox: Sandbox) -> None:
    with Connection(sandbox.business_central.api) as connection:
        assert [connection.ask("GET", f"/{n}").json()["path"] for n in range(20)] == [f"/{n}" for n in range(20)]


def test_a_long_body_arrives_whole(sandbox: Sandbox) -> None:
    host = sandbox.business_central
    text = b"x" * 3_000_000
    assert ask(host.api, "POST", text).status == 200
    assert ask(host.api).json()["rows"][-1] == text.decode()
    ask(f"{host.control_url}/reset", "POST", {})


def test_a_defect_of_the_system_is_a_500_and_the_server_goes_on(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask(f"{sandbox.business_central.api}/broken").status == 500
    assert "a defect of the system" in caplog.text
    assert ask(sandbox.business_central.api).status == 200


def test_the_layer_costs_little_per_request(sandbox: Sandbox) -> None:
    with Connection(sandbox.business_central.api) as connection:
        connection.ask("GET", "/warm")
        started = time.process_time()
        for _ in range(500):
            connection.ask("GET", "/x")
        seconds = time.process_time() - started
    assert seconds / 500 < 0.002, "client and server together, in one process"


def test_requests_are_counted_with_the_parts_of_batches(sandbox: Sandbox) -> None:
    host = sandbox.business_central
    ask(f"{host.control_url}/requests", "DELETE")
    root = "/v2.0/sandbox/api/v2.0/companies(11111111-1111-1111-1111-111111111111)"
    for method, path in (("GET", f"{root}/customers"), ("GET", f"{root}/customers(1)"), ("POST", f"{root}/$batch")):
        ask(host.base + path, method)
    counts = ask(f"{host.control_url}/requests").json()
    assert counts == {
        "total": 3,
        "batch_parts": 2,
        "by": {"GET customers": 2, "POST $batch": 1},
        "parts_by": {"PATCH customers": 1, "POST customers": 1},
    }
    assert ask(f"{host.control_url}/requests", "DELETE").json()["total"] == 0


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v2.0/sandbox/api/v2.0/companies(a)/customers(b)", "customers"),
        ("/v2.0/a-tenant/sandbox/api/v2.0/companies(a)/customers", "customers"),
        ("/BC/api/v2.0/customers", "customers"),
        ("/v2.0/sandbox/api/crosstie/sync/v1.0/companies(a)/syncContacts(b)", "syncContacts"),
        ("/v2.0/sandbox/ODataV4/Company('CRONUS')/Customers", "Customers"),
        ("/v2.0/sandbox/api/v2.0/companies", "companies"),
        ("/v2.0/sandbox/api/v2.0/salesOrders(a)/salesOrderLines", "salesOrderLines"),
        ("/api/data/v9.2/accounts(a)", "accounts"),
        ("/api/data/v9.0/accounts(accountnumber='A(1)/2')", "accounts"),
        ("/api/data/v9.2/accounts/$count", "accounts/$count"),
        ("/api/data/v9.2/accounts/Microsoft.Dynamics.CRM.CreateMultiple", "accounts/CreateMultiple"),
        ("/api/data/v9.2/$batch", "$batch"),
        ("/api/data/v9.2/", "(root)"),
        ("accounts(1)", "accounts"),
        ("/accounts?$top=1", "accounts"),
        ("http://127.0.0.1:1/api/data/v9.2/contacts(1)?x=/y", "contacts"),
        ("/tenant/oauth2/v2.0/token", "token"),
        ("/tenant/oauth2/token", "token"),
    ],
)
def test_paths_are_counted_by_what_they_are_about(path: str, name: str) -> None:
    assert resource(path) == name


def test_batch_methods_are_counted_in_capitals() -> None:
    counters = Counters()
    counters.parts([("patch", "accounts(1)")])
    assert counters.describe()["parts_by"] == {"PATCH accounts": 1}


def test_headers_ignore_case_and_join_repeats() -> None:
    headers = Headers([("Prefer", "a"), ("PREFER", "b"), ("X", "1")])
    assert (headers["prefer"], headers.get("x"), headers.get("y"), "PreFer" in headers) == ("a, b", "1", None, True)
    assert dict(headers) == {"prefer": "a, b", "x": "1"}


def test_a_body_that_is_no_json_is_a_400() -> None:
    with pytest.raises(HttpError) as caught:
        Request("POST", "/", body=b"{").json()
    assert caught.value.response.status == 400


def test_json_keeps_fractions_exact_and_drops_a_mark_at_its_start() -> None:
    value = Request("POST", "/", body=b'\xef\xbb\xbf{"a": 0.1234567890123456789}').json()
    assert isinstance(value, dict)
    assert str(value["a"]) == "0.1234567890123456789"
