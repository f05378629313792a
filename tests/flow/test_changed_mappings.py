"""What a mapping that was changed could have missed is looked at by the next synchronisation."""

from typing import Any

import msgspec
import pytest

from crosstie.app.mappings import change_mapping
from crosstie.app.people.acting import command_line
from crosstie.model.mapping_changes import MappingChanges
from tests.flow.flow import Flow, told

TOWNS = {"10000": "Leeds", "20000": "York"}


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


async def test_a_filter_is_put_together_on_the_command_line(flow: Flow) -> None:
    """What is wrong is named; a dry run says what would leave, and stores nothing."""
    pairs = await flow.pairs({number: {"displayName": number, "city": city} for number, city in TOWNS.items()})
    wrong = await flow.crosstie("mapping", "filter", "CUSTOMER", "--local", "Citty", "is", "York", "--json")
    assert (wrong.code, wrong.error["code"]) == (2, "unknown-field")
    assert "Did you mean City?" in wrong.error["words"]
    none = await flow.crosstie("mapping", "filter", "CUSTOMER", "--local", "City", "iz", "York")
    assert (none.code, "'iz' is no operator for City; there are: is, is_not" in none.err) == (2, True)
    asked = (
        "mapping",
        "filter",
        "customer",
        "--local",
        "City",
        "one-of",
        "York|Ely",
        "--remote",
        "statecode",
        "is",
        "Active",
    )
    tried = await flow.crosstie(*asked, "--dry-run")
    assert "1 coupling falls outside" in tried.out
    assert "Nothing was stored (dry run)." in tried.out
    assert flow.mapping().local_filter == "blocked eq null"
    done = await flow.crosstie(*asked, "--json")
    assert (done.document["leaving"], done.document["couplings"]) == (1, 2)
    assert (flow.mapping().local_filter, flow.mapping().remote_filter) == (
        "(city eq 'York' or city eq 'Ely')",
        "statecode eq 0",
    )
    await flow.start_afresh()
    await flow.sync()
    assert {number: flow.state(number) for number in TOWNS} == {"10000": "out_of_filter", "20000": "in_step"}
    assert len(pairs) == len(flow.couplings()), "all stay coupled"
    fields = await flow.crosstie("mapping", "filter", "CUSTOMER", "--fields", "remote", "--json")
    assert next(each for each in fields.document["fields"] if each["name"] == "statecode")["options"]["1"] == "Inactive"


async def test_transformation_rules_hold_for_what_is_edited_and_never_swing_back(flow: Flow) -> None:
    """Each direction has its own; what was in step stays as it is until somebody edits it."""
    old, new = await flow.pairs({number: {"displayName": number, "city": city} for number, city in TOWNS.items()})
    await flow.sync()
    rules = {"transform_to_remote": [{"kind": "uppercase"}], "transform_to_local": [{"kind": "title_case"}]}
    await change(flow, fields={"City": rules})
    assert await flow.sync_writes() == {}
    flow.bc.change("customers", old.local_id, city="Ely upon Tyne")
    flow.dv.change("accounts", new.remote_id, address1_city="bury st edmunds")
    await flow.sync()
    assert flow.dv.account(old.remote_id)["city"] == "ELY UPON TYNE"
    assert flow.bc.customer("10000")["city"] == "Ely upon Tyne"
    assert flow.bc.customer("20000")["city"] == "Bury St Edmunds"
    assert flow.dv.account(new.remote_id)["city"] == "bury st edmunds"
    assert await flow.sync_writes() == {}
    assert await flow.sync_writes(full=True) == {}, "what one direction made is no change for the other"
    assert flow.problems() == []
    flow.bc.change("customers", new.local_id, city="Leeds")
    flow.dv.change("accounts", new.remote_id, address1_city="LEEDS")
    await flow.sync()
    assert flow.problems() == [], "the same edit on both sides is agreement"


async def test_transformation_rules_are_set_on_the_command_line(flow: Flow) -> None:
    asked = ("mapping", "set-field", "CUSTOMER", "City")
    wrong = await flow.crosstie(*asked, "--to-remote", "shout")
    assert (wrong.code, "There is no transformation rule 'shout'; there are: uppercase" in wrong.err) == (2, True)
    done = await flow.crosstie(*asked, "--to-remote", "trim", "--to-remote", "replace find=St. replace='Saint '")
    assert "none -> trim, then replace find=St. replace='Saint '" in done.out
    assert "to remote: trim, then replace" in (await flow.crosstie("mapping", "fields", "CUSTOMER")).out
    listed = (await flow.crosstie("mapping", "fields", "CUSTOMER", "--json")).document["fields"]
    city = next(each for each in listed if each["label"] == "City")
    assert city["transform_to_remote"][1] == {"kind": "replace", "find": "St.", "replace": "Saint "}
    lookup = await flow.crosstie("mapping", "set-field", "CUSTOMER", "Currency Code", "--to-local", "trim")
    assert (lookup.code, "transformation rules are for plain fields" in lookup.err) == (2, True)
    await flow.crosstie(*asked, "--no-rules")
    assert next(each for each in flow.mapping().fields if each.label == "City").transform_to_remote == ()


async def test_options_can_become_the_payment_terms_instead(flow: Flow) -> None:
    """Payment terms go to Dataverse as shipped; the other way its field mapping goes along (engine rule C-9)."""
    await flow.match("PAYMENT TERMS", create=False)
    said = await flow.crosstie("mapping", "set", "PAYMENT TERMS", "--direction", "from_remote")
    assert said.code == 0, said.err
    assert "Code: direction: to_remote -> from_remote" in said.out
    await flow.start_afresh()
    coupling = flow.couplings("PAYMENT TERMS")["NET 45"]
    flow.bc.change("paymentTerms", coupling.local_id, code="45 DAYS")
    await flow.sync("PAYMENT TERMS", coupling.remote_id, direction="from_remote")
    assert flow.bc.row("paymentTerms", coupling.local_id)["code"] == "NET 45"
    refused = await flow.crosstie("mapping", "set", "PAYMENT TERMS", "--direction", "bidirectional")
    assert refused.code == 2
    assert "goes in one direction only" in refused.err
