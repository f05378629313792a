"""A real server over a home that is connected to the sandboxes, and somebody of every role who asks it."""

import asyncio
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from crosstie.api.serving import Server, prepare
from crosstie.app.connections import connect_pair, pair_from_sandbox
from crosstie.app.home import Home, open_home
from crosstie.app.people.acting import People, command_line
from crosstie.app.people.passwords import Passwords
from crosstie.app.people.tokens import create_token
from crosstie.model.people import Role
from crosstie.sandbox.launch import Sandbox, running_sandbox
from tests.flow.conftest import patient_no_longer
from tests.flow.desks import BusinessCentralDesk, DataverseDesk

Desks = tuple[BusinessCentralDesk, DataverseDesk]

_TRUST = ssl.create_default_context()  # read once; no address here is one of https
PASSWORD = "four words and a number 7"


@dataclass
class Served:
    """A running server. Callers ask under the name of their role, or of nobody."""

    home: Home
    address: str
    first_link: str
    tokens: dict[str, str] = field(default_factory=dict)
    end: Callable[[], None] = lambda: None

    @contextmanager
    def caller(self, role: str | None, **headers: str) -> Iterator[httpx.Client]:
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        with httpx.Client(base_url=self.address, headers=headers, timeout=60, verify=_TRUST) as client:
            yield client

    def ask(self, role: str | None, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask once."""
        with self.caller(role) as client:
            return client.request(method, path, **options)

    def done(self, role: str, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Ask for something that succeeds, and return the document."""
        answer = self.ask(role, method, path, **({"json": body} if body is not None else {}), **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def refused(self, role: str | None, method: str, path: str, status: int, code: str, **options: Any) -> Any:
        """Ask for something that is refused; return the problem details."""
        return problem(self.ask(role, method, path, **options), status, code)


def problem(answer: httpx.Response, status: int, code: str) -> Any:
    """Return the problem details of an answer, which must be whole."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    found = answer.json()
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["type"] == f"/docs/errors/{code}.md"
    assert (Path(__file__).parents[2] / found["type"].lstrip("/")).exists()
    assert found["title"]
    assert found["detail"]
    assert found["instance"].endswith(answer.headers["x-request-id"])
    return found


@pytest.fixture(scope="session")
def api_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="demo") as running:
        yield running


@pytest.fixture(scope="session")
def api_desks(api_sandbox: Sandbox) -> Iterator[Desks]:
    """Both systems as somebody else sees them."""
    bc, dv = BusinessCentralDesk(api_sandbox), DataverseDesk(api_sandbox)
    yield bc, dv
    bc.close()
    dv.close()


@pytest.fixture(scope="session")
def api_home(api_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with both connections and the standard mappings."""
    folder = tmp_path_factory.mktemp("api") / "home"
    info: Any = api_sandbox.info()
    with open_home(folder, str(folder / "crosstie.db")) as home:
        asyncio.run(connect_pair(home, *(patient_no_longer(found) for found in pair_from_sandbox(info))))
    return folder


@pytest.fixture
def served(api_home: Path, api_desks: Desks, tmp_path: Path) -> Iterator[Served]:
    """A server over systems without records."""
    with connected(api_home, api_desks, tmp_path, "empty") as running:
        yield running


@pytest.fixture
def busy(api_home: Path, api_desks: Desks, tmp_path: Path) -> Iterator[Served]:
    """A server over systems with the demo's records."""
    with connected(api_home, api_desks, tmp_path, "demo") as running:
        yield running


@contextmanager
def connected(api_home: Path, api_desks: Desks, tmp_path: Path, data: str) -> Iterator[Served]:
    """Serve a home of its own over freshly loaded systems."""
    for desk in api_desks:
        desk.start_over(data)
    folder = Path(shutil.copytree(api_home, tmp_path / "home"))
    with open_home(folder, str(folder / "crosstie.db")) as home, serving(home) as running:
        yield running


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Served]:
    """A server over a home that knows no system."""
    with open_home(tmp_path / "bare", str(tmp_path / "bare" / "crosstie.db")) as home, serving(home) as running:
        yield running


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a home that knows no system, for tests that change nothing in it."""
    folder = tmp_path_factory.mktemp("common")
    with open_home(folder, str(folder / "crosstie.db")) as home, serving(home) as running:
        yield running


@contextmanager
def serving(home: Home) -> Iterator[Served]:
    """Serve a home on a free port, with a token for each role."""
    server, sockets, found = prepare(home, "127.0.0.1", 0)
    ready = threading.Event()
    server.on_ready = ready.set
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    try:
        assert ready.wait(20), "the server has not started"
        assert found.first_link is not None
        people = People(home.store, passwords=Passwords(time_cost=1, memory_kib=64, parallelism=1))
        tokens = {role.value: create_token(people, command_line(), f"test {role.value}", role).secret for role in Role}
        yield Served(home, found.address, found.first_link, tokens, end=lambda: setattr(server, "should_exit", True))
    finally:
        stop(server, thread, sockets)


def stop(server: Server, thread: threading.Thread, sockets: list[Any]) -> None:
    """End a server, whether or not it has begun."""
    server.should_exit = True
    thread.join(20)
    for each in sockets:
        each.close()
    assert not thread.is_alive()
