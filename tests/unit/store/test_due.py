"""The queries on due records and cursors, on both databases."""

from datetime import timedelta, timezone

import pytest

from crosstie.model.jobs import DueReason
from crosstie.model.records import Side
from crosstie.store import Store
from crosstie.store.base import Cursor
from tests.unit.store.values import CUSTOMER, LATER, NOW, due


def test_a_due_record_comes_back_when_its_time_has_come(store: Store) -> None:
    now_due, later_due, other = due(1), due(2, not_before=LATER), due(1, side=Side.REMOTE, mapping="CONTACT")
    with store.begin() as unit:
        unit.add_due([later_due, now_due, other])
    with store.begin() as unit:
        assert unit.due(CUSTOMER, NOW - timedelta(microseconds=1)) == []
        assert unit.due(CUSTOMER, NOW) == [now_due]
        assert unit.due(CUSTOMER, LATER) == [now_due, later_due]
        assert unit.due(CUSTOMER, LATER, limit=1) == [now_due]
        found = unit.due_of(CUSTOMER, later_due.side, [later_due.record_id, "nobody"])
        assert found == {later_due.record_id: later_due}
        assert unit.due("CONTACT", LATER) == [other]


def test_a_record_noted_twice_keeps_the_earlier_time_and_any_create(store: Store) -> None:
    with store.begin() as unit:
        unit.add_due([due(1, not_before=LATER, create=True), due(2, create=False), due(3, not_before=NOW)])
        unit.add_due([due(1, not_before=NOW), due(2, not_before=LATER, create=True), due(3, not_before=LATER)])
        found = {each.record_id: (each.not_before, each.create) for each in unit.due(CUSTOMER, LATER)}
    assert found == {"local-1": (NOW, True), "local-2": (NOW, True), "local-3": (NOW, False)}


def test_a_record_noted_twice_in_one_list_is_noted_once(store: Store) -> None:
    with store.begin() as unit:
        unit.add_due([due(1), due(1), due(1, create=True)])
        assert unit.due(CUSTOMER, NOW) == [due(1, create=True)]


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (DueReason.RETRY, DueReason.MAPPING_CHANGED, DueReason.MAPPING_CHANGED),
        (DueReason.RETRY, DueReason.PARTNER_COUPLED, DueReason.PARTNER_COUPLED),
        (DueReason.PARTNER_COUPLED, DueReason.RETRY, DueReason.PARTNER_COUPLED),
        (DueReason.COUPLED_SEND, DueReason.RETRY, DueReason.COUPLED_SEND),
        (DueReason.COUPLED_SEND, DueReason.PARTNER_COUPLED, DueReason.COUPLED_SEND),
        (DueReason.COUPLED_SEND, DueReason.COUPLED_GET, DueReason.COUPLED_GET),
        (DueReason.INTERRUPTED, DueReason.COUPLED_MERGE, DueReason.COUPLED_MERGE),
    ],
)
def test_of_two_reasons_a_choice_of_side_stays_and_else_the_later_one(
    store: Store, first: DueReason, second: DueReason, kept: DueReason
) -> None:
    with store.begin() as unit:
        unit.add_due([due(1, reason=first)])
        unit.add_due([due(1, reason=second)])
        assert [each.reason for each in unit.due(CUSTOMER, NOW)] == [kept]


def test_due_records_are_removed_by_side_and_id(store: Store) -> None:
    with store.begin() as unit:
        unit.add_due([due(number) for number in range(2000)])
        unit.add_due([due(5, side=Side.REMOTE), due(5, mapping="CONTACT")])
        unit.remove_due(CUSTOMER, Side.LOCAL, (f"local-{number}" for number in range(1999)))
        left = unit.due(CUSTOMER, NOW)
        assert {(each.side, each.record_id) for each in left} == {(Side.REMOTE, "local-5"), (Side.LOCAL, "local-1999")}
        assert len(unit.due("CONTACT", NOW)) == 1


def test_times_are_kept_to_the_microsecond_whatever_their_zone(store: Store) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    with store.begin() as unit:
        unit.add_due([due(1, not_before=elsewhere), due(2, not_before=NOW.replace(microsecond=0))])
        found = unit.due(CUSTOMER, NOW)
    assert [(each.record_id, each.not_before) for each in found] == [
        ("local-2", NOW.replace(microsecond=0)),
        ("local-1", NOW),
    ]
    assert all(each.not_before.utcoffset() == timedelta(0) for each in found)


def test_a_cursor_is_kept_for_each_side_of_each_mapping(store: Store) -> None:
    first, second = Cursor(cursor="token-1", known_count=5, mapping_digest="abc"), Cursor(cursor=None)
    with store.begin() as unit:
        assert unit.cursor(CUSTOMER, Side.LOCAL) is None
        unit.set_cursor(CUSTOMER, Side.LOCAL, first)
        unit.set_cursor(CUSTOMER, Side.REMOTE, second)
        unit.set_cursor("CONTACT", Side.LOCAL, first)
    with store.begin() as unit:
        assert unit.cursor(CUSTOMER, Side.LOCAL) == first
        assert unit.cursor(CUSTOMER, Side.REMOTE) == second
        unit.set_cursor(CUSTOMER, Side.LOCAL, second)
        assert unit.cursor(CUSTOMER, Side.LOCAL) == second
        unit.forget_cursors(CUSTOMER)
        assert unit.cursor(CUSTOMER, Side.LOCAL) is None
        assert unit.cursor(CUSTOMER, Side.REMOTE) is None
        assert unit.cursor("CONTACT", Side.LOCAL) == first
