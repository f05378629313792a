"""Orders under /_sandbox/, settings, the clock, tokens."""

import base64
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from crosstie.sandbox.clock import Clock
from crosstie.sandbox.launch import Sandbox
from crosstie.sandbox.settings import Setting, SettingError, Settings
from crosstie.sandbox.tokens import CLIENT_ID, CLIENT_SECRET, TENANT_ID

from .client import Answer, ask


def order(sandbox: Sandbox, name: str, body: object = None, method: str = "POST") -> Answer:
    return ask(f"{sandbox.business_central.control_url}/{name}", method, body, token="")


def test_orders_need_no_token_and_say_what_there_is(sandbox: Sandbox) -> None:
    about = order(sandbox, "", method="GET").json()
    assert about["system"] == "business_central"
    assert "/_sandbox/faults" in about["orders"]


def test_an_unknown_order_names_the_known_ones(sandbox: Sandbox) -> None:
    answer = order(sandbox, "dance")
    assert answer.status == 404
    assert "known: info, planted, reset" in answer.json()["error"]["message"]


def test_info_is_the_ready_line(sandbox: Sandbox) -> None:
    info = order(sandbox, "info", method="GET").json()
    assert info == sandbox.info()
    assert set(info) == {
        "business_central", "dataverse", "token_url", "tenant_id", "client_id", "client_secret", "ca"
    }  # fmt: skip
    assert set(info["business_central"]) == {"api", "api_tls", "company_id", "control"}


def test_reset_empties_and_load_fills(sandbox: Sandbox) -> None:
    ask(sandbox.business_central.api, "POST", {"n": 1})
    assert order(sandbox, "load", {"data": "demo"}).json()["records"]["customers"] == 102
    assert sandbox.business_central.planted
    assert order(sandbox, "reset", {}).json() == {"records": {"entry": 0}}


def test_loading_again_forgets_the_planted_troubles(sandbox: Sandbox) -> None:
    order(sandbox, "load", {"data": "demo"})
    order(sandbox, "load", {"data": "empty"})
    assert order(sandbox, "planted", method="GET").json() == {"planted": []}


def test_a_full_reset_forgets_orders_counts_switches_and_clock(sandbox: Sandbox) -> None:
    order(sandbox, "faults", {"faults": [{"kind": "tear"}]})
    order(sandbox, "settings", {"page_size": 3, "token_life_seconds": 9})
    order(sandbox, "clock", {"now": "2020-01-01T00:00:00Z"})
    order(sandbox, "reset", {"all": True})
    assert order(sandbox, "faults", method="GET").json()["faults"] == []
    assert order(sandbox, "requests", method="GET").json()["total"] == 0
    values = order(sandbox, "settings", method="GET").json()["settings"]
    assert (values["page_size"]["value"], values["token_life_seconds"]["value"]) == (5000, 3599)
    assert order(sandbox, "clock", method="GET").json()["stopped"] is False


@pytest.mark.parametrize(
    ("name", "body", "named"),
    [
        ("load", {"data": "moon"}, "unknown data set 'moon'; known: demo, empty, generate:N"),
        ("load", {"data": "generate:0"}, "unknown data set 'generate:0'"),
        ("load", {"data": "generate:5:sideways"}, "unknown data set"),
        ("load", {"data": 5}, "'data' is 5"),
        ("load", {"data": "empty", "seed": "x"}, "'seed' is 'x'"),
        ("load", {"dat": "empty"}, "unknown field 'dat'"),
        ("load", [], "must be a JSON object"),
        ("clock", {"now": "yesterday"}, "yesterday"),
        ("clock", {"advance_seconds": "long"}, "long"),
        ("settings", {"pages": 3}, "unknown field 'pages'"),
        ("settings", {"page_size": "many"}, "'page_size' takes a value of type int, not 'many'"),
        ("settings", {"mode": "odd"}, "takes one of ['strict', 'lenient'], not 'odd'"),
        ("tokens", {"revoke": "some"}, "'revoke' is 'some'"),
        ("faults", {"faults": "all"}, "'faults' is 'all'"),
        ("faults", {"preset": "earthquake"}, "unknown preset 'earthquake'"),
    ],
)
def test_a_wrong_order_is_a_400_that_names_it(sandbox: Sandbox, name: str, body: object, named: str) -> None:
    answer = order(sandbox, name, body)
    assert answer.status == 400
    assert named in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["reset", "load", "tokens"])
def test_orders_that_change_take_post(sandbox: Sandbox, name: str) -> None:
    assert order(sandbox, name, method="GET").status == 405


def test_a_wrong_switch_changes_none_of_them() -> None:
    settings = Settings([Setting("a", 1, ""), Setting("b", 1.5, ""), Setting("c", True, "")])
    with pytest.raises(SettingError, match="'c' takes a value of type bool, not 1"):
        settings.change({"a": 2, "b": 2, "c": 1})
    assert dict(settings) == {"a": 1, "b": 1.5, "c": True}
    with pytest.raises(SettingError, match="'a' takes a value of type int, not True"):
        settings.change({"a": True})


def test_the_clock_stands_still_moves_on_and_goes_back(sandbox: Sandbox) -> None:
    assert order(sandbox, "clock", {"now": "2026-03-01T12:00:00+02:00"}).json() == {
        "now": "2026-03-01T10:00:00.000Z", "stopped": True
    }  # fmt: skip
    assert order(sandbox, "clock", {"advance_seconds": 90.5}).json()["now"] == "2026-03-01T10:01:30.500Z"
    order(sandbox, "clock", {"real": True})
    assert abs((sandbox.clock.now() - datetime.now(UTC)).total_seconds()) < 5


def test_a_running_clock_can_be_shifted() -> None:
    clock = Clock()
    clock.advance(3600)
    assert 3590 < (clock.now() - datetime.now(UTC)).total_seconds() < 3610
    assert clock.seconds().endswith("Z")
    assert len(clock.seconds()) == 20


# Tokens


def token(sandbox: Sandbox, basic: tuple[str, str] | None = None, path: str = "v2.0/token", **form: str) -> Answer:
    url = f"{sandbox.dataverse.base}/{TENANT_ID}/oauth2/{path}"
    headers = {}
    if basic:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
    return ask(url, "POST", urlencode(form).encode(), token="", **headers)


FORM = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@pytest.mark.parametrize("path", ["v2.0/token", "token", "token?resource=x"])
def test_a_token_for_client_credentials_opens_both_systems(sandbox: Sandbox, path: str) -> None:
    answer = token(sandbox, path=path, **FORM)
    assert answer.status == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3599)
    for host in (sandbox.business_central, sandbox.dataverse):
        assert ask(host.api, token=body["access_token"]).status == 200


def test_the_secret_may_come_by_basic_and_a_refresh_token_is_good(sandbox: Sandbox) -> None:
    answer = token(sandbox, (CLIENT_ID, CLIENT_SECRET), grant_type="refresh_token", refresh_token="sandbox")
    again = token(
        sandbox, (CLIENT_ID, CLIENT_SECRET), grant_type="refresh_token", refresh_token=answer.json()["refresh_token"]
    )
    assert (answer.status, again.status) == (200, 200)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 400, "unauthorized_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "made up"}, 400, "invalid_grant"),
    ],
)
def test_wrong_credentials_are_refused(sandbox: Sandbox, change: dict[str, str], status: int, error: str) -> None:
    answer = token(sandbox, **{**FORM, **change})
    assert (answer.status, answer.json()["error"]) == (status, error)


def test_no_token_an_unknown_one_an_expired_one_and_a_revoked_one_are_refused(sandbox: Sandbox) -> None:
    api = sandbox.business_central.api
    assert [ask(api, token=value).status for value in ("", "made-up")] == [401, 401]
    value = token(sandbox, **FORM).json()["access_token"]
    order(sandbox, "clock", {"advance_seconds": 3598})
    assert ask(api, token=value).status == 200
    order(sandbox, "clock", {"advance_seconds": 2})
    assert ask(api, token=value).status == 401
    value = token(sandbox, **FORM).json()["access_token"]
    assert order(sandbox, "tokens", {"revoke": "all"}).json()["revoked"] >= 1
    assert ask(api, token=value).status == 401


def test_the_development_token_can_be_switched_off(sandbox: Sandbox) -> None:
    order(sandbox, "settings", {"accept_development_token": False})
    assert ask(sandbox.dataverse.api).status == 401


@pytest.mark.parametrize(("password", "status"), [("sandbox", 200), ("wrong", 401)])
def test_business_central_on_premises_takes_basic_and_dataverse_does_not(
    sandbox: Sandbox, password: str, status: int
) -> None:
    basic = "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()
    path = "/BC/ODataV4/Company('CRONUS')/Customer"
    assert ask(sandbox.business_central.base + path, token=None, Authorization=basic).status == status
    assert ask(sandbox.dataverse.api, token=None, Authorization=basic).status == 401


def test_the_life_of_a_token_is_a_switch(sandbox: Sandbox) -> None:
    order(sandbox, "settings", {"token_life_seconds": 5})
    assert token(sandbox, **FORM).json()["expires_in"] == 5
