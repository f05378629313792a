"""What the service says of itself: service document, ``$metadata``, ``entityDefinitions``, webhook resources."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from crosstie.sandbox.business_central.pages import Api, Navigation, Page, Property, in_words
from crosstie.sandbox.business_central.values import EDM, Enumeration

NAMESPACE: Final = "Microsoft.NAV"
CONTAINER: Final = "NAV"

_EDMX: Final = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM: Final = "http://docs.oasis-open.org/odata/ns/edm"
_ENGLISH: Final = 1033

_NOTIFYING: Final = frozenset(
    {
        "companyInformation",
        "countriesRegions",
        "currencies",
        "customers",
        "itemCategories",
        "items",
        "paymentMethods",
        "paymentTerms",
        "salesOrders",
        "shipmentMethods",
        "unitsOfMeasure",
        "vendors",
    }
)


def service_document(api: Api, context: str) -> dict[str, Any]:
    """The list of entity sets."""
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in api.pages]
    return {"@odata.context": context, "value": sets}


@lru_cache(maxsize=8)
def csdl(route: str, pages: tuple[Page, ...]) -> bytes:
    """The CSDL document of an API (XML): types, lengths, options, keys, navigation."""
    root = Element("edmx:Edmx", {"Version": "4.0", "xmlns:edmx": _EDMX})
    services = SubElement(root, "edmx:DataServices")
    schema = SubElement(services, "Schema", {"Namespace": NAMESPACE, "xmlns": _EDM})
    sets = {page.name: page for page in pages}
    for page in pages:
        _entity_type(schema, page, sets)
    for enum in _enums(pages):
        _enum_type(schema, enum)
    container = SubElement(schema, "EntityContainer", {"Name": CONTAINER})
    for page in pages:
        _entity_set(container, page, sets)
    return b'<?xml version="1.0" encoding="utf-8"?>' + tostring(root)


def _entity_type(schema: Element, page: Page, sets: Mapping[str, Page]) -> None:
    entity = SubElement(schema, "EntityType", {"Name": page.entity})
    SubElement(SubElement(entity, "Key"), "PropertyRef", {"Name": page.key})
    for prop in page.properties.values():
        SubElement(entity, "Property", _property(prop, page.key))
    for way in page.navigation.values():
        node = _navigation(entity, way.name, sets[way.to], way.many)
        _constraint(node, page, way)
    if page.name == "companies":
        for other in sets.values():
            if not other.table.shared:
                _navigation(entity, other.name, other, many=True).set("ContainsTarget", "true")


def _navigation(entity: Element, name: str, target: Page, many: bool) -> Element:
    of = f"{NAMESPACE}.{target.entity}"
    return SubElement(entity, "NavigationProperty", {"Name": name, "Type": f"Collection({of})" if many else of})


def _constraint(node: Element, page: Page, way: Navigation) -> None:
    """Say which property holds the id of the record that a navigation leads to."""
    for prop in page.properties.values():
        if way.via and prop.field.name == way.via and (prop.name == page.key or (prop.id_of and not prop.show)):
            SubElement(node, "ReferentialConstraint", {"Property": prop.name, "ReferencedProperty": "id"})


def _property(prop: Property, key: str) -> dict[str, str]:
    of = prop.type
    out = {"Name": prop.name, "Type": f"{NAMESPACE}.{of.enum.name}" if of.enum else EDM[of.kind]}
    if prop.name == key:
        out["Nullable"] = "false"
    length = prop.max_length or of.length
    if of.kind in ("text", "code") and length:
        out["MaxLength"] = str(length)
    if of.kind == "decimal":
        out["Scale"] = "Variable"
    return out


def _enums(pages: Iterable[Page]) -> list[Enumeration]:
    found = {
        prop.type.enum.name: prop.type.enum for page in pages for prop in page.properties.values() if prop.type.enum
    }
    return list(found.values())


def _enum_type(schema: Element, enum: Enumeration) -> None:
    node = SubElement(schema, "EnumType", {"Name": enum.name})
    for value, member in enumerate(enum.members):
        SubElement(node, "Member", {"Name": member, "Value": str(value)})


def _entity_set(container: Element, page: Page, sets: Mapping[str, Page]) -> None:
    node = SubElement(container, "EntitySet", {"Name": page.name, "EntityType": f"{NAMESPACE}.{page.entity}"})
    for way in page.navigation.values():
        SubElement(node, "NavigationPropertyBinding", {"Path": way.name, "Target": sets[way.to].name})


def entity_definitions(api: Api, context: str) -> dict[str, Any]:
    """Names and captions of every entity."""
    return {"@odata.context": context, "value": [_definition(page) for page in api.pages.values()]}


def _definition(page: Page) -> dict[str, Any]:
    return {
        "entityName": page.entity,
        "entitySetName": page.name,
        "entityCaptions": _captions(page.caption),
        "entitySetCaptions": _captions(page.set_caption),
        "properties": [{"name": name, "captions": _captions(in_words(name))} for name in page.properties],
        "actions": [],
        "enumMembers": [
            {"name": enum.name, "members": list(map(_member, zip(enum.members, enum.captions, strict=True)))}
            for enum in _enums([page])
        ],
    }


def _member(pair: tuple[str, str]) -> dict[str, Any]:
    return {"name": pair[0], "captions": _captions(pair[1])}


def _captions(text: str) -> list[dict[str, Any]]:
    return [{"languageCode": _ENGLISH, "caption": text}]


def webhook_resources(apis: Iterable[Api], pattern: str, context: str) -> dict[str, Any]:
    """The entity sets that notify of changes, by route; *pattern* may hold ``*``."""
    names = [f"{api.route}/{name}" for api in apis for name in api.pages if _notifies(api, name)]
    return {
        "@odata.context": context,
        "value": [{"resource": name} for name in names if fnmatchcase(name, pattern)],
    }


def _notifies(api: Api, name: str) -> bool:
    return name in _NOTIFYING or api.route.count("/") == 2
