"""`sync`: what it asks of the use case, what it shows, and how it ends."""

import json
import tracemalloc
from typing import Any

import pytest
from msgspec import structs

from crosstie.engine.context import Report
from crosstie.model.decisions import FieldAction, Preference, RecordAction
from crosstie.model.errors import GuardStopped, MissingPrivilege, UnknownTable, Unreachable
from crosstie.model.jobs import Counters
from tests.unit.cli.conftest import Crosstie, make_mapping
from tests.unit.cli.values import CONFLICT, decision, field, report

COUNTS = report(to_remote=Counters(inserted=1, modified=1200), from_remote=Counters(unchanged=3))
CLASH = field(FieldAction.CONFLICT, base_local="1", base_remote="1", local="2", remote="3")


def test_the_options_reach_the_use_case(crosstie: Crosstie) -> None:
    crosstie.answer("synchronising.synchronise", [COUNTS])
    args = ("customer", "10000", "30000", "--direction", "from_remote", "--full", "--create", "--force")
    assert crosstie.run("sync", *args).exit_code == 0
    ((_, (_, mapping, records), options),) = crosstie.calls
    assert (mapping, records) == ("CUSTOMER", ("10000", "30000"))
    assert {name: options[name] for name in options if name != "observer"} == {
        "direction": Preference.GET,
        "full": True,
        "create": True,
        "dry_run": False,
        "forced": True,
    }


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "Say what to synchronise."),
        (("--all", "CUSTOMER"), "Give a mapping or --all, not both."),
        (("NOBODY",), "There is no mapping 'NOBODY'"),
    ],
)
def test_it_is_told_what_to_synchronise(crosstie: Crosstie, args: tuple[str, ...], words: str) -> None:
    assert crosstie.json("sync", *args, code=2)["error"]["words"].startswith(words)


def test_counters_are_shown_by_mapping_and_direction(crosstie: Crosstie) -> None:
    crosstie.answer("synchronising.synchronise", [COUNTS])
    assert crosstie.run("sync", "CUSTOMER").stdout.splitlines() == [
        "Mapping   Direction    Inserted  Modified  Unchanged  Failed",
        "CUSTOMER  to remote           1     1,200          0       0",
        "CUSTOMER  from remote         0         0          3       0",
    ]


@pytest.mark.parametrize("counter", ["deleted", "skipped", "coupled", "uncoupled"])
def test_rare_counters_are_shown_where_they_count(crosstie: Crosstie, counter: str) -> None:
    crosstie.answer("synchronising.synchronise", [report(from_remote=Counters(**{counter: 5})), report("VENDOR")])
    head, first, second = crosstie.run("sync", "CUSTOMER").stdout.splitlines()
    at = head.split().index(counter.title())
    assert first.replace("from remote", "from_remote").split()[at] == "5"
    assert second.replace("nothing to do", "nothing_to_do").split()[at] == "0"


def test_a_job_that_found_nothing_says_so(crosstie: Crosstie) -> None:
    crosstie.answer("synchronising.synchronise", [report()])
    assert "nothing to do" in crosstie.run("sync", "CUSTOMER").stdout


def test_failed_records_are_named_with_cause_and_next_step_and_end_with_1(crosstie: Crosstie) -> None:
    crosstie.answer("synchronising.synchronise", [report(to_remote=Counters(failed=3), failures=[CONFLICT])])
    result = crosstie.run("sync", "CUSTOMER")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-4:] == [
        "Failed in CUSTOMER:",
        "  conflict (1)  Next step: Choose a side.",
        "    10000 Adatum: The same field was changed on both sides.",
        "  and 2 more: see `crosstie problems CUSTOMER`.",
    ]


def test_what_is_true_of_many_failed_records_is_said_once(crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [structs.replace(CONFLICT, name=f"{number}\x1b[0m") for number in range(25)]
    other = structs.replace(CONFLICT, code="too-long", next_step="Shorten it.")
    counters = Counters(failed=26)
    crosstie.answer("synchronising.synchronise", [report(to_remote=counters, failures=[*many, other])])
    lines = crosstie.run("sync", "CUSTOMER").stdout.partition("Failed in CUSTOMER:\n")[2].splitlines()
    assert len(lines) == 28
    assert lines[0] == "  conflict (25)  Next step: Choose a side."
    assert lines[25] == r"    24\x1b[0m: The same field was changed on both sides."
    assert lines[26] == "  too-long (1)  Next step: Shorten it."
    monkeypatch.setattr("crosstie.cli.results.is_terminal", lambda: True)
    lines = crosstie.run("sync", "CUSTOMER").stdout.partition("Failed in CUSTOMER:\n")[2].splitlines()
    assert lines[21] == "    and 5 more: see `crosstie problems CUSTOMER`."


def test_a_failure_that_pauses_its_record_counts_as_skipped_and_still_ends_with_1(crosstie: Crosstie) -> None:
    crosstie.answer("synchronising.synchronise", [report(to_remote=Counters(skipped=1), failures=[CONFLICT])])
    assert crosstie.run("sync", "CUSTOMER").exit_code == 1


def test_the_document_of_a_job(crosstie: Crosstie) -> None:
    crosstie.answer("synchronising.synchronise", [report(to_remote=Counters(failed=1), failures=[CONFLICT])])
    zeros = dict.fromkeys(Counters.__struct_fields__, 0)
    assert crosstie.json("sync", "CUSTOMER", code=1) == {
        "dry_run": False,
        "mappings": [
            {
                "mapping": "CUSTOMER",
                "job_id": 7,
                "to_remote": zeros | {"failed": 1},
                "from_remote": zeros,
                "failed_records": [
                    {
                        "local_id": "l1",
                        "remote_id": "r1",
                        "name": "10000 Adatum",
                        "code": "conflict",
                        "words": "The same field was changed on both sides.",
                        "next_step": "Choose a side.",
                    }
                ],
                "message": "",
            }
        ],
    }


# --- dry runs ---------------------------------------------------------------------------------------------


def planned(count: int) -> Any:
    def synchronise(session: Any, mapping: str, records: Any, *, observer: Any, **options: Any) -> list[Report]:
        assert options["dry_run"]
        for _ in range(count):
            observer.decided(decision(RecordAction.UPDATE, CLASH, problem_code="conflict"))
        return [report(dry_run=True, job_id=None, to_remote=Counters(failed=count))]

    return synchronise


def test_a_dry_run_prints_the_plan_and_what_it_comes_to(crosstie: Crosstie) -> None:
    crosstie.answer("synchronising.synchronise", planned(1))
    result = crosstie.run("sync", "CUSTOMER", "--dry-run")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:5] == [
        "CUSTOMER: plan",
        "10000 Adatum: update",
        '  Phone No.: conflict  base "1", local "2", remote "3"',
        "  conflict",
        "What the plan comes to (nothing was written):",
    ]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_document_of_a_dry_run_holds_the_plan(crosstie: Crosstie, count: int) -> None:
    crosstie.answer("synchronising.synchronise", planned(count))
    found = crosstie.json("sync", "CUSTOMER", "--dry-run", code=1 if count else 0)
    assert found["dry_run"] is True
    assert found["mappings"][0]["job_id"] is None
    assert len(found["plan"]) == count


def test_an_error_amid_the_plan_ends_the_same_document(crosstie: Crosstie) -> None:
    def synchronise(session: Any, mapping: str, records: Any, *, observer: Any, **options: Any) -> list[Report]:
        observer.decided(decision(RecordAction.UPDATE, CLASH))
        raise Unreachable("Nobody answers.")

    crosstie.answer("synchronising.synchronise", synchronise)
    found = crosstie.json("sync", "CUSTOMER", "--dry-run", code=3)
    assert len(found["plan"]) == 1
    assert found["error"]["code"] == "unreachable"


# --- all mappings -----------------------------------------------------------------------------------------


def several(crosstie: Crosstie) -> None:
    crosstie.mappings = [
        make_mapping("CONTACT", depends_on=("CUSTOMER", "VENDOR")),
        make_mapping("CUSTOMER", depends_on=("CURRENCY",)),
        make_mapping("VENDOR", enabled=False),
        make_mapping("CURRENCY"),
    ]


def test_all_takes_the_enabled_mappings_after_those_they_depend_on(crosstie: Crosstie) -> None:
    several(crosstie)
    crosstie.answer("synchronising.synchronise", lambda session, mapping, *args, **options: [report(mapping)])
    found = crosstie.json("sync", "--all")
    assert [each["mapping"] for each in found["mappings"]] == ["CURRENCY", "CUSTOMER", "CONTACT"]


def test_a_circle_of_dependencies_is_cut_where_the_order_says(crosstie: Crosstie) -> None:
    crosstie.mappings = [make_mapping("A", depends_on=("B",)), make_mapping("B", depends_on=("A",))]
    crosstie.answer("synchronising.synchronise", lambda session, mapping, *args, **options: [report(mapping)])
    assert [each["mapping"] for each in crosstie.json("sync", "--all")["mappings"]] == ["A", "B"]


def test_without_an_enabled_mapping_there_is_nothing_to_do(crosstie: Crosstie) -> None:
    crosstie.mappings = []
    assert crosstie.json("sync", "--all", code=2)["error"]["code"] == "unknown-mapping"


@pytest.mark.parametrize(
    ("error", "code", "done"),
    [
        (GuardStopped("60 of 80 would be deleted."), 4, ["CURRENCY", "CONTACT"]),
        (UnknownTable("There is no table."), 2, ["CURRENCY", "CONTACT"]),
        (MissingPrivilege("May not read."), 3, ["CURRENCY", "CONTACT"]),
        (Unreachable("Nobody answers."), 3, ["CURRENCY"]),
    ],
)
def test_one_mapping_that_cannot_go_on_stops_the_others_only_if_they_cannot_either(
    crosstie: Crosstie, error: Exception, code: int, done: list[str]
) -> None:
    def synchronise(session: Any, mapping: str, *args: Any, **options: Any) -> list[Report]:
        if mapping == "CUSTOMER":
            raise error
        return [report(mapping)]

    several(crosstie)
    crosstie.answer("synchronising.synchronise", synchronise)
    found = crosstie.json("sync", "--all", code=code)
    assert [each["mapping"] for each in found["mappings"] if "error" not in each] == done
    assert [each["mapping"] for each in found["mappings"] if "error" in each] == ["CUSTOMER"]
    assert found["error"]["words"] == str(error.words)  # type: ignore[attr-defined]
    result = crosstie.run("sync", "--all")
    assert result.exit_code == code
    assert result.stderr.startswith(f"CUSTOMER: Error: {error.words}")  # type: ignore[attr-defined]


def test_memory_does_not_grow_with_the_plan(crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0

    def count(*parts: bytes) -> None:
        nonlocal written
        written += sum(map(len, parts))

    def peak(records: int) -> int:
        crosstie.answer("synchronising.synchronise", planned(records))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        crosstie.run("sync", "CUSTOMER", "--dry-run", "--json")
        return tracemalloc.get_traced_memory()[1] - before

    monkeypatch.setattr("crosstie.cli.documents._write", count)
    tracemalloc.start()
    try:
        peak(10)
        small, large = peak(10), peak(4_000)
    finally:
        tracemalloc.stop()
    assert written > 1_000_000
    assert large - small < 100_000, "bytes"


def test_the_plan_is_one_document_even_if_it_is_long(crosstie: Crosstie) -> None:
    crosstie.answer("synchronising.synchronise", planned(2_000))
    result = crosstie.run("sync", "CUSTOMER", "--dry-run", "--json")
    assert len(result.stdout.splitlines()) == 1
    assert len(json.loads(result.stdout)["plan"]) == 2_000
