"""The demo company's items, products, prices, orders and lines."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache

from crosstie.sandbox.data.currencies import currency_id
from crosstie.sandbox.data.files import read_csv, read_yaml
from crosstie.sandbox.data.ids import identity
from crosstie.sandbox.data.rows import Row

_PRICE_LIST = identity("pricelevels", "standard")
_INVENTORY_TYPE, _SERVICE_TYPE = 1, 3


def local_sales() -> Iterator[tuple[str, list[Row]]]:
    """Items and orders in Business Central."""
    yield "items", [_item(row) for row in read_csv("items")]
    yield "salesOrders", [_local_order(number, lines) for number, lines in _orders().items()]
    yield (
        "salesOrderLines",
        [
            _local_line(number, position, line)
            for number, lines in _orders().items()
            for position, line in enumerate(lines, 1)
        ],
    )


def remote_sales() -> Iterator[tuple[str, list[Row]]]:
    """Units, products, prices and orders in Dataverse."""

    units = {row["unit"] for row in read_csv("items")}
    names = {row["code"]: row["displayName"] for row in read_yaml("setup")["units"]}
    yield (
        "uomschedule",
        [
            {"uomscheduleid": identity("uomschedules", unit), "name": f"NAV {unit}", "baseuomname": unit}
            for unit in sorted(units)
        ],
    )
    yield "uom", [_unit(unit, names[unit]) for unit in sorted(units)]
    yield (
        "pricelevel",
        [{"pricelevelid": _PRICE_LIST, "name": "Standard prices", "_transactioncurrencyid_value": currency_id("")}],
    )
    products = [row for row in read_csv("items") if row["sides"] == "both"]
    yield "product", [_product(row) for row in products]
    yield "productpricelevel", [_price(row) for row in products]
    shared = {number: lines for number, lines in _orders().items() if lines[0]["sides"] == "both"}
    yield "salesorder", [_remote_order(number, lines) for number, lines in shared.items()]
    yield (
        "salesorderdetail",
        [
            _remote_line(number, position, line)
            for number, lines in shared.items()
            for position, line in enumerate(lines, 1)
        ],
    )
    for kind in ("opportunity", "quote", "incident"):
        yield kind, [_SOLD[kind](row) for row in read_csv("selling") if row["kind"] == kind]


@cache
def _items() -> dict[str, dict[str, str]]:
    return {row["number"]: row for row in read_csv("items")}


@cache
def _customers() -> dict[str, dict[str, str]]:
    return {row["number"]: row for row in read_csv("customers")}


@cache
def _orders() -> dict[str, list[dict[str, str]]]:
    orders: dict[str, list[dict[str, str]]] = {}
    for row in read_csv("orders"):
        orders.setdefault(row["number"], []).append(row)
    return orders


def _amounts(line: dict[str, str]) -> tuple[Decimal, Decimal, Decimal]:
    """Price, discount amount and amount of a line."""
    price, quantity = Decimal(_items()[line["item"]]["price"]), Decimal(line["quantity"])
    discount = (price * quantity * Decimal(line["discount"]) / 100).quantize(Decimal("0.01"))
    return price, discount, price * quantity - discount


# Business Central


def _item(row: dict[str, str]) -> Row:
    return {
        "id": identity("items", row["number"]),
        "number": row["number"],
        "displayName": row["name"],
        "type": row["type"],
        "itemCategoryCode": row["category"],
        "blocked": row["blocked"] == "true",
        "unitPrice": Decimal(row["price"]),
        "unitCost": Decimal(row["cost"]),
        "inventory": Decimal(row["inventory"]),
        "baseUnitOfMeasureCode": row["unit"],
    }


def _local_order(number: str, lines: list[dict[str, str]]) -> Row:
    first = lines[0]
    customer = _customers()[first["customer"]]
    total = sum((_amounts(line)[2] for line in lines), Decimal(0))
    return {
        "id": identity("salesOrders", number),
        "number": f"S-ORD{number}",
        "externalDocumentNumber": first["external"],
        "orderDate": first["date"],
        "postingDate": first["date"],
        "customerNumber": first["customer"],
        "customerName": customer["name"],
        "billToCustomerNumber": first["customer"],
        "billToName": customer["name"],
        "sellToAddressLine1": customer["street"],
        "sellToAddressLine2": customer["street2"],
        "sellToCity": customer["city"],
        "sellToState": customer["state"],
        "sellToCountry": customer["country"],
        "sellToPostCode": customer["postcode"],
        "currencyCode": customer["currency"],
        "salesperson": customer["salesperson"],
        "requestedDeliveryDate": first["requested"],
        "totalAmountExcludingTax": total,
        "totalAmountIncludingTax": total,
        "status": "Draft",
        "phoneNumber": customer["phone"],
        "email": customer["email"],
    }


def _local_line(number: str, position: int, line: dict[str, str]) -> Row:
    item = _items()[line["item"]]
    price, discount, amount = _amounts(line)
    return {
        "id": identity("salesOrderLines", f"{number}/{position}"),
        "documentId": identity("salesOrders", number),
        "sequence": position * 10000,
        "lineType": "Item",
        "lineObjectNumber": line["item"],
        "description": item["name"],
        "unitOfMeasureCode": item["unit"],
        "quantity": Decimal(line["quantity"]),
        "unitPrice": price,
        "discountPercent": Decimal(line["discount"]),
        "discountAmount": discount,
        "amountExcludingTax": amount,
        "amountIncludingTax": amount,
        "netAmount": amount,
        "netAmountIncludingTax": amount,
        "shipmentDate": line["requested"],
    }


# Dataverse


def _unit(unit: str, name: str) -> Row:
    return {
        "uomid": identity("uoms", unit),
        "name": unit,
        "quantity": Decimal(1),
        "isschedulebaseuom": True,
        "_uomscheduleid_value": identity("uomschedules", unit),
    }


def _product(row: dict[str, str]) -> Row:

    return {
        "productid": identity("products", row["number"]),
        "productnumber": row["number"],
        "name": row["name"],
        "producttypecode": _SERVICE_TYPE if row["type"] == "Service" else _INVENTORY_TYPE,
        "price": Decimal(row["price"]),
        "standardcost": Decimal(row["cost"]),
        "quantityonhand": Decimal(row["inventory"]),
        "quantitydecimal": 2,
        "_defaultuomid_value": identity("uoms", row["unit"]),
        "_defaultuomscheduleid_value": identity("uomschedules", row["unit"]),
        "_pricelevelid_value": _PRICE_LIST,
        "_transactioncurrencyid_value": currency_id(""),
        "statecode": 1 if row["blocked"] == "true" else 0,
        "statuscode": 2 if row["blocked"] == "true" else 1,
    }


def _price(row: dict[str, str]) -> Row:

    return {
        "productpricelevelid": identity("productpricelevels", row["number"]),
        "_pricelevelid_value": _PRICE_LIST,
        "_productid_value": identity("products", row["number"]),
        "_uomid_value": identity("uoms", row["unit"]),
        "_transactioncurrencyid_value": currency_id(""),
        "amount": Decimal(row["price"]),
        "pricingmethodcode": 1,
    }


def _remote_order(number: str, lines: list[dict[str, str]]) -> Row:

    first = lines[0]
    customer = _customers()[first["customer"]]
    total = sum((_amounts(line)[2] for line in lines), Decimal(0))
    return {
        "salesorderid": identity("salesorders", number),
        "ordernumber": f"ORD-{number}",
        "name": f"{customer['name']} {first['external']}".strip(),
        "_customerid_value": identity("accounts", first["customer"]),
        "_pricelevelid_value": _PRICE_LIST,
        "_transactioncurrencyid_value": currency_id(customer["currency"]),
        "billto_line1": customer["street"],
        "billto_city": customer["city"],
        "billto_postalcode": customer["postcode"],
        "billto_country": customer["country"],
        "requestdeliveryby": f"{first['requested']}T00:00:00Z",
        "totallineitemamount": total,
        "totalamount": total,
        "statecode": 0,
        "statuscode": 1,
    }


def _remote_line(number: str, position: int, line: dict[str, str]) -> Row:

    item = _items()[line["item"]]
    price, discount, amount = _amounts(line)
    return {
        "salesorderdetailid": identity("salesorderdetails", f"{number}/{position}"),
        "_salesorderid_value": identity("salesorders", number),
        "_productid_value": identity("products", line["item"]),
        "_uomid_value": identity("uoms", item["unit"]),
        "_transactioncurrencyid_value": currency_id(_customers()[line["customer"]]["currency"]),
        "lineitemnumber": position,
        "quantity": Decimal(line["quantity"]),
        "priceperunit": price,
        "manualdiscountamount": discount,
        "baseamount": price * Decimal(line["quantity"]),
        "extendedamount": amount,
    }


def _opportunity(row: dict[str, str]) -> Row:
    return {
        "opportunityid": identity("opportunities", row["title"]),
        "name": row["title"],
        "estimatedvalue": Decimal(row["amount"]),
        "estimatedclosedate": f"{row['date']}T00:00:00Z",
        **_of_account(row),
    }


def _quote(row: dict[str, str]) -> Row:
    return {
        "quoteid": identity("quotes", row["number"]),
        "quotenumber": row["number"],
        "name": row["title"],
        "totalamount": Decimal(row["amount"]),
        "effectiveto": f"{row['date']}T00:00:00Z",
        **_of_account(row),
    }


def _incident(row: dict[str, str]) -> Row:
    return {
        "incidentid": identity("incidents", row["number"]),
        "ticketnumber": row["number"],
        "title": row["title"],
        **_of_account(row),
    }


def _of_account(row: dict[str, str]) -> Row:
    """Return whose it is, and how far it has come."""
    account = identity("accounts", row["customer"])
    return {"_customerid_value": account, "statecode": int(row["state"]), "statuscode": int(row["status"])}


_SOLD = {"opportunity": _opportunity, "quote": _quote, "incident": _incident}
