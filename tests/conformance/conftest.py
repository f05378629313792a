"""Sandboxes for the suite: one for each worker, emptied before each test."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from crosstie.sandbox.launch import Sandbox, running_sandbox
from crosstie.systems.base import System

from .worlds import BusinessCentralWorld, DataverseWorld, HttpWorld, MemoryWorld, World

_HTTP = {"business_central": BusinessCentralWorld, "dataverse": DataverseWorld}


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(data="empty") as running:
        yield running


@pytest.fixture(params=["memory", *_HTTP])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    return _HTTP[request.param](request.getfixturevalue("sandbox"))


@pytest.fixture(params=list(_HTTP))
def http_world(request: pytest.FixtureRequest) -> HttpWorld:
    return _HTTP[request.param](request.getfixturevalue("sandbox"))


@pytest.fixture
async def opened() -> AsyncIterator[Callable[[System], System]]:
    """Gives back what it is given, and closes it at the end."""
    systems: list[System] = []

    def keep(system: System) -> System:
        systems.append(system)
        return system

    yield keep
    for system in systems:
        await system.close()


@pytest.fixture
async def system(world: World, opened: Callable[[System], System]) -> System:
    return opened(world.system())


@pytest.fixture
async def http_system(http_world: HttpWorld, opened: Callable[[System], System]) -> System:
    return opened(http_world.system())


@pytest.fixture
def build(http_world: HttpWorld, opened: Callable[[System], System]) -> Callable[..., System]:
    """Makes systems of the HTTP world with other limits."""

    def made(**limits: Any) -> System:
        return opened(http_world.system(**limits))

    return made
