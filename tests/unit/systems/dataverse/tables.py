"""A small table as the metadata describe it."""

from typing import Any

from crosstie.systems.dataverse.metadata import Address, Table, table_of

GUID = "8f6f2a1e-0c5b-4a77-9d0e-2f1c3b4a5d6e"


def attribute(name: str, kind: str, **facets: Any) -> dict[str, Any]:
    return {
        "LogicalName": name,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "DisplayName": {"UserLocalizedLabel": {"Label": name.title(), "LanguageCode": 1033}},
        "RequiredLevel": {"Value": facets.pop("level", "None")},
        "IsValidForRead": True,
        "IsValidForCreate": True,
        "IsValidForUpdate": True,
        **facets,
    }


ENTITY: dict[str, Any] = {
    "LogicalName": "contact",
    "EntitySetName": "contacts",
    "PrimaryIdAttribute": "contactid",
    "PrimaryNameAttribute": "fullname",
    "ChangeTrackingEnabled": True,
    "IsOptimisticConcurrencyEnabled": True,
    "DisplayName": {"LocalizedLabels": [{"Label": "Contact", "LanguageCode": 1033}], "UserLocalizedLabel": None},
    "Keys": [
        {"KeyAttributes": ["emailaddress1", "lastname"], "EntityKeyIndexStatus": "Active"},
        {"KeyAttributes": ["governmentid"], "EntityKeyIndexStatus": "Failed"},
    ],
    "ManyToOneRelationships": [
        {
            "ReferencingAttribute": "parentcustomerid",
            "ReferencedEntity": "account",
            "ReferencingEntityNavigationPropertyName": "parentcustomerid_account",
        },
        {
            "ReferencingAttribute": "parentcustomerid",
            "ReferencedEntity": "contact",
            "ReferencingEntityNavigationPropertyName": "parentcustomerid_contact",
        },
        {
            "ReferencingAttribute": "ownerid",
            "ReferencedEntity": "owner",
            "ReferencingEntityNavigationPropertyName": "ownerid",
        },
        {
            "ReferencingAttribute": "bcbi_companyid",
            "ReferencedEntity": "bcbi_company",
            "ReferencingEntityNavigationPropertyName": "bcbi_CompanyId",
        },
    ],
    "Attributes": [
        attribute("contactid", "Uniqueidentifier", level="SystemRequired", IsValidForUpdate=False),
        attribute("fullname", "String", MaxLength=160, IsValidForCreate=False, IsValidForUpdate=False),
        attribute("lastname", "String", MaxLength=50, level="ApplicationRequired"),
        attribute("parentcustomerid", "Customer", Targets=["account", "contact"]),
        attribute("parentcustomeridname", "String", AttributeOf="parentcustomerid"),
        attribute("parentcustomeridtype", "EntityName"),
        attribute("ownerid", "Owner", Targets=["systemuser", "team"], level="SystemRequired"),
        attribute("bcbi_companyid", "Lookup", Targets=["bcbi_company"]),
        attribute("statecode", "State", level="SystemRequired", IsValidForCreate=False),
        attribute("creditonhold", "Boolean"),
        attribute("creditlimit", "Money", Precision=2, PrecisionSource=2, MinValue=0, MaxValue=1000000),
        attribute("annualincome", "Money", Precision=2, PrecisionSource=0),
        attribute("exchangerate", "Decimal", Precision=10),
        attribute("address1_latitude", "Double", Precision=5),
        attribute("numberofchildren", "Integer", MinValue=0, MaxValue=100),
        attribute("birthdate", "DateTime", DateTimeBehavior={"Value": "DateOnly"}),
        attribute("anniversary", "DateTime", DateTimeBehavior={"Value": "UserLocal"}),
        attribute("modifiedon", "DateTime", IsValidForCreate=False, IsValidForUpdate=False),
        attribute("colours", "Virtual", AttributeTypeName={"Value": "MultiSelectPicklistType"}),
        attribute("entityimage", "Virtual", AttributeTypeName={"Value": "ImageType"}),
        attribute("secret", "String", IsValidForRead=False),
        attribute("currencyid", "Lookup", Targets=["transactioncurrency"], level="SystemRequired"),
    ],
}
OPTIONS = {"statecode": {"0": "Active", "1": "Inactive"}}
ADDRESSES = {
    "account": Address("accounts", "accountid"),
    "contact": Address("contacts", "contactid"),
    "systemuser": Address("systemusers", "systemuserid"),
    "team": Address("teams", "teamid"),
    "bcbi_company": Address("bcbi_companies", "bcbi_companyid"),
    "transactioncurrency": Address("transactioncurrencies", "transactioncurrencyid"),
}


def contact(**changes: Any) -> Table:
    return table_of({**ENTITY, **changes}, OPTIONS, ADDRESSES)
