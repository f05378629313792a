"""`problems`, `jobs`, `history`, `open`."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from crosstie.app.opening import Opened
from crosstie.app.record_history import ToldChange, ToldEntry
from crosstie.app.views import ProblemView
from crosstie.model.errors import NotCoupled
from crosstie.model.jobs import JobKind, JobState, Outcome
from crosstie.model.records import Side
from crosstie.model.values import Scalar
from tests.unit.cli.conftest import Crosstie
from tests.unit.cli.values import AT, job, problem


def test_a_problem_is_told_with_its_values_and_next_step(crosstie: Crosstie) -> None:
    crosstie.answer("problems.list_problems", [problem()])
    assert crosstie.run("problems").stdout.splitlines() == [
        "CUSTOMER  10000 Adatum  conflict  (since 2026-03-04 05:06:07Z, 2 times)",
        "  The same field was changed on both sides.",
        '  Phone No.: base "1", local "2", remote "3"',
        "  Next step: Choose a side.",
        "1 open problem.",
    ]


def test_the_document_of_problems(crosstie: Crosstie) -> None:
    crosstie.answer("problems.list_problems", [problem()])
    found = crosstie.json("problems", "CUSTOMER", "--code", "conflict")
    assert crosstie.calls[0][1][1] == "CUSTOMER"
    assert crosstie.calls[0][2] == {"code": "conflict", "limit": 1000, "after_id": 0}
    (row,) = found["problems"]
    assert row["class"] == "conflict"
    assert row["record"] == {"name": "10000 Adatum", "local_id": "l1", "remote_id": "r1"}
    assert (row["code"], row["words"], row["next_step"]) == (
        "conflict",
        "The same field was changed on both sides.",
        "Choose a side.",
    )
    (field,) = row["fields"]
    assert (field["base"], field["local"], field["remote"]) == ({"local": "1", "remote": "1"}, "2", "3")
    assert found["more"] is False


def store_of(number: int) -> Any:
    def page(home: Any, mapping: Any, *, code: Any, limit: int, after_id: int) -> list[ProblemView]:
        return [problem(at) for at in range(after_id + 1, min(after_id + limit, number) + 1)]

    return page


@pytest.mark.parametrize(
    ("total", "limit", "shown"),
    [(0, None, 0), (2500, None, 2500), (2500, "0", 2500), (1000, "1000", 1000), (1500, "1200", 1200)],
)
def test_problems_are_listed_page_by_page(crosstie: Crosstie, total: int, limit: str | None, shown: int) -> None:
    crosstie.answer("problems.list_problems", store_of(total))
    found = crosstie.json("problems", *(("--limit", limit) if limit else ()))
    assert [row["id"] for row in found["problems"]] == list(range(1, shown + 1))
    assert found["more"] is (shown < total)


def test_a_screen_is_not_flooded_with_problems(crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosstie.cli.commands.looking.is_terminal", lambda: True)
    crosstie.answer("problems.list_problems", store_of(300))
    lines = crosstie.run("problems").stdout.splitlines()
    assert lines[-1] == "200 problems shown; there are more: see them all with --limit 0."


@pytest.mark.parametrize(
    ("use_case", "args", "words"),
    [
        ("problems.list_problems", ("problems",), "No open problems."),
        ("history.list_jobs", ("jobs",), "No jobs yet."),
        ("history.list_history", ("history", "CUSTOMER"), "No history yet."),
    ],
)
def test_an_empty_list_says_so(crosstie: Crosstie, use_case: str, args: tuple[str, ...], words: str) -> None:
    crosstie.answer(use_case, [])
    assert crosstie.run(*args).stdout == f"{words}\n"


def test_jobs_show_what_they_did(crosstie: Crosstie) -> None:
    running = job(id=8, finished_at=None, state=JobState.RUNNING, message="page 3")
    crosstie.answer("history.list_jobs", [running, job()])
    assert crosstie.run("jobs", "CUSTOMER", "--limit", "2").stdout.splitlines() == [
        "    8  2026-03-04 05:06:07Z  not finished  CUSTOMER  synchronisation, bidirectional: running",
        "       to remote: 3 inserted, 1 failed",
        "       page 3",
        "    7  2026-03-04 05:06:07Z     2.0 s  CUSTOMER  synchronisation, bidirectional: finished",
        "       to remote: 3 inserted, 1 failed",
    ]
    assert crosstie.calls[0][2] == {"limit": 2}


def test_the_document_of_jobs(crosstie: Crosstie) -> None:
    crosstie.answer("history.list_jobs", [job()])
    (row,) = crosstie.json("jobs")["jobs"]
    assert (row["id"], row["state"], row["to_remote"]["inserted"]) == (7, "finished", 3)


def told(field: str, label: str, before: Scalar, after: Scalar, **more: Any) -> ToldChange:
    """Return a change; words that are not given are the value's own."""
    values: dict[str, Any] = {"before": before, "after": after, "lost": None, **more}
    words = {f"{name}_words": str(values[name] or "") for name in ("before", "after", "lost")}
    return ToldChange(**({"field": field, "label": label, "reason": ""} | words | values))


ENTRY = ToldEntry(
    id=3,
    at=AT,
    job_id=7,
    job_kind=JobKind.SYNCHRONISATION,
    asked_by="API token ci",
    mapping="CUSTOMER",
    coupling_id=1,
    local_id="l1",
    remote_id="r1",
    name="10000 Adatum\x1b[2J",
    side=Side.REMOTE,
    outcome=Outcome.MODIFIED,
    code="",
    words="changed locally",
    changes=[
        told("telephone1", "Phone No.", "1", "2", lost="3", reason="the local side wins"),
        told("ownerid", "Salesperson", None, "u9", after_words="Lee Gu"),
        told("creditlimit", "Credit Limit", Decimal("10.50"), 2, before_words="10.50", after_words="2"),
        told("terms", "Payment Terms", 1, 2, before_words="30 Days", after_words="14 Days"),
    ],
    can_be_undone=True,
)


def test_history_shows_every_value_before_and_after_by_the_names_of_pages_and_who_wanted_it(
    crosstie: Crosstie,
) -> None:
    failed = msgspec.structs.replace(
        ENTRY,
        job_id=6,
        name="10000",
        asked_by="",
        side=None,
        outcome=Outcome.FAILED,
        changes=[],
        code="conflict",
        words="Both sides changed.",
    )
    crosstie.answer("history.list_history", [ENTRY, failed])
    assert crosstie.run("history", "CUSTOMER", "10000").stdout.splitlines() == [
        r"     3  2026-03-04 05:06:07Z  job 7 by API token ci  10000 Adatum\x1b[2J  modified remote  changed locally",
        '  Phone No.: "1" → "2"  (the local side wins)  "3" was lost',
        "  Salesperson: (blank) → Lee Gu",
        "  Credit Limit: 10.50 → 2",
        "  Payment Terms: 30 Days → 14 Days",
        "     3  2026-03-04 05:06:07Z  job 6  10000  failed  conflict: Both sides changed.",
    ]
    assert crosstie.calls[0][1][1:] == ("CUSTOMER", "10000")
    first = crosstie.json("history", "CUSTOMER")["history"][0]
    assert (first["asked_by"], first["changes"][0]["lost"]) == ("API token ci", "3")
    assert (first["changes"][1]["label"], first["changes"][1]["after"], first["changes"][1]["after_words"]) == (
        "Salesperson",
        "u9",
        "Lee Gu",
    )


@pytest.mark.parametrize("coupled_now", [True, False])
def test_open_prints_the_address_and_nothing_else(crosstie: Crosstie, coupled_now: bool) -> None:
    opened = Opened(
        address="https://bc/?page=21", mapping="CUSTOMER", local_id="l", remote_id="r", coupled_now=coupled_now
    )
    crosstie.answer("opening.open_record", opened)
    result = crosstie.run("open", "dataverse", "account", "r")
    assert result.stdout == "https://bc/?page=21\n"
    assert ("coupled just now" in result.stderr) is coupled_now
    assert crosstie.calls[0][1][1:] == ("dataverse", "account", "r")
    found: dict[str, Any] = crosstie.json("open", "dataverse", "account", "r")
    assert found["address"] == "https://bc/?page=21"
    assert found["coupled_now"] is coupled_now


def test_open_says_why_there_is_nothing_to_open(crosstie: Crosstie) -> None:
    crosstie.answer("opening.open_record", NotCoupled("The record is not coupled."))
    assert crosstie.run("open", "dataverse", "account", "r").exit_code == 2
