"""One sandbox for each worker, emptied before each test, and a home for each test that begins connected."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from crosstie.app.connections import connect_pair, pair_from_sandbox
from crosstie.app.home import open_home
from crosstie.app.mappings import reset_mappings
from crosstie.app.session import open_session
from crosstie.model.connections import Connection
from crosstie.sandbox.launch import Sandbox, running_sandbox

from .desks import BusinessCentralDesk, DataverseDesk, both_desks
from .flow import Flow, copy_home

QUICK = {"first_pause": 0.01, "longest_pause": 0.05, "attempts": 4, "patience": 20, "timeout": 20}


@pytest.fixture(scope="session")
def flow_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="empty") as running:
        yield running


@pytest.fixture(scope="session")
def desks(flow_sandbox: Sandbox) -> Iterator[tuple[BusinessCentralDesk, DataverseDesk]]:
    with both_desks(flow_sandbox) as opened:
        yield opened


@pytest.fixture(scope="session")
def connected_home(flow_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_beside(flow_sandbox, tmp_path_factory.mktemp("connected") / "home")


def home_beside(
    sandbox: Sandbox, folder: Path, run: Callable[[Coroutine[Any, Any, Any]], object] = asyncio.run
) -> Path:
    """Make a home with both connections and the standard mappings, as `crosstie sandbox --connect` leaves it."""
    info: Any = sandbox.info()
    with open_home(folder, str(folder / "crosstie.db")) as home:
        run(connect_pair(home, *(patient_no_longer(found) for found in pair_from_sandbox(info))))
    return folder


def patient_no_longer(connection: Connection) -> Connection:
    """Return the connection with pauses that a test can wait for, and over plain http."""
    settings = {name: value for name, value in connection.settings.items() if name != "ca"}
    return replace(connection, settings={**settings, "limits": QUICK})


@pytest.fixture
def home_folder(connected_home: Path, tmp_path: Path) -> Path:
    return copy_home(connected_home, tmp_path / "home")


@pytest.fixture(scope="session")
def custom_home(connected_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The connected home with the mappings on custom pages, which carry every field."""
    folder = copy_home(connected_home, tmp_path_factory.mktemp("custom") / "home")

    async def reset() -> None:
        async with open_session(home) as session:
            await reset_mappings(session, custom_pages=True)

    with open_home(folder, str(folder / "crosstie.db")) as home:
        asyncio.run(reset())
    return folder


@pytest.fixture
async def custom_flow(
    custom_home: Path, tmp_path: Path, desks: tuple[BusinessCentralDesk, DataverseDesk]
) -> AsyncIterator[Flow]:
    """A flow whose mappings are those on custom pages."""
    async with started(copy_home(custom_home, tmp_path / "custom"), *desks) as made:
        yield made


@pytest.fixture
async def flow(home_folder: Path, desks: tuple[BusinessCentralDesk, DataverseDesk]) -> AsyncIterator[Flow]:
    async with started(home_folder, *desks) as made:
        yield made


@asynccontextmanager
async def started(folder: Path, bc: BusinessCentralDesk, dv: DataverseDesk) -> AsyncIterator[Flow]:
    """Start a test over, with empty systems and this home."""
    for desk in (bc, dv):
        desk.start_over()
    with open_home(folder, str(folder / "crosstie.db")) as home:
        made = Flow(home, bc, dv)
        yield made
        await made.start_afresh()
