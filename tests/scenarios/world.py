"""Two systems, a store, people who work in both, and the use cases of the product, run by processes that may die."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from unittest.mock import patch
from uuid import UUID

import msgspec

from crosstie.app import running, session
from crosstie.app.coupling import create_partners, set_up_coupling, uncouple
from crosstie.app.matching import match
from crosstie.app.retrying import retry
from crosstie.app.session import Session
from crosstie.app.synchronising import synchronise
from crosstie.app.undoing import Undone, undo_job
from crosstie.engine import planning
from crosstie.engine.context import Report
from crosstie.jobs import watching
from crosstie.model.couplings import Coupling
from crosstie.model.decisions import Decision
from crosstie.model.jobs import Due, Intent, Job, JournalEntry
from crosstie.model.mappings import Direction, Mapping
from crosstie.model.problems import Problem
from crosstie.model.records import Side
from crosstie.model.schema import ChangeFeed
from crosstie.model.values import Scalar
from crosstie.store import Store, open_store
from crosstie.systems.memory import Ticks
from tests.scenarios.process import DyingStore, DyingSystem, Killed, Process, WatchedSystem, Written
from tests.scenarios.tables import CUSTOMER, GATES, TABLES, TIED, currency_mapping, customer_mapping, schemas, tied

T = TypeVar("T")
Key = tuple[Side, str, str]
"""A record: side, table, id."""
Values = dict[str, Scalar]
_MADE = "0000-0000-4000-8000-000000000000"


class Plan:
    """An observer that keeps what a job says it is going to write."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def decided(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def progress(self, done: int) -> None:
        """Take no notice."""


@dataclass
class World:
    """Everything there is. People's hands are `make`, `edit`, `delete` and `restore`; the rest are use cases."""

    store: Store
    delta: Side = Side.REMOTE
    client_ids: frozenset[Side] = frozenset(Side)
    keeps_ids: frozenset[Side] = frozenset(Side)
    small: int = 0
    """Tables of so many records tell in their feed which there are."""
    clock: Ticks = field(default_factory=Ticks)
    systems: dict[Side, WatchedSystem] = field(init=False)
    process: Process = field(init=False)
    told: list[str] = field(default_factory=list)
    edits: dict[tuple[Side, str, str, str], tuple[int, Scalar]] = field(default_factory=dict)
    """Who was last to set a field, if a person: when, and to what. By side, table, id and field."""
    moments: int = 0
    lives: int = 0
    made: int = 0
    guards: "list[Callable[[Written], None]]" = field(default_factory=list)
    """Who is told of each of our writes."""

    def __post_init__(self) -> None:
        self.systems = {
            side: WatchedSystem(
                side,
                {Side.LOCAL: "BC", Side.REMOTE: "DV"}[side],
                schemas(
                    side,
                    ChangeFeed.DELTA if side is self.delta else ChangeFeed.MODIFIED,
                    client_ids=side in self.client_ids,
                ),
                keeps_ids=side in self.keeps_ids,
                small=self.small,
                now=self.clock,
            )
            for side in Side
        }
        for system in self.systems.values():
            system.after_write = self._note_written
        self.start_process()
        self.configure(currency_mapping())
        self.configure(customer_mapping())

    # --- people ----------------------------------------------------------------------------------------------

    def make(self, side: Side, mapping: str = CUSTOMER, *, id: str | None = None, **values: Scalar) -> str:
        """Somebody creates a record, inside of the filter unless told otherwise; fields go by people's names."""
        given = self._named(mapping, side, values)
        if mapping == CUSTOMER:
            gate, _, inside = GATES[side]
            given.setdefault(gate, inside)
        record = self.systems[side].put(TABLES[mapping, side], given, id or self._new_id())
        self.tell(f"{side}: {mapping} {record.id} is made: {values}")
        self.note_edits(side, TABLES[mapping, side], record.id, {n: v for n, v in record.values.items() if n != "id"})
        return record.id

    def edit(self, side: Side, id: str, mapping: str = CUSTOMER, **values: Scalar) -> None:
        """Somebody changes fields of a record."""
        table = TABLES[mapping, side]
        before = self.values(side, id, mapping)
        self.systems[side].change(table, id, **self._named(mapping, side, values))
        self.tell(f"{side}: {mapping} {id} is changed: {values}")
        after = self.values(side, id, mapping)
        self.note_edits(side, table, id, {name: value for name, value in after.items() if value != before[name]})

    def delete(self, side: Side, id: str, mapping: str = CUSTOMER) -> Values:
        """Somebody deletes a record; return what it held."""
        table = TABLES[mapping, side]
        values = self.values(side, id, mapping)
        self.systems[side].remove(table, id)
        self.tell(f"{side}: {mapping} {id} is deleted")
        return values

    def restore(self, side: Side, id: str, values: Values, mapping: str = CUSTOMER) -> None:
        """Somebody brings a deleted record back as it was, under its old id."""
        given = {name: value for name, value in values.items() if name != "id"}
        self.systems[side].put(TABLES[mapping, side], given, id)
        self.tell(f"{side}: {mapping} {id} is restored")

    def gate(self, side: Side, id: str, *, inside: bool) -> None:
        """Somebody takes a customer out of the filter of its side, or back in."""
        name, out, within = GATES[side]
        self.edit(side, id, **{name: within if inside else out})

    # --- use cases -------------------------------------------------------------------------------------------

    def sync(self, mapping: str | None = CUSTOMER, *records: str, **options: Any) -> list[Report]:
        """Synchronise what changed, or records, as the options say."""
        self.tell(f"synchronise {mapping or 'all'} {' '.join(records)} {options or ''}".rstrip())
        return self._done(lambda work: synchronise(work, mapping, records, **options))

    def couple(self, local: str, remote: str, mapping: str = CUSTOMER, **options: Any) -> Any:
        self.tell(f"couple {mapping} {local} with {remote} {options or ''}".rstrip())
        return self._done(lambda work: set_up_coupling(work, mapping, local, remote, **options))

    def uncouple(self, *records: str, mapping: str = CUSTOMER) -> Report:
        self.tell(f"uncouple {mapping} {' '.join(records)}")
        return self._done(lambda work: uncouple(work, mapping, records))

    def retry(self, id: str, mapping: str = CUSTOMER) -> Any:
        self.tell(f"retry {mapping} {id}")
        return self._done(lambda work: retry(work, mapping, [id]))

    def create(self, side: Side, *records: str, mapping: str = CUSTOMER) -> Report:
        self.tell(f"create partners of {mapping} {' '.join(records)}")
        return self._done(lambda work: create_partners(work, mapping, records, side=side))

    def match(self, mapping: str = CUSTOMER, *groups: tuple[str, ...], **options: Any) -> Any:
        self.tell(f"match {mapping} {groups} {options or ''}".rstrip())
        return self._done(lambda work: match(work, mapping, groups=groups, **options))

    def undo(self, job_id: int) -> Undone:
        self.tell(f"undo job {job_id}")
        return self._done(lambda work: undo_job(work, job_id))

    def configure(self, mapping: Mapping) -> None:
        """Somebody sets a mapping up, or changes it."""
        with self.store.begin() as unit:
            unit.put_mapping(mapping)

    def change_mapping(self, name: str = CUSTOMER, **traits: Any) -> None:
        self.tell(f"the mapping {name} changes: {traits}")
        self.configure(msgspec.structs.replace(self.mapping(name), **traits))

    def switch_field(self, name: str, *, on: bool, mapping: str = CUSTOMER) -> None:
        """Enable or disable a field mapping."""
        self.tell(f"the field {name} of {mapping} is switched {'on' if on else 'off'}")
        self._change_field(mapping, name, enabled=on)

    def turn_field(self, name: str, direction: Direction, mapping: str = CUSTOMER) -> None:
        """Change the direction of a field mapping."""
        self.tell(f"the field {name} of {mapping} flows {direction.value}")
        self._change_field(mapping, name, direction=direction)

    def _change_field(self, mapping: str, name: str, **traits: Any) -> None:
        fields = tuple(
            msgspec.structs.replace(row, **traits) if row.label == name else row for row in self.mapping(mapping).fields
        )
        self.configure(msgspec.structs.replace(self.mapping(mapping), fields=fields))

    # --- processes -------------------------------------------------------------------------------------------

    def start_process(self) -> None:
        self.lives += 1
        self.process = Process(f"here/{self.lives}/0")

    def killed_at(self, point: int, work: Callable[[], object]) -> bool:
        """Do `work` in a process that dies at a point, and start another; whether it got so far."""
        self.tell(f"the process will die at point {point}")
        self.process.kill_at = self.process.passed + point
        try:
            work()
        except Killed as killed:
            self.tell(f"killed {killed}")
            self.start_process()
            return True
        finally:
            self.process.kill_at = None
        return False

    def _done(self, work: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Run a use case in the process, in a session of its own."""
        process = self.process
        store = DyingStore(self.store, process)
        systems = {side: DyingSystem(system, process) for side, system in self.systems.items()}
        with (
            patch.object(planning, "uuid4", lambda: UUID(self._new_id())),
            patch.object(running, "this_owner", lambda: process.owner),
            patch.object(watching, "this_owner", lambda: process.owner),
            patch.object(watching, "_NOTE_SECONDS", float("inf")),
            patch.object(session, "living", lambda store, now: lambda owner: owner == process.owner),
        ):
            return asyncio.run(work(Session(None, store, systems, {}, now=self.clock)))

    # --- looking ---------------------------------------------------------------------------------------------

    def values(self, side: Side, id: str, mapping: str = CUSTOMER) -> Values:
        """Return a record as its system holds it."""
        record = self.systems[side].record(TABLES[mapping, side], id)
        assert record is not None, f"{side} {mapping} {id} is not there"
        return dict(record.values)

    def value(self, side: Side, id: str, name: str, mapping: str = CUSTOMER) -> Scalar:
        """Return a field of a record by the name that people have for it."""
        field_name = tied(mapping, name).on(side)
        assert field_name is not None
        return self.values(side, id, mapping)[field_name]

    def ids(self, side: Side, mapping: str = CUSTOMER) -> list[str]:
        """Return the records of a side in the order in which they were made or found."""
        return list(self.systems[side]._tables[TABLES[mapping, side]].rows)

    def mapping(self, name: str = CUSTOMER) -> Mapping:
        with self.store.begin() as unit:
            return next(found for found in unit.mappings() if found.name == name)

    def couplings(self, mapping: str = CUSTOMER) -> list[Coupling]:
        with self.store.begin() as unit:
            return unit.couplings.page(mapping, limit=10_000)

    def coupling(self, local: str, mapping: str = CUSTOMER) -> Coupling:
        return next(each for each in self.couplings(mapping) if each.local_id == local)

    def problems(self, mapping: str | None = CUSTOMER) -> list[Problem]:
        with self.store.begin() as unit:
            return unit.problems(mapping)

    def intents(self, mapping: str) -> list[Intent]:
        with self.store.begin() as unit:
            return unit.intents(mapping)

    def due(self, mapping: str) -> list[Due]:
        with self.store.begin() as unit:
            return unit.due(mapping, self.clock.moment + timedelta(days=365))

    def jobs(self) -> list[Job]:
        with self.store.begin() as unit:
            return unit.jobs(limit=10_000)

    def journal(self, mapping: str = CUSTOMER, side: Side | None = None, id: str | None = None) -> list[JournalEntry]:
        with self.store.begin() as unit:
            return unit.journal(mapping=mapping, side=side, record_id=id, limit=10_000)

    def written(self) -> list[Written]:
        """Return what we wrote to both systems."""
        return [each for system in self.systems.values() for each in system.written]

    def tell(self, words: str) -> None:
        self.told.append(words)

    def story(self) -> str:
        """Return what happened, with short names in place of ids."""
        names: dict[str, str] = {}
        for side, system in self.systems.items():
            for table in TABLES.values():
                if found := system._tables.get(table):
                    for id in (*found.rows, *found.gone):
                        names[id] = f"{str(side)[0].upper()}{int(id[:4], 16)}" if id.endswith(_MADE) else f"<{id[:8]}>"
        text = "\n".join(self.told)
        for id, name in names.items():
            text = text.replace(id, name)
        return text

    # --- inside ----------------------------------------------------------------------------------------------

    def _named(self, mapping: str, side: Side, values: Values) -> Values:
        """Return values by the system's names of the fields; what is none of people's names is one of those."""
        names = {each.name: each.on(side) for each in TIED[mapping]}
        return {names.get(name) or name: value for name, value in values.items()}

    def note_edits(self, side: Side, table: str, id: str, values: Values) -> None:
        """Note that somebody other than we set these fields."""
        self.moments += 1
        for name, value in values.items():
            self.edits[side, table, id, name] = self.moments, value

    def _new_id(self) -> str:
        """Return an id that tells in words who came first; those that we choose count on in the same row."""
        self.made += 1
        return f"{self.made:04x}{_MADE}"

    def _note_written(self, done: Written) -> None:
        self.tell(f"{done.side}: we {done.kind} {done.table} {done.id}: {done.values}")
        for guard in self.guards:
            guard(done)


@contextmanager
def world(**traits: Any) -> Iterator[World]:
    """A world of its own."""
    store = open_store(":memory:")
    try:
        yield World(store, **traits)
    finally:
        store.close()
