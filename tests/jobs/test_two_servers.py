"""Two servers, each with its worker, over one store: each job once, each schedule once, one session for both."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from crosstie.api.door import SESSION_COOKIE
from crosstie.app.home import Home, open_home
from crosstie.app.jobs import list_schedules, pause_schedule, resume_schedule
from crosstie.app.people.acting import People, command_line
from crosstie.app.people.joining import invite, join
from crosstie.app.people.tokens import create_token
from crosstie.model.jobs import Counters, Job, JobState
from crosstie.model.people import Role
from crosstie.sandbox.launch import Sandbox
from tests.flow.desks import BusinessCentralDesk, DataverseDesk
from tests.jobs.conftest import DATABASES, connect
from tests.jobs.processes import finished, kill, owner_of, processes, until
from tests.jobs.test_kills import content, coupled, fill, partners, slow

pytestmark = pytest.mark.xdist_group("jobs")
Desks = tuple[BusinessCentralDesk, DataverseDesk]
MANY = 300


def all_jobs(home: Home) -> list[Job]:
    with home.store.begin() as unit:
        return unit.jobs(limit=1000)


def signed_in(home: Home) -> str:
    """Return the secret of a session of a new administrator."""
    people = People(home.store)
    link = invite(people, command_line(), "ada", Role.ADMINISTRATOR)
    return join(people, link.secret or "", "four words and a number 7").secret or ""


def opens(address: str, session: str) -> bool:
    """Whether a server lets a session in."""
    with httpx.Client(cookies={SESSION_COOKIE: session}, timeout=60, trust_env=False) as client:
        return client.get(f"{address}/jobs").status_code == 200


def asks(address: str, token: str, key: str) -> httpx.Response:
    """Ask a server over REST to synchronise what changed, under a key that a repeated request has as well."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    path = f"{address}/api/v1/mappings/CUSTOMER/synchronise"
    return httpx.post(path, headers=headers, json={"create": True}, timeout=60, trust_env=False)


@pytest.mark.parametrize("database", DATABASES)
def test_two_servers_work_side_by_side_and_one_goes_on_alone(
    database: str, request: pytest.FixtureRequest, jobs_sandbox: Sandbox, desks: Desks, tmp_path: Path
) -> None:
    fill(desks, MANY)
    address = str(tmp_path / "home" / "crosstie.db")
    if database == "postgresql":
        address = request.getfixturevalue("fresh_postgres")
    with open_home(tmp_path / "home", address) as home:
        connect(home, jobs_sandbox)
        pause_schedule(home)
        session = signed_in(home)
        token = create_token(People(home.store), command_line(), "script", Role.OPERATOR).secret
        with processes(home, tmp_path) as run:
            servers = [run.server() for _ in range(2)]
            at = [said["address"] for _, said in servers]
            assert [opens(each, session) for each in at] == [True, True]
            _each_schedule_runs_once(home)
            _the_second_is_told_of_the_first(home, desks, at, token)
            _the_other_one_goes_on(home, desks, {int(server.pid): server for server, _ in servers}, run.log)
            assert sum(opens_still(each, session) for each in at) == 1
        assert (content(desks), coupled(home, desks)) == partners(MANY)


def _each_schedule_runs_once(home: Home) -> None:
    """Both workers look at the schedules, all of which are due at once."""
    until(lambda: list_schedules(home).workers == 2, why="a server has no worker")
    resume_schedule(home)
    names = sorted(view.mapping for view in list_schedules(home).schedules)
    until(lambda: len(all_jobs(home)) >= len(names) and not any(job.goes_on for job in all_jobs(home)))
    assert sorted(job.mapping for job in all_jobs(home)) == names
    assert {(job.state, job.recoveries) for job in all_jobs(home)} == {(JobState.FINISHED, 0)}


def _the_second_is_told_of_the_first(home: Home, desks: Desks, at: list[str], token: str) -> None:
    """The same wish at both servers is one job; the same request with its key is not even refused."""
    before = len(all_jobs(home))
    slow(desks, 1)
    first = asks(at[0], token, "one")
    assert first.status_code == 202, first.text
    number = first.json()["id"]
    assert asks(at[1], token, "one").json()["id"] == number
    second = asks(at[1], token, "two")
    assert (second.status_code, second.json()["code"]) == (409, "job-running")
    assert f"Job {number} of mapping CUSTOMER" in second.json()["detail"]
    assert len(all_jobs(home)) == before + 1


def _the_other_one_goes_on(home: Home, desks: Desks, servers: dict[int, Any], log: Path) -> None:
    """The server whose worker is at the job is killed."""
    job = next(job for job in all_jobs(home) if job.goes_on)
    worker = until(lambda: owner_of(home, job.id), why="nobody took the job")
    until(lambda: desks[1].requests().batches, why="the job did not go on")
    parent = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    kill(worker)
    kill(parent)
    for desk in desks:
        desk.heal()
    done = finished(home, job.id).job
    assert (done.state, done.message, done.recoveries) == (JobState.FINISHED, "", 1), log.read_text()
    assert (done.to_remote, done.from_remote) == (Counters(inserted=MANY), Counters())
    assert parent in servers


def opens_still(address: str, session: str) -> bool:
    try:
        return opens(address, session)
    except httpx.TransportError:
        return False
