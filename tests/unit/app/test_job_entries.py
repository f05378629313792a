"""What a job did to each record, by outcome, page by page; and matching with criteria of one run."""

from pathlib import Path

import pytest

from crosstie.app.history import list_job_entries, list_jobs
from crosstie.app.home import Home
from crosstie.app.matching import match
from crosstie.model.decisions import Preference
from crosstie.model.errors import UnknownField, UnknownJob
from crosstie.model.jobs import JobState, Outcome
from crosstie.model.records import Side
from tests.unit.app.desk import Desk


@pytest.fixture
def home(desk: Desk, tmp_path: Path) -> Home:
    return Home(folder=tmp_path, store=desk.store, store_address="")


async def test_entries_come_by_outcome_and_page_by_page(desk: Desk, home: Home) -> None:
    pairs = [await desk.pair(str(number)) for number in (1, 2, 3)]
    desk.refuse(Side.REMOTE, "No such phone.", telephone1="bad")
    for pair in pairs[:2]:
        desk.edit(Side.LOCAL, pair.local_id, phoneNumber="5", city="Leeds")
    desk.edit(Side.LOCAL, pairs[2].local_id, phoneNumber="bad")
    report = await desk.sync()
    assert report.job_id is not None
    found = await list_job_entries(home, desk.session, report.job_id)
    assert found.counts == {Outcome.MODIFIED: 2, Outcome.FAILED: 1}
    assert found.undoable == 2
    first = await list_job_entries(home, desk.session, report.job_id, outcome=Outcome.MODIFIED, limit=1)
    [(mapping, entry)] = first.entries
    assert (mapping, {change.label: change.after_words for change in entry.changes}) == (
        "CUSTOMER",
        {"Phone No.": "5", "City": "Leeds"},
    )
    rest = await list_job_entries(
        home, None, report.job_id, outcome=Outcome.MODIFIED, limit=1, before_id=first.before_id
    )
    assert rest.before_id is None
    assert {change.label for change in rest.entries[0][1].changes} == {"telephone1", "address1_city"}, "told plainly"
    failed = await list_job_entries(home, desk.session, report.job_id, outcome=Outcome.FAILED)
    assert "No such phone." in failed.entries[0][1].words
    with pytest.raises(UnknownJob):
        await list_job_entries(home, None, 999)
    assert list_jobs(home, states=[JobState.STOPPED]) == []
    assert list_jobs(home, states=[JobState.FINISHED], limit=1)[0].id == report.job_id


async def test_criteria_of_one_run_are_not_those_of_the_mapping(desk: Desk) -> None:
    desk.world.customer("1", displayName="Adatum", phoneNumber="1")
    desk.world.account("ADATUM", telephone1="2")
    loose = await match(desk.session, "CUSTOMER", groups=[["displayName"]], dry_run=True)
    assert loose.coupled == 1
    strict = await match(
        desk.session, "CUSTOMER", groups=[["displayName"]], case_sensitive=["displayName/name"], dry_run=True
    )
    assert strict.coupled == 0
    assert not any(row.case_sensitive_match for row in desk.session.mapping("CUSTOMER").fields)
    with pytest.raises(UnknownField):
        await match(desk.session, "CUSTOMER", groups=[["displayName"]], case_sensitive=["fax"], dry_run=True)
    await match(desk.session, "CUSTOMER", groups=[["displayName"]], synchronise=True, winner=Preference.GET)
    assert desk.value(Side.LOCAL, desk.coupling("1").local_id, "phoneNumber") == "2"
