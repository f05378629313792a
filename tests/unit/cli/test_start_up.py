"""What is imported when: help, mistakes and lists answer without waiting for what they do not use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
from crosstie.cli.root import cli
try:
    cli.main(sys.argv[1:], prog_name="crosstie")
finally:
    with open({report!r}, "w") as file:
        json.dump(sorted(sys.modules), file)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def modules_after(tmp_path: Path, *args: str, home: Path | None = None) -> set[str]:
    """Run a command line in a process of its own and return the modules that it has loaded in the end."""
    report = tmp_path / "modules.json"
    environment = {**os.environ, "CROSSTIE_HOME": str(home or tmp_path)}
    environment.pop("CROSSTIE_STORE", None)
    subprocess.run(
        [sys.executable, "-c", SCRIPT.format(report=str(report)), *args],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return set(json.loads(report.read_text()))


NEVER_FOR_HELP = {
    *("aiohttp", "alembic", "asyncio", "cryptography", "msgspec", "odata_query", "rich", "sqlalchemy", "structlog"),
    *("uvicorn", "yaml", "crosstie.app", "crosstie.engine", "crosstie.sandbox", "crosstie.store", "crosstie.systems"),
}


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("--version",),
        ("sync", "--help"),
        ("mapping", "--help"),
        ("sandbox", "--help"),
        ("demo", "--help"),
        ("user", "invite", "--help"),
        ("token", "create", "--help"),
        ("sync", "CUSTOMER", "--direction", "sideways"),
        ("no-such-command",),
    ],
)
def test_help_and_mistakes_load_click_and_nothing_heavy(tmp_path: Path, args: tuple[str, ...]) -> None:
    assert modules_after(tmp_path, *args) & NEVER_FOR_HELP == set()


@pytest.mark.parametrize(
    "args",
    [
        *(("mapping", "list"), ("connection", "list"), ("problems", "--json"), ("jobs",)),
        *(("user", "list"), ("user", "invite", "anna"), ("token", "create", "export", "--role", "viewer")),
    ],
)
def test_what_only_reads_the_store_loads_no_client_and_no_server(
    tmp_path: Path, home: Path, args: tuple[str, ...]
) -> None:
    loaded = modules_after(tmp_path, *args, home=home)
    assert "crosstie.store.opening" in loaded
    assert loaded & {"aiohttp", "argon2", "rich", "structlog", "uvicorn", "crosstie.sandbox"} == set()
    assert [name for name in loaded if name.startswith("crosstie.systems.") and name != "crosstie.systems.base"] == []
