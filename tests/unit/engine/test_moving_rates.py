"""Values that move although no record does: exchange rates, as each job of the currencies asks for them."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from crosstie.app.coupling import create_partners
from crosstie.app.session import Session
from crosstie.app.synchronising import synchronise
from crosstie.model.decisions import Decision, Preference, RecordAction
from crosstie.model.mappings import Direction, FieldMapping, Mapping
from crosstie.model.records import Side
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.store import open_store
from crosstie.systems.memory import MemorySystem, Ticks

T = FieldType


def table(name: str, key: str, *fields: FieldSchema) -> TableSchema:
    known = {found.name: found for found in (FieldSchema(name=key, type=T.GUID), *fields)}
    return TableSchema(
        name=name, key=key, fields=known, feed=ChangeFeed.MODIFIED, client_ids=True, conditional_writes=True
    )


def field(name: str, type: FieldType = T.TEXT, **traits: bool) -> FieldSchema:
    return FieldSchema(name=name, type=type, **traits)


LOCAL = (
    table("generalLedgerSetup", "id", field("localCurrencyCode", T.CODE)),
    table("currencies", "id", field("code", T.CODE), field("displayName")),
    table(
        "currencyExchangeRates",
        "id",
        field("currencyCode", T.CODE),
        field("startingDate", T.DATE),
        field("exchangeRateAmount", T.DECIMAL, nullable=False),
        field("relationalCurrencyCode", T.CODE),
        field("relationalExchangeRateAmount", T.DECIMAL, nullable=False),
    ),
)
REMOTE = (
    table(
        "transactioncurrency",
        "transactioncurrencyid",
        field("isocurrencycode"),
        field("currencyname"),
        FieldSchema(name="exchangerate", type=T.DECIMAL, scale=10),
    ),
    table(
        "organization",
        "organizationid",
        FieldSchema(name="basecurrencyid", type=T.LOOKUP, targets=("transactioncurrency",)),
        field("currencydecimalprecision", T.INTEGER),
    ),
)
CURRENCY = Mapping(
    name="CURRENCY",
    label="Currency",
    local_table="currencies",
    remote_table="transactioncurrency",
    direction=Direction.TO_REMOTE,
    fields=(
        FieldMapping(local_field="code", remote_field="isocurrencycode", direction=Direction.TO_REMOTE),
        FieldMapping(local_field="displayName", remote_field="currencyname", direction=Direction.TO_REMOTE),
        FieldMapping(
            local_field=None, remote_field="exchangerate", direction=Direction.TO_REMOTE, rule="exchange_rate"
        ),
    ),
    local_key_field="code",
    local_name_field="displayName",
    remote_key_field="isocurrencycode",
    remote_name_field="currencyname",
)


class Watching:
    """Keeps what a job decides."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def decided(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def progress(self, done: int) -> None:
        """Take no notice."""


class Bank:
    """A company with three currencies and their rates, coupled and in step."""

    def __init__(self) -> None:
        self.clock = Ticks()
        self.systems = {
            Side.LOCAL: MemorySystem("BC", LOCAL, now=self.clock),
            Side.REMOTE: MemorySystem("DV", REMOTE, now=self.clock),
        }
        self.session = Session(None, open_store(":memory:"), self.systems, {}, now=self.clock)
        local, remote = self.systems[Side.LOCAL], self.systems[Side.REMOTE]
        local.put("generalLedgerSetup", {"localCurrencyCode": "GBP"})
        base = remote.put("transactioncurrency", {"isocurrencycode": "GBP", "exchangerate": Decimal(1)})
        remote.put("organization", {"basecurrencyid": base.id, "currencydecimalprecision": 2})
        self.ids = {code: local.put("currencies", {"code": code}).id for code in ("EUR", "USD", "SEK")}
        with self.session.store.begin() as unit:
            unit.put_mapping(CURRENCY)

    def rate(self, code: str, amount: str, starts: date = date(2025, 1, 1)) -> str:
        """Enter a rate: so many units for one pound."""
        values = {
            "currencyCode": code,
            "startingDate": starts,
            "exchangeRateAmount": Decimal(amount),
            "relationalExchangeRateAmount": Decimal(1),
        }
        return self.systems[Side.LOCAL].put("currencyExchangeRates", values).id

    async def begin(self) -> None:
        for code, amount in (("EUR", "1.2"), ("USD", "1.5"), ("SEK", "13")):
            self.rate(code, amount)
        await create_partners(self.session, "CURRENCY", list(self.ids.values()), side=Side.LOCAL)
        await self.sync()
        self.clock.moment += timedelta(minutes=1)
        await self.sync()

    async def sync(self, direction: Preference | None = None) -> list[str]:
        """Run the job of the currencies; return whose rate it wrote."""
        watching = Watching()
        await synchronise(self.session, "CURRENCY", direction=direction, observer=watching)
        written = [each for each in watching.decisions if each.action is RecordAction.UPDATE]
        return sorted(str(each.pair.local.values["code"]) for each in written if each.pair.local)

    def rates(self) -> dict[str, Decimal]:
        rows = self.systems[Side.REMOTE].records("transactioncurrency")
        return {str(row.values["isocurrencycode"]): Decimal(str(row.values["exchangerate"])) for row in rows}


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    bank = Bank()
    await bank.begin()
    yield bank
    bank.session.store.close()


async def test_a_rate_that_was_changed_is_written_and_no_other(bank: Bank) -> None:
    assert bank.rates() == {"GBP": 1, "EUR": Decimal("1.2"), "USD": Decimal("1.5"), "SEK": 13}
    (old,) = [
        each
        for each in bank.systems[Side.LOCAL].records("currencyExchangeRates")
        if each.values["currencyCode"] == "USD"
    ]
    bank.systems[Side.LOCAL].change("currencyExchangeRates", old.id, exchangeRateAmount=Decimal("1.6"))
    assert await bank.sync() == ["USD"]
    assert bank.rates() == {"GBP": 1, "EUR": Decimal("1.2"), "USD": Decimal("1.6"), "SEK": 13}
    assert await bank.sync() == []


async def test_a_rate_counts_from_its_day_on_though_nobody_touches_anything_that_day(bank: Bank) -> None:
    bank.rate("EUR", "1.3", bank.clock.moment.date() + timedelta(days=1))
    assert await bank.sync() == []
    bank.clock.moment += timedelta(days=1)
    assert await bank.sync() == ["EUR"]
    assert bank.rates()["EUR"] == Decimal("1.3")


async def test_where_no_rate_has_changed_one_request_tells_so(bank: Bank) -> None:
    before = {side: system.requests.reads for side, system in bank.systems.items()}
    assert await bank.sync() == []
    assert bank.systems[Side.LOCAL].requests.reads - before[Side.LOCAL] == 3, "currencies, their ids, rates"
    assert bank.systems[Side.REMOTE].requests.reads - before[Side.REMOTE] == 2


async def test_a_job_that_only_sends_brings_rates_too(bank: Bank) -> None:
    bank.rate("EUR", "1.3", date(2025, 6, 1))
    assert await bank.sync(Preference.SEND) == ["EUR"]
    assert await bank.sync() == []


async def test_a_feed_of_rates_that_begins_anew_costs_a_look_at_all(bank: Bank) -> None:
    bank.rate("EUR", "1.3", date(2025, 6, 1))
    bank.systems[Side.LOCAL].expire_cursors()
    assert await bank.sync() == ["EUR"]


async def test_a_currency_that_waits_for_its_rate_is_created_once_it_has_one(bank: Bank) -> None:
    bank.systems[Side.LOCAL].put("currencies", {"code": "NOK"})
    for _ in range(3):
        await synchronise(bank.session, "CURRENCY", create=True)
    with bank.session.store.begin() as unit:
        assert [problem.code for problem in unit.problems("CURRENCY")] == ["no-exchange-rate"]
    bank.clock.moment += timedelta(minutes=1)
    bank.rate("NOK", "14")
    await synchronise(bank.session, "CURRENCY", create=True)
    assert bank.rates()["NOK"] == 14
