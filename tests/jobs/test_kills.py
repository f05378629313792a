"""Kill a process in the middle of a job: another one goes on, and the end is that of a run that nobody disturbed."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from crosstie.app.home import Home, open_home
from crosstie.app.jobs import enqueue, job_status
from crosstie.app.session import open_session
from crosstie.app.synchronising import synchronise
from crosstie.engine.context import Report
from crosstie.engine.planning import order_mappings
from crosstie.model.jobs import Counters, JobState
from crosstie.sandbox.launch import Sandbox
from tests.flow.desks import BusinessCentralDesk, DataverseDesk
from tests.jobs.conftest import DATABASES, connect, copied
from tests.jobs.processes import finished, kill, owner_of, processes, until

pytestmark = pytest.mark.xdist_group("jobs")
Desks = tuple[BusinessCentralDesk, DataverseDesk]
LONG = bool(os.environ.get("CROSSTIE_EVERY_POINT"))
"""`make long`."""
MANY = 10_000 if LONG else 1100
"""More than a page."""
SOME = 300


def fill(desks: Desks, number: int) -> None:
    """Empty both systems, and put customers into Business Central that have no partner."""
    for desk in desks:
        desk.start_over()
    bc = desks[0]
    rows = [{"number": f"C{n:05}", "displayName": f"Company {n:05}", "phoneNumber": str(n)} for n in range(number)]
    bc.add_many("customers", rows)
    for desk in desks:
        desk.forget_requests()


def content(desks: Desks) -> dict[str, list[Any]]:
    """Return what both systems hold, in business values and in order."""
    bc, dv = desks
    customers = [(row["number"], row["displayName"], row["phoneNumber"], row["city"]) for row in bc.rows("customers")]
    accounts = [(row["name"], row["telephone1"], row["address1_city"]) for row in dv.rows("accounts")]
    return {"customers": sorted(customers), "accounts": sorted(accounts, key=str)}


def coupled(home: Home, desks: Desks) -> list[tuple[str, str | None, str | None, str]]:
    """Return the couplings by the names of their records."""
    with home.store.begin() as unit:
        found = [each for mapping in unit.mappings() for each in unit.couplings.page(mapping.name, limit=20_000)]
        assert [intent for mapping in unit.mappings() for intent in unit.intents(mapping.name)] == []
    return sorted(((c.mapping, c.local_key or c.local_name, c.remote_name, c.state.value) for c in found), key=str)


def undisturbed(template: Path, folder: Path, desks: Desks, mapping: str | None, **options: Any) -> Any:
    """Run to the end what the test will disturb; return what is there then, and what was counted."""
    with copied(template, folder / "undisturbed") as home:

        async def run() -> list[Report]:
            async with open_session(home) as session:
                return await synchronise(session, mapping, **options)

        reports = asyncio.run(run())
        counted = {each.mapping: (each.to_remote, each.from_remote) for each in reports}
        return counted, content(desks), coupled(home, desks)


def partners(number: int) -> tuple[Any, Any]:
    """Return content and couplings after as many customers have got their partners, and nobody has disturbed that."""
    customers = [(f"C{n:05}", f"Company {n:05}", str(n), "") for n in range(number)]
    accounts = [(name, phone, None) for _, name, phone, _ in customers]
    couplings = [("CUSTOMER", key, name, "in_step") for key, name, *_ in customers]
    return {"customers": customers, "accounts": accounts}, couplings


def slow(desks: Desks, seconds: float) -> None:
    """Have writes take their time, so that there is a middle of the job."""
    for desk in desks:
        desk.fault("slow", seconds=seconds, times=None, path=r"\$batch")


@pytest.mark.parametrize("database", DATABASES)
def test_another_worker_goes_on_with_what_a_killed_one_was_at(
    database: str,
    request: pytest.FixtureRequest,
    jobs_sandbox: Sandbox,
    desks: Desks,
    tmp_path: Path,
) -> None:
    """Two workers; the one at work is killed in the middle of a page."""
    fill(desks, SOME)
    address = str(tmp_path / "home" / "crosstie.db")
    if database == "postgresql":
        address = request.getfixturevalue("fresh_postgres")
    with open_home(tmp_path / "home", address) as home:
        connect(home, jobs_sandbox)
        slow(desks, 0.5)
        with processes(home, tmp_path) as run:
            workers = {worker.pid for worker in (run.worker(), run.worker())}
            job = enqueue(home, "synchronise", {"mapping": "CUSTOMER", "create": True})
            _kill_after_more_batches(home, desks, job.id, 1, workers)
            for desk in desks:
                desk.heal()
            done = finished(home, job.id)
            assert len(workers) == 1
        assert (done.job.state, done.job.message) == (JobState.FINISHED, ""), run.log.read_text()
        assert done.job.recoveries == 1
        # What the dead process had created, and not recorded, counts once, too.
        assert (done.job.to_remote, done.job.from_remote) == (Counters(inserted=SOME), Counters())
        assert (content(desks), coupled(home, desks)) == partners(SOME)


def _kill_after_more_batches(home: Home, desks: Desks, job_id: int, number: int, workers: set[int]) -> Any:
    """Kill the worker that runs a job once it has sent some more batches; return the job as it was then."""
    until(lambda: owner_of(home, job_id) in workers, why="no worker took the job")
    before = desks[1].requests().batches
    until(lambda: desks[1].requests().batches >= before + number, why="the job did not go on")
    job = job_status(home, job_id).job
    pid = owner_of(home, job_id)
    kill(pid)
    workers.discard(pid)
    assert job.goes_on
    return job


def test_a_killed_synchronisation_of_all_mappings_goes_on_where_it_was(
    template: Path, desks: Desks, tmp_path: Path
) -> None:
    for desk in desks:
        desk.start_over("demo")
    expected = undisturbed(template, tmp_path, desks, None, create=True)
    for desk in desks:
        desk.start_over("demo")
    slow(desks, 0.15)
    with copied(template, tmp_path / "home") as home, processes(home, tmp_path) as run:
        job = enqueue(home, "synchronise", {"create": True})
        worker = run.worker()
        until(lambda: "CUSTOMER" in {part.mapping for part in job_status(home, job.id).parts}, why="no part began")
        _kill_after_more_batches(home, desks, job.id, 1, {worker.pid})
        for desk in desks:
            desk.heal()
        run.worker()
        done = finished(home, job.id)
        assert (done.job.state, done.job.recoveries) == (JobState.FINISHED, 1), run.log.read_text()
        assert [part.mapping for part in done.parts] == [each.name for each in _mappings(home)], "one part each"
        assert {part.state for part in done.parts} == {JobState.FINISHED}
        assert sum(part.recoveries for part in done.parts) == 1
        counted = {part.mapping: (part.to_remote, part.from_remote) for part in done.parts}
        assert (counted, content(desks), coupled(home, desks)) == expected


def _mappings(home: Home) -> Sequence[Any]:
    with home.store.begin() as unit:
        return order_mappings(mapping for mapping in unit.mappings() if mapping.enabled)


def test_a_killed_server_goes_on_with_its_jobs_when_it_is_started_again(
    template: Path, desks: Desks, tmp_path: Path
) -> None:
    fill(desks, MANY)
    slow(desks, 0.2)
    with copied(template, tmp_path / "home") as home, processes(home, tmp_path) as run:
        job = enqueue(home, "synchronise", {"mapping": "CUSTOMER", "create": True})
        server, _ = run.server()
        until(lambda: owner_of(home, job.id), why="the server's worker took nothing")
        until(lambda: desks[1].requests().batches >= (5 if LONG else 3), why="the job did not go on")
        worker = owner_of(home, job.id)
        assert worker not in (0, server.pid)
        assert job_status(home, job.id).job.expected == MANY
        kill(server.pid)
        kill(worker)
        for desk in desks:
            desk.heal()
        assert job_status(home, job.id).job.goes_on
        run.server()
        done = finished(home, job.id, seconds=600)
        assert (done.job.state, done.job.message) == (JobState.FINISHED, ""), run.log.read_text()
        assert done.job.recoveries == 1
        assert (done.job.to_remote, done.job.from_remote) == (Counters(inserted=MANY), Counters())
        assert (content(desks), coupled(home, desks)) == partners(MANY)
