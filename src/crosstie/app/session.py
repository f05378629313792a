"""A session: the systems and compiled mappings that the use cases of one command or request share."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from crosstie.app.home import Home
from crosstie.app.systems import open_system
from crosstie.engine.compiling import CompiledMapping, compile_mapping
from crosstie.engine.context import Assignment, Context, Guards, Observer, Silent, Task
from crosstie.jobs.processes import living
from crosstie.model.connections import Connection, SystemKind
from crosstie.model.couplings import Coupling
from crosstie.model.errors import EnvironmentChanged, InvalidConnection, UnknownConnection, UnknownMapping
from crosstie.model.filters import compile_filter
from crosstie.model.mappings import Mapping as TableMapping
from crosstie.model.places import Place
from crosstie.model.records import Side
from crosstie.rules import all_rules
from crosstie.store.base import Store
from crosstie.systems.base import System

_ENVIRONMENT_KEPT = timedelta(minutes=15)
KIND_OF = {Side.LOCAL: SystemKind.BUSINESS_CENTRAL, Side.REMOTE: SystemKind.DATAVERSE}


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class Access:
    """What rules may ask for during one job (the narrow interface of `rules.base.RuleAccess`)."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.settings = session.settings
        self.cache: dict[str, Any] = {}

    @property
    def today(self) -> date:
        return self._session.now().date()

    def mapping(self, name: str) -> TableMapping | None:
        """Return a mapping by its name, None if there is none."""
        return next((found for found in self._session.mappings() if found.name == name), None)

    def maps(self, mapping: str) -> bool:
        """Whether there is an enabled mapping of that name."""
        found = self.mapping(mapping)
        return found is not None and found.enabled

    def system(self, side: Side) -> System:
        return self._session.systems[side]

    def coupled(self, mapping: str, side: Side, values: Iterable[str], by_key: bool) -> dict[str, Coupling]:
        """Return the couplings of `mapping` by id or key of one side."""
        with self._session.store.begin() as unit:
            look_up = unit.couplings.by_key if by_key else unit.couplings.by_record
            return look_up(mapping, side, values)

    def remember(self, name: str, value: str) -> None:
        """Keep a fact for this and all later jobs."""
        self.settings[name] = value
        with self._session.store.begin() as unit:
            unit.put_setting(name, value)


class Session:
    """Systems by side, mappings by name; both made when first asked for."""

    def __init__(
        self,
        home: Home | None,
        store: Store,
        systems: Mapping[Side, System],
        connections: Mapping[Side, Connection],
        now: Callable[[], datetime] = utc_now,
        assignment: Assignment | None = None,
    ) -> None:
        self.home = home
        self.store = store
        self.systems = systems
        self.connections = connections
        self.now = now
        self.assignment = assignment
        with store.begin() as unit:
            self.settings = dict(unit.settings())
        self._compiled: dict[str, CompiledMapping] = {}
        self._checked = False

    def access(self) -> Access:
        """Return what rules may use during one job."""
        return Access(self)

    def mappings(self) -> list[TableMapping]:
        """Return all mappings by their order."""
        with self.store.begin() as unit:
            return unit.mappings()

    def mapping(self, name: str) -> TableMapping:
        """Return a mapping by its name, whatever its case. Raises UnknownMapping with the names there are."""
        return find_mapping(self.mappings(), name)

    def dependants(self, name: str) -> list[TableMapping]:
        """Return the mappings whose records may belong to those of `name`; not those that are disabled and empty."""
        with self.store.begin() as unit:
            return [
                each
                for each in unit.mappings()
                if name in each.depends_on and (each.enabled or any(unit.couplings.count(each.name).values()))
            ]

    async def compiled(self, name: str) -> CompiledMapping:
        """Return a mapping compiled against the two tables as they are.

        Raises UnknownMapping, UnknownTable, UnknownField or InvalidMapping.
        """
        mapping = self.mapping(name)
        await self.check_environments()
        compiled = self._compiled.get(mapping.name)
        if compiled is None or compiled.mapping != mapping:
            local = await self.systems[Side.LOCAL].describe(mapping.local_table)
            remote = await self.systems[Side.REMOTE].describe(mapping.remote_table)
            compiled = self._compiled[mapping.name] = compile_mapping(mapping, local, remote, all_rules())
        return compiled

    async def context(
        self, name: str, task: Task, *, guards: Guards | None = None, observer: Observer | None = None
    ) -> Context:
        """Return what a job on a mapping carries with it."""
        compiled = await self.compiled(name)
        ctx = Context(
            compiled=compiled,
            systems=self.systems,
            store=self.store,
            access=self.access(),
            now=self.now,
            alive=living(self.store, self.now),
            task=task,
            guards=guards or Guards(),
            observer=observer or Silent(),
            assignment=self.assignment,
        )
        for side, schema in ((Side.LOCAL, compiled.local_schema), (Side.REMOTE, compiled.remote_schema)):
            if text := compiled.mapping.filter(side):
                found = compile_filter(text, schema)
                ctx.admits[side] = found.admits
                ctx.filter_fields[side] = found.fields
        return ctx

    async def check_environments(self) -> None:
        """Stop if a connection answers with another environment than the one whose records are coupled."""
        if self._checked:
            return
        for side, connection in self.connections.items():
            name = f"environment_seen:{connection.name}"
            seen = self.settings.get(name)
            if seen and self.now() - datetime.fromisoformat(seen) < _ENVIRONMENT_KEPT:
                continue
            info = await self.systems[side].info()
            if connection.environment and info.environment != connection.environment:
                raise EnvironmentChanged(
                    f"{connection.name} answers as environment {info.environment}, but its records were coupled "
                    f"in {connection.environment}.",
                    connection=connection.name,
                )
            self.access().remember(name, self.now().isoformat())
        self._checked = True


def find_mapping(mappings: Sequence[TableMapping], name: str) -> TableMapping:
    """Return the mapping of that name, whatever its case. Raises UnknownMapping with the names there are."""
    for mapping in mappings:
        if mapping.name.casefold() == name.strip().casefold():
            return mapping
    known = ", ".join(mapping.name for mapping in mappings) or "none yet"
    raise UnknownMapping(f"There is no mapping {name!r}; there are: {known}.", mapping=name)


def connection_of(connections: Sequence[Connection], side: Side) -> Connection:
    """Return the enabled connection that serves a side.

    Raises UnknownConnection if there is none, InvalidConnection if there are several.
    """
    kind = KIND_OF[side]
    found = [connection for connection in connections if connection.kind is kind]
    if not found:
        raise UnknownConnection(
            f"There is no connection to {_title(kind)} yet.",
            next_step="Add one.",
            place=Place.CONNECTION_NEW,
        )
    enabled = [connection for connection in found if connection.enabled]
    if not enabled:
        reason = f" ({found[0].paused_reason})" if found[0].paused_reason else ""
        raise InvalidConnection(
            f"The connection {found[0].name} is disabled{reason}.",
            next_step="Enable it.",
            place=Place.CONNECTION_ENABLE,
            connection=found[0].name,
        )
    if len(enabled) > 1:
        names = ", ".join(connection.name for connection in enabled)
        raise InvalidConnection(
            f"Several connections to {_title(kind)} are enabled: {names}.",
            next_step="Disable all but one.",
            place=Place.CONNECTION_DISABLE,
        )
    return enabled[0]


def _title(kind: SystemKind) -> str:
    return kind.value.replace("_", " ").title()


@asynccontextmanager
async def open_session(home: Home, assignment: Assignment | None = None) -> AsyncIterator[Session]:
    """Open both systems of the home's connections for some use cases, and close them afterwards.

    With an `assignment`, what the use cases run is the job that a worker was given. Raises UnknownConnection or
    InvalidConnection if a side has no usable connection.
    """
    with home.store.begin() as unit:
        known = unit.connections()
    connections = {side: connection_of(known, side) for side in (Side.LOCAL, Side.REMOTE)}
    systems = {side: open_system(connection) for side, connection in connections.items()}
    try:
        yield Session(home, home.store, systems, connections, assignment=assignment)
    finally:
        for system in systems.values():
            await system.close()
