"""`undo`: each record with what became of it, and the pairs that a plan would couple again."""

from typing import Any

from crosstie.app.undoing import Undone
from crosstie.model.records import Side
from crosstie.model.undoing import UndoneField, UndoneRow, UndoOutcome
from tests.unit.cli.conftest import Crosstie
from tests.unit.cli.values import report


def row(outcome: UndoOutcome, **more: Any) -> UndoneRow:
    values: dict[str, Any] = {"mapping": "CUSTOMER", "local_id": "l1", "remote_id": "r1", "name": "10000 Adatum"}
    return UndoneRow(outcome=outcome, **(values | more))


def undone(*rows: UndoneRow, dry_run: bool = False) -> Undone:
    left = [each.as_left() for each in rows if each.outcome is UndoOutcome.LEFT]
    return Undone(
        job=41,
        entries=[],
        report=report(dry_run=dry_run),
        left=left,
        left_total=len(left),
        rows=list(rows),
        rows_total=len(rows),
    )


def test_a_document_names_each_record_with_its_fields(crosstie: Crosstie) -> None:
    field = UndoneField(side=Side.REMOTE, field="telephone1", label="Phone No.", before="2", after="1")
    crosstie.answer("undoing.undo", undone(row(UndoOutcome.PUT_BACK, fields=(field,)), row(UndoOutcome.DELETED)))
    found = crosstie.json("undo", "41")
    assert [each["outcome"] for each in found["rows"]] == ["put_back", "deleted"]
    assert found["rows"][0]["fields"] == [
        {"side": "remote", "field": "telephone1", "label": "Phone No.", "before": "2", "after": "1"}
    ]
    assert (found["rows_total"], found["left_total"], found["undone"]) == (2, 0, {"job": 41, "entries": []})


def test_what_is_left_ends_with_1_and_has_its_reason(crosstie: Crosstie) -> None:
    words = "It was changed since: Phone No. is '9' by now."
    kept = row(UndoOutcome.LEFT, code="changed-since", words=words, next_step="Look at the record.")
    crosstie.answer("undoing.undo", undone(kept))
    result = crosstie.run("undo", "41")
    assert result.exit_code == 1
    assert f"    10000 Adatum: {words}" in result.stdout.splitlines()
    assert crosstie.json("undo", "41", code=1)["rows"][0]["words"] == words


def test_a_plan_says_which_pairs_would_be_coupled_again(crosstie: Crosstie) -> None:
    crosstie.answer("undoing.undo", undone(row(UndoOutcome.COUPLED), dry_run=True))
    line = "CUSTOMER: 10000 Adatum would be coupled again as before"
    assert line in crosstie.run("undo", "41", "--dry-run").stdout.splitlines()
    assert line not in crosstie.run("undo", "41").stdout


def test_neither_job_nor_entry_is_wrong_use(crosstie: Crosstie) -> None:
    for wrong in (("0",), ("forty",), ("--entry", "0")):
        assert crosstie.run("undo", *wrong).exit_code == 2
    assert crosstie.calls == []
