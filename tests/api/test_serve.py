"""`crosstie serve` as a process: it says where it answers, lets the first administrator in, and ends in order."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import PASSWORD


@contextmanager
def started(home: Path, *args: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Start a server; give the process and what it said when it was ready."""
    command = [sys.executable, "-m", "crosstie.cli", "serve", "--json", "--home", str(home), "--port", "0", *args]
    environment = {name: value for name, value in os.environ.items() if name != "CROSSTIE_STORE"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        yield process, json.loads(_document(process))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _document(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        try:
            json.loads(text)
        except ValueError:
            continue
        return text
    raise AssertionError(f"the server said nothing: {process.communicate()[1]}")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_first_start_gives_a_code_for_the_administrator_and_the_next_one_none(
    tmp_path: Path, end: signal.Signals
) -> None:
    with started(tmp_path, "--log-requests") as (process, said):
        body = {"link": said["first_link"], "name": "Anna", "password": PASSWORD}
        answer = httpx.post(f"{said['address']}/api/v1/join", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        process.send_signal(end)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    [line] = [json.loads(line) for line in errors.splitlines() if '"request"' in line]
    assert (line["path"], line["status"], line["logger"]) == ("/api/v1/join", 200, "crosstie.access")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert PASSWORD not in errors
    assert said["first_link"] not in errors
    if end is signal.SIGTERM:
        with started(tmp_path, "--no-worker") as (_, again):
            assert again["first_link"] is None


def test_requests_are_logged_only_if_somebody_asks_for_it(tmp_path: Path) -> None:
    with started(tmp_path, "--no-worker") as (process, said):
        assert httpx.get(f"{said['address']}/sign-in", timeout=30).status_code == 200
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=60)
    assert (out, errors) == ("", "")


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "crosstie.cli", "serve", "--home", str(tmp_path), "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr
