"""Faults as a client sees them, over real connections."""

import time
from typing import Any

import pytest

from crosstie.sandbox.faults import Fault, FaultError, Faults
from crosstie.sandbox.launch import Host, Sandbox

from .client import Connection, ask

SCHEMES = ("http", "https")


def address(sandbox: Sandbox, scheme: str) -> tuple[str, str | None]:
    host = sandbox.business_central
    return (host.api, None) if scheme == "http" else (host.api_tls, str(sandbox.certificates.ca))


def order(host: Host, **fault: object) -> None:
    answer = ask(f"{host.control_url}/faults", "POST", {"faults": [fault]})
    assert answer.status == 200, answer.body


def rows(host: Host) -> int:
    return int(ask(f"{host.control_url}/").json()["records"]["entry"])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_connection_dropped_before_leaves_no_change(sandbox: Sandbox, scheme: str) -> None:
    host = sandbox.business_central
    before = rows(host)
    url, ca = address(sandbox, scheme)
    order(host, kind="drop_before", method="POST")
    assert ask(url, "POST", {"n": 1}, ca).status == 0
    assert rows(host) == before


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_connection_dropped_after_has_made_the_change(sandbox: Sandbox, scheme: str) -> None:
    host = sandbox.business_central
    before = rows(host)
    url, ca = address(sandbox, scheme)
    order(host, kind="drop_after", method="POST")
    assert ask(url, "POST", {"n": 1}, ca).status == 0
    assert rows(host) == before + 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_torn_answer_promises_the_whole_and_delivers_half(sandbox: Sandbox, scheme: str) -> None:
    host = sandbox.business_central
    url, ca = address(sandbox, scheme)
    whole = ask(url, "GET", ca=ca)
    order(host, kind="tear")
    torn = ask(url, "GET", ca=ca)
    assert torn.status == 200
    assert int(torn.headers["content-length"]) == len(whole.body)
    assert torn.body == whole.body[: len(whole.body) // 2]
    assert not torn.complete


def test_the_connection_after_a_dropped_one_works(sandbox: Sandbox) -> None:
    host = sandbox.business_central
    order(host, kind="drop_before", times=2)
    assert [ask(host.api).status for _ in range(3)] == [0, 0, 200]


def test_faults_skip_the_first_and_then_act_as_often_as_ordered(sandbox: Sandbox) -> None:
    host = sandbox.business_central
    order(host, kind="status", status=500, after=2, times=2)
    assert [ask(host.api).status for _ in range(6)] == [200, 200, 500, 500, 200, 200]


def test_a_fault_hits_only_the_method_and_path_it_names(sandbox: Sandbox) -> None:
    host = sandbox.business_central
    order(host, kind="status", method="PATCH|POST", path="customers$", times=None)
    seen = [ask(host.api + tail, method).status for tail in ("/customers", "/vendors") for method in ("GET", "POST")]
    assert seen == [200, 503, 200, 200]


def test_throttling_says_when_to_come_back(sandbox: Sandbox) -> None:
    for host, code in ((sandbox.business_central, "Application_TooManyRequests"), (sandbox.dataverse, "0x80072322")):
        order(host, kind="throttle", retry_after=7)
        answer = ask(host.api)
        assert (answer.status, answer.headers["retry-after"]) == (429, "7")
        assert answer.json()["error"]["code"] == code


def test_throttling_may_keep_silent_about_when(sandbox: Sandbox) -> None:
    order(sandbox.dataverse, kind="throttle", retry_after=None)
    assert "retry-after" not in ask(sandbox.dataverse.api).headers


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ({"kind": "refuse"}, 401, "Authentication_InvalidCredentials"),
        ({"kind": "refuse", "status": 403}, 403, "Authentication_InvalidCredentials"),
        ({"kind": "status"}, 503, "Internal_ServerError"),
        ({"kind": "status", "status": 504}, 504, "Internal_ServerError"),
        ({"kind": "html"}, 502, "<!DOCTYPE html>"),
    ],
)
def test_answers_in_place_of_the_systems(sandbox: Sandbox, fault: dict[str, Any], status: int, words: str) -> None:
    host = sandbox.business_central
    before = rows(host)
    order(host, **fault)
    answer = ask(host.api, "POST", {"n": 1})
    assert answer.status == status
    assert words in answer.body.decode()
    assert rows(host) == before


@pytest.mark.parametrize(("kind", "rows_while_waiting"), [("slow", 0), ("late", 1)])
def test_waiting_before_or_after_the_work(sandbox: Sandbox, kind: str, rows_while_waiting: int) -> None:
    host = sandbox.business_central
    before = rows(host)
    order(host, kind=kind, seconds=0.3)
    started = time.monotonic()
    with Connection(host.api) as slow:
        slow.socket.sendall(f"POST /x HTTP/1.1\r\nHost: {slow.host}\r\nContent-Length: 0\r\n".encode())
        slow.socket.sendall(b"Authorization: Bearer sandbox\r\n\r\n")
        time.sleep(0.1)
        assert rows(host) == before + rows_while_waiting
        assert slow.socket.recv(4096).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - started >= 0.3
    assert rows(host) == before + 1


def test_orders_in_force_are_listed_and_cleared(sandbox: Sandbox) -> None:
    host = sandbox.business_central
    order(host, kind="slow", times=3, after=1, path="a+b")
    ask(f"{host.control_url}/faults", "POST", {"preset": "transient_timeout"})
    listed = ask(f"{host.control_url}/faults").json()["faults"]
    assert [(item["kind"], item["times"], item["after"], item["path"]) for item in listed] == [
        ("slow", 3, 1, "a+b"),
        ("status", 1, 0, "^(?!.*/oauth2/)"),
    ]
    assert ask(f"{host.control_url}/faults", "DELETE").json()["faults"] == []


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"kind": "explode"}, "'explode'"),
        ({}, "'kind' is None"),
        ({"kind": "slow", "seconds": "soon"}, "'seconds' is 'soon'"),
        ({"kind": "slow", "seconds": -1}, "'seconds' is -1"),
        ({"kind": "tear", "times": "often"}, "'times' is 'often'"),
        ({"kind": "tear", "times": True}, "'times' is True"),
        ({"kind": "tear", "path": "("}, "'path' is '('"),
        ({"kind": "tear", "when": "now"}, "'when'"),
    ],
)
def test_a_wrong_order_names_the_field_and_the_value(sandbox: Sandbox, fault: dict[str, Any], named: str) -> None:
    host = sandbox.business_central
    answer = ask(f"{host.control_url}/faults", "POST", {"faults": [{"kind": "tear"}, fault]})
    assert answer.status == 400
    assert named in answer.json()["error"]["message"]
    assert ask(f"{host.control_url}/faults").json()["faults"] == [], "one wrong order must undo all of them"


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(FaultError, match="unknown preset 'earthquake'; known: transient_timeout"):
        Faults().add_preset("earthquake")


def test_the_first_of_two_faults_wins_until_it_is_used_up() -> None:
    faults = Faults()
    faults.add([{"kind": "tear"}, {"kind": "html", "times": 2}])
    kinds = []
    while (fault := faults.take("GET", "/")) is not None:
        assert isinstance(fault, Fault)
        kinds.append(fault.kind)
    assert kinds == ["tear", "html", "html"]
