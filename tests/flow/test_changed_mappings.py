"""What a mapping that was changed could have missed is looked at by the next synchronisation."""

from typing import Any

import msgspec
import pytest

from crosstie.app.mappings import change_mapping
from crosstie.app.people.acting import command_line
from crosstie.model.mapping_changes import MappingChanges
from tests.flow.flow import Flow, told


async def change(flow: Flow, **changes: Any) -> None:
    """Change the mapping of customers, as a person does."""
    await change_mapping(
        await flow.session(), command_line(), "CUSTOMER", msgspec.convert(changes, MappingChanges, strict=False)
    )


@pytest.mark.parametrize("side", ["local", "remote"])
@pytest.mark.parametrize("how", ["to_remote", "from_remote", "merge"])
async def test_what_a_field_missed_while_it_was_off_is_found_once_it_is_on(flow: Flow, side: str, how: str) -> None:
    """A record that was synchronised by name meanwhile looks as if nothing had happened to it since."""
    pair, other = await flow.pairs({number: {"displayName": number, "city": "Leeds"} for number in ("10000", "20000")})
    await flow.sync()
    await change(flow, fields={"City": {"enabled": False}})
    if side == "local":
        flow.bc.change("customers", pair.local_id, city="York", phoneNumber="111")
    else:
        flow.dv.change("accounts", pair.remote_id, address1_city="York", telephone1="111")
    await flow.sync("CUSTOMER", "10000", direction=how)
    assert {flow.bc.customer("10000")["city"], flow.dv.account(pair.remote_id)["city"]} == {"Leeds", "York"}
    await change(flow, fields={"City": {"enabled": True}})
    await flow.sync()
    problem = flow.only_problem()
    assert (problem.code, [field.label for field in problem.fields]) == ("conflict", ["City"]), (
        "nobody knows who is right"
    )
    assert {flow.bc.customer("10000")["city"], flow.dv.account(pair.remote_id)["city"]} == {"Leeds", "York"}
    assert flow.dv.account(other.remote_id)["city"] == "Leeds"
    assert told(await flow.sync()) == ({}, {})


async def test_what_a_policy_can_settle_is_settled_once_the_field_is_on(flow: Flow) -> None:
    pair = await flow.pair(city="Leeds")
    await flow.sync()
    await change(flow, update_conflict="send", fields={"City": {"enabled": False}})
    flow.bc.change("customers", pair.local_id, city="York")
    await flow.sync("CUSTOMER", "10000")
    await change(flow, fields={"City": {"enabled": True}})
    await flow.sync()
    assert flow.dv.account(pair.remote_id)["city"] == "York"
    assert flow.problems() == []
