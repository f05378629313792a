"""A command line whose home, session and use cases are stand-ins, and builders of what use cases answer with."""

import importlib
import inspect
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from crosstie.cli.root import cli
from crosstie.model.mappings import Direction, FieldMapping, Mapping


def make_mapping(name: str = "CUSTOMER", **changes: Any) -> Mapping:
    values: dict[str, Any] = {
        "name": name,
        "label": name.title(),
        "local_table": "customers",
        "remote_table": "account",
        "direction": Direction.BIDIRECTIONAL,
        "fields": (
            FieldMapping(local_field="phoneNumber", remote_field="telephone1", direction=Direction.BIDIRECTIONAL),
        ),
        "local_key_field": "number",
        "local_name_field": "displayName",
        "remote_key_field": "accountnumber",
        "remote_name_field": "name",
    }
    return Mapping(**(values | changes))


class FakeSession:
    """Knows mappings and nothing else."""

    def __init__(self, mappings: list[Mapping]) -> None:
        self._mappings = mappings

    def mappings(self) -> list[Mapping]:
        return self._mappings

    def mapping(self, name: str) -> Mapping:
        from crosstie.app.session import find_mapping

        return find_mapping(self._mappings, name)


@dataclass
class Crosstie:
    """Runs command lines. `calls` are those of the use cases, with positional and named arguments."""

    monkeypatch: pytest.MonkeyPatch
    mappings: list[Mapping] = field(default_factory=lambda: [make_mapping()])
    homes: list[tuple[Any, Any]] = field(default_factory=list)
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)

    def run(self, *args: str, **more: Any) -> Result:
        return CliRunner().invoke(cli, list(args), **more)

    def json(self, *args: str, code: int = 0, **more: Any) -> Any:
        """Run with --json and return the one document that standard output holds."""
        result = self.run(*args, "--json", **more)
        assert result.exit_code == code, result.output
        assert result.stderr == ""
        return json.loads(result.stdout)

    def answer(self, use_case: str, answer: Any) -> None:
        """Let a use case (`module.function`) give `answer`: a value, an error to raise, or a function to call."""
        module, _, name = use_case.rpartition(".")
        found = importlib.import_module(f"crosstie.app.{module}")
        real = getattr(found, name)
        is_async = inspect.iscoroutinefunction(real)

        def give(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args, kwargs))
            if isinstance(answer, BaseException):
                raise answer
            return answer(*args, **kwargs) if callable(answer) else answer

        async def give_later(*args: Any, **kwargs: Any) -> Any:
            return give(*args, **kwargs)

        self.monkeypatch.setattr(found, name, give_later if is_async else give)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Undo what a command line does to the process's logging."""
    root, ours = logging.getLogger(), logging.getLogger("crosstie")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    structlog.reset_defaults()


@pytest.fixture
def crosstie(monkeypatch: pytest.MonkeyPatch) -> Crosstie:
    """The command line over stand-ins; no test of these touches a home of the machine."""
    monkeypatch.delenv("CROSSTIE_HOME", raising=False)
    monkeypatch.delenv("CROSSTIE_SECRET", raising=False)
    made = Crosstie(monkeypatch)

    @contextmanager
    def open_home(folder: Path | None = None, store_address: str | None = None) -> Iterator[Any]:
        made.homes.append((folder, store_address))
        yield SimpleNamespace(folder=folder)

    @asynccontextmanager
    async def open_session(home: Any) -> AsyncIterator[FakeSession]:
        yield FakeSession(made.mappings)

    monkeypatch.setattr("crosstie.app.home.open_home", open_home)
    monkeypatch.setattr("crosstie.app.session.open_session", open_session)
    return made
