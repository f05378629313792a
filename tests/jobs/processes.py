"""Workers and servers as processes of their own, which may be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from crosstie.app.home import Home
from crosstie.app.jobs import JobStatus, job_status


def start(home: Home, log: Path, *command: str) -> "subprocess.Popen[str]":
    """Start a command of a home; what it logs goes to a file, what it says can be read."""
    environment = {**os.environ, "CROSSTIE_HOME": str(home.folder), "CROSSTIE_STORE": home.store_address}
    with log.open("a") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "crosstie.cli", *command, "--json"],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )


class Processes:
    """The processes of a test, all of which are gone at its end."""

    def __init__(self, home: Home, folder: Path) -> None:
        self._home = home
        self.log = folder / "processes.log"
        self._running: list[subprocess.Popen[str]] = []

    def worker(self) -> "subprocess.Popen[str]":
        """Start a worker that leaves schedules alone; it is not ready yet."""
        return self._keep(start(self._home, self.log, "worker", "--no-schedule"))

    def server(self) -> tuple["subprocess.Popen[str]", Any]:
        """Start a server, and return it with what it said when it was ready."""
        process = self._keep(start(self._home, self.log, "serve", "--port", "0"))
        assert process.stdout is not None
        answer = said(process.stdout)
        assert "address" in answer, answer
        return process, answer

    def end(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def _keep(self, process: "subprocess.Popen[str]") -> "subprocess.Popen[str]":
        self._running.append(process)
        return process


@contextmanager
def processes(home: Home, folder: Path) -> Iterator[Processes]:
    found = Processes(home, folder)
    try:
        yield found
    finally:
        found.end()


def said(stream: IO[str]) -> Any:
    """Return the JSON document that a process says when it is ready."""
    text = ""
    for line in stream:
        text += line
        try:
            return json.loads(text)
        except ValueError:
            continue
    raise AssertionError(f"the process said nothing but {text!r}")


def until(what: Callable[[], Any], *, seconds: float = 90, why: str = "it did not happen") -> Any:
    """Wait until something is so, and return it."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, why
        time.sleep(0.1)
    return found


def finished(home: Home, job_id: int, *, seconds: float = 150) -> JobStatus:
    """Wait until a job is over, and return it."""

    def over() -> JobStatus | None:
        status = job_status(home, job_id)
        return None if status.job.goes_on else status

    found: JobStatus = until(over, seconds=seconds, why=f"job {job_id} went on: {job_status(home, job_id)}")
    return found


def owner_of(home: Home, job_id: int) -> int:
    """Return the number of the process that runs a job; 0 while none does."""
    job = job_status(home, job_id).job
    return int(job.owner.split("/")[1]) if job.state == "running" else 0


def kill(pid: int) -> None:
    """End a process as the power does."""
    os.kill(pid, signal.SIGKILL)
