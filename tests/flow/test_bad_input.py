"""Bad input from the command line: each error names what, where and what next, and the exit code tells."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crosstie.model.mappings import DeletionConflictResolution, Direction

from .flow import Flow, figures

UNKNOWN = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("args", "code", "words", "next_step"),
    [
        (["sync", "NOBODY"], "unknown-mapping", "There is no mapping 'NOBODY'; there are: SALESPEOPLE", "mapping list"),
        (["couplings", "NOBODY"], "unknown-mapping", "There is no mapping 'NOBODY'", "mapping list"),
        (
            ["sync", "CUSTOMER", "99999"],
            "unknown-record",
            "no record '99999' in business-central (customers)",
            "number",
        ),
        (["create", "CUSTOMER", UNKNOWN], "unknown-record", f"no record '{UNKNOWN}'", "number, code, name or id"),
        (["create", "CUSTOMER", "--remote", "No"], "unknown-record", "no record 'No' in dataverse (account)", "number"),
        (["history", "CUSTOMER", "99999"], "unknown-record", "no record '99999'", "number"),
        (["match", "CUSTOMER", "--on", "Colour"], "unknown-field", "no field mapping 'Colour'", "mapping fields"),
        (["match", "CUSTOMER", "--on", "Name,,City"], "invalid-option", "names an empty field", "single commas"),
        (["sync", "CUSTOMER", "--direction", "sideways"], "usage", "'sideways' is not one of", "--help"),
        (["sync", "CUSTOMER", "--colour"], "usage", "No such option", "--help"),
        (["sync"], "invalid-option", "Say what to synchronise", "--all"),
        (["sync", "CUSTOMER", "--all"], "invalid-option", "a mapping or --all, not both", "Leave one"),
        (["sync", "SALESPEOPLE", "X", "--direction", "to_remote"], "invalid-option", "flows from_remote", "Leave"),
        (["couple", "CUSTOMER", "10000"], "usage", "Missing option '--to'", "--help"),
        (["couple", "CUSTOMER", "10000", "--to", "Nobody"], "unknown-record", "'Nobody' in dataverse", "number"),
        (["uncouple", "CUSTOMER"], "invalid-option", "Name the records to uncouple", "one of the two"),
        (["uncouple", "CUSTOMER", "10000"], "not-coupled", "10000: not coupled under CUSTOMER", "crosstie couple"),
        (["open", "dataverse", "account", UNKNOWN], "unknown-record", "dataverse has no account with the id", "number"),
        (["open", "dataverse", "incident", UNKNOWN], "unknown-mapping", "No mapping has the table 'incident'", "list"),
        (["connection", "test", "nowhere"], "unknown-connection", "There is no connection 'nowhere'", "connection add"),
        (["mapping", "reset", "NOBODY"], "unknown-mapping", "'NOBODY' is not a standard mapping", "mapping list"),
        (["frobnicate"], "usage", "No such command 'frobnicate'", "--help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_wrong_use_is_told_in_one_document_with_exit_code_2(
    flow: Flow, args: list[str], code: str, words: str, next_step: str
) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    async with flow.counting() as counted:
        said = await flow.crosstie(*args, "--json")
    assert (said.code, said.err) == (2, "")
    error = said.error
    assert set(error) == {"code", "words", "next_step", "commands", "details"}
    assert error["code"] == code
    assert words in error["words"]
    assert next_step in " ".join([error["next_step"], *error["commands"]])
    assert counted.writes == {}
    assert (flow.jobs(), flow.problems(), flow.couplings()) == ([], [], {})


async def test_without_json_the_same_is_said_in_words_on_standard_error(flow: Flow) -> None:
    said = await flow.crosstie("sync", "NOBODY")
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines() == [
        "Error: There is no mapping 'NOBODY'; there are: SALESPEOPLE, CURRENCY, PAYMENT TERMS, SHIPMENT METHOD, "
        "CUSTOMER, VENDOR, CONTACT.",
        "Next step: See the mappings for their names: `crosstie mapping list`.",
    ]


async def test_an_ambiguous_name_is_refused_with_the_candidates(flow: Flow) -> None:
    for number in ("10000", "20000"):
        flow.bc.add("customers", number=number, displayName="Namesake")
    said = await flow.crosstie("create", "CUSTOMER", "Namesake", "--json")
    assert (said.code, said.error["code"]) == (2, "ambiguous-record")
    assert "10000 Namesake" in said.error["words"]
    assert "20000 Namesake" in said.error["words"]
    assert len(said.error["details"]["candidates"]) == 2
    assert flow.dv.rows("accounts") == []
    assert (await flow.crosstie("create", "CUSTOMER", "20000", "--json")).code == 0


async def test_a_record_that_is_coupled_already_is_refused_with_its_partner(flow: Flow) -> None:
    await flow.pair()
    flow.bc.add("customers", number="20000", displayName="Trey Research")
    said = await flow.crosstie("couple", "CUSTOMER", "20000", "--to", "Adatum Corporation", "--json")
    assert (said.code, said.error["code"]) == (2, "already-coupled")
    assert "is already coupled to 10000 Adatum Corporation (mapping CUSTOMER)" in said.error["words"]
    assert said.error["next_step"] == "Remove its coupling first."
    taken = await flow.crosstie("couple", "CUSTOMER", "10000", "--to", flow.dv.add_customer("Free")["accountid"])
    assert "Remove its coupling first, or let go of its partner: `--replace`." in taken.err
    again = await flow.crosstie("create", "CUSTOMER", "10000")
    assert "`crosstie uncouple CUSTOMER`" in again.err
    wrong = await flow.crosstie("create", "SALESPEOPLE", "JO")
    assert "so no remote partners are created" in wrong.err
    assert "Create the local partners of remote records" in wrong.err
    assert list(flow.couplings()) == ["10000"]


@pytest.mark.parametrize("quoted", ["O'Brien & Søn <a@b>", "100 % cotton + more", "日本 株式会社", '"quoted" \\ back'])
async def test_names_of_every_kind_are_found(flow: Flow, quoted: str) -> None:
    flow.bc.add("customers", number="10000", displayName=quoted)
    said = await flow.crosstie("create", "CUSTOMER", quoted, "--json")
    assert said.code == 0
    assert flow.dv.rows("accounts")[0]["name"] == quoted
    assert (await flow.crosstie("sync", "CUSTOMER", quoted)).code == 0


# --- records that a rule refuses ---------------------------------------------------------------------------------


async def test_one_refused_record_stops_no_other_and_the_exit_code_tells(flow: Flow) -> None:
    (bad, good) = await flow.pairs({"10000": {"displayName": "Bad"}, "20000": {"displayName": "Good"}})
    await flow.match("PAYMENT TERMS")
    flow.bc.remove("paymentTerms", flow.bc.id_of("paymentTerms", "NET 45"))
    flow.dv.change("accounts", bad.remote_id, paymenttermscode=3, telephone1="+44 1")
    flow.dv.change("accounts", good.remote_id, telephone1="+44 2")
    said = await flow.crosstie("sync", "CUSTOMER", "--json")
    assert said.code == 1
    (report,) = said.document["mappings"]
    assert (report["from_remote"]["modified"], report["from_remote"]["failed"]) == (1, 1)
    (failed,) = report["failed_records"]
    assert (failed["name"], failed["code"]) == ("10000 Bad", "unknown-code")
    assert "business-central says:" in failed["words"]
    assert "Payment Terms" in failed["words"]
    assert failed["next_step"] == "Create the code there, or change it here."
    assert flow.bc.customer("20000")["phone"] == "+44 2"
    assert flow.bc.customer("10000")["phone"] == "", "nothing is half done"
    in_words = await flow.crosstie("problems", "CUSTOMER")
    assert "10000 Bad" in in_words.out
    assert "Next step: Create the code there, or change it here." in in_words.out


async def test_a_number_that_may_not_be_given_by_hand_is_refused_and_nothing_is_half_done(flow: Flow) -> None:
    await flow.configure_field("CUSTOMER", "No.", enabled=True, direction=Direction.BIDIRECTIONAL)
    flow.bc.switch(manual_numbers_customers=False)
    flow.dv.add_customer("Fabrikam", accountnumber="F-1")
    flow.dv.add_customer("Litware")
    said = await flow.crosstie("sync", "CUSTOMER", "--create", "--json")
    assert said.code == 1
    (failed,) = said.document["mappings"][0]["failed_records"]
    assert (failed["name"].split()[-1], failed["code"]) == ("Fabrikam", "refused")
    assert "business-central says:" in failed["words"]
    assert [row["displayName"] for row in flow.bc.rows("customers")] == ["Litware"]
    flow.bc.switch(manual_numbers_customers=True)
    await flow.sync("CUSTOMER", create=True)
    assert flow.bc.only("customers", "number eq 'F-1'")["displayName"] == "Fabrikam"
    assert flow.problems() == []


async def test_a_value_that_is_too_long_is_named_with_both_lengths(flow: Flow) -> None:
    long = f"{'x' * 80}@fabrikam.example"
    flow.dv.add_customer("Fabrikam", emailaddress1=long)
    said = await flow.crosstie("sync", "CUSTOMER", "--create", "--json")
    (failed,) = said.document["mappings"][0]["failed_records"]
    assert failed["code"] == "too-long"
    assert "E-Mail" in failed["words"]
    assert f"{len(long)} characters" in failed["words"]
    assert "80" in failed["words"]
    problems = (await flow.crosstie("problems", "CUSTOMER", "--json")).document["problems"]
    assert [(problem["class"], problem["code"], problem["next_step"]) for problem in problems] == [
        ("data", "too-long", "Shorten the value, or let the mapping cut it.")
    ]


async def test_a_missing_privilege_fails_every_record_that_needs_it_and_no_other(flow: Flow) -> None:
    pairs = await flow.pairs({number: {"displayName": number} for number in ("10000", "20000", "30000")})
    flow.dv.switch(refuse_write_ids=[pairs[0].remote_id, pairs[1].remote_id])
    for pair in pairs:
        flow.bc.change("customers", pair.local_id, city="Ely")
    report = await flow.sync()
    assert figures(report.to_remote) == {"modified": 1, "failed": 2}
    assert {failure.code for failure in report.failures} == {"write-denied"}
    assert all("prvWriteAccount" in failure.words for failure in report.failures)
    assert flow.dv.account(pairs[2].remote_id)["city"] == "Ely"


async def test_an_option_that_exists_already_is_named(flow: Flow) -> None:
    said = await flow.crosstie("create", "PAYMENT TERMS", "NET 30", "--json")
    assert said.code == 1
    (failed,) = said.document["mappings"][0]["failed_records"]
    assert (failed["code"], failed["name"]) == ("not-unique", "NET 30 Net 30 days")
    assert "'Net 30' exists already, as number 1." in failed["words"]


async def test_a_customer_that_business_central_does_not_delete_stays_with_its_coupling(flow: Flow) -> None:
    await flow.configure("CUSTOMER", deletion_conflict=DeletionConflictResolution.DELETE)
    pair = await flow.pair()
    await flow.sync()
    flow.bc.add("salesOrders", customerNumber="10000")
    flow.dv.remove("accounts", pair.remote_id)
    report = await flow.sync()
    assert report.failed == 1
    assert "outstanding Sales Order" in flow.only_problem().words
    assert flow.bc.exists("customers", pair.local_id)
    assert list(flow.couplings()) == ["10000"]


# --- processes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "code"), [(["mapping", "list", "--json"], 0), (["sync", "NOBODY", "--json"], 2)], ids=["done", "wrong-use"]
)
def test_a_process_of_its_own_ends_with_the_same_codes(home_folder: Path, args: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "crosstie.cli", "--home", str(home_folder), *args],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert isinstance(json.loads(done.stdout), dict)


async def test_a_home_without_connections_says_what_to_do_first(flow: Flow, tmp_path: Path) -> None:
    said = await flow.crosstie("--home", str(tmp_path / "new"), "sync", "--all", "--json")
    assert (said.code, said.error["code"]) == (2, "unknown-connection")
    assert "There is no connection to Business Central yet." in said.error["words"]
    assert said.error["commands"] == ["crosstie connection add NAME"]
