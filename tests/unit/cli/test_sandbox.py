"""`sandbox` and `demo`: starting, announcing, connecting, ending."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crosstie.api.serving import Serving
from crosstie.app.demo import DemoReport, MappingFigures
from crosstie.model.errors import InvalidConnection
from crosstie.sandbox.data import DataError
from tests.unit.cli.conftest import Crosstie

INFO = {
    "business_central": {"api": "http://bc", "company_id": "c"},
    "dataverse": {"api": "http://dv"},
    "token_url": "http://bc/token",
    "tenant_id": "t",
    "client_id": "i",
    "client_secret": "s",
}


class Stand:
    """Stands in for the running sandbox and notes how it was started and whether it was ended."""

    def __init__(self, folder: Path) -> None:
        (folder / "ca.pem").write_text("certificate")
        self.info = {**INFO, "ca": str(folder / "ca.pem")}
        self.args: tuple[Any, ...] = ()
        self.ended = False
        self.served: Any = None

    @contextmanager
    def running(self, *args: Any) -> Iterator[Any]:
        self.args = args
        try:
            yield SimpleNamespace(
                info=lambda: self.info,
                business_central=SimpleNamespace(api="http://bc"),
                dataverse=SimpleNamespace(api="http://dv"),
            )
        finally:
            self.ended = True

    def serve(self, home: Any, *, ready: Any, site: Any, **options: Any) -> None:
        self.served = site
        ready(Serving(address="http://127.0.0.1:8765", first_link=None))


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    made = Stand(tmp_path_factory.mktemp("sandbox"))
    monkeypatch.setattr("crosstie.sandbox.launch.running_sandbox", made.running)
    # The wait for an interruption ends by one.
    wait = SimpleNamespace(wait=lambda: os.kill(os.getpid(), signal.SIGINT))
    monkeypatch.setattr("crosstie.cli.commands.sandbox.threading", SimpleNamespace(Event=lambda: wait))
    monkeypatch.setattr("crosstie.api.serving.serve", made.serve)
    return made


def test_the_sandbox_announces_itself_in_one_line_and_ends_in_order(crosstie: Crosstie, stand: Stand) -> None:
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert crosstie.json("sandbox", "--data", "generate:10", "--seed", "5", "--port-dataverse", "99") == stand.info
    assert stand.args == ("generate:10", None, {"business_central": 0, "dataverse": 99}, 5)
    assert stand.ended
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_people_are_told_beside_the_line(crosstie: Crosstie, stand: Stand) -> None:
    result = crosstie.run("sandbox")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == stand.info
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr.splitlines()[-1] == "Ctrl-C ends it."
    assert stand.args[0] is None


def test_connect_stores_both_connections_before_the_line_is_printed(
    crosstie: Crosstie, stand: Stand, tmp_path: Path
) -> None:
    crosstie.answer("connections.connect_pair", ["CURRENCY", "CUSTOMER"])
    result = crosstie.run("sandbox", "--connect", "--home", str(tmp_path))
    assert "Connected. Mappings: CURRENCY, CUSTOMER." in result.stderr
    ((_, (_, local, remote), _),) = crosstie.calls
    assert (local.address, remote.address, local.secret) == ("http://bc", "http://dv", "s")
    assert crosstie.homes == [(tmp_path, None)]


def test_the_connections_outlive_the_certificates_of_the_sandbox(
    crosstie: Crosstie, stand: Stand, tmp_path: Path
) -> None:
    crosstie.answer("connections.connect_pair", [])
    crosstie.json("sandbox", "--connect", "--home", str(tmp_path))
    for connection in crosstie.calls[0][1][1:]:
        assert connection.settings["ca"] == str(tmp_path / "sandbox-ca.pem")
    assert (tmp_path / "sandbox-ca.pem").read_text() == "certificate"


def test_a_sandbox_that_cannot_be_connected_ends_with_the_reason(
    crosstie: Crosstie, stand: Stand, tmp_path: Path
) -> None:
    crosstie.answer("connections.connect_pair", InvalidConnection("dataverse: Clock: 3 hours behind."))
    assert (
        crosstie.json("sandbox", "--connect", "--home", str(tmp_path), code=2)["error"]["code"] == "invalid-connection"
    )
    assert stand.ended


def test_a_data_set_that_is_none_is_wrong_use(crosstie: Crosstie, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise DataError("the data set 'x' is not known")

    monkeypatch.setattr("crosstie.sandbox.launch.running_sandbox", refuse)
    error = crosstie.json("sandbox", "--data", "x", code=2)["error"]
    assert error["words"] == "The sandbox cannot start: the data set 'x' is not known."


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_real_sandbox_serves_until_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "crosstie.cli", "sandbox", "--data", "empty", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, text=True)
    assert process.stdout is not None
    try:
        info = json.loads(process.stdout.readline())
        assert info["dataverse"]["api"].startswith("http://127.0.0.1:")
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (0, "", "")


# --- demo -------------------------------------------------------------------------------------------------


def outcome(*, in_step: bool = True) -> DemoReport:
    return DemoReport(
        mappings=[MappingFigures(name="CUSTOMER", coupled=80, inserted=2)],
        checked_records=82,
        checked_fields=984,
        differences=[],
        problems=[],
        in_step=in_step,
        requests={"business-central": 1200, "dataverse": 30},
        seconds=4.2,
    )


def demo(report: DemoReport) -> Any:
    def run(home: Any, sandbox: Any, tell: Any) -> DemoReport:
        assert sandbox["client_secret"] == "s"
        tell("Matching \x1b[1m")
        return report

    return run


def test_the_demo_tells_what_happens_and_ends_with_the_figures(crosstie: Crosstie, stand: Stand) -> None:
    crosstie.answer("demo.run_demo", demo(outcome()))
    result = crosstie.run("demo")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == r"Matching \x1b[1m"
    assert lines[-2].split() == ["CUSTOMER", "80", "2", "0", "0", "0", "0"]
    assert lines[-1] == "Requests: 1,200 to business-central, 30 to dataverse. 4.2 seconds."
    assert "http://127.0.0.1:8765/problems" in result.stderr
    assert stand.served.welcomes_visitors
    assert stand.ended


def test_the_demo_has_folders_of_its_own(crosstie: Crosstie, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSTIE_STORE", "postgresql://real/one")
    crosstie.answer("demo.run_demo", demo(outcome()))
    crosstie.json("demo", "--home", "mine")
    ((folder, store),) = crosstie.homes
    assert folder != Path("mine")
    assert Path(store).parent == folder
    assert stand.args[:2] == ("demo", folder.parent / "sandbox")
    assert not folder.parent.exists()


def test_the_document_of_the_demo(crosstie: Crosstie, stand: Stand) -> None:
    crosstie.answer("demo.run_demo", demo(outcome(in_step=False)))
    found = crosstie.json("demo", code=1)
    assert (found["in_step"], found["checked_fields"], found["differences"]) == (False, 984, [])
    assert found["mappings"][0]["name"] == "CUSTOMER"
    assert stand.ended


@pytest.mark.parametrize(
    ("options", "served"), [(["--once"], False), (["--json", "--stay"], True), (["--json"], False)]
)
def test_the_demo_ends_by_itself_where_it_is_told_to_and_with_a_document(
    crosstie: Crosstie, stand: Stand, options: list[str], served: bool
) -> None:
    crosstie.answer("demo.run_demo", demo(outcome()))
    assert crosstie.run("demo", *options).exit_code == 0
    assert (stand.served is not None) is served
