"""Winners: single fields chosen while two records are coupled, beforehand as afterwards."""

import pytest

from crosstie.app.coupling import set_up_coupling
from crosstie.app.previewing import preview
from crosstie.app.undoing import undo_job
from crosstie.app.winners import Winner, read_winners
from crosstie.model.couplings import CouplingState
from crosstie.model.errors import AlreadyCoupled, InvalidOption, UnknownField
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from crosstie.model.values import Scalar
from tests.unit.app.desk import Desk

LOCAL, REMOTE, LEAVE = Winner.LOCAL, Winner.REMOTE, Winner.LEAVE
HERE = ("Here", "here@example.com", "Ely")
THERE = ("There", "there@example.com", "Lyon")


async def two(desk: Desk) -> tuple[str, str]:
    """A customer and an account that differ in name, e-mail and city; neither is coupled."""
    desk.world.customer("10000", displayName=HERE[0], email=HERE[1], city=HERE[2], creditLimit=5)
    remote = desk.world.account(THERE[0], emailaddress1=THERE[1], address1_city=THERE[2])
    local = next(each.id for each in desk.world.local.records("customers") if each.values["number"] == "10000")
    return local, remote


def held(desk: Desk, local: str, remote: str) -> tuple[tuple[Scalar, ...], tuple[Scalar, ...]]:
    """Return name, e-mail and city on both sides."""
    return (
        tuple(desk.value(Side.LOCAL, local, name) for name in ("displayName", "email", "city")),
        tuple(desk.value(Side.REMOTE, remote, name) for name in ("name", "emailaddress1", "address1_city")),
    )


@pytest.mark.parametrize(
    ("synchronise", "winners", "local", "remote"),
    [
        ("no", {"City": LOCAL}, HERE, (*THERE[:2], HERE[2])),
        ("no", {"City": REMOTE}, (*HERE[:2], THERE[2]), THERE),
        ("to_remote", {"City": REMOTE}, (*HERE[:2], THERE[2]), (*HERE[:2], THERE[2])),
        ("to_remote", {"city": LEAVE, "email/emailaddress1": REMOTE}, (HERE[0], THERE[1], HERE[2]),
         (HERE[0], THERE[1], THERE[2])),
        ("from_remote", {"Name": LOCAL, "City": LEAVE}, (HERE[0], THERE[1], HERE[2]), (HERE[0], *THERE[1:])),
        ("from_remote", {"City": REMOTE}, THERE, THERE),
    ],
)  # fmt: skip
async def test_each_field_gets_the_value_that_was_chosen_for_it_as_it_was_shown(
    desk: Desk, synchronise: str, winners: dict[str, Winner], local: tuple[str, ...], remote: tuple[str, ...]
) -> None:
    here, there = await two(desk)
    shown = await preview(desk.session, "CUSTOMER", "10000", there, synchronise=synchronise, winners=winners)
    assert desk.world.couplings() == {}, "looking couples nothing"
    await set_up_coupling(desk.session, "CUSTOMER", "10000", there, synchronise=synchronise, winners=winners)
    assert held(desk, here, there) == (local, remote)
    for each in shown.fields:
        if each.difference.label in ("Name", "E-Mail", "City"):
            assert desk.value(Side.LOCAL, here, each.difference.local_field or "") == each.after_local.value
            assert desk.value(Side.REMOTE, there, each.difference.remote_field or "") == each.after_remote.value
    assert desk.state("10000") is CouplingState.IN_STEP
    await desk.sync()
    assert held(desk, here, there) == (local, remote), "what was left alone stays until somebody edits it"
    desk.edit(Side.REMOTE, there, address1_city="Oslo")
    await desk.sync()
    assert desk.value(Side.LOCAL, here, "city") == "Oslo"


async def test_the_choice_shows_which_fields_it_is_about(desk: Desk) -> None:
    _, there = await two(desk)
    shown = await preview(desk.session, "CUSTOMER", "10000", there, winners={"City": REMOTE, "Name": LEAVE})
    told = {each.difference.label: (each.winner, each.chosen, each.writes) for each in shown.fields}
    assert told["City"] == (Side.REMOTE, True, Side.LOCAL)
    assert told["Name"] == (None, True, None)
    assert told["E-Mail"] == (Side.LOCAL, False, Side.REMOTE)


async def test_what_loses_stays_in_the_history_and_can_be_had_back(desk: Desk) -> None:
    here, there = await two(desk)
    made = await set_up_coupling(
        desk.session, "CUSTOMER", "10000", there, synchronise="no", winners={"City": REMOTE, "Name": LOCAL}
    )
    with desk.store.begin() as unit:
        lost = {
            change.field: change.lost
            for entry in unit.journal(mapping="CUSTOMER", limit=50)
            for change in entry.changes
        }
    assert set(lost.values()) >= {HERE[2], THERE[0]}
    assert made.job_id is not None
    await undo_job(desk.session, made.job_id)
    assert held(desk, here, there) == (HERE, THERE)
    assert not desk.is_coupled("10000")


async def test_a_field_that_waits_for_a_currency_is_brought_once_that_is_coupled(desk: Desk) -> None:
    desk.world.customer("1", currencyCode="EUR")
    remote = desk.world.account("Adatum")
    await set_up_coupling(desk.session, "CUSTOMER", "1", remote, synchronise="no", winners={"Currency": LOCAL})
    assert desk.state("1") is CouplingState.WAITING
    assert desk.problems() == {"1 Customer 1": "waiting-for-partner"}


@pytest.mark.parametrize(
    ("winners", "error", "words"),
    [
        ({"creditLimit": REMOTE}, InvalidOption, "flows from the local side only: the remote value cannot be"),
        ({"Shoe Size": LOCAL}, UnknownField, "no field mapping 'Shoe Size'"),
    ],
)
async def test_what_cannot_be_chosen_couples_nothing_and_says_why(
    desk: Desk, winners: dict[str, Winner], error: type[Exception], words: str
) -> None:
    _, there = await two(desk)
    for call in (preview, set_up_coupling):
        with pytest.raises(error, match=words):
            await call(desk.session, "CUSTOMER", "10000", there, winners=winners)  # type: ignore[operator]
    assert not desk.is_coupled("10000")


async def test_a_mapping_that_flows_one_way_knows_one_side_and_leaving(desk: Desk) -> None:
    here, there = await two(desk)
    desk.flow(Direction.FROM_REMOTE)
    with pytest.raises(InvalidOption, match="City flows from the remote side only: the local value cannot be chosen"):
        await set_up_coupling(desk.session, "CUSTOMER", "10000", there, winners={"City": LOCAL})
    await set_up_coupling(desk.session, "CUSTOMER", "10000", there, winners={"City": LEAVE})
    assert held(desk, here, there) == ((*THERE[:2], HERE[2]), THERE)


async def test_a_pair_that_is_coupled_has_its_own_dialog_for_that(desk: Desk) -> None:
    coupling = await desk.pair("1")
    desk.edit(Side.LOCAL, coupling.local_id, city="Ely")
    with pytest.raises(AlreadyCoupled, match="is coupled with this record already") as refused:
        await set_up_coupling(desk.session, "CUSTOMER", "1", coupling.remote_id, winners={"City": REMOTE})
    assert "Synchronise Now" in refused.value.advice
    assert desk.value(Side.LOCAL, coupling.local_id, "city") == "Ely"


@pytest.mark.parametrize("given", [[("City", "both")], [("", "local")], [("City", "local"), ("City", "remote")]])
def test_what_is_no_choice_is_refused(given: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidOption):
        read_winners(given)
