"""What an installed system holds before anybody enters a record; every data set begins with it.

What a server cannot be without (Dataverse's organisation, its root business unit and application user, the records of
which a Business Central company has exactly one) is made by the servers themselves.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from crosstie.sandbox.data.files import read_yaml
from crosstie.sandbox.data.ids import COMPANY_ID, identity

Row = dict[str, object]

COMPANY_TEAM = identity("teams", "company")
COMPANY_UNIT = identity("businessunits", "company")

_CODE_TABLES = (
    ("paymentTerms", "payment_terms"),
    ("paymentMethods", "payment_methods"),
    ("shipmentMethods", "shipment_methods"),
    ("countriesRegions", "countries"),
    ("unitsOfMeasure", "units"),
    ("itemCategories", "item_categories"),
    ("salutations", "salutations"),
)


def tables(system: str, now: datetime) -> Iterator[tuple[str, Iterable[Row]]]:
    """The tables of an installed *system*."""
    setup = read_yaml("setup")
    yield from _local(setup) if system == "business_central" else _remote(setup)


def local_currency() -> dict[str, str]:
    """Code, name and symbol of the company's own currency, which is Dataverse's base currency too."""
    currency: dict[str, str] = read_yaml("setup")["local_currency"]
    return currency


def _local(setup: Any) -> Iterator[tuple[str, Iterable[Row]]]:
    company, currency = setup["company"], setup["local_currency"]
    yield "companies", [{"id": COMPANY_ID, "name": company["name"], "displayName": company["displayName"]}]
    yield "generalLedgerSetup", [{"localCurrencyCode": currency["code"], "localCurrencySymbol": currency["symbol"]}]
    information = {key: company[key] for key in ("displayName", "phoneNumber", "email", "website")}
    yield "companyInformation", [{**information, **company["address"]}]
    for table, key in _CODE_TABLES:
        yield table, [{"id": identity(table, row["code"]), **row} for row in setup[key]]


def _remote(setup: Any) -> Iterator[tuple[str, Iterable[Row]]]:
    """Rows of the server's own (base currency, organisation, root business unit) are given the company's names."""
    from crosstie.sandbox.dataverse.environment import BASE_CURRENCY, ORGANIZATION, ROOT_BUSINESS_UNIT

    company, names, currency = setup["company"], setup["organization"], setup["local_currency"]
    yield "transactioncurrency", [_base_currency(BASE_CURRENCY, currency)]
    yield (
        "organization",
        [
            {
                "organizationid": ORGANIZATION,
                "name": names["name"],
                "basecurrencysymbol": currency["symbol"],
                "currencysymbol": currency["symbol"],
            }
        ],
    )
    unit = f"{company['name']} ({COMPANY_ID})"
    yield (
        "businessunit",
        [
            {"businessunitid": ROOT_BUSINESS_UNIT, "name": names["business_unit"]},
            {"businessunitid": COMPANY_UNIT, "name": unit, "_parentbusinessunitid_value": ROOT_BUSINESS_UNIT},
        ],
    )
    yield (
        "team",
        [{"teamid": COMPANY_TEAM, "name": names["team"], "teamtype": 0, "_businessunitid_value": COMPANY_UNIT}],
    )
    yield (
        "bcbi_company",
        [
            {
                "bcbi_companyid": identity("bcbi_companies", COMPANY_ID),
                "bcbi_externalid": COMPANY_ID,
                "bcbi_name": company["name"][:30],
                "_bcbi_defaultowningteam_value": COMPANY_TEAM,
            }
        ],
    )


def _base_currency(id: str, currency: dict[str, str]) -> Row:
    return {
        "transactioncurrencyid": id,
        "isocurrencycode": currency["code"],
        "currencyname": currency["name"],
        "currencysymbol": currency["symbol"],
        "currencyprecision": 2,
        "exchangerate": 1,
    }
