"""The sandbox as a process and as a context, with both real systems."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crosstie.sandbox.data import COMPANY_ID
from crosstie.sandbox.launch import LaunchError, Sandbox, running_sandbox

from .client import ask

Info = dict[str, Any]


@contextmanager
def process(*options: str) -> Iterator[tuple["subprocess.Popen[str]", Info]]:
    """``python -m crosstie.sandbox`` with these options, once it has printed its ready line."""
    with subprocess.Popen(
        [sys.executable, "-m", "crosstie.sandbox", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            yield running, json.loads(running.stdout.readline())
        finally:
            if running.poll() is None:
                running.kill()


def refused(options: Sequence[str]) -> str:
    """What a sandbox says that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "crosstie.sandbox", *options], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_line_serves_and_ends_cleanly(number: int) -> None:
    with process("--data", "empty", "--json") as (running, info):
        assert set(info) == {
            "business_central", "dataverse", "token_url", "tenant_id", "client_id", "client_secret", "ca"
        }  # fmt: skip
        assert info["business_central"]["company_id"] == COMPANY_ID
        for system, table in (("business_central", "companies"), ("dataverse", "accounts")):
            assert ask(f"{info[system]['api']}/{table}").status == 200
            assert ask(f"{info[system]['api_tls']}/{table}", ca=info["ca"]).status == 200
        assert Path(info["ca"]).exists()
        running.send_signal(number)
        out, err = running.communicate(timeout=10)
        assert (running.returncode, out, err) == (0, "", "")
        assert not Path(info["ca"]).exists(), "what was temporary is gone"


def test_a_folder_keeps_what_was_written(tmp_path: Path) -> None:
    options = ("--folder", str(tmp_path), "--json")
    body = {"accountid": "0d5d0000-0000-4000-8000-000000000001", "name": "Kept"}
    for start in range(2):
        with process(*options) as (running, info):
            url = f"{info['dataverse']['api']}/accounts"
            if start == 0:
                assert ask(f"{url}(accountnumber='10000')?$select=name").json()["name"] == "Adatum Corporation"
                assert ask(url, "POST", body).status == 204
            else:
                assert ask(f"{url}({body['accountid']})?$select=name").json()["name"] == "Kept"
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=10)
    assert {"business_central.sqlite", "dataverse.sqlite", "ca.pem"} <= set(os.listdir(tmp_path))


def test_a_used_folder_is_filled_anew_on_demand(tmp_path: Path) -> None:
    for data, customers in ((None, 102), ("empty", 0), (None, 0), ("generate:3", 3)):
        sandbox = Sandbox(data, tmp_path)
        assert sandbox.business_central.system.counts()["customers"] == customers
        sandbox.close()


def test_ports_can_be_chosen_and_a_taken_one_is_named() -> None:
    with running_sandbox("empty") as first:
        port = int(first.dataverse.base.rpartition(":")[2])
        assert f"port {port} cannot be used" in refused(["--data", "empty", "--port-dataverse", str(port)])
        with (
            pytest.raises(LaunchError, match=f"port {port} cannot be used"),
            running_sandbox("empty", ports={"dataverse": port}),
        ):
            pytest.fail("it must not start")
    with running_sandbox("empty", ports={"dataverse": port}) as second:
        assert second.dataverse.base.endswith(f":{port}")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "moon"], "unknown data set 'moon'; known: demo, empty, generate:N"),
        (["--data", "generate:x"], "unknown data set"),
        (["--dta", "demo"], "No such option"),
    ],
)
def test_a_wrong_start_is_refused_in_words(options: list[str], words: str) -> None:
    assert words in refused(options)


def test_it_starts_quickly() -> None:
    with running_sandbox("empty"):
        pass
    started = time.process_time()
    with running_sandbox("demo") as sandbox:
        assert sandbox.info()
    assert time.process_time() - started < 1.5


def test_two_sandboxes_do_not_touch_each_other() -> None:
    with running_sandbox("empty") as one, running_sandbox("empty") as other:
        ask(f"{one.dataverse.api}/accounts", "POST", {"name": "Only here"})
        assert len(ask(f"{one.dataverse.api}/accounts").json()["value"]) == 1
        assert ask(f"{other.dataverse.api}/accounts").json()["value"] == []


def test_answers_carry_the_time_of_the_sandboxs_clock() -> None:
    with running_sandbox(data="empty") as sandbox:
        order = urllib.request.Request(
            f"{sandbox.business_central.control_url}/clock",
            data=b'{"now": "2031-02-03T04:05:06Z"}',
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(order).close()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{sandbox.dataverse.api}/accounts")
        assert refused.value.headers["Date"].startswith("Mon, 03 Feb 2031 04:05:0")
        refused.value.close()
