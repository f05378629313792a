"""Couplings that were removed: whoever removed them, they are found, and come back."""

from crosstie.app.coupling import set_up_coupling, uncouple
from crosstie.app.home import Home
from crosstie.app.removed import RemovedPage, Since, list_removed
from crosstie.app.undoing import undo_entries
from crosstie.model.mappings import DeletionConflictResolution
from crosstie.model.records import Side
from tests.unit.app.desk import Desk


def removed(desk: Desk, mapping: str | None = None, **options: int | None) -> RemovedPage:
    home = Home(folder=None, store=desk.store, store_address="")  # type: ignore[arg-type]
    return list_removed(home, mapping, **options)  # type: ignore[arg-type]


async def test_a_coupling_that_a_person_removed_is_listed_and_comes_back(desk: Desk) -> None:
    pair = await desk.pair("10000", city="Leeds")
    assert removed(desk).rows == []
    await uncouple(desk.session, "CUSTOMER", ["10000"])
    [row] = removed(desk, "customer").rows
    assert (row.since, row.entry.local_id, row.entry.remote_id) == (Since.APART, pair.local_id, pair.remote_id)
    assert row.entry.can_be_undone
    desk.edit(Side.LOCAL, pair.local_id, city="York")
    await undo_entries(desk.session, [row.entry.id])
    assert [each.since for each in removed(desk).rows] == [Since.COUPLED_AGAIN]
    await desk.sync()
    assert desk.value(Side.REMOTE, pair.remote_id, "address1_city") == "York", "edited while they were apart"
    assert removed(desk, "VENDOR").rows == []


async def test_records_that_have_another_partner_now_are_said_to(desk: Desk) -> None:
    pair = await desk.pair("10000")
    other = await desk.pair("20000")
    await uncouple(desk.session, "CUSTOMER", ["10000", "20000"])
    await set_up_coupling(desk.session, "CUSTOMER", "10000", other.remote_id)
    assert {row.entry.local_id: row.since for row in removed(desk).rows} == {
        pair.local_id: Since.COUPLED_ELSEWHERE,
        other.local_id: Since.COUPLED_ELSEWHERE,
    }


async def test_a_coupling_that_a_policy_removed_says_why(desk: Desk) -> None:
    desk.configure(deletion_conflict=DeletionConflictResolution.UNCOUPLE)
    pair = await desk.pair("10000")
    desk.remove(Side.REMOTE, pair.remote_id)
    await desk.sync()
    [row] = removed(desk).rows
    assert (row.since, row.entry.words != "") == (Since.APART, True)


async def test_the_list_goes_on_where_a_page_ends(desk: Desk) -> None:
    numbers = ["10000", "20000", "30000"]
    for number in numbers:
        await desk.pair(number)
    await uncouple(desk.session, "CUSTOMER", numbers)
    first = removed(desk, limit=2)
    second = removed(desk, limit=2, before_id=first.before_id)
    assert [len(first.rows), len(second.rows), second.before_id] == [2, 1, None]
    assert len({row.entry.local_id for row in (*first.rows, *second.rows)}) == len(numbers)
