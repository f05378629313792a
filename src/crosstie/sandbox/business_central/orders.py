"""Sales orders and their lines, as far as a plain table needs it: what a customer or item brings along, and totals."""

from typing import Final

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.business_central.records import Records
from crosstie.sandbox.business_central.schema import Row

HEADER: Final = "Sales Header"
LINE: Final = "Sales Line"

_FROM_CUSTOMER: Final = {
    "sell_to_customer_name": "name",
    "sell_to_address": "address",
    "sell_to_address_2": "address_2",
    "sell_to_city": "city",
    "sell_to_county": "county",
    "sell_to_country_region_code": "country_region_code",
    "sell_to_post_code": "post_code",
    "sell_to_phone_no": "phone_no",
    "sell_to_e_mail": "e_mail",
    "ship_to_name": "name",
    "ship_to_contact": "contact",
    "ship_to_address": "address",
    "ship_to_address_2": "address_2",
    "ship_to_city": "city",
    "ship_to_county": "county",
    "ship_to_country_region_code": "country_region_code",
    "ship_to_post_code": "post_code",
    "currency_code": "currency_code",
    "payment_terms_code": "payment_terms_code",
    "shipment_method_code": "shipment_method_code",
    "salesperson_code": "salesperson_code",
}
_BILLED: Final = {
    "bill_to_name": "name",
    "bill_to_address": "address",
    "bill_to_address_2": "address_2",
    "bill_to_city": "city",
    "bill_to_county": "county",
    "bill_to_country_region_code": "country_region_code",
    "bill_to_post_code": "post_code",
}


def customer_given(records: Records, row: Row) -> None:
    """The order's customer was set: its name, addresses and terms come along. Raises for a blocked customer."""
    customer = records.find("Customer", number=row["sell_to_customer_no"])
    if customer is None:
        return
    if customer["blocked"] == "All":
        raise errors.dialog(
            f"You cannot create this type of document when Customer {customer['number']} is blocked with type All"
        )
    row.update({ours: customer[theirs] for ours, theirs in _FROM_CUSTOMER.items()})
    row["bill_to_customer_no"] = customer["number"]
    billed_customer_given(records, row)


def billed_customer_given(records: Records, row: Row) -> None:
    """The customer to bill was set: name and address come along."""
    customer = records.find("Customer", number=row["bill_to_customer_no"])
    if customer is not None:
        row.update({ours: customer[theirs] for ours, theirs in _BILLED.items()})


def complete(records: Records, old: Row | None, row: Row) -> None:
    """Dates of a new order; raises where it has no customer."""
    if not row["sell_to_customer_no"]:
        raise errors.dialog("A customerNumber or a customerId must be provided.")
    if old is None:
        today = records.now()[:10]
        for column in ("document_date", "posting_date"):
            if row[column] == "0001-01-01":
                row[column] = today


def before_delete(records: Records, row: Row) -> None:
    """Delete the lines with their order."""
    for line in records.find_all(LINE, document_no=row["number"]):
        records.remove(LINE, line)


def item_given(records: Records, row: Row) -> None:
    """The line's item was set: description, unit and price come along. Raises for an unknown or blocked item."""
    if row["type"] != "Item" or not row["number"]:
        return
    item = records.find("Item", number=row["number"])
    if item is None:
        raise errors.no_relation("No.", LINE, row["number"], "Item")
    if item["blocked"]:
        raise errors.dialog(f"Blocked must be equal to 'No' in Item: No.={row['number']}. Current value is 'Yes'.")
    row.update(
        description=item["description"],
        description_2=item["description_2"],
        unit_of_measure_code=item["base_unit_of_measure"],
        unit_price=item["unit_price"],
    )


def discount_percent_given(records: Records, row: Row) -> None:
    """The discount in percent was set: the amount follows."""
    row["line_discount_amount"] = round(row["quantity"] * row["unit_price"] * row["line_discount_percent"] / 100, 2)


def discount_amount_given(records: Records, row: Row) -> None:
    """The discount's amount was set: the percentage follows."""
    gross = row["quantity"] * row["unit_price"]
    row["line_discount_percent"] = round(row["line_discount_amount"] / gross * 100, 5) if gross else 0


def complete_line(records: Records, old: Row | None, row: Row) -> None:
    """Number, quantities and amounts of a line before it is stored; raises where it has no order."""
    if not row["document_no"]:
        raise errors.dialog("You must specify a document id to get the lines.")
    if not row["line_no"]:
        lines = records.find_all(LINE, document_no=row["document_no"])
        row["line_no"] = max((line["line_no"] for line in lines), default=0) + 10_000
    if old is None or (old["quantity"], old["unit_price"]) != (row["quantity"], row["unit_price"]):
        row["qty_to_ship"] = row["qty_to_invoice"] = row["quantity"]
        if row["line_discount_percent"]:
            discount_percent_given(records, row)
    net = round(row["quantity"] * row["unit_price"] - row["line_discount_amount"], 2)
    tax = round(net * row["vat_percent"] / 100, 2)
    gross = round(net + tax, 2)
    row.update(line_amount=net, amount=net, line_tax_amount=tax, tax_amount=tax)
    row.update(line_amount_including_tax=gross, amount_including_vat=gross)


def lines_changed(records: Records, document_no: str) -> None:
    """Add up an order whose lines changed."""
    order = records.find(HEADER, number=document_no)
    if order is None:
        return
    lines = records.find_all(LINE, document_no=document_no)
    totals = {
        "amount": "amount",
        "total_tax_amount": "tax_amount",
        "amount_including_vat": "amount_including_vat",
    }
    sums = {ours: round(sum(line[theirs] for line in lines), 2) for ours, theirs in totals.items()}
    records.change(HEADER, order, order | sums)


def item_before_delete(records: Records, row: Row) -> None:
    """Refuse to delete an item that stands in an open order."""
    if records.find(LINE, type="Item", number=row["number"]) is not None:
        raise errors.dialog(
            f"You cannot delete Item {row['number']} because there is at least one outstanding Sales Order that"
            " includes this item."
        )
