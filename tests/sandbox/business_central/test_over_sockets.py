"""The same over real sockets: http and https, the token endpoint, batches, orders."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from crosstie.sandbox.business_central import BusinessCentral
from crosstie.sandbox.launch import Sandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="demo", classes={"business_central": BusinessCentral}) as running:
        yield running


def call(
    method: str, url: str, body: object = None, token: str = "sandbox", ca: str | None = None, **headers: str
) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data, {k.replace("_", "-"): v for k, v in sent.items()}, method=method)
    context = ssl.create_default_context(cafile=ca) if ca else None
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            raw = answer.read()
            return answer.status, json.loads(raw) if raw else None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_reading_over_both_schemes(sandbox: Sandbox) -> None:
    host, info = sandbox.business_central, sandbox.info()
    status, plain = call("GET", f"{host.api}/customers?$top=3&$select=number")
    assert (status, len(plain["value"])) == (200, 3)
    status, secure = call("GET", f"{host.api_tls}/customers?$top=3&$select=number", ca=str(info["ca"]))
    assert secure["value"] == plain["value"]
    assert secure["@odata.context"].startswith("https://")


def test_the_company_that_is_announced_is_there(sandbox: Sandbox) -> None:
    info: Any = sandbox.info()["business_central"]
    status, body = call("GET", f"{info['api']}/companies({info['company_id']})/customers/$count")
    assert status == 200
    assert body > 100


def test_an_issued_token_is_good_and_a_guessed_one_is_not(sandbox: Sandbox) -> None:
    info = sandbox.info()
    form = f"grant_type=client_credentials&client_id={info['client_id']}&client_secret={info['client_secret']}"
    request = urllib.request.Request(str(info["token_url"]), form.encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        token = json.loads(answer.read())["access_token"]
    url = f"{sandbox.business_central.api}/companies"
    assert call("GET", url, token=token)[0] == 200
    status, body = call("GET", url, token="guessed")
    assert (status, body["error"]["code"]) == (401, "Authentication_InvalidCredentials")


def test_a_batch_is_one_request_of_many_parts(sandbox: Sandbox) -> None:
    host = sandbox.business_central
    call("DELETE", f"{host.control_url}/requests")
    parts = [{"id": str(n), "method": "GET", "url": "customers?$top=1"} for n in range(5)]
    status, body = call("POST", f"{host.api}/$batch", {"requests": parts})
    assert (status, len(body["responses"])) == (200, 5)
    counted = call("GET", f"{host.control_url}/requests")[1]
    assert (counted["total"], counted["batch_parts"]) == (1, 5)


def test_switches_are_set_by_order(sandbox: Sandbox) -> None:
    host = sandbox.business_central
    assert call("POST", f"{host.control_url}/settings", {"page_size": 2})[0] == 200
    body = call("GET", f"{host.api}/customers")[1]
    assert len(body["value"]) == 2
    assert body["@odata.nextLink"].startswith(f"{host.api}/customers?")
    following = call("GET", body["@odata.nextLink"])[1]
    assert {row["id"] for row in following["value"]}.isdisjoint(row["id"] for row in body["value"])
    call("POST", f"{host.control_url}/settings", {"page_size": 20000})


def test_a_create_whose_answer_is_lost_can_be_found_by_its_id(sandbox: Sandbox) -> None:
    host, id = sandbox.business_central, "99999999-2222-3333-4444-555555555555"
    fault = {"kind": "drop_after", "times": 1, "method": "POST", "path": "customers"}
    call("POST", f"{host.control_url}/faults", {"faults": [fault]})
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        call("POST", f"{host.api}/customers", {"id": id, "displayName": "Lost"})
    assert call("GET", f"{host.api}/customers({id})")[1]["displayName"] == "Lost"
    assert call("POST", f"{host.api}/customers", {"id": id, "displayName": "Lost"})[0] == 409
