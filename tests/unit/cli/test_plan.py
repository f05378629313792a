"""The plan of a dry run, record by record and field by field."""

import json
from decimal import Decimal
from typing import Any

import pytest

from crosstie.cli.documents import StreamedDocument
from crosstie.cli.plan import PlanAsDocument, PlanInWords
from crosstie.model.decisions import Decision, FieldAction, Finding, Hold, Pair, RecordAction
from tests.unit.cli.conftest import make_mapping
from tests.unit.cli.values import coupling, decision, field, local, remote

WRITE = field(FieldAction.TO_REMOTE, remote="1", local="2", value="2", reason="changed locally")
BACK = field(FieldAction.TO_LOCAL, name="address", label="", local=None, value="Street\n1", reason="changed remotely")
LOST = field(FieldAction.TO_REMOTE, remote="3", value="2", lost="3", reason="the local side wins by policy")
CLASH = field(FieldAction.CONFLICT, base_local="1", base_remote="1", local="2", remote="3", reason="on both sides")
UNLIKE = field(FieldAction.CONFLICT, base_local="1", base_remote="one", local="2", remote="3")
HELD = field(FieldAction.HOLD, hold=Hold(code="waiting-for-partner", words="EUR is not coupled"))
KEPT = field(FieldAction.KEEP, reason="drift")
AGREED = field(FieldAction.AGREE)


def in_words(capsys: pytest.CaptureFixture[str], *decisions: Decision) -> list[str]:
    plan = PlanInWords()
    plan.begin(make_mapping())
    for each in decisions:
        plan.decided(each)
    return capsys.readouterr().out.splitlines()


def as_document(capsys: pytest.CaptureFixture[str], *decisions: Decision) -> list[dict[str, Any]]:
    document = StreamedDocument("plan")
    plan = PlanAsDocument(document)
    plan.begin(make_mapping())
    for each in decisions:
        plan.decided(each)
    document.close()
    plans: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["plan"]
    return plans


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (WRITE, '  Phone No.: "1" → "2"  to remote  (changed locally)'),
        (BACK, r'  address: (blank) → "Street\n1"  to local  (changed remotely)'),
        (LOST, '  Phone No.: "3" → "2"  to remote  (the local side wins by policy)  "3" is lost'),
        (CLASH, '  Phone No.: conflict  base "1", local "2", remote "3"'),
        (UNLIKE, '  Phone No.: conflict  base "1" local and "one" remote, local "2", remote "3"'),
        (HELD, "  Phone No.: held  EUR is not coupled"),
    ],
)
def test_each_field_has_its_line(capsys: pytest.CaptureFixture[str], fields: Any, line: str) -> None:
    lines = in_words(capsys, decision(RecordAction.UPDATE, fields, KEPT, AGREED))
    assert lines == ["CUSTOMER: plan", "10000 Adatum: update", line]


@pytest.mark.parametrize("action", [RecordAction.UNCHANGED, RecordAction.AGREE, RecordAction.IGNORE])
def test_what_needs_nothing_is_not_in_the_plan(capsys: pytest.CaptureFixture[str], action: RecordAction) -> None:
    assert in_words(capsys, decision(action)) == []
    assert as_document(capsys, decision(action)) == []


def test_what_is_in_the_way_is_in_the_plan_even_if_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    stuck = decision(RecordAction.UNCHANGED, CLASH, problem_code="conflict", problem_words="Both sides changed.")
    assert in_words(capsys, stuck)[-1] == "  conflict: Both sides changed."


def test_a_create_shows_every_value(capsys: pytest.CaptureFixture[str]) -> None:
    pair = Pair(coupling=None, local=local(), remote=None)
    values = {"name": "Adatum", "creditlimit": Decimal("10.50")}
    new = decision(RecordAction.CREATE_REMOTE, pair=pair, to_remote=values, reason="has no partner")
    assert in_words(capsys, new)[1:] == [
        "10000 Adatum: create remote (has no partner)",
        '  name: (blank) → "Adatum"  to remote',
        "  creditlimit: (blank) → 10.50  to remote",
    ]
    (item,) = as_document(capsys, new)
    assert item["record"] == {"name": "10000 Adatum", "local_id": "l1", "remote_id": None}
    assert [(f["field"], f["side"], f["before"], f["after"]) for f in item["fields"]] == [
        ("name", "remote", None, "Adatum"),
        ("creditlimit", "remote", None, 10.5),
    ]


def test_an_uncoupling_shows_what_it_clears(capsys: pytest.CaptureFixture[str]) -> None:
    pair = Pair(coupling=coupling(), local=None, remote=remote(bcbi_companyid="c1"))
    gone = decision(RecordAction.UNCOUPLE, pair=pair, to_remote={"bcbi_companyid": None}, reason="by hand")
    assert in_words(capsys, gone)[1:] == [
        "10000 Adatum: uncouple (by hand)",
        '  bcbi_companyid: "c1" → (blank)  to remote',
    ]


@pytest.mark.parametrize(
    ("pair", "name"),
    [
        (Pair(coupling=None, local=local("1", None), remote=None), "1"),
        (Pair(coupling=None, local=None, remote=remote("Acme")), "Acme"),
        (Pair(coupling=coupling(), local=None, remote=remote("Acme")), "10000 Adatum"),
        (Pair(coupling=None, local=None, remote=remote(None)), "r1"),  # type: ignore[arg-type]
        (Pair(coupling=None, local=local("\x1b[1m", "[red]x"), remote=None), r"\x1b[1m [red]x"),
    ],
)
def test_records_are_called_as_people_call_them(capsys: pytest.CaptureFixture[str], pair: Pair, name: str) -> None:
    assert in_words(capsys, decision(RecordAction.DELETE_LOCAL, pair=pair))[1] == f"{name}: delete local"


def test_an_item_holds_everything_a_program_needs(capsys: pytest.CaptureFixture[str]) -> None:
    finding = Finding(field="name", code="too-long", words="cut to 100")
    stuck = decision(
        RecordAction.UPDATE,
        WRITE,
        CLASH,
        HELD,
        KEPT,
        findings=(finding,),
        problem_code="conflict",
        problem_words="Both sides changed.",
    )
    (item,) = as_document(capsys, stuck)
    assert item == {
        "mapping": "CUSTOMER",
        "record": {"name": "10000 Adatum", "local_id": "l1", "remote_id": "r1"},
        "action": "update",
        "reason": "",
        "fields": [
            {
                "field": "phoneNumber",
                "label": "Phone No.",
                "action": "write",
                "side": "remote",
                "before": "1",
                "after": "2",
                "reason": "changed locally",
            },
            {
                "field": "phoneNumber",
                "label": "Phone No.",
                "action": "conflict",
                "base": {"local": "1", "remote": "1"},
                "local": "2",
                "remote": "3",
                "reason": "on both sides",
            },
            {
                "field": "phoneNumber",
                "label": "Phone No.",
                "action": "hold",
                "code": "waiting-for-partner",
                "words": "EUR is not coupled",
                "local": None,
                "remote": None,
            },
        ],
        "findings": [{"field": "name", "code": "too-long", "words": "cut to 100"}],
        "problem": {"code": "conflict", "words": "Both sides changed."},
        "waits_for": [],
    }


def test_exact_numbers_stay_exact(capsys: pytest.CaptureFixture[str]) -> None:
    exact = field(FieldAction.TO_REMOTE, value=Decimal("12345678901234567.89"))
    document = StreamedDocument("plan")
    plan = PlanAsDocument(document)
    plan.begin(make_mapping())
    plan.decided(decision(RecordAction.UPDATE, exact))
    document.close()
    assert '"after":12345678901234567.89' in capsys.readouterr().out
