"""The tables that the standard mappings tie together, as the two systems describe them.

A field is `name type length`; `*` behind the type marks what can only be given to a new record, `!` what the system
alone writes.
"""

from typing import Any

from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema

_TYPES = {
    "text": {"type": FieldType.TEXT},
    "code": {"type": FieldType.CODE},
    "id": {"type": FieldType.GUID},
    "money": {"type": FieldType.DECIMAL, "scale": 4},
    "rate": {"type": FieldType.DECIMAL, "scale": 10},
    "amount": {"type": FieldType.DECIMAL, "nullable": False},
    "number": {"type": FieldType.INTEGER},
    "flag": {"type": FieldType.BOOLEAN},
    "option": {"type": FieldType.CHOICE, "numeric_options": True},
    "name": {"type": FieldType.CHOICE},
    "user": {"type": FieldType.LOOKUP, "targets": ("systemuser", "team")},
    "parent": {"type": FieldType.LOOKUP, "targets": ("account", "contact")},
    "currency": {"type": FieldType.LOOKUP, "targets": ("transactioncurrency",)},
    "contact": {"type": FieldType.LOOKUP, "targets": ("contact",)},
    "company": {"type": FieldType.LOOKUP, "targets": ("bcbi_company",)},
}
_OPTIONS = {
    "customertypecode": {"3": "Customer", "8": "Prospect", "11": "Vendor"},
    "statecode": {"0": "Active", "1": "Inactive"},
    "paymenttermscode": {"1": "Net 30", "2": "Net 45"},
    "address1_freighttermscode": {"1": "FOB", "2": "No Charge"},
    "type": {"Company": "Company", "Person": "Person"},
    "blocked": {"Ship": "Ship", "Invoice": "Invoice", "All": "All"},
    "businessRelationType": {"Customer": "Customer", "Vendor": "Vendor"},
}
_ADDRESS = (
    "address1_line1 text 250, address1_line2 text 250, address1_postalcode text 20, address1_city text 80,"
    " address1_country text 80, address1_stateorprovince text 50, transactioncurrencyid currency, ownerid user,"
    " bcbi_companyid company, statecode option, emailaddress1 text 100, fax text 50, websiteurl text 200,"
    " telephone1 text 50"
)
_PARTNER = (
    "number code 20, displayName text 100, addressLine1 text 100, addressLine2 text 50, city text 30, state text 30,"
    " country code 10, postalCode code 20, phoneNumber text 30, email text 80, website text 255, currencyCode code,"
    " paymentTermsId id, blocked name"
)
_FULL_PARTNER = (
    "number code 20, displayName text 100, contactName text 100, addressLine1 text 100, addressLine2 text 50,"
    " city text 30, county text 30, postalCode code 20, countryCode code 10, phoneNo text 30, mobilePhoneNo text 30,"
    " faxNo text 30, email text 80, homePage text 255, currencyCode code 10, paymentTermsCode code 10,"
    " shipmentMethodCode code 10, primaryContactNo code 20, blocked name"
)
_TABLES = {
    "salespeoplePurchasers": "code code 20, displayName text 50, email text 80, email2 text 80, phoneNo text 30,"
    " jobTitle text 30",
    "currencies": "code code 10, displayName text 30, symbol text 10",
    "paymentTerms": "code code 10, displayName text 100",
    "shipmentMethods": "code code 10, displayName text 100",
    "customers": f"{_PARTNER}, salespersonCode code 20, creditLimit amount, shipmentMethodId id",
    "vendors": _PARTNER,
    "crosstie/sync/v1.0/syncCustomers": f"{_FULL_PARTNER}, salespersonCode code 20, creditLimitLcy amount",
    "crosstie/sync/v1.0/syncVendors": f"{_FULL_PARTNER}, purchaserCode code 20",
    "crosstie/sync/v1.0/syncContacts": "number code 20, type name, companyNumber code 20, firstName text 30,"
    " middleName text 30, surname text 30, displayName text 100, salespersonCode code 20, currencyCode code 10,"
    " addressLine1 text 100, addressLine2 text 50, city text 30, state text 30, country code 10, postalCode code 20,"
    " phoneNumber text 30, mobilePhoneNumber text 30, faxNumber text 30, pager text 30, email text 80,"
    " website text 255, salutationCode code 10, businessRelationType name!, businessRelationNumber code!",
    "systemuser": "fullname text! 200, internalemailaddress text 100, mobilephone text 64, jobtitle text 100,"
    " personalemailaddress text 100, isdisabled flag!, islicensed flag, isintegrationuser flag",
    "transactioncurrency": "isocurrencycode text* 5, currencysymbol text 10, currencyname text 100,"
    " exchangerate rate, currencyprecision number",
    "account.paymenttermscode": "value number!, label text 100",
    "account.address1_freighttermscode": "value number!, label text 100",
    "account": f"{_ADDRESS}, name text 160, accountnumber text 20, address1_primarycontactname text 100,"
    " telephone2 text 50, address1_freighttermscode option, paymenttermscode option, creditlimit money,"
    " primarycontactid contact, customertypecode option",
    "contact": f"{_ADDRESS}, fullname text! 160, firstname text 50, middlename text 50, lastname text 50,"
    " mobilephone text 50, pager text 50, salutation text 100, parentcustomerid parent",
}


def table(name: str) -> TableSchema:
    """A table of one of the two systems."""
    fields = {found.name: found for part in _TABLES[name].split(", ") for found in (_field(part),)}
    key = "value" if "." in name and "/" not in name else "id"
    fields.setdefault(key, FieldSchema(name=key, type=FieldType.GUID))
    return TableSchema(
        name=name, key=key, fields=fields, feed=ChangeFeed.MODIFIED, client_ids=True, conditional_writes=True
    )


def _field(text: str) -> FieldSchema:
    name, kind, *length = text.split()
    traits: dict[str, Any] = {**_TYPES[kind.rstrip("!*")]}
    if length:
        traits["max_length"] = int(length[0])
    if kind.endswith("!"):
        traits.update(creatable=False, updatable=False)
    if kind.endswith("*"):
        traits.update(updatable=False)
    return FieldSchema(name=name, **traits, options=_OPTIONS.get(name, {}))
