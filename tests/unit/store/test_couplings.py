"""The queries on couplings, on both databases."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine, event

from crosstie.model.couplings import Coupling, CouplingState, Mark, NewCoupling, RemovedCoupling
from crosstie.model.errors import AlreadyCoupled
from crosstie.model.records import Side
from crosstie.store import Store
from tests.unit.store.values import CUSTOMER, LATER, NOW, new_coupling

FULL = new_coupling(
    1,
    local_key="10000",
    local_name="Adatum Größe \N{SNOWMAN} 'x' %_",
    remote_key="ACC-1",
    remote_name="Adatum Corporation",
    local_version='W/"1"',
    remote_version='W/"2"',
    base=b'{"l":{"name":"\xc3\xa4"},"r":{"name":"\xc3\xa4"}}',
    state=CouplingState.IN_STEP,
    last_synchronised=LATER,
)


def insert(store: Store, *couplings: NewCoupling) -> list[Coupling]:
    with store.begin() as unit:
        return unit.couplings.insert(couplings, NOW)


def all_of(store: Store, mapping: str = CUSTOMER) -> list[Coupling]:
    with store.begin() as unit:
        return unit.couplings.page(mapping)


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that are sent inside."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_coupling_comes_back_as_it_was_stored(store: Store) -> None:
    [stored] = insert(store, FULL)
    assert stored == Coupling(**msgspec.structs.asdict(FULL), id=stored.id, revision=1, created_at=NOW)
    with store.begin() as unit:
        assert unit.couplings.by_record(CUSTOMER, Side.LOCAL, ["local-1"]) == {"local-1": stored}
        assert unit.couplings.by_record(CUSTOMER, Side.REMOTE, ["remote-1"]) == {"remote-1": stored}


def test_inserted_couplings_return_in_their_order_with_growing_ids(store: Store) -> None:
    stored = insert(store, *(new_coupling(number) for number in (3, 1, 2)))
    assert [each.local_id for each in stored] == ["local-3", "local-1", "local-2"]
    assert [each.id for each in stored] == sorted({each.id for each in stored})
    assert all_of(store) == stored


def test_the_id_of_a_removed_coupling_is_never_given_again(store: Store) -> None:
    [first] = insert(store, new_coupling(1))
    with store.begin() as unit:
        unit.couplings.delete([first])
    [second] = insert(store, new_coupling(2))
    assert second.id > first.id


def test_inserting_nothing_is_nothing(store: Store) -> None:
    assert insert(store) == []


def test_a_record_is_coupled_once_per_mapping_and_freely_under_others(store: Store) -> None:
    insert(store, new_coupling(1), new_coupling(1, "CONTACT"))
    with store.begin() as unit:
        assert set(unit.couplings.by_record("CONTACT", Side.LOCAL, ["local-1"])) == {"local-1"}
        assert unit.couplings.by_record("VENDOR", Side.LOCAL, ["local-1"]) == {}


@pytest.mark.parametrize(
    ("second", "named"),
    [
        pytest.param(new_coupling(1, remote_id="remote-9", local_name="Adatum"), "local Adatum", id="local taken"),
        pytest.param(new_coupling(1, local_id="local-9", remote_name="Litware"), "remote Litware", id="remote taken"),
        pytest.param(new_coupling(1), "local local-1", id="the same pair"),
    ],
)
def test_a_second_coupling_of_a_record_is_refused_by_name_and_none_is_stored(
    store: Store, second: NewCoupling, named: str
) -> None:
    insert(store, new_coupling(1))
    with store.begin() as unit:
        with pytest.raises(AlreadyCoupled, match=f"CUSTOMER {named}") as caught:
            unit.couplings.insert([new_coupling(2), second, new_coupling(3)], NOW)
        assert all(record["id"].endswith("-1") for record in caught.value.details["records"])
        # The unit goes on as if nothing had been tried.
        unit.couplings.insert([new_coupling(4)], NOW)
    assert [each.local_id for each in all_of(store)] == ["local-1", "local-4"]


def test_a_list_that_couples_a_record_twice_is_refused(store: Store) -> None:
    with store.begin() as unit, pytest.raises(AlreadyCoupled, match="CUSTOMER remote remote-1"):
        unit.couplings.insert([new_coupling(1), new_coupling(2, remote_id="remote-1")], NOW)
    assert all_of(store) == []


def test_of_several_with_one_key_the_oldest_is_found(store: Store) -> None:
    first, _, other = insert(
        store,
        new_coupling(1, local_key="EUR", remote_key="x"),
        new_coupling(2, local_key="EUR"),
        new_coupling(3, local_key="USD", remote_key="EUR"),
    )
    with store.begin() as unit:
        assert unit.couplings.by_key(CUSTOMER, Side.LOCAL, ["EUR", "USD", "GBP"]) == {"EUR": first, "USD": other}
        assert unit.couplings.by_key(CUSTOMER, Side.REMOTE, ["EUR"]) == {"EUR": other}
        assert unit.couplings.by_key("CONTACT", Side.LOCAL, ["EUR"]) == {}


def test_elsewhere_finds_a_record_under_each_mapping_named(store: Store) -> None:
    customer, contact, vendor = insert(
        store, new_coupling(1), new_coupling(1, "CONTACT"), new_coupling(1, "VENDOR", local_id="local-2")
    )
    with store.begin() as unit:
        found = unit.couplings.elsewhere(["CUSTOMER", "VENDOR"], Side.REMOTE, ["remote-1", "remote-2"])
        assert found == {"remote-1": [customer, vendor]}
        found = unit.couplings.elsewhere(["CONTACT"], Side.LOCAL, ["local-1"])
        assert found == {"local-1": [contact]}
        assert unit.couplings.elsewhere([], Side.LOCAL, ["local-1"]) == {}


def test_a_thousand_keys_are_looked_up_in_one_or_two_statements(store: Store) -> None:
    insert(store, *(new_coupling(number, local_key=f"{number:05}") for number in range(2500)))
    ids = [f"local-{number}" for number in range(0, 2500, 2)]
    with store.begin() as unit:
        with statements() as sent:
            found = unit.couplings.by_record(CUSTOMER, Side.LOCAL, iter(ids))
        assert set(found) == set(ids)
        assert len(sent) <= 2
        with statements() as sent:
            assert len(unit.couplings.by_key(CUSTOMER, Side.LOCAL, [f"{number:05}" for number in range(1000)])) == 1000
        assert len(sent) <= 2


def test_an_update_raises_the_revision_and_keeps_the_rest(store: Store) -> None:
    [stored, other] = insert(store, new_coupling(1, local_key="10000"), new_coupling(2))
    changed = msgspec.structs.replace(
        stored, state=CouplingState.FAILED, base=b"{}", remote_version="7", local_name="New", remote_id="remote-5"
    )
    with store.begin() as unit:
        assert unit.couplings.update([changed]) == set()
    assert all_of(store) == [msgspec.structs.replace(changed, revision=2), other]


def test_an_update_that_empties_fields_empties_them(store: Store) -> None:
    [stored] = insert(store, FULL)
    bare = msgspec.structs.replace(stored, **msgspec.structs.asdict(new_coupling(1)))
    with store.begin() as unit:
        unit.couplings.update([bare])
    assert all_of(store) == [msgspec.structs.replace(bare, revision=2)]


def test_of_many_updates_only_those_lost_are_named_and_not_stored(store: Store) -> None:
    stored = insert(store, *(new_coupling(number) for number in range(2000)))
    with store.begin() as unit:
        assert unit.couplings.update(stored[10:20]) == set()
        unit.couplings.delete([stored[30]])
    mine = [msgspec.structs.replace(each, local_name="mine") for each in stored]
    with store.begin() as unit:
        with statements() as sent:
            lost = unit.couplings.update(mine)
        assert lost == {each.id for each in (*stored[10:20], stored[30])}
    assert len(sent) <= 8
    with store.begin() as unit:
        after = {each.id: each for each in unit.couplings.page(CUSTOMER, limit=5000)}
    assert {id_ for id_, each in after.items() if each.local_name == "mine"} == {each.id for each in stored} - lost


def test_a_coupling_given_twice_is_lost_the_second_time(store: Store) -> None:
    [stored] = insert(store, new_coupling(1))
    with store.begin() as unit:
        assert unit.couplings.update([stored, stored]) == {stored.id}
        assert unit.couplings.by_record(CUSTOMER, Side.LOCAL, ["local-1"])["local-1"].revision == 2


def test_an_update_onto_a_record_that_is_taken_is_refused_by_name(store: Store) -> None:
    first, second, third = insert(store, new_coupling(1), new_coupling(2, local_name="Litware"), new_coupling(3))
    with store.begin() as unit:
        with pytest.raises(AlreadyCoupled, match="CUSTOMER remote remote-2"):
            unit.couplings.update([third, msgspec.structs.replace(first, remote_id="remote-2")])
        assert unit.couplings.page(CUSTOMER) == [first, second, third]


def test_a_removal_of_what_changed_since_is_lost(store: Store) -> None:
    first, second, third = insert(store, new_coupling(1), new_coupling(2), new_coupling(3))
    with store.begin() as unit:
        unit.couplings.update([second])
    with store.begin() as unit:
        assert unit.couplings.delete([first, second]) == {second.id}
        assert unit.couplings.delete([first]) == {first.id}
    assert [each.id for each in all_of(store)] == [second.id, third.id]


def test_pages_go_on_where_the_last_one_ended(store: Store) -> None:
    insert(store, *(new_coupling(number) for number in range(7)), new_coupling(1, "CONTACT"))
    seen: list[str] = []
    after = 0
    with store.begin() as unit:
        while page := unit.couplings.page(CUSTOMER, after_id=after, limit=3):
            assert len(page) <= 3
            seen += [each.local_id for each in page]
            after = page[-1].id
    assert seen == [f"local-{number}" for number in range(7)]


def test_pages_and_counts_by_state(store: Store) -> None:
    failed, skipped = CouplingState.FAILED, CouplingState.SKIPPED
    insert(
        store,
        new_coupling(1),
        new_coupling(2, state=failed),
        new_coupling(3, state=skipped),
        new_coupling(4, state=failed),
        new_coupling(5, "CONTACT", state=failed),
    )
    with store.begin() as unit:
        found = unit.couplings.page(CUSTOMER, states=[failed, skipped])
        assert [each.local_id for each in found] == ["local-2", "local-3", "local-4"]
        assert unit.couplings.count(CUSTOMER) == {CouplingState.NEVER_SYNCHRONISED: 1, failed: 2, skipped: 1}
        assert unit.couplings.count("VENDOR") == {}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("adatum", {1}),
        ("ADATUM", {1}),
        ("1000", {1, 2}),
        ("acc-2", {2}),
        ("ÖKO", {2}),
        ("öko", {2}),
        ("100%", {3}),
        ("a_b", {3}),
        ("a%b", set()),
        ("back\\slash", {3}),
        ("nobody", set()),
    ],
)
def test_search_looks_in_keys_and_names_of_both_sides_whatever_the_capitals(
    store: Store, search: str, found: set[int]
) -> None:
    insert(
        store,
        new_coupling(1, local_key="10000", local_name="Adatum Corporation"),
        new_coupling(2, local_key="10001", remote_key="ACC-2", remote_name="Öko GmbH"),
        new_coupling(3, local_name="100% a_b", remote_name="back\\slash"),
        new_coupling(4, "CONTACT", local_name="Adatum 1000"),
    )
    with store.begin() as unit:
        assert {each.local_id for each in unit.couplings.page(CUSTOMER, search=search)} == {
            f"local-{number}" for number in found
        }


@pytest.mark.parametrize("side", list(Side))
def test_marks_say_of_the_couplings_of_records_or_of_all_what_a_page_is_sifted_by(store: Store, side: Side) -> None:
    traits = {f"{side.value}_version": "W/1"}
    [first] = insert(store, new_coupling(1, state=CouplingState.IN_STEP, base=b'{"l":{},"r":{}}', **traits))
    since = first.created_at
    with store.begin() as unit:
        [second, other] = unit.couplings.insert(
            [new_coupling(2, base=None), new_coupling(3, "CONTACT")], since + timedelta(seconds=1)
        )
        old = Mark(coupling_id=first.id, version="W/1", in_step=True, has_base=True, is_new=False)
        new = Mark(coupling_id=second.id, version=second.version(side), in_step=False, has_base=False, is_new=True)
        ids = [f"{side.value}-{number}" for number in (1, 2, 3, 4)]
        marks = {ids[0]: old, ids[1]: new}
        assert unit.couplings.marks(CUSTOMER, side, ids, since) == marks
        assert unit.couplings.marks(CUSTOMER, side, since=since) == marks
        assert unit.couplings.marks(CUSTOMER, side, ids[1:2]) == {ids[1]: new}
        assert all(mark.is_new for mark in unit.couplings.marks(CUSTOMER, side).values())
        assert unit.couplings.bases(CUSTOMER, side, ids) == {ids[0]: (f"{side.other.value}-1", first.base)}
        assert sorted(unit.couplings.coupled(CUSTOMER, side, ids)) == [first.id, second.id]
        assert unit.couplings.coupled("CONTACT", side, ids) == [other.id]


def test_unseen_yields_the_couplings_that_are_older_and_not_among_those_seen(store: Store) -> None:
    stored = insert(store, *(new_coupling(number) for number in range(12_000)), new_coupling(1, "CONTACT"))
    gone = {stored[number].id for number in (5, 17, *range(9_000, 11_500))}
    asked: list[int] = []

    def without_seen(ids: Sequence[int]) -> list[int]:
        asked.extend(ids)
        return [id_ for id_ in ids if id_ in gone]

    with store.begin() as unit:
        later = stored[0].created_at + timedelta(seconds=1)
        found = [each for part in unit.couplings.unseen(CUSTOMER, without_seen, later) for each in part]
        assert sorted(each.id for each in found) == sorted(gone)
        assert list(unit.couplings.unseen("CONTACT", lambda ids: [], later)) == []
        # What was made later has not been there to be seen.
        assert [each for part in unit.couplings.unseen(CUSTOMER, list, stored[0].created_at) for each in part] == []
    assert asked[: len(stored) - 1] == [each.id for each in stored[:-1]]


def test_a_name_with_a_zero_character_does_not_stop_its_page(store: Store) -> None:
    insert(store, new_coupling(1, local_name="Ada\0tum"), new_coupling(2))
    assert all_of(store)[0].local_name in {"Adatum", "Ada\0tum"}


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="has no time zone"), store.begin() as unit:
        unit.couplings.insert([new_coupling(1)], NOW.replace(tzinfo=None))
    assert all_of(store) == []


def test_what_a_removed_coupling_rested_on_is_kept_for_a_while_under_its_id(store: Store) -> None:
    based, bare = insert(
        store, new_coupling(1, base=b'{"l":{},"r":{}}', local_version="7", last_synchronised=NOW), new_coupling(2)
    )
    with store.begin() as unit:
        unit.couplings.keep_removed([based, bare], NOW)
        unit.couplings.keep_removed([based], NOW)
    with store.begin() as unit:
        assert unit.couplings.removed([based.id, bare.id, 99]) == {
            based.id: RemovedCoupling(
                id=based.id,
                local_version="7",
                remote_version=None,
                base=b'{"l":{},"r":{}}',
                last_synchronised=NOW,
            )
        }
        assert unit.background.forget_removed(NOW) == 0
        assert unit.background.forget_removed(LATER) == 1
        assert unit.couplings.removed([based.id]) == {}
