"""``RetrieveMetadataChanges``: chosen properties of chosen definitions in one answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crosstie.sandbox.dataverse.choices import Definition
from crosstie.sandbox.dataverse.environment import Call
from crosstie.sandbox.dataverse.errors import BAD_ARGUMENT, Refusal
from crosstie.sandbox.dataverse.metadata import entity_definition
from crosstie.sandbox.dataverse.tracking import tracked
from crosstie.sandbox.http import Response, json_response

_PARTS = {
    "AttributeQuery": "Attributes",
    "KeyQuery": "Keys",
    "RelationshipQuery": "OneToManyRelationships",
}


def retrieve_metadata_changes(call: Call, text: str) -> Response:
    """The definitions that an ``EntityQueryExpression`` asks for; the stamp of the answer is the schema's own."""
    try:
        query = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Refusal(400, BAD_ARGUMENT, f"The parameter 'Query' is not valid JSON: {error}") from error
    if not isinstance(query, dict):
        raise Refusal(400, BAD_ARGUMENT, "The parameter 'Query' must be an EntityQueryExpression.")
    entities = []
    for table in call.env.schema.tables.values():
        definition = entity_definition(call.env, table, tracked(call, table))
        if _meets(definition, query.get("Criteria")):
            shown = _projected(definition, query.get("Properties"))
            for name, part in _PARTS.items():
                if part in shown:
                    shown[part] = _part(definition[part], query.get(name))
            entities.append(shown)
    return json_response(
        {
            "@odata.context": f"{call.root}/$metadata#Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse",
            "EntityMetadata": entities,
            "ServerVersionStamp": f"{call.env.db.version}!{call.env.clock.now():%m/%d/%Y %H:%M:%S}",
            "DeletedMetadata": None,
        }
    )


def _part(nodes: Sequence[Definition], query: Any) -> list[Definition]:
    if not isinstance(query, dict):
        return list(nodes)
    return [_projected(node, query.get("Properties")) for node in nodes if _meets(node, query.get("Criteria"))]


def _projected(node: Definition, properties: Any) -> Definition:
    names = properties.get("PropertyNames") if isinstance(properties, dict) else None
    if not names or properties.get("AllProperties"):
        return dict(node)
    return {name: node[name] for name in ("@odata.type", "MetadataId", *names) if name in node}


def _meets(node: Definition, criteria: Any) -> bool:
    if not isinstance(criteria, dict):
        return True
    found = [_condition(node, condition) for condition in criteria.get("Conditions") or ()]
    found += [_meets(node, inner) for inner in criteria.get("Filters") or ()]
    if not found:
        return True
    return any(found) if str(criteria.get("FilterOperator", "And")).lower() == "or" else all(found)


def _condition(node: Definition, condition: Mapping[str, Any]) -> bool:
    operator, wanted = str(condition.get("ConditionOperator")), condition.get("Value")
    value = wanted.get("Value") if isinstance(wanted, dict) else wanted
    present = node.get(str(condition.get("PropertyName")))
    if isinstance(present, dict):
        present = present.get("Value")
    if operator in ("In", "NotIn"):
        items = value if isinstance(value, list) else str(value).split(",")
        inside = str(present).lower() in [str(item).strip().lower() for item in items]
        return inside is (operator == "In")
    same = str(present).lower() == str(value).lower()
    if operator in ("Equals", "NotEquals"):
        return same is (operator == "Equals")
    raise Refusal(400, BAD_ARGUMENT, f"The condition operator '{operator}' is not supported in 'Query'.")
