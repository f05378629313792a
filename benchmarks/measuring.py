"""Measuring: runs a case in a process of its own, several times where asked for, and takes the median.

A case is a function `case(watch, **arguments)` that prepares what it needs, does the work inside `with watch:`, and
returns details to be told beside the figures.
"""

import gc
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[1]
_MEGABYTE = 1_000_000


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one measurement came to: seconds, seconds of CPU, peak memory in megabytes, and the details of the case."""

    wall: float
    cpu: float
    peak_mb: float
    details: dict[str, Any] = {}


class Watch:
    """Measures a block of this process. Time spent under `excluded` is somebody else's and does not count."""

    def __init__(self) -> None:
        self._wall = self._cpu = self._peak = 0.0

    def __enter__(self) -> "Watch":
        gc.collect()
        _forget_peak()
        self._wall -= time.perf_counter()
        self._cpu -= time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self._cpu += time.process_time()
        self._wall += time.perf_counter()
        self._peak = max(self._peak, peak_mb())

    @contextmanager
    def excluded(self) -> Iterator[None]:
        """Take what the block costs out of the measurement."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self._cpu -= time.process_time() - cpu
            self._wall -= time.perf_counter() - wall

    def figures(self, details: dict[str, Any] | None = None) -> Figures:
        """Return what was measured so far."""
        return Figures(wall=self._wall, cpu=self._cpu, peak_mb=self._peak, details=details or {})


Case = Callable[..., dict[str, Any] | None]


def measure(case: Case, **arguments: Any) -> Figures:
    """Run a case once in a process of its own."""
    return measure_each(case, [arguments])


def measure_each(case: Case, runs: Sequence[Mapping[str, Any]]) -> Figures:
    """Run a case with one set of arguments after the other, each in a process of its own; return the medians."""
    return medians([_run(case, arguments) for arguments in runs])


def side_by_side(
    cases: Sequence[tuple[Case, Callable[[], Mapping[str, Any]]]], repeat: int
) -> list[tuple[Figures, list[Figures]]]:
    """Run cases in turn, `repeat` rounds, each with arguments made anew; return medians and single runs of each."""
    runs: list[list[Figures]] = [[] for _ in cases]
    for _ in range(repeat):
        for (case, arguments), found in zip(cases, runs, strict=True):
            found.append(_run(case, dict(arguments())))
    return [(medians(found), found) for found in runs]


def medians(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure, with the details of the last run."""
    return Figures(
        wall=statistics.median(run.wall for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        peak_mb=statistics.median(run.peak_mb for run in runs),
        details=runs[-1].details,
    )


def _run(case: Case, arguments: Mapping[str, Any]) -> Figures:
    command = [sys.executable, "-m", "benchmarks.measuring", f"{case.__module__}:{case.__name__}"]
    done = subprocess.run(
        [*command, msgspec.json.encode(arguments).decode()], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{case.__module__}:{case.__name__} ended with code {done.returncode}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Figures)


def in_this_process(case: Case, arguments: Mapping[str, Any]) -> Figures:
    """Run a case here and return its figures."""
    watch = Watch()
    return watch.figures(case(watch, **arguments))


def peak_mb() -> float:
    """Return the highest resident memory of this process so far.

    Not by `getrusage` where the system tells it itself: there a child begins with the peak of whoever started it.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MEGABYTE
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / _MEGABYTE if found else 0.0


def _forget_peak() -> None:
    """Let the peak begin with what is in memory now, where the system can do that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def cpu_of(pid: int) -> float | None:
    """Return the CPU seconds that another process has used so far, None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _main(name: str, arguments: str) -> None:
    module, _, function = name.partition(":")
    case: Case = getattr(import_module(module), function)
    print(msgspec.json.encode(in_this_process(case, msgspec.json.decode(arguments))).decode())


if __name__ == "__main__":
    _main(*sys.argv[1:])
