"""Undo: both sides get their previous values back where nobody has touched them since, and all else is explained."""

from typing import Any

import pytest

from crosstie.app.undoing import Undone, undo_entries, undo_job
from crosstie.model.undoing import UndoneRow

from .flow import Flow, Pair, figures, told

THREE = {number: {"displayName": f"Customer {number}"} for number in ("10000", "20000", "30000")}


async def undo_last(flow: Flow, **options: Any) -> Undone:
    """Undo the newest job that is a part of no other."""
    return await undo_job(await flow.session(), newest(flow), **options)


def newest(flow: Flow) -> int:
    return next(job.id for job in flow.jobs() if job.parent_id is None)


def outcomes(done: Undone) -> list[tuple[str, str]]:
    return [(row.name, row.outcome.value) for row in done.rows]


def fields(row: UndoneRow) -> dict[str, tuple[object, object]]:
    return {field.label: (field.before, field.after) for field in row.fields}


def stamped(flow: Flow, pair: Pair) -> bool:
    return flow.dv.row("accounts", pair.remote_id)["_bcbi_companyid_value"] is not None


# --- what was synchronised --------------------------------------------------------------------------------------


async def test_both_sides_get_their_previous_values_back_and_keep_them(flow: Flow) -> None:
    pair = await flow.pair(city="Ely", phoneNumber="+44 1", website="https://a.example")
    flow.bc.edit_customer("10000", city="Bath", phoneNumber="+44 2")
    flow.dv.change("accounts", pair.remote_id, websiteurl="https://b.example")
    await flow.sync()
    assert flow.differences(pair) == {}
    done = await undo_last(flow)
    assert told(done.report) == ({"modified": 1}, {"modified": 1})
    customer, account = flow.bc.customer("10000"), flow.dv.account(pair.remote_id)
    assert (account["city"], account["phone"], customer["home page"]) == ("Ely", "+44 1", "https://a.example")
    assert (customer["city"], customer["phone"]) == ("Bath", "+44 2"), "what a person has typed is not undone"
    assert account["home page"] == "https://b.example"
    assert await flow.sync_writes() == {}, "what was undone is not synchronised again"
    flow.bc.edit_customer("10000", city="York")
    await flow.sync()
    assert flow.dv.account(pair.remote_id)["city"] == "York"
    assert flow.dv.account(pair.remote_id)["phone"] == "+44 1", "an edit brings its own field along, no other"


async def test_codes_lookups_and_amounts_are_put_back_as_well(custom_flow: Flow) -> None:
    flow = custom_flow
    for code in ("X1", "X2"):
        flow.bc.add("paymentTerms", code=code, displayName=code)
    flow.bc.add("currencies", code="EUR", displayName="Euro")
    await flow.couple("CURRENCY", "EUR", flow.dv.add_currency("EUR", "Euro")["transactioncurrencyid"])
    users = {code: flow.dv.add_user(code, "Doe")["systemuserid"] for code in ("ANN", "BEN")}
    for code, user in users.items():
        flow.bc.add("salespeoplePurchasers", code=code, displayName=code)
        await flow.couple("SALESPEOPLE", code, user, synchronise="no")
    await flow.sync("PAYMENT TERMS", create=True)
    flow.bc.add("syncCustomers", number="10000", displayName="Adatum", paymentTermsCode="X1", salespersonCode="ANN")
    await flow.create("CUSTOMER", "10000")
    pair = flow.pair_of("10000")
    before = flow.dv.account(pair.remote_id)
    flow.bc.change(
        "syncCustomers",
        pair.local_id,
        paymentTermsCode="X2",
        salespersonCode="BEN",
        creditLimitLcy=1234.5,
        phoneNo="1",
    )
    await flow.sync()
    changed = flow.dv.account(pair.remote_id)
    assert (changed["payment terms"], changed["credit limit"]) == ("X2", 1234.5)
    assert flow.dv.row("accounts", pair.remote_id)["_ownerid_value"] == users["BEN"]
    done = await undo_last(flow)
    assert outcomes(done) == [("10000 Adatum", "put_back")], done.rows
    assert flow.dv.account(pair.remote_id) == before
    assert flow.dv.row("accounts", pair.remote_id)["_ownerid_value"] == users["ANN"]
    assert await flow.sync_writes() == {}


async def test_of_many_records_each_stands_alone(flow: Flow) -> None:
    one, two, three = await flow.pairs(THREE)
    for pair in (one, two, three):
        flow.bc.edit_customer(pair.number, phoneNumber="+44 2")
    await flow.sync()
    flow.dv.change("accounts", two.remote_id, telephone1="+44 9")
    flow.dv.remove("accounts", three.remote_id)
    done = await undo_last(flow)
    assert {row.local_id: (row.outcome.value, row.words) for row in done.rows} == {
        one.local_id: ("put_back", ""),
        two.local_id: ("left", "It was changed since: Phone No. is '+44 9' by now."),
        three.local_id: ("left", "It was deleted since."),
    }
    assert flow.dv.account(one.remote_id)["phone"] == ""
    assert flow.dv.account(two.remote_id)["phone"] == "+44 9"
    assert [each.next_step != "" for each in done.left] == [True, True]


async def test_what_the_losing_side_of_a_conflict_held_comes_back(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber="+44 1")
    flow.bc.edit_customer("10000", phoneNumber="+44 2")
    flow.dv.change("accounts", pair.remote_id, telephone1="+44 3")
    await flow.sync("CUSTOMER", "10000", direction="to_remote")
    assert flow.dv.account(pair.remote_id)["phone"] == "+44 2"
    await undo_last(flow)
    assert (flow.bc.customer("10000")["phone"], flow.dv.account(pair.remote_id)["phone"]) == ("+44 2", "+44 3")
    assert await flow.sync_writes() == {}


async def test_one_entry_of_the_history_is_undone_alone(flow: Flow) -> None:
    one, two, _ = await flow.pairs(THREE)
    for pair in (one, two):
        flow.bc.edit_customer(pair.number, phoneNumber="+44 2")
    await flow.sync()
    entry = (await flow.history("CUSTOMER", "20000"))[0]
    done = await undo_entries(await flow.session(), [entry.id])
    assert fields(done.rows[0]) == {"Phone No.": ("+44 2", None)} or fields(done.rows[0]) == {
        "Phone No.": ("+44 2", "")
    }
    assert [flow.dv.account(pair.remote_id)["phone"] for pair in (one, two)] == ["+44 2", ""]


# --- what was created and deleted -------------------------------------------------------------------------------


@pytest.mark.parametrize("remote", [False, True], ids=["an account", "a customer"])
async def test_a_creation_is_undone_and_not_repeated(flow: Flow, remote: bool) -> None:
    await flow.configure(only_coupled=False)
    if remote:
        account = flow.dv.add_customer("Adatum")
    else:
        flow.bc.add("customers", number="10000", displayName="Adatum")
    await flow.sync()
    assert len(flow.couplings()) == 1
    done = await undo_last(flow)
    assert [row.outcome.value for row in done.rows] == (["deleted", "put_back"] if remote else ["deleted"])
    assert flow.couplings() == {}
    assert len(flow.bc.rows("customers")) == (0 if remote else 1)
    assert len(flow.dv.rows("accounts")) == (1 if remote else 0)
    assert flow.only_problem().code == "creation-undone"
    assert await flow.sync_writes() == {}
    assert flow.couplings() == {}
    if remote:
        await flow.create("CUSTOMER", account["accountid"], remote=True)
    else:
        await flow.create("CUSTOMER", "10000")
    assert len(flow.couplings()) == 1, "a person can still ask for it"
    assert flow.problems() == []


@pytest.mark.parametrize("values", [{"telephone1": "+44 9"}, {"description": "Called on Monday."}])
async def test_a_record_that_was_created_and_touched_since_stays(flow: Flow, values: dict[str, str]) -> None:
    pair = await flow.pair()
    flow.dv.change("accounts", pair.remote_id, **values)
    done = await undo_last(flow)
    assert [(row.outcome.value, row.code) for row in done.rows] == [("left", "changed-since")]
    assert "It was changed since it was created" in done.rows[0].words
    assert flow.dv.exists("accounts", pair.remote_id)
    assert set(flow.couplings()) == {"10000"}


async def test_an_undo_can_be_undone_with_the_same_id_and_what_was_edited_meanwhile(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber="+44 1", city="Ely")
    await undo_last(flow)
    assert not flow.dv.exists("accounts", pair.remote_id)
    flow.bc.edit_customer("10000", city="Bath")
    done = await undo_last(flow)
    assert told(done.report) == ({"inserted": 1}, {})
    assert flow.pair_of("10000") == pair
    assert flow.dv.account(pair.remote_id)["city"] == "Ely", "it comes back as it was"
    await flow.sync()
    assert flow.differences(pair, "currency") == {}
    assert flow.problems() == []


async def test_a_contact_that_was_created_goes_and_comes_back_with_the_account_it_belongs_to(flow: Flow) -> None:
    pair = await flow.pair()
    person = str(flow.bc.person("10000", "Ann", "Doe", email="ann@a.example")["number"])
    await flow.create("CONTACT", person)
    contact = flow.couplings("CONTACT")[person].remote_id
    before = flow.dv.row("contacts", contact)
    assert before["_parentcustomerid_value"] == pair.remote_id
    assert outcomes(await undo_last(flow)) == [(f"{person} Ann Doe", "deleted")]
    assert not flow.dv.exists("contacts", contact)
    assert outcomes(await undo_last(flow)) == [(f"{person} Ann Doe", "created")]
    after = flow.dv.row("contacts", contact)
    same = ("_parentcustomerid_value", "firstname", "lastname", "emailaddress1", "_bcbi_companyid_value")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert set(flow.couplings("CONTACT")) == {person}
    assert await flow.sync_writes("CONTACT") == {}


async def test_a_customer_that_was_created_goes_and_comes_back(flow: Flow) -> None:
    account = flow.dv.add_customer("Adatum", telephone1="+44 1", address1_city="Ely")["accountid"]
    await flow.create("CUSTOMER", account, remote=True)
    (coupling,) = flow.couplings().values()
    before = flow.bc.customer(coupling.local_key or "")
    await undo_last(flow)
    assert flow.bc.rows("customers") == []
    done = await undo_last(flow)
    assert "created" in {row.outcome.value for row in done.rows}, done.rows
    (again,) = flow.couplings().values()
    assert (again.local_id, again.remote_id) == (coupling.local_id, account)
    assert flow.bc.customer(again.local_key or "") == before
    await flow.sync()
    assert flow.problems() == []


async def test_options_that_were_added_are_taken_away_again(flow: Flow) -> None:
    flow.bc.add("paymentTerms", code="X1", displayName="Ten days")
    await flow.sync("PAYMENT TERMS", create=True)
    added = set(flow.couplings("PAYMENT TERMS"))
    assert "X1" in flow.dv.options("paymenttermscode").values()
    done = await undo_last(flow)
    assert {row.outcome.value for row in done.rows} == {"deleted"}
    assert len(done.rows) == len(added)
    assert "X1" not in flow.dv.options("paymenttermscode").values()
    assert flow.couplings("PAYMENT TERMS") == {}
    again = await undo_last(flow)
    assert {(row.outcome.value, row.code) for row in again.rows} == {("left", "cannot-undo")}, (
        "their numbers are chosen"
    )


# --- couplings --------------------------------------------------------------------------------------------------


async def test_a_match_run_is_undone_with_what_it_has_synchronised(flow: Flow) -> None:
    accounts = {}
    for number in ("10000", "20000"):
        flow.bc.add("customers", number=number, displayName=f"Customer {number}", email=f"{number}@a.example")
        found = flow.dv.add_customer(f"Account {number}", emailaddress1=f"{number}@a.example", telephone1=number)
        accounts[number] = flow.dv.account(found["accountid"]), found["accountid"]
    await flow.match("CUSTOMER", ("email",), synchronise=True, create=False)
    assert len(flow.couplings()) == 2
    assert flow.dv.account(accounts["10000"][1])["name"] == "Customer 10000"
    done = await undo_last(flow)
    assert flow.couplings() == {}
    for before, id in accounts.values():
        after = flow.dv.account(id)
        assert {label: after[label] for label in after if after[label] != before[label]} in ({}, {"currency": "GBP"})
        assert not stamped(flow, Pair("", "", id))
    assert figures(done.report.to_remote)["uncoupled"] == 2
    again = await undo_job(await flow.session(), done.job or 0)
    assert {row.outcome.value for row in again.rows} == {"unchanged"}


async def test_an_uncoupling_is_undone_with_stamps_contacts_and_old_bases(flow: Flow) -> None:
    one, two, _ = await flow.pairs(THREE)
    person = str(flow.bc.person(one.number, "Ann", "Doe")["number"])
    contact = flow.dv.add(
        "contacts",
        firstname="Ann",
        lastname="Doe",
        **{"parentcustomerid_account@odata.bind": f"/accounts({one.remote_id})"},
    )
    await flow.couple("CONTACT", person, contact["contactid"], synchronise="no")
    await flow.uncouple("CUSTOMER", all=True)
    assert (flow.couplings(), flow.couplings("CONTACT")) == ({}, {})
    flow.bc.edit_customer("20000", phoneNumber="+44 2")
    done = await undo_last(flow)
    assert set(flow.couplings()) == set(THREE)
    assert set(flow.couplings("CONTACT")) == {person}
    assert all(stamped(flow, pair) for pair in (one, two))
    assert {row.outcome.value for row in done.rows} == {"coupled", "put_back"}
    assert flow.state("10000") == "in_step"
    await flow.sync()
    assert flow.dv.account(two.remote_id)["phone"] == "+44 2", "what was edited meanwhile is synchronised"
    assert flow.state("20000") == "in_step"


async def test_a_coupling_that_is_no_longer_free_stays_away(flow: Flow) -> None:
    one, two, three = await flow.pairs(THREE)
    await flow.uncouple("CUSTOMER", "10000", "20000", "30000")
    job = newest(flow)
    other = flow.dv.add_customer("Another")["accountid"]
    await flow.couple("CUSTOMER", "10000", other, synchronise="no")
    flow.dv.remove("accounts", two.remote_id)
    done = await undo_job(await flow.session(), job)
    found = {(row.local_id, row.outcome.value): row.code for row in done.rows}
    assert found[one.local_id, "left"] in ("already-coupled", "changed-since")
    assert found[two.local_id, "left"] in ("unknown-record", "changed-since")
    assert found[three.local_id, "coupled"] == ""
    assert flow.couplings()["10000"].remote_id == other
    assert set(flow.couplings()) == {"10000", "30000"}


async def test_a_coupling_that_was_replaced_comes_back_with_its_stamp(flow: Flow) -> None:
    pair = await flow.pair()
    other = flow.dv.add_customer("Another", telephone1="+44 9")["accountid"]
    await flow.couple("CUSTOMER", "10000", other, synchronise="to_remote", replace=True)
    await undo_last(flow)
    assert flow.pair_of("10000") == pair
    assert stamped(flow, pair)
    assert not stamped(flow, Pair("", "", other))
    account = flow.dv.account(other)
    assert (account["name"], account["phone"]) == ("Another", "+44 9")
    assert await flow.sync_writes() == {}


# --- systems that fail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize("what", ["sync", "creation"])
async def test_an_answer_that_is_lost_changes_nothing(flow: Flow, what: str, kind: str) -> None:
    pair = await flow.pair(phoneNumber="+44 1")
    if what == "sync":
        flow.bc.edit_customer("10000", phoneNumber="+44 2")
        await flow.sync()
    flow.dv.fault(kind, method="POST", path=r"\$batch", times=1)
    done = await undo_last(flow)
    assert [row.outcome.value for row in done.rows] == ["put_back" if what == "sync" else "deleted"]
    if what == "sync":
        assert flow.dv.account(pair.remote_id)["phone"] == "+44 1"
        assert flow.state("10000") == "in_step"
    else:
        assert flow.dv.rows("accounts") == []
        assert flow.couplings() == {}
    flow.dv.heal()
    assert await flow.sync_writes() == {}


async def test_an_undo_that_a_system_interrupts_is_taken_up_again(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber="+44 1")
    flow.bc.edit_customer("10000", phoneNumber="+44 2")
    await flow.sync()
    job = newest(flow)
    flow.dv.fault("drop_before", method="POST", path=r"\$batch", times=100)
    failed = (await flow.crosstie("undo", str(job), "--json")).document
    assert [(row["outcome"], row["code"]) for row in failed["rows"]] == [("failed", "busy")]
    flow.dv.heal()
    await flow.start_afresh()
    assert (await flow.crosstie("undo", str(job))).code == 0
    assert flow.dv.account(pair.remote_id)["phone"] == "+44 1"
    assert flow.bc.customer("10000")["phone"] == "+44 2"
    assert await flow.sync_writes() == {}


# --- the command line -------------------------------------------------------------------------------------------


async def test_the_command_line_shows_the_plan_and_then_does_just_that(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber="+44 1")
    flow.bc.edit_customer("10000", phoneNumber="+44 2")
    await flow.sync()
    tags, job = flow.tags(pair), str(newest(flow))
    plan = await flow.crosstie("undo", job, "--dry-run")
    assert plan.code == 0, plan.err
    assert "+44 2" in plan.out
    assert "+44 1" in plan.out
    assert flow.tags(pair) == tags
    done = await flow.crosstie("undo", job, "--json")
    assert done.document["rows"][0]["outcome"] == "put_back"
    assert flow.dv.account(pair.remote_id)["phone"] == "+44 1"
    log = await flow.crosstie("jobs", "CUSTOMER", "--json")
    assert log.document["jobs"][0]["kind"] == "undo"
    unknown = await flow.crosstie("undo", "4711", "--json")
    assert (unknown.code, unknown.error["code"]) == (2, "unknown-job")


async def test_the_command_line_leaves_an_undo_to_a_worker(flow: Flow) -> None:
    await flow.pair(phoneNumber="+44 1")
    flow.bc.edit_customer("10000", phoneNumber="+44 2")
    await flow.sync()
    job = str(newest(flow))
    queued = await flow.crosstie("undo", job, "--background", "--force", "--json")
    assert queued.code == 0, queued.err
    told_job = queued.document["job"]
    assert (told_job["kind"], told_job["state"], told_job["mapping"]) == ("undo", "queued", "CUSTOMER")
    assert (told_job["arguments"]["job"], told_job["arguments"]["force"]) == (int(job), True)
    assert told_job["asked_by"].endswith("(command line)")
    for wrong in (["--dry-run"], ["--entry", "1"]):
        refused = await flow.crosstie("undo", job, "--background", *wrong, "--json")
        assert (refused.code, refused.error["code"]) == (2, "invalid-option")
    assert len([each for each in flow.jobs() if each.use_case == "undo"]) == 1
