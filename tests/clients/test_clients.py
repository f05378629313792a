"""Clients that nobody here wrote, each in an environment of its own, against both sandboxes.

Each script prints a report of its steps; a test looks at every one of them.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from crosstie.sandbox.launch import Sandbox, running_sandbox

from .environments import MissingTool, node_environment, python_environment

SCRIPTS = Path(__file__).parent / "scripts"
pytestmark = pytest.mark.xdist_group("clients")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="demo") as running:
        yield running


def python(name: str, requirements: Sequence[str], least: tuple[int, int] = (3, 11)) -> Path:
    try:
        return python_environment(name, requirements, least)
    except MissingTool as missing:
        pytest.skip(str(missing))


def report(command: Sequence[object], **environment: str) -> list[dict[str, Any]]:
    """The steps of a client script; fails the test where it broke down."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120, env={**kept, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    steps: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])
    failed = [step for step in steps if not step["ok"]]
    assert not failed, json.dumps(failed, indent=1) + done.stderr
    return steps


def test_the_official_python_sdk_for_dataverse(sandbox: Sandbox) -> None:
    interpreter = python("dataverse-sdk", ["powerplatform-dataverse-client==1.1.0", "azure-core==1.41.0"])
    steps = report(
        [interpreter, SCRIPTS / "dataverse_sdk.py", sandbox.dataverse.base_tls],
        REQUESTS_CA_BUNDLE=str(sandbox.certificates.ca),
    )
    assert len(steps) >= 30


def test_the_most_used_javascript_client_of_dataverse(sandbox: Sandbox) -> None:
    try:
        modules = node_environment("dynamics-web-api", ["dynamics-web-api@2.5.0"])
    except MissingTool as missing:
        pytest.skip(str(missing))
    steps = report(["node", SCRIPTS / "dynamics_web_api.js", sandbox.dataverse.base], NODE_PATH=str(modules))
    assert len(steps) >= 30


def test_the_client_generated_from_the_openapi_of_business_central(sandbox: Sandbox) -> None:
    interpreter = python("business-central-models", ["pybusinesscentral==3.10.0"])
    steps = report([interpreter, SCRIPTS / "business_central_models.py", sandbox.business_central.api])
    assert len(steps) >= 12


@pytest.mark.parametrize("system", ["business_central", "dataverse"])
def test_a_strict_generic_odata_client(sandbox: Sandbox, system: str) -> None:
    interpreter = python("generic-odata", ["odatapy[client]==5.3.0"], least=(3, 12))
    root = sandbox.dataverse.api if system == "dataverse" else sandbox.business_central.api
    steps = report([interpreter, SCRIPTS / "generic_odata.py", system, root])
    assert len(steps) >= 12
