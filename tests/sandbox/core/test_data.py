"""The data sets: what they promise, whatever systems take them."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from crosstie.sandbox.data import COMPANY_ID, DataError, Order, parse, planted, settings_of, tables

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Row = dict[str, Any]


def load(system: str, name: str, seed: int | None = None) -> dict[str, list[Row]]:
    return {table: list(rows) for table, rows in tables(system, parse(name, seed), NOW)}


@pytest.fixture(scope="module")
def local() -> dict[str, list[Row]]:
    return load("business_central", "demo")


@pytest.fixture(scope="module")
def remote() -> dict[str, list[Row]]:
    return load("dataverse", "demo")


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("demo", Order("demo")),
        ("empty", Order("empty")),
        ("generate:7", Order("generate", 7)),
        ("generate:7:local", Order("generate", 7, "local")),
        ("generate:100000:remote", Order("generate", 100_000, "remote")),
    ],
)
def test_names_of_data_sets(name: str, order: Order) -> None:
    assert parse(name) == order


@pytest.mark.parametrize(
    "name", ["", "Demo", "demo:1", "generate", "generate:", "generate:-1", "generate:1:2", "generate:99999999"]
)
def test_other_names_are_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(DataError, match="known: demo, empty, generate:N"):
        parse(name)


def test_empty_is_an_installed_system() -> None:
    local, remote = load("business_central", "empty"), load("dataverse", "empty")
    assert [row["id"] for row in local["companies"]] == [COMPANY_ID]
    assert {"paymentTerms", "shipmentMethods", "countriesRegions", "unitsOfMeasure", "companyInformation"} <= set(local)
    assert not {"customers", "vendors", "contacts", "currencies"} & set(local)
    assert [row["bcbi_externalid"] for row in remote["bcbi_company"]] == [COMPANY_ID]
    assert "account" not in remote


def test_the_demo_is_the_same_at_every_load() -> None:
    assert load("business_central", "demo") == load("business_central", "demo")


def ids_of(rows: Iterable[Row], key: str) -> list[str]:
    return [row[key] for row in rows]


def test_every_id_and_number_of_the_demo_is_unique(local: dict[str, list[Row]], remote: dict[str, list[Row]]) -> None:
    for table, rows in local.items():
        for key in ("id", "number", "code"):
            values = [row[key] for row in rows if key in row]
            assert len(values) == len(set(values)), f"{table}.{key}"
    for table, key in (("account", "accountid"), ("contact", "contactid"), ("systemuser", "systemuserid")):
        assert len(set(ids_of(remote[table], key))) == len(remote[table])
    numbers = [row["accountnumber"] for row in remote["account"] if row["accountnumber"]]
    assert len(set(numbers)) == len(numbers), "an alternate key"


def test_lookups_of_the_demo_point_at_records_of_it(remote: dict[str, list[Row]]) -> None:
    accounts = set(ids_of(remote["account"], "accountid"))
    assert all(row.get("_parentcustomerid_value") in {None, *accounts} for row in remote["contact"])
    assert all(row["_customerid_value"] in accounts for row in remote["salesorder"])


def test_people_belong_to_companies(local: dict[str, list[Row]]) -> None:
    companies = {row["number"] for row in local["contacts"] if row["type"] == "Company"}
    people = [row for row in local["contacts"] if row["type"] == "Person"]
    assert len(people) == 80
    assert all(row["companyNumber"] in companies for row in people)
    related = {row["contactNo"]: row["linkNo"] for row in local["contactBusinessRelations"]}
    assert set(related) == companies
    partners = {row["number"] for name in ("customers", "vendors") for row in local[name]}
    assert set(related.values()) == partners


@pytest.mark.parametrize(
    ("table", "limits"),
    [
        (
            "customers",
            {"number": 20, "displayName": 100, "addressLine1": 100, "city": 30, "phoneNumber": 30, "email": 80},
        ),
        (
            "vendors",
            {"number": 20, "displayName": 100, "addressLine1": 100, "city": 30, "phoneNumber": 30, "email": 80},
        ),
        ("contacts", {"number": 20, "displayName": 100, "firstName": 30, "surname": 30, "jobTitle": 30, "email": 80}),
        ("currencies", {"code": 10, "displayName": 30, "symbol": 10}),
    ],
)
def test_the_demo_keeps_to_the_lengths(local: dict[str, list[Row]], table: str, limits: dict[str, int]) -> None:
    for row in local[table]:
        for field, limit in limits.items():
            assert len(str(row.get(field, ""))) <= limit, (row.get("number", row), field)


def test_both_sides_overlap_differ_and_have_what_the_other_lacks(
    local: dict[str, list[Row]], remote: dict[str, list[Row]]
) -> None:
    customers = {row["number"]: row for row in local["customers"]}
    accounts = {row["accountnumber"]: row for row in remote["account"] if row["customertypecode"] == 3}
    both = set(customers) & set(accounts)
    same_name = {number for number in both if customers[number]["displayName"] == accounts[number]["name"]}
    same_phone = {number for number in both if customers[number]["phoneNumber"] == accounts[number]["telephone1"]}
    assert len(both) > 80
    assert len(customers) - len(both) > 5
    assert len(accounts.keys() - customers.keys()) > 5
    assert 3 < len(both - same_name) < 15
    assert 5 < len(both - same_phone) < 20


def test_names_are_as_odd_as_real_ones(local: dict[str, list[Row]]) -> None:
    names = [row["displayName"] for row in local["customers"]]
    assert any("<b>" in name for name in names)
    assert any("\u0590" <= name[0] <= "\u06ff" for name in names), "right to left"
    assert any(len(name) == 100 for name in names)
    assert any("'" in name for name in names)
    assert any("&" in name for name in names)


def test_37_customers_wait_for_a_currency_without_rate(
    local: dict[str, list[Row]], remote: dict[str, list[Row]]
) -> None:
    rates = {row["currencyCode"] for row in local["currencyExchangeRates"]}
    missing = {row["code"] for row in local["currencies"]} - rates
    assert missing == {"ISK"}
    assert "ISK" not in {row["isocurrencycode"] for row in remote["transactioncurrency"]}
    waiting = [row["number"] for row in local["customers"] if row["currencyCode"] == "ISK"]
    assert len(waiting) == 37
    assert set(waiting) <= {row["accountnumber"] for row in remote["account"]}, "each has its account"


def test_the_planted_records_are_there(local: dict[str, list[Row]], remote: dict[str, list[Row]]) -> None:
    ids = {
        "business_central": {
            "customers": ids_of(local["customers"], "id"),
            "currencies": ids_of(local["currencies"], "id"),
        },
        "dataverse": {"accounts": ids_of(remote["account"], "accountid")},
    }
    shown: Counter[str] = Counter()
    for system, known in ids.items():
        for trouble in planted(system, parse("demo")):
            shown[str(trouble["name"])] += 1
            if "id" in trouble:
                assert trouble["id"] in known[str(trouble["table"])], trouble["name"]
            if "other_id" in trouble:
                assert trouble["other_id"] in known[str(trouble["table"])]
    assert set(shown) == {
        "clash", "disjoint", "deleted_local", "deleted_remote", "missing_currency", "refused_write",
        "transient_timeout", "outside_filter", "namesakes", "untyped",
    }  # fmt: skip


def test_planted_troubles_are_what_they_say(local: dict[str, list[Row]], remote: dict[str, list[Row]]) -> None:
    accounts = {row["accountid"]: row for row in remote["account"]}
    troubles = {str(item["name"]): item for item in planted("dataverse", parse("demo"))}
    one, other = (accounts[str(troubles["namesakes"][key])] for key in ("id", "other_id"))
    assert one["name"] == other["name"]
    assert accounts[str(troubles["untyped"]["id"])]["customertypecode"] not in (3, 11)
    blocked = next(row for row in local["customers"] if row["blocked"] != "_x0020_")
    outside = accounts[str(troubles["outside_filter"]["id"])]
    assert outside["accountnumber"] == blocked["number"]
    assert settings_of("dataverse", parse("demo")) == {"refuse_write_ids": [troubles["refused_write"]["id"]]}


def test_generated_customers_and_accounts_match_pairwise() -> None:
    local, remote = load("business_central", "generate:500"), load("dataverse", "generate:500")
    assert (len(local["customers"]), len(remote["account"])) == (500, 500)
    people = [row for row in local["contacts"] if row["type"] == "Person"]
    assert (len(people), len(remote["contact"])) == (100, 100)
    for customer, account in zip(local["customers"], remote["account"], strict=True):
        assert (customer["number"], customer["displayName"]) == (account["accountnumber"], account["name"])
        assert (customer["phoneNumber"], customer["city"]) == (account["telephone1"], account["address1_city"])
    assert len({row["displayName"] for row in local["customers"]}) == 500
    for person, contact in zip(people, remote["contact"], strict=True):
        assert (person["firstName"], person["surname"], person["email"]) == (
            contact["firstname"], contact["lastname"], contact["emailaddress1"]
        )  # fmt: skip


def test_the_seed_decides_what_is_generated() -> None:
    first, again, other = (load("business_central", "generate:50", seed)["customers"] for seed in (1, 1, 2))
    assert first == again
    assert [row["id"] for row in first] != [row["id"] for row in other]
    assert [row["displayName"] for row in first] != [row["displayName"] for row in other]


@pytest.mark.parametrize(("name", "local", "remote"), [("generate:5:local", 5, 0), ("generate:5:remote", 0, 5)])
def test_one_side_can_be_left_without_records(name: str, local: int, remote: int) -> None:
    assert len(load("business_central", name).get("customers", [])) == local
    assert len(load("dataverse", name).get("account", [])) == remote


def test_generated_rows_are_made_one_at_a_time() -> None:
    for table, rows in tables("dataverse", parse("generate:10000000"), NOW):
        if table == "account":
            assert len(list(islice(rows, 3))) == 3
            return
    pytest.fail("no accounts came")
