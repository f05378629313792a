"""Owners of jobs: host, process and start time, so that a dead process is known as dead at once on its own host."""

import os
import socket
from functools import cache
from pathlib import Path


@cache
def this_owner() -> str:
    """Return the owner under which this process runs jobs: `host/process id/start time`."""
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid())}"


def is_alive(owner: str) -> bool:
    """Whether the process of `owner` still runs. One on another host counts as alive: only it can tell."""
    host, _, rest = owner.partition("/")
    number, _, started = rest.partition("/")
    if host != socket.gethostname():
        return True
    if not number.isdigit():
        return False
    pid = int(number)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _started(pid) == started


def _started(pid: int) -> str:
    """Return when a process started, in the kernel's ticks; tells apart two processes with one number."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = status.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
