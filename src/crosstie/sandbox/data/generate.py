"""Records by the hundred thousand: plausible, the same for the same seed, and made one at a time.

Customer and account with the same position hold the same values, so that matching by number or name pairs them and a
first synchronisation finds nothing to do until somebody changes something.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from crosstie.sandbox.data.files import read_yaml
from crosstie.sandbox.data.ids import identity, numbered, scatter
from crosstie.sandbox.data.order import Order
from crosstie.sandbox.data.rows import (
    BLANK,
    CUSTOMER_TYPE,
    FREIGHT_OPTIONS,
    PAYMENT_OPTIONS,
    Address,
    Row,
    company_contact,
    local_code_id,
    relation,
)

COMPANIES_PER_PERSON: Final = 5
"""Every fifth company has a person."""

_WORDS: Final = read_yaml("words")
_FIRST: Final = tuple(_WORDS["first"].split())
_SECOND: Final = tuple(_WORDS["second"].split())
_THIRD: Final = tuple(_WORDS["third"])
_GIVEN: Final = tuple(_WORDS["given"].split())
_FAMILY: Final = tuple(_WORDS["family"].split())
_STREETS: Final = (
    "Station Road",
    "Mill Lane",
    "High Street",
    "Park Lane",
    "Church Street",
    "Canal Walk",
    "Kings Wharf",
    "Queens Road",
)
_CITIES: Final = (
    ("London", "", "N1", "+44 20 7946 0"),
    ("Manchester", "", "M4", "+44 161 496 0"),
    ("Bristol", "", "BS1", "+44 117 496 0"),
    ("Edinburgh", "", "EH1", "+44 131 496 0"),
    ("Leeds", "West Yorkshire", "LS1", "+44 113 496 0"),
    ("Cardiff", "", "CF10", "+44 29 2018 0"),
    ("Newcastle", "Tyne and Wear", "NE1", "+44 191 498 0"),
    ("Sheffield", "South Yorkshire", "S1", "+44 114 496 0"),
)
_CURRENCIES: Final = (
    ("EUR", "Euro", "€", "0.8547"),
    ("USD", "US dollar", "$", "0.7874"),
    ("DKK", "Danish krone", "kr.", "0.1146"),
)
_CODES: Final = ("", "", "", "", "", "EUR", "USD", "DKK")
_TERMS: Final = ("NET 30", "NET 30", "NET 45", "NET 60")
_SHIPMENTS: Final = ("FOB", "NO CHARGE", "FOB", "")
_LIMITS: Final = tuple(Decimal(amount) for amount in (0, 0, 5000, 10000, 20000, 50000, 75000, 100000))


class Company(NamedTuple):
    """One generated company."""

    position: int
    number: str
    name: str
    address: Address
    currency: str
    terms: str
    shipment: str
    limit: Decimal


def companies(count: int, seed: int, every: int = 1) -> Iterator[Company]:
    """*count* companies (or each one whose position *every* divides), the same for the same *seed*."""
    for position in range(every, count + 1, every):
        yield _company(position, scatter(seed, position))


def _company(position: int, r: int) -> Company:
    """The company at a position, made of the bits of *r*."""
    first, second = _FIRST[r & 63], _SECOND[(r >> 6) & 63]
    city, state, area, phone = _CITIES[(r >> 12) & 7]
    domain = f"{first}{second}{position}.example".lower()
    address = Address(
        f"{(r >> 18) % 240 + 1} {_STREETS[(r >> 26) & 7]}",
        f"Unit {(r >> 29) & 31}" if r & 4096 else "",
        city,
        state,
        "GB",
        f"{area} {(r >> 34) % 9 + 1}AB",
        f"{phone}{position % 1000:03d}",
        f"info@{domain}",
        f"https://www.{domain}",
    )
    return Company(
        position,
        f"C{position:07d}",
        f"{first} {second} {_THIRD[(r >> 15) & 7]} {position}",
        address,
        _CODES[(r >> 38) & 7],
        _TERMS[(r >> 41) & 3],
        _SHIPMENTS[(r >> 43) & 3],
        _LIMITS[(r >> 45) & 7],
    )


def tables(system: str, order: Order, now: datetime) -> Iterator[tuple[str, Iterable[Row]]]:
    """The generated rows of *system*."""
    count, seed = order.count, order.seed
    if system == "business_central":
        yield "currencies", [_local_currency(*currency) for currency in _CURRENCIES]
        yield "currencyExchangeRates", [_local_rate(code, rate) for code, _, _, rate in _CURRENCIES]
        if order.side != "remote":
            yield "customers", _customers(count, seed)
            yield "contacts", _local_contacts(count, seed)
            yield "contactBusinessRelations", _relations(count, seed)
        return
    yield "transactioncurrency", [_remote_currency(*currency) for currency in _CURRENCIES]
    if order.side != "local":
        yield "account", _accounts(count, seed)
        yield "contact", _remote_contacts(count, seed)


def _customers(count: int, seed: int) -> Iterator[Row]:
    terms = {code: local_code_id("paymentTerms", code) for code in _TERMS}
    shipments = {code: local_code_id("shipmentMethods", code) for code in _SHIPMENTS}
    for company in companies(count, seed):
        yield {
            "id": numbered("customers", seed, company.position),
            "number": company.number,
            "displayName": company.name,
            "type": "Company",
            **company.address.local(),
            "currencyCode": company.currency,
            "paymentTermsId": terms[company.terms],
            "shipmentMethodId": shipments[company.shipment],
            "creditLimit": company.limit,
            "blocked": BLANK,
        }


def _accounts(count: int, seed: int) -> Iterator[Row]:
    currencies = _currency_ids()
    for company in companies(count, seed):
        yield {
            "accountid": numbered("accounts", seed, company.position),
            "name": company.name,
            "accountnumber": company.number,
            "customertypecode": CUSTOMER_TYPE,
            **company.address.remote(),
            "_transactioncurrencyid_value": currencies[company.currency],
            "paymenttermscode": PAYMENT_OPTIONS[company.terms],
            "address1_freighttermscode": FREIGHT_OPTIONS.get(company.shipment),
            "creditlimit": company.limit,
        }


def _with_person(count: int, seed: int) -> Iterator[tuple[Company, str, str]]:
    """Every fifth company with the names of its person."""
    for company in companies(count, seed, COMPANIES_PER_PERSON):
        n = company.position // COMPANIES_PER_PERSON
        yield company, _GIVEN[n % len(_GIVEN)], _FAMILY[n // len(_GIVEN) % len(_FAMILY)]


def _local_contacts(count: int, seed: int) -> Iterator[Row]:
    for company, given, family in _with_person(count, seed):
        n = company.position
        number = f"CT{n:07d}"
        yield company_contact(
            number, numbered("company contacts", seed, n), company.name, company.address, company.currency, ""
        )
        yield {
            "id": numbered("contacts", seed, n),
            "number": f"P{n:07d}",
            "type": "Person",
            "displayName": f"{given} {family}",
            "firstName": given,
            "surname": family,
            "companyNumber": number,
            "companyName": company.name,
            "currencyCode": company.currency,
            **company.address.local(),
            "email": _person_email(company, given, family),
        }


def _relations(count: int, seed: int) -> Iterator[Row]:
    for company, _, _ in _with_person(count, seed):
        id = numbered("contactBusinessRelations", seed, company.position)
        yield relation(f"CT{company.position:07d}", "Customer", company.number, id)


def _remote_contacts(count: int, seed: int) -> Iterator[Row]:
    currencies = _currency_ids()
    for company, given, family in _with_person(count, seed):
        yield {
            "contactid": numbered("remote contacts", seed, company.position),
            "firstname": given,
            "lastname": family,
            **company.address.remote(),
            "emailaddress1": _person_email(company, given, family),
            "_transactioncurrencyid_value": currencies[company.currency],
            "_parentcustomerid_value": numbered("accounts", seed, company.position),
        }


def _person_email(company: Company, given: str, family: str) -> str:
    return f"{given}.{family}@{company.address.email.partition('@')[2]}".lower()


def _currency_ids() -> dict[str, str]:
    from crosstie.sandbox.dataverse.environment import BASE_CURRENCY

    return {"": BASE_CURRENCY} | {code: identity("transactioncurrencies", code) for code, *_ in _CURRENCIES}


def _local_currency(code: str, name: str, symbol: str, rate: str) -> Row:
    return {
        "id": identity("currencies", code),
        "code": code,
        "displayName": name,
        "symbol": symbol,
        "amountDecimalPlaces": "2:2",
        "amountRoundingPrecision": Decimal("0.01"),
    }


def _local_rate(code: str, rate: str) -> Row:
    return {
        "id": identity("currencyExchangeRates", code),
        "currencyCode": code,
        "startingDate": "2026-01-01",
        "exchangeRateAmount": Decimal(1),
        "relationalExchangeRateAmount": Decimal(rate),
    }


def _remote_currency(code: str, name: str, symbol: str, rate: str) -> Row:
    return {
        "transactioncurrencyid": identity("transactioncurrencies", code),
        "isocurrencycode": code,
        "currencyname": name,
        "currencysymbol": symbol,
        "currencyprecision": 2,
        "exchangerate": (1 / Decimal(rate)).quantize(Decimal("0.0000000001")),
    }
