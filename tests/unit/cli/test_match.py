"""`match`: criteria, the reason of every record, and how it ends."""

from typing import Any

import pytest

from crosstie.cli.terminal import safe
from crosstie.engine.candidates import Named
from crosstie.engine.matching import MatchReason, MatchReport, MatchRow, explain
from crosstie.model.decisions import Preference
from crosstie.model.jobs import Counters
from crosstie.model.records import Side
from tests.unit.cli.conftest import Crosstie
from tests.unit.cli.values import CONFLICT, report

GROUPS = [["E-Mail", "Name"]]
ADATUM, TREY = Named("l1", "10000", "Adatum"), Named("l2", "20000", "Trey [b]\x1b[0m")
ACCOUNT, TWIN = Named("r1", None, "Adatum Ltd"), Named("r2", None, "Trey")
ROWS = [
    MatchRow(Side.LOCAL, ADATUM, MatchReason.COUPLED, 1, (ACCOUNT,), (), 1),
    MatchRow(Side.LOCAL, TREY, MatchReason.NO_MATCH),
    MatchRow(Side.LOCAL, Named("l3", "30000", "Old"), MatchReason.ALREADY_COUPLED, 0, (Named("r3", None, "Old"),)),
    MatchRow(Side.REMOTE, ACCOUNT, MatchReason.COUPLED, 1, (ADATUM,), (), 1),
    MatchRow(Side.REMOTE, TWIN, MatchReason.SEVERAL_CANDIDATES, 1, (ADATUM, TREY), (), 2),
]


def told(row: MatchRow) -> str:
    return safe(explain(row, GROUPS))


def matched(**changes: Any) -> MatchReport:
    values: dict[str, Any] = {
        "mapping": "CUSTOMER",
        "dry_run": False,
        "groups": GROUPS,
        "job_id": 7,
        "local": {MatchReason.COUPLED: 1, MatchReason.NO_MATCH: 1, MatchReason.ALREADY_COUPLED: 1},
        "remote": {MatchReason.COUPLED: 1, MatchReason.SEVERAL_CANDIDATES: 1},
        "rows": ROWS,
        "to_remote": Counters(coupled=1, failed=1),
    }
    return MatchReport(**(values | changes))


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), {}),
        (("--on", "E-Mail, Name", "--on", "Name"), {"groups": [["E-Mail", "Name"], ["Name"]]}),
        (("--dry-run",), {"dry_run": True}),
        (("--create", "--synchronise"), {"create": True, "synchronise": True}),
        (("--no-create", "--no-synchronise"), {"create": False, "synchronise": False}),
        (("--synchronize",), {"synchronise": True}),
        (("--no-synchronize",), {"synchronise": False}),
        (
            ("--case-sensitive", "Name, City", "--case-sensitive", "E-Mail"),
            {"case_sensitive": ["Name", "City", "E-Mail"]},
        ),
        (("--ignore-case",), {"case_sensitive": []}),
        (("--winner", "from_remote"), {"winner": Preference.GET}),
    ],
)
def test_the_options_reach_the_use_case(crosstie: Crosstie, args: tuple[str, ...], expected: dict[str, Any]) -> None:
    crosstie.answer("matching.match", matched(to_remote=Counters()))
    assert crosstie.run("match", "CUSTOMER", *args).exit_code == 0
    left_to_the_mapping = {"create": None, "synchronise": None, "case_sensitive": None, "winner": None}
    assert crosstie.calls[0][2] == {"groups": [], "dry_run": False, **left_to_the_mapping} | expected


@pytest.mark.parametrize(
    "args", [("--ignore-case", "--case-sensitive", "Name"), ("--no-synchronise", "--winner", "to_remote")]
)
def test_options_that_contradict_each_other_are_refused(crosstie: Crosstie, args: tuple[str, ...]) -> None:
    assert crosstie.json("match", "CUSTOMER", *args, code=2)["error"]["code"] == "invalid-option"


@pytest.mark.parametrize("on", ["", "E-Mail,,Name", ","])
def test_a_group_names_fields(crosstie: Crosstie, on: str) -> None:
    assert crosstie.json("match", "CUSTOMER", "--on", on, code=2)["error"]["code"] == "invalid-option"


def test_every_record_that_matters_gets_its_reason(crosstie: Crosstie) -> None:
    crosstie.answer("matching.match", matched())
    result = crosstie.run("match", "CUSTOMER")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "Side Record Result",
        f"local 10000 Adatum {told(ROWS[0])}",
        rf"local 20000 Trey [b]\x1b[0m {told(ROWS[1])}",
        f"remote Trey {told(ROWS[4])}",
        "CUSTOMER, local records: 1 coupled, 1 no match, 1 already coupled.",
        "CUSTOMER, remote records: 1 coupled, 1 several candidates.",
        "1 coupled; 1 without a unique partner.",
    ]


def test_a_dry_run_says_what_would_be(crosstie: Crosstie) -> None:
    crosstie.answer("matching.match", matched(dry_run=True, to_create=["l2"], to_remote=Counters()))
    result = crosstie.run("match", "CUSTOMER", "--dry-run", "--create")
    assert result.exit_code == 0
    last = result.stdout.splitlines()[-1]
    assert last == "1 would be coupled; 1 without a unique partner, of which 1 would be given a new one."


def test_a_screen_is_not_flooded(crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosstie.cli.commands.matching.is_terminal", lambda: True)
    crosstie.answer("matching.match", matched(rows=[ROWS[1]] * 250))
    assert "and 50 more" in crosstie.run("match", "CUSTOMER").stdout


def test_the_document_of_a_match(crosstie: Crosstie) -> None:
    done = report(to_remote=Counters(modified=1))
    crosstie.answer("matching.match", matched(synchronised=done))
    found = crosstie.json("match", "CUSTOMER", code=1)
    assert len(found["records"]) == len(ROWS)
    assert found["records"][0] == {
        "side": "local",
        "id": "l1",
        "key": "10000",
        "name": "Adatum",
        "reason": "coupled",
        "words": explain(ROWS[0], GROUPS),
        "matched_on": ["E-Mail", "Name"],
        "candidates": [{"id": "r1", "key": None, "name": "Adatum Ltd"}],
        "rivals": [],
        "found": 1,
    }
    assert (found["coupled"], found["unmatched"], found["dry_run"]) == (1, 1, False)
    assert found["local"] == {"coupled": 1, "no_match": 1, "already_coupled": 1}
    assert found["synchronisation"]["to_remote"]["modified"] == 1


def test_what_fails_after_matching_ends_with_1(crosstie: Crosstie) -> None:
    failed = report(to_remote=Counters(failed=1), failures=[CONFLICT])
    crosstie.answer("matching.match", matched(to_remote=Counters(), synchronised=failed))
    result = crosstie.run("match", "CUSTOMER", "--synchronise")
    assert result.exit_code == 1
    assert "10000 Adatum: The same field" in result.stdout
