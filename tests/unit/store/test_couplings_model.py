"""The coupling operations equal those of a plain dict, whatever their order."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crosstie.model.couplings import Coupling, CouplingState, NewCoupling
from crosstie.model.errors import AlreadyCoupled
from crosstie.model.records import Side
from crosstie.store import Store
from tests.unit.store.values import NOW, new_coupling

MAPPINGS = ("CUSTOMER", "CONTACT")
NUMBERS = st.integers(0, 4)

Step = tuple[str, list[tuple[Any, ...]]]

pairs = st.lists(st.tuples(st.sampled_from(MAPPINGS), NUMBERS, NUMBERS, st.sampled_from([None, "A", "B"])), max_size=3)
picks = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(CouplingState), NUMBERS, st.booleans()),
    max_size=3,
    unique_by=lambda pick: pick[0],
)
steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["insert", "undone insert"]), pairs),
        st.tuples(st.sampled_from(["update", "delete"]), picks),
    ),
    max_size=12,
)


class Undo(Exception):
    """Ends a unit so that nothing of it is kept."""


class Model:
    """What the couplings ought to be: the rows by id, and the same operations on store and rows."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.rows: dict[int, Coupling] = {}

    def run(self, step: Step) -> None:
        kind, arguments = step
        match kind:
            case "insert":
                self.insert(self.drawn(arguments))
            case "undone insert":
                self.insert_and_undo(self.drawn(arguments))
            case "update":
                self.update(self.chosen(arguments))
            case "delete":
                self.delete(self.chosen(arguments))

    def insert(self, new: list[NewCoupling]) -> None:
        with self.store.begin() as unit:
            if self.clashes(new):
                with pytest.raises(AlreadyCoupled):
                    unit.couplings.insert(new, NOW)
            else:
                self.rows |= {each.id: each for each in unit.couplings.insert(new, NOW)}

    def insert_and_undo(self, new: list[NewCoupling]) -> None:
        def insert() -> None:
            with self.store.begin() as unit:
                unit.couplings.insert(new, NOW)
                raise Undo

        with pytest.raises((Undo, AlreadyCoupled)):
            insert()

    def update(self, chosen: list[Coupling]) -> None:
        fresh = [each for each in chosen if self.rows[each.id].revision == each.revision]
        with self.store.begin() as unit:
            try:
                lost = unit.couplings.update(chosen)
            except AlreadyCoupled:
                # The constraints look at each row in turn, so that an exchange of partners is refused as well.
                assert self.clashes(fresh) or self.exchanges(fresh)
                return
        assert not self.clashes(fresh)
        assert lost == {each.id for each in chosen} - {each.id for each in fresh}
        self.rows |= {each.id: msgspec.structs.replace(each, revision=each.revision + 1) for each in fresh}

    def delete(self, chosen: list[Coupling]) -> None:
        fresh = {each.id for each in chosen if self.rows[each.id].revision == each.revision}
        with self.store.begin() as unit:
            lost = unit.couplings.delete(chosen)
        assert lost == {each.id for each in chosen} - fresh
        for id_ in fresh:
            del self.rows[id_]

    def drawn(self, arguments: list[tuple[Any, ...]]) -> list[NewCoupling]:
        return [
            new_coupling(local, mapping, remote_id=f"remote-{remote}", local_key=key)
            for mapping, local, remote, key in arguments
        ]

    def chosen(self, arguments: list[tuple[Any, ...]]) -> list[Coupling]:
        """Couplings to change: picked by position, with the right revision or, where the flag says so, a wrong one."""
        rows = self.in_order()
        return [
            msgspec.structs.replace(row, state=state, remote_id=f"remote-{remote}", revision=row.revision - stale)
            for position, state, remote, stale in arguments
            for row in rows[position : position + 1]
        ]

    def clashes(self, written: list[NewCoupling] | list[Coupling]) -> bool:
        ids = {each.id for each in written if isinstance(each, Coupling)}
        rows = [*written, *(row for id_, row in self.rows.items() if id_ not in ids)]
        by_local = {(row.mapping, row.local_id) for row in rows}
        by_remote = {(row.mapping, row.remote_id) for row in rows}
        return min(len(by_local), len(by_remote)) < len(rows)

    def exchanges(self, written: list[Coupling]) -> bool:
        """Whether one of `written` takes the partner that another has now."""
        now = {(row.mapping, row.remote_id): id_ for id_, row in self.rows.items()}
        return any(now.get((each.mapping, each.remote_id), each.id) != each.id for each in written)

    def in_order(self, mapping: str | None = None) -> list[Coupling]:
        return [row for _, row in sorted(self.rows.items()) if mapping in (None, row.mapping)]

    def compare(self, mapping: str) -> None:
        rows = self.in_order(mapping)
        with self.store.begin() as unit:
            assert unit.couplings.page(mapping) == rows
            for side in Side:
                ids = [f"{side.value}-{number}" for number in range(5)]
                assert unit.couplings.by_record(mapping, side, ids) == {row.record_id(side): row for row in rows}
                assert {id_: mark.coupling_id for id_, mark in unit.couplings.marks(mapping, side).items()} == {
                    row.record_id(side): row.id for row in rows
                }
                seen = unit.couplings.coupled(mapping, side, ids[:2])
                assert sorted(seen) == [row.id for row in rows if row.record_id(side) in ids[:2]]
            by_key = {row.local_key: row for row in reversed(rows) if row.local_key}
            assert unit.couplings.by_key(mapping, Side.LOCAL, ["A", "B", "C"]) == by_key
            counted = {state: sum(row.state is state for row in rows) for state in CouplingState}
            assert unit.couplings.count(mapping) == {state: number for state, number in counted.items() if number}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_the_store_does_as_a_dict_does(store: Store, emptied: Callable[[], None], steps: list[Step]) -> None:
    emptied()
    model = Model(store)
    for step in steps:
        model.run(step)
    for mapping in MAPPINGS:
        model.compare(mapping)
