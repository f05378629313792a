"""`couple`, `create`, `uncouple`, `couplings`."""

from typing import Any

import pytest

from crosstie.app.coupling import SetUp
from crosstie.app.views import CouplingPage
from crosstie.app.winners import Winner
from crosstie.cli.commands.couplings import STATES
from crosstie.model.couplings import CouplingState
from crosstie.model.errors import AlreadyCoupled
from crosstie.model.jobs import Counters
from crosstie.model.records import Side
from tests.unit.cli.conftest import Crosstie
from tests.unit.cli.values import AT, CONFLICT, decision, report, view

# --- couple -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--synchronize", "--synchronise"])
@pytest.mark.parametrize("way", ["no", "to_remote", "from_remote", None])
def test_couple_asks_for_what_it_was_told(crosstie: Crosstie, option: str, way: str | None) -> None:
    crosstie.answer("coupling.set_up_coupling", SetUp(coupling=view(), report=None))
    args = ("couple", "CUSTOMER", "10000", "--to", "Adatum Corporation", *((option, way) if way else ()))
    assert crosstie.run(*args).exit_code == 0
    ((_, (_, *given), options),) = crosstie.calls
    assert given == ["CUSTOMER", "10000", "Adatum Corporation"]
    assert options == {"synchronise": way, "replace": False, "winners": {}}


def test_couple_takes_single_fields_from_the_side_named(crosstie: Crosstie) -> None:
    crosstie.answer("coupling.set_up_coupling", SetUp(coupling=view(), report=None))
    args = ("couple", "CUSTOMER", "10000", "--to", "x", "--choose", "City=remote", "--choose", "E-Mail = leave")
    assert crosstie.run(*args).exit_code == 0
    ((_, _, options),) = crosstie.calls
    assert options["winners"] == {"City": Winner.REMOTE, "E-Mail": Winner.LEAVE}
    refused = crosstie.json("couple", "CUSTOMER", "10000", "--to", "x", "--choose", "City=both", code=2)
    assert refused["error"]["code"] == "invalid-option"


def test_couple_says_what_is_coupled_and_what_moved(crosstie: Crosstie) -> None:
    done = SetUp(coupling=view(), report=report(to_remote=Counters(modified=1)))
    crosstie.answer("coupling.set_up_coupling", done)
    lines = crosstie.run("couple", "CUSTOMER", "10000", "--to", "x").stdout.splitlines()
    assert lines[0] == "Coupled: 10000 Customer 1 with Account 1."
    assert "to remote" in lines[2]
    found = crosstie.json("couple", "CUSTOMER", "10000", "--to", "x")
    assert found["coupling"]["remote_id"] == "r1"
    assert found["synchronisation"]["to_remote"]["modified"] == 1


def test_couple_ends_with_1_where_synchronising_failed(crosstie: Crosstie) -> None:
    failed = report(to_remote=Counters(failed=1), failures=[CONFLICT])
    crosstie.answer("coupling.set_up_coupling", SetUp(coupling=view(), report=failed))
    assert crosstie.run("couple", "CUSTOMER", "10000", "--to", "x").exit_code == 1


def test_couple_is_refused_for_what_is_coupled_already(crosstie: Crosstie) -> None:
    crosstie.answer("coupling.set_up_coupling", AlreadyCoupled("Adatum is coupled with 20000."))
    assert crosstie.json("couple", "CUSTOMER", "1", "--to", "x", code=2)["error"]["code"] == "already-coupled"


# --- create -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "records", "side"),
    [
        (("10000", "20000"), ("10000", "20000"), Side.LOCAL),
        (("--remote", "r1", "r2"), ("r1", "r2"), Side.REMOTE),
        (("r1", "--remote"), ("r1",), Side.REMOTE),
    ],
)
def test_create_names_records_of_either_side(
    crosstie: Crosstie, args: tuple[str, ...], records: tuple[str, ...], side: Side
) -> None:
    crosstie.answer("coupling.create_partners", report(to_remote=Counters(inserted=1)))
    assert crosstie.json("create", "customer", *args)["mappings"][0]["to_remote"]["inserted"] == 1
    ((_, (_, mapping, given), options),) = crosstie.calls
    assert (mapping, given) == ("customer", records)
    assert (options["side"], options["dry_run"]) == (side, False)


def test_create_shows_its_plan(crosstie: Crosstie) -> None:
    def create(*args: Any, observer: Any, **options: Any) -> Any:
        observer.decided(decision())
        return report(dry_run=True, to_remote=Counters(inserted=1))

    crosstie.answer("coupling.create_partners", create)
    found = crosstie.json("create", "CUSTOMER", "10000", "--dry-run")
    assert found["dry_run"] is True
    assert [item["record"]["name"] for item in found["plan"]] == ["10000 Adatum"]


def test_create_needs_a_record(crosstie: Crosstie) -> None:
    assert crosstie.json("create", "CUSTOMER", code=2)["error"]["code"] == "usage"


# --- uncouple ---------------------------------------------------------------------------------------------


def test_uncouple_takes_records(crosstie: Crosstie) -> None:
    crosstie.answer("coupling.uncouple", report(to_remote=Counters(uncoupled=1)))
    assert crosstie.json("uncouple", "CUSTOMER", "10000")["mappings"][0]["to_remote"]["uncoupled"] == 1
    ((_, (_, *given), options),) = crosstie.calls
    assert given == ["CUSTOMER", ("10000",)]
    assert options == {"all": False}


@pytest.mark.parametrize("args", [(), ("10000", "--all")])
def test_uncouple_takes_records_or_all(crosstie: Crosstie, args: tuple[str, ...]) -> None:
    assert crosstie.json("uncouple", "CUSTOMER", *args, code=2)["error"]["code"] == "invalid-option"


def test_where_nobody_can_be_asked_all_is_taken_as_meant(crosstie: Crosstie) -> None:
    crosstie.answer("coupling.uncouple", report(to_remote=Counters(uncoupled=80)))
    assert crosstie.run("uncouple", "CUSTOMER", "--all").exit_code == 0
    assert crosstie.calls[0][2] == {"all": True}


@pytest.mark.parametrize(("answer", "called"), [("y\n", 1), ("n\n", 0), ("\n", 0)])
def test_a_person_is_asked_before_all_go(
    crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch, answer: str, called: int
) -> None:
    monkeypatch.setattr("crosstie.cli.asking.can_ask", lambda: True)
    crosstie.answer("coupling.uncouple", report())
    result = crosstie.run("uncouple", "CUSTOMER", "--all", input=answer)
    assert result.exit_code == 0
    assert "Remove all couplings of CUSTOMER?" in result.stderr
    assert len(crosstie.calls) == called


@pytest.mark.parametrize("option", ["--yes", "--json"])
def test_nobody_is_asked_who_has_answered_already(
    crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr("crosstie.cli.asking.can_ask", lambda: True)
    crosstie.answer("coupling.uncouple", report())
    result = crosstie.run("uncouple", "CUSTOMER", "--all", option)
    assert (result.exit_code, result.stderr, len(crosstie.calls)) == (0, "", 1)


# --- couplings --------------------------------------------------------------------------------------------


def store_of(number: int) -> Any:
    def page(home: Any, mapping: str, *, states: Any, search: str, limit: int, after_id: int) -> CouplingPage:
        rows = [view(at) for at in range(after_id + 1, min(after_id + limit, number) + 1)]
        return CouplingPage(mapping="CUSTOMER", couplings=rows, total=number, by_state={"in_step": number, "failed": 0})

    return page


def test_the_states_on_offer_are_those_there_are() -> None:
    assert set(STATES) == {state.value for state in CouplingState}


def test_the_document_of_couplings(crosstie: Crosstie) -> None:
    crosstie.answer("coupling.list_couplings", store_of(1))
    found = crosstie.json("couplings", "CUSTOMER")
    (row,) = found["couplings"]
    assert {name: row[name] for name in ("local_id", "local_name", "remote_id", "remote_name", "state")} == {
        "local_id": "l1",
        "local_name": "Customer 1",
        "remote_id": "r1",
        "remote_name": "Account 1",
        "state": "in_step",
    }
    assert row["last_synchronised"] == AT.isoformat().replace("+00:00", "Z")
    assert (found["mapping"], found["total"]) == ("CUSTOMER", 1)


@pytest.mark.parametrize(("total", "args", "shown"), [(0, (), 0), (2500, (), 2500), (1000, (), 1000)])
@pytest.mark.parametrize("as_json", [True, False])
def test_all_couplings_are_listed_page_by_page(
    crosstie: Crosstie, total: int, args: tuple[str, ...], shown: int, as_json: bool
) -> None:
    crosstie.answer("coupling.list_couplings", store_of(total))
    if as_json:
        rows = crosstie.json("couplings", "CUSTOMER", *args)["couplings"]
        assert [row["id"] for row in rows] == list(range(1, shown + 1))
    else:
        lines = crosstie.run("couplings", "CUSTOMER", *args).stdout.splitlines()
        assert len(lines) == shown + (2 if total else 1)
        assert lines[-1].startswith(f"{shown:,} of {total:,} couplings of CUSTOMER")


@pytest.mark.parametrize(("limit", "shown"), [("0", 1500), ("7", 7), ("1200", 1200), ("9999", 1500)])
def test_a_limit_holds_over_pages(crosstie: Crosstie, limit: str, shown: int) -> None:
    crosstie.answer("coupling.list_couplings", store_of(1500))
    assert len(crosstie.json("couplings", "CUSTOMER", "--limit", limit)["couplings"]) == shown


def test_a_screen_is_not_flooded(crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosstie.cli.commands.couplings.is_terminal", lambda: True)
    crosstie.answer("coupling.list_couplings", store_of(1500))
    assert "200 of 1,500 couplings of CUSTOMER (1,500 in step)." in crosstie.run("couplings", "CUSTOMER").stdout


def test_states_and_search_reach_the_store(crosstie: Crosstie) -> None:
    crosstie.answer("coupling.list_couplings", store_of(0))
    crosstie.json("couplings", "CUSTOMER", "--state", "failed", "--state", "skipped", "--search", "Ada")
    options = crosstie.calls[0][2]
    assert options["states"] == [CouplingState.FAILED, CouplingState.SKIPPED]
    assert options["search"] == "Ada"
