"""Candidates for a coupling, and the preview of what coupling comes to."""

from collections.abc import Sequence

import pytest

from crosstie.app.candidates import Candidate, candidates
from crosstie.app.coupling import set_up_coupling
from crosstie.app.previewing import CouplingPreview, preview
from crosstie.model.errors import InvalidOption, UnknownMapping, UnknownRecord
from crosstie.model.mappings import Direction
from crosstie.model.records import Side
from crosstie.model.values import Scalar
from tests.unit.app.desk import Desk


def names(found: Sequence[Candidate]) -> list[str | None]:
    return [each.name for each in found]


def why(found: Candidate) -> set[str]:
    return {reason.words for reason in found.reasons}


# --- candidates -------------------------------------------------------------------------------------------------


async def test_the_best_comes_first_with_its_reasons(desk: Desk) -> None:
    desk.world.customer(
        "10000",
        displayName="Adatum Corporation",
        email="kim@adatum.example",
        phoneNumber="+44 1223 496 000",
        city="Cambridge",
    )
    desk.world.account("Somebody", emailaddress1="KIM@ADATUM.EXAMPLE")
    desk.world.account("Adatum Ltd.", telephone1="(01223) 496 000", address1_city="Cambridge")
    desk.world.account("Adatum Belgium")
    desk.world.account("Contoso", address1_city="Cambridge")
    desk.world.account("By number", accountnumber="10000")
    found = await candidates(desk.session, "customer", "10000")
    assert names(found) == ["Adatum Ltd.", "Somebody", "By number", "Adatum Belgium"]
    assert why(found[0]) == {"same name but for the legal form", "same phone number", "same city"}
    assert why(found[1]) == {"same e-mail"}
    assert why(found[2]) == {"same number"}
    assert why(found[3]) == {"similar name"}
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    assert all(each.free and not each.current for each in found)
    assert found[0].values["address1_city"] == "Cambridge"


async def test_taken_ones_stand_below_and_say_who_holds_them(desk: Desk) -> None:
    desk.world.customer("1", displayName="Adatum")
    other = await desk.pair("2", displayName="Adatum")
    desk.world.account("Adatum Belgium")
    found = await candidates(desk.session, "CUSTOMER", "1")
    assert names(found) == ["Adatum Belgium", "Adatum"]
    assert found[1].coupled_to is not None
    assert (found[1].coupled_to.key, found[1].coupled_to.id) == ("2", other.local_id)
    assert not found[1].free
    assert not found[1].current


async def test_the_present_partner_says_so(desk: Desk) -> None:
    await desk.pair("1", displayName="Adatum")
    (found,) = await candidates(desk.session, "CUSTOMER", "1")
    assert found.current
    assert found.coupled_to is not None


async def test_one_outside_of_the_filter_says_so(desk: Desk) -> None:
    desk.world.customer("1", displayName="Adatum")
    desk.world.account("Adatum", customertypecode=11)
    desk.world.account("Adatum Belgium")
    found = await candidates(desk.session, "CUSTOMER", "1")
    assert [(each.name, each.in_filter, each.free) for each in found] == [
        ("Adatum Belgium", True, True),
        ("Adatum", False, False),
    ]


async def test_what_a_person_types_finds_all_that_have_it_in_their_name(desk: Desk) -> None:
    """
    behaviour: CRMCouplingRecord/TypingIncompleteCRMAccountName
    behaviour: CRMCouplingRecord/TypingWrongCRMAccountName
    """
    desk.world.customer("1", displayName="Adatum")
    for name in ("CCCC", "CC", "other", "abCC"):
        desk.world.account(name)
    found = await candidates(desk.session, "CUSTOMER", "1", "CC")
    assert set(names(found)) == {"CC", "CCCC", "abCC"}
    assert all(each.score == 0 and each.reasons == [] for each in found)
    assert await candidates(desk.session, "CUSTOMER", "1", "nobody has this") == []


async def test_the_other_way_round_customers_are_found_for_an_account(desk: Desk) -> None:
    account = desk.world.account("Adatum Ltd", emailaddress1="kim@adatum.example")
    desk.world.customer("1", displayName="Adatum", email="info@adatum.example")
    desk.world.customer("2", displayName="Contoso")
    (found,) = await candidates(desk.session, "CUSTOMER", account, side=Side.REMOTE)
    assert (found.key, why(found)) == ("1", {"same name but for the legal form", "same e-mail domain"})


async def test_without_any_evidence_nothing_is_proposed(desk: Desk) -> None:
    desk.world.customer("1", displayName="Adatum")
    desk.world.account("Contoso")
    assert await candidates(desk.session, "CUSTOMER", "1") == []
    with pytest.raises(UnknownRecord):
        await candidates(desk.session, "CUSTOMER", "nobody")
    with pytest.raises(UnknownMapping):
        await candidates(desk.session, "NOBODY", "1")


async def test_a_few_small_requests_find_them_among_many(desk: Desk) -> None:
    for number in range(300):
        desk.world.account(f"Adatum {number:03}")
    desk.world.account("Adatum")
    desk.world.customer("1", displayName="Adatum", email="kim@adatum.example", phoneNumber="01223 496 000")
    before = desk.world.remote.requests.reads
    found = await candidates(desk.session, "CUSTOMER", "1", limit=5)
    assert (len(found), found[0].name) == (5, "Adatum")
    assert desk.world.remote.requests.reads - before <= 9


# --- preview ----------------------------------------------------------------------------------------------------


def changes(found: CouplingPreview) -> dict[str, tuple[Scalar, Scalar, str | None]]:
    """After-values of both sides, and the side written, of fields that are written."""
    return {
        each.difference.label: (each.after_local.value, each.after_remote.value, each.writes)
        for each in found.fields
        if each.writes is not None
    }


async def two(desk: Desk) -> tuple[str, str]:
    local = desk.world.customer("10000", displayName="Adatum Corporation", city="Cambridge", phoneNumber="1")
    remote = desk.world.account("Adatum Ltd.", address1_city="Ely", telephone1="1", emailaddress1="a@adatum.example")
    return local, remote


@pytest.mark.parametrize(
    ("synchronise", "expected"),
    [
        (
            "to_remote",
            {
                "Name": ("Adatum Corporation", "Adatum Corporation", "remote"),
                "E-Mail": (None, None, "remote"),
                "City": ("Cambridge", "Cambridge", "remote"),
            },
        ),
        (
            "from_remote",
            {
                "Name": ("Adatum Ltd.", "Adatum Ltd.", "local"),
                "E-Mail": ("a@adatum.example", "a@adatum.example", "local"),
                "City": ("Ely", "Ely", "local"),
            },
        ),
        ("no", {}),
        (None, None),
    ],
)
async def test_the_preview_is_what_ok_then_does(
    desk: Desk, synchronise: str | None, expected: dict[str, tuple[Scalar, Scalar, str | None]] | None
) -> None:
    """
    behaviour: CRMCouplingRecord/LookupCouplingRecordRefreshesValuesOnPage
    behaviour: CRMCouplingRecord/GetPerformInitialSynchronization
    behaviour: CRMCouplingRecord/GetInitialSynchronizationDirection
    """
    local, remote = await two(desk)
    found = await preview(desk.session, "CUSTOMER", "10000", remote, synchronise=synchronise)
    assert found.synchronise == (synchronise or "to_remote")
    assert found.ways == ["no", "to_remote", "from_remote"]
    assert (found.blocked, found.replaces, found.creates) == (None, [], False)
    shown = {label: change for label, change in changes(found).items() if label in ("Name", "E-Mail", "City")}
    if expected is not None:
        assert shown == expected
    differing = [each.difference.label for each in found.fields if each.difference.differs]
    assert {"Name", "E-Mail", "City"} <= set(differing)
    assert "Phone No." not in differing
    assert desk.world.couplings() == {}, "looking couples nothing"
    await set_up_coupling(desk.session, "CUSTOMER", "10000", remote, synchronise=synchronise)
    here, there = desk.record(Side.LOCAL, local), desk.record(Side.REMOTE, remote)
    assert here is not None
    assert there is not None
    for each in found.fields:
        if (name := each.difference.local_field) and each.difference.remote_field:
            assert here.values[name] == each.after_local.value
            assert there.values[each.difference.remote_field] == each.after_remote.value


async def test_a_pair_that_is_coupled_proposes_not_to_synchronise(desk: Desk) -> None:
    coupling = await desk.pair("1")
    found = await preview(desk.session, "CUSTOMER", "1", coupling.remote_id)
    assert (found.coupled_already, found.synchronise, found.blocked) == (True, "no", None)
    desk.edit(Side.LOCAL, coupling.local_id, city="Ely")
    found = await preview(desk.session, "CUSTOMER", "1", coupling.remote_id, synchronise="to_remote")
    assert changes(found) == {"City": ("Ely", "Ely", "remote")}


async def test_another_partner_takes_the_place_of_the_one_until_now(desk: Desk) -> None:
    coupling = await desk.pair("1")
    free = desk.world.account("Free")
    found = await preview(desk.session, "CUSTOMER", "1", free)
    assert [each.remote_id for each in found.replaces] == [coupling.remote_id]
    assert (found.coupled_already, found.synchronise, found.blocked) == (False, "to_remote", None)
    assert changes(found)["Name"] == ("Customer 1", "Customer 1", "remote")
    assert desk.coupling("1").remote_id == coupling.remote_id


@pytest.mark.parametrize("trouble", ["taken", "outside"])
async def test_what_cannot_be_coupled_says_so_beforehand(desk: Desk, trouble: str) -> None:
    desk.world.customer("1")
    if trouble == "taken":
        remote = (await desk.pair("2")).remote_id
    else:
        remote = desk.world.account("A vendor", customertypecode=11)
    found = await preview(desk.session, "CUSTOMER", "1", remote)
    assert found.blocked is not None
    code, words = {
        "taken": ("already-coupled", "Customer 2 is already coupled to 2 Customer 2"),
        "outside": ("cannot-couple", "The remote filter of the mapping CUSTOMER leaves A vendor out"),
    }[trouble]
    assert found.blocked.code == code
    assert words in found.blocked.words
    assert not found.sides[Side.REMOTE].in_filter or trouble == "taken"


async def test_a_missing_dependency_is_named(desk: Desk) -> None:
    desk.world.customer("1", currencyCode="EUR")
    found = await preview(desk.session, "CUSTOMER", "1", desk.world.account("Adatum"))
    assert [(each.mapping, each.key) for each in found.waits_for] == [("CURRENCY", "EUR")]
    assert found.problem == "waiting-for-partner"
    (currency,) = [each for each in found.fields if each.difference.label == "Currency"]
    assert currency.writes is None
    assert "EUR is not coupled" in currency.reason


async def test_create_new_shows_the_record_to_be(desk: Desk) -> None:
    """
    behaviour: CRMCouplingRecord/CheckingCreateNewInCRM
    behaviour: CRMCouplingRecord/CRMCouplingRecordCreateNewEnabledForNotCoupledRecord
    """
    desk.world.customer("1", city="Ely")
    found = await preview(desk.session, "CUSTOMER", "1", None)
    assert (found.creates, found.synchronise, found.ways, found.blocked) == (True, "to_remote", ["to_remote"], None)
    assert list(found.sides) == [Side.LOCAL]
    assert changes(found)["Name"] == ("Customer 1", "Customer 1", "remote")
    assert changes(found)["City"] == ("Ely", "Ely", "remote")
    assert desk.world.remote.records("account") == []


async def test_create_new_is_not_for_coupled_records_nor_against_the_flow(desk: Desk) -> None:
    """
    behaviour: CRMCouplingRecord/CRMCouplingRecordCreateNewDisabledForCoupledRecord
    behaviour: CRMCouplingRecord/CRMCouplingRecordCreateNewDisabledForFromIntegrationTableDirection
    """
    await desk.pair("1")
    found = await preview(desk.session, "CUSTOMER", "1", None)
    assert found.blocked is not None
    assert (found.blocked.code, found.coupled_already) == ("already-coupled", True)
    desk.world.customer("2", blocked="All")
    outside = await preview(desk.session, "CUSTOMER", "2", None)
    assert outside.blocked is not None
    assert "outside of the mapping's filter" in outside.blocked.words
    desk.world.customer("3")
    desk.flow(Direction.FROM_REMOTE)
    found = await preview(desk.session, "CUSTOMER", "3", None)
    assert found.blocked is not None
    assert "flows from the remote side only" in found.blocked.words


async def test_only_ways_that_the_mapping_has_are_offered(desk: Desk) -> None:
    desk.world.customer("1")
    account = desk.world.account("Adatum")
    desk.flow(Direction.FROM_REMOTE)
    found = await preview(desk.session, "CUSTOMER", "1", account)
    assert (found.synchronise, found.ways) == ("from_remote", ["no", "from_remote"])
    with pytest.raises(InvalidOption, match="CUSTOMER flows from_remote"):
        await preview(desk.session, "CUSTOMER", "1", account, synchronise="to_remote")
    with pytest.raises(InvalidOption, match="is no way to synchronise"):
        await preview(desk.session, "CUSTOMER", "1", account, synchronise="sideways")
    with pytest.raises(UnknownRecord):
        await preview(desk.session, "CUSTOMER", "1", "nobody")
