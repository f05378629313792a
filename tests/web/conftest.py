"""A browser, a server with pages, and both systems beside them."""

import asyncio
import os
import shutil
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from crosstie.api.serving import prepare
from crosstie.api.working import OwnWorker
from crosstie.app.demo import run_demo
from crosstie.app.home import Home, open_home
from crosstie.app.jobs import pause_schedule
from crosstie.app.people.acting import People
from crosstie.app.people.welcoming import welcome_visitor
from crosstie.app.session import Session, open_session
from crosstie.sandbox.launch import Sandbox, running_sandbox
from crosstie.web.routing import site
from tests.flow.conftest import home_beside
from tests.flow.desks import BusinessCentralDesk, DataverseDesk, both_desks
from tests.flow.flow import copy_home

T = TypeVar("T")
_NO_MISTAKES = ("Failed to load resource", "htmx:afterRequest", "htmx:sendAbort")
"""What a browser says of refused requests, and of those that a newer one, or the window's end, has made needless."""
HERE = Path(__file__).parent
TRUST = ssl.create_default_context()
"""For `httpx`, which else reads all authorities anew for each request, although no address here is one of https."""
SWITCHES = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # The pages below a window's address line, which nobody sees here, cost every window more than its own page. Of two
    # such switches the last one counts, so that it names as well what the driver switches off.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,AvoidUnnecessaryBeforeUnloadCheckSync,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,DestroyProfileOnBrowserClose,LensOverlay,MediaRouter,OptimizationHints,PaintHolding,"
    "ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect",
)


@dataclass
class Site:
    """A running server with pages; `bc` and `dv` are both systems as somebody else sees them."""

    home: Home
    address: str
    bc: BusinessCentralDesk
    dv: DataverseDesk
    sandbox: Sandbox
    mistakes: list[str] = field(default_factory=list)
    """What browsers complained about."""

    def do(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Carry out a use case beside the server, as the command line would."""

        async def run() -> T:
            async with open_session(self.home) as session:
                return await work(session)

        return apart(run())

    def session(self) -> str:
        """Return the secret of a new session of an administrator."""
        return welcome_visitor(People(self.home.store)).secret or ""


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: the browser's driver keeps this one's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a module in one process, with one demo and one browser."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.xdist_group(f"web-{item.path.stem}"))


def browser_path() -> str:
    """Return where the machine's browser is: CHROMIUM, else what is on the path."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("there is no Chromium; `make browser` installs one where it may, else set CHROMIUM to its path")
    return found


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    opened = playwright.chromium.launch(executable_path=browser_path(), args=list(SWITCHES))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def web_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="demo") as running:
        yield running


@pytest.fixture(scope="session")
def web_desks(web_sandbox: Sandbox) -> Iterator[tuple[BusinessCentralDesk, DataverseDesk]]:
    with both_desks(web_sandbox) as desks:
        yield desks


@pytest.fixture(scope="session")
def web_home(web_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_beside(web_sandbox, tmp_path_factory.mktemp("web") / "home", apart)


@pytest.fixture
def empty_home(web_desks: tuple[BusinessCentralDesk, DataverseDesk], web_home: Path, tmp_path: Path) -> Path:
    """A connected home of the test's own, over two systems without records: a test makes its own."""
    for desk in web_desks:
        desk.start_over("empty")
    return copy_home(web_home, tmp_path / "home")


@pytest.fixture
def small(
    web_sandbox: Sandbox, web_desks: tuple[BusinessCentralDesk, DataverseDesk], empty_home: Path
) -> Iterator[Site]:
    """Pages over two systems without records."""
    with served(empty_home, web_sandbox, web_desks) as running:
        yield running


@pytest.fixture
def working(
    web_sandbox: Sandbox, web_desks: tuple[BusinessCentralDesk, DataverseDesk], empty_home: Path
) -> Iterator[Site]:
    """As `small`, with a worker beside the server that carries out jobs."""
    with served(empty_home, web_sandbox, web_desks, worker=True) as running:
        yield running


@pytest.fixture
def calm(
    web_sandbox: Sandbox, web_desks: tuple[BusinessCentralDesk, DataverseDesk], empty_home: Path
) -> Iterator[Site]:
    """As `working`, but nothing runs by itself: what a test asks for never meets a recurring job."""
    with open_home(empty_home, str(empty_home / "crosstie.db")) as home:
        pause_schedule(home)
    with served(empty_home, web_sandbox, web_desks, worker=True) as running:
        yield running


@pytest.fixture
def fresh(web_sandbox: Sandbox, web_desks: tuple[BusinessCentralDesk, DataverseDesk], tmp_path: Path) -> Iterator[Site]:
    """Pages over a home in which nothing is connected yet."""
    for desk in web_desks:
        desk.start_over("empty")
    folder = tmp_path / "home"
    with open_home(folder, str(folder / "crosstie.db")):
        pass
    with served(folder, web_sandbox, web_desks) as running:
        yield running


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Pages over the systems as the demo leaves them, with its planted problems; one for a module's tests."""
    folder = tmp_path_factory.mktemp("demo") / "home"
    with running_sandbox(data="demo") as sandbox:
        info: Any = sandbox.info()
        with open_home(folder, str(folder / "crosstie.db")) as home:
            apart(run_demo(home, info, lambda words: None))
        with both_desks(sandbox) as desks, served(folder, sandbox, desks, worker=True) as running:
            yield running


@contextmanager
def served(
    folder: Path,
    sandbox: Sandbox,
    desks: tuple[BusinessCentralDesk, DataverseDesk],
    *,
    worker: bool = False,
    port: int = 0,
    welcomes: bool = True,
) -> Iterator[Site]:
    """Serve a home from a thread, on a free port or on one that was used before; its demo `welcomes` who comes in."""
    with open_home(folder, str(folder / "crosstie.db")) as home:
        server, sockets, serving = prepare(home, "127.0.0.1", port, site(welcomes_visitors=welcomes))
        ready = threading.Event()
        server.on_ready = ready.set
        thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
        with OwnWorker(home) if worker else nullcontext():
            thread.start()
            assert ready.wait(20)
            yield Site(home, serving.address, *desks, sandbox)
            server.should_exit = True
            thread.join(20)


@contextmanager
def looking(browser: Browser, site: Site, *, expected: tuple[str, ...] = (), **options: Any) -> Iterator[Page]:
    """Open a browser's window on a site; whatever the browser complains about is a failure, unless it is expected."""
    context = browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 900}, **options)
    context.set_default_timeout(10_000)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    opened.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type == "error" and not said.text.startswith((*_NO_MISTAKES, *expected))
            else None
        ),
    )
    yield opened
    context.close()
    assert complaints == []


@pytest.fixture
def page(browser: Browser, small: Site) -> Iterator[Page]:
    """A window on the pages of `small`, signed in as the demo's visitor."""
    with looking(browser, small) as opened:
        yield opened


@pytest.fixture
def working_page(browser: Browser, working: Site) -> Iterator[Page]:
    with looking(browser, working) as opened:
        yield opened


@pytest.fixture
def calm_page(browser: Browser, calm: Site) -> Iterator[Page]:
    with looking(browser, calm) as opened:
        yield opened


@pytest.fixture
def demo_page(browser: Browser, demo: Site) -> Iterator[Page]:
    with looking(browser, demo) as opened:
        yield opened


@pytest.fixture
def fresh_page(browser: Browser, fresh: Site) -> Iterator[Page]:
    with looking(browser, fresh) as opened:
        yield opened
