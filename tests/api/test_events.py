"""Server-sent events of a job, over real HTTP: how it is at once, every change, and its end."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from crosstie.api.events import job_events
from crosstie.api.figures import Figures
from crosstie.api.rooms import Rooms
from crosstie.app.jobs import cancel_job, run_now
from crosstie.app.people.acting import People
from crosstie.app.sharing import SharedSession
from tests.api.conftest import Served
from tests.api.walking import document

pytestmark = pytest.mark.xdist_group("api")
Event = tuple[str, Any]


def read(answer: httpx.Response) -> Iterator[Event]:
    """Yield the name and the data of each event."""
    name = ""
    for line in answer.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def test_a_watched_job_is_told_at_once_when_it_changes_and_when_it_is_over(served: Served) -> None:
    job = run_now(served.home, "CUSTOMER", asked_by="Anna")
    with served.caller("viewer") as viewer, viewer.stream("GET", f"/api/v1/jobs/{job.id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        told = read(answer)
        name, first = next(told)
        assert (name, first["job"]["state"], first["job"]["asked_by"]) == ("job", "queued", "Anna")
        assert first == served.done("viewer", "GET", f"/api/v1/jobs/{job.id}")
        with served.home.store.begin() as unit:
            unit.background.claim(job, "elsewhere/1/1", job.started_at)
            unit.background.note_expected(job.id, 3000)
            unit.background.note_progress(job.id, 1000, "changes")
        name, second = next(told)
        figures = {each: second["job"][each] for each in ("state", "done", "expected", "phase")}
        assert (name, figures) == ("job", {"state": "running", "done": 1000, "expected": 3000, "phase": "changes"})
        with served.home.store.begin() as unit:
            running = unit.background.job(job.id)
            assert running is not None
            unit.background.close_job(running, running.state.FINISHED, message="", now=job.started_at)
        assert [(name, data["job"]["state"]) for name, data in told] == [("end", "finished")]


def test_a_job_that_is_over_is_told_once(served: Served) -> None:
    job = cancel_job(served.home, run_now(served.home, "CUSTOMER").id)
    answer = served.ask("viewer", "GET", f"/api/v1/jobs/{job.id}/events")
    assert [(name, data["job"]["state"]) for name, data in read(answer)] == [("end", "cancelled")]


def test_what_cannot_be_watched_is_a_problem(common: Served) -> None:
    common.refused("viewer", "GET", "/api/v1/jobs/999999/events", 404, "unknown-job")
    common.refused("viewer", "GET", "/api/v1/jobs/0/events", 422, "invalid-request")
    common.refused(None, "GET", "/api/v1/jobs/1/events", 401, "sign-in-needed")


def test_the_document_says_that_it_is_a_stream(common: Served) -> None:
    operation = document(common)["paths"]["/api/v1/jobs/{job_id}/events"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]


def test_a_server_that_ends_ends_its_streams(served: Served) -> None:
    job = run_now(served.home, "CUSTOMER")
    told: list[Event] = []
    begun = threading.Event()

    def watch() -> None:
        with served.caller("viewer") as viewer, viewer.stream("GET", f"/api/v1/jobs/{job.id}/events") as answer:
            for event in read(answer):
                told.append(event)
                begun.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert begun.wait(10)
    began = time.monotonic()
    served.end()
    watcher.join(10)
    assert not watcher.is_alive()
    assert time.monotonic() - began < 5
    assert [name for name, _ in told] == ["job"]


async def test_a_quiet_line_is_kept_open_by_comments(served: Served) -> None:
    job = run_now(served.home, "CUSTOMER")
    rooms = Rooms(served.home, People(served.home.store), SharedSession(served.home), Figures())
    told = []
    async for message in job_events(rooms, job.id, look=0.01, quiet=0.02):
        told.append(message.encode().decode())
        if len(told) == 3:
            rooms.closing.set()
    assert told[0].startswith("event: job")
    assert told[1:] == [": still there\r\n\r\n"] * 2
