"""Lists of couplings: in the order of a column, of some states, page by page, on both databases."""

import pytest

from crosstie.model.couplings import Coupling, CouplingState
from crosstie.model.records import Side
from crosstie.store import Store
from crosstie.store import lists as module
from crosstie.store.base_lists import Column, Place
from tests.unit.store.values import CUSTOMER, NOW, new_coupling

STATES = list(CouplingState)


def fill(store: Store, number: int = 40) -> None:
    """Couplings whose keys go down where their ids go up; every fifth has none, and names come twice."""
    couplings = [
        new_coupling(
            at,
            local_key=None if at % 5 == 0 else f"{(number - at) * 10:06}",
            local_name=f"Customer {at // 2:04}",
            remote_name=f"Account {at // 2:04}",
            state=STATES[at % 3],
        )
        for at in range(number)
    ]
    with store.begin() as unit:
        unit.couplings.insert(couplings, NOW)
        unit.couplings.insert([new_coupling(number + 1, mapping="VENDOR", local_key="000001")], NOW)


def walk(store: Store, size: int, column: Column | None, side: Side, **options: object) -> list[Coupling]:
    """All pages, each read on from the last one's last."""
    found: list[Coupling] = []
    after: Place | None = None
    while True:
        with store.begin() as unit:
            page = unit.lists.couplings(CUSTOMER, column=column, side=side, limit=size, after=after, **options)  # type: ignore[arg-type]
        found += page
        if len(page) < size:
            return found
        after = place(page[-1], column, side)


def place(coupling: Coupling, column: Column | None, side: Side) -> Place:
    return Place(coupling.id, getattr(coupling, f"{side}_{column}") if column else None)


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("column", "side"),
    [(None, Side.LOCAL), (Column.KEY, Side.LOCAL), (Column.NAME, Side.LOCAL), (Column.NAME, Side.REMOTE)],
)
def test_pages_come_in_order_blanks_last_and_none_twice(
    store: Store, size: int, descending: bool, column: Column | None, side: Side
) -> None:
    fill(store)
    found = walk(store, size, column, side, descending=descending)
    assert len({each.id for each in found}) == len(found) == 40
    values = [getattr(each, f"{side}_{column}") if column else f"{each.id:06}" for each in found]
    filled = [value for value in values if value is not None]
    assert values == [*filled, *[None] * (len(values) - len(filled))]
    assert filled == sorted(filled, reverse=descending)


@pytest.mark.parametrize("many", [1, 2000], ids=["by order", "by state"])
@pytest.mark.parametrize("column", [None, Column.KEY])
def test_only_the_states_asked_for_come(
    store: Store, monkeypatch: pytest.MonkeyPatch, many: int, column: Column | None
) -> None:
    monkeypatch.setattr(module, "_MANY", many)
    fill(store)
    states = [STATES[0], STATES[2]]
    found = walk(store, 6, column, Side.LOCAL, states=states)
    assert {each.state for each in found} == set(states)
    assert len(found) == sum(at % 3 != 1 for at in range(40))


def test_a_text_is_looked_for_in_keys_and_names(store: Store) -> None:
    fill(store)
    found = walk(store, 10, Column.KEY, Side.LOCAL, search="ACCOUNT 0003")
    assert {each.remote_name for each in found} == {"Account 0003"}
    assert len(walk(store, 10, Column.KEY, Side.LOCAL, search="100% _")) == 0
