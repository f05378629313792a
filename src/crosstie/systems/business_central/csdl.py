"""The metadata document of a Business Central API: entity sets with their properties, enums and references."""

from collections.abc import Mapping
from xml.etree import ElementTree

import msgspec

from crosstie.model.errors import GarbledAnswer


class Property(msgspec.Struct, frozen=True):
    """A property: `type` is the name of an Edm type or, with `members`, of an enum."""

    name: str
    type: str
    max_length: int | None = None
    members: tuple[str, ...] = ()


class EntitySet(msgspec.Struct, frozen=True):
    """An entity set. `references` are the entity types behind properties that hold ids."""

    name: str
    key: str
    properties: Mapping[str, Property]
    references: Mapping[str, str] = {}


def parse(document: bytes) -> dict[str, EntitySet]:
    """Return the entity sets of a metadata document by name. Raises GarbledAnswer."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise GarbledAnswer(f"The metadata are no XML: {error}.") from error
    schemas = [node for node in root.iter() if _tag(node) == "Schema"]
    enums: dict[str, tuple[str, ...]] = {}
    types: dict[str, ElementTree.Element] = {}
    sets: dict[str, str] = {}
    for schema in schemas:
        for node in schema:
            if _tag(node) == "EnumType":
                enums[node.get("Name", "")] = tuple(member.get("Name", "") for member in node)
            elif _tag(node) == "EntityType":
                types[node.get("Name", "")] = node
            elif _tag(node) == "EntityContainer":
                sets |= {
                    child.get("Name", ""): _local(child.get("EntityType", ""))
                    for child in node
                    if _tag(child) == "EntitySet"
                }
    if not sets:
        raise GarbledAnswer("The metadata name no entity sets.")
    set_of_type = {entity: name for name, entity in sets.items()}
    return {
        name: _entity_set(name, types[entity], enums, set_of_type) for name, entity in sets.items() if entity in types
    }


def _entity_set(
    name: str, node: ElementTree.Element, enums: Mapping[str, tuple[str, ...]], set_of_type: Mapping[str, str]
) -> EntitySet:
    key = ""
    properties: dict[str, Property] = {}
    references: dict[str, str] = {}
    for child in node:
        match _tag(child):
            case "Key":
                key = next((ref.get("Name", "") for ref in child), "")
            case "Property":
                found = _property(child, enums)
                properties[found.name] = found
            case "NavigationProperty":
                target = set_of_type.get(_local(child.get("Type", "")))
                for constraint in child:
                    if _tag(constraint) == "ReferentialConstraint" and target:
                        references[constraint.get("Property", "")] = target
    return EntitySet(name, key, properties, references)


def _property(node: ElementTree.Element, enums: Mapping[str, tuple[str, ...]]) -> Property:
    kind = node.get("Type", "")
    length = node.get("MaxLength", "")
    return Property(node.get("Name", ""), kind, int(length) if length.isdigit() else None, enums.get(_local(kind), ()))


def _tag(node: ElementTree.Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _local(name: str) -> str:
    return name.removesuffix(")").rpartition(".")[2]
