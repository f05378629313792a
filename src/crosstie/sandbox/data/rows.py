"""Rows of both systems from one plain description of a company or a person."""

from decimal import Decimal
from typing import Final, NamedTuple

from crosstie.sandbox.data.ids import identity

Row = dict[str, object]

BLANK: Final = "_x0020_"
CUSTOMER_TYPE: Final = 3
VENDOR_TYPE: Final = 11

PAYMENT_OPTIONS: Final = {"NET 30": 1, "NET 45": 3, "NET 60": 4}
"""The options that Dataverse has from the start and whose labels are codes of ``setup.yaml``."""
FREIGHT_OPTIONS: Final = {"FOB": 1, "NO CHARGE": 2}


class Address(NamedTuple):
    """Where somebody is and how to reach them."""

    street: str
    street2: str
    city: str
    state: str
    country: str
    postcode: str
    phone: str
    email: str
    website: str

    @classmethod
    def of(cls, row: dict[str, str]) -> "Address":
        """The address in a row of a data file."""
        return cls(*(row[name] for name in cls._fields))

    def local(self) -> Row:
        """As properties of a Business Central page."""
        return {
            "addressLine1": self.street,
            "addressLine2": self.street2,
            "city": self.city,
            "state": self.state,
            "country": self.country,
            "postalCode": self.postcode,
            "phoneNumber": self.phone,
            "email": self.email,
            "website": self.website,
        }

    def remote(self) -> Row:
        """As columns of a Dataverse table."""
        return {
            "address1_line1": self.street or None,
            "address1_line2": self.street2 or None,
            "address1_city": self.city or None,
            "address1_stateorprovince": self.state or None,
            "address1_country": self.country or None,
            "address1_postalcode": self.postcode or None,
            "telephone1": self.phone or None,
            "emailaddress1": self.email or None,
            "websiteurl": self.website or None,
        }


def local_code_id(table: str, code: str) -> str:
    """The id of a code of ``setup.yaml``, or the blank guid."""
    return identity(table, code) if code else "00000000-0000-0000-0000-000000000000"


def company_contact(number: str, id: str, name: str, address: Address, currency: str, salesperson: str) -> Row:
    """The contact that stands for a customer or vendor."""
    return {
        "id": id,
        "number": number,
        "type": "Company",
        "displayName": name,
        "companyNumber": number,
        "companyName": name,
        "currencyCode": currency,
        "salespersonCode": salesperson,
        **address.local(),
    }


def relation(contact_number: str, kind: str, number: str, id: str) -> Row:
    """What ties a company contact to its customer or vendor."""
    return {"id": id, "contactNo": contact_number, "linkType": kind, "linkNo": number}


def money(text: str) -> Decimal:
    """An amount in a data file; blank is nothing."""
    return Decimal(text or "0")
