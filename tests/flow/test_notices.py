"""What a card says of its record when the last synchronisation failed, and what its history has of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from crosstie.app.cards import show_card
from crosstie.app.record_history import record_history
from crosstie.jobs.retention import forget_finished
from crosstie.model.records import Side

from .flow import Flow
from .test_contacts import coupled_people
from .test_skipping import LONG, too_long

Failing = tuple[str, Side, str]
"""Mapping, side and id of the record whose card is looked at."""


async def notice(flow: Flow, mapping: str, side: Side, id: str) -> str | None:
    """Return what the card of a record says that is wrong with it."""
    card = await show_card(await flow.session(), mapping, side, id)
    return card.problem.words if card.problem else None


async def contact(flow: Flow) -> Failing:
    _, local, remote = await coupled_people(flow)
    flow.dv.change("contacts", remote, emailaddress1=LONG)
    await flow.sync("CONTACT")
    return "CONTACT", Side.LOCAL, local


async def currency(flow: Flow) -> Failing:
    flow.bc.add("currencies", code="NOK", displayName="Norwegian krone")
    remote = flow.dv.add(
        "transactioncurrencies",
        currencyname="Krone",
        isocurrencycode="NOK",
        currencysymbol="kr",
        exchangerate=1,
        currencyprecision=2,
    )["transactioncurrencyid"]
    await flow.couple("CURRENCY", "NOK", str(remote))
    return "CURRENCY", Side.LOCAL, flow.couplings("CURRENCY")["NOK"].local_id


async def salesperson(flow: Flow) -> Failing:
    flow.bc.add("salespeoplePurchasers", code="JO", displayName="Jo")
    user = flow.dv.add_user("Ann", "Doe")["systemuserid"]
    await flow.couple("SALESPEOPLE", "JO", user)
    flow.dv.change("systemusers", user, internalemailaddress=LONG)
    await flow.sync("SALESPEOPLE")
    return "SALESPEOPLE", Side.LOCAL, flow.couplings("SALESPEOPLE")["JO"].local_id


async def customer(flow: Flow) -> Failing:
    pair = await too_long(flow)
    await flow.sync()
    return "CUSTOMER", Side.LOCAL, pair.local_id


@pytest.mark.parametrize("failing", [contact, currency, salesperson, customer], ids=lambda each: each.__name__)
async def test_the_card_of_a_record_says_why_its_last_synchronisation_failed(
    flow: Flow, failing: Callable[[Flow], Awaitable[Failing]]
) -> None:
    """It says so once, whichever card was looked at in between, and its history has the failure of this record alone.

    behaviour: CRMSynchNotifications/ContactCardPageShowsNotificationOnFailedSync
    behaviour: CRMSynchNotifications/ContactCardPageShowsNotificationOnFailedSyncByRefresh
    """
    mapping, side, id = await failing(flow)
    problem = flow.only_problem(mapping)
    assert await notice(flow, mapping, side, id) == problem.words
    flow.bc.add("customers", number="20000", displayName="Trey Research")
    await flow.create("CUSTOMER", "20000")
    other = flow.couplings()["20000"].local_id
    assert await notice(flow, "CUSTOMER", Side.LOCAL, other) is None
    assert await notice(flow, mapping, side, id) == problem.words
    told = await record_history(await flow.session(), mapping, side, id)
    failed = [entry for entry in told.entries if entry.outcome == "failed"]
    assert [entry.words for entry in failed] == [problem.words]


async def test_the_card_of_an_uncoupled_record_says_why_its_partner_could_not_be_created(flow: Flow) -> None:
    """
    behaviour: CRMSynchNotifications/CustomerCardPageShowsNotificationOnFailedSyncForUncoupledRec
    """
    account = flow.dv.add_customer("Adatum", emailaddress1=LONG)["accountid"]
    assert (await flow.create("CUSTOMER", account, remote=True)).failed == 1
    words = await notice(flow, "CUSTOMER", Side.REMOTE, account)
    assert words == flow.only_problem().words
    assert words is not None
    assert "80" in words
    assert flow.couplings() == {}


async def test_what_was_done_last_decides_whether_there_is_anything_to_say(flow: Flow) -> None:
    """
    behaviour: CRMSynchNotifications/SendResultNotificationSendsNoNotificationIfSuccessJobIsTheLast
    behaviour: CRMSynchNotifications/SendResultNotificationSendsFailureNotificationIfFailedJobIsTheLast
    """
    mapping, side, id = await customer(flow)
    assert await notice(flow, mapping, side, id) is not None
    await flow.sync("CUSTOMER", "10000", direction="to_remote")
    assert await notice(flow, mapping, side, id) is None
    flow.dv.change("accounts", flow.couplings()["10000"].remote_id, emailaddress1="x" + LONG)
    await flow.sync()
    assert await notice(flow, mapping, side, id) == flow.only_problem().words


async def test_the_job_of_a_failure_is_kept_for_as_long_as_the_card_speaks_of_it(flow: Flow) -> None:
    """
    behaviour: CRMSynchNotifications/ItemCardPageIsNotShowNotificationOnDeletedFailedSyncToCRM
    """
    mapping, side, id = await customer(flow)
    words = await notice(flow, mapping, side, id)
    forget_finished(flow.home.store, datetime.now(UTC) + timedelta(days=365))
    assert await notice(flow, mapping, side, id) == words
    assert [job.from_remote.failed for job in flow.jobs(mapping)] == [1]
    await flow.sync("CUSTOMER", "10000", direction="to_remote")
    forget_finished(flow.home.store, datetime.now(UTC) + timedelta(days=365))
    assert await notice(flow, mapping, side, id) is None
    assert (await record_history(await flow.session(), mapping, side, id)).entries == []
