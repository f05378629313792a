"""What the ground does around the two real systems: counts, faults, tokens, https."""

from collections.abc import Iterator
from typing import Any

import pytest

from crosstie.sandbox.data import COMPANY_ID
from crosstie.sandbox.launch import Host, Sandbox, running_sandbox

from .client import Connection, ask

SYSTEMS = ("business_central", "dataverse")


@pytest.fixture(scope="module")
def both() -> Iterator[Sandbox]:
    with running_sandbox("demo") as running:
        yield running


@pytest.fixture(autouse=True)
def calm(both: Sandbox) -> Iterator[None]:
    yield
    for name in SYSTEMS:
        ask(f"{host(both, name).control_url}/faults", "DELETE")
    both.clock.real()


def host(both: Sandbox, name: str) -> Host:
    return both.business_central if name == "business_central" else both.dataverse


def root(both: Sandbox, name: str) -> str:
    return f"{both.business_central.api}/companies({COMPANY_ID})" if name == "business_central" else both.dataverse.api


def record(both: Sandbox, name: str) -> tuple[str, str, str]:
    """The address of the first partner, a field of it, and its value."""
    if name == "business_central":
        path = f"{root(both, name)}/customers?$filter=number%20eq%20'10000'"
        row = ask(path).json()["value"][0]
        return f"{root(both, name)}/customers({row['id']})", "addressLine2", row["addressLine2"]
    row = ask(f"{root(both, name)}/accounts(accountnumber='10000')").json()
    return f"{root(both, name)}/accounts({row['accountid']})", "address1_line2", row["address1_line2"]


def order(target: Host, **fault: object) -> None:
    assert ask(f"{target.control_url}/faults", "POST", {"faults": [fault]}).status == 200


def patch(url: str, body: dict[str, Any]) -> int:
    return ask(url, "PATCH", body, If_Match="*", Content_Type="application/json").status


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_write_is_lost_before_and_kept_after(both: Sandbox, name: str) -> None:
    url, field, before = record(both, name)
    order(host(both, name), kind="drop_before", method="PATCH")
    assert patch(url, {field: "lost"}) == 0
    assert record(both, name)[2] == before
    order(host(both, name), kind="drop_after", method="PATCH")
    assert patch(url, {field: "kept"}) == 0
    assert record(both, name)[2] == "kept"


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_page_torn_in_half(both: Sandbox, name: str) -> None:
    table = "customers" if name == "business_central" else "accounts"
    order(host(both, name), kind="tear", path=table)
    torn = ask(f"{root(both, name)}/{table}")
    assert torn.status == 200
    assert 0 < len(torn.body) < int(torn.headers["content-length"])


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_fault_before_the_work_leaves_the_record_alone(both: Sandbox, name: str) -> None:
    url, field, before = record(both, name)
    for kind, status in (("throttle", 429), ("refuse", 401), ("status", 503), ("html", 502)):
        order(host(both, name), kind=kind, method="PATCH")
        assert patch(url, {field: kind}) == status
    assert record(both, name)[2] == before


def test_business_central_counts_the_parts_of_a_batch(both: Sandbox) -> None:
    target = both.business_central
    ask(f"{target.control_url}/requests", "DELETE")
    requests = [
        {"id": str(n), "method": "GET", "url": f"companies({COMPANY_ID})/{table}?$top=1"}
        for n, table in enumerate(("customers", "customers", "vendors"))
    ]
    assert ask(f"{target.api}/$batch", "POST", {"requests": requests}, Content_Type="application/json").status == 200
    counts = ask(f"{target.control_url}/requests").json()
    assert (counts["total"], counts["batch_parts"], counts["by"]) == (1, 3, {"POST $batch": 1})
    assert counts["parts_by"] == {"GET customers": 2, "GET vendors": 1}


def test_dataverse_counts_the_parts_of_a_batch(both: Sandbox) -> None:
    target = both.dataverse
    ask(f"{target.control_url}/requests", "DELETE")
    head = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    part = head + "GET /api/data/v9.2/{} HTTP/1.1\r\n\r\n\r\n"
    body = "".join(part.format(path) for path in ("accounts?$top=1", "contacts?$top=1")) + "--b--\r\n"
    answer = ask(f"{target.api}/$batch", "POST", body.encode(), Content_Type="multipart/mixed; boundary=b")
    assert answer.status == 200
    counts = ask(f"{target.control_url}/requests").json()
    assert (counts["total"], counts["batch_parts"]) == (1, 2)
    assert counts["parts_by"] == {"GET accounts": 1, "GET contacts": 1}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_worthless_token_is_refused_in_the_systems_own_words(both: Sandbox, name: str) -> None:
    answer = ask(root(both, name), token="worthless")
    assert answer.status == 401
    if name == "business_central":
        assert answer.json()["error"]["code"] == "Authentication_InvalidCredentials"
    else:
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", SYSTEMS)
def test_http_and_https_show_the_same_records_under_their_own_addresses(both: Sandbox, name: str) -> None:
    target, ca = host(both, name), str(both.certificates.ca)
    table = f"companies({COMPANY_ID})/customers" if name == "business_central" else "accounts"
    for api, authority in ((target.api, None), (target.api_tls, ca)):
        page = ask(f"{api}/{table}", ca=authority, Prefer="odata.maxpagesize=5").json()
        assert len(page["value"]) == 5
        assert page["@odata.context"].startswith(api)
        assert page["@odata.nextLink"].startswith(api)


@pytest.mark.parametrize("name", SYSTEMS)
def test_both_systems_live_in_the_same_time(both: Sandbox, name: str) -> None:
    ask(f"{both.dataverse.control_url}/clock", "POST", {"now": "2031-05-06T07:08:09.250Z"})
    url, field, _ = record(both, name)
    assert patch(url, {field: f"at {name}"}) in (200, 204)
    row = ask(url).json()
    stamp = row["lastModifiedDateTime"] if name == "business_central" else row["modifiedon"]
    assert stamp == ("2031-05-06T07:08:09.25Z" if name == "business_central" else "2031-05-06T07:08:09Z")


@pytest.mark.parametrize("name", SYSTEMS)
def test_many_requests_over_one_connection(both: Sandbox, name: str) -> None:
    url, _, _ = record(both, name)
    path = url.removeprefix(host(both, name).base)
    with Connection(url) as connection:
        assert {connection.ask("GET", path).status for _ in range(50)} == {200}


@pytest.mark.parametrize("name", SYSTEMS)
def test_reset_empties_a_system_and_it_goes_on(both: Sandbox, name: str) -> None:
    with running_sandbox("demo") as other:
        target = host(other, name)
        ask(f"{target.control_url}/reset", "POST", {})
        table = "customers" if name == "business_central" else "accounts"
        company = ask(f"{target.api}/companies").json()["value"][0]["id"] if name == "business_central" else ""
        base = f"{target.api}/companies({company})" if company else target.api
        field = "displayName" if company else "name"
        assert ask(f"{base}/{table}").json()["value"] == []
        assert ask(f"{base}/{table}", "POST", {field: "New"}, Content_Type="application/json").status in (201, 204)


def test_dataverse_tells_generic_clients_what_they_ask_first(both: Sandbox) -> None:
    names = ["EntitySetName", "PrimaryIdAttribute", "PrimaryImageAttribute", "IsBPFEntity", "IsValidForAdvancedFind"]
    path = f"EntityDefinitions(LogicalName='account')?$select={','.join(names)}"
    definition = ask(f"{both.dataverse.api}/{path}").json()
    assert [definition[name] for name in names] == ["accounts", "accountid", None, False, True]
    assert ask(f"{both.dataverse.api}/RetrieveAvailableLanguages()").json()["LocaleIds"] == [1033]
