"""The queries on intents, jobs and the journal, on both databases."""

from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crosstie.model.errors import JobRunning
from crosstie.model.jobs import Counters, FieldChange, Job, JobKind, JobState, Outcome
from crosstie.model.mappings import Direction
from crosstie.model.records import Side, WriteKind
from crosstie.model.schema import FieldSchema, FieldType
from crosstie.model.values import Scalar, normalise
from crosstie.store import Store, open_store
from tests.unit.store.values import CUSTOMER, LATER, NOW, entry, intent, start

SCALARS: list[tuple[Scalar, FieldSchema]] = [
    (None, FieldSchema(name="x", type=FieldType.TEXT)),
    ('Größe \N{SNOWMAN} "quoted" \\ \n \0', FieldSchema(name="x", type=FieldType.TEXT)),
    (7, FieldSchema(name="x", type=FieldType.INTEGER)),
    (-(10**30), FieldSchema(name="x", type=FieldType.INTEGER)),
    (True, FieldSchema(name="x", type=FieldType.BOOLEAN)),
    (Decimal("1234567890123456789.12345"), FieldSchema(name="x", type=FieldType.DECIMAL)),
    (Decimal("0.10"), FieldSchema(name="x", type=FieldType.DECIMAL, scale=2)),
    (Decimal("5"), FieldSchema(name="x", type=FieldType.DECIMAL)),
    (Decimal("1E-9"), FieldSchema(name="x", type=FieldType.DECIMAL)),
    (date(2026, 2, 28), FieldSchema(name="x", type=FieldType.DATE)),
    (datetime(2026, 2, 28, 23, 59, 59, 999000, tzinfo=UTC), FieldSchema(name="x", type=FieldType.DATETIME)),
]


@pytest.mark.parametrize(("value", "field"), SCALARS)
def test_values_come_back_equal_once_they_are_normalised(store: Store, value: Scalar, field: FieldSchema) -> None:
    change = FieldChange(field="x", before=value, after=value, lost=value, reason="conflict")
    with store.begin() as unit:
        unit.open_intents([intent(1, values={"x": value})])
        unit.add_journal([entry(1, changes=(change,))])
    with store.begin() as unit:
        [opened] = unit.intents(CUSTOMER)
        [[found]] = [each.changes for each in unit.journal()]
    assert (found.field, found.reason) == ("x", "conflict")
    for stored in (opened.values["x"], found.before, found.after, found.lost):
        assert normalise(stored, field) == value
        assert not isinstance(stored, float)


def test_an_intent_comes_back_as_it_was_stored(store: Store) -> None:
    update = intent(1, values={"name": "Adatum", "creditlimit": Decimal("1000.50")}, expected_version='W/"1"')
    create = intent(2, kind=WriteKind.CREATE, record_id=None, coupling_id=None, source_id="local-2", side=Side.LOCAL)
    with store.begin() as unit:
        unit.open_intents([update, create])
    with store.begin() as unit:
        assert unit.intents(CUSTOMER) == [update, create]


def test_intents_are_listed_oldest_first_by_mapping_and_job_until_they_are_closed(store: Store) -> None:
    with store.begin() as unit:
        unit.open_intents([intent("b", job_id=1), intent("a", job_id=2), intent("c", mapping="CONTACT")])
        unit.open_intents([intent("0", job_id=1)])
    with store.begin() as unit:
        assert [each.id for each in unit.intents(CUSTOMER)] == ["intent-b", "intent-a", "intent-0"]
        assert [each.id for each in unit.intents(CUSTOMER, [1])] == ["intent-b", "intent-0"]
        assert [each.id for each in unit.intents(CUSTOMER, [])] == []
        unit.close_intents(["intent-b", "intent-0", "unknown"])
        assert [each.id for each in unit.intents(CUSTOMER)] == ["intent-a"]
        assert [each.id for each in unit.intents("CONTACT")] == ["intent-c"]


def test_a_thousand_intents_open_and_close(store: Store) -> None:
    with store.begin() as unit:
        unit.open_intents([intent(number) for number in range(1500)])
        assert len(unit.intents(CUSTOMER)) == 1500
        unit.close_intents([f"intent-{number}" for number in range(1500)])
        assert unit.intents(CUSTOMER) == []


def test_a_started_job_is_running_with_empty_counters(store: Store) -> None:
    with store.begin() as unit:
        job = unit.start_job(JobKind.COUPLING, CUSTOMER, Direction.TO_REMOTE, exclusive=True, owner="host-1", now=NOW)
    assert job == Job(
        id=job.id,
        kind=JobKind.COUPLING,
        mapping=CUSTOMER,
        direction=Direction.TO_REMOTE,
        exclusive=True,
        state=JobState.RUNNING,
        owner="host-1",
        started_at=NOW,
        to_remote=Counters(),
        from_remote=Counters(),
    )
    with store.begin() as unit:
        assert unit.running_jobs() == unit.running_jobs(CUSTOMER) == unit.jobs() == [job]
        assert unit.running_jobs("CONTACT") == []


def test_a_second_exclusive_job_of_a_mapping_is_refused_by_name_of_the_first(store: Store) -> None:
    with store.begin() as unit:
        first = start(unit)
        with pytest.raises(JobRunning, match=rf"Job {first} of mapping CUSTOMER .* 2026-11-21 09:30:15 UTC \(host-1\)"):
            start(unit, owner="host-2")
        # Jobs on single records, and those of other mappings, run beside it.
        start(unit, exclusive=False)
        start(unit, exclusive=False)
        start(unit, "CONTACT")
        assert len(unit.running_jobs()) == 4


@pytest.mark.parametrize("ended", [state for state in JobState if state is not JobState.RUNNING])
def test_a_job_that_ended_makes_room_for_the_next(store: Store, ended: JobState) -> None:
    with store.begin() as unit:
        first = start(unit)
        unit.update_job(first, to_remote=Counters(), from_remote=Counters(), state=ended, finished_at=LATER)
        second = start(unit)
        assert [job.id for job in unit.running_jobs()] == [second]


def test_an_update_of_a_job_changes_what_it_names_and_keeps_the_rest(store: Store) -> None:
    to_remote, from_remote = Counters(inserted=1, failed=2), Counters(unchanged=3)
    with store.begin() as unit:
        job = start(unit)
        unit.update_job(job, to_remote=to_remote, from_remote=from_remote, message="half way")
        unit.update_job(job, to_remote=to_remote, from_remote=from_remote)
        [found] = unit.jobs()
        assert (found.state, found.message, found.finished_at) == (JobState.RUNNING, "half way", None)
        assert (found.to_remote, found.from_remote) == (to_remote, from_remote)
        unit.update_job(job, to_remote=to_remote, from_remote=Counters(), state=JobState.FINISHED, finished_at=LATER)
        [found] = unit.jobs()
        assert (found.state, found.finished_at, found.from_remote) == (JobState.FINISHED, LATER, Counters())


def test_jobs_are_listed_newest_first_in_pages(store: Store) -> None:
    with store.begin() as unit:
        ids = [start(unit, CUSTOMER if number % 2 else "CONTACT", exclusive=False) for number in range(6)]
        assert [job.id for job in unit.jobs(limit=4)] == ids[:1:-1]
        assert [job.id for job in unit.jobs(before_id=ids[2])] == ids[1::-1]
        assert [job.id for job in unit.jobs("CONTACT", limit=2)] == [ids[4], ids[2]]


def test_a_journal_entry_comes_back_as_it_was_stored(store: Store) -> None:
    full = entry(1, code="refused", words="No.", changes=(FieldChange(field="name", before="a", after="b"),))
    bare = entry(2, coupling_id=None, local_id=None, side=None, outcome=Outcome.FAILED)
    with store.begin() as unit:
        unit.add_journal([full, bare])
    with store.begin() as unit:
        found = unit.journal()
    assert [msgspec.structs.replace(each, id=0) for each in found] == [bare, full]
    assert found[0].id > found[1].id > 0


def test_the_journal_is_read_newest_first_by_mapping_job_and_record(store: Store) -> None:
    with store.begin() as unit:
        unit.add_journal([entry(1, job_id=1), entry(2, job_id=1), entry(1, job_id=2), entry(1, mapping="CONTACT")])
        everything = unit.journal()
        assert [each.job_id for each in everything] == [1, 2, 1, 1]
        assert [each.name for each in unit.journal(job_id=1, mapping=CUSTOMER)] == ["Customer 2", "Customer 1"]
        assert len(unit.journal(side=Side.LOCAL, record_id="local-1")) == 3
        assert len(unit.journal(side=Side.REMOTE, record_id="remote-1", mapping=CUSTOMER)) == 2
        assert unit.journal(side=Side.REMOTE, record_id="local-1") == []
        assert unit.journal(limit=2) == everything[:2]
        assert unit.journal(before_id=everything[1].id) == everything[2:]


def test_a_record_is_named_with_its_side(store: Store) -> None:
    with store.begin() as unit, pytest.raises(ValueError, match="side"):
        unit.journal(record_id="local-1")


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"outcomes": (Outcome.UNCOUPLED,)}, "journal_uncoupled"),
        ({"mapping": CUSTOMER, "outcomes": (Outcome.UNCOUPLED,)}, "journal_uncoupled_mapping"),
        ({"job_id": 1, "outcomes": (Outcome.FAILED,)}, "journal_job_outcome"),
        ({"job_ids": (1,), "outcomes": (Outcome.FAILED,)}, "journal_job_outcome"),
    ],
)
def test_entries_of_an_outcome_are_found_by_an_index(tmp_path: Path, asked: dict[str, Any], index: str) -> None:
    statements: list[str] = []
    store: Any = open_store(tmp_path / "store.db")
    with closing(store), store.begin() as unit:
        raw = unit._work.connection.connection.driver_connection
        raw.set_trace_callback(statements.append)
        unit.journal(**asked)
        raw.set_trace_callback(None)
        [sql] = [each for each in statements if "FROM journal" in each]
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert len(plan) == 1, "nothing is sorted"
    assert f"INDEX {index}" in plan[0]
