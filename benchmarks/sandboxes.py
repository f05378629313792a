"""A sandbox in a process of its own, with its orders and counts, and somebody who works in it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.measuring import ROOT, cpu_of

_START_SECONDS = 600


class Running:
    """A sandbox that serves. `info` is its ready line."""

    def __init__(self, process: "subprocess.Popen[bytes]", info: dict[str, Any]) -> None:
        self.process = process
        self.info = info

    @property
    def cpu(self) -> float:
        """CPU seconds that both servers together have used so far; 0 where the system does not tell."""
        return cpu_of(self.process.pid) or 0.0

    def load(self, data: str) -> None:
        """Empty both systems and fill them with a data set."""
        for system in ("business_central", "dataverse"):
            order(self.info, system, "reset", {"all": True})
            order(self.info, system, "load", {"data": data})


def order(info: dict[str, Any], system: str, name: str, body: dict[str, Any] | None = None, method: str = "") -> Any:
    """Give one of a sandbox's systems an order and return its answer."""
    request = urllib.request.Request(
        f"{info[system]['control']}/{name}",
        data=None if body is None else json.dumps(body).encode(),
        method=method or ("GET" if body is None else "POST"),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=_START_SECONDS) as answer:
        return json.load(answer)


@contextmanager
def sandbox(data: str) -> Iterator[Running]:
    """Start both systems in one process of their own, filled with a data set, and stop them afterwards."""
    command = [sys.executable, "-m", "crosstie.sandbox", "--data", data, "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None, "a pipe was asked for"
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sandbox did not start with {data}")
        try:
            yield Running(process, json.loads(line))
        finally:
            process.terminate()
            process.wait(timeout=30)
