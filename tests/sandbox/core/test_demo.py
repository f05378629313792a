"""The demo company inside both real systems, read as a client reads it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from crosstie.sandbox.data import COMPANY_ID
from crosstie.sandbox.launch import Sandbox, running_sandbox

from .client import Answer, ask


@pytest.fixture(scope="module")
def demo() -> Iterator[Sandbox]:
    with running_sandbox("demo") as running:
        yield running


def local(demo: Sandbox, path: str) -> Any:
    answer = ask(f"{demo.business_central.api}/companies({COMPANY_ID})/{path}")
    assert answer.status == 200, answer.body
    return answer.json()


def remote(demo: Sandbox, path: str) -> Any:
    answer = ask(f"{demo.dataverse.api}/{path}")
    assert answer.status == 200, answer.body
    return answer.json()


def planted(demo: Sandbox, side: str, name: str) -> dict[str, Any]:
    host = demo.business_central if side == "local" else demo.dataverse
    entries = ask(f"{host.control_url}/planted").json()["planted"]
    found: dict[str, Any] = next(entry for entry in entries if entry["name"] == name)
    return found


def test_the_company_and_its_currency(demo: Sandbox) -> None:
    [company] = ask(f"{demo.business_central.api}/companies").json()["value"]
    assert (company["id"], company["name"]) == (COMPANY_ID, "CRONUS International Ltd.")
    assert local(demo, "companyInformation")["value"][0]["currencyCode"] == "GBP"
    [organization] = remote(demo, "organizations?$expand=basecurrencyid($select=isocurrencycode)")["value"]
    assert organization["basecurrencyid"]["isocurrencycode"] == "GBP"
    [row] = remote(demo, "bcbi_companies?$expand=bcbi_DefaultOwningTeam($select=name)")["value"]
    assert row["bcbi_externalid"] == COMPANY_ID
    assert row["bcbi_DefaultOwningTeam"]["name"] == "BCI - CRONUS International Ltd."


def test_the_application_user_knows_itself(demo: Sandbox) -> None:
    who = remote(demo, "WhoAmI")
    assert all(who[key] for key in ("UserId", "BusinessUnitId", "OrganizationId"))


@pytest.mark.parametrize(
    ("side", "table", "condition", "count"),
    [
        ("local", "customers", "blocked eq '_x0020_'", 101),
        ("local", "customers", "currencyCode eq 'ISK'", 37),
        ("local", "vendors", "blocked eq '_x0020_'", 25),
        ("local", "syncContacts", "type eq 'Person' and companyNumber ne ''", 80),
        ("remote", "accounts", "statecode eq 0 and customertypecode eq 3 and _bcbi_companyid_value eq null", 104),
        ("remote", "accounts", "statecode eq 0 and customertypecode eq 11", 21),
        ("remote", "accounts", "name eq 'greenway garden centre'", 2),
        ("remote", "contacts", "statecode eq 0 and parentcustomerid_account/accountid ne null", 79),
        ("remote", "systemusers", "isdisabled eq false and islicensed eq true and isintegrationuser eq false", 9),
    ],
)
def test_the_filters_of_the_mappings_find_their_records(
    demo: Sandbox, side: str, table: str, condition: str, count: int
) -> None:
    path = f"{table}?$filter={quote(condition)}"
    if side == "remote":
        assert len(remote(demo, path)["value"]) == count
    else:
        root = demo.business_central.api
        if table == "syncContacts":
            root = root.replace("/api/v2.0", "/api/crosstie/sync/v1.0")
        assert len(ask(f"{root}/companies({COMPANY_ID})/{path}").json()["value"]) == count


def test_a_customer_with_all_that_belongs_to_it(demo: Sandbox) -> None:
    path = "customers?$filter=number eq '40000'&$expand=currency,paymentTerm,shipmentMethod".replace(" ", "%20")
    [customer] = local(demo, path)["value"]
    assert customer["displayName"] == "Alpine Ski House"
    assert customer["currency"]["code"] == "EUR"
    assert (customer["paymentTerm"]["code"], customer["shipmentMethod"]["code"]) == ("NET 45", "FOB")
    account = remote(demo, "accounts(accountnumber='40000')?$expand=transactioncurrencyid($select=isocurrencycode)")
    assert account["name"] == "Alpine Ski House GmbH"
    assert account["transactioncurrencyid"]["isocurrencycode"] == "EUR"
    assert (account["paymenttermscode"], account["address1_freighttermscode"]) == (3, 1)


def test_every_person_has_a_customer_or_a_vendor_behind_it(demo: Sandbox) -> None:
    root = demo.business_central.api.replace("/api/v2.0", "/api/crosstie/sync/v1.0")
    people = ask(f"{root}/companies({COMPANY_ID})/syncContacts?$filter=type%20eq%20'Person'").json()["value"]
    assert {person["businessRelationType"] for person in people} == {"Customer", "Vendor"}
    assert all(person["businessRelationNumber"] and person["firstName"] and person["surname"] for person in people)


def test_orders_have_lines_and_totals(demo: Sandbox) -> None:
    orders = local(demo, "salesOrders?$expand=salesOrderLines")["value"]
    assert len(orders) == 10
    for order in orders:
        total = sum(line["netAmount"] for line in order["salesOrderLines"])
        assert round(total, 2) == round(order["totalAmountExcludingTax"], 2)
    for order in remote(demo, "salesorders?$expand=order_details")["value"]:
        total = sum(line["extendedamount"] for line in order["order_details"])
        assert round(total, 2) == round(order["totallineitemamount"], 2)


def test_the_planted_account_cannot_be_written(demo: Sandbox) -> None:
    account = planted(demo, "remote", "refused_write")["id"]
    url = f"{demo.dataverse.api}/accounts({account})"
    answer = ask(url, "PATCH", {"fax": "1"}, If_Match="*")
    assert (answer.status, answer.json()["error"]["code"]) == (403, "0x80040220")
    assert ask(url).status == 200


def change(url: str, trouble: dict[str, Any]) -> Answer:
    """What somebody else does to a planted record."""
    if trouble["change"] == "delete":
        return ask(url, "DELETE")
    return ask(url, "PATCH", trouble["change"], If_Match="*", Content_Type="application/json")


@pytest.mark.parametrize("name", ["clash", "disjoint", "deleted_local", "deleted_remote"])
def test_the_planted_changes_can_be_made(demo: Sandbox, name: str) -> None:
    for side in ("local", "remote"):
        trouble = planted(demo, side, name)
        if "change" not in trouble:
            continue
        root = demo.dataverse.api
        if side == "local":
            root = f"{demo.business_central.api}/companies({COMPANY_ID})"
        assert change(f"{root}/{trouble['table']}({trouble['id']})", trouble).status in (200, 204), trouble


def test_no_change_lies_in_the_future(demo: Sandbox) -> None:
    now = demo.clock.milliseconds()
    later = quote(f"lastModifiedDateTime gt {now}")
    assert local(demo, f"customers?$filter={later}")["value"] == []
    oldest = local(demo, "customers?$orderby=lastModifiedDateTime&$top=1")["value"][0]["lastModifiedDateTime"]
    assert oldest < now[:4] + "-12-31"


def test_ids_are_those_of_every_other_load(demo: Sandbox) -> None:
    with running_sandbox("demo") as other:
        for path in ("customers?$select=id", "contacts?$select=id", "items?$select=id"):
            assert {row["id"] for row in local(demo, path)["value"]} ^ {
                row["id"] for row in local(other, path)["value"]
            } <= {planted(other, "local", "deleted_local")["id"]}


def test_generated_records_reach_both_systems() -> None:
    with running_sandbox("generate:200") as sandbox:
        customers = local(sandbox, "customers")["value"]
        accounts = remote(sandbox, "accounts?$orderby=accountnumber")["value"]
        assert [c["number"] for c in customers] == [a["accountnumber"] for a in accounts]
        assert [c["displayName"] for c in customers] == [a["name"] for a in accounts]
        assert len(remote(sandbox, "contacts")["value"]) == 40
