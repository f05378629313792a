"""Tables of Dataverse from its metadata: attributes, options, lookups, keys, capabilities (wire-dataverse section 15).

Lookups appear as plain fields under their logical name. A lookup that may point at several tables (parentcustomerid,
ownerid) has a companion `<name>type` beside it that says at which table it points.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from crosstie.model.readers import reader
from crosstie.model.schema import ChangeFeed, FieldSchema, FieldType, TableSchema
from crosstie.systems.rows import Column

ENTITY = (
    "$select=LogicalName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,DisplayName,"
    "ChangeTrackingEnabled,IsOptimisticConcurrencyEnabled&$expand=Attributes,Keys,ManyToOneRelationships"
)
CHOICES = ("Picklist", "State", "Status")
"""Attribute types whose options need a request of their own."""
OPTIONS = "$select=LogicalName&$expand=OptionSet,GlobalOptionSet"

_TYPES = {
    "Uniqueidentifier": FieldType.GUID,
    "String": FieldType.TEXT,
    "Memo": FieldType.TEXT,
    "Picklist": FieldType.CHOICE,
    "State": FieldType.CHOICE,
    "Status": FieldType.CHOICE,
    "Boolean": FieldType.BOOLEAN,
    "Money": FieldType.DECIMAL,
    "Decimal": FieldType.DECIMAL,
    "Double": FieldType.DECIMAL,
    "Integer": FieldType.INTEGER,
    "BigInt": FieldType.INTEGER,
    "DateTime": FieldType.DATETIME,
    "Lookup": FieldType.LOOKUP,
    "Customer": FieldType.LOOKUP,
    "Owner": FieldType.LOOKUP,
}
_FILLED_BY_SERVER = ("Owner", "State", "Status")
_MONEY_SCALE = 4
_TARGET_NAME = "@Microsoft.Dynamics.CRM.lookuplogicalname"
NAMES_TARGETS = 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'
"""Preference that brings the tables at which lookups point."""


class Address(msgspec.Struct, frozen=True):
    """Where the records of a table live, and by which attribute they are known."""

    entity_set: str
    key: str


class LookupField(msgspec.Struct, frozen=True):
    """How a lookup is written: navigation property and address for each table that it may point at."""

    name: str
    targets: tuple[str, ...]
    navigation: Mapping[str, str]
    addresses: Mapping[str, Address]
    owner: bool = False


class Table(msgspec.Struct, frozen=True):
    """A table with what the wire needs beyond its schema."""

    schema: TableSchema
    entity_set: str
    lookups: Mapping[str, LookupField]
    companions: Mapping[str, str]
    """Names of lookups by the name of their companion."""
    modified: str | None

    def column(self, name: str) -> Column:
        """Return how the field is read."""
        wire = name
        if name in self.companions:
            wire = f"_{self.companions[name]}_value{_TARGET_NAME}"
        elif name in self.lookups:
            wire = f"_{name}_value"
        return Column(name, wire, reader(self.schema.fields[name]))

    def selected(self, names: Iterable[str]) -> list[str]:
        """Return what `$select` must name for these fields to arrive, key and modification time included."""
        wires = {self.schema.key: None}
        if self.modified:
            wires[self.modified] = None
        for name in names:
            lookup = self.companions.get(name, name)
            wires[f"_{lookup}_value" if lookup in self.lookups else name] = None
        return list(wires)

    def preference(self, names: Iterable[str]) -> str:
        """Return the preference that reading these fields takes, empty if none."""
        return NAMES_TARGETS if any(name in self.companions for name in names) else ""


def table_of(
    entity: Mapping[str, Any], options: Mapping[str, Mapping[str, str]], addresses: Mapping[str, Address]
) -> Table:
    """Return the table that metadata describe; `options` by attribute, `addresses` by table."""
    key = str(entity["PrimaryIdAttribute"])
    lookups: dict[str, LookupField] = {}
    fields: dict[str, FieldSchema] = {}
    companions: dict[str, str] = {}
    navigation = _navigation(entity.get("ManyToOneRelationships") or ())
    for attribute in sorted(entity["Attributes"], key=lambda attribute: int(attribute.get("ColumnNumber") or 0)):
        field = _field(attribute, key, options)
        if field is None:
            continue
        fields[field.name] = field
        if field.type is FieldType.LOOKUP:
            lookup = _lookup(attribute, field, navigation.get(field.name, {}), addresses)
            lookups[field.name] = lookup
            if len(lookup.targets) > 1:
                companion = _companion(field)
                fields[companion.name] = companion
                companions[companion.name] = field.name
    modified = "modifiedon" if "modifiedon" in fields else None
    schema = TableSchema(
        name=str(entity["LogicalName"]),
        label=label_of(entity.get("DisplayName")) or str(entity["LogicalName"]),
        key=key,
        name_field=entity.get("PrimaryNameAttribute") or None,
        fields=fields,
        feed=_feed(entity, modified),
        client_ids=True,
        conditional_writes=bool(entity.get("IsOptimisticConcurrencyEnabled", True)),
        alternate_keys=tuple(
            tuple(found["KeyAttributes"])
            for found in entity.get("Keys") or ()
            if found.get("EntityKeyIndexStatus", "Active") == "Active"
        ),
        filters_in_feed=_feed(entity, modified) is ChangeFeed.MODIFIED,
        case_sensitive=False,
    )
    return Table(schema, str(entity["EntitySetName"]), lookups, companions, modified)


def _feed(entity: Mapping[str, Any], modified: str | None) -> ChangeFeed:
    if entity.get("ChangeTrackingEnabled"):
        return ChangeFeed.DELTA
    return ChangeFeed.MODIFIED if modified else ChangeFeed.FULL


def label_of(label: Any) -> str:
    """Return the text of a metadata label in the user's language, else in the first one; empty if there is none."""
    if not isinstance(label, Mapping):
        return ""
    localised = label.get("UserLocalizedLabel") or next(iter(label.get("LocalizedLabels") or ()), None) or {}
    return str(localised.get("Label") or "")


def language_of(label: Any) -> int | None:
    """Return the language code of a metadata label, None if it has no text."""
    if not isinstance(label, Mapping):
        return None
    localised = label.get("UserLocalizedLabel") or next(iter(label.get("LocalizedLabels") or ()), None) or {}
    code = localised.get("LanguageCode")
    return int(code) if code else None


def options_of(attribute: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the options of a choice, of its own set or of the global one that it uses."""
    found = attribute.get("OptionSet") or attribute.get("GlobalOptionSet") or {}
    return list(found.get("Options") or ())


def _field(attribute: Mapping[str, Any], key: str, options: Mapping[str, Mapping[str, str]]) -> FieldSchema | None:
    name, kind = str(attribute["LogicalName"]), attribute.get("AttributeType")
    if attribute.get("AttributeOf") or attribute.get("IsValidForRead") is False:
        return None
    type_name = (attribute.get("AttributeTypeName") or {}).get("Value")
    found = FieldType.TEXT if type_name == "MultiSelectPicklistType" else _TYPES.get(str(kind))
    if found is None:
        return None
    level = (attribute.get("RequiredLevel") or {}).get("Value")
    creatable = bool(attribute.get("IsValidForCreate", True))
    behavior = (attribute.get("DateTimeBehavior") or {}).get("Value")
    if found is FieldType.DATETIME and behavior == "DateOnly":
        found = FieldType.DATE
    return FieldSchema(
        name=name,
        type=found,
        label=label_of(attribute.get("DisplayName")),
        max_length=attribute.get("MaxLength") if found is FieldType.TEXT else None,
        scale=_scale(attribute, found, str(kind)),
        minimum=_number(attribute.get("MinValue")),
        maximum=_number(attribute.get("MaxValue")),
        required=level == "SystemRequired" and creatable and name != key and kind not in _FILLED_BY_SERVER,
        creatable=creatable,
        updatable=bool(attribute.get("IsValidForUpdate", True)) and name != key,
        options=options.get(name, {}) if found is FieldType.CHOICE else {},
        numeric_options=found is FieldType.CHOICE,
        targets=tuple(attribute.get("Targets") or ()) if found is FieldType.LOOKUP else (),
    )


def _scale(attribute: Mapping[str, Any], found: FieldType, kind: str) -> int | None:
    if found is FieldType.DATETIME:
        return 0
    if found is not FieldType.DECIMAL:
        return None
    precision = attribute.get("Precision")
    if kind == "Money" and attribute.get("PrecisionSource"):
        return _MONEY_SCALE
    return int(precision) if precision is not None else None


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _navigation(relations: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return navigation properties by attribute and by the table that they lead to."""
    found: dict[str, dict[str, str]] = {}
    for relation in relations:
        name = relation.get("ReferencingEntityNavigationPropertyName")
        if name:
            attribute, target = str(relation["ReferencingAttribute"]), str(relation["ReferencedEntity"])
            found.setdefault(attribute, {})[target] = str(name)
    return found


def _lookup(
    attribute: Mapping[str, Any], field: FieldSchema, navigation: Mapping[str, str], addresses: Mapping[str, Address]
) -> LookupField:
    targets = field.targets or tuple(navigation)
    only = next(iter(navigation.values()), field.name) if len(navigation) == 1 else field.name
    return LookupField(
        field.name,
        targets,
        {target: navigation.get(target, only) for target in targets},
        {target: addresses[target] for target in targets if target in addresses},
        attribute.get("AttributeType") == "Owner",
    )


def _companion(lookup: FieldSchema) -> FieldSchema:
    return FieldSchema(
        name=f"{lookup.name}type",
        type=FieldType.CHOICE,
        label=f"{lookup.label or lookup.name}: table",
        options={target: target for target in lookup.targets},
        creatable=lookup.creatable,
        updatable=lookup.updatable,
    )
