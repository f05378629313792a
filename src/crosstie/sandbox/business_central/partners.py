"""Customers and vendors, and the company contacts that mirror them.

A new customer or vendor gets a company contact with a business relation; from then on name, address and the like
follow each other in both directions. Facts: mapping-rules section 4, behaviour of the application's contact update.
"""

from typing import Final

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.business_central.contacts import (
    RELATION,
    complete,
    name_given,
    refresh_relations,
    rename_company,
    type_given,
)
from crosstie.sandbox.business_central.records import Records
from crosstie.sandbox.business_central.schema import Row

_SHARED: Final = (
    "name",
    "address",
    "address_2",
    "city",
    "county",
    "country_region_code",
    "post_code",
    "phone_no",
    "mobile_phone_no",
    "fax_no",
    "e_mail",
    "home_page",
    "currency_code",
    "vat_registration_no",
)

MIRRORED: Final = {
    "Customer": {column: column for column in (*_SHARED, "salesperson_code")},
    "Vendor": {**{column: column for column in _SHARED}, "purchaser_code": "salesperson_code"},
}
"""Columns of a customer or vendor and the columns of its company contact that they equal."""


def contact_for(records: Records, table: str, row: Row) -> Row:
    """The company contact of a new customer or vendor, without its number."""
    contact = records.schema.tables["Contact"].blank()
    contact.update({theirs: row[ours] for ours, theirs in MIRRORED[table].items()})
    contact["type"] = row.get("contact_type", "Company")
    return contact


def after_insert(records: Records, table: str, row: Row) -> None:
    """Give a new customer or vendor its company contact."""
    if not records.settings.flag(f"{table.lower()}_contacts"):
        return
    contact = contact_for(records, table, row)
    contact["number"] = records.next_number("Contact")
    type_given(records, contact)
    complete(records, None, contact)
    records.insert("Contact", contact)
    link(records, table, row["number"], contact["number"])


def link(records: Records, table: str, number: str, contact_no: str) -> None:
    """Make a business relation between a contact and a customer or vendor."""
    relation = records.schema.tables[RELATION].blank()
    relation.update(contact_no=contact_no, link_to_table=table, number=number)
    records.insert(RELATION, relation)
    refresh_relations(records, contact_no)


def after_modify(records: Records, table: str, old: Row, new: Row) -> None:
    """Carry what the company contact shares over to it, and on to whatever else mirrors that contact."""
    relation = records.find(RELATION, link_to_table=table, number=new["number"])
    if relation is None:
        return
    if old["number"] != new["number"]:
        refresh_relations(records, relation["contact_no"])
    differing = {theirs: new[ours] for ours, theirs in MIRRORED[table].items() if old[ours] != new[ours]}
    contact = records.find("Contact", number=relation["contact_no"]) if differing else None
    if contact is not None:
        mirrored = contact | differing
        if "name" in differing:
            name_given(records, mirrored)
        complete(records, contact, mirrored)
        contact_modified(records, contact, records.change("Contact", contact, mirrored))


def contact_modified(records: Records, old: Row, new: Row) -> None:
    """Carry a contact's changes to its customer and vendor, to the people of the company, to primary contact names."""
    for relation in records.find_all(RELATION, contact_no=new["number"]):
        table = relation["link_to_table"]
        partner = records.find(table, number=relation["number"]) if table in MIRRORED else None
        if partner is not None:
            differing = {o: new[t] for o, t in MIRRORED[table].items() if old[t] != new[t]}
            records.change(table, partner, partner | differing)
    rename_company(records, old, new)
    if new["type"] == "Person" and old["name"] != new["name"]:
        _set_primary(records, new["number"], {"contact": new["name"]})


def contact_deleted(records: Records, row: Row) -> None:
    """Take a contact's relations, its people and its part as primary contact away with it."""
    for relation in records.find_all(RELATION, contact_no=row["number"]):
        records.remove(RELATION, relation)
    _set_primary(records, row["number"], {"contact": "", "primary_contact_no": ""})
    if row["type"] == "Company":
        for person in records.find_all("Contact", company_no=row["number"]):
            if person["number"] != row["number"]:
                contact_deleted(records, person)
                records.remove("Contact", person)


def _set_primary(records: Records, contact_no: str, values: Row) -> None:
    for table in MIRRORED:
        for partner in records.find_all(table, primary_contact_no=contact_no):
            records.change(table, partner, partner | values)


def before_delete(records: Records, table: str, row: Row) -> None:
    """Refuse to delete a customer with open orders."""
    if table == "Customer":
        for column in ("sell_to_customer_no", "bill_to_customer_no"):
            if records.exists("Sales Header", column, row["number"]):
                raise errors.dialog(
                    f"You cannot delete Customer {row['number']} because there is at least one outstanding Sales"
                    " Order for this customer."
                )


def after_delete(records: Records, table: str, row: Row) -> None:
    """Take the business relation away; the contact stays."""
    for relation in records.find_all(RELATION, link_to_table=table, number=row["number"]):
        records.remove(RELATION, relation)
        refresh_relations(records, relation["contact_no"])


def primary_contact_given(table: str, records: Records, row: Row) -> None:
    """The primary contact was set: it must be a contact of this customer or vendor; the contact's name follows."""
    number = row["primary_contact_no"]
    if not number:
        row["contact"] = ""
        return
    contact = records.find("Contact", number=number)
    relation = records.find(RELATION, link_to_table=table, number=row["number"])
    if contact is None:
        raise errors.no_relation("Primary Contact No.", table, number, "Contact")
    if relation is None or relation["contact_no"] not in (contact["company_no"], number):
        raise errors.dialog(
            f"Contact {number} {contact['name']} is not related to {table.lower()} {row['number']} {row['name']}."
        )
    if contact["type"] == "Person":
        row["contact"] = contact["name"]
