"""What the processes do that are killed: whole use cases, as the command line runs them."""

import asyncio
from typing import Any

import msgspec

from crosstie.app import plans, undo_source
from crosstie.app.background import HomeDuties
from crosstie.app.connections import connect_pair, pair_from_sandbox
from crosstie.app.coupling import set_up_coupling, uncouple
from crosstie.app.home import Home
from crosstie.app.matching import match
from crosstie.app.session import Session, open_session, utc_now
from crosstie.app.synchronising import synchronise
from crosstie.app.undoing import undo_job
from crosstie.engine import matching, uncoupling
from crosstie.engine import synchronise as synchronising
from crosstie.jobs.carrying import Carrier
from crosstie.jobs.processes import living


async def synchronise_customers(home: Home) -> Any:
    """Synchronise what changed, and create the partners that are missing on both sides."""
    async with open_session(home) as session:
        return msgspec.to_builtins(await synchronise(session, "CUSTOMER", create=True))


async def synchronise_payment_terms(home: Home) -> Any:
    """Create options, whose numbers Dataverse chooses: recovery cannot ask for them by id."""
    async with open_session(home) as session:
        return msgspec.to_builtins(await synchronise(session, "PAYMENT TERMS", create=True))


async def match_customers(home: Home) -> Any:
    """Match by number, couple, and send the local data."""
    async with open_session(home) as session:
        report = await match(session, "CUSTOMER", groups=(("number",),), synchronise=True, create=False)
        return len(report.coupled_ids)


async def couple_customer(home: Home) -> Any:
    """Set up one coupling and synchronise it; again, if it is there already."""
    async with open_session(home) as session:
        return msgspec.to_builtins(
            await set_up_coupling(session, "CUSTOMER", "D001", "Both One", synchronise="to_remote")
        )


async def uncouple_customers(home: Home) -> Any:
    """Remove every coupling of the mapping, and the company's stamp from the remote records."""
    async with open_session(home) as session:
        return msgspec.to_builtins(await uncouple(session, "CUSTOMER", all=True))


async def undo_kept_job(home: Home) -> Any:
    """Undo the job whose number is kept in a setting; again, if that has begun already."""
    async with open_session(home) as session:
        return await _undo_kept(session)


async def undo_and_synchronise(home: Home) -> Any:
    """Undo that job, and then synchronise what changed, as a job does that nobody asked for."""
    async with open_session(home) as session:
        await _undo_kept(session)
        return msgspec.to_builtins(await synchronise(session, "CUSTOMER"))


async def synchronise_undo_and_synchronise(home: Home) -> Any:
    """The same, after a job that nobody asked for either."""
    async with open_session(home) as session:
        await synchronise(session, "CUSTOMER")
        await _undo_kept(session)
        return msgspec.to_builtins(await synchronise(session, "CUSTOMER"))


async def _undo_kept(session: Session) -> Any:
    with session.store.begin() as unit:
        job = int(unit.settings()["undone"])
    return msgspec.to_builtins(await undo_job(session, job, forced=True))


async def carry_out_jobs(home: Home) -> Any:
    """Carry out what waits, or goes on, as a worker does; in small pages, so that a job has a middle."""
    for module in (synchronising, uncoupling, matching):
        module.PAGE = 2  # type: ignore[attr-defined]
    plans.PLAN_PAGE = 2
    undo_source._PAGE = 4

    def carry_out() -> None:
        with home.store.begin() as unit:
            going = [job for job in unit.background.going_on() if job.use_case]
        for job in going:
            carrier = Carrier(home.store, HomeDuties(home), utc_now, living(home.store, utc_now), lambda: False)
            mappings = carrier.begin(job.id, job.attempt)
            endings = [carrier.carry(job.id, job.attempt, mapping) for mapping in mappings or [None]]
            carrier.end(job.id, job.attempt, [ending for ending in endings if ending is not None])

    await asyncio.to_thread(carry_out)


async def connect(home: Home, sandbox: dict[str, Any]) -> Any:
    """Store the connections and the standard mappings."""
    return await connect_pair(home, *pair_from_sandbox(sandbox))
