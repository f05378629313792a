"""The demo's currencies as Dataverse knows them."""

from crosstie.sandbox.data.files import read_csv
from crosstie.sandbox.data.ids import identity


def currency_id(code: str) -> str:
    """The id of a currency in Dataverse; the base currency for a blank code and for one that it does not have."""
    from crosstie.sandbox.dataverse.environment import BASE_CURRENCY

    known = any(row["code"] == code and row["sides"] == "both" for row in read_csv("currencies"))
    return identity("transactioncurrencies", code) if known else BASE_CURRENCY
