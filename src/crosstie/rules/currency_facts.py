"""What the currency rules know of both systems: local currency, base currency, and the currencies of each side.

Business Central leaves a currency code blank where the amount is in its local currency (LCY); Dataverse always
names a currency, and has a base currency with the rate 1 (mapping-rules section 5).
"""

import msgspec

from crosstie.model.records import Record, Side
from crosstie.rules.base import RuleAccess
from crosstie.rules.reading import read

_CACHE = "currency"


class Organisation(msgspec.Struct, frozen=True, kw_only=True):
    """The base currency of Dataverse, and with how many decimals it shows money; None where it does not say."""

    base_iso: str | None
    precision: int | None


class RemoteCurrencies(msgspec.Struct, frozen=True):
    """The currencies of Dataverse: ISO code by id, id by ISO code."""

    iso: dict[str, str]
    id: dict[str, str]


async def local_currency(access: RuleAccess) -> str | None:
    """Return the code of Business Central's local currency."""
    key = f"{_CACHE}.local"
    if key not in access.cache:
        found = await read(access, Side.LOCAL, "generalLedgerSetup", ("localCurrencyCode",))
        access.cache[key] = _text(found[0], "localCurrencyCode") if found else None
    return _known(access, key)


async def remote_currencies(access: RuleAccess) -> RemoteCurrencies:
    """Return all currencies of Dataverse."""
    key = f"{_CACHE}.remote"
    if key not in access.cache:
        rows = await read(access, Side.REMOTE, "transactioncurrency", ("isocurrencycode",))
        iso = {row.id: code.upper() for row in rows if (code := _text(row, "isocurrencycode"))}
        access.cache[key] = RemoteCurrencies(iso, {code: id for id, code in reversed(iso.items())})
    found: RemoteCurrencies = access.cache[key]
    return found


async def local_codes(access: RuleAccess) -> frozenset[str]:
    """Return the codes of all currencies of Business Central."""
    key = f"{_CACHE}.codes"
    if key not in access.cache:
        rows = await read(access, Side.LOCAL, "currencies", ("code",))
        access.cache[key] = frozenset(code for row in rows if (code := _text(row, "code")))
    found: frozenset[str] = access.cache[key]
    return found


async def organisation(access: RuleAccess) -> Organisation:
    """Return what Dataverse says of itself."""
    key = f"{_CACHE}.organisation"
    if key not in access.cache:
        rows = await read(access, Side.REMOTE, "organization", ("basecurrencyid", "currencydecimalprecision"))
        base = _text(rows[0], "basecurrencyid") if rows else None
        precision = rows[0].values.get("currencydecimalprecision") if rows else None
        currencies = await remote_currencies(access)
        access.cache[key] = Organisation(
            base_iso=currencies.iso.get(base) if base else None,
            precision=precision if isinstance(precision, int) else None,
        )
    found: Organisation = access.cache[key]
    return found


def _known(access: RuleAccess, key: str) -> str | None:
    found: str | None = access.cache[key]
    return found


def _text(record: Record, field: str) -> str | None:
    value = record.values.get(field)
    return None if value is None else str(value)
