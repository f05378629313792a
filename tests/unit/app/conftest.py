"""A desk for each test."""

from collections.abc import Iterator

import pytest

from tests.unit.app.desk import Desk
from tests.unit.engine.couples import world


@pytest.fixture
def desk() -> Iterator[Desk]:
    with world() as found:
        yield Desk(found)
