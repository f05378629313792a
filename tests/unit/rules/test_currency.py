"""Currencies: codes here, lookups there, a blank for the local currency; rates, precision and symbols."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from crosstie.model.decisions import Hold
from crosstie.model.mappings import Direction, FieldMapping
from crosstie.model.problems import WaitsFor
from crosstie.model.records import Side
from crosstie.model.values import Scalar
from crosstie.rules.base import LeaveAlone, Value
from crosstie.rules.currency import Currency
from crosstie.rules.exchange_rate import CurrencyPrecision, ExchangeRate, Symbol
from tests.unit.rules.world import World, answer, answers, row

FIELD = row("currencyCode", "transactioncurrencyid", "Currency Code")
GBP, EUR, USD, SEK = (f"{n}0000000-0000-4000-8000-000000000000" for n in "1234")


@pytest.fixture
def world() -> World:
    """The company keeps its books in GBP. EUR is coupled, USD exists on both sides, SEK only here, CHF only there."""
    world = World()
    world.local.put("generalLedgerSetup", {"localCurrencyCode": "GBP"})
    for code in ("EUR", "USD", "SEK"):
        world.local.put("currencies", {"code": code})
    for id, iso in ((GBP, "GBP"), (EUR, "EUR"), (USD, "USD"), (SEK, "CHF")):
        world.remote.put("transactioncurrency", {"isocurrencycode": iso}, id)
    world.remote.put("organization", {"basecurrencyid": GBP, "currencydecimalprecision": 2})
    world.couple("CURRENCY", "local-eur", EUR, "EUR")
    return world


class TestCodes:
    @pytest.mark.parametrize(
        ("code", "id"),
        [("EUR", EUR), (None, GBP), ("GBP", GBP), ("USD", USD)],
        ids=["coupled", "blank", "the local currency itself", "not coupled, but the same ISO code"],
    )
    async def test_to_remote(self, world: World, code: str | None, id: str) -> None:
        """behaviour: CRMIntegrationMapping/CRMContactCurrencyTransfer"""
        assert await answer(world, Currency(), FIELD, Side.LOCAL, {"currencyCode": code}) == Value(id)

    @pytest.mark.parametrize(
        ("id", "code"),
        [(EUR, "EUR"), (GBP, None), (None, None), (USD, "USD")],
        ids=["coupled", "the local currency", "blank", "not coupled, but the same code"],
    )
    async def test_from_remote(self, world: World, id: str | None, code: str | None) -> None:
        """
        behaviour: CRMIntegrationMapping/ContactCurrencyShouldGetCodeFromCoupledCurrency
        behaviour: CRMIntegrationMapping/ContactCurrencyShouldBecomeBlankOnSyncToLCYGUID
        """
        assert await answer(world, Currency(), FIELD, Side.REMOTE, {"transactioncurrencyid": id}) == Value(code)

    async def test_unknown_there_it_waits(self, world: World) -> None:
        found = await answer(world, Currency(), FIELD, Side.LOCAL, {"currencyCode": "SEK"})
        assert found == Hold(
            code="waiting-for-partner",
            words="Currency Code SEK is not coupled, and Dataverse has no currency with that code.",
            waits_for=WaitsFor("CURRENCY", Side.LOCAL, "SEK"),
        )

    async def test_unknown_here_it_waits(self, world: World) -> None:
        found = await answer(world, Currency(), FIELD, Side.REMOTE, {"transactioncurrencyid": SEK})
        assert isinstance(found, Hold)
        assert found.words.startswith("Currency Code CHF is not coupled")
        assert found.waits_for == WaitsFor("CURRENCY", Side.REMOTE, SEK)

    async def test_the_local_currency_is_missing_there(self, world: World) -> None:
        world.remote.remove("transactioncurrency", GBP)
        found = await answer(world, Currency(), FIELD, Side.LOCAL, {"currencyCode": None})
        assert isinstance(found, Hold)
        assert found.code == "unknown-code"
        assert "no currency with the code GBP, the company's own" in found.words

    async def test_a_page_costs_the_same_as_a_record_and_the_next_one_nothing(self, world: World) -> None:
        page: Mapping[str, Mapping[str, Scalar]] = {
            str(n): {"currencyCode": code} for n, code in enumerate(["EUR", "USD", None] * 50)
        }
        await answers(world, Currency(), FIELD, Side.LOCAL, page)
        assert world.requests == 2
        assert world.queries == 1
        await answers(world, Currency(), FIELD, Side.LOCAL, page)
        assert world.requests == 2

    async def test_no_records_no_requests(self, world: World) -> None:
        assert await answers(world, Currency(), FIELD, Side.LOCAL, {}) == {}
        assert (world.requests, world.queries) == (0, 0)


RATE = FieldMapping(local_field=None, remote_field="exchangerate", direction=Direction.TO_REMOTE, label="Exchange Rate")


def rate(world: World, code: str, amount: str, per: str, start: date = date(2026, 1, 1), to: str | None = None) -> None:
    """`amount` units of `code` are worth `per` units of `to`, of the local currency if that is None."""
    world.local.put(
        "currencyExchangeRates",
        {
            "currencyCode": code,
            "startingDate": start,
            "exchangeRateAmount": Decimal(amount),
            "relationalCurrencyCode": to,
            "relationalExchangeRateAmount": Decimal(per),
        },
    )


class TestRates:
    """Units of the currency for one unit of Dataverse's base currency."""

    async def rate_of(self, world: World, code: str) -> object:
        return await answer(world, ExchangeRate(), RATE, Side.LOCAL, {"code": code})

    async def test_the_base_currency(self, world: World) -> None:
        assert await self.rate_of(world, "GBP") == Value(Decimal(1))

    async def test_local_currency_is_base(self, world: World) -> None:
        rate(world, "EUR", "100", "80")
        assert await self.rate_of(world, "EUR") == Value(Decimal("1.25"))

    async def test_rounded_to_ten_digits(self, world: World) -> None:
        rate(world, "USD", "100", "78.74")
        assert await self.rate_of(world, "USD") == Value(Decimal("1.2700025400"))

    async def test_another_currency_is_base(self, world: World) -> None:
        (organization,) = world.remote.records("organization")
        world.remote.change("organization", organization.id, basecurrencyid=EUR)
        rate(world, "EUR", "100", "80")
        rate(world, "USD", "100", "75")
        assert await self.rate_of(world, "EUR") == Value(Decimal(1))
        assert await self.rate_of(world, "USD") == Value(Decimal("1.0666666667"))
        assert await self.rate_of(world, "GBP") == Value(Decimal("0.8"))

    async def test_the_newest_rate_up_to_the_work_date(self, world: World) -> None:
        rate(world, "EUR", "100", "50", date(2025, 1, 1))
        rate(world, "EUR", "100", "80", date(2026, 6, 1))
        rate(world, "EUR", "100", "40", date(2026, 6, 2))
        assert await self.rate_of(world, "EUR") == Value(Decimal("1.25"))

    async def test_a_rate_quoted_in_a_third_currency(self, world: World) -> None:
        rate(world, "SEK", "1000", "100", to="EUR")
        rate(world, "EUR", "100", "80")
        assert await self.rate_of(world, "SEK") == Value(Decimal("12.5"))

    async def test_no_rate(self, world: World) -> None:
        """behaviour: CRMCouplingTest/CoupleCurrencyFailsIfNoExchangeRate"""
        found = await self.rate_of(world, "SEK")
        assert found == Hold(
            code="no-exchange-rate",
            words="Exchange Rate: the currency SEK cannot be written, it has no exchange rate in Business Central.",
        )

    @pytest.mark.parametrize(("amount", "per"), [("0", "5"), ("5", "0")])
    async def test_a_rate_of_nothing(self, world: World, amount: str, per: str) -> None:
        rate(world, "SEK", amount, per)
        found = await self.rate_of(world, "SEK")
        assert isinstance(found, Hold)
        assert found.code == "no-exchange-rate"

    async def test_rates_quoted_in_a_circle(self, world: World) -> None:
        rate(world, "SEK", "1", "2", to="EUR")
        rate(world, "EUR", "1", "2", to="SEK")
        assert isinstance(await self.rate_of(world, "SEK"), Hold)

    async def test_no_rate_for_the_base_currency(self, world: World) -> None:
        (organization,) = world.remote.records("organization")
        world.remote.change("organization", organization.id, basecurrencyid=EUR)
        rate(world, "USD", "100", "75")
        found = await self.rate_of(world, "USD")
        assert isinstance(found, Hold)
        assert "the base currency EUR has no exchange rate" in found.words

    async def test_base_currency_unknown(self, world: World) -> None:
        (organization,) = world.remote.records("organization")
        world.remote.change("organization", organization.id, basecurrencyid=None)
        rate(world, "USD", "100", "75")
        found = await self.rate_of(world, "USD")
        assert isinstance(found, Hold)
        assert "does not name its base currency" in found.words

    async def test_a_page_costs_one_request_for_rates(self, world: World) -> None:
        rate(world, "EUR", "100", "80")
        rate(world, "USD", "100", "75")
        await answers(world, ExchangeRate(), RATE, Side.LOCAL, {c: {"code": c} for c in ("EUR", "USD", "SEK")})
        assert world.requests == 4, "organization, currencies there, local currency, rates"
        await answers(world, ExchangeRate(), RATE, Side.LOCAL, {c: {"code": c} for c in ("EUR", "USD", "SEK")})
        assert world.requests == 4

    def test_a_rate_may_change_while_the_currency_does_not(self) -> None:
        assert ExchangeRate().volatile


async def test_precision_is_that_of_the_organization(world: World) -> None:
    field = row(None, "currencyprecision")
    assert await answer(world, CurrencyPrecision(), field, Side.LOCAL, {}) == Value(2)
    assert await answer(World(), CurrencyPrecision(), field, Side.LOCAL, {}) == Value(2)
    assert await answer(world, CurrencyPrecision(), field, Side.REMOTE, {}) == LeaveAlone()


@pytest.mark.parametrize(("symbol", "shown"), [("€", "€"), (None, "EUR")])
async def test_a_currency_without_symbol_shows_its_code(world: World, symbol: str | None, shown: str) -> None:
    field = row("symbol", "currencysymbol")
    assert await answer(world, Symbol(), field, Side.LOCAL, {"symbol": symbol, "code": "EUR"}) == Value(shown)
    assert await answer(world, Symbol(), field, Side.REMOTE, {"currencysymbol": "€"}) == Value("€")
