"""Customers that are blocked because their account is inactive."""

import pytest

from .flow import Flow, told

BLANK = "_x0020_"
INACTIVE = {"statecode": 1, "statuscode": 2}


def blocked(flow: Flow, number: str = "10000") -> str:
    return str(flow.bc.only("customers", f"number eq '{number}'")["blocked"])


@pytest.mark.parametrize("direction", ["from_remote", "merge"])
async def test_an_inactive_account_blocks_its_customer_when_it_is_synchronised_on_purpose(
    flow: Flow, direction: str
) -> None:
    """The schedule leaves it alone, because the filter does; and what is blocked is not unblocked by itself."""
    pair = await flow.pair()
    flow.dv.change("accounts", pair.remote_id, **INACTIVE)
    assert told(await flow.sync()) == ({"skipped": 1}, {})
    assert blocked(flow) == BLANK
    assert told(await flow.sync("CUSTOMER", "10000", direction=direction)) == ({}, {"modified": 1})
    assert blocked(flow) == "All"
    flow.dv.change("accounts", pair.remote_id, statecode=0, statuscode=1)
    await flow.sync("CUSTOMER", "10000", direction=direction)
    assert blocked(flow) == "All"


@pytest.mark.parametrize("held", ["Ship", "All"])
async def test_a_customer_that_is_blocked_in_some_way_stays_so(flow: Flow, held: str) -> None:
    pair = await flow.pair()
    flow.bc.edit_customer("10000", blocked=held)
    flow.dv.change("accounts", pair.remote_id, **INACTIVE)
    await flow.sync("CUSTOMER", "10000", direction="from_remote")
    assert blocked(flow) == held


async def test_sending_blocks_nobody_and_an_active_account_unblocks_nobody(flow: Flow) -> None:
    pair = await flow.pair()
    flow.dv.change("accounts", pair.remote_id, **INACTIVE)
    await flow.sync("CUSTOMER", "10000", direction="to_remote")
    assert blocked(flow) == BLANK
    flow.dv.change("accounts", pair.remote_id, statecode=0, statuscode=1)
    flow.bc.edit_customer("10000", blocked="Ship")
    await flow.sync("CUSTOMER", "10000", direction="from_remote")
    assert blocked(flow) == "Ship"
    assert flow.dv.row("accounts", pair.remote_id)["statecode"] == 0, "a blocked customer deactivates no account"


async def test_the_pages_that_carry_every_field_block_too(custom_flow: Flow) -> None:
    flow = custom_flow
    pair = await flow.pair()
    flow.dv.change("accounts", pair.remote_id, **INACTIVE)
    await flow.sync("CUSTOMER", "10000", direction="from_remote")
    assert blocked(flow) == "All"
