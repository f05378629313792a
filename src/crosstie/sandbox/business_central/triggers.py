"""What the application does when a field is set or a record is stored: which rule runs for which table."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from crosstie.sandbox.business_central import contacts, orders, partners
from crosstie.sandbox.business_central.records import Records
from crosstie.sandbox.business_central.schema import Row

_VALIDATIONS: Final[Mapping[tuple[str, str], Callable[[Records, Row], None]]] = {
    ("Contact", "name"): contacts.name_given,
    ("Contact", "type"): contacts.type_given,
    **{("Contact", column): contacts.part_given for column in contacts.NAME_PARTS},
    ("Customer", "primary_contact_no"): partial(partners.primary_contact_given, "Customer"),
    ("Vendor", "primary_contact_no"): partial(partners.primary_contact_given, "Vendor"),
    ("Sales Header", "sell_to_customer_no"): orders.customer_given,
    ("Sales Header", "bill_to_customer_no"): orders.billed_customer_given,
    ("Sales Line", "type"): orders.item_given,
    ("Sales Line", "number"): orders.item_given,
    ("Sales Line", "line_discount_percent"): orders.discount_percent_given,
    ("Sales Line", "line_discount_amount"): orders.discount_amount_given,
}

CHECKED_ELSEWHERE: Final = {("Contact", "company_no")}
"""Relations that a rule checks once the whole record is known."""


def validate(records: Records, table: str, column: str, row: Row) -> None:
    """A field was set: fill in what follows from it, or refuse."""
    rule = _VALIDATIONS.get((table, column))
    if rule is not None:
        rule(records, row)


def complete(records: Records, table: str, old: Row | None, row: Row) -> None:
    """Before a record is stored, new (*old* is None) or changed: fill in what follows, or refuse."""
    match table:
        case "Contact":
            contacts.complete(records, old, row)
        case "Sales Header":
            orders.complete(records, old, row)
        case "Sales Line":
            orders.complete_line(records, old, row)


def after_insert(records: Records, table: str, row: Row) -> None:
    """A record was stored for the first time."""
    match table:
        case "Customer" | "Vendor":
            partners.after_insert(records, table, row)
        case "Sales Line":
            orders.lines_changed(records, row["document_no"])


def after_modify(records: Records, table: str, old: Row, new: Row) -> None:
    """A record was stored again with something changed."""
    match table:
        case "Customer" | "Vendor":
            partners.after_modify(records, table, old, new)
        case "Contact":
            partners.contact_modified(records, old, new)
        case "Sales Line":
            orders.lines_changed(records, new["document_no"])


def before_delete(records: Records, table: str, row: Row) -> None:
    """A record is about to go: refuse, or take along what hangs on it."""
    match table:
        case "Customer" | "Vendor":
            partners.before_delete(records, table, row)
        case "Contact":
            partners.contact_deleted(records, row)
        case "Sales Header":
            orders.before_delete(records, row)
        case "Item":
            orders.item_before_delete(records, row)


def after_delete(records: Records, table: str, row: Row) -> None:
    """A record is gone."""
    match table:
        case "Customer" | "Vendor":
            partners.after_delete(records, table, row)
        case "Sales Line":
            orders.lines_changed(records, row["document_no"])
