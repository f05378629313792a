"""The demo company on both sides.

The files hold what both sides agree on; ``differences.csv`` says what Dataverse has otherwise, ``accounts.csv`` and
``remote_contacts.csv`` what only Dataverse has, the column ``sides`` what only Business Central has.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from crosstie.sandbox.data.currencies import currency_id
from crosstie.sandbox.data.demo_sales import local_sales, remote_sales
from crosstie.sandbox.data.files import read_csv, read_yaml
from crosstie.sandbox.data.ids import identity
from crosstie.sandbox.data.rows import (
    BLANK,
    CUSTOMER_TYPE,
    FREIGHT_OPTIONS,
    PAYMENT_OPTIONS,
    VENDOR_TYPE,
    Address,
    Row,
    company_contact,
    local_code_id,
    money,
    relation,
)
from crosstie.sandbox.data.setup import local_currency

_OLDEST_DAYS = 400
_UNSTAMPED = {"salesOrderLines"}


def tables(system: str, now: datetime) -> Iterator[tuple[str, Iterable[Row]]]:
    """The demo's rows of *system*, each with a time of its last change in the past."""
    parts = _local() if system == "business_central" else _remote()
    stamp = _stamp_local if system == "business_central" else _stamp_remote
    for table, rows in parts:
        yield table, rows if table in _UNSTAMPED else [stamp(row, now, n) for n, row in enumerate(rows)]


def settings(system: str) -> Mapping[str, object]:
    """The switches that the planted troubles need."""
    out: dict[str, list[object]] = {}
    for trouble in planted(system):
        if "setting" in trouble:
            out.setdefault(str(trouble["setting"]), []).append(trouble["id"])
    return out


def planted(system: str) -> list[dict[str, object]]:
    """The planted troubles that *system* shows: name, explanation, table, id, and the change somebody makes."""
    side = "local" if system == "business_central" else "remote"
    out = []
    for trouble in read_yaml("demo/planted"):
        record = trouble.get(side)
        entry: dict[str, object] = {"name": trouble["name"], "about": trouble["about"]}
        if record:
            entry |= {"table": record["table"], "id": identity(record["table"], record["key"])}
            entry |= {key: record[key] for key in ("change", "setting") if key in record}
            if "other" in record:
                entry["other_id"] = identity(record["table"], record["other"])
        out.append(entry)
    return out


def _stamp_local(row: Row, now: datetime, n: int) -> Row:
    stamp = (now - timedelta(days=_OLDEST_DAYS - n % _OLDEST_DAYS, minutes=n)).isoformat(timespec="milliseconds")
    return {**row, "lastModifiedDateTime": stamp[:23] + "Z"}


def _stamp_remote(row: Row, now: datetime, n: int) -> Row:
    created = now - timedelta(days=_OLDEST_DAYS + n)
    changed = now - timedelta(days=_OLDEST_DAYS - n % _OLDEST_DAYS, minutes=n)
    return {
        **row,
        "createdon": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "modifiedon": changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


# Business Central


def _local() -> Iterator[tuple[str, list[Row]]]:
    yield "currencies", [_local_currency(row) for row in read_csv("currencies")]
    yield "currencyExchangeRates", [_local_rate(row) for row in read_csv("currencies") if row["local_per_unit"]]
    yield "salespeoplePurchasers", [_salesperson(row) for row in read_csv("people") if row["sides"] != "remote"]
    yield "customers", [_customer(row) for row in read_csv("customers")]
    yield "vendors", [_vendor(row) for row in read_csv("vendors")]
    yield "contacts", [*_company_contacts(), *(_person(row) for row in read_csv("contacts"))]
    yield "contactBusinessRelations", list(_relations())
    yield from local_sales()


def _local_currency(row: dict[str, str]) -> Row:
    return {
        "id": identity("currencies", row["code"]),
        "code": row["code"],
        "displayName": row["name"],
        "symbol": row["symbol"],
        "amountDecimalPlaces": row["decimals"],
        "amountRoundingPrecision": Decimal("1") if row["decimals"] == "0:0" else Decimal("0.01"),
    }


def _local_rate(row: dict[str, str]) -> Row:
    return {
        "id": identity("currencyExchangeRates", row["code"]),
        "currencyCode": row["code"],
        "startingDate": "2026-01-01",
        "exchangeRateAmount": Decimal(1),
        "relationalExchangeRateAmount": Decimal(row["local_per_unit"]),
    }


def _salesperson(row: dict[str, str]) -> Row:
    return {
        "id": identity("salespeoplePurchasers", row["code"]),
        "code": row["code"],
        "displayName": f"{row['first']} {row['last']}",
        "email": row["email"],
        "phoneNo": row["phone"],
        "jobTitle": row["job"],
        "commisionPercent": money(row["commission"]),
    }


def _customer(row: dict[str, str]) -> Row:
    return {
        "id": identity("customers", row["number"]),
        "number": row["number"],
        "displayName": row["name"],
        "type": "Company",
        **Address.of(row).local(),
        "salespersonCode": row["salesperson"],
        "currencyCode": row["currency"],
        "paymentTermsId": local_code_id("paymentTerms", row["terms"]),
        "shipmentMethodId": local_code_id("shipmentMethods", row["shipment"]),
        "creditLimit": money(row["credit_limit"]),
        "blocked": row["blocked"] or BLANK,
    }


def _vendor(row: dict[str, str]) -> Row:
    return {
        "id": identity("vendors", row["number"]),
        "number": row["number"],
        "displayName": row["name"],
        **Address.of(row).local(),
        "currencyCode": row["currency"],
        "paymentTermsId": local_code_id("paymentTerms", row["terms"]),
        "blocked": row["blocked"] or BLANK,
    }


@cache
def _company_numbers() -> dict[str, str]:
    """The number of the company contact of each customer and vendor."""
    numbers = [row["number"] for name in ("customers", "vendors") for row in read_csv(name)]
    return {number: f"CT{100000 + 10 * n:06d}" for n, number in enumerate(numbers, 1)}


def _company_contacts() -> Iterator[Row]:
    for name in ("customers", "vendors"):
        for row in read_csv(name):
            number = _company_numbers()[row["number"]]
            salesperson = row["salesperson"] if name == "customers" else row["purchaser"]
            yield company_contact(
                number, identity("contacts", number), row["name"], Address.of(row), row["currency"], salesperson
            )


def _relations() -> Iterator[Row]:
    for name, kind in (("customers", "Customer"), ("vendors", "Vendor")):
        for row in read_csv(name):
            number = _company_numbers()[row["number"]]
            yield relation(number, kind, row["number"], identity("contactBusinessRelations", number))


def _person(row: dict[str, str]) -> Row:
    company = _companies()[row["company"]]
    names = [row["first"], row["middle"], row["surname"]]
    return {
        "id": identity("contacts", row["number"]),
        "number": row["number"],
        "type": "Person",
        "displayName": " ".join(filter(None, names)),
        "firstName": row["first"],
        "middleName": row["middle"],
        "surname": row["surname"],
        "jobTitle": row["job"],
        "companyNumber": _company_numbers()[row["company"]],
        "companyName": company["name"],
        "salespersonCode": company.get("salesperson") or company.get("purchaser", ""),
        "currencyCode": company["currency"],
        "salutationCode": row["salutation"],
        **Address.of({**company, "phone": row["phone"], "email": row["email"]}).local(),
        "mobilePhoneNumber": row["mobile"],
    }


@cache
def _companies() -> dict[str, dict[str, str]]:
    return {row["number"]: row for name in ("customers", "vendors") for row in read_csv(name)}


# Dataverse


def _remote() -> Iterator[tuple[str, list[Row]]]:
    yield "systemuser", [_user(row) for row in read_csv("people") if row["sides"] != "local"]
    yield "transactioncurrency", [_remote_currency(row) for row in read_csv("currencies") if row["sides"] == "both"]
    coupled = [(row, CUSTOMER_TYPE) for row in read_csv("customers") if row["sides"] == "both"]
    coupled += [(row, VENDOR_TYPE) for row in read_csv("vendors") if row["sides"] == "both"]
    accounts = [_account(row, kind) for row, kind in coupled]
    yield "account", [*accounts, *(_remote_account(row) for row in read_csv("accounts"))]
    persons = [_contact(row) for row in read_csv("contacts") if row["sides"] == "both"]
    yield "contact", [*persons, *(_remote_contact(row) for row in read_csv("remote_contacts"))]
    yield from remote_sales()


def _user(row: dict[str, str]) -> Row:
    from crosstie.sandbox.dataverse.environment import ROOT_BUSINESS_UNIT

    return {
        "systemuserid": identity("systemusers", row["email"]),
        "firstname": row["first"],
        "lastname": row["last"],
        "fullname": f"{row['first']} {row['last']}",
        "domainname": row["email"],
        "internalemailaddress": row["email"],
        "mobilephone": row["phone"],
        "jobtitle": row["job"],
        "islicensed": row["licensed"] == "true",
        "isdisabled": row["disabled"] == "true",
        "isintegrationuser": False,
        "accessmode": 0,
        "_businessunitid_value": ROOT_BUSINESS_UNIT,
    }


def _remote_currency(row: dict[str, str]) -> Row:
    rate = (1 / Decimal(row["local_per_unit"])).quantize(Decimal("0.0000000001"))
    return {
        "transactioncurrencyid": currency_id(row["code"]),
        "isocurrencycode": row["code"],
        "currencyname": row["name"],
        "currencysymbol": row["symbol"],
        "currencyprecision": 0 if row["decimals"] == "0:0" else 2,
        "exchangerate": rate,
    }


def _account(row: dict[str, str], kind: int) -> Row:
    out = {
        "accountid": identity("accounts", row["number"]),
        "name": row["name"],
        "accountnumber": row["number"],
        "customertypecode": kind,
        **Address.of(row).remote(),
        "_transactioncurrencyid_value": currency_id(row["currency"]),
        "paymenttermscode": PAYMENT_OPTIONS.get(row["terms"]),
        "address1_freighttermscode": FREIGHT_OPTIONS.get(row.get("shipment", "")),
    }
    if kind == CUSTOMER_TYPE:
        out["creditlimit"] = money(row["credit_limit"])
    return out | _differences("account", row["number"])


def _remote_account(row: dict[str, str]) -> Row:
    code = "" if row["currency"] == local_currency()["code"] else row["currency"]
    inactive = row["state_code"] == "1"
    return {
        "accountid": identity("accounts", row["key"]),
        "name": row["name"],
        "accountnumber": row["number"] or None,
        "customertypecode": int(row["type"]) if row["type"] else None,
        **Address.of(row).remote(),
        "_transactioncurrencyid_value": currency_id(code),
        "paymenttermscode": int(row["terms"]) if row["terms"] else None,
        "address1_freighttermscode": int(row["shipment"]) if row["shipment"] else None,
        "statecode": int(inactive),
        "statuscode": 2 if inactive else 1,
    }


def _contact(row: dict[str, str]) -> Row:
    company = _companies()[row["company"]]
    out = {
        "contactid": identity("contacts", row["number"]),
        "firstname": row["first"],
        "middlename": row["middle"] or None,
        "lastname": row["surname"],
        "jobtitle": row["job"],
        **Address.of({**company, "phone": row["phone"], "email": row["email"]}).remote(),
        "mobilephone": row["mobile"] or None,
        "_transactioncurrencyid_value": currency_id(company["currency"]),
        "_parentcustomerid_value": identity("accounts", row["company"]),
    }
    return out | _differences("contact", row["number"])


def _remote_contact(row: dict[str, str]) -> Row:
    out: Row = {
        "contactid": identity("contacts", row["key"]),
        "salutation": row["salutation"] or None,
        "firstname": row["first"],
        "middlename": row["middle"] or None,
        "lastname": row["last"],
        "jobtitle": row["job"] or None,
        "telephone1": row["phone"] or None,
        "mobilephone": row["mobile"] or None,
        "emailaddress1": row["email"] or None,
        "_transactioncurrencyid_value": currency_id(""),
    }
    if row["account"]:
        out["_parentcustomerid_value"] = identity("accounts", row["account"])
    return out


@cache
def _all_differences() -> dict[tuple[str, str], Row]:
    out: dict[tuple[str, str], Row] = {}
    for row in read_csv("differences"):
        value: Any = row["value"] or None
        if row["field"] == "creditlimit":
            value = Decimal(row["value"])
        out.setdefault((row["table"], row["key"]), {})[row["field"]] = value
    return out


def _differences(table: str, key: str) -> Row:
    return _all_differences().get((table, key), {})
