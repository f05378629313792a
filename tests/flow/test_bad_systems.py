"""Systems that are down, slow, throttling, refusing or answering nonsense: what heals heals, the rest is named."""

from typing import Any

import msgspec
import pytest

from crosstie.jobs.owners import this_owner
from crosstie.model.connections import Connection
from crosstie.model.jobs import JobKind
from crosstie.model.mappings import Direction

from .flow import Flow, figures, told

ALWAYS: dict[str, object] = {"times": None}


def reconnect(flow: Flow, name: str, **changes: Any) -> None:
    """Change a stored connection."""
    with flow.home.store.begin() as unit:
        stored = next(connection for connection in unit.connections() if connection.name == name)
        unit.put_connection(msgspec.structs.replace(stored, **changes))


def limited(flow: Flow, name: str, **limits: object) -> None:
    """Change how patient a connection is."""
    with flow.home.store.begin() as unit:
        stored: Connection = next(connection for connection in unit.connections() if connection.name == name)
    settings = {**stored.settings, "limits": {**stored.settings["limits"], **limits}}
    reconnect(flow, name, settings=settings)


@pytest.mark.parametrize("system", ["business-central", "dataverse"])
@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ({"kind": "drop_before"}, "unreachable", ""),
        ({"kind": "status", "status": 503, "retry_after": 0.01}, "throttled|unreachable", ""),
        ({"kind": "throttle", "retry_after": 600}, "throttled", "600 s"),
        ({"kind": "refuse", "status": 401}, "credentials-refused", ""),
        ({"kind": "html", "status": 200}, "garbled-answer", ""),
        ({"kind": "tear"}, "garbled-answer|unreachable", ""),
    ],
    ids=["down", "out-of-order", "throttling", "refusing", "html", "torn"],
)
async def test_a_system_that_cannot_be_worked_with_ends_the_job_and_nothing_is_lost(
    flow: Flow, system: str, fault: dict[str, Any], code: str, words: str
) -> None:
    pair = await flow.pair(phoneNumber="+44 0")
    await flow.sync()
    flow.bc.change("customers", pair.local_id, phoneNumber="+44 1")
    flow.dv.change("accounts", pair.remote_id, address1_city="Ely")
    desk = flow.bc if system == "business-central" else flow.dv
    desk.fault(**fault, **ALWAYS)
    said = await flow.crosstie("sync", "CUSTOMER", "--json")
    desk.heal()
    assert said.code == 3
    error = said.error
    assert error["code"] in code.split("|")
    assert system in error["words"]
    assert any(each in error["words"] for each in words.split("|"))
    assert error["next_step"]
    assert flow.problems() == [], "nothing is counted against records"
    assert flow.bc.customer("10000")["city"] == ""
    assert {job.state for job in flow.jobs("CUSTOMER")} <= {"finished", "failed"}, "none is left running"
    assert told(await flow.sync()) == ({"modified": 1}, {"modified": 1})
    assert flow.differences(pair) == {}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "throttle", "retry_after": 0.02, "times": 2},
        {"kind": "status", "status": 504, "times": 1, "method": "GET"},
        {"kind": "drop_before", "times": 1},
        {"kind": "drop_after", "times": 1, "method": "GET"},
        {"kind": "tear", "times": 1, "method": "GET"},
        {"kind": "html", "times": 1, "method": "GET"},
        {"kind": "refuse", "times": 1},
        {"kind": "slow", "seconds": 0.2, "times": 2},
    ],
    ids=lambda fault: str(fault["kind"]),
)
@pytest.mark.parametrize("system", ["business-central", "dataverse"])
async def test_what_passes_heals_within_the_job(flow: Flow, system: str, fault: dict[str, Any]) -> None:
    pair = await flow.pair(phoneNumber="+44 0")
    await flow.sync()
    flow.bc.change("customers", pair.local_id, phoneNumber="+44 1")
    flow.dv.change("accounts", pair.remote_id, address1_city="Ely")
    (flow.bc if system == "business-central" else flow.dv).fault(**fault)
    report = await flow.sync()
    assert (report.failed, figures(report.to_remote)["modified"], figures(report.from_remote)["modified"]) == (0, 1, 1)
    assert flow.differences(pair) == {}
    assert flow.problems() == []


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
@pytest.mark.parametrize("system", ["business-central", "dataverse"])
async def test_a_write_whose_answer_is_lost_is_done_once(flow: Flow, system: str, fault: str) -> None:
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    flow.dv.add_customer("Fabrikam")
    desk = flow.bc if system == "business-central" else flow.dv
    desk.fault(fault, method="POST", path=r"\$batch", times=1)
    await flow.sync_failing("CUSTOMER", create=True)
    desk.heal()
    await flow.sync("CUSTOMER", create=True)
    assert sorted(row["displayName"] for row in flow.bc.rows("customers")) == ["Adatum Corporation", "Fabrikam"]
    assert sorted(row["name"] for row in flow.dv.rows("accounts")) == ["Adatum Corporation", "Fabrikam"]
    assert len(flow.couplings()) == 2
    assert flow.problems() == []


async def test_a_system_that_is_too_slow_is_given_up_and_named(flow: Flow) -> None:
    await flow.pair()
    limited(flow, "dataverse", timeout=0.2, attempts=2, patience=1)
    flow.dv.fault("slow", seconds=1, times=None)
    said = await flow.crosstie("sync", "CUSTOMER", "--json")
    flow.dv.heal()
    assert (said.code, said.error["code"]) == (3, "unreachable")
    assert "dataverse" in said.error["words"]
    assert "0.2 seconds" in said.error["words"]


async def test_a_system_that_is_not_there_is_named_with_its_address(flow: Flow) -> None:
    reconnect(flow, "dataverse", address="http://127.0.0.1:9/api/data/v9.2")
    said = await flow.crosstie("sync", "CUSTOMER", "--json")
    assert (said.code, said.error["code"]) == (3, "unreachable")
    assert "127.0.0.1:9" in said.error["words"]
    assert said.error["next_step"] == ("Check the address and the network; nothing was lost, try again later.")


async def test_a_wrong_secret_is_named_and_never_shown(flow: Flow) -> None:
    reconnect(flow, "business-central", secret="not-the-secret")
    said = await flow.crosstie("sync", "CUSTOMER", "--json")
    assert (said.code, said.error["code"]) == (3, "credentials-refused")
    assert "business-central" in said.error["words"]
    assert said.error["next_step"].startswith("Check tenant, client id and secret")
    assert "not-the-secret" not in said.out + said.err
    listed = await flow.crosstie("connection", "list", "--json")
    assert "not-the-secret" not in listed.out


async def test_a_disabled_connection_is_named_with_what_enables_it(flow: Flow) -> None:
    assert (await flow.crosstie("connection", "disable", "dataverse", "--json")).code == 0
    said = await flow.crosstie("sync", "CUSTOMER", "--json")
    assert (said.code, said.error["code"]) == (2, "invalid-connection")
    assert said.error["commands"] == ["crosstie connection enable dataverse"]


async def test_one_table_that_may_not_be_read_stops_its_own_mappings_only(flow: Flow) -> None:
    await flow.configure("VENDOR", remote_table="knowledgearticle")
    await flow.pair()
    said = await flow.crosstie("sync", "--all", "--json")
    assert said.code == 2
    told_of = {report["mapping"]: report for report in said.document["mappings"]}
    assert len(told_of) == 7
    assert {name for name, report in told_of.items() if "error" in report} == {"VENDOR"}
    assert told_of["VENDOR"]["error"]["code"] == "unknown-table"
    assert told_of["VENDOR"]["error"]["words"] == "dataverse has no table 'knowledgearticle'."
    assert said.error == told_of["VENDOR"]["error"]


async def test_a_page_torn_in_half_is_never_half_used(flow: Flow) -> None:
    limited(flow, "business-central", page_size=10, garbled_attempts=1)
    await flow.pairs({f"C{n:03}": {"displayName": f"Company {n}"} for n in range(35)})
    for row in flow.bc.rows("customers"):
        flow.bc.change("customers", row["id"], city="Ely")
    flow.bc.fault("tear", path="customers$", after=2, times=1)
    said = await flow.crosstie("sync", "CUSTOMER", "--json")
    flow.bc.heal()
    assert said.code == 3
    await flow.sync()
    assert flow.dv.rows("accounts", "address1_city ne 'Ely'") == []
    assert flow.problems() == []


async def test_an_environment_that_was_copied_stops_everything(flow: Flow) -> None:
    reconnect(flow, "dataverse", environment="another-one")
    with flow.home.store.begin() as unit:
        unit.put_setting("environment_seen:dataverse", "2020-01-01T00:00:00+00:00")
    said = await flow.crosstie("sync", "CUSTOMER", "--json")
    assert (said.code, said.error["code"]) == (3, "environment-changed")
    assert "another-one" in said.error["words"]


async def test_two_jobs_of_one_mapping_do_not_run_at_once(flow: Flow) -> None:
    with flow.home.store.begin() as unit:
        unit.start_job(
            JobKind.SYNCHRONISATION,
            "CUSTOMER",
            Direction.BIDIRECTIONAL,
            exclusive=True,
            owner=this_owner(),
            now=(await flow.session()).now(),
        )
    said = await flow.crosstie("sync", "CUSTOMER", "--json")
    assert (said.code, said.error["code"]) == (2, "job-running")
    flow.bc.add("customers", number="10000", displayName="Adatum Corporation")
    assert (await flow.crosstie("create", "CUSTOMER", "10000", "--json")).code == 0, "single records still go"
