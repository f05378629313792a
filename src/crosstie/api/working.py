"""The worker of a server: a process of its own, so that jobs do not slow requests down; it ends with the server.

It is told to end by the end of its standard input. That comes in whatever way the server ends, also by `kill -9`.
"""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType

import structlog

from crosstie.app.home import Home

_COMMAND = ("-m", "crosstie.cli", "worker", "--until-input-ends")
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_LASTED = 60.0
"""A worker that lived for so long did not die of its start."""
_GRACE_SECONDS = 30.0
"""A little more than a worker gives its jobs to come to the end of their pages."""
_log = structlog.get_logger("crosstie.jobs")


class OwnWorker:
    """A context in which a worker of a home runs; one that dies is replaced, after a pause that grows."""

    def __init__(self, home: Home, *, log_level: str = "warning", first_pause: float = _FIRST_PAUSE) -> None:
        self._command = [sys.executable, *_COMMAND, "--log-level", log_level]
        # In the environment, since the address of a store may hold a password and everybody can list commands.
        self._environment = {
            **os.environ,
            "CROSSTIE_HOME": str(home.folder),
            "CROSSTIE_STORE": home.store_address,
        }
        self._pause = first_pause
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="crosstie-own-worker", daemon=True)

    def __enter__(self) -> "OwnWorker":
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()
        self._keeper.join(_GRACE_SECONDS)
        if self._keeper.is_alive() and self._process is not None:
            _log.warning("worker did not end in time and is killed", process=self._process.pid)
            self._process.kill()
            self._keeper.join()

    def end(self) -> None:
        """Tell the worker to put its jobs back into the queue and to end; returns at once."""
        self._ending.set()
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                with suppress(OSError):
                    self._process.stdin.close()

    def _keep(self) -> None:
        first = pause = self._pause
        while (process := self._start()) is not None:
            began = time.monotonic()
            code = process.wait()
            if self._ending.is_set():
                return
            pause = first if time.monotonic() - began > _LASTED else pause
            _log.warning("worker ended and is started again", process=process.pid, code=code, pause=pause)
            self._ending.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _start(self) -> subprocess.Popen[bytes] | None:
        """Start a worker; None if there is to be none any more."""
        with self._lock:
            if self._ending.is_set():
                return None
            if self._process is not None and self._process.stdin is not None:
                with suppress(OSError):
                    self._process.stdin.close()
            # A session of its own: Ctrl-C at a terminal is for the server, which then tells its worker.
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            return self._process
