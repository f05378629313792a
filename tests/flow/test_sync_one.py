"""Synchronise Now for one record: send, get and merge, over every way in which the two sides can have moved."""

import pytest

from crosstie.model.decisions import Preference
from crosstie.model.errors import InvalidOption

from .flow import Flow, told

PHONE, CITY = "+44 1223 496 000", "Ely"
NOBODY: dict[str, str] = {}
LOCAL_PHONE, REMOTE_PHONE = {"phone": "+44 1"}, {"phone": "+44 2"}
LOCAL_CITY, REMOTE_CITY = {"city": "Cambridge"}, {"city": "Huntingdon"}
SENT, GOT, BOTH = ({"modified": 1}, {}), ({}, {"modified": 1}), ({"modified": 1}, {"modified": 1})

_LOCAL_NAMES = {"phone": "phoneNumber", "city": "city"}
_REMOTE_NAMES = {"phone": "telephone1", "city": "address1_city"}


@pytest.mark.parametrize(
    ("local", "remote", "direction", "after", "counted"),
    [
        pytest.param(NOBODY, NOBODY, "to_remote", {}, ({"unchanged": 1}, {}), id="send-unmodified"),
        pytest.param(NOBODY, NOBODY, "from_remote", {}, ({}, {"unchanged": 1}), id="get-unmodified"),
        pytest.param(NOBODY, NOBODY, "merge", {}, ({"unchanged": 1}, {}), id="merge-unmodified"),
        pytest.param(LOCAL_PHONE, NOBODY, "to_remote", LOCAL_PHONE, SENT, id="send-source-modified"),
        pytest.param(NOBODY, REMOTE_PHONE, "from_remote", REMOTE_PHONE, GOT, id="get-source-modified"),
        pytest.param(NOBODY, REMOTE_PHONE, "to_remote", {}, SENT, id="send-destination-modified"),
        pytest.param(LOCAL_PHONE, NOBODY, "from_remote", {}, GOT, id="get-destination-modified"),
        pytest.param(LOCAL_PHONE, NOBODY, "merge", LOCAL_PHONE, SENT, id="merge-local-modified"),
        pytest.param(NOBODY, REMOTE_PHONE, "merge", REMOTE_PHONE, GOT, id="merge-remote-modified"),
        pytest.param(LOCAL_PHONE, REMOTE_PHONE, "to_remote", LOCAL_PHONE, SENT, id="send-settles-conflict"),
        pytest.param(LOCAL_PHONE, REMOTE_PHONE, "from_remote", REMOTE_PHONE, GOT, id="get-settles-conflict"),
        pytest.param(LOCAL_PHONE, REMOTE_CITY, "to_remote", LOCAL_PHONE, SENT, id="send-both-modified"),
        pytest.param(LOCAL_PHONE, REMOTE_CITY, "from_remote", REMOTE_CITY, GOT, id="get-both-modified"),
        pytest.param(LOCAL_PHONE, REMOTE_CITY, "merge", LOCAL_PHONE | REMOTE_CITY, BOTH, id="merge-both-modified"),
        pytest.param(LOCAL_CITY, LOCAL_CITY, "to_remote", LOCAL_CITY, ({"unchanged": 1}, {}), id="send-same-edit"),
        pytest.param(LOCAL_CITY, LOCAL_CITY, "merge", LOCAL_CITY, ({"unchanged": 1}, {}), id="merge-same-edit"),
    ],
)
async def test_the_direction_decides_whose_values_win(
    flow: Flow,
    local: dict[str, str],
    remote: dict[str, str],
    direction: str,
    after: dict[str, str],
    counted: tuple[dict[str, int], dict[str, int]],
) -> None:
    """
    behaviour: CRMEntitySynchTest/SyncSingleCustomerUnmodified
    behaviour: CRMEntitySynchTest/SyncSingleCustomerCRMModified
    behaviour: IntegrationTableSynchTest/SynchCoupledRecord
    behaviour: IntegrationTableSynchTest/SynchCoupledIntegrationTableRecord
    behaviour: IntegrationTableSynchTest/ForceSynchCoupledRecord
    behaviour: IntegrationTableSynchTest/ForceSynchCoupledIntegrationTableRecord
    """
    pair = await flow.pair(phoneNumber=PHONE, city=CITY)
    _edit(flow, pair, local, remote)
    report = await flow.sync("CUSTOMER", pair.number, direction=direction)
    assert told(report) == counted
    expected = {"phone": PHONE, "city": CITY, **after}
    assert {name: flow.bc.customer(pair.number)[name] for name in expected} == expected
    assert flow.differences(pair) == {}
    assert flow.problems() == []


async def test_send_writes_only_what_differs(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber=PHONE, city=CITY)
    flow.bc.change("customers", pair.local_id, phoneNumber="+44 1")
    async with flow.counting() as counted:
        await flow.sync("CUSTOMER", pair.number, direction="to_remote")
    assert counted.writes == {"PATCH accounts": 1}
    changes = [(c.field, c.before, c.after) for c in (await flow.history("CUSTOMER", pair.number))[0].changes]
    assert changes == [("telephone1", PHONE, "+44 1")]


async def test_a_merge_of_the_same_field_changed_to_different_values_is_a_conflict(flow: Flow) -> None:
    pair = await flow.pair(phoneNumber=PHONE, city=CITY)
    _edit(flow, pair, LOCAL_PHONE | LOCAL_CITY, REMOTE_PHONE)
    report = await flow.sync("CUSTOMER", pair.number)
    assert report.failed == 1
    assert [failure.code for failure in report.failures] == ["conflict"]
    assert flow.differences(pair) == {"phone": ("+44 1", "+44 2")}, "the city has merged all the same"
    assert flow.state(pair.number) == "conflict"


async def test_records_just_coupled_and_never_synchronised_get_the_values_of_the_side_chosen(flow: Flow) -> None:
    """
    behaviour: CRMEntitySynchTest/SyncSingleCustomerBothModified
    """
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation", city="Cambridge")
    account = flow.dv.add_customer("Adatum Ltd.", address1_city="Huntingdon")
    await flow.couple("CUSTOMER", "10000", "Adatum Ltd.", synchronise="no")
    pair = flow.pair_of("10000")
    assert pair.remote_id == account["accountid"]
    await flow.sync("CUSTOMER", "10000", direction="to_remote")
    assert flow.differences(pair) == {}
    assert flow.dv.account(pair.remote_id)["name"] == "Adatum Corporation"


@pytest.mark.parametrize("named", ["10000", "Adatum Corporation", "Adatum", "{local_id}", "{remote_id}", "Other name"])
async def test_a_record_is_found_by_number_name_beginning_or_id_of_either_side(flow: Flow, named: str) -> None:
    pair = await flow.pair(name="Adatum Corporation")
    flow.dv.change("accounts", pair.remote_id, name="Other name")
    text = named.format(local_id=pair.local_id, remote_id=pair.remote_id)
    await flow.sync("CUSTOMER", text, direction="from_remote")
    assert flow.bc.customer(pair.number)["name"] == "Other name"


# --- a mapping that flows one way --------------------------------------------------------------------------------


async def a_salesperson(flow: Flow) -> tuple[str, str]:
    """Add a user and its salesperson, in step; return both ids."""
    user = flow.dv.add_user("Jo", "Doe", mobilephone="+1 1")["systemuserid"]
    await flow.create("SALESPEOPLE", user, remote=True)
    coupling = next(iter(flow.couplings("SALESPEOPLE").values()))
    return coupling.local_id, coupling.remote_id


async def test_a_user_renamed_in_dataverse_renames_the_salesperson(flow: Flow) -> None:
    """
    behaviour: CRMEntitySynchTest/SyncSingleSalespersonCRMModified
    """
    salesperson, user = await a_salesperson(flow)
    flow.dv.change("systemusers", user, lastname="Roe")
    report = await flow.sync("SALESPEOPLE", "SP NO. 00001")
    assert told(report) == ({}, {"modified": 1})
    assert flow.bc.row("salespeoplePurchasers", salesperson)["displayName"] == "Jo Roe"


async def test_a_salesperson_renamed_here_gets_the_users_name_back_when_synchronised_on_purpose(flow: Flow) -> None:
    """
    behaviour: CRMEntitySynchTest/SyncSingleSalespersonNAVModified
    """
    salesperson, user = await a_salesperson(flow)
    flow.bc.change("salespeoplePurchasers", salesperson, displayName="Somebody Else")
    before = flow.dv.row("systemusers", user)["@odata.etag"]
    report = await flow.sync("SALESPEOPLE", "SP NO. 00001")
    assert told(report) == ({}, {"modified": 1})
    assert flow.bc.row("salespeoplePurchasers", salesperson)["displayName"] == "Jo Doe"
    assert flow.dv.row("systemusers", user)["@odata.etag"] == before
    entry = (await flow.history("SALESPEOPLE"))[0]
    assert [(c.field, c.lost) for c in entry.changes] == [("displayName", "Somebody Else")]


async def test_a_salesperson_coupled_by_hand_takes_the_users_values(flow: Flow) -> None:
    """
    behaviour: CRMEntitySynchTest/SyncSingleSalespersonBothModified
    """
    flow.bc.add("salespeoplePurchasers", code="JO", displayName="J. D.")
    user = flow.dv.add_user("Jo", "Doe")
    await flow.couple("SALESPEOPLE", "JO", str(user["systemuserid"]), synchronise="no")
    assert flow.bc.only("salespeoplePurchasers", "code eq 'JO'")["displayName"] == "J. D."
    await flow.sync("SALESPEOPLE", "JO")
    assert flow.bc.only("salespeoplePurchasers", "code eq 'JO'")["displayName"] == "Jo Doe"


async def test_salespeople_are_synchronised_one_after_the_other_without_touching_each_other(flow: Flow) -> None:
    """
    behaviour: CRMEntitySynchTest/SyncSalespersonsSequently
    """
    users = [flow.dv.add_user(first, "Doe")["systemuserid"] for first in ("Ann", "Ben")]
    await flow.create("SALESPEOPLE", *users, remote=True)
    flow.dv.change("systemusers", users[0], lastname="Roe")
    ben = flow.bc.only("salespeoplePurchasers", "displayName eq 'Ben Doe'")
    flow.bc.change("salespeoplePurchasers", ben["id"], displayName="Benedict Doe")
    for user in users:
        await flow.sync("SALESPEOPLE", user)
    assert {row["displayName"] for row in flow.bc.rows("salespeoplePurchasers")} == {"Ann Roe", "Ben Doe"}


@pytest.mark.parametrize(
    ("mapping", "direction", "flows"),
    [("SALESPEOPLE", Preference.SEND, "from_remote"), ("CURRENCY", Preference.GET, "to_remote")],
)
async def test_a_direction_that_the_mapping_does_not_have_is_refused(
    flow: Flow, mapping: str, direction: Preference, flows: str
) -> None:
    flow.bc.add("currencies", code="EUR", displayName="Euro")
    async with flow.counting() as counted:
        with pytest.raises(InvalidOption, match=f"{mapping} flows {flows}") as refused:
            await flow.sync(mapping, "EUR", direction=direction)
    assert refused.value.advice == "Leave the direction away, or change that of the mapping."
    assert counted.writes == {}
    assert flow.jobs() == []


def _edit(flow: Flow, pair: object, local: dict[str, str], remote: dict[str, str]) -> None:
    if local:
        flow.bc.change("customers", pair.local_id, **{_LOCAL_NAMES[name]: value for name, value in local.items()})
    if remote:
        flow.dv.change("accounts", pair.remote_id, **{_REMOTE_NAMES[name]: value for name, value in remote.items()})
