"""Contacts: names and their parts, companies and the people in them.

Facts: mapping-rules section 4 (names), behaviour of the application's Contact table.
"""

from typing import Final

from crosstie.sandbox.business_central import errors
from crosstie.sandbox.business_central.records import Records
from crosstie.sandbox.business_central.schema import Row

RELATION: Final = "Contact Business Relation"
NAME_PARTS: Final = ("first_name", "middle_name", "surname")

_INHERITED: Final = (
    "salesperson_code",
    "currency_code",
    "country_region_code",
    "address",
    "address_2",
    "city",
    "county",
    "post_code",
    "phone_no",
    "mobile_phone_no",
    "fax_no",
    "pager",
)


def split_name(name: str) -> tuple[str, str, str]:
    """First name, middle name and surname of a full name.

    The last word is the surname, the one before it the middle name if there are three or more, the rest the first
    name; a single word is a first name.
    """
    words = name.split()
    if len(words) < 2:
        return name.strip(), "", ""
    if len(words) == 2:
        return words[0], "", words[1]
    return " ".join(words[:-2]), words[-2], words[-1]


def join_name(first: str, middle: str, surname: str) -> str:
    """The full name that the parts make."""
    return " ".join(filter(None, (first, middle, surname)))


def name_given(records: Records, row: Row) -> None:
    """The name of a person was set: its parts follow. Raises where a part does not fit its field."""
    if row["type"] != "Person":
        return
    fields = records.schema.tables["Contact"].fields
    for column, part in zip(NAME_PARTS, split_name(row["name"]), strict=True):
        too_many = len(part) - fields[column].type.length
        if too_many > 0:
            caption = fields[column].caption
            raise errors.dialog(
                f"The length of {caption} is {too_many} character(s) longer than the maximum length allowed for the"
                f" {caption} field."
            )
        row[column] = part


def part_given(records: Records, row: Row) -> None:
    """A part of a person's name was set: the name is made anew. Raises where the whole is too long."""
    if row["type"] == "Company" and not any(row[column] for column in NAME_PARTS):
        return
    name = join_name(*(row[column] for column in NAME_PARTS))
    too_many = len(name) - records.schema.tables["Contact"].fields["name"].type.length
    if too_many > 0:
        raise errors.dialog(
            f"The total length of first name, middle name and surname is {too_many} character(s) longer than the"
            " maximum length allowed for the Name field."
        )
    row["name"] = name


def type_given(records: Records, row: Row) -> None:
    """The type was set: a person's name and its parts are brought in line, whichever came first."""
    if row["type"] == "Person":
        if any(row[column] for column in NAME_PARTS):
            part_given(records, row)
        else:
            name_given(records, row)


def complete(records: Records, old: Row | None, row: Row) -> None:
    """Fill in what follows from the rest, before the contact is stored; its number must be known.

    Raises where the company does not exist or is no company, or where a company with people or business relations
    would turn into a person.
    """
    if old is not None and old["type"] == "Company" and row["type"] == "Person":
        _leave_company(records, old, row)
    if row["type"] == "Company":
        row.update(dict.fromkeys(NAME_PARTS, ""), company_no=row["number"], company_name=row["name"])
    elif row["company_no"]:
        _join_company(records, old, row)
    elif old is not None and old["company_no"]:
        row["company_name"] = ""
    if not row["search_name"] or (old is not None and row["search_name"] == old["name"].upper()):
        row["search_name"] = row["name"].upper()
    row.update(relation_of(records, row))


def _leave_company(records: Records, old: Row, row: Row) -> None:
    people = [c for c in records.find_all("Contact", company_no=old["number"]) if c["number"] != old["number"]]
    if people or records.exists(RELATION, "contact_no", old["number"]):
        raise errors.dialog(
            "Type cannot be changed because there are one or more related people or business relations linked to the"
            " contact."
        )
    if row["company_no"] == old["number"]:
        row.update(company_no="", company_name="")


def _join_company(records: Records, old: Row | None, row: Row) -> None:
    company = records.find("Contact", number=row["company_no"])
    if company is None or company["type"] != "Company":
        raise errors.no_relation("Company No.", "Contact", row["company_no"], "Contact")
    row["company_name"] = company["name"]
    if old is None and records.settings.flag("inherit_company_details"):
        row.update({column: company[column] for column in _INHERITED if not row[column]})


def relation_of(records: Records, row: Row) -> Row:
    """The business relations of a contact and of its company, as the contact shows them."""
    numbers = {row["number"], row["company_no"]} - {""}
    found = [link for number in numbers for link in records.find_all(RELATION, contact_no=number)]
    links = sorted((link["link_to_table"], link["number"]) for link in found)
    kind = "None" if not links else links[0][0] if len(links) == 1 else "Multiple"
    table, number = links[0] if links else ("_x0020_", "")
    return {"contact_business_relation": kind, "business_relation_type": table, "business_relation_no": number}


def refresh_relations(records: Records, number: str) -> None:
    """Show the present business relations on a contact and on the people of that company."""
    own = records.find_all("Contact", number=number)
    people = [row for row in records.find_all("Contact", company_no=number) if row["number"] != number]
    for contact in own + people:
        records.change("Contact", contact, contact | relation_of(records, contact))


def rename_company(records: Records, old: Row, new: Row) -> None:
    """Carry a company's new name to the people in it."""
    if new["type"] != "Company" or old["name"] == new["name"]:
        return
    for person in records.find_all("Contact", company_no=new["number"], type="Person"):
        records.change("Contact", person, person | {"company_name": new["name"]})
