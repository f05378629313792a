"""Lists of records with their coupling state, page by page, by state, searched and sorted."""

from typing import Any

import pytest

from crosstie.app import browsing
from crosstie.app.coupling import uncouple
from crosstie.app.lists import count_records, list_records
from crosstie.app.searching import search_filters
from crosstie.engine.context import Task
from crosstie.model.errors import InvalidOption, UnknownField, UnknownMapping
from crosstie.model.lists import NOT_COUPLED, RecordRow
from crosstie.model.records import Side
from tests.unit.app.desk import Desk


async def walk(desk: Desk, side: Side = Side.LOCAL, size: int = 4, **options: Any) -> list[RecordRow]:
    """The rows of all pages."""
    rows: list[RecordRow] = []
    after: str | None = None
    for _ in range(200):
        page = await list_records(desk.session, "CUSTOMER", side, size=size, after=after, **options)
        assert len(page.rows) <= size
        rows += page.rows
        after = page.following
        if after is None:
            return rows
    raise AssertionError("the list does not end")


def keys(rows: list[RecordRow]) -> list[str | None]:
    return [row.key for row in rows]


# --- rows -------------------------------------------------------------------------------------------------------


async def test_a_row_says_what_the_record_is_coupled_with_and_what_is_the_matter(desk: Desk) -> None:
    """
    behaviour: CRMSynchSkippedRecords/T130_SkippedRecsListOpenFromCRMConnectionSetup
    """
    one = await desk.pair("1", city="Ely")
    await desk.skipped("2", "The phone is wrong.")
    desk.world.customer("3")
    desk.world.customer("4", blocked="All")
    rows = {row.key: row for row in await walk(desk)}
    assert list(rows) == ["1", "2", "3", "4"]
    assert (rows["1"].state, rows["1"].problem, rows["1"].values["city"]) == ("in_step", None, "Ely")
    assert rows["1"].partner is not None
    assert (rows["1"].partner.id, rows["1"].partner.name) == (one.remote_id, "Customer 1")
    assert rows["1"].last_synchronised is not None
    assert (rows["2"].state, rows["2"].problem) == ("skipped", "refused")
    assert "The phone is wrong." in rows["2"].problem_words
    assert (rows["3"].state, rows["3"].partner, rows["3"].coupling_id) == (NOT_COUPLED, None, None)
    assert (rows["3"].in_filter, rows["4"].in_filter) == (True, False)


async def test_the_other_side_is_listed_alike_and_within_the_filter(desk: Desk) -> None:
    """
    behaviour: CRMIntegrationMapping/CRMAccountListIntergationTableFilter
    """
    coupling = await desk.pair("1")
    free = desk.world.account("Trey Research")
    desk.world.account("A vendor", customertypecode=11)
    rows = await walk(desk, Side.REMOTE)
    assert [(row.name, row.state) for row in rows] == [("Customer 1", "in_step"), ("Trey Research", NOT_COUPLED)]
    assert rows[0].partner is not None
    assert (rows[0].id, rows[0].partner.key) == (coupling.remote_id, "1")
    assert rows[1].id == free
    everything = await walk(desk, Side.REMOTE, within_filter=False)
    assert (everything[0].name, everything[0].in_filter) == ("A vendor", False)
    inside = await walk(desk, Side.LOCAL, within_filter=True)
    assert keys(inside) == ["1"]


async def test_an_uncoupled_record_with_a_problem_shows_it(desk: Desk) -> None:
    desk.refuse(Side.REMOTE, name="Customer 1")
    desk.world.customer("1")
    await desk.sync(create=True)
    (row,) = await walk(desk)
    assert (row.state, row.problem) == (NOT_COUPLED, "refused")


async def test_a_coupled_record_that_is_gone_is_listed_by_its_state(desk: Desk) -> None:
    coupling = await desk.pair("1")
    await desk.pair("2")
    desk.remove(Side.LOCAL, coupling.local_id)
    await desk.sync()
    assert keys(await walk(desk)) == ["2"]
    (row,) = await walk(desk, states=["local_deleted"])
    assert (row.key, row.exists, row.values, row.problem) == ("1", False, {}, "partner-deleted")
    assert row.partner is not None
    assert row.partner.id == coupling.remote_id


# --- pages, order, search ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", [f"{number:02}" for number in range(10)]),
        ("-", [f"{number:02}" for number in reversed(range(10))]),
        ("city", ["00", "03", "06", "09", "01", "04", "07", "02", "05", "08"]),
        ("-number", [f"{number:02}" for number in reversed(range(10))]),
    ],
)
async def test_all_records_come_once_in_the_order_asked_for(desk: Desk, sort: str, expected: list[str]) -> None:
    for number in range(10):
        desk.world.customer(f"{number:02}", city=f"City {number % 3}")
    for size in (1, 3, 10, 50):
        found = await walk(desk, size=size, sort=sort)
        assert [row.values["city"] for row in found] == [f"City {int(key) % 3}" for key in expected]
        if sort != "city":
            assert keys(found) == expected


async def test_a_text_is_found_in_key_and_name_each_record_once_keys_first(desk: Desk) -> None:
    for number, name in (("10", "Zebra"), ("20", "Ten 10 Ltd."), ("30", "ADATUM"), ("101", "adatum 10"), ("40", "x")):
        desk.world.customer(number, displayName=name)
    for size in (1, 2, 50):
        assert keys(await walk(desk, size=size, search="10")) == ["10", "101", "20"]
        assert keys(await walk(desk, size=size, search=" adatum ")) == ["101", "30"]
        assert keys(await walk(desk, size=size, search="nobody")) == []
        assert keys(await walk(desk, size=size, search="it's 100%")) == []


async def test_an_address_is_found_as_such(desk: Desk) -> None:
    desk.world.customer("1", email="kim@adatum.example")
    desk.world.customer("2", phoneNumber="+44 1223 496")
    assert keys(await walk(desk, search="kim@adatum")) == ["1"]
    assert keys(await walk(desk, search="1223 496")) == ["2"]


@pytest.mark.parametrize(
    ("text", "filter"),
    [
        ("C00", "startswith(number,'C00')"),
        ("info@", "(startswith(number,'INFO')) and (startswith(number,'INFO@'))"),
        ("@info", "startswith(number,'@INFO')"),
    ],
)
async def test_the_beginning_of_a_number_is_narrowed_down_by_what_no_wildcard_is_in(
    desk: Desk, text: str, filter: str
) -> None:
    ctx = await desk.session.context("CUSTOMER", Task())
    assert search_filters(ctx, Side.LOCAL, text)[0] == filter


# --- states -----------------------------------------------------------------------------------------------------


async def mixed(desk: Desk) -> None:
    """Ten customers: three are not coupled, two are paused, one is in conflict, the others are in step."""
    for number in range(10):
        key = f"{number:02}"
        if number % 4 == 3 or number == 8:
            desk.world.customer(key)
        elif number in (2, 5):
            await desk.skipped(key)
        else:
            await desk.pair(key)
    coupling = desk.coupling("04")
    desk.edit(Side.LOCAL, coupling.local_id, city="Ely")
    desk.edit(Side.REMOTE, coupling.remote_id, address1_city="Bath")
    await desk.sync("04")


STATES: list[tuple[list[str], list[str]]] = [
    (["skipped"], ["02", "05"]),
    (["conflict"], ["04"]),
    (["in_step"], ["00", "01", "06", "09"]),
    (["skipped", "conflict"], ["02", "04", "05"]),
    ([NOT_COUPLED], ["03", "07", "08"]),
    (["waiting"], []),
    (["skipped", NOT_COUPLED], ["02", "05", "03", "07", "08"]),
]


@pytest.mark.parametrize("scan", [2, 3, 2000])
async def test_only_the_states_asked_for_come(desk: Desk, monkeypatch: pytest.MonkeyPatch, scan: int) -> None:
    monkeypatch.setattr(browsing, "SCAN", scan)
    await mixed(desk)
    for states, expected in STATES:
        for size in (1, 2, 50):
            found = await walk(desk, size=size, states=states)
            assert keys(found) == expected, (states, size)
            assert {row.state for row in found} <= set(states)
            assert all(row.values for row in found)


async def test_states_and_search_go_together(desk: Desk) -> None:
    await mixed(desk)
    assert keys(await walk(desk, states=["skipped", NOT_COUPLED], search="customer 0")) == [
        "02",
        "05",
        "03",
        "07",
        "08",
    ]
    assert keys(await walk(desk, states=["skipped", NOT_COUPLED], search="05")) == ["05"]
    assert keys(await walk(desk, states=[NOT_COUPLED], search="05")) == []
    assert keys(await walk(desk, states=["skipped"], sort="-number")) == ["05", "02"]


async def coupled(desk: Desk, numbers: range) -> None:
    for number in numbers:
        local, remote = desk.world.customer(f"{number:03}"), desk.world.account(f"Account {number:03}")
        desk.world.couple("CUSTOMER", local, remote, local_key=f"{number:03}")


async def test_among_many_coupled_records_a_page_looks_so_far_and_goes_on_when_asked_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "SCAN", 5)
    await coupled(desk, range(120))
    desk.world.customer("030A")
    desk.world.customer("999")
    options: dict[str, Any] = {"states": [NOT_COUPLED], "size": 10}
    before = desk.world.local.requests.total
    page = await list_records(desk.session, "CUSTOMER", **options)
    assert (keys(page.rows), page.following is not None) == (["030A"], True)
    assert desk.world.local.requests.total - before <= browsing.MOST_READS + 2
    assert keys(await walk(desk, states=[NOT_COUPLED])) == ["030A", "999"], "by the places of the pages"
    while page.following is not None:
        page = await list_records(desk.session, "CUSTOMER", **options)
    assert keys(page.rows) == ["030A", "999"], "by asking for the same page again"
    before = desk.world.local.requests.total
    assert keys((await list_records(desk.session, "CUSTOMER", **options)).rows) == ["030A", "999"]
    assert desk.world.local.requests.total - before <= 2


@pytest.mark.parametrize("search", ["", "customer"])
async def test_what_is_kept_of_a_page_gives_way_to_what_changes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, search: str
) -> None:
    monkeypatch.setattr(browsing, "SCAN", 5)
    await coupled(desk, range(30))

    async def page() -> list[str | None]:
        return keys((await list_records(desk.session, "CUSTOMER", states=[NOT_COUPLED], search=search, size=10)).rows)

    free = desk.world.customer("999")
    assert await page() == ["999"]
    desk.world.customer("0065")
    assert await page() == ["0065", "999"], "a new record among those that were passed over"
    desk.world.couple("CUSTOMER", free, desk.world.account("Account 999"), local_key="999")
    assert await page() == ["0065"], "a record that has been coupled"
    await uncouple(desk.session, "CUSTOMER", ["012"])
    assert await page() == ["0065", "012"], "a record that has been uncoupled"
    await desk.pair("9999")
    await uncouple(desk.session, "CUSTOMER", ["020"])
    assert await page() == ["0065", "012", "020"], "as many couplings as before"


async def test_a_page_answers_when_it_is_out_of_patience(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "SCAN", 5)
    await coupled(desk, range(12))
    desk.world.customer("999")
    for expected in ([], [], ["999"], ["999"]):
        page = await list_records(desk.session, "CUSTOMER", states=[NOT_COUPLED], size=10, patience=0)
        assert (keys(page.rows), page.following is None) == (expected, bool(expected))


async def test_uncoupled_records_are_found_among_coupled_ones_in_any_order(desk: Desk) -> None:
    await coupled(desk, range(1, 60, 3))
    free = [f"{number:03}" for number in range(0, 60, 3)]
    for key in free:
        desk.world.customer(key)
    assert keys(await walk(desk, states=[NOT_COUPLED], size=7)) == free
    assert keys(await walk(desk, states=[NOT_COUPLED], size=7, sort="-number")) == free[::-1]
    page = await list_records(desk.session, "CUSTOMER", states=[NOT_COUPLED], size=5)
    before = desk.world.local.requests.total
    later = await list_records(desk.session, "CUSTOMER", states=[NOT_COUPLED], size=5, after=page.following)
    assert keys(later.rows) == free[5:10]
    assert desk.world.local.requests.total - before <= 2
    for each in page.rows:
        desk.world.couple("CUSTOMER", each.id, desk.world.account(f"Account {each.key}"), local_key=each.key or "")
    again = await list_records(desk.session, "CUSTOMER", states=[NOT_COUPLED], size=5, after=page.following)
    assert keys(again.rows) == free[5:10], "whatever has become of the page before"


async def test_a_page_costs_a_request_and_a_look_at_the_store(desk: Desk) -> None:
    for number in range(30):
        await desk.pair(f"{number:02}")
    for options in ({}, {"states": ["in_step"]}, {"search": "customer"}):
        page = await list_records(desk.session, "CUSTOMER", size=10, **options)  # type: ignore[arg-type]
        before = desk.world.local.requests.total
        page = await list_records(desk.session, "CUSTOMER", size=10, after=page.following, **options)  # type: ignore[arg-type]
        assert len(page.rows) == 10
        assert desk.world.local.requests.total - before <= 2


async def test_counts_by_state(desk: Desk) -> None:
    await mixed(desk)
    found = await count_records(desk.session, "customer")
    assert (found.total, found.coupled, found.not_coupled) == (10, 7, 3)
    assert found.by_state == {"in_step": 4, "skipped": 2, "conflict": 1}
    assert found.problems == {"refused": 2, "conflict": 1}
    desk.world.account("outside", customertypecode=11)
    remote = await count_records(desk.session, "CUSTOMER", Side.REMOTE)
    assert (remote.total, remote.not_coupled) == (7, 0)


# --- bad input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"states": ["asleep"]}, InvalidOption, "'asleep' is no state of a record; there are not_coupled"),
        ({"sort": "shoeSize"}, UnknownField, "customers has no field 'shoeSize' to sort by"),
        ({"fields": ["shoeSize"]}, UnknownField, "customers has no field 'shoeSize'"),
        ({"size": 0}, InvalidOption, "A page has between 1 and 1000 rows, not 0"),
        ({"after": "nonsense"}, InvalidOption, "is no place in it"),
        ({"after": "é"}, InvalidOption, "is no place in it"),
        ({"after": "eyJzdGFnZSI6LTF9"}, InvalidOption, "is no place in it"),
        ({"after": "eyJzdGFnZSI6MCwicGxhY2UiOiJ4In0"}, InvalidOption, "is no place in it"),
    ],
)
async def test_what_a_list_cannot_be_asked_is_said(
    desk: Desk, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await list_records(desk.session, "CUSTOMER", **options)


async def test_a_list_is_that_of_a_mapping(desk: Desk) -> None:
    with pytest.raises(UnknownMapping):
        await list_records(desk.session, "NOBODY")
    page = await list_records(desk.session, "CUSTOMER", fields=["city", "city"])
    assert [(column.name, column.type) for column in page.columns] == [("city", "text")]
