"""What a currency of Dataverse needs beside its name: exchange rate, precision and symbol (mapping-rules section 5)."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from crosstie.model.decisions import Hold
from crosstie.model.errors import CursorExpired
from crosstie.model.mappings import FieldMapping
from crosstie.model.records import Record, Side
from crosstie.model.values import Scalar
from crosstie.rules.base import LeaveAlone, RuleAccess, RuleResult, Value, caption
from crosstie.rules.currency_facts import local_currency, organisation
from crosstie.rules.reading import any_of, read

CODE = "code"
"""The field of Business Central's currencies that holds the code."""
_TABLE = "currencyExchangeRates"
_FIELDS = (
    "currencyCode",
    "startingDate",
    "exchangeRateAmount",
    "relationalCurrencyCode",
    "relationalExchangeRateAmount",
)
_EXACT_TO = Decimal("1e-10")
_DEFAULT_PRECISION = 2
_CACHE = "exchange_rate.rates"


class Rate(msgspec.Struct, frozen=True):
    """`amount` units of a currency are worth `relational_amount` units of `relational`, of LCY where it is None."""

    amount: Decimal
    relational: str | None
    relational_amount: Decimal


class RateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`own` is the local currency, `base` that of Dataverse; `rates` are those of today by currency."""

    own: str | None
    base: str | None
    rates: Mapping[str, Rate]


class _Mark(msgspec.Struct, frozen=True):
    """How far the rates have been looked at: the cursor of their feed, and the day up to which they counted."""

    cursor: str | None
    day: date = date.min


_decode_mark = msgspec.json.Decoder(_Mark).decode


class ExchangeRate:
    """Units of a currency for one unit of Dataverse's base currency, from the exchange rates of Business Central.

    Rates change while the currency itself does not, hence volatile: each look at a currency refreshes its rate, and
    each job asks whether any rate has changed or begun to count.
    """

    name = "exchange_rate"
    volatile = True

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """The currency's code."""
        return (CODE,) if side is Side.LOCAL else ()

    async def moved(self, field: FieldMapping, mark: str | None, access: RuleAccess) -> tuple[bool, str]:
        """Ask for rates that were entered or changed, and once a day for those that count from that day on.

        A rate that was deleted is noticed when another one changes, or by a full synchronisation.
        """
        known = _Mark(None) if mark is None else _decode_mark(mark)
        try:
            changed, cursor = await _changed(access, known.cursor)
        except CursorExpired:
            known = _Mark(None)
            changed, cursor = await _changed(access, None)
        if known.cursor is None:
            changed = True
        if not changed and known.day < access.today:
            begun = f"startingDate gt {known.day} and startingDate le {access.today}"
            changed = bool(await read(access, Side.LOCAL, _TABLE, ("currencyCode",), begun))
        return changed, msgspec.json.encode(_Mark(cursor, access.today)).decode()

    async def prepare(
        self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess
    ) -> RateFacts | None:
        """Read the rates of the page's currencies and of those that they are quoted in."""
        if not records or source is Side.REMOTE:
            return None
        base = (await organisation(access)).base_iso
        own = await local_currency(access)
        wanted: set[str | None] = {str(code) for record in records if (code := record.values.get(CODE))}
        if base is not None:
            wanted.add(base)
        return RateFacts(own=own, base=base, rates=await _rates(access, wanted - {own}))

    def transfer(
        self, field: FieldMapping, record: Record, source: Side, facts: RateFacts | None, *, creating: bool
    ) -> RuleResult:
        """Return the rate.

        Held if Business Central has none for the currency, or none for the base currency.
        (behaviour CRMCouplingTest/CoupleCurrencyFailsIfNoExchangeRate)
        """
        code = str(record.values.get(CODE) or "")
        if facts is None or not code:
            return LeaveAlone()
        if code == facts.base:
            return Value(Decimal(1))
        base = None if facts.base in (None, facts.own) else facts.base
        if facts.base is None:
            return _no_rate(field, code, "Dataverse does not name its base currency")
        units, per = _factor(code, facts), Decimal(1) if base is None else _factor(base, facts)
        if not per:
            return _no_rate(field, code, f"the base currency {base} has no exchange rate in Business Central")
        if not units:
            return _no_rate(field, code, "it has no exchange rate in Business Central")
        rate = (units / per).quantize(_EXACT_TO, ROUND_HALF_UP)
        return Value(rate) if rate else _no_rate(field, code, "its exchange rate is zero")


async def _changed(access: RuleAccess, cursor: str | None) -> tuple[bool, str | None]:
    """Return whether any rate has changed since the cursor, and the next one."""
    changed, following = False, cursor
    async for page in access.system(Side.LOCAL).changes(_TABLE, cursor, ("currencyCode",)):
        changed = changed or bool(page.records)
        following = page.cursor or following
    return changed, following


def _no_rate(field: FieldMapping, code: str, why: str) -> Hold:
    return Hold(code="no-exchange-rate", words=f"{caption(field)}: the currency {code} cannot be written, {why}.")


def _factor(code: str, facts: RateFacts, seen: frozenset[str] = frozenset()) -> Decimal | None:
    """Return the units of the currency for one unit of LCY, None if there is no rate."""
    if code == facts.own:
        return Decimal(1)
    rate = facts.rates.get(code)
    if rate is None or not rate.relational_amount or code in seen:
        return None
    through = Decimal(1) if rate.relational is None else _factor(rate.relational, facts, seen | {code})
    return None if through is None else rate.amount * through / rate.relational_amount


async def _rates(access: RuleAccess, codes: set[str | None]) -> Mapping[str, Rate]:
    """Return the newest rates up to today, with those of the currencies that rates are quoted in."""
    known: dict[str, Rate | None] = access.cache.setdefault(_CACHE, {})
    wanted = {code for code in codes if code} - known.keys()
    while wanted:
        newest: dict[str, tuple[date, Rate]] = {}
        for part in any_of("currencyCode", wanted):
            for row in await read(access, Side.LOCAL, _TABLE, _FIELDS, f"{part} and startingDate le {access.today}"):
                _keep_newest(newest, row.values)
        known.update({code: newest[code][1] if code in newest else None for code in wanted})
        quoted_in = {rate.relational for code in wanted if (rate := known[code]) and rate.relational}
        wanted = {code for code in quoted_in if code} - known.keys()
    return {code: rate for code, rate in known.items() if rate is not None}


def _keep_newest(newest: dict[str, tuple[date, Rate]], row: Mapping[str, Scalar]) -> None:
    code, start = str(row["currencyCode"]), row["startingDate"]
    begins = start if isinstance(start, date) else date.min
    if code in newest and newest[code][0] >= begins:
        return
    rate = Rate(_number(row["exchangeRateAmount"]), _code(row), _number(row["relationalExchangeRateAmount"]))
    newest[code] = (begins, rate)


def _code(row: Mapping[str, Scalar]) -> str | None:
    code = row.get("relationalCurrencyCode")
    return None if code is None else str(code)


def _number(value: Scalar) -> Decimal:
    return Decimal(str(value or 0))


class CurrencyPrecision:
    """The decimals of a new currency: those with which Dataverse shows money."""

    name = "currency_precision"
    volatile = False

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """Nothing of the record."""
        return ()

    async def prepare(
        self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess
    ) -> int | None:
        """Ask Dataverse, once a job."""
        if not records or source is Side.REMOTE:
            return None
        found = (await organisation(access)).precision
        return _DEFAULT_PRECISION if found is None else found

    def transfer(
        self, field: FieldMapping, record: Record, source: Side, facts: int | None, *, creating: bool
    ) -> RuleResult:
        """Return the number of decimals."""
        return LeaveAlone() if facts is None else Value(facts)


class Symbol:
    """The symbol of a currency; one without a symbol shows its code."""

    name = "symbol"
    volatile = False

    def reads(self, field: FieldMapping, side: Side) -> tuple[str, ...]:
        """The code, which stands in for the symbol."""
        return (CODE,) if side is Side.LOCAL else ()

    async def prepare(self, field: FieldMapping, records: Sequence[Record], source: Side, access: RuleAccess) -> None:
        """Nothing needs to be asked."""

    def transfer(self, field: FieldMapping, record: Record, source: Side, facts: None, *, creating: bool) -> RuleResult:
        """Return the symbol."""
        values = record.values
        if source is Side.REMOTE:
            return Value(values.get(field.remote_field or ""))
        return Value(values.get(field.local_field or "") or values.get(CODE))
