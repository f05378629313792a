"""`differences`, `candidates`, `couple --dry-run`, `records`: records as people look at them."""

from typing import Any

import pytest

from crosstie.app.candidates import Candidate
from crosstie.app.differences import Applied, RecordDifferences
from crosstie.app.previewing import CouplingPreview
from crosstie.cli.commands.records import STATES
from crosstie.engine.ranking import Evidence, Reason
from crosstie.model.couplings import CouplingState
from crosstie.model.decisions import FieldAction, Preference
from crosstie.model.differences import FieldDifference, FieldPreview, Preset, Proposal, Shown, SideOfRecord
from crosstie.model.jobs import Counters
from crosstie.model.leaving import Left
from crosstie.model.lists import NOT_COUPLED, ListColumn, Partner, RecordCounts, RecordList, RecordRow
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from tests.unit.cli.conftest import Crosstie
from tests.unit.cli.values import AT, report, view

CITY = FieldDifference(
    name="city",
    label="City",
    local_field="city",
    remote_field="address1_city",
    direction=Direction.BIDIRECTIONAL,
    local=Shown("Bath", "Bath"),
    remote=Shown(None, ""),
    base_local=Shown("Ely", "Ely"),
    base_remote=Shown("Ely", "Ely"),
    changed=(Side.LOCAL, Side.REMOTE),
    differs=True,
    choices=(Side.LOCAL, Side.REMOTE),
    newer=Side.LOCAL,
    proposals={
        Preference.SEND: Proposal(action=FieldAction.TO_REMOTE, value=Shown("Bath", "Bath")),
        Preference.GET: Proposal(action=FieldAction.TO_LOCAL, value=Shown(None, "")),
        Preference.MERGE: Proposal(action=FieldAction.CONFLICT),
    },
)
SIDES = {
    side: SideOfRecord(side=side, id=f"{side[0]}1", exists=True, words=words)
    for side, words in ((Side.LOCAL, "10000 Adatum"), (Side.REMOTE, "Adatum Ltd"))
}


def shown(**changes: Any) -> RecordDifferences:
    values: dict[str, Any] = {
        "mapping": "CUSTOMER",
        "label": "Customer",
        "name": "10000 Adatum",
        "coupling": view(),
        "sides": SIDES,
        "missing": (),
        "problem": None,
        "fields": [CITY],
        "presets": [
            Preset(preference=Preference.SEND, writes_local=0, writes_remote=1, loses=1, conflicts=0, held=0),
            Preset(preference=Preference.MERGE, writes_local=0, writes_remote=0, loses=0, conflicts=1, held=0),
        ],
        "preselected": Preference.MERGE,
        "conflicts": 1,
        "seen": "token",
    }
    return RecordDifferences(**(values | changes))


# --- differences ------------------------------------------------------------------------------------------------


def test_differences_show_both_sides_and_what_each_way_would_write(crosstie: Crosstie) -> None:
    crosstie.answer("differences.differences", shown())
    result = crosstie.run("differences", "CUSTOMER", "10000")
    assert result.exit_code == 0
    head, columns, row, send, merge = result.stdout.splitlines()
    assert head == "Customer 10000 Adatum: in step, last synchronised 2026-03-04 05:06:07Z"
    assert columns.split() == ["Field", "Local", "Remote", "Last", "agreed", "Send", "Get", "Merge"]
    assert row.split() == ["City", "Bath*", "(blank)*", "Ely", "→", "Bath", "←", "(blank)", "choose"]
    assert send == "  to_remote: 1 to remote, 1 edits lost"
    assert merge == "  merge (proposed): 1 to choose"
    found = crosstie.json("differences", "CUSTOMER", "10000")
    assert (found["seen"], found["fields"][0]["proposals"]["to_remote"]["value"]["words"]) == ("token", "Bath")


def test_records_that_agree_and_records_that_are_gone_are_said_to(crosstie: Crosstie) -> None:
    crosstie.answer("differences.differences", shown(fields=[], presets=[], preselected=None, conflicts=0))
    assert "Both records agree." in crosstie.run("differences", "CUSTOMER", "10000").stdout
    crosstie.answer("differences.differences", shown(fields=[], presets=[], missing=(Side.REMOTE,)))
    assert "The remote record no longer exists." in crosstie.run("differences", "CUSTOMER", "10000").stdout


@pytest.mark.parametrize("seen", [(), ("--seen", "older")])
def test_apply_takes_preference_choices_and_what_was_seen(crosstie: Crosstie, seen: tuple[str, ...]) -> None:
    crosstie.answer("differences.differences", shown())
    crosstie.answer("differences.apply_differences", Applied(report=report(to_remote=Counters(modified=1)), again=None))
    args = ("differences", "CUSTOMER", "10000", "--apply", "merge", "--choose", "City=local", *seen)
    assert crosstie.json(*args)["mappings"][0]["to_remote"]["modified"] == 1
    name, (_, *given), options = crosstie.calls[-1]
    assert (name, given) == ("apply_differences", ["CUSTOMER", "10000", Preference.MERGE])
    assert options == {"seen": "older" if seen else "token", "choices": {"City": Side.LOCAL}}


def test_a_record_that_has_moved_is_not_written(crosstie: Crosstie) -> None:
    crosstie.answer("differences.differences", shown())
    crosstie.answer("differences.apply_differences", Applied(report=None, again=shown()))
    error = crosstie.json("differences", "CUSTOMER", "10000", "--apply", "merge", code=2)["error"]
    assert (error["code"], error["details"]["differences"]["seen"]) == ("changed-since", "token")
    result = crosstie.run("differences", "CUSTOMER", "10000", "--apply", "merge")
    assert "10000 Adatum has been changed since it was shown." in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("--choose", "City=local"),
        ("--seen", "x"),
        ("--apply", "merge", "--choose", "City"),
        ("--apply", "merge", "--choose", "City=both"),
        ("--apply", "merge", "--choose", "=local"),
    ],
)
def test_choices_are_written_in_one_way(crosstie: Crosstie, args: tuple[str, ...]) -> None:
    assert crosstie.json("differences", "CUSTOMER", "1", *args, code=2)["error"]["code"] == "invalid-option"


# --- candidates and preview -------------------------------------------------------------------------------------


def candidate(**changes: Any) -> Candidate:
    values: dict[str, Any] = {
        "id": "r1",
        "key": None,
        "name": "Adatum Ltd",
        "score": 87,
        "reasons": [Reason(evidence=Evidence.EMAIL, words="same e-mail", value="a@adatum.example", weight=0.75)],
        "values": {},
        "in_filter": True,
        "coupled_to": None,
        "current": False,
    }
    return Candidate(**(values | changes))


def test_candidates_say_why_and_who_holds_them(crosstie: Crosstie) -> None:
    found = [
        candidate(),
        candidate(id="r2", coupled_to=Partner(id="l2", key="20000", name="Trey")),
        candidate(id="r3", current=True),
        candidate(id="r4", in_filter=False, reasons=[], score=0),
    ]
    crosstie.answer("candidates.candidates", found)
    _, *lines = crosstie.run("candidates", "CUSTOMER", "10000", "--search", "ada", "--limit", "5").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["87", "87", "87", "0"]
    assert "same e-mail (a@adatum.example)" in lines[0]
    remarks = ("coupled to 20000 Trey", "its partner now", "outside of the filter")
    assert [remark for line, remark in zip(lines[1:], remarks, strict=True) if remark not in line] == []
    ((_, (_, *given), options),) = crosstie.calls
    assert (given, options) == (["CUSTOMER", "10000", "ada"], {"side": Side.LOCAL, "limit": 5})
    document = crosstie.json("candidates", "CUSTOMER", "r9", "--remote")
    assert document["candidates"][0]["reasons"][0]["evidence"] == "email"
    assert crosstie.calls[-1][2]["side"] is Side.REMOTE


def test_where_nothing_fits_a_way_on_is_shown(crosstie: Crosstie) -> None:
    crosstie.answer("candidates.candidates", [])
    assert "No record fits." in crosstie.run("candidates", "CUSTOMER", "10000").stdout


def previewed(**changes: Any) -> CouplingPreview:
    values: dict[str, Any] = {
        "mapping": "CUSTOMER",
        "sides": SIDES,
        "creates": False,
        "synchronise": "to_remote",
        "ways": ["no", "to_remote", "from_remote"],
        "fields": [
            FieldPreview(
                difference=CITY, after_local=CITY.local, after_remote=Shown("Bath", "Bath"), writes=Side.REMOTE
            )
        ],
        "blocked": None,
        "replaces": [],
        "coupled_already": False,
        "waits_for": [],
        "findings": [],
        "problem": None,
        "problem_words": "",
    }
    return CouplingPreview(**(values | changes))


def test_a_coupling_can_be_looked_at_before_it_is_made(crosstie: Crosstie) -> None:
    crosstie.answer("previewing.preview", previewed(replaces=[view()]))
    result = crosstie.run("couple", "CUSTOMER", "10000", "--to", "Adatum", "--dry-run")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "10000 Adatum with Adatum Ltd, synchronise: to remote (nothing was written)"
    assert lines[1] == "Takes the place of the coupling with Account 1; give --replace."
    assert lines[3].split() == ["City", "Bath", "(blank)", "Bath"]
    ((name, (_, *given), options),) = crosstie.calls
    assert (name, given, options) == ("preview", ["CUSTOMER", "10000", "Adatum"], {"synchronise": None, "winners": {}})
    document = crosstie.json("couple", "CUSTOMER", "10000", "--to", "Adatum", "--dry-run")
    assert (document["dry_run"], document["preview"]["synchronise"]) == (True, "to_remote")


def test_a_coupling_that_would_be_refused_says_so(crosstie: Crosstie) -> None:
    blocked = Left(
        mapping="CUSTOMER", local_id="l1", remote_id="r1", name="x", code="already-coupled", words="It is taken."
    )
    crosstie.answer("previewing.preview", previewed(blocked=blocked, fields=[]))
    result = crosstie.run("couple", "CUSTOMER", "10000", "--to", "Adatum", "--dry-run")
    assert "Cannot be coupled: It is taken." in result.stdout
    assert "Both records agree in every field." in result.stdout


# --- records ----------------------------------------------------------------------------------------------------


def listed(**changes: Any) -> RecordList:
    values: dict[str, Any] = {
        "mapping": "CUSTOMER",
        "side": Side.LOCAL,
        "columns": [ListColumn(name="city", label="City", type="text")],
        "rows": [
            RecordRow(
                id="l1",
                key="10000",
                name="Adatum",
                values={"city": "Ely"},
                state="skipped",
                partner=Partner(id="r1", key=None, name="Adatum Ltd"),
                last_synchronised=AT,
                problem="refused",
            ),
            RecordRow(id="l2", key="20000", name="Trey", values={}, state=NOT_COUPLED, in_filter=False),
            RecordRow(id="l3", key="30000", name="Gone", values={}, state="local_deleted", exists=False),
        ],
        "following": "place",
    }
    return RecordList(**(values | changes))


def test_records_are_listed_with_state_and_partner(crosstie: Crosstie) -> None:
    crosstie.answer("lists.list_records", listed())
    _, first, second, third, number, more = crosstie.run("records", "CUSTOMER").stdout.splitlines()
    assert first.split() == ["10000", "Adatum", "skipped", "Adatum", "Ltd", "refused"]
    assert "not coupled, outside of the filter" in second
    assert "Gone (deleted)" in third
    assert (number, more) == ("3 records of CUSTOMER.", "There may be more: --after place")
    found = crosstie.json("records", "CUSTOMER")
    assert (found["rows"][0]["values"], found["following"]) == ({"city": "Ely"}, "place")


def test_the_options_of_a_list_reach_the_use_case(crosstie: Crosstie) -> None:
    crosstie.answer("lists.list_records", listed(rows=[], following=None))
    args = ("--remote", "--search", "ada", "--state", "skipped", "--state", "not_coupled", "--sort", "-name")
    more = ("--limit", "7", "--after", "place", "--field", "city")
    assert crosstie.run("records", "CUSTOMER", *args, *more).stdout == "0 records of CUSTOMER.\n"
    ((_, (_, *given), options),) = crosstie.calls
    assert given == ["CUSTOMER", Side.REMOTE]
    assert options == {
        "search": "ada",
        "states": ("skipped", "not_coupled"),
        "sort": "-name",
        "fields": ("city",),
        "size": 7,
        "after": "place",
    }


def test_counts_by_state(crosstie: Crosstie) -> None:
    counts = RecordCounts(
        mapping="CUSTOMER",
        side=Side.LOCAL,
        total=1234,
        coupled=1000,
        not_coupled=234,
        by_state={"in_step": 990, "skipped": 10},
        problems={"refused": 10},
    )
    crosstie.answer("lists.count_records", counts)
    lines = crosstie.run("records", "CUSTOMER", "--count").stdout.splitlines()
    assert lines[0] == "CUSTOMER, local records: 1,234"
    assert [line.split(maxsplit=1) for line in lines[1:]] == [
        ["990", "in step"],
        ["10", "skipped"],
        ["234", "not coupled"],
        ["10", "with problem refused"],
    ]
    assert crosstie.json("records", "CUSTOMER", "--count")["not_coupled"] == 234


def test_the_states_on_offer_are_those_there_are() -> None:
    assert set(STATES) == {NOT_COUPLED, *(state.value for state in CouplingState)}


def test_a_state_that_there_is_not_is_wrong_use(crosstie: Crosstie) -> None:
    assert crosstie.json("records", "CUSTOMER", "--state", "asleep", code=2)["error"]["code"] == "usage"
