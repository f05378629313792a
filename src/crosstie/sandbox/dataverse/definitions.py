"""The schema as the metadata endpoints describe it: entity, attribute, key and relationship definitions."""

from typing import Final

from crosstie.sandbox.dataverse.choices import Definition, label, managed, option_set, two_options
from crosstie.sandbox.dataverse.environment import Environment
from crosstie.sandbox.dataverse.schema import OWNER, Column, Key, ManyToMany, Relation, Table, identity

_KINDS: Final = {
    "DateOnly": "DateTime",
    "Uniqueidentifier": "UniqueIdentifier",
    "Customer": "Lookup",
    "Owner": "Lookup",
    "BigInt": "BigInt",
}
_TYPE_NAMES: Final = {"DateOnly": "DateTimeType"}
_BEHAVIOURS: Final = {"DateTime": "UserLocal", "DateOnly": "DateOnly"}

_WITHOUT: Final = (
    "PrimaryImageAttribute",
    "DataProviderId",
    "DataSourceId",
    "EntityColor",
    "EntityHelpUrl",
    "IconLargeName",
    "IconMediumName",
    "IconSmallName",
    "IconVectorName",
    "MobileOfflineFilters",
    "RecurrenceBaseEntityLogicalName",
    "ReportViewName",
    "SettingOf",
)
"""Properties of a table's definition that no table here has a value for."""
_NOT: Final = (
    "AutoCreateAccessTeams",
    "AutoRouteToOwnerQueue",
    "EntityHelpUrlEnabled",
    "HasActivities",
    "HasEmailAddresses",
    "HasFeedback",
    "HasNotes",
    "IsAIRUpdated",
    "IsArchivalEnabled",
    "IsAvailableOffline",
    "IsBPFEntity",
    "IsBusinessProcessEnabled",
    "IsDocumentManagementEnabled",
    "IsDocumentRecommendationsEnabled",
    "IsEnabledForExternalChannels",
    "IsInteractionCentricEnabled",
    "IsKnowledgeManagementEnabled",
    "IsMSTeamsIntegrationEnabled",
    "IsOneNoteIntegrationEnabled",
    "IsQuickCreateEnabled",
    "IsReadingPaneEnabled",
    "IsRetentionEnabled",
    "IsRetrieveAuditEnabled",
    "IsRetrieveMultipleAuditEnabled",
    "IsSLAEnabled",
    "IsSolutionAware",
    "SyncToExternalSearchIndex",
    "UsesBusinessDataLabelTable",
)
_SO: Final = ("IsEnabledForCharts", "IsEnabledForTrace", "IsValidForAdvancedFind")


def attribute_kind(column: Column) -> str:
    """The middle of the metadata type's name: ``String`` in ``StringAttributeMetadata``."""
    return _KINDS.get(column.type, column.type)


def entity(env: Environment, table: Table, tracked: bool) -> Definition:
    """The definition of a table; what only ``$expand`` shows stands in it under its name."""
    return {
        "MetadataId": table.metadata_id,
        "LogicalName": table.name,
        "SchemaName": table.schema,
        "EntitySetName": table.set,
        "LogicalCollectionName": table.set,
        "CollectionSchemaName": table.set,
        "PrimaryIdAttribute": table.id,
        "PrimaryNameAttribute": None if table.intersect else table.primary,
        "ObjectTypeCode": table.code,
        "OwnershipType": table.ownership,
        "TableType": "Standard",
        "ActivityTypeMask": 0,
        "IsActivity": False,
        "IsActivityParty": False,
        "IsChildEntity": False,
        "IsCustomEntity": table.custom,
        "IsIntersect": table.intersect,
        "IsLogicalEntity": False,
        "IsManaged": True,
        "IsPrivate": table.intersect,
        "IsStateModelAware": bool(table.states()),
        "IsEnforceStateTransitions": False,
        "IsImportable": True,
        "IsOptimisticConcurrencyEnabled": True,
        "ChangeTrackingEnabled": tracked,
        "CanChangeTrackingBeEnabled": managed(True, "canchangetrackingbeenabled"),
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsAuditEnabled": managed(False, "canmodifyauditsettings"),
        "IsValidForQueue": managed(False, "canmodifyqueuesettings"),
        "IsDuplicateDetectionEnabled": managed(False, "canmodifyduplicatedetectionsettings"),
        "IntroducedVersion": "1.0.0.0",
        "HasChanged": None,
        "ExternalName": None,
        "ExternalCollectionName": None,
        **dict.fromkeys(_WITHOUT),
        **dict.fromkeys(_NOT, False),
        **dict.fromkeys(_SO, True),
        "DisplayName": label(table.display, table.name),
        "DisplayCollectionName": label(table.displays, table.name, "plural"),
        "Description": label(table.display, table.name, "description"),
        "Attributes": attributes(table),
        "Keys": [key(table, item) for item in table.keys.values()],
        "ManyToOneRelationships": [one_to_many(env, relation) for relation in _own(env, table)],
        "OneToManyRelationships": [one_to_many(env, relation) for relation in _pointing(env, table)],
        "ManyToManyRelationships": [many_to_many(env, relation) for relation in table.many.values()],
    }


def _own(env: Environment, table: Table) -> list[Relation]:
    return [relation for relation in env.schema.relations if relation.source == table.name]


def _pointing(env: Environment, table: Table) -> list[Relation]:
    return [
        relation
        for relation in env.schema.relations
        if relation.target == table.name or (relation.target == OWNER and table.principal)
    ]


# Attributes


def attributes(table: Table) -> list[Definition]:
    """The attributes of a table, with the name and type columns that shadow its lookups."""
    found = []
    for number, column in enumerate(table.columns.values(), 1):
        found.append(attribute(table, column, number))
        if column.lookup:
            found += _shadows(table, column)
    return found


def _shadows(table: Table, column: Column) -> list[Definition]:
    """The virtual columns beside a lookup; they are not part of the wire format of rows."""
    names = [Column(f"{column.name}name", f"{column.schema}Name", "String", max=100, access="read")]
    if column.polymorphic:
        names.append(Column(f"{column.name}type", f"{column.schema}Type", "EntityName", access="read"))
    shadows = [attribute(table, shadow, 0) for shadow in names]
    for shadow in shadows:
        shadow |= {"AttributeOf": column.name, "IsLogical": True, "IsValidForRead": True}
    return shadows


def attribute(table: Table, column: Column, number: int) -> Definition:
    """The definition of one attribute."""
    kind = attribute_kind(column)
    base: Definition = {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
        "MetadataId": identity("attribute", table.name, column.name),
        "LogicalName": column.name,
        "SchemaName": column.schema,
        "EntityLogicalName": table.name,
        "AttributeType": "DateTime" if column.type == "DateOnly" else column.type,
        "AttributeTypeName": {"Value": _TYPE_NAMES.get(column.type, f"{column.type}Type")},
        "AttributeOf": None,
        "ColumnNumber": number,
        "DisplayName": label(column.label, table.name, column.name),
        "Description": label(column.label, table.name, column.name, "description"),
        "RequiredLevel": managed(
            "SystemRequired" if column.name in (table.id, "ownerid", "statecode") else column.required,
            "canmodifyrequirementlevelsettings",
        ),
        "IsValidForCreate": column.access in ("write", "create-only"),
        "IsValidForUpdate": column.access in ("write", "update-only"),
        "IsValidForRead": True,
        "IsValidODataAttribute": True,
        "IsCustomAttribute": column.custom and column.name != table.id,
        "IsPrimaryId": column.name == table.id,
        "IsPrimaryName": column.name == table.primary,
        "IsLogical": False,
        "IsManaged": True,
        "IsFilterable": False,
        "IsSearchable": False,
        "IsRetrievable": True,
        "IsSecured": False,
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsValidForAdvancedFind": managed(True, "canmodifysearchsettings"),
        "IsRequiredForForm": False,
        "IntroducedVersion": "1.0.0.0",
        "SourceType": None,
        "InheritsFrom": None,
        "DeprecatedVersion": None,
        "HasChanged": None,
    }
    return base | _facets(table, column)


BASE_ATTRIBUTE: Final = frozenset(
    {
        "@odata.type",
        "MetadataId",
        "LogicalName",
        "SchemaName",
        "EntityLogicalName",
        "AttributeType",
        "AttributeTypeName",
        "AttributeOf",
        "ColumnNumber",
        "DisplayName",
        "Description",
        "RequiredLevel",
        "IsValidForCreate",
        "IsValidForUpdate",
        "IsValidForRead",
        "IsValidODataAttribute",
        "IsCustomAttribute",
        "IsPrimaryId",
        "IsPrimaryName",
        "IsLogical",
        "IsManaged",
        "IsFilterable",
        "IsSearchable",
        "IsRetrievable",
        "IsSecured",
        "IsCustomizable",
        "IsValidForAdvancedFind",
        "IsRequiredForForm",
        "IntroducedVersion",
        "SourceType",
        "InheritsFrom",
        "DeprecatedVersion",
        "HasChanged",
    }
)
"""What every attribute has: all that can be selected without a cast."""


def _facets(table: Table, column: Column) -> Definition:
    """What only the attribute's own type has."""
    match column.type:
        case "String":
            return {
                "MaxLength": column.max,
                "Format": "Text",
                "FormatName": {"Value": "Text"},
                "ImeMode": "Auto",
                "DatabaseLength": (column.max or 0) * 2,
                "IsLocalizable": False,
            }
        case "Memo":
            return {
                "MaxLength": column.max,
                "Format": "TextArea",
                "FormatName": {"Value": "TextArea"},
                "ImeMode": "Auto",
            }
        case "Integer":
            least, most = (-(2**31), 2**31 - 1)
            return {
                "MinValue": least if column.min is None else int(column.min),
                "MaxValue": most if column.most is None else int(column.most),
                "Format": "None",
            }
        case "BigInt":
            return {"MinValue": -(2**63), "MaxValue": 2**63 - 1}
        case "Decimal" | "Double":
            return {
                "MinValue": -100_000_000_000 if column.min is None else column.min,
                "MaxValue": 100_000_000_000 if column.most is None else column.most,
                "Precision": column.precision,
                "ImeMode": "Disabled",
            }
        case "Money":
            base = column.name.endswith("_base")
            return {
                "MinValue": -922337203685477 if column.min is None else column.min,
                "MaxValue": 922337203685477 if column.most is None else column.most,
                "Precision": 4 if base else 2,
                "PrecisionSource": 2,
                "IsBaseCurrency": base,
                "CalculationOf": column.name.removesuffix("_base") if base else None,
                "ImeMode": "Disabled",
            }
        case "DateTime" | "DateOnly":
            return {
                "Format": "DateOnly" if column.type == "DateOnly" else "DateAndTime",
                "DateTimeBehavior": {"Value": _BEHAVIOURS[column.type]},
                "CanChangeDateTimeBehavior": managed(False, "canchangedatetimebehavior"),
                "ImeMode": "Inactive",
            }
        case "Lookup" | "Customer" | "Owner":
            return {"Targets": list(column.targets), "Format": "None"}
        case "Boolean":
            return {
                "DefaultValue": bool(column.default),
                "OptionSet": two_options(table, column),
                "GlobalOptionSet": None,
            }
        case "Picklist" | "State" | "Status":
            default = -1 if column.default is None else column.default
            choices = option_set(table, column)
            shared = choices if column.global_name else None
            return {"DefaultFormValue": default, "OptionSet": None if shared else choices, "GlobalOptionSet": shared}
    return {}


# Keys and relationships


def key(table: Table, item: Key) -> Definition:
    """The definition of an alternate key. Its index is built at once, so it is always active."""
    return {
        "MetadataId": identity("key", table.name, item.name),
        "LogicalName": item.name.lower(),
        "SchemaName": item.name,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(item.columns),
        "EntityKeyIndexStatus": "Active",
        "IsManaged": True,
        "IsCustomizable": managed(True, "iscustomizable"),
        "IntroducedVersion": "1.0.0.0",
        "IsSynchronous": True,
        "DisplayName": label(item.display, table.name, item.name),
        "HasChanged": None,
    }


_RELATIONSHIP: Final = "#Microsoft.Dynamics.CRM.{}RelationshipMetadata"


def _relationship(name: str, kind: str, custom: bool) -> Definition:
    return {
        "@odata.type": _RELATIONSHIP.format("OneToMany" if kind == "OneToManyRelationship" else "ManyToMany"),
        "MetadataId": identity("relationship", name),
        "SchemaName": name,
        "RelationshipType": kind,
        "SecurityTypes": "Append",
        "IsCustomRelationship": custom,
        "IsManaged": True,
        "IsValidForAdvancedFind": True,
        "IsCustomizable": managed(True, "iscustomizable"),
        "IntroducedVersion": "1.0.0.0",
        "HasChanged": None,
    }


BASE_RELATIONSHIP: Final = frozenset(_relationship("", "", custom=False))


def one_to_many(env: Environment, relation: Relation) -> Definition:
    """The definition of a one-to-many relationship (the same from both of its ends)."""
    owner = relation.target == OWNER
    custom = relation.name.startswith(("bcbi_", "nav_"))
    return _relationship(relation.name, "OneToManyRelationship", custom) | {
        "ReferencedEntity": relation.target,
        "ReferencedAttribute": "ownerid" if owner else env.schema.table(relation.target).id,
        "ReferencedEntityNavigationPropertyName": relation.collection,
        "ReferencingEntity": relation.source,
        "ReferencingAttribute": relation.column,
        "ReferencingEntityNavigationPropertyName": relation.navigation,
        "IsHierarchical": relation.source == relation.target,
        "RelationshipBehavior": 1,
        "CascadeConfiguration": {
            "Assign": "NoCascade",
            "Delete": "Restrict" if owner else relation.delete,
            "Merge": "NoCascade",
            "Reparent": "NoCascade",
            "Share": "NoCascade",
            "Unshare": "NoCascade",
            "Archive": "NoCascade",
            "RollupView": "NoCascade",
        },
    }


def many_to_many(env: Environment, relation: ManyToMany) -> Definition:
    """The definition of a many-to-many relationship."""
    first, second = env.schema.table(relation.first), env.schema.table(relation.second)
    return _relationship(relation.name, "ManyToManyRelationship", custom=False) | {
        "IntersectEntityName": relation.intersect,
        "Entity1LogicalName": first.name,
        "Entity1IntersectAttribute": first.id,
        "Entity1NavigationPropertyName": relation.name,
        "Entity2LogicalName": second.name,
        "Entity2IntersectAttribute": second.id,
        "Entity2NavigationPropertyName": relation.name,
    }
