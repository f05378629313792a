"""Environments for clients that must not share the project's own: made on first use, kept in ``.cache/clients``."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "clients"
_INSTALL_SECONDS = 300


class MissingTool(Exception):
    """Something that only the machine can bring is not on it."""


def python_environment(name: str, requirements: Sequence[str], least: tuple[int, int] = (3, 11)) -> Path:
    """The interpreter of an environment that holds *requirements*.

    Raises :class:`MissingTool` where the machine has no Python that is *least* or later.
    """
    python = _find_python(least)
    folder = CACHE / name
    interpreter = folder / "bin" / "python"
    with _made_once(folder, [str(python), *requirements]) as missing:
        if missing:
            _run([*_uv(), "venv", "--quiet", "--clear", "--python", str(python), str(folder)])
            _run([*_uv(), "pip", "install", "--quiet", "--python", str(interpreter), *requirements])
    return interpreter


def node_environment(name: str, packages: Sequence[str]) -> Path:
    """The ``node_modules`` folder of an environment that holds *packages*; raises :class:`MissingTool` without node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise MissingTool("node and npm are not on this machine")
    folder = CACHE / name
    with _made_once(folder, packages) as missing:
        if missing:
            (folder / "package.json").write_text('{"private": true}')
            _run(["npm", "install", "--silent", "--no-audit", "--no-fund", *packages], folder)
    return folder / "node_modules"


def _find_python(least: tuple[int, int]) -> Path:
    """The first interpreter that is new enough: our own, those on the path, those of pyenv."""
    if sys.version_info[:2] >= least:
        return Path(sys.executable)
    names = [f"python3.{minor}" for minor in range(least[1], least[1] + 8)]
    found = [Path(path) for name in names if (path := shutil.which(name))]
    found += [path for name in names for path in sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}"))]
    for python in found:
        check = subprocess.run(
            [python, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True
        )
        if check.returncode == 0 and check.stdout.strip() >= str(least):
            return python
    raise MissingTool(f"Python {least[0]}.{least[1]} or later is not on this machine")


def _uv() -> list[str]:
    """uv, from the path or from the project's environment."""
    beside = Path(sys.executable).with_name("uv")
    found = shutil.which("uv") or (str(beside) if beside.exists() else None)
    return [found] if found else [sys.executable, "-m", "uv"]


@contextmanager
def _made_once(folder: Path, content: Sequence[str]) -> Iterator[bool]:
    """Whether *folder* has to be made; afterwards it counts as made of *content*. One process at a time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    marker = folder / "made-of.json"
    with (CACHE / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = json.dumps(list(content))
        missing = not marker.exists() or marker.read_text() != wanted
        if missing:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        yield missing
        marker.write_text(wanted)


def _run(command: Sequence[str], folder: Path | None = None) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_INSTALL_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
