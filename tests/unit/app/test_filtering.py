"""Filters before they are stored: what they admit, which couplings leave them, and what is wrong with them."""

import pytest

from crosstie.app.filtering import filter_fields, preview_filters
from crosstie.model.errors import InvalidFilter, UnknownField
from crosstie.model.filter_rows import FilterRow, RowOperator
from crosstie.model.records import Side
from tests.unit.app.desk import Desk


async def towns(desk: Desk) -> None:
    """Three coupled customers and one without partner, in step."""
    for number, city in (("10000", "Leeds"), ("20000", "York"), ("30000", "York")):
        await desk.pair(number, city=city)
    desk.world.customer("40000", city="York")
    await desk.sync()


async def test_a_filter_tells_which_couplings_would_leave_it_and_stores_nothing(desk: Desk) -> None:
    await towns(desk)
    before = desk.session.mapping("CUSTOMER")
    found = await preview_filters(desk.session, "customer", texts={Side.LOCAL: " city eq 'Leeds' "})
    assert (found.local.text, found.local.matching, found.local.total) == ("city eq 'Leeds'", 1, 4)
    assert found.local.rows == [FilterRow("city", RowOperator.IS, ("Leeds",))]
    assert (found.couplings, found.leaving, found.returning, found.outside) == (3, 2, 0, 0)
    assert [each.name.split()[0] for each in found.leaving_first] == ["20000", "30000"]
    assert found.words[0].startswith("2 couplings fall outside: the records stay coupled")
    assert desk.session.mapping("CUSTOMER") == before


async def test_couplings_that_are_outside_already_are_told_apart_from_those_that_leave(desk: Desk) -> None:
    await towns(desk)
    desk.configure(local_filter="city eq 'Leeds'")
    await desk.sync(full=True)
    assert desk.state("20000") == "out_of_filter"
    stays = await preview_filters(desk.session, "CUSTOMER")
    assert (stays.changed, stays.leaving, stays.outside, stays.words) == (False, 0, 2, [])
    swapped = await preview_filters(desk.session, "CUSTOMER", texts={Side.LOCAL: "city eq 'York'"})
    assert (swapped.leaving, swapped.returning, swapped.outside) == (1, 2, 0)
    assert swapped.words == [
        "1 coupling falls outside: the records stay coupled and are not synchronised any longer, in neither direction. "
        "What is edited meanwhile is carried over once they are in the filters again.",
        "2 couplings come back and will be synchronised again.",
    ]
    still = await preview_filters(desk.session, "CUSTOMER", texts={Side.REMOTE: "statecode eq 0"})
    assert (still.leaving, still.returning, still.outside) == (0, 0, 2)
    assert still.words == ["2 couplings are outside already and stay so."]


async def test_a_coupling_whose_record_was_deleted_is_no_matter_of_filters(desk: Desk) -> None:
    await towns(desk)
    desk.remove(Side.LOCAL, desk.coupling("20000").local_id)
    await desk.sync()
    found = await preview_filters(desk.session, "CUSTOMER", texts={Side.LOCAL: "city ne 'York'"})
    assert found.leaving == 1


async def test_rows_become_the_text_that_would_be_stored(desk: Desk) -> None:
    rows = [FilterRow("City", RowOperator.ONE_OF, ("York", "")), FilterRow("statecode", RowOperator.IS, ("0",))]
    found = await preview_filters(desk.session, "CUSTOMER", rows={Side.LOCAL: rows[:1], Side.REMOTE: rows[1:]})
    assert (found.local.text, found.remote.text) == ("(city eq 'York' or city eq null)", "statecode eq 0")


@pytest.mark.parametrize(
    ("row", "kind", "words"),
    [
        (FilterRow("ctiy", RowOperator.IS, ("York",)), UnknownField, "has no field .ctiy.. Did you mean"),
        (FilterRow("blocked", RowOperator.IS, ("Sometimes",)), InvalidFilter, "has no option 'Sometimes'"),
        (FilterRow("creditLimit", RowOperator.LESS, ("lots",)), InvalidFilter, "'lots' is no value for"),
    ],
)
async def test_what_is_wrong_with_a_row_is_named(desk: Desk, row: FilterRow, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        await preview_filters(desk.session, "CUSTOMER", rows={Side.LOCAL: [row]})


async def test_the_fields_of_a_side_say_what_they_can_be_asked_for(desk: Desk) -> None:
    fields = {each.name: each for each in await filter_fields(desk.session, "CUSTOMER", Side.REMOTE)}
    assert fields["statecode"].options == {"0": "Active", "1": "Inactive"}
    assert RowOperator.CONTAINS in fields["name"].operators
