"""Both systems on http and https in one process and one event loop."""

import asyncio
import signal
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import uvicorn

from crosstie.sandbox import tls
from crosstie.sandbox.clock import Clock
from crosstie.sandbox.control import Control, System
from crosstie.sandbox.counting import Counters
from crosstie.sandbox.data import COMPANY_ID, DataError, parse, planted, settings_of, tables
from crosstie.sandbox.database import Database
from crosstie.sandbox.faults import Faults
from crosstie.sandbox.http import CONTROL_ROOT, Handler, HttpError, Request, Response, asgi_app
from crosstie.sandbox.settings import Settings
from crosstie.sandbox.tokens import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Tokens

HOST = "127.0.0.1"
NAMES = ("business_central", "dataverse")
API_PATHS: Mapping[str, str] = {
    "business_central": "/v2.0/sandbox/api/v2.0",
    "dataverse": "/api/data/v9.2",
}

_KEEP_ALIVE_SECONDS = 120
_LINGER_SECONDS = 1


class LaunchError(RuntimeError):
    """The sandbox cannot start; the message says why and what to do."""


def system_classes() -> dict[str, Any]:
    """The two systems by name, imported when they are asked for."""
    from crosstie.sandbox.business_central import BusinessCentral
    from crosstie.sandbox.dataverse import Dataverse

    return {"business_central": BusinessCentral, "dataverse": Dataverse}


class Host:
    """One system with its database, switches, faults and counts, and its two addresses."""

    def __init__(
        self,
        name: str,
        make: Any,
        database: Database,
        clock: Clock,
        tokens: Tokens,
        info: Callable[[], Mapping[str, object]],
    ) -> None:
        self.name = name
        self.database = database
        self.settings = Settings(make.settings_schema())
        self.faults = Faults(name)
        self.counters = Counters()
        self.system: System = make(database, clock, tokens, self.settings)
        self.control = Control(self, clock, tokens, info)
        self.base = ""
        """``http://127.0.0.1:port``, once the sandbox listens."""
        self.base_tls = ""
        self.planted: list[dict[str, object]] = []
        self._tokens = tokens
        self._clock = clock

    @property
    def api(self) -> str:
        """The root of the API over http."""
        return self.base + API_PATHS[self.name]

    @property
    def api_tls(self) -> str:
        """The root of the API over https."""
        return self.base_tls + API_PATHS[self.name]

    @property
    def control_url(self) -> str:
        """Where the orders go."""
        return self.base + CONTROL_ROOT

    def load(self, data: str, seed: int | None = None) -> None:
        """Empty the system and fill it with a data set; raises ``data.DataError`` on an unknown one."""
        order = parse(data, seed)
        self.system.reset()
        with self.database.transaction():
            for table, rows in tables(self.name, order, self._clock.now()):
                self.system.insert_many(table, rows)
        self.planted = planted(self.name, order)
        self.settings.change(settings_of(self.name, order))

    def app(self) -> Any:
        """The ASGI application: orders, tokens, and the system behind faults and counts."""
        tokens, system = self._tokens, self.system

        clock = self._clock

        def handle(request: Request) -> Response:
            try:
                response = tokens.handle(request) if tokens.serves(request) else system.handle(request)
            except HttpError as error:
                response = error.response
            # Clients take the system's time from this header, so it must be that of the sandbox's clock.
            response.headers.append(("Date", format_datetime(clock.now(), usegmt=True)))
            return response

        control: Handler = self.control.handle
        return asgi_app(handle, self.faults, self.counters, control)


class _Server(uvicorn.Server):
    """A server that leaves signals to the one who started it, since four of them share a loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Sandbox:
    """Business Central and Dataverse, ready to be served.

    data
        the data set to load; None loads ``demo`` into an empty folder and leaves a used one as it is
    folder
        where databases and certificates live; None keeps the databases in memory and the certificates in a
        temporary folder
    ports
        by system and scheme (``business_central``, ``business_central_tls`` ...); 0 takes a free one
    """

    def __init__(
        self,
        data: str | None = "demo",
        folder: Path | None = None,
        ports: Mapping[str, int] | None = None,
        seed: int | None = None,
        classes: Mapping[str, Any] | None = None,
    ) -> None:
        if data is not None:
            parse(data, seed)
        makers = classes or system_classes()
        self.clock = Clock()
        self.tokens = Tokens(self.clock)
        self._ports = dict(ports or {})
        self._hosts: dict[str, Host] = {}
        with ExitStack() as stack, _usable(folder):
            home = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crosstie-sandbox-")))
            self.certificates = tls.certificates(home)
            for name, make in makers.items():
                database, used = _database(folder, name)
                stack.callback(database.close)
                host = Host(name, make, database, self.clock, self.tokens, self.info)
                self._hosts[name] = host
                if data is not None or not used:
                    host.load(data or "demo", seed)
            self._stack = stack.pop_all()

    @property
    def business_central(self) -> Host:
        """The Business Central side."""
        return self._hosts["business_central"]

    @property
    def dataverse(self) -> Host:
        """The Dataverse side."""
        return self._hosts["dataverse"]

    def info(self) -> dict[str, object]:
        """Addresses and credentials, as the ready line prints them."""
        out: dict[str, object] = {}
        for name, host in self._hosts.items():
            entry = {"api": host.api, "api_tls": host.api_tls, "control": host.control_url}
            if name == "business_central":
                entry["company_id"] = COMPANY_ID
            out[name] = entry
        first = next(iter(self._hosts.values()))
        return {
            **out,
            "token_url": f"{first.base}/{TENANT_ID}/oauth2/v2.0/token",
            "tenant_id": TENANT_ID,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "ca": str(self.certificates.ca),
        }

    async def serve(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Listen, call *ready*, and serve until *stop* is set. Raises :class:`LaunchError` where a port is taken."""
        servers: list[tuple[_Server, socket.socket]] = []
        try:
            for host in self._hosts.values():
                servers += self._servers_of(host)
            tasks = [asyncio.create_task(server.serve([listener])) for server, listener in servers]
            while not all(server.started for server, _ in servers):
                await asyncio.sleep(0.002)
            ready()
            await stop.wait()
            for server, _ in servers:
                server.should_exit = True
            await asyncio.gather(*tasks)
        finally:
            for _, listener in servers:
                listener.close()

    def close(self) -> None:
        """Close the databases and remove what was temporary."""
        self._stack.close()

    def _servers_of(self, host: Host) -> list[tuple[_Server, socket.socket]]:
        app = host.app()
        plain = _listen(self._ports.get(host.name, 0))
        secure = _listen(self._ports.get(f"{host.name}_tls", 0))
        host.base = f"http://{HOST}:{plain.getsockname()[1]}"
        host.base_tls = f"https://{HOST}:{secure.getsockname()[1]}"
        files = self.certificates
        keys = {"ssl_certfile": str(files.chain), "ssl_keyfile": str(files.key)}
        return [(_Server(_config(app)), plain), (_Server(_config(app, **keys)), secure)]


@contextmanager
def _usable(folder: Path | None) -> Iterator[None]:
    """Say which folder it is that cannot be used, and why."""
    try:
        yield
    except (OSError, sqlite3.DatabaseError) as error:
        raise LaunchError(f"the folder {folder or tempfile.gettempdir()} cannot be used: {error}") from error


def _database(folder: Path | None, name: str) -> tuple[Database, bool]:
    """A system's database, and whether it was there before."""
    if folder is None:
        return Database(":memory:"), False
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.sqlite"
    used = file.exists()
    return Database(file), used


def _config(app: Any, **keys: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LINGER_SECONDS,
        **keys,
    )


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise LaunchError(f"port {port} cannot be used: {error.strerror}; choose another one") from error
    return listener


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run(sandbox: Sandbox, ready: Callable[[], None]) -> None:
    """Serve in this thread until SIGINT or SIGTERM, then close everything."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await sandbox.serve(stop, ready)

    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(main())
    finally:
        sandbox.close()


class _Thread(threading.Thread):
    """Serves a sandbox beside the thread that uses it."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(name="sandbox", daemon=True)
        self.ready = threading.Event()
        self.error: BaseException | None = None
        self._sandbox = sandbox
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None

    def run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(self._main())
        except BaseException as error:
            self.error = error
        finally:
            self.ready.set()

    async def _main(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        await self._sandbox.serve(self._end, self.ready.set)

    def stop(self) -> None:
        """Ask the servers to end, and wait until they have."""
        if self._loop is not None and self._end is not None and self.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
        self.join(timeout=10)


@contextmanager
def running_sandbox(
    data: str | None = "demo",
    folder: Path | None = None,
    ports: Mapping[str, int] | None = None,
    seed: int | None = None,
    classes: Mapping[str, Any] | None = None,
) -> Iterator[Sandbox]:
    """A sandbox that serves from a thread of its own for as long as the context lasts; arguments as :class:`Sandbox`.

    ``with running_sandbox(data="demo") as sandbox: sandbox.business_central.api ...``. Talk to it over HTTP: its
    databases belong to its thread.
    """
    sandbox = Sandbox(data, folder, ports, seed, classes)
    thread = _Thread(sandbox)
    try:
        thread.start()
        thread.ready.wait(timeout=30)
        if thread.error is not None:
            raise thread.error
        yield sandbox
    finally:
        thread.stop()
        sandbox.close()


__all__ = ["DataError", "Host", "LaunchError", "Sandbox", "new_event_loop", "run", "running_sandbox"]
