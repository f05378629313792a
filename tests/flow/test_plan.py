"""A dry run prints exactly what the run then does, and writes nothing."""

import re
from decimal import Decimal
from typing import Any

import pytest

from .flow import Flow


async def a_working_day(flow: Flow) -> None:
    """Set up records of every kind: edited on one side or both, new, deleted, blocked, waiting, too long."""
    numbers = ["10000", "20000", "30000", "40000", "50000", "60000", "70000"]
    pairs = {pair.number: pair for pair in await flow.pairs({n: {"displayName": f"Customer {n}"} for n in numbers})}
    await flow.sync()
    gbp = flow.dv.only("transactioncurrencies", "isocurrencycode eq 'GBP'")["transactioncurrencyid"]
    flow.bc.add("currencies", code="ISK", displayName="Icelandic króna")
    flow.bc.change("customers", pairs["10000"].local_id, city="Ely", phoneNumber="+44 1")
    flow.dv.change("accounts", pairs["10000"].remote_id, websiteurl="https://ten.example")
    flow.dv.change("accounts", pairs["20000"].remote_id, name="Trey Research")
    flow.bc.change("customers", pairs["30000"].local_id, city="Ely", addressLine1="1 High Street")
    flow.dv.change("accounts", pairs["30000"].remote_id, address1_city="Leeds")
    flow.dv.remove("accounts", pairs["40000"].remote_id)
    flow.bc.change("customers", pairs["50000"].local_id, blocked="All", city="Ely")
    flow.bc.change("customers", pairs["60000"].local_id, currencyCode="ISK", city="Ely")
    flow.dv.change("accounts", pairs["70000"].remote_id, emailaddress1=f"{'x' * 80}@seventy.example")
    flow.bc.add("customers", number="80000", displayName="New here", city="Oslo")
    bound = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({gbp})"}
    flow.dv.add_customer("New there", address1_city="Lyon", **bound)
    flow.bc.add("customers", number="90000", displayName="Waiting", currencyCode="ISK")


def planned(document: Any) -> set[tuple[str, str, str, str]]:
    """Return the writes of a plan: record, side, field and new value."""
    return {
        (known_as(item["record"]["name"]), field["side"], field["label"], plain(field["after"]))
        for item in document["plan"]
        for field in item["fields"]
        if field["action"] == "write"
    }


def known_as(name: str) -> str:
    """Return what a record is called before and after the run: its number, or, where that is new, its name."""
    return re.sub(r"^C\d{5} ", "", name) if not name[0].isdigit() else name.split()[0]


def plain(value: object) -> str:
    """Return a value as text, whether it came as JSON or from the store."""
    return str(float(value)) if isinstance(value, int | float | Decimal) else str(value)


async def done(flow: Flow) -> set[tuple[str, str, str, str]]:
    """Return the writes of the last job, from the history."""
    labels = {
        (side, name): field.label or field.name
        for field in flow.mapping().fields
        if field.enabled
        for side, name in (("local", field.local_field), ("remote", field.remote_field))
        if name
    }
    last = flow.jobs("CUSTOMER")[0].id
    return {
        (known_as(entry.name), str(entry.side), labels[(str(entry.side), change.field)], plain(change.after))
        for entry in await flow.history("CUSTOMER")
        if entry.job_id == last
        for change in entry.changes
    }


@pytest.mark.parametrize("options", [("--create",), ("--create", "--full")], ids=["changes", "full"])
async def test_the_plan_equals_what_the_run_then_does(flow: Flow, options: tuple[str, ...]) -> None:
    await a_working_day(flow)
    before = [flow.tags(flow.pair_of(number)) for number in ("10000", "20000", "30000")]
    jobs = len(flow.jobs())
    async with flow.counting() as counted:
        plan = await flow.crosstie("sync", "CUSTOMER", *options, "--dry-run", "--json")
    assert counted.writes == {}
    assert {name.split()[0] for name in (*counted.bc.by, *counted.dv.by)} - {"GET"} <= {"POST"}, "tokens only"
    assert (counted.bc.batches, counted.dv.batches) == (0, 0)
    assert [flow.tags(flow.pair_of(number)) for number in ("10000", "20000", "30000")] == before
    assert (len(flow.jobs()), flow.problems()) == (jobs, []), "a plan leaves no trace"

    run = await flow.crosstie("sync", "CUSTOMER", *options, "--json")
    assert (plan.code, run.code) == (1, 1)
    (expected,), (actual,) = plan.document["mappings"], run.document["mappings"]
    for direction in ("to_remote", "from_remote"):
        assert expected[direction] == actual[direction]
    assert named(expected) == named(actual)
    assert planned(plan.document) == await done(flow)
    problems = {(item["record"]["name"], item["problem"]["code"]) for item in plan.document["plan"] if item["problem"]}
    assert problems == {(problem.record.name, problem.code) for problem in flow.problems()}


def named(report: Any) -> set[tuple[str, str]]:
    return {(failure["name"], failure["code"]) for failure in report["failed_records"]}


async def test_a_plan_in_words_names_records_fields_and_values(flow: Flow) -> None:
    await a_working_day(flow)
    said = await flow.crosstie("sync", "CUSTOMER", "--create", "--dry-run")
    lines = said.out.splitlines()
    assert lines[0] == "CUSTOMER: plan"
    assert any(line.startswith("10000 Customer 10000: update") for line in lines)
    assert any(line.startswith('  Phone No.: (blank) → "+44 1"  to remote') for line in lines)
    assert any("City: conflict" in line and '"Ely"' in line and '"Leeds"' in line for line in lines)
    assert any("80000 New here: create remote" in line for line in lines)
    assert any("40000 Customer 40000" in line and "delet" in line for line in lines)


async def test_a_plan_for_named_records_is_for_them_alone(flow: Flow) -> None:
    await a_working_day(flow)
    said = await flow.crosstie("sync", "CUSTOMER", "10000", "--direction", "to_remote", "--dry-run", "--json")
    assert [item["record"]["name"] for item in said.document["plan"]] == ["10000 Customer 10000"]
    run = await flow.crosstie("sync", "CUSTOMER", "10000", "--direction", "to_remote", "--json")
    assert said.document["mappings"][0]["to_remote"] == run.document["mappings"][0]["to_remote"]
    assert planned(said.document) == await done(flow)


async def test_a_dry_run_of_all_mappings_writes_nothing(flow: Flow) -> None:
    await a_working_day(flow)
    jobs = len(flow.jobs())
    async with flow.counting() as counted:
        said = await flow.crosstie("sync", "--all", "--create", "--full", "--dry-run", "--json")
    assert counted.writes == {}
    assert len(said.document["mappings"]) == 7
    assert len(flow.jobs()) == jobs
