"""Cards, the history in words, what choices come to, the landing page and what uncoupling comes to."""

import pytest

from crosstie.app.cards import RecordCard, show_card
from crosstie.app.choosing import choose_fields
from crosstie.app.differences import differences
from crosstie.app.landing import explain_uncoupled
from crosstie.app.previewing import preview_creation
from crosstie.app.record_history import job_entries, record_history
from crosstie.app.related import related_figures, related_records
from crosstie.app.uncoupling import foresee_uncoupling
from crosstie.model.couplings import CouplingState
from crosstie.model.decisions import Preference
from crosstie.model.errors import InvalidOption, NotCoupled, UnknownMapping, UnknownRecord, UnknownTable
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from tests.unit.app.desk import Desk

LOCAL, REMOTE = Side.LOCAL, Side.REMOTE


def value(card: RecordCard, field: str) -> str:
    return next(each.shown.words for each in card.fields if each.field == field)


# --- cards ------------------------------------------------------------------------------------------------------


async def test_a_card_has_the_record_its_partner_and_what_differs(desk: Desk) -> None:
    coupling = await desk.pair("10000", displayName="Adatum", city="Ely")
    desk.edit(REMOTE, coupling.remote_id, address1_city="Hull")
    here = await show_card(desk.session, "customer", LOCAL, coupling.local_id)
    assert (here.title, value(here, "city"), here.state) == ("10000 · Adatum", "Ely", "in_step")
    assert [(each.local.words, each.remote.words) for each in here.differing] == [("Ely", "Hull")]
    assert [each.field for each in here.fields[:2]] == ["number", "displayName"]
    there = await show_card(desk.session, "CUSTOMER", REMOTE, coupling.remote_id)
    assert value(there, "address1_city") == "Hull"
    assert there.partner is not None
    assert there.partner.words == "10000 Adatum"
    assert set(here.reasons) == {"create"}


async def test_an_uncoupled_record_says_what_can_be_done_with_it(desk: Desk) -> None:
    id = desk.world.customer("10000")
    card = await show_card(desk.session, "CUSTOMER", LOCAL, id)
    assert (card.state, card.partner, set(card.reasons)) == ("not_coupled", None, {"open", "uncouple"})
    desk.flow(Direction.FROM_REMOTE)
    card = await show_card(desk.session, "CUSTOMER", LOCAL, id)
    assert "from_remote only" in card.reasons["create"]
    desk.configure(local_filter="city eq 'Ely'")
    card = await show_card(desk.session, "CUSTOMER", LOCAL, id)
    assert not card.in_filter
    assert (
        card.reasons["couple"]
        == card.reasons["synchronise"]
        == ("The filter of CUSTOMER leaves the record out; it admits: city is “Ely”.")
    )


async def test_of_a_deleted_record_the_card_shows_what_its_coupling_knows(desk: Desk) -> None:
    coupling = await desk.pair("10000", displayName="Adatum")
    desk.remove(LOCAL, coupling.local_id)
    card = await show_card(desk.session, "CUSTOMER", LOCAL, coupling.local_id)
    assert (card.exists, card.title, card.fields) == (False, "10000 · Adatum", [])
    assert "no longer exists" in card.reasons["couple"]
    assert "uncouple" not in card.reasons
    there = await show_card(desk.session, "CUSTOMER", REMOTE, coupling.remote_id)
    assert there.partner is not None
    assert (there.partner.exists, there.partner.words) == (False, "10000 Adatum")


async def test_a_skipped_record_brings_its_problem(desk: Desk) -> None:
    coupling = await desk.skipped("10000")
    for side in Side:
        card = await show_card(desk.session, "CUSTOMER", side, coupling.record_id(side))
        assert card.state == CouplingState.SKIPPED
        assert card.problem is not None
        assert "The phone is wrong." in card.problem.words


async def test_what_is_neither_there_nor_coupled_has_no_card(desk: Desk) -> None:
    with pytest.raises(UnknownRecord):
        await show_card(desk.session, "CUSTOMER", LOCAL, "00000000-0000-4000-8000-000000000000")
    with pytest.raises(UnknownMapping):
        await show_card(desk.session, "NOTHING", LOCAL, "1")


# --- choosing ---------------------------------------------------------------------------------------------------


async def test_choices_decide_clashes_and_are_counted(desk: Desk) -> None:
    coupling = await desk.pair("10000", city="Ely", phoneNumber="1")
    desk.edit(LOCAL, coupling.local_id, city="Hull", phoneNumber="2")
    desk.edit(REMOTE, coupling.remote_id, address1_city="York")
    found = await differences(desk.session, "CUSTOMER", "10000")
    merged = choose_fields(found, Preference.MERGE, {})
    assert (merged.writes, merged.clashes, merged.loses) == (1, 1, 0)
    for side, words in ((LOCAL, "Hull"), (REMOTE, "York")):
        chosen = choose_fields(found, Preference.MERGE, {"city": side})
        assert (chosen.writes, chosen.clashes, chosen.loses) == (2, 0, 1)
        [city] = [each for each in chosen.fields if each.difference.name == "city"]
        assert (city.source, city.result, city.clash) == (side, words, False)
    sent = choose_fields(found, Preference.SEND, {})
    assert (sent.writes, sent.clashes, sent.loses) == (2, 0, 1)


async def test_a_direction_that_the_mapping_has_not_cannot_be_chosen(desk: Desk) -> None:
    await desk.pair("10000")
    desk.flow(Direction.TO_REMOTE)
    found = await differences(desk.session, "CUSTOMER", "10000")
    with pytest.raises(InvalidOption, match="merge"):
        choose_fields(found, Preference.MERGE, {})


# --- history ----------------------------------------------------------------------------------------------------


async def test_the_history_has_labels_and_pages(desk: Desk) -> None:
    coupling = await desk.pair("10000", city="Ely")
    for city in ("Hull", "York"):
        desk.edit(LOCAL, coupling.local_id, city=city)
        report = await desk.sync("10000")
    first = await record_history(desk.session, "CUSTOMER", LOCAL, coupling.local_id, limit=1)
    [entry] = first.entries
    [change] = entry.changes
    assert (change.label, change.before_words, change.after_words) == ("City", "Hull", "York")
    assert entry.can_be_undone
    assert first.before_id == entry.id
    rest = await record_history(desk.session, "CUSTOMER", REMOTE, coupling.remote_id, before_id=first.before_id)
    assert rest.before_id is None
    assert rest.entries[0].outcome == "modified"
    assert report.job_id is not None
    assert [each.id for each in await job_entries(desk.session, "CUSTOMER", report.job_id)] == [entry.id]


# --- landing and uncoupling -------------------------------------------------------------------------------------


async def test_an_uncoupled_account_is_explained_with_what_may_be_its_customer(desk: Desk) -> None:
    free = desk.world.customer("1", displayName="Fabrikam", email="kim@fabrikam.example")
    await desk.pair("2", displayName="Fabrikam")
    account = desk.world.account("Fabrikam", emailaddress1="kim@fabrikam.example")
    found = await explain_uncoupled(desk.session, "ACCOUNT", "{" + account.upper() + "}")
    assert (found.mapping, found.name, found.admitted) == ("CUSTOMER", "Fabrikam", True)
    assert found.reasons == ["CUSTOMER synchronises only coupled records."]
    assert [each.id for each in found.candidates] == [free], "taken ones are no help here"
    assert found.cannot_create == ""


async def test_one_that_no_filter_admits_cannot_be_created(desk: Desk) -> None:
    desk.configure("VENDOR", remote_filter="customertypecode eq 11")
    account = desk.world.account("Neither", statecode=1)
    found = await explain_uncoupled(desk.session, "account", account)
    assert not found.admitted
    assert found.candidates == []
    assert all("leaves it out" in reason for reason in found.reasons)
    assert found.cannot_create
    with pytest.raises(UnknownMapping):
        await explain_uncoupled(desk.session, "nothing", account)
    with pytest.raises(UnknownRecord):
        await explain_uncoupled(desk.session, "account", "00000000-0000-4000-8000-000000000000")


async def test_a_creation_is_foreseen_from_either_side(desk: Desk) -> None:
    account = desk.world.account("Litware", address1_city="Oslo")
    found = await preview_creation(desk.session, "CUSTOMER", account, side=REMOTE)
    assert (found.creates, found.blocked, found.ways) == (True, None, ["from_remote"])
    assert {each.difference.name: each.after_local.words for each in found.fields if each.writes}["city"] == "Oslo"
    desk.flow(Direction.TO_REMOTE)
    found = await preview_creation(desk.session, "CUSTOMER", account, side=REMOTE)
    assert found.blocked is not None
    assert found.blocked.code == "cannot-couple"


@pytest.mark.parametrize(("only_coupled", "sides"), [(True, []), (False, [LOCAL, REMOTE])])
async def test_uncoupling_says_whether_a_partner_could_come_again(
    desk: Desk, only_coupled: bool, sides: list[Side]
) -> None:
    coupling = await desk.pair("10000")
    desk.configure(only_coupled=only_coupled)
    found = await foresee_uncoupling(desk.session, "CUSTOMER", REMOTE, coupling.remote_id)
    assert found.coupling.id == coupling.id
    assert found.creates_again == sides
    assert "CONTACT" in found.dependants
    with pytest.raises(NotCoupled):
        await foresee_uncoupling(desk.session, "CUSTOMER", LOCAL, coupling.remote_id)


# --- what belongs to the account ---------------------------------------------------------------------------------


async def test_a_system_without_opportunities_quotes_and_cases_shows_no_figures(desk: Desk) -> None:
    coupling = await desk.pair("10000")
    assert await related_figures(desk.session, "CUSTOMER", LOCAL, coupling.local_id) == []
    with pytest.raises(UnknownTable):
        await related_records(desk.session, "CUSTOMER", LOCAL, coupling.local_id, "quotes")


async def test_what_is_not_coupled_with_an_account_has_no_figures(desk: Desk) -> None:
    id = desk.world.customer("10000")
    assert await related_figures(desk.session, "CUSTOMER", LOCAL, id) == []
    with pytest.raises(UnknownRecord, match="not coupled with an account"):
        await related_records(desk.session, "CUSTOMER", LOCAL, id, "cases")
    with pytest.raises(InvalidOption, match="opportunities, quotes, cases"):
        await related_records(desk.session, "CUSTOMER", LOCAL, id, "orders")
