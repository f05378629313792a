"""Coming in over the API: the first administrator, sign-in, tokens, users; and that secrets are shown once."""

import logging
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from crosstie.api.shell import ACCESS
from tests.api.conftest import PASSWORD, Served, problem


@pytest.fixture
def anna(bare: Served) -> str:
    """The session of the first administrator."""
    body = {"link": bare.first_link, "name": "Anna", "password": PASSWORD}
    answer = bare.ask(None, "POST", "/api/v1/join", json=body)
    assert answer.status_code == 200, answer.text
    bare.tokens["anna"] = answer.json()["secret"]
    return bare.tokens["anna"]


def test_the_first_link_makes_an_administrator_once(bare: Served, anna: str) -> None:
    assert bare.done("anna", "GET", "/api/v1/me") == {"kind": "user", "name": "Anna", "role": "administrator"}
    body = {"link": bare.first_link, "name": "Mallory", "password": PASSWORD}
    bare.refused(None, "POST", "/api/v1/join", 404, "invalid-link", json=body)
    weak = {"link": "x", "name": "Mallory", "password": "short"}
    bare.refused(None, "POST", "/api/v1/join", 404, "invalid-link", json=weak)


def test_somebody_signs_in_and_out(bare: Served, anna: str) -> None:
    body = {"name": "anna", "password": PASSWORD}
    bare.refused(None, "POST", "/api/v1/sign-in", 401, "sign-in-refused", json={**body, "password": "wrong"})
    found = bare.ask(None, "POST", "/api/v1/sign-in", json=body).json()
    bare.tokens["again"] = found["secret"]
    assert bare.done("again", "GET", "/api/v1/me")["name"] == "Anna"
    bare.done("again", "POST", "/api/v1/sign-out")
    bare.refused("again", "GET", "/api/v1/me", 401, "sign-in-needed")
    assert bare.done("anna", "GET", "/api/v1/me")["name"] == "Anna"


def test_too_many_wrong_passwords_have_to_wait(bare: Served, anna: str) -> None:
    body = {"name": "anna", "password": "wrong"}
    answers = [bare.ask(None, "POST", "/api/v1/sign-in", json=body) for _ in range(12)]
    problem(answers[-1], 429, "too-many-attempts")
    assert int(answers[-1].headers["retry-after"]) > 0


def test_tokens_are_made_shown_once_and_revoked(bare: Served, anna: str) -> None:
    body: dict[str, Any] = {"name": "shop", "role": "operator", "days": 3}
    made = bare.done("anna", "POST", "/api/v1/tokens", body)
    bare.tokens["shop"] = made["secret"]
    assert bare.done("shop", "GET", "/api/v1/me") == {"kind": "token", "name": "shop", "role": "operator"}
    listed = bare.ask("anna", "GET", "/api/v1/tokens")
    assert made["secret"] not in listed.text
    assert listed.json()["items"][-1]["name"] == "shop"
    assert bare.done("anna", "DELETE", f"/api/v1/tokens/{made['token']['id']}")["state"] == "revoked"
    bare.refused("shop", "GET", "/api/v1/me", 401, "token-refused")
    bare.refused("anna", "DELETE", "/api/v1/tokens/9999", 404, "unknown-token")
    bare.refused("anna", "POST", "/api/v1/tokens", 422, "invalid-request", json={**body, "days": 0})


def test_users_are_invited_changed_and_disabled_and_the_audit_log_knows(bare: Served, anna: str) -> None:
    made = bare.done("anna", "POST", "/api/v1/invitations", {"name": "Bert", "role": "viewer"})
    assert made["secret"].startswith(f"{bare.address}/join/")
    secret = made["secret"].rpartition("/")[2]
    assert [each["name"] for each in bare.done("anna", "GET", "/api/v1/invitations")["items"]] == ["Bert"]
    joined = bare.ask(None, "POST", "/api/v1/join", json={"link": secret, "password": PASSWORD}).json()
    bare.tokens["bert"] = joined["secret"]
    bare.refused("bert", "GET", "/api/v1/users", 403, "forbidden")
    assert bare.done("anna", "PATCH", "/api/v1/users/Bert", {"role": "operator"})["role"] == "operator"
    assert bare.done("anna", "PATCH", "/api/v1/users/Bert", {"disabled": True})["disabled"]
    bare.refused("bert", "GET", "/api/v1/me", 401, "sign-in-needed")
    bare.refused("anna", "PATCH", "/api/v1/users/Bert", 422, "invalid-request", json={})
    bare.refused("anna", "PATCH", "/api/v1/users/Anna", 409, "last-administrator", json={"disabled": True})
    bare.refused("anna", "PATCH", "/api/v1/users/Nobody", 404, "unknown-user", json={"disabled": True})
    bare.refused("anna", "DELETE", "/api/v1/invitations/Nobody", 404, "unknown-user")
    first = bare.done("anna", "GET", "/api/v1/audit?limit=1")
    rest = bare.done("anna", "GET", f"/api/v1/audit?after={first['next']}")
    actions = [entry["action"] for entry in first["items"] + rest["items"]]
    assert {"join", "invite", "change_role", "disable_user"} <= set(actions)
    assert secret not in str(rest)


def test_a_repeated_request_for_a_token_makes_no_second_one_and_does_not_show_it_again(bare: Served, anna: str) -> None:
    body = {"name": "shop", "role": "viewer"}
    with bare.caller("anna", **{"Idempotency-Key": "k1"}) as client:
        one, two = (client.post("/api/v1/tokens", json=body) for _ in range(2))
    assert one.json()["secret"]
    assert two.json() == {**one.json(), "secret": None}
    assert two.headers["idempotency-replayed"] == "true"
    names = [each["name"] for each in bare.done("anna", "GET", "/api/v1/tokens")["items"]]
    assert names.count("shop") == 1
    with bare.home.store.begin() as unit:
        assert unit.settings() is not None
    raw = (bare.home.folder / "crosstie.db").read_bytes() + (bare.home.folder / "crosstie.db-wal").read_bytes()
    assert one.json()["secret"].encode() not in raw


def test_connection_secrets_go_in_and_never_come_out(bare: Served) -> None:
    body = {
        "kind": "dataverse",
        "address": "http://127.0.0.1:9/api/data/v9.2",
        "token_url": "http://127.0.0.1:9/token",
        "client_id": "app",
        "secret": "hush-hush",
        "check": False,
    }
    put = bare.ask("administrator", "PUT", "/api/v1/connections/crm", json=body)
    assert put.status_code == 200, put.text
    texts = [put.text]
    texts += [bare.ask("viewer", "GET", path).text for path in ("/api/v1/connections", "/api/v1/connections/crm")]
    assert not any("hush" in text for text in texts)
    assert bare.done("administrator", "POST", "/api/v1/connections/crm/disable")["enabled"] is False
    bare.refused("administrator", "POST", "/api/v1/connections/crm/enable", 422, "invalid-connection")
    assert bare.done("viewer", "GET", "/api/v1/connections/crm")["enabled"] is False
    missing = {**body, "secret": ""}
    bare.refused("administrator", "PUT", "/api/v1/connections/crm", 422, "invalid-connection", json=missing)
    bare.done("administrator", "DELETE", "/api/v1/connections/crm")
    bare.refused("viewer", "GET", "/api/v1/connections/crm", 404, "unknown-connection")


def test_links_and_passwords_stay_out_of_the_log(bare: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=ACCESS)
    with capture_logs() as lines:
        httpx.post(f"{bare.address}/api/v1/sign-in", json={"name": "x", "password": "pass-in-clear"})
        bare.ask("viewer", "GET", "/api/v1/mappings/CUSTOMER")
    assert [(line["path"], line["status"], line["who"]) for line in lines if line["event"] == "request"] == [
        ("/api/v1/sign-in", 401, ""),
        ("/api/v1/mappings/CUSTOMER", 404, "test viewer"),
    ]
    assert "pass-in-clear" not in str(lines)
    assert bare.tokens["viewer"] not in str(lines)
