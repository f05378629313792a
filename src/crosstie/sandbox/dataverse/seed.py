"""What every environment holds from the start."""

from crosstie.sandbox.dataverse.bulk import MESSAGES
from crosstie.sandbox.dataverse.environment import (
    APPLICATION_USER,
    BASE_CURRENCY,
    DEFAULT_TEAM,
    ORGANIZATION,
    ROOT_BUSINESS_UNIT,
    SYSTEM_USER,
    Environment,
)
from crosstie.sandbox.dataverse.importing import insert_rows
from crosstie.sandbox.dataverse.schema import identity

ORGANIZATION_NAME = "Contoso Sandbox"


def seed(env: Environment) -> None:
    """Put in the rows of an empty environment; they have the same ids in every sandbox."""
    unit: dict[str, object] = {
        "businessunitid": ROOT_BUSINESS_UNIT,
        "name": ORGANIZATION_NAME,
        "_organizationid_value": ORGANIZATION,
    }
    with env.db.transaction():
        insert_rows(env, "transactioncurrency", [_currency()])
        insert_rows(env, "organization", [_organization()])
        insert_rows(env, "businessunit", [unit])
        insert_rows(env, "systemuser", _users())
        insert_rows(env, "team", [_team()])
        _messages(env)


def _currency() -> dict[str, object]:
    return {
        "transactioncurrencyid": BASE_CURRENCY,
        "isocurrencycode": "USD",
        "currencyname": "US Dollar",
        "currencysymbol": "$",
        "currencyprecision": 2,
        "exchangerate": 1,
        "_organizationid_value": ORGANIZATION,
    }


def _organization() -> dict[str, object]:
    return {
        "organizationid": ORGANIZATION,
        "name": ORGANIZATION_NAME,
        "_basecurrencyid_value": BASE_CURRENCY,
        "basecurrencyprecision": 2,
        "basecurrencysymbol": "$",
        "currencydecimalprecision": 2,
        "pricingdecimalprecision": 2,
        "currencydisplayoption": 0,
        "currencysymbol": "$",
        "languagecode": 1033,
        "localeid": 1033,
        "expirechangetrackingindays": 7,
    }


def _users() -> list[dict[str, object]]:
    application: dict[str, object] = {
        "systemuserid": APPLICATION_USER,
        "firstname": "Sandbox",
        "lastname": "Integration",
        "domainname": "integration@sandbox.example",
        "internalemailaddress": "integration@sandbox.example",
        "applicationid": identity("application"),
        "azureactivedirectoryobjectid": identity("application", "object"),
        "accessmode": 4,
        "isintegrationuser": True,
    }
    system: dict[str, object] = {
        "systemuserid": SYSTEM_USER,
        "lastname": "SYSTEM",
        "domainname": "SYSTEM",
        "internalemailaddress": "system@sandbox.example",
        "accessmode": 3,
        "isdisabled": True,
    }
    shared = {"_businessunitid_value": ROOT_BUSINESS_UNIT, "organizationid": ORGANIZATION, "islicensed": False}
    return [{**user, **shared} for user in (application, system)]


def _team() -> dict[str, object]:
    return {
        "teamid": DEFAULT_TEAM,
        "name": ORGANIZATION_NAME,
        "teamtype": 0,
        "isdefault": True,
        "_businessunitid_value": ROOT_BUSINESS_UNIT,
        "_administratorid_value": APPLICATION_USER,
        "organizationid": ORGANIZATION,
    }


def _messages(env: Environment) -> None:
    """Which bulk messages the tables know (DeleteMultiple: none of them, they are no elastic tables)."""
    names = ["Create", "Update", "Delete", "Retrieve", "RetrieveMultiple", "Upsert", *MESSAGES[:3]]
    insert_rows(env, "sdkmessage", [{"sdkmessageid": identity("sdkmessage", name), "name": name} for name in names])
    tables = [table.name for table in env.schema.sets.values() if not table.name.startswith("sdk")]
    filters: list[dict[str, object]] = [
        {
            "sdkmessagefilterid": identity("sdkmessagefilter", name, table),
            "_sdkmessageid_value": identity("sdkmessage", name),
            "primaryobjecttypecode": table,
            "secondaryobjecttypecode": "none",
            "iscustomprocessingstepallowed": True,
        }
        for name in names
        for table in tables
    ]
    insert_rows(env, "sdkmessagefilter", filters)
