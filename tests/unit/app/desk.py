"""A desk: one person's session over two systems in memory, with customers, vendors and contacts."""

from typing import Any

import msgspec

from crosstie.app.coupling import create_partners, set_up_coupling
from crosstie.app.session import Session
from crosstie.app.synchronising import synchronise
from crosstie.engine.context import Report
from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.decisions import Decision, Preference
from crosstie.model.jobs import Job
from crosstie.model.mappings import Direction, Mapping
from crosstie.model.records import Record, Side, WriteKind
from crosstie.model.values import Scalar, Values
from tests.unit.engine.couples import COMPANY, World

TABLES = {Side.LOCAL: "customers", Side.REMOTE: "account"}


def _fill_in(table: str, values: dict[str, Scalar]) -> None:
    """What Dataverse fills in by itself: a new account is active."""
    if table == "account" and values.get("statecode") is None:
        values["statecode"] = 0


class Plan:
    """An observer that keeps what a use case says it is going to do."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def decided(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def progress(self, done: int) -> None:
        """Take no notice."""


class Desk:
    """The world, and the use cases over it; `session` is what they take."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = world.store
        self.session = Session(None, world.store, world.systems, {}, now=world.clock)
        self.session.access().remember("company_id", COMPANY)
        world.remote.triggers.append(_fill_in)

    def configure(self, mapping: str = "CUSTOMER", **changes: Any) -> Mapping:
        """Change a mapping; the session sees it as another process would."""
        with self.store.begin() as unit:
            found = next(each for each in unit.mappings() if each.name == mapping)
            changed = msgspec.structs.replace(found, **changes)
            unit.put_mapping(changed)
        self.session = Session(None, self.store, self.world.systems, {}, now=self.world.clock)
        return changed

    def flow(self, direction: Direction, mapping: str = "CUSTOMER") -> None:
        """Let a mapping, and all of its fields, flow one way."""
        fields = self.session.mapping(mapping).fields
        one_way = tuple(
            msgspec.structs.replace(field, direction=direction)
            for field in fields
            if field.local_field and (field.remote_field or direction is Direction.TO_REMOTE)
        )
        self.configure(mapping, direction=direction, fields=one_way)

    # --- records ----------------------------------------------------------------------------------------------

    async def pair(self, number: str = "10000", **values: Scalar) -> Coupling:
        """A customer and the account that was created from it, in step."""
        self.world.customer(number, **values)
        await create_partners(self.session, "CUSTOMER", [number])
        return self.coupling(number)

    def coupling(self, number: str, mapping: str = "CUSTOMER") -> Coupling:
        with self.store.begin() as unit:
            return unit.couplings.by_key(mapping, Side.LOCAL, [number])[number]

    def is_coupled(self, number: str, mapping: str = "CUSTOMER") -> bool:
        with self.store.begin() as unit:
            return number in unit.couplings.by_key(mapping, Side.LOCAL, [number])

    def state(self, number: str, mapping: str = "CUSTOMER") -> CouplingState:
        return self.coupling(number, mapping).state

    def record(self, side: Side, id: str) -> Record | None:
        return self.world.systems[side].record(TABLES[side], id)

    def value(self, side: Side, id: str, name: str) -> Scalar:
        record = self.record(side, id)
        assert record is not None, f"the {side} record {id} is gone"
        return record.values[name]

    def edit(self, side: Side, id: str, **values: Scalar) -> None:
        self.world.systems[side].change(TABLES[side], id, **values)

    def remove(self, side: Side, id: str) -> None:
        self.world.systems[side].remove(TABLES[side], id)

    def refuse(self, side: Side, words: str = "No.", **values: Scalar) -> None:
        """Let a system refuse every record that holds these values."""

        def rule(table: str, kind: WriteKind, whole: Values) -> str | None:
            hit = table == TABLES[side] and all(whole.get(name) == value for name, value in values.items())
            return words if hit else None

        self.world.systems[side].rules.append(rule)

    def relent(self) -> None:
        for system in self.world.systems.values():
            system.rules.clear()

    # --- use cases --------------------------------------------------------------------------------------------

    async def sync(self, *records: str, mapping: str = "CUSTOMER", **options: Any) -> Report:
        if isinstance(options.get("direction"), str):
            options["direction"] = Preference(options["direction"])
        return (await synchronise(self.session, mapping, records, **options))[0]

    async def couple(self, record: str, to: str, **options: Any) -> Coupling:
        await set_up_coupling(self.session, "CUSTOMER", record, to, **options)
        return self.coupling(record)

    async def skipped(self, number: str, words: str = "The phone is wrong.") -> Coupling:
        """A pair whose local edit has been refused twice in a row: it is paused."""
        coupling = await self.pair(number)
        self.refuse(Side.REMOTE, words, telephone1=f"bad {number}")
        self.edit(Side.LOCAL, coupling.local_id, phoneNumber=f"bad {number}")
        for _ in range(2):
            await self.sync(number)
        assert self.state(number) is CouplingState.SKIPPED
        return coupling

    def problems(self, mapping: str = "CUSTOMER") -> dict[str, str]:
        """Codes of the open problems by name."""
        return {each.name: each.code for each in self.world.problems(mapping)}

    def jobs(self) -> list[Job]:
        with self.store.begin() as unit:
            return unit.jobs()
