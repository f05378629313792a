"""A sandbox, a process that starts processes, and a prepared home, shared by the tests of this folder."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crosstie.app.home import open_home
from crosstie.sandbox.launch import Sandbox, running_sandbox
from tests.crash.works import connect
from tests.crash.world import World

ROOT = Path(__file__).resolve().parents[2]


class Processes:
    """Runs works in processes of their own, which may be killed at a point.

    Unless CROSSTIE_EVERY_POINT is set (`make long`), the metadata of the systems are read once for all processes.
    """

    def __init__(self, metadata: Path) -> None:
        self._metadata = None if os.environ.get("CROSSTIE_EVERY_POINT") else str(metadata)
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, home: Path, work: str, kill_at: int | None = None) -> dict[str, Any]:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        order = {"home": str(home), "work": work, "kill_at": kill_at, "metadata": self._metadata}
        self._zygote.stdin.write(json.dumps(order) + "\n")
        self._zygote.stdin.flush()
        return json.loads(self._zygote.stdout.readline())

    def close(self) -> None:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.close()
        self._zygote.wait(timeout=10)
        self._zygote.stdout.close()


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    found = Processes(tmp_path_factory.mktemp("metadata"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="empty") as found:
        yield found


@pytest.fixture(scope="session")
def connected(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with both connections and the standard mappings."""
    folder = tmp_path_factory.mktemp("connected")
    with open_home(folder) as home:
        asyncio.run(connect(home, sandbox.info()))
    return folder


@pytest.fixture
def world(sandbox: Sandbox, connected: Path, tmp_path: Path) -> World:
    return World(sandbox, connected, tmp_path)
