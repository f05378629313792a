"""Serving the application under uvicorn, until somebody stops it."""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

import msgspec
import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from crosstie.api.application import Site, make_application
from crosstie.api.shell import ACCESS
from crosstie.api.working import OwnWorker
from crosstie.app.home import Home
from crosstie.app.people.acting import People
from crosstie.app.people.joining import WEB_ADDRESS, first_administrator_link
from crosstie.model.errors import InvalidOption
from crosstie.model.places import Place

HOST = "127.0.0.1"
PORT = 8765
_GRACE_SECONDS = 30
"""For so long requests under way may go on when the server is to end."""
_EVERYWHERE = ("", "0.0.0.0", "::")


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """A server that answers. `first_link` opens the door to the first administrator; None if there is one."""

    address: str
    first_link: str | None


class Server(uvicorn.Server):
    """Tells when it is ready, and ends in order on the signals that ask for it."""

    on_ready: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, config: uvicorn.Config, *at_end: Callable[[], None]) -> None:
        """Serve as configured; `at_end` is called when the server begins to end, before it waits for requests."""
        super().__init__(config)
        self.at_end = list(at_end)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for tell in self.at_end:
            tell()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let signals end the server; unlike uvicorn's own, without killing the process afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)

        before = {number: signal.signal(number, stop) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(
    home: Home,
    *,
    host: str = HOST,
    port: int = PORT,
    ready: Callable[[Serving], None],
    worker: bool = True,
    log_level: str = "warning",
    log_requests: bool = False,
    site: Site | None = None,
) -> None:
    """Serve until a signal asks for the end; requests under way are answered first.

    With `worker` a process beside the server carries out the jobs, logs from `log_level` on, and ends with the server.
    Requests are logged one by one if `log_requests` says so, or if everything is logged that is for information.
    `ready` is told the address and, while there is no administrator, the secret of a new one-time link. Raises
    InvalidOption if host and port cannot be listened on.
    """
    if log_requests:
        logging.getLogger(ACCESS).setLevel(logging.INFO)
    server, sockets, serving = prepare(home, host, port, site)
    server.on_ready = lambda: ready(serving)
    with OwnWorker(home, log_level=log_level) if worker else nullcontext() as own:
        if own is not None:
            server.at_end.append(own.end)
        server.run(sockets=sockets)


def prepare(home: Home, host: str, port: int, site: Site | None = None) -> tuple[Server, list[socket.socket], Serving]:
    """Return a server that is about to listen, its sockets, and what is to be told when it answers."""
    listening = _listen(host, port)
    address = _address(listening, host)
    people = People(home.store)
    link = first_administrator_link(people)
    if host not in _EVERYWHERE:
        with home.store.begin() as unit:
            unit.put_setting(WEB_ADDRESS, address)
    application, litestar = make_application(home, people, site)
    config = uvicorn.Config(
        application,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = Server(config, litestar.state.rooms.closing.set)
    return server, [listening], Serving(address=address, first_link=link.secret if link else None)


def free_port(wanted: int = PORT, host: str = HOST) -> int:
    """Return the port `wanted` if nobody listens on it, else 0, which takes a free one."""
    try:
        _listen(host, wanted).close()
    except InvalidOption:
        return 0
    return wanted


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(place)
        except OSError:
            found.close()
            raise
    except (OSError, OverflowError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidOption(
            f"The server cannot listen on {host}, port {port}: {words}.",
            next_step="Name another place; port 0 takes a free one.",
            place=Place.LISTENING,
        ) from error
    return found


def _address(listening: socket.socket, host: str) -> str:
    shown = "127.0.0.1" if host in _EVERYWHERE else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{listening.getsockname()[1]}"
