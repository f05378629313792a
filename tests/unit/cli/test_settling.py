"""`retry`, `restore`, `delete`, `undo`: what is asked of the use cases, what is shown, how it ends."""

from typing import Any

import pytest

from crosstie.app.restoring import Settled
from crosstie.app.retrying import Retried
from crosstie.app.undoing import Undone
from crosstie.model.errors import CannotUndo, NothingToDo, UnknownJob
from crosstie.model.jobs import Counters
from crosstie.model.leaving import Left
from tests.unit.cli.conftest import Crosstie
from tests.unit.cli.values import CONFLICT, decision, report

LEFT = Left(
    mapping="CUSTOMER",
    local_id="l2",
    remote_id="r2",
    name="20000 Trey",
    code="nothing-to-do",
    words="Both of its records exist.",
    next_step="Nothing.",
)


def retried(**changes: Any) -> Retried:
    values: dict[str, Any] = {"due": 2, "reports": [report()], "left": [], "left_total": 0, "deferred": []}
    return Retried(**(values | changes))


def undone(**changes: Any) -> Undone:
    values: dict[str, Any] = {"job": 41, "entries": [], "report": report(), "left": [], "left_total": 0}
    return Undone(**(values | changes))


# --- retry ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "given", "options"),
    [
        (("CUSTOMER", "10000", "20000"), ("CUSTOMER", ("10000", "20000")), {"code": None, "all": False, "run": True}),
        (("--all",), (None, ()), {"code": None, "all": True, "run": True}),
        (("CUSTOMER", "--all", "--later"), ("CUSTOMER", ()), {"code": None, "all": True, "run": False}),
        (("--code", "refused"), (None, ()), {"code": "refused", "all": False, "run": True}),
    ],
)
def test_retry_asks_for_what_it_was_told(
    crosstie: Crosstie, args: tuple[str, ...], given: tuple[Any, ...], options: dict[str, Any]
) -> None:
    crosstie.answer("retrying.retry", retried())
    assert crosstie.run("retry", *args).exit_code == 0
    ((_, (_, *found), named),) = crosstie.calls
    assert tuple(found) == given
    assert {name: named[name] for name in options} == options
    assert named["dry_run"] is False


def test_retry_says_how_many_and_what_came_of_it(crosstie: Crosstie) -> None:
    done = retried(reports=[report(to_remote=Counters(modified=2))], left=[LEFT], left_total=1, deferred=["VENDOR"])
    crosstie.answer("retrying.retry", done)
    result = crosstie.run("retry", "--all")
    assert result.exit_code == 1, "a record was asked for and is as it was"
    lines = result.stdout.splitlines()
    assert lines[0] == "2 records looked at again."
    assert "VENDOR: another job is running; that one, or the next, takes them along." in lines
    assert "    20000 Trey: Both of its records exist." in lines
    found = crosstie.json("retry", "--all", code=1)
    assert (found["due"], found["deferred"], found["left"][0]["code"]) == (2, ["VENDOR"], "nothing-to-do")
    assert found["mappings"][0]["to_remote"]["modified"] == 2


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--later", "2 records due: the next job looks at them."),
        ("--dry-run", "2 records would be looked at again (nothing was written):"),
    ],
)
def test_retry_says_what_it_did_not_do(crosstie: Crosstie, option: str, words: str) -> None:
    crosstie.answer("retrying.retry", retried(reports=[]))
    assert crosstie.run("retry", "--all", option).stdout.splitlines() == [words]


def test_retry_ends_with_1_where_a_record_fails_again(crosstie: Crosstie) -> None:
    failed = report(to_remote=Counters(skipped=1), failures=[CONFLICT])
    crosstie.answer("retrying.retry", retried(due=1, reports=[failed]))
    result = crosstie.run("retry", "CUSTOMER", "10000")
    assert result.exit_code == 1
    assert result.stdout.startswith("1 record looked at again.")


def test_where_no_problem_is_open_retry_is_wrong_use(crosstie: Crosstie) -> None:
    crosstie.answer("retrying.retry", NothingToDo("There is no open problem."))
    assert crosstie.json("retry", "--all", code=2)["error"]["code"] == "nothing-to-do"


# --- restore and delete ----------------------------------------------------------------------------------------


def test_restore_names_the_records(crosstie: Crosstie) -> None:
    crosstie.answer("restoring.restore", Settled(report=report(to_remote=Counters(inserted=1)), left=[]))
    found = crosstie.json("restore", "customer", "10000", "20000")
    assert found["mappings"][0]["to_remote"]["inserted"] == 1
    ((_, (_, *given), options),) = crosstie.calls
    assert (given, options["dry_run"]) == (["customer", ("10000", "20000")], False)


def test_restore_shows_its_plan(crosstie: Crosstie) -> None:
    def restore(*args: Any, observer: Any, **options: Any) -> Settled:
        observer.decided(decision())
        return Settled(report=report(dry_run=True), left=[LEFT])

    crosstie.answer("restoring.restore", restore)
    found = crosstie.json("restore", "CUSTOMER", "10000", "--dry-run", code=1)
    assert (found["dry_run"], len(found["plan"]), len(found["left"])) == (True, 1, 1)
    assert "Left as they are:" in crosstie.run("restore", "CUSTOMER", "10000", "--dry-run").stdout


@pytest.mark.parametrize(("answer", "called"), [("y\n", 1), ("n\n", 0), ("\n", 0)])
def test_a_person_is_asked_before_a_record_is_deleted(
    crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch, answer: str, called: int
) -> None:
    monkeypatch.setattr("crosstie.cli.asking.can_ask", lambda: True)
    crosstie.answer("restoring.delete", Settled(report=report(), left=[]))
    result = crosstie.run("delete", "CUSTOMER", "10000", input=answer)
    assert result.exit_code == 0
    assert "Delete what is left of 1 record of CUSTOMER, and the couplings?" in result.stderr
    assert len(crosstie.calls) == called


def test_nothing_is_deleted_where_nobody_can_be_asked(crosstie: Crosstie) -> None:
    crosstie.answer("restoring.delete", Settled(report=report(), left=[]))
    assert crosstie.json("delete", "CUSTOMER", "10000", code=2)["error"]["next_step"] == "Give --yes if it is meant."
    assert crosstie.calls == []


@pytest.mark.parametrize(
    ("options", "dry_run", "forced"), [(("--yes",), False, False), (("--yes", "--force"), False, True)]
)
def test_delete_asks_for_what_it_was_told(
    crosstie: Crosstie, options: tuple[str, ...], dry_run: bool, forced: bool
) -> None:
    crosstie.answer("restoring.delete", Settled(report=report(to_remote=Counters(deleted=1)), left=[]))
    assert crosstie.json("delete", "CUSTOMER", "10000", *options)["mappings"][0]["to_remote"]["deleted"] == 1
    ((_, _, named),) = crosstie.calls
    assert (named["dry_run"], named["forced"]) == (dry_run, forced)


def test_a_plan_to_delete_needs_no_consent(crosstie: Crosstie) -> None:
    crosstie.answer("restoring.delete", Settled(report=report(dry_run=True), left=[]))
    assert crosstie.run("delete", "CUSTOMER", "10000", "--dry-run").exit_code == 0
    assert crosstie.calls[0][2]["dry_run"] is True


# --- undo -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "job", "entries", "options"),
    [
        (("41",), 41, (), {"dry_run": False, "forced": False}),
        (("41", "--dry-run"), 41, (), {"dry_run": True, "forced": False}),
        (("41", "--force"), 41, (), {"dry_run": False, "forced": True}),
        (("--entry", "7", "--entry", "9"), None, (7, 9), {"dry_run": False, "forced": False}),
    ],
)
def test_undo_asks_for_what_it_was_told(
    crosstie: Crosstie, args: tuple[str, ...], job: int | None, entries: tuple[int, ...], options: dict[str, Any]
) -> None:
    crosstie.answer("undoing.undo", undone())
    assert crosstie.run("undo", *args).exit_code == 0
    ((_, (_, given), named),) = crosstie.calls
    assert (given, named["entries"]) == (job, entries)
    assert {name: named[name] for name in options} == options


def test_undo_shows_what_was_put_back_and_what_was_not(crosstie: Crosstie) -> None:
    done = undone(report=report(to_remote=Counters(modified=3)), left=[LEFT], left_total=5)
    crosstie.answer("undoing.undo", done)
    result = crosstie.run("undo", "41")
    assert result.exit_code == 1
    assert "    20000 Trey: Both of its records exist." in result.stdout
    assert "  and 4 more." in result.stdout
    found = crosstie.json("undo", "41", code=1)
    assert (found["undone"]["job"], found["left_total"], found["mappings"][0]["to_remote"]["modified"]) == (41, 5, 3)


def test_undo_shows_its_plan_under_the_mapping_of_the_job(crosstie: Crosstie) -> None:
    def undo(*args: Any, observer: Any, begin: Any, **options: Any) -> Undone:
        begin(crosstie.mappings[0])
        observer.decided(decision())
        return undone(report=report(dry_run=True))

    crosstie.answer("undoing.undo", undo)
    found = crosstie.json("undo", "41", "--dry-run")
    assert [item["mapping"] for item in found["plan"]] == ["CUSTOMER"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(UnknownJob("There is no job 41."), "unknown-job"), (CannotUndo("Job 41 is still running."), "cannot-undo")],
)
def test_what_cannot_be_undone_is_wrong_use(crosstie: Crosstie, error: Exception, code: str) -> None:
    crosstie.answer("undoing.undo", error)
    assert crosstie.json("undo", "41", code=2)["error"]["code"] == code


def test_a_job_is_a_number(crosstie: Crosstie) -> None:
    assert crosstie.json("undo", "last", code=2)["error"]["code"] == "usage"
