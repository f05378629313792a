"""Labels and sets of options as the metadata endpoints describe them."""

from typing import Any, Final

from crosstie.sandbox.dataverse.environment import Environment
from crosstie.sandbox.dataverse.schema import Column, Option, Table, identity

Definition = dict[str, Any]

ENGLISH: Final = 1033


def label(text: str, *key: str) -> Definition:
    """A text in the one language of the sandbox."""
    localized = {
        "Label": text,
        "LanguageCode": ENGLISH,
        "IsManaged": True,
        "MetadataId": identity("label", *key),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [localized], "UserLocalizedLabel": localized}


def managed(value: object, name: str) -> Definition:
    """A property that a solution may lock."""
    return {"Value": value, "CanBeChanged": False, "ManagedPropertyLogicalName": name}


def option_set(table: Table, column: Column) -> Definition:
    """The options of a choice column."""
    name = column.global_name or f"{table.name}_{column.name}"
    kind = {"State": "State", "Status": "Status"}.get(column.type, "Picklist")
    prefix = {"State": "StateOption", "Status": "StatusOption"}.get(column.type, "Option")
    options = [_option(table, column, option, prefix) for option in column.options.values()]
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.OptionSetMetadata",
        **_set_facts(name, kind, column),
        "Options": options,
    }


def _set_facts(name: str, kind: str, column: Column) -> Definition:
    return {
        "MetadataId": identity("optionset", name),
        "Name": name,
        "OptionSetType": kind,
        "IsGlobal": column.global_name is not None,
        "IsCustomOptionSet": column.custom,
        "IsManaged": True,
        "DisplayName": label(column.label, "optionset", name),
        "Description": label(column.label, "optionset", name, "description"),
        "IsCustomizable": managed(True, "iscustomizable"),
        "IntroducedVersion": "1.0.0.0",
        "HasChanged": None,
    }


def _option(table: Table, column: Column, option: Option, prefix: str) -> Definition:
    found: Definition = {
        "Value": option.value,
        "Label": label(option.label, table.name, column.name, str(option.value)),
        "Description": {"LocalizedLabels": [], "UserLocalizedLabel": None},
        "Color": None,
        "ExternalValue": "",
        "IsManaged": True,
        "MetadataId": None,
        "HasChanged": None,
    }
    if prefix != "Option":
        found = {"@odata.type": f"#Microsoft.Dynamics.CRM.{prefix}Metadata", **found}
    if prefix == "StateOption":
        found |= {"DefaultStatus": table.default_status(option.value), "InvariantName": option.label}
    if prefix == "StatusOption":
        found |= {"State": option.state, "TransitionData": None}
    return found


def two_options(table: Table, column: Column) -> Definition:
    """The two options of a yes-or-no column."""
    name = f"{table.name}_{column.name}"
    options = {
        f"{text}Option": _option(table, column, Option(value, word), "Option")
        for text, value, word in (("True", 1, "Yes"), ("False", 0, "No"))
    }
    facts = _set_facts(name, "Boolean", column)
    return {"@odata.type": "#Microsoft.Dynamics.CRM.BooleanOptionSetMetadata", **facts, **options}


def global_option_sets(env: Environment) -> list[Definition]:
    """The choices that tables share."""
    found: dict[str, Definition] = {}
    for table in env.schema.tables.values():
        for column in table.columns.values():
            if column.global_name:
                found.setdefault(column.global_name, option_set(table, column))
    return list(found.values())
