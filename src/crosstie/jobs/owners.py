"""Owners of jobs: host, process and start time, so that a dead process is known as dead at once on its own host."""

import os
import socket
from functools import cache
from pathlib import Path

_FIRST_NAMESPACE = "pid:[4026531836]"
"""What Linux calls the process numbers of a machine itself, in contrast to those of its containers."""


@cache
def this_owner() -> str:
    """Return the owner under which this process runs jobs: `host/process id/start time`."""
    return f"{_here()}/{os.getpid()}/{_started(os.getpid())}"


def is_here(owner: str) -> bool:
    """Whether `owner` is a process whose number means something here: of this host, and of this container."""
    return owner.partition("/")[0] == _here()


def is_alive(owner: str) -> bool:
    """Whether the process of `owner` still runs. One on another host counts as alive: only it can tell."""
    host, _, rest = owner.partition("/")
    number, _, started = rest.partition("/")
    if host != _here():
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


@cache
def _here() -> str:
    """Return the host's name; in a container with process numbers of its own, which may share a name, those too."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = _FIRST_NAMESPACE
    name = socket.gethostname()
    return name if namespace == _FIRST_NAMESPACE else f"{name}:{namespace.strip('pid:[]')}"


def _started(pid: int) -> str:
    """Return when a process started, in the kernel's ticks; tells apart two processes with one number."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = status.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
