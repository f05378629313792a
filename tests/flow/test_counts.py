"""How many requests it takes, as the systems themselves count them."""

import sys

from .flow import Counting, Flow, figures, told

THOUSAND = 1000


def show(words: str, counted: Counting) -> None:
    """Print what was counted; pytest shows it with -s, and wherever a bound is broken."""
    print(f"{words}:", file=sys.stderr)
    for desk, requests in (("business central", counted.bc), ("dataverse", counted.dv)):
        print(f"  {desk}: {requests.by} parts {requests.parts}", file=sys.stderr)


async def test_a_run_without_changes_sends_two_requests_a_mapping_and_side_at_most(flow: Flow) -> None:
    flow.load("demo")
    await flow.match("SALESPEOPLE", ["E-Mail"], synchronise=True)
    for mapping in ("CURRENCY", "PAYMENT TERMS", "SHIPMENT METHOD"):
        await flow.match(mapping)
    for mapping in ("CUSTOMER", "VENDOR"):
        await flow.match(mapping, ["No."], ["E-Mail", "Name"])
    await flow.match("CONTACT", ["E-Mail"])
    for _ in range(3):
        await flow.sync_all(create=True)
    for stored in [mapping.name for mapping in (await flow.session()).mappings()]:
        async with flow.counting() as counted:
            report = await flow.sync(stored, create=True)
        show(stored, counted)
        assert counted.writes == {}, stored
        assert (report.failed, report.to_remote.modified, report.from_remote.modified) == (0, 0, 0), stored
        for requests in (counted.bc, counted.dv):
            assert requests.data <= 2, stored


async def test_the_first_command_of_a_process_needs_tokens_and_metadata_beside(flow: Flow) -> None:
    await flow.pair()
    await flow.sync()
    async with flow.counting() as counted:
        said = await flow.crosstie("sync", "CUSTOMER", "--json")
    show("a command of its own", counted)
    assert said.code == 0
    assert counted.bc.tokens + counted.dv.tokens == 2, "one for each system, both from the same place"
    assert counted.bc.by["GET companies"] == 1, "which id the company has"
    assert counted.bc.data - 1 <= 2
    assert counted.dv.data <= 2
    assert counted.writes == {}


async def generated(flow: Flow) -> None:
    """Load a thousand customers with their accounts, couple them and bring them in step."""
    flow.load(f"generate:{THOUSAND}")
    for mapping in ("PAYMENT TERMS", "SHIPMENT METHOD"):
        await flow.match(mapping)
    report = await flow.match("CUSTOMER", ["No."], synchronise=True)
    assert report.coupled == THOUSAND
    await flow.sync()


async def test_a_thousand_changed_customers_go_out_in_ten_batches_and_few_reads(flow: Flow) -> None:
    await generated(flow)
    flow.bc.change_many("customers", [row["id"] for row in flow.bc.rows("customers")], addressLine2="PO Box 7")
    async with flow.counting() as counted:
        report = await flow.sync()
    show("1,000 changes to Dataverse", counted)
    assert told(report) == ({"modified": THOUSAND}, {})
    assert counted.bc.by == {"GET customers": 2, "GET generalLedgerSetup": 1}
    assert counted.dv.by == {
        "GET accounts": 1,
        "GET bcbi_companies": 1,
        "GET transactioncurrencies": 1,
        "POST $batch": 10,
    }
    assert counted.dv.parts == {"PATCH accounts": THOUSAND}
    await nothing_comes_back(flow)

    ids = [row["accountid"] for row in flow.dv.rows("accounts", "customertypecode eq 3")]
    flow.dv.change_many("accounts", ids, address1_line2="PO Box 8")
    async with flow.counting() as counted:
        report = await flow.sync()
    show("1,000 changes to Business Central", counted)
    assert told(report) == ({}, {"modified": THOUSAND})
    assert counted.bc.by == {
        "GET currencies": 1,
        "GET customers": 2,
        "GET generalLedgerSetup": 1,
        "POST $batch": 10,
    }
    assert counted.bc.parts == {"PATCH customers": THOUSAND}
    assert counted.dv.by == {"GET accounts": 1, "GET transactioncurrencies": 1}
    assert flow.bc.rows("customers", "addressLine2 ne 'PO Box 8'") == []
    await nothing_comes_back(flow)


async def nothing_comes_back(flow: Flow) -> None:
    """Our own thousand writes are read, known, and dropped."""
    async with flow.counting() as counted:
        assert told(await flow.sync()) == ({}, {})
    show("and once more", counted)
    assert counted.writes == {}
    assert max(counted.bc.data, counted.dv.data) <= 2


async def test_a_thousand_new_customers_get_accounts_in_ten_batches(flow: Flow) -> None:
    flow.load(f"generate:{THOUSAND}:local")
    for mapping in ("PAYMENT TERMS", "SHIPMENT METHOD"):
        await flow.match(mapping)
    async with flow.counting() as counted:
        report = await flow.sync("CUSTOMER", create=True)
    show("1,000 creations", counted)
    assert figures(report.to_remote) == {"inserted": THOUSAND}
    assert counted.dv.batches <= 10
    assert counted.writes == {"POST accounts": THOUSAND}
    assert max(counted.bc.reads, counted.dv.reads) <= 4
